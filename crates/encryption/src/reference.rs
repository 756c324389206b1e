//! References that people read and type: 12 digits, not guessable in sequence, every slip of one digit noticed.
//!
//! A reference is a keyed permutation of an id, and a check digit. The permutation has the shape of FF1
//! (NIST SP 800-38G): ten Feistel rounds of addition in digits with AES-256 as round function, on a left part of 5 and
//! a right part of 6 digits. Being a permutation it needs no table and never collides.

use crate::AesKey;
use aes::cipher::{Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockSizeUser, consts::U16};
use std::fmt;
use thiserror::Error;

const LEFT: u64 = 100_000;
const RIGHT: u64 = 1_000_000;
const ROUNDS: u8 = 10;
/// Digits before the check digit.
const BODY: usize = 11;

/// Damm's totally antisymmetric quasigroup of order 10 (H. M. Damm, 2004).
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// 11 digits of reference and a check digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference([u8; BODY + 1]);

impl Reference {
    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are UTF-8")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The id is not below [`References::CAPACITY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no reference has room for this id")]
pub struct OutOfRange;

/// The permutation under one key. Secret; the key never changes, or old references would name other transfers.
#[derive(Clone)]
pub struct References(AesKey);

impl References {
    /// Ids from 0 up to, but not including, this one have a reference.
    pub const CAPACITY: u64 = LEFT * RIGHT;

    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(AesKey::from(key))
    }

    /// The reference of an id.
    pub fn encode(&self, id: u64) -> Result<Reference, OutOfRange> {
        if id >= Self::CAPACITY {
            return Err(OutOfRange);
        }
        Ok(with_check_digit(self.permute(id, true)))
    }

    /// The id of a reference; `None` unless it is 12 ASCII digits with the right check digit.
    pub fn decode(&self, reference: &str) -> Option<u64> {
        check(reference.as_bytes()).map(|body| self.permute(body, false))
    }

    fn permute(&self, value: u64, forwards: bool) -> u64 {
        let (mut left, mut right) = (value / RIGHT, value % RIGHT);
        self.0.with_forward_cipher(Rounds { left: &mut left, right: &mut right, forwards });
        left * RIGHT + right
    }
}

/// The ten rounds over both parts, or their inverse.
struct Rounds<'a> {
    left: &'a mut u64,
    right: &'a mut u64,
    forwards: bool,
}

impl BlockSizeUser for Rounds<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Rounds<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, cipher: &B) {
        for step in 0..ROUNDS {
            let round = if self.forwards { step } else { ROUNDS - 1 - step };
            let (part, other, modulus) = if round % 2 == 0 {
                (&mut *self.left, *self.right, LEFT)
            } else {
                (&mut *self.right, *self.left, RIGHT)
            };
            let addend = round_function(cipher, round, other) % modulus;
            *part = (*part + if self.forwards { addend } else { modulus - addend }) % modulus;
        }
    }
}

/// 64 bits of AES; reduced to six digits they are uniform to within 2^-44.
#[inline(always)]
fn round_function(cipher: &impl BlockCipherEncBackend<BlockSize = U16>, round: u8, part: u64) -> u64 {
    let mut block = Array(*b"reference\0\0\0\0\0\0\0");
    block[9] = round;
    block[12..].copy_from_slice(&(part as u32).to_be_bytes());
    cipher.encrypt_block((&mut block).into());
    let [a, b, c, d, e, f, g, h, ..] = block.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn with_check_digit(body: u64) -> Reference {
    let mut digits = [0; BODY + 1];
    let mut rest = body;
    for digit in digits[..BODY].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    digits[BODY] = b'0' + damm(&digits[..BODY]);
    Reference(digits)
}

/// The eleven digits as a number, if the twelfth fits them.
fn check(digits: &[u8]) -> Option<u64> {
    if digits.len() != BODY + 1 || !digits.iter().all(u8::is_ascii_digit) || damm(digits) != 0 {
        return None;
    }
    Some(digits[..BODY].iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

fn damm(digits: &[u8]) -> u8 {
    digits.iter().fold(0, |interim, digit| DAMM[usize::from(interim)][usize::from(digit - b'0')])
}
