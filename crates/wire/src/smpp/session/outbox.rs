//! Own messages: waiting, in flight, thrown back.

use super::config::{Bucket, LinkConfig};
use crate::smpp::pdu::ShortMessage;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

/// sequence_number runs from 1 to this and starts over (SMPP 3.4, 5.1.4).
const SEQUENCES: u64 = 0x7FFF_FFFF;

/// Numbers all requests of one side. The serial never repeats; the sequence_number on the wire derives from it.
pub(super) struct Serials(u64);

impl Serials {
    pub(super) fn new() -> Self {
        Self(0)
    }

    pub(super) fn next(&mut self) -> (u64, u32) {
        let serial = self.0;
        self.0 += 1;
        (serial, (serial % SEQUENCES + 1) as u32)
    }

    /// The newest serial that carried this sequence_number.
    pub(super) fn of(&self, sequence: u32) -> Option<u64> {
        let place = u64::from(sequence).checked_sub(1).filter(|place| *place < SEQUENCES)?;
        let newest = self.0.checked_sub(1)?;
        newest.checked_sub((newest % SEQUENCES + SEQUENCES - place) % SEQUENCES)
    }
}

pub(super) struct Outgoing {
    /// Place in the order of submission.
    order: u64,
    pub(super) token: u64,
    pub(super) message: ShortMessage,
}

struct InFlight {
    outgoing: Outgoing,
    deadline: Duration,
}

/// Own messages in the order they were submitted. A throttled message goes back to its old place.
pub(super) struct Outbox {
    waiting: VecDeque<Outgoing>,
    thrown_back: BTreeMap<u64, Outgoing>,
    in_flight: BTreeMap<u64, InFlight>,
    submitted: u64,
    bucket: Option<Bucket>,
    paused_until: Duration,
}

impl Outbox {
    pub(super) fn new(link: &LinkConfig) -> Self {
        Self {
            waiting: VecDeque::new(),
            thrown_back: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            submitted: 0,
            bucket: link.rate.map(Bucket::new),
            paused_until: Duration::ZERO,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len() + self.thrown_back.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(super) fn push(&mut self, token: u64, message: ShortMessage) {
        self.waiting.push_back(Outgoing { order: self.submitted, token, message });
        self.submitted += 1;
    }

    /// When the next message may go, if one waits and the window has room.
    pub(super) fn ready_at(&self, window: usize) -> Option<Duration> {
        let possible = self.waiting() > 0 && self.in_flight.len() < window;
        let bucket = self.bucket.as_ref().map_or(Duration::ZERO, Bucket::ready_at);
        possible.then_some(self.paused_until.max(bucket))
    }

    /// Takes the next message; [`Outbox::ready_at`] has said that it may go.
    pub(super) fn take(&mut self, now: Duration) -> Option<Outgoing> {
        let next = match self.thrown_back.pop_first() {
            Some((_, outgoing)) => outgoing,
            None => self.waiting.pop_front()?,
        };
        if let Some(bucket) = &mut self.bucket {
            bucket.take(now);
        }
        Some(next)
    }

    pub(super) fn sent(&mut self, serial: u64, outgoing: Outgoing, deadline: Duration) {
        self.in_flight.insert(serial, InFlight { outgoing, deadline });
    }

    pub(super) fn answered(&mut self, serial: u64) -> Option<Outgoing> {
        self.in_flight.remove(&serial).map(|in_flight| in_flight.outgoing)
    }

    /// The message was refused as too fast. Whether this began a pause (and did not fall into one).
    pub(super) fn throw_back(&mut self, outgoing: Outgoing, now: Duration, until: Duration) -> bool {
        self.thrown_back.insert(outgoing.order, outgoing);
        let begins = self.paused_until <= now;
        self.paused_until = self.paused_until.max(until);
        begins
    }

    /// The earliest deadline of a response. Deadlines rise with serials.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.in_flight.first_key_value().map(|(_, first)| first.deadline)
    }

    /// Removes a message whose response is overdue.
    pub(super) fn expire(&mut self, now: Duration) -> Option<Outgoing> {
        let first = self.in_flight.first_entry()?;
        (first.get().deadline <= now).then(|| first.remove().outgoing)
    }

    /// Gives up all that is in flight: the tokens of messages whose fate is unknown.
    pub(super) fn abandon_in_flight(&mut self) -> Vec<u64> {
        let in_flight = core::mem::take(&mut self.in_flight);
        in_flight.into_values().map(|in_flight| in_flight.outgoing.token).collect()
    }

    /// Gives up all that waits: the tokens of messages that the peer has not got.
    pub(super) fn abandon_waiting(&mut self) -> Vec<u64> {
        let thrown_back = core::mem::take(&mut self.thrown_back).into_values();
        let waiting = core::mem::take(&mut self.waiting);
        thrown_back.chain(waiting).map(|outgoing| outgoing.token).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_stay_in_range_and_lead_back_to_their_serial_across_the_wrap() {
        for start in [0, 5, SEQUENCES - 3, SEQUENCES, 3 * SEQUENCES - 2] {
            let mut serials = Serials(start);
            let given: Vec<_> = (0..8).map(|_| serials.next()).collect();
            for (serial, sequence) in given {
                assert!((1..=0x7FFF_FFFF).contains(&sequence));
                assert_eq!(serials.of(sequence), Some(serial));
            }
            assert_eq!(serials.of(0), None);
            assert_eq!(serials.of(0x8000_0000), None);
        }
        let mut serials = Serials::new();
        assert_eq!(serials.of(1), None);
        serials.next();
        assert_eq!(serials.of(2), None);
    }
}
