//! Message authentication codes as links of cards use them.

use crate::{Algorithm, Key, UnfitKey, cipher::Cipher};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How a link authenticates its messages. SM4 is not among them: which mode of GB/T 32907 a link would want is not public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacFlavour {
    /// Point of sale: the XOR of all blocks of 8 octets, padded with zeros, as 16 hexadecimal digits; `E(E(first 8) XOR last
    /// 8)`, of which the first 8 hexadecimal digits are the code. E is DES with a key of 8 octets and TDES with one of 16.
    PosEcb,
    /// The same, but the second E is DES under the left half of a key of 16 octets, as one text has it.
    PosEcbSingle,
    /// ISO 9797-1 algorithm 3 over DES with zero padding (ANSI X9.19); the first 8 hexadecimal digits are the code.
    X919,
    /// AES-CMAC (RFC 4493); the first 8 octets are the code.
    AesCmac,
}

/// A code as field 64 or 128 carries it.
#[derive(Clone, Copy, Debug)]
pub struct Mac([u8; 8]);

impl Mac {
    /// What a message carries.
    #[must_use]
    pub fn octets(&self) -> &[u8; 8] {
        &self.0
    }
}

/// The code of `data`.
///
/// # Errors
/// [`UnfitKey::Algorithm`] where the flavour needs a key of another kind.
pub fn mac(flavour: MacFlavour, key: &Key, data: &[u8]) -> Result<Mac, UnfitKey> {
    match flavour {
        MacFlavour::PosEcb => Ok(hexadecimal(pos_ecb(&des(key)?, &des(key)?, data))),
        MacFlavour::PosEcbSingle => Ok(hexadecimal(pos_ecb(&des(key)?, &left(key)?, data))),
        MacFlavour::X919 => x919(key, data).map(hexadecimal),
        MacFlavour::AesCmac => {
            let whole = key.cipher_of(Algorithm::Aes)?.cmac(&[data]);
            Ok(Mac(std::array::from_fn(|at| whole[at])))
        }
    }
}

/// Whether `stated` is the code of `data`, in a time that does not depend on it.
///
/// # Errors
/// As of [`mac`].
pub fn verifies(flavour: MacFlavour, key: &Key, data: &[u8], stated: &[u8]) -> Result<bool, UnfitKey> {
    Ok(mac(flavour, key, data)?.0.as_slice().ct_eq(stated).into())
}

/// DES of 8 octets or TDES of 16.
fn des(key: &Key) -> Result<Cipher, UnfitKey> {
    match (key.algorithm(), key.length()) {
        (Algorithm::Des, _) | (Algorithm::Tdes, 16) => key.cipher(),
        _ => Err(UnfitKey::Algorithm),
    }
}

/// DES under the left half of a key of 16 octets.
fn left(key: &Key) -> Result<Cipher, UnfitKey> {
    match (key.algorithm(), key.octets().first_chunk::<8>()) {
        (Algorithm::Tdes, Some(left)) if key.length() == 16 => Cipher::des(left).ok_or(UnfitKey::Length),
        _ => Err(UnfitKey::Algorithm),
    }
}

fn pos_ecb(first: &Cipher, second: &Cipher, data: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    data.chunks(8).for_each(|block| xor(&mut sum, block));
    let digits: [u8; 16] = std::array::from_fn(|at| upper_hexadecimal(sum[at / 2] >> (4 * (1 - at % 2))));
    let mut block: [u8; 8] = std::array::from_fn(|at| digits[at]);
    first.encrypt(&mut block);
    xor(&mut block, &digits[8..]);
    second.encrypt(&mut block);
    block
}

/// CBC under the left half; the last block is then deciphered under the right and enciphered under the left again, which is
/// TDES of the last sum.
fn x919(key: &Key, data: &[u8]) -> Result<[u8; 8], UnfitKey> {
    let (left, whole) = (left(key)?, key.cipher()?);
    let mut block = Zeroizing::new([0; 8]);
    // No data is one block of zeros (ISO 9797-1, padding method 1).
    let blocks = data.len().div_ceil(8).max(1);
    for number in 0..blocks {
        xor(block.as_mut_slice(), &data[number * 8..data.len().min(number * 8 + 8)]);
        let cipher = if number + 1 < blocks { &left } else { &whole };
        cipher.encrypt(block.as_mut_slice());
    }
    Ok(*block)
}

fn xor(sum: &mut [u8], block: &[u8]) {
    sum.iter_mut().zip(block).for_each(|(octet, other)| *octet ^= other);
}

/// The first 4 octets as 8 hexadecimal digits in upper case.
fn hexadecimal(octets: [u8; 8]) -> Mac {
    Mac(std::array::from_fn(|at| upper_hexadecimal(octets[at / 2] >> (4 * (1 - at % 2)))))
}

fn upper_hexadecimal(nibble: u8) -> u8 {
    b"0123456789ABCDEF"[usize::from(nibble & 0xF)]
}
