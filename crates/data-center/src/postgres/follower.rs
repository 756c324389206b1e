//! A process that does not decide: its books follow the log that another process writes, and once that one has lost the lease
//! it takes over with what it has in memory, however large the books are.
//!
//! What it reads is checked as it comes: each row must continue the chain. So a log that lost rows which were seen here, after a
//! failover that a commit had not waited for, ends the process, and it starts from what is there.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::Sequence;
use transaction_processing::number::Number;
use transaction_processing::policy::Policy;
use transaction_processing::{Books, Currency, Request};

use super::lease::Holder;
use super::reading::PostgresHistory;
use super::session::is_unknown;
use super::settings::{InUse, Settings};
use super::{Postgres, found};
use crate::center::DataCenter;
use crate::load::load;
use crate::reading::{Reading as _, STRETCH, damaged};
use crate::recovered::Recovered;
use crate::store::{Fatal, Store, StoreError};
use crate::sweep::SPAN;
use crate::writer::{Reply, Undecided};

/// How often the log is read for new rows.
const POLL: Duration = Duration::from_millis(50);

/// How often it is asked who has the lease.
const LOOK: Duration = Duration::from_millis(200);

/// How often the checkpoint's place is asked for.
const TRIM: Duration = Duration::from_secs(10);

/// What is done outside the books by a process that follows. Nothing here may wait.
pub trait Edge: Send + Sync + 'static {
    /// Brings a request to whoever decides, and its answer to `reply`. A reply that is dropped says that there is no answer.
    fn hand_over(&self, request: Request, reply: Reply);
    /// This one decides, or did last.
    fn decides(&self, holder: &Holder);
    /// A number stands so now.
    fn learn(&self, number: &Number);
    /// The books have everything before this row, which was all there was.
    fn is_level(&self, next: Sequence);
    /// The server cannot be asked.
    fn is_cut(&self, error: &StoreError);
}

/// Ends a follower, or has it look for new rows at once.
#[derive(Clone)]
pub struct Stop(SyncSender<bool>);

impl Stop {
    /// Ends it.
    pub fn stop(&self) {
        // Gone already where nobody listens.
        let _ = self.0.send(true);
    }

    /// There are new rows.
    pub fn wake(&self) {
        // Where there is no room it is about to look anyway.
        let _ = self.0.try_send(false);
    }
}

/// A process that follows: its books are those of a log that another one writes, until it takes over.
pub struct Follower {
    settings: Settings,
    currencies: Vec<Currency>,
    reader: PostgresHistory,
    recovered: Arc<Mutex<Recovered>>,
    woken: Receiver<bool>,
}

impl Follower {
    /// Recovers the books beside whoever writes them. An empty database is made one of ours.
    ///
    /// # Errors
    /// [`Fatal`]: not to be reached, not safe, of a later version, or damaged.
    pub fn open(settings: Settings, policy: Policy, currencies: &[Currency]) -> Result<(Follower, Stop), Fatal> {
        Follower::with_span(settings, policy, currencies, SPAN)
    }

    /// The same with a checkpoint that sweeps in `span` rows, as the one that decides does it.
    ///
    /// # Errors
    /// As [`Follower::open`].
    pub fn with_span(
        mut settings: Settings,
        policy: Policy,
        currencies: &[Currency],
        span: u64,
    ) -> Result<(Follower, Stop), Fatal> {
        settings.in_use = InUse::Refuse;
        drop(found(&settings)?);
        let window = policy.repeat_window_seconds;
        // Of one moment: the checkpoint moves meanwhile.
        let mut reader = PostgresHistory::open(&settings)?.at_one_moment()?;
        let recovered = Recovered::load(policy, currencies, span, |each| load(&mut reader, window, each))?;
        let reader = PostgresHistory::open(&settings)?;
        let (wake, woken) = sync_channel(1);
        let (recovered, currencies) = (Arc::new(Mutex::new(recovered)), currencies.to_vec());
        Ok((Follower { settings, currencies, reader, recovered, woken }, Stop(wake)))
    }

    /// Asks the books.
    pub fn read<R>(&self, question: impl FnOnce(&Books) -> R) -> R {
        question(&lock(&self.recovered).books)
    }

    /// Follows until the lease is this process's, and gives the books with the store that is its own now; none where it was
    /// stopped before. What waits in `undecided` is answered or handed over meanwhile, and left there from then on.
    ///
    /// # Errors
    /// [`Fatal`]: the books cannot follow the log. A server that cannot be reached is waited for.
    pub fn run<S: Store>(
        self,
        undecided: &Arc<Undecided>,
        edge: &Arc<impl Edge>,
        adopt: impl FnOnce(Postgres) -> S,
    ) -> Result<Option<DataCenter<S>>, Fatal> {
        let (books, waiting, doors) = (Arc::clone(&self.recovered), Arc::clone(undecided), Arc::clone(edge));
        let serve = move || {
            let ask = |question: &mut dyn FnMut(&Books)| question(&lock(&books).books);
            waiting.serve(ask, |request, reply| doors.hand_over(request, reply));
        };
        let serving = thread::Builder::new().name("edge".into()).spawn(serve).map_err(|_| Fatal::Thread)?;
        let Follower { settings, currencies, mut reader, recovered, woken } = self;
        let mut following =
            Following { settings: &settings, reader: &mut reader, recovered: &recovered, edge: &**edge };
        let taken = following.until_taken(&currencies, &woken);
        undecided.release();
        serving.join().map_err(|_| Fatal::Thread)?;
        let Some(store) = taken? else { return Ok(None) };
        let recovered = Arc::into_inner(recovered).ok_or(Fatal::Thread)?;
        let recovered = recovered.into_inner().unwrap_or_else(PoisonError::into_inner);
        DataCenter::resume(adopt(store), recovered).map(Some)
    }
}

struct Following<'a, E> {
    settings: &'a Settings,
    reader: &'a mut PostgresHistory,
    recovered: &'a Mutex<Recovered>,
    edge: &'a E,
}

impl<E: Edge> Following<'_, E> {
    fn until_taken(&mut self, currencies: &[Currency], woken: &Receiver<bool>) -> Result<Option<Postgres>, Fatal> {
        let (mut looked, mut trimmed) = (None::<Instant>, Instant::now());
        loop {
            let is_due = looked.is_none_or(|at| at.elapsed() >= LOOK);
            match self.turn(is_due, trimmed.elapsed() >= TRIM) {
                Ok(Some(holder)) if holder.left.is_zero() => match Postgres::open(self.settings.clone(), currencies) {
                    Ok(store) => return self.level_with(store).map(Some),
                    // Another one was faster, or the server is on its way out.
                    Err(StoreError::InUse { .. }) => {}
                    Err(error) if is_unknown(&error) => self.edge.is_cut(&error),
                    Err(error) => return Err(error.into()),
                },
                Ok(_) => {}
                Err(Fatal::Store(error)) if is_unknown(&error) => self.edge.is_cut(&error),
                Err(fatal) => return Err(fatal),
            }
            if is_due {
                looked = Some(Instant::now());
            }
            if trimmed.elapsed() >= TRIM {
                trimmed = Instant::now();
            }
            match woken.recv_timeout(POLL) {
                Ok(false) | Err(RecvTimeoutError::Timeout) => {}
                Ok(true) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// Reads what is new; and, where it is due, who has the lease and what the checkpoint has.
    fn turn(&mut self, look: bool, trim: bool) -> Result<Option<Holder>, Fatal> {
        self.catch_up()?;
        if trim && let Some(position) = self.reader.position()? {
            let mut recovered = lock(self.recovered);
            recovered.follow(position);
            if position.next < recovered.position.next {
                return Err(gone(position.next).into());
            }
        }
        if !look {
            return Ok(None);
        }
        let holder = Holder::look(self.reader)?;
        self.edge.decides(&holder);
        Ok(Some(holder))
    }

    /// Enters every row that is there and not in the books.
    fn catch_up(&mut self) -> Result<(), Fatal> {
        loop {
            let next = lock(self.recovered).books.next();
            let stretch = self.reader.stretch(next, STRETCH)?;
            let mut recovered = lock(self.recovered);
            for stored in &stretch.rows {
                let row = stored.row()?;
                if row.link(&recovered.position.head, stretch.changes(row), stretch.notices(row)) != row.chain {
                    return Err(gone(row.sequence).into());
                }
                let decoded = stretch.decode(stored, false)?;
                recovered.enter(&decoded, row.chain)?;
                self.learn(&decoded);
            }
            let next = recovered.books.next();
            drop(recovered);
            if stretch.rows.len() < STRETCH {
                self.edge.is_level(next);
                return Ok(());
            }
        }
    }

    fn learn(&self, row: &Row) {
        for change in &row.changes {
            if let Change::Number(number) = change {
                self.edge.learn(number);
            }
        }
    }

    /// With the lease nobody else writes: what is left is read, and the books must stand where the log ends.
    fn level_with(&mut self, store: Postgres) -> Result<Postgres, Fatal> {
        // Of the server that can be written now: the one that was read so far may stand behind it.
        *self.reader = PostgresHistory::open(self.settings)?;
        self.catch_up()?;
        let position = self.reader.position()?.ok_or_else(|| damaged(Sequence(0), "there is no position"))?;
        if position.head == store.head && lock(self.recovered).follow(position) {
            return Ok(store);
        }
        Err(gone(position.next).into())
    }
}

/// The log does not continue what was read of it.
fn gone(at: Sequence) -> StoreError {
    StoreError::LeaseLost(format!("the log continues otherwise at row {} than it was read here", at.0))
}

fn lock(recovered: &Mutex<Recovered>) -> MutexGuard<'_, Recovered> {
    recovered.lock().unwrap_or_else(PoisonError::into_inner)
}
