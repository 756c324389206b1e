//! How long the steps of a terminal's request take, on one core: `cargo run --release -p card-cryptography --example speed`.

use card_cryptography::dukpt::{AesLength, Counter, KeyId, KeyUse, Ksn};
use card_cryptography::pin_block::Format;
use card_cryptography::tr31::{Accept, Exportability, Header, KeyUsage, Mode};
use card_cryptography::{Account, Algorithm, Derivation, Environment, Hsm, MacFlavour, Pin, SoftwareHsm};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{hint::black_box, time::Instant};
use wire::iso8583::{LinkProfile, Message, Mti};

fn measure<T>(what: &str, mut operation: impl FnMut() -> T) {
    const TIMES: u32 = 50_000;
    let start = Instant::now();
    for _ in 0..TIMES {
        black_box(operation());
    }
    let each = start.elapsed().as_nanos() as f64 / f64::from(TIMES);
    println!("{what:<44} {each:>8.0} ns {:>12.0} /s", 1e9 / each);
}

fn main() {
    let rng = Box::new(ChaCha20Rng::seed_from_u64(1));
    let hsm = SoftwareHsm::new(Environment::Development, Accept::Derived, rng).expect("no production");
    let generate = |usage, algorithm, mode| {
        hsm.generate(Header::new(usage, algorithm, mode, Exportability::NonExportable), 16).expect("a key")
    };
    let base = generate(KeyUsage::BaseDerivation, Algorithm::Aes, Mode::Derive);
    let zone = generate(KeyUsage::PinEncryption, Algorithm::Tdes, Mode::Both);
    let code_key = generate(KeyUsage::MacX919, Algorithm::Tdes, Mode::GenerateAndVerify);
    // As many bits set as may be: the longest way.
    let ksn = Ksn { id: KeyId([7; 8]), counter: Counter::LAST };
    let derivation = Derivation::Aes { ksn, usage: KeyUse::PinEncryption, length: AesLength::Aes128 };
    let from = hsm.derive_dukpt(&base, &derivation).expect("a key");
    let card = Account::parse("6200000000000013").expect("an account");
    let pin = Pin::parse("2718").expect("a PIN");
    let block = hsm.encipher_pin(Format::Iso4, &from, &pin, &card).expect("a block");
    measure("AES DUKPT, 16 bits set, from the base key", || hsm.derive_dukpt(&base, &derivation));
    measure("PIN enciphered, format 4", || hsm.encipher_pin(Format::Iso4, &from, &pin, &card));
    measure("PIN translated, format 4 to 0", || hsm.pin_translate(&block, &card, &from, &zone, Format::Iso0));

    for (name, link) in [("point of sale", LinkProfile::point_of_sale()), ("institution", LinkProfile::institution())] {
        let fields = [
            (2, "6200000000000013"),
            (3, "000000"),
            (4, "000000012345"),
            (11, "000101"),
            (22, "012"),
            (25, "00"),
            (41, "WKL00001"),
            (42, "WAKALA000000001"),
            (49, "156"),
            (60, "220000010000000"),
        ];
        let message = fields
            .iter()
            .fold(Message::new(Mti::FinancialRequest), |message, (number, value)| message.with(*number, value));
        let code = |covered: &[u8]| hsm.mac(MacFlavour::X919, &code_key, covered).map(|code| *code.octets());
        let octets = link.write(&message, code).expect("it fits");
        measure(&format!("{name}: written, with an X9.19 code"), || link.write(&message, code));
        measure(&format!("{name}: read, its code verified"), || {
            let received = link.read(&octets).expect("a message");
            received.verified(|covered, code| hsm.mac_verify(MacFlavour::X919, &code_key, covered, code))
        });
    }
}
