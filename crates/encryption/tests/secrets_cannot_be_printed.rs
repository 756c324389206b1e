//! Secret types have neither `Debug` nor `Display`: this file compiles only while that is so.

use encryption::{
    AesKey, CardKeys, CardMaster, Code, CodeProof, FileKeys, KeySet, Passphrase, Personalisation, Pin, PinProof,
    ProofSet, References, TokenKeys, TokenPin,
    secured_packet::{Opened, OpenedResponse},
};
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
    unprintable!(
        AesKey,
        CardKeys,
        CardMaster,
        Code,
        CodeProof,
        FileKeys,
        KeySet,
        Opened,
        OpenedResponse,
        Passphrase,
        Personalisation,
        Pin,
        PinProof,
        ProofSet<PinProof>,
        References,
        TokenKeys,
        TokenPin,
    );
}
