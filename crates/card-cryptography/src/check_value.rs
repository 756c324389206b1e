//! Key check values: a few octets by which two parties see that they hold the same key.

use crate::{Algorithm, Key, UnfitKey};
use std::fmt;
use subtle::ConstantTimeEq;

/// A key check value, 4 octets of DES and TDES and 5 of AES. Public: printed in upper-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CheckValue {
    octets: [u8; 5],
    length: usize,
}

impl CheckValue {
    /// DES and TDES: the cipher of zeros (ANSI X9.24-1, Annex A), of which links use the first 3 or 4 octets. AES: CMAC of
    /// zeros, 5 octets (ANSI X9.24-1:2017, Annex A; blocks `KC` and `KP` of a key block).
    pub(crate) fn of(key: &Key) -> Result<Self, UnfitKey> {
        let cipher = key.cipher()?;
        if key.algorithm() == Algorithm::Aes {
            return Ok(Self::first(&cipher.cmac(&[&[0; 16]]), 5));
        }
        let mut zeros = [0; 8];
        cipher.encrypt(&mut zeros);
        Ok(Self::first(&zeros, 4))
    }

    /// That of a card's AES keys: the cipher of sixteen octets `01`, 3 octets (GlobalPlatform Amendment D, PUT KEY).
    ///
    /// # Errors
    /// [`UnfitKey::Algorithm`] unless it is a key of AES.
    pub fn of_card_key(key: &Key) -> Result<Self, UnfitKey> {
        let mut ones = [1; 16];
        key.cipher_of(Algorithm::Aes)?.encrypt(&mut ones);
        Ok(Self::first(&ones, 3))
    }

    fn first(octets: &[u8], length: usize) -> Self {
        Self { octets: std::array::from_fn(|at| if at < length { octets[at] } else { 0 }), length }
    }

    /// The octets.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }

    /// Whether `stated`, of 3 octets at least, begins it. Fewer would fit too many keys.
    #[must_use]
    pub fn is(&self, stated: &[u8]) -> bool {
        (3..=self.length).contains(&stated.len()) && self.octets[..stated.len()].ct_eq(stated).into()
    }
}

impl fmt::Display for CheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.octets().iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for CheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
