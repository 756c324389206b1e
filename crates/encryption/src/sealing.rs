//! Sealing at rest: XAES-256-GCM (C2SP, <https://c2sp.org/XAES-256-GCM>) for codes kept until delivery, names and identity
//! numbers.
//!
//! A sealed record is `key version 4 | nonce 24 | ciphertext | tag 16`. Its purpose and the record it belongs to are
//! authenticated with it, so that it opens nowhere else.
//!
//! The first half of the random nonce makes a key for the one record: NIST SP 800-108r1 §4.1, counter mode with AES-CMAC;
//! under it AES-256-GCM (NIST SP 800-38D) seals with the second half. 2^80 records under one version leave a chance of
//! 2^-32 that two share a nonce, so that nobody need count them. The long-lived key is only ever asked for CMACs, which a
//! token can compute.

use crate::{
    keys::KeyVersion,
    mac::{Cmac, SecretOctets, length_prefixed},
};
use aes_gcm::{Aes256Gcm, KeyInit, aead::Aead, aead::Payload};
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

/// Octets that a sealed record is longer than its plaintext.
pub const SEALED_OVERHEAD: usize = 4 + NONCE + 16;
pub(crate) const NONCE: usize = 24;
/// The half of the nonce that makes the record's key; the other half is GCM's own.
const HALF: usize = NONCE / 2;

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

/// `nonce | ciphertext | tag`.
pub(crate) fn seal(key: &impl Cmac, rng: &mut dyn CryptoRng, authenticated: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    rng.fill_bytes(&mut nonce);
    let (cipher, rest) = of_record(key, &nonce);
    let payload = Payload { msg: plaintext, aad: authenticated };
    let sealed = cipher.encrypt(&rest.into(), payload).expect("plaintext is below the 64 GiB of GCM");
    [&nonce, sealed.as_slice()].concat()
}

/// Opens what [`seal`] sealed.
pub(crate) fn open(key: &impl Cmac, authenticated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>()?;
    let (cipher, rest) = of_record(key, nonce);
    let payload = Payload { msg: ciphertext, aad: authenticated };
    cipher.decrypt(&rest.into(), payload).ok().map(Zeroizing::new)
}

/// The cipher of the one record with this nonce, and what of the nonce is left for it. Blocks of the record's key are the
/// CMACs of `i 2 | "X" | 00 | first half of the nonce`, one AES block each.
fn of_record(key: &impl Cmac, nonce: &[u8; NONCE]) -> (Aes256Gcm, [u8; HALF]) {
    let mut input = [0, 0, b'X', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    input[4..].copy_from_slice(&nonce[..HALF]);
    let mut record_key = SecretOctets::default();
    for (i, block) in (1..).zip(record_key.chunks_exact_mut(16)) {
        input[1] = i;
        block.copy_from_slice(&key.cmac(&[&input]));
    }
    (Aes256Gcm::new((&*record_key).into()), std::array::from_fn(|i| nonce[HALF + i]))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AesKey;
    use rand_core::{TryCryptoRng, TryRng};
    use shake::{
        Shake128,
        digest::{ExtendableOutput, Update, XofReader},
    };
    use std::convert::Infallible;

    /// Draws the octets it was given, so that the nonce is the published one.
    struct Given<'a>(&'a [u8]);

    impl TryRng for Given<'_> {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            unreachable!("sealing draws octets only")
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            unreachable!("sealing draws octets only")
        }

        fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Infallible> {
            let (now, later) = self.0.split_at(octets.len());
            octets.copy_from_slice(now);
            self.0 = later;
            Ok(())
        }
    }

    impl TryCryptoRng for Given<'_> {}

    /// Seals, opens again, and gives what stands behind the nonce.
    fn sealed(key: &[u8; 32], nonce: &[u8; NONCE], authenticated: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let key = AesKey::new(key).unwrap();
        let sealed = seal(&key, &mut Given(nonce), authenticated, plaintext);
        assert_eq!(*open(&key, authenticated, &sealed).unwrap(), plaintext);
        sealed.strip_prefix(nonce).unwrap().to_vec()
    }

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    #[test]
    fn records_equal_the_published_vectors() {
        for (key, authenticated, expected) in [
            ([1; 32], "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
            ([3; 32], "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
        ] {
            let sealed = sealed(&key, b"ABCDEFGHIJKLMNOPQRSTUVWX", authenticated.as_bytes(), b"XAES-256-GCM");
            assert_eq!(hex(&sealed), expected);
        }
    }

    /// The specification's accumulated test: ten thousand keys, nonces, plaintexts and contexts drawn from SHAKE128, all
    /// results hashed by SHAKE128.
    #[test]
    fn ten_thousand_records_equal_the_published_sum() {
        let (mut drawn, mut sum) = (Shake128::default().finalize_xof(), Shake128::default());
        for _ in 0..10_000 {
            let (mut key, mut nonce) = ([0; 32], [0; NONCE]);
            drawn.read(&mut key);
            drawn.read(&mut nonce);
            let [plaintext, authenticated] = std::array::from_fn(|_| {
                let mut length = [0];
                drawn.read(&mut length);
                let mut octets = vec![0; usize::from(length[0])];
                drawn.read(&mut octets);
                octets
            });
            sum.update(&sealed(&key, &nonce, &authenticated, &plaintext));
        }
        let mut result = [0; 32];
        sum.finalize_xof().read(&mut result);
        assert_eq!(hex(&result), "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
    }
}
