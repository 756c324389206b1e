//! AES keys of any standard length, and the two modes that secured packets use.

use aes::cipher::{
    Array, Block, BlockCipherDecrypt, BlockCipherEncClosure, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt,
    BlockSizeUser, InnerIvInit, KeyInit, consts::U16,
};
use aes::{Aes128, Aes192, Aes256};
use cmac::{Mac, digest::common::InnerInit};

use crate::mac::Cmac;
use std::sync::Arc;

/// An AES key of 16, 24 or 32 octets, kept expanded, on the heap so that moving or cloning it leaves no copies behind.
/// Secret: cannot be printed, wiped when its last clone is dropped.
///
/// ```compile_fail
/// let key = encryption::AesKey::new(&[0; 16]).unwrap();
/// println!("{key:?}");
/// ```
#[derive(Clone)]
pub struct AesKey(Arc<Expanded>);

enum Expanded {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

/// The same expression for whichever cipher the key is for.
macro_rules! with_cipher {
    ($key:expr, $cipher:ident => $body:expr) => {
        match &*$key.0 {
            Expanded::Aes128($cipher) => $body,
            Expanded::Aes192($cipher) => $body,
            Expanded::Aes256($cipher) => $body,
        }
    };
}

impl From<&[u8; 32]> for AesKey {
    fn from(octets: &[u8; 32]) -> Self {
        Self(Arc::new(Expanded::Aes256(Aes256::new(octets.into()))))
    }
}

impl AesKey {
    /// `None` unless `octets` is 16, 24 or 32 long.
    pub fn new(octets: &[u8]) -> Option<Self> {
        let expanded = match octets.len() {
            16 => Expanded::Aes128(Aes128::new_from_slice(octets).ok()?),
            24 => Expanded::Aes192(Aes192::new_from_slice(octets).ok()?),
            32 => Expanded::Aes256(Aes256::new_from_slice(octets).ok()?),
            _ => return None,
        };
        Some(Self(Arc::new(expanded)))
    }

    /// CBC with a zero IV, in place, over whole blocks; octets after the last whole block stay as they are.
    pub(crate) fn cbc_encrypt(&self, data: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(data);
        with_cipher!(self, cipher => cbc_encrypt(cipher, blocks));
    }

    /// The inverse of [`Self::cbc_encrypt`].
    pub(crate) fn cbc_decrypt(&self, data: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(data);
        with_cipher!(self, cipher => cbc_decrypt(cipher, blocks));
    }

    /// Runs `work` with the forward cipher. Many dependent blocks cost one preparation of the round keys, not one each.
    pub(crate) fn with_forward_cipher(&self, work: impl BlockCipherEncClosure<BlockSize = U16>) {
        with_cipher!(self, cipher => cipher.encrypt_with_backend(work));
    }
}

impl Cmac for AesKey {
    fn cmac(&self, parts: &[&[u8]]) -> [u8; 16] {
        with_cipher!(self, cipher => {
            let mut mac = cmac::Cmac::inner_init(cipher);
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().into()
        })
    }
}

fn cbc_encrypt<C>(cipher: &C, blocks: &mut [Block<C>])
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    cbc::Encryptor::inner_iv_init(cipher, &Array::default()).encrypt_blocks(blocks);
}

fn cbc_decrypt<C>(cipher: &C, blocks: &mut [Block<C>])
where
    C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U16>,
{
    cbc::Decryptor::inner_iv_init(cipher, &Array::default()).decrypt_blocks(blocks);
}
