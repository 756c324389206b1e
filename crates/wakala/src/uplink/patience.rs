//! What costs its asker nothing is rationed by sender: answers to malformed messages, so that a loop of two machines, or a
//! spammer, costs no texts; and receipts asked about, so that guessing references does not pay.

use std::collections::HashMap;

use transaction_processing::Msisdn;
use transaction_processing::ids::TransferId;
use transaction_processing::time::Time;

const HOUR_MS: i64 = 3_600_000;

/// So much for each sender and hour.
#[derive(Clone, Copy)]
pub struct Rations {
    /// Answers to malformed messages.
    pub answers: u32,
    /// Receipts asked about. The same one again is no other: a centre may deliver a question more than once.
    pub receipts: u32,
    /// Senders counted at most. At the bound a further one gets nothing until the next hour.
    pub senders: usize,
}

/// What each sender had in the current hour.
pub struct Patience {
    rations: Rations,
    hour: i64,
    senders: HashMap<Msisdn, Had>,
}

#[derive(Default)]
struct Had {
    answers: u32,
    /// None for whatever is no reference.
    receipts: Vec<Option<TransferId>>,
}

impl Patience {
    /// Nobody had anything yet.
    pub fn new(rations: Rations) -> Patience {
        Patience { rations, hour: 0, senders: HashMap::new() }
    }

    /// Whether this sender of malformed messages is answered once more; counts it.
    pub fn answers(&mut self, to: Msisdn, now: Time) -> bool {
        let most = self.rations.answers;
        let Some(had) = self.had(to, now) else { return false };
        had.answers = had.answers.saturating_add(1);
        had.answers <= most
    }

    /// Whether this sender may know whether this receipt is genuine; counts it.
    pub fn tells(&mut self, to: Msisdn, receipt: Option<TransferId>, now: Time) -> bool {
        let most = self.rations.receipts as usize;
        let Some(had) = self.had(to, now) else { return false };
        if had.receipts.contains(&receipt) {
            return true;
        }
        let has_room = had.receipts.len() < most;
        if has_room {
            had.receipts.push(receipt);
        }
        has_room
    }

    fn had(&mut self, sender: Msisdn, now: Time) -> Option<&mut Had> {
        let hour = now.0.div_euclid(HOUR_MS);
        if hour != self.hour {
            self.hour = hour;
            self.senders.clear();
        }
        let is_full = self.senders.len() >= self.rations.senders && !self.senders.contains_key(&sender);
        (!is_full).then(|| self.senders.entry(sender).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience::new(Rations { answers: 2, receipts: 2, senders: 3 })
    }

    fn number(n: u64) -> Msisdn {
        Msisdn::new(255_712_000_000 + n).expect("a number")
    }

    #[test]
    fn a_sender_is_advised_so_often_an_hour_and_others_are_not_affected() {
        let mut patience = patience();
        let answers: Vec<bool> = (0..4).map(|minute| patience.answers(number(1), Time(minute * 60_000))).collect();
        assert_eq!(answers, [true, true, false, false]);
        assert!(patience.answers(number(2), Time(0)));
        assert!(patience.answers(number(1), Time(HOUR_MS)));
    }

    #[test]
    fn a_sender_learns_of_so_many_receipts_an_hour_and_of_the_same_again() {
        let mut patience = patience();
        let mut tells = |receipt, now| patience.tells(number(1), receipt, Time(now));
        let receipt = |n| Some(TransferId(n));
        assert_eq!([receipt(1), None, receipt(2), receipt(3)].map(|asked| tells(asked, 0)), [true, true, false, false]);
        assert_eq!([receipt(1), None].map(|asked| tells(asked, HOUR_MS - 1)), [true, true], "no other ones");
        assert!(tells(receipt(2), HOUR_MS));
    }

    #[test]
    fn no_more_senders_are_counted_than_the_bound_until_the_next_hour() {
        let mut patience = patience();
        let told = [1, 2, 3, 4, 1].map(|n| patience.tells(number(n), None, Time(0)));
        assert_eq!(told, [true, true, true, false, true]);
        assert!(!patience.answers(number(4), Time(0)));
        assert_eq!(patience.senders.len(), 3);
        assert!(patience.answers(number(4), Time(HOUR_MS)));
    }
}
