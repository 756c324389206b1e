//! Recovery: the checkpoint, the keys of messages, and the rows after the checkpoint.

use transaction_processing::decision::Change;
use transaction_processing::ids::Sequence;
use transaction_processing::time::Time;

use crate::batch::{Position, unpack_keys};
use crate::encoding;
use crate::reading::{Columns, Reading, STRETCH, Texts, signed, unsigned};
use crate::records::{self, Table};
use crate::store::{Fatal, Loaded, StoreError};

type Each<'a> = &'a mut dyn FnMut(Loaded) -> Result<(), Fatal>;

pub(crate) fn load<R: Reading>(reading: &mut R, window_seconds: u32, each: Each<'_>) -> Result<(), Fatal> {
    let Some(position) = reading.position()? else { return Ok(()) };
    each(Loaded::Position(position))?;
    for table in records::ALL {
        load_records(reading, table, &position, each)?;
    }
    load_keys(reading, &position, position.moment.time.less_seconds(window_seconds), each)?;
    load_rows(reading, position.replay_from, each)
}

/// Puts a question; whoever takes what is loaded may fail as well as the store.
fn put<R: Reading>(
    reading: &mut R,
    question: &str,
    parameters: &[i64],
    take: &mut dyn FnMut(&dyn Columns) -> Result<(), Fatal>,
) -> Result<(), Fatal> {
    let mut failed = None;
    reading.each(question, parameters, &mut |row| match take(row) {
        Ok(()) => Ok(true),
        Err(fatal) => {
            failed = Some(fatal);
            Ok(false)
        }
    })?;
    failed.map_or(Ok(()), Err)
}

/// Hands over the records of a table that belong in memory: of transfers those that wait, of dealings those of the current
/// business day.
fn load_records<R: Reading>(reading: &mut R, table: &Table, position: &Position, each: Each<'_>) -> Result<(), Fatal> {
    let name = table.name;
    let money = if name == records::ACCOUNTS.name { "balance, latest" } else { "0, 0" };
    let which = match name {
        "transfers" => format!("{} WHERE state = 1", R::WAITING_TRANSFERS),
        "dealings" => format!("WHERE day >= {}", position.replay_moment.day.0),
        _ => String::new(),
    };
    // Of the records only proposals hold personal texts: those of the row that made them.
    let texts = if name == records::PROPOSALS.name { Texts::of_proposals(reading)? } else { Texts::default() };
    let key = table.columns.first().copied().unwrap_or_default();
    let question = format!("SELECT body, {money}, {key} FROM {name} {which} ORDER BY {key}");
    put(reading, &question, &[], &mut |row| each(Loaded::Record(record(row, table, &texts)?)))
}

fn record(row: &dyn Columns, table: &Table, texts: &Texts) -> Result<Change, StoreError> {
    let body = row.octets(0)?.unwrap_or_default();
    let made_in = if table.name == records::PROPOSALS.name { Sequence(unsigned(row, 3)?) } else { Sequence(0) };
    let change = encoding::take_record(body, &mut |commitment| texts.sealed(made_in, commitment))
        .map_err(|error| StoreError::Damaged(format!("a record of {}: {error}", table.name)))?;
    Ok(match change {
        Change::Opened(account) => Change::Opened(account.with_balance(signed(row, 1)?, Sequence(unsigned(row, 2)?))),
        other => other,
    })
}

fn load_keys<R: Reading>(reading: &mut R, position: &Position, since: Time, each: Each<'_>) -> Result<(), Fatal> {
    let question = "SELECT first, at_ms, keys FROM repeat_keys WHERE first < $1 ORDER BY first";
    put(reading, question, &[position.replay_from.0.cast_signed()], &mut |row| {
        let (first, at) = (Sequence(unsigned(row, 0)?), Time(signed(row, 1)?));
        if at < since {
            return Ok(());
        }
        let mut keys = Vec::new();
        let octets = row.octets(2)?.unwrap_or_default();
        let unpacked = unpack_keys(first, octets, &mut |row, key| keys.push((row, key)));
        unpacked.map_err(|_| StoreError::Damaged(format!("the keys of row {} and after", first.0)))?;
        each(Loaded::Keys(at, keys))
    })
}

fn load_rows<R: Reading>(reading: &mut R, from: Sequence, each: Each<'_>) -> Result<(), Fatal> {
    let mut next = from;
    loop {
        let stretch = reading.stretch(next, STRETCH)?;
        for stored in &stretch.rows {
            each(Loaded::Row(stretch.decode(stored, false)?))?;
            next = stored.sequence.next();
        }
        if stretch.rows.len() < STRETCH {
            return Ok(());
        }
    }
}
