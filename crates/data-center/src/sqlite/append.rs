//! One batch, one transaction.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement, ToSql, params};
use transaction_processing::journal::{Entered, MOST_POSTINGS};
use transaction_processing::request::Kind;
use transaction_processing::time::Time;

use crate::batch::{Batch, LogRow, Position};
use crate::messages::{Message, MessageChange};
use crate::records::{self, Table, Value};
use crate::store::StoreError;

/// How many outdated packs of keys a commit takes away, at most: two for the one it adds.
const MOST_OUTDATED: u32 = 2;

pub(super) fn append(connection: &Connection, batch: &Batch) -> Result<(), StoreError> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let written = write(connection, batch);
    if written.is_err() {
        // The failure that counts is the one before; the process stops, and recovery drops what is left.
        let _ = connection.execute_batch("ROLLBACK");
        return written;
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

fn write(connection: &Connection, batch: &Batch) -> Result<(), StoreError> {
    write_rows(connection, batch)?;
    write_keys(connection, batch)?;
    for code in batch.codes() {
        let sql = "INSERT INTO codes (notice_id, sealed) VALUES (?1, ?2)";
        connection.prepare_cached(sql)?.execute(params![code.notice.packed(), code.sealed])?;
    }
    for text in batch.texts() {
        let msisdn = text.subject.msisdn.map(|msisdn| msisdn.digits().cast_signed());
        let transfer = text.subject.transfer.map(|transfer| transfer.0.cast_signed());
        let sql = "INSERT INTO private_texts (sequence, position, msisdn, transfer, commitment, sealed)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let sequence = text.sequence.0.cast_signed();
        let values = params![sequence, text.position, msisdn, transfer, text.text.commitment, text.text.sealed];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    for (msisdn, up_to) in batch.erased() {
        let values = params![msisdn.digits().cast_signed(), up_to.0.cast_signed()];
        connection.execute("UPDATE private_texts SET sealed = x'' WHERE msisdn = ?1 AND sequence <= ?2", values)?;
    }
    for change in batch.messages() {
        if let MessageChange::Stands(message) = change {
            write_message(connection, message)?;
        }
    }
    write_slice(connection, batch)?;
    if let Some(position) = batch.position() {
        write_position(connection, position)?;
    }
    if batch.rows().iter().any(|row| row.kind == Kind::OpenEpoch) {
        connection.execute("UPDATE position SET restored = 0", [])?;
    }
    Ok(())
}

fn write_rows(connection: &Connection, batch: &Batch) -> Result<(), StoreError> {
    // One statement for each number of postings: columns that a row does not use are not even named.
    let mut statements: [Option<CachedStatement<'_>>; MOST_POSTINGS + 1] = Default::default();
    for row in batch.rows() {
        let postings = row.entered.len();
        let slot = statements.get_mut(postings).ok_or_else(|| too_many(row))?;
        let statement = match slot {
            Some(statement) => statement,
            None => slot.insert(connection.prepare_cached(&insert_row(postings))?),
        };
        bind_row(statement, row, batch)?;
        statement.raw_execute()?;
    }
    Ok(())
}

fn too_many(row: &LogRow) -> StoreError {
    StoreError::Damaged(format!("row {} has more postings than columns", row.sequence.0))
}

fn insert_row(postings: usize) -> String {
    let mut columns = String::from(
        "INSERT INTO log (sequence, at_ms, day, month, request, sender, staff, request_key, refusal, transfer, changes, \
         notices, chain",
    );
    for n in 1..=postings {
        columns += &format!(
            ", from_{n}, to_{n}, amount_{n}, currency_{n}, from_balance_{n}, to_balance_{n}, from_previous_{n}, \
             to_previous_{n}"
        );
    }
    let values = vec!["?"; 13 + 8 * postings].join(", ");
    format!("{columns}) VALUES ({values})")
}

fn bind_row(statement: &mut Statement<'_>, row: &LogRow, batch: &Batch) -> rusqlite::Result<()> {
    let number = |value: u64| value.cast_signed();
    statement.raw_bind_parameter(1, number(row.sequence.0))?;
    statement.raw_bind_parameter(2, row.moment.time.0)?;
    statement.raw_bind_parameter(3, row.moment.day.0)?;
    statement.raw_bind_parameter(4, row.moment.month.0)?;
    statement.raw_bind_parameter(5, row.kind as u8)?;
    statement.raw_bind_parameter(6, row.sender.map(|sender| number(sender.digits())))?;
    statement.raw_bind_parameter(7, row.staff.map(|staff| number(staff.0)))?;
    statement.raw_bind_parameter(8, row.key.as_ref().map(|key| key.0.as_slice()))?;
    statement.raw_bind_parameter(9, row.refusal.map(|refusal| refusal as u8))?;
    statement.raw_bind_parameter(10, row.transfer.map(|transfer| number(transfer.0)))?;
    statement.raw_bind_parameter(11, filled(batch.octets(&row.changes)))?;
    statement.raw_bind_parameter(12, filled(batch.octets(&row.notices)))?;
    statement.raw_bind_parameter(13, row.chain.as_slice())?;
    let mut index = 13;
    for Entered { posting, from_balance, to_balance, from_previous, to_previous } in &row.entered {
        let values = [
            posting.from.0,
            posting.to.0,
            posting.amount.minor(),
            i64::from(posting.amount.currency().numeric),
            *from_balance,
            *to_balance,
            number(from_previous.0),
            number(to_previous.0),
        ];
        for value in values {
            index += 1;
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

fn filled(octets: &[u8]) -> Option<&[u8]> {
    if octets.is_empty() { None } else { Some(octets) }
}

/// The keys of a batch in one row: recovery reads these instead of millions of rows of the log.
fn write_keys(connection: &Connection, batch: &Batch) -> Result<(), StoreError> {
    let keys = batch.packed_keys();
    let Some(first) = batch.rows().first() else { return Ok(()) };
    if !keys.is_empty() {
        let sql = "INSERT INTO repeat_keys (first, at_ms, keys) VALUES (?1, ?2, ?3)";
        let Time(at) = first.moment.time;
        connection.prepare_cached(sql)?.execute(params![first.sequence.0.cast_signed(), at, keys])?;
    }
    let sql = "DELETE FROM repeat_keys WHERE first IN
        (SELECT first FROM (SELECT first, at_ms FROM repeat_keys ORDER BY first LIMIT ?2) WHERE at_ms < ?1)";
    connection.prepare_cached(sql)?.execute(params![batch.repeats_since().0, MOST_OUTDATED])?;
    Ok(())
}

fn write_message(connection: &Connection, message: &Message) -> Result<(), StoreError> {
    let id = message.notice.packed();
    let sql = "INSERT OR REPLACE INTO messages (notice_id, state, attempts, centre, message_id, at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let state = message.state as u8;
    let values = params![id, state, message.attempts, message.centre, message.message_id, message.at.0];
    connection.prepare_cached(sql)?.execute(values)?;
    if message.state.is_final() {
        connection.prepare_cached("DELETE FROM codes WHERE notice_id = ?1")?.execute([id])?;
    }
    Ok(())
}

fn write_slice(connection: &Connection, batch: &Batch) -> Result<(), StoreError> {
    let mut row = Vec::new();
    let mut prepared: Option<(&'static str, CachedStatement<'_>)> = None;
    for record in batch.slice() {
        let Some(table) = records::columns(record, batch.as_of(), &mut row) else { continue };
        let statement = match &mut prepared {
            Some((name, statement)) if *name == table.name => statement,
            _ => {
                let statement = connection.prepare_cached(&replace(table))?;
                &mut prepared.insert((table.name, statement)).1
            }
        };
        for (index, value) in row.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, value)?;
        }
        statement.raw_execute()?;
    }
    Ok(())
}

fn replace(table: &Table) -> String {
    let values = vec!["?"; table.columns.len()].join(", ");
    format!("INSERT OR REPLACE INTO {} ({}) VALUES ({values})", table.name, table.columns.join(", "))
}

fn write_position(connection: &Connection, position: &Position) -> Result<(), StoreError> {
    let sql = "INSERT INTO position
            (one, next, at_ms, day, month, head, replay_from, replay_at_ms, replay_day, replay_month, settled)
        VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (one) DO UPDATE SET next = ?1, at_ms = ?2, day = ?3, month = ?4, head = ?5, replay_from = ?6,
            replay_at_ms = ?7, replay_day = ?8, replay_month = ?9, settled = ?10";
    let (now, then) = (position.moment, position.replay_moment);
    connection.prepare_cached(sql)?.execute(params![
        position.next.0.cast_signed(),
        now.time.0,
        now.day.0,
        now.month.0,
        position.head,
        position.replay_from.0.cast_signed(),
        then.time.0,
        then.day.0,
        then.month.0,
        position.settled.0.cast_signed(),
    ])?;
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Real(value) => ValueRef::Real(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Octets(value) => ValueRef::Blob(value),
        }))
    }
}
