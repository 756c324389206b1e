//! The long-lived keys, where the configuration says that they are: in a sealed file, or in a PKCS#11 token.

use std::path::PathBuf;
use std::sync::Arc;

use encryption::{
    FileKeys, KeyFileError, KeyVersion, Keys, Passphrase, RotationError, TokenError, TokenKeys, TokenPin,
};

use crate::administration::system_rng;
use crate::config;

/// Why keys cannot be opened, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The key file or its passphrase.
    #[error("{}: {error}{}", path.display(), advice(is_missing(error)))]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: KeyFileError,
    },
    /// The token or its PIN.
    #[error("the token {label:?}: {error}{}", advice(matches!(error, TokenError::NoKeys)))]
    Token {
        /// The token's label.
        label: String,
        /// Why not.
        error: TokenError,
    },
    /// The live versions do not allow it.
    #[error(transparent)]
    Versions(#[from] RotationError),
}

impl Failure {
    /// Whether it may pass without anybody doing anything ([`TokenError::may_pass`]).
    pub fn may_pass(&self) -> bool {
        matches!(self, Failure::Token { error, .. } if error.may_pass())
    }
}

fn is_missing(error: &KeyFileError) -> bool {
    matches!(error, KeyFileError::Io(error) if error.kind() == std::io::ErrorKind::NotFound)
}

fn advice(missing: bool) -> &'static str {
    if missing { "; `wakala keys init` makes what is missing" } else { "" }
}

/// Keys that are open.
pub enum Keyring {
    /// From a file; a change is written to it.
    File {
        /// The keys.
        keys: Box<FileKeys>,
        /// Where they lie.
        path: PathBuf,
        /// What seals them.
        passphrase: Passphrase,
    },
    /// In a token, which changes at once.
    Token {
        /// The keys.
        keys: TokenKeys,
        /// The token's label.
        label: String,
    },
}

impl Keyring {
    /// Makes keys, version 1. Keys that are there are never overwritten: a file is looked for by the caller, a token refuses.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn create(config: &config::Keys) -> Result<Keyring, Failure> {
        if let Some(token) = &config.token {
            return in_token(token, TokenKeys::create);
        }
        let keys = Box::new(FileKeys::create(&mut system_rng()));
        let ring = Keyring::File { keys, path: config.file.clone(), passphrase: passphrase(config)? };
        ring.save()?;
        Ok(ring)
    }

    /// Opens them.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open(config: &config::Keys) -> Result<Keyring, Failure> {
        if let Some(token) = &config.token {
            return in_token(token, TokenKeys::open);
        }
        let (path, passphrase) = (config.file.clone(), passphrase(config)?);
        let keys = FileKeys::load(&path, &passphrase).map_err(|error| Failure::File { path: path.clone(), error })?;
        Ok(Keyring::File { keys: Box::new(keys), path, passphrase })
    }

    /// To be asked.
    pub fn keys(&self) -> &dyn Keys {
        match self {
            Keyring::File { keys, .. } => &**keys,
            Keyring::Token { keys, .. } => keys,
        }
    }

    /// To be shared by all who ask, and never changed again.
    pub fn into_keys(self) -> Arc<dyn Keys> {
        match self {
            Keyring::File { keys, .. } => Arc::from(keys as Box<dyn Keys>),
            Keyring::Token { keys, .. } => Arc::new(keys),
        }
    }

    /// Adds a version for good; returns it.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn rotate(&mut self) -> Result<KeyVersion, Failure> {
        let version = match self {
            Keyring::File { keys, .. } => keys.rotate(&mut system_rng())?,
            Keyring::Token { keys, label } => keys.rotate().map_err(|error| of_token(label, error))?,
        };
        self.save()?;
        Ok(version)
    }

    /// Forgets a version for good.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn retire(&mut self, version: KeyVersion) -> Result<(), Failure> {
        match self {
            Keyring::File { keys, .. } => keys.retire(version)?,
            Keyring::Token { keys, label } => keys.retire(version).map_err(|error| of_token(label, error))?,
        }
        self.save()
    }

    fn save(&self) -> Result<(), Failure> {
        let Keyring::File { keys, path, passphrase } = self else { return Ok(()) };
        keys.save(path, passphrase, &mut system_rng()).map_err(|error| Failure::File { path: path.clone(), error })
    }
}

fn in_token(
    config: &config::Token,
    get: fn(&std::path::Path, &str, &TokenPin) -> Result<TokenKeys, TokenError>,
) -> Result<Keyring, Failure> {
    let label = config.label.clone();
    let keys = TokenPin::read(&config.pin_file).and_then(|pin| get(&config.module, &label, &pin));
    let keys = keys.map_err(|error| of_token(&label, error))?;
    Ok(Keyring::Token { keys, label })
}

fn of_token(label: &str, error: TokenError) -> Failure {
    match error {
        TokenError::Rotation(error) => Failure::Versions(error),
        error => Failure::Token { label: label.to_owned(), error },
    }
}

fn passphrase(config: &config::Keys) -> Result<Passphrase, Failure> {
    let path = &config.passphrase_file;
    Passphrase::read(path).map_err(|error| Failure::File { path: path.clone(), error })
}
