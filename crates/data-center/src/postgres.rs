//! PostgreSQL as the store: one server or several of which one can be written, and one process at a time that writes, which a
//! lease says. The tables are those of SQLite's schema; what is read is read by the same code.

mod append;
mod detach;
mod fate;
mod follower;
mod import;
mod lease;
mod migrations;
mod months;
mod reading;
mod rows;
mod safety;
mod session;
mod settings;
mod shell;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Instant;

use transaction_processing::Currency;

use crate::batch::Batch;
use crate::load::load;
use crate::reading::{Currencies, Reading as _};
use crate::records::Value;
use crate::store::{Fatal, Loaded, Lost, Store, StoreError};
use append::UnderWay;
pub use detach::{DetachError, Detached, detach, verify_month};
use fate::Loss;
pub use follower::{Edge, Follower, Stop};
pub use import::{ImportError, import};
pub use lease::Holder;
use lease::Lease;
pub use reading::PostgresHistory;
use rows::Rows;
pub use session::Problem;
use session::Session;
pub use settings::{InUse, SCHEMES, Settings, Standbys};
pub use shell::{check, query, verify};

/// A database on a PostgreSQL server, held by this process.
pub struct Postgres {
    settings: Arc<Settings>,
    session: Session,
    lease: Lease,
    /// The log's head as this process knows it to be durable: nothing is written behind another.
    head: [u8; 32],
    /// Batches that were sent, oldest first.
    under_way: VecDeque<UnderWay>,
    /// The months that have a partition.
    months: BTreeSet<i32>,
    commits: u64,
}

impl Postgres {
    /// Opens the database, brings its schema up to date and takes it for this process. `currencies` are those in use; one
    /// that was ever in use keeps its decimal digits.
    ///
    /// # Errors
    /// [`StoreError`]: not to be reached, not safe, in use by another process, of a later version, or damaged.
    pub fn open(settings: Settings, currencies: &[Currency]) -> Result<Postgres, StoreError> {
        let settings = Arc::new(settings);
        let mut session = found(&settings)?;
        let lease = Lease::take(&mut session, &settings)?;
        migrations::migrate(&mut session)?;
        adopt_currencies(&mut session, currencies)?;
        let months = months::attached(&mut session)?;
        let session = connect(&settings, Some(lease.loss()))?;
        let mut held = PostgresHistory::open_while(&settings, Some(lease.loss()))?;
        let head = held.position()?.ok_or_else(|| StoreError::Damaged("there is no position".into()))?.head;
        Ok(Postgres { settings, session, lease, head, under_way: VecDeque::new(), months, commits: 0 })
    }

    /// The term in which this process may write.
    pub fn term(&self) -> i64 {
        self.lease.term
    }

    /// How it is reached.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// The same for as long as a lease where it is to be waited: servers may be about to agree who of them can be written.
fn connect_patiently(settings: &Settings) -> Result<Session, StoreError> {
    let until = Instant::now() + settings.lease;
    loop {
        match connect(settings, None) {
            Err(StoreError::Postgres(problem))
                if problem.may_pass() && settings.in_use == InUse::Wait && Instant::now() < until =>
            {
                sleep(reading::PAUSE);
            }
            connected => return connected,
        }
    }
}

/// A connection to a database that is one of ours, or empty and made one, and not of a later program.
fn found(settings: &Settings) -> Result<Session, StoreError> {
    let mut session = connect_patiently(settings)?;
    if !migrations::is_founded(&mut session)? {
        migrations::migrate(&mut session)?;
    }
    migrations::check(&mut session)?;
    Ok(session)
}

/// A connection that writes, to a server that is safe.
fn connect(settings: &Settings, loss: Option<Loss>) -> Result<Session, StoreError> {
    let mut session = Session::connect(settings, loss)?;
    // All of a transaction is sent at once. A server that waits for the rest of one has lost its client without knowing it,
    // and must not keep the next one waiting.
    let idle = settings.lease.as_millis();
    // A plan that was made while a table was small is kept when it has grown. What this connection looks up has an index, all but
    // the texts of a number that are erased.
    session.execute(&format!(
        "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = {idle};
        SET enable_seqscan = off; SET jit = off"
    ))?;
    safety::check(&mut session, settings.standbys)?;
    Ok(session)
}

fn adopt_currencies(session: &mut Session, currencies: &[Currency]) -> Result<(), StoreError> {
    let mut known = Currencies::default();
    session.each(Currencies::QUESTION, &[], &mut |row| known.add(row))?;
    let row = |currency: Currency| {
        vec![Value::Integer(currency.numeric.into()), Value::Integer(currency.minor_digits.into())]
    };
    let rows: Vec<_> = known.unknown(currencies)?.into_iter().map(row).collect();
    let insert = session.statement("INSERT INTO currencies SELECT * FROM unnest($1::currencies[])")?;
    session.run(session.client().execute(&insert, &[&Rows(rows)]))?;
    Ok(())
}

impl Store for Postgres {
    type History = PostgresHistory;

    fn load(&mut self, window_seconds: u32, each: &mut dyn FnMut(Loaded) -> Result<(), Fatal>) -> Result<(), Fatal> {
        load(&mut self.history()?, window_seconds, each)
    }

    /// One that the server is at, and two that wait there for it: were it one, the server would wait for the next whenever
    /// deciding it takes a little longer than writing.
    const AHEAD: usize = 3;

    fn append(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError> {
        self.send(batch)
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.settle_first()
    }

    fn history(&self) -> Result<PostgresHistory, StoreError> {
        PostgresHistory::open_while(&self.settings, Some(self.lease.loss()))
    }

    fn is_restored(&self) -> Result<bool, StoreError> {
        Ok(self.history()?.figure("SELECT coalesce(max(restored), 0) FROM position")? != 0)
    }

    fn watch(&mut self, lost: Lost) {
        self.lease.watch(lost);
    }
}
