//! What long-lived keys are asked to compute, wherever they are; and HMAC-SHA256 (RFC 2104) in memory, with the key absorbed
//! once.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 32 secret octets, wiped on drop.
pub(crate) type SecretOctets = Zeroizing<[u8; 32]>;

/// HMAC-SHA256 under a key.
pub(crate) trait Tag: Send + Sync {
    /// Over `label | 00 | each field behind its length`. The label keeps purposes apart, the lengths keep fields apart.
    fn tag(&self, label: &str, fields: &[&[u8]]) -> [u8; 32];
}

/// AES-CMAC (NIST SP 800-38B) under a key.
pub trait Cmac: Send + Sync {
    /// Over the parts, one after another.
    fn cmac(&self, parts: &[&[u8]]) -> [u8; 16];
}

/// A key whose two first SHA-256 blocks are already computed; each tag then costs a clone and two blocks.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    pub(crate) fn new(key: &SecretOctets) -> Self {
        Self(Hmac::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length"))
    }
}

impl Tag for MacKey {
    fn tag(&self, label: &str, fields: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        labelled(label, fields, |octets| mac.update(octets));
        mac.finalize().into_bytes().into()
    }
}

/// What a [`Tag`] is computed over.
pub(crate) fn labelled(label: &str, fields: &[&[u8]], mut write: impl FnMut(&[u8])) {
    write(label.as_bytes());
    write(&[0]);
    fields.iter().for_each(|field| length_prefixed(field, &mut write));
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
