//! `RA*reference*pin`: the payee of a credited transfer agrees to give it back; never past what they still have.

use super::parties::judge_active;
use super::secrets::Purpose;
use super::transfer::judge_funds;
use super::{Draft, Scene, Stop};
use crate::Msisdn;
use crate::account::{Account, Proofs, Status};
use crate::ids::TransferId;
use crate::money::Money;
use crate::notice::Text;
use crate::refusal::Refusal;
use crate::tariff::Payer;
use crate::transfer::{Kind, ReturnCause, State, Transfer};

/// What `RA` says.
pub struct Fields {
    /// Which transfer.
    pub transfer: TransferId,
    /// The payee's PIN.
    pub pin: Proofs,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let (from, account) = scene.customer()?;
    scene.judge_pin(account, &fields.pin, Purpose::Use, draft)?;
    judge_active(account)?;
    let transfer = scene.books.transfer(fields.transfer)?;
    let transfer = transfer.filter(|transfer| is_party(account, from, transfer)).ok_or(Refusal::UnknownReference)?;
    match transfer.state {
        State::Credited { recall_asked_at: Some(_), .. } => {}
        State::Returned { .. } => return Err(Refusal::AlreadyReturned.into()),
        _ => return Err(Refusal::NoRecallAsked.into()),
    }
    give_back(scene, draft, transfer, ReturnCause::Consent)
}

/// Drafts a credited transfer back to its sender. The charges stay: the service was rendered; an agent's commission on a
/// cash-in goes back with it.
pub(super) fn give_back(
    scene: &Scene<'_>,
    draft: &mut Draft,
    transfer: &Transfer,
    cause: ReturnCause,
) -> Result<(), Stop> {
    let State::Credited { account, .. } = transfer.state else { return Err(Refusal::WrongState.into()) };
    let holder = scene.books.account(account).filter(|holder| holder.status != Status::Closed);
    let holder = holder.ok_or(Refusal::PayeeNotRegistered)?;
    if holder.currency != transfer.amount.currency() {
        return Err(Refusal::OtherCurrency.into());
    }
    let amount = received(transfer);
    judge_funds(holder, &[amount])?;
    scene.draft_return(draft, transfer, holder.id, amount);
    let commission = scene.draft_commission_back(draft, transfer);
    scene.draft_returned(draft, transfer, cause);
    let (id, payee) = (transfer.id, transfer.payee);
    let sender = scene.open_sender(transfer);
    let sender_number = sender.and_then(|sender| sender.msisdn).or(transfer.sender_number).unwrap_or(payee);
    let balance = scene.balance_after(draft, holder);
    let holder_number = holder.msisdn.unwrap_or(payee);
    scene.tell(draft, holder_number, Text::GivenBack { transfer: id, amount, sender: sender_number, balance });
    if let Some(sender) = sender {
        let balance = scene.balance_after(draft, sender);
        let returned = amount.less(commission).unwrap_or(Money::zero(amount.currency()));
        scene.tell(draft, sender_number, Text::GotBack { transfer: id, returned, payee, balance });
    }
    Ok(())
}

/// Whether a transfer is this account's to give back: the one that was credited; of one that was given back already, the one
/// under the payee's number.
fn is_party(account: &Account, from: Msisdn, transfer: &Transfer) -> bool {
    match transfer.state {
        State::Credited { account: credited, .. } => credited == account.id,
        _ => transfer.payee == from,
    }
}

/// What the payee received: the amount less what they bore themselves.
fn received(transfer: &Transfer) -> Money {
    let nothing = Money::zero(transfer.amount.currency());
    let borne = match transfer.kind {
        Kind::CashIn => transfer.charge.borne_by(Payer::Payee).plus(transfer.charge.borne_by(Payer::Sender)),
        _ => Some(transfer.charge.borne_by(Payer::Payee)),
    };
    transfer.amount.less(borne.unwrap_or(nothing)).unwrap_or(nothing)
}
