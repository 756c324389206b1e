//! The road of a PIN and of keys through the HSM: handles have one use and one direction, nothing clear comes out.

use card_cryptography::dukpt::{AesLength, Counter, KeyId, KeyUse, Ksn};
use card_cryptography::legacy::{tdes_dukpt, working_keys};
use card_cryptography::pin_block::Format;
use card_cryptography::tr31::{self, Accept, Exportability, Header, KeyUsage, Mode};
use card_cryptography::{
    Account, Algorithm, Derivation, Environment, Hsm, HsmError, Key, KeyHandle, MacFlavour, Pin, PinBlock,
    PinReference, RefusedInProduction, SoftwareHsm, UnfitKey,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const ID: KeyId = KeyId([0x12, 0x34, 0x56, 0x78, 0, 0, 0, 1]);

fn hsm(seed: u64) -> SoftwareHsm {
    let rng = Box::new(ChaCha20Rng::seed_from_u64(seed));
    SoftwareHsm::new(Environment::Development, Accept::Derived, rng).expect("no production")
}

fn header(usage: KeyUsage, algorithm: Algorithm, mode: Mode) -> Header {
    Header::new(usage, algorithm, mode, Exportability::Exportable)
}

fn generate(hsm: &SoftwareHsm, usage: KeyUsage, algorithm: Algorithm, mode: Mode) -> KeyHandle {
    hsm.generate(header(usage, algorithm, mode), 16).expect("a key of 16 octets")
}

fn working(usage: KeyUse, counter: Counter) -> Derivation {
    Derivation::Aes { ksn: Ksn { id: ID, counter }, usage, length: AesLength::Aes128 }
}

fn pin(text: &str) -> Pin {
    Pin::parse(text).expect("a PIN")
}

fn account(text: &str) -> Account {
    Account::parse(text).expect("an account")
}

/// A host and a terminal with the same initial key, which went from one to the other in a key block.
struct Pair {
    host: SoftwareHsm,
    base: KeyHandle,
    terminal: SoftwareHsm,
    initial: KeyHandle,
}

fn pair() -> Pair {
    let (host, terminal) = (hsm(1), hsm(2));
    let protection = || Key::new(Algorithm::Aes, &[0x5A; 32]).expect("a key");
    let usage = header(KeyUsage::KeyBlockProtection, Algorithm::Aes, Mode::Both);
    let out = host.load(usage.clone(), protection()).expect("a key");
    let into = terminal.load(usage, protection()).expect("a key");
    let base = generate(&host, KeyUsage::BaseDerivation, Algorithm::Aes, Mode::Derive);
    let initial = host.derive_dukpt(&base, &Derivation::AesInitial(ID)).expect("an initial key");
    let block = host.export_tr31(&out, &initial).expect("it may leave");
    assert!(block.starts_with("D0176B1AX00E0200IK141234567800000001PB"), "{block}");
    let initial = terminal.import_tr31(&into, &block).expect("the host's block");
    Pair { host, base, terminal, initial }
}

#[test]
fn a_terminals_key_derives_for_no_other_terminal() {
    let Pair { terminal, initial, .. } = pair();
    let ksn = Ksn { id: KeyId([0x12, 0x34, 0x56, 0x78, 0, 0, 0, 2]), counter: Counter::FIRST };
    let other = Derivation::Aes { ksn, usage: KeyUse::MacBoth, length: AesLength::Aes128 };
    assert_eq!(terminal.derive_dukpt(&initial, &other).err(), Some(HsmError::OtherTerminal));
    let base = generate(&terminal, KeyUsage::BaseDerivation, Algorithm::Tdes, Mode::Derive);
    let serial = |terminal| tdes_dukpt::Ksn::parse(&[0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, terminal, 0xE0, 0, 9]);
    let initial = terminal.derive_dukpt(&base, &Derivation::TdesInitial(serial(1).expect("few bits"))).expect("a key");
    let derive = |ksn| Derivation::Tdes { ksn, variant: tdes_dukpt::Variant::Pin };
    let other = terminal.derive_dukpt(&initial, &derive(serial(2).expect("few bits"))).err();
    assert_eq!(other, Some(HsmError::OtherTerminal));
    assert!(terminal.derive_dukpt(&initial, &derive(serial(1).expect("few bits"))).is_ok());
}

#[test]
fn production_refuses_keys_in_memory() {
    let rng = Box::new(ChaCha20Rng::seed_from_u64(1));
    let refused = SoftwareHsm::new(Environment::Production, Accept::Derived, rng).err();
    assert_eq!(refused, Some(RefusedInProduction));
}

#[test]
fn a_pin_typed_at_a_terminal_is_proven_for_the_wallet_and_nobody_sees_it() {
    let Pair { host, base, terminal, initial } = pair();
    let number = account("255712000001");
    let derivation = working(KeyUse::PinEncryption, Counter::FIRST);
    let typed = terminal.derive_dukpt(&initial, &derivation).expect("a key");
    let block = terminal.encipher_pin(Format::Iso4, &typed, &pin("2718"), &number).expect("a block");
    let from = host.derive_dukpt(&base, &derivation).expect("the same key");
    assert_eq!(host.kcv(&from), terminal.kcv(&typed));

    let key = generate(&host, KeyUsage::MacHmac, Algorithm::Hmac, Mode::Generate);
    let proof = |block: &PinBlock, number: &Account| host.pin_proof(block, number, &from, &key).expect("a proof");
    let right = proof(&block, &number);
    let again = terminal.encipher_pin(Format::Iso4, &typed, &pin("2718"), &number).expect("a block");
    assert!(again != block && proof(&again, &number) == right);
    let other = terminal.encipher_pin(Format::Iso4, &typed, &pin("2719"), &number).expect("a block");
    assert_ne!(proof(&other, &number), right, "another PIN's proof");
    assert_ne!(proof(&block, &account("255712000002")), right, "another account's proof");
    let nothing = proof(&PinBlock::Iso4([7; 16]), &number);
    assert_eq!(nothing, proof(&PinBlock::Iso4([8; 16]), &number), "blocks without a PIN are told from nothing");
}

#[test]
fn a_pin_is_translated_from_key_to_key_and_format_to_format_and_stays_with_its_account() {
    let Pair { host, base, terminal, initial } = pair();
    let card = account("6200000000000013");
    let derivation = working(KeyUse::PinEncryption, Counter::new(7).expect("few bits"));
    let typed = terminal.derive_dukpt(&initial, &derivation).expect("a key");
    let block = terminal.encipher_pin(Format::Iso4, &typed, &pin("123456"), &card).expect("a block");
    let from = host.derive_dukpt(&base, &derivation).expect("a key");
    let zone = generate(&host, KeyUsage::PinEncryption, Algorithm::Tdes, Mode::Both);
    let zone_aes = generate(&host, KeyUsage::PinEncryption, Algorithm::Aes, Mode::Both);
    let mut block = block;
    let mut key = &from;
    for (to, format) in [(&zone, Format::Iso0), (&zone, Format::Iso3), (&zone_aes, Format::Iso4), (&zone, Format::Iso3)]
    {
        let wrong = host.pin_translate(&block, &account("6200000000000021"), key, to, format).err();
        // Format 0 and 3 show another account only by digits that are none; format 4 always.
        assert!(wrong.is_none_or(|why| why == HsmError::PinBlock));
        block = host.pin_translate(&block, &card, key, to, format).unwrap_or_else(|why| panic!("{format:?}: {why}"));
        assert_eq!(block.format(), format);
        key = to;
    }
    let issuer = host
        .load(
            header(KeyUsage::PinVerificationPvv, Algorithm::Tdes, Mode::Verify),
            Key::new(Algorithm::Tdes, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]).expect("a key"),
        )
        .expect("a key");
    let verify = |value, account| {
        host.pin_verify(&block, account, key, &PinReference::Pvv { key: &issuer, index: 1, value })
            .expect("the right keys")
    };
    let mut values = (0..10_000_u16).map(|value| std::array::from_fn(|at| (value / [1000, 100, 10, 1][at] % 10) as u8));
    let value = values.find(|value| verify(*value, &card)).expect("one of ten thousand");
    assert!(values.all(|value| !verify(value, &card)), "one alone");
    assert!(!verify(value, &account("6200000000000021")), "another account looks like a wrong PIN");
}

#[test]
fn a_block_that_holds_no_pin_is_refused_in_one_way_alone() {
    let host = hsm(5);
    let key = generate(&host, KeyUsage::PinEncryption, Algorithm::Tdes, Mode::Both);
    let card = account("6200000000000013");
    let mut refused = 0;
    for first in 0..=255_u8 {
        let block = PinBlock::Iso0([first, 1, 2, 3, 4, 5, 6, 7]);
        match host.pin_translate(&block, &card, &key, &key, Format::Iso3) {
            Ok(_) => {}
            Err(why) => {
                assert_eq!(why, HsmError::PinBlock);
                refused += 1;
            }
        }
    }
    assert!(refused > 250, "{refused}");
}

#[test]
fn a_key_has_one_use_and_one_direction() {
    let host = hsm(3);
    let card = account("6200000000000013");
    let only = |usage, algorithm, mode| generate(&host, usage, algorithm, mode);
    let encrypts = only(KeyUsage::PinEncryption, Algorithm::Tdes, Mode::Encrypt);
    let decrypts = only(KeyUsage::PinEncryption, Algorithm::Tdes, Mode::Decrypt);
    let verifies = only(KeyUsage::MacX919, Algorithm::Tdes, Mode::Verify);
    let base = only(KeyUsage::BaseDerivation, Algorithm::Aes, Mode::Derive);
    let block = host.encipher_pin(Format::Iso0, &encrypts, &pin("1234"), &card).expect("a block");
    let translate = |from, to| host.pin_translate(&block, &card, from, to, Format::Iso0).err();
    assert_eq!(translate(&encrypts, &encrypts), Some(HsmError::Direction));
    assert_eq!(host.encipher_pin(Format::Iso0, &decrypts, &pin("1234"), &card).err(), Some(HsmError::Direction));
    assert_eq!(translate(&verifies, &encrypts), Some(HsmError::Usage));
    assert_eq!(host.mac(MacFlavour::X919, &verifies, b"").err(), Some(HsmError::Direction));
    assert_eq!(host.mac_verify(MacFlavour::X919, &verifies, b"", &[0; 8]), Ok(false));
    assert_eq!(host.mac_verify(MacFlavour::PosEcb, &verifies, b"", &[0; 8]), Err(HsmError::Usage));
    assert_eq!(host.mac_verify(MacFlavour::AesCmac, &base, b"", &[0; 8]), Err(HsmError::Usage));
    assert_eq!(host.derive_dukpt(&verifies, &working(KeyUse::MacBoth, Counter::FIRST)).err(), Some(HsmError::Usage));
    let long = Derivation::Aes {
        ksn: Ksn { id: ID, counter: Counter::FIRST },
        usage: KeyUse::MacBoth,
        length: AesLength::Aes256,
    };
    assert_eq!(host.derive_dukpt(&base, &long).err(), Some(HsmError::Key(UnfitKey::Stronger)));
    assert_eq!(hsm(4).kcv(&base), Err(HsmError::Foreign));
}

#[test]
fn keys_leave_only_where_their_header_lets_them() {
    let host = hsm(6);
    let protection = generate(&host, KeyUsage::KeyBlockProtection, Algorithm::Aes, Mode::Both);
    let usage = header(KeyUsage::PinEncryption, Algorithm::Aes, Mode::Both);
    let may = host.generate(usage.clone(), 32).expect("a key");
    let stays = Header { exportability: Exportability::NonExportable, ..usage.clone() };
    let stays = host.generate(stays, 32).expect("a key");
    assert_eq!(host.export_tr31(&protection, &stays).err(), Some(HsmError::NotExportable));
    assert_eq!(host.export_tr31(&may, &may).err(), Some(HsmError::Usage));
    let block = host.export_tr31(&protection, &may).expect("it may");
    let back = host.import_tr31(&protection, &block).expect("our own");
    assert!(host.kcv(&back) == host.kcv(&may) && *back.header() == usage);
    let elsewhere = generate(&host, KeyUsage::KeyBlockProtection, Algorithm::Aes, Mode::Both);
    let refused = host.import_tr31(&elsewhere, &block).err();
    assert_eq!(refused, Some(HsmError::KeyBlock(tr31::Refusal::Authentication)));
}

#[test]
fn a_terminal_signs_on_and_takes_no_key_whose_check_value_fails() {
    let (host, terminal) = (hsm(7), hsm(8));
    let usage = header(KeyUsage::KeyEncryption, Algorithm::Tdes, Mode::Both);
    let master = || Key::new(Algorithm::Tdes, &[1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1]).expect("a key");
    let injected = host.load(usage.clone(), master()).expect("a key");
    let own = terminal.load(usage, master()).expect("a key");
    let flavour = MacFlavour::PosEcb;
    for (with_track, length) in [(false, 40), (true, 60)] {
        let (issued, field) = host.issue_working_keys(&injected, with_track, flavour).expect("keys");
        assert_eq!(field.len(), length);
        let accepted = terminal.accept_working_keys(&own, &field, flavour).expect("the host's keys");
        assert!(terminal.kcv(&accepted.pin) == host.kcv(&issued.pin));
        assert_eq!(accepted.track.is_some(), with_track);
        let code = terminal.mac(flavour, &accepted.mac, b"0200").expect("a code");
        assert_eq!(host.mac_verify(flavour, &issued.mac, b"0200", code.octets()), Ok(true));
        for bit in 0..field.len() * 8 {
            let mut changed = field.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let refused = terminal.accept_working_keys(&own, &changed, flavour).err();
            assert_eq!(refused, Some(HsmError::WorkingKeys(working_keys::Refusal::CheckValue)), "bit {bit}");
        }
        for shorter in [0, 20, 39, 41, 80] {
            let mut cut = field.clone();
            cut.resize(shorter, 0);
            let refused = terminal.accept_working_keys(&own, &cut, flavour).err();
            assert_eq!(refused, Some(HsmError::WorkingKeys(working_keys::Refusal::Length)));
        }
        let single = terminal.accept_working_keys(&own, &field[..24], flavour).err();
        assert_eq!(single, Some(HsmError::WorkingKeys(working_keys::Refusal::SingleLength)));
    }
}

#[test]
fn terminals_of_tdes_dukpt_are_served_too() {
    let host = hsm(9);
    let base = generate(&host, KeyUsage::BaseDerivation, Algorithm::Tdes, Mode::Derive);
    let ksn = tdes_dukpt::Ksn::parse(&[0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 1]).expect("a counter");
    let initial = host.derive_dukpt(&base, &Derivation::TdesInitial(ksn)).expect("an initial key");
    let derivation = Derivation::Tdes { ksn, variant: tdes_dukpt::Variant::Pin };
    let (here, there) = (host.derive_dukpt(&base, &derivation), host.derive_dukpt(&initial, &derivation));
    assert_eq!(host.kcv(&here.expect("a key")), host.kcv(&there.expect("a key")));
}

/// The figure that `encryption` holds its own proofs to: both crates prove a PIN alike.
#[test]
fn a_proof_is_the_one_that_the_platform_stores() {
    let host = hsm(10);
    let zone = generate(&host, KeyUsage::PinEncryption, Algorithm::Aes, Mode::Both);
    let number = account("255712000001");
    let block = host.encipher_pin(Format::Iso4, &zone, &pin("1234"), &number).expect("a block");
    let key = Key::new(Algorithm::Hmac, &std::array::from_fn::<u8, 32, _>(|at| at as u8)).expect("a key");
    let key = host.load(header(KeyUsage::MacHmac, Algorithm::Hmac, Mode::Generate), key).expect("a key");
    let proof = host.pin_proof(&block, &number, &zone, &key).expect("a proof");
    let hex: String = proof.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(hex, "eb5ccb13fd3c7f5213f6b430e9069e2ab339a406b0d0376abc893e597eccffd1");
}
