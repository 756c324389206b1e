//! The working keys that a terminal gets when it signs on, in field 62 of the answer: each enciphered under the terminal's
//! master key by TDES, block by block, with its check value behind it.
//!
//! `PIN key 16 | check 4 | MAC key 16 | check 4`, and for terminals that encipher tracks `| track key 16 | check 4`. A MAC key
//! of DES travels as 8 octets and 8 of zeros. Nothing binds these keys to what they are for or to the sign-on: it is the reason
//! why new links use key blocks. The form of 24 octets, with a PIN key of DES, is refused.

use crate::{Algorithm, Key, UnfitKey};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The keys of a terminal for a day.
pub struct WorkingKeys {
    /// Enciphers PINs; TDES.
    pub pin: Key,
    /// Authenticates messages; TDES or DES.
    pub mac: Key,
    /// Enciphers tracks, where the terminal asked for one; TDES.
    pub track: Option<Key>,
}

/// Why the keys of a sign-on are refused: the terminal is not signed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither 40 nor 60 octets.
    #[error("working keys are not so long")]
    Length,
    /// 24 octets: both keys of DES.
    #[error("a PIN key of single length is not accepted")]
    SingleLength,
    /// The check value of a key is not that which stands behind it.
    #[error("a check value is wrong")]
    CheckValue,
    /// A key that should not be used.
    #[error(transparent)]
    Key(#[from] UnfitKey),
}

const WRAPPED: usize = 16;
const CHECK: usize = 4;

impl WorkingKeys {
    /// New keys.
    ///
    /// # Errors
    /// [`UnfitKey::PartsEqual`] of a generator that repeats itself.
    pub fn draw(with_track: bool, rng: &mut dyn CryptoRng) -> Result<Self, UnfitKey> {
        let mut tdes = || Key::draw(Algorithm::Tdes, 16, rng);
        Ok(Self { pin: tdes()?, mac: tdes()?, track: if with_track { Some(tdes()?) } else { None } })
    }

    /// Field 62 of the answer to a sign-on.
    ///
    /// # Errors
    /// [`UnfitKey::Algorithm`] unless `master` is a key of TDES.
    pub fn wrap(&self, master: &Key) -> Result<Vec<u8>, UnfitKey> {
        let master = master.cipher_of(Algorithm::Tdes)?;
        let mut field = Vec::with_capacity(3 * (WRAPPED + CHECK));
        for key in [Some(&self.pin), Some(&self.mac), self.track.as_ref()].into_iter().flatten() {
            let mut wrapped = Zeroizing::new(key.octets().to_vec());
            master.encrypt(&mut wrapped);
            wrapped.resize(WRAPPED, 0);
            field.extend_from_slice(&wrapped);
            field.extend_from_slice(&key.check_value()?.octets()[..CHECK]);
        }
        Ok(field)
    }

    /// The keys in field 62.
    ///
    /// # Errors
    /// Any [`Refusal`].
    pub fn unwrap(master: &Key, field: &[u8]) -> Result<Self, Refusal> {
        let cipher = master.cipher_of(Algorithm::Tdes)?;
        let (keys, rest) = field.as_chunks::<{ WRAPPED + CHECK }>();
        if field.len() == 24 {
            return Err(Refusal::SingleLength);
        }
        let key = |wrapped: &[u8; WRAPPED + CHECK], may_be_single: bool| {
            let (wrapped, check) = wrapped.split_at(WRAPPED);
            let single = may_be_single && wrapped[8..] == [0; 8];
            let mut clear = Zeroizing::new(wrapped[..if single { 8 } else { WRAPPED }].to_vec());
            cipher.decrypt(&mut clear);
            let key = Key::new(if single { Algorithm::Des } else { Algorithm::Tdes }, &clear)?;
            if key.check_value()?.is(check) { Ok(key) } else { Err(Refusal::CheckValue) }
        };
        match (keys, rest.is_empty()) {
            ([pin, mac], true) => Ok(Self { pin: key(pin, false)?, mac: key(mac, true)?, track: None }),
            ([pin, mac, track], true) => {
                Ok(Self { pin: key(pin, false)?, mac: key(mac, true)?, track: Some(key(track, false)?) })
            }
            _ => Err(Refusal::Length),
        }
    }
}
