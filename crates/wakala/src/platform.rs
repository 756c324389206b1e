//! The platform, assembled: data centre, writer, uplink, downlink, doors and timers, from one configuration. `serve`, the demo
//! and the tests all start this very assembly.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_center::{Fatal, Location, Writer};
use encryption::Keys;
use rand::Rng as _;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use transaction_processing::ids::TransferId;
use transaction_processing::{Books, Msisdn, Request};

use crate::administration::system_rng;
use crate::books::{self, Kept};
use crate::communication_gateway::sms::{self, CentreLinks};
use crate::communication_gateway::{self, Clock, Doors, Numbers, Progress, Shared};
use crate::config::{self, Config, MessageCentre, Tls};
use crate::keyring::{self, Keyring};
use crate::numbering::Numbering;
use crate::observe::metrics::Metrics;
use crate::rooms::{self, Unfit};
use crate::timers;
use crate::tls;
use crate::uplink::Uplink;

/// Why the platform does not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The books cannot be kept.
    #[error(transparent)]
    Books(#[from] Fatal),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] data_center::StoreError),
    /// The keys cannot be used.
    #[error("the keys: {0}")]
    Keys(#[from] keyring::Failure),
    /// A file that the configuration names cannot be used.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why not.
        error: String,
    },
    /// The configuration and the books do not go together.
    #[error("{0}")]
    Configuration(String),
    /// Something in the configuration cannot be built.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The writer ended while it was needed.
    #[error("the writer has ended")]
    Stopped,
}

/// What every room of the running platform shares.
pub struct Services {
    /// The configuration.
    pub config: Arc<Config>,
    /// Where the books are.
    pub location: Location,
    /// The long-lived keys.
    pub keys: Arc<dyn Keys>,
    /// The one writer.
    pub writer: Writer,
    /// The doors' shared part.
    pub shared: Arc<Shared>,
    /// Reads typed numbers.
    pub numbering: Numbering,
    /// The clock.
    pub clock: Clock,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

/// The platform, running.
pub struct Platform {
    /// What its rooms share.
    pub services: Arc<Services>,
    doors: Doors,
    timers: JoinHandle<()>,
    ended: watch::Receiver<Option<Result<(), String>>>,
}

impl Platform {
    /// Opens the keys and the books, recovers, and opens the doors.
    ///
    /// # Errors
    /// [`Failure`], each with what to do.
    pub async fn start(config: Config, clock: Clock) -> Result<Platform, Failure> {
        let keys = Keyring::open(&config.keys)?.into_keys();
        Platform::start_with_keys(config, clock, keys).await
    }

    /// The same with keys that are open already.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn start_with_keys(config: Config, clock: Clock, keys: Arc<dyn Keys>) -> Result<Platform, Failure> {
        let location = books::location(&config)?;
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), env!("WAKALA_COMMIT")));
        tracing::info!(database = %location, "opening the books");
        let progress = Arc::new(Progress::default());
        let Kept { writer, recovery, clock, opening, known, ended } =
            tokio::task::block_in_place(|| books::open(&location, &config, clock, &metrics, &progress))?;
        for request in opening {
            decide(&writer, request).await?;
        }

        let centres = config.message_centre.iter().map(links).collect::<Result<Vec<_>, _>>()?;
        let numbers = Numbers::new(config.ledger.language.into(), payees(writer.clone()));
        known.iter().for_each(|number| numbers.learn(number));
        let numbering = rooms::numbering(&config)?;
        let (keys_of, short_code) = (Arc::clone(&keys), config.messages.short_code.clone());
        let numbers = Arc::new(numbers);
        let rations = rooms::rations(&config);
        let uplink = Uplink::new(keys_of, Arc::clone(&numbers) as _, numbering.clone(), short_code, rations);
        let (ticking, counting) = (Arc::clone(&clock), Arc::clone(&metrics));
        let binds = sms::binds(&centres);
        let (shared, ends) = Shared::new(writer.clone(), uplink, numbers, ticking, counting, progress, &binds);
        let first_reference = system_rng().next_u32() as u16;
        let outbox = rooms::outbox(&config, Arc::clone(&keys), Arc::new(rooms::catalogues()?), first_reference)?;
        let doors = communication_gateway::start(Arc::clone(&shared), ends, &centres, outbox, recovery);
        let timers = tokio::spawn(timers::run(Arc::clone(&shared)));
        let config = Arc::new(config);
        let services = Arc::new(Services { config, location, keys, writer, shared, numbering, clock, metrics });
        Ok(Platform { services, doors, timers, ended })
    }

    /// Waits until the writer has ended by itself: a failure, upon which the process must stop.
    pub async fn failed(&self) -> String {
        let mut ended = self.ended.clone();
        let result = ended.wait_for(Option::is_some).await.map(|result| result.clone());
        match result {
            Ok(Some(Err(error))) => error,
            _ => "the writer has ended".to_owned(),
        }
    }

    /// Stops in order: the doors close, then the writer ends after what it was given; all within `deadline`.
    ///
    /// # Errors
    /// [`Failure`] where the writer had failed.
    pub async fn stop(self, deadline: Duration) -> Result<(), Failure> {
        let Platform { services, doors, timers, mut ended } = self;
        timers.abort();
        doors.close(deadline).await;
        let writer = services.writer.clone();
        let _ = tokio::task::spawn_blocking(move || writer.stop()).await;
        let result = ended.wait_for(Option::is_some).await.map(|result| result.clone());
        match result {
            Ok(Some(Ok(()))) => Ok(()),
            Ok(Some(Err(error))) => Err(Failure::Configuration(error)),
            _ => Err(Failure::Stopped),
        }
    }
}

/// Has a request of the platform itself decided.
async fn decide(writer: &Writer, request: Request) -> Result<data_center::Answer, Failure> {
    let (tell, told) = oneshot::channel();
    let writer = writer.clone();
    let submit = move || {
        writer.submit(request, move |answer| {
            let _ = tell.send(answer);
        })
    };
    tokio::task::spawn_blocking(submit).await.map_err(|_| Failure::Stopped)?.map_err(|_| Failure::Stopped)?;
    told.await.map_err(|_| Failure::Stopped)
}

/// Finds the payee of a transfer that waits, for the uplink; waits for the books.
fn payees(writer: Writer) -> impl Fn(TransferId) -> Option<Msisdn> + Send + Sync + 'static {
    move |transfer| {
        let question = move |books: &Books| books.resident_transfer(transfer).map(|held| held.payee);
        tokio::task::block_in_place(|| writer.read(question)).ok().flatten()
    }
}

fn links(centre: &MessageCentre) -> Result<CentreLinks, Failure> {
    let failure = |path: &Path, error: String| Failure::File { path: path.display().to_string(), error };
    let password = config::read_secret(&centre.password_file)
        .map_err(|error| failure(&centre.password_file, error.to_string()))?;
    let tls =
        centre.tls.as_ref().map(|tls| Ok::<_, Failure>((connector(tls)?, tls.server_name.clone()))).transpose()?;
    let link = rooms::link(centre, password)?;
    Ok(CentreLinks { link, binds: centre.binds, tls })
}

fn connector(tls: &Tls) -> Result<TlsConnector, Failure> {
    let identity = tls.certificate_file.as_deref().zip(tls.key_file.as_deref());
    Ok(TlsConnector::from(Arc::new(tls::client(tls.ca_file.as_deref(), identity)?)))
}
