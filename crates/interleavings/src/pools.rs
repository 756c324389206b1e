//! The pool of a token's sessions.

use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;

use crate::pool::Pool;

const MOST: usize = 2;
const THREADS: usize = 4;

/// More threads than things: never more things than may be, never two threads at one, and everybody gets one, though some
/// cannot be made.
pub fn everybody_gets_one_and_nobody_shares() {
    let pool = Arc::new(Pool::new(AtomicUsize::new(0), MOST));
    let (made, failed) = (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::new(0)));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (pool, made, failed) = (Arc::clone(&pool), Arc::clone(&made), Arc::clone(&failed));
            thread::spawn(move || {
                let make = || {
                    // The first of two who make one fails, as a token that is out of sessions for others.
                    if thread % 2 == 0 {
                        failed.fetch_add(1, Ordering::SeqCst);
                        return Err("none");
                    }
                    assert!(made.fetch_add(1, Ordering::SeqCst) < MOST, "one too many");
                    Ok(AtomicUsize::new(0))
                };
                let worked = pool.with(make, |thing| {
                    assert_eq!(thing.fetch_add(1, Ordering::SeqCst), 0, "two at one");
                    thread::yield_now();
                    thing.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                });
                usize::from(worked.is_ok())
            })
        })
        .collect();
    let worked: usize = threads.into_iter().map(|thread| thread.join().expect("a thread")).sum();
    assert_eq!(worked + failed.load(Ordering::SeqCst), THREADS);
}

/// Where one cannot be made, whoever waits for its room gets it, though nothing is freed meanwhile.
pub fn the_room_of_one_that_cannot_be_made_is_told() {
    let pool = Arc::new(Pool::new((), MOST));
    let whole = || -> Result<(), &str> { unreachable!("the first is free") };
    let held = pool.with(whole, |()| {
        let with = |make: fn() -> Result<(), &'static str>| {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.with(make, |()| Ok(())).is_ok())
        };
        let (cannot, can) = (with(|| Err("none")), with(|| Ok(())));
        cannot.join().expect("a thread");
        assert!(can.join().expect("a thread"), "one that could be made was not");
        Ok(())
    });
    assert_eq!(held, Ok(()));
}
