//! A lease that is lost.

use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;

use crate::fate::Fate;
use crate::store::StoreError;

const FIRST: i64 = 1;

/// Two threads that find a lease lost while a third begins to watch it: it is told once, and a reason that one of them had.
pub fn who_watches_a_lost_lease_is_told_once() {
    let (fate, told) = (Arc::new(Fate::new(FIRST)), Arc::new(AtomicUsize::new(0)));
    let loss = fate.loss();
    let losing = ["another has it", "it was not renewed"].map(|why| {
        let fate = Arc::clone(&fate);
        thread::spawn(move || assert_eq!(fate.lose(why), StoreError::LeaseLost(why.to_owned())))
    });
    let watching = {
        let (fate, told) = (Arc::clone(&fate), Arc::clone(&told));
        thread::spawn(move || {
            let count = move |error| {
                assert!(
                    matches!(error, StoreError::LeaseLost(why) if why.starts_with("another") || why.starts_with("it"))
                );
                told.fetch_add(1, Ordering::SeqCst);
            };
            fate.watch(Box::new(count));
        })
    };
    losing.into_iter().chain([watching]).for_each(|thread| thread.join().expect("a thread"));
    assert_eq!(told.load(Ordering::SeqCst), 1);
    assert!(fate.check().is_err() && loss.borrow().lost.is_some());
}

/// Servers of several timelines that are met at once: the latest stays known, and it alone is said to be the latest.
pub fn the_latest_timeline_stays_known() {
    let fate = Arc::new(Fate::new(FIRST));
    let meeting = [FIRST, FIRST + 1, FIRST + 2].map(|timeline| {
        let fate = Arc::clone(&fate);
        thread::spawn(move || {
            let is_latest = fate.serves(timeline);
            thread::yield_now();
            is_latest
        })
    });
    let said = meeting.map(|thread| thread.join().expect("a thread"));
    assert!(said[2] && fate.loss().borrow().timeline == FIRST + 2);
    assert!(!fate.serves(FIRST) && fate.serves(FIRST + 2) && fate.check().is_ok());
}
