//! Keys as octets, before they stand behind an HSM.

use crate::{check_value::CheckValue, cipher::Cipher};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What a key is for by its shape; the letter is that of a key block (ANSI X9.143, table of algorithms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `A`: 16, 24 or 32 octets.
    Aes,
    /// `D`: 8 octets. Broken; only for the message authentication of links that know nothing else.
    Des,
    /// `H`: HMAC-SHA256 here, 16 to 64 octets.
    Hmac,
    /// `T`: 16 or 24 octets. Disallowed by NIST SP 800-131A after 2023; for the standards of point of sale and purse.
    Tdes,
}

impl Algorithm {
    const fn takes(self, length: usize) -> bool {
        match self {
            Self::Aes => matches!(length, 16 | 24 | 32),
            Self::Des => length == 8,
            Self::Hmac => matches!(length, 16..=64),
            Self::Tdes => matches!(length, 16 | 24),
        }
    }
}

/// Why octets are no key, or a key not the one that was needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitKey {
    /// The algorithm has no keys of this length.
    #[error("a key of this algorithm has another length")]
    Length,
    /// Two neighbouring parts of a TDES key are equal: it is no stronger than single DES.
    #[error("parts of the key are equal")]
    PartsEqual,
    /// The work needs a key of another algorithm.
    #[error("the work needs a key of another algorithm")]
    Algorithm,
    /// A derived key may not be stronger than the one that it is derived from (ANSI X9.24-3).
    #[error("the key would be stronger than the one that it comes from")]
    Stronger,
}

/// A key in the clear. Secret: cannot be printed, copied or compared by `==`, wiped on drop.
///
/// ```compile_fail
/// let key = card_cryptography::Key::new(card_cryptography::Algorithm::Aes, &[7; 16]).unwrap();
/// println!("{key:?}");
/// ```
pub struct Key {
    algorithm: Algorithm,
    octets: Zeroizing<Vec<u8>>,
}

impl Key {
    /// A key of these octets. Parity bits of DES are neither checked nor set.
    ///
    /// # Errors
    /// [`UnfitKey::Length`], and [`UnfitKey::PartsEqual`] of TDES.
    pub fn new(algorithm: Algorithm, octets: &[u8]) -> Result<Self, UnfitKey> {
        if !algorithm.takes(octets.len()) {
            return Err(UnfitKey::Length);
        }
        let parts_equal = |at: usize| bool::from(octets[at..at + 8].ct_eq(&octets[at + 8..at + 16]));
        if algorithm == Algorithm::Tdes && (0..octets.len() - 8).step_by(8).any(parts_equal) {
            return Err(UnfitKey::PartsEqual);
        }
        Ok(Self { algorithm, octets: Zeroizing::new(octets.to_vec()) })
    }

    /// A new key.
    ///
    /// # Errors
    /// [`UnfitKey::Length`].
    pub fn draw(algorithm: Algorithm, length: usize, rng: &mut dyn CryptoRng) -> Result<Self, UnfitKey> {
        let mut octets = Zeroizing::new(vec![0; length]);
        rng.fill_bytes(&mut octets);
        Self::new(algorithm, &octets)
    }

    /// What it is a key of.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many octets it has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.octets.len()
    }

    /// Whether both are the same key, in a time that depends on their lengths alone.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.octets.ct_eq(&other.octets).into()
    }

    /// By which people compare keys without seeing them.
    ///
    /// # Errors
    /// [`UnfitKey::Algorithm`] of an HMAC key, which has none here.
    pub fn check_value(&self) -> Result<CheckValue, UnfitKey> {
        CheckValue::of(self)
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The block cipher of this key.
    pub(crate) fn cipher(&self) -> Result<Cipher, UnfitKey> {
        match self.algorithm {
            Algorithm::Aes => Cipher::aes(&self.octets),
            Algorithm::Des | Algorithm::Tdes => Cipher::des(&self.octets),
            Algorithm::Hmac => None,
        }
        .ok_or(UnfitKey::Algorithm)
    }

    /// The same, where the work is of one algorithm alone.
    pub(crate) fn cipher_of(&self, algorithm: Algorithm) -> Result<Cipher, UnfitKey> {
        if self.algorithm == algorithm { self.cipher() } else { Err(UnfitKey::Algorithm) }
    }

    pub(crate) fn duplicate(&self) -> Self {
        Self { algorithm: self.algorithm, octets: self.octets.clone() }
    }
}
