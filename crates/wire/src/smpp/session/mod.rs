//! One bind, as ESME or as message centre.

mod config;
mod event;
mod outbox;

pub use config::{ClientConfig, LinkConfig, Rate, ServerConfig};
pub use event::{Closed, Event, NotTaken, Refusal};

use super::field::{MessageId, Text};
use super::pdu::{
    self, BODY_MAX, Bind, BindKind, BindResponse, Frame, INTERFACE_VERSION, PDU_MAX, Pdu, ShortMessage, Undecodable,
};
use super::receipt;
use super::status::{Status, StatusKind};
use core::time::Duration;
use outbox::{Outbox, Outgoing, Serials};
use std::collections::{HashSet, VecDeque};
use zeroize::Zeroizing;

/// No further own messages are written while this many octets wait to be carried away.
const TRANSMIT_HIGH: usize = 256 * 1024;
/// A peer that asks so much without reading that its answers exceed this is left.
const TRANSMIT_MAX: usize = 4 * 1024 * 1024;

enum Role {
    Client { kind: BindKind },
    Server,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Client: bind sent. Server: nothing came yet.
    Opening {
        deadline: Duration,
    },
    /// Server: the owner judges the bind.
    Deciding {
        sequence: u32,
        deadline: Duration,
    },
    Bound,
    /// `close` was called: what is under way may end.
    Draining {
        deadline: Duration,
    },
    /// unbind is sent.
    Unbinding {
        deadline: Duration,
    },
    Closed,
}

/// One bind. See the [module](super) for an example.
pub struct Session {
    role: Role,
    own_id: Text<15>,
    link: LinkConfig,
    state: State,
    /// The directions, once a bind was sent or requested.
    kind: Option<BindKind>,
    peer_id: Text<15>,
    now: Duration,
    last_heard: Duration,
    enquired_at: Option<Duration>,
    serials: Serials,
    bind_sequence: u32,
    outbox: Outbox,
    /// The peer's messages that the owner has not answered.
    undecided: HashSet<u32>,
    /// The beginning of a PDU whose end did not come yet; shorter than one PDU.
    partial: Zeroizing<Vec<u8>>,
    transmit: Zeroizing<Vec<u8>>,
    events: VecDeque<Event>,
}

impl Session {
    /// An ESME that binds to a message centre. The bind request waits in [`Session::poll_transmit`].
    #[must_use]
    pub fn client(config: ClientConfig, now: Duration) -> Self {
        let ClientConfig { system_id, password, system_type, kind, link } = config;
        let mut session = Self::new(Role::Client { kind }, system_id, link, now);
        session.kind = Some(kind);
        session.bind_sequence = session.serials.next().1;
        let bind = Bind {
            kind,
            system_id,
            password,
            system_type,
            interface_version: INTERFACE_VERSION,
            address_ton: 0,
            address_npi: 0,
            address_range: Text::EMPTY,
        };
        session.write(Status::OK, session.bind_sequence, Pdu::Bind(bind));
        session
    }

    /// A message centre that awaits a bind.
    #[must_use]
    pub fn server(config: ServerConfig, now: Duration) -> Self {
        Self::new(Role::Server, config.system_id, config.link, now)
    }

    fn new(role: Role, own_id: Text<15>, link: LinkConfig, now: Duration) -> Self {
        Self {
            role,
            own_id,
            state: State::Opening { deadline: now + link.response_timeout },
            kind: None,
            peer_id: Text::EMPTY,
            now,
            last_heard: now,
            enquired_at: None,
            serials: Serials::new(),
            bind_sequence: 0,
            outbox: Outbox::new(&link),
            undecided: HashSet::new(),
            partial: Zeroizing::default(),
            transmit: Zeroizing::default(),
            events: VecDeque::new(),
            link,
        }
    }

    /// Takes octets that arrived.
    pub fn handle_bytes(&mut self, now: Duration, octets: &[u8]) {
        self.now = now;
        if self.partial.is_empty() {
            let used = self.read(octets);
            self.partial.extend_from_slice(&octets[used..]);
        } else {
            self.partial.extend_from_slice(octets);
            let mut all = core::mem::take(&mut self.partial);
            let used = self.read(&all);
            all.drain(..used);
            self.partial = all;
        }
        if self.transmit.len() > TRANSMIT_MAX {
            self.end(Closed::NotReading);
        }
        if self.state == State::Closed {
            self.partial.clear();
        }
        self.advance();
    }

    /// Does what the time demands. Call it at [`Session::poll_timeout`]; at other times it does no harm.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = now;
        while let Some(overdue) = self.outbox.expire(now) {
            self.events.push_back(Event::Unknown { token: overdue.token });
        }
        match self.state {
            State::Opening { deadline } | State::Deciding { deadline, .. } if deadline <= now => {
                self.end(Closed::BindTimeout);
            }
            State::Unbinding { deadline } if deadline <= now => self.end(Closed::Unbound),
            State::Bound | State::Draining { .. } => self.check_life(),
            _ => {}
        }
        self.advance();
    }

    fn check_life(&mut self) {
        match self.enquired_at {
            Some(at) if at + self.link.response_timeout <= self.now => self.end(Closed::Silent),
            None if self.last_heard + self.link.enquire_link_interval <= self.now => {
                self.enquired_at = Some(self.now);
                let (_, sequence) = self.serials.next();
                self.write(Status::OK, sequence, Pdu::EnquireLink);
            }
            _ => {}
        }
    }

    /// Client: sends a message to the centre. `token` names it in events; the caller keeps tokens apart.
    /// Messages submitted before the bind stands wait for it.
    ///
    /// # Errors
    /// Gives the message back with the reason.
    pub fn submit(&mut self, now: Duration, message: ShortMessage, token: u64) -> Result<(), NotTaken> {
        let possible = matches!(self.role, Role::Client { kind } if kind.transmits());
        self.enqueue(now, message, token, possible)
    }

    /// Server: delivers a message to the ESME, once it asked for a bind that receives. `token` names it in events.
    ///
    /// # Errors
    /// Gives the message back with the reason.
    pub fn deliver(&mut self, now: Duration, message: ShortMessage, token: u64) -> Result<(), NotTaken> {
        let possible = matches!(self.role, Role::Server) && self.kind.is_some_and(BindKind::receives);
        self.enqueue(now, message, token, possible)
    }

    fn enqueue(&mut self, now: Duration, message: ShortMessage, token: u64, possible: bool) -> Result<(), NotTaken> {
        let refuse = |why, message| Err(NotTaken { why, message: Box::new(message) });
        if !possible {
            return refuse(Refusal::WrongDirection, message);
        }
        if !matches!(self.state, State::Opening { .. } | State::Deciding { .. } | State::Bound) {
            return refuse(Refusal::Closed, message);
        }
        if message.body.len() > BODY_MAX || message.body.len() + message.tlvs.as_bytes().len() > PDU_MAX - 256 {
            return refuse(Refusal::TooLong, message);
        }
        if self.outbox.waiting() >= self.link.queue {
            return refuse(Refusal::Full, message);
        }
        self.now = now;
        self.outbox.push(token, message);
        self.advance();
        Ok(())
    }

    /// Answers a message of the peer: [`Status::OK`] takes responsibility for it. Whether it was awaited: not
    /// after the link ended, and once only.
    pub fn respond(&mut self, sequence: u32, status: Status) -> bool {
        self.answer(sequence, status, MessageId::EMPTY)
    }

    /// Server: accepts a submitted message under an id. Whether it was awaited.
    pub fn accept_submit(&mut self, sequence: u32, id: MessageId) -> bool {
        self.answer(sequence, Status::OK, id)
    }

    fn answer(&mut self, sequence: u32, status: Status, id: MessageId) -> bool {
        let awaited = self.undecided.remove(&sequence);
        if awaited {
            self.write_answer(sequence, status, id);
            self.advance();
        }
        awaited
    }

    /// Server: accepts the bind that [`Event::BindRequested`] told of.
    pub fn accept_bind(&mut self) {
        let (State::Deciding { sequence, .. }, Some(kind)) = (self.state, self.kind) else {
            return;
        };
        self.write_bind_response(sequence, Status::OK, kind);
        self.bound();
        self.advance();
    }

    /// Server: refuses the bind and ends the session.
    pub fn refuse_bind(&mut self, status: Status) {
        let (State::Deciding { sequence, .. }, Some(kind)) = (self.state, self.kind) else {
            return;
        };
        self.write_bind_response(sequence, status, kind);
        self.end(Closed::BindRefused(status));
    }

    /// Unbinds in order: what waits is given back as [`Event::Unsent`] at once; what is in flight, and what the
    /// owner has not answered, may end within the response's time; then unbind goes out.
    pub fn close(&mut self, now: Duration) {
        self.now = now;
        match self.state {
            State::Bound => {
                self.give_back_waiting();
                self.state = State::Draining { deadline: now + self.link.response_timeout };
                self.advance();
            }
            State::Opening { .. } | State::Deciding { .. } => self.end(Closed::Unbound),
            State::Draining { .. } | State::Unbinding { .. } | State::Closed => {}
        }
    }

    /// The socket is gone.
    pub fn connection_lost(&mut self) {
        self.end(Closed::ConnectionLost);
        self.transmit.clear();
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Appends the octets to be sent to `out`; whether there were any. Call it again after they are written:
    /// more may have waited for room.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        self.advance();
        let any = !self.transmit.is_empty();
        out.extend_from_slice(&self.transmit);
        self.transmit.clear();
        any
    }

    /// When [`Session::handle_timeout`] must be called; `None` after the end.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let life = match self.enquired_at {
            Some(at) => at + self.link.response_timeout,
            None => self.last_heard + self.link.enquire_link_interval,
        };
        let state = match self.state {
            State::Closed => return None,
            State::Opening { deadline } | State::Deciding { deadline, .. } | State::Unbinding { deadline } => deadline,
            State::Draining { deadline } => deadline.min(life),
            State::Bound => life,
        };
        let sending = self.outbox.ready_at(self.link.window).filter(|_| self.state == State::Bound);
        // While octets wait to be carried away, `poll_transmit` goes on, not the clock.
        let sending = sending.filter(|_| self.transmit.len() < TRANSMIT_HIGH);
        let others = [self.outbox.next_deadline(), sending].into_iter().flatten();
        others.chain([state]).min()
    }

    /// Whether messages flow.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.state == State::Bound
    }

    /// Whether the session ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Own messages that wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.outbox.waiting()
    }

    /// Own messages in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.outbox.in_flight()
    }

    /// The peer's messages that await an answer of the owner.
    #[must_use]
    pub fn undecided(&self) -> usize {
        self.undecided.len()
    }

    /// Reads whole PDUs; how many octets were used.
    fn read(&mut self, octets: &[u8]) -> usize {
        let mut used = 0;
        while self.state != State::Closed {
            match pdu::decode(&octets[used..]) {
                Ok(None) => break,
                Ok(Some((frame, length))) => {
                    used += length;
                    self.heard();
                    self.handle(frame);
                }
                Err(Undecodable::Pdu { length, sequence, answer, status }) => {
                    used += length;
                    self.heard();
                    match answer {
                        Some(command) => pdu::encode_header(command, status, sequence, &mut self.transmit),
                        None => self.unreadable_response(sequence),
                    }
                }
                Err(Undecodable::Stream { sequence }) => {
                    self.write(Status::INVALID_COMMAND_LENGTH, sequence, Pdu::GenericNack);
                    self.end(Closed::Malformed);
                }
            }
        }
        if self.state == State::Closed { octets.len() } else { used }
    }

    fn heard(&mut self) {
        self.last_heard = self.now;
        self.enquired_at = None;
    }

    fn handle(&mut self, frame: Frame) {
        let Frame { status, sequence, pdu } = frame;
        match (pdu, &self.role) {
            (Pdu::EnquireLink, _) => self.write(Status::OK, sequence, Pdu::EnquireLinkResponse),
            (Pdu::EnquireLinkResponse, _) => {}
            (Pdu::Unbind, _) => {
                self.write(Status::OK, sequence, Pdu::UnbindResponse);
                self.end(Closed::PeerUnbound);
            }
            (Pdu::UnbindResponse, _) => {
                if matches!(self.state, State::Unbinding { .. }) {
                    self.end(Closed::Unbound);
                }
            }
            (Pdu::Bind(bind), role) => {
                let server = matches!(role, Role::Server);
                self.bind_requested(sequence, bind, server);
            }
            (Pdu::BindResponse(response), Role::Client { .. }) => {
                self.bind_answered(sequence, status, response.system_id)
            }
            (Pdu::GenericNack, _) => self.nacked(sequence, status),
            (Pdu::SubmitResponse(id), Role::Client { .. }) => self.settle(sequence, status, id),
            (Pdu::DeliverResponse, Role::Server) => self.settle(sequence, status, MessageId::EMPTY),
            (Pdu::Submit(message), Role::Server) => self.incoming(sequence, message, BindKind::transmits),
            (Pdu::Deliver(message), Role::Client { .. }) => self.incoming(sequence, message, BindKind::receives),
            (Pdu::Submit(_), Role::Client { .. }) => {
                self.write(Status::INCORRECT_BIND_STATUS, sequence, Pdu::SubmitResponse(MessageId::EMPTY));
            }
            (Pdu::Deliver(_), Role::Server) => {
                self.write(Status::INCORRECT_BIND_STATUS, sequence, Pdu::DeliverResponse)
            }
            (Pdu::BindResponse(_) | Pdu::DeliverResponse | Pdu::SubmitResponse(_), _) => {}
        }
    }

    fn bind_requested(&mut self, sequence: u32, bind: Bind, server: bool) {
        let State::Opening { deadline } = self.state else {
            return self.write_bind_response(sequence, Status::ALREADY_BOUND, bind.kind);
        };
        if !server {
            return self.write_bind_response(sequence, Status::INCORRECT_BIND_STATUS, bind.kind);
        }
        self.state = State::Deciding { sequence, deadline };
        self.kind = Some(bind.kind);
        self.peer_id = bind.system_id;
        self.events.push_back(Event::BindRequested(bind));
    }

    fn bind_answered(&mut self, sequence: u32, status: Status, system_id: Text<15>) {
        if !matches!(self.state, State::Opening { .. }) || sequence != self.bind_sequence {
            return;
        }
        if status.is_ok() {
            self.peer_id = system_id;
            self.bound();
        } else {
            self.events.push_back(Event::BindRefused(status));
            self.end(Closed::BindRefused(status));
        }
    }

    fn bound(&mut self) {
        self.state = State::Bound;
        self.heard();
        if let Some(kind) = self.kind {
            self.events.push_back(Event::Bound { system_id: self.peer_id, kind });
        }
    }

    fn nacked(&mut self, sequence: u32, status: Status) {
        // A nack that says "no error" still is one.
        let status = if status.is_ok() { Status::UNKNOWN_ERROR } else { status };
        self.bind_answered(sequence, status, Text::EMPTY);
        self.settle(sequence, status, MessageId::EMPTY);
    }

    /// The peer answered an own message.
    fn settle(&mut self, sequence: u32, status: Status, id: MessageId) {
        let Some(outgoing) = self.serials.of(sequence).and_then(|serial| self.outbox.answered(serial)) else {
            return;
        };
        let token = outgoing.token;
        match status.kind() {
            StatusKind::Ok => {
                let result = Ok(self.link.response_id_form.canonical(&id));
                self.events.push_back(Event::Submitted { token, result });
            }
            StatusKind::Throttled => self.throttled(outgoing),
            _ => self.events.push_back(Event::Submitted { token, result: Err(status) }),
        }
    }

    fn throttled(&mut self, outgoing: Outgoing) {
        if self.state != State::Bound {
            return self.events.push_back(Event::Unsent { token: outgoing.token });
        }
        let until = self.now + self.link.throttle_pause;
        if self.outbox.throw_back(outgoing, self.now, until) {
            self.events.push_back(Event::Throttled { until });
        }
    }

    /// A response that cannot be read: the peer said something about the message, but not what.
    fn unreadable_response(&mut self, sequence: u32) {
        if let Some(outgoing) = self.serials.of(sequence).and_then(|serial| self.outbox.answered(serial)) {
            self.events.push_back(Event::Unknown { token: outgoing.token });
        }
    }

    fn incoming(&mut self, sequence: u32, message: ShortMessage, possible: fn(BindKind) -> bool) {
        let full = match self.role {
            Role::Client { .. } => Status::QUEUE_FULL,
            Role::Server => Status::THROTTLED,
        };
        let refusal = match self.state {
            State::Bound if !self.kind.is_some_and(possible) => Status::INCORRECT_BIND_STATUS,
            // A copy of a request that is not answered yet: the answer to the first is the answer to both.
            State::Bound if self.undecided.contains(&sequence) => return,
            State::Bound if self.undecided.len() >= self.link.inbound_window => full,
            State::Bound => {
                self.undecided.insert(sequence);
                let event = self.event_of(sequence, message);
                return self.events.push_back(event);
            }
            State::Draining { .. } | State::Unbinding { .. } => Status::TEMPORARY_APPLICATION_ERROR,
            _ => Status::INCORRECT_BIND_STATUS,
        };
        self.write_answer(sequence, refusal, MessageId::EMPTY);
    }

    fn event_of(&self, sequence: u32, message: ShortMessage) -> Event {
        match self.role {
            Role::Server => Event::SubmitRequested { sequence, message },
            Role::Client { .. } if !receipt::is_receipt(&message) => Event::Delivered { sequence, message },
            Role::Client { .. } => match receipt::parse(&message, self.link.receipt_id_form) {
                Some(receipt) => Event::Receipt { sequence, receipt },
                None => Event::UnreadableReceipt { sequence, message },
            },
        }
    }

    /// Sends what may go, and ends the drain when all is done.
    fn advance(&mut self) {
        while self.state == State::Bound
            && self.transmit.len() < TRANSMIT_HIGH
            && self.outbox.ready_at(self.link.window).is_some_and(|at| at <= self.now)
            && let Some(outgoing) = self.outbox.take(self.now)
        {
            let (serial, sequence) = self.serials.next();
            match self.role {
                Role::Client { .. } => pdu::encode_submit(&outgoing.message, sequence, &mut self.transmit),
                Role::Server => pdu::encode_deliver(&outgoing.message, sequence, &mut self.transmit),
            }
            self.outbox.sent(serial, outgoing, self.now + self.link.response_timeout);
        }
        if let State::Draining { deadline } = self.state
            && (deadline <= self.now || (self.outbox.in_flight() == 0 && self.undecided.is_empty()))
        {
            let (_, sequence) = self.serials.next();
            self.write(Status::OK, sequence, Pdu::Unbind);
            self.state = State::Unbinding { deadline: self.now + self.link.response_timeout };
        }
    }

    fn end(&mut self, why: Closed) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        for token in self.outbox.abandon_in_flight() {
            self.events.push_back(Event::Unknown { token });
        }
        self.give_back_waiting();
        self.undecided.clear();
        self.events.push_back(Event::Closed(why));
    }

    fn give_back_waiting(&mut self) {
        for token in self.outbox.abandon_waiting() {
            self.events.push_back(Event::Unsent { token });
        }
    }

    fn write(&mut self, status: Status, sequence: u32, pdu: Pdu) {
        pdu::encode(&Frame { status, sequence, pdu }, &mut self.transmit);
    }

    fn write_bind_response(&mut self, sequence: u32, status: Status, kind: BindKind) {
        let response = BindResponse { kind, system_id: self.own_id, interface_version: Some(INTERFACE_VERSION) };
        self.write(status, sequence, Pdu::BindResponse(response));
    }

    /// The response to a message of the peer.
    fn write_answer(&mut self, sequence: u32, status: Status, id: MessageId) {
        let pdu = match self.role {
            Role::Client { .. } => Pdu::DeliverResponse,
            Role::Server => Pdu::SubmitResponse(id),
        };
        self.write(status, sequence, pdu);
    }
}
