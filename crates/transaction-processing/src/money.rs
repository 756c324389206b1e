//! Money: whole minor units of one currency, never negative, never rounded.

/// The largest amount of money, in minor units: no more of a currency is ever issued, so every balance is an amount, and a
/// sum that overflows is a broken invariant, not a large customer.
pub const LARGEST: i64 = 1_000_000_000_000_000;

/// A currency: its ISO 4217 number and how many decimal digits its minor unit has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Currency {
    /// ISO 4217 numeric code, for example 834 for TZS.
    pub numeric: u16,
    /// Decimal digits of the minor unit, 0–4.
    pub minor_digits: u8,
}

/// An amount as a person typed it: `digits` without the point, and how many of them stand behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypedAmount {
    /// All digits, read as one number.
    pub digits: u64,
    /// How many of the digits stand behind the decimal point.
    pub scale: u8,
}

/// An amount of one currency, zero or more minor units up to [`LARGEST`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// An amount of `minor` units; none where it is negative or above [`LARGEST`].
    pub const fn new(minor: i64, currency: Currency) -> Option<Money> {
        if minor < 0 || minor > LARGEST {
            return None;
        }
        Some(Money { minor, currency })
    }

    /// Nothing, in this currency.
    pub const fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// What a person typed, in minor units of `currency`; none where it has more decimals than the currency, is zero or is
    /// beyond [`LARGEST`].
    pub fn typed(amount: TypedAmount, currency: Currency) -> Option<Money> {
        let missing = currency.minor_digits.checked_sub(amount.scale)?;
        let factor = 10_u64.checked_pow(u32::from(missing))?;
        let minor = i64::try_from(amount.digits.checked_mul(factor)?).ok()?;
        if minor == 0 { None } else { Money::new(minor, currency) }
    }

    /// Minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether there is nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum; none on another currency or beyond [`LARGEST`].
    pub fn plus(self, other: Money) -> Option<Money> {
        if self.currency != other.currency {
            return None;
        }
        Money::new(self.minor.checked_add(other.minor)?, self.currency)
    }

    /// What is left after taking `other`; none on another currency or where it is not covered.
    pub fn less(self, other: Money) -> Option<Money> {
        if self.currency != other.currency {
            return None;
        }
        Money::new(self.minor.checked_sub(other.minor)?, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const TZS: Currency = Currency { numeric: 834, minor_digits: 2 };

    fn typed(digits: u64, scale: u8) -> Option<i64> {
        Money::typed(TypedAmount { digits, scale }, TZS).map(Money::minor)
    }

    #[test]
    fn a_typed_amount_has_at_most_the_currencys_decimals() {
        assert_eq!(typed(500, 0), Some(50_000));
        assert_eq!(typed(50_050, 2), Some(50_050));
        assert_eq!(typed(5005, 1), Some(50_050));
        assert_eq!(typed(500_501, 3), None);
        assert_eq!(typed(0, 0), None);
        assert_eq!(typed(u64::MAX, 0), None);
        assert_eq!(typed(10_000_000_000_001, 0), None, "one above the largest");
    }

    #[test]
    fn sums_stay_within_the_largest_and_one_currency() {
        let most = Money::new(LARGEST, TZS).unwrap_or(Money::zero(TZS));
        assert_eq!(most.plus(Money::zero(TZS)), Some(most));
        assert_eq!(most.plus(most), None);
        assert_eq!(Money::zero(TZS).less(most), None);
        assert_eq!(most.plus(Money::zero(Currency { numeric: 404, minor_digits: 2 })), None);
    }
}
