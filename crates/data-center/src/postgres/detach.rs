//! Months taken out of the log. What one leaves behind is sealed first, so that it can be verified alone, from the link before
//! it to the link behind it, and the rest without it.

use std::collections::BTreeSet;

use transaction_processing::decision::Change;
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::time::{Day, Moment, Month, Time};

use super::reading::PostgresHistory;
use super::rows::Rows;
use super::settings::Settings;
use super::{connect, migrations, months};
use crate::audit::Report;
use crate::reading::{Reading, STRETCH, signed, small, unsigned};
use crate::records::Value;
use crate::seal::{Seal, Sealed, changed_later};
use crate::store::{History as _, StoreError};
use crate::verify::{begin, see, verify, verify_sealed};

/// How many sealed records are written at once.
const AT_ONCE: usize = 4096;

/// Why a month was not taken out.
#[derive(Debug, thiserror::Error)]
pub enum DetachError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not this one, or not yet.
    #[error("{0}")]
    Refused(String),
    /// The log does not verify: nothing is sealed that is not sound.
    #[error("the log does not verify: {} findings", .0.found)]
    Unsound(Box<Report>),
}

/// A month that was taken out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detached {
    /// The table in which its rows are now.
    pub table: String,
    /// Its first row and its last.
    pub rows: (Sequence, Sequence),
    /// The link of the row before it, and its own last one.
    pub links: ([u8; 32], [u8; 32]),
    /// The hash over the state at its end, to be kept outside.
    pub digest: [u8; 32],
}

/// Takes the oldest month, written as `2026-01`, out of the log, which may be in use: seals the state at its end, and makes a
/// table of its own of its rows. `window_seconds` says how long messages are remembered. Done again after an interruption, it
/// goes on where it was.
///
/// # Errors
/// [`DetachError`].
pub fn detach(
    settings: &Settings,
    month: &str,
    window_seconds: u32,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Detached, DetachError> {
    let month = known(month)?;
    let mut reader = PostgresHistory::open(settings)?.at_one_moment()?;
    migrations::check(reader.session())?;
    let attached = months::attached(reader.session())?;
    if stored(&mut reader, month)?.is_none() {
        if attached.first() != Some(&month) {
            return Err(DetachError::Refused("only the oldest month of the log can be taken out".into()));
        }
        judge(&mut reader, month, window_seconds)?;
        let report = verify(&mut reader, progress)?;
        if !report.is_sound() {
            return Err(DetachError::Unsound(Box::new(report)));
        }
        let (first, before, seal) = close(&mut reader, month)?;
        write(settings, month, first, before, &seal)?;
    }
    drop(reader);
    if attached.contains(&month) {
        take_out(settings, month)?;
    }
    let found = stored(&mut PostgresHistory::open(settings)?, month)?;
    found.ok_or_else(|| StoreError::Damaged("the seal is gone".into()).into())
}

/// Verifies a month that was taken out, alone: from the state and the link before it to those behind it.
///
/// # Errors
/// [`DetachError`]; what is wrong in the month is in the report.
pub fn verify_month(
    settings: &Settings,
    month: &str,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, DetachError> {
    let month = known(month)?;
    let mut reader = PostgresHistory::open(settings)?.at_one_moment()?.of_month(month);
    migrations::check(reader.session())?;
    let not_out = || DetachError::Refused("this month was not taken out of the log".into());
    stored(&mut reader, month)?.ok_or_else(not_out)?;
    let closing = seal_before(&mut reader, i64::from(month) + 1)?.ok_or_else(not_out)?;
    Ok(verify_sealed(&mut reader, &closing, progress)?)
}

fn known(month: &str) -> Result<i32, DetachError> {
    months::parse(month).ok_or_else(|| DetachError::Refused(format!("{month} is no month; write it like 2026-01")))
}

/// Whether nothing needs the month any more: neither recovery, nor a message that may come again, nor a notice.
fn judge(reader: &mut PostgresHistory, month: i32, window_seconds: u32) -> Result<(), DetachError> {
    let position = reader.position()?.unwrap_or(crate::batch::Position::start());
    let question = "SELECT max(sequence), max(at_ms) FROM log WHERE month = $1";
    let end = reader.one(question, &[month.into()], |row| Ok((Sequence(unsigned(row, 0)?), Time(signed(row, 1)?))))?;
    let (last, at) = end.ok_or_else(|| DetachError::Refused("this month is empty".into()))?;
    let refused = |why: &str| Err(DetachError::Refused(why.to_owned()));
    if Month(month) >= position.replay_moment.month || last >= position.replay_from {
        return refused("this month is not over, or a restart would still read it");
    }
    if last > position.settled {
        return refused("messages of this month are still on their way");
    }
    if at >= position.moment.time.less_seconds(window_seconds) {
        return refused("messages of this month may still come again");
    }
    Ok(())
}

/// The first row of the month, the link before it, and the state at its end.
fn close(reader: &mut PostgresHistory, month: i32) -> Result<(Sequence, [u8; 32], Seal), StoreError> {
    let mut auditor = begin(reader)?;
    let before = auditor.head;
    let (mut first, mut next) = (None, auditor.seal_ends().next());
    let mut closed: Option<Seal> = None;
    let mut asked = BTreeSet::new();
    loop {
        let stretch = reader.stretch(next, STRETCH)?;
        let Some(last) = stretch.rows.last() else { break };
        next = last.sequence.next();
        for stored in &stretch.rows {
            if closed.is_none() && stored.row()?.moment.month.0 > month {
                closed = Some(auditor.seal());
            }
            match &closed {
                None => {
                    first.get_or_insert(stored.sequence);
                    see(reader, &mut auditor, &stretch, stored);
                }
                Some(seal) => {
                    let row = stretch.decode(stored, false)?;
                    asked.extend(changed_later(&row).filter(|id| id.0 <= seal.last.0));
                }
            }
        }
    }
    let mut seal = closed.unwrap_or_else(|| auditor.seal());
    // Transfers that ended in the row that made them, and were changed all the same by rows that stay.
    for id in asked {
        if let Some(transfer) = as_made(reader, id)? {
            let is_held = auditor.books.resident_transfer(id).is_some();
            if !is_held {
                seal.records.insert(Sealed::of(&Change::Transfer(transfer)));
            }
        }
    }
    let first = first.ok_or_else(|| StoreError::Damaged("the month is empty".into()))?;
    Ok((first, before, seal))
}

fn as_made(
    reader: &mut PostgresHistory,
    id: TransferId,
) -> Result<Option<transaction_processing::transfer::Transfer>, StoreError> {
    Ok(reader.row(Sequence(id.0))?.and_then(|row| row.transfer_left(id).cloned()))
}

fn write(settings: &Settings, month: i32, first: Sequence, before: [u8; 32], seal: &Seal) -> Result<(), StoreError> {
    let mut session = connect(settings, None)?;
    session.execute("BEGIN")?;
    let figure = |value: u64| Value::Integer(value.cast_signed());
    let row = vec![
        Value::Integer(month.into()),
        figure(first.0),
        figure(seal.last.0),
        figure(seal.next.0),
        Value::Integer(seal.moment.time.0),
        Value::Integer(seal.moment.day.0.into()),
        Value::Octets(before.to_vec()),
        Value::Octets(seal.link.to_vec()),
        Value::Octets(seal.digest().to_vec()),
    ];
    let insert = session.statement("INSERT INTO seals SELECT * FROM unnest($1::seals[])")?;
    session.run(session.client().execute(&insert, &[&Rows(vec![row])]))?;
    let insert = session.statement("INSERT INTO sealed SELECT * FROM unnest($1::sealed[])")?;
    let sealed: Vec<Vec<Value>> = seal
        .records
        .iter()
        .zip(0..)
        .map(|(record, place)| {
            let (body, balance) = (Value::Octets(record.body.clone()), Value::Integer(record.balance));
            vec![Value::Integer(month.into()), Value::Integer(place), body, balance, figure(record.latest.0)]
        })
        .collect();
    for some in sealed.chunks(AT_ONCE) {
        session.run(session.client().execute(&insert, &[&Rows(some)]))?;
    }
    session.execute(&format!("DELETE FROM repeat_keys WHERE first <= {}", seal.last.0))?;
    session.execute("COMMIT")?;
    let warnings = session.warnings();
    if warnings.is_empty() { Ok(()) } else { Err(StoreError::Unsafe(warnings)) }
}

/// Makes a table of its own of a sealed month, beside readers and the writer.
fn take_out(settings: &Settings, month: i32) -> Result<(), StoreError> {
    let mut session = connect(settings, None)?;
    let table = months::table(month);
    let mut begun = false;
    let question =
        format!("SELECT count(*) FROM pg_inherits WHERE inhrelid = '{table}'::regclass AND inhdetachpending");
    session.each(&question, &[], &mut |row| {
        begun = signed(row, 0)? > 0;
        Ok(true)
    })?;
    // One that was interrupted is brought to its end.
    let how = if begun { "FINALIZE" } else { "CONCURRENTLY" };
    session.execute(&format!("ALTER TABLE log DETACH PARTITION {table} {how}"))
}

/// What is known of a month that was sealed.
fn stored(reader: &mut PostgresHistory, month: i32) -> Result<Option<Detached>, StoreError> {
    let question = "SELECT first, last, link_before, link, digest FROM seals WHERE month = $1";
    let hash = |octets: Option<&[u8]>| octets.and_then(|octets| octets.try_into().ok()).unwrap_or([0; 32]);
    reader.one(question, &[month.into()], |row| {
        Ok(Detached {
            table: months::table(month),
            rows: (Sequence(unsigned(row, 0)?), Sequence(unsigned(row, 1)?)),
            links: (hash(row.octets(2)?), hash(row.octets(3)?)),
            digest: hash(row.octets(4)?),
        })
    })
}

/// The last seal of a month before this one.
///
/// # Errors
/// [`StoreError::Damaged`] where it is not the one that was written.
pub(super) fn seal_before(reader: &mut PostgresHistory, month: i64) -> Result<Option<Seal>, StoreError> {
    let question = "SELECT month, last, next, at_ms, day, link, digest FROM seals WHERE month < $1
        ORDER BY month DESC LIMIT 1";
    let found = reader.one(question, &[month], |row| {
        let of: i32 = small(row, 0)?;
        let moment = Moment { time: Time(signed(row, 3)?), day: Day(small(row, 4)?), month: Month(of) };
        let link = row.octets(5)?.unwrap_or_default().try_into().unwrap_or([0; 32]);
        let (last, next) = (Sequence(unsigned(row, 1)?), Sequence(unsigned(row, 2)?));
        let digest = row.octets(6)?.unwrap_or_default().to_vec();
        Ok((of, Seal { last, next, moment, link, records: BTreeSet::new() }, digest))
    })?;
    let Some((of, mut seal, digest)) = found else { return Ok(None) };
    let question = "SELECT body, balance, latest FROM sealed WHERE month = $1";
    reader.each(question, &[of.into()], &mut |row| {
        let (body, balance) = (row.octets(0)?.unwrap_or_default().to_vec(), signed(row, 1)?);
        seal.records.insert(Sealed { body, balance, latest: Sequence(unsigned(row, 2)?) });
        Ok(true)
    })?;
    if seal.digest() != digest.as_slice() {
        return Err(StoreError::Damaged(format!("the seal of {} is not the one that was written", months::table(of))));
    }
    Ok(Some(seal))
}
