//! What only tests do: a wrong that no fault explains, so that they see that it is found.

use crate::audit::Verdict;
use crate::depot::Depot;
use crate::world::World;

/// A wrong that must be found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sabotage {
    /// The disk says that it has a batch, and has not.
    LyingDisk,
    /// A message is acknowledged as soon as it is decided.
    EarlyAcknowledgement,
    /// A receipt is acknowledged as soon as it comes.
    EarlyReceipt,
    /// A text that is reported delivered never came to its phone.
    SwallowedText,
    /// A text tells of another balance.
    AlteredText,
    /// Somebody else writes as if they were the platform.
    FakeText,
}

/// How many texts are left alone first.
const FIRST_TEXTS: u64 = 60;

impl<D: Depot> World<D> {
    /// A text as the phone gets it; none where it is swallowed.
    pub(crate) fn meddled(&mut self, text: String) -> Option<String> {
        let moves_money = text.contains("Fees ") && self.coverage.texts > FIRST_TEXTS && self.stormy;
        if !moves_money || self.meddled {
            return Some(text);
        }
        let meddled = match self.plan.sabotage {
            Some(Sabotage::SwallowedText) => None,
            Some(Sabotage::AlteredText) => Some(text.replace("Balance ", "Balance 1")),
            Some(Sabotage::FakeText) => {
                let words = "Ref 1234 5678 9012: you received TZS 9.00 from +255712000001. Fees 0.00. Balance 9.00.";
                Some(words.to_owned())
            }
            _ => return Some(text),
        };
        self.meddled = true;
        meddled
    }

    /// Acknowledges what should wait.
    pub(crate) fn acknowledge_early(&mut self, receipts: bool) -> Verdict {
        let meant = if receipts { Sabotage::EarlyReceipt } else { Sabotage::EarlyAcknowledgement };
        if self.plan.sabotage != Some(meant) || !self.stormy {
            return Ok(());
        }
        for reply in self.promises.waiting() {
            let pending = self.house.iter().flat_map(crate::house::House::pending);
            self.promises.acknowledged(reply, pending)?;
        }
        Ok(())
    }
}
