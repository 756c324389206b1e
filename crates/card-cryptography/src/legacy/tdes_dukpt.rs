//! TDES DUKPT: a key of its own for each transaction of a terminal (ANSI X9.24-1:2009, Annex A).

use crate::{Algorithm, Key, UnfitKey, cipher::Cipher, dukpt};
use zeroize::Zeroizing;

/// A transaction counter of 21 bits: never nought, at most 10 bits of it set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Counter(u32);

impl Counter {
    /// Of the first transaction.
    pub const FIRST: Self = Self(1);
    /// Of the last.
    pub const LAST: Self = Self(0x1F_F800);
    const MOST_BITS: u32 = 10;

    /// `None` for counters that no terminal reaches.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        let reached = value != 0 && value <= 0x1F_FFFF && value.count_ones() <= Self::MOST_BITS;
        if reached { Some(Self(value)) } else { None }
    }

    /// As it stands in a key serial number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// That of the next transaction; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        dukpt::next(self.0, Self::MOST_BITS).and_then(Self::new)
    }

    /// As [`dukpt::Counter::is_new_after`].
    #[must_use]
    pub fn is_new_after(self, last: Option<Self>) -> bool {
        last.is_none_or(|last| self > last)
    }
}

/// Key serial number, 10 octets: 59 bits name the terminal's initial key, 21 its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ksn {
    octets: [u8; 10],
    counter: Counter,
}

impl Ksn {
    /// `None` unless it is 10 octets with a counter that a terminal reaches.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let octets: [u8; 10] = octets.try_into().ok()?;
        let counter = u32::from_be_bytes([0, octets[7] & 0x1F, octets[8], octets[9]]);
        Some(Self { octets, counter: Counter::new(counter)? })
    }

    /// As a message carries it.
    #[must_use]
    pub fn octets(&self) -> [u8; 10] {
        self.octets
    }

    /// Its transaction.
    #[must_use]
    pub fn counter(&self) -> Counter {
        self.counter
    }

    /// The same terminal at another transaction.
    #[must_use]
    pub fn at(&self, counter: Counter) -> Self {
        let [_, high, middle, low] = counter.0.to_be_bytes();
        let mut octets = self.octets;
        octets[7] = octets[7] & 0xE0 | high;
        octets[8..].copy_from_slice(&[middle, low]);
        Self { octets, counter }
    }
}

/// What a working key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Enciphers PINs.
    Pin,
    /// Authenticates requests.
    MacRequest,
    /// Authenticates answers.
    MacResponse,
    /// Enciphers data of requests.
    DataRequest,
    /// Enciphers data of answers.
    DataResponse,
}

impl Variant {
    /// The octet, of each half, that is inverted (Annex A.4.1).
    const fn octet(self) -> usize {
        match self {
            Self::Pin => 7,
            Self::MacRequest => 6,
            Self::DataRequest => 5,
            Self::MacResponse => 4,
            Self::DataResponse => 3,
        }
    }
}

/// Two halves of a key.
type Halves = Zeroizing<[u8; 16]>;

/// Inverts bits of both halves before a second use of the same derivation.
const OTHER_HALF: [u8; 8] = [0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0];

/// The initial key of a terminal, from the base derivation key (Annex A.6).
///
/// # Errors
/// [`UnfitKey::Algorithm`] unless `base` is a TDES key of two parts.
pub fn initial_key(base: &Key, ksn: &Ksn) -> Result<Key, UnfitKey> {
    let base = halves(base)?;
    let mut name: [u8; 8] = std::array::from_fn(|at| ksn.octets[at]);
    name[7] &= 0xE0;
    let mut initial = Zeroizing::new([name, name].concat());
    tdes(&base).encrypt(&mut initial[..8]);
    tdes(&other(&base)).encrypt(&mut initial[8..]);
    Key::new(Algorithm::Tdes, &initial)
}

/// A working key of a transaction, from the terminal's initial key.
///
/// # Errors
/// [`UnfitKey::Algorithm`] unless `initial` is a TDES key of two parts.
pub fn working_key(initial: &Key, ksn: &Ksn, variant: Variant) -> Result<Key, UnfitKey> {
    let mut key = transaction_key(initial, ksn)?;
    key[variant.octet()] ^= 0xFF;
    key[variant.octet() + 8] ^= 0xFF;
    if matches!(variant, Variant::DataRequest | Variant::DataResponse) {
        let cipher = tdes(&key);
        cipher.encrypt(key.as_mut_slice());
    }
    Key::new(Algorithm::Tdes, key.as_slice())
}

/// One non-reversible step for each bit set, from the highest (Annex A.3).
pub(crate) fn transaction_key(initial: &Key, ksn: &Ksn) -> Result<Halves, UnfitKey> {
    let mut key = halves(initial)?;
    let serial: [u8; 8] = std::array::from_fn(|at| ksn.octets[at + 2]);
    let mut serial = u64::from_be_bytes(serial) & !0x1F_FFFF;
    for bit in (0..21).rev().map(|bit| 1 << bit).filter(|bit| ksn.counter.0 & bit != 0) {
        serial |= u64::from(bit);
        let right = half_step(&key, serial);
        let left = half_step(&other(&key), serial);
        key[..8].copy_from_slice(left.as_slice());
        key[8..].copy_from_slice(right.as_slice());
    }
    Ok(key)
}

/// `DES(left, serial XOR right) XOR right`.
fn half_step(key: &Halves, serial: u64) -> Zeroizing<[u8; 8]> {
    let mut block = Zeroizing::new(serial.to_be_bytes());
    let xor = |block: &mut [u8; 8]| block.iter_mut().zip(&key[8..]).for_each(|(octet, right)| *octet ^= right);
    xor(&mut block);
    Cipher::des(&key[..8]).expect("8 octets are a key").encrypt(block.as_mut_slice());
    xor(&mut block);
    block
}

fn other(key: &Halves) -> Halves {
    Zeroizing::new(std::array::from_fn(|at| key[at] ^ OTHER_HALF[at % 8]))
}

fn tdes(key: &Halves) -> Cipher {
    Cipher::des(key.as_slice()).expect("16 octets are a key")
}

fn halves(key: &Key) -> Result<Halves, UnfitKey> {
    if key.algorithm() != Algorithm::Tdes {
        return Err(UnfitKey::Algorithm);
    }
    key.octets().try_into().map(Zeroizing::new).map_err(|_| UnfitKey::Algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{octets, text, vectors};

    #[test]
    fn every_key_between_is_that_of_the_vectors() {
        let all = &vectors()["tdes_dukpt"];
        let tdes = |field| Key::new(Algorithm::Tdes, &octets(all, field)).unwrap();
        for transaction in all["transactions"].as_array().unwrap() {
            let ksn = Ksn::parse(&octets(transaction, "ksn")).unwrap();
            let initial = initial_key(&tdes("bdk"), &ksn).unwrap();
            assert!(initial.same(&tdes("ipek")));
            let key = transaction_key(&initial, &ksn).unwrap();
            assert_eq!(key.as_slice(), octets(transaction, "key"), "{}", text(transaction, "ksn"));
        }
    }
}
