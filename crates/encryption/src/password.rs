//! Secrets of staff: Argon2id (RFC 9106) in PHC strings. Long and chosen by adults, unlike PINs, so a slow hash helps.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use rand_core::CryptoRng;
use thiserror::Error;

/// Fewest characters of a staff password.
pub const MIN_CHARACTERS: usize = 12;
/// Most octets of a staff password; longer input is refused before any work is done on it.
pub const MAX_OCTETS: usize = 256;

/// The password breaks the length rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a password has at least {MIN_CHARACTERS} characters and at most {MAX_OCTETS} octets")]
pub struct LengthRule;

/// A PHC string to store: Argon2id, 19 MiB, 2 passes, 1 lane (OWASP's minimum), 16 octets of salt.
pub fn hash(password: &str, rng: &mut dyn CryptoRng) -> Result<String, LengthRule> {
    if password.chars().count() < MIN_CHARACTERS || password.len() > MAX_OCTETS {
        return Err(LengthRule);
    }
    let hash = Argon2::default().hash_password_with_rng(rng, password.as_bytes());
    Ok(hash.expect("default parameters and lengths are within Argon2's").to_string())
}

/// Does the password fit the stored PHC string? About 20 ms of one core: bound how often it may be asked.
pub fn verify(password: &str, phc: &str) -> bool {
    password.len() <= MAX_OCTETS && Argon2::default().verify_password(password.as_bytes(), phc).is_ok()
}
