//! From phones to services: stored, forwarded, forwarded again, in each sender's order.

use super::settings::Account;
use super::{Answer, LinkId, MessageCentre, Timer};
use crate::number::{InvalidNumber, Number};
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use wire::smpp::{Address, Body, Refusal, ShortMessage, Status, StatusKind};

/// The longest body that [`MessageCentre::originate`] takes. Air gives 140 octets, or 160 as unpacked septets; more is
/// for tests of what services do with message_payload.
pub const ORIGINATED_OCTETS: usize = 1024;

/// Why a phone's message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOriginated {
    /// A number is none.
    #[error(transparent)]
    InvalidNumber(#[from] InvalidNumber),
    /// No account serves the short code.
    #[error("no service has this short code")]
    NoService,
    /// More than [`ORIGINATED_OCTETS`].
    #[error("the message is too long")]
    TooLong,
    /// The store is full.
    #[error("the message centre is full")]
    Full,
}

/// A message or receipt for a service.
struct Stored {
    message: ShortMessage,
    account: usize,
    expires: Duration,
    attempts: u32,
    kind: Kind,
    /// The submit_sm that is answered when this receipt goes out.
    withheld: Option<Answer>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It has its place in its sender's line; `behind` names the next in it.
    InLine { behind: Option<u64> },
    /// It keeps no order.
    Free,
    /// It was delivered before.
    Copy,
    /// It is a receipt.
    Receipt,
}

/// Those of one sender to one account, in order: only the head is on its way.
#[derive(Clone, Copy)]
struct Line {
    head: u64,
    tail: u64,
}

/// What an account gets next, and on which links.
#[derive(Default)]
struct Desk {
    ready: VecDeque<u64>,
    links: Vec<LinkId>,
    /// The link whose turn it is.
    turn: usize,
}

/// Messages for services. They are lists within one map, so that storing one allocates nothing but its body.
pub(super) struct Store {
    messages: HashMap<u64, Stored>,
    lines: HashMap<(Number, usize), Line>,
    desks: Vec<Desk>,
    codes: HashMap<Number, usize>,
    /// The account that gets all other codes.
    others: Option<usize>,
}

impl Store {
    pub(super) fn new(accounts: &[Account]) -> Self {
        let named = accounts.iter().enumerate();
        let codes = named.flat_map(|(place, account)| account.short_codes.iter().map(move |code| (*code, place)));
        Self {
            messages: HashMap::new(),
            lines: HashMap::new(),
            desks: accounts.iter().map(|_| Desk::default()).collect(),
            codes: codes.collect(),
            others: accounts.iter().position(|account| account.short_codes.is_empty()),
        }
    }

    pub(super) fn add_link(&mut self, account: usize, link: LinkId) {
        self.desks[account].links.push(link);
    }

    pub(super) fn remove_link(&mut self, account: usize, link: LinkId) {
        self.desks[account].links.retain(|known| *known != link);
    }

    pub(super) fn has_link(&self, account: usize) -> bool {
        !self.desks[account].links.is_empty()
    }

    /// Puts the message at the end of its line; whether it is the head.
    fn line_up(&mut self, key: (Number, usize), serial: u64) -> bool {
        let Some(line) = self.lines.get_mut(&key) else {
            self.lines.insert(key, Line { head: serial, tail: serial });
            return true;
        };
        let last = core::mem::replace(&mut line.tail, serial);
        if let Some(last) = self.messages.get_mut(&last) {
            last.kind = Kind::InLine { behind: Some(serial) };
        }
        false
    }

    /// The head leaves its line; who is head now.
    fn leave_line(&mut self, sender: &Address, account: usize, behind: Option<u64>) -> Option<u64> {
        let key = (Number::of(sender).ok()?, account);
        match behind {
            Some(next) => self.lines.get_mut(&key)?.head = next,
            None => drop(self.lines.remove(&key)),
        }
        behind
    }
}

impl MessageCentre {
    /// A phone sends a message to a service. `from` is its number in international form, with `+` or without.
    ///
    /// # Errors
    /// When it cannot be stored; nothing happened then.
    pub fn originate(
        &mut self,
        now: Duration,
        from: &str,
        to_short_code: &str,
        body: impl Into<Body>,
        data_coding: u8,
        esm_class: u8,
    ) -> Result<(), NotOriginated> {
        self.now = now;
        let stored = self.judge(from, to_short_code, body.into(), data_coding, esm_class);
        let (sender, stored) = stored.inspect_err(|_| self.counters.originated_refused += 1)?;
        self.counters.originated += 1;
        let (account, serial) = (stored.account, self.next_serial());
        self.store.messages.insert(serial, stored);
        if self.random.chance(self.faults.to_service.reorder) {
            self.counters.reordered += 1;
            self.set_kind(serial, Kind::Free);
            self.hold(serial);
        } else if self.store.line_up((sender, account), serial) {
            self.set_off(serial);
        }
        self.forward(account);
        Ok(())
    }

    fn judge(
        &self,
        from: &str,
        to: &str,
        body: Body,
        data_coding: u8,
        esm_class: u8,
    ) -> Result<(Number, Stored), NotOriginated> {
        let (from, to) = (Number::try_from(from)?, Number::try_from(to)?);
        let account = self.store.codes.get(&to).copied().or(self.store.others).ok_or(NotOriginated::NoService)?;
        if body.len() > ORIGINATED_OCTETS {
            return Err(NotOriginated::TooLong);
        }
        if self.store.messages.len() >= self.settings.stored {
            return Err(NotOriginated::Full);
        }
        let message = ShortMessage {
            source: Address { ton: 1, npi: 1, digits: from.digits() },
            destination: Address { ton: 3, npi: 0, digits: to.digits() },
            esm_class,
            data_coding,
            body,
            ..Default::default()
        };
        let expires = self.now + self.settings.keep_for;
        let kind = Kind::InLine { behind: None };
        Ok((from, Stored { message, account, expires, attempts: 0, kind, withheld: None }))
    }

    /// Stores a receipt. `delay`: how late it is, [`Duration::ZERO`] for at once.
    pub(super) fn put_receipt(
        &mut self,
        account: usize,
        message: ShortMessage,
        delay: Duration,
        withheld: Option<Answer>,
    ) {
        if self.store.messages.len() >= self.settings.stored {
            self.counters.receipts_lost += 1;
            return withheld.into_iter().for_each(|answer| self.accept(answer));
        }
        self.counters.receipts += 1;
        let (serial, expires) = (self.next_serial(), self.now + self.settings.keep_for);
        let stored = Stored { message, account, expires, attempts: 0, kind: Kind::Receipt, withheld };
        self.store.messages.insert(serial, stored);
        if delay.is_zero() {
            self.make_ready(serial);
            self.forward(account);
        } else {
            self.set_timer(self.now + delay, Timer::Ready(serial));
        }
    }

    /// The head of a line starts on its way.
    fn set_off(&mut self, serial: u64) {
        if self.random.chance(self.faults.to_service.delay) {
            self.counters.delayed += 1;
            self.hold(serial);
        } else {
            self.make_ready(serial);
        }
    }

    fn hold(&mut self, serial: u64) {
        let delay = self.random.up_to(self.faults.delay_up_to);
        self.set_timer(self.now + delay, Timer::Ready(serial));
    }

    fn set_kind(&mut self, serial: u64, kind: Kind) {
        if let Some(stored) = self.store.messages.get_mut(&serial) {
            stored.kind = kind;
        }
    }

    pub(super) fn make_ready(&mut self, serial: u64) {
        if let Some(stored) = self.store.messages.get(&serial) {
            self.store.desks[stored.account].ready.push_back(serial);
        }
    }

    pub(super) fn forward_all(&mut self) {
        (0..self.store.desks.len()).for_each(|account| self.forward(account));
    }

    /// Gives an account's links what they have room for.
    pub(super) fn forward(&mut self, account: usize) {
        while let Some(&serial) = self.store.desks[account].ready.front() {
            let expired = self.store.messages.get(&serial).is_none_or(|stored| stored.expires <= self.now);
            if expired {
                self.store.desks[account].ready.pop_front();
                self.counters.deliveries_expired += 1;
                self.finish(serial);
                continue;
            }
            let Some(link) = self.link_with_room(account) else { break };
            self.store.desks[account].ready.pop_front();
            if !self.send(link, serial) {
                break;
            }
        }
    }

    /// In turn.
    fn link_with_room(&mut self, account: usize) -> Option<LinkId> {
        let desk = &mut self.store.desks[account];
        for _ in 0..desk.links.len() {
            desk.turn = (desk.turn + 1) % desk.links.len();
            let id = desk.links[desk.turn];
            let room = self.links.get(&id).is_some_and(|link| {
                let session = &link.session;
                session.is_bound() && session.in_flight() + session.queued() < self.settings.link.window
            });
            if room {
                return Some(id);
            }
        }
        None
    }

    /// Whether the link took it.
    fn send(&mut self, id: LinkId, serial: u64) -> bool {
        let (Some(link), Some(stored)) = (self.links.get_mut(&id), self.store.messages.get_mut(&serial)) else {
            return true;
        };
        match link.session.deliver(self.now, stored.message.clone(), serial) {
            Ok(()) => {
                stored.attempts = stored.attempts.saturating_add(1);
                self.counters.deliveries += 1;
                self.counters.redeliveries += u64::from(stored.attempts > 1);
                let withheld = stored.withheld.take();
                withheld.into_iter().for_each(|answer| self.accept(answer));
                true
            }
            Err(refused) if refused.why == Refusal::TooLong => {
                self.counters.deliveries_refused += 1;
                self.finish(serial);
                true
            }
            Err(_) => {
                self.not_sent(serial);
                false
            }
        }
    }

    /// A service has answered a deliver_sm.
    pub(super) fn answered(&mut self, serial: u64, result: Result<(), Status>) {
        match result.map_err(Status::kind) {
            Ok(()) if self.random.chance(self.faults.to_service.lose_answer) => {
                self.counters.answers_lost += 1;
                self.retry(serial);
            }
            Ok(()) => self.taken(serial),
            Err(StatusKind::Final) => {
                self.counters.deliveries_refused += 1;
                self.finish(serial);
            }
            Err(_) => {
                self.counters.deliveries_refused_for_now += 1;
                self.retry(serial);
            }
        }
    }

    /// No answer came: in time, or at all because the link was lost. Then there is nothing to wait for.
    pub(super) fn unanswered(&mut self, serial: u64, lost: bool) {
        self.counters.deliveries_unanswered += 1;
        if lost { self.not_sent(serial) } else { self.retry(serial) }
    }

    /// It goes with the next link, before all others.
    pub(super) fn not_sent(&mut self, serial: u64) {
        if let Some(stored) = self.store.messages.get(&serial) {
            self.store.desks[stored.account].ready.push_front(serial);
        }
    }

    fn retry(&mut self, serial: u64) {
        self.set_timer(self.now + self.settings.retry_after, Timer::Ready(serial));
    }

    /// The service has taken it.
    fn taken(&mut self, serial: u64) {
        let Some(stored) = self.store.messages.get_mut(&serial) else { return };
        match stored.kind {
            Kind::Receipt => self.counters.receipts_delivered += 1,
            Kind::Copy => {}
            Kind::InLine { .. } | Kind::Free => {
                self.counters.delivered += 1;
                if self.random.chance(self.faults.to_service.duplicate) {
                    self.counters.duplicated += 1;
                    let was = core::mem::replace(&mut stored.kind, Kind::Copy);
                    let (sender, account) = (stored.message.source, stored.account);
                    self.set_off_next(&sender, account, was);
                    return self.hold(serial);
                }
            }
        }
        self.finish(serial);
    }

    /// It leaves the store.
    fn finish(&mut self, serial: u64) {
        let Some(stored) = self.store.messages.remove(&serial) else { return };
        stored.withheld.into_iter().for_each(|answer| self.accept(answer));
        self.set_off_next(&stored.message.source, stored.account, stored.kind);
    }

    /// A message that was of this kind is done: the next of its line, if it was in one, sets off.
    fn set_off_next(&mut self, sender: &Address, account: usize, was: Kind) {
        if let Kind::InLine { behind } = was
            && let Some(next) = self.store.leave_line(sender, account, behind)
        {
            self.set_off(next);
        }
    }
}
