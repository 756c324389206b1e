//! Before a waiting transfer goes back, its payee is reminded, once.

use super::{Draft, Scene, Stop};
use crate::decision::Change;
use crate::ids::TransferId;
use crate::notice::Text;
use crate::refusal::Refusal;
use crate::transfer::{State, Transfer, Waiting};

pub(super) fn decide(scene: &Scene<'_>, id: TransferId, draft: &mut Draft) -> Result<(), Stop> {
    let transfer = scene.books.resident_transfer(id).ok_or(Refusal::NotWaiting)?;
    let waiting = transfer.waiting().filter(|waiting| !waiting.reminded).ok_or(Refusal::NotWaiting)?;
    let due = waiting.expires_at.less_seconds(scene.books.policy().reminder_before_seconds);
    if scene.now() < due {
        return Err(Refusal::WrongState.into());
    }
    let expires_at = waiting.expires_at;
    let reminded = State::Waiting(Waiting { reminded: true, ..waiting.clone() });
    draft.about(id);
    draft.change(Change::Transfer(Transfer { state: reminded, ..transfer.clone() }));
    if let Some(sender) = transfer.sender_number {
        let amount = transfer.amount;
        scene.tell(draft, transfer.payee, Text::Reminder { transfer: id, amount, sender, expires_at });
    }
    Ok(())
}
