//! Money goes back: recall, expiry, consent and care are one return with several causes. Returns ignore ceilings and daily
//! limits, and find a closed account's money a place with a case for care.

use super::{Draft, Scene};
use crate::account::{Account, Status};
use crate::decision::Change;
use crate::ids::{AccountId, CaseId, SystemAccount};
use crate::money::Money;
use crate::proposal::{Case, Matter};
use crate::tariff::Payer;
use crate::transfer::{ReturnCause, State, Transfer};

impl<'a> Scene<'a> {
    /// Drafts the return of a waiting transfer: all that was deducted, unless the tariff frozen on it keeps the fee. Gives
    /// what the sender gets.
    pub(super) fn draft_return_of_waiting(&self, draft: &mut Draft, transfer: &Transfer, cause: ReturnCause) -> Money {
        let currency = transfer.amount.currency();
        let nothing = Money::zero(currency);
        let ahead = transfer.withdrawal.map_or(nothing, |charge| charge.borne_by(Payer::Sender));
        let in_flight = transfer.amount.plus(ahead).unwrap_or(transfer.amount);
        let charge = &transfer.charge;
        let by_sender = charge.payer == Payer::Sender;
        let fee = if by_sender && !charge.kept_on_return { charge.fee } else { nothing };
        let levy = if by_sender { charge.levy } else { nothing };
        self.draft_return(draft, transfer, SystemAccount::TransfersInFlight.id(currency), in_flight);
        self.draft_return(draft, transfer, SystemAccount::Fees.id(currency), fee);
        self.draft_return(draft, transfer, SystemAccount::Levies.id(currency), levy);
        self.draft_returned(draft, transfer, cause);
        in_flight.plus(fee).and_then(|sum| sum.plus(levy)).unwrap_or(in_flight)
    }

    /// Drafts that a transfer has gone back.
    pub(super) fn draft_returned(&self, draft: &mut Draft, transfer: &Transfer, cause: ReturnCause) {
        draft.about(transfer.id);
        draft.change(Change::Transfer(Transfer {
            state: State::Returned { cause, at: self.now() },
            ..transfer.clone()
        }));
    }

    /// Drafts money back to the sender's account, or to unclaimed money with a case where that account is closed.
    pub(super) fn draft_return(&self, draft: &mut Draft, transfer: &Transfer, from: AccountId, amount: Money) {
        if amount.is_zero() {
            return;
        }
        match self.open_sender(transfer) {
            Some(sender) => draft.post(from, sender.id, amount),
            None => self.draft_unclaimed(draft, transfer, from, amount),
        }
    }

    /// The sender's account, wherever it is reached now, unless it is closed.
    pub(super) fn open_sender(&self, transfer: &Transfer) -> Option<&'a Account> {
        self.books.account(transfer.sender).filter(|account| account.status != Status::Closed)
    }

    fn draft_unclaimed(&self, draft: &mut Draft, transfer: &Transfer, from: AccountId, amount: Money) {
        draft.post(from, SystemAccount::UnclaimedMoney.id(amount.currency()), amount);
        let id = CaseId(self.books.next().0);
        let earlier = draft.changes.iter_mut().find_map(|change| match change {
            Change::Case(Case { matter: Matter::Unclaimed { amount, .. }, .. }) => Some(amount),
            _ => None,
        });
        if let Some(held) = earlier {
            *held = held.plus(amount).unwrap_or(*held);
            return;
        }
        let msisdn = transfer.sender_number.unwrap_or(transfer.payee);
        let matter = Matter::Unclaimed { transfer: Some(transfer.id), msisdn, amount };
        draft.change(Change::Case(Case { id, opened_at: self.now(), matter, closed_at: None }));
    }
}
