//! Formats that outlive the process must never change by accident: each is compared with a second implementation
//! (`vectors/formats.py`).

use encryption::secured_packet::{open, seal};
use encryption::{Code, Counter, FileKeys, KeyVersion, Keys, Passphrase, Pin, Purpose, Zeroizing};
use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;
use std::{convert::Infallible, fs, os::unix::fs::PermissionsExt};

/// Draws octets `ca` only, so that keys, salts and nonces are known, and would be found wherever they leaked to.
struct Canary;

impl TryRng for Canary {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0xcaca_caca)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0xcaca_caca_caca_caca)
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Infallible> {
        octets.fill(0xca);
        Ok(())
    }
}

impl TryCryptoRng for Canary {}

const NUMBER: &str = "+255712000001";
const ICCID: &str = "8925501234567890123";

fn expected() -> Value {
    serde_json::from_str(include_str!("vectors/formats.json")).unwrap()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn proofs_fingerprints_indexes_and_sealed_records() {
    let (keys, expected) = (FileKeys::create(&mut Canary), expected());
    let pin = keys.pin_proofs(NUMBER, &Pin::parse("2718").unwrap());
    assert_eq!(expected["pin_proof"], hex(&pin.newest().1.0));
    for (name, purpose, digits) in [
        ("code_proof", Purpose::WithdrawalPassword, "27182818"),
        ("verification_code_proof", Purpose::VerificationCode, "271828"),
        ("registration_code_proof", Purpose::RegistrationCode, "271828"),
        ("one_time_pin_proof", Purpose::OneTimePin, "271828"),
    ] {
        let code = Code::parse(purpose, digits).unwrap();
        assert_eq!(expected[name], hex(&keys.code_proofs(NUMBER, &code).newest().1.0), "{name}");
    }
    let plain = |text: &str| hex(&keys.plain_fingerprint(NUMBER, "15055", text).0);
    assert_eq!(expected["plain_fingerprint"], plain("BL*2718"));
    assert_eq!(expected["long_fingerprint"], plain(&"x".repeat(300)));
    let sealed = keys.sealed_fingerprint(ICCID, Counter::new(7).unwrap(), b"12345678");
    assert_eq!(expected["sealed_fingerprint"], hex(&sealed.0));
    assert_eq!(expected["blind_index"], hex(&keys.blind_index("identity", b"A 1234")));
    assert_eq!(expected["commitment"], hex(&keys.commitment("name", b"Asha")));
    assert_eq!(expected["at_rest"], hex(&keys.seal_at_rest(&mut Canary, "name", b"record 1", b"Asha")));
}

#[test]
fn signed_statements_and_the_key_that_checks_them() {
    let (keys, expected) = (FileKeys::create(&mut Canary), expected());
    let [(KeyVersion(1), public)] = keys.verifying_keys()[..] else { panic!("one version lives") };
    assert_eq!(expected["public_key"], public.to_pem());
    for (name, purpose, statement) in
        [("signature", "chain head", b"17".to_vec()), ("long_signature", &"p".repeat(300), vec![b's'; 1000])]
    {
        let signature = keys.sign(purpose, &statement);
        assert_eq!(expected[name], signature.to_string(), "{name}");
        let theirs = expected[name].as_str().unwrap().parse().unwrap();
        assert!(public.verifies(purpose, &statement, &theirs), "{name}");
    }
}

#[test]
fn references() {
    let (keys, expected) = (FileKeys::create(&mut Canary), expected());
    for (id, reference) in expected["references"].as_object().unwrap() {
        assert_eq!(keys.reference(id.parse().unwrap()).unwrap().as_str(), reference);
    }
}

#[test]
fn messages_to_and_from_a_card() {
    let (keys, expected) = (FileKeys::create(&mut Canary), expected());
    let uplink = unhex(expected["uplink_packet"].as_str().unwrap());
    let opened = open(&keys.uplink_keys(ICCID), &uplink).ok().unwrap();
    assert_eq!((opened.counter.get(), opened.plaintext), (7, Zeroizing::new(b"TM*0712000002*500*1234".to_vec())));
    let downlink = seal(&keys.downlink_keys(ICCID), Counter::new(8).unwrap(), b"OK").unwrap();
    assert_eq!(expected["downlink_packet"], hex(&downlink));
}

#[test]
fn the_key_file_shows_no_key() {
    let path = std::env::temp_dir().join(format!("encryption-format-{}", std::process::id()));
    let passphrase = Passphrase::new(b"correct horse battery staple").unwrap_or_else(|error| panic!("{error}"));
    FileKeys::create(&mut Canary).save(&path, &passphrase, &mut Canary).unwrap();
    let written = fs::read(&path).unwrap();
    assert_eq!(expected()["key_file"], hex(&written));
    // Salt and nonce together are 40 octets of the canary; any more of it would be of a key.
    let runs: Vec<usize> = written.split(|octet| *octet != 0xca).map(<[u8]>::len).filter(|run| *run > 8).collect();
    assert_eq!(runs, [40]);
    assert!(!written.windows(8).any(|window| window == b"correct "));

    fs::write(&path, unhex(expected()["key_file"].as_str().unwrap())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let loaded = FileKeys::load(&path, &passphrase);
    fs::remove_file(&path).unwrap();
    assert_eq!(
        hex(&loaded.unwrap_or_else(|error| panic!("{error}")).commitment("name", b"Asha")),
        expected()["commitment"]
    );
}
