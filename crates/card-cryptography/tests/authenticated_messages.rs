//! Messages of both links under their authentication codes: what came whole is taken, and no bit of what a code covers can be
//! changed unseen.

use card_cryptography::tr31::{Accept, Exportability, Header, KeyUsage, Mode};
use card_cryptography::{Algorithm, Environment, Hsm, HsmError, Key, KeyHandle, MacFlavour, SoftwareHsm};
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::Value;
use std::sync::LazyLock;
use wire::iso8583::{Covers, Failure, LinkProfile, Message, Mti, Style};

static HSM: LazyLock<SoftwareHsm> = LazyLock::new(|| {
    let rng = Box::new(ChaCha20Rng::seed_from_u64(1));
    SoftwareHsm::new(Environment::Development, Accept::Derived, rng).expect("no production")
});

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("no {field} in {case}"))
}

fn load(usage: KeyUsage, algorithm: Algorithm, octets: &[u8]) -> KeyHandle {
    let header = Header::new(usage, algorithm, Mode::GenerateAndVerify, Exportability::NonExportable);
    HSM.load(header, Key::new(algorithm, octets).expect("a key")).expect("a key")
}

/// The messages of the codec's vectors that state under which key their code is.
fn authenticated() -> Vec<(Value, LinkProfile, MacFlavour, KeyHandle)> {
    let all: Value = serde_json::from_str(include_str!("../../wire/tests/vectors/iso8583.json")).expect("JSON");
    let cases = all["groups"]["iso8583"]["messages"].as_array().expect("a list").clone();
    let with_key = cases.into_iter().filter(|case| case["mac"].is_object());
    let of_link = |case: Value| {
        let key = hex(text(&case["mac"], "key"));
        if text(&case, "link") == "pos" {
            let key = load(KeyUsage::MacPosEcb, Algorithm::Tdes, &key);
            (case, LinkProfile::point_of_sale(), MacFlavour::PosEcb, key)
        } else {
            let key = load(KeyUsage::MacX919, Algorithm::Tdes, &key);
            (case, LinkProfile::institution(), MacFlavour::X919, key)
        }
    };
    with_key.map(of_link).collect()
}

fn take(link: &LinkProfile, flavour: MacFlavour, key: &KeyHandle, octets: &[u8]) -> Result<Message, Failure<HsmError>> {
    link.read(octets)?.verified(|covered, code| HSM.mac_verify(flavour, key, covered, code))
}

fn write(link: &LinkProfile, flavour: MacFlavour, key: &KeyHandle, message: &Message) -> Vec<u8> {
    link.write(message, |covered| HSM.mac(flavour, key, covered).map(|code| *code.octets())).expect("it fits")
}

#[test]
fn messages_of_the_vectors_are_authentic_and_get_the_same_codes_here() {
    let all = authenticated();
    for (case, link, flavour, key) in &all {
        let body = hex(text(case, "body"));
        let mut message = take(link, *flavour, key, &body).unwrap_or_else(|why| panic!("{why} {case}"));
        message.remove(link.style.code_field());
        assert_eq!(write(link, *flavour, key, &message), body, "{case}");
    }
    assert_eq!(all.len(), 12);
}

/// Every bit of every message, in all flavours where the code covers everything.
#[test]
fn any_one_bit_changed_under_a_code_is_refused() {
    let cmac = load(KeyUsage::MacCmac, Algorithm::Aes, &[0x2B; 16]);
    let mut tried = 0;
    for (case, link, flavour, key) in authenticated().iter().filter(|(_, link, ..)| link.style == Style::PointOfSale) {
        let message = take(link, *flavour, key, &hex(text(case, "body"))).expect("authentic");
        for (flavour, key) in [(*flavour, key), (MacFlavour::AesCmac, &cmac)] {
            let octets = write(link, flavour, key, &message);
            assert!(take(link, flavour, key, &octets).is_ok());
            for bit in 0..octets.len() * 8 {
                let mut changed = octets.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(take(link, flavour, key, &changed).is_err(), "bit {bit} of {case}");
                tried += 1;
            }
        }
    }
    assert!(tried > 10_000, "{tried}");
    println!("{tried} bits");
}

/// On the institution link the rule itself covers chosen fields, and of those not every character. What passes is told apart: it is
/// in a field that is not chosen, or the rule drops it.
#[test]
fn any_one_bit_of_what_the_institutions_code_covers_is_refused() {
    let (mut refused, mut not_chosen, mut dropped) = (0, 0, 0);
    for (case, link, flavour, key) in authenticated().iter().filter(|(_, link, ..)| link.style == Style::Institution) {
        let Covers::Fields(chosen) = &link.covers else { panic!("chosen fields") };
        let octets = hex(text(case, "body"));
        let original = take(link, *flavour, key, &octets).expect("authentic");
        let covered = link.covered(&original).expect("it fits");
        for bit in 0..octets.len() * 8 {
            let mut changed = octets.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok(message) = take(link, *flavour, key, &changed) else {
                refused += 1;
                continue;
            };
            assert_eq!(link.covered(&message).expect("it fits"), covered, "bit {bit} of {case}");
            let mut both = message.fields().zip(original.fields());
            let (number, _) = both.find_map(|(new, old)| (new != old).then_some(new)).expect("one differs");
            if chosen.contains(&number) { dropped += 1 } else { not_chosen += 1 }
        }
    }
    println!("{refused} bits refused; {not_chosen} in fields that are not chosen, {dropped} dropped by the rule");
    assert!(refused > 4_500 && not_chosen > 0 && dropped > 0, "{refused} {not_chosen} {dropped}");
}

#[test]
fn a_message_under_another_key_or_without_a_code_is_refused() {
    let link = LinkProfile::point_of_sale();
    let (key, other) = (
        load(KeyUsage::MacPosEcb, Algorithm::Tdes, &hex("0123456789ABCDEFFEDCBA9876543210")),
        load(KeyUsage::MacPosEcb, Algorithm::Tdes, &hex("0123456789ABCDEFFEDCBA9876543213")),
    );
    let message = Message::new(Mti::FinancialRequest).with(3, "000000").with(11, "000001");
    let octets = write(&link, MacFlavour::PosEcb, &key, &message);
    assert_eq!(take(&link, MacFlavour::PosEcb, &other, &octets), Err(Failure::NotAuthentic));
    assert_eq!(take(&link, MacFlavour::X919, &key, &octets), Err(Failure::Code(HsmError::Usage)));
    let mut bare = LinkProfile::point_of_sale();
    bare.without_code = Mti::ALL.to_vec();
    let octets = write(&bare, MacFlavour::PosEcb, &key, &message);
    assert!(matches!(take(&link, MacFlavour::PosEcb, &key, &octets), Err(Failure::Refused(_))));
}

proptest! {
    /// Fields of a request as terminals make them, and any bit of it.
    #[test]
    fn no_bit_of_any_request_can_be_changed(amount in 0..1_000_000_000_000_u64, trace in 0..1_000_000_u32, terminal in "[A-Z0-9]{8}", number in "[0-9]{12,19}", bit in any::<prop::sample::Index>()) {
        let link = LinkProfile::point_of_sale();
        let key = load(KeyUsage::MacX919, Algorithm::Tdes, &hex("0123456789ABCDEFFEDCBA9876543210"));
        let message = Message::new(Mti::FinancialRequest)
            .with(2, number)
            .with(3, "000000")
            .with(4, format!("{amount:012}"))
            .with(11, format!("{trace:06}"))
            .with(25, "00")
            .with(41, terminal)
            .with(60, "22000001");
        let mut octets = write(&link, MacFlavour::X919, &key, &message);
        let mut came = take(&link, MacFlavour::X919, &key, &octets).expect("authentic");
        came.remove(64);
        prop_assert!(came == message);
        let bit = bit.index(octets.len() * 8);
        octets[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(take(&link, MacFlavour::X919, &key, &octets).is_err());
    }
}
