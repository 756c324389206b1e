//! The platform, assembled: data centre, writer, uplink, downlink, doors and timers, from one configuration. `serve`, the demo
//! and the tests all start this very assembly.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_center::{Bounds, DataCenter, Fatal, Sqlite, Store, Writer};
use encryption::Keys;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use transaction_processing::ids::TransferId;
use transaction_processing::{Books, Msisdn, Request};

use crate::communication_gateway::sms::{self, CentreLinks};
use crate::communication_gateway::{self, Clock, Doors, Numbers, Progress, Recovery, Shared};
use crate::config::{self, Config, MessageCentre, Tls};
use crate::keyring::{self, Keyring};
use crate::numbering::Numbering;
use crate::observe::commits::Observed;
use crate::observe::metrics::Metrics;
use crate::rooms::{self, Unfit};
use crate::timers;
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
        let currencies: Vec<_> = config.currencies().into_iter().map(config::CurrencyCode::currency).collect();
        let store = Sqlite::open(&config.ledger.database, &currencies)?;
        let restored = store.is_restored()?;
        let recovery: Box<dyn Recovery> = Box::new(store.history()?);
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), env!("WAKALA_COMMIT")));
        let store = Observed::new(store, Arc::clone(&metrics));
        let center = DataCenter::open(store, config.policy(), &currencies)?;
        let clock = rooms::not_before(center.books().moment(), clock);
        let opening = rooms::opening(center.books(), &config, restored);
        let known = rooms::known(center.books());
        if restored {
            tracing::warn!("the database was restored from a backup: a new epoch opens");
        }

        let (tell_end, ended) = watch::channel(None);
        let bounds =
            Bounds { batch: config.ledger.batch_requests as usize, queue: config.ledger.queue_requests as usize };
        let ticking = Arc::clone(&clock);
        let tell = move |result: Result<(), Fatal>| {
            if let Err(error) = &result {
                tracing::error!(%error, "the writer has stopped: nothing more is decided");
            }
            let _ = tell_end.send(Some(result.map_err(|error| error.to_string())));
        };
        let progress = Arc::new(Progress::default());
        let reached = Arc::clone(&progress);
        let writer = Writer::start(center, move || ticking(), bounds, move |place| reached.reach(place), tell)?;
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
        let outbox = rooms::outbox(&config, Arc::clone(&keys), Arc::new(rooms::catalogues()?))?;
        let doors = communication_gateway::start(Arc::clone(&shared), ends, &centres, outbox, recovery);
        let timers = tokio::spawn(timers::run(Arc::clone(&shared)));
        let services = Arc::new(Services { config: Arc::new(config), keys, writer, shared, numbering, clock, metrics });
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
    let failure = |path: &Path, error: String| Failure::File { path: path.display().to_string(), error };
    let certificates = |path: &Path| {
        let octets = fs::read(path).map_err(|error| failure(path, error.to_string()))?;
        let all = CertificateDer::pem_slice_iter(&octets).collect::<Result<Vec<_>, _>>();
        all.map_err(|error| failure(path, error.to_string()))
    };
    let mut roots = RootCertStore::empty();
    match &tls.ca_file {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| failure(path, error.to_string()))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let unfit = |error: rustls::Error| Failure::Configuration(format!("TLS: {error}"));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(unfit)?;
    let builder = builder.with_root_certificates(roots);
    let client = match (&tls.certificate_file, &tls.key_file) {
        (Some(certificate), Some(key)) => {
            let octets = fs::read(key).map_err(|error| failure(key, error.to_string()))?;
            let private = PrivateKeyDer::from_pem_slice(&octets).map_err(|error| failure(key, error.to_string()))?;
            builder.with_client_auth_cert(certificates(certificate)?, private).map_err(unfit)?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(TlsConnector::from(Arc::new(client)))
}
