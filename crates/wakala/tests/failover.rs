//! `wakala serve` under load on PostgreSQL under Patroni, whose servers are killed, stand still and take over from one another
//! while connections are cut: everything acknowledged is there, nothing is there twice, and the gaps are told.

#[path = "../../../xtask/src/cluster/mod.rs"]
#[allow(dead_code, reason = "xtask uses the rest")]
mod cluster;
mod common;
#[path = "../../data-center/tests/support/proxy.rs"]
mod proxy;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cluster::node::Node;
use cluster::processes::{self, Process};
use cluster::{Cluster, Member, serves};
use common::centre::peers;
use common::load::Load;
use common::service::{self, Service};
use common::{World, audit};
use data_center::Location;
use data_center::postgres::Settings;
use proxy::{Proxy, Way};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::block_in_place;

const NODES: usize = 3;
/// A connection to each server is cut after so many acknowledgements more.
const CUT_EVERY: usize = 40;
/// How long a service manager waits, see `deploy/wakala.service`.
const RESTART: Duration = Duration::from_secs(2);
/// Nothing takes so long: only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(150);

/// What befalls the cluster.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// An operator makes another the leader.
    SwitchOver,
    /// The leader's server is killed.
    Server,
    /// All of the leader's machine is killed.
    Machine,
    /// The leader's server and what minds it stand still until long after another has taken over.
    StandsStill,
    /// A standby is killed, the one that commits wait for.
    Standby,
    /// Both are.
    Standbys,
    /// The service itself.
    Service,
}

/// All that befalls the servers.
const BLOWS: [Blow; 6] =
    [Blow::SwitchOver, Blow::Server, Blow::Standby, Blow::Machine, Blow::Standbys, Blow::StandsStill];
/// Leases: as configured by default, which ends before Patroni has made another the leader of one whose machine is gone, so
/// that the service is started again; and one that outlasts it.
const LEASES: [u64; 2] = [15, 35];

fn is_server(process: &Process) -> bool {
    process.program == "postgres"
}

fn is_not_etcd(process: &Process) -> bool {
    process.program != "etcd"
}

/// A cluster with a way to each server that can be cut; taken down at the end, however that comes.
struct Place {
    folder: PathBuf,
    cluster: Cluster,
    ways: Vec<Proxy>,
}

impl Place {
    fn new() -> Place {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("failover");
        if folder.exists() {
            cluster::down(&folder).expect("what a run before has left goes away");
        }
        let cluster = Cluster::up(&peers(), &folder, NODES).expect("a cluster");
        let ways = cluster.nodes.iter().map(|node| Proxy::to_port(node.postgres)).collect();
        Place { folder, cluster, ways }
    }

    fn node(&self, role: &str) -> Node {
        self.cluster.node(role).unwrap().clone()
    }

    /// Asks the leader's Patroni something until it does it.
    fn ask(&self, what: &str, body: impl Fn(&Node) -> Value) -> Node {
        let since = Instant::now();
        loop {
            let leader = self.node("leader");
            match leader.ask_patroni(what, &body(&leader).to_string()) {
                Ok(_) => return leader,
                Err(error) => assert!(since.elapsed() < PATIENCE, "{what}: {error:#}"),
            }
        }
    }

    /// The address by the ways that can be cut.
    fn url(&self) -> String {
        let hosts: Vec<String> = self.ways.iter().map(|way| format!("127.0.0.1:{}", way.port())).collect();
        format!("postgres://wakala@{}/wakala?connect_timeout=3", hosts.join(","))
    }

    fn wait_until_all_serve(&self) {
        self.cluster.wait("all nodes serve", |members| serves(members, NODES).then_some(())).unwrap();
    }

    fn wait_for_another_leader(&self, than: &str) {
        let leads = |member: &Member| member.role == "leader" && member.state == "running" && member.name != than;
        self.cluster.wait("another leads", |members| members.iter().any(leads).then_some(())).unwrap();
    }

    fn books(&self) -> Location {
        Location::Server(Box::new(Settings::parse(&self.cluster.url()).expect("an address")))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let down = cluster::down(&self.folder);
        assert!(down.is_ok() || thread::panicking(), "{down:?}");
    }
}

/// The service under a manager that starts it again when it ends by itself.
struct Managed {
    orders: mpsc::Sender<Order>,
    restarts: Arc<AtomicUsize>,
    managing: tokio::task::JoinHandle<()>,
}

enum Order {
    Kill,
    End,
}

impl Managed {
    fn start(configuration: &Path) -> Managed {
        let (orders, mut ordered) = mpsc::channel(1);
        let restarts = Arc::new(AtomicUsize::new(0));
        let (counted, configuration) = (Arc::clone(&restarts), configuration.to_owned());
        let managing = tokio::spawn(async move {
            loop {
                let service = Service::start(&configuration);
                tokio::select! {
                    () = service.has_ended() => drop(block_in_place(|| service.outcome())),
                    order = ordered.recv() => match order {
                        Some(Order::Kill) => block_in_place(|| service.kill()),
                        Some(Order::End) => return block_in_place(|| service.end()),
                        None => return,
                    },
                }
                tokio::time::sleep(RESTART).await;
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Managed { orders, restarts, managing }
    }

    async fn kill(&self) {
        self.orders.send(Order::Kill).await.expect("it is managed");
    }

    fn restarts(&self) -> usize {
        self.restarts.load(Ordering::SeqCst)
    }

    async fn end(self) {
        self.orders.send(Order::End).await.expect("it is managed");
        self.managing.await.expect("it ended in order");
    }
}

/// Cuts the connection to each server within one of the next commits, on its way there or back.
fn cut_somewhere(place: &Place, rng: &mut StdRng) {
    for way in &place.ways {
        match rng.random_bool(0.5) {
            true => way.cut_after(Way::Up, rng.random_range(0..10_000)),
            false => way.cut_after(Way::Down, rng.random_range(0..1_000)),
        }
    }
}

/// Strikes, and waits until the service goes on.
async fn strike(place: &Arc<Place>, blow: Blow, managed: &Managed, load: &Load) {
    let leader = block_in_place(|| place.node("leader"));
    let name = &leader.name;
    match blow {
        Blow::SwitchOver => {
            block_in_place(|| {
                let leader = place.ask("POST /switchover", |leader| json!({ "leader": leader.name }));
                place.wait_for_another_leader(&leader.name);
            });
            load.goes_on().await;
        }
        Blow::Server => {
            processes::kill(&leader.folder, is_server).unwrap();
            load.goes_on().await;
        }
        Blow::Machine => {
            processes::kill(&leader.folder, |_| true).unwrap();
            load.goes_on().await;
            leader.start().unwrap();
        }
        Blow::StandsStill => {
            processes::signal(&leader.folder, "STOP", is_not_etcd).unwrap();
            block_in_place(|| place.wait_for_another_leader(name));
            load.goes_on().await;
            processes::signal(&leader.folder, "CONT", is_not_etcd).unwrap();
            load.goes_on().await;
        }
        Blow::Standby => {
            let standby = block_in_place(|| place.node("sync_standby"));
            processes::kill(&standby.folder, is_not_etcd).unwrap();
            load.goes_on().await;
            standby.start().unwrap();
        }
        Blow::Standbys => {
            let standbys: Vec<&Node> = place.cluster.nodes.iter().filter(|node| node.name != *name).collect();
            standbys.iter().for_each(|standby| processes::kill(&standby.folder, is_not_etcd).unwrap());
            block_in_place(|| nothing_is_acknowledged(&leader, load));
            for standby in standbys {
                standby.start().unwrap();
                load.goes_on().await;
            }
        }
        Blow::Service => {
            managed.kill().await;
            load.goes_on().await;
        }
    }
    block_in_place(|| place.wait_until_all_serve());
    load.goes_on().await;
}

/// While a commit waits for a standby that is not there, nobody is told that anything was done.
fn nothing_is_acknowledged(leader: &Node, load: &Load) {
    let has_waited = |seconds: u32| {
        let waits = format!(
            "SELECT count(*) > 0 FROM pg_stat_activity
            WHERE wait_event = 'SyncRep' AND now() - state_change > interval '{seconds} s'"
        );
        let since = Instant::now();
        while leader.sql("wakala", &waits).expect("the leader answers") != "t" {
            assert!(since.elapsed() < PATIENCE, "no commit waits for a standby");
        }
        load.acknowledged()
    };
    // What was acknowledged before has been told by then.
    let before = has_waited(3);
    assert_eq!(has_waited(5), before, "acknowledged without a standby");
}

/// Every message was acknowledged, was done once, and told.
async fn accounted_for(place: &Place, world: &World, managed: Managed, said: u64, issued: i64) {
    let books = place.books();
    World::until("everybody is told", async || {
        world.centre().settle().await;
        block_in_place(|| audit::untold(&books, false)) == 0
    })
    .await;
    managed.end().await;
    block_in_place(|| {
        let each = "SELECT amount_1, count(*) FROM log WHERE request = 1 AND refusal IS NULL GROUP BY 1 ORDER BY 1";
        let each = audit::rows(&books, each);
        let found: Vec<_> = each.iter().map(|row| [audit::figure(&row[0]), audit::figure(&row[1])]).collect();
        let expected: Vec<_> = (0..said.cast_signed()).map(|number| [10_000 + number, 1]).collect();
        assert_eq!(found, expected, "every transfer is there, once");
        audit::audit_at(world, &books, issued);
    });
}

/// Patroni replicates asynchronously unless it is told otherwise.
fn is_refused_where_commits_wait_for_no_standby(place: &Place, configuration: &Path) {
    let names = |is_right: fn(&str) -> bool| {
        let leader = place.node("leader");
        while !is_right(&leader.sql("wakala", "SHOW synchronous_standby_names").expect("the leader answers")) {}
    };
    place.ask("PATCH /config", |_| json!({ "synchronous_mode": false }));
    names(str::is_empty);
    let refused = service::command(configuration, &["serve"]).output().expect("the program runs");
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && why.contains("synchronous_standby_names is empty"), "{why}");
    place.ask("PATCH /config", |_| json!({ "synchronous_mode": true }));
    names(|names| !names.is_empty());
    place.wait_until_all_serve();
}

/// Plays these blows on a service with a lease of so many seconds.
async fn play(blows: &[Blow], lease: u64, seed: u64) {
    println!("seed {seed}, lease {lease} s");
    let place = Arc::new(block_in_place(Place::new));
    let more = format!("[log]\nlevel = \"warn\"\n[postgres]\naddress = \"{}\"\nlease_seconds = {lease}", place.url());
    let (world, issued) = service::stopped(|_| {}).await;
    let configuration = service::configuration(&world, "wakala", &more);
    block_in_place(|| is_refused_where_commits_wait_for_no_standby(&place, &configuration));
    let moved =
        service::command(&configuration, &["migrate", "sqlite-to-postgres"]).output().expect("the program runs");
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    world
        .centre()
        .faults(json!({ "seed": seed, "duplicate": 0.05, "delay_ms": 20, "redeliver_ms": 2000, "attempts": 100_000 }))
        .await;
    let world = Arc::new(world);
    let managed = Managed::start(&configuration);
    let (cutting, mut rng) = (Arc::clone(&place), StdRng::seed_from_u64(seed));
    let load = Load::start(Arc::clone(&world), seed, move |count| {
        if count.is_multiple_of(CUT_EVERY) {
            cut_somewhere(&cutting, &mut rng);
        }
    });
    load.goes_on().await;
    let mut longest = Duration::ZERO;
    for blow in blows {
        let (begun, before, restarts) = (Instant::now(), load.acknowledged(), managed.restarts());
        strike(&place, *blow, &managed, &load).await;
        let gap = load.longest_gap(begun);
        println!(
            "{:12} gap {:5.1} s, restarts {}, acknowledged {}, all serve after {:.1} s",
            format!("{blow:?}"),
            gap.as_secs_f64(),
            managed.restarts() - restarts,
            load.acknowledged() - before,
            begun.elapsed().as_secs_f64()
        );
        longest = longest.max(gap);
    }
    let restarts = managed.restarts();
    let said = load.end().await;
    let cuts: usize = place.ways.iter().map(Proxy::cuts).sum();
    accounted_for(&place, &world, managed, said, issued).await;
    println!(
        "{} blows, {cuts} connections cut, {said} acknowledged, 0 lost, 0 doubled, {restarts} restarts, longest gap {:.1} s",
        blows.len(),
        longest.as_secs_f64()
    );
    assert!(cuts > 0, "no connection was cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_fail_and_take_over_lose_nothing_and_double_nothing() {
    if std::env::var("WAKALA_SOAK").is_err() {
        return play(&BLOWS, LEASES[1], 11).await;
    }
    let seed = std::env::var("WAKALA_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    for lease in LEASES {
        let mut rng = StdRng::seed_from_u64(seed);
        let all = [&BLOWS[..], &[Blow::Service]].concat();
        let blows: Vec<Blow> = (0..30).map(|_| *all.choose(&mut rng).expect("a blow")).collect();
        play(&blows, lease, seed).await;
    }
}
