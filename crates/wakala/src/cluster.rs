//! Several processes on one database: one decides, the others are edges. An edge has doors like any other (message centres,
//! sealing, grammar, proofs of PINs, its socket and port) and books that follow the log; what needs a decision it hands to the
//! one that decides over a link of mutual TLS ([`edge`], [`door`], [`frames`]), and acknowledges once the answer is there. When
//! that one is gone, one of them takes over with the books that it has.
//!
//! All texts go out from the one that decides: one outbox keeps their order and one clock the counters of cards.

pub mod certificates;
pub mod door;
pub mod edge;
pub mod frames;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use data_center::postgres::Holder;
use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use transaction_processing::ids::Sequence;

use crate::cli::version;
use crate::communication_gateway::Reply;
use crate::config::Config;
use crate::observe::metrics::Metrics;
use crate::platform::Failure;
use crate::tls;
use frames::{Say, VERSIONS};

/// What an edge may have asked and not been answered, at most; beyond it centres are told to send again.
pub const MOST_ASKED: usize = 4_096;

/// What an edge lacks that cannot ask for decisions.
pub const NO_LINK: &str = "no link to the one that decides";

/// What this process is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Another one decides.
    Edge,
    /// This one decides, since this term.
    Decides(i64),
    /// It is ending.
    Ending,
}

/// Who decides, as edges must know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decider {
    /// Since which term.
    pub term: i64,
    /// Where it is reached.
    pub address: String,
}

/// How this process and the others reach each other.
pub struct Way {
    listen: SocketAddr,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl Way {
    /// As the configuration says; none where the process is alone.
    ///
    /// # Errors
    /// [`Failure`] where a file cannot be used.
    pub fn of(config: &Config) -> Result<Option<Way>, Failure> {
        let cluster = &config.cluster;
        let (Some(listen), Some(authority), Some(certificate), Some(key)) =
            (&cluster.listen, &cluster.ca_file, &cluster.certificate_file, &cluster.key_file)
        else {
            return Ok(None);
        };
        let listen = listen.parse().map_err(|error| Failure::Configuration(format!("cluster.listen: {error}")))?;
        let identity = (certificate.as_path(), key.as_path());
        let acceptor = TlsAcceptor::from(Arc::new(tls::server(authority, identity)?));
        let connector = TlsConnector::from(Arc::new(tls::client(Some(authority), Some(identity))?));
        Ok(Some(Way { listen, acceptor, connector }))
    }
}

/// What is known of the processes of the database, in this one.
pub struct Cluster {
    name: String,
    role: watch::Sender<Role>,
    decider: watch::Sender<Option<Decider>>,
    /// The books of this process have every row before this one.
    level: watch::Sender<Sequence>,
    seen: Mutex<Seen>,
    /// A link, or this process, has begun to decide or has ended.
    turned: Condvar,
    metrics: Arc<Metrics>,
}

struct Seen {
    holder: Option<Holder>,
    /// When the books were last seen to have everything.
    level_at: Instant,
    /// Since when the lease of the one that decides is known to have ended, if it has.
    vacant_since: Option<Instant>,
    took_over: Option<Duration>,
    is_linked: bool,
    is_cut: bool,
}

impl Cluster {
    /// A process that others reach by this address, and that is an edge at first.
    pub fn new(name: String, metrics: Arc<Metrics>) -> Cluster {
        let seen = Seen {
            holder: None,
            level_at: Instant::now(),
            vacant_since: None,
            took_over: None,
            is_linked: false,
            is_cut: false,
        };
        Cluster {
            name,
            role: watch::Sender::new(Role::Edge),
            decider: watch::Sender::new(None),
            level: watch::Sender::new(Sequence(0)),
            seen: Mutex::new(seen),
            turned: Condvar::new(),
            metrics,
        }
    }

    /// What this process is, as it changes.
    pub fn role(&self) -> watch::Receiver<Role> {
        self.role.subscribe()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This process decides from now on.
    pub fn decides(&self, term: i64) {
        let gap = self.seen().vacant_since.take().map(|since| since.elapsed());
        self.role.send_replace(Role::Decides(term));
        self.turns(|seen| seen.took_over = gap);
        self.metrics.decides(gap.unwrap_or_default());
        let milliseconds = gap.map(|gap| gap.as_millis());
        tracing::info!(name = self.name, term, milliseconds, "this process decides now");
    }

    /// This process is ending.
    pub fn ends(&self) {
        self.role.send_replace(Role::Ending);
        self.turns(|_| ());
    }

    /// The link to the one that decides stands now, or does not.
    fn is_linked(&self, is_linked: bool) {
        self.turns(|seen| seen.is_linked = is_linked);
    }

    /// Changes what is seen, and wakes who waits for that. The role has changed before, so that nobody misses it.
    fn turns(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen());
        self.turned.notify_all();
    }

    /// Waits until somebody can decide, this process or one that it is linked to; false where there is nobody for so long. Not
    /// for the threads of a runtime.
    pub fn finds_decider(&self, patience: Duration) -> bool {
        let nobody = |seen: &mut Seen| *self.role.borrow() == Role::Edge && !seen.is_linked;
        let found = self.turned.wait_timeout_while(self.seen(), patience, nobody);
        !found.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// The lease stands so.
    fn holds(&self, holder: &Holder) {
        let mut seen = self.seen();
        if !holder.left.is_zero() {
            seen.vacant_since = None;
        } else if seen.vacant_since.is_none() && holder.term > 0 {
            seen.vacant_since = Some(Instant::now());
        }
        seen.holder = Some(holder.clone());
        drop(seen);
        let address = holder.address.clone().filter(|address| *address != self.name && holder.term > 0);
        let decider = address.map(|address| Decider { term: holder.term, address });
        self.decider.send_if_modified(|known| {
            let is_news = *known != decider;
            *known = decider;
            is_news
        });
    }

    fn is_level(&self, next: Sequence) {
        let mut seen = self.seen();
        seen.level_at = Instant::now();
        if std::mem::take(&mut seen.is_cut) {
            tracing::info!("the database can be asked again");
        }
        drop(seen);
        self.level.send_if_modified(|known| *known != next && std::mem::replace(known, next) != next);
    }

    /// Says what an edge sees, for `/readyz` and the metrics: what is lacking, if anything is.
    pub fn lacks(&self) -> Option<&'static str> {
        let is_edge = *self.role.borrow() == Role::Edge;
        let (behind, is_linked) = {
            let seen = self.seen();
            (seen.level_at.elapsed(), seen.is_linked)
        };
        self.metrics.behind(if is_edge { behind } else { Duration::ZERO });
        (is_edge && !is_linked).then_some(NO_LINK)
    }

    /// What this process is, in a word.
    pub fn word(&self) -> &'static str {
        match *self.role.borrow() {
            Role::Edge => "edge",
            Role::Decides(_) => "decides",
            Role::Ending => "ending",
        }
    }

    /// What is known, as `wakala cluster status` tells it.
    pub fn status(&self, edges: &Edges) -> Value {
        let seen = self.seen();
        let holder = seen.holder.as_ref();
        let (term, decides) = match *self.role.borrow() {
            Role::Decides(term) => (Some(term), Some(self.name.clone())),
            _ => (holder.map(|holder| holder.term), holder.and_then(|holder| holder.address.clone())),
        };
        let is_edge = self.word() == "edge";
        json!({
            "name": self.name, "role": self.word(), "decides": decides, "term": term,
            "milliseconds_behind": if is_edge { seen.level_at.elapsed().as_millis() as u64 } else { 0 },
            "linked": is_edge.then_some(seen.is_linked),
            "took_over_in_milliseconds": seen.took_over.map(|gap| gap.as_millis() as u64),
            "program": version::line(), "link_version": VERSIONS.1,
            "edges": edges.told(),
        })
    }
}

/// The edges that are linked to this process.
#[derive(Default)]
pub struct Edges(Mutex<HashMap<u64, Linked>>);

struct Linked {
    name: String,
    program: String,
    /// In which version of the link it speaks.
    version: u16,
    say: mpsc::Sender<(u32, Say)>,
}

impl Edges {
    fn all(&self) -> MutexGuard<'_, HashMap<u64, Linked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers what an edge asked, where its connection still stands; otherwise the edge asks again. Never waits: there is
    /// room for every answer that an edge may wait for.
    pub fn say(&self, to: Reply, say: Say) {
        if let Some(linked) = self.all().get(&to.generation) {
            let _ = linked.say.try_send((to.sequence, say));
        }
    }

    /// Each, in the order of their names.
    fn told(&self) -> Vec<Value> {
        let mut all: Vec<_> = self
            .all()
            .values()
            .map(|Linked { name, program, version, .. }| (name.clone(), program.clone(), *version))
            .collect();
        all.sort();
        let told = |(name, program, version)| json!({ "name": name, "program": program, "link_version": version });
        all.into_iter().map(told).collect()
    }
}

/// Octets on their way out of a connection.
#[derive(Default)]
struct Outgoing {
    octets: Vec<u8>,
    written: usize,
    is_flushed: bool,
}

impl Outgoing {
    /// Where more is put.
    fn room(&mut self) -> &mut Vec<u8> {
        self.is_flushed = false;
        &mut self.octets
    }

    /// Whether there is something to carry.
    fn is_due(&self) -> bool {
        !self.is_flushed
    }

    /// Carries some of it. May be cancelled.
    async fn carry(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        match self.octets.get(self.written..).filter(|rest| !rest.is_empty()) {
            Some(rest) => match to.write(rest).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => self.written += count,
            },
            None => {
                to.flush().await?;
                self.is_flushed = true;
            }
        }
        if self.written == self.octets.len() {
            self.octets.clear();
            self.written = 0;
        }
        Ok(())
    }
}
