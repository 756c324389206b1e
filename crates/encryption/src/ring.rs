//! What [`Keys`] promises, made of three primitives: HMAC-SHA256, AES-256-CMAC and Ed25519. Whatever holds the keys computes
//! those; everything else is the same, so that the same keys give the same answers from a file and from a token.

use crate::{
    card_cache::CardCache,
    card_keys::{CardMaster, Direction, Personalisation},
    codes::{Code, CodeProof},
    fingerprint::{self, Fingerprint},
    keys::{KeyVersion, Keys, MAX_LIVE_VERSIONS, ProofSet},
    mac::{Cmac, Tag},
    pin::{Pin, PinProof},
    reference::{OutOfRange, Reference, References},
    sealing::{self, OpenError},
    secured_packet::{Counter, KeySet},
    signing::{self, Signature, Signer, VerifyingKey},
};
use rand_core::CryptoRng;
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

/// Where keys are, by the types that compute with them there.
pub(crate) trait Place {
    /// Keys for HMAC.
    type Mac: Tag;
    /// Keys for CMAC.
    type Cipher: Cmac;
    /// Keys for signatures.
    type Signer: Signer;
}

/// The keys of one version.
pub(crate) struct Generation<P: Place> {
    pub(crate) version: KeyVersion,
    pub(crate) pin: P::Mac,
    pub(crate) code: P::Mac,
    pub(crate) at_rest: P::Cipher,
    pub(crate) signing: P::Signer,
}

/// All long-lived keys.
pub(crate) struct Ring<P: Place> {
    cards: CardMaster<P::Cipher>,
    met: CardCache,
    lookup: P::Mac,
    references: References,
    newest: Generation<P>,
    /// Newest first, fewer than [`MAX_LIVE_VERSIONS`].
    older: Vec<Generation<P>>,
}

impl<P: Place> Ring<P> {
    /// `generations` newest first; `None` unless they are, and 1 to [`MAX_LIVE_VERSIONS`].
    pub(crate) fn new(cards: P::Cipher, lookup: P::Mac, mut generations: Vec<Generation<P>>) -> Option<Self> {
        let falling = generations.is_sorted_by(|a, b| a.version > b.version);
        if !falling || !(1..=MAX_LIVE_VERSIONS).contains(&generations.len()) {
            return None;
        }
        // Ten dependent blocks a reference: the permutation is computed in memory, under a key of its own that the lookup
        // key makes. It guards that nobody guesses references, and no money.
        let references = References::new(&Zeroizing::new(lookup.tag("wakala reference key v1", &[])));
        let newest = generations.remove(0);
        Some(Self { cards: CardMaster(cards), met: CardCache::new(), lookup, references, newest, older: generations })
    }

    pub(crate) fn cards(&self) -> &P::Cipher {
        &self.cards.0
    }

    pub(crate) fn lookup(&self) -> &P::Mac {
        &self.lookup
    }

    /// Newest first.
    pub(crate) fn generations(&self) -> impl Iterator<Item = &Generation<P>> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    /// The version that the next generation will have.
    pub(crate) fn next_version(&self) -> Result<KeyVersion, RotationError> {
        if self.older.len() + 1 >= MAX_LIVE_VERSIONS {
            return Err(RotationError::TooManyLive);
        }
        Ok(KeyVersion(self.newest.version.0 + 1))
    }

    /// Takes a generation of [`Self::next_version`] for the newest.
    pub(crate) fn add(&mut self, generation: Generation<P>) {
        self.older.insert(0, std::mem::replace(&mut self.newest, generation));
    }

    /// Forgets an older generation.
    pub(crate) fn remove(&mut self, version: KeyVersion) -> Result<(), RotationError> {
        if version == self.newest.version {
            return Err(RotationError::Newest(version));
        }
        let at = self.older.iter().position(|generation| generation.version == version);
        self.older.remove(at.ok_or(RotationError::NotLive(version))?);
        Ok(())
    }

    fn generation(&self, version: KeyVersion) -> Option<&Generation<P>> {
        self.generations().find(|generation| generation.version == version)
    }

    fn proofs<T: Copy>(&self, prove: impl Fn(&Generation<P>) -> T) -> ProofSet<T> {
        let of = |generation: &Generation<P>| (generation.version, prove(generation));
        ProofSet::new(of(&self.newest), self.older.iter().map(of))
    }
}

/// What has its keys in a ring answers as [`Keys`].
pub(crate) trait Holder: Send + Sync {
    /// Where they are.
    type Place: Place;

    /// The keys.
    fn ring(&self) -> &Ring<Self::Place>;
}

impl<H: Holder> Keys for H {
    fn live_versions(&self) -> Vec<KeyVersion> {
        self.ring().generations().map(|generation| generation.version).collect()
    }

    fn pin_proof(&self, version: KeyVersion, number: &str, pin: &Pin) -> Option<PinProof> {
        Some(pin.proof(&self.ring().generation(version)?.pin, number))
    }

    fn pin_proofs(&self, number: &str, pin: &Pin) -> ProofSet<PinProof> {
        self.ring().proofs(|generation| pin.proof(&generation.pin, number))
    }

    fn code_proof(&self, version: KeyVersion, payee: &str, code: &Code) -> Option<CodeProof> {
        Some(code.proof(&self.ring().generation(version)?.code, payee))
    }

    fn code_proofs(&self, payee: &str, code: &Code) -> ProofSet<CodeProof> {
        self.ring().proofs(|generation| code.proof(&generation.code, payee))
    }

    fn seal_at_rest(&self, rng: &mut dyn CryptoRng, purpose: &str, record: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let Generation { version, at_rest, .. } = &self.ring().newest;
        let sealed = sealing::seal(at_rest, rng, &sealing::context(*version, purpose, record), plaintext);
        [&version.0.to_be_bytes(), sealed.as_slice()].concat()
    }

    fn open_at_rest(&self, purpose: &str, record: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (version, sealed) = sealing::split_version(sealed).ok_or(OpenError::Damaged)?;
        let generation = self.ring().generation(version).ok_or(OpenError::UnknownKeyVersion(version))?;
        let context = sealing::context(version, purpose, record);
        sealing::open(&generation.at_rest, &context, sealed).ok_or(OpenError::Damaged)
    }

    fn sign(&self, purpose: &str, statement: &[u8]) -> Signature {
        signing::sign(&self.ring().newest.signing, purpose, statement)
    }

    fn verifying_keys(&self) -> Vec<(KeyVersion, VerifyingKey)> {
        let key = |generation: &Generation<H::Place>| (generation.version, generation.signing.verifying_key());
        self.ring().generations().map(key).collect()
    }

    fn blind_index(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.ring().lookup.tag("wakala blind index v1", &[purpose.as_bytes(), value])
    }

    fn commitment(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.ring().lookup.tag("wakala commitment v1", &[purpose.as_bytes(), value])
    }

    fn plain_fingerprint(&self, from: &str, to: &str, text: &str) -> Fingerprint {
        fingerprint::plain(&self.ring().lookup, from, to, text)
    }

    fn sealed_fingerprint(&self, card: &str, counter: Counter, check: &[u8; 8]) -> Fingerprint {
        fingerprint::sealed(&self.ring().lookup, card, counter, check)
    }

    fn uplink_keys(&self, iccid: &str) -> KeySet {
        let Ring { cards, met, .. } = self.ring();
        met.get(Direction::Uplink, iccid, || cards.uplink(iccid))
    }

    fn downlink_keys(&self, iccid: &str) -> KeySet {
        let Ring { cards, met, .. } = self.ring();
        met.get(Direction::Downlink, iccid, || cards.downlink(iccid))
    }

    fn personalise_card(&self, iccid: &str) -> Personalisation {
        self.ring().cards.personalise(iccid)
    }

    fn reference(&self, id: u64) -> Result<Reference, OutOfRange> {
        self.ring().references.encode(id)
    }

    fn reference_id(&self, reference: &str) -> Option<u64> {
        self.ring().references.decode(reference)
    }
}
