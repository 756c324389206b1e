//! Keys held in memory and kept in a sealed file (see [`key_file`] for its layout).
//!
//! Inside the seal: `card master 32 | lookup key 32 | reference key 32 | count 1 | count times (version 4 | PIN key 32 |
//! code key 32 | at-rest key 32 | signing key 32)`, newest version first.

use crate::{
    AesKey,
    card_keys::{CardMaster, Personalisation},
    codes::{Code, CodeProof},
    fingerprint::{self, Fingerprint},
    key_file::{self, KeyFileError, Passphrase},
    keys::{KeyVersion, Keys, MAX_LIVE_VERSIONS, ProofSet},
    mac::{MacKey, SecretOctets},
    pin::{Pin, PinProof},
    reference::{OutOfRange, Reference, References},
    sealing::{self, OpenError},
    secured_packet::{Counter, KeySet},
    signing::{Signature, SigningKey, VerifyingKey},
};
use rand_core::CryptoRng;
use std::path::Path;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why the live versions were left as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RotationError {
    /// [`MAX_LIVE_VERSIONS`] live: retire one first.
    #[error("{MAX_LIVE_VERSIONS} key versions live already, retire one first")]
    TooManyLive,
    /// The newest version is in use.
    #[error("key version {0} is the newest and cannot be retired")]
    Newest(KeyVersion),
    /// No such version lives.
    #[error("key version {0} is not live")]
    NotLive(KeyVersion),
}

/// [`Keys`] from a file. Secret: cannot be printed; its keys are wiped on drop.
pub struct FileKeys {
    fixed: Fixed,
    newest: Generation,
    /// Newest first, fewer than [`MAX_LIVE_VERSIONS`].
    older: Vec<Generation>,
}

/// Keys without versions, as octets and ready for use.
struct Fixed {
    octets: [SecretOctets; 3],
    cards: CardMaster,
    lookup: MacKey,
    references: References,
}

/// The keys of one version, as octets and ready for use.
struct Generation {
    version: KeyVersion,
    octets: [SecretOctets; 4],
    pin: MacKey,
    code: MacKey,
    at_rest: AesKey,
    signing: SigningKey,
}

impl Fixed {
    fn new(octets: [SecretOctets; 3]) -> Self {
        let [card_master, lookup, reference] = &octets;
        Self {
            cards: CardMaster::new(card_master),
            lookup: MacKey::new(lookup),
            references: References::new(reference),
            octets,
        }
    }
}

impl Generation {
    fn new(version: KeyVersion, octets: [SecretOctets; 4]) -> Self {
        let [pin, code, at_rest, signing] = &octets;
        Self {
            version,
            pin: MacKey::new(pin),
            code: MacKey::new(code),
            at_rest: AesKey::from(at_rest),
            signing: SigningKey::new(signing),
            octets,
        }
    }
}

impl FileKeys {
    /// New keys, version 1. They exist in memory only until [`Self::save`].
    pub fn create(rng: &mut dyn CryptoRng) -> Self {
        Self { fixed: Fixed::new(draw(rng)), newest: Generation::new(KeyVersion(1), draw(rng)), older: Vec::new() }
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

    /// Makes a new newest version of the PIN, code, at-rest and signing keys; the others go on proving and opening. Returns it.
    pub fn rotate(&mut self, rng: &mut dyn CryptoRng) -> Result<KeyVersion, RotationError> {
        if self.older.len() + 1 >= MAX_LIVE_VERSIONS {
            return Err(RotationError::TooManyLive);
        }
        let version = KeyVersion(self.newest.version.0 + 1);
        self.older.insert(0, std::mem::replace(&mut self.newest, Generation::new(version, draw(rng))));
        Ok(version)
    }

    /// Forgets an older version: PINs and codes still stored under it can no longer be proven, records sealed under it
    /// no longer opened. Renew them first.
    pub fn retire(&mut self, version: KeyVersion) -> Result<(), RotationError> {
        if version == self.newest.version {
            return Err(RotationError::Newest(version));
        }
        let at = self.older.iter().position(|generation| generation.version == version);
        self.older.remove(at.ok_or(RotationError::NotLive(version))?);
        Ok(())
    }

    fn generations(&self) -> impl Iterator<Item = &Generation> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    fn generation(&self, version: KeyVersion) -> Option<&Generation> {
        self.generations().find(|generation| generation.version == version)
    }

    fn proofs<P: Copy>(&self, prove: impl Fn(&Generation) -> P) -> ProofSet<P> {
        let of = |generation: &Generation| (generation.version, prove(generation));
        ProofSet::new(of(&self.newest), self.older.iter().map(of))
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(97 + MAX_LIVE_VERSIONS * 132));
        self.fixed.octets.iter().for_each(|key| out.extend_from_slice(key.as_slice()));
        out.push(self.older.len() as u8 + 1);
        for generation in self.generations() {
            out.extend_from_slice(&generation.version.0.to_be_bytes());
            generation.octets.iter().for_each(|key| out.extend_from_slice(key.as_slice()));
        }
        out
    }

    fn decode(mut octets: &[u8]) -> Option<Self> {
        let fixed = Fixed::new(take_keys(&mut octets)?);
        let (count, mut octets) = octets.split_first()?;
        let mut generations = Vec::with_capacity(MAX_LIVE_VERSIONS);
        for _ in 0..*count {
            let (version, rest) = octets.split_first_chunk::<4>()?;
            octets = rest;
            generations.push(Generation::new(KeyVersion(u32::from_be_bytes(*version)), take_keys(&mut octets)?));
        }
        let falling = generations.is_sorted_by(|a, b| a.version > b.version);
        if !octets.is_empty() || !falling || !(1..=MAX_LIVE_VERSIONS).contains(&generations.len()) {
            return None;
        }
        let newest = generations.remove(0);
        Some(Self { fixed, newest, older: generations })
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

impl Keys for FileKeys {
    fn live_versions(&self) -> Vec<KeyVersion> {
        self.generations().map(|generation| generation.version).collect()
    }

    fn pin_proof(&self, version: KeyVersion, number: &str, pin: &Pin) -> Option<PinProof> {
        Some(pin.proof(&self.generation(version)?.pin, number))
    }

    fn pin_proofs(&self, number: &str, pin: &Pin) -> ProofSet<PinProof> {
        self.proofs(|generation| pin.proof(&generation.pin, number))
    }

    fn code_proof(&self, version: KeyVersion, payee: &str, code: &Code) -> Option<CodeProof> {
        Some(code.proof(&self.generation(version)?.code, payee))
    }

    fn code_proofs(&self, payee: &str, code: &Code) -> ProofSet<CodeProof> {
        self.proofs(|generation| code.proof(&generation.code, payee))
    }

    fn seal_at_rest(&self, rng: &mut dyn CryptoRng, purpose: &str, record: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let Generation { version, at_rest, .. } = &self.newest;
        let context = sealing::context(*version, purpose, record);
        let sealed = sealing::seal(|block| at_rest.cmac(&[block]), rng, &context, plaintext);
        [&version.0.to_be_bytes(), sealed.as_slice()].concat()
    }

    fn open_at_rest(&self, purpose: &str, record: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (version, sealed) = sealing::split_version(sealed).ok_or(OpenError::Damaged)?;
        let generation = self.generation(version).ok_or(OpenError::UnknownKeyVersion(version))?;
        let context = sealing::context(version, purpose, record);
        sealing::open(|block| generation.at_rest.cmac(&[block]), &context, sealed).ok_or(OpenError::Damaged)
    }

    fn sign(&self, purpose: &str, statement: &[u8]) -> Signature {
        self.newest.signing.sign(purpose, statement)
    }

    fn verifying_keys(&self) -> Vec<(KeyVersion, VerifyingKey)> {
        self.generations().map(|generation| (generation.version, generation.signing.verifying_key())).collect()
    }

    fn blind_index(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.fixed.lookup.tag("wakala blind index v1", &[purpose.as_bytes(), value])
    }

    fn commitment(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.fixed.lookup.tag("wakala commitment v1", &[purpose.as_bytes(), value])
    }

    fn plain_fingerprint(&self, from: &str, to: &str, text: &str) -> Fingerprint {
        fingerprint::plain(&self.fixed.lookup, from, to, text)
    }

    fn sealed_fingerprint(&self, card: &str, counter: Counter, check: &[u8; 8]) -> Fingerprint {
        fingerprint::sealed(&self.fixed.lookup, card, counter, check)
    }

    fn uplink_keys(&self, iccid: &str) -> KeySet {
        self.fixed.cards.uplink(iccid)
    }

    fn downlink_keys(&self, iccid: &str) -> KeySet {
        self.fixed.cards.downlink(iccid)
    }

    fn personalise_card(&self, iccid: &str) -> Personalisation {
        self.fixed.cards.personalise(iccid)
    }

    fn reference(&self, id: u64) -> Result<Reference, OutOfRange> {
        self.fixed.references.encode(id)
    }

    fn reference_id(&self, reference: &str) -> Option<u64> {
        self.fixed.references.decode(reference)
    }
}
