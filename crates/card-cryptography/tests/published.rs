//! Every figure of the vectors: PIN blocks, both kinds of DUKPT, key blocks, message authentication codes, check values.

mod vectors;

use card_cryptography::dukpt::{self, AesLength, KeyId, KeyUse, Ksn};
use card_cryptography::legacy::tdes_dukpt::{self, Variant};
use card_cryptography::pin_block::{self, Format};
use card_cryptography::tr31::{self, Accept, Header};
use card_cryptography::{Account, Algorithm, CheckValue, Key, MacFlavour, Pin, PinBlock, mac};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::Value;
use vectors::{hex, octets, text, vectors};

fn key(algorithm: Algorithm, case: &Value, field: &str) -> Key {
    Key::new(algorithm, &octets(case, field)).unwrap_or_else(|why| panic!("{field}: {why}"))
}

fn list<'a>(value: &'a Value, field: &str) -> &'a Vec<Value> {
    value[field].as_array().unwrap_or_else(|| panic!("no {field}"))
}

fn account(case: &Value) -> Account {
    Account::parse(text(case, "pan")).expect("an account")
}

/// Whether the block holds the PIN: enciphered again in format 0, in which equal PINs give equal blocks.
fn holds(key: &Key, block: &PinBlock, account: &Account, pin: &str) -> bool {
    let read = pin_block::decipher(key, block, account).expect("a PIN");
    let check = Key::new(Algorithm::Tdes, &hex("0123456789ABCDEFFEDCBA9876543210")).expect("a key");
    let somebody = Account::parse("6200000000000005").expect("an account");
    let again = |pin: &Pin| {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        pin_block::encipher(Format::Iso0, &check, pin, &somebody, &mut rng).expect("a block")
    };
    again(&read) == again(&Pin::parse(pin).expect("a PIN"))
}

#[test]
fn pin_blocks_of_format_4_hold_their_pins() {
    let cases = list(&vectors()["pin_blocks"], "format_4");
    for case in cases {
        let key = key(Algorithm::Aes, case, "key");
        let block = PinBlock::new(Format::Iso4, &octets(case, "enciphered_block")).expect("a block");
        assert!(holds(&key, &block, &account(case), text(case, "pin")), "{case}");
    }
    assert_eq!(cases.len(), 5);
}

#[test]
fn aes_dukpt_gives_the_published_keys() {
    let all = &vectors()["aes_dukpt"];
    let pin = &all["pin_block"];
    let mut keys = 0;
    for case in list(all, "cases") {
        let id = KeyId(octets(case, "initial_key_id").try_into().expect("8 octets"));
        let initial = dukpt::initial_key(&key(Algorithm::Aes, case, "bdk"), &id).expect("a key of AES");
        assert!(initial.same(&key(Algorithm::Aes, case, "initial_key")));
        for transaction in list(case, "transactions") {
            let ksn = Ksn::parse(&octets(transaction, "ksn")).expect("a serial number");
            assert_eq!(ksn.octets()[..], octets(transaction, "ksn"));
            for (name, working) in transaction["working_keys"].as_object().expect("working keys") {
                let length = match name.as_str() {
                    "AES-128" => AesLength::Aes128,
                    "AES-192" => AesLength::Aes192,
                    "AES-256" => AesLength::Aes256,
                    other => panic!("{other}"),
                };
                let derived = |usage| dukpt::working_key(&initial, &ksn, usage, length).expect("no stronger key");
                for (field, usage) in [
                    ("pin_encryption", KeyUse::PinEncryption),
                    ("mac_generation", KeyUse::MacGeneration),
                    ("mac_verification", KeyUse::MacVerification),
                    ("data_encrypt", KeyUse::DataEncryption),
                    ("data_decrypt", KeyUse::DataDecryption),
                ] {
                    assert!(derived(usage).same(&key(Algorithm::Aes, working, field)), "{name} {field} {transaction}");
                    keys += 1;
                }
                let block = PinBlock::new(Format::Iso4, &octets(working, "pin_block_format_4")).expect("a block");
                assert!(holds(&derived(KeyUse::PinEncryption), &block, &account(pin), text(pin, "pin")));
            }
        }
    }
    assert!(keys >= 150, "{keys}");
}

#[test]
fn tdes_dukpt_gives_the_published_keys_and_what_is_made_with_them() {
    let all = &vectors()["tdes_dukpt"];
    let transactions = list(all, "transactions");
    for transaction in transactions {
        let ksn = tdes_dukpt::Ksn::parse(&octets(transaction, "ksn")).expect("a serial number");
        let initial = tdes_dukpt::initial_key(&key(Algorithm::Tdes, all, "bdk"), &ksn).expect("a key of TDES");
        assert!(initial.same(&key(Algorithm::Tdes, all, "ipek")));
        let derived = |variant| tdes_dukpt::working_key(&initial, &ksn, variant).expect("a key of TDES");
        for (field, variant) in [
            ("pin_key", Variant::Pin),
            ("mac_request_key", Variant::MacRequest),
            ("mac_response_key", Variant::MacResponse),
            ("data_request_key", Variant::DataRequest),
            ("data_response_key", Variant::DataResponse),
        ] {
            assert!(derived(variant).same(&key(Algorithm::Tdes, transaction, field)), "{field} {transaction}");
        }
        let block = PinBlock::new(Format::Iso0, &octets(transaction, "pin_block")).expect("a block");
        assert!(holds(&derived(Variant::Pin), &block, &account(all), text(all, "pin")));
        let data = text(all, "data_ascii").as_bytes();
        for (field, variant) in [("mac_request", Variant::MacRequest), ("mac_response", Variant::MacResponse)] {
            let code = mac::mac(MacFlavour::X919, &derived(variant), data).expect("a key of TDES");
            assert_eq!(code.octets()[..], text(transaction, field).as_bytes()[..8], "{transaction}");
        }
    }
    assert_eq!(transactions.len(), 17);
}

#[test]
fn counters_go_from_the_first_to_the_last_over_those_with_few_bits() {
    use dukpt::Counter;
    let next = |value| Counter::new(value).and_then(Counter::next).map(Counter::get);
    assert_eq!([next(1), next(0xFFFE), next(0x1_FFFE)], [Some(2), Some(0xFFFF), Some(0x2_0000)]);
    assert_eq!((Counter::LAST.next(), Counter::LAST.get()), (None, 0xFFFF_0000));
    assert!(Counter::new(0).is_none() && Counter::new(0x1_FFFF).is_none());
    let counter = |value| Counter::new(value).expect("few bits");
    assert!(counter(2).is_new_after(Some(counter(1))) && counter(1).is_new_after(None));
    assert!(!counter(2).is_new_after(Some(counter(2))) && !counter(1).is_new_after(Some(counter(2))));
    let mut counter = tdes_dukpt::Counter::FIRST;
    let mut count = 1;
    while let Some(next) = counter.next() {
        assert!(next > counter && next.is_new_after(Some(counter)) && !counter.is_new_after(Some(next)));
        (counter, count) = (next, count + 1);
    }
    // The number that X9.24-1 states.
    assert_eq!((counter, count), (tdes_dukpt::Counter::LAST, 1_048_575));
    assert!(!counter.is_new_after(Some(counter)) && counter.is_new_after(None));
}

#[test]
fn key_blocks_hold_their_keys_and_no_digit_of_them_can_be_changed() {
    let mut tried = 0;
    for case in list(&vectors()["tr31"], "blocks") {
        let block = text(case, "block");
        let of = if block.starts_with('D') { Algorithm::Aes } else { Algorithm::Tdes };
        let protection = key(of, case, "kbpk");
        let (header, inside) = tr31::unwrap(&protection, block, Accept::Variants).unwrap_or_else(|why| panic!("{why}"));
        assert_header(&header, case);
        assert!(inside.same(&key(header.algorithm, case, "key")), "{block}");
        let variant = block.starts_with(['A', 'C']);
        let derived_only = tr31::unwrap(&protection, block, Accept::Derived).err();
        assert_eq!(derived_only, variant.then_some(tr31::Refusal::VersionNotAccepted));
        for at in 0..block.len() {
            for digit in "0123456789ABCDEF".chars().filter(|digit| !block[at..].starts_with(*digit)) {
                let changed = format!("{}{digit}{}", &block[..at], &block[at + 1..]);
                assert!(tr31::unwrap(&protection, &changed, Accept::Variants).is_err(), "{changed} from {block}");
                tried += 1;
            }
        }
        let again = tr31::wrap(&protection, &header, &inside, &mut ChaCha20Rng::seed_from_u64(3)).expect("a key block");
        let (same, key) = tr31::unwrap(&protection, &again, Accept::Derived).expect("our own");
        assert!(same == header && key.same(&inside), "{again}");
    }
    assert!(tried > 15_000, "{tried}");
}

fn assert_header(header: &Header, case: &Value) {
    let stated = &case["header"];
    assert_eq!(header.usage.code(), text(stated, "usage"));
    assert_eq!(header.mode.code(), text(stated, "mode"));
    assert_eq!(header.version.code(), text(stated, "key_version"));
    assert_eq!(header.exportability.code(), text(stated, "exportability"));
    let optional: Vec<_> =
        header.optional.iter().map(|block| (std::str::from_utf8(&block.id).unwrap(), block.data.as_str())).collect();
    let stated: Vec<_> =
        list(case, "optional").iter().map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
    assert_eq!(optional, stated);
}

#[test]
fn message_authentication_codes_are_those_of_the_vectors() {
    let mut seen = 0;
    for row in list(&vectors()["macs"], "rows") {
        let (flavour, algorithm, data) = match text(row, "algorithm") {
            name if name.starts_with("UnionPay POS ECB, single") => (MacFlavour::PosEcb, Algorithm::Des, "mab"),
            name if name.starts_with("UnionPay POS ECB, double") => (MacFlavour::PosEcb, Algorithm::Tdes, "mab"),
            name if name.starts_with("ANSI X9.19") => (MacFlavour::X919, Algorithm::Tdes, "data"),
            "AES-CMAC" => (MacFlavour::AesCmac, Algorithm::Aes, "data"),
            // Building blocks that are no flavour of a link: SM4, and algorithm 1 with padding 2.
            _ => continue,
        };
        let (key, data) = (key(algorithm, row, "key"), octets(row, data));
        let code = mac::mac(flavour, &key, &data).expect("the right kind of key");
        let expected = match flavour {
            MacFlavour::AesCmac => octets(row, "mac")[..8].to_vec(),
            _ => text(row, "field_64_ascii").as_bytes().to_vec(),
        };
        assert_eq!(code.octets()[..], expected, "{row}");
        assert_eq!(mac::verifies(flavour, &key, &data, &expected), Ok(true));
        assert_eq!(mac::verifies(flavour, &key, &data, &expected[..7]), Ok(false));
        seen += 1;
    }
    assert_eq!(seen, 8);
}

#[test]
fn a_single_second_step_differs_and_needs_a_key_of_two_halves() {
    let key = |algorithm, octets: &str| Key::new(algorithm, &hex(octets)).expect("a key");
    let (double, single) =
        (key(Algorithm::Tdes, "0123456789ABCDEFFEDCBA9876543210"), key(Algorithm::Des, "0123456789ABCDEF"));
    let code = |flavour, key| mac::mac(flavour, key, b"0200").map(|code| *code.octets());
    assert_ne!(code(MacFlavour::PosEcbSingle, &double), code(MacFlavour::PosEcb, &double));
    assert!(code(MacFlavour::PosEcbSingle, &single).is_err() && code(MacFlavour::X919, &single).is_err());
    assert!(code(MacFlavour::AesCmac, &double).is_err());
}

#[test]
fn check_values_are_those_of_the_vectors() {
    let all = &vectors()["key_check_values"];
    for (group, algorithm, field) in [("tdes", Algorithm::Tdes, "kcv4"), ("aes_cmac", Algorithm::Aes, "kcv5")] {
        for case in list(all, group) {
            let value = key(algorithm, case, "key").check_value().expect("a cipher");
            assert_eq!(value.to_string(), text(case, field));
            assert!(value.is(&octets(case, field)[..3]) && !value.is(&octets(case, field)[..2]));
        }
    }
    for case in list(all, "globalplatform_aes") {
        let value = CheckValue::of_card_key(&key(Algorithm::Aes, case, "key")).expect("a key of AES");
        assert_eq!(value.to_string(), text(case, "kcv3"));
    }
}
