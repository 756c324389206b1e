//! The HSM that is none: keys in this process's memory, for tests and development. A production profile refuses it.

use crate::{
    Account, CheckValue, Key, Mac, MacFlavour, Pin, PinBlock, UnfitKey, dukpt,
    hsm::{Derivation, Hsm, HsmError, KeyHandle, PinReference, WorkingKeyHandles, usage_of},
    legacy::{pin_verification, tdes_dukpt, working_keys::WorkingKeys},
    mac, pin_block,
    pin_block::Format,
    tr31::{self, Accept, Exportability, Header, KeyUsage, Mode, OptionalBlock},
};
use hmac::{Hmac, KeyInit, Mac as _};
use rand_core::CryptoRng;
use sha2::Sha256;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq;

/// What a platform runs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Tests, the demo, trials: other people's money is not in it.
    Development,
    /// Real money.
    Production,
}

/// Keys in memory were asked for where money is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keys of cards and terminals in memory are for tests and development: production needs an HSM")]
pub struct RefusedInProduction;

/// Keys of cards and terminals in memory. Secret: cannot be printed.
pub struct SoftwareHsm {
    accept: Accept,
    /// Told from other such HSMs by its address.
    identity: Arc<()>,
    rng: Mutex<Box<dyn CryptoRng + Send>>,
}

/// What a handle holds.
struct Held {
    owner: Arc<()>,
    key: Key,
}

/// What a key is about to do.
#[derive(Clone, Copy)]
enum Direction {
    /// Encipher, wrap, generate.
    Forward,
    /// Decipher, unwrap, verify.
    Backward,
    /// Derive other keys.
    Derive,
}

impl SoftwareHsm {
    /// An HSM without keys; `accept` says which key blocks it reads.
    ///
    /// # Errors
    /// [`RefusedInProduction`].
    pub fn new(
        environment: Environment,
        accept: Accept,
        rng: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, RefusedInProduction> {
        match environment {
            Environment::Development => Ok(Self { accept, identity: Arc::new(()), rng: Mutex::new(rng) }),
            Environment::Production => Err(RefusedInProduction),
        }
    }

    /// Brings in a key in the clear, which an HSM does in a ceremony of several people.
    ///
    /// # Errors
    /// [`HsmError::Key`] where the header speaks of another algorithm.
    pub fn load(&self, header: Header, key: Key) -> Result<KeyHandle, HsmError> {
        if header.algorithm != key.algorithm() {
            return Err(UnfitKey::Algorithm.into());
        }
        Ok(KeyHandle::new(header, Held { owner: Arc::clone(&self.identity), key }))
    }

    /// A new key of so many octets.
    ///
    /// # Errors
    /// [`HsmError::Key`] where the algorithm has no such keys.
    pub fn generate(&self, header: Header, length: usize) -> Result<KeyHandle, HsmError> {
        let key = self.with_rng(|rng| Key::draw(header.algorithm, length, rng))?;
        self.load(header, key)
    }

    /// Enciphers a PIN that somebody typed: what the PIN pad of a terminal does, which is an HSM of its own.
    ///
    /// # Errors
    /// As of [`Hsm`]; [`HsmError::PinBlock`] where the account is too short for the format.
    pub fn encipher_pin(
        &self,
        format: Format,
        key: &KeyHandle,
        pin: &Pin,
        account: &Account,
    ) -> Result<PinBlock, HsmError> {
        let key = self.key(key, KeyUsage::PinEncryption, Direction::Forward)?;
        self.with_rng(|rng| pin_block::encipher(format, key, pin, account, rng)).map_err(|_| HsmError::PinBlock)
    }

    fn with_rng<T>(&self, draw: impl FnOnce(&mut dyn CryptoRng) -> T) -> T {
        draw(self.rng.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }

    fn held<'a>(&self, handle: &'a KeyHandle) -> Result<&'a Key, HsmError> {
        let held = handle.held::<Held>().filter(|held| Arc::ptr_eq(&held.owner, &self.identity));
        held.map(|held| &held.key).ok_or(HsmError::Foreign)
    }

    /// The key behind a handle, for one use.
    fn key<'a>(&self, handle: &'a KeyHandle, usage: KeyUsage, direction: Direction) -> Result<&'a Key, HsmError> {
        let key = self.held(handle)?;
        if handle.header().usage != usage {
            return Err(HsmError::Usage);
        }
        if works(handle.header().mode, direction) { Ok(key) } else { Err(HsmError::Direction) }
    }

    fn decipher(&self, block: &PinBlock, account: &Account, from: &KeyHandle) -> Result<Option<Pin>, HsmError> {
        let key = self.key(from, KeyUsage::PinEncryption, Direction::Backward)?;
        Ok(pin_block::decipher(key, block, account).ok())
    }

    fn working_keys(&self, keys: WorkingKeys, flavour: MacFlavour) -> Result<WorkingKeyHandles, HsmError> {
        let load = |usage, mode, key: Key| {
            self.load(Header::new(usage, key.algorithm(), mode, Exportability::NonExportable), key)
        };
        Ok(WorkingKeyHandles {
            pin: load(KeyUsage::PinEncryption, Mode::Both, keys.pin)?,
            mac: load(usage_of(flavour), Mode::GenerateAndVerify, keys.mac)?,
            track: keys.track.map(|track| load(KeyUsage::Data, Mode::Both, track)).transpose()?,
        })
    }

    /// The terminal's initial key, from a base derivation key, or the one that the terminal itself holds, if it is that of `id`.
    fn initial(
        &self,
        base: &KeyHandle,
        id: &OptionalBlock,
        derive: impl FnOnce(&Key) -> Result<Key, UnfitKey>,
    ) -> Result<Key, HsmError> {
        if base.header().usage == KeyUsage::InitialDukpt {
            let key = self.key(base, KeyUsage::InitialDukpt, Direction::Derive)?;
            let of_another = base.header().optional.iter().any(|block| block.id == id.id && block.data != id.data);
            return if of_another { Err(HsmError::OtherTerminal) } else { Ok(key.duplicate()) };
        }
        Ok(derive(self.key(base, KeyUsage::BaseDerivation, Direction::Derive)?)?)
    }
}

impl Hsm for SoftwareHsm {
    fn import_tr31(&self, protection: &KeyHandle, block: &str) -> Result<KeyHandle, HsmError> {
        let protection = self.key(protection, KeyUsage::KeyBlockProtection, Direction::Backward)?;
        let (header, key) = tr31::unwrap(protection, block, self.accept)?;
        self.load(header, key)
    }

    fn export_tr31(&self, protection: &KeyHandle, key: &KeyHandle) -> Result<String, HsmError> {
        let protection = self.key(protection, KeyUsage::KeyBlockProtection, Direction::Forward)?;
        let inside = self.held(key)?;
        if key.header().exportability == Exportability::NonExportable {
            return Err(HsmError::NotExportable);
        }
        Ok(self.with_rng(|rng| tr31::wrap(protection, key.header(), inside, rng))?)
    }

    fn issue_working_keys(
        &self,
        master: &KeyHandle,
        with_track: bool,
        flavour: MacFlavour,
    ) -> Result<(WorkingKeyHandles, Vec<u8>), HsmError> {
        let master = self.key(master, KeyUsage::KeyEncryption, Direction::Forward)?;
        let keys = self.with_rng(|rng| WorkingKeys::draw(with_track, rng))?;
        let field = keys.wrap(master)?;
        Ok((self.working_keys(keys, flavour)?, field))
    }

    fn accept_working_keys(
        &self,
        master: &KeyHandle,
        field: &[u8],
        flavour: MacFlavour,
    ) -> Result<WorkingKeyHandles, HsmError> {
        let master = self.key(master, KeyUsage::KeyEncryption, Direction::Backward)?;
        self.working_keys(WorkingKeys::unwrap(master, field)?, flavour)
    }

    fn derive_dukpt(&self, base: &KeyHandle, derivation: &Derivation) -> Result<KeyHandle, HsmError> {
        let (key, usage, mode) = match derivation {
            Derivation::AesInitial(id) => {
                let base = self.key(base, KeyUsage::BaseDerivation, Direction::Derive)?;
                (dukpt::initial_key(base, id)?, KeyUsage::InitialDukpt, Mode::Derive)
            }
            Derivation::TdesInitial(ksn) => {
                let base = self.key(base, KeyUsage::BaseDerivation, Direction::Derive)?;
                (tdes_dukpt::initial_key(base, ksn)?, KeyUsage::InitialDukpt, Mode::Derive)
            }
            Derivation::Aes { ksn, usage, length } => {
                let initial = self.initial(base, &aes_id(&ksn.id), |base| dukpt::initial_key(base, &ksn.id))?;
                let (for_what, mode) = aes_use(*usage);
                (dukpt::working_key(&initial, ksn, *usage, *length)?, for_what, mode)
            }
            Derivation::Tdes { ksn, variant } => {
                let initial = self.initial(base, &tdes_id(ksn), |base| tdes_dukpt::initial_key(base, ksn))?;
                let (for_what, mode) = tdes_use(*variant);
                (tdes_dukpt::working_key(&initial, ksn, *variant)?, for_what, mode)
            }
        };
        let mut header = Header::new(usage, key.algorithm(), mode, Exportability::NonExportable);
        let id = match derivation {
            Derivation::AesInitial(id) => Some(aes_id(id)),
            Derivation::TdesInitial(ksn) => Some(tdes_id(ksn)),
            Derivation::Aes { .. } | Derivation::Tdes { .. } => None,
        };
        if let Some(id) = id {
            (header.exportability, header.optional) = (Exportability::Exportable, vec![id]);
        }
        self.load(header, key)
    }

    fn pin_translate(
        &self,
        block: &PinBlock,
        account: &Account,
        from: &KeyHandle,
        to: &KeyHandle,
        format: Format,
    ) -> Result<PinBlock, HsmError> {
        let pin = self.decipher(block, account, from)?.ok_or(HsmError::PinBlock)?;
        self.encipher_pin(format, to, &pin, account)
    }

    fn pin_verify(
        &self,
        block: &PinBlock,
        account: &Account,
        from: &KeyHandle,
        reference: &PinReference<'_>,
    ) -> Result<bool, HsmError> {
        let pin = self.decipher(block, account, from)?;
        match *reference {
            PinReference::Pvv { key, index, value } => {
                let key = self.key(key, KeyUsage::PinVerificationPvv, Direction::Backward)?;
                let Some(pin) = pin else { return Ok(false) };
                let right = pin_verification::pvv(key, index, &pin, account)?;
                Ok(right.is_some_and(|right| right.ct_eq(&value).into()))
            }
            PinReference::Offset { key, digits } => {
                let key = self.key(key, KeyUsage::PinVerificationOffset, Direction::Backward)?;
                let Some(pin) = pin else { return Ok(false) };
                Ok(pin_verification::offset(key, &pin, account)?.ct_eq(digits).into())
            }
        }
    }

    fn pin_proof(
        &self,
        block: &PinBlock,
        account: &Account,
        from: &KeyHandle,
        key: &KeyHandle,
    ) -> Result<[u8; 32], HsmError> {
        let key = self.key(key, KeyUsage::MacHmac, Direction::Forward)?;
        let pin = self.decipher(block, account, from)?.map(|pin| pin.as_ascii()).unwrap_or_default();
        let mut mac = Hmac::<Sha256>::new_from_slice(key.octets()).map_err(|_| UnfitKey::Length)?;
        mac.update(b"wakala pin v1\0");
        mac.update(&[1 + account.digits().len() as u8, b'+']);
        account.digits().iter().for_each(|digit| mac.update(&[digit + b'0']));
        mac.update(&[pin.len() as u8]);
        mac.update(&pin);
        Ok(mac.finalize().into_bytes().into())
    }

    fn mac(&self, flavour: MacFlavour, key: &KeyHandle, data: &[u8]) -> Result<Mac, HsmError> {
        Ok(mac::mac(flavour, self.key(key, usage_of(flavour), Direction::Forward)?, data)?)
    }

    fn mac_verify(&self, flavour: MacFlavour, key: &KeyHandle, data: &[u8], stated: &[u8]) -> Result<bool, HsmError> {
        Ok(mac::verifies(flavour, self.key(key, usage_of(flavour), Direction::Backward)?, data, stated)?)
    }

    fn kcv(&self, key: &KeyHandle) -> Result<CheckValue, HsmError> {
        Ok(self.held(key)?.check_value()?)
    }
}

const fn works(mode: Mode, direction: Direction) -> bool {
    match mode {
        Mode::Unrestricted => true,
        Mode::Derive => matches!(direction, Direction::Derive),
        Mode::Both | Mode::GenerateAndVerify => !matches!(direction, Direction::Derive),
        Mode::Encrypt | Mode::Generate => matches!(direction, Direction::Forward),
        Mode::Decrypt | Mode::Verify => matches!(direction, Direction::Backward),
    }
}

/// Says in a header whose initial key it is: `IK`, 8 octets in hexadecimal (X9.143, optional blocks).
fn aes_id(id: &dukpt::KeyId) -> OptionalBlock {
    OptionalBlock { id: *b"IK", data: id.0.iter().map(|octet| format!("{octet:02X}")).collect() }
}

/// The same for TDES: `KS`, the serial number with a counter of nought.
fn tdes_id(ksn: &tdes_dukpt::Ksn) -> OptionalBlock {
    let [name @ .., high, _, _] = ksn.octets();
    let octets = name.iter().copied().chain([high & 0xE0, 0, 0]);
    OptionalBlock { id: *b"KS", data: octets.map(|octet| format!("{octet:02X}")).collect() }
}

/// Host and terminal use a working key in opposite directions, so it works in both.
const fn aes_use(usage: dukpt::KeyUse) -> (KeyUsage, Mode) {
    use dukpt::KeyUse;
    match usage {
        KeyUse::KeyEncryption => (KeyUsage::KeyBlockProtection, Mode::Both),
        KeyUse::PinEncryption => (KeyUsage::PinEncryption, Mode::Both),
        KeyUse::MacGeneration | KeyUse::MacVerification | KeyUse::MacBoth => {
            (KeyUsage::MacCmac, Mode::GenerateAndVerify)
        }
        KeyUse::DataEncryption | KeyUse::DataDecryption | KeyUse::DataBoth => (KeyUsage::Data, Mode::Both),
    }
}

const fn tdes_use(variant: tdes_dukpt::Variant) -> (KeyUsage, Mode) {
    use tdes_dukpt::Variant;
    match variant {
        Variant::Pin => (KeyUsage::PinEncryption, Mode::Both),
        Variant::MacRequest | Variant::MacResponse => (KeyUsage::MacX919, Mode::GenerateAndVerify),
        Variant::DataRequest | Variant::DataResponse => (KeyUsage::Data, Mode::Both),
    }
}
