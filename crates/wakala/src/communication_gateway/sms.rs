//! Short messages: one task for each bind to a message centre, around a session of [`wire::smpp`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use encryption::CryptoRng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use transaction_processing::request::Link;
use wire::smpp::{Backoff, ClientConfig, Closed, Event, Session, ShortMessage, Status};
use wire::sms::{DefaultAlphabet, Join, Joiner, JoinerConfig, Why};

use super::{Item, LinkHandle, ReplyTo, Report, Shared};
use crate::downlink::outbox::{Submission, Submitted, Token};
use crate::observe::metrics::{CentreMetrics, Submission as Answered, Unread};
use crate::uplink::{Arrival, Arrived, Ignored, Read};

/// The first wait before a new connection, and the longest; doubled between them, with jitter.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Room in a link's channel that submissions leave for acknowledgements.
pub(super) const RESERVED_COMMANDS: usize = 2_048;
/// Messages of the centre that were not acknowledged yet, at most: fits in the reserved room.
pub const INBOUND_WINDOW: usize = 2_000;
/// Commands in a link's channel.
const COMMANDS: usize = RESERVED_COMMANDS + 4_096;
/// Commands taken at once.
const AT_ONCE: usize = 512;
const READ_BUFFER: usize = 64 * 1024;

/// How one centre is reached.
#[derive(Clone)]
pub struct CentreLinks {
    /// Its name, in logs and figures.
    pub name: String,
    /// Its addresses, tried in turn.
    pub hosts: Vec<String>,
    /// How many binds stand.
    pub binds: u8,
    /// How each is made.
    pub client: ClientConfig,
    /// TLS, with the name in the centre's certificate, where it is not the host's.
    pub tls: Option<(TlsConnector, Option<String>)>,
    /// What data_coding 0 means.
    pub alphabet: DefaultAlphabet,
}

/// What a link is asked to do.
pub(crate) enum Command {
    /// Send a message.
    Submit(Submission),
    /// Answer a message of the centre.
    Respond {
        /// The connection over which it came.
        generation: u64,
        /// Its sequence_number.
        sequence: u32,
        /// The answer.
        status: Status,
    },
    /// Unbind in order and end.
    Close,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) fn start(shared: Arc<Shared>, number: u16, centre: CentreLinks) -> (LinkHandle, JoinHandle<()>) {
    let (sender, commands) = mpsc::channel(COMMANDS);
    let bound = Arc::new(AtomicBool::new(false));
    let handle = LinkHandle { centre: number, commands: sender.clone(), bound: Arc::clone(&bound) };
    let metrics = shared.metrics.centre(&centre.name);
    let link = LinkTask {
        shared,
        metrics,
        number,
        centre,
        bound,
        sender,
        commands,
        joiner: Joiner::new(JoinerConfig::default()),
        origin: Instant::now(),
        generation: 0,
        ending: false,
    };
    (handle, tokio::spawn(link.run()))
}

async fn connect(tls: Option<(TlsConnector, Option<String>)>, host: String) -> std::io::Result<Box<dyn Stream>> {
    let timed_out = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(&host)).await.map_err(timed_out)??;
    stream.set_nodelay(true)?;
    let Some((connector, name)) = tls else { return Ok(Box::new(stream)) };
    let name = name.unwrap_or_else(|| host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).to_owned());
    let name =
        ServerName::try_from(name).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?;
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, connector.connect(name, stream)).await.map_err(timed_out)??;
    Ok(Box::new(stream))
}

struct LinkTask {
    shared: Arc<Shared>,
    metrics: CentreMetrics,
    number: u16,
    centre: CentreLinks,
    bound: Arc<AtomicBool>,
    sender: mpsc::Sender<Command>,
    commands: mpsc::Receiver<Command>,
    joiner: Joiner,
    origin: Instant,
    generation: u64,
    ending: bool,
}

impl LinkTask {
    async fn run(mut self) {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let mut turn = 0;
        while !self.ending {
            let host = self.centre.hosts[turn % self.centre.hosts.len()].clone();
            let connecting = connect(self.centre.tls.clone(), host.clone());
            match self.unless_closed(connecting).await {
                Some(Ok(stream)) => {
                    self.generation += 1;
                    let was_bound = self.converse(stream, &host).await;
                    if was_bound {
                        backoff.reset();
                    }
                }
                Some(Err(error)) => {
                    tracing::warn!(centre = self.centre.name, host, %error, "message centre not reached");
                }
                None => {}
            }
            self.bound.store(false, Ordering::Release);
            turn += 1;
            if !self.ending {
                let _ = self.unless_closed(tokio::time::sleep(backoff.next(rand::random()))).await;
            }
        }
    }

    /// Works without a connection; what is asked meanwhile cannot be done. None where the link is to end.
    async fn unless_closed<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                command = self.commands.recv() => match command {
                    Some(Command::Submit(submission)) => self.report(submission.token, Submitted::Unsent).await,
                    Some(Command::Respond { .. }) => {}
                    Some(Command::Close) | None => {
                        self.ending = true;
                        return None;
                    }
                },
            }
        }
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// One connection from bind to end; whether the bind ever stood.
    async fn converse(&mut self, stream: Box<dyn Stream>, host: &str) -> bool {
        let (mut from_centre, mut to_centre) = tokio::io::split(stream);
        let mut session = Session::client(self.centre.client.clone(), self.now());
        let mut read = vec![0; READ_BUFFER];
        let mut out = Vec::with_capacity(READ_BUFFER);
        let mut written = 0;
        let mut commands = Vec::with_capacity(AT_ONCE);
        let mut was_bound = false;
        let mut in_flight = 0_i64;
        loop {
            if written == out.len() {
                out.clear();
                written = 0;
                session.poll_transmit(&mut out);
            }
            let deadline = session.poll_timeout().map(|at| tokio::time::Instant::from_std(self.origin + at));
            tokio::select! {
                result = to_centre.write(&out[written..]), if written < out.len() => match result {
                    Ok(count) if count > 0 => written += count,
                    end => self.lost(&mut session, host, end),
                },
                result = from_centre.read(&mut read) => match result {
                    Ok(count) if count > 0 => session.handle_bytes(self.origin.elapsed(), &read[..count]),
                    end => self.lost(&mut session, host, end),
                },
                _ = self.commands.recv_many(&mut commands, AT_ONCE) => {
                    for command in commands.drain(..) {
                        self.obey(&mut session, command).await;
                    }
                }
                () = tokio::time::sleep_until(deadline.unwrap_or_else(tokio::time::Instant::now)), if deadline.is_some() => {
                    session.handle_timeout(self.origin.elapsed());
                }
            }
            let flying = session.in_flight() as i64;
            self.metrics.in_flight(flying - in_flight);
            in_flight = flying;
            while let Some(event) = session.poll_event() {
                match event {
                    Event::Bound { .. } => {
                        tracing::info!(centre = self.centre.name, host, "bound");
                        was_bound = true;
                        self.metrics.bound(1);
                        self.bound.store(true, Ordering::Release);
                        self.shared.wake.notify_one();
                    }
                    Event::Closed(why) => {
                        self.bound.store(false, Ordering::Release);
                        if was_bound {
                            self.metrics.bound(-1);
                        }
                        self.metrics.in_flight(-in_flight);
                        match why {
                            Closed::Unbound => tracing::info!(centre = self.centre.name, host, "unbound"),
                            why => tracing::warn!(centre = self.centre.name, host, ?why, "link ended"),
                        }
                        let _ = to_centre.write_all(&out[written..]).await;
                        out.clear();
                        session.poll_transmit(&mut out);
                        let _ = to_centre.write_all(&out).await;
                        let _ = to_centre.shutdown().await;
                        return was_bound;
                    }
                    event => self.handle(&mut session, event).await,
                }
            }
        }
    }

    /// The connection has ended, or failed: TLS says here why a certificate was refused.
    fn lost(&self, session: &mut Session, host: &str, end: std::io::Result<usize>) {
        if let Err(error) = end {
            tracing::warn!(centre = self.centre.name, host, %error, "connection failed");
        }
        session.connection_lost();
    }

    async fn obey(&mut self, session: &mut Session, command: Command) {
        match command {
            Command::Submit(Submission { token, message, .. }) => {
                if session.submit(self.now(), message, token.0).is_err() {
                    self.report(token, Submitted::Unsent).await;
                }
            }
            Command::Respond { generation, sequence, status } => {
                if generation == self.generation {
                    session.respond(sequence, status);
                }
            }
            Command::Close => {
                self.ending = true;
                self.bound.store(false, Ordering::Release);
                session.close(self.now());
            }
        }
    }

    async fn handle(&mut self, session: &mut Session, event: Event) {
        match event {
            Event::Delivered { sequence, message } => self.arrived(session, sequence, message),
            Event::Receipt { sequence, receipt } => {
                let report = Report::Receipt { centre: self.number, receipt };
                // A full dispatch slows this link, and through its window the centre.
                let _ = self.shared.reports.send(report).await;
                session.respond(sequence, Status::OK);
            }
            Event::UnreadableReceipt { sequence, .. } => {
                session.respond(sequence, Status::OK);
            }
            Event::Submitted { token, result } => {
                let outcome = match result {
                    Ok(id) => Submitted::Accepted(id),
                    Err(status) => Submitted::Refused(status),
                };
                self.report(Token(token), outcome).await;
            }
            Event::Unknown { token } => self.report(Token(token), Submitted::Unknown).await,
            Event::Unsent { token } => self.report(Token(token), Submitted::Unsent).await,
            Event::Throttled { .. } => {
                self.metrics.submitted(Answered::Throttled);
                tracing::warn!(centre = self.centre.name, "throttled");
            }
            Event::BindRefused(status) => {
                tracing::error!(centre = self.centre.name, status = status.0, "the message centre refuses our bind");
            }
            Event::Bound { .. } | Event::Closed(_) | Event::BindRequested(_) | Event::SubmitRequested { .. } => {}
        }
    }

    async fn report(&self, token: Token, outcome: Submitted) {
        match &outcome {
            Submitted::Accepted(_) => self.metrics.submitted(Answered::Accepted),
            Submitted::Refused(Status::QUEUE_FULL) => self.metrics.submitted(Answered::QueueFull),
            Submitted::Refused(_) => self.metrics.submitted(Answered::Refused),
            Submitted::Unknown => self.metrics.submitted(Answered::Unanswered),
            Submitted::Unsent => {}
        }
        let report = Report::Submitted { token, centre: self.number, outcome };
        let _ = self.shared.reports.send(report).await;
    }

    /// A message came. It is acknowledged at once only where nothing depends on it.
    fn arrived(&mut self, session: &mut Session, sequence: u32, message: ShortMessage) {
        self.metrics.received();
        if self.shared.is_draining() {
            session.respond(sequence, Status::TEMPORARY_APPLICATION_ERROR);
            return;
        }
        let message = match self.joiner.push(self.now(), message) {
            Join::Single(message) => Arrived::Single(message),
            Join::Whole(whole) => Arrived::Joined(Box::new(whole)),
            Join::TooLong(message) => Arrived::TooLong(message),
            Join::Held | Join::Duplicate => {
                session.respond(sequence, Status::OK);
                return;
            }
        };
        let arrival = Arrival { link: Link(self.number), alphabet: self.centre.alphabet, message };
        let mut rng = rand::rng();
        let rng: &mut dyn CryptoRng = &mut rng;
        let reply = ReplyTo { link: self.sender.clone(), generation: self.generation, sequence };
        match self.shared.uplink.read(arrival, || (self.shared.clock)().time, rng) {
            Read::Request(request) => {
                let shared = Arc::clone(&self.shared);
                let (kind, arrived) = (request.action.kind(), Instant::now());
                let answered = Box::new(move |answer| shared.answered(answer, kind, arrived, reply));
                if self.shared.writer.try_submit(*request, answered).is_err() {
                    // The queue is full, or the writer has ended: the centre keeps the message and delivers it again.
                    session.respond(sequence, Status::TEMPORARY_APPLICATION_ERROR);
                }
            }
            Read::Answer(advice) => {
                self.shared.metrics.unread(match advice.malformed.why {
                    Why::TooLong => Unread::TooLong,
                    _ => Unread::Malformed,
                });
                self.shared.tell_once(Item::Advice { advice: *advice, reply });
            }
            Read::Ignored(why) => self.ignore(session, sequence, why),
        }
    }

    fn ignore(&self, session: &mut Session, sequence: u32, why: Ignored) {
        tracing::debug!(centre = self.centre.name, ?why, "message not answered");
        match why {
            Ignored::Source => self.shared.metrics.unread(Unread::Source),
            Ignored::Binary | Ignored::NoCard | Ignored::Packet(_) => self.shared.metrics.unread(Unread::Seal),
            Ignored::Impatient => self.shared.metrics.unread(Unread::Malformed),
        }
        session.respond(sequence, Status::OK);
    }
}
