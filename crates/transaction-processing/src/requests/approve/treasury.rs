//! Money in the system: it enters only here, against the trust account.

use alloc::string::String;

use super::super::agree::give_back;
use super::super::recall::is_cash_in_for_good;
use super::super::{Draft, Scene, Stop};
use crate::Msisdn;
use crate::account::{Account, Status};
use crate::bank::{BankBalance, BankMovement};
use crate::decision::Change;
use crate::ids::{AgentCode, CaseId, SystemAccount, TransferId};
use crate::money::{LARGEST, Money};
use crate::notice::Text;
use crate::proposal::{Case, Matter};
use crate::refusal::Refusal;
use crate::time::Time;
use crate::transfer::{Charge, Kind, ReturnCause, State, Transfer};

/// Electronic money comes to be: the trust account goes below zero by as much.
pub(super) fn issue(scene: &Scene<'_>, draft: &mut Draft, amount: Money, bank_reference: &str) -> Result<(), Stop> {
    judge_reference(scene, bank_reference)?;
    let currency = known_currency(scene, amount)?;
    // All money of a currency together fits one amount, so that every balance does and no sum of them overflows (I14).
    let trust = scene.books.system(SystemAccount::Trust, currency).map_or(0, Account::balance);
    if amount.minor() > LARGEST.saturating_add(trust) {
        return Err(Refusal::AmountTooLarge.into());
    }
    draft_bank_movement(scene, draft, bank_reference, (amount.minor(), currency));
    draft.post(SystemAccount::Trust.id(currency), SystemAccount::OperatorFunds.id(currency), amount);
    Ok(())
}

/// Electronic money ceases to be.
pub(super) fn redeem(scene: &Scene<'_>, draft: &mut Draft, amount: Money, bank_reference: &str) -> Result<(), Stop> {
    judge_reference(scene, bank_reference)?;
    let currency = known_currency(scene, amount)?;
    judge_held(scene, SystemAccount::OperatorFunds, amount, 0)?;
    draft_bank_movement(scene, draft, bank_reference, (amount.minor().saturating_neg(), currency));
    draft.post(SystemAccount::OperatorFunds.id(currency), SystemAccount::Trust.id(currency), amount);
    Ok(())
}

pub(super) fn supply_float(scene: &Scene<'_>, draft: &mut Draft, agent: AgentCode, amount: Money) -> Result<(), Stop> {
    let (float, agent) = scene.agent_coded(agent)?;
    let currency = same_currency(float, amount)?;
    judge_held(scene, SystemAccount::OperatorFunds, amount, 0)?;
    let funds = SystemAccount::OperatorFunds.id(currency);
    let transfer = scene.new_transfer();
    draft.post(funds, float.id, amount);
    if let Some(number) = float.msisdn {
        draft_float_transfer(scene, draft, funds, number, amount, agent.code);
        let balance = scene.balance_after(draft, float);
        scene.tell(draft, number, Text::FloatSupplied { transfer, amount, balance });
    }
    Ok(())
}

pub(super) fn withdraw_float(
    scene: &Scene<'_>,
    draft: &mut Draft,
    agent: AgentCode,
    amount: Money,
) -> Result<(), Stop> {
    let (float, agent) = scene.agent_coded(agent)?;
    let currency = same_currency(float, amount)?;
    if amount.minor() > float.balance() {
        return Err(Refusal::NotEnoughFloat.into());
    }
    let transfer = scene.new_transfer();
    draft.post(float.id, SystemAccount::OperatorFunds.id(currency), amount);
    if let Some(number) = float.msisdn {
        draft_float_transfer(scene, draft, float.id, number, amount, agent.code);
        let balance = scene.balance_after(draft, float);
        scene.tell(draft, number, Text::FloatWithdrawn { transfer, amount, balance });
    }
    Ok(())
}

/// Float that moved has a reference, so that the agent's receipt can be checked like any other.
fn draft_float_transfer(
    scene: &Scene<'_>,
    draft: &mut Draft,
    from: crate::ids::AccountId,
    payee: Msisdn,
    amount: Money,
    agent: AgentCode,
) {
    let id = scene.new_transfer();
    let nothing = Money::zero(amount.currency());
    let paid = crate::transfer::PaidOut { agent, at: scene.now(), cash: nothing, commission: nothing, proved_by: None };
    draft.about(id);
    draft.change(Change::Transfer(Transfer {
        id,
        kind: Kind::Float,
        made_at: scene.now(),
        sender: from,
        sender_number: None,
        payee,
        amount,
        charge: Charge::none(amount.currency()),
        withdrawal: None,
        state: State::PaidOut(paid),
    }));
}

/// Earned fees become the operator's own; what waiting transfers would take back on return stays.
pub(super) fn collect_fees(scene: &Scene<'_>, draft: &mut Draft, amount: Money) -> Result<(), Stop> {
    let currency = known_currency(scene, amount)?;
    judge_held(scene, SystemAccount::Fees, amount, scene.books.refundable_fees(currency))?;
    draft.post(SystemAccount::Fees.id(currency), SystemAccount::OperatorFunds.id(currency), amount);
    Ok(())
}

pub(super) fn pay_unclaimed(scene: &Scene<'_>, draft: &mut Draft, case: CaseId, msisdn: Msisdn) -> Result<(), Stop> {
    let case = scene.books.case(case).filter(|case| case.closed_at.is_none()).ok_or(Refusal::UnknownCase)?;
    let Matter::Unclaimed { amount, .. } = case.matter;
    let account =
        scene.open_account(msisdn).filter(|account| account.tier().is_some()).ok_or(Refusal::UnknownAccount)?;
    let currency = same_currency(account, amount)?;
    draft.post(SystemAccount::UnclaimedMoney.id(currency), account.id, amount);
    draft.change(Change::Case(Case { closed_at: Some(scene.now()), ..case.clone() }));
    let balance = scene.balance_after(draft, account);
    scene.tell(draft, msisdn, Text::UnclaimedPaid { amount, balance });
    Ok(())
}

/// A credited transfer goes back by a decision of two, even from a frozen account; a cash-in only while the agent may undo it,
/// or where the agent asked in that time.
pub(super) fn reverse(scene: &Scene<'_>, draft: &mut Draft, id: TransferId) -> Result<(), Stop> {
    let transfer = scene.books.transfer(id)?.ok_or(Refusal::UnknownReference)?;
    match transfer.state {
        State::Credited { recall_asked_at: None, .. } if is_cash_in_for_good(scene, transfer) => {
            Err(Refusal::NotRecallable.into())
        }
        State::Credited { .. } => give_back(scene, draft, transfer, ReturnCause::Care),
        State::Returned { .. } => Err(Refusal::AlreadyReturned.into()),
        _ => Err(Refusal::WrongState.into()),
    }
}

fn judge_reference(scene: &Scene<'_>, reference: &str) -> Result<(), Refusal> {
    if scene.books.is_bank_reference_used(reference) { Err(Refusal::BankReferenceUsed) } else { Ok(()) }
}

fn draft_bank_movement(
    scene: &Scene<'_>,
    draft: &mut Draft,
    reference: &str,
    (change, currency): (i64, crate::Currency),
) {
    let movement = BankMovement { reference: reference.into(), change, currency, at: scene.now() };
    draft.change(Change::BankMovement(movement));
}

/// The bank's word moves no money: it is what the money is compared with. What an earlier statement had before it was
/// entered here, this later one has too.
pub(super) fn confirm_bank(
    scene: &Scene<'_>,
    draft: &mut Draft,
    (balance, as_of): (Money, Time),
    statement: &str,
    includes: &[String],
) -> Result<(), Stop> {
    let currency = balance.currency();
    judge_known(scene, currency)?;
    let before = scene.books.bank_balance(currency.numeric);
    if as_of > scene.now() || before.is_some_and(|before| as_of < before.as_of) {
        return Err(Refusal::WrongState.into());
    }
    let mut all = includes.to_vec();
    let is_open = |reference: &&String| scene.books.bank_movement(reference).is_none_or(|entered| entered.at > as_of);
    all.extend(before.iter().flat_map(|before| &before.includes).filter(is_open).cloned());
    all.sort_unstable();
    all.dedup();
    draft.change(Change::BankBalance(BankBalance {
        balance,
        as_of,
        statement: statement.into(),
        includes: all,
        entered_at: scene.now(),
    }));
    Ok(())
}

fn known_currency(scene: &Scene<'_>, amount: Money) -> Result<crate::Currency, Refusal> {
    judge_known(scene, amount.currency())?;
    if amount.is_zero() { Err(Refusal::BadAmount) } else { Ok(amount.currency()) }
}

fn judge_known(scene: &Scene<'_>, currency: crate::Currency) -> Result<(), Refusal> {
    let trust = scene.books.system(SystemAccount::Trust, currency);
    if trust.is_some_and(|trust| trust.currency == currency) { Ok(()) } else { Err(Refusal::OtherCurrency) }
}

fn same_currency(account: &Account, amount: Money) -> Result<crate::Currency, Refusal> {
    if account.currency != amount.currency() {
        return Err(Refusal::OtherCurrency);
    }
    if account.status == Status::Closed {
        return Err(Refusal::WrongState);
    }
    if amount.is_zero() { Err(Refusal::BadAmount) } else { Ok(account.currency) }
}

/// Whether one of the platform's accounts holds an amount above what is `kept`, minor units.
fn judge_held(scene: &Scene<'_>, role: SystemAccount, amount: Money, kept: i64) -> Result<(), Refusal> {
    let held = scene.books.system(role, amount.currency()).map_or(0, Account::balance);
    if amount.minor() > held.saturating_sub(kept) { Err(Refusal::NotEnoughMoney) } else { Ok(()) }
}
