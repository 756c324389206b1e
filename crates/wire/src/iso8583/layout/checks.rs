//! Field 61 of the institution link: what was checked of the customer, with usage `AM` for the flags.

use super::{super::refusal::Refusal, Parts};

const FIELD: u8 = 61;
const USAGE: &[u8; 2] = b"AM";
/// The flag, from 0, that says whether a dynamic code was verified.
const DYNAMIC_CODE: usize = 8;
const VERIFIED: u8 = b'1';
const UNCHECKED: u8 = b'0';

/// What was checked. Not printable: it has room for an identity number.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerChecks {
    /// Kind of document; `00` none.
    pub id_type: [u8; 2],
    /// Its number, spaces behind it.
    pub id_number: [u8; 20],
    /// Results of CVV and PVV.
    pub card_results: [u8; 2],
    /// Two centres of the network, 3 and 3, and one further result.
    pub centres: [u8; 7],
    /// Result of the card's cryptogram.
    pub cryptogram_result: u8,
    /// A third centre.
    pub third_centre: [u8; 3],
    /// Sixteen flags, `0` not checked.
    pub flags: [u8; 16],
    /// What the flags need more, up to 147 characters.
    pub data: Vec<u8>,
}

impl CustomerChecks {
    /// Nothing was checked; the centres are the link's own.
    #[must_use]
    pub const fn none(centres: [u8; 7], third_centre: [u8; 3]) -> Self {
        Self {
            id_type: *b"00",
            id_number: [b' '; 20],
            card_results: *b"  ",
            centres,
            cryptogram_result: b' ',
            third_centre,
            flags: [UNCHECKED; 16],
            data: Vec::new(),
        }
    }

    /// The same, and the customer's dynamic code was verified.
    #[must_use]
    pub const fn with_dynamic_code(mut self) -> Self {
        self.flags[DYNAMIC_CODE] = VERIFIED;
        self
    }

    /// Whether the customer's dynamic code was verified.
    #[must_use]
    pub fn has_dynamic_code(&self) -> bool {
        self.flags[DYNAMIC_CODE] == VERIFIED
    }

    /// Reads field 61.
    ///
    /// # Errors
    /// Where it is laid out otherwise, or flags are no digits.
    pub fn read(value: &[u8]) -> Result<Self, Refusal> {
        let mut parts = Parts::new(FIELD, value);
        let mut checks = Self::none([0; 7], [0; 3]);
        checks.id_type = parts.characters()?;
        checks.id_number = parts.characters()?;
        checks.card_results = parts.characters()?;
        checks.centres = parts.characters()?;
        checks.cryptogram_result = parts.characters::<1>()?[0];
        checks.third_centre = parts.characters()?;
        let usage = parts.octets(2)?;
        checks.flags = parts.characters()?;
        checks.data = parts.rest.to_vec();
        let fits = usage == USAGE && checks.flags.iter().all(u8::is_ascii_digit) && checks.data.len() <= 147;
        if fits { Ok(checks) } else { Err(Refusal::layout(FIELD)) }
    }

    /// Writes field 61.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let parts: [&[u8]; 9] = [
            &self.id_type,
            &self.id_number,
            &self.card_results,
            &self.centres,
            &[self.cryptogram_result],
            &self.third_centre,
            USAGE,
            &self.flags,
            &self.data,
        ];
        parts.concat()
    }
}
