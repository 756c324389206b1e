//! PINs and the account numbers that they are bound to, as digits.

use zeroize::Zeroizing;

/// A PIN of 4 to 12 digits (ISO 9564-1, 8.1). Secret: cannot be printed, copied or compared, wiped on drop.
///
/// ```compile_fail
/// let pin = card_cryptography::Pin::parse("2718").unwrap();
/// println!("{pin:?}");
/// ```
pub struct Pin(Zeroizing<Vec<u8>>);

impl Pin {
    /// `None` unless `text` is 4 to 12 ASCII digits and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (4..=12).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
        fits.then(|| Self(Zeroizing::new(text.bytes().map(|digit| digit - b'0').collect())))
    }

    /// Of digits 0 to 9.
    pub(crate) fn of_digits(digits: Zeroizing<Vec<u8>>) -> Self {
        Self(digits)
    }

    /// Each 0 to 9.
    pub(crate) fn digits(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn as_ascii(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.iter().map(|digit| digit + b'0').collect())
    }
}

/// The account number that a PIN is bound to: a card's, or a phone number in E.164 without `+`. 1 to 19 digits. Not printable:
/// card numbers stand in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Account(Zeroizing<Vec<u8>>);

impl Account {
    /// `None` unless `text` is 1 to 19 ASCII digits and nothing else. The check digit is not checked.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=19).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
        fits.then(|| Self(Zeroizing::new(text.bytes().map(|digit| digit - b'0').collect())))
    }

    /// Each 0 to 9.
    pub(crate) fn digits(&self) -> &[u8] {
        &self.0
    }

    /// The `count` digits left of the check digit, which is the last; `None` where there are fewer.
    pub(crate) fn left_of_check_digit(&self, count: usize) -> Option<&[u8]> {
        let end = self.0.len() - 1;
        self.0.get(end.checked_sub(count)?..end)
    }
}
