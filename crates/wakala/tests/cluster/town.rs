//! Several processes on one PostgreSQL server, each with its own bind.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;
use wakala::cluster::certificates;
use wakala::config::Standbys;

use crate::common::service::{self, Service, binds};
use crate::common::{World, audit};
use crate::server::Server;

/// What a process says once it decides.
pub const DECIDES: &str = "this process decides now";
/// What an edge says once it may ask.
pub const LINKED: &str = "linked to the one that decides";

/// People, money, and as many processes as there are configurations.
pub struct Town {
    pub world: Arc<World>,
    pub server: Server,
    /// Where each listens for the others.
    pub ports: Vec<u16>,
    pub configurations: Vec<PathBuf>,
    pub services: Vec<Option<Service>>,
    pub issued: i64,
    /// How many transfers were asked for.
    pub said: u64,
    pub ids: Vec<String>,
}

impl Town {
    /// Everybody there, no process running.
    pub async fn with(processes: usize) -> Town {
        let server = Server::start();
        let address = server.url();
        let (world, issued) = service::stopped(|config| {
            config.postgres.address = Some(address);
            config.postgres.standbys = Standbys::None;
        })
        .await;
        certificates::make(&world.directory.path().join("cluster"), &["127.0.0.1".to_owned()], None)
            .expect("certificates");
        let ports: Vec<u16> = (0..processes).map(|_| free_port()).collect();
        let configurations = (0..processes)
            .map(|index| service::configuration(&world, &index.to_string(), &membership(&world, &server, ports[index])))
            .collect();
        let services = (0..processes).map(|_| None).collect();
        Town { world: Arc::new(world), server, ports, configurations, services, issued, said: 0, ids: Vec::new() }
    }

    /// Starts one, and waits until it is bound and decides or may ask.
    pub async fn start(&mut self, index: usize) {
        self.start_with(index, &[]).await;
    }

    /// The same with more arguments.
    pub async fn start_with(&mut self, index: usize, more: &[&str]) {
        let before = binds(&self.world.centre().reports());
        let service = Service::start_with(&self.configurations[index], more);
        service.wait_for(|_, said| said.contains(DECIDES) || said.contains(LINKED)).await;
        service.binds(&self.world, before).await;
        self.services[index] = Some(service);
    }

    pub async fn start_all(&mut self) {
        for index in 0..self.services.len() {
            self.start(index).await;
        }
    }

    pub fn service(&self, index: usize) -> &Service {
        self.services[index].as_ref().expect("it runs")
    }

    /// The one that decides; they agree on it.
    pub fn decider(&self) -> usize {
        let found = (0..self.services.len()).find(|index| {
            self.services[*index].is_some() && self.asked(*index, &["cluster", "status"])["role"] == "decides"
        });
        found.expect("one decides")
    }

    /// Waits until one of the others decides; which, and how long after this moment.
    pub async fn taken_over(&self, gone: usize, since: Instant) -> (usize, Duration) {
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
    pub fn asked(&self, index: usize, arguments: &[&str]) -> Value {
        let output = self.run(index, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("an answer in JSON")
    }

    pub fn run(&self, index: usize, arguments: &[&str]) -> Output {
        let arguments = [&["--json"], arguments].concat();
        service::command(&self.configurations[index], &arguments).output().expect("the program runs")
    }

    /// Somebody sends money: an amount that no other has.
    pub fn say(&mut self, to: u64) {
        let id = service::say(&self.world, self.said, to);
        self.said += 1;
        self.ids.push(id);
    }

    /// Ends one in order and starts it anew, as an operator does who upgrades it. Where it decided, how long after its end
    /// another one did.
    pub async fn restart(&mut self, index: usize) -> Option<Duration> {
        let decided = self.decider() == index;
        let (service, asked) = (self.services[index].take().expect("it runs"), Instant::now());
        let ended = tokio::task::spawn_blocking(move || {
            service.end();
            Instant::now()
        });
        let ended = ended.await.expect("it ended in order");
        let mut gap = None;
        if decided {
            let (_, since_asked) = self.taken_over(index, asked).await;
            gap = Some((asked + since_asked).saturating_duration_since(ended));
        }
        self.start(index).await;
        gap
    }

    /// Waits until so many more words were exchanged.
    pub async fn words(&self, words: usize) {
        let from = self.world.centre().mark();
        self.world.centre().wait("words are exchanged", |all| (all.len() >= from + words).then_some(())).await;
    }

    /// Everything said is acknowledged, was done once and is told; then all end, and the ledger verifies.
    pub async fn accounted_for(mut self) {
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
        let expected = i64::try_from(self.said).expect("a few thousand");
        let found = audit::rows(&location, counts);
        assert_eq!(found[0].iter().map(audit::figure).collect::<Vec<_>>(), [expected, expected]);
        audit::audit(&self.world, self.issued);
    }
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// What makes a service one of several.
fn membership(world: &World, server: &Server, port: u16) -> String {
    let path = |name: &str| world.directory.path().join("cluster").join(name).display().to_string();
    format!(
        r#"
        [postgres]
        address = "{}"
        standbys = "none"
        lease_seconds = 3
        [cluster]
        listen = "127.0.0.1:{port}"
        ca_file = "{}"
        certificate_file = "{}"
        key_file = "{}"
        [log]
        format = "json"
        "#,
        server.url(),
        path("authority.pem"),
        path("127.0.0.1.pem"),
        path("127.0.0.1.key"),
    )
}

/// A way to a port that can be cut.
pub struct Way {
    pub port: u16,
    pub cut: watch::Sender<bool>,
}

impl Way {
    pub async fn to(port: u16) -> Way {
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
