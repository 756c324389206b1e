//! What goes wrong: a closed list of kinds, and the weather, in which some of them strike more often than others.

use std::collections::BTreeMap;

use crate::dice::Dice;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal, $most:literal;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Kind { $($(#[doc = $doc])* $name,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// Its name on the command line and in tables.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$name => $word,)* }
            }

            /// How often it strikes at most, in ten thousand occasions.
            fn most(self) -> u32 {
                match self { $(Kind::$name => $most,)* }
            }
        }
    };
}

kinds! {
    /// A message to the platform arrives twice.
    Doubled = "doubled", 2000;
    /// A message to the platform is overtaken by later ones of its sender.
    Overtaken = "overtaken", 2000;
    /// A message to the platform, and all that its sender writes after it, is held, up to days.
    Held = "held", 1000;
    /// The centre does not hear the platform's acknowledgement.
    AcknowledgementLost = "acknowledgement-lost", 1000;
    /// A message to a phone arrives twice.
    TextDoubled = "text-doubled", 1000;
    /// A message to a phone is held, up to days, and overtaken.
    TextHeld = "text-held", 1000;
    /// The platform does not hear that the centre has its message.
    SubmissionAnswerLost = "submission-answer-lost", 500;
    /// A message ends undelivered.
    Undeliverable = "undeliverable", 1000;
    /// The centre asks for a slower pace.
    Throttled = "throttled", 1500;
    /// The centre's queue is full.
    QueueFull = "queue-full", 1500;
    /// A receipt comes twice.
    ReceiptDoubled = "receipt-doubled", 3000;
    /// A receipt is held and overtaken.
    ReceiptHeld = "receipt-held", 2000;
    /// Receipts come before the answer to their message.
    ReceiptEarly = "receipt-early", 5000;
    /// A phone is off for a while.
    PhoneOff = "phone-off", 300;
    /// A link is cut at whatever octet.
    LinkCut = "link-cut", 150;
    /// A link dies without a word to either side.
    LinkSilent = "link-silent", 40;
    /// The centre unbinds.
    Unbound = "unbound", 60;
    /// The centre is not to be reached for a while.
    Unreachable = "unreachable", 60;
    /// The process dies, whatever it is doing.
    Killed = "killed", 60;
    /// The process dies when a batch is decided and not written.
    KilledDecided = "killed-decided", 60;
    /// The process dies while a batch is written, and the disk loses it.
    KilledUnwritten = "killed-unwritten", 60;
    /// The process dies when a batch is durable and not answered.
    KilledWritten = "killed-written", 60;
    /// The process dies while it starts.
    KilledStarting = "killed-starting", 2000;
    /// The process is asked to stop, and starts again.
    Stopped = "stopped", 40;
    /// The disk is full for a while.
    DiskFull = "disk-full", 20;
    /// A sync fails, and the disk keeps what was written.
    SyncFailedKept = "sync-failed-kept", 30;
    /// A sync fails, and the disk loses what was written.
    SyncFailedLost = "sync-failed-lost", 30;
    /// The log cannot be read.
    ReadFailed = "read-failed", 20;
    /// A commit takes seconds.
    DiskSlow = "disk-slow", 500;
    /// The wall clock is set ahead, seconds to days.
    ClockAhead = "clock-ahead", 60;
    /// The wall clock is set back, seconds to days.
    ClockBack = "clock-back", 60;
    /// The database is restored from a backup of before.
    Restored = "restored", 15;
    /// Somebody writes under another's number.
    Forged = "forged", 300;
    /// Somebody guesses a PIN, a password or a code, again and again.
    Guessed = "guessed", 300;
}

impl Kind {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// How often each kind of fault strikes just now.
pub struct Weather {
    odds: BTreeMap<Kind, u32>,
}

impl Weather {
    /// Nothing goes wrong.
    pub fn calm() -> Weather {
        Weather { odds: BTreeMap::new() }
    }

    /// About a third of the kinds strike, each with odds of its own, but none of those that are left out.
    pub fn drawn(dice: &mut Dice, left_out: &[Kind]) -> Weather {
        let mut odds = BTreeMap::new();
        for kind in Kind::ALL {
            // Drawn for every kind, so that leaving one out does not disturb the others.
            let (strikes, strength) = (dice.below(3) == 0, dice.below(4));
            if strikes && !left_out.contains(kind) {
                odds.insert(*kind, kind.most() >> strength);
            }
        }
        Weather { odds }
    }

    /// In how many of ten thousand occasions a kind strikes.
    pub fn odds(&self, kind: Kind) -> u32 {
        self.odds.get(&kind).copied().unwrap_or(0)
    }

    /// The same as a probability.
    pub fn probability(&self, kind: Kind) -> f64 {
        f64::from(self.odds(kind)) / 10_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(*kind));
        }
        assert_eq!(Kind::named("no such"), None);
    }

    #[test]
    fn what_is_left_out_never_strikes_and_disturbs_nothing_else() {
        for seed in 0..50 {
            let all = Weather::drawn(&mut Dice::new(seed, "weather"), &[]);
            let fewer = Weather::drawn(&mut Dice::new(seed, "weather"), &[Kind::Killed]);
            assert_eq!(fewer.odds(Kind::Killed), 0);
            for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Killed) {
                assert_eq!(all.odds(*kind), fewer.odds(*kind));
            }
        }
    }
}
