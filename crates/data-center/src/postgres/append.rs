//! One batch, one transaction, all of it in one flight: the statements and COMMIT are sent together, and only then is awaited
//! what the server says to each. The first statement moves the position on, which fails for everybody but the holder of the
//! lease who knows what was written last; so nothing behind it can be committed by a stale writer.
//!
//! What was decided stays decided: a transaction that the server gave up is written again as it is. Where it is not known
//! whether COMMIT was done, the log's head tells.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;

use tokio_postgres::types::ToSql;
use transaction_processing::request::Kind;

use super::reading::PAUSE;
use super::rows::{LogRows, Rows};
use super::session::{Step, is_unknown, refusal};
use super::{Postgres, connect, months};
use crate::batch::{Batch, Position, Subject};
use crate::messages::{Message, MessageChange};
use crate::reading::signed;
use crate::records::{self, Table, Value};
use crate::store::StoreError;

/// Raised by `advance` in the schema: the writer is not who it thinks it is.
const STALE: &str = "WK001";

/// What the server gives up without anything being wrong with it: a serialization failure, a deadlock, a statement that
/// somebody cancelled, a lock that was not to be had.
const GIVEN_UP: [&str; 4] = ["40001", "40P01", "57014", "55P03"];

/// With every so many commits the outdated packs of keys are taken away.
const CLEANED_EVERY: u64 = 64;

/// What a try came to.
enum Tried {
    Durable,
    /// Not done.
    GivenUp,
    /// Done or not.
    Unknown,
}

impl Postgres {
    /// Writes a batch, again and again until it is known to be durable or this process has no business here any more.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let Some(position) = batch.position() else { return Ok(()) };
        loop {
            self.lease.check()?;
            match self.attempt(batch, position)? {
                Tried::Durable => break,
                Tried::GivenUp => sleep(PAUSE / 10),
                Tried::Unknown if self.is_written(batch, position)? => break,
                Tried::Unknown => {}
            }
        }
        self.head = position.head;
        self.months.extend(self.new_months(batch));
        self.commits += 1;
        Ok(())
    }

    fn attempt(&mut self, batch: &Batch, position: &Position) -> Result<Tried, StoreError> {
        self.session.warnings();
        let sent = self.flight(batch, position).and_then(|flight| self.session.send_together(&flight));
        match sent {
            // Whoever ends the wait for a standby makes the server commit for itself alone, which it says in a warning.
            Ok(()) if self.session.warnings().is_empty() => Ok(Tried::Durable),
            Ok(()) => Ok(Tried::Unknown),
            Err(error) if is_unknown(&error) => Ok(Tried::Unknown),
            Err(error) => match refusal(&error) {
                Some(STALE) => Err(self.lease.lose()),
                Some(code) if GIVEN_UP.contains(&code) => Ok(Tried::GivenUp),
                _ => Err(error),
            },
        }
    }

    /// Whether a batch of which that is not known was committed.
    fn is_written(&mut self, batch: &Batch, position: &Position) -> Result<bool, StoreError> {
        let (term, head) = loop {
            match self.look() {
                Ok(Some(seen)) => break seen,
                Ok(None) => {}
                Err(error) if is_unknown(&error) => {}
                Err(error) if refusal(&error).is_some_and(|code| GIVEN_UP.contains(&code)) => {}
                Err(error) => return Err(error),
            }
            self.lease.check()?;
            sleep(PAUSE);
        };
        if term != self.lease.term {
            return Err(self.lease.lose());
        }
        // What has no rows does not move the head, and may be written twice.
        if head == self.head {
            return Ok(false);
        }
        if head == position.head && !batch.rows().is_empty() {
            return Ok(true);
        }
        Err(StoreError::Damaged("the log ends neither before nor after the last batch".into()))
    }

    /// The term and the head of the log, on a new connection; none where the answer cannot be relied on. Writing the row
    /// waits for a transaction of the lost connection that the server is still at, and COMMIT for the standbys to have all
    /// that came before.
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

    /// The months of a batch that have no partition yet.
    fn new_months(&self, batch: &Batch) -> BTreeSet<i32> {
        batch.rows().iter().map(|row| row.moment.month.0).filter(|month| !self.months.contains(month)).collect()
    }

    /// Everything that makes a batch durable, in order.
    fn flight<'a>(&mut self, batch: &'a Batch, position: &Position) -> Result<Vec<Step<'a>>, StoreError> {
        let mut flight = vec![Step::Plain("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED".into())];
        flight.push(self.advance(position)?);
        if !batch.rows().is_empty() {
            flight.extend(self.new_months(batch).into_iter().map(|month| Step::Plain(months::begin(month))));
            let insert = self.session.statement("INSERT INTO log SELECT * FROM unnest($1::log[])")?;
            flight.push(Step::Prepared(insert, vec![Box::new(LogRows(batch))]));
        }
        if batch.rows().iter().any(|row| row.kind == Kind::OpenEpoch) {
            flight.push(Step::Plain("UPDATE position SET restored = 0".into()));
        }
        for (sql, rows) in [repeat_keys(batch), codes(batch), private_texts(batch), messages(batch)] {
            self.put(&mut flight, sql, rows)?;
        }
        for (table, rows) in slice(batch) {
            self.put(&mut flight, &replace(table), rows)?;
        }
        if self.commits.is_multiple_of(CLEANED_EVERY) {
            let delete = self.session.statement("DELETE FROM repeat_keys WHERE at_ms < $1")?;
            flight.push(Step::Prepared(delete, vec![Box::new(batch.repeats_since().0)]));
        }
        let told = told(batch);
        if !told.is_empty() {
            let erase = self.session.statement("DELETE FROM codes WHERE notice_id = ANY ($1)")?;
            flight.push(Step::Prepared(erase, vec![Box::new(told)]));
        }
        flight.push(Step::Plain("COMMIT".into()));
        Ok(flight)
    }

    fn advance<'a>(&mut self, position: &Position) -> Result<Step<'a>, StoreError> {
        let sql = "SELECT advance($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let (now, then) = (position.moment, position.replay_moment);
        let figure = |figure: i64| -> Box<dyn ToSql + Sync> { Box::new(figure) };
        let parameters = vec![
            figure(self.lease.term),
            Box::new(self.head.to_vec()),
            figure(position.next.0.cast_signed()),
            figure(now.time.0),
            figure(now.day.0.into()),
            figure(now.month.0.into()),
            Box::new(position.head.to_vec()),
            figure(position.replay_from.0.cast_signed()),
            figure(then.time.0),
            figure(then.day.0.into()),
            figure(then.month.0.into()),
            figure(position.settled.0.cast_signed()),
        ];
        Ok(Step::Prepared(self.session.statement(sql)?, parameters))
    }

    /// A statement whose one parameter are rows, where there are any.
    fn put<'a>(&mut self, flight: &mut Vec<Step<'a>>, sql: &str, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
        if !rows.is_empty() {
            flight.push(Step::Prepared(self.session.statement(sql)?, vec![Box::new(Rows(rows))]));
        }
        Ok(())
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
    ("INSERT INTO repeat_keys SELECT * FROM unnest($1::repeat_keys[])", first.map(row).into_iter().collect())
}

fn codes(batch: &Batch) -> Put {
    let row =
        |code: &crate::batch::Code| vec![Value::Integer(code.notice.packed()), Value::Octets(code.sealed.clone())];
    let sql = "INSERT INTO codes (notice_id, sealed) SELECT notice_id, sealed FROM unnest($1::codes[])";
    (sql, batch.codes().iter().map(row).collect())
}

fn private_texts(batch: &Batch) -> Put {
    let row = |text: &crate::batch::PrivateText| {
        let (msisdn, transfer) = match text.subject {
            Subject::Name(msisdn) => (number(msisdn.digits()), Value::Null),
            Subject::Document(transfer) => (Value::Null, number(transfer.0)),
        };
        let (commitment, sealed) = (text.text.commitment.to_vec(), text.text.sealed.clone());
        let position = Value::Integer(text.position.into());
        vec![number(text.sequence.0), position, msisdn, transfer, Value::Octets(commitment), Value::Octets(sealed)]
    };
    let sql = "INSERT INTO private_texts SELECT * FROM unnest($1::private_texts[])";
    (sql, batch.texts().iter().map(row).collect())
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
        SELECT notice_id, state, attempts, centre, message_id, at_ms FROM unnest($1::messages[])
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
        "INSERT INTO {name} SELECT * FROM unnest($1::{name}[]) ON CONFLICT ({}) DO UPDATE SET {}",
        key.join(", "),
        taken.join(", ")
    )
}
