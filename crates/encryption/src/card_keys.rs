//! The keys of each card, made from one master and the card's number.

use crate::{
    AesKey,
    mac::{Cmac, SecretOctets},
    secured_packet::KeySet,
};
use zeroize::Zeroizing;

/// TAR of the payment applet: the letters `WKA`, outside the operators' own ranges.
pub const APPLICATION: [u8; 3] = *b"WKA";
/// Uplink and downlink, cipher and check: the order of [`Personalisation`].
const LABELS: [[&str; 2]; 2] = [
    ["wakala card v1 uplink cipher", "wakala card v1 uplink check"],
    ["wakala card v1 downlink cipher", "wakala card v1 downlink check"],
];

/// Which way a packet travels. Each way has its own key set number, so that a reflected packet is refused by its header.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Uplink = 1,
    Downlink = 2,
}

/// The key sets of one card. Uplink and downlink never share a key: with a zero IV, equal starts and reflection would be
/// possible.
#[derive(Clone)]
pub struct CardKeys {
    /// Card to platform.
    pub uplink: KeySet,
    /// Platform to card. Answers are command packets under it.
    pub downlink: KeySet,
}

/// The four AES-256 keys of one card as they are written into it: uplink cipher, uplink check, downlink cipher, downlink
/// check. Secret.
pub struct Personalisation(Zeroizing<[u8; 128]>);

impl Personalisation {
    /// Takes keys that a card (or a handset's key file) was given.
    pub fn from_octets(octets: &[u8; 128]) -> Self {
        Self(Zeroizing::new(*octets))
    }

    /// The octets for the card's maker; they are to be sent nowhere else.
    pub fn expose(&self) -> &[u8; 128] {
        &self.0
    }

    /// The key sets that these keys make.
    pub fn card_keys(&self) -> CardKeys {
        let [a, b, c, d] = std::array::from_fn(|i| &self.0[i * 32..][..32]);
        CardKeys { uplink: key_set(Direction::Uplink, [a, b]), downlink: key_set(Direction::Downlink, [c, d]) }
    }
}

fn key_set(direction: Direction, keys: [&[u8]; 2]) -> KeySet {
    let [cipher, check] = keys.map(|key| AesKey::new(key).expect("32 octets are an AES-256 key"));
    KeySet::profile(direction as u8, cipher, check, APPLICATION, 0x00).expect("1 and 2 are key set numbers")
}

/// The master from which all cards' keys are made; whoever holds it can speak for every card. Secret.
///
/// Everywhere `iccid` is the card's number as printed: digits, check digit included, no filler.
#[derive(Clone)]
pub struct CardMaster<K = AesKey>(pub(crate) K);

impl CardMaster {
    /// From 32 octets drawn at random, used for nothing else.
    pub fn new(master: &[u8; 32]) -> Self {
        Self(AesKey::from(master))
    }
}

impl<K: Cmac> CardMaster<K> {
    /// Both key sets of a card.
    pub fn diversify(&self, iccid: &str) -> CardKeys {
        CardKeys { uplink: self.uplink(iccid), downlink: self.downlink(iccid) }
    }

    /// Card to platform only, at half the work.
    pub fn uplink(&self, iccid: &str) -> KeySet {
        self.key_set(Direction::Uplink, iccid)
    }

    /// Platform to card only, at half the work.
    pub fn downlink(&self, iccid: &str) -> KeySet {
        self.key_set(Direction::Downlink, iccid)
    }

    /// The same keys as octets, to be written into the card.
    pub fn personalise(&self, iccid: &str) -> Personalisation {
        let mut octets = Zeroizing::new([0; 128]);
        for (key, label) in octets.chunks_exact_mut(32).zip(LABELS.as_flattened()) {
            key.copy_from_slice(self.derive(label, iccid).as_slice());
        }
        Personalisation(octets)
    }

    fn key_set(&self, direction: Direction, iccid: &str) -> KeySet {
        let [cipher, check] = LABELS[direction as usize - 1].map(|label| self.derive(label, iccid));
        key_set(direction, [cipher.as_slice(), check.as_slice()])
    }

    /// NIST SP 800-108r1 §4.1, counter mode with AES-CMAC: block i = CMAC(master, i 4 | label | 00 | context | bits 4).
    fn derive(&self, label: &str, context: &str) -> SecretOctets {
        let mut key = SecretOctets::default();
        let mut input = [&[0; 4], label.as_bytes(), &[0], context.as_bytes(), &256_u32.to_be_bytes()].concat();
        for (i, block) in (1_u32..).zip(key.chunks_exact_mut(16)) {
            input[..4].copy_from_slice(&i.to_be_bytes());
            block.copy_from_slice(&self.0.cmac(&[&input]));
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secured_packet::{Counter, open, seal};

    /// Computed with the Python package `cryptography`:
    /// `KBKDFCMAC(algorithms.AES, Mode.CounterMode, length=32, rlen=4, llen=4, location=CounterLocation.BeforeFixed,
    /// label=<label>, context=b"8925501234567890123", fixed=None).derive(bytes(range(32)))`.
    const EXPECTED: &str = "a1b09ed3118ef2e497a234ef7ec9fc2216d36d2f87da4d89dbc5fe88fe675485\
        7e8c8a7b017fa6739111f99ef08fd3726e08751f074d02f6a5c2a595dbe4e886\
        86ceeb3494335f38ee3d0b0cada5140edb1f9ceceaf4246fdd25507b508628b6\
        dfb66982b68bf803247ede9e2b1d80735684cc83fe504ecb7715ccd00fc0fd8d";

    #[test]
    fn keys_equal_those_of_another_implementation_of_sp_800_108() {
        let master = CardMaster::new(&std::array::from_fn(|i| i as u8));
        let hex: String =
            master.personalise("8925501234567890123").expose().iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, EXPECTED);
    }

    #[test]
    fn a_card_and_the_platform_make_the_same_key_sets() {
        let (master, iccid) = (CardMaster::new(&[5; 32]), "8925501234567890123");
        let (card, counter) = (master.personalise(iccid).card_keys(), Counter::new(1).unwrap());
        for (sender, receiver) in [(card.uplink, master.uplink(iccid)), (master.downlink(iccid), card.downlink)] {
            assert_eq!(*open(&receiver, &seal(&sender, counter, b"BL").unwrap()).ok().unwrap().plaintext, b"BL");
        }
    }
}
