//! Card cryptography: everything in Wakala that touches the keys of cards and terminals, and PINs that travel enciphered.
//!
//! # What it does
//! - [`pin_block`] enciphers PINs for an account and reads them again (ISO 9564-1, formats 0, 3 and 4).
//! - [`dukpt`] makes a key of its own for each transaction of a terminal (ANSI X9.24-3).
//! - [`tr31`] carries keys between HSMs, bound to their use (ANSI X9.143).
//! - [`mac`](mod@mac) authenticates messages as links of cards want it; [`CheckValue`] lets people compare keys.
//! - [`legacy`] is what only TDES can do.
//! - [`Hsm`] is the seam in front of all of it: the platform holds handles, and neither a clear PIN nor a clear key.
//!   [`SoftwareHsm`] keeps keys in memory, for tests and development alone.
//!
//! # What it protects
//! - Who has messages and their logs learns no PIN; who changes one octet that a code covers is refused.
//! - A key is used for what its header says and in no other way, and leaves only if the header lets it.
//! - Who asks an HSM about PINs is never told why a block holds none.
//!
//! # What it does not
//! - [`SoftwareHsm`] has keys and PINs in memory, like anything else in this process.
//! - TDES, formats 0 and 3, and codes of 32 bits are as weak as they are; a link that can do better should.
//! - Nothing here remembers a counter, a try or a message: whether it is new is judged where that is stored.
//!
//! Randomness comes from the caller, as in `encryption`.

mod check_value;
mod cipher;
pub mod dukpt;
pub mod hsm;
mod key;
pub mod legacy;
pub mod mac;
mod pin;
pub mod pin_block;
mod software;
pub mod tr31;
#[cfg(test)]
#[path = "../tests/vectors/mod.rs"]
mod vectors;

pub use check_value::CheckValue;
pub use hsm::{Derivation, Hsm, HsmError, KeyHandle, PinReference, WorkingKeyHandles};
pub use key::{Algorithm, Key, UnfitKey};
pub use mac::{Mac, MacFlavour};
pub use pin::{Account, Pin};
pub use pin_block::PinBlock;
pub use software::{Environment, RefusedInProduction, SoftwareHsm};

/// The trait of generators that this crate draws from.
pub use rand_core::CryptoRng;
