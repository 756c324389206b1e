//! Secret types have neither `Debug` nor `Display`: this file compiles only while that is so. What can be printed tells nothing.

use card_cryptography::legacy::working_keys::{self, WorkingKeys};
use card_cryptography::tr31::{self, Accept, Exportability, Header, KeyUsage, Mode};
use card_cryptography::{
    Account, Algorithm, Environment, Hsm, HsmError, Key, Pin, PinBlock, PinReference, SoftwareHsm, pin_block,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::fmt::{Debug, Display};

/// Has one implementation for a type that cannot be printed, and several, so none that can be inferred, for one that can.
trait Unprintable<Way> {
    const HOLDS: bool = true;
}

impl<T> Unprintable<()> for T {}
impl<T: Debug> Unprintable<u8> for T {}
impl<T: Display> Unprintable<u16> for T {}

macro_rules! unprintable {
    ($($secret:ty),* $(,)?) => { $(assert!(<$secret as Unprintable<_>>::HOLDS);)* };
}

#[test]
fn secrets_cannot_be_printed() {
    unprintable!(Account, Key, Pin, PinBlock, PinReference<'static>, SoftwareHsm, WorkingKeys);
}

/// Octets that would be seen in a text as they are, as hexadecimal of either case, or as a list of numbers.
fn assert_unseen(text: &str, secret: &[u8]) {
    let upper: String = secret.iter().map(|octet| format!("{octet:02X}")).collect();
    let lower = upper.to_lowercase();
    let list = format!("{secret:?}");
    let list = list.trim_matches(['[', ']']).to_owned();
    let plain = String::from_utf8_lossy(secret).into_owned();
    for form in [upper, lower, list, plain] {
        assert!(!text.contains(&form), "{form} in {text}");
    }
}

#[test]
fn nothing_that_is_printed_tells_a_key_or_a_pin() {
    let secret = *b"canary of a key!";
    let (typed, number) = ("271828", "6200000000000013");
    let rng = || ChaCha20Rng::seed_from_u64(1);
    let hsm = SoftwareHsm::new(Environment::Development, Accept::Derived, Box::new(rng())).expect("no production");
    let key = || Key::new(Algorithm::Aes, &secret).expect("a key");
    let header = |usage, mode| Header::new(usage, Algorithm::Aes, mode, Exportability::Exportable);
    let handle = hsm.load(header(KeyUsage::PinEncryption, Mode::Both), key()).expect("a key");
    let protection = hsm.load(header(KeyUsage::KeyBlockProtection, Mode::Both), key()).expect("a key");
    let (pin, account) = (Pin::parse(typed).expect("a PIN"), Account::parse(number).expect("an account"));
    let block = hsm.encipher_pin(pin_block::Format::Iso4, &handle, &pin, &account).expect("a block");
    let key_block = hsm.export_tr31(&protection, &handle).expect("it may");
    let mut printed = vec![
        format!("{handle:?}"),
        format!("{:?} {:?}", hsm.kcv(&handle), handle.header()),
        format!("{:?}", hsm.pin_translate(&block, &account, &protection, &handle, pin_block::Format::Iso4).err()),
        format!("{:?}", hsm.pin_translate(&block, &account, &handle, &handle, pin_block::Format::Iso0).err()),
        format!("{:?}", hsm.import_tr31(&protection, &key_block.replace('A', "B")).err()),
        format!("{:?}", tr31::unwrap(&key(), &key_block[..40], Accept::Derived).err()),
        format!("{:?}", WorkingKeys::unwrap(&key(), &[0; 40]).err()),
        key_block,
    ];
    let errors = [
        HsmError::PinBlock,
        HsmError::KeyBlock(tr31::Refusal::Authentication),
        HsmError::WorkingKeys(working_keys::Refusal::CheckValue),
    ];
    printed.extend(errors.iter().map(|error| format!("{error} {error:?}")));
    for text in &printed {
        assert_unseen(text, &secret);
        assert_unseen(text, typed.as_bytes());
        assert_unseen(text, number.as_bytes());
    }
    assert!(printed.iter().all(|text| !text.is_empty()));
}
