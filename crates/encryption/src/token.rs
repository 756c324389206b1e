//! A PKCS#11 token: found by its label, asked through a bounded pool of sessions.
//!
//! A process has one module, initialised once and never again. A session serves one thread at a time; who finds none free
//! waits. Logging in is the whole process's.

use crate::{
    key_file::{self, KeyFileError},
    pool::Pool,
};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as CryptokiError, RvError},
    mechanism::{Mechanism, MechanismType},
    object::ObjectHandle,
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Sessions open at once, at most. More threads than this wait for one another.
pub const MOST_SESSIONS: usize = 16;

/// Why a token, or the keys in it, cannot be used.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The module cannot be loaded or does not start.
    #[error("the module {}: {error}", path.display())]
    Module {
        /// The shared library.
        path: PathBuf,
        /// What it said.
        error: CryptokiError,
    },
    /// A process has one module.
    #[error("this process has another module open, {}", .0.display())]
    AnotherModule(PathBuf),
    /// No initialised token bears this label.
    #[error("no token is labelled {0:?}")]
    NoSuchToken(String),
    /// More than one does.
    #[error("several tokens are labelled {0:?}")]
    SeveralTokens(String),
    /// The token cannot compute what keys are asked for.
    #[error("the token has no {0}")]
    Lacks(&'static str),
    /// The file with the PIN.
    #[error("the PIN of the token: {0}")]
    PinFile(#[from] KeyFileError),
    /// Not a PIN: empty or no text.
    #[error("the PIN of the token must be a line of text")]
    PinForm,
    /// The token refuses the PIN. It counts wrong ones, and locks.
    #[error("the token refuses the PIN: {0}")]
    Login(CryptokiError),
    /// There are no keys of ours in it.
    #[error("no keys are in the token")]
    NoKeys,
    /// There are keys of ours already, or the rest of some.
    #[error("{0:?} is in the token already")]
    KeysThere(String),
    /// One of our keys is not there, while others of its version are.
    #[error("{0:?} is not in the token, though it should be")]
    Missing(String),
    /// Two objects bear the label of one key.
    #[error("several keys of the token are labelled {0:?}")]
    Several(String),
    /// A key could be read out of the token.
    #[error("{0:?} could be read out of the token: keys must be sensitive and not extractable")]
    Extractable(String),
    /// The key does not make signatures that its public key verifies.
    #[error("{0:?} and its public key do not go together")]
    Unfit(String),
    /// The live versions do not allow it.
    #[error(transparent)]
    Rotation(#[from] crate::RotationError),
    /// The token did not do something.
    #[error(transparent)]
    Failed(#[from] CryptokiError),
}

impl TokenError {
    /// Whether it may pass without anybody doing anything: the token is not there, or does not do what it should. A PIN that
    /// it refuses is never to be tried again: tokens lock.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoSuchToken(_) | Self::Failed(_) => true,
            Self::Module { error, .. } => !matches!(error, CryptokiError::LibraryLoading(_)),
            _ => false,
        }
    }
}

fn is_of_the_pin(error: &CryptokiError) -> bool {
    let CryptokiError::Pkcs11(error, _) = error else { return false };
    matches!(
        error,
        RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked
            | RvError::UserPinNotInitialized
    )
}

/// The PIN of a token's user. Secret: cannot be printed, wiped on drop.
pub struct TokenPin(AuthPin);

impl TokenPin {
    /// Reads a secret file that only its owner may touch; line ends at its end do not count.
    ///
    /// # Errors
    /// [`TokenError::PinFile`], [`TokenError::PinForm`].
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let octets = key_file::read_secret(path)?;
        let text = std::str::from_utf8(&octets).map_err(|_| TokenError::PinForm)?;
        if text.is_empty() { Err(TokenError::PinForm) } else { Ok(Self(AuthPin::from(text.to_owned()))) }
    }
}

/// An open token, logged in to.
pub(crate) struct Token {
    module: Pkcs11,
    slot: Slot,
    sessions: Pool<Session>,
}

impl Token {
    /// Finds the token and logs in to it. Once for each token in a process: the PIN of a second time would not be looked at.
    pub(crate) fn open(module: &Path, label: &str, pin: &TokenPin) -> Result<Self, TokenError> {
        let module = the_module(module)?;
        let slot = find(&module, label)?;
        let mechanisms = module.get_mechanism_list(slot)?;
        for (mechanism, name) in [
            (MechanismType::SHA256_HMAC, "HMAC-SHA256 (CKM_SHA256_HMAC)"),
            (MechanismType::AES_CMAC, "AES-CMAC (CKM_AES_CMAC)"),
            (MechanismType::EDDSA, "Ed25519 (CKM_EDDSA)"),
        ] {
            if !mechanisms.contains(&mechanism) {
                return Err(TokenError::Lacks(name));
            }
        }
        let first = module.open_ro_session(slot)?;
        match first.login(UserType::User, Some(&pin.0)) {
            Ok(()) | Err(CryptokiError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) if is_of_the_pin(&error) => return Err(TokenError::Login(error)),
            Err(error) => return Err(TokenError::Failed(error)),
        }
        Ok(Self { module, slot, sessions: Pool::new(first, MOST_SESSIONS) })
    }

    /// A session that may change what the token holds.
    pub(crate) fn writing(&self) -> Result<Session, TokenError> {
        Ok(self.module.open_rw_session(self.slot)?)
    }

    /// Does something with a session of the pool.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Session) -> Result<T, CryptokiError>) -> Result<T, CryptokiError> {
        self.sessions.with(|| self.module.open_ro_session(self.slot), work)
    }

    /// A signature or tag over the octets. A token that does not answer ends the process, as [`Keys`](crate::Keys) says:
    /// nothing that needs the answer is acknowledged then.
    pub(crate) fn sign<const N: usize>(&self, mechanism: &Mechanism<'_>, key: ObjectHandle, octets: &[u8]) -> [u8; N] {
        let answer = self.with(|session| session.sign(mechanism, key, octets));
        let answer = answer.unwrap_or_else(|error| panic!("the token with the keys does not answer: {error}"));
        // It may be a piece of a card's key.
        let answer = Zeroizing::new(answer);
        answer.as_slice().try_into().unwrap_or_else(|_| panic!("the token answered with too little or too much"))
    }
}

/// The process's module. A second initialisation is refused by modules or crashes in them, so there is one for good.
fn the_module(path: &Path) -> Result<Pkcs11, TokenError> {
    static MODULE: Mutex<Option<(PathBuf, Pkcs11)>> = Mutex::new(None);
    let mut open = MODULE.lock().unwrap_or_else(PoisonError::into_inner);
    match &*open {
        Some((at, module)) if at == path => return Ok(module.clone()),
        Some((at, _)) => return Err(TokenError::AnotherModule(at.clone())),
        None => {}
    }
    let failed = |error| TokenError::Module { path: path.to_owned(), error };
    let module = Pkcs11::new(path).map_err(failed)?;
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).map_err(failed)?;
    *open = Some((path.to_owned(), module.clone()));
    Ok(module)
}

/// By its label: numbers of slots change between processes.
fn find(module: &Pkcs11, label: &str) -> Result<Slot, TokenError> {
    let mut found = None;
    for slot in module.get_slots_with_initialized_token()? {
        if module.get_token_info(slot)?.label() == label && found.replace(slot).is_some() {
            return Err(TokenError::SeveralTokens(label.to_owned()));
        }
    }
    found.ok_or_else(|| TokenError::NoSuchToken(label.to_owned()))
}
