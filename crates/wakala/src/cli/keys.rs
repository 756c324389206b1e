//! The keys: made, rotated and looked at here, in the file or the token itself. A running server has opened them at its start
//! and sees a new version when it starts next.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use encryption::{CryptoRng, KeyVersion, RotationError, VerifyingKey, Zeroizing};
use serde_json::{Value, json};

use super::arguments::Keys;
use super::client;
use super::exit::{Exit, Failure};
use crate::administration::protocol::{Command, Request};
use crate::administration::system_rng;
use crate::config::Config;
use crate::keyring::Keyring;

/// Octets of randomness in a passphrase that is made here; twice as many letters.
const PASSPHRASE_OCTETS: usize = 32;

/// Carries out a command about keys.
///
/// # Errors
/// [`Failure`].
pub fn run(config: &Config, command: &Keys) -> Result<Value, Failure> {
    match command {
        Keys::Init { token } => init(config, *token),
        Keys::Rotate => rotate(config),
        Keys::Retire { version, force } => retire(config, *version, *force),
        Keys::Show => show(config),
        Keys::Public => public(config),
    }
}

fn init(config: &Config, in_token: bool) -> Result<Value, Failure> {
    if config.keys.token.is_some() {
        let made = Keyring::create(&config.keys)?;
        return Ok(json!({
            "token": place(&made), "versions": versions(&made),
            "next": "keep a copy of the token, as its maker says: without it no PIN can be proven",
        }));
    }
    if in_token {
        let message = "--token: the configuration names no token, see [keys] token in config/wakala.toml";
        return Err(Failure::new(Exit::Configuration, message));
    }
    let (file, passphrase_file) = (&config.keys.file, &config.keys.passphrase_file);
    if file.exists() {
        let message = format!(
            "{} is there already: keys are never overwritten. To add a version: wakala keys rotate",
            file.display()
        );
        return Err(Failure::new(Exit::Refused, message));
    }
    let passphrase_made = !passphrase_file.exists();
    if passphrase_made {
        make_passphrase(passphrase_file)?;
    }
    let made = Keyring::create(&config.keys)?;
    Ok(json!({
        "keys": place(&made), "versions": versions(&made),
        "passphrase": passphrase_file, "passphrase_made": passphrase_made,
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
    let mut keys = Keyring::open(&config.keys)?;
    let newest = keys.rotate()?;
    Ok(json!({
        "newest": newest.0, "versions": versions(&keys),
        "next": "a running server uses it from its next start; copy the keys anew",
    }))
}

fn retire(config: &Config, version: u32, force: bool) -> Result<Value, Failure> {
    let mut keys = Keyring::open(&config.keys)?;
    let refused = |message: String| Failure::new(Exit::Refused, message);
    if keys.keys().live_versions().first() == Some(&KeyVersion(version)) {
        return Err(refused(RotationError::Newest(KeyVersion(version)).to_string()));
    }
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
    keys.retire(KeyVersion(version))?;
    let server = match keys {
        Keyring::File { .. } => "a running server forgets it at its next start",
        Keyring::Token { .. } => "restart a running server now, it ends when it asks the token for it",
    };
    Ok(json!({
        "retired": version, "versions": versions(&keys),
        "next": format!("names sealed under it cannot be opened any more; {server}"),
    }))
}

fn show(config: &Config) -> Result<Value, Failure> {
    let keys = Keyring::open(&config.keys)?;
    let mut told = json!({ "keys": place(&keys), "versions": versions(&keys) });
    // Without a server there is nobody to ask, and the keys' own versions are told all the same.
    if let Ok(mut needed) = client::ask(&config.administration.socket, &Request::plain(Command::KeyUse)) {
        told["in_use"] = needed["versions"].take();
    }
    Ok(told)
}

fn public(config: &Config) -> Result<Value, Failure> {
    let key = |(version, key): (KeyVersion, VerifyingKey)| json!({ "version": version.0, "id": key.id().to_string(), "public_key": key.to_pem() });
    let keys = Keyring::open(&config.keys)?.keys().verifying_keys();
    Ok(json!({ "keys": keys.into_iter().map(key).collect::<Vec<_>>() }))
}

/// The public keys as PEM, each behind a line that says which it is; what reads PEM passes over such lines (RFC 7468 §2).
///
/// # Errors
/// [`Failure`].
pub fn public_pem(config: &Config) -> Result<String, Failure> {
    let key =
        |(version, key): (KeyVersion, VerifyingKey)| format!("version {version}, id {}\n{}", key.id(), key.to_pem());
    Ok(Keyring::open(&config.keys)?.keys().verifying_keys().into_iter().map(key).collect())
}

/// Where they are, in a word: the file, or the token's label.
fn place(keys: &Keyring) -> String {
    match keys {
        Keyring::File { path, .. } => path.display().to_string(),
        Keyring::Token { label, .. } => label.clone(),
    }
}

/// Newest first.
fn versions(keys: &Keyring) -> Vec<u32> {
    keys.keys().live_versions().iter().map(|version| version.0).collect()
}
