//! Secrets come from files alone.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use wire::Secret;
use zeroize::Zeroizing;

/// Longer files are no secrets.
const LONGEST: u64 = 4096;

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file cannot be opened or read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Nothing, more than 4096 octets, or no text.
    #[error("{}: must hold one secret, as text of at most {LONGEST} octets", path.display())]
    NoSecret {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the secret in a file; a line break at its end is not part of it.
///
/// # Errors
/// When the file cannot be read, is empty, longer than 4096 octets, or no UTF-8.
pub fn read_secret(path: &Path) -> Result<Secret, SecretFileError> {
    let unreadable = |error| SecretFileError::Unreadable { path: path.to_owned(), error };
    let no_secret = || SecretFileError::NoSecret { path: path.to_owned() };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    // All the room there may be need of, so that growing leaves no copies behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    file.take(LONGEST + 1).read_to_end(&mut octets).map_err(unreadable)?;
    let text = std::str::from_utf8(&octets).map_err(|_| no_secret())?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() || octets.len() as u64 > LONGEST { Err(no_secret()) } else { Ok(Secret::from(text)) }
}
