//! The page: phones side by side, the wire between them and the platform, the accounts and the ledger's proof. Everything that
//! is shown is made here; the page's script only puts it in its place. Without a script the forms still send.

mod render;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Failure;
use super::cast::{CAST, Who};
use super::log::{Event, Log, Since};
use super::stage::Stage;

/// The most characters of a message that somebody types: more than any phone sends.
const LONGEST_TEXT: usize = 480;
/// The most days by which the clock is moved at once.
const MOST_DAYS: u32 = 31;
/// How long pages may take to let go at the end.
const DRAIN: Duration = Duration::from_secs(5);

/// Where the page is.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    replaced: Option<u16>,
}

impl Listener {
    /// Listens on loopback on this port, or on a free one where it is taken.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn open(port: u16) -> io::Result<Listener> {
        let (socket, replaced) = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(socket) => (socket, None),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                (TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?, Some(port))
            }
            Err(error) => return Err(error),
        };
        let address = socket.local_addr()?;
        Ok(Listener { socket, address, replaced })
    }

    /// The address to open.
    pub fn address(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The port that was taken, if another one had to do.
    pub fn replaced(&self) -> Option<u16> {
        self.replaced
    }
}

/// Serves the page until `interrupted`, or until the platform fails.
///
/// # Errors
/// [`Failure`]: why the platform failed.
pub async fn serve(
    listener: Listener,
    stage: Arc<Stage>,
    interrupted: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let (stop, mut stopping) = watch::channel(false);
    let log = Arc::clone(&stage.log);
    let router = router(Arc::clone(&stage));
    let ending = async move { drop(stopping.wait_for(|stop| *stop).await) };
    let server = tokio::spawn(axum::serve(listener.socket, router).with_graceful_shutdown(ending).into_future());
    let result = tokio::select! {
        () = interrupted => Ok(()),
        result = keep_accounts(&stage) => result,
        why = stage.house.platform.failed() => Err(Failure::Configuration(why)),
    };
    // Open pages are told the end, and let go.
    log.tell(Event::End);
    stop.send_replace(true);
    let _ = tokio::time::timeout(DRAIN, server).await;
    result
}

/// Tells the accounts after every message.
async fn keep_accounts(stage: &Stage) -> Result<(), Failure> {
    let mut newest = stage.log.watch();
    let mut seen = *newest.borrow_and_update();
    loop {
        if newest.changed().await.is_err() {
            return Ok(());
        }
        let latest = *newest.borrow_and_update();
        let has_news = match stage.log.since(seen) {
            Since::Gap => true,
            Since::Events(events) => {
                events.iter().any(|(_, event)| matches!(**event, Event::Said(_) | Event::Clock(_)))
            }
        };
        seen = latest;
        if has_news {
            stage.tell_accounts().await?;
        }
    }
}

fn router(stage: Arc<Stage>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/events", get(events))
        .route("/send", post(send))
        .route("/clock", post(clock))
        .route("/again", post(again))
        .route("/cut", post(cut))
        .route("/prove", post(prove))
        .layer(middleware::from_fn(guard))
        .with_state(stage)
}

/// Only this machine's own pages may ask: other sites that a browser has open, or names that are made to point here, may not.
async fn guard(request: Request, next: Next) -> Response {
    if is_own(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "This page answers to its own machine only.\n").into_response()
    }
}

fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    is_loopback(host) && text(header::ORIGIN).is_none_or(|origin| origin == format!("http://{host}"))
}

fn is_loopback(host: &str) -> bool {
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|octet| octet.is_ascii_digit()) { name } else { host });
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

async fn page(State(stage): State<Arc<Stage>>) -> Result<Response, Problem> {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let accounts = stage.accounts().await?;
    let html = render::page(&stage.log, &accounts, &stage.time(), &nonce);
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         form-action 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((headers, Html(html)).into_response())
}

/// What happens from an event on, as it happens.
async fn events(
    State(stage): State<Arc<Stage>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    // After a lost connection the browser says itself up to where it heard.
    let heard = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let asked = query.as_deref().and_then(|query| query.strip_prefix("since=")).map(str::to_owned);
    let since = heard.or(asked).and_then(|number| number.parse().ok()).unwrap_or(0);
    Sse::new(follow(Arc::clone(&stage.log), since)).keep_alive(KeepAlive::default())
}

struct Follower {
    log: Arc<Log>,
    newest: watch::Receiver<u64>,
    waiting: std::vec::IntoIter<(u64, Arc<Event>)>,
    heard: u64,
    ended: bool,
}

fn follow(log: Arc<Log>, since: u64) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    let newest = log.watch();
    let follower = Follower { log, newest, waiting: Vec::new().into_iter(), heard: since, ended: false };
    stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    })
}

impl Follower {
    async fn next(&mut self) -> Option<sse::Event> {
        while !self.ended {
            if let Some((number, event)) = self.waiting.next() {
                self.heard = number;
                self.ended = matches!(*event, Event::End);
                if let Some(told) = render::update(&event) {
                    return Some(sse::Event::default().id(number.to_string()).data(told.to_string()));
                }
                continue;
            }
            self.newest.borrow_and_update();
            match self.log.since(self.heard) {
                Since::Gap => {
                    self.ended = true;
                    return Some(sse::Event::default().data(render::reload().to_string()));
                }
                Since::Events(events) if events.is_empty() => self.newest.changed().await.ok()?,
                Since::Events(events) => self.waiting = events.into_iter(),
            }
        }
        None
    }
}

#[derive(Deserialize)]
struct Message {
    who: Who,
    text: String,
}

async fn send(
    State(stage): State<Arc<Stage>>,
    headers: HeaderMap,
    Form(message): Form<Message>,
) -> Result<Response, Problem> {
    let text = message.text.trim();
    if message.who >= CAST.len() || text.is_empty() || text.chars().count() > LONGEST_TEXT {
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, "Type a message of up to 480 characters.".to_owned()));
    }
    stage.send(message.who, text).await?;
    Ok(done(&headers))
}

#[derive(Deserialize)]
struct Days {
    days: u32,
}

async fn clock(
    State(stage): State<Arc<Stage>>,
    headers: HeaderMap,
    Form(Days { days }): Form<Days>,
) -> Result<Response, Problem> {
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, "The clock moves by 1 to 31 days.".to_owned()));
    }
    stage.move_clock(days).await?;
    Ok(done(&headers))
}

async fn again(State(stage): State<Arc<Stage>>, headers: HeaderMap) -> Result<Response, Problem> {
    match stage.deliver_again().await? {
        Some(_) => Ok(done(&headers)),
        None => Err(Problem(StatusCode::CONFLICT, "No message has been sent yet.".to_owned())),
    }
}

async fn cut(State(stage): State<Arc<Stage>>, headers: HeaderMap) -> Response {
    stage.house.tap.cut();
    done(&headers)
}

async fn prove(State(stage): State<Arc<Stage>>, headers: HeaderMap) -> Result<Response, Problem> {
    stage.prove().await?;
    Ok(done(&headers))
}

/// Done: nothing more to say to a script, which hears of it as it happens; a form goes back to the page.
fn done(headers: &HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") {
        Redirect::to("/").into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// Why something was not done, in a sentence.
struct Problem(StatusCode, String);

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        let status = match failure {
            Failure::Sending(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Problem(status, failure.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_answered() {
        for host in ["127.0.0.1", "127.0.0.1:8315", "localhost:8315", "[::1]:8315"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "example.com", "example.com:80", "127.0.0.1.example.com:8315", "localhost.example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn other_sites_are_refused() {
        let headers = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:8315".parse().expect("a host"));
            origin.map(|origin| headers.insert(header::ORIGIN, origin.parse().expect("an origin")));
            headers
        };
        assert!(is_own(&headers(None)) && is_own(&headers(Some("http://127.0.0.1:8315"))));
        assert!(!is_own(&headers(Some("http://example.com"))) && !is_own(&headers(Some("null"))));
        assert!(!is_own(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_taken_port_is_replaced_and_said() {
        let first = Listener::open(0).await.expect("a port");
        let second = Listener::open(first.address.port()).await.expect("another port");
        assert_eq!(second.replaced(), Some(first.address.port()));
        assert_ne!(second.address.port(), first.address.port());
        assert_eq!(first.replaced(), None);
    }
}
