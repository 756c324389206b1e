//! `wakala serve` as a process of its own, with what a world was made with, and customers who send to one another.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use encryption::{FileKeys, Passphrase};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;

use super::audit;
use super::world::{PIN, TILL_PHONE, World, secret_file};

/// How many customers send to one another.
pub const CUSTOMERS: u64 = 10;
const PASSPHRASE: &str = "a passphrase that is long enough";

fn customer(index: u64) -> String {
    format!("+2557130000{:02}", index % CUSTOMERS)
}

/// A world whose platform has stopped and whose service may start, with its configuration, in which more stands, and what was
/// issued.
pub async fn stopped(more: &str) -> (World, PathBuf, i64) {
    let mut world = World::bare(&[&[]], |_| {}).await;
    world.office().await;
    world.agent(1000, TILL_PHONE, 40_000_000).await;
    for index in 0..CUSTOMERS {
        world.customer(&customer(index), 400_000).await;
    }
    audit::settle(&world).await;
    let issued = audit::conserved(&world).await;
    world.stop().await;
    let configuration = configuration(&world, more);
    (world, configuration, issued)
}

/// A transfer of an amount that no other has: 100.00, 100.01, ...
pub fn say(world: &World, number: u64, to: u64) -> String {
    let (from, to) = (customer(number), customer(number + 1 + to % (CUSTOMERS - 1)));
    world.centre().say(&from, &format!("TM*{to}*{}.{:02}*{PIN}", 100 + number / 100, number % 100))
}

/// The configuration of the service: what the world was made with, in a file, and more of it.
pub fn configuration(world: &World, more: &str) -> PathBuf {
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
        {more}
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
pub struct Service(Child);

impl Service {
    /// Starts it.
    pub fn start(configuration: &Path) -> Service {
        Service(command(configuration, &["serve"]).spawn().expect("the program runs"))
    }

    /// Starts it and waits for its bind.
    pub async fn bound(world: &World, configuration: &Path) -> Service {
        let before = binds(&world.centre().reports());
        let service = Service::start(configuration);
        world.centre().wait("the service is bound", |all| (binds(all) > before).then_some(())).await;
        service
    }

    /// How it ended, where it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("a child")
    }

    /// Asks it to stop, as a service manager does, and waits until it has ended in order.
    pub fn end(mut self) {
        let id = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
        let status = self.0.wait().expect("it ends");
        assert!(status.success(), "it ended in order: {status}");
    }

    /// Strikes it down.
    pub fn kill(mut self) {
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

/// The program with a configuration, and nothing of the environment that changes it.
pub fn command(configuration: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wakala"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WAKALA_")) {
        command.env_remove(name);
    }
    command.arg("--config").arg(configuration).args(arguments).stdin(Stdio::null());
    command
}

fn binds(all: &[Value]) -> usize {
    all.iter().filter(|report| report["bind"]["status"] == 0).count()
}
