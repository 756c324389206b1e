//! `CK*receipt code` (B4): anyone learns whether a receipt is genuine, and what it said. The receipt code is the reference:
//! unguessable, with a check digit. The answer names the amount, the day and the payee, so that an altered receipt shows.

use super::{Draft, Scene, Stop};
use crate::ids::TransferId;
use crate::notice::{Standing, Text};
use crate::refusal::Refusal;
use crate::transfer::State;

/// What `CK` says.
pub struct Fields {
    /// The transfer of that reference; none where the code has a wrong check digit.
    pub transfer: Option<TransferId>,
    /// Whether the number has asked about too many receipts already; counted where messages are read, because an answer
    /// changes nothing here.
    pub too_often: bool,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let from = scene.asker()?;
    if fields.too_often {
        return Err(Refusal::TooManyReceipts.into());
    }
    let id = fields.transfer.ok_or(Refusal::UnknownReference)?;
    let transfer = scene.books.transfer(id)?.ok_or(Refusal::UnknownReference)?;
    let standing = match transfer.state {
        State::Waiting(_) => Standing::Waiting,
        State::Credited { .. } | State::PaidOut(_) | State::Deposited { .. } => Standing::Done,
        State::Returned { .. } => Standing::Returned,
    };
    let (kind, amount, at, payee) = (transfer.kind, transfer.amount, transfer.made_at, transfer.payee);
    scene.tell(draft, from, Text::ReceiptGenuine { transfer: id, kind, amount, at, payee, standing });
    Ok(())
}
