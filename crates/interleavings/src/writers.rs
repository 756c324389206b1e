//! The writer: its threads `decide` and `commit`, and whoever feeds them.

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::mpsc::{Receiver, channel};
use shuttle::sync::{Arc, Mutex};
use shuttle::thread;
use transaction_processing::Request;
use transaction_processing::request::{Action, Origin, RequestKey};
use transaction_processing::requests::help;
use transaction_processing::time::Moment;

use crate::center::{DataCenter, Decider, number_of};
use crate::house::{Event, Log};
use crate::messages::MessageChange;
use crate::store::{Disk, Fatal, Lost, StoreError};
use crate::writer::{Bounds, Place, Refused, Stopped, Undecided, Unrecorded, Writer};

const SENDERS: u64 = 2;
const EACH: u64 = 3;
/// A queue that is often full, and batches that do not take all of it.
const BOUNDS: Bounds = Bounds { batch: 2, queue: 2 };
const TAKEN: &str = "another has it";
/// More than ever happens.
const ALWAYS: usize = 1_000;

fn request(number: u64) -> Request {
    let key = RequestKey([u8::try_from(number).expect("few"); 16]);
    Request { key: Some(key), origin: Origin::Platform, action: Action::Help(help::Fields) }
}

/// A writer at work, and what is seen of it.
struct House {
    log: Log,
    lost: Arc<Mutex<Option<Lost>>>,
    ended: Receiver<Result<(), Fatal>>,
    /// One more of it is held by each reply that may still be given.
    replies: Arc<()>,
}

impl House {
    /// Begins to decide what comes in; so many decisions and calls of the store succeed.
    fn start<const AHEAD: usize>(undecided: &Undecided, decisions: usize, calls: usize) -> House {
        let (log, lost) = (Log::default(), Arc::default());
        let store = Disk::<AHEAD> { log: log.clone(), sound: calls, lost: Arc::clone(&lost) };
        let center = DataCenter { decider: Decider::new(log.clone(), decisions), store };
        let (end, ended) = channel();
        let told = log.clone();
        let durable = move |place: Place| told.add(Event::Durable(place.0));
        let tell = move |result| end.send(result).expect("whoever waits for the end");
        undecided.start(center, Moment::default, durable, tell).expect("threads");
        House { log, lost, ended, replies: Arc::default() }
    }

    /// Something that brings requests from `first` on, and looks at the books; how many requests were taken.
    fn sender(&self, writer: &Writer, first: u64) -> thread::JoinHandle<u64> {
        let (writer, log, replies) = (writer.clone(), self.log.clone(), Arc::clone(&self.replies));
        thread::spawn(move || {
            let submit = |number| {
                let (log, held) = (log.clone(), Arc::clone(&replies));
                writer.submit(request(number), move |answer| {
                    assert_eq!(answer.0, number, "the answer to another");
                    log.add(Event::Answered(number));
                    drop(held);
                })
            };
            let taken = (first..first + EACH).take_while(|number| submit(*number).is_ok()).count();
            let asked = writer.read(|books| books.next().0);
            assert!(matches!(asked, Ok(1) | Err(Stopped)));
            taken as u64
        })
    }

    /// Something that records messages from `first` on; their places.
    fn recorder(&self, writer: &Writer, first: u64) -> thread::JoinHandle<Vec<(u64, Place)>> {
        let writer = writer.clone();
        let record = move |number| match writer.try_record(MessageChange(number)) {
            Ok(place) => Some((number, place)),
            Err(Unrecorded::Full(change)) => writer.record(change).ok().map(|place| (number, place)),
            Err(Unrecorded::Stopped) => None,
        };
        thread::spawn(move || (first..first + EACH).map_while(record).collect())
    }

    /// Waits for the end, which comes once; and what happened until then is in order.
    fn end<const AHEAD: usize>(&self) -> (Result<(), Fatal>, Told) {
        let how = self.ended.recv().expect("an end");
        assert!(self.ended.recv().is_err(), "it ended twice");
        (how, judge(&self.log.all(), AHEAD))
    }

    /// Nobody waits for a reply that never comes.
    fn is_quiet(&self) -> bool {
        Arc::strong_count(&self.replies) == 1
    }
}

/// What became of what was brought.
#[derive(Default)]
struct Told {
    closed: Vec<(Vec<u64>, Vec<u64>)>,
    answered: Vec<u64>,
    durable: Vec<(u64, usize)>,
    failed: bool,
}

impl Told {
    fn requests(&self) -> Vec<u64> {
        self.closed.iter().flat_map(|(requests, _)| requests.clone()).collect()
    }

    /// Every message that has a place is in a batch that was settled before that place was said to be durable.
    fn has_messages(&self, places: &[(u64, Place)]) -> bool {
        places.iter().all(|(number, place)| {
            let said = self.durable.iter().find(|(durable, _)| *durable >= place.0);
            said.is_some_and(|(_, done)| self.closed[..*done].iter().any(|(_, messages)| messages.contains(number)))
        })
    }
}

/// Batches are brought to the store in the order in which they were decided, no more of them at once than may be; each is
/// durable before that is said, and each request is answered once, after that, in order. After a failure nothing is done.
fn judge(events: &[Event], ahead: usize) -> Told {
    let mut told = Told::default();
    let (mut appended, mut settled, mut acknowledged, mut done) = (0, 0, 0, 0);
    // A batch with nothing to store passes the store by.
    let is_stored = |(requests, messages): &(Vec<u64>, Vec<u64>)| {
        !messages.is_empty() || requests.iter().any(|number| number % 5 != 0)
    };
    for event in events {
        let stored = told.closed.iter().filter(|batch| is_stored(batch)).count();
        match event {
            Event::Closed(requests, messages) => {
                told.closed.push((requests.clone(), messages.clone()));
                // One beyond those under way waits to be handed over.
                assert!(told.closed.len() - done <= ahead + 1, "more is decided than may wait");
                assert!(told.closed.len() - acknowledged <= ahead + 1, "nobody tells of what is durable");
            }
            Event::Appended => {
                appended += 1;
                assert!(!told.failed && appended <= stored && appended - settled <= ahead, "brought too early");
            }
            Event::Settled => {
                settled += 1;
                assert!(!told.failed && settled <= appended, "settled before it was brought");
            }
            Event::Failed => {
                assert!(!told.failed, "the store was asked again");
                told.failed = true;
            }
            Event::Acknowledged => acknowledged += 1,
            Event::Durable(place) => {
                done += 1;
                let needed = told.closed[..done].iter().filter(|batch| is_stored(batch)).count();
                assert!(!told.failed && settled == needed, "said to be durable and is not");
                assert!(told.durable.last().is_none_or(|(before, _)| before < place), "places fall");
                told.durable.push((*place, done));
            }
            Event::Answered(number) => {
                let in_order: Vec<u64> =
                    told.closed[..done].iter().flat_map(|(requests, _)| requests.clone()).collect();
                assert_eq!(in_order.get(told.answered.len()), Some(number), "answered early, twice or out of order");
                told.answered.push(*number);
            }
        }
        assert!(acknowledged <= done + 1, "told of more than is durable");
    }
    told
}

/// Several who bring requests and messages and ask the books: everything is durable, answered once and in order, and the
/// writer ends when the last of them is gone.
pub fn everything_is_answered_once_it_is_durable<const AHEAD: usize>() {
    let (writer, undecided) = Writer::undecided(BOUNDS);
    let house = House::start::<AHEAD>(&undecided, ALWAYS, ALWAYS);
    let senders: Vec<_> = (0..SENDERS).map(|sender| house.sender(&writer, sender * EACH)).collect();
    let recorder = house.recorder(&writer, 100);
    drop(writer);
    let taken: u64 = senders.into_iter().map(|sender| sender.join().expect("a sender")).sum();
    let places = recorder.join().expect("a recorder");
    let (how, told) = house.end::<AHEAD>();
    assert_eq!((how, taken, places.len() as u64), (Ok(()), SENDERS * EACH, EACH));
    assert_eq!(told.answered, told.requests());
    assert_eq!(told.answered.len() as u64, taken, "every request is answered");
    assert!(told.has_messages(&places) && house.is_quiet());
}

/// A writer that is stopped while others send: what it took is answered, what it did not take is given back.
pub fn a_writer_that_is_stopped_answers_what_it_took() {
    let (writer, undecided) = Writer::undecided(BOUNDS);
    let house = House::start::<1>(&undecided, ALWAYS, ALWAYS);
    let sender = house.sender(&writer, 0);
    let patient = {
        let (writer, log) = (writer.clone(), house.log.clone());
        thread::spawn(move || match writer.try_submit(request(50), Box::new(move |_| log.add(Event::Answered(50)))) {
            Ok(()) => 1,
            Err(Refused::Full(back, _) | Refused::Stopped(back, _)) => {
                assert_eq!(number_of(&back), 50);
                0
            }
        })
    };
    writer.stop();
    let taken = sender.join().expect("a sender") + patient.join().expect("a sender");
    let (how, told) = house.end::<1>();
    assert_eq!((how, told.answered.len() as u64), (Ok(()), taken));
    assert!(house.is_quiet() && writer.submit(request(60), |_| {}).is_err());
}

/// A store that fails at any call: nothing is done after it, nothing is answered that is not durable, and everybody comes back.
pub fn a_store_that_fails_keeps_nobody<const AHEAD: usize>() {
    let (writer, undecided) = Writer::undecided(BOUNDS);
    let house = House::start::<AHEAD>(&undecided, ALWAYS, thread_rng().gen_range(0..4));
    let senders: Vec<_> = (0..SENDERS).map(|sender| house.sender(&writer, 1 + sender * EACH)).collect();
    let recorder = house.recorder(&writer, 100);
    let (how, told) = house.end::<AHEAD>();
    assert_eq!((how, told.failed), (Err(Fatal::Store(StoreError::Full)), true));
    senders.into_iter().for_each(|sender| assert!(sender.join().expect("a sender") <= EACH));
    recorder.join().expect("a recorder");
    assert!(house.is_quiet() && writer.submit(request(60), |_| {}).is_err());
}

/// A store that fails when nothing comes behind: the writer ends all the same.
pub fn a_store_that_fails_at_the_last_batch_ends_the_writer() {
    let (writer, undecided) = Writer::undecided(BOUNDS);
    let house = House::start::<2>(&undecided, ALWAYS, thread_rng().gen_range(0..2));
    assert!(writer.submit(request(1), |_| unreachable!("nothing is durable")).is_ok());
    assert_eq!(house.end::<2>().0, Err(Fatal::Store(StoreError::Full)));
    assert!(writer.submit(request(2), |_| {}).is_err());
}

/// A decision that cannot be made: what was decided before it is durable and answered, and everybody comes back.
pub fn a_decision_that_fails_keeps_nobody() {
    let (writer, undecided) = Writer::undecided(BOUNDS);
    let house = House::start::<2>(&undecided, thread_rng().gen_range(0..4), ALWAYS);
    let senders: Vec<_> = (0..SENDERS).map(|sender| house.sender(&writer, 1 + sender * EACH)).collect();
    let (how, told) = house.end::<2>();
    assert_eq!((how, told.answered.clone()), (Err(Fatal::Endless), told.requests()));
    senders.into_iter().for_each(|sender| assert!(sender.join().expect("a sender") <= EACH));
    assert!(house.is_quiet());
}

/// A store that is lost while nothing, or anything, is under way: the writer ends and says so, and everybody comes back.
pub fn a_lost_store_keeps_nobody() {
    let (writer, undecided) = Writer::undecided(BOUNDS);
    let house = House::start::<1>(&undecided, ALWAYS, ALWAYS);
    let sender = house.sender(&writer, 0);
    let lost = house.lost.lock().expect("a store").take().expect("whom to tell");
    let loser = thread::spawn(move || lost(StoreError::LeaseLost(TAKEN.to_owned())));
    let (how, _) = house.end::<1>();
    assert_eq!(how, Err(Fatal::Store(StoreError::LeaseLost(TAKEN.to_owned()))));
    sender.join().expect("a sender");
    loser.join().expect("whoever tells");
    assert!(house.is_quiet() && writer.submit(request(60), |_| {}).is_err());
}

/// What waits before a writer that does not decide is handed over until it decides; from then on it is decided. Each request
/// goes one of both ways, and questions are answered all along.
pub fn what_waits_is_handed_over_or_decided() {
    let (writer, undecided) = Writer::undecided(BOUNDS);
    let undecided = Arc::new(undecided);
    let handed: Arc<Mutex<Vec<u64>>> = Arc::default();
    let log = Log::default();
    let serving = {
        let (undecided, handed) = (Arc::clone(&undecided), Arc::clone(&handed));
        thread::spawn(move || {
            let books = Decider::<()>::new(Log::default(), 0);
            let hand_over = |request: Request, _| handed.lock().expect("a list").push(number_of(&request));
            undecided.serve(|question| question(books.books()), hand_over);
        })
    };
    let sender = {
        let (writer, log) = (writer.clone(), log.clone());
        thread::spawn(move || {
            for number in 1..=2 * EACH {
                let log = log.clone();
                writer.submit(request(number), move |_| log.add(Event::Answered(number))).expect("a writer");
            }
            assert_eq!(writer.read(|books| books.next().0), Ok(1));
        })
    };
    undecided.release();
    serving.join().expect("an end");
    let house = House::start::<1>(&undecided, ALWAYS, ALWAYS);
    let place = writer.record(MessageChange(100)).expect("a writer");
    sender.join().expect("a sender");
    drop(writer);
    let (how, told) = house.end::<1>();
    assert!(how == Ok(()) && told.has_messages(&[(100, place)]), "places go on where they were");
    let mut all = handed.lock().expect("a list").clone();
    let answered = log.all().into_iter().filter_map(|event| match event {
        Event::Answered(number) => Some(number),
        _ => None,
    });
    all.extend(answered);
    assert!(all.iter().copied().eq(1..=2 * EACH), "{all:?}");
}
