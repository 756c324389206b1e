//! AES DUKPT: a key of its own for each transaction of a terminal (ANSI X9.24-3).
//!
//! A terminal holds an initial key, derived from the base derivation key and its identifier. A transaction key comes from the
//! initial key by one derivation for each bit set in the transaction counter, from the highest; working keys come from the
//! transaction key, one for each use. Each derivation is AES-ECB, under the key above, of
//! `01 | number of the block | use 2 | algorithm 2 | bits 2 | identifier 8`, with the last four octets of the identifier and the
//! counter instead of the identifier for all but the initial key.

use crate::{Algorithm, Key, UnfitKey};
use zeroize::Zeroizing;

/// Which terminal's initial key: 4 octets name the base derivation key, 4 the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

/// A transaction counter: never nought, at most 16 bits of it set, never above `FFFF0000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Counter(u32);

impl Counter {
    /// Of the first transaction.
    pub const FIRST: Self = Self(1);
    /// Of the last; the terminal needs a new initial key then.
    pub const LAST: Self = Self(0xFFFF_0000);
    const MOST_BITS: u32 = 16;

    /// `None` for counters that no terminal reaches.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        if value != 0 && value.count_ones() <= Self::MOST_BITS { Some(Self(value)) } else { None }
    }

    /// As it stands in a key serial number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// That of the next transaction; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        next(self.0, Self::MOST_BITS).and_then(Self::new)
    }

    /// Whether a host may take it after `last` of the same terminal. A counter that does not rise is a message that came
    /// before, or a copied terminal. Judge this after the message's authentication and remember the counter with what it did,
    /// or anybody could use up a terminal's counters.
    #[must_use]
    pub fn is_new_after(self, last: Option<Self>) -> bool {
        last.is_none_or(|last| self > last)
    }
}

/// The next value with at most `most_bits` set: one more, and then the lowest set bit again until few enough are set.
pub(crate) fn next(value: u32, most_bits: u32) -> Option<u32> {
    let mut next = value.checked_add(1)?;
    while next.count_ones() > most_bits {
        next = next.checked_add(next & next.wrapping_neg())?;
    }
    Some(next)
}

/// Key serial number, 12 octets: which terminal, which transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ksn {
    /// The terminal's initial key.
    pub id: KeyId,
    /// Its transaction.
    pub counter: Counter,
}

impl Ksn {
    /// `None` unless it is 12 octets with a counter that a terminal reaches.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let (id, counter) = octets.split_first_chunk::<8>()?;
        let counter = Counter::new(u32::from_be_bytes(counter.try_into().ok()?))?;
        Some(Self { id: KeyId(*id), counter })
    }

    /// As a message carries it.
    #[must_use]
    pub fn octets(&self) -> [u8; 12] {
        let counter = self.counter.0.to_be_bytes();
        std::array::from_fn(|at| if at < 8 { self.id.0[at] } else { counter[at - 8] })
    }
}

/// What a working key is for (ANSI X9.24-3, key usage indicators).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// Enciphers keys.
    KeyEncryption,
    /// Enciphers PINs.
    PinEncryption,
    /// Makes message authentication codes at the terminal.
    MacGeneration,
    /// Verifies them at the terminal.
    MacVerification,
    /// Both.
    MacBoth,
    /// Enciphers data at the terminal.
    DataEncryption,
    /// Deciphers them at the terminal.
    DataDecryption,
    /// Both.
    DataBoth,
}

const DERIVATION: u16 = 0x8000;
const INITIAL: u16 = 0x8001;

impl KeyUse {
    const fn indicator(self) -> u16 {
        match self {
            Self::KeyEncryption => 0x0002,
            Self::PinEncryption => 0x1000,
            Self::MacGeneration => 0x2000,
            Self::MacVerification => 0x2001,
            Self::MacBoth => 0x2002,
            Self::DataEncryption => 0x3000,
            Self::DataDecryption => 0x3001,
            Self::DataBoth => 0x3002,
        }
    }
}

/// The length of an AES key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AesLength {
    /// 16 octets.
    Aes128,
    /// 24 octets.
    Aes192,
    /// 32 octets.
    Aes256,
}

impl AesLength {
    fn of(key: &Key) -> Result<Self, UnfitKey> {
        match (key.algorithm(), key.length()) {
            (Algorithm::Aes, 16) => Ok(Self::Aes128),
            (Algorithm::Aes, 24) => Ok(Self::Aes192),
            (Algorithm::Aes, 32) => Ok(Self::Aes256),
            _ => Err(UnfitKey::Algorithm),
        }
    }

    const fn octets(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    const fn indicator(self) -> u16 {
        match self {
            Self::Aes128 => 2,
            Self::Aes192 => 3,
            Self::Aes256 => 4,
        }
    }
}

/// The initial key of a terminal, from the base derivation key.
///
/// # Errors
/// [`UnfitKey::Algorithm`] unless `base` is a key of AES.
pub fn initial_key(base: &Key, id: &KeyId) -> Result<Key, UnfitKey> {
    derive(base, AesLength::of(base)?, INITIAL, id.0)
}

/// A working key of a transaction, from the terminal's initial key.
///
/// # Errors
/// [`UnfitKey::Algorithm`] unless `initial` is a key of AES, [`UnfitKey::Stronger`] where it is shorter than `length`.
pub fn working_key(initial: &Key, ksn: &Ksn, usage: KeyUse, length: AesLength) -> Result<Key, UnfitKey> {
    if length > AesLength::of(initial)? {
        return Err(UnfitKey::Stronger);
    }
    let transaction = transaction_key(initial, ksn)?;
    derive(&transaction, length, usage.indicator(), context(ksn, ksn.counter.0))
}

/// One derivation for each bit set, from the highest.
pub(crate) fn transaction_key(initial: &Key, ksn: &Ksn) -> Result<Key, UnfitKey> {
    let length = AesLength::of(initial)?;
    let mut key = initial.duplicate();
    let mut counter = 0;
    for bit in (0..32).rev().map(|bit| 1 << bit).filter(|bit| ksn.counter.0 & bit != 0) {
        counter |= bit;
        key = derive(&key, length, DERIVATION, context(ksn, counter))?;
    }
    Ok(key)
}

fn context(ksn: &Ksn, counter: u32) -> [u8; 8] {
    let counter = counter.to_be_bytes();
    std::array::from_fn(|at| if at < 4 { ksn.id.0[at + 4] } else { counter[at - 4] })
}

fn derive(key: &Key, length: AesLength, usage: u16, context: [u8; 8]) -> Result<Key, UnfitKey> {
    let cipher = key.cipher_of(Algorithm::Aes)?;
    let bits = (length.octets() * 8) as u16;
    let mut blocks = Zeroizing::new([[0; 16]; 2]);
    for (number, block) in (1_u8..).zip(blocks.iter_mut()) {
        block[..2].copy_from_slice(&[1, number]);
        block[2..4].copy_from_slice(&usage.to_be_bytes());
        block[4..6].copy_from_slice(&length.indicator().to_be_bytes());
        block[6..8].copy_from_slice(&bits.to_be_bytes());
        block[8..].copy_from_slice(&context);
    }
    let needed = length.octets();
    cipher.encrypt(&mut blocks.as_flattened_mut()[..needed.next_multiple_of(16)]);
    Key::new(Algorithm::Aes, &blocks.as_flattened()[..needed])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{octets, text, vectors};

    #[test]
    fn every_key_between_is_that_of_the_vectors() {
        for case in vectors()["aes_dukpt"]["cases"].as_array().unwrap() {
            let aes = |case: &serde_json::Value, field| Key::new(Algorithm::Aes, &octets(case, field)).unwrap();
            let id = KeyId(octets(case, "initial_key_id").try_into().unwrap());
            let initial = initial_key(&aes(case, "bdk"), &id).unwrap();
            assert!(initial.same(&aes(case, "initial_key")));
            for transaction in case["transactions"].as_array().unwrap() {
                let ksn = Ksn::parse(&octets(transaction, "ksn")).unwrap();
                let key = transaction_key(&initial, &ksn).unwrap();
                assert!(key.same(&aes(transaction, "transaction_key")), "{}", text(transaction, "ksn"));
            }
        }
    }
}
