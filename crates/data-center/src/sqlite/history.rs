//! What is committed, looked up on a connection of its own.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row as SqlRow, params};
use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::{AccountId, Sequence, StaffId, TransferId};
use transaction_processing::journal::{Entered, MOST_POSTINGS, Posting};
use transaction_processing::notice::SealedCode;
use transaction_processing::request::{Kind, RequestKey};
use transaction_processing::time::{Day, Moment, Month, Time};
use transaction_processing::transfer::Transfer;
use transaction_processing::{Money, Msisdn, Refusal};

use super::{Currencies, connect, unsigned};
use crate::batch::LogRow;
use crate::encoding;
use crate::messages::{Message, MessageState, NoticeId, Untold};
use crate::store::{History, StoreError};

/// Every column of a row, in the order in which [`stored_row`] reads them.
pub(super) const COLUMNS: &str = "sequence, at_ms, day, month, request, sender, staff, request_key, refusal, transfer, \
    chain, changes, notices, \
    from_1, to_1, amount_1, currency_1, from_balance_1, to_balance_1, from_previous_1, to_previous_1, \
    from_2, to_2, amount_2, currency_2, from_balance_2, to_balance_2, from_previous_2, to_previous_2, \
    from_3, to_3, amount_3, currency_3, from_balance_3, to_balance_3, from_previous_3, to_previous_3, \
    from_4, to_4, amount_4, currency_4, from_balance_4, to_balance_4, from_previous_4, to_previous_4, \
    from_5, to_5, amount_5, currency_5, from_balance_5, to_balance_5, from_previous_5, to_previous_5, \
    from_6, to_6, amount_6, currency_6, from_balance_6, to_balance_6, from_previous_6, to_previous_6";

pub(super) const CHANGES: usize = 11;
pub(super) const NOTICES: usize = 12;
pub(super) const POSTINGS: usize = 13;

/// A reading connection.
pub struct SqliteHistory {
    connection: Connection,
    currencies: Currencies,
}

impl SqliteHistory {
    /// Opens one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<SqliteHistory, StoreError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let currencies = Currencies::read(&connection)?;
        Ok(SqliteHistory { connection, currencies })
    }
}

/// What is wrong with a row.
pub(super) fn damaged(sequence: impl Into<i64>, what: &str) -> StoreError {
    StoreError::Damaged(format!("row {}: {what}", sequence.into()))
}

/// The columns of a row selected by [`COLUMNS`], and the octets of its changes and notices.
pub(super) fn stored_row<'a>(
    row: &'a SqlRow<'_>,
    currencies: &Currencies,
) -> Result<(LogRow, &'a [u8], &'a [u8]), StoreError> {
    let number: i64 = row.get(0)?;
    let wrong = |what: &str| damaged(number, what);
    let key = optional_octets(row, 7)?.map(|octets| octets.try_into().map(RequestKey));
    let chain = optional_octets(row, 10)?.unwrap_or_default();
    let sender: Option<i64> = row.get(5)?;
    let refusal: Option<u8> = row.get(8)?;
    let mut stored = LogRow {
        sequence: Sequence(number.cast_unsigned()),
        moment: Moment { time: Time(row.get(1)?), day: Day(row.get(2)?), month: Month(row.get(3)?) },
        kind: Kind::numbered(row.get(4)?).ok_or_else(|| wrong("no such request"))?,
        sender: sender
            .map(|digits| Msisdn::new(digits.cast_unsigned()).ok_or_else(|| wrong("the sender is no number")))
            .transpose()?,
        staff: row.get::<_, Option<i64>>(6)?.map(|id| StaffId(id.cast_unsigned())),
        key: key.transpose().map_err(|_| wrong("the key is no key"))?,
        remembered: false,
        refusal: refusal.map(|number| Refusal::numbered(number).ok_or_else(|| wrong("no such refusal"))).transpose()?,
        transfer: row.get::<_, Option<i64>>(9)?.map(|id| TransferId(id.cast_unsigned())),
        entered: Vec::new(),
        changes: 0..0,
        notices: 0..0,
        chain: chain.try_into().map_err(|_| wrong("the chain is no hash"))?,
    };
    for posting in 0..MOST_POSTINGS {
        match entered(row, POSTINGS + 8 * posting, currencies)? {
            Some(entered) => stored.entered.push(entered),
            None => break,
        }
    }
    let changes = optional_octets(row, CHANGES)?.unwrap_or_default();
    let notices = optional_octets(row, NOTICES)?.unwrap_or_default();
    Ok((stored, changes, notices))
}

fn optional_octets<'a>(row: &'a SqlRow<'_>, index: usize) -> Result<Option<&'a [u8]>, StoreError> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => None,
        value => Some(value.as_blob().map_err(rusqlite::Error::from)?),
    })
}

fn entered(row: &SqlRow<'_>, at: usize, currencies: &Currencies) -> Result<Option<Entered>, StoreError> {
    let Some(from) = row.get::<_, Option<i64>>(at)? else { return Ok(None) };
    let wrong = |what| damaged(row.get(0).unwrap_or(0), what);
    let currency = currencies.numbered(row.get(at + 3)?).ok_or_else(|| wrong("no such currency"))?;
    let amount = Money::new(row.get(at + 2)?, currency).ok_or_else(|| wrong("no such amount"))?;
    Ok(Some(Entered {
        posting: Posting { from: AccountId(from), to: AccountId(row.get(at + 1)?), amount },
        from_balance: row.get(at + 4)?,
        to_balance: row.get(at + 5)?,
        from_previous: Sequence(unsigned(row, at + 6)?),
        to_previous: Sequence(unsigned(row, at + 7)?),
    }))
}

/// The sealed personal text of a row with this commitment; empty where it was erased.
pub(super) fn personal_text(connection: &Connection, sequence: Sequence, commitment: &[u8; 32]) -> Vec<u8> {
    let sql = "SELECT sealed FROM private_texts WHERE sequence = ?1 AND commitment = ?2";
    let found = connection.prepare_cached(sql).and_then(|mut statement| {
        statement.query_row(params![sequence.0.cast_signed(), commitment], |row| row.get(0)).optional()
    });
    // What cannot be read is like what was erased: nothing depends on it but a name on a page.
    found.ok().flatten().unwrap_or_default()
}

impl History for SqliteHistory {
    fn row(&mut self, sequence: Sequence) -> Result<Option<Row>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM log WHERE sequence = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([sequence.0.cast_signed()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (stored, changes, notices) = stored_row(row, &self.currencies)?;
        let mut text = |commitment: &[u8; 32]| personal_text(&self.connection, sequence, commitment);
        let decoded = stored.decode(changes, notices, &mut text);
        decoded.map(Some).map_err(|error| damaged(sequence.0.cast_signed(), &error.to_string()))
    }

    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT body FROM transfers WHERE id = ?1")?;
        let mut rows = statement.query([id.0.cast_signed()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        match encoding::take_record(body, &mut |_| Vec::new()) {
            Ok(Change::Transfer(transfer)) if transfer.id == id => Ok(Some(transfer)),
            _ => Err(StoreError::Damaged(format!("transfer {}", id.0))),
        }
    }

    fn settled(&mut self) -> Result<Sequence, StoreError> {
        let sql = "SELECT coalesce(max(settled), 0) FROM position";
        Ok(Sequence(self.connection.query_row(sql, [], |row| unsigned(row, 0))?))
    }

    fn untold(&mut self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError> {
        let sql = "SELECT sequence, at_ms, request, notices FROM log WHERE sequence > ?1 AND notices IS NOT NULL
            ORDER BY sequence";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([after.0.cast_signed()])?;
        let (mut found, mut seen) = (Vec::new(), after);
        while found.len() < most
            && let Some(row) = rows.next()?
        {
            let sequence = Sequence(unsigned(row, 0)?);
            let wrong = |what: &str| damaged(sequence.0.cast_signed(), what);
            let at = Time(row.get(1)?);
            let kind = Kind::numbered(row.get(2)?).ok_or_else(|| wrong("no such request"))?;
            let octets = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
            let notices = encoding::take_notices(octets).map_err(|error| wrong(&error.to_string()))?;
            for (index, mut notice) in notices.into_iter().enumerate() {
                let id = NoticeId { sequence, notice: index as u8 };
                let message = self.message(id)?;
                if message.as_ref().is_some_and(|message| message.state.is_final()) {
                    continue;
                }
                if notice.code.is_some() {
                    notice.code = Some(SealedCode(self.code(id)?));
                }
                found.push(Untold { id, at, kind, notice, message });
            }
            seen = sequence;
        }
        Ok((found, seen))
    }
}

impl SqliteHistory {
    fn message(&self, id: NoticeId) -> Result<Option<Message>, StoreError> {
        let sql = "SELECT state, attempts, centre, message_id, at_ms FROM messages WHERE notice_id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([id.packed()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let state = MessageState::numbered(row.get(0)?)
            .ok_or_else(|| damaged(id.sequence.0.cast_signed(), "no such state of a message"))?;
        Ok(Some(Message {
            notice: id,
            state,
            attempts: row.get(1)?,
            centre: row.get(2)?,
            message_id: row.get(3)?,
            at: Time(row.get(4)?),
        }))
    }

    fn code(&self, id: NoticeId) -> Result<Vec<u8>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT sealed FROM codes WHERE notice_id = ?1")?;
        Ok(statement.query_row([id.packed()], |row| row.get(0)).optional()?.unwrap_or_default())
    }
}
