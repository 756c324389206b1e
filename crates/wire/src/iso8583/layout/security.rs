//! Field 53: how the PIN in field 52 is enciphered.

use super::{super::refusal::Refusal, Parts};

const FIELD: u8 = 53;

/// Whether the PIN block is bound to an account number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinBinding {
    /// `1`: it is not.
    Unbound,
    /// `2`: it is.
    Account,
}

/// The cipher of the PIN block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinAlgorithm {
    /// `4`: SM4; the block, of 16 octets, is elsewhere then.
    Sm4,
    /// `6`: TDES.
    Tdes,
}

/// Field 53. No public text has a digit for AES: links that use it agree on one by other means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecurityControl {
    /// The first digit.
    pub binding: PinBinding,
    /// The second.
    pub algorithm: PinAlgorithm,
}

impl SecurityControl {
    /// Reads field 53.
    ///
    /// # Errors
    /// Where a digit is another, or one of the last fourteen is not nought.
    pub fn read(value: &[u8]) -> Result<Self, Refusal> {
        let mut parts = Parts::new(FIELD, value);
        let binding = match parts.octets(1)? {
            b"1" => PinBinding::Unbound,
            b"2" => PinBinding::Account,
            _ => return Err(parts.refusal()),
        };
        let algorithm = match parts.octets(1)? {
            b"4" => PinAlgorithm::Sm4,
            b"6" => PinAlgorithm::Tdes,
            _ => return Err(parts.refusal()),
        };
        let nought = parts.number(14)? == 0;
        let refusal = parts.refusal();
        parts.end()?;
        if nought { Ok(Self { binding, algorithm }) } else { Err(refusal) }
    }

    /// Writes field 53.
    #[must_use]
    pub fn write(&self) -> String {
        let binding = match self.binding {
            PinBinding::Unbound => '1',
            PinBinding::Account => '2',
        };
        let algorithm = match self.algorithm {
            PinAlgorithm::Sm4 => '4',
            PinAlgorithm::Tdes => '6',
        };
        format!("{binding}{algorithm}{:014}", 0)
    }
}
