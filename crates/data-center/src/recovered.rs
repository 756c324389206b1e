//! The books as a store has them, in memory: made of the checkpoint and the log after it, and kept level with a log that
//! another process writes.

use std::sync::mpsc::sync_channel;
use std::thread;

use transaction_processing::decision::Row;
use transaction_processing::policy::Policy;
use transaction_processing::{Books, Currency};

use crate::batch::Position;
use crate::store::{Fatal, Loaded, StoreError};
use crate::sweep::Sweep;

/// How many loaded things are handed over at once.
const CHUNK: usize = 1024;

/// So many keys weigh as much as another thing.
const KEYS_PER_ROW: usize = 16;

/// How many such chunks may wait to be entered.
const CHUNKS_AHEAD: usize = 8;

/// The books, what the checkpoint does not have of them, and where the log stands.
pub(crate) struct Recovered {
    pub(crate) books: Books,
    pub(crate) sweep: Sweep,
    pub(crate) position: Position,
}

type Each<'a> = &'a mut dyn FnMut(Loaded) -> Result<(), Fatal>;

impl Recovered {
    /// Enters what `read` hands over, which happens on a thread of its own: reading and decoding go on meanwhile.
    pub(crate) fn load(
        policy: Policy,
        currencies: &[Currency],
        span: u64,
        read: impl FnOnce(Each<'_>) -> Result<(), Fatal> + Send,
    ) -> Result<Recovered, Fatal> {
        let mut books = Books::new(policy, currencies);
        let mut position = Position::start();
        let mut sweep = Sweep::new((position.replay_from, position.replay_moment), span);
        load_beside(read, &mut |loaded| {
            match loaded {
                Loaded::Position(found) => {
                    position = found;
                    books.restore_position(found.replay_from, found.replay_moment);
                    sweep = Sweep::new((found.replay_from, found.replay_moment), span);
                }
                Loaded::Record(record) => books.restore(&record),
                Loaded::Keys(time, keys) => {
                    keys.into_iter().for_each(|(row, key)| books.restore_memory(key, row, time));
                }
                Loaded::Row(row) => {
                    books.replay(&row)?;
                    sweep.note(&row);
                }
            }
            Ok(())
        })?;
        if books.next() != position.next {
            let told =
                format!("the log ends before row {}, but row {} was to be next", books.next().0, position.next.0);
            return Err(StoreError::Damaged(told).into());
        }
        books.add_up()?;
        Ok(Recovered { books, sweep, position })
    }

    /// Enters a row that another process has committed; `head` is its link of the chain.
    pub(crate) fn enter(&mut self, row: &Row, head: [u8; 32]) -> Result<(), Fatal> {
        self.books.replay(row)?;
        self.sweep.note(row);
        self.position.next = self.books.next();
        self.position.moment = self.books.moment();
        self.position.head = head;
        Ok(())
    }

    /// Takes over where the log stands, as its store says it at this moment, and forgets what the checkpoint has by now.
    /// Whether the books stand there too; where they do not, rows are missing, or the log is another one.
    pub(crate) fn follow(&mut self, position: Position) -> bool {
        let here = (self.books.next(), self.books.moment());
        let books = &mut self.books;
        self.sweep.follow((position.replay_from, position.replay_moment), here, &mut |id| books.forget_closed(id));
        let is_level = (position.next, position.head) == (self.position.next, self.position.head);
        if is_level {
            self.position = position;
        }
        is_level
    }
}

fn load_beside(read: impl FnOnce(Each<'_>) -> Result<(), Fatal> + Send, each: Each<'_>) -> Result<(), Fatal> {
    let (give, take) = sync_channel::<Vec<Loaded>>(CHUNKS_AHEAD);
    thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let (mut chunk, mut weight) = (Vec::new(), 0);
            let read = read(&mut |loaded| {
                weight += match &loaded {
                    Loaded::Keys(_, keys) => 1 + keys.len() / KEYS_PER_ROW,
                    _ => 1,
                };
                chunk.push(loaded);
                if weight >= CHUNK {
                    weight = 0;
                    let full = std::mem::take(&mut chunk);
                    // Nobody takes it any more where entering failed; that error is the one to tell.
                    give.send(full).map_err(|_| Fatal::Thread)?;
                }
                Ok(())
            });
            // The same.
            let _ = give.send(chunk);
            read
        });
        // Consumed here, so that a failure closes the channel and ends the reading.
        let entered = take.into_iter().flatten().try_for_each(each);
        let read = reading.join().unwrap_or(Err(Fatal::Thread));
        entered.and(read)
    })
}
