//! Verification of a SQLite database: feeds the auditor.

use std::collections::VecDeque;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::journal::MOST_POSTINGS;
use transaction_processing::request::RequestKey;

use super::history::{CHANGES, COLUMNS, NOTICES, POSTINGS, SqliteHistory, personal_text, stored_row};
use super::{Currencies, connect, load, migrations, unsigned};
use crate::audit::{Auditor, Report, bare_books};
use crate::batch::{LogRow, Position, personal, unpack_keys};
use crate::records::{self, Table, Value};
use crate::store::{History, Loaded, StoreError};

/// How often progress is told.
const EVERY: u64 = 10_000;

/// Recomputes the chain and every balance from the rows alone, follows every transfer, and compares every record of the
/// checkpoint with what the rows lead to. `progress` is told how many rows of how many are done. Codes and states of
/// messages stand outside the chain and are only looked at for rows that do not exist.
///
/// # Errors
/// [`StoreError`] where the database cannot be read at all; what is wrong in it is in the report.
pub fn verify(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // One moment of the database, also while it is written.
    connection.execute_batch("BEGIN")?;
    migrations::check(&connection)?;
    let currencies = Currencies::read(&connection)?;
    let position = load::position(&connection)?.unwrap_or(Position::start());
    let mut auditor = Auditor::new(&currencies.0);
    let mut made_in = SqliteHistory::open(path)?;
    let mut made = |id: TransferId| {
        let row = made_in.row(Sequence(id.0)).ok().flatten()?;
        row.transfer_left(id).cloned()
    };
    let total = connection.query_row("SELECT count(*) FROM log", [], |row| unsigned(row, 0))?;
    let mut keys = Keys::new(&connection)?;
    let mut records = Records::sorted(&connection)?;
    let mut texts = 0;
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM log ORDER BY sequence"))?;
    let mut rows = statement.query([])?;
    let mut done = 0;
    while let Some(row) = rows.next()? {
        let sequence = Sequence(unsigned(row, 0)?);
        let (stored, changes, notices) = match stored_row(row, &currencies) {
            Ok(stored) => stored,
            Err(error) => {
                auditor.find(Some(sequence), error.to_string());
                continue;
            }
        };
        judge_unused(row, &stored, &mut auditor)?;
        let mut text = |commitment: &[u8; 32]| personal_text(&connection, sequence, commitment);
        if let Some(row) = auditor.see(&stored, changes, notices, &mut text, &mut made) {
            texts += judge_texts(&connection, &row, &mut auditor)?;
            keys.see(row.sequence, row.key.filter(|_| row.is_remembered()), &mut auditor)?;
        }
        records.see(sequence, &mut auditor)?;
        done += 1;
        if done % EVERY == 0 {
            progress(done, total);
        }
    }
    records.end(&mut auditor)?;
    keys.end(&mut auditor);
    auditor.judge_end(&position);
    judge_outside(&connection, texts, &mut auditor)?;
    judge_recovery(&connection, &currencies, &position, &mut auditor);
    progress(done, total);
    Ok(auditor.report())
}

/// Columns that a row does not use are empty, and nothing is stored as nothing.
fn judge_unused(row: &rusqlite::Row<'_>, stored: &LogRow, auditor: &mut Auditor) -> Result<(), StoreError> {
    for column in POSTINGS + 8 * stored.entered.len()..POSTINGS + 8 * MOST_POSTINGS {
        if row.get_ref(column)? != ValueRef::Null {
            auditor.find(Some(stored.sequence), "a column that the row does not use is filled");
        }
    }
    for column in [CHANGES, NOTICES] {
        if row.get_ref(column)? == ValueRef::Blob(&[]) {
            auditor.find(Some(stored.sequence), "an empty list is not left out");
        }
    }
    Ok(())
}

/// Personal texts that were not erased stand by the commitment that the row covers. Gives how many there are.
fn judge_texts(
    connection: &Connection,
    row: &transaction_processing::Row,
    auditor: &mut Auditor,
) -> Result<u64, StoreError> {
    let mut found = 0;
    for (position, change) in row.changes.iter().enumerate() {
        let Some((_, text)) = personal(change) else { continue };
        let sql = "SELECT commitment FROM private_texts WHERE sequence = ?1 AND position = ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let at = (row.sequence.0.cast_signed(), position as i64);
        let commitment: Option<Vec<u8>> = statement.query_row([at.0, at.1], |row| row.get(0)).optional()?;
        found += u64::from(commitment.is_some());
        if commitment.is_some_and(|commitment| commitment != text.commitment) {
            auditor.find(Some(row.sequence), "a personal text stands by another commitment");
        }
    }
    Ok(found)
}

fn judge_outside(connection: &Connection, texts: u64, auditor: &mut Auditor) -> Result<(), StoreError> {
    let count = |sql: &str| connection.query_row(sql, [], |row| unsigned(row, 0));
    if count("SELECT count(*) FROM private_texts")? != texts {
        auditor.find(None, "personal texts that no row covers");
    }
    for table in ["codes", "messages"] {
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE NOT EXISTS
                (SELECT 1 FROM log WHERE log.sequence = {table}.notice_id >> 6 AND log.notices IS NOT NULL)"
        );
        if count(&sql)? > 0 {
            auditor.find(None, format!("{table} of notices that no row carries"));
        }
    }
    Ok(())
}

/// Recovers from the checkpoint as a start would, and compares.
fn judge_recovery(connection: &Connection, currencies: &Currencies, position: &Position, auditor: &mut Auditor) {
    let mut has = |id: TransferId| {
        let sql = "SELECT 1 FROM transfers WHERE id = ?1";
        let found = connection.prepare_cached(sql).and_then(|mut found| found.exists([id.0.cast_signed()]));
        found.unwrap_or(false)
    };
    auditor.judge_absent_transfers(position, &mut has);
    let mut recovered = bare_books(&currencies.0);
    let loaded = load::load(connection, currencies, 0, &mut |loaded| {
        match loaded {
            Loaded::Position(found) => recovered.restore_position(found.replay_from, found.replay_moment),
            Loaded::Record(record) => recovered.restore(&record),
            Loaded::Keys(..) => {}
            Loaded::Row(row) => recovered.replay(&row)?,
        }
        Ok(())
    });
    match loaded {
        Ok(()) => auditor.judge_recovered(&recovered),
        Err(error) => auditor.find(None, format!("recovery fails: {error}")),
    }
}

/// The packed keys, beside the rows that they were taken from.
struct Keys {
    packs: VecDeque<(Sequence, Vec<u8>)>,
    unpacked: VecDeque<(Sequence, RequestKey)>,
    begun: bool,
}

impl Keys {
    fn new(connection: &Connection) -> Result<Keys, StoreError> {
        let mut statement = connection.prepare("SELECT first, keys FROM repeat_keys ORDER BY first")?;
        let packs = statement.query_map([], |row| Ok((Sequence(unsigned(row, 0)?), row.get(1)?)))?;
        Ok(Keys { packs: packs.collect::<Result<_, _>>()?, unpacked: VecDeque::new(), begun: false })
    }

    fn see(&mut self, row: Sequence, key: Option<RequestKey>, auditor: &mut Auditor) -> Result<(), StoreError> {
        while self.packs.front().is_some_and(|(first, _)| *first <= row)
            && let Some((first, octets)) = self.packs.pop_front()
        {
            self.begun = true;
            let unpacked = unpack_keys(first, &octets, &mut |row, key| self.unpacked.push_back((row, key)));
            if unpacked.is_err() {
                auditor.find(Some(first), "the packed keys are damaged");
            }
        }
        while let Some((of, _)) = self.unpacked.pop_front_if(|(of, _)| *of < row) {
            auditor.find(Some(of), "a packed key of no row");
        }
        let packed = self.unpacked.pop_front_if(|(of, _)| *of == row).map(|(_, key)| key);
        if self.begun && packed != key {
            auditor.find(Some(row), "the packed key is not the row's");
        }
        Ok(())
    }

    fn end(self, auditor: &mut Auditor) {
        let left = self.unpacked.iter().map(|(row, _)| *row).chain(self.packs.iter().map(|(first, _)| *first));
        for row in left {
            auditor.find(Some(row), "a packed key behind the log");
        }
    }
}

/// All records of the checkpoint in the order of the rows that they are as of, so that each is compared when the replay is
/// just there.
struct Records<'a> {
    connection: &'a Connection,
    /// As of which row, in which table, under which `rowid` or place.
    waiting: VecDeque<(Sequence, usize, Vec<Value>)>,
}

impl<'a> Records<'a> {
    fn sorted(connection: &'a Connection) -> Result<Records<'a>, StoreError> {
        let mut waiting = Vec::new();
        for (index, table) in records::ALL.iter().enumerate() {
            let key = table.columns.get(..table.key).unwrap_or_default().join(", ");
            let mut statement = connection.prepare(&format!("SELECT as_of, {key} FROM {}", table.name))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                waiting.push((Sequence(unsigned(row, 0)?), index, values(row, 1, table.key)?));
            }
        }
        waiting.sort_by_key(|(as_of, index, _)| (*as_of, *index));
        Ok(Records { connection, waiting: waiting.into() })
    }

    fn see(&mut self, row: Sequence, auditor: &mut Auditor) -> Result<(), StoreError> {
        while let Some((as_of, index, key)) = self.waiting.pop_front_if(|(as_of, ..)| *as_of <= row) {
            let Some(table) = records::ALL.get(index) else { continue };
            if as_of < row {
                auditor.find(Some(as_of), format!("{} {key:?} is as of a row that is not there", table.name));
            } else {
                auditor.see_record(table, &self.stored(table, &key)?);
            }
        }
        Ok(())
    }

    fn stored(&self, table: &Table, key: &[Value]) -> Result<Vec<Value>, StoreError> {
        let conditions: Vec<String> = table.columns.iter().take(table.key).map(|name| format!("{name} = ?")).collect();
        let columns = table.columns.join(", ");
        let sql = format!("SELECT {columns} FROM {} WHERE {}", table.name, conditions.join(" AND "));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(key))?;
        let Some(row) = rows.next()? else { return Ok(key.to_vec()) };
        values(row, 0, table.columns.len())
    }

    fn end(self, auditor: &mut Auditor) -> Result<(), StoreError> {
        for (as_of, index, key) in self.waiting {
            let name = records::ALL.get(index).map_or("", |table| table.name);
            auditor.find(Some(as_of), format!("{name} {key:?} is as of a row behind the log"));
        }
        Ok(())
    }
}

/// So many values of a row.
pub(super) fn values(row: &rusqlite::Row<'_>, from: usize, count: usize) -> Result<Vec<Value>, StoreError> {
    let value = |index| -> Result<Value, StoreError> {
        Ok(match row.get_ref(index)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Integer(value),
            ValueRef::Real(value) => Value::Real(value),
            ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
            ValueRef::Blob(value) => Value::Octets(value.to_vec()),
        })
    };
    (from..from + count).map(value).collect()
}
