//! Sealing at rest: AES-256-GCM (NIST SP 800-38D) for codes kept until delivery, names and identity numbers.
//!
//! A sealed record is `key version 4 | nonce 12 | ciphertext | tag 16`. Its purpose and the record it belongs to are
//! authenticated with it, so that it opens nowhere else. Nonces are random: rotate before 2^32 records under one key.

use crate::{
    keys::KeyVersion,
    mac::{SecretOctets, length_prefixed},
};
use aes_gcm::{Aes256Gcm, KeyInit, aead::Aead, aead::Payload};
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

/// Octets that a sealed record is longer than its plaintext.
pub const SEALED_OVERHEAD: usize = 4 + NONCE + 16;
pub(crate) const NONCE: usize = 12;

/// Why a sealed record does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Its key was retired, or never was one of ours.
    #[error("sealed under key version {0}, which is not live")]
    UnknownKeyVersion(KeyVersion),
    /// Octets were changed, or it belongs to another purpose or record.
    #[error("damaged, or not of this purpose and record")]
    Damaged,
}

/// One version of the key for sealing at rest.
#[derive(Clone)]
pub(crate) struct SealingKey(Aes256Gcm);

impl SealingKey {
    pub(crate) fn new(key: &SecretOctets) -> Self {
        Self(Aes256Gcm::new((&**key).into()))
    }

    /// `nonce | ciphertext | tag`.
    pub(crate) fn seal(&self, rng: &mut dyn CryptoRng, authenticated: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let payload = Payload { msg: plaintext, aad: authenticated };
        let sealed = self.0.encrypt(&nonce.into(), payload).expect("plaintext is below the 64 GiB of GCM");
        [&nonce, sealed.as_slice()].concat()
    }

    pub(crate) fn open(&self, authenticated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: ciphertext, aad: authenticated };
        self.0.decrypt(nonce.into(), payload).ok().map(Zeroizing::new)
    }
}

/// What is authenticated with a record beside its octets.
pub(crate) fn context(version: KeyVersion, purpose: &str, record: &[u8]) -> Vec<u8> {
    let mut context = b"wakala at rest v1\0".to_vec();
    context.extend_from_slice(&version.0.to_be_bytes());
    for field in [purpose.as_bytes(), record] {
        length_prefixed(field, |octets| context.extend_from_slice(octets));
    }
    context
}

/// The key version that a sealed record names, and the rest of it.
pub(crate) fn split_version(sealed: &[u8]) -> Option<(KeyVersion, &[u8])> {
    let (version, rest) = sealed.split_first_chunk::<4>()?;
    Some((KeyVersion(u32::from_be_bytes(*version)), rest))
}
