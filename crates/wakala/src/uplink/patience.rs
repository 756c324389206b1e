//! Answers to malformed messages are limited by sender, so that a loop of two machines, or a spammer, costs no texts.

use std::collections::HashMap;

use transaction_processing::Msisdn;
use transaction_processing::time::Time;

const HOUR_MS: i64 = 3_600_000;

/// How often each sender was advised in the current hour.
pub struct Patience {
    per_hour: u32,
    most: usize,
    senders: HashMap<Msisdn, (i64, u32)>,
}

impl Patience {
    /// So many answers a sender and hour, counted for at most so many senders: at the bound those of past hours are forgotten,
    /// and if none is, new ones get no answer.
    pub fn new(per_hour: u32, most: usize) -> Patience {
        Patience { per_hour, most, senders: HashMap::new() }
    }

    /// Whether this sender is answered once more; counts it.
    pub fn answers(&mut self, to: Msisdn, now: Time) -> bool {
        let hour = now.0.div_euclid(HOUR_MS);
        if self.senders.len() >= self.most && !self.senders.contains_key(&to) {
            self.senders.retain(|_, (counted, _)| *counted == hour);
            if self.senders.len() >= self.most {
                return false;
            }
        }
        let (counted, times) = self.senders.entry(to).or_insert((hour, 0));
        if *counted != hour {
            (*counted, *times) = (hour, 0);
        }
        *times = times.saturating_add(1);
        *times <= self.per_hour
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_advised_so_often_an_hour_and_others_are_not_affected() {
        let mut patience = Patience::new(2, 100);
        let number = |n: u64| Msisdn::new(255_712_000_000 + n).expect("a number");
        let answers: Vec<bool> = (0..4).map(|minute| patience.answers(number(1), Time(minute * 60_000))).collect();
        assert_eq!(answers, [true, true, false, false]);
        assert!(patience.answers(number(2), Time(0)));
        assert!(patience.answers(number(1), Time(HOUR_MS)));
    }
}
