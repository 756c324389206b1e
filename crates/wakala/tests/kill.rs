//! `wakala serve` under load, killed without warning at whatever it is doing, again and again: everything acknowledged is
//! there, nothing is there twice, and everybody is told.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::world::secret_file;
use common::{PIN, World, audit};
use encryption::{FileKeys, Passphrase};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use serde_json::{Value, json};

const SEED: u64 = 7;
/// How often; `WAKALA_KILLS` in the environment says otherwise.
const KILLS: u64 = 200;
const CUSTOMERS: u64 = 10;
const TRANSFERS_A_ROUND: u64 = 12;
const PASSPHRASE: &str = "a passphrase that is long enough";

fn customer(index: u64) -> String {
    format!("+2557130000{:02}", index % CUSTOMERS)
}

/// The configuration of the service: what the world was made with, in a file.
fn configuration(world: &World) -> PathBuf {
    let folder = world.directory.path();
    secret_file(&world.directory, "passphrase", PASSPHRASE);
    let mut rng = StdRng::seed_from_u64(2);
    let passphrase = Passphrase::new(PASSPHRASE.as_bytes()).expect("long enough");
    FileKeys::create(&mut rng).save(&folder.join("wakala.keys"), &passphrase, &mut rng).expect("a key file");
    let path = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        r#"
        [ledger]
        database = "{}"
        language = "en"
        [messages]
        short_code = "15050"
        [keys]
        file = "{}"
        passphrase_file = "{}"
        [administration]
        socket = "{}"
        listen = "127.0.0.1:0"
        [log]
        level = "warn"
        [[message_centre]]
        name = "centre0"
        hosts = ["127.0.0.1:{}"]
        system_id = "wakala"
        password_file = "{}"
        window = 64
        "#,
        path("wakala.db"),
        path("wakala.keys"),
        path("passphrase"),
        path("wakala.sock"),
        world.centre().port,
        path("centre0"),
    );
    secret_file(&world.directory, "wakala.toml", &text)
}

/// The service, killed when it goes out of sight.
struct Service(Child);

impl Service {
    fn start(configuration: &Path) -> Service {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wakala"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WAKALA_")) {
            command.env_remove(name);
        }
        let command = command.arg("--config").arg(configuration).arg("serve");
        Service(command.stdin(Stdio::null()).spawn().expect("the program runs"))
    }

    /// Asks it to stop, as a service manager does, and waits until it has ended in order.
    fn end(mut self) {
        let id = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
        let status = self.0.wait().expect("it ends");
        assert!(status.success(), "it ended in order: {status}");
    }

    fn kill(mut self) {
        self.0.kill().expect("it runs");
        let status = self.0.wait().expect("it ends");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "it ended by itself: {status}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn binds(all: &[Value]) -> usize {
    all.iter().filter(|report| report["bind"]["status"] == 0).count()
}

/// A world whose platform has stopped and whose service may start, with its configuration and what was issued.
async fn stopped() -> (World, PathBuf, i64) {
    let mut world = World::bare(&[&[]], |_| {}).await;
    world.office().await;
    world.agent(1000, common::TILL_PHONE, 40_000_000).await;
    for index in 0..CUSTOMERS {
        world.customer(&customer(index), 400_000).await;
    }
    audit::settle(&world).await;
    let issued = audit::conserved(&world).await;
    world.stop().await;
    let configuration = configuration(&world);
    (world, configuration, issued)
}

/// Starts the service and waits for its bind.
async fn bound(world: &World, configuration: &Path) -> Service {
    let before = binds(&world.centre().reports());
    let service = Service::start(configuration);
    world.centre().wait("the service is bound", |all| (binds(all) > before).then_some(())).await;
    service
}

/// A transfer of an amount that no other has: 100.00, 100.01, ...
fn say(world: &World, number: u64, to: u64) -> String {
    let (from, to) = (customer(number), customer(number + 1 + to % (CUSTOMERS - 1)));
    world.centre().say(&from, &format!("TM*{to}*{}.{:02}*{PIN}", 100 + number / 100, number % 100))
}

/// With the service running again: every transfer is acknowledged, was done once, and told.
async fn accounted_for(world: &World, service: Service, ids: &[String], issued: i64) {
    let centre = world.centre();
    for id in ids {
        assert_eq!(centre.acknowledged(id).await, 0);
    }
    let path = &world.location();
    World::until("everybody is told", async || {
        centre.settle().await;
        audit::untold(path, false) == 0
    })
    .await;
    service.end();
    let counts = "SELECT count(*), count(DISTINCT request_key) FROM log WHERE request = 1 AND refusal IS NULL";
    let expected = i64::try_from(ids.len()).expect("a few thousand");
    assert_eq!(audit::rows(path, counts)[0].iter().map(audit::figure).collect::<Vec<_>>(), [expected, expected]);
    audit::audit(world, issued);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let kills = std::env::var("WAKALA_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let (world, configuration, issued) = stopped().await;
    let centre = world.centre();
    let mut rng = StdRng::seed_from_u64(SEED);

    centre
        .faults(json!({ "seed": SEED, "duplicate": 0.1, "delay_ms": 20, "redeliver_ms": 2000, "attempts": 100_000 }))
        .await;
    let mut ids = Vec::new();
    for round in 0..kills {
        let service = bound(&world, &configuration).await;
        for index in 0..TRANSFERS_A_ROUND {
            ids.push(say(&world, round * TRANSFERS_A_ROUND + index, rng.random_range(0..CUSTOMERS)));
        }
        // Struck down in the middle: after so many more words between the two.
        let words = rng.random_range(0..TRANSFERS_A_ROUND as usize * 6);
        let from = centre.mark();
        centre.wait("words are exchanged", |all| (all.len() >= from + words).then_some(())).await;
        service.kill();
    }
    let again = centre.reports().iter().filter(|report| report["deliver"]["attempt"].as_u64() > Some(1)).count();
    assert!(again as u64 > kills, "it was struck down in the middle: {again} messages came again");
    let service = bound(&world, &configuration).await;
    accounted_for(&world, service, &ids, issued).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_asked_to_stop_ends_in_order_under_load() {
    let (world, configuration, issued) = stopped().await;
    world.centre().faults(json!({ "seed": SEED, "delay_ms": 20, "redeliver_ms": 2000 })).await;
    let mut ids = Vec::new();
    for round in 0..3 {
        let service = bound(&world, &configuration).await;
        ids.extend((0..40).map(|index| say(&world, round * 40 + index, index)));
        let from = world.centre().mark();
        world.centre().wait("words are exchanged", |all| (all.len() >= from + 50).then_some(())).await;
        let at_end = world.centre().mark();
        tokio::task::spawn_blocking(move || service.end()).await.expect("it ended in order");
        let unbound = world.centre().reports()[at_end..].iter().any(|report| report.get("unbind").is_some());
        assert!(unbound, "it took its leave");
    }
    let service = bound(&world, &configuration).await;
    accounted_for(&world, service, &ids, issued).await;
}
