//! The seam to a payment HSM: whatever needs a key of cards or terminals, as questions. Keys are handles with a use; no clear
//! PIN and no clear key crosses it, so that an HSM in a cabinet can answer as well as [`SoftwareHsm`](crate::SoftwareHsm).

use crate::{
    Account, CheckValue, Mac, MacFlavour, PinBlock, UnfitKey,
    dukpt::{self, AesLength, KeyId, KeyUse},
    legacy::{
        tdes_dukpt::{self, Variant},
        working_keys,
    },
    pin_block::Format,
    tr31::{self, Header, KeyUsage},
};
use std::{any::Any, fmt, sync::Arc};

/// A key in an HSM: what it may be used for, and whatever that HSM finds it by. It is wiped, or forgotten by the HSM, when its last
/// handle is dropped.
#[derive(Clone)]
pub struct KeyHandle {
    header: Arc<Header>,
    held: Arc<dyn Any + Send + Sync>,
}

impl KeyHandle {
    /// For those who implement [`Hsm`]: `held` is what the HSM finds the key by.
    #[must_use]
    pub fn new(header: Header, held: impl Any + Send + Sync) -> Self {
        Self { header: Arc::new(header), held: Arc::new(held) }
    }

    /// What the key is and may be used for.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// For those who implement [`Hsm`]: `None` if another kind of HSM made the handle.
    #[must_use]
    pub fn held<T: Any>(&self) -> Option<&T> {
        self.held.downcast_ref()
    }
}

impl fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyHandle").field(&self.header).finish()
    }
}

/// The handles of [`working_keys::WorkingKeys`].
#[derive(Clone, Debug)]
pub struct WorkingKeyHandles {
    /// Enciphers PINs.
    pub pin: KeyHandle,
    /// Authenticates messages.
    pub mac: KeyHandle,
    /// Enciphers tracks.
    pub track: Option<KeyHandle>,
}

/// Which key of a terminal is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derivation {
    /// The initial key, to be brought into a terminal of AES DUKPT.
    AesInitial(KeyId),
    /// A working key of AES DUKPT.
    Aes {
        /// The transaction.
        ksn: dukpt::Ksn,
        /// What for.
        usage: KeyUse,
        /// How long.
        length: AesLength,
    },
    /// The initial key, to be brought into a terminal of TDES DUKPT.
    TdesInitial(tdes_dukpt::Ksn),
    /// A working key of TDES DUKPT.
    Tdes {
        /// The transaction.
        ksn: tdes_dukpt::Ksn,
        /// What for.
        variant: Variant,
    },
}

/// What the issuer of a card keeps of its PIN.
#[derive(Clone, Copy)]
pub enum PinReference<'a> {
    /// As of [`pvv`](crate::legacy::pin_verification::pvv).
    Pvv {
        /// Of [`KeyUsage::PinVerificationPvv`].
        key: &'a KeyHandle,
        /// The key's index, 0 to 9.
        index: u8,
        /// Digits 0 to 9.
        value: [u8; 4],
    },
    /// As of [`offset`](crate::legacy::pin_verification::offset).
    Offset {
        /// Of [`KeyUsage::PinVerificationOffset`].
        key: &'a KeyHandle,
        /// Digits 0 to 9, as many as the PIN has.
        digits: &'a [u8],
    },
}

/// Why an HSM did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HsmError {
    /// The key is for something else.
    #[error("the key is not for this use")]
    Usage,
    /// The key does not work in this direction.
    #[error("the key does not work in this direction")]
    Direction,
    /// The key may not leave.
    #[error("the key may not be exported")]
    NotExportable,
    /// The initial key is that of another terminal than the key serial number names.
    #[error("the key is of another terminal")]
    OtherTerminal,
    /// The handle is of another HSM.
    #[error("the handle is of another HSM")]
    Foreign,
    /// There is no well-formed PIN of this account in the block: the block, the account or the key is wrong, and none may know
    /// which.
    #[error("there is no PIN of this account in the block")]
    PinBlock,
    /// A key block is refused.
    #[error(transparent)]
    KeyBlock(#[from] tr31::Refusal),
    /// The keys of a sign-on are refused.
    #[error(transparent)]
    WorkingKeys(#[from] working_keys::Refusal),
    /// The key is of the wrong kind.
    #[error(transparent)]
    Key(#[from] UnfitKey),
}

/// A payment HSM. Every method asks of each key that it is for what it is used for, and works in that direction.
///
/// # Errors
/// Any [`HsmError`]. None tells what is in a block or a key.
pub trait Hsm: Send + Sync {
    /// The key in a key block, which is under a key of [`KeyUsage::KeyBlockProtection`].
    fn import_tr31(&self, protection: &KeyHandle, block: &str) -> Result<KeyHandle, HsmError>;

    /// A key as a key block, if it may leave.
    fn export_tr31(&self, protection: &KeyHandle, key: &KeyHandle) -> Result<String, HsmError>;

    /// New working keys for a terminal that signs on, and field 62 of the answer. `master` is of [`KeyUsage::KeyEncryption`].
    fn issue_working_keys(
        &self,
        master: &KeyHandle,
        with_track: bool,
        flavour: MacFlavour,
    ) -> Result<(WorkingKeyHandles, Vec<u8>), HsmError>;

    /// The working keys in field 62 of an answer. Refused keys mean that the terminal is not signed on.
    fn accept_working_keys(
        &self,
        master: &KeyHandle,
        field: &[u8],
        flavour: MacFlavour,
    ) -> Result<WorkingKeyHandles, HsmError>;

    /// A key of a terminal, from a key of [`KeyUsage::BaseDerivation`] or the terminal's own of [`KeyUsage::InitialDukpt`].
    /// Whether the counter is new is the caller's to judge ([`dukpt::Counter::is_new_after`]).
    fn derive_dukpt(&self, base: &KeyHandle, derivation: &Derivation) -> Result<KeyHandle, HsmError>;

    /// The same PIN of the same account in a block of another key, and of another format if need be. The account is never
    /// exchanged: who could do that could try a PIN for all accounts.
    fn pin_translate(
        &self,
        block: &PinBlock,
        account: &Account,
        from: &KeyHandle,
        to: &KeyHandle,
        format: Format,
    ) -> Result<PinBlock, HsmError>;

    /// Whether a block holds the PIN of a card. False too where it holds no PIN: an account that does not fit looks like a wrong PIN.
    /// The caller counts the try before asking.
    fn pin_verify(
        &self,
        block: &PinBlock,
        account: &Account,
        from: &KeyHandle,
        reference: &PinReference<'_>,
    ) -> Result<bool, HsmError>;

    /// The proof of a wallet's PIN, for the decision to compare: `HMAC-SHA256(key, "wakala pin v1" | 00 | length | "+" and account |
    /// length | PIN)`, as `encryption` makes it, under a key of [`KeyUsage::MacHmac`]. A block without a PIN gives the proof of no
    /// digits, which is nobody's: it counts as a wrong PIN.
    fn pin_proof(
        &self,
        block: &PinBlock,
        account: &Account,
        from: &KeyHandle,
        key: &KeyHandle,
    ) -> Result<[u8; 32], HsmError>;

    /// The code of a message.
    fn mac(&self, flavour: MacFlavour, key: &KeyHandle, data: &[u8]) -> Result<Mac, HsmError>;

    /// Whether a message's code is right, in a time that does not depend on it.
    fn mac_verify(&self, flavour: MacFlavour, key: &KeyHandle, data: &[u8], stated: &[u8]) -> Result<bool, HsmError>;

    /// The check value of a key.
    fn kcv(&self, key: &KeyHandle) -> Result<CheckValue, HsmError>;
}

/// The use of a key that makes codes of this flavour.
#[must_use]
pub const fn usage_of(flavour: MacFlavour) -> KeyUsage {
    match flavour {
        MacFlavour::PosEcb | MacFlavour::PosEcbSingle => KeyUsage::MacPosEcb,
        MacFlavour::X919 => KeyUsage::MacX919,
        MacFlavour::AesCmac => KeyUsage::MacCmac,
    }
}
