//! What a process does: a day of a small town in which everything happens that is written down, and the afternoon after a
//! restart. Both do the same whenever they are run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_center::batch::{Batch, Position};
use data_center::sqlite::{LogBounds, SqliteHistory, backup};
use data_center::{
    Answer, DataCenter, Fatal, Loaded, Lost, Message, MessageChange, MessageState, NoticeId, Sqlite, Store, StoreError,
};
use transaction_processing::Request;
use transaction_processing::ids::{Iccid, Sequence};
use transaction_processing::number::Language;
use transaction_processing::proposal::Measure;
use transaction_processing::request::Action;
use transaction_processing::time::Moment;

use crate::town::{
    AGENT, AGENT_PHONE, FIRST_CUSTOMER, STRANGER, TZS, Town, Writing, code_to, moment, number, platform, policy,
};

/// A short sweep of the checkpoint, so that it goes round many times a day.
const SPAN: u64 = 60;

/// How many customers the town has.
const CUSTOMERS: u64 = 5;

/// Who copies SQLite's log, which is so small that it is copied and begun anew many times a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copying {
    /// The writer, so that each run makes the same calls in the same order.
    ByWriter,
    /// The thread beside it, as in service.
    ByThread,
}

impl Copying {
    fn bounds(self) -> LogBounds {
        match self {
            Copying::ByWriter => LogBounds { copied_from: i64::MAX, shared_from: 40, waits_from: i64::MAX },
            Copying::ByThread => LogBounds { copied_from: 40, shared_from: 10_000, waits_from: i64::MAX },
        }
    }
}

/// The database in a directory.
pub fn books(place: &Path) -> PathBuf {
    place.join("books.db")
}

/// The copy that the day makes of it.
pub fn copy(place: &Path) -> PathBuf {
    place.join("copy.db")
}

/// Told of each commit when it is durable.
pub type Durable = Box<dyn FnMut(&Position) + Send>;

/// The store, telling of each commit before anybody else is answered.
pub struct Observed {
    store: Sqlite,
    durable: Durable,
}

impl Store for Observed {
    type History = SqliteHistory;

    fn load(&mut self, window_seconds: u32, each: &mut dyn FnMut(Loaded) -> Result<(), Fatal>) -> Result<(), Fatal> {
        self.store.load(window_seconds, each)
    }

    fn append(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError> {
        self.store.append(batch)?;
        batch.position().into_iter().for_each(|position| (self.durable)(position));
        Ok(())
    }

    fn history(&self) -> Result<SqliteHistory, StoreError> {
        self.store.history()
    }

    fn is_restored(&self) -> Result<bool, StoreError> {
        self.store.is_restored()
    }

    fn watch(&mut self, lost: Lost) {
        self.store.watch(lost);
    }
}

/// Opens the books in a directory, as the service does.
///
/// # Errors
/// [`Fatal`].
pub fn open(place: &Path, copying: Copying, durable: Durable) -> Result<DataCenter<Observed>, Fatal> {
    let store = Sqlite::with_log(&books(place), &[TZS], copying.bounds())?;
    DataCenter::with_span(Observed { store, durable }, policy(), &[TZS], SPAN)
}

/// A batch of requests that was asked.
#[derive(Clone)]
pub struct Asked {
    /// The end of the chain before it.
    pub before: [u8; 32],
    /// When.
    pub moment: Moment,
    writing: Writing,
    make: Arc<Make>,
}

/// Makes requests; from the same writing the same.
type Make = dyn Fn(&mut Writing) -> Vec<Request> + Send + Sync;

impl Asked {
    /// The same requests again, with the same keys.
    pub fn again(&self) -> Vec<Request> {
        (self.make)(&mut self.writing.clone())
    }
}

/// A town at work: what became of messages goes along with the next requests.
struct Day {
    town: Town<Observed>,
    told: Vec<MessageChange>,
    asked: Vec<Asked>,
}

const fn customer(index: u64) -> u64 {
    FIRST_CUSTOMER + index % CUSTOMERS
}

impl Day {
    fn try_batch(
        &mut self,
        make: impl Fn(&mut Writing) -> Vec<Request> + Send + Sync + 'static,
    ) -> Result<Vec<Answer>, Fatal> {
        let (before, writing) = (self.town.center.position().head, self.town.writing.clone());
        let requests = make(&mut self.town.writing);
        let answers = self.town.try_batch(requests, std::mem::take(&mut self.told))?;
        if self.town.center.position().head != before {
            self.asked.push(Asked { before, moment: moment(self.town.millis), writing, make: Arc::new(make) });
        }
        answers.iter().for_each(|answer| self.tell(answer));
        Ok(answers)
    }

    fn batch(&mut self, make: impl Fn(&mut Writing) -> Vec<Request> + Send + Sync + 'static) -> Vec<Answer> {
        self.try_batch(make).expect("a commit")
    }

    fn one(&mut self, make: impl Fn(&mut Writing) -> Request + Send + Sync + 'static) -> Answer {
        self.batch(move |writing| vec![make(writing)]).remove(0)
    }

    /// Its first message is delivered and its code erased; of the others it stays open what became of them.
    fn tell(&mut self, answer: &Answer) {
        let Some(sequence) = answer.row else { return };
        for notice in 0..answer.notices.len() as u8 {
            let states: &[_] = match notice {
                0 => &[MessageState::Sending, MessageState::Sent, MessageState::Delivered],
                1 => &[MessageState::Sending, MessageState::Retrying],
                _ => &[MessageState::Sending],
            };
            for state in states {
                self.told.push(MessageChange::Stands(Message {
                    notice: NoticeId { sequence, notice },
                    state: *state,
                    attempts: 1,
                    centre: Some(1),
                    message_id: Some(format!("{:x}", sequence.0)),
                    at: moment(self.town.millis).time,
                }));
            }
        }
    }

    /// Money is sent, claimed, recalled and refused.
    fn dealings(&mut self, index: u64) {
        let (a, b, payee) = (customer(index), customer(index + 1), STRANGER + index);
        let direct = self.one(move |writing| writing.transfer(a, b, 5_000 + index as i64));
        let direct = direct.transfer.expect("it was sent");
        let waiting = self.one(move |writing| writing.transfer(a, payee, 600_000));
        let password = code_to(&waiting, payee);
        let query = self.one(move |writing| writing.query(payee, password, AGENT));
        let code = code_to(&query, payee);
        self.batch(move |writing| vec![writing.claim(AGENT_PHONE, payee, 600_000, code), writing.recall(a, direct)]);
        self.batch(move |writing| {
            let wrong = writing.transfer_with(b, a, 100, 1);
            let left = writing.transfer(b, payee, 700);
            vec![wrong, writing.language(b, Language::Swahili), left, writing.agree(b, direct)]
        });
        self.one(move |writing| writing.statement(a));
        let last = self.town.center.position().next.0.saturating_sub(20);
        self.told.push(MessageChange::SettledTo(Sequence(last)));
        self.town.millis += 3_600_000;
    }

    /// Many small transfers, a few in a batch.
    fn traffic(&mut self, batches: u64) -> Result<(), Fatal> {
        for index in 0..batches {
            self.try_batch(move |writing| {
                let transfer = |n| writing.transfer(customer(index + n), customer(index + n + 2), 10 + index as i64);
                (0..3).map(transfer).collect()
            })?;
        }
        Ok(())
    }
}

/// What is told of each commit, made anew for each opening of the books.
pub type Tell<'a> = &'a mut dyn FnMut() -> Durable;

/// A whole day: a town is founded and deals; the service is stopped and started; a backup is taken while money moves.
///
/// # Panics
/// Where a commit fails: the process stops.
pub fn day(place: &Path, copying: Copying, tell: Tell<'_>) -> Vec<Asked> {
    let center = open(place, copying, tell()).expect("new books");
    let mut town = Town::found(center, 10_000_000_000);
    town.settle(0..CUSTOMERS, 50_000_000);
    let mut day = Day { town, told: Vec::new(), asked: Vec::new() };
    (0..3).for_each(|index| day.dealings(index));
    day.traffic(4).expect("a commit");

    let Day { town, told, asked } = day;
    let Town { center, writing, .. } = town;
    drop(center);
    let center = open(place, copying, tell()).expect("the books again");
    let mut day = Day { town: Town::returning(center, writing), told, asked };
    day.dealings(3);
    backup(&books(place), &copy(place), &mut |_, _| {
        // Its reading holds on to the log, so that only a part of it is copied into the database meanwhile.
        day.dealings(4);
        day.traffic(6).expect("a commit");
    })
    .expect("a backup");
    day.dealings(5);
    let card = Iccid::new(89_255_000_000_000_000_001).expect("a card");
    day.town.measure(Measure::BindCard { msisdn: number(customer(0)), iccid: card });
    day.town.millis += 8 * 24 * 3_600_000;
    let now = moment(day.town.millis).time;
    let expired: Vec<_> = day.town.center.books().expired(now, 100).collect();
    day.batch(move |_| expired.iter().map(|id| platform(Action::Expire(*id))).collect());
    day.traffic(4).expect("a commit");
    day.asked
}

/// What follows a restart: customers, where there are any yet, go on sending money.
///
/// # Errors
/// [`Fatal`].
pub fn afternoon(place: &Path, copying: Copying, tell: Tell<'_>) -> Result<Vec<Asked>, Fatal> {
    let center = open(place, copying, tell())?;
    let written = center.position().next.0 * 1_000;
    let town = Town::returning(center, Writing { written, drawn: 1_000_000 });
    let mut day = Day { town, told: Vec::new(), asked: Vec::new() };
    day.traffic(6)?;
    Ok(day.asked)
}
