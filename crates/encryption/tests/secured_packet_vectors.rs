//! The published and derived vectors for secured packets: the AES profile is produced and read octet for octet, all else
//! is refused with the status written there.

use encryption::secured_packet::{
    COMMAND_HEADER, CheckLength, RESPONSE_HEADER, is_command, open, open_response, seal, seal_response,
};
use encryption::{AesKey, Counter, KeySet, PacketRefusal};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/secured-packets.json")).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{} has no {field}", case["id"]))
}

fn octets(case: &Value, field: &str) -> Vec<u8> {
    hex(text(case, field))
}

fn counter(case: &Value) -> Counter {
    Counter::new(u64::from_str_radix(text(case, "cntr"), 16).unwrap()).unwrap()
}

fn list<'a>(all: &'a Value, names: &[&str]) -> Vec<&'a Value> {
    names.iter().flat_map(|name| all[*name].as_array().unwrap()).collect()
}

fn tar(case: &Value) -> [u8; 3] {
    octets(case, "tar").try_into().unwrap()
}

/// A stand-in key of 16 octets where a case has none or one of DES.
fn key(case: &Value, field: &str) -> AesKey {
    case[field].as_str().and_then(|key| AesKey::new(&hex(key))).unwrap_or_else(|| AesKey::new(&[7; 16]).unwrap())
}

/// The key set that this command was made with, outside the profile if need be.
fn codec(case: &Value) -> Option<KeySet> {
    let spi = octets(case, "spi").try_into().unwrap();
    let length = if text(case, "check").ends_with("/32") { CheckLength::Four } else { CheckLength::Eight };
    let number = octets(case, "kic")[0] >> 4;
    KeySet::codec(number, key(case, "kic_key"), key(case, "kid_key"), tar(case), spi, length)
}

/// The key set that a platform of the profile would hold for the sender of this command.
fn profile(case: &Value) -> KeySet {
    let number = (octets(case, "kic")[0] >> 4).max(1);
    let spi2 = octets(case, "spi")[1];
    KeySet::profile(number, key(case, "kic_key"), key(case, "kid_key"), tar(case), spi2).unwrap()
}

#[test]
fn aes_commands_are_sealed_and_opened_octet_for_octet() {
    let all = vectors();
    let mut seen = 0;
    for case in list(&all, &["commands", "derived_commands"]) {
        let aes = text(case, "cipher").starts_with("AES") && text(case, "check").starts_with("AES");
        if !aes || !matches!(text(case, "use"), "profile" | "codec") {
            continue;
        }
        let keys = codec(case).unwrap();
        let packet = octets(case, "packet");
        assert_eq!(seal(&keys, counter(case), &octets(case, "plaintext")).unwrap(), packet, "{}", case["id"]);
        let opened = open(&keys, &packet).unwrap_or_else(|refusal| panic!("{}: {refusal}", case["id"]));
        assert_eq!(*opened.plaintext, octets(case, "plaintext"), "{}", case["id"]);
        assert_eq!(opened.counter, counter(case), "{}", case["id"]);
        assert!(is_command(&[&COMMAND_HEADER, packet.as_slice()].concat()));
        seen += 1;
    }
    assert_eq!(seen, 13, "AES commands of use profile or codec");
}

#[test]
fn the_profile_accepts_its_own_and_refuses_every_other_command() {
    let all = vectors();
    let mut counts = [0, 0];
    for case in list(&all, &["commands", "derived_commands"]) {
        let outcome = open(&profile(case), &octets(case, "packet"));
        if text(case, "use") == "profile" {
            assert!(outcome.is_ok(), "{}", case["id"]);
            counts[0] += 1;
        } else {
            let refusal = outcome.err().unwrap_or_else(|| panic!("{} was accepted", case["id"]));
            assert_eq!(refusal.internal_status(), Some(0x0a), "{}: {refusal}", case["id"]);
            counts[1] += 1;
        }
    }
    assert_eq!(counts, [10, 26]);
}

#[test]
fn a_concatenated_command_is_opened_after_joining() {
    let all = vectors();
    for case in list(&all, &["derived_concatenation"]) {
        // The user data header of the first part is 8 octets long, that of the second 6.
        let parts: Vec<Vec<u8>> =
            case["user_data_parts"].as_array().unwrap().iter().map(|part| hex(part.as_str().unwrap())).collect();
        let packet = [&parts[0][8..], &parts[1][6..]].concat();
        let keys = profile(case);
        assert_eq!(seal(&keys, counter(case), &octets(case, "plaintext")).unwrap(), packet);
        assert_eq!(*open(&keys, &packet).ok().unwrap().plaintext, octets(case, "plaintext"));
    }
}

#[test]
fn tampered_commands_are_refused_with_the_status_of_the_table() {
    let all = vectors();
    let base = list(&all, &["derived_commands"]).into_iter().find(|case| text(case, "id") == "d-aes128-tm").unwrap();
    let keys = profile(base);
    let mut seen = 0;
    for case in list(&all, &["negative"]).into_iter().filter(|case| text(case, "kind") == "command") {
        assert_eq!(text(case, "base"), "d-aes128-tm");
        let refusal =
            open(&keys, &octets(case, "packet")).err().unwrap_or_else(|| panic!("{} was accepted", case["id"]));
        // "0a if ..., else 01": the first applies, the key set being the only one and its TAR the only one known.
        let expected = case["internal_status"].as_str().map(|status| hex(&status[..2])[0]);
        assert_eq!(refusal.internal_status(), expected, "{}: {refusal}", case["id"]);
        seen += 1;
    }
    assert_eq!(seen, 19);
}

#[test]
fn aes_responses_are_sealed_and_opened_and_others_refused() {
    let all = vectors();
    let mut counts = [0, 0];
    for case in list(&all, &["responses", "derived_responses"]) {
        let packet = octets(case, "user_data").split_off(RESPONSE_HEADER.len());
        let (cipher_key, check_key, spi2) = (key(case, "kic_key"), key(case, "kid_key"), octets(case, "spi2")[0]);
        let keys = KeySet::profile(1, cipher_key, check_key, tar(case), spi2).unwrap();
        if !text(case, "cipher").starts_with("AES") {
            let refusal = open_response(&keys, &packet).err().unwrap_or_else(|| panic!("{} was accepted", case["id"]));
            assert_ne!(refusal, PacketRefusal::Malformed, "{}", case["id"]);
            counts[1] += 1;
            continue;
        }
        let status = octets(case, "status")[0];
        assert_eq!(
            seal_response(&keys, counter(case), status, &octets(case, "data")).unwrap(),
            packet,
            "{}",
            case["id"]
        );
        let opened = open_response(&keys, &packet).unwrap_or_else(|refusal| panic!("{}: {refusal}", case["id"]));
        assert_eq!((opened.counter, opened.status), (counter(case), status));
        assert_eq!(*opened.plaintext, octets(case, "data"));
        counts[0] += 1;
    }
    assert_eq!(counts, [4, 7]);
}
