//! What a step leaves to its caller: first a commit, then a frame.

use crate::{identity::TransactionId, registration::Binding};
use zeroize::Zeroizing;

/// What must become durable in one commit, together with whatever the caller itself changes in that step. All octets are
/// secret or personal: they are stored sealed.
#[derive(Default)]
pub struct Changes {
    /// The state of this lane, in place of an earlier one.
    pub lane: Option<(u32, Zeroizing<Vec<u8>>)>,
    /// The state of the bank's end, in place of an earlier one.
    pub end: Option<Vec<u8>>,
    /// Records of transactions, in place of earlier ones; none where the record goes.
    pub transactions: Vec<(TransactionId, Option<Zeroizing<Vec<u8>>>)>,
    /// A subscriber's binding, in place of the number's earlier one.
    pub binding: Option<Binding>,
}

impl Changes {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.lane.is_none() && self.end.is_none() && self.transactions.is_empty() && self.binding.is_none()
    }
}

/// Changes and the frame that may leave once they are durable: a frame that left before could be followed, after a crash, by
/// another under the same key, or promise what nobody remembers.
#[must_use = "changes are to be committed and the frame is to be sent"]
pub struct Step {
    changes: Changes,
    frame: Option<Vec<u8>>,
}

impl Step {
    pub(crate) fn new(changes: Changes, frame: Option<Vec<u8>>) -> Self {
        Self { changes, frame }
    }

    /// To be committed, unless it is empty.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The frame to be sent, once the changes are durable. None where no session is left to carry it: the other end
    /// asks again.
    pub fn committed(self) -> Option<Vec<u8>> {
        self.frame
    }
}
