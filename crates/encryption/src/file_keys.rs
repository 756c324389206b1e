//! Keys held in memory and kept in a sealed file (see [`key_file`] for its layout).
//!
//! Inside the seal: `card master 32 | lookup key 32 | count 1 | count times (version 4 | PIN key 32 | code key 32 | at-rest
//! key 32 | signing key 32)`, newest version first.

use crate::{
    AesKey,
    key_file::{self, KeyFileError, Passphrase},
    keys::{KeyVersion, MAX_LIVE_VERSIONS},
    mac::{Cmac, MacKey, SecretOctets, Tag},
    ring::{Generation, Holder, Place, Ring, RotationError},
    signing::{Signer, SigningKey, VerifyingKey},
};
use rand_core::CryptoRng;
use std::path::Path;
use zeroize::Zeroizing;

/// [`Keys`](crate::Keys) from a file. Secret: cannot be printed; its keys are wiped on drop.
pub struct FileKeys(Ring<Memory>);

/// This process's memory.
pub(crate) struct Memory;

impl Place for Memory {
    type Mac = Kept<MacKey>;
    type Cipher = Kept<AesKey>;
    type Signer = Kept<SigningKey>;
}

/// A key ready for use, and as the octets that go into the file.
pub(crate) struct Kept<K> {
    octets: SecretOctets,
    key: K,
}

impl<K> Kept<K> {
    fn new(octets: SecretOctets, ready: impl FnOnce(&SecretOctets) -> K) -> Self {
        Self { key: ready(&octets), octets }
    }
}

impl Tag for Kept<MacKey> {
    fn tag(&self, label: &str, fields: &[&[u8]]) -> [u8; 32] {
        self.key.tag(label, fields)
    }
}

impl Cmac for Kept<AesKey> {
    fn cmac(&self, parts: &[&[u8]]) -> [u8; 16] {
        self.key.cmac(parts)
    }
}

impl Signer for Kept<SigningKey> {
    fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    fn sign(&self, octets: &[u8]) -> [u8; 64] {
        self.key.sign(octets)
    }
}

impl Holder for FileKeys {
    type Place = Memory;

    fn ring(&self) -> &Ring<Memory> {
        &self.0
    }
}

impl FileKeys {
    /// New keys, version 1. They exist in memory only until [`Self::save`].
    pub fn create(rng: &mut dyn CryptoRng) -> Self {
        Self(ring(draw(rng), vec![generation(KeyVersion(1), draw(rng))]).expect("one generation is a ring"))
    }

    /// Reads a key file. Takes about 0.2 s and 64 MiB, on purpose.
    pub fn load(path: &Path, passphrase: &Passphrase) -> Result<Self, KeyFileError> {
        Self::decode(&key_file::load(path, passphrase)?).ok_or(KeyFileError::Damaged)
    }

    /// Writes the key file (mode 0600) in one step: after a crash it is the old one or the new one. Keep a copy elsewhere:
    /// without it no PIN can be proven and no sealed record opened.
    pub fn save(&self, path: &Path, passphrase: &Passphrase, rng: &mut dyn CryptoRng) -> Result<(), KeyFileError> {
        key_file::save(path, passphrase, rng, &self.encode())
    }

    /// Makes a new newest version of the PIN, code, at-rest and signing keys; the others go on proving and opening.
    /// Returns it.
    pub fn rotate(&mut self, rng: &mut dyn CryptoRng) -> Result<KeyVersion, RotationError> {
        let version = self.0.next_version()?;
        self.0.add(generation(version, draw(rng)));
        Ok(version)
    }

    /// Forgets an older version: PINs and codes still stored under it can no longer be proven, records sealed under it
    /// no longer opened. Renew them first.
    pub fn retire(&mut self, version: KeyVersion) -> Result<(), RotationError> {
        self.0.remove(version)
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(65 + MAX_LIVE_VERSIONS * 132));
        out.extend_from_slice(self.0.cards().octets.as_slice());
        out.extend_from_slice(self.0.lookup().octets.as_slice());
        out.push(self.0.generations().count() as u8);
        for Generation { version, pin, code, at_rest, signing } in self.0.generations() {
            out.extend_from_slice(&version.0.to_be_bytes());
            for key in [&pin.octets, &code.octets, &at_rest.octets, &signing.octets] {
                out.extend_from_slice(key.as_slice());
            }
        }
        out
    }

    fn decode(mut octets: &[u8]) -> Option<Self> {
        let fixed = take_keys(&mut octets)?;
        let (count, mut octets) = octets.split_first()?;
        let mut generations = Vec::with_capacity(MAX_LIVE_VERSIONS);
        for _ in 0..*count {
            let (version, rest) = octets.split_first_chunk::<4>()?;
            octets = rest;
            generations.push(generation(KeyVersion(u32::from_be_bytes(*version)), take_keys(&mut octets)?));
        }
        if !octets.is_empty() {
            return None;
        }
        ring(fixed, generations).map(Self)
    }
}

fn ring([cards, lookup]: [SecretOctets; 2], generations: Vec<Generation<Memory>>) -> Option<Ring<Memory>> {
    Ring::new(Kept::new(cards, |octets| AesKey::from(&**octets)), Kept::new(lookup, MacKey::new), generations)
}

fn generation(version: KeyVersion, [pin, code, at_rest, signing]: [SecretOctets; 4]) -> Generation<Memory> {
    Generation {
        version,
        pin: Kept::new(pin, MacKey::new),
        code: Kept::new(code, MacKey::new),
        at_rest: Kept::new(at_rest, |octets| AesKey::from(&**octets)),
        signing: Kept::new(signing, SigningKey::new),
    }
}

fn draw<const N: usize>(rng: &mut dyn CryptoRng) -> [SecretOctets; N] {
    std::array::from_fn(|_| {
        let mut key = SecretOctets::default();
        rng.fill_bytes(key.as_mut_slice());
        key
    })
}

fn take_keys<const N: usize>(octets: &mut &[u8]) -> Option<[SecretOctets; N]> {
    let (keys, rest) = octets.split_at_checked(N * 32)?;
    *octets = rest;
    Some(std::array::from_fn(|i| Zeroizing::new(std::array::from_fn(|j| keys[i * 32 + j]))))
}
