//! Encryption and decryption: everything in Wakala that touches a secret, small enough to be read in an afternoon.
//!
//! # What it does
//! - [`secured_packet`] seals and opens messages between a card and the platform (ETSI TS 102 225, AES-CBC and AES-CMAC
//!   only; every other algorithm is refused), under keys that [`card_keys`] makes for each card from one master.
//! - [`pin`] and [`codes`] turn PINs and one-time codes into keyed proofs, which alone are stored.
//! - [`sealing`] seals what must be kept and given back: codes until delivery, names, identity numbers.
//! - [`fingerprint`] knows a message that comes again; [`reference`](mod@reference) makes ids into references for people.
//! - [`signing`] signs statements that others check with a public key alone.
//! - [`keys`] is the seam to the long-lived keys; [`file_keys`] holds them in a sealed [`key_file`], [`TokenKeys`] in a
//!   PKCS#11 token.
//! - [`password`] proves staff.
//!
//! # What it protects
//! - Who holds the database, its log or a backup learns no PIN, code, name or identity number, and cannot try PINs:
//!   proofs need a key that is not there. Four digits are too few for a slow hash to help.
//! - Who listens or writes on the air or in a message centre reads and forges no sealed message. Whether an authentic
//!   one is new is judged by the counter, where that is stored.
//! - Who holds the key file without its passphrase learns nothing; a changed key file is refused.
//! - Who sees references cannot tell how many there are or guess the next.
//!
//! # What it does not
//! - Keys from a file are in memory while the platform runs. Who reads that memory, or has key file and passphrase, has
//!   all. Keys in a token stay there, but who can log in to it can ask it everything.
//! - Secrets are wiped on drop, but a compiler may have moved a copy, and the kernel may page memory out: the program
//!   forbids dumps, the machine should not swap.
//! - Plain short messages, PINs in them included, are open to operators. Only sealed ones are not.
//! - Tries are counted, and counters judged, in transaction processing. Nothing here remembers anything.
//! - Lengths and times of messages are not hidden.
//!
//! Randomness comes from the caller as `&mut dyn CryptoRng`: the program passes the operating system's, a simulation a
//! seeded one.

pub mod aes_key;
mod card_cache;
pub mod card_keys;
pub mod codes;
pub mod file_keys;
pub mod fingerprint;
pub mod key_file;
pub mod keys;
mod mac;
pub mod password;
pub mod pin;
mod pool;
pub mod reference;
mod ring;
pub mod sealing;
pub mod secured_packet;
pub mod signing;
mod token;
mod token_keys;

pub use aes_key::AesKey;
pub use card_keys::{CardKeys, CardMaster, Personalisation};
pub use codes::{Code, CodeProof, Purpose};
pub use file_keys::FileKeys;
pub use fingerprint::Fingerprint;
pub use key_file::{KeyFileError, Passphrase};
pub use keys::{KeyVersion, Keys, MAX_LIVE_VERSIONS, ProofSet};
pub use pin::{Pin, PinProof};
pub use reference::{OutOfRange, Reference, References};
pub use ring::RotationError;
pub use sealing::{OpenError, SEALED_OVERHEAD};
pub use secured_packet::{Counter, KeySet, PacketRefusal};
pub use signing::{KeyId, Signature, Unreadable, VerifyingKey};
pub use token::{MOST_SESSIONS, TokenError, TokenPin};
pub use token_keys::TokenKeys;

/// The trait of generators that this crate draws from.
pub use rand_core::CryptoRng;
/// Wipes what it holds when dropped.
pub use zeroize::Zeroizing;
