//! Key blocks: a key on its way from one HSM to another, enciphered and bound to what it may be used for (ANSI X9.143,
//! formerly TR-31).
//!
//! `header 16 | optional blocks | ciphertext | authentication code`, all printable: the latter two in upper-case hexadecimal.
//! Versions D (AES) and B (TDES) derive two keys from the protection key by CMAC; the code is over header and clear text, and is
//! the initialisation vector too. Versions A and C, whose two keys are variants of the protection key and whose code has 4
//! octets, are only read, and only where [`Accept::Variants`] says so.

mod header;

pub use header::{Exportability, Header, KeyUsage, KeyVersion, Mode, OptionalBlock};

use crate::{Algorithm, Key, UnfitKey, cipher::Cipher};
use header::{Version, parse, write};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Which versions are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// B and D.
    Derived,
    /// A and C too, for peers that write nothing else.
    Variants,
}

/// Why a key block is refused, or cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The first letter is none of A to D.
    #[error("no such version of key blocks")]
    Version,
    /// A or C without [`Accept::Variants`].
    #[error("this version of key blocks is not accepted")]
    VersionNotAccepted,
    /// The stated length is not that of the block, or no length that a block can have.
    #[error("the length is wrong")]
    Length,
    /// A character that stands in no key block, lower-case hexadecimal among them.
    #[error("a character does not belong into a key block")]
    Character,
    /// No use that is known here.
    #[error("no such use of a key")]
    Usage,
    /// No algorithm that is known here.
    #[error("no such algorithm")]
    Algorithm,
    /// No mode of use that is known here.
    #[error("no such mode of use")]
    Mode,
    /// None of E, N and S.
    #[error("no such exportability")]
    Exportability,
    /// An optional block is cut off, too long, or of the extended form, which is not read; or the reserved field is not `00`.
    #[error("an optional block is malformed")]
    OptionalBlock,
    /// The protection key is of another algorithm than the version's.
    #[error("the protection key is of another algorithm")]
    ProtectionKey,
    /// It was changed, or is under another protection key.
    #[error("the key block is not authentic")]
    Authentication,
    /// The key inside has no length of its algorithm.
    #[error("the key in the block is unfit: {0}")]
    Key(#[from] UnfitKey),
}

/// Wraps `key` under a protection key: version D under AES, B under TDES. The length of the key is hidden as far as its algorithm
/// allows.
///
/// # Errors
/// [`Refusal::ProtectionKey`], [`Refusal::Algorithm`] where header and key differ, [`Refusal::OptionalBlock`],
/// [`Refusal::Length`].
pub fn wrap(protection: &Key, header: &Header, key: &Key, rng: &mut dyn CryptoRng) -> Result<String, Refusal> {
    let version = match protection.algorithm() {
        Algorithm::Aes => Version::D,
        Algorithm::Tdes => Version::B,
        Algorithm::Des | Algorithm::Hmac => return Err(Refusal::ProtectionKey),
    };
    if header.algorithm != key.algorithm() {
        return Err(Refusal::Algorithm);
    }
    let keys = Keys::new(protection, version)?;
    let block = keys.encryption.block_size();
    let hidden: usize = match key.algorithm() {
        Algorithm::Aes => 32,
        Algorithm::Des | Algorithm::Tdes => 24,
        Algorithm::Hmac => 64,
    };
    let mut clear = Zeroizing::new(vec![0; (2 + hidden).next_multiple_of(block)]);
    let bits = (key.length() * 8) as u16;
    clear[..2].copy_from_slice(&bits.to_be_bytes());
    clear[2..2 + key.length()].copy_from_slice(key.octets());
    rng.fill_bytes(&mut clear[2 + key.length()..]);
    let mut text = write(version, header, block, 2 * (clear.len() + block))?;
    let code = keys.authentication.cmac(&[text.as_bytes(), &clear]);
    keys.encryption.cbc_encrypt(&code, &mut clear);
    for octet in clear.iter().chain(code.iter()) {
        text.push_str(&format!("{octet:02X}"));
    }
    Ok(text)
}

/// The key in a block, and what it is for. Nothing of the inside is looked at before the code is found right.
///
/// # Errors
/// Any [`Refusal`].
pub fn unwrap(protection: &Key, text: &str, accept: Accept) -> Result<(Header, Key), Refusal> {
    let (version, header, rest) = parse(text)?;
    if version.is_variant() && accept == Accept::Derived {
        return Err(Refusal::VersionNotAccepted);
    }
    let keys = Keys::new(protection, version)?;
    let (block, code_length) = (keys.encryption.block_size(), version.code_length());
    let head = &text[..text.len() - rest.len()];
    let mut body = Zeroizing::new(octets(rest)?);
    let inside = body.len().checked_sub(code_length).ok_or(Refusal::Length)?;
    if inside == 0 || !inside.is_multiple_of(block) || !head.len().is_multiple_of(block) {
        return Err(Refusal::Length);
    }
    let (data, stated) = body.split_at_mut(inside);
    let code = if version.is_variant() {
        let code = cbc_mac(&keys.authentication, &[head.as_bytes(), data].concat());
        keys.encryption.cbc_decrypt(&head.as_bytes()[..block], data);
        code
    } else {
        keys.encryption.cbc_decrypt(stated, data);
        keys.authentication.cmac(&[head.as_bytes(), data])
    };
    if !bool::from(code[..code_length].ct_eq(stated)) {
        return Err(Refusal::Authentication);
    }
    let bits = usize::from(u16::from_be_bytes([data[0], data[1]]));
    let key = data[2..].get(..bits / 8).filter(|_| bits.is_multiple_of(8)).ok_or(UnfitKey::Length)?;
    let key = Key::new(header.algorithm, key)?;
    Ok((header, key))
}

/// The two keys that a protection key becomes.
struct Keys {
    encryption: Cipher,
    authentication: Cipher,
}

impl Keys {
    fn new(protection: &Key, version: Version) -> Result<Self, Refusal> {
        let algorithm = if version == Version::D { Algorithm::Aes } else { Algorithm::Tdes };
        let of = |octets: &[u8]| -> Result<Cipher, Refusal> {
            let cipher = if version == Version::D { Cipher::aes(octets) } else { Cipher::des(octets) };
            cipher.ok_or(Refusal::ProtectionKey)
        };
        if protection.algorithm() != algorithm {
            return Err(Refusal::ProtectionKey);
        }
        let (encryption, authentication) = if version.is_variant() {
            (variant(protection, 0x45), variant(protection, 0x4D))
        } else {
            (derive(protection, 0)?, derive(protection, 1)?)
        };
        Ok(Self { encryption: of(&encryption)?, authentication: of(&authentication)? })
    }
}

fn variant(protection: &Key, with: u8) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(protection.octets().iter().map(|octet| octet ^ with).collect())
}

/// CMAC, block after block, over `number | use 2 | 00 | algorithm 2 | bits 2` (X9.143, key derivation); use 0 enciphers, 1
/// authenticates.
fn derive(protection: &Key, usage: u8) -> Result<Zeroizing<Vec<u8>>, UnfitKey> {
    let cipher = protection.cipher()?;
    let algorithm = match (protection.algorithm(), protection.length()) {
        (Algorithm::Tdes, 16) => 0,
        (Algorithm::Tdes, _) => 1,
        (_, 16) => 2,
        (_, 24) => 3,
        _ => 4,
    };
    let [high, low] = ((protection.length() * 8) as u16).to_be_bytes();
    let mut key = Zeroizing::new(Vec::with_capacity(48));
    for number in 1.. {
        key.extend_from_slice(&cipher.cmac(&[&[number, 0, usage, 0, 0, algorithm, high, low]]));
        if key.len() >= protection.length() {
            break;
        }
    }
    key.truncate(protection.length());
    Ok(key)
}

/// CBC with a zero vector; the last block is the code (ISO 9797-1 algorithm 1).
fn cbc_mac(cipher: &Cipher, data: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut data = Zeroizing::new(data.to_vec());
    cipher.cbc_encrypt(&[0; 8], &mut data);
    Zeroizing::new(data[data.len() - 8..].to_vec())
}

fn octets(text: &str) -> Result<Vec<u8>, Refusal> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(Refusal::Character),
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Refusal::Length);
    }
    pairs.iter().map(|[high, low]| Ok(digit(*high)? << 4 | digit(*low)?)).collect()
}
