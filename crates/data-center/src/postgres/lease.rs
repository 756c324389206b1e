//! Who may write. The lease is a row with a holder and a moment at which it ends; taking it begins a new term, and every commit
//! checks in its own transaction that the term is still its own. So a writer that was taken for dead cannot commit, whatever it
//! believes and however late it comes; the end of the lease only says when another may try.
//!
//! The holder says three times a lease that it is there. Its own clock tells it when the others may have stopped believing it,
//! and from then on it must not answer from memory either.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use super::fate::{Fate, Loss};
use super::reading::PAUSE;
use super::safety;
use super::session::{Problem, Session};
use super::settings::{InUse, Settings};
use crate::reading::{Columns, Reading, signed};
use crate::store::{Lost, StoreError};

/// Why the lease is lost where another writer was met.
const TAKEN: &str = "another process has taken it over";

/// How often somebody who waits for a lease looks whether it has ended.
const LOOK: Duration = Duration::from_secs(1);

/// The lease of this process.
pub(super) struct Lease {
    /// The term in which it may write.
    pub(super) term: i64,
    fate: Arc<Fate>,
    stop: Option<SyncSender<()>>,
    renewing: Option<JoinHandle<()>>,
}

/// Somebody who has the lease, or had it last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Since which term.
    pub term: i64,
    /// Who.
    pub name: String,
    /// Where the others reach it, or from where it reaches the server.
    pub address: Option<String>,
    /// How long it has it still, unless it says so again; zero where it has ended.
    pub left: Duration,
}

/// Asks who has the lease; `FOR UPDATE` or nothing behind it.
const HOLDER: &str = "SELECT term, holder, address,
        ceil(extract(epoch FROM greatest(expires_at, clock_timestamp()) - clock_timestamp()) * 1000)::bigint
    FROM lease";

impl Holder {
    /// What [`HOLDER`] answers.
    fn read(row: &dyn Columns) -> Result<Holder, StoreError> {
        Ok(Holder {
            term: signed(row, 0)?,
            name: row.text(1)?.unwrap_or_default().to_owned(),
            address: row.text(2)?.map(str::to_owned),
            left: Duration::from_millis(signed(row, 3)?.unsigned_abs()),
        })
    }

    /// Who has the lease, by the server's clock.
    pub(crate) fn look(reading: &mut impl Reading) -> Result<Holder, StoreError> {
        let found = reading.one(HOLDER, &[], Holder::read)?;
        found.ok_or_else(|| StoreError::Damaged("there is no lease".into()))
    }
}

impl Lease {
    /// Takes the lease, and with it the database, away from whoever had it before: his commits fail from here on. The one
    /// that is under way is waited for.
    ///
    /// # Errors
    /// [`StoreError::InUse`] where somebody else has it and it is not to be waited for; [`StoreError`].
    pub(super) fn take(session: &mut Session, settings: &Arc<Settings>) -> Result<Lease, StoreError> {
        let sent = loop {
            let sent = Instant::now();
            match try_take(session, settings)? {
                None => break sent,
                Some(Holder { left, .. }) if settings.in_use == InUse::Wait => sleep(left.min(LOOK)),
                Some(Holder { name, address, left, .. }) => {
                    let at = address.map(|address| format!(" at {address}")).unwrap_or_default();
                    let by = format!("{name}{at}, whose lease ends in {} s unless it is renewed", left.as_secs() + 1);
                    return Err(StoreError::InUse { database: settings.address().to_owned(), by });
                }
            }
        };
        let term = session.figure("SELECT term FROM lease")?;
        let fate = Arc::new(Fate::new(session.timeline()?));
        let (stop, stopped) = sync_channel(0);
        let renewal =
            Renewal { settings: Arc::clone(settings), term, fate: Arc::clone(&fate), until: sent + settings.lease };
        let named = thread::Builder::new().name("lease".into());
        let renewing =
            named.spawn(move || renewal.run(&stopped)).map_err(|error| StoreError::Settings(error.to_string()))?;
        Ok(Lease { term, fate, stop: Some(stop), renewing: Some(renewing) })
    }

    /// Fails where the lease was lost.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.fate.check()
    }

    /// Another writer was met.
    pub(super) fn lose(&self) -> StoreError {
        self.fate.lose(TAKEN)
    }

    /// Says when the lease is lost.
    pub(super) fn loss(&self) -> Loss {
        self.fate.loss()
    }

    /// Says whom to tell when it is lost.
    pub(super) fn watch(&self, lost: Lost) {
        self.fate.watch(lost);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(renewing) = self.renewing.take() {
            // A panic there has been told by the thread itself.
            let _ = renewing.join();
        }
    }
}

/// One try; the holder where somebody else has it.
fn try_take(session: &mut Session, settings: &Settings) -> Result<Option<Holder>, StoreError> {
    session.execute("BEGIN")?;
    let mut held = None;
    session.each(&format!("{HOLDER} FOR UPDATE"), &[], &mut |row| {
        held = Some(Holder::read(row)?);
        Ok(true)
    })?;
    if let Some(holder) = held.filter(|holder| !holder.left.is_zero()) {
        session.execute("ROLLBACK")?;
        return Ok(Some(holder));
    }
    let take = session.statement(
        "UPDATE lease SET term = term + 1, holder = $1, address = coalesce($2, host(inet_client_addr())),
            expires_at = clock_timestamp() + $3 * interval '1 millisecond'",
    )?;
    let lasts = settings.lease.as_millis() as f64;
    session.run(session.client().execute(&take, &[&settings.holder, &settings.advertised, &lasts]))?;
    // Waits for the commit of the holder before, if one is under way.
    session.execute("UPDATE position SET term = lease.term FROM lease")?;
    session.execute("COMMIT")?;
    let warnings = session.warnings();
    if warnings.is_empty() { Ok(None) } else { Err(StoreError::Unsafe(warnings)) }
}

/// Says again and again that the holder is there, on a connection of its own.
struct Renewal {
    settings: Arc<Settings>,
    term: i64,
    fate: Arc<Fate>,
    /// Until when the others believe it.
    until: Instant,
}

impl Renewal {
    fn run(mut self, stopped: &Receiver<()>) {
        let mut session = None;
        let mut wait = self.settings.lease / 3;
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(wait) {
            let sent = Instant::now();
            // Late, it is still ours where nobody has taken it.
            match self.say(&mut session, self.settings.lease) {
                Ok(true) => {
                    self.until = sent + self.settings.lease;
                    wait = self.settings.lease / 3;
                }
                Ok(false) => return drop(self.fate.lose(TAKEN)),
                Err(error @ StoreError::Unsafe(_)) => return drop(self.fate.lose(&error.to_string())),
                Err(error) if Instant::now() >= self.until => {
                    return drop(self.fate.lose(&format!("the lease could not be renewed in time: {error}")));
                }
                Err(_) => {
                    session = None;
                    wait = PAUSE;
                }
            }
        }
        // The next one need not wait. Where this fails it waits until the lease ends by itself.
        let _ = self.say(&mut session, Duration::ZERO);
    }

    /// Sets the end of the lease; whether it is still ours. What made the server safe may have changed, and is looked at too.
    fn say(&self, session: &mut Option<Session>, lasts: Duration) -> Result<bool, StoreError> {
        let session = match session {
            Some(session) => session,
            None => session.insert(self.connect()?),
        };
        session.until = Some(Instant::now() + self.settings.patience());
        safety::check(session, self.settings.standbys)?;
        let renew = session.statement(
            "UPDATE lease SET expires_at = clock_timestamp() + $1 * interval '1 millisecond' WHERE term = $2",
        )?;
        let lasts = lasts.as_millis() as f64;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&lasts, &self.term];
        Ok(session.run(session.client().execute(&renew, &parameters))? > 0)
    }

    /// A new connection. That it leads to another server tells everybody to leave the one before, which may stand still with
    /// all its connections open.
    fn connect(&self) -> Result<Session, StoreError> {
        let mut session = Session::connect(&self.settings, None)?;
        session.until = Some(Instant::now() + self.settings.patience());
        // That the holder is there is no news worth waiting for a disk or a standby.
        session.execute("SET synchronous_commit = off; SET statement_timeout = 0")?;
        let timeline = session.timeline()?;
        if !self.fate.serves(timeline) {
            return Err(StoreError::Postgres(Problem::Succeeded));
        }
        Ok(session)
    }
}
