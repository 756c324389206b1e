//! Prices: what a request costs, who pays it, what the agent earns and the state takes. Whole minor units throughout; what a
//! division leaves over goes to a named account (I13).

use alloc::vec::Vec;

use crate::ids::TariffId;
use crate::money::{Currency, LARGEST, Money};
use crate::time::Time;

/// What a tariff prices.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Priced {
    /// `TM`.
    Transfer = 1,
    /// A waiting transfer claimed in cash at an agent.
    Withdrawal = 2,
    /// `CI`.
    CashIn = 3,
    /// `CO`.
    CashOut = 4,
}

impl Priced {
    /// The one of this number.
    pub fn numbered(number: u8) -> Option<Priced> {
        let all = [Priced::Transfer, Priced::Withdrawal, Priced::CashIn, Priced::CashOut];
        all.into_iter().find(|priced| *priced as u8 == number)
    }
}

/// Who bears a charge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Payer {
    /// On top of the amount.
    Sender = 1,
    /// Out of the amount.
    Payee = 2,
    /// Out of the operator's own funds: the fee is what its share for the agent is reckoned from.
    Operator = 3,
}

/// The price of amounts up to a ceiling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Band {
    /// The largest amount of this band, minor units.
    pub up_to: i64,
    /// Charged on every one, minor units.
    pub fixed: i64,
    /// And this much of the amount, in thousandths.
    pub per_mille: u32,
    /// But at least, minor units.
    pub minimum: i64,
    /// And at most, minor units.
    pub maximum: i64,
}

/// What a tariff says, without its name: what the configuration writes down and the books adopt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// What it prices.
    pub priced: Priced,
    /// In which currency.
    pub currency: Currency,
    /// From when it holds, until a later one does.
    pub effective_from: Time,
    /// Who bears the charge.
    pub payer: Payer,
    /// Rising bands; amounts above the last are priced by the last.
    pub bands: Vec<Band>,
    /// The agent's share of the fee, thousandths.
    pub agent_share_per_mille: u32,
    /// The levy, in thousandths of the fee.
    pub levy_per_mille_of_fee: u32,
    /// The levy, in thousandths of the amount.
    pub levy_per_mille_of_amount: u32,
    /// Whether a return keeps the fee.
    pub fee_kept_on_return: bool,
}

/// A tariff that the books adopted; it never changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tariff {
    /// Its name.
    pub id: TariffId,
    /// What it says.
    pub terms: Terms,
}

/// Why terms cannot be adopted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsound {
    /// There is no band.
    NoBand,
    /// Bands must rise in `up_to`, and no figure may be below zero or beyond the largest amount.
    BadBand,
    /// A minimum is above its maximum.
    MinimumAboveMaximum,
    /// A larger amount would cost less than a smaller one, so that the order of transfers would change what an agent earns.
    FallingFee,
    /// Shares are thousandths: at most 1000.
    ShareAboveWhole,
}

/// A fee divided: the parts sum to the fee.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Division {
    /// The agent's.
    pub commission: Money,
    /// The operator's.
    pub operator: Money,
    /// What the division left over, at most one minor unit.
    pub remainder: Money,
}

impl Terms {
    /// The reason why these terms cannot be adopted, if there is one.
    pub fn unsound(&self) -> Option<Unsound> {
        let mut ceiling = 0;
        let mut dearest = 0;
        if self.bands.is_empty() {
            return Some(Unsound::NoBand);
        }
        let share_too_large = self.agent_share_per_mille > 1000
            || self.levy_per_mille_of_fee > 1000
            || self.levy_per_mille_of_amount > 1000;
        if share_too_large {
            return Some(Unsound::ShareAboveWhole);
        }
        for band in &self.bands {
            let sound = |figure: i64| (0..=LARGEST).contains(&figure);
            if band.up_to <= ceiling || ![band.up_to, band.fixed, band.minimum, band.maximum].into_iter().all(sound) {
                return Some(Unsound::BadBand);
            }
            if band.minimum > band.maximum {
                return Some(Unsound::MinimumAboveMaximum);
            }
            if band.fee(ceiling.saturating_add(1)) < dearest {
                return Some(Unsound::FallingFee);
            }
            ceiling = band.up_to;
            dearest = band.fee(ceiling);
        }
        None
    }

    /// The fee for an amount, minor units.
    fn fee_minor(&self, amount: i64) -> i64 {
        let band = self.bands.iter().find(|band| amount <= band.up_to).or(self.bands.last());
        band.map_or(0, |band| band.fee(amount))
    }

    /// The fee for an amount in the tariff's currency.
    pub fn fee(&self, amount: Money) -> Money {
        self.money(self.fee_minor(amount.minor()))
    }

    /// What the state takes on an amount and its fee.
    pub fn levy(&self, amount: Money, fee: Money) -> Money {
        let levy = thousandths(fee.minor(), self.levy_per_mille_of_fee)
            .saturating_add(thousandths(amount.minor(), self.levy_per_mille_of_amount));
        self.money(levy)
    }

    /// The most that an agent earns of one fee: the share, a fraction counted as one minor unit.
    pub fn share(&self, fee: Money) -> Money {
        let kept = thousandths(fee.minor(), 1000_u32.saturating_sub(self.agent_share_per_mille));
        self.money(fee.minor().saturating_sub(kept))
    }

    /// What the agent earns on `amount`, having dealt `before` with the same customer today and earned `earned` on it: the
    /// share of the fee on the whole day's sum, less what was earned. However a sum is split, no more is paid (row Z12).
    pub fn commission(&self, before: i64, earned: i64, amount: Money) -> Money {
        let sum = before.saturating_add(amount.minor()).min(LARGEST);
        let due = thousandths(self.fee_minor(sum), self.agent_share_per_mille);
        self.money(due.saturating_sub(earned).max(0))
    }

    /// The fee divided, the agent getting `commission` but never more than the fee holds.
    pub fn divide(&self, fee: Money, commission: Money) -> Division {
        let commission = commission.minor().min(fee.minor());
        let rest = fee.minor().saturating_sub(commission);
        let exact = 1000_u32.saturating_sub(self.agent_share_per_mille);
        let whole_share = thousandths(fee.minor(), exact);
        // Only a full share leaves a fraction; where the day's sum lowered the commission, the operator keeps the difference.
        let fraction = rest.saturating_sub(whole_share).clamp(0, 1);
        let is_full = commission == thousandths(fee.minor(), self.agent_share_per_mille);
        let remainder = if is_full { fraction } else { 0 };
        Division {
            commission: self.money(commission),
            operator: self.money(rest.saturating_sub(remainder)),
            remainder: self.money(remainder),
        }
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor.clamp(0, LARGEST), self.currency).unwrap_or(Money::zero(self.currency))
    }
}

impl Band {
    fn fee(&self, amount: i64) -> i64 {
        thousandths(amount, self.per_mille).saturating_add(self.fixed).clamp(self.minimum, self.maximum)
    }
}

/// So many thousandths of a sum, whole minor units, the fraction left with whoever held it.
fn thousandths(of: i64, per_mille: u32) -> i64 {
    let product = i128::from(of).saturating_mul(i128::from(per_mille));
    i64::try_from(product.checked_div(1000).unwrap_or(0)).unwrap_or(LARGEST)
}
