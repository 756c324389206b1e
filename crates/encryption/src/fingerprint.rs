//! Keyed fingerprints by which a repeated message is known, without keeping the message.

use crate::{mac::Tag, secured_packet::Counter};

/// 16 octets that stand for one message. Without the key they tell nothing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// Of a plain message.
pub(crate) fn plain(key: &impl Tag, from: &str, to: &str, text: &str) -> Fingerprint {
    first_half(key.tag("wakala plain message v1", &[from.as_bytes(), to.as_bytes(), text.as_bytes()]))
}

/// Of a sealed message: card, counter and checksum identify it (a different text has a different checksum).
pub(crate) fn sealed(key: &impl Tag, card: &str, counter: Counter, check: &[u8; 8]) -> Fingerprint {
    let counter = counter.get().to_be_bytes();
    first_half(key.tag("wakala sealed message v1", &[card.as_bytes(), &counter, check]))
}

fn first_half(tag: [u8; 32]) -> Fingerprint {
    Fingerprint(std::array::from_fn(|i| tag[i]))
}
