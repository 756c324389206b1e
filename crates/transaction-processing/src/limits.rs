//! Ceilings by tier, in minor units of one currency, judged in the ledger's business day and month.

use crate::account::{Tier, Usage};
use crate::money::{Currency, Money};
use crate::refusal::Refusal;

/// To whom ceilings apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// A customer of this tier.
    Customer(Tier),
    /// A payee who is not a customer: `per_day` and `per_month` count what was sent to the number.
    NonCustomer,
}

/// The ceilings of one class in one currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For whom.
    pub class: Class,
    /// In which currency.
    pub currency: Currency,
    /// The least that one request may move.
    pub least: i64,
    /// The most that one request may move.
    pub per_transaction: i64,
    /// The most in one business day.
    pub per_day: i64,
    /// The most in one business month.
    pub per_month: i64,
    /// The highest balance; has no meaning for those without an account.
    pub balance: i64,
}

impl Limits {
    /// Whether one request may move this amount.
    pub fn judge_amount(&self, amount: Money) -> Result<(), Refusal> {
        if amount.minor() < self.least {
            return Err(Refusal::AmountTooSmall);
        }
        if amount.minor() > self.per_transaction {
            return Err(Refusal::AmountTooLarge);
        }
        Ok(())
    }

    /// Whether `usage`, which already counts the amount, stays within the day and the month.
    pub fn judge_usage(&self, usage: Usage) -> Result<(), Refusal> {
        if usage.day_minor > self.per_day {
            return Err(Refusal::DayLimit);
        }
        if usage.month_minor > self.per_month {
            return Err(Refusal::MonthLimit);
        }
        Ok(())
    }

    /// Whether a balance of `held` minor units may take `amount` more.
    pub fn judge_balance(&self, held: i64, amount: Money) -> Result<(), Refusal> {
        if held.saturating_add(amount.minor()) > self.balance { Err(Refusal::PayeeBalanceLimit) } else { Ok(()) }
    }
}
