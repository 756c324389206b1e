//! The seam: everything that needs a long-lived key, as questions. No method gives a key away, so that a PKCS#11
//! token ([`TokenKeys`](crate::TokenKeys)) answers as well as [`FileKeys`](crate::FileKeys).

use crate::{
    card_keys::Personalisation,
    codes::{Code, CodeProof},
    fingerprint::Fingerprint,
    pin::{Pin, PinProof},
    reference::{OutOfRange, Reference},
    sealing::OpenError,
    secured_packet::{Counter, KeySet},
    signing::{Signature, VerifyingKey},
};
use rand_core::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// No more key versions than this live at once.
pub const MAX_LIVE_VERSIONS: usize = 4;

/// Which generation of the PIN, code, at-rest and signing keys; the first is 1. Stored beside everything made with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyVersion(pub u32);

impl fmt::Display for KeyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The same secret proven under each live key version: whichever version is stored, one of these fits it.
#[derive(Clone, Copy)]
pub struct ProofSet<P> {
    newest: (KeyVersion, P),
    older: [Option<(KeyVersion, P)>; MAX_LIVE_VERSIONS - 1],
}

impl<P: Copy> ProofSet<P> {
    /// `older` newest first; those past [`MAX_LIVE_VERSIONS`] are left out.
    pub fn new(newest: (KeyVersion, P), older: impl IntoIterator<Item = (KeyVersion, P)>) -> Self {
        let mut older = older.into_iter();
        Self { newest, older: std::array::from_fn(|_| older.next()) }
    }

    /// The one to store.
    pub fn newest(&self) -> (KeyVersion, P) {
        self.newest
    }

    /// All, newest first.
    pub fn iter(&self) -> impl Iterator<Item = (KeyVersion, P)> + '_ {
        std::iter::once(self.newest).chain(self.older.iter().copied().flatten())
    }

    /// The one under `version`, if that version lives.
    pub fn get(&self, version: KeyVersion) -> Option<P> {
        self.iter().find(|(live, _)| *live == version).map(|(_, proof)| proof)
    }
}

/// What long-lived keys are asked. An implementation that cannot reach its keys (a token that is gone) stops the process
/// rather than answer: nothing is acknowledged yet then, and every message comes again.
///
/// PIN, code, at-rest and signing keys have versions and are rotated. The keys of fingerprints, indexes, commitments, references
/// and cards have none: what was made with them must stay comparable.
pub trait Keys: Send + Sync {
    /// The live versions, newest first; never empty, at most [`MAX_LIVE_VERSIONS`].
    fn live_versions(&self) -> Vec<KeyVersion>;

    /// Proof of a PIN of the owner of `number` (`+` and E.164 digits) under one version; `None` if it is not live.
    fn pin_proof(&self, version: KeyVersion, number: &str, pin: &Pin) -> Option<PinProof>;

    /// Proof of a PIN under each live version.
    fn pin_proofs(&self, number: &str, pin: &Pin) -> ProofSet<PinProof>;

    /// Proof of a code for `payee` (`+` and E.164 digits) under one version; `None` if it is not live.
    fn code_proof(&self, version: KeyVersion, payee: &str, code: &Code) -> Option<CodeProof>;

    /// Proof of a code under each live version.
    fn code_proofs(&self, payee: &str, code: &Code) -> ProofSet<CodeProof>;

    /// Seals under the newest version. The result opens only with the same `purpose` (what kind of value) and `record`
    /// (whose).
    fn seal_at_rest(&self, rng: &mut dyn CryptoRng, purpose: &str, record: &[u8], plaintext: &[u8]) -> Vec<u8>;

    /// Opens what [`Self::seal_at_rest`] sealed.
    fn open_at_rest(&self, purpose: &str, record: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError>;

    /// Signs a statement under the newest version, for others to check. `purpose` says what kind of statement it is.
    fn sign(&self, purpose: &str, statement: &[u8]) -> Signature;

    /// What checks signed statements, for each live version, newest first. Public.
    fn verifying_keys(&self) -> Vec<(KeyVersion, VerifyingKey)>;

    /// Equal values of one purpose have equal indexes, by which a sealed value can be found.
    fn blind_index(&self, purpose: &str, value: &[u8]) -> [u8; 32];

    /// Binds a log to a private value that may be erased later. The holder of the key can still try values: where few
    /// are possible, add random octets to `value` that are erased with it.
    fn commitment(&self, purpose: &str, value: &[u8]) -> [u8; 32];

    /// By which a plain message that comes again is known.
    fn plain_fingerprint(&self, from: &str, to: &str, text: &str) -> Fingerprint;

    /// By which a sealed message that comes again is known; `card` is the ICCID.
    fn sealed_fingerprint(&self, card: &str, counter: Counter, check: &[u8; 8]) -> Fingerprint;

    /// Opens what the card with this ICCID sent.
    fn uplink_keys(&self, iccid: &str) -> KeySet;

    /// Seals what is sent to the card with this ICCID.
    fn downlink_keys(&self, iccid: &str) -> KeySet;

    /// The keys of a card as octets, for the one who writes them into it. The only way in which keys leave; an
    /// administrative command with maker and checker, never part of serving a request.
    fn personalise_card(&self, iccid: &str) -> Personalisation;

    /// The reference of an id.
    fn reference(&self, id: u64) -> Result<Reference, OutOfRange>;

    /// The id of a reference; `None` if its check digit or form is wrong.
    fn reference_id(&self, reference: &str) -> Option<u64>;
}
