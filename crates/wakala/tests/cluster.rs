//! Several processes on one PostgreSQL server, each with its own bind: whichever hears a message, and whoever decides when it is
//! killed, stopped or cut off, each request has one effect, and everybody is told.

mod common;
#[path = "../../data-center/tests/support/server.rs"]
mod server;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::world::secret_file;
use common::{PATIENCE, PIN, World, audit};
use encryption::{FileKeys, Passphrase};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use server::Server;
use tokio::sync::watch;
use wakala::cluster::certificates;

/// How often the process that decides is killed; a hundred times in the long form.
const TAKE_OVERS: u64 = 10;
const LONG_TAKE_OVERS: u64 = 100;
const CUSTOMERS: u64 = 10;
const TRANSFERS_A_ROUND: u64 = 12;
const PASSPHRASE: &str = "a passphrase that is long enough";
/// What the requirement says.
const WITHIN: Duration = Duration::from_secs(5);
/// What a process says once it decides.
const DECIDES: &str = "this process decides now";
/// What an edge says once it may ask.
const LINKED: &str = "linked to the one that decides";

fn is_long() -> bool {
    std::env::var_os("WAKALA_SOAK").is_some()
}

fn customer(index: u64) -> String {
    format!("+2557130000{:02}", index % CUSTOMERS)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// People, money, and as many processes as there are configurations.
struct Town {
    world: World,
    _server: Server,
    configurations: Vec<PathBuf>,
    services: Vec<Option<Service>>,
    issued: i64,
    said: u64,
    ids: Vec<String>,
}

impl Town {
    /// Everybody there, no process running.
    async fn with(processes: usize) -> Town {
        let server = Server::start();
        let address = server.url();
        let mut world = World::bare(&[&[]], |config| {
            config.postgres.address = Some(address);
            config.postgres.standbys = wakala::config::Standbys::None;
        })
        .await;
        world.office().await;
        world.agent(1000, common::TILL_PHONE, 40_000_000).await;
        for index in 0..CUSTOMERS {
            world.customer(&customer(index), 400_000).await;
        }
        audit::settle(&world).await;
        let issued = audit::conserved(&world).await;
        world.stop().await;
        secret_file(&world.directory, "passphrase", PASSPHRASE);
        let mut rng = StdRng::seed_from_u64(2);
        let passphrase = Passphrase::new(PASSPHRASE.as_bytes()).expect("long enough");
        let keys = world.directory.path().join("wakala.keys");
        FileKeys::create(&mut rng).save(&keys, &passphrase, &mut rng).expect("a key file");
        certificates::make(&world.directory.path().join("cluster"), &["127.0.0.1".to_owned()]).expect("certificates");
        let configurations = (0..processes).map(|index| configuration(&world, &server, index)).collect();
        let services = (0..processes).map(|_| None).collect();
        Town { world, _server: server, configurations, services, issued, said: 0, ids: Vec::new() }
    }

    /// Starts one, and waits until it is bound and decides or may ask.
    async fn start(&mut self, index: usize) {
        let binds = |all: &[Value]| all.iter().filter(|report| report["bind"]["status"] == 0).count();
        let before = binds(&self.world.centre().reports());
        let service = Service::start(&self.configurations[index], &[]);
        service.wait_for(|_, said| said.contains(DECIDES) || said.contains(LINKED)).await;
        self.services[index] = Some(service);
        self.world.centre().wait("it is bound", |all| (binds(all) > before).then_some(())).await;
    }

    async fn start_all(&mut self) {
        for index in 0..self.services.len() {
            self.start(index).await;
        }
    }

    fn service(&self, index: usize) -> &Service {
        self.services[index].as_ref().expect("it runs")
    }

    /// The one that decides; they agree on it.
    fn decider(&self) -> usize {
        let found = (0..self.services.len()).find(|index| {
            self.services[*index].is_some() && self.asked(*index, &["cluster", "status"])["role"] == "decides"
        });
        found.expect("one decides")
    }

    /// Waits until one of the others decides; which, and how long after this moment.
    async fn taken_over(&self, gone: usize, since: Instant) -> (usize, Duration) {
        let others: Vec<usize> = (0..self.services.len()).filter(|index| *index != gone).collect();
        let waiting = others
            .iter()
            .map(|index| Box::pin(self.service(*index).wait_for(move |at, said| at > since && said.contains(DECIDES))));
        let (at, which, _) = futures_util::future::select_all(waiting).await;
        let gap = at - since;
        println!("process {} decides {} ms after process {gone} was stopped", others[which], gap.as_millis());
        (others[which], gap)
    }

    /// What a command answers that is sent to one of them.
    fn asked(&self, index: usize, arguments: &[&str]) -> Value {
        let output = self.run(index, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("an answer in JSON")
    }

    fn run(&self, index: usize, arguments: &[&str]) -> Output {
        let mut command = wakala(&self.configurations[index]);
        command.arg("--json").args(arguments).output().expect("the program runs")
    }

    /// Somebody sends money: an amount that no other has.
    fn say(&mut self, to: u64) {
        let number = self.said;
        self.said += 1;
        let (from, to) = (customer(number), customer(number + 1 + to % (CUSTOMERS - 1)));
        let text = format!("TM*{to}*{}.{:02}*{PIN}", 100 + number / 100, number % 100);
        let id = self.world.centre().say(&from, &text);
        self.ids.push(id);
    }

    /// Waits until so many more words were exchanged.
    async fn words(&self, words: usize) {
        let from = self.world.centre().mark();
        self.world.centre().wait("words are exchanged", |all| (all.len() >= from + words).then_some(())).await;
    }

    /// Everything said is acknowledged, was done once and is told; then all end, and the ledger verifies.
    async fn accounted_for(mut self) {
        let (centre, location) = (self.world.centre(), self.world.location());
        for id in &self.ids {
            assert_eq!(centre.acknowledged(id).await, 0);
        }
        World::until("everybody is told", async || {
            centre.settle().await;
            audit::untold(&location, false) == 0
        })
        .await;
        for service in std::mem::take(&mut self.services).into_iter().flatten() {
            service.end();
        }
        let counts = "SELECT count(*), count(DISTINCT request_key) FROM log WHERE request = 1 AND refusal IS NULL";
        let expected = i64::try_from(self.ids.len()).expect("a few thousand");
        let found = audit::rows(&location, counts);
        assert_eq!(found[0].iter().map(audit::figure).collect::<Vec<_>>(), [expected, expected]);
        audit::audit(&self.world, self.issued);
    }
}

fn configuration(world: &World, server: &Server, index: usize) -> PathBuf {
    let path = |name: &str| world.directory.path().join(name).display().to_string();
    let text = format!(
        r#"
        [ledger]
        language = "en"
        [postgres]
        address = "{}"
        standbys = "none"
        lease_seconds = 3
        [cluster]
        listen = "127.0.0.1:{}"
        ca_file = "{}"
        certificate_file = "{}"
        key_file = "{}"
        [messages]
        short_code = "15050"
        [keys]
        file = "{}"
        passphrase_file = "{}"
        [administration]
        socket = "{}"
        listen = "127.0.0.1:0"
        [log]
        format = "json"
        [[message_centre]]
        name = "centre0"
        hosts = ["127.0.0.1:{}"]
        system_id = "wakala"
        password_file = "{}"
        window = 64
        "#,
        server.url(),
        free_port(),
        path("cluster/authority.pem"),
        path("cluster/127.0.0.1.pem"),
        path("cluster/127.0.0.1.key"),
        path("wakala.keys"),
        path("passphrase"),
        path(&format!("{index}.sock")),
        world.centre().port,
        path("centre0"),
    );
    secret_file(&world.directory, &format!("wakala{index}.toml"), &text)
}

fn wakala(configuration: &PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wakala"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WAKALA_")) {
        command.env_remove(name);
    }
    command.arg("--config").arg(configuration).stdin(Stdio::null());
    command
}

/// A process, killed when it goes out of sight.
struct Service {
    child: Child,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
    grown: watch::Receiver<usize>,
}

impl Service {
    fn start(configuration: &PathBuf, more: &[&str]) -> Service {
        let mut command = wakala(configuration);
        let mut child = command.arg("serve").args(more).stderr(Stdio::piped()).spawn().expect("the program runs");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let (said, (tell, grown)) = (Arc::new(Mutex::new(Vec::new())), watch::channel(0));
        let hearing = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let mut said: std::sync::MutexGuard<'_, Vec<_>> = hearing.lock().expect("a sound lock");
                said.push((Instant::now(), line));
                tell.send_replace(said.len());
            }
        });
        Service { child, said, grown }
    }

    /// Waits for a line, and says when it came.
    async fn wait_for(&self, is: impl Fn(Instant, &str) -> bool) -> Instant {
        let mut grown = self.grown.clone();
        let search = async {
            loop {
                grown.borrow_and_update();
                let found =
                    self.said.lock().expect("a sound lock").iter().find(|(at, line)| is(*at, line)).map(|(at, _)| *at);
                match found {
                    Some(at) => return at,
                    None => assert!(grown.changed().await.is_ok(), "it ended:\n{}", self.all()),
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("it did not say so:\n{}", self.all()))
    }

    fn all(&self) -> String {
        let said = self.said.lock().expect("a sound lock");
        said.iter().map(|(_, line)| format!("{line}\n")).collect()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Asks it to end, and waits until it has.
    fn end(mut self) {
        self.signal(Signal::TERM);
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "it ended in order: {status}\n{}", self.all());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_takes_over_within_five_seconds_with_nothing_lost_or_doubled() {
    let seed = std::env::var("WAKALA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let take_overs = if is_long() { LONG_TAKE_OVERS } else { TAKE_OVERS };
    println!("seed {seed}, {take_overs} times");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut town = Town::with(3).await;
    town.start_all().await;
    let faults = json!({ "seed": seed, "duplicate": 0.1, "delay_ms": 20, "redeliver_ms": 15000, "attempts": 100_000 });
    town.world.centre().faults(faults).await;
    let mut gaps = Vec::new();
    for _ in 0..take_overs {
        for _ in 0..TRANSFERS_A_ROUND {
            town.say(rng.random_range(0..CUSTOMERS));
        }
        town.words(rng.random_range(0..TRANSFERS_A_ROUND as usize * 6)).await;
        let decider = town.decider();
        let killed = Instant::now();
        town.services[decider].take().expect("it runs").signal(Signal::KILL);
        // What is said now is heard by processes that cannot decide yet.
        (0..3).for_each(|to| town.say(to));
        let (_, gap) = town.taken_over(decider, killed).await;
        gaps.push(gap);
        town.start(decider).await;
    }
    let longest = gaps.iter().max().copied().unwrap_or_default();
    println!("take-overs: {}, the longest {} ms", gaps.len(), longest.as_millis());
    assert!(longest < WITHIN, "{longest:?}");
    town.accounted_for().await;
}
