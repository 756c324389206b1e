//! A bounded number of things, each used by one thread at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Things that are made when they are needed, and kept. Who finds none free, and as many made as may be, waits.
pub(crate) struct Pool<T> {
    state: Mutex<State<T>>,
    freed: Condvar,
    most: usize,
}

struct State<T> {
    free: Vec<T>,
    made: usize,
}

impl<T> Pool<T> {
    /// With its first thing in it; `most` is 1 at least.
    pub(crate) fn new(first: T, most: usize) -> Self {
        let state = State { free: vec![first], made: 1 };
        Self { state: Mutex::new(state), freed: Condvar::new(), most }
    }

    /// Does some work with one of them, made with `make` if need be.
    pub(crate) fn with<R, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
        work: impl FnOnce(&T) -> Result<R, E>,
    ) -> Result<R, E> {
        let thing = match self.take() {
            Some(thing) => thing,
            None => make().inspect_err(|_| {
                self.state().made -= 1;
                self.freed.notify_one();
            })?,
        };
        let result = work(&thing);
        self.state().free.push(thing);
        self.freed.notify_one();
        result
    }

    /// One that is free; `None` where one more is to be made, for which there is room then.
    fn take(&self) -> Option<T> {
        let mut state = self.state();
        loop {
            if let Some(thing) = state.free.pop() {
                return Some(thing);
            }
            if state.made < self.most {
                state.made += 1;
                return None;
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
    };

    #[test]
    fn as_many_work_at_once_as_may_and_the_others_wait() {
        const MOST: usize = 4;
        let (pool, made, busy) = (Pool::new(0, MOST), AtomicUsize::new(1), AtomicUsize::new(0));
        // Opens for `MOST` at once only: fewer would wait for ever.
        let together = Barrier::new(MOST);
        thread::scope(|scope| {
            for _ in 0..MOST * 8 {
                scope.spawn(|| {
                    let make = || Ok::<_, ()>(made.fetch_add(1, Ordering::SeqCst));
                    pool.with(make, |_| {
                        assert!(busy.fetch_add(1, Ordering::SeqCst) < MOST);
                        together.wait();
                        busy.fetch_sub(1, Ordering::SeqCst);
                        Ok(())
                    })
                });
            }
        });
        assert_eq!(made.into_inner(), MOST);
    }

    #[test]
    fn one_that_cannot_be_made_leaves_its_room_to_others() {
        let pool = Pool::new("first", 2);
        pool.with(
            || unreachable!("the first is free"),
            |_| {
                assert_eq!(pool.with(|| Err("cannot"), |_| Ok(())), Err("cannot"));
                assert_eq!(pool.with(|| Ok("second"), |thing| Ok::<_, &str>(*thing)), Ok("second"));
                Ok::<_, &str>(())
            },
        )
        .unwrap();
    }
}
