//! The platform, assembled: data centre, writer, uplink, downlink, doors and timers, from one configuration. `serve`, the demo
//! and the tests all start this very assembly.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_center::{Bounds, DataCenter, Fatal, Sqlite, Store, Writer};
use encryption::{FileKeys, KeyFileError, Keys, Passphrase};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use transaction_processing::Request;
use transaction_processing::number::Number;
use transaction_processing::request::{Action, Origin};
use transaction_processing::requests;
use transaction_processing::time::Moment;
use wire::smpp::Address;

use crate::communication_gateway::sms::{CentreLinks, INBOUND_WINDOW};
use crate::communication_gateway::{self, Clock, Doors, Numbers, Recovery, Shared};
use crate::config::{self, Config, MessageCentre, Tls};
use crate::downlink::outbox::{Centre, Outbox, Settings};
use crate::downlink::{Catalogues, NumberForm, Style};
use crate::numbering::Numbering;
use crate::observe::commits::Observed;
use crate::observe::metrics::Metrics;
use crate::timers;
use crate::uplink::{Rations, Uplink};

/// Messages that wait within one bind; few, so that the outbox keeps the order of importance.
const LINK_QUEUE: usize = 1_024;

/// Numbers that a restored database leaves out: more than could have been given since the backup, so that no reference that
/// somebody holds from the lost stretch is given again. References reach to 10¹¹, so there is room for a hundred restores.
const EPOCH_JUMP: u64 = 1_000_000_000;

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
    #[error("the key file {path}: {error}. `wakala keys init` makes a new one")]
    Keys {
        /// Where they were looked for.
        path: String,
        /// Why not.
        error: KeyFileError,
    },
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
        let keys: Arc<dyn Keys> = Arc::new(open_keys(&config)?);
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
        let clock = not_before(center.books().moment(), clock);
        let known: Vec<Number> = center.books().numbers().filter(|number| is_known(number)).cloned().collect();

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
        let writer = Writer::start(center, move || ticking(), bounds, tell)?;
        if restored {
            tracing::warn!(jump = EPOCH_JUMP, "the database was restored from a backup: a new epoch opens");
            let open = Action::OpenEpoch(requests::epoch::Fields { jump: EPOCH_JUMP });
            decide(&writer, Origin::Platform, open).await?;
        }

        let numbers = numbers(&config, &writer, &known);
        let numbering = Numbering::new(&config.ledger.country, &config.numbers)
            .ok_or_else(|| Failure::Configuration(format!("the country {} is not known", config.ledger.country)))?;
        let short_code = config.messages.short_code.clone();
        let rations = Rations {
            answers: config.messages.malformed_answers_per_hour,
            receipts: config.messages.receipts_per_hour,
            senders: config.messages.counted_senders as usize,
        };
        let uplink = Uplink::new(Arc::clone(&keys), Arc::clone(&numbers) as _, numbering.clone(), short_code, rations);
        let (shared, listening) =
            Shared::new(writer.clone(), uplink, numbers, Arc::clone(&clock), Arc::clone(&metrics));
        let outbox = outbox(&config, Arc::clone(&keys))?;
        let links = config.message_centre.iter().map(links).collect::<Result<Vec<_>, _>>()?;

        adopt_tariffs(&config, &writer).await?;
        let doors = communication_gateway::start(Arc::clone(&shared), listening, links, outbox, recovery);
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

/// The clock, but never before the last row of the log: the machine's may have been set back while the platform was down. A
/// second is added, so that no counter of a card that was taken from the clock in that row's millisecond is taken again.
fn not_before(last: Moment, clock: Clock) -> Clock {
    let least = last.time.plus_seconds(1);
    Arc::new(move || {
        let now = clock();
        Moment { time: now.time.max(least), day: now.day.max(last.day), month: now.month.max(last.month) }
    })
}

/// Has a request of the platform itself decided; whether it was done.
///
/// # Errors
/// [`Failure::Stopped`].
pub async fn decide(writer: &Writer, origin: Origin, action: Action) -> Result<data_center::Answer, Failure> {
    let (tell, told) = oneshot::channel();
    let request = Request { key: None, origin, action };
    let writer = writer.clone();
    let submit = move || {
        writer.submit(request, move |answer| {
            let _ = tell.send(answer);
        })
    };
    tokio::task::spawn_blocking(submit).await.map_err(|_| Failure::Stopped)?.map_err(|_| Failure::Stopped)?;
    told.await.map_err(|_| Failure::Stopped)
}

fn open_keys(config: &Config) -> Result<FileKeys, Failure> {
    let failure = |error| Failure::Keys { path: config.keys.file.display().to_string(), error };
    let passphrase = Passphrase::read(&config.keys.passphrase_file).map_err(failure)?;
    FileKeys::load(&config.keys.file, &passphrase).map_err(failure)
}

/// Whether the uplink must know the number before a decision.
fn is_known(number: &Number) -> bool {
    number.language.is_some() || number.card.is_some()
}

fn numbers(config: &Config, writer: &Writer, known: &[Number]) -> Arc<Numbers> {
    let asked = writer.clone();
    let payee = move |transfer| {
        let question =
            move |books: &transaction_processing::Books| books.resident_transfer(transfer).map(|held| held.payee);
        tokio::task::block_in_place(|| asked.read(question)).ok().flatten()
    };
    let numbers = Numbers::new(config.ledger.language.into(), payee);
    known.iter().for_each(|number| numbers.learn(number));
    Arc::new(numbers)
}

fn outbox(config: &Config, keys: Arc<dyn Keys>) -> Result<Outbox, Failure> {
    let unfit = |error: String| Failure::Configuration(error);
    let source =
        |centre: &MessageCentre| Address::new(centre.source_ton, centre.source_npi, &config.messages.short_code);
    let centre = |centre: &MessageCentre| {
        let source =
            source(centre).map_err(|_| unfit(format!("the short code {} is too long", config.messages.short_code)))?;
        Ok(Centre {
            alphabet: centre.default_alphabet.into(),
            source,
            wide_references: centre.wide_references,
            prefixes: centre.prefixes.clone(),
        })
    };
    let settings = Settings {
        centres: config.message_centre.iter().map(centre).collect::<Result<Vec<_>, Failure>>()?,
        validity_seconds: config.messages.validity_hours.saturating_mul(3600),
        resends: u16::from(config.messages.resends),
        resend_after_seconds: config.messages.resend_after_seconds,
        most_waiting: config.messages.queue_messages as usize,
    };
    let zone = config.ledger.zone.time_zone().clone();
    let style = Style::new(zone, NumberForm::International, &config.messages.care_number)
        .map_err(|error| unfit(error.to_string()))?;
    let catalogues = Catalogues::load().map_err(|error| unfit(error.to_string()))?;
    Ok(Outbox::new(settings, keys, catalogues, style))
}

fn links(centre: &MessageCentre) -> Result<CentreLinks, Failure> {
    let failure = |path: &Path, error: String| Failure::File { path: path.display().to_string(), error };
    let password = config::read_secret(&centre.password_file)
        .map_err(|error| failure(&centre.password_file, error.to_string()))?;
    let too_long = |_| Failure::Configuration(format!("{}: system_id or system_type is too long", centre.name));
    let client = centre.client(password, LINK_QUEUE, INBOUND_WINDOW).map_err(too_long)?;
    let tls =
        centre.tls.as_ref().map(|tls| Ok::<_, Failure>((connector(tls)?, tls.server_name.clone()))).transpose()?;
    Ok(CentreLinks {
        name: centre.name.clone(),
        hosts: centre.hosts.clone(),
        binds: centre.binds,
        client,
        tls,
        alphabet: centre.default_alphabet.into(),
    })
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

/// Tariffs of the configuration that the books do not hold yet get their number.
async fn adopt_tariffs(config: &Config, writer: &Writer) -> Result<(), Failure> {
    for terms in config.terms() {
        let asked = terms.clone();
        let reader = writer.clone();
        let read = move || reader.read(move |books| books.tariffs().any(|tariff| tariff.terms == asked));
        let held =
            tokio::task::spawn_blocking(read).await.map_err(|_| Failure::Stopped)?.map_err(|_| Failure::Stopped)?;
        if !held {
            let adopt = Action::AdoptTariff(requests::tariff::Fields { terms });
            decide(writer, Origin::Platform, adopt).await?;
        }
    }
    Ok(())
}
