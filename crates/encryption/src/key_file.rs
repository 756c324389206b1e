//! How keys lie in a file: sealed under a passphrase, whole or not at all, readable to their owner only.
//!
//! ```text
//! "wakala keys v1\n\0" 16 | memory KiB 4 | passes 4 | lanes 4 | salt 16 | nonce 24 | sealed keys | tag 16 | SHA-256 32
//! ```
//! Integers are big-endian. Sealed as [`sealing`] says under Argon2id(passphrase, salt); all that stands before the nonce
//! is authenticated. The plain SHA-256 over all before it tells damage from a wrong passphrase.

use crate::{
    AesKey,
    mac::SecretOctets,
    sealing::{self, NONCE},
};
use argon2::{Algorithm, Argon2, Params, Version};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};
use thiserror::Error;
use zeroize::Zeroizing;

const MAGIC: &[u8; 16] = b"wakala keys v1\n\0";
const SALT: usize = 16;
const HEADER: usize = MAGIC.len() + 12 + SALT;
/// No key file and no passphrase file is longer.
const MAX_FILE: u64 = 4096;

/// Why keys were not loaded or saved.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The file system said so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Others than its owner may touch the file.
    #[error("permissions {0:04o} are too open: 0600 or less, 0640 or less if root owns the file")]
    TooOpen(u32),
    /// Not a key file of a known version.
    #[error("not a key file, or of a later version")]
    NotAKeyFile,
    /// The octets are not those that were written.
    #[error("the key file is damaged, restore it from its copy")]
    Damaged,
    /// The file is whole, but this passphrase does not open it.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// Too short to protect anything, or absurdly long.
    #[error("a passphrase has {MIN_PASSPHRASE} to {MAX_FILE} octets", MIN_PASSPHRASE = Passphrase::MIN_OCTETS)]
    PassphraseLength,
}

/// What seals the key file. Secret: cannot be printed, wiped on drop.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Fewest octets.
    pub const MIN_OCTETS: usize = 16;

    /// Takes a passphrase as it is.
    pub fn new(octets: &[u8]) -> Result<Self, KeyFileError> {
        if octets.len() < Self::MIN_OCTETS || octets.len() as u64 > MAX_FILE {
            return Err(KeyFileError::PassphraseLength);
        }
        Ok(Self(Zeroizing::new(octets.to_vec())))
    }

    /// Reads a secret file that only its owner may touch; line ends at its end do not count.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        Self::new(&read_secret(path)?)
    }
}

/// What one opening costs, and so one guess.
#[derive(Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// RFC 9106 §4, second recommended option but for one lane.
    const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// A file that asks for more is not one of ours, and would only exhaust the machine.
    const MOST: Self = Self { memory_kib: 1024 * 1024, passes: 16, lanes: 8 };

    fn is_bearable(self) -> bool {
        let Self { memory_kib, passes, lanes } = Self::MOST;
        self.memory_kib <= memory_kib && self.passes <= passes && self.lanes <= lanes
    }

    /// `None` for a cost that Argon2 does not know.
    fn sealing_key(self, passphrase: &Passphrase, salt: &[u8]) -> Option<AesKey> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()?;
        let mut key = SecretOctets::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&passphrase.0, salt, key.as_mut_slice())
            .ok()?;
        Some(AesKey::from(&*key))
    }
}

/// Seals `keys` and puts the file in the place of what `path` named: complete and durable, or not at all.
pub(crate) fn save(
    path: &Path,
    passphrase: &Passphrase,
    rng: &mut dyn CryptoRng,
    keys: &[u8],
) -> Result<(), KeyFileError> {
    let Cost { memory_kib, passes, lanes } = Cost::STANDARD;
    let mut file = MAGIC.to_vec();
    for number in [memory_kib, passes, lanes] {
        file.extend_from_slice(&number.to_be_bytes());
    }
    let mut salt = [0; SALT];
    rng.fill_bytes(&mut salt);
    file.extend_from_slice(&salt);
    let key = Cost::STANDARD.sealing_key(passphrase, &salt).expect("the standard cost is within Argon2's");
    let sealed = sealing::seal(&key, rng, &file, keys);
    file.extend_from_slice(&sealed);
    let sum = Sha256::digest(&file);
    file.extend_from_slice(&sum);
    Ok(replace(path, &file)?)
}

/// Opens the key file at `path`.
pub(crate) fn load(path: &Path, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let file = read_private(path)?;
    if !file.starts_with(MAGIC) {
        return Err(KeyFileError::NotAKeyFile);
    }
    let (covered, sum) = file.split_last_chunk::<32>().ok_or(KeyFileError::Damaged)?;
    if covered.len() < HEADER + NONCE || Sha256::digest(covered).as_slice() != sum {
        return Err(KeyFileError::Damaged);
    }
    let (header, sealed) = covered.split_at(HEADER);
    let number = |at: usize| u32::from_be_bytes(std::array::from_fn(|i| header[MAGIC.len() + at * 4 + i]));
    let cost = Cost { memory_kib: number(0), passes: number(1), lanes: number(2) };
    if !cost.is_bearable() {
        return Err(KeyFileError::Damaged);
    }
    let key = cost.sealing_key(passphrase, &header[HEADER - SALT..]).ok_or(KeyFileError::Damaged)?;
    sealing::open(&key, header, sealed).ok_or(KeyFileError::WrongPassphrase)
}

/// A new file beside the old one, synchronised, renamed over it, and the directory synchronised: a crash at any point
/// leaves the old file or the new.
fn replace(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut name = OsString::from(path);
    name.push(".new");
    let new = Path::new(&name);
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(new, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// A secret of people's in a file that only its owner may touch; line ends at its end do not count.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let mut octets = read_private(path)?;
    if octets.len() as u64 > MAX_FILE {
        return Err(KeyFileError::PassphraseLength);
    }
    let end = octets.iter().rposition(|octet| !matches!(octet, b'\n' | b'\r')).map_or(0, |last| last + 1);
    octets.truncate(end);
    Ok(octets)
}

/// A whole small file that nobody but its owner may touch; of a file of root's, that the group may read, since that is
/// how systemd hands over credentials (0440). Permissions are those of the opened file, not of the name. Of a file that
/// is too long only so much is read that this shows.
fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mode = metadata.mode() & 0o7777;
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if mode & forbidden != 0 {
        return Err(KeyFileError::TooOpen(mode));
    }
    // Reserved at once: a growing vector would leave copies behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize + 1));
    file.take(MAX_FILE + 1).read_to_end(&mut octets)?;
    Ok(octets)
}
