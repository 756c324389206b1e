//! What is committed, looked up beside the writer.

use std::collections::BTreeMap;

use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::notice::SealedCode;
use transaction_processing::request::Kind;
use transaction_processing::time::Time;
use transaction_processing::transfer::Transfer;

use crate::encoding;
use crate::messages::{Message, MessageState, NoticeId, Untold};
use crate::reading::{Reading, damaged, signed, small, unsigned};
use crate::records::{TRANSFERS, Value};
use crate::store::{History, StoreError};

/// How many rows are looked through at once for notices.
const ROWS: usize = 1024;

impl<R: Reading + Send + 'static> History for R {
    fn rows(&mut self, sequences: &[Sequence]) -> Result<Vec<Option<Row>>, StoreError> {
        self.rows_of_log(sequences)
    }

    fn transfers(&mut self, ids: &[TransferId]) -> Result<Vec<Option<Transfer>>, StoreError> {
        let keys: Vec<_> = ids.iter().map(|id| vec![Value::Integer(id.0.cast_signed())]).collect();
        let found = self.records(&TRANSFERS, &keys)?;
        let body = TRANSFERS.columns.iter().position(|column| *column == "body");
        let read = |(id, record): (&TransferId, Option<Vec<Value>>)| {
            let Some(record) = record else { return Ok(None) };
            let octets = match body.and_then(|body| record.get(body)) {
                Some(Value::Octets(octets)) => octets.as_slice(),
                _ => &[],
            };
            match encoding::take_record(octets, &mut |_| Vec::new()) {
                Ok(Change::Transfer(transfer)) if transfer.id == *id => Ok(Some(transfer)),
                _ => Err(StoreError::Damaged(format!("transfer {}", id.0))),
            }
        };
        ids.iter().zip(found).map(read).collect()
    }

    fn settled(&mut self) -> Result<Sequence, StoreError> {
        self.figure("SELECT coalesce(max(settled), 0) FROM position").map(Sequence)
    }

    fn untold(&mut self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError> {
        let (mut found, mut seen) = (Vec::new(), after);
        while found.len() < most {
            let rows = told_by(self, seen, most.min(ROWS))?;
            let Some(last) = rows.last().map(|told| told.sequence) else { break };
            let mut messages = messages(self, seen, last)?;
            let mut codes = codes(self, seen, last)?;
            for Told { sequence, at, kind, notices } in rows {
                for (index, mut notice) in notices.into_iter().enumerate() {
                    let id = NoticeId { sequence, notice: index as u8 };
                    let message = messages.remove(&id);
                    if message.as_ref().is_some_and(|message| message.state.is_final()) {
                        continue;
                    }
                    if notice.code.is_some() {
                        notice.code = Some(SealedCode(codes.remove(&id).unwrap_or_default()));
                    }
                    found.push(Untold { id, at, kind, notice, message });
                }
                seen = sequence;
                if found.len() >= most {
                    break;
                }
            }
        }
        Ok((found, seen))
    }
}

/// A row that tells something.
struct Told {
    sequence: Sequence,
    at: Time,
    kind: Kind,
    notices: Vec<transaction_processing::Notice>,
}

fn told_by<R: Reading>(reading: &mut R, after: Sequence, most: usize) -> Result<Vec<Told>, StoreError> {
    let question = format!(
        "SELECT sequence, at_ms, request, notices FROM log WHERE sequence > $1 AND notices IS NOT NULL
        ORDER BY sequence LIMIT {most}"
    );
    let mut rows = Vec::new();
    reading.each(&question, &[after.0.cast_signed()], &mut |row| {
        let sequence = Sequence(unsigned(row, 0)?);
        let octets = row.octets(3)?.unwrap_or_default();
        rows.push(Told {
            sequence,
            at: Time(signed(row, 1)?),
            kind: Kind::numbered(small(row, 2)?).ok_or_else(|| damaged(sequence, "no such request"))?,
            notices: encoding::take_notices(octets).map_err(|error| damaged(sequence, &error.to_string()))?,
        });
        Ok(true)
    })?;
    Ok(rows)
}

/// The figures between which the notices of the rows after `after` up to `last` lie.
fn between(after: Sequence, last: Sequence) -> [i64; 2] {
    let first = NoticeId { sequence: after.next(), notice: 0 };
    let last = NoticeId { sequence: last, notice: NoticeId::MOST - 1 };
    [first.packed(), last.packed()]
}

fn messages<R: Reading>(
    reading: &mut R,
    after: Sequence,
    last: Sequence,
) -> Result<BTreeMap<NoticeId, Message>, StoreError> {
    let question = "SELECT notice_id, state, attempts, centre, message_id, at_ms FROM messages
        WHERE notice_id BETWEEN $1 AND $2";
    let mut found = BTreeMap::new();
    reading.each(question, &between(after, last), &mut |row| {
        let notice = NoticeId::unpacked(signed(row, 0)?);
        let state = MessageState::numbered(small(row, 1)?)
            .ok_or_else(|| damaged(notice.sequence, "no such state of a message"))?;
        let centre = row.integer(3)?.map(u16::try_from).transpose();
        let message = Message {
            notice,
            state,
            attempts: small(row, 2)?,
            centre: centre.map_err(|_| damaged(notice.sequence, "no such centre"))?,
            message_id: row.text(4)?.map(str::to_owned),
            at: Time(signed(row, 5)?),
        };
        found.insert(notice, message);
        Ok(true)
    })?;
    Ok(found)
}

fn codes<R: Reading>(
    reading: &mut R,
    after: Sequence,
    last: Sequence,
) -> Result<BTreeMap<NoticeId, Vec<u8>>, StoreError> {
    let question = "SELECT notice_id, sealed FROM codes WHERE notice_id BETWEEN $1 AND $2";
    let mut found = BTreeMap::new();
    reading.each(question, &between(after, last), &mut |row| {
        let sealed = row.octets(1)?.unwrap_or_default().to_vec();
        found.insert(NoticeId::unpacked(signed(row, 0)?), sealed);
        Ok(true)
    })?;
    Ok(found)
}
