//! The block ciphers behind a [`Key`](crate::Key), and the modes that the standards of cards use them in.

use aes::{Aes128, Aes192, Aes256};
use cmac::{Mac, digest::common::InnerInit};
use des::cipher::{
    Array, Block, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit,
};
use des::{Des, TdesEde2, TdesEde3};
use zeroize::Zeroizing;

/// A block cipher with its key expanded; wiped on drop.
pub(crate) enum Cipher {
    Des(Des),
    Tdes2(TdesEde2),
    Tdes3(TdesEde3),
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

/// The same expression for whichever cipher it is.
macro_rules! with_cipher {
    ($cipher:expr, $inner:ident => $body:expr) => {
        match $cipher {
            Cipher::Des($inner) => $body,
            Cipher::Tdes2($inner) => $body,
            Cipher::Tdes3($inner) => $body,
            Cipher::Aes128($inner) => $body,
            Cipher::Aes192($inner) => $body,
            Cipher::Aes256($inner) => $body,
        }
    };
}

impl Cipher {
    /// DES of 8 octets, TDES of 16 or 24; `None` for any other length.
    pub(crate) fn des(key: &[u8]) -> Option<Self> {
        match key.len() {
            8 => Des::new_from_slice(key).ok().map(Self::Des),
            16 => TdesEde2::new_from_slice(key).ok().map(Self::Tdes2),
            24 => TdesEde3::new_from_slice(key).ok().map(Self::Tdes3),
            _ => None,
        }
    }

    /// AES of 16, 24 or 32 octets; `None` for any other length.
    pub(crate) fn aes(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Aes128),
            24 => Aes192::new_from_slice(key).ok().map(Self::Aes192),
            32 => Aes256::new_from_slice(key).ok().map(Self::Aes256),
            _ => None,
        }
    }

    /// Octets of a block: 8 of DES and TDES, 16 of AES.
    pub(crate) fn block_size(&self) -> usize {
        match self {
            Self::Des(_) | Self::Tdes2(_) | Self::Tdes3(_) => 8,
            Self::Aes128(_) | Self::Aes192(_) | Self::Aes256(_) => 16,
        }
    }

    /// Each block by itself, in place; octets after the last whole block stay as they are.
    pub(crate) fn encrypt(&self, data: &mut [u8]) {
        with_cipher!(self, cipher => cipher.encrypt_blocks(Array::slice_as_chunks_mut(data).0));
    }

    /// The inverse of [`Self::encrypt`].
    pub(crate) fn decrypt(&self, data: &mut [u8]) {
        with_cipher!(self, cipher => cipher.decrypt_blocks(Array::slice_as_chunks_mut(data).0));
    }

    /// CBC in place over whole blocks. `iv` begins with a block.
    pub(crate) fn cbc_encrypt(&self, iv: &[u8], data: &mut [u8]) {
        with_cipher!(self, cipher => cbc_encrypt(cipher, iv, data));
    }

    /// The inverse of [`Self::cbc_encrypt`].
    pub(crate) fn cbc_decrypt(&self, iv: &[u8], data: &mut [u8]) {
        with_cipher!(self, cipher => cbc_decrypt(cipher, iv, data));
    }

    /// CMAC (NIST SP 800-38B), a whole block, over the parts one after another.
    pub(crate) fn cmac(&self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        with_cipher!(self, cipher => {
            let mut mac = cmac::Cmac::inner_init(cipher);
            parts.iter().for_each(|part| Mac::update(&mut mac, part));
            Zeroizing::new(mac.finalize().into_bytes().to_vec())
        })
    }
}

fn cbc_encrypt<C: BlockCipherEncrypt>(cipher: &C, iv: &[u8], data: &mut [u8]) {
    cbc::Encryptor::inner_iv_init(cipher, block::<C>(iv)).encrypt_blocks(Array::slice_as_chunks_mut(data).0);
}

fn cbc_decrypt<C: BlockCipherDecrypt>(cipher: &C, iv: &[u8], data: &mut [u8]) {
    cbc::Decryptor::inner_iv_init(cipher, block::<C>(iv)).decrypt_blocks(Array::slice_as_chunks_mut(data).0);
}

fn block<C: des::cipher::BlockSizeUser>(iv: &[u8]) -> &Block<C> {
    Array::slice_as_chunks(iv).0.first().expect("the vector is a block")
}
