//! `wakala serve`: the platform as a service, from the first log line to the clean end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use crate::administration::socket::{Socket, SocketError};
use crate::administration::{Administration, Told};
use crate::clock::LedgerClock;
use crate::cluster::NO_LINK;
use crate::config::Config;
use crate::observe::logs;
use crate::observe::metrics::BooksSample;
use crate::observe::port::{self, Port, Readiness};
use crate::platform::{self, Platform};
use crate::process::{self, ServiceManager};
use crate::proof;

/// How long the administration port may take to end its answers.
const PORT_DEADLINE: Duration = Duration::from_secs(2);

/// Why the service did not start, or how it failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The platform.
    #[error(transparent)]
    Platform(#[from] platform::Failure),
    /// The administration socket.
    #[error("administration.socket: {0}")]
    Socket(#[from] SocketError),
    /// The administration port.
    #[error("administration.listen {address}: {error}")]
    Port {
        /// Where it should have listened.
        address: String,
        /// Why not.
        error: io::Error,
    },
    /// The system.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
    /// The writer ended by itself: what was acknowledged is safe, restart recovers.
    #[error("stopped: {0}")]
    Stopped(String),
}

/// Serves until SIGTERM or SIGINT, then drains; a second signal ends at once.
///
/// # Errors
/// [`Failure`].
pub fn run(config: Config) -> Result<(), Failure> {
    process::harden()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), Failure> {
    let switch = logs::start(&config.log).map_err(io::Error::other)?;
    drop(switch);
    // From here on, for the doors open before everything else stands: what is asked meanwhile is done then.
    let mut signals = Signals::heard()?;
    let deadline = Duration::from_secs(u64::from(config.administration.drain_seconds));
    let readiness = Readiness::waiting_for(&["starting"]);
    let clock = LedgerClock::new(config.ledger.zone.time_zone().clone());
    let address = config.administration.listen.clone();
    let port = open_port(&address).await?;
    let socket = Socket::open(&config.administration.socket)?;

    let ticking = clock.clone();
    let platform = Platform::start(config, Arc::new(move || ticking.moment())).await?;
    let services = Arc::clone(&platform.services);

    let (stop, stopping) = watch::channel(false);
    let telling = Arc::clone(&services);
    let told: Told = Arc::new(move |answer| {
        let at = (telling.clock)().time;
        telling.shared.tell_row(answer, at);
    });
    let administration = Administration::new(
        Arc::clone(&services.config),
        services.location.clone(),
        Arc::clone(&services.keys),
        services.writer.clone(),
        services.numbering.clone(),
        told,
    );
    let administration = administration.of_cluster(Arc::clone(&services.shared), services.cluster.clone());
    let administering = tokio::spawn(socket.serve(Arc::new(administration), stopping));

    let (sampling, looking) = (Arc::clone(&services), Arc::clone(&services));
    let told = port::Told {
        readiness: readiness.clone(),
        metrics: Arc::clone(&services.metrics),
        version: crate::cli::version::json(),
        look: Box::new(move |readiness| {
            let Some(cluster) = &looking.cluster else { return };
            readiness.is(cluster.word());
            match cluster.lacks() {
                Some(reason) => readiness.lacks(reason),
                None => readiness.met(NO_LINK),
            }
        }),
        sample: Box::new(move |metrics| {
            if let Ok(sample) = sampling.writer.read(BooksSample::of) {
                metrics.books(&sample);
            }
        }),
    };
    let (end_port, port_end) = oneshot::channel::<()>();
    let listening = tokio::spawn(port.serve(
        told,
        async move {
            let _ = port_end.await;
        },
        PORT_DEADLINE,
    ));
    readiness.met("starting");
    ServiceManager.ready();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        database = %services.location,
        administration = address,
        centres = services.config.message_centre.len(),
        "serving"
    );

    let proofs = proof::start(&services);
    let alive = tokio::spawn(show_life(Arc::clone(&services)));
    let failure = wait_for_the_end(&platform, &mut signals).await;
    readiness.drain();
    ServiceManager.stopping(deadline);
    let _ = stop.send(true);
    alive.abort();
    let ended = tokio::select! {
        ended = async {
            let ended = end(platform, deadline, administering).await;
            proofs.end().await;
            ended
        } => ended,
        () = signals.next() => Err(Failure::Stopped("a second signal".to_owned())),
    };
    let _ = end_port.send(());
    let _ = listening.await;
    match failure {
        Some(error) => Err(Failure::Stopped(error)),
        None => ended,
    }
}

async fn open_port(address: &str) -> Result<Port, Failure> {
    let failure = |error| Failure::Port { address: address.to_owned(), error };
    let parsed = address.parse().map_err(|error| failure(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    Port::open(parsed).await.map_err(failure)
}

/// SIGTERM and SIGINT: both ask for an end.
struct Signals(Signal, Signal);

impl Signals {
    fn heard() -> io::Result<Signals> {
        Ok(Signals(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

/// Waits for a signal, or for the writer to end by itself; then says why.
async fn wait_for_the_end(platform: &Platform, signals: &mut Signals) -> Option<String> {
    tokio::select! {
        () = signals.next() => None,
        error = platform.failed() => Some(error),
    }
}

async fn end(
    platform: Platform,
    deadline: Duration,
    administering: tokio::task::JoinHandle<()>,
) -> Result<(), Failure> {
    tracing::info!("draining");
    let ended = platform.stop(deadline).await;
    let _ = tokio::time::timeout(PORT_DEADLINE, administering).await;
    ended?;
    tracing::info!("stopped");
    Ok(())
}

/// Tells the service manager that the writer answers; a writer that hangs lets the manager restart us.
async fn show_life(services: Arc<platform::Services>) {
    let Some(every) = ServiceManager.watchdog_interval() else { return };
    let mut every = tokio::time::interval(every);
    loop {
        every.tick().await;
        let asking = Arc::clone(&services);
        let answered = tokio::task::spawn_blocking(move || asking.writer.read(|books| books.next())).await;
        if matches!(answered, Ok(Ok(_))) {
            ServiceManager.alive();
        }
    }
}
