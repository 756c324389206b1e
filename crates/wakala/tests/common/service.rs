//! `wakala serve` as a process of its own, with what a world was made with, and customers who send to one another.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use encryption::{FileKeys, Passphrase};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::sync::watch;
use wakala::config::Config;

use super::audit;
use super::centre::PATIENCE;
use super::world::{PIN, TILL_PHONE, World, secret_file};

/// How many customers send to one another.
pub const CUSTOMERS: u64 = 10;
const PASSPHRASE: &str = "a passphrase that is long enough";

/// The number of one of them.
pub fn customer(index: u64) -> String {
    format!("+2557130000{:02}", index % CUSTOMERS)
}

/// A world with an office, an agent and the customers, whose platform has stopped; and what was issued.
pub async fn stopped(change: impl FnOnce(&mut Config)) -> (World, i64) {
    let mut world = World::bare(&[&[]], change).await;
    world.office().await;
    world.agent(1000, TILL_PHONE, 40_000_000).await;
    for index in 0..CUSTOMERS {
        world.customer(&customer(index), 400_000).await;
    }
    audit::settle(&world).await;
    let issued = audit::conserved(&world).await;
    world.stop().await;
    (world, issued)
}

/// A transfer of an amount that no other has: 100.00, 100.01, ...
pub fn say(world: &World, number: u64, to: u64) -> String {
    let (from, to) = (customer(number), customer(number + 1 + to % (CUSTOMERS - 1)));
    world.centre().say(&from, &format!("TM*{to}*{}.{:02}*{PIN}", 100 + number / 100, number % 100))
}

/// The configuration of a service with this name, what the world was made with in a file, and more of it.
pub fn configuration(world: &World, name: &str, more: &str) -> PathBuf {
    let folder = world.directory.path();
    secret_file(&world.directory, "passphrase", PASSPHRASE);
    let keys = folder.join("wakala.keys");
    if !keys.exists() {
        let mut rng = StdRng::seed_from_u64(2);
        let passphrase = Passphrase::new(PASSPHRASE.as_bytes()).expect("long enough");
        FileKeys::create(&mut rng).save(&keys, &passphrase, &mut rng).expect("a key file");
    }
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
        path(&format!("{name}.sock")),
        world.centre().port,
        path("centre0"),
    );
    secret_file(&world.directory, &format!("{name}.toml"), &text)
}

/// The service, killed when it goes out of sight. What it says is shown, and kept with the moment of each line.
pub struct Service {
    child: Child,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
    grown: watch::Receiver<usize>,
    hearing: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts it.
    pub fn start(configuration: &Path) -> Service {
        Service::start_with(configuration, &[])
    }

    /// The same with more arguments.
    pub fn start_with(configuration: &Path, more: &[&str]) -> Service {
        let mut command = command(configuration, &[&["serve"], more].concat());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program runs");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let (said, (tell, grown)) = (Arc::new(Mutex::new(Vec::new())), watch::channel(0));
        let heard = Arc::clone(&said);
        let hearing = thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                eprintln!("{line}");
                let mut said: MutexGuard<'_, Vec<_>> = heard.lock().expect("a sound lock");
                said.push((Instant::now(), line));
                tell.send_replace(said.len());
            }
        });
        Service { child, said, grown, hearing: Some(hearing) }
    }

    /// Starts it and waits for its bind.
    pub async fn bound(world: &World, configuration: &Path) -> Service {
        let before = binds(&world.centre().reports());
        let service = Service::start(configuration);
        service.binds(world, before).await;
        service
    }

    /// Waits until there are more binds than so many.
    pub async fn binds(&self, world: &World, before: usize) {
        world.centre().wait("the service is bound", |all| (binds(all) > before).then_some(())).await;
    }

    /// Waits for a line, and says when it came.
    pub async fn wait_for(&self, is: impl Fn(Instant, &str) -> bool) -> Instant {
        let mut grown = self.grown.clone();
        let search = async {
            loop {
                grown.borrow_and_update();
                let found = self.lines().iter().find(|(at, line)| is(*at, line)).map(|(at, _)| *at);
                match found {
                    Some(at) => return at,
                    None => assert!(grown.changed().await.is_ok(), "it ended:\n{}", self.all()),
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("it did not say so:\n{}", self.all()))
    }

    /// Waits until it has ended, however long that takes: it says nothing any more then.
    pub async fn has_ended(&self) {
        let mut grown = self.grown.clone();
        while grown.changed().await.is_ok() {}
    }

    /// All that it said.
    pub fn all(&self) -> String {
        self.lines().iter().map(|(_, line)| format!("{line}\n")).collect()
    }

    fn lines(&self) -> MutexGuard<'_, Vec<(Instant, String)>> {
        self.said.lock().expect("a sound lock")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// How it ends, which is waited for; and what it said.
    pub fn outcome(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("it ends");
        self.hearing.take().into_iter().for_each(|hearing| hearing.join().expect("it is heard to its end"));
        (status, self.all())
    }

    /// Asks it to stop, as a service manager does, and waits until it has ended in order.
    pub fn end(self) {
        self.signal(Signal::TERM);
        let (status, said) = self.outcome();
        assert!(status.success(), "it ended in order: {status}\n{said}");
    }

    /// Strikes it down.
    pub fn kill(self) {
        self.signal(Signal::KILL);
        let (status, said) = self.outcome();
        assert_eq!(status.signal(), Some(9), "it ended by itself: {status}\n{said}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

/// How many binds there were.
pub fn binds(all: &[Value]) -> usize {
    all.iter().filter(|report| report["bind"]["status"] == 0).count()
}
