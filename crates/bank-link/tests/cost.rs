//! What keys, messages and exchanges cost. Prints figures and judges none; each is the least of many rounds, since others may
//! use the machine: `cargo test --release -p bank-link --test cost -- --ignored --nocapture`.

mod common;

use bank_link::{Binding, Told};
use common::*;
use std::time::Instant;

const ROUNDS: u64 = 60;
/// Numbers of messages in a round: a block of keys that is reserved.
const EACH: u64 = bank_link::chain::BLOCK;

/// Does something so many times a round, and prints what the quickest round took.
fn least(what: &str, each: u64, mut work: impl FnMut(u64)) {
    let round = |round: u64| {
        let start = Instant::now();
        (0..each).for_each(|number| work(round * each + number));
        start.elapsed()
    };
    let least = (0..ROUNDS).map(round).min().expect("some rounds");
    println!("{what:60} {:8.2} µs", least.as_secs_f64() * 1e6 / each as f64);
}

#[test]
#[ignore = "a measurement"]
fn what_it_costs() {
    let mut world = World::with_subscribers(1, 2);
    let keys = operator_keys();
    let now = world.now;
    least("make a registration (HPKE)", 10, |_| {
        let _ = Binding::register(&keys, &mut world.operator.rng, now, subscriber(3));
    });
    // An echo is its keys, a block or two of AES-GCM, and hardly anything else.
    let mut frames = Vec::new();
    least("seal a message: a message key, two chain steps, AES-GCM", EACH, |number| {
        frames.extend(world.operator.end.echo(now, LANE, id(number)).expect("a session").committed());
    });
    let mut answers = Vec::new();
    least("open a message and seal its answer", EACH, |number| {
        answers.extend(world.bank.hear(now, &frames[number as usize]).expect("ours"));
    });
    let mut told = 0;
    least("open an answer", EACH, |number| {
        told += u64::from(matches!(world.operator.end.hear(now, &answers[number as usize]), Ok(Told::Answered(..))));
    });
    assert_eq!(told, ROUNDS * EACH);
    least("an order and its answer, both ends and their records in memory", EACH, |number| {
        let id = id(1_000_000 + number);
        let frame = world.operator.order(now, LANE, 0, id, order(0, 0, 500)).expect("a session");
        let answer = world.bank.hear(now, &frame).expect("ours").expect("an answer");
        world.operator.hear(now, &answer).expect("the bank's");
    });
}
