//! The customer's address and account: an E.164 number.

use core::fmt;
use core::num::NonZeroU64;

/// An E.164 number: 7 to 15 digits, the first not zero. Local forms become one at the door, by the country's rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(NonZeroU64);

impl Msisdn {
    /// The number with these digits (country code first, no plus); none where it is no E.164 number.
    pub const fn new(digits: u64) -> Option<Msisdn> {
        match NonZeroU64::new(digits) {
            Some(digits) if digits.get() >= 1_000_000 && digits.get() <= 999_999_999_999_999 => Some(Msisdn(digits)),
            _ => None,
        }
    }

    /// The digits, country code first.
    pub const fn digits(self) -> u64 {
        self.0.get()
    }
}

/// Only the last three digits: a whole number never reaches a log by accident.
impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{:03}", self.digits().checked_rem(1000).unwrap_or(0))
    }
}
