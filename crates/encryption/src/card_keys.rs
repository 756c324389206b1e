//! The keys of each card, made from one master and the card's number.

use crate::{AesKey, secured_packet::KeySet};
use cmac::{Cmac, KeyInit, Mac};
use zeroize::Zeroizing;

/// TAR of the payment applet: the letters `WKA`, outside the operators' own ranges.
pub const APPLICATION: [u8; 3] = *b"WKA";
/// Key set number of card to platform.
const UPLINK: u8 = 1;
/// Key set number of platform to card. Another than the uplink's, so that a reflected packet is refused by its header.
const DOWNLINK: u8 = 2;
/// Purpose and direction of each key, in the order of [`Personalisation`].
const LABELS: [&[u8]; 4] = [
    b"wakala card v1 uplink cipher",
    b"wakala card v1 uplink check",
    b"wakala card v1 downlink cipher",
    b"wakala card v1 downlink check",
];

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
        let key = |index: usize| {
            AesKey::new(&self.0[index * 32..][..32]).expect("32 octets are an AES-256 key")
        };
        let key_set = |number, first| {
            KeySet::profile(number, key(first), key(first + 1), APPLICATION, 0x00)
                .expect("1 and 2 are key set numbers")
        };
        CardKeys {
            uplink: key_set(UPLINK, 0),
            downlink: key_set(DOWNLINK, 2),
        }
    }
}

/// The master from which all cards' keys are made; whoever holds it can speak for every card. Secret.
#[derive(Clone)]
pub struct CardMaster(Cmac<aes::Aes256>);

impl CardMaster {
    /// From 32 octets drawn at random, used for nothing else.
    pub fn new(master: &[u8; 32]) -> Self {
        Self(Cmac::new(master.into()))
    }

    /// The keys of the card with this ICCID (its digits as printed, check digit included, no filler).
    pub fn diversify(&self, iccid: &str) -> CardKeys {
        self.personalise(iccid).card_keys()
    }

    /// The same keys as octets, to be written into the card.
    pub fn personalise(&self, iccid: &str) -> Personalisation {
        let mut octets = Zeroizing::new([0; 128]);
        for (key, label) in octets.chunks_exact_mut(32).zip(LABELS) {
            self.derive(label, iccid.as_bytes(), key);
        }
        Personalisation(octets)
    }

    /// NIST SP 800-108r1 §4.1, counter mode with AES-CMAC: block i = CMAC(master, i 4 | label | 00 | context | bits 4).
    fn derive(&self, label: &[u8], context: &[u8], out: &mut [u8]) {
        let bits = out.len() as u32 * 8;
        for (i, block) in (1_u32..).zip(out.chunks_mut(16)) {
            let mut mac = self.0.clone();
            for part in [&i.to_be_bytes(), label, &[0], context, &bits.to_be_bytes()] {
                mac.update(part);
            }
            block.copy_from_slice(&mac.finalize().into_bytes()[..block.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let hex: String = master
            .personalise("8925501234567890123")
            .expose()
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        assert_eq!(hex, EXPECTED);
    }
}
