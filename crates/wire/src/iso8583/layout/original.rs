//! Field 90: the message that a reversal is about, as its sender wrote it.

use super::{
    super::{Mti, refusal::Refusal},
    Parts, digits,
};

const FIELD: u8 = 90;

/// Field 90.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OriginalData {
    /// Its type.
    pub mti: Mti,
    /// Its trace number, field 11.
    pub trace: u32,
    /// When it was sent, field 7, `MMDDhhmmss`.
    pub transmitted: u64,
    /// Who acquired it, field 32, as a number of 11 digits.
    pub acquirer: u64,
    /// Who forwarded it, field 33, as a number of 11 digits.
    pub forwarder: u64,
}

impl OriginalData {
    /// Reads field 90.
    ///
    /// # Errors
    /// Where it is laid out otherwise.
    pub fn read(value: &[u8]) -> Result<Self, Refusal> {
        let mut parts = Parts::new(FIELD, value);
        let refusal = parts.refusal();
        let original = Self {
            mti: Mti::parse(parts.octets(4)?).ok_or(refusal)?,
            trace: parts.number(6)? as u32,
            transmitted: parts.number(10)?,
            acquirer: parts.number(11)?,
            forwarder: parts.number(11)?,
        };
        parts.end().map(|()| original)
    }

    /// Writes field 90.
    ///
    /// # Errors
    /// Where a number has too many digits.
    pub fn write(&self) -> Result<String, Refusal> {
        let mti = String::from_utf8_lossy(self.mti.digits()).into_owned();
        let numbers = [(u64::from(self.trace), 6), (self.transmitted, 10), (self.acquirer, 11), (self.forwarder, 11)];
        numbers.iter().try_fold(mti, |text, (number, width)| Ok(text + &digits(FIELD, *number, *width)?))
    }
}
