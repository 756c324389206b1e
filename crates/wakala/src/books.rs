//! Where the books are kept, and how they are opened: a file, or a PostgreSQL server.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use data_center::postgres::{self, Follower, Settings, Stop};
use data_center::{Bounds, DataCenter, Fatal, Location, Postgres, Sqlite, Store, Undecided, Writer};
use rand::Rng as _;
use tokio::sync::{oneshot, watch};
use transaction_processing::number::Number;
use transaction_processing::time::Moment;
use transaction_processing::{Books, Currency, Request};

use crate::administration::system_rng;
use crate::communication_gateway::{Clock, Progress, Recovery};
use crate::config::{self, Config, InUse, Standbys};
use crate::observe::commits::Observed;
use crate::observe::metrics::Metrics;
use crate::platform::Failure;
use crate::rooms;
use crate::tls;

/// Where the configuration says that the books are.
///
/// # Errors
/// [`Failure`] where the password or the certificates cannot be read.
pub fn location(config: &Config) -> Result<Location, Failure> {
    let server = &config.postgres;
    let Some(address) = &server.address else { return Ok(Location::File(config.ledger.database.clone())) };
    let mut settings = Settings::parse(address)?;
    if settings.needs_tls() {
        settings = settings.with_tls(tls::client(server.ca_file.as_deref(), None)?);
    }
    if let Some(path) = &server.password_file {
        let failure = |error: config::SecretFileError| Failure::Configuration(error.to_string());
        settings = settings.with_password(config::read_secret(path).map_err(failure)?.expose());
    }
    settings.standbys = match server.standbys {
        Standbys::Synchronous => postgres::Standbys::Synchronous,
        Standbys::None => postgres::Standbys::None,
    };
    settings.in_use = match server.in_use {
        InUse::Wait => postgres::InUse::Wait,
        InUse::Refuse => postgres::InUse::Refuse,
    };
    settings.lease = Duration::from_secs(u64::from(server.lease_seconds));
    settings.advertised = config.cluster.advertise.clone().or_else(|| config.cluster.listen.clone());
    Ok(Location::Server(Box::new(settings)))
}

/// The books, open.
pub(crate) struct Kept {
    pub(crate) writer: Writer,
    /// The platform's clock, never before the last row.
    pub(crate) clock: Clock,
    /// Numbers that the uplink must know before a decision.
    pub(crate) known: Vec<Number>,
    /// How the writer ended, once it has.
    pub(crate) ended: watch::Receiver<Option<Result<(), String>>>,
    /// Who decides upon them.
    pub(crate) deciding: Deciding,
}

/// Who decides.
pub(crate) enum Deciding {
    /// This process.
    Here(Opening),
    /// Another one, until this one takes over.
    Elsewhere(Box<Following>),
}

/// What there is to do for whoever decides.
pub(crate) struct Opening {
    pub(crate) recovery: Box<dyn Recovery>,
    /// What the platform itself asks of the books first.
    pub(crate) requests: Vec<Request>,
    /// In which term.
    pub(crate) term: i64,
}

/// What every way of opening the books needs.
struct Means {
    config: Config,
    currencies: Vec<Currency>,
    clock: Clock,
    metrics: Arc<Metrics>,
    progress: Arc<Progress>,
    tell_end: watch::Sender<Option<Result<(), String>>>,
}

/// Opens the books and starts the writer; in a cluster the books follow until [`Following::start`]. Blocks: for as long as
/// another process has a server's database, if it comes to that.
pub(crate) fn open(
    location: &Location,
    config: &Config,
    clock: Clock,
    metrics: &Arc<Metrics>,
    progress: &Arc<Progress>,
) -> Result<Kept, Failure> {
    let currencies: Vec<_> = config.currencies().into_iter().map(config::CurrencyCode::currency).collect();
    let (tell_end, ended) = watch::channel(None);
    let means = Means {
        config: config.clone(),
        currencies,
        clock,
        metrics: Arc::clone(metrics),
        progress: Arc::clone(progress),
        tell_end,
    };
    match location {
        Location::File(path) => means.keep(Sqlite::open(path, &means.currencies)?, 0, ended),
        Location::Server(settings) if settings.advertised.is_some() => means.follow(settings, ended),
        Location::Server(settings) => {
            let store = Postgres::open(Settings::clone(settings), &means.currencies)?;
            let term = store.term();
            means.keep(store, term, ended)
        }
    }
}

type Ended = watch::Receiver<Option<Result<(), String>>>;

impl Means {
    fn bounds(&self) -> Bounds {
        let ledger = &self.config.ledger;
        Bounds { batch: ledger.batch_requests as usize, queue: ledger.queue_requests as usize }
    }

    fn keep<S: Store>(&self, store: S, term: i64, ended: Ended) -> Result<Kept, Failure> {
        let store = Observed::new(store, Arc::clone(&self.metrics));
        let center = DataCenter::open(store, self.config.policy(), &self.currencies)?;
        let clock = rooms::not_before(Arc::new(Mutex::new(center.books().moment())), Arc::clone(&self.clock));
        let known = rooms::known(center.books());
        let (writer, undecided) = Writer::undecided(self.bounds());
        let opening = self.decide(&undecided, center, Arc::clone(&clock), term)?;
        Ok(Kept { writer, clock, known, ended, deciding: Deciding::Here(opening) })
    }

    fn follow(self, settings: &Settings, ended: Ended) -> Result<Kept, Failure> {
        let (follower, stop) = Follower::open(settings.clone(), self.config.policy(), &self.currencies)?;
        let last = Arc::new(Mutex::new(follower.read(Books::moment)));
        let clock = rooms::not_before(Arc::clone(&last), Arc::clone(&self.clock));
        let known = follower.read(rooms::known);
        let (writer, undecided) = Writer::undecided(self.bounds());
        let undecided = Arc::new(undecided);
        let following = Following { means: self, follower, stop, undecided, last, clock: Arc::clone(&clock) };
        Ok(Kept { writer, clock, known, ended, deciding: Deciding::Elsewhere(Box::new(following)) })
    }

    /// Starts the writer on these books.
    fn decide<S: Store>(
        &self,
        undecided: &Undecided,
        center: DataCenter<S>,
        clock: Clock,
        term: i64,
    ) -> Result<Opening, Failure> {
        let restored = center.store().is_restored()?;
        if restored {
            tracing::warn!("the database was restored from a backup: a new epoch opens");
        }
        let recovery: Box<dyn Recovery> = Box::new(center.store().history()?);
        let drawn = (clock().time, system_rng().next_u64());
        let requests = rooms::opening(center.books(), &self.config, restored, drawn);
        let (tell_end, reached) = (self.tell_end.clone(), Arc::clone(&self.progress));
        let tell = move |result| tell(&tell_end, result);
        undecided.start(center, move || clock(), move |place| reached.reach(place), tell)?;
        Ok(Opening { recovery, requests, term })
    }
}

fn tell(end: &watch::Sender<Option<Result<(), String>>>, result: Result<(), Fatal>) {
    if let Err(error) = &result {
        tracing::error!(%error, "the writer has stopped: nothing more is decided");
    }
    end.send_replace(Some(result.map_err(|error| error.to_string())));
}

/// Books that follow the log of another process.
pub(crate) struct Following {
    means: Means,
    follower: Follower,
    /// Ends it.
    pub(crate) stop: Stop,
    undecided: Arc<Undecided>,
    last: Arc<Mutex<Moment>>,
    clock: Clock,
}

impl Following {
    /// Follows on a thread of its own, and tells once this process decides; never where it ends before.
    pub(crate) fn start(self, edge: impl postgres::Edge) -> Result<oneshot::Receiver<Opening>, Failure> {
        let (tell_opening, opening) = oneshot::channel();
        let tell_end = self.means.tell_end.clone();
        let follow = move || match self.take_over(&Arc::new(edge)) {
            Ok(Some(found)) => drop(tell_opening.send(found)),
            Ok(None) => tell(&tell_end, Ok(())),
            Err(error) => {
                tracing::error!(%error, "the books of this process cannot follow the log");
                tell_end.send_replace(Some(Err(error.to_string())));
            }
        };
        thread::Builder::new().name("follow".into()).spawn(follow).map_err(|_| Fatal::Thread)?;
        Ok(opening)
    }

    fn take_over(self, edge: &Arc<impl postgres::Edge>) -> Result<Option<Opening>, Failure> {
        let Following { means, follower, stop: _, undecided, last, clock } = self;
        let (metrics, mut term) = (Arc::clone(&means.metrics), 0);
        let adopt = |store: Postgres| {
            term = store.term();
            Observed::new(store, metrics)
        };
        let Some(center) = follower.run(&undecided, edge, adopt)? else { return Ok(None) };
        *last.lock().unwrap_or_else(PoisonError::into_inner) = center.books().moment();
        means.decide(&undecided, center, clock, term).map(Some)
    }
}
