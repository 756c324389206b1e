//! Keyed proofs over several fields: HMAC-SHA256 (RFC 2104) with the key absorbed once.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 32 secret octets, wiped on drop.
pub(crate) type SecretOctets = Zeroizing<[u8; 32]>;

/// A key whose two first SHA-256 blocks are already computed; each tag then costs a clone and two blocks.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    pub(crate) fn new(key: &SecretOctets) -> Self {
        Self(Hmac::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length"))
    }

    /// `label | 00 | each field behind its length`. The label keeps purposes apart, the lengths keep fields apart.
    pub(crate) fn tag(&self, label: &str, fields: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(label.as_bytes());
        mac.update(&[0]);
        for field in fields {
            length_prefixed(field, |octets| mac.update(octets));
        }
        mac.finalize().into_bytes().into()
    }
}

/// A length of up to 254 is one octet; longer ones are `ff` and eight octets, so that every field has one encoding.
pub(crate) fn length_prefixed(field: &[u8], mut write: impl FnMut(&[u8])) {
    match u8::try_from(field.len()) {
        Ok(length) if length < u8::MAX => write(&[length]),
        _ => {
            write(&[u8::MAX]);
            write(&(field.len() as u64).to_be_bytes());
        }
    }
    write(field);
}
