//! One bind to a message centre, from connection to connection, without sockets or clock.
//!
//! The owner makes the connections that [`Link::poll_connect`] asks for, carries octets both ways, brings commands, wakes the
//! link at [`Link::poll_timeout`], and does what [`Link::poll_output`] says. Nothing that comes from the centre is acknowledged
//! before a command says so, unless nothing depends on it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use transaction_processing::Request;
use transaction_processing::request;
use wire::smpp::{Backoff, ClientConfig, Closed, Event, Session, ShortMessage, Status};
use wire::sms::{DefaultAlphabet, Join, Joiner, JoinerConfig, Why};

use super::{Reply, Report};
use crate::downlink::outbox::{Submission, Submitted, Token};
use crate::observe::metrics::{CentreMetrics, Metrics, Submission as Answered, Unread};
use crate::uplink::{Advice, Arrival, Arrived, Ignored, Read};

/// The first wait before a new connection, and the longest; doubled between them, with jitter.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How one centre is reached.
#[derive(Clone)]
pub struct Settings {
    /// Its name, in logs and figures.
    pub name: String,
    /// Its addresses, tried in turn.
    pub hosts: Vec<String>,
    /// How a bind is made.
    pub client: ClientConfig,
    /// What data_coding 0 means.
    pub alphabet: DefaultAlphabet,
}

/// What a link is asked to do.
pub enum Command {
    /// Send a message.
    Submit(Submission),
    /// Answer a message of the centre.
    Respond(Reply, Status),
    /// Take no new message.
    Drain,
    /// Unbind in order and end.
    Close,
}

/// What a link asks its owner to do.
pub enum Output {
    /// Bring this to the dispatch.
    Report(Report),
    /// Have the uplink read this, and bring what it says to [`Link::handle_read`].
    Arrived(Arrival, Reply),
    /// Bring this to the writer, and the answer to the reply.
    Request(Box<Request>, Reply),
    /// Have this told.
    Advice(Box<Advice>, Reply),
    /// Carry away what [`Link::poll_transmit`] still gives, close the connection, and call [`Link::handle_disconnected`].
    Closed,
}

enum State {
    /// No connection is made before this time.
    Apart(Duration),
    /// The owner makes one.
    Connecting,
    /// One stands, or is being closed.
    Connected(Box<Session>),
    /// None is made any more.
    Ended,
}

/// One bind. See the [module](self).
pub struct Link {
    settings: Settings,
    centre: u16,
    bind: u16,
    all_metrics: Arc<Metrics>,
    metrics: CentreMetrics,
    state: State,
    now: Duration,
    backoff: Backoff,
    /// How many connections were tried: the next one goes to the next address.
    tries: usize,
    /// Which connection this is: an answer to a message of an earlier one has nowhere to go.
    generation: u64,
    was_bound: bool,
    in_flight: i64,
    draining: bool,
    closing: bool,
    joiner: Joiner,
    outputs: VecDeque<Output>,
}

impl Link {
    /// A bind to the centre of this number, itself numbered among all binds.
    pub fn new(centre: u16, bind: u16, settings: Settings, metrics: Arc<Metrics>) -> Link {
        Link {
            centre,
            bind,
            metrics: metrics.centre(&settings.name),
            all_metrics: metrics,
            state: State::Apart(Duration::ZERO),
            now: Duration::ZERO,
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
            tries: 0,
            generation: 0,
            was_bound: false,
            in_flight: 0,
            draining: false,
            closing: false,
            joiner: Joiner::new(JoinerConfig::default()),
            outputs: VecDeque::new(),
            settings,
        }
    }

    /// The centre's name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Whether messages flow.
    pub fn is_bound(&self) -> bool {
        matches!(&self.state, State::Connected(session) if session.is_bound()) && !self.closing
    }

    /// Whether it was closed, and no connection is left.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// The address to connect to, when it is time; then [`Link::handle_connected`] or [`Link::handle_disconnected`] is due.
    pub fn poll_connect(&mut self, now: Duration) -> Option<&str> {
        match self.state {
            State::Apart(until) if until <= now => {}
            _ => return None,
        }
        self.state = State::Connecting;
        self.tries += 1;
        Some(self.host())
    }

    /// A connection stands.
    pub fn handle_connected(&mut self, now: Duration) {
        self.now = now;
        self.generation += 1;
        self.state = State::Connected(Box::new(Session::client(self.settings.client.clone(), now)));
    }

    /// There is no connection: it could not be made, or it is closed. `random` is a uniform number, for the jitter.
    pub fn handle_disconnected(&mut self, now: Duration, random: u64) {
        self.handle_connection_lost(now);
        self.outputs.retain(|output| !matches!(output, Output::Closed));
        if std::mem::take(&mut self.was_bound) {
            self.backoff.reset();
        }
        self.state = if self.closing { State::Ended } else { State::Apart(now + self.backoff.next(random)) };
    }

    /// Octets came.
    pub fn handle_bytes(&mut self, now: Duration, octets: &[u8]) {
        self.with_session(now, |session| session.handle_bytes(now, octets));
    }

    /// The connection is broken.
    pub fn handle_connection_lost(&mut self, now: Duration) {
        self.with_session(now, Session::connection_lost);
    }

    /// Does what the time demands.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.with_session(now, |session| session.handle_timeout(now));
    }

    /// Obeys.
    pub fn handle_command(&mut self, now: Duration, command: Command) {
        match command {
            Command::Submit(Submission { token, message, .. }) => {
                let mut taken = false;
                self.with_session(now, |session| taken = session.submit(now, message, token.0).is_ok());
                if !taken {
                    self.report(token, Submitted::Unsent);
                }
            }
            Command::Respond(reply, status) if reply.generation == self.generation => {
                self.with_session(now, |session| {
                    session.respond(reply.sequence, status);
                });
            }
            Command::Respond(..) => {}
            Command::Drain => self.draining = true,
            Command::Close => {
                self.closing = true;
                match &self.state {
                    State::Connected(_) => self.with_session(now, |session| session.close(now)),
                    _ => self.state = State::Ended,
                }
            }
        }
    }

    /// The uplink has read what [`Output::Arrived`] gave it.
    pub fn handle_read(&mut self, reply: Reply, read: Read) {
        match read {
            Read::Request(request) => self.outputs.push_back(Output::Request(request, reply)),
            Read::Answer(advice) => {
                self.all_metrics.unread(match advice.malformed.why {
                    Why::TooLong => Unread::TooLong,
                    _ => Unread::Malformed,
                });
                self.outputs.push_back(Output::Advice(advice, reply));
            }
            Read::Ignored(why) => self.ignore(reply, why),
        }
    }

    /// What is to be done, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Appends the octets to be sent to `out`; whether there were any. Call it again after they are written.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        let State::Connected(session) = &mut self.state else { return false };
        session.poll_transmit(out)
    }

    /// When [`Link::handle_timeout`] must be called or, without connection, [`Link::poll_connect`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        match &self.state {
            State::Apart(until) => Some(*until),
            State::Connected(session) => session.poll_timeout(),
            State::Connecting | State::Ended => None,
        }
    }

    /// The address of the connection.
    fn host(&self) -> &str {
        let turn = self.tries.saturating_sub(1) % self.settings.hosts.len().max(1);
        self.settings.hosts.get(turn).map_or("", String::as_str)
    }

    /// Does something with the session, if there is one, and listens to what it says.
    fn with_session(&mut self, now: Duration, act: impl FnOnce(&mut Session)) {
        self.now = now;
        let State::Connected(session) = &mut self.state else { return };
        act(session);
        let flying = session.in_flight() as i64;
        self.metrics.in_flight(flying - self.in_flight);
        self.in_flight = flying;
        while let State::Connected(session) = &mut self.state
            && let Some(event) = session.poll_event()
        {
            self.hear(event);
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Bound { .. } => {
                tracing::info!(centre = self.settings.name, host = self.host(), "bound");
                self.was_bound = true;
                self.metrics.bound(1);
            }
            Event::Closed(why) => {
                if self.was_bound {
                    self.metrics.bound(-1);
                }
                match why {
                    Closed::Unbound => tracing::info!(centre = self.settings.name, host = self.host(), "unbound"),
                    why => tracing::warn!(centre = self.settings.name, host = self.host(), ?why, "link ended"),
                }
                self.outputs.push_back(Output::Closed);
            }
            Event::Delivered { sequence, message } => self.arrived(self.reply(sequence), message),
            Event::Receipt { sequence, receipt } => {
                let report = Report::Receipt { centre: self.centre, receipt, reply: self.reply(sequence) };
                self.outputs.push_back(Output::Report(report));
            }
            Event::UnreadableReceipt { sequence, .. } => self.respond(self.reply(sequence), Status::OK),
            Event::Submitted { token, result } => {
                let outcome = match result {
                    Ok(id) => Submitted::Accepted(id),
                    Err(status) => Submitted::Refused(status),
                };
                self.report(Token(token), outcome);
            }
            Event::Unknown { token } => self.report(Token(token), Submitted::Unknown),
            Event::Unsent { token } => self.report(Token(token), Submitted::Unsent),
            Event::Throttled { .. } => {
                self.metrics.submitted(Answered::Throttled);
                tracing::warn!(centre = self.settings.name, "throttled");
            }
            Event::BindRefused(status) => {
                tracing::error!(centre = self.settings.name, status = status.0, "the message centre refuses our bind");
            }
            // Said to centres alone.
            Event::BindRequested(_) | Event::SubmitRequested { .. } => {}
        }
    }

    /// A message came. It is acknowledged at once only where nothing depends on it.
    fn arrived(&mut self, reply: Reply, message: ShortMessage) {
        self.metrics.received();
        if self.draining {
            return self.respond(reply, Status::TEMPORARY_APPLICATION_ERROR);
        }
        let message = match self.joiner.push(self.now, message) {
            Join::Single(message) => Arrived::Single(message),
            Join::Whole(whole) => Arrived::Joined(Box::new(whole)),
            Join::TooLong(message) => Arrived::TooLong(message),
            Join::Held | Join::Duplicate => return self.respond(reply, Status::OK),
        };
        let arrival = Arrival { link: request::Link(self.centre), alphabet: self.settings.alphabet, message };
        self.outputs.push_back(Output::Arrived(arrival, reply));
    }

    fn ignore(&mut self, reply: Reply, why: Ignored) {
        tracing::debug!(centre = self.settings.name, ?why, "message not answered");
        match why {
            Ignored::Source => self.all_metrics.unread(Unread::Source),
            Ignored::Binary | Ignored::NoCard | Ignored::Packet(_) => self.all_metrics.unread(Unread::Seal),
            Ignored::Impatient => self.all_metrics.unread(Unread::Malformed),
        }
        self.respond(reply, Status::OK);
    }

    fn report(&mut self, token: Token, outcome: Submitted) {
        match &outcome {
            Submitted::Accepted(_) => self.metrics.submitted(Answered::Accepted),
            Submitted::Refused(Status::QUEUE_FULL) => self.metrics.submitted(Answered::QueueFull),
            Submitted::Refused(_) => self.metrics.submitted(Answered::Refused),
            Submitted::Unknown => self.metrics.submitted(Answered::Unanswered),
            Submitted::Unsent => {}
        }
        self.outputs.push_back(Output::Report(Report::Submitted { token, centre: self.centre, outcome }));
    }

    /// Where a message of this connection waits for its acknowledgement.
    fn reply(&self, sequence: u32) -> Reply {
        Reply { bind: self.bind, generation: self.generation, sequence }
    }

    fn respond(&mut self, reply: Reply, status: Status) {
        if let State::Connected(session) = &mut self.state
            && reply.generation == self.generation
        {
            session.respond(reply.sequence, status);
        }
    }
}
