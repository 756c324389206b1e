//! One batch, one statement, which is a transaction of its own: one message there, one back, however much it writes. It moves
//! the position on, which fails for everybody but the holder of the lease who knows what was written last, and with it fails
//! all else; so nothing can be committed by a stale writer. For the same reason the next batch may be on its way before the
//! server has answered the last: it counts only behind it.
//!
//! What was decided stays decided: a transaction that the server gave up is written again as it is. Where it is not known
//! whether it was committed, the log's head tells.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::Arc;
use std::thread::sleep;

use tokio_postgres::types::ToSql;
use transaction_processing::Msisdn;
use transaction_processing::ids::Sequence;
use transaction_processing::request::Kind;

use super::reading::PAUSE;
use super::rows::{LogRows, Rows};
use super::session::{Parameter, Sent, is_unknown, refusal};
use super::{Postgres, connect, months};
use crate::batch::{Batch, Position};
use crate::messages::{Message, MessageChange};
use crate::reading::signed;
use crate::records::{self, Table, Value};
use crate::store::StoreError;

/// Raised in the schema by `advance` and `hold`: the writer is not who it thinks it is.
const STALE: &str = "WK001";

/// What the server gives up without anything being wrong with it: a serialization failure, a deadlock, a statement that
/// somebody cancelled, a lock that was not to be had.
const GIVEN_UP: [&str; 4] = ["40001", "40P01", "57014", "55P03"];

/// With every so many commits outdated packs of keys are taken away, the oldest: more of them than commits have added.
const CLEANED_EVERY: u64 = 64;
const MOST_OUTDATED: i64 = 2 * CLEANED_EVERY.cast_signed();

/// A batch that was sent.
pub(super) struct UnderWay {
    batch: Arc<Batch>,
    position: Position,
    /// None once it is known to be durable.
    sent: Option<Sent>,
}

/// What a try came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tried {
    Durable,
    /// Done or not: to be looked up.
    Open,
}

impl Postgres {
    /// Sends a batch behind those that were sent before.
    pub(super) fn send(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError> {
        let Some(position) = batch.position().copied() else {
            return Err(StoreError::Settings("an empty batch is nothing to write".into()));
        };
        self.make_months(batch)?;
        let known = self.under_way.back().map_or(self.head, |last| last.position.head);
        let sent = Some(self.dispatch(batch, &position, known)?);
        self.under_way.push_back(UnderWay { batch: Arc::clone(batch), position, sent });
        Ok(())
    }

    /// Waits until the oldest batch is durable, and forgets it.
    pub(super) fn settle_first(&mut self) -> Result<(), StoreError> {
        while self.under_way.front().is_some_and(|first| first.sent.is_some()) {
            self.conclude()?;
        }
        self.under_way.pop_front();
        Ok(())
    }

    /// Awaits the answer to the oldest batch that has none. Where that leaves it open what was written, it is looked up, and
    /// what was not is written again, until all batches under way are durable or this process has no business here any more.
    fn conclude(&mut self) -> Result<(), StoreError> {
        let Some(first) = self.under_way.iter_mut().find(|one| one.sent.is_some()) else { return Ok(()) };
        let Some(sent) = &mut first.sent else { return Ok(()) };
        let said = self.session.settle(sent);
        let (head, stale) = (first.position.head, said.as_ref().err().and_then(refusal) == Some(STALE));
        if stale {
            return Err(self.lease.lose());
        }
        if self.outcome(said)? == Tried::Durable {
            self.are_durable(head, 1);
            return Ok(());
        }
        self.write_again()
    }

    /// The next so many batches are durable, and the log ends there.
    fn are_durable(&mut self, head: [u8; 32], count: usize) {
        self.under_way.iter_mut().filter(|one| one.sent.is_some()).take(count).for_each(|one| one.sent = None);
        self.head = head;
        self.commits += count as u64;
    }

    /// Looks how far the log goes, and writes what is missing of the batches under way, one after the other.
    fn write_again(&mut self) -> Result<(), StoreError> {
        loop {
            let (term, head) = self.look_until_seen()?;
            if term != self.lease.term {
                return Err(self.lease.lose());
            }
            if head != self.head {
                // What has no rows does not move the head, and may be written twice.
                let open = || self.under_way.iter().filter(|one| one.sent.is_some());
                let written = open().position(|one| one.position.head == head && !one.batch.rows().is_empty());
                let Some(last) = written else {
                    let told = "the log ends neither before nor behind a batch that was sent";
                    return Err(StoreError::Damaged(told.into()));
                };
                self.are_durable(head, last + 1);
            }
            loop {
                let next = self.under_way.iter().find(|one| one.sent.is_some());
                let Some(next) = next.map(|one| (Arc::clone(&one.batch), one.position)) else { return Ok(()) };
                let mut sent = self.dispatch(&next.0, &next.1, self.head)?;
                let said = self.session.settle(&mut sent);
                // What was sent before the connection was lost may arrive only now: then this one comes too late.
                let late = said.as_ref().err().and_then(refusal) == Some(STALE);
                if late || self.outcome(said)? == Tried::Open {
                    break;
                }
                self.are_durable(next.1.head, 1);
            }
            sleep(PAUSE / 10);
        }
    }

    fn outcome(&self, said: Result<(), StoreError>) -> Result<Tried, StoreError> {
        // Whoever ends the wait for a standby makes the server commit for itself alone, which it says in a warning.
        let warned = !self.session.warnings().is_empty();
        match said {
            Ok(()) if warned => Ok(Tried::Open),
            Ok(()) => Ok(Tried::Durable),
            Err(error) if is_open(&error) => Ok(Tried::Open),
            Err(error) => Err(error),
        }
    }

    /// The term and the head of the log on a new connection, as soon as there is an answer that can be relied on.
    fn look_until_seen(&mut self) -> Result<(i64, [u8; 32]), StoreError> {
        loop {
            self.lease.check()?;
            match self.look() {
                Ok(Some(seen)) => return Ok(seen),
                Ok(None) => {}
                Err(error) if is_open(&error) => {}
                Err(error) => return Err(error),
            }
            sleep(PAUSE);
        }
    }

    /// The same, once; none where the answer cannot be relied on. Writing the row waits for a transaction of the lost
    /// connection that the server is still at, and COMMIT for the standbys to have all that came before.
    fn look(&mut self) -> Result<Option<(i64, [u8; 32])>, StoreError> {
        self.session = connect(&self.settings, Some(self.lease.loss()))?;
        self.session.execute("BEGIN")?;
        let mut seen = None;
        self.session.each("UPDATE position SET one = one RETURNING term, head", &[], &mut |row| {
            seen = row.octets(1)?.unwrap_or_default().try_into().ok().map(|head| (signed(row, 0), head));
            Ok(true)
        })?;
        self.session.execute("COMMIT")?;
        let Some((term, head)) = seen else { return Err(StoreError::Damaged("there is no position".into())) };
        let term = term?;
        Ok(self.session.warnings().is_empty().then_some((term, head)))
    }

    /// Makes the partitions for the months of a batch, where the log has none yet: once a month, behind all that is under way.
    fn make_months(&mut self, batch: &Batch) -> Result<(), StoreError> {
        while let Some(making) = self.new_months(batch) {
            while self.under_way.iter().any(|one| one.sent.is_some()) {
                self.conclude()?;
            }
            match self.make(&making) {
                Ok(()) if self.session.warnings().is_empty() => {}
                Err(error) if refusal(&error) == Some(STALE) => return Err(self.lease.lose()),
                Err(error) if !is_open(&error) => return Err(error),
                _ => drop(self.look_until_seen()?),
            }
            self.months = loop {
                match months::attached(&mut self.session) {
                    Err(error) if is_open(&error) => drop(self.look_until_seen()?),
                    attached => break attached?,
                }
            };
        }
        Ok(())
    }

    /// What makes the months of a batch that have no partition yet; none where all have one.
    fn new_months(&self, batch: &Batch) -> Option<String> {
        let months: BTreeSet<i32> = batch.rows().iter().map(|row| row.moment.month.0).collect();
        let new: Vec<String> = months.difference(&self.months).map(|month| months::begin(*month)).collect();
        (!new.is_empty()).then(|| new.join("; "))
    }

    fn make(&mut self, making: &str) -> Result<(), StoreError> {
        let hold = self.session.statement("SELECT hold($1, $2)")?;
        self.session.execute("BEGIN")?;
        self.session.run(self.session.client().execute(&hold, &[&self.lease.term, &self.head.as_slice()]))?;
        self.session.execute(making)?;
        self.session.execute("COMMIT")
    }

    /// Sends the statement of a batch behind a log that ends with `known`.
    fn dispatch(&mut self, batch: &Arc<Batch>, position: &Position, known: [u8; 32]) -> Result<Sent, StoreError> {
        self.lease.check()?;
        let commit = self.commit(batch, position, known);
        let statement = self.session.statement(&commit.sql());
        match statement.and_then(|statement| self.session.send(statement, commit.parameters)) {
            // What follows from that is judged where the answer is awaited.
            Err(error @ StoreError::Postgres(_)) => Ok(Box::pin(ready(Err(error)))),
            sent => sent,
        }
    }

    /// The one statement of a batch.
    fn commit(&self, batch: &Arc<Batch>, position: &Position, known: [u8; 32]) -> Commit {
        let mut commit = Commit::default();
        let (now, then) = (position.moment, position.replay_moment);
        let is_reopened = batch.rows().iter().any(|row| row.kind == Kind::OpenEpoch);
        commit.parameters = vec![
            Box::new(self.lease.term),
            Box::new(known.to_vec()),
            Box::new(position.next.0.cast_signed()),
            Box::new(now.time.0),
            Box::new(i64::from(now.day.0)),
            Box::new(i64::from(now.month.0)),
            Box::new(position.head.to_vec()),
            Box::new(position.replay_from.0.cast_signed()),
            Box::new(then.time.0),
            Box::new(i64::from(then.day.0)),
            Box::new(i64::from(then.month.0)),
            Box::new(position.settled.0.cast_signed()),
            Box::new(is_reopened),
        ];
        if !batch.rows().is_empty() {
            commit.also("INSERT INTO log SELECT * FROM unnest($?::log[])", LogRows(Arc::clone(batch)));
        }
        for (sql, rows) in [repeat_keys(batch), codes(batch), private_texts(batch), erased(batch), messages(batch)] {
            commit.rows(sql, rows);
        }
        for (table, rows) in slice(batch) {
            commit.rows(&replace(table), rows);
        }
        if self.commits.is_multiple_of(CLEANED_EVERY) {
            let oldest = format!("SELECT first, at_ms FROM repeat_keys ORDER BY first LIMIT {MOST_OUTDATED}");
            let outdated = format!("SELECT first FROM ({oldest}) AS oldest WHERE at_ms < $?");
            let delete = format!("DELETE FROM repeat_keys WHERE first IN ({outdated})");
            commit.also(&delete, batch.repeats_since().0);
        }
        let told = told(batch);
        if !told.is_empty() {
            commit.also("DELETE FROM codes WHERE notice_id = ANY ($?)", told);
        }
        commit
    }
}

/// Whether an error leaves it open what was written, or says that nothing was and no harm is done.
fn is_open(error: &StoreError) -> bool {
    is_unknown(error) || refusal(error).is_some_and(|code| GIVEN_UP.contains(&code))
}

/// The one statement that makes a batch durable: the position moves on, and beside it everything else is written.
#[derive(Default)]
struct Commit {
    beside: Vec<String>,
    parameters: Vec<Parameter>,
}

impl Commit {
    /// Beside the rest this is done, with `$?` for its parameter.
    fn also(&mut self, what: &str, parameter: impl ToSql + Sync + Send + 'static) {
        self.parameters.push(Box::new(parameter));
        self.beside.push(what.replace("$?", &format!("${}", self.parameters.len())));
    }

    /// The same with rows, where there are any.
    fn rows(&mut self, what: &str, rows: Vec<Vec<Value>>) {
        if !rows.is_empty() {
            self.also(what, Rows(rows));
        }
    }

    fn sql(&self) -> String {
        let beside: Vec<String> =
            self.beside.iter().enumerate().map(|(place, what)| format!("part_{place} AS ({what})")).collect();
        let with = if beside.is_empty() { String::new() } else { format!("WITH {} ", beside.join(", ")) };
        format!("{with}SELECT advance($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
    }
}

type Put = (&'static str, Vec<Vec<Value>>);

fn number(figure: u64) -> Value {
    Value::Integer(figure.cast_signed())
}

/// The keys of a batch in one row: recovery reads these instead of millions of rows of the log.
fn repeat_keys(batch: &Batch) -> Put {
    let keys = batch.packed_keys();
    let first = batch.rows().first().filter(|_| !keys.is_empty());
    let row = |first: &crate::batch::LogRow| {
        vec![number(first.sequence.0), Value::Integer(first.moment.time.0), Value::Octets(keys.clone())]
    };
    ("INSERT INTO repeat_keys SELECT * FROM unnest($?::repeat_keys[])", first.map(row).into_iter().collect())
}

fn codes(batch: &Batch) -> Put {
    let row =
        |code: &crate::batch::Code| vec![Value::Integer(code.notice.packed()), Value::Octets(code.sealed.clone())];
    let sql = "INSERT INTO codes (notice_id, sealed) SELECT notice_id, sealed FROM unnest($?::codes[])";
    (sql, batch.codes().iter().map(row).collect())
}

fn private_texts(batch: &Batch) -> Put {
    let row = |text: &crate::batch::PrivateText| {
        let msisdn = text.subject.msisdn.map_or(Value::Null, |msisdn| number(msisdn.digits()));
        let transfer = text.subject.transfer.map_or(Value::Null, |transfer| number(transfer.0));
        let (commitment, sealed) = (text.text.commitment.to_vec(), text.text.sealed.clone());
        let position = Value::Integer(text.position.into());
        vec![number(text.sequence.0), position, msisdn, transfer, Value::Octets(commitment), Value::Octets(sealed)]
    };
    let sql = "INSERT INTO private_texts SELECT * FROM unnest($?::private_texts[])";
    (sql, batch.texts().iter().map(row).collect())
}

/// The texts of before that are erased; those of the batch itself were never written.
fn erased(batch: &Batch) -> Put {
    let row = |(msisdn, up_to): &(Msisdn, Sequence)| {
        let nothing = || Value::Octets(Vec::new());
        vec![number(up_to.0), Value::Integer(0), number(msisdn.digits()), Value::Null, nothing(), nothing()]
    };
    let sql = "UPDATE private_texts AS held SET sealed = '' FROM unnest($?::private_texts[]) AS erased
        WHERE held.msisdn = erased.msisdn AND held.sequence <= erased.sequence";
    (sql, batch.erased().iter().map(row).collect())
}

/// The last word of the batch about each message.
fn standing(batch: &Batch) -> BTreeMap<i64, &Message> {
    let stands = batch.messages().iter().filter_map(|change| match change {
        MessageChange::Stands(message) => Some((message.notice.packed(), message)),
        MessageChange::SettledTo(_) => None,
    });
    stands.collect()
}

fn messages(batch: &Batch) -> Put {
    let row = |(id, message): (i64, &Message)| {
        vec![
            Value::Integer(id),
            Value::Integer(message.state as i64),
            Value::Integer(message.attempts.into()),
            message.centre.map_or(Value::Null, |centre| Value::Integer(centre.into())),
            message.message_id.clone().map_or(Value::Null, Value::Text),
            Value::Integer(message.at.0),
        ]
    };
    let sql = "INSERT INTO messages (notice_id, state, attempts, centre, message_id, at_ms)
        SELECT notice_id, state, attempts, centre, message_id, at_ms FROM unnest($?::messages[])
        ON CONFLICT (notice_id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
            centre = excluded.centre, message_id = excluded.message_id, at_ms = excluded.at_ms";
    (sql, standing(batch).into_iter().map(row).collect())
}

/// The notices whose messages are final: their codes are erased.
fn told(batch: &Batch) -> Vec<i64> {
    let all = batch.messages().iter().filter_map(|change| match change {
        MessageChange::Stands(message) if message.state.is_final() => Some(message.notice.packed()),
        _ => None,
    });
    all.collect()
}

/// The records of the checkpoint that go with a batch, by table.
fn slice(batch: &Batch) -> Vec<(&'static Table, Vec<Vec<Value>>)> {
    let mut tables: Vec<(&'static Table, Vec<Vec<Value>>)> = Vec::new();
    for record in batch.slice() {
        let mut row = Vec::new();
        let Some(table) = records::columns(record, batch.as_of(), &mut row) else { continue };
        match tables.iter_mut().find(|(known, _)| known.name == table.name) {
            Some((_, rows)) => rows.push(row),
            None => tables.push((table, vec![row])),
        }
    }
    tables
}

/// The statement that writes records over those with the same keys.
fn replace(table: &Table) -> String {
    let name = table.name;
    let (key, rest) = table.columns.split_at_checked(table.key).unwrap_or_default();
    let taken: Vec<String> = rest.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    format!(
        "INSERT INTO {name} SELECT * FROM unnest($?::{name}[]) ON CONFLICT ({}) DO UPDATE SET {}",
        key.join(", "),
        taken.join(", ")
    )
}
