//! Follows each notice from its row to its receipt, or to the end of its validity: rendered, sealed, cut into parts, handed to
//! a message centre, tried again where it is known undelivered. Without sockets or clock: the time comes in with every call.
//!
//! What is of a row survives a restart: its states go out as [`MessageChange`]s, and recovery tells it again. What is of no row
//! (an answer that changed nothing) lives here only, and the message that asked for it is acknowledged when a centre has the
//! answer.
//!
//! Bounds: notices that wait to be sent are at most [`Settings::most_waiting`], and all that is under way at most
//! [`MOST_FOLLOWED`]; when there is no room, the caller leaves them in the log and comes back. Messages whose receipt is awaited
//! are at most [`MOST_AWAITED`]; at the bound the oldest counts as lapsed, its receipt unheard. Receipts that came before the
//! answer to their message are kept while messages are with links, `MOST_EARLY` of them; at the bound the oldest is dropped.

mod compose;
mod entry;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use data_center::{Message, MessageChange, MessageState, NoticeId};
use encryption::Keys;
use transaction_processing::Notice;
use transaction_processing::ids::{Iccid, Sequence};
use transaction_processing::time::Time;
use wire::smpp::{Address, MessageId, MessageState as Reported, Receipt, ShortMessage, Status, StatusKind};
use wire::sms::DefaultAlphabet;

use super::{Catalogues, Style};
use crate::uplink::Advice;
use entry::{Entry, Part};

/// Messages whose receipt is awaited at once.
pub const MOST_AWAITED: usize = 400_000;

/// Notices under way in all: waiting, with links, to be tried again later, awaited.
pub const MOST_FOLLOWED: usize = 500_000;

/// Receipts that came before the answer to their message, kept until it does.
const MOST_EARLY: usize = 4_096;

/// Settled rows are told to the data centre in steps of so many.
const SETTLED_STEP: u64 = 256;

/// A message centre, as the outbox must know it.
pub struct Centre {
    /// What its data_coding 0 means.
    pub alphabet: DefaultAlphabet,
    /// From where messages come: the short code in this centre's numbering.
    pub source: Address,
    /// Whether parts bear 16-bit references instead of 8-bit ones.
    pub wide_references: bool,
    /// Numbers whose messages go through it, by their first digits; none for all that no other names.
    pub prefixes: Vec<String>,
}

/// How messages are followed.
pub struct Settings {
    /// The centres, by their number in the configuration.
    pub centres: Vec<Centre>,
    /// How long centres keep trying, seconds.
    pub validity_seconds: u32,
    /// How often a message known undelivered is sent again.
    pub resends: u16,
    /// The wait before the first of these, seconds; it doubles.
    pub resend_after_seconds: u32,
    /// Notices that wait to be sent, at most.
    pub most_waiting: usize,
    /// The reference that joins the first parts, drawn anew at every start: a phone may still hold parts of before, and would
    /// join them with others of the same reference.
    pub first_reference: u16,
}

/// Names one part of one message while it is with a link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Token(pub u64);

/// Something to hand to a link.
pub struct Submission {
    /// What the link names it by.
    pub token: Token,
    /// Through which centre.
    pub centre: u16,
    /// The message.
    pub message: ShortMessage,
}

/// What became of a submission.
pub enum Submitted {
    /// The centre has it, under this id.
    Accepted(MessageId),
    /// The centre refused it.
    Refused(Status),
    /// The link ended before the answer: the centre may have it. A text twice is better than none.
    Unknown,
    /// It never left.
    Unsent,
}

/// What is told: from a row, or once.
pub enum Told {
    /// A notice of the log.
    Logged {
        /// Its name.
        id: NoticeId,
        /// When its row was made.
        at: Time,
        /// What is to be told.
        notice: Notice,
        /// What became of it before a restart.
        before: Option<Message>,
    },
    /// An answer of no row.
    Answer {
        /// What is to be told.
        notice: Notice,
        /// The message that waits for it.
        asked: Asked,
    },
    /// An answer to what was no request.
    Advice {
        /// What is wrong with it.
        advice: Advice,
        /// The message that waits for it.
        asked: Asked,
    },
}

/// Names an inbound message that is acknowledged when its answer is with a centre.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Asked(pub u64);

/// What comes of the outbox.
pub enum Event {
    /// The answer to this inbound message is with a centre.
    Handed(Asked),
    /// The answer to this inbound message could not be handed over in time; let it be asked again.
    NotHanded(Asked),
    /// A message was given up: for care to see.
    GivenUp {
        /// What it was to tell.
        id: NoticeId,
        /// Undelivered or lapsed.
        state: MessageState,
    },
}

/// How long an answer of no row may wait for a centre, milliseconds, before the message that asked for it is given back.
const ANSWER_PATIENCE_MS: i64 = 6_000;

/// The outbox.
pub struct Outbox {
    settings: Settings,
    keys: Arc<dyn Keys>,
    catalogues: Arc<Catalogues>,
    style: Style,
    /// Everything under way, by its key: the packed notice, or above [`UNLOGGED`] what is of no row.
    entries: BTreeMap<u64, Entry>,
    next_unlogged: u64,
    /// To be sent, in order, by centre: one that is down does not hold up the others.
    waiting: Vec<VecDeque<u64>>,
    /// To be looked at again: a retry, or the end of a validity.
    timers: BTreeSet<(Time, u64)>,
    next_token: u64,
    /// The parts that are with links: whose, and which.
    with_links: HashMap<Token, (u64, u8)>,
    awaited: BTreeSet<u64>,
    by_message_id: HashMap<(u16, MessageId), (u64, u8)>,
    early: HashMap<(u16, MessageId), Reported>,
    early_in_order: VecDeque<(u16, MessageId)>,
    /// The counter last used with each card; only those ahead of the clock matter.
    counters: HashMap<Iccid, u64>,
    /// The reference that the next parts bear.
    next_reference: u16,
    changes: VecDeque<MessageChange>,
    events: VecDeque<Event>,
    /// The last row of which notices were told, and the last that was reported settled.
    told_up_to: Sequence,
    settled: Sequence,
}

/// Keys from here on are of no row.
const UNLOGGED: u64 = 1 << 62;

impl Outbox {
    /// An empty outbox.
    pub fn new(settings: Settings, keys: Arc<dyn Keys>, catalogues: Arc<Catalogues>, style: Style) -> Outbox {
        let waiting = settings.centres.iter().map(|_| VecDeque::new()).collect();
        let next_reference = settings.first_reference;
        Outbox {
            settings,
            keys,
            catalogues,
            style,
            entries: BTreeMap::new(),
            next_unlogged: UNLOGGED,
            waiting,
            timers: BTreeSet::new(),
            next_token: 0,
            with_links: HashMap::new(),
            awaited: BTreeSet::new(),
            by_message_id: HashMap::new(),
            early: HashMap::new(),
            early_in_order: VecDeque::new(),
            counters: HashMap::new(),
            next_reference,
            changes: VecDeque::new(),
            events: VecDeque::new(),
            told_up_to: Sequence(0),
            settled: Sequence(0),
        }
    }

    /// Whether it takes more notices of the log.
    pub fn has_room(&self) -> bool {
        self.waiting.iter().map(VecDeque::len).sum::<usize>() < self.settings.most_waiting
            && self.entries.len() < MOST_FOLLOWED
    }

    /// Messages that wait to be sent, are with links, and whose receipts are awaited.
    pub fn lengths(&self) -> (usize, usize, usize) {
        (self.waiting.iter().map(VecDeque::len).sum(), self.with_links.len(), self.awaited.len())
    }

    /// Takes something to tell.
    pub fn tell(&mut self, now: Time, told: Told) {
        match told {
            Told::Logged { id, at, notice, before } => self.tell_logged(now, id, at, notice, before),
            Told::Answer { notice, asked } => self.tell_once(now, Entry::answer(now, notice, asked)),
            Told::Advice { advice, asked } => self.tell_once(now, Entry::advice(now, advice, asked)),
        }
    }

    fn tell_once(&mut self, now: Time, entry: Entry) {
        let key = self.next_unlogged;
        self.next_unlogged += 1;
        self.timers.insert((Time(now.0 + ANSWER_PATIENCE_MS), key));
        self.entries.insert(key, entry);
        self.wait_in_line(key);
    }

    fn wait_in_line(&mut self, key: u64) {
        let Some(entry) = self.entries.get(&key) else { return };
        let centre = self.route(entry.to());
        // Without centres nothing is ever sent; it lapses.
        if let Some(line) = self.waiting.get_mut(usize::from(centre)) {
            line.push_back(key);
        }
    }

    fn tell_logged(&mut self, now: Time, id: NoticeId, at: Time, notice: Notice, before: Option<Message>) {
        let key = id.packed().cast_unsigned();
        self.told_up_to = self.told_up_to.max(id.sequence);
        if self.entries.contains_key(&key) {
            return;
        }
        let lapses = at.plus_seconds(self.settings.validity_seconds);
        let lapses = notice.void_at.map_or(lapses, |void| void.min(lapses));
        let entry = Entry::logged(id, notice, lapses, before);
        self.timers.insert((lapses, key));
        let sent_before = entry.message_ids();
        self.entries.insert(key, entry);
        if lapses <= now {
            return self.give_up(now, key, MessageState::Lapsed);
        }
        match sent_before {
            Some(ids) => {
                for (part, (centre, message_id)) in ids.into_iter().enumerate() {
                    self.by_message_id.insert((centre, message_id), (key, part as u8));
                }
                self.await_receipt(now, key);
            }
            None => self.wait_in_line(key),
        }
    }

    /// The next message for a link whose centre is `ready`; the caller hands it over and reports what became of it.
    pub fn poll_submission(&mut self, now: Time, ready: impl Fn(u16) -> bool) -> Option<Submission> {
        for centre in (0..self.waiting.len() as u16).filter(|centre| ready(*centre)) {
            while let Some(key) = self.waiting.get_mut(usize::from(centre)).and_then(VecDeque::pop_front) {
                // What was given up meanwhile still stands in line.
                let Some(entry) = self.entries.get(&key) else { continue };
                if entry.unsent_part().is_none() && !self.compose(now, key, centre) {
                    continue;
                }
                let submission = self.take_part(key, centre);
                // Parts of one message go together: what is cut but not handed over stands first.
                if self.entries.get(&key).is_some_and(|entry| entry.unsent_part().is_some())
                    && let Some(line) = self.waiting.get_mut(usize::from(centre))
                {
                    line.push_front(key);
                }
                if submission.is_some() {
                    return submission;
                }
            }
        }
        None
    }

    fn take_part(&mut self, key: u64, centre: u16) -> Option<Submission> {
        let entry = self.entries.get_mut(&key)?;
        let part = entry.unsent_part()?;
        let message = entry.take_part(part)?;
        let token = Token(self.next_token);
        self.next_token += 1;
        self.with_links.insert(token, (key, part));
        Some(Submission { token, centre, message })
    }

    /// A link says what became of a submission; once for each.
    pub fn handle_submitted(&mut self, now: Time, token: Token, centre: u16, outcome: Submitted) {
        let Some((key, part)) = self.with_links.remove(&token) else { return };
        // What was given up meanwhile is of no interest any more.
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(held) = entry.parts.get_mut(usize::from(part)) else { return };
        *held = Part::Lost;
        match outcome {
            Submitted::Accepted(message_id) => match self.early.remove(&(centre, message_id)) {
                None => {
                    *held = Part::Accepted(centre, message_id);
                    self.by_message_id.insert((centre, message_id), (key, part));
                    self.accepted(now, key);
                }
                // Its receipt was acknowledged when it came and never comes again: no state may say that it is awaited.
                Some(Reported::Delivered) => {
                    *held = Part::Delivered(centre, message_id);
                    self.accepted(now, key);
                }
                Some(_) => {
                    entry.failed = true;
                    self.again_when_all_are_back(now, key);
                }
            },
            Submitted::Unknown | Submitted::Unsent => self.again_when_all_are_back(now, key),
            Submitted::Refused(status) if status.kind() == StatusKind::Final => {
                self.give_up(now, key, MessageState::Undelivered);
            }
            Submitted::Refused(_) => {
                entry.failed = true;
                self.again_when_all_are_back(now, key);
            }
        }
    }

    fn accepted(&mut self, now: Time, key: u64) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if !entry.is_accepted() {
            return self.again_when_all_are_back(now, key);
        }
        if let Some(asked) = entry.asked() {
            self.events.push_back(Event::Handed(asked));
            self.forget(key);
            return;
        }
        if entry.is_delivered() {
            return self.end(now, key, MessageState::Delivered);
        }
        self.changes.extend(entry.stands(MessageState::Sent, now));
        self.await_receipt(now, key);
    }

    fn await_receipt(&mut self, now: Time, key: u64) {
        self.awaited.insert(key);
        if self.awaited.len() > MOST_AWAITED
            && let Some(oldest) = self.awaited.pop_first()
        {
            self.end(now, oldest, MessageState::Lapsed);
        }
    }

    /// Tries a message again as a whole once no part of it is with a link or waits for one: at once where parts were only lost
    /// with a link, after a wait that doubles with every failure where one is known not to have arrived.
    fn again_when_all_are_back(&mut self, now: Time, key: u64) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if entry.is_with_link() {
            return;
        }
        let failed = std::mem::take(&mut entry.failed);
        if failed && entry.failures >= self.settings.resends {
            return self.give_up(now, key, MessageState::Undelivered);
        }
        self.unlist_ids(key);
        self.awaited.remove(&key);
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.begin_again();
        if failed {
            let wait = self.settings.resend_after_seconds.saturating_mul(1 << entry.failures.min(8));
            entry.failures += 1;
            self.changes.extend(entry.stands(MessageState::Retrying, now));
            self.timers.insert((now.plus_seconds(wait), key));
        } else {
            self.wait_in_line(key);
        }
    }

    /// A receipt came over a link of a centre. Whether it was of a message that is followed. It may be acknowledged when the
    /// changes that it made are durable.
    pub fn handle_receipt(&mut self, now: Time, centre: u16, receipt: &Receipt) -> bool {
        let name = (centre, receipt.message_id);
        if let Some(&(key, part)) = self.by_message_id.get(&name) {
            if receipt.state.is_final() {
                self.by_message_id.remove(&name);
                self.hear(now, key, part, receipt.state);
            }
            return true;
        }
        if receipt.state.is_final() && !self.with_links.is_empty() {
            self.keep_early(name, receipt.state);
        }
        false
    }

    fn keep_early(&mut self, name: (u16, MessageId), state: Reported) {
        if self.early.insert(name, state).is_none() {
            self.early_in_order.push_back(name);
        }
        if self.early_in_order.len() > MOST_EARLY
            && let Some(oldest) = self.early_in_order.pop_front()
        {
            self.early.remove(&oldest);
        }
    }

    /// The end of a part that a centre had.
    fn hear(&mut self, now: Time, key: u64, part: u8, state: Reported) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(held) = entry.parts.get_mut(usize::from(part)) else { return };
        let Part::Accepted(centre, message_id) = *held else { return };
        if state != Reported::Delivered {
            // Known undelivered: all of it goes again, within its validity.
            *held = Part::Lost;
            entry.failed = true;
            return self.again_when_all_are_back(now, key);
        }
        *held = Part::Delivered(centre, message_id);
        if entry.is_delivered() {
            self.end(now, key, MessageState::Delivered);
        } else if self.awaited.contains(&key) {
            self.changes.extend(entry.stands(MessageState::Sent, now));
        }
    }

    /// Looks at what is due. To be called at [`Outbox::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(&(at, key)) = self.timers.first()
            && at <= now
        {
            self.timers.pop_first();
            let Some(entry) = self.entries.get(&key) else { continue };
            if entry.lapses <= now {
                match entry.asked() {
                    Some(asked) => {
                        self.events.push_back(Event::NotHanded(asked));
                        self.forget(key);
                    }
                    None => self.give_up(now, key, MessageState::Lapsed),
                }
            } else if entry.rests() {
                self.wait_in_line(key);
            }
        }
    }

    /// When [`Outbox::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next thing to be made durable, in the order in which it happened.
    pub fn poll_change(&mut self) -> Option<MessageChange> {
        self.changes.pop_front().or_else(|| self.settled())
    }

    /// How much is to be made durable.
    pub fn changes(&self) -> usize {
        self.changes.len()
    }

    fn settled(&mut self) -> Option<MessageChange> {
        let open = self.entries.range(..UNLOGGED).next();
        let settled = open.map_or(self.told_up_to, |(key, _)| {
            let first = NoticeId::unpacked(key.cast_signed()).sequence;
            Sequence(first.0.saturating_sub(1))
        });
        if settled.0 < self.settled.0.saturating_add(SETTLED_STEP) {
            return None;
        }
        self.settled = settled;
        Some(MessageChange::SettledTo(settled))
    }

    fn give_up(&mut self, now: Time, key: u64, state: MessageState) {
        let Some(entry) = self.entries.get(&key) else { return };
        match (entry.asked(), entry.id()) {
            // Nobody can be told: the question is settled all the same.
            (Some(asked), _) => {
                self.events.push_back(Event::Handed(asked));
                self.forget(key);
            }
            (None, Some(id)) => {
                self.events.push_back(Event::GivenUp { id, state });
                self.end(now, key, state);
            }
            (None, None) => self.forget(key),
        }
    }

    fn end(&mut self, now: Time, key: u64, state: MessageState) {
        if let Some(entry) = self.entries.get_mut(&key) {
            self.changes.extend(entry.stands(state, now));
        }
        self.forget(key);
    }

    fn forget(&mut self, key: u64) {
        self.unlist_ids(key);
        self.awaited.remove(&key);
        if let Some(entry) = self.entries.remove(&key) {
            self.timers.remove(&(entry.lapses, key));
        }
    }

    fn unlist_ids(&mut self, key: u64) {
        let Some(entry) = self.entries.get(&key) else { return };
        for part in &entry.parts {
            if let Part::Accepted(centre, id) | Part::Delivered(centre, id) = part {
                self.by_message_id.remove(&(*centre, *id));
            }
        }
    }

    /// The centre for a number: the longest prefix that fits, else the first centre that names none.
    fn route(&self, to: transaction_processing::Msisdn) -> u16 {
        let digits = to.digits().to_string();
        let fitting = |centre: &Centre| {
            let longest =
                centre.prefixes.iter().filter(|prefix| digits.starts_with(prefix.as_str())).map(String::len).max();
            longest.or(centre.prefixes.is_empty().then_some(0))
        };
        let best =
            self.settings.centres.iter().enumerate().filter_map(|(index, centre)| Some((fitting(centre)?, index)));
        best.max_by_key(|(length, index)| (*length, usize::MAX - index)).map_or(0, |(_, index)| index as u16)
    }
}

#[cfg(test)]
mod tests;
