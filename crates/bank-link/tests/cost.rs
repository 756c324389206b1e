//! What a key step, a message and an exchange cost. Prints figures and judges none:
//! `cargo test --release -p bank-link --test cost -- --ignored --nocapture`.

mod common;

use bank_link::{Binding, Told};
use common::*;
use std::time::{Duration, Instant};

const MANY: u64 = 20_000;

fn tell(what: &str, times: u64, took: Duration) {
    println!("{what:58} {:8.2} µs", took.as_secs_f64() * 1e6 / times as f64);
}

#[test]
#[ignore = "a measurement"]
fn what_it_costs() {
    let mut world = World::with_subscribers(1, 2);
    let keys = operator_keys();

    let start = Instant::now();
    for _ in 0..1000 {
        let _ = Binding::register(&keys, &mut world.operator.rng, START, subscriber(3));
    }
    tell("make a registration (HPKE)", 1000, start.elapsed());

    // An echo is a key step, a block or two of AES-GCM, and hardly anything else.
    let start = Instant::now();
    let frames: Vec<_> = (0..MANY)
        .map(|number| {
            world.operator.end.forget_question(&id(number));
            let step = world.operator.end.echo(world.now, LANE, id(number)).expect("a session");
            step.committed().expect("a frame")
        })
        .collect();
    tell("seal a message: two key steps (one is ahead), AES-GCM", MANY, start.elapsed());

    let start = Instant::now();
    let answers: Vec<_> =
        frames.iter().map(|frame| world.bank.hear(world.now, frame).expect("ours").expect("an answer")).collect();
    tell("open a message and seal its answer", MANY, start.elapsed());

    let start = Instant::now();
    let told =
        answers.iter().filter(|answer| matches!(world.operator.end.hear(world.now, answer), Ok(Told::Answered(..))));
    assert_eq!(told.count() as u64, MANY);
    tell("open an answer", MANY, start.elapsed());

    let start = Instant::now();
    for number in 0..MANY {
        let frame = world.operator.order(world.now, LANE, 0, id(MANY + number), order(0, 0, 500)).expect("a session");
        let answer = world.bank.hear(world.now, &frame).expect("ours").expect("an answer");
        world.operator.hear(world.now, &answer).expect("the bank's");
    }
    tell("an order and its answer, both ends, all but disks", MANY, start.elapsed());
}
