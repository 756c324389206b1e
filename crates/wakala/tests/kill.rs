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

fn acknowledged(all: &[Value]) -> usize {
    all.iter().filter(|report| report["deliver_resp"]["final"] == true).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let kills = std::env::var("WAKALA_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let mut world = World::bare(&[&[]], |_| {}).await;
    world.office().await;
    world.agent(1000, common::TILL_PHONE, 40_000_000).await;
    for index in 0..CUSTOMERS {
        world.customer(&customer(index), 400_000).await;
    }
    audit::settle(&world).await;
    let balances = common::audit::conserved(&world).await;
    world.stop().await;
    let configuration = configuration(&world);
    let centre = world.centre();
    let mut rng = StdRng::seed_from_u64(SEED);

    centre
        .faults(json!({ "seed": SEED, "duplicate": 0.1, "delay_ms": 20, "redeliver_ms": 2000, "attempts": 100_000 }))
        .await;
    let mut ids = Vec::new();
    for round in 0..kills {
        let before = binds(&centre.reports());
        let service = Service::start(&configuration);
        centre.wait("the service is bound", |all| (binds(all) > before).then_some(())).await;
        for index in 0..TRANSFERS_A_ROUND {
            let number = round * TRANSFERS_A_ROUND + index;
            let (from, to) = (customer(number), customer(number + 1 + rng.random_range(0..CUSTOMERS - 1)));
            // No two are the same: 100.00, 100.01, ...
            let text = format!("TM*{to}*{}.{:02}*{PIN}", 100 + number / 100, number % 100);
            ids.push(centre.say(&from, &text));
        }
        // Struck down in the middle: after so many more words between the two.
        let words = rng.random_range(0..TRANSFERS_A_ROUND as usize * 6);
        let from = centre.mark();
        centre.wait("words are exchanged", |all| (all.len() >= from + words).then_some(())).await;
        service.kill();
    }

    let service = Service::start(&configuration);
    for id in &ids {
        assert_eq!(centre.acknowledged(id).await, 0);
    }
    let done = acknowledged(&centre.reports());
    assert!(done >= ids.len());
    // A receipt that was under way when the service died may be lost: the message is sent all the same.
    world.tolerates.sent = true;
    let centre = world.centre();
    World::until("everybody is told", async || {
        centre.settle().await;
        audit::untold(&world.config.ledger.database, true) == 0
    })
    .await;
    drop(service);

    let path = &world.config.ledger.database;
    let transfers = audit::rows(
        path,
        "SELECT count(*), count(DISTINCT request_key) FROM log WHERE request = 1 AND refusal IS NULL",
    );
    let expected = i64::try_from(ids.len()).expect("a few thousand");
    assert_eq!(transfers[0].iter().map(audit::figure).collect::<Vec<_>>(), [expected, expected]);
    audit::audit(&world, balances);
}
