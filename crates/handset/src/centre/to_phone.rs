//! From services to phones: submit_sm, presence, receipts.

use super::receipts::{Submission, message_id};
use super::settings::Presence;
use super::{Answer, CentreEvent, LinkId, MessageCentre, Timer};
use crate::number::Number;
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use wire::smpp::{MessageState, ShortMessage, Status};

/// Presences are kept for [`Settings::phones`](super::Settings::phones) phones, and this would be one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many phones")]
pub struct TooManyPhones;

/// A message on its way to a phone.
pub(super) struct Arriving {
    number: Number,
    message: ShortMessage,
    submission: Submission,
    /// It has arrived before; nothing is reported about it.
    copy: bool,
}

#[derive(Default)]
struct Phone {
    presence: Option<Presence>,
    /// In the order they arrived; those that expired are gone from `Phones::waiting`.
    waiting: VecDeque<u64>,
}

/// The phones about which there is something to know.
#[derive(Default)]
pub(super) struct Phones {
    by_number: HashMap<Number, Phone>,
    waiting: HashMap<u64, Arriving>,
    /// Messages in the event queue.
    untaken: usize,
    /// Messages that a fault holds.
    held: usize,
}

impl Phones {
    pub(super) fn taken(&mut self) {
        self.untaken -= 1;
    }

    fn count(&self) -> usize {
        self.waiting.len() + self.untaken + self.held
    }
}

impl MessageCentre {
    /// Switches a phone on or off, or makes it unreachable. What waited for it arrives, or ends as UNDELIV.
    ///
    /// # Errors
    /// When too many phones have been switched.
    pub fn set_presence(&mut self, now: Duration, number: Number, presence: Presence) -> Result<(), TooManyPhones> {
        self.now = now;
        let full = self.phones.by_number.len() >= self.settings.phones;
        if full && !self.phones.by_number.contains_key(&number) {
            return Err(TooManyPhones);
        }
        let phone = self.phones.by_number.entry(number).or_default();
        phone.presence = Some(presence);
        if presence != Presence::Off {
            for serial in core::mem::take(&mut phone.waiting) {
                if let Some(arriving) = self.phones.waiting.remove(&serial) {
                    self.timers.remove(&(arriving.submission.expires, serial));
                    self.arrive(arriving);
                }
            }
        }
        Ok(())
    }

    /// Whether a phone is on.
    #[must_use]
    pub fn presence(&self, number: Number) -> Presence {
        let known = self.phones.by_number.get(&number).and_then(|phone| phone.presence);
        known.unwrap_or(self.settings.presence)
    }

    /// Messages that wait for phones that are off.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.phones.waiting.len()
    }

    /// A service submits a message.
    pub(super) fn submitted(&mut self, link: LinkId, sequence: u32, message: ShortMessage) {
        self.counters.submitted += 1;
        let account = self.links.get(&link).and_then(|link| link.account);
        let judged = self.judge_submit(account, &message);
        let (number, submission) = match judged {
            Ok(accepted) => accepted,
            Err(status) => {
                match status {
                    Status::THROTTLED => self.counters.throttled += 1,
                    Status::QUEUE_FULL => self.counters.queue_full += 1,
                    _ => self.counters.rejected += 1,
                }
                if let Some(link) = self.links.get_mut(&link) {
                    link.session.respond(sequence, status);
                }
                return;
            }
        };
        self.counters.accepted += 1;
        self.answer(Answer { link, sequence, id: submission.id, timer: None }, &submission);
        let arriving = Arriving { number, message, submission, copy: false };
        let disturbance = self.faults.to_phone;
        if self.random.chance(disturbance.delay) || self.random.chance(disturbance.reorder) {
            self.counters.phone_delayed += 1;
            self.hold_arriving(arriving);
        } else {
            self.arrive(arriving);
        }
        // No receipt was made now, so there is nothing to wait for.
        self.withheld.take().into_iter().for_each(|answer| self.accept(answer));
    }

    fn judge_submit(&mut self, account: Option<usize>, message: &ShortMessage) -> Result<(Number, Submission), Status> {
        if self.random.chance(self.faults.throttle) {
            return Err(Status::THROTTLED);
        }
        if self.random.chance(self.faults.queue_full) || self.phones.count() >= self.settings.held {
            return Err(Status::QUEUE_FULL);
        }
        let account = account.ok_or(Status::INCORRECT_BIND_STATUS)?;
        let number = Number::of(&message.destination).map_err(|_| Status::INVALID_DESTINATION)?;
        if !message.schedule.is_empty() {
            return Err(Status::INVALID_SCHEDULE);
        }
        let end = self.calendar.end(&message.validity, self.now).map_err(|_| Status::INVALID_EXPIRY)?;
        let submission = Submission {
            account,
            id: self.next_serial(),
            source: message.source,
            destination: message.destination,
            registered_delivery: message.registered_delivery,
            submitted: self.now,
            expires: end.unwrap_or(self.now + self.settings.validity),
        };
        Ok((number, submission))
    }

    /// Answers now, with the first receipt, or so late that the answer is lost.
    fn answer(&mut self, answer: Answer, submission: &Submission) {
        if self.random.chance(self.faults.to_phone.lose_answer) {
            self.counters.phone_answers_lost += 1;
            self.answer_by(self.now + self.faults.lost_answer_after, answer);
        } else if self.settings.receipts.before_response
            && submission.registered_delivery & 0b11 != 0
            && self.store.has_link(submission.account)
        {
            // The receipt goes when a link has room. No answer waits for that longer than half the usual patience.
            let answer = self.answer_by(self.now + self.settings.link.response_timeout / 2, answer);
            self.withheld = Some(answer);
        } else {
            self.accept(answer);
        }
    }

    /// Answers a submit_sm with its id, if it has not been and its link is still there.
    pub(super) fn accept(&mut self, answer: Answer) {
        answer.timer.and_then(|key| self.timers.remove(&key));
        if let Some(link) = self.links.get_mut(&answer.link) {
            link.session.accept_submit(answer.sequence, message_id(answer.id, self.settings.id_form));
        }
    }

    fn hold_arriving(&mut self, arriving: Arriving) {
        self.phones.held += 1;
        let delay = self.random.up_to(self.faults.delay_up_to);
        self.set_timer(self.now + delay, Timer::Arrive(Box::new(arriving)));
    }

    /// A held message arrives.
    pub(super) fn arrive_late(&mut self, arriving: Arriving) {
        self.phones.held -= 1;
        self.arrive(arriving);
    }

    fn arrive(&mut self, arriving: Arriving) {
        let presence = self.presence(arriving.number);
        let unlucky = !arriving.copy && self.random.chance(self.faults.undeliverable);
        match presence {
            _ if arriving.submission.expires <= self.now => self.ended(&arriving, MessageState::Expired),
            Presence::Unreachable => self.ended(&arriving, MessageState::Undeliverable),
            _ if unlucky => self.ended(&arriving, MessageState::Undeliverable),
            Presence::Off => self.wait(arriving),
            Presence::On => self.hand_over(arriving),
        }
    }

    fn hand_over(&mut self, arriving: Arriving) {
        if !arriving.copy {
            self.counters.to_phones += 1;
            self.report(&arriving.submission, MessageState::Delivered);
            if self.random.chance(self.faults.to_phone.duplicate) {
                self.counters.phone_duplicated += 1;
                self.hold_arriving(Arriving { message: arriving.message.clone(), copy: true, ..arriving });
            }
        }
        let Arriving { number, message, .. } = arriving;
        self.phones.untaken += 1;
        self.events.push_back(CentreEvent::ToPhone { number, message });
    }

    fn wait(&mut self, arriving: Arriving) {
        let (serial, submission) = (self.next_serial(), arriving.submission);
        self.phones.by_number.entry(arriving.number).or_default().waiting.push_back(serial);
        self.timers.insert((submission.expires, serial), Timer::Expire(serial));
        if !arriving.copy {
            self.report(&submission, MessageState::Enroute);
        }
        self.phones.waiting.insert(serial, arriving);
    }

    /// The validity of a message that waits for its phone has ended.
    pub(super) fn expire(&mut self, serial: u64) {
        let Some(arriving) = self.phones.waiting.remove(&serial) else { return };
        if let Some(phone) = self.phones.by_number.get_mut(&arriving.number) {
            phone.waiting.retain(|waiting| *waiting != serial);
            if phone.presence.is_none() && phone.waiting.is_empty() {
                self.phones.by_number.remove(&arriving.number);
            }
        }
        self.ended(&arriving, MessageState::Expired);
    }

    fn ended(&mut self, arriving: &Arriving, state: MessageState) {
        if arriving.copy {
            return;
        }
        match state {
            MessageState::Expired => self.counters.expired += 1,
            _ => self.counters.undeliverable += 1,
        }
        self.report(&arriving.submission, state);
    }

    /// Sends the receipts that are wanted.
    fn report(&mut self, submission: &Submission, state: MessageState) {
        let settings = &self.settings.receipts;
        let Some(esm_class) = submission.wants(state, settings.enroute) else { return };
        let message = submission.receipt(state, esm_class, self.now, settings, self.calendar);
        let (late, twice, disorder) = (settings.late, settings.twice, settings.disorder);
        let again = self.random.chance(twice).then(|| message.clone());
        self.counters.receipts_twice += u64::from(again.is_some());
        for message in [Some(message), again].into_iter().flatten() {
            let held = self.random.chance(disorder).then(|| self.random.up_to(self.faults.delay_up_to));
            self.counters.receipts_held += u64::from(held.is_some());
            let delay = late + held.unwrap_or_default();
            let withheld = if delay.is_zero() { self.withheld.take() } else { None };
            self.counters.receipts_early += u64::from(withheld.is_some());
            self.put_receipt(submission.account, message, delay, withheld);
        }
    }
}
