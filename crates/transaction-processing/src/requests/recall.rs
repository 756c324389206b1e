//! `RC*reference*pin` (B2): the sender takes a transfer back. A waiting one comes back at once; for a credited one, or a
//! cash-in to a wrong number, the one who holds the money is asked.

use super::parties::judge_active;
use super::secrets::Purpose;
use super::{Draft, Scene, Stop};
use crate::account::{Account, Holder, Proofs};
use crate::decision::Change;
use crate::ids::TransferId;
use crate::notice::Text;
use crate::refusal::Refusal;
use crate::transfer::{Kind, ReturnCause, State, Transfer};

/// What `RC` says.
pub struct Fields {
    /// Which transfer.
    pub transfer: TransferId,
    /// The sender's PIN.
    pub pin: Proofs,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let (from, account) = scene.holder()?;
    scene.judge_pin(account, &fields.pin, Purpose::Use, draft)?;
    judge_active(account)?;
    let transfer = scene.books.transfer(fields.transfer)?;
    let transfer = transfer.filter(|transfer| transfer.sender == account.id).ok_or(Refusal::UnknownReference)?;
    let (id, amount, payee) = (transfer.id, transfer.amount, transfer.payee);
    match transfer.state {
        State::Waiting(_) => {
            let returned = scene.draft_return_of_waiting(draft, transfer, ReturnCause::Recall);
            let balance = scene.balance_after(draft, account);
            scene.tell(draft, from, Text::Recalled { transfer: id, returned, payee, balance });
            scene.tell(draft, payee, Text::RecalledFromYou { transfer: id, amount, sender: from });
            Ok(())
        }
        State::Credited { recall_asked_at: Some(_), .. } => Err(Refusal::RecallAlreadyAsked.into()),
        State::Credited { account: credited, recall_asked_at: None, commission } => {
            if !may_be_asked_back(scene, transfer, account) {
                return Err(Refusal::NotRecallable.into());
            }
            draft.about(id);
            let asked = State::Credited { account: credited, recall_asked_at: Some(scene.now()), commission };
            draft.change(Change::Transfer(Transfer { state: asked, ..transfer.clone() }));
            scene.tell(draft, from, Text::RecallAskedForYou { transfer: id, amount, payee });
            scene.tell(draft, payee, Text::RecallAsked { transfer: id, amount, sender: from });
            Ok(())
        }
        State::PaidOut(_) | State::Deposited { .. } => Err(Refusal::NotWaiting.into()),
        State::Returned { .. } => Err(Refusal::AlreadyReturned.into()),
    }
}

/// Whether a credited transfer may still be asked back: a customer's for days, an agent's cash-in for minutes.
fn may_be_asked_back(scene: &Scene<'_>, transfer: &Transfer, account: &Account) -> bool {
    match (transfer.kind, account.holder) {
        (Kind::ToWallet, Holder::Customer(_)) => {
            scene.now() <= transfer.made_at.plus_seconds(scene.books.policy().recall_seconds)
        }
        (Kind::CashIn, Holder::Agent(_)) => !is_cash_in_for_good(scene, transfer),
        _ => false,
    }
}

/// Whether this is a cash-in, and the minutes have passed in which its agent may undo it.
pub(super) fn is_cash_in_for_good(scene: &Scene<'_>, transfer: &Transfer) -> bool {
    let until = transfer.made_at.plus_seconds(scene.books.policy().cash_in_undo_seconds);
    transfer.kind == Kind::CashIn && scene.now() > until
}
