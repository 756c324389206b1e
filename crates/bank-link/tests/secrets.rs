//! Secret types have neither `Debug` nor `Display`: this file compiles only while that is so. And what can be printed prints
//! nothing of a subscriber but the end of the number.

mod common;

use bank_link::{
    Asked, Authentication, BankEnd, Binding, Changes, Execution, Heard, OperatorEnd, PairKeys, Proposal, Request,
    SecretKey, StaticKey, Step, Told,
};
use common::*;
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
        BankEnd,
        Binding,
        Changes,
        Execution,
        Heard,
        OperatorEnd,
        PairKeys,
        Proposal,
        Request,
        SecretKey,
        StaticKey,
        Step,
        Told,
    );
}

#[test]
fn what_can_be_printed_tells_little_of_a_subscriber() {
    let world = World::with_subscribers(1, 1);
    let binding = &world.operator.bindings[0];
    let who = Authentication::make(binding, subscriber(0), id(1), Asked::Balance);
    let (record, key) = (subscriber(0), binding.stored());
    let printed = format!("{who:?} {record:?} {:?}", order(2, 0, 5));
    for secret in [record.imsi.as_str(), record.serial.as_str(), record.number.as_str(), "5571200"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("..000"), "{printed}");
    assert!(!key.is_empty());
}

/// No frame has anything of a subscriber, an account, an amount or a key in clear.
#[test]
fn frames_tell_nothing_in_clear() {
    let mut world = World::with_subscribers(1, 2);
    for kind in 0..3 {
        world.exchange(0, u64::from(kind) + 1, order(kind, 0, 0x1122_3344_5566)).expect("an answer");
    }
    let stored = world.operator.bindings[0].stored();
    let who = subscriber(0);
    let amount = 0x1122_3344_5566_u64.to_be_bytes();
    // The answer to a registration alone tells the token of an account, which is no secret.
    let secrets: [&[u8]; 6] = [
        who.imsi.as_str().as_bytes(),
        who.number.as_str().as_bytes(),
        who.serial.as_str().as_bytes(),
        &amount,
        &stored[stored.len() - 48..stored.len() - 16],
        &PRESHARED,
    ];
    for (_, frame) in &world.recorded {
        for secret in secrets {
            assert!(!frame.windows(secret.len()).any(|window| window == secret), "in a frame of kind {}", frame[1]);
        }
    }
    // The canary: the test finds what is there.
    assert!(stored.windows(15).any(|window| window == who.imsi.as_str().as_bytes()));
}
