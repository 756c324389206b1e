//! What is protected, or says so: secured packets, the key file, references, codes, signatures.

use std::cell::RefCell;
use std::sync::LazyLock;

use encryption::secured_packet::{self, SealError};
use encryption::{
    AesKey, Code, Counter, FileKeys, KeySet, Keys, Passphrase, Pin, Purpose, References, Signature, VerifyingKey,
};
use rand::{SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::input::{Input, text};

static KEYS: LazyLock<FileKeys> = LazyLock::new(|| FileKeys::create(&mut StdRng::seed_from_u64(7)));

fn key_set(spi2: u8) -> KeySet {
    KeySet::profile(1, AesKey::from(&[1; 32]), AesKey::from(&[2; 32]), [0xB0, 0x00, 0x01], spi2).expect("a key set")
}

/// A packet opens to what was sealed, unless one bit of it is other; then it is refused, and so is all that was never sealed.
pub(crate) fn secured_packet(octets: &[u8]) {
    let keys = key_set(0x39);
    for packet in [octets, &octets[..octets.len().min(137)]] {
        assert!(secured_packet::open(&keys, packet).is_err() && secured_packet::open_response(&keys, packet).is_err());
    }
    let mut input = Input(octets);
    let (at, flip) = (usize::from(input.octet()) | usize::from(input.octet()) << 8, input.octet());
    let status = input.octet();
    let counter = Counter::new(u64::from(input.octet()) + 1).expect("40 bits");
    let plaintext = input.0;
    let mut packet = match secured_packet::seal(&keys, counter, plaintext) {
        Ok(packet) => packet,
        Err(why) => return assert!(why == SealError::TooLong && plaintext.len() > 300, "{why}"),
    };
    let place = at % packet.len();
    packet[place] ^= flip;
    match secured_packet::open(&keys, &packet) {
        Ok(opened) => assert!(flip == 0 && opened.counter == counter && opened.plaintext[..] == *plaintext),
        Err(why) => assert!(flip != 0, "{why}"),
    }
    let Ok(mut response) = secured_packet::seal_response(&keys, counter, status, plaintext) else { return };
    let place = at % response.len();
    response[place] ^= flip;
    match secured_packet::open_response(&keys, &response) {
        Ok(opened) => assert!(flip == 0 && opened.status == status && opened.plaintext[..] == *plaintext),
        Err(why) => assert!(flip != 0, "{why}"),
    }
}

/// No octets but those that were saved under this passphrase are keys, even where their checksum is right.
pub(crate) fn key_file(octets: &[u8]) {
    thread_local!(static FILE: RefCell<NamedTempFile> = RefCell::new(NamedTempFile::new().expect("a file")));
    let mut file = octets.to_vec();
    let number =
        |at: usize| file.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_be_bytes(*four));
    // Memory and passes that can be spent thousands of times a second.
    if number(16) <= 64 && number(20) <= 2 && file.len() > 32 {
        let covered = file.len() - 32;
        let sum = Sha256::digest(&file[..covered]);
        file[covered..].copy_from_slice(&sum);
    }
    let passphrase = Passphrase::new(b"sixteen octets and more").expect("long enough");
    FILE.with_borrow(|place| {
        std::fs::write(place.path(), &file).expect("written");
        assert!(FileKeys::load(place.path(), &passphrase).is_err(), "keys of nobody");
    });
}

/// References, codes, PINs, signatures and public keys: what is read is written as it was read, and knows its own.
pub(crate) fn short_forms(octets: &[u8]) {
    let typed = text(octets);
    if let Some(id) = KEYS.reference_id(&typed) {
        assert!(id < References::CAPACITY);
        assert_eq!(KEYS.reference(id).expect("within capacity").as_str(), typed);
    }
    let number = Input(octets).take(8).iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
    match KEYS.reference(number) {
        Ok(reference) => assert_eq!(KEYS.reference_id(reference.as_str()), Some(number)),
        Err(_) => assert!(number >= References::CAPACITY),
    }
    for purpose in [Purpose::WithdrawalPassword, Purpose::VerificationCode, Purpose::RegistrationCode] {
        if let Some(code) = Code::parse(purpose, &typed) {
            assert_eq!(code.expose(), typed);
        }
    }
    if let Some(pin) = Pin::parse(&typed) {
        assert!(typed.len() <= 6 && typed.bytes().all(|octet| octet.is_ascii_digit()));
        let _ = pin.is_weak("255712000001");
    }
    if let Ok(signature) = typed.parse::<Signature>() {
        assert_eq!(signature.to_string().parse(), Ok(signature));
        let (_, key) = KEYS.verifying_keys()[0];
        assert!(!key.verifies("fuzz", b"never signed", &signature));
    }
    if let Ok(key) = VerifyingKey::from_pem(&typed) {
        assert_eq!(VerifyingKey::from_pem(&key.to_pem()), Ok(key));
    }
}
