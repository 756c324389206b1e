//! Losses of power at any moment: of a day, and of the afternoon after a day that ended badly.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Mutex;

use disk_faults::day::Copying;
use disk_faults::life::{Life, Town};
use disk_faults::power::Found;
use disk_faults::strace::{Call, Fault};
use disk_faults::{each, soak, some};

const PROGRAM: &str = env!("CARGO_BIN_EXE_disk-faults");

/// What decides all of them; `WAKALA_SEED` in the environment says otherwise.
const SEED: u64 = 20_261_124;

/// How many losses of power there are in a day, and in each afternoon; ten times as many in the long form.
const IN_A_DAY: u64 = 1_600;
const IN_AN_AFTERNOON: u64 = 30;

/// So many syncs, and the books are open.
const FIRST_SYNCS: usize = 3;
const IN_A_BEGINNING: u64 = 100;

/// How many afternoons there are of each kind; in the long form all.
const AFTERNOONS: usize = 24;

/// Which losses of power are tried: all, or the one that `WAKALA_STATE=LIFE:NUMBER` names.
struct Losses {
    seed: u64,
    only: Option<(usize, u64)>,
}

impl Losses {
    fn told() -> Losses {
        let variable = |name| std::env::var(name).ok();
        let seed = variable("WAKALA_SEED").map_or(SEED, |seed| seed.parse().expect("a number"));
        let only = variable("WAKALA_STATE").map(|state| {
            let (life, number) = state.split_once(':').expect("LIFE:NUMBER");
            (life.parse().expect("a number"), number.parse().expect("a number"))
        });
        Losses { seed, only }
    }

    fn numbers(&self, life: usize, states: u64) -> std::ops::Range<u64> {
        match self.only {
            None => 0..states * if soak() { 10 } else { 1 },
            Some((of, number)) if of == life => number..number + 1,
            Some(_) => 0..0,
        }
    }

    /// Loses power in a life; tells what was not survived, and how it is made again.
    fn strike(&self, index: usize, life: &Life, states: u64) -> Result<u64, String> {
        let numbers = self.numbers(index, states);
        let count = numbers.end - numbers.start;
        match life.recording.lose_power(self.seed, numbers, |found| life.judge(found)) {
            None => Ok(count),
            Some(lost) => Err(format!(
                "again: WAKALA_SEED={} WAKALA_STATE={index}:{} (after {} events): {}",
                self.seed, lost.number, lost.events, lost.why
            )),
        }
    }

    /// Lives through an afternoon after each of these ends of a day, and loses power in it.
    fn strike_afternoons<E: Sync + std::fmt::Debug>(
        &self,
        ends: &[E],
        losses: u64,
        afternoon: impl Fn(&E) -> Result<Life, String> + Sync,
    ) {
        let (states, wrong) = (Mutex::new(0), Mutex::new(Vec::new()));
        let numbered: Vec<(usize, &E)> = ends.iter().enumerate().collect();
        each(&numbered, |(index, end)| {
            if self.only.is_some_and(|(life, _)| life != *index) {
                return;
            }
            match afternoon(end).and_then(|life| self.strike(*index, &life, losses)) {
                Ok(count) => *states.lock().unwrap() += count,
                Err(why) => wrong.lock().unwrap().push(format!("{end:?}: {why}")),
            }
        });
        let wrong = wrong.into_inner().unwrap();
        assert!(wrong.is_empty(), "{} of {} afternoons: {wrong:#?}", wrong.len(), ends.len());
        println!(
            "{} afternoons, {} losses of power, WAKALA_SEED={}",
            ends.len(),
            states.into_inner().unwrap(),
            self.seed
        );
    }
}

fn strike_day(copying: Copying) {
    let (losses, town) = (Losses::told(), Town::new(Path::new(PROGRAM)));
    let count = losses.strike(0, &town.day(copying).0, IN_A_DAY).unwrap_or_else(|why| panic!("{why}"));
    println!("a day, {count} losses of power, WAKALA_SEED={}", losses.seed);
}

#[test]
fn power_lost_at_any_moment_loses_nothing_that_was_answered() {
    strike_day(Copying::ByWriter);
}

#[test]
fn power_lost_while_the_thread_copies_the_log_likewise() {
    strike_day(Copying::ByThread);
}

/// What was written and not synced is read by the next process as if it were stored.
#[test]
fn power_lost_after_a_process_was_killed_likewise() {
    strike_afternoons_after(Fault::Kill);
}

/// What was durable is written again at each start: no part of it may hang on that. A disk that loses power in the middle of
/// a sector may leave anything in it.
#[test]
fn power_lost_while_the_books_are_opened_again_likewise() {
    let town = Town::new(Path::new(PROGRAM));
    let syncs: Vec<Call> = town.day(Copying::ByWriter).1.into_iter().filter(|call| call.name == "fsync").collect();
    let start =
        |call: &Call| Ok(town.afternoon(town.struck(Copying::ByWriter, call, Fault::Kill)?).beginning(FIRST_SYNCS));
    Losses::told().strike_afternoons(&some(syncs, AFTERNOONS), IN_A_BEGINNING, start);
}

/// What the disk did not take is read as if it were stored, and no later sync writes it.
#[test]
fn power_lost_after_a_sync_failed_likewise() {
    strike_afternoons_after(Fault::Error("EIO"));
}

fn strike_afternoons_after(fault: Fault) {
    let town = Town::new(Path::new(PROGRAM));
    let syncs: Vec<Call> = town.day(Copying::ByWriter).1.into_iter().filter(|call| call.name == "fsync").collect();
    let afternoon = |call: &Call| Ok(town.afternoon(town.struck(Copying::ByWriter, call, fault)?));
    Losses::told().strike_afternoons(&some(syncs, AFTERNOONS), IN_AN_AFTERNOON, afternoon);
}

#[test]
fn power_lost_after_power_was_lost_likewise() {
    let (losses, town) = (Losses::told(), Town::new(Path::new(PROGRAM)));
    let day = town.day(Copying::ByWriter).0;
    let found = Mutex::new(Vec::new());
    let keep = |state: &Found| {
        found.lock().unwrap().push(state.clone());
        Ok(())
    };
    day.recording.lose_power(losses.seed, 0..AFTERNOONS as u64 * if soak() { 4 } else { 1 }, keep);
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|found| found.number);
    losses.strike_afternoons(&found, IN_AN_AFTERNOON, |found| town.afternoon_after(found));
}
