//! A message centre: the operator's machine between phones and services, without sockets, clock or randomness.
//!
//! Services bind to it over SMPP 3.4; phones are numbers. What a phone sends is stored and forwarded to the service
//! behind the short code, again and again until the service takes it, one at a time for each sender, so that each
//! sender's order stays. What a service submits is handed to the phone part by part (joining is the phone's work), or
//! waits until the phone is on, and is reported by delivery receipts as the service asks. [`Faults`] make it
//! misbehave as real centres do, driven by a seed, so that a run can be repeated.
//!
//! The owner calls `handle_*` and `originate` with the time, then takes events ([`MessageCentre::poll_event`]) and
//! octets ([`MessageCentre::poll_transmit`]), and wakes it at [`MessageCentre::poll_timeout`].

mod calendar;
mod counters;
mod cut;
mod random;
mod receipts;
mod settings;
mod to_phone;
mod to_service;

pub use counters::Counters;

pub use settings::{Account, Disturbance, Faults, Presence, ReceiptForm, ReceiptSettings, Settings};
pub use to_phone::TooManyPhones;
pub use to_service::{NotOriginated, ORIGINATED_OCTETS};

use crate::number::Number;
use calendar::Calendar;
use core::time::Duration;
use cut::PduCounter;
use random::Random;
use std::collections::{BTreeMap, VecDeque};
use to_phone::{Arriving, Phones};
use to_service::Store;
use wire::smpp::{Bind, Closed, Event, ServerConfig, Session, ShortMessage, Status, Text};

/// Names one link; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(u64);

/// What the owner learns.
#[derive(Debug)]
pub enum CentreEvent {
    /// A phone got a message (one part of one, if it has several).
    ToPhone {
        /// The phone.
        number: Number,
        /// The message as it was submitted.
        message: ShortMessage,
    },
    /// A service has bound.
    Bound {
        /// Its link.
        link: LinkId,
        /// The account's name.
        system_id: Text<15>,
    },
    /// A link ended. Carry away what [`MessageCentre::poll_transmit`] still gives, close the socket and call
    /// [`MessageCentre::disconnect`].
    Closed {
        /// The link.
        link: LinkId,
        /// Why.
        why: Closed,
    },
}

/// There are [`Settings::links`] links already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many links")]
pub struct TooManyLinks;

struct Link {
    session: Session,
    /// Index of the account that bound.
    account: Option<usize>,
    incoming: PduCounter,
    outgoing: PduCounter,
    /// PDUs in both directions, for [`Faults::drop_link_after`].
    pdus: u64,
}

/// What happens at a time.
enum Timer {
    /// A stored message for a service may go.
    Ready(u64),
    /// A message for a phone arrives.
    Arrive(Box<Arriving>),
    /// A message that waits for its phone expires.
    Expire(u64),
    /// A submit_sm is answered, if it has not been.
    Answer(Answer),
}

/// An answer to a submit_sm that is held back.
#[derive(Clone, Copy)]
struct Answer {
    link: LinkId,
    sequence: u32,
    id: u64,
    /// Its timer, if it has one.
    timer: Option<TimerKey>,
}

/// When, and a serial that keeps timers of one moment in order.
type TimerKey = (Duration, u64);

/// A message centre. See the [module](self).
pub struct MessageCentre {
    settings: Settings,
    calendar: Calendar,
    faults: Faults,
    random: Random,
    now: Duration,
    links: BTreeMap<LinkId, Link>,
    /// Counts links, messages, timers: whatever needs a name that never returns.
    serial: u64,
    store: Store,
    phones: Phones,
    /// Bounded by what is in the store and in `phones`, where each message has at most one, and by the messages that
    /// links have not had answered.
    timers: BTreeMap<TimerKey, Timer>,
    /// Messages for phones are bounded by [`Settings::held`]; each link adds two at most.
    events: VecDeque<CentreEvent>,
    /// The answer that the first receipt made now lets go.
    withheld: Option<Answer>,
    counters: Counters,
}

impl MessageCentre {
    /// A centre that nobody has connected to. `seed` decides which messages meet faults.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            calendar: Calendar(settings.origin),
            store: Store::new(&settings.accounts),
            phones: Phones::default(),
            faults: Faults::default(),
            random: Random::new(seed),
            now: Duration::ZERO,
            links: BTreeMap::new(),
            // Ids above 9 differ in hexadecimal and decimal, so that nobody confuses the two unnoticed.
            serial: 100_000,
            timers: BTreeMap::new(),
            events: VecDeque::new(),
            withheld: None,
            counters: Counters::default(),
            settings,
        }
    }

    /// From now on these faults.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
        self.links.values_mut().for_each(|link| link.pdus = 0);
    }

    /// The present faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// From now on receipts of this kind.
    pub fn set_receipts(&mut self, receipts: ReceiptSettings) {
        self.settings.receipts = receipts;
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// A service has connected.
    ///
    /// # Errors
    /// When there are too many links already.
    pub fn connect(&mut self, now: Duration) -> Result<LinkId, TooManyLinks> {
        self.now = now;
        if self.links.len() >= self.settings.links {
            self.counters.links_refused += 1;
            return Err(TooManyLinks);
        }
        let mut link = self.settings.link.clone();
        // Never more is given to a session than its window takes; what it throws back waits in it.
        link.queue = link.window + 1;
        let config = ServerConfig { system_id: self.settings.system_id, link };
        let id = LinkId(self.next_serial());
        let session = Session::server(config, now);
        let (incoming, outgoing) = (PduCounter::default(), PduCounter::default());
        self.links.insert(id, Link { session, account: None, incoming, outgoing, pdus: 0 });
        self.counters.links_connected += 1;
        Ok(id)
    }

    /// Takes octets that arrived on a link.
    pub fn handle_bytes(&mut self, now: Duration, id: LinkId, octets: &[u8]) {
        self.now = now;
        let Some(link) = self.links.get_mut(&id) else { return };
        let most = self.faults.drop_link_after.map_or(u64::MAX, |limit| limit.saturating_sub(link.pdus));
        let (used, pdus) = link.incoming.take(octets, most);
        link.pdus += pdus;
        self.counters.pdus_in += pdus;
        link.session.handle_bytes(now, &octets[..used]);
        if pdus == most {
            self.faults.drop_link_after = None;
            self.drop_link(now, id);
        } else {
            self.attend(id);
        }
    }

    /// Appends the octets to be sent on a link to `out`; whether there were any. Call it again after they are
    /// written: more may have waited for room.
    pub fn poll_transmit(&mut self, id: LinkId, out: &mut Vec<u8>) -> bool {
        let Some(link) = self.links.get_mut(&id) else { return false };
        let start = out.len();
        if !link.session.poll_transmit(out) {
            return false;
        }
        let most = self.faults.drop_link_after.map_or(u64::MAX, |limit| limit.saturating_sub(link.pdus));
        let (used, pdus) = link.outgoing.take(&out[start..], most);
        link.pdus += pdus;
        self.counters.pdus_out += pdus;
        if pdus == most {
            out.truncate(start + used);
            self.faults.drop_link_after = None;
            self.drop_link(self.now, id);
        }
        out.len() > start
    }

    /// Drops a link as a cable would: nothing more is sent, what was not answered is unknown to both sides. The
    /// owner closes the socket on [`CentreEvent::Closed`].
    pub fn drop_link(&mut self, now: Duration, id: LinkId) {
        self.now = now;
        let Some(link) = self.links.get_mut(&id) else { return };
        if !link.session.is_closed() {
            self.counters.links_dropped += 1;
            link.session.connection_lost();
        }
        self.attend(id);
    }

    /// Drops all links, see [`MessageCentre::drop_link`].
    pub fn drop_links(&mut self, now: Duration) {
        for id in self.link_ids() {
            self.drop_link(now, id);
        }
    }

    /// The socket of a link is gone: forgets the link.
    pub fn disconnect(&mut self, now: Duration, id: LinkId) {
        self.now = now;
        if let Some(link) = self.links.get_mut(&id) {
            link.session.connection_lost();
            self.attend(id);
            self.links.remove(&id);
        }
    }

    /// Unbinds all links in order. Each ends in [`CentreEvent::Closed`].
    pub fn close(&mut self, now: Duration) {
        self.now = now;
        for id in self.link_ids() {
            if let Some(link) = self.links.get_mut(&id) {
                link.session.close(now);
            }
            self.attend(id);
        }
    }

    /// Links that were not forgotten yet, bound or not.
    pub fn links(&self) -> impl Iterator<Item = LinkId> + '_ {
        self.links.keys().copied()
    }

    /// Does what the time demands. Call it at [`MessageCentre::poll_timeout`]; at other times it does no harm.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = now;
        while let Some(first) = self.timers.first_entry()
            && first.key().0 <= now
        {
            match first.remove() {
                Timer::Ready(serial) => self.make_ready(serial),
                Timer::Arrive(arriving) => self.arrive_late(*arriving),
                Timer::Expire(serial) => self.expire(serial),
                Timer::Answer(answer) => self.accept(answer),
            }
        }
        for id in self.link_ids() {
            if let Some(link) = self.links.get_mut(&id) {
                link.session.handle_timeout(now);
            }
            self.attend(id);
        }
        self.forward_all();
    }

    /// When [`MessageCentre::handle_timeout`] must be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let timer = self.timers.first_key_value().map(|((at, _), _)| *at);
        self.links.values().filter_map(|link| link.session.poll_timeout()).chain(timer).min()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<CentreEvent> {
        let event = self.events.pop_front();
        if matches!(event, Some(CentreEvent::ToPhone { .. })) {
            self.phones.taken();
        }
        event
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn link_ids(&self) -> Vec<LinkId> {
        self.links().collect()
    }

    fn set_timer(&mut self, at: Duration, timer: Timer) {
        let serial = self.next_serial();
        self.timers.insert((at, serial), timer);
    }

    /// Answers a submit_sm at that time, unless it is answered before.
    fn answer_by(&mut self, at: Duration, mut answer: Answer) -> Answer {
        let key = (at, self.next_serial());
        answer.timer = Some(key);
        self.timers.insert(key, Timer::Answer(answer));
        answer
    }

    /// Handles what a session tells.
    fn attend(&mut self, id: LinkId) {
        let mut account = None;
        while let Some(link) = self.links.get_mut(&id)
            && let Some(event) = link.session.poll_event()
        {
            account = account.or(link.account);
            match event {
                Event::BindRequested(bind) => self.judge_bind(id, &bind),
                Event::Bound { system_id, .. } => self.events.push_back(CentreEvent::Bound { link: id, system_id }),
                Event::SubmitRequested { sequence, message } => self.submitted(id, sequence, message),
                Event::Submitted { token, result } => self.answered(token, result.map(|_| ())),
                Event::Unknown { token } => {
                    let lost = link.session.is_closed();
                    self.unanswered(token, lost);
                }
                Event::Unsent { token } => self.not_sent(token),
                Event::Throttled { .. } => self.counters.throttled_by_service += 1,
                Event::Closed(why) => self.closed(id, why),
                // A centre's session never tells these.
                Event::BindRefused(_)
                | Event::Delivered { .. }
                | Event::Receipt { .. }
                | Event::UnreadableReceipt { .. } => {}
            }
        }
        let account = account.or_else(|| self.links.get(&id)?.account);
        if let Some(account) = account {
            self.forward(account);
        }
    }

    fn judge_bind(&mut self, id: LinkId, bind: &Bind) {
        let found = self.settings.accounts.iter().position(|account| account.system_id == bind.system_id);
        let verdict = match found {
            None => Err(Status::INVALID_SYSTEM_ID),
            Some(place) if self.settings.accounts[place].password.same(&bind.password) => Ok(place),
            Some(_) => Err(Status::INVALID_PASSWORD),
        };
        let Some(link) = self.links.get_mut(&id) else { return };
        match verdict {
            Ok(account) => {
                self.counters.binds_accepted += 1;
                link.account = Some(account);
                link.session.accept_bind();
                if bind.kind.receives() {
                    self.store.add_link(account, id);
                }
            }
            Err(status) => {
                self.counters.binds_refused += 1;
                link.session.refuse_bind(status);
            }
        }
    }

    fn closed(&mut self, id: LinkId, why: Closed) {
        self.counters.links_closed += 1;
        if let Some(account) = self.links.get(&id).and_then(|link| link.account) {
            self.store.remove_link(account, id);
        }
        self.events.push_back(CentreEvent::Closed { link: id, why });
    }
}
