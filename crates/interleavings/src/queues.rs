//! The bounded queue before the writer.

use std::collections::VecDeque;

use shuttle::sync::{Arc, Mutex};
use shuttle::thread;

use crate::queue::{Queue, Rejected};

const SENDERS: u64 = 3;
const EACH: u64 = 3;
const BOUND: usize = 2;

/// Three senders and a receiver over a queue that is often full and often empty: everything comes once, in the order of its
/// place, and nobody waits for ever.
pub fn everything_comes_in_order() {
    let queue = Arc::new(Queue::new(BOUND));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let places: Vec<u64> =
                    (0..EACH).map(|number| queue.send((sender, number)).expect("the queue is open")).collect();
                assert!(places.is_sorted());
                places
            })
        })
        .collect();
    let receiver = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            let (mut all, mut taken) = (Vec::new(), VecDeque::new());
            while queue.receive(usize::MAX, &mut taken) {
                assert!((1..=BOUND).contains(&taken.len()), "{} at once", taken.len());
                all.extend(taken.drain(..));
            }
            all
        })
    };
    let mut places: Vec<((u64, u64), u64)> = Vec::new();
    for (sender, joined) in (0..).zip(senders) {
        let given = joined.join().expect("a sender");
        places.extend((0..).zip(given).map(|(number, place)| ((sender, number), place)));
    }
    queue.close();
    places.sort_by_key(|(_, place)| *place);
    let sent: Vec<(u64, u64)> = places.into_iter().map(|(value, _)| value).collect();
    assert_eq!(receiver.join().expect("the receiver"), sent);
}

/// A queue that is closed while others send: what was taken from a sender is received, what was not is given back.
pub fn a_closed_queue_gives_what_it_took() {
    let queue = Arc::new(Queue::new(1));
    let taken_from = Arc::new(Mutex::new(0_u64));
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| {
            let (queue, taken_from) = (Arc::clone(&queue), Arc::clone(&taken_from));
            thread::spawn(move || match queue.send(number) {
                Ok(_) => *taken_from.lock().expect("a count") += 1,
                Err(back) => assert_eq!(back, number),
            })
        })
        .collect();
    let closer = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || queue.close())
    };
    let (mut count, mut taken) = (0_u64, VecDeque::new());
    while queue.receive(1, &mut taken) {
        count += 1;
        taken.clear();
    }
    senders.into_iter().for_each(|sender| sender.join().expect("a sender"));
    closer.join().expect("the closer");
    assert_eq!(count, *taken_from.lock().expect("a count"));
    assert!(matches!(queue.try_send(9), Err(Rejected::Closed(9))));
}

/// Room for several wakes several: nobody waits for the next time that something is taken.
pub fn room_for_all_is_told_to_all() {
    let queue = full();
    let senders = waiting_senders(&queue);
    let mut taken = VecDeque::new();
    assert!(queue.receive(usize::MAX, &mut taken));
    assert!(senders.into_iter().all(|sender| sender.join().expect("a sender")), "a sender was refused");
}

/// A queue that is closed gives back what waits for room, though nobody receives any more.
pub fn a_closed_queue_keeps_no_sender() {
    let queue = full();
    let senders = waiting_senders(&queue);
    queue.close();
    assert!(!senders.into_iter().any(|sender| sender.join().expect("a sender")), "a sender found room");
}

fn full() -> Arc<Queue<u64>> {
    let queue = Arc::new(Queue::new(BOUND));
    (0..).take_while(|number| queue.try_send(*number).is_ok()).for_each(drop);
    queue
}

/// As many as there is room for when all is taken; whether each got in.
fn waiting_senders(queue: &Arc<Queue<u64>>) -> Vec<thread::JoinHandle<bool>> {
    let send = |queue: Arc<Queue<u64>>| thread::spawn(move || queue.send(9).is_ok());
    (0..BOUND).map(|_| send(Arc::clone(queue))).collect()
}

/// A receiver that is released leaves what it did not take to the next one.
pub fn a_released_receiver_leaves_the_rest_to_the_next() {
    let queue = Arc::new(Queue::new(BOUND));
    let sender = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || (0..2 * EACH).for_each(|number| assert!(queue.send(number).is_ok())))
    };
    let receiver = || {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            let (mut all, mut taken) = (Vec::new(), VecDeque::new());
            while queue.receive(1, &mut taken) {
                all.extend(taken.drain(..));
            }
            all
        })
    };
    let first = receiver();
    queue.release();
    let mut all = first.join().expect("the first receiver");
    let second = receiver();
    sender.join().expect("the sender");
    queue.close();
    all.extend(second.join().expect("the second receiver"));
    assert!(all.iter().copied().eq(0..2 * EACH) && queue.taken() == 2 * EACH, "{all:?}");
}

/// A queue that is abandoned while others send and receive: everybody comes back, and nothing is left in it.
pub fn an_abandoned_queue_keeps_nobody() {
    let queue = Arc::new(Queue::new(1));
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.send(number).is_ok())
        })
        .collect();
    let receiver = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            let mut taken = VecDeque::new();
            while queue.receive(9, &mut taken) {}
            taken.len()
        })
    };
    queue.abandon();
    let sent = senders.into_iter().filter_map(|sender| sender.join().ok()).filter(|sent| *sent).count();
    let received = receiver.join().expect("the receiver");
    assert!(received <= sent && queue.is_empty(), "{received} of {sent}");
}

/// Those who do not wait: never more in the queue than its bound, and every refusal at a moment when it was full.
pub fn those_who_do_not_wait_keep_to_the_bound() {
    let queue = Arc::new(Queue::new(BOUND));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (0..EACH).filter(|number| queue.try_send((sender, *number)).is_ok()).count())
        })
        .collect();
    let (mut taken, mut received) = (VecDeque::new(), 0);
    for _ in 0..EACH {
        queue.try_receive(usize::MAX, &mut taken);
        assert!(taken.len() <= BOUND, "{} in a queue of {BOUND}", taken.len());
        received += taken.drain(..).len();
    }
    let sent: usize = senders.into_iter().map(|sender| sender.join().expect("a sender")).sum();
    assert!(sent >= BOUND, "a queue with room refused");
    queue.try_receive(usize::MAX, &mut taken);
    assert_eq!(received + taken.len(), sent);
}
