//! Several processes on one PostgreSQL server, each with its own bind: whichever hears a message, and whoever decides when it is
//! killed, stopped or cut off, each request has one effect, and everybody is told.

mod common;
#[path = "../../data-center/tests/support/server.rs"]
mod server;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
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
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use transaction_processing::ids::Sequence;
use wakala::cluster::certificates;
use wakala::cluster::frames::{Ask, Frames, Greeting, Hello, Say, VERSIONS, put_say, take_ask};

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
    server: Server,
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
        Town { world, server, configurations, services, issued, said: 0, ids: Vec::new() }
    }

    /// Starts one, and waits until it is bound and decides or may ask.
    async fn start(&mut self, index: usize) {
        self.start_with(index, &[]).await;
    }

    async fn start_with(&mut self, index: usize, more: &[&str]) {
        let binds = |all: &[Value]| all.iter().filter(|report| report["bind"]["status"] == 0).count();
        let before = binds(&self.world.centre().reports());
        let service = Service::start(&self.configurations[index], more);
        service.wait_for(|_, said| said.contains(DECIDES) || said.contains(LINKED)).await;
        self.services[index] = Some(service);
        self.world.centre().wait("it is bound", |all| (binds(all) > before).then_some(())).await;
    }

    async fn start_all(&mut self) {
        for index in 0..self.services.len() {
            self.start(index).await;
        }
    }

    /// Where it listens for the others.
    fn cluster_port(&self, index: usize) -> u16 {
        let text = std::fs::read_to_string(&self.configurations[index]).expect("a configuration");
        let (_, port) = text.split_once("[cluster]\n        listen = \"127.0.0.1:").expect("it listens");
        port.split('"').next().and_then(|port| port.parse().ok()).expect("a port")
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

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_in_order_hands_over_at_once_under_load() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    town.world.centre().faults(json!({ "seed": 1, "delay_ms": 20, "redeliver_ms": 15000 })).await;
    for _ in 0..2 {
        (0..40).for_each(|to| town.say(to));
        town.words(50).await;
        let decider = town.decider();
        let service = town.services[decider].take().expect("it runs");
        let ended = tokio::task::spawn_blocking(move || {
            service.end();
            Instant::now()
        });
        let ended = ended.await.expect("it ended in order");
        let gap =
            town.service(1 - decider).wait_for(|_, said| said.contains(DECIDES)).await.saturating_duration_since(ended);
        println!("process {} decides {} ms after process {decider} had ended", 1 - decider, gap.as_millis());
        assert!(gap < Duration::from_secs(2), "the lease was not waited for: {gap:?}");
        town.start(decider).await;
    }
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stood_still_while_another_took_over_commits_nothing_and_ends() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    town.world.centre().faults(json!({ "seed": 2, "delay_ms": 20, "redeliver_ms": 15000 })).await;
    (0..30).for_each(|to| town.say(to));
    town.words(20).await;
    let stopped = town.decider();
    let since = Instant::now();
    town.service(stopped).signal(Signal::STOP);
    (0..10).for_each(|to| town.say(to));
    let (next, gap) = town.taken_over(stopped, since).await;
    assert!(gap < WITHIN, "{gap:?}");
    let term = town.asked(next, &["cluster", "status"])["term"].clone();
    let mut woken = town.services[stopped].take().expect("it is there");
    woken.signal(Signal::CONT);
    let (status, said) = tokio::task::spawn_blocking(move || (woken.child.wait().expect("it ends"), woken.all()))
        .await
        .expect("it ended");
    assert!(!status.success() && said.contains("another process has taken it over"), "{said}");
    assert_eq!(town.asked(next, &["cluster", "status"])["term"], term, "the other one decides on");
    town.start(stopped).await;
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_is_cut_off_acknowledges_nothing_and_goes_on_when_the_link_is_back() {
    let mut town = Town::with(2).await;
    let way = Way::to(town.cluster_port(0)).await;
    town.start_with(0, &["--set", &format!("cluster.advertise=127.0.0.1:{}", way.port)]).await;
    town.start(1).await;
    assert_eq!(town.asked(1, &["cluster", "status"])["linked"], true);
    town.world.centre().faults(json!({ "seed": 3, "redeliver_ms": 30000 })).await;
    let since = Instant::now();
    way.cut.send_replace(true);
    town.service(1).wait_for(move |at, said| at > since && said.contains("the link has ended")).await;
    assert_eq!(town.asked(1, &["cluster", "status"])["linked"], false);
    let mark = town.world.centre().mark();
    (0..20).for_each(|to| town.say(to));
    // The edge gives back what it cannot have decided; whoever decides hears it then.
    let given_back =
        |all: &[Value]| all[mark..].iter().find(|report| report["deliver_resp"]["status"] == 100).map(|_| ());
    town.world.centre().wait("a message is given back", given_back).await;
    way.cut.send_replace(false);
    town.service(1).wait_for(move |at, said| at > since && said.contains(LINKED)).await;
    (0..20).for_each(|to| town.say(to));
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_ask_any_process_and_see_at_once_what_they_did() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    let (decider, edge) = (town.decider(), 1 - town.decider());
    let at_the_edge = town.asked(edge, &["cluster", "status"]);
    assert_eq!((&at_the_edge["role"], &at_the_edge["linked"]), (&json!("edge"), &json!(true)));
    let at_the_decider = town.asked(decider, &["cluster", "status"]);
    assert_eq!(at_the_decider["edges"], json!([{ "name": at_the_edge["name"] }]));
    assert_eq!(at_the_edge["decides"], at_the_decider["name"]);
    // The two of the world have no secrets that can be typed; a third is refused here as there, by the books of the other.
    let secret = secret_file(&town.world.directory, "secret", "a secret that is long enough").display().to_string();
    for index in [decider, edge] {
        let refused = town.run(
            index,
            &["staff", "add", "third", "--new-secret-file", &secret, "--staff", "maker", "--secret-file", &secret],
        );
        assert!(!refused.status.success(), "{}", String::from_utf8_lossy(&refused.stdout));
    }
    let balanced = |index| town.asked(index, &["treasury", "balance"]);
    assert_eq!(balanced(edge), balanced(decider), "both have the same books");
    assert_eq!(town.asked(edge, &["ledger", "verify"])["sound"], true);
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_and_comes_back_is_waited_for_by_edges() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    town.world.centre().faults(json!({ "seed": 4, "delay_ms": 20, "redeliver_ms": 15000 })).await;
    (0..20).for_each(|to| town.say(to));
    town.words(20).await;
    let edge = 1 - town.decider();
    town.server.crash();
    town.service(edge).wait_for(|_, said| said.contains("the database cannot be asked")).await;
    town.server.serve();
    (0..20).for_each(|to| town.say(to));
    for id in &town.ids {
        assert_eq!(town.world.centre().acknowledged(id).await, 0);
    }
    // The one that decided went on, or ended with its lease; the edge is there in either case.
    if town.asked(edge, &["cluster", "status"])["role"] == "decides" {
        let mut ended = town.services[1 - edge].take().expect("it was there");
        let status = tokio::task::spawn_blocking(move || ended.child.wait().expect("it ends")).await.expect("it ended");
        assert!(!status.success(), "{status}");
    }
    town.accounted_for().await;
}

/// A way to a port that can be cut.
struct Way {
    port: u16,
    cut: watch::Sender<bool>,
}

impl Way {
    async fn to(port: u16) -> Way {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let here = listener.local_addr().expect("an address").port();
        let cut = watch::Sender::new(false);
        let is_cut = cut.subscribe();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut is_cut = is_cut.clone();
                tokio::spawn(async move {
                    let Ok(mut far) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else { return };
                    tokio::select! {
                        _ = is_cut.wait_for(|cut| *cut) => {}
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    }
                });
            }
        });
        Way { port: here, cut }
    }
}

/// Speaks for one side of the link, by the frames of the program itself.
struct Speaker<S> {
    stream: S,
    frames: Frames,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Speaker<S> {
    fn new(stream: S) -> Speaker<S> {
        Speaker { stream, frames: Frames::default() }
    }

    async fn send(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let mut octets = Vec::new();
        put(&mut octets);
        self.stream.write_all(&octets).await.expect("it is heard");
        self.stream.flush().await.expect("it is heard");
    }

    /// The next frame; none where the connection has ended.
    async fn hear(&mut self) -> Option<Vec<u8>> {
        let mut read = [0; 4096];
        loop {
            if let Some(frame) = self.frames.take_whole().expect("frames") {
                return Some(frame.to_vec());
            }
            match self.stream.read(&mut read).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.frames.push(&read[..count]),
            }
        }
    }
}

fn files(folder: &Path) -> [PathBuf; 3] {
    ["authority.pem", "127.0.0.1.pem", "127.0.0.1.key"].map(|name| folder.join(name))
}

/// A connection to a process as an edge makes it, with the certificate in this folder.
async fn link_to(
    port: u16,
    trusted: &Path,
    own: &Path,
) -> std::io::Result<impl AsyncRead + AsyncWrite + Unpin + use<>> {
    let ([authority, ..], [_, certificate, key]) = (files(trusted), files(own));
    let client = wakala::tls::client(Some(&authority), Some((&certificate, &key))).expect("a client");
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    let name = "127.0.0.1".to_owned().try_into().expect("a name");
    tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, stream).await
}

fn hello(versions: (u16, u16), term: i64) -> Hello {
    Hello { versions, term, name: "a test".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_process_of_the_cluster_that_speaks_its_version_and_knows_its_term_is_heard() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    let (decider, folder) = (town.decider(), town.world.directory.path().join("cluster"));
    let (port, edge) = (town.cluster_port(decider), town.cluster_port(1 - decider));
    let foreign = town.world.directory.path().join("foreign");
    certificates::make(&foreign, &["127.0.0.1".to_owned()]).expect("certificates");
    let said_to = async |port: u16, hello: Hello| {
        let mut speaker = Speaker::new(link_to(port, &folder, &folder).await.expect("a link"));
        speaker.send(|out| hello.put(out)).await;
        Greeting::take(&speaker.hear().await.expect("an answer")).expect("a greeting")
    };
    let term = town.asked(decider, &["cluster", "status"])["term"].as_i64().expect("a term");
    let no = |greeting: Greeting| match greeting {
        Greeting::No(why) => why,
        Greeting::Welcome(version) => panic!("welcomed in version {version}"),
    };
    assert_eq!(said_to(port, hello(VERSIONS, term)).await, Greeting::Welcome(VERSIONS.1));
    assert!(no(said_to(port, hello((0, 0), term)).await).contains("too old"));
    assert!(no(said_to(port, hello((VERSIONS.1 + 1, 99), term)).await).contains("too new"));
    assert!(no(said_to(port, hello(VERSIONS, term - 1)).await).contains("it decides since term"));
    assert!(no(said_to(edge, hello(VERSIONS, term)).await).contains("does not decide"));

    // Who has no certificate of this authority is never answered, nor who speaks in plain.
    let unheard = match link_to(port, &folder, &foreign).await {
        Err(_) => true,
        Ok(stream) => {
            let mut speaker = Speaker::new(stream);
            let mut octets = Vec::new();
            hello(VERSIONS, term).put(&mut octets);
            let _ = speaker.stream.write_all(&octets).await;
            speaker.hear().await.is_none()
        }
    };
    assert!(unheard, "a foreign certificate was heard");
    assert!(link_to(port, &foreign, &folder).await.is_err(), "the server proves itself too");
    let mut plain = Speaker::new(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("a connection"));
    plain.send(|out| hello(VERSIONS, term).put(out)).await;
    let answer = plain.hear_octets().await;
    assert!(Greeting::take(answer.get(4..).unwrap_or_default()).is_err(), "no plain mode");

    // What is no frame, or longer than it may be, ends the connection and nothing else.
    for octets in [&[0, 0, 0, 1, 99][..], &[0xff; 8][..]] {
        let mut speaker = Speaker::new(link_to(port, &folder, &folder).await.expect("a link"));
        speaker.send(|out| hello(VERSIONS, term).put(out)).await;
        speaker.hear().await.expect("a welcome");
        speaker.send(|out| out.extend_from_slice(octets)).await;
        assert_eq!(speaker.hear().await, None);
    }
    town.say(1);
    town.accounted_for().await;
}

impl Speaker<tokio::net::TcpStream> {
    async fn hear_octets(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        let _ = self.stream.read_to_end(&mut octets).await;
        octets
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_asks_again_whoever_refused_it_or_vanished_before_the_answer() {
    let town = Town::with(1).await;
    let folder = town.world.directory.path().join("cluster");
    let [authority, certificate, key] = files(&folder);
    let server = wakala::tls::server(&authority, (&certificate, &key)).expect("a server");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    town.server.sql(&format!(
        "UPDATE lease SET term = term + 1, holder = 'a test', address = '127.0.0.1:{port}', expires_at = now() + interval '1 hour'"
    ));
    let next = async || {
        let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await.expect("the edge tries");
        let (stream, _) = accepted.expect("a connection");
        let mut speaker = Speaker::new(acceptor.accept(stream).await.expect("a certificate of ours"));
        let hello = Hello::take(&speaker.hear().await.expect("a hello")).expect("a hello");
        assert_eq!(hello.versions, VERSIONS);
        speaker
    };
    let service = Service::start(&town.configurations[0], &[]);
    for _ in 0..2 {
        let mut speaker = next().await;
        speaker.send(|out| Greeting::No("it is too old: upgrade it".to_owned()).put(out)).await;
    }
    service.wait_for(|_, said| said.contains("it is too old: upgrade it")).await;
    let centre = town.world.centre();
    let id = centre.say(&customer(0), &format!("TM*{}*100*{PIN}", customer(1)));
    let mut asked = Vec::new();
    for vanishes in [true, true, false] {
        let mut speaker = next().await;
        speaker.send(|out| Greeting::Welcome(VERSIONS.1).put(out)).await;
        let (number, Ask::Request(request)) = take_ask(&speaker.hear().await.expect("a request")).expect("a frame")
        else {
            panic!("no request");
        };
        asked.push(request.key.expect("a key"));
        if vanishes {
            // Half of an answer.
            speaker.send(|out| out.extend_from_slice(&[0, 0, 0, 23, 6, 0])).await;
            continue;
        }
        let answered = centre.reports().iter().any(|report| report["deliver_resp"]["id"] == id.as_str());
        assert!(!answered, "nothing is acknowledged before the answer");
        let say = Say::Answer { row: Some(Sequence(7)), refusal: None, transfer: None, waits: false };
        speaker.send(|out| put_say(out, number, &say)).await;
        assert_eq!(centre.acknowledged(&id).await, 0);
    }
    assert!(asked.iter().all(|key| *key == asked[0]), "the same request each time");
    service.end();
}
