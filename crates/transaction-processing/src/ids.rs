//! Names of things. All are given in the order of the log, so none is ever used twice.

use crate::money::Currency;

/// The number of a row in the log: 1, 2, 3, ... without gaps within an epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The row after this one.
    pub const fn next(self) -> Sequence {
        Sequence(self.0.saturating_add(1))
    }
}

/// A movement of money that people can speak of; the number of the row that made it. People see its twelve-digit reference,
/// a keyed permutation of this number, so that references tell nothing about each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TransferId(pub u64);

/// An account: above zero the row that opened it, below zero one of the platform's own ([`SystemAccount`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct AccountId(pub i64);

/// The platform's own accounts, one of each for every currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum SystemAccount {
    /// Mirror of the bank account that backs every unit of electronic money; stands below zero by exactly what was issued.
    Trust = 1,
    /// Money taken from a sender and not yet claimed.
    TransfersInFlight = 2,
    /// The operator's earnings.
    Fees = 3,
    /// What the state takes.
    Levies = 4,
    /// Fractions that a division left over.
    Remainders = 5,
    /// Returns whose owner's account is closed; each has a case for care.
    UnclaimedMoney = 6,
    /// The operator's own money, from which it pays commissions that no customer bears.
    OperatorFunds = 7,
}

impl SystemAccount {
    /// All of them, in the order of their numbers.
    pub const ALL: [SystemAccount; 7] = [
        SystemAccount::Trust,
        SystemAccount::TransfersInFlight,
        SystemAccount::Fees,
        SystemAccount::Levies,
        SystemAccount::Remainders,
        SystemAccount::UnclaimedMoney,
        SystemAccount::OperatorFunds,
    ];

    /// The account of this role in a currency: minus (ISO number × 100 + role), so that a person reading rows knows it.
    pub const fn id(self, currency: Currency) -> AccountId {
        let number = (currency.numeric as i64).saturating_mul(100).saturating_add(self as i64);
        AccountId(number.saturating_neg())
    }
}

/// The short number by which people name an agent, 1–999,999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct AgentCode(pub u32);

/// A member of staff, by the row that enrolled them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct StaffId(pub u64);

/// A maker's proposal, by the row that made it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct ProposalId(pub u64);

/// A case for customer care, by the row that opened it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct CaseId(pub u64);

/// A tariff as it was adopted, by the row that adopted it; its contents never change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TariffId(pub u64);

/// The serial number of a SIM card (ITU-T E.118), 18 to 20 digits. Kept as two halves of ten digits: a million numbers have one
/// each, and a 128-bit integer would align their records to 16 octets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Iccid {
    leading: u64,
    trailing: u64,
}

impl Iccid {
    /// Ten digits.
    const HALF: u128 = 10_000_000_000;

    /// The serial of 18 to 20 digits; none for anything else.
    pub const fn new(digits: u128) -> Option<Iccid> {
        if digits < 100_000_000_000_000_000 || digits > 99_999_999_999_999_999_999 {
            return None;
        }
        let leading = digits.wrapping_div(Iccid::HALF) as u64;
        let trailing = digits.wrapping_rem(Iccid::HALF) as u64;
        Some(Iccid { leading, trailing })
    }

    /// The digits.
    pub const fn digits(self) -> u128 {
        (self.leading as u128).wrapping_mul(Iccid::HALF).wrapping_add(self.trailing as u128)
    }
}

#[cfg(test)]
mod tests {
    use super::Iccid;

    #[test]
    fn a_serial_has_18_to_20_digits_and_keeps_them() {
        for digits in [100_000_000_000_000_000, 8_925_500_000_712_000_001, 99_999_999_999_999_999_999] {
            assert_eq!(Iccid::new(digits).map(Iccid::digits), Some(digits));
        }
        assert_eq!(Iccid::new(99_999_999_999_999_999), None);
        assert_eq!(Iccid::new(100_000_000_000_000_000_000), None);
    }
}
