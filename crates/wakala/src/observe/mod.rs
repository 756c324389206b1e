//! What the platform shows of itself: logs, metrics, and the port on which both people and machines ask how it does.

pub mod commits;
pub mod logs;
pub mod metrics;
pub mod port;
pub mod proofs;

use std::fmt;

use transaction_processing::Msisdn;

/// A number as logs and support may show it: enough to tell operators apart and to find a caller again, too little to call.
#[derive(Clone, Copy)]
pub struct Shortened(pub Msisdn);

impl fmt::Display for Shortened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.digits().to_string();
        match digits.len() {
            10.. => write!(f, "{}…{}", &digits[..3], &digits[digits.len() - 3..]),
            length => write!(f, "…{}", &digits[length - 2..]),
        }
    }
}

/// The same as for people.
impl fmt::Debug for Shortened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shortened() {
        for (digits, shown) in [
            (255_712_345_678, "255…678"),
            (16_502_530_000, "165…000"),
            (1_234_567_890, "123…890"),
            (123_456_789, "…89"),
            (1_234_567, "…67"),
        ] {
            let shortened = Shortened(Msisdn::new(digits).unwrap());
            assert_eq!((shortened.to_string(), format!("{shortened:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }
}
