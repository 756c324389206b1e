//! The platform, assembled: data centre, writer, uplink, downlink, doors and timers, from one configuration. `serve`, the demo
//! and the tests all start this very assembly.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_center::{Fatal, Location, Writer, postgres};
use encryption::Keys;
use rand::Rng as _;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use transaction_processing::ids::TransferId;
use transaction_processing::{Books, Msisdn, Request};

use crate::administration::system_rng;
use crate::books::{self, Deciding, Kept, Opening};
use crate::cluster::door::Door;
use crate::cluster::edge::{self, Road};
use crate::cluster::{Cluster, Way};
use crate::communication_gateway::sms::{self, CentreLinks};
use crate::communication_gateway::{self, Clock, Doors, Numbers, Progress, Recovery, Shared, Telling};
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

impl Failure {
    fn cannot_listen(error: std::io::Error) -> Failure {
        Failure::Configuration(format!("cluster.listen: {error}"))
    }
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
    /// The processes that share the database; none where this one is alone.
    pub cluster: Option<Arc<Cluster>>,
}

/// The platform, running.
pub struct Platform {
    /// What its rooms share.
    pub services: Arc<Services>,
    doors: Doors,
    /// Timers, and the ends of the link to other processes.
    tasks: Vec<JoinHandle<()>>,
    /// Ends the books' following of a log.
    stop: Option<postgres::Stop>,
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
        let way = Way::of(&config)?;
        let door = match &way {
            Some(way) => Some((Door::open(way).await.map_err(Failure::cannot_listen)?, way)),
            None => None,
        };
        tracing::info!(database = %location, "opening the books");
        let progress = Arc::new(Progress::default());
        let Kept { writer, clock, known, ended, deciding } =
            tokio::task::block_in_place(|| books::open(&location, &config, clock, &metrics, &progress))?;

        let centres = config.message_centre.iter().map(links).collect::<Result<Vec<_>, _>>()?;
        let numbers = Numbers::new(config.ledger.language.into(), payees(writer.clone()));
        known.iter().for_each(|number| numbers.learn(number));
        let numbering = rooms::numbering(&config)?;
        let (keys_of, short_code) = (Arc::clone(&keys), config.messages.short_code.clone());
        let numbers = Arc::new(numbers);
        let rations = rooms::rations(&config);
        let uplink = Uplink::new(keys_of, Arc::clone(&numbers) as _, numbering.clone(), short_code, rations);
        let (ticking, counting) = (Arc::clone(&clock), Arc::clone(&metrics));
        let (binds, learning) = (sms::binds(&centres), Arc::clone(&numbers));
        let (shared, ends) = Shared::new(writer.clone(), uplink, numbers, ticking, counting, progress, &binds);
        let first_reference = system_rng().next_u32() as u16;
        let outbox = rooms::outbox(&config, Arc::clone(&keys), Arc::new(rooms::catalogues()?), first_reference)?;
        let (mut cluster, mut tasks, mut stop) = (None, Vec::new(), None);
        let telling = match deciding {
            Deciding::Here(Opening { recovery, requests, .. }) => {
                for request in requests {
                    decide(&writer, request).await?;
                }
                tasks.push(tokio::spawn(timers::run(Arc::clone(&shared))));
                Telling::Here(recovery)
            }
            Deciding::Elsewhere(following) => {
                let name =
                    config.cluster.advertise.clone().or_else(|| config.cluster.listen.clone()).unwrap_or_default();
                let here = Arc::new(Cluster::new(name, Arc::clone(&metrics)));
                let (road, questions) = Road::new(Arc::clone(&here), learning);
                shared.set_decides(false);
                if let Some((door, way)) = door {
                    let wake = following.stop.clone();
                    tasks.push(edge::start(Arc::clone(&shared), Arc::clone(&here), way, questions, wake));
                    tasks.push(door.start(Arc::clone(&shared), Arc::clone(&here)));
                }
                stop = Some(following.stop.clone());
                let opening = following.start(road.clone())?;
                let (begin, beginning) = oneshot::channel();
                tasks.push(tokio::spawn(take_over(Arc::clone(&shared), Arc::clone(&here), opening, begin)));
                cluster = Some(here);
                Telling::Elsewhere(road, beginning)
            }
        };
        let doors = communication_gateway::start(Arc::clone(&shared), ends, &centres, outbox, telling);
        let config = Arc::new(config);
        let services =
            Arc::new(Services { config, location, keys, writer, shared, numbering, clock, metrics, cluster });
        Ok(Platform { services, doors, tasks, stop, ended })
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
        let Platform { services, doors, tasks, stop, mut ended } = self;
        doors.close(deadline).await;
        if let Some(cluster) = &services.cluster {
            cluster.ends();
        }
        tasks.iter().for_each(JoinHandle::abort);
        let writer = services.writer.clone();
        let end = move || {
            writer.stop();
            if let Some(stop) = stop {
                stop.stop();
            }
        };
        let _ = tokio::task::spawn_blocking(end).await;
        let result = ended.wait_for(Option::is_some).await.map(|result| result.clone());
        match result {
            Ok(Some(Ok(()))) => Ok(()),
            Ok(Some(Err(error))) => Err(Failure::Configuration(error)),
            _ => Err(Failure::Stopped),
        }
    }
}

/// Once this process decides: what the platform asks first, then the texts that are untold, what waits for the one that decides,
/// and the timers.
async fn take_over(
    shared: Arc<Shared>,
    cluster: Arc<Cluster>,
    opening: oneshot::Receiver<Opening>,
    begin: oneshot::Sender<Box<dyn Recovery>>,
) {
    let Ok(Opening { recovery, requests, term }) = opening.await else { return };
    shared.set_decides(true);
    for request in requests {
        if decide(&shared.writer, request).await.is_err() {
            return;
        }
    }
    let _ = begin.send(recovery);
    cluster.decides(term);
    timers::run(shared).await;
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
