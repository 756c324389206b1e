//! Recovery: the checkpoint, the keys of messages, and the rows after the checkpoint.

use rusqlite::{Connection, OptionalExtension};
use transaction_processing::decision::Change;
use transaction_processing::ids::Sequence;
use transaction_processing::time::{Day, Moment, Month, Time};

use super::history::{COLUMNS, damaged, personal_text, stored_row};
use super::{Currencies, unsigned};
use crate::batch::{Position, unpack_keys};
use crate::encoding;
use crate::records::{self, Table};
use crate::store::{Fatal, Loaded, StoreError};

type Each<'a> = &'a mut dyn FnMut(Loaded) -> Result<(), Fatal>;

pub(super) fn load(
    connection: &Connection,
    currencies: &Currencies,
    window_seconds: u32,
    each: Each<'_>,
) -> Result<(), Fatal> {
    let Some(position) = position(connection)? else { return Ok(()) };
    each(Loaded::Position(position))?;
    for table in records::ALL {
        for_each_record(connection, table, &position, each)?;
    }
    load_keys(connection, &position, position.moment.time.less_seconds(window_seconds), each)?;
    load_rows(connection, currencies, position.replay_from, each)
}

/// Where the log stands; none where it is empty.
pub(super) fn position(connection: &Connection) -> Result<Option<Position>, StoreError> {
    let sql = "SELECT next, at_ms, day, month, head, replay_from, replay_at_ms, replay_day, replay_month, settled
        FROM position";
    let moment = |row: &rusqlite::Row<'_>, at: usize| -> rusqlite::Result<Moment> {
        Ok(Moment { time: Time(row.get(at)?), day: Day(row.get(at + 1)?), month: Month(row.get(at + 2)?) })
    };
    let found = connection.query_row(sql, [], |row| {
        Ok(Position {
            next: Sequence(unsigned(row, 0)?),
            moment: moment(row, 1)?,
            head: row.get(4)?,
            replay_from: Sequence(unsigned(row, 5)?),
            replay_moment: moment(row, 6)?,
            settled: Sequence(unsigned(row, 9)?),
        })
    });
    Ok(found.optional()?)
}

/// Hands over the records of a table that belong in memory: of transfers those that wait, of dealings those of the current
/// business day.
fn for_each_record(connection: &Connection, table: &Table, position: &Position, each: Each<'_>) -> Result<(), Fatal> {
    let name = table.name;
    let money = if name == records::ACCOUNTS.name { "balance, latest" } else { "0, 0" };
    let which = match name {
        "transfers" => "INDEXED BY transfers_waiting WHERE state = 1".to_owned(),
        "dealings" => format!("WHERE day >= {}", position.replay_moment.day.0),
        _ => String::new(),
    };
    let key = table.columns.first().copied().unwrap_or("rowid");
    let sql = format!("SELECT body, as_of, {money}, {key} FROM {name} {which} ORDER BY {key}");
    let mut statement = connection.prepare(&sql).map_err(StoreError::from)?;
    let mut rows = statement.query([]).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        each(Loaded::Record(record(connection, table, row)?))?;
    }
    Ok(())
}

fn record(connection: &Connection, table: &Table, row: &rusqlite::Row<'_>) -> Result<Change, StoreError> {
    let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    let made_in = if table.name == records::PROPOSALS.name { Sequence(unsigned(row, 4)?) } else { Sequence(0) };
    let mut text = |commitment: &[u8; 32]| personal_text(connection, made_in, commitment);
    let change = encoding::take_record(body, &mut text)
        .map_err(|error| StoreError::Damaged(format!("a record of {}: {error}", table.name)))?;
    Ok(match change {
        Change::Opened(account) => Change::Opened(account.with_balance(row.get(2)?, Sequence(unsigned(row, 3)?))),
        other => other,
    })
}

fn load_keys(connection: &Connection, position: &Position, since: Time, each: Each<'_>) -> Result<(), Fatal> {
    let sql = "SELECT first, at_ms, keys FROM repeat_keys WHERE first < ?1 ORDER BY first";
    let mut statement = connection.prepare(sql).map_err(StoreError::from)?;
    let mut rows = statement.query([position.replay_from.0.cast_signed()]).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        let read = || -> Result<_, StoreError> {
            let octets = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            Ok((Sequence(unsigned(row, 0)?), Time(row.get(1)?), octets))
        };
        let (first, at, octets) = read()?;
        if at < since {
            continue;
        }
        let mut keys = Vec::new();
        let unpacked = unpack_keys(first, octets, &mut |row, key| keys.push((row, key)));
        unpacked.map_err(|_| StoreError::Damaged(format!("the keys of row {} and after", first.0)))?;
        each(Loaded::Keys(at, keys))?;
    }
    Ok(())
}

fn load_rows(connection: &Connection, currencies: &Currencies, from: Sequence, each: Each<'_>) -> Result<(), Fatal> {
    let sql = format!("SELECT {COLUMNS} FROM log WHERE sequence >= ?1 ORDER BY sequence");
    let mut statement = connection.prepare(&sql).map_err(StoreError::from)?;
    let mut rows = statement.query([from.0.cast_signed()]).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        let (stored, changes, _) = stored_row(row, currencies)?;
        let sequence = stored.sequence;
        let mut text = |commitment: &[u8; 32]| personal_text(connection, sequence, commitment);
        let decoded = stored.decode(changes, &[], &mut text);
        let decoded = decoded.map_err(|error| damaged(sequence.0.cast_signed(), &error.to_string()))?;
        each(Loaded::Row(decoded))?;
    }
    Ok(())
}
