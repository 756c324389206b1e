//! `RS*reference*pin`: the sender has a new withdrawal password sent to the payee; the old one, and a code that was drawn for
//! it, are void.

use super::parties::judge_active;
use super::secrets::Purpose;
use super::{Draft, Scene, Stop};
use crate::account::Proofs;
use crate::decision::Change;
use crate::ids::TransferId;
use crate::notice::Text;
use crate::refusal::Refusal;
use crate::request::DrawnCodes;
use crate::transfer::{State, Transfer, Waiting};

/// What `RS` says.
pub struct Fields {
    /// Which transfer.
    pub transfer: TransferId,
    /// The sender's PIN.
    pub pin: Proofs,
    /// Withdrawal passwords drawn for the payee of that transfer; none where there was no such transfer to ask for.
    pub passwords: Option<DrawnCodes>,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let (from, sender) = scene.customer()?;
    scene.judge_pin(sender, &fields.pin, Purpose::Use, draft)?;
    judge_active(sender)?;
    let transfer = scene.books.transfer(fields.transfer)?;
    let transfer = transfer.filter(|transfer| transfer.sender == sender.id).ok_or(Refusal::UnknownReference)?;
    let waiting = transfer.waiting().ok_or(Refusal::NotWaiting)?;
    if waiting.resent >= scene.books.policy().resends {
        return Err(Refusal::TooManyResends.into());
    }
    let drawn = fields.passwords.as_ref().ok_or(Refusal::CodesMissing)?;
    let password = scene.fresh_password(drawn, transfer.payee)?;

    let renewed =
        Waiting { password: password.proof, resent: waiting.resent.saturating_add(1), query: None, ..waiting.clone() };
    let expires_at = waiting.expires_at;
    let (id, amount, payee) = (transfer.id, transfer.amount, transfer.payee);
    draft.about(id);
    draft.change(Change::Transfer(Transfer { state: State::Waiting(renewed), ..transfer.clone() }));
    scene.tell(draft, from, Text::Resent { transfer: id, amount, payee });
    let text = Text::WithdrawalPassword { transfer: id, amount, sender: from, expires_at };
    scene.tell_code(draft, payee, text, password.sealed.clone(), expires_at);
    Ok(())
}
