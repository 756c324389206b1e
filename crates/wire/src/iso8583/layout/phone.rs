//! Field 48, usage `PZ`: a phone number instead of a card, the payer of a request whose field 2 is absent. A profile of this
//! project's own; no public standard lays it out.

use super::{super::refusal::Refusal, Parts};

const FIELD: u8 = 48;
const USAGE: &[u8; 2] = b"PZ";
/// International digits.
const E164: &[u8; 2] = b"01";
/// Area and extension, 4 each, which are for numbers in other forms.
const AREAS: &str = "        ";
/// What follows is of payments to institutions, and stays blank or nought.
const REST: usize = 108;

/// The phone number that pays, in E.164 digits without `+`. Not printable: logs shorten numbers, and this is whole.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneAccount(String);

impl PhoneAccount {
    /// `None` unless it is 1 to 15 digits that do not begin with nought (ITU-T E.164).
    #[must_use]
    pub fn new(digits: &str) -> Option<Self> {
        let fits = (1..=15).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
        (fits && !digits.starts_with('0')).then(|| Self(digits.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Reads field 48.
    ///
    /// # Errors
    /// Where it is of another usage, or says anything beside the number.
    pub fn read(value: &[u8]) -> Result<Self, Refusal> {
        let mut parts = Parts::new(FIELD, value);
        let refusal = parts.refusal();
        if parts.octets(2)? != USAGE || parts.octets(2)? != E164 {
            return Err(refusal);
        }
        let number = core::str::from_utf8(parts.octets(40)?).map_err(|_| refusal)?;
        let blank = parts.octets(AREAS.len())?.iter().all(|octet| *octet == b' ');
        let unused = parts.octets(REST)?.iter().all(|octet| matches!(octet, b' ' | b'0'));
        parts.end()?;
        Self::new(number.trim_end_matches(' ')).filter(|_| blank && unused).ok_or(refusal)
    }

    /// Writes field 48.
    #[must_use]
    pub fn write(&self) -> String {
        format!("PZ01{:40}{AREAS}{:45}{:0<24}{:39}", self.0, "0", "", "")
    }
}
