//! The bounded queue before the writer. Everything that waits is taken at once, so that many requests cost one wake-up and
//! one lock; a channel would wake a sender for each.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Why something was not taken; it is given back.
pub(crate) enum Rejected<T> {
    Full(T),
    Closed(T),
}

pub(crate) struct Queue<T> {
    bound: usize,
    state: Mutex<State<T>>,
    filled: Condvar,
    emptied: Condvar,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// How many were ever put in.
    placed: u64,
    /// How many wait for room.
    senders: usize,
    receiver_waits: bool,
    /// Whether the receiver is to leave what waits to another.
    released: bool,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(bound: usize) -> Queue<T> {
        let bound = bound.max(1);
        let state = State {
            waiting: VecDeque::with_capacity(bound),
            placed: 0,
            senders: 0,
            receiver_waits: false,
            released: false,
            closed: false,
        };
        Queue { bound, state: Mutex::new(state), filled: Condvar::new(), emptied: Condvar::new() }
    }

    /// Puts one in, waiting for room; the how-manieth it is, from one.
    pub(crate) fn send(&self, value: T) -> Result<u64, T> {
        let mut state = self.lock();
        while state.waiting.len() >= self.bound && !state.closed {
            state.senders += 1;
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.senders -= 1;
        }
        self.put(state, value).map_err(|rejected| match rejected {
            Rejected::Full(value) | Rejected::Closed(value) => value,
        })
    }

    /// Puts one in where there is room; the how-manieth it is, from one.
    pub(crate) fn try_send(&self, value: T) -> Result<u64, Rejected<T>> {
        let state = self.lock();
        if state.waiting.len() >= self.bound && !state.closed {
            return Err(Rejected::Full(value));
        }
        self.put(state, value)
    }

    fn put(&self, mut state: MutexGuard<'_, State<T>>, value: T) -> Result<u64, Rejected<T>> {
        if state.closed {
            return Err(Rejected::Closed(value));
        }
        state.waiting.push_back(value);
        state.placed += 1;
        let place = state.placed;
        let wake = std::mem::take(&mut state.receiver_waits);
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        Ok(place)
    }

    /// Waits until there is something, and moves at most `most` of it to `taken`, in order. False where the queue is closed
    /// and empty, or the receiver was released. There is one receiver at a time.
    pub(crate) fn receive(&self, most: usize, taken: &mut VecDeque<T>) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() || state.released {
            if std::mem::take(&mut state.released) {
                return false;
            }
            if state.closed {
                return false;
            }
            state.receiver_waits = true;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.take(state, most, taken);
        true
    }

    /// Moves at most `most` of what is there to `taken`, without waiting.
    pub(crate) fn try_receive(&self, most: usize, taken: &mut VecDeque<T>) {
        self.take(self.lock(), most, taken);
    }

    fn take(&self, mut state: MutexGuard<'_, State<T>>, most: usize, taken: &mut VecDeque<T>) {
        let count = state.waiting.len().min(most.max(1));
        taken.extend(state.waiting.drain(..count));
        let wake = state.senders > 0;
        drop(state);
        if wake {
            self.emptied.notify_all();
        }
    }

    /// How many were taken out, ever.
    pub(crate) fn taken(&self) -> u64 {
        let state = self.lock();
        state.placed - state.waiting.len() as u64
    }

    /// Lets the receiver go; what waits stays for the next.
    pub(crate) fn release(&self) {
        self.lock().released = true;
        self.filled.notify_all();
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().waiting.is_empty()
    }

    /// Takes nothing any more; what is in it can still be received.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    /// Drops what is in it, and takes nothing any more.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        let dropped = std::mem::take(&mut state.waiting);
        drop(state);
        self.filled.notify_all();
        self.emptied.notify_all();
        drop(dropped);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn gives_everything_in_order_and_never_holds_more_than_its_bound() {
        let queue = Arc::new(Queue::new(3));
        let sender = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                (0..1000).for_each(|n| assert_eq!(queue.send(n), Ok(n + 1)));
                queue.close();
            })
        };
        let (mut all, mut taken) = (Vec::new(), VecDeque::new());
        while queue.receive(2, &mut taken) {
            assert!(taken.len() <= 2);
            all.extend(taken.drain(..));
        }
        sender.join().expect("the sender");
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_receiver_that_is_released_leaves_what_waits_to_the_next() {
        let queue = Queue::new(3);
        assert!(matches!((queue.try_send(1), queue.try_send(2)), (Ok(1), Ok(2))));
        let mut taken = VecDeque::new();
        assert!(queue.receive(1, &mut taken) && taken == [1]);
        queue.release();
        assert!(!queue.receive(9, &mut taken) && taken == [1] && queue.taken() == 1);
        assert!(queue.receive(9, &mut taken) && taken == [1, 2]);
    }

    #[test]
    fn says_when_it_is_full_or_closed() {
        let queue = Queue::new(1);
        assert!(matches!(queue.try_send(1), Ok(1)));
        assert!(matches!(queue.try_send(2), Err(Rejected::Full(2))));
        queue.close();
        assert!(matches!(queue.try_send(3), Err(Rejected::Closed(3))));
        assert_eq!(queue.send(4), Err(4));
        let mut taken = VecDeque::new();
        assert!(queue.receive(9, &mut taken) && taken == [1] && !queue.receive(9, &mut taken));
    }
}
