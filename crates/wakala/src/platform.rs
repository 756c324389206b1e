//! The platform, assembled: data centre, writer, uplink, downlink, doors and timers, from one configuration. `serve`, the demo
//! and the tests all start this very assembly.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_center::{Fatal, Place, Writer};
use encryption::{FileKeys, KeyFileError, Keys, Passphrase};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use transaction_processing::Request;
use transaction_processing::number::Number;
use transaction_processing::request::{Action, Origin};
use transaction_processing::requests;
use wire::smpp::Address;

use crate::books::{self, Kept};
use crate::communication_gateway::sms::{CentreLinks, INBOUND_WINDOW};
use crate::communication_gateway::{self, Clock, Doors, Numbers, Shared};
use crate::config::{self, Config, MessageCentre, Tls};
use crate::downlink::outbox::{Centre, Outbox, Settings};
use crate::downlink::{Catalogues, NumberForm, Style};
use crate::numbering::Numbering;
use crate::observe::metrics::Metrics;
use crate::timers;
use crate::tls;
use crate::uplink::Uplink;

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
    /// Where the books are.
    pub place: Place,
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
        let place = books::place(&config)?;
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), env!("WAKALA_COMMIT")));
        tracing::info!(database = %place, "opening the books");
        let Kept { writer, recovery, clock, known, ended, restored } =
            tokio::task::block_in_place(|| books::open(&place, &config, clock, &metrics))?;
        if restored {
            tracing::warn!(jump = EPOCH_JUMP, "the database was restored from a backup: a new epoch opens");
            let open = Action::OpenEpoch(requests::epoch::Fields { jump: EPOCH_JUMP });
            decide(&writer, Origin::Platform, open).await?;
        }

        let numbers = numbers(&config, &writer, &known);
        let numbering = Numbering::new(&config.ledger.country, &config.numbers)
            .ok_or_else(|| Failure::Configuration(format!("the country {} is not known", config.ledger.country)))?;
        let short_code = config.messages.short_code.clone();
        let uplink = Uplink::new(Arc::clone(&keys), Arc::clone(&numbers) as _, numbering.clone(), short_code);
        let (shared, listening) =
            Shared::new(writer.clone(), uplink, numbers, Arc::clone(&clock), Arc::clone(&metrics));
        let outbox = outbox(&config, Arc::clone(&keys))?;
        let links = config.message_centre.iter().map(|centre| links(&config, centre)).collect::<Result<Vec<_>, _>>()?;

        adopt_tariffs(&config, &writer).await?;
        let doors = communication_gateway::start(Arc::clone(&shared), listening, links, outbox, recovery);
        let timers = tokio::spawn(timers::run(Arc::clone(&shared)));
        let services =
            Arc::new(Services { config: Arc::new(config), place, keys, writer, shared, numbering, clock, metrics });
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

fn links(config: &Config, centre: &MessageCentre) -> Result<CentreLinks, Failure> {
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
        malformed_answers_per_hour: config.messages.malformed_answers_per_hour,
        malformed_senders: config.messages.malformed_senders as usize,
    })
}

fn connector(tls: &Tls) -> Result<TlsConnector, Failure> {
    let identity = tls.certificate_file.as_deref().zip(tls.key_file.as_deref());
    Ok(TlsConnector::from(Arc::new(tls::client(tls.ca_file.as_deref(), identity)?)))
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
