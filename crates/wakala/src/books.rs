//! Where the books are kept, and how they are opened: a file, or a PostgreSQL server.

use std::sync::Arc;
use std::time::Duration;

use data_center::postgres::{self, Settings};
use data_center::{Bounds, DataCenter, Fatal, Location, Postgres, Sqlite, Store, Writer};
use rand::Rng as _;
use tokio::sync::watch;
use transaction_processing::number::Number;
use transaction_processing::{Currency, Request};

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
    Ok(Location::Server(Box::new(settings)))
}

/// The books, open, and decided upon.
pub(crate) struct Kept {
    pub(crate) writer: Writer,
    pub(crate) recovery: Box<dyn Recovery>,
    /// The platform's clock, never before the last row.
    pub(crate) clock: Clock,
    /// What the platform itself asks of the books first.
    pub(crate) opening: Vec<Request>,
    /// Numbers that the uplink must know before a decision.
    pub(crate) known: Vec<Number>,
    /// How the writer ended, once it has.
    pub(crate) ended: watch::Receiver<Option<Result<(), String>>>,
}

/// Opens the books and starts the writer. Blocks: for as long as another process has a server's database, if it comes to that.
pub(crate) fn open(
    location: &Location,
    config: &Config,
    clock: Clock,
    metrics: &Arc<Metrics>,
    progress: &Arc<Progress>,
) -> Result<Kept, Failure> {
    let currencies: Vec<_> = config.currencies().into_iter().map(config::CurrencyCode::currency).collect();
    match location {
        Location::File(path) => keep(Sqlite::open(path, &currencies)?, config, &currencies, clock, metrics, progress),
        Location::Server(settings) => {
            let store = Postgres::open(Settings::clone(settings), &currencies)?;
            keep(store, config, &currencies, clock, metrics, progress)
        }
    }
}

fn keep<S: Store>(
    store: S,
    config: &Config,
    currencies: &[Currency],
    clock: Clock,
    metrics: &Arc<Metrics>,
    progress: &Arc<Progress>,
) -> Result<Kept, Failure> {
    let restored = store.is_restored()?;
    let recovery: Box<dyn Recovery> = Box::new(store.history()?);
    let store = Observed::new(store, Arc::clone(metrics));
    let center = DataCenter::open(store, config.policy(), currencies)?;
    let clock = rooms::not_before(center.books().moment(), clock);
    let opening = rooms::opening(center.books(), config, restored, (clock().time, system_rng().next_u64()));
    let known = rooms::known(center.books());
    if restored {
        tracing::warn!("the database was restored from a backup: a new epoch opens");
    }
    let (tell_end, ended) = watch::channel(None);
    let bounds = Bounds { batch: config.ledger.batch_requests as usize, queue: config.ledger.queue_requests as usize };
    let ticking = Arc::clone(&clock);
    let tell = move |result: Result<(), Fatal>| {
        if let Err(error) = &result {
            tracing::error!(%error, "the writer has stopped: nothing more is decided");
        }
        let _ = tell_end.send(Some(result.map_err(|error| error.to_string())));
    };
    let reached = Arc::clone(progress);
    let writer = Writer::start(center, move || ticking(), bounds, move |place| reached.reach(place), tell)?;
    Ok(Kept { writer, recovery, clock, opening, known, ended })
}
