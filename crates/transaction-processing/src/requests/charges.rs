//! What a request costs, frozen when it is made, and how it is shared when it is paid.

use super::{Draft, Scene};
use crate::account::{Account, Status};
use crate::decision::{Change, Dealings};
use crate::ids::{AccountId, SystemAccount};
use crate::money::{Currency, Money};
use crate::msisdn::Msisdn;
use crate::refusal::Refusal;
use crate::tariff::{Payer, Priced};
use crate::transfer::{Charge, State, Transfer};

impl Charge {
    /// Nothing to pay.
    pub(super) fn none(currency: Currency) -> Charge {
        let nothing = Money::zero(currency);
        Charge { tariff: None, payer: Payer::Operator, fee: nothing, levy: nothing, kept_on_return: false }
    }

    /// Fee and levy together, as this payer bears them; nothing where another does.
    pub(super) fn borne_by(&self, payer: Payer) -> Money {
        let nothing = Money::zero(self.fee.currency());
        if self.payer == payer { self.fee.plus(self.levy).unwrap_or(nothing) } else { nothing }
    }
}

impl Scene<'_> {
    /// The price of an amount by the tariff in force now; nothing where there is no tariff.
    pub(super) fn price(&self, priced: Priced, amount: Money) -> Charge {
        let Some(tariff) = self.books.tariff_in_force(priced, amount.currency(), self.now()) else {
            return Charge::none(amount.currency());
        };
        let fee = tariff.terms.fee(amount);
        let levy = if tariff.terms.payer == Payer::Operator {
            Money::zero(amount.currency())
        } else {
            tariff.terms.levy(amount, fee)
        };
        let kept_on_return = tariff.terms.fee_kept_on_return;
        Charge { tariff: Some(tariff.id), payer: tariff.terms.payer, fee, levy, kept_on_return }
    }

    /// What the agent earns by this charge on an amount dealt with this customer today, and the day's dealings after it.
    pub(super) fn commission(
        &self,
        charge: &Charge,
        amount: Money,
        agent: &crate::account::Agent,
        customer: Msisdn,
        priced: Priced,
    ) -> (Money, Dealings) {
        let day = self.moment.day;
        let before = self.books.dealings(agent.code, customer, priced, day);
        let terms = charge.tariff.and_then(|id| self.books.tariff(id)).map(|tariff| &tariff.terms);
        // The day's sum may have grown under another tariff than the one frozen on this transfer: no single charge yields
        // more than its own share.
        let commission = terms.map_or(Money::zero(amount.currency()), |terms| {
            terms.commission(before.sum, before.earned, amount).min(terms.share(charge.fee))
        });
        let sum = before.sum.saturating_add(amount.minor());
        let earned = before.earned.saturating_add(commission.minor());
        (commission, Dealings { sum, earned, ..before })
    }

    /// Whether the operator can bear the commission that no customer bears.
    pub(super) fn judge_operator_funds(&self, charge: &Charge, commission: Money) -> Result<(), Refusal> {
        let funds = self.books.system(SystemAccount::OperatorFunds, commission.currency());
        let held = funds.map_or(0, Account::balance);
        let short = charge.payer == Payer::Operator && commission.minor() > held;
        if short { Err(Refusal::OperatorFundsShort) } else { Ok(()) }
    }

    /// Drafts a charge without an agent: fee to the operator, levy to the state.
    pub(super) fn draft_charge(&self, draft: &mut Draft, charge: &Charge, from: AccountId) {
        if charge.payer == Payer::Operator {
            return;
        }
        let currency = charge.fee.currency();
        draft.post(from, SystemAccount::Fees.id(currency), charge.fee);
        draft.post(from, SystemAccount::Levies.id(currency), charge.levy);
    }

    /// Drafts a charge of which the agent has a share: commission, the operator's part, what the division left over, levy.
    pub(super) fn draft_shared_charge(
        &self,
        draft: &mut Draft,
        charge: &Charge,
        from: AccountId,
        agent: AccountId,
        commission: Money,
    ) {
        let currency = charge.fee.currency();
        if charge.payer == Payer::Operator {
            draft.post(SystemAccount::OperatorFunds.id(currency), agent, commission);
            return;
        }
        let Some(tariff) = charge.tariff.and_then(|id| self.books.tariff(id)) else { return };
        let parts = tariff.terms.divide(charge.fee, commission);
        draft.post(from, agent, parts.commission);
        draft.post(from, SystemAccount::Fees.id(currency), parts.operator);
        draft.post(from, SystemAccount::Remainders.id(currency), parts.remainder);
        draft.post(from, SystemAccount::Levies.id(currency), charge.levy);
    }

    /// Drafts the commission on a cash-in back to the operator who bore it, as far as the agent still has it; the dealings of
    /// its day forget the sum, while that day lasts. Gives what goes back.
    pub(super) fn draft_commission_back(&self, draft: &mut Draft, transfer: &Transfer) -> Money {
        let mut back = Money::zero(transfer.amount.currency());
        let State::Credited { commission: Some(commission), .. } = transfer.state else { return back };
        let Some(float) = self.books.account(transfer.sender) else { return back };
        if transfer.charge.payer == Payer::Operator && float.status != Status::Closed {
            back = commission.amount.min(self.balance_after(draft, float));
            draft.post(float.id, SystemAccount::OperatorFunds.id(float.currency), back);
        }
        if let Some(agent) = float.agent_code().filter(|_| commission.day == self.moment.day) {
            let held = self.books.dealings(agent, transfer.payee, Priced::CashIn, commission.day);
            let sum = held.sum.saturating_sub(transfer.amount.minor()).max(0);
            let earned = held.earned.saturating_sub(commission.amount.minor()).max(0);
            draft.change(Change::Dealings(Dealings { sum, earned, ..held }));
        }
        back
    }

    /// Judges what a customer sends: one amount, the day, the month; and drafts the counts.
    pub(super) fn judge_sending(&self, account: &Account, amount: Money, draft: &mut Draft) -> Result<(), Refusal> {
        let tier = account.tier().ok_or(Refusal::NotForAgents)?;
        let limits = self.books.policy().limits(crate::limits::Class::Customer(tier), account.currency);
        limits.judge_amount(amount)?;
        let usage = account.usage.at(self.moment).plus(amount);
        limits.judge_usage(usage)?;
        draft.change(Change::Used { account: account.id, usage });
        Ok(())
    }

    /// Judges whether a customer's wallet may take an amount.
    pub(super) fn judge_holding(&self, account: &Account, amount: Money) -> Result<(), Refusal> {
        let tier = account.tier().ok_or(Refusal::PayeeIsAgent)?;
        let limits = self.books.policy().limits(crate::limits::Class::Customer(tier), account.currency);
        limits.judge_balance(account.balance(), amount)
    }
}

impl Money {
    /// The smaller of two amounts of one currency.
    fn min(self, other: Money) -> Money {
        if other.minor() < self.minor() { other } else { self }
    }
}
