//! The one narrow trait between the books and what keeps them.

use std::path::PathBuf;
use std::sync::Arc;

use transaction_processing::books::Broken;
use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::request::RequestKey;
use transaction_processing::time::Time;
use transaction_processing::transfer::Transfer;

use crate::batch::{Batch, Position};
use crate::messages::Untold;
use crate::postgres;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no.
    #[error("the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL says no, or cannot be reached.
    #[error("the database: {0}")]
    Postgres(#[from] postgres::Problem),
    /// A file could not be used.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// How the database is to be reached does not go together.
    #[error("{0}")]
    Settings(String),
    /// Another process has the database.
    #[error("{database} is in use by {by}")]
    InUse {
        /// Which database.
        database: String,
        /// Who has it.
        by: String,
    },
    /// Another process took the database away from this one: what this one has in memory may be of the past.
    #[error("the database is not this process's any more: {0}")]
    LeaseLost(String),
    /// The software or its settings could damage the database or lose what was acknowledged.
    #[error("the database is not safe: {}", .0.join("; "))]
    Unsafe(Vec<String>),
    /// The database was written by a later program that this one cannot stand in for.
    #[error("the database needs version {least} of its schema or later; this program knows up to {known}")]
    TooNew {
        /// The least version that may write it.
        least: i64,
        /// What this program knows.
        known: i64,
    },
    /// A migration that was applied is not the one that this program has.
    #[error("migration {0} of the database is not the one that this program knows")]
    ForeignMigration(i64),
    /// A currency stands in the database with other decimal digits.
    #[error("currency {0} has other decimal digits in the database than in the configuration")]
    CurrencyDiffers(u16),
    /// What is stored is not what was written.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

/// Why a process must stop: nothing after it can be relied on. Restart recovers and verifies.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The store failed: what it has now is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An invariant of the books is broken.
    #[error("an invariant of the books is broken: {0:?}")]
    Broken(Broken),
    /// A decision asked for ever more closed records.
    #[error("a decision found no end of missing records")]
    Endless,
    /// One of the writer's threads could not be started or ended by a panic.
    #[error("a thread of the writer is gone")]
    Thread,
}

impl From<Broken> for Fatal {
    fn from(broken: Broken) -> Fatal {
        Fatal::Broken(broken)
    }
}

/// What loading hands over, in this order.
pub enum Loaded {
    /// Where the log stands; first, and once.
    Position(Position),
    /// A record of the checkpoint. An account comes as [`Change::Opened`] with its balance.
    Record(Change),
    /// Messages of one moment before [`Position::replay_from`] that are still remembered.
    Keys(Time, Vec<(Sequence, RequestKey)>),
    /// A row of the log from [`Position::replay_from`] on, without its notices.
    Row(Row),
}

/// Where the books live durably. One process has it; inside, one thread appends and others look up through
/// [`Store::history`].
pub trait Store: Send + 'static {
    /// What looks up closed records beside the writer.
    type History: History;

    /// Loads the checkpoint and the rows after it. `window_seconds` says how long messages are remembered.
    ///
    /// # Errors
    /// [`Fatal`] from the store or from whoever takes what is loaded.
    fn load(&mut self, window_seconds: u32, each: &mut dyn FnMut(Loaded) -> Result<(), Fatal>) -> Result<(), Fatal>;

    /// How many batches may be on their way to where they are durable at once. Where it is one, a batch is durable when it
    /// was appended.
    const AHEAD: usize = 1;

    /// Brings a batch, behind those brought before. It becomes durable with [`Store::settle`]: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError`]: what is stored is not known then; the process must stop.
    fn append(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError>;

    /// On return the oldest batch that was appended and not settled is durable for good.
    ///
    /// # Errors
    /// As [`Store::append`].
    fn settle(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// A reader of what is committed.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be opened.
    fn history(&self) -> Result<Self::History, StoreError>;

    /// Whether this database was restored from a backup and no epoch was opened since: the first thing to ask of the
    /// books is then `Action::OpenEpoch`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn is_restored(&self) -> Result<bool, StoreError>;

    /// Says whom to tell when the database is this process's no more, whether anything is being written or not. A store
    /// that nobody can take away tells nobody.
    fn watch(&mut self, lost: Lost);
}

/// Is told that the database was lost, on a thread of the store's: it must not block.
pub type Lost = Box<dyn FnOnce(StoreError) + Send>;

/// Looks up what is committed.
pub trait History: Send + 'static {
    /// Rows of the log, in the order in which they are asked for; their codes are empty.
    ///
    /// # Errors
    /// [`StoreError`].
    fn rows(&mut self, sequences: &[Sequence]) -> Result<Vec<Option<Row>>, StoreError>;

    /// Transfers as the checkpoint has them, in the order in which they are asked for; none for one that has never been
    /// there. One that was closed by the row that made it is found in that row alone.
    ///
    /// # Errors
    /// [`StoreError`].
    fn transfers(&mut self, ids: &[TransferId]) -> Result<Vec<Option<Transfer>>, StoreError>;

    /// One row.
    ///
    /// # Errors
    /// [`StoreError`].
    fn row(&mut self, sequence: Sequence) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(&[sequence])?.pop().flatten())
    }

    /// One transfer.
    ///
    /// # Errors
    /// [`StoreError`].
    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        Ok(self.transfers(&[id])?.pop().flatten())
    }

    /// The last row up to which no notice needs care.
    ///
    /// # Errors
    /// [`StoreError`].
    fn settled(&mut self) -> Result<Sequence, StoreError>;

    /// Notices of the rows after `after` that are not in a final state, in the order of the log, and the last row looked
    /// at, from which to go on; at most about `most` of them, the notices of a row together. None of them and an unchanged
    /// row: there are no more.
    ///
    /// # Errors
    /// [`StoreError`].
    fn untold(&mut self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError>;
}
