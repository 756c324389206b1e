//! A waiting transfer whose period has passed goes back to its sender by itself, exactly once (Z8).

use super::{Draft, Scene, Stop};
use crate::ids::TransferId;
use crate::notice::Text;
use crate::refusal::Refusal;
use crate::transfer::ReturnCause;

pub(super) fn decide(scene: &Scene<'_>, id: TransferId, draft: &mut Draft) -> Result<(), Stop> {
    let transfer = scene.books.resident_transfer(id).ok_or(Refusal::NotWaiting)?;
    let waiting = transfer.waiting().ok_or(Refusal::NotWaiting)?;
    if scene.now() < waiting.expires_at {
        return Err(Refusal::WrongState.into());
    }
    let returned = scene.draft_return_of_waiting(draft, transfer, ReturnCause::Expiry);
    let (amount, payee) = (transfer.amount, transfer.payee);
    let sender = scene.open_sender(transfer);
    if let Some((account, number)) = sender.and_then(|account| account.msisdn.map(|number| (account, number))) {
        let balance = scene.balance_after(draft, account);
        scene.tell(draft, number, Text::Refunded { transfer: id, returned, payee, balance });
    }
    let sender_number = transfer.sender_number.unwrap_or(payee);
    scene.tell(draft, payee, Text::Lapsed { transfer: id, amount, sender: sender_number });
    Ok(())
}
