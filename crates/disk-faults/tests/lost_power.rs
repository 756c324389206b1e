//! Losses of power at any moment: of a day, and of the afternoon after a day that ended badly.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use disk_faults::day::Copying;
use disk_faults::life::{Life, Town};
use disk_faults::soak;

const PROGRAM: &str = env!("CARGO_BIN_EXE_disk-faults");

/// How many losses of power there are in a recorded day.
fn states() -> u64 {
    if soak() { 25_000 } else { 2_500 }
}

/// What decides all of them; `WAKALA_SEED` in the environment says otherwise.
const SEED: u64 = 20_261_124;

fn survives(life: &Life, what: &str, states: u64) {
    let seed = std::env::var("WAKALA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    if let Some(lost) = life.recording.lose_power(seed, 0..states, |found| life.judge(found)) {
        panic!("{what}: WAKALA_SEED={seed}, state {}, after {} events: {}", lost.number, lost.events, lost.why);
    }
    println!("{what}: {states} states, WAKALA_SEED={seed}");
}

#[test]
fn power_lost_at_any_moment_loses_nothing_that_was_answered() {
    let town = Town::new(Path::new(PROGRAM));
    survives(&town.day(Copying::ByWriter).0, "the writer copies the log", states());
}

#[test]
fn nor_does_it_while_the_thread_copies_the_log() {
    let town = Town::new(Path::new(PROGRAM));
    survives(&town.day(Copying::ByThread).0, "the thread copies the log", states());
}
