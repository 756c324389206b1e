//! The port for those who watch the platform: `/livez`, `/readyz`, `/metrics`, `/version`, over HTTP and without a password,
//! so never on a public address.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::metrics::Metrics;

/// How often the books are looked at for the metrics, at most.
const SAMPLE_EVERY: Duration = Duration::from_secs(60);

/// Why the platform is not ready; ready where there is no reason. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<Reasons>>);

#[derive(Debug, Default)]
struct Reasons {
    waiting: BTreeSet<&'static str>,
    draining: bool,
    role: Option<&'static str>,
}

impl Readiness {
    /// Not ready for these reasons.
    pub fn waiting_for(reasons: &[&'static str]) -> Readiness {
        let reasons = Reasons { waiting: reasons.iter().copied().collect(), ..Reasons::default() };
        Readiness(Arc::new(Mutex::new(reasons)))
    }

    /// Not ready for this reason, until it is [met](Self::met).
    pub fn lacks(&self, reason: &'static str) {
        self.with(|reasons| reasons.waiting.insert(reason));
    }

    /// The reason is gone.
    pub fn met(&self, reason: &'static str) {
        self.with(|reasons| reasons.waiting.remove(reason));
    }

    /// What this process is among those that share the database.
    pub fn is(&self, role: &'static str) {
        self.with(|reasons| reasons.role = Some(role));
    }

    fn role(&self) -> Option<&'static str> {
        self.with(|reasons| reasons.role)
    }

    /// Never ready again: the process is ending.
    pub fn drain(&self) {
        self.with(|reasons| reasons.draining = true);
    }

    /// The reasons as they stand.
    pub fn reasons(&self) -> Vec<&'static str> {
        self.with(|reasons| {
            let draining = reasons.draining.then_some("draining");
            draining.into_iter().chain(reasons.waiting.iter().copied()).collect()
        })
    }

    /// A panic ends the process, so a poisoned lock is never more than a test that failed.
    fn with<T>(&self, change: impl FnOnce(&mut Reasons) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the port tells.
pub struct Told {
    /// Whether the platform is ready.
    pub readiness: Readiness,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The answer of `/version`.
    pub version: serde_json::Value,
    /// Looks at what changes by itself, before it is told; must not wait.
    pub look: Box<dyn Fn(&Readiness) + Send + Sync>,
    /// Looks at the books for the metrics. It may block; it runs beside the tasks, before a scrape, once a minute at most.
    pub sample: Box<dyn Fn(&Metrics) + Send + Sync>,
}

struct Shared {
    told: Told,
    sampled: tokio::sync::Mutex<Option<Instant>>,
}

/// The port, open.
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Opens it.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub async fn open(address: SocketAddr) -> io::Result<Port> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Port { listener, address })
    }

    /// Where it listens, with the port that was chosen where none was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`, then ends the answers that were begun, and is over at the latest `deadline` after that, whatever
    /// the other side does. To be stopped last of all, so that `/readyz` tells of the draining.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        told: Told,
        stop: impl Future<Output = ()> + Send + 'static,
        deadline: Duration,
    ) -> io::Result<()> {
        let shared = Arc::new(Shared { told, sampled: tokio::sync::Mutex::new(None) });
        let (tell, stopping) = oneshot::channel();
        let stopped = async move {
            stop.await;
            let _ = tell.send(());
        };
        let served = axum::serve(self.listener, routes(shared)).with_graceful_shutdown(stopped);
        let too_late = async {
            match stopping.await {
                Ok(()) => tokio::time::sleep(deadline).await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            result = served.into_future() => result,
            () = too_late => Ok(()),
        }
    }
}

fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .with_state(shared)
}

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    (shared.told.look)(&shared.told.readiness);
    let reasons = shared.told.readiness.reasons();
    if reasons.is_empty() {
        let role = shared.told.readiness.role().map(|role| format!("{role}\n")).unwrap_or_default();
        return format!("ready\n{role}").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n"))).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    (shared.told.look)(&shared.told.readiness);
    let mut sampled = shared.sampled.lock().await;
    if sampled.is_none_or(|at| at.elapsed() >= SAMPLE_EVERY) {
        let looking = Arc::clone(&shared);
        let look = tokio::task::spawn_blocking(move || (looking.told.sample)(&looking.told.metrics));
        if let Err(error) = look.await {
            tracing::warn!(%error, "the books cannot be sampled");
        }
        *sampled = Some(Instant::now());
    }
    drop(sampled);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.told.metrics.text()).into_response()
}

async fn version(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], format!("{}\n", shared.told.version)).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::task::JoinHandle;

    use super::*;

    struct Running {
        address: SocketAddr,
        readiness: Readiness,
        samples: Arc<AtomicUsize>,
        stop: oneshot::Sender<()>,
        served: JoinHandle<io::Result<()>>,
    }

    async fn running(deadline: Duration) -> Running {
        let port = Port::open("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = port.address();
        let readiness = Readiness::waiting_for(&["books", "binds"]);
        let samples = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&samples);
        let told = Told {
            readiness: readiness.clone(),
            metrics: Arc::new(Metrics::new("0.0.0", "none")),
            version: serde_json::json!({ "version": "0.0.0" }),
            look: Box::new(|_| {}),
            sample: Box::new(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
            }),
        };
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let served = tokio::spawn(port.serve(told, stopped, deadline));
        Running { address, readiness, samples, stop, served }
    }

    /// Status line, head and body.
    async fn ask(address: SocketAddr, path: &str) -> (String, String, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let (status, head) = head.split_once("\r\n").unwrap();
        (status.to_owned(), head.to_lowercase(), body.to_owned())
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn ready_only_when_nothing_is_lacking_and_not_while_draining() {
        let running = running(LONG).await;
        let readyz = async || {
            let (status, _, body) = ask(running.address, "/readyz").await;
            (status, body)
        };
        let unready = |body: &str| ("HTTP/1.1 503 Service Unavailable".to_owned(), body.to_owned());
        let ready = ("HTTP/1.1 200 OK".to_owned(), "ready\n".to_owned());
        assert_eq!(readyz().await, unready("binds\nbooks\n"));
        running.readiness.met("books");
        assert_eq!(readyz().await, unready("binds\n"));
        running.readiness.met("binds");
        assert_eq!(readyz().await, ready);
        running.readiness.lacks("binds");
        assert_eq!(readyz().await, unready("binds\n"));
        running.readiness.met("binds");
        running.readiness.drain();
        assert_eq!(readyz().await, unready("draining\n"));
        assert_eq!(ask(running.address, "/livez").await.2, "alive\n");
    }

    #[tokio::test]
    async fn tells_metrics_and_version_and_samples_once_in_a_while() {
        let running = running(LONG).await;
        assert_eq!(running.samples.load(Ordering::Relaxed), 0);
        for _ in 0..3 {
            let (status, head, body) = ask(running.address, "/metrics").await;
            assert_eq!(status, "HTTP/1.1 200 OK");
            assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
            assert!(body.contains("wakala_build_info") && body.ends_with("# EOF\n"));
        }
        assert_eq!(running.samples.load(Ordering::Relaxed), 1);
        assert_eq!(ask(running.address, "/version").await.2, "{\"version\":\"0.0.0\"}\n");
        assert_eq!(ask(running.address, "/").await.0, "HTTP/1.1 404 Not Found");
    }

    #[tokio::test]
    async fn an_idle_connection_does_not_hold_the_end() {
        let running = running(LONG).await;
        let mut idle = TcpStream::connect(running.address).await.unwrap();
        idle.write_all(b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
        let mut room = [0; 512];
        assert!(idle.read(&mut room).await.unwrap() > 0);
        running.stop.send(()).unwrap();
        running.served.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn half_a_request_holds_the_end_no_longer_than_the_deadline() {
        let running = running(Duration::ZERO).await;
        // Answered, then half of the next one: the server is certainly reading it when it is told to stop.
        let mut half = TcpStream::connect(running.address).await.unwrap();
        half.write_all(b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\nGET /livez HT").await.unwrap();
        let mut room = [0; 512];
        assert!(half.read(&mut room).await.unwrap() > 0);
        running.stop.send(()).unwrap();
        running.served.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_taken_address_is_said() {
        let running = running(LONG).await;
        assert_eq!(Port::open(running.address).await.err().unwrap().kind(), io::ErrorKind::AddrInUse);
    }
}
