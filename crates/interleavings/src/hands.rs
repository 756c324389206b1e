//! The ledger's clock.

use std::time::Duration;

use jiff::tz::TimeZone;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::{Arc, Mutex};
use shuttle::thread;
use transaction_processing::time::Moment;

use crate::clock::LedgerClock;

/// A zone whose clocks go back by an hour at half past midnight of 1 February, and so into the day and the month before.
const ZONE: &str = "AAA0BBB,M1.1.0/0,M2.1.0/0:30";

/// A system's clock that jumps about that moment of 1970, back and forth.
fn system() -> i64 {
    const LAST_MINUTE_OF_JANUARY: i64 = 31 * 24 * 60 - 1;
    let before = [70, 50, 20, -10][thread_rng().gen_range(0..4)];
    (LAST_MINUTE_OF_JANUARY - before) * 60_000
}

/// Several who ask and one who moves the clock ahead: neither time nor day nor month is ever less than one that was told
/// before, to whomever.
pub fn no_moment_is_before_one_that_was_told() {
    let clock = LedgerClock::with(TimeZone::posix(ZONE).expect("a zone"), system);
    let told: Arc<Mutex<Vec<Moment>>> = Arc::default();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (clock, told) = (clock.clone(), Arc::clone(&told));
            thread::spawn(move || {
                for _ in 0..3 {
                    let before = told.lock().expect("a list").last().copied();
                    let now = clock.moment();
                    if let Some(before) = before {
                        assert!(now.time >= before.time && now.day >= before.day && now.month >= before.month);
                    }
                    told.lock().expect("a list").push(now);
                }
            })
        })
        .collect();
    clock.advance(Duration::from_secs(600));
    threads.into_iter().for_each(|thread| thread.join().expect("a thread"));
}
