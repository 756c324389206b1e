//! The key file: made, rotated and looked at here, on the file itself. A running server has read it at its start and is not
//! disturbed; it sees a changed file when it starts next.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use encryption::{CryptoRng, FileKeys, KeyFileError, KeyVersion, Keys as _, Passphrase, VerifyingKey, Zeroizing};
use serde_json::{Value, json};

use super::arguments::Keys;
use super::client;
use super::exit::{Exit, Failure};
use crate::administration::protocol::{Command, Request};
use crate::administration::system_rng;
use crate::config::Config;

/// Octets of randomness in a passphrase that is made here; twice as many letters.
const PASSPHRASE_OCTETS: usize = 32;

/// Carries out a command about keys.
///
/// # Errors
/// [`Failure`].
pub fn run(config: &Config, command: &Keys) -> Result<Value, Failure> {
    match command {
        Keys::Init => init(config),
        Keys::Rotate => rotate(config),
        Keys::Retire { version, force } => retire(config, *version, *force),
        Keys::Show => show(config),
        Keys::Public => public(config),
    }
}

fn init(config: &Config) -> Result<Value, Failure> {
    let (file, passphrase_file) = (&config.keys.file, &config.keys.passphrase_file);
    if file.exists() {
        let message = format!(
            "{} is there already: keys are never overwritten. To add a version: wakala keys rotate",
            file.display()
        );
        return Err(Failure::new(Exit::Refused, message));
    }
    let made = !passphrase_file.exists();
    if made {
        make_passphrase(passphrase_file)?;
    }
    let passphrase = passphrase(config)?;
    FileKeys::create(&mut system_rng()).save(file, &passphrase, &mut system_rng()).map_err(|error| at(file, &error))?;
    Ok(json!({
        "keys": file, "versions": [1], "passphrase": passphrase_file, "passphrase_made": made,
        "next": "keep a copy of both files, apart from each other: without them no PIN can be proven",
    }))
}

/// A passphrase of its own, readable by its owner alone.
fn make_passphrase(path: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Configuration, format!("{}: {error}", path.display()));
    let mut octets = Zeroizing::new([0_u8; PASSPHRASE_OCTETS]);
    let rng: &mut dyn CryptoRng = &mut system_rng();
    rng.fill_bytes(octets.as_mut_slice());
    let mut text = Zeroizing::new(String::with_capacity(2 * PASSPHRASE_OCTETS + 1));
    for octet in octets.iter() {
        for half in [octet >> 4, octet & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    text.push('\n');
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn rotate(config: &Config) -> Result<Value, Failure> {
    let (mut keys, passphrase) = load(config)?;
    let version = keys.rotate(&mut system_rng()).map_err(|error| Failure::new(Exit::Refused, error.to_string()))?;
    save(config, &keys, &passphrase)?;
    Ok(json!({
        "newest": version.0, "versions": versions(&keys),
        "next": "a running server uses it from its next start; copy the key file anew",
    }))
}

fn retire(config: &Config, version: u32, force: bool) -> Result<Value, Failure> {
    let (mut keys, passphrase) = load(config)?;
    let refused = |message: String| Failure::new(Exit::Refused, message);
    keys.retire(KeyVersion(version)).map_err(|error| refused(error.to_string()))?;
    if !force {
        let needed = client::ask(&config.administration.socket, &Request::plain(Command::KeyUse))?;
        let needed = needed["versions"].as_array().cloned().unwrap_or_default();
        let newest = needed.iter().filter_map(|row| row["version"].as_u64()).max().unwrap_or(0);
        if newest <= u64::from(version) {
            return Err(refused(format!(
                "the running server still makes proofs with version {version}: restart it first"
            )));
        }
        let proofs = needed.iter().find(|row| row["version"] == version).and_then(|row| row["proofs"].as_u64());
        if proofs.unwrap_or(0) > 0 {
            return Err(refused(format!(
                "{} stored proofs still need version {version}: their owners' PINs could never be right again. Wait until \
                 they have used them, or --force and reset those PINs",
                proofs.unwrap_or(0)
            )));
        }
    }
    save(config, &keys, &passphrase)?;
    Ok(json!({
        "retired": version, "versions": versions(&keys),
        "next": "names sealed under it cannot be opened any more; a running server forgets it at its next start",
    }))
}

fn show(config: &Config) -> Result<Value, Failure> {
    let (keys, _) = load(config)?;
    let mut told = json!({ "keys": config.keys.file, "versions": versions(&keys) });
    // Without a server there is nobody to ask, and the file's own versions are told all the same.
    if let Ok(mut needed) = client::ask(&config.administration.socket, &Request::plain(Command::KeyUse)) {
        told["in_use"] = needed["versions"].take();
    }
    Ok(told)
}

fn public(config: &Config) -> Result<Value, Failure> {
    let key = |(version, key): (KeyVersion, VerifyingKey)| json!({ "version": version.0, "id": key.id().to_string(), "public_key": key.to_pem() });
    let (keys, _) = load(config)?;
    Ok(json!({ "keys": keys.verifying_keys().into_iter().map(key).collect::<Vec<_>>() }))
}

/// The public keys as PEM, each behind a line that says which it is; what reads PEM passes over such lines (RFC 7468 §2).
///
/// # Errors
/// [`Failure`].
pub fn public_pem(config: &Config) -> Result<String, Failure> {
    let key =
        |(version, key): (KeyVersion, VerifyingKey)| format!("version {version}, id {}\n{}", key.id(), key.to_pem());
    let (keys, _) = load(config)?;
    Ok(keys.verifying_keys().into_iter().map(key).collect())
}

/// The keys that the configuration names, and the passphrase that opened them.
///
/// # Errors
/// [`Failure`].
pub fn load(config: &Config) -> Result<(FileKeys, Passphrase), Failure> {
    let passphrase = passphrase(config)?;
    let keys = FileKeys::load(&config.keys.file, &passphrase).map_err(|error| at(&config.keys.file, &error))?;
    Ok((keys, passphrase))
}

fn save(config: &Config, keys: &FileKeys, passphrase: &Passphrase) -> Result<(), Failure> {
    keys.save(&config.keys.file, passphrase, &mut system_rng()).map_err(|error| at(&config.keys.file, &error))
}

fn passphrase(config: &Config) -> Result<Passphrase, Failure> {
    let file = &config.keys.passphrase_file;
    Passphrase::read(file).map_err(|error| at(file, &error))
}

fn at(path: &Path, error: &KeyFileError) -> Failure {
    let missing = matches!(error, KeyFileError::Io(error) if error.kind() == std::io::ErrorKind::NotFound);
    let advice = if missing { "; `wakala keys init` makes what is missing" } else { "" };
    Failure::new(Exit::Configuration, format!("{}: {error}{advice}", path.display()))
}

/// Newest first.
fn versions(keys: &FileKeys) -> Vec<u32> {
    keys.live_versions().iter().map(|version| version.0).collect()
}
