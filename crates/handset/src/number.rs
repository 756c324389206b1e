//! Numbers of phones and short codes, as keys.

use core::fmt;
use wire::smpp::Text;

/// A phone's number in international form, or a short code: 1 to 20 digits, a leading `+` dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number(Text<20>);

/// Not 1 to 20 digits, with or without a leading `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number of 1 to 20 digits")]
pub struct InvalidNumber;

impl Number {
    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str().unwrap_or_default()
    }

    /// Its digits, as they stand in an SMPP address.
    #[must_use]
    pub fn digits(&self) -> Text<20> {
        self.0
    }

    pub(crate) fn of(address: &wire::smpp::Address) -> Result<Self, InvalidNumber> {
        address.digits.as_str().ok_or(InvalidNumber)?.try_into()
    }
}

impl TryFrom<&str> for Number {
    type Error = InvalidNumber;

    fn try_from(text: &str) -> Result<Self, InvalidNumber> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let sound = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
        let digits = if sound { Text::try_from(digits).ok() } else { None };
        digits.map(Self).ok_or(InvalidNumber)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, digits) in [("+255712000001", "255712000001"), ("15050", "15050"), ("0", "0")] {
            assert_eq!(Number::try_from(text).unwrap().as_str(), digits);
        }
        for text in ["", "+", "++1", "WAKALA", "12 3", "123456789012345678901", "١٢"] {
            assert!(Number::try_from(text).is_err(), "{text}");
        }
    }
}
