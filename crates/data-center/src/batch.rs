//! What becomes durable in one commit.

use std::ops::Range;

use sha2::{Digest, Sha256};
use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::{Sequence, StaffId, TransferId};
use transaction_processing::journal::{Entered, Posting};
use transaction_processing::number::Private;
use transaction_processing::proposal::Measure;
use transaction_processing::request::{Kind, RequestKey};
use transaction_processing::time::{Moment, Time};
use transaction_processing::{Msisdn, Notice, Refusal};

use crate::encoding::{self, Encoded, Input, Malformed, Output};
use crate::messages::{MessageChange, NoticeId};

/// The link of the hash chain before the first row.
pub const GENESIS: [u8; 32] = [0; 32];

/// What every link is prefixed with, so that no other hash of ours can be taken for one.
const CHAIN_TAG: &[u8] = b"wakala log row 1\0";

/// Where the log stands, written with every commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The number of the next row.
    pub next: Sequence,
    /// The moment of the last batch.
    pub moment: Moment,
    /// The chain's last link.
    pub head: [u8; 32],
    /// Recovery loads the checkpoint and replays the log from this row on.
    pub replay_from: Sequence,
    /// The moment of the batch before that row.
    pub replay_moment: Moment,
    /// Every notice of the rows up to this one needs no care any more.
    pub settled: Sequence,
}

impl Position {
    /// Where an empty log stands.
    pub const fn start() -> Position {
        let moment = Moment {
            time: Time(0),
            day: transaction_processing::time::Day(0),
            month: transaction_processing::time::Month(0),
        };
        Position {
            next: Sequence(1),
            moment,
            head: GENESIS,
            replay_from: Sequence(1),
            replay_moment: moment,
            settled: Sequence(0),
        }
    }
}

/// One row of the log as it is stored: the figures in columns, changes and notices encoded in [`Batch::octets`].
#[derive(Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Its number.
    pub sequence: Sequence,
    /// When.
    pub moment: Moment,
    /// What was asked.
    pub kind: Kind,
    /// The number that asked.
    pub sender: Option<Msisdn>,
    /// The member of staff who asked.
    pub staff: Option<StaffId>,
    /// The identity of the message.
    pub key: Option<RequestKey>,
    /// Whether its repeat is answered from memory.
    pub remembered: bool,
    /// Why not, where it was refused.
    pub refusal: Option<Refusal>,
    /// The transfer it is about.
    pub transfer: Option<TransferId>,
    /// The postings with the balances that result.
    pub entered: Vec<Entered>,
    /// Where its changes stand.
    pub changes: Range<usize>,
    /// Where its notices stand.
    pub notices: Range<usize>,
    /// Its link of the hash chain.
    pub chain: [u8; 32],
}

/// A code that a notice tells, sealed; it stands outside the log, so that it can be erased.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// The notice.
    pub notice: NoticeId,
    /// The code, sealed at rest.
    pub sealed: Vec<u8>,
}

/// A personal text of a row, sealed; it stands outside the log, so that it can be erased.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateText {
    /// The row that covers its commitment.
    pub sequence: Sequence,
    /// Which change of that row, from zero.
    pub position: u16,
    /// Whose it is.
    pub subject: Subject,
    /// The text and its commitment.
    pub text: Private,
}

/// Whose a personal text is, by which it is found when it is to be erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The number of its owner.
    pub msisdn: Option<Msisdn>,
    /// Of a document the transfer for which it was shown; none of a name.
    pub transfer: Option<TransferId>,
}

/// Everything that one commit makes durable.
#[derive(Default)]
pub struct Batch {
    pub(crate) rows: Vec<LogRow>,
    pub(crate) octets: Output,
    pub(crate) codes: Vec<Code>,
    pub(crate) texts: Vec<PrivateText>,
    pub(crate) erased: Vec<(Msisdn, Sequence)>,
    pub(crate) messages: Vec<MessageChange>,
    pub(crate) slice: Vec<Change>,
    pub(crate) position: Option<Position>,
    pub(crate) as_of: Sequence,
    pub(crate) repeats_since: Time,
}

impl Batch {
    /// The rows, in order.
    pub fn rows(&self) -> &[LogRow] {
        &self.rows
    }

    /// The octets of changes or notices of one of its rows.
    pub fn octets(&self, range: &Range<usize>) -> &[u8] {
        self.octets.bytes.get(range.clone()).unwrap_or_default()
    }

    /// The codes that its notices tell.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// The personal texts of its rows.
    pub fn texts(&self) -> &[PrivateText] {
        &self.texts
    }

    /// Whose personal texts are erased, and up to which row; its own [`Batch::texts`] of them are empty already.
    pub fn erased(&self) -> &[(Msisdn, Sequence)] {
        &self.erased
    }

    /// What became of messages.
    pub fn messages(&self) -> &[MessageChange] {
        &self.messages
    }

    /// The records of the rolling checkpoint that are written with it; as they stand after its last row, [`Batch::as_of`].
    pub fn slice(&self) -> &[Change] {
        &self.slice
    }

    /// The last row that its checkpoint records know of.
    pub fn as_of(&self) -> Sequence {
        self.as_of
    }

    /// Where the log stands afterwards; none where nothing moved.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// Keys of messages from before this time are not needed any more.
    pub fn repeats_since(&self) -> Time {
        self.repeats_since
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.messages.is_empty()
    }

    /// The keys of its remembered rows, packed: how far behind the row before (varint), then the key. See [`unpack_keys`].
    pub fn packed_keys(&self) -> Vec<u8> {
        let first = self.rows.first().map_or(Sequence(0), |row| row.sequence);
        pack_keys(first, self.rows.iter().filter(|row| row.remembered).filter_map(|row| Some((row.sequence, row.key?))))
    }

    /// A row of this batch.
    pub(crate) fn row(&self, sequence: Sequence) -> Option<&LogRow> {
        let index = self.rows.binary_search_by_key(&sequence, |row| row.sequence).ok()?;
        self.rows.get(index)
    }

    /// Takes a row in: encodes it, links it to the chain, and sets aside what stands outside of it. The notices are left
    /// in the row.
    pub(crate) fn enter(&mut self, row: &mut Row, head: [u8; 32]) -> [u8; 32] {
        let start = self.octets.bytes.len();
        encoding::put_changes(&row.changes, &mut self.octets);
        let middle = self.octets.bytes.len();
        encoding::put_notices(&row.notices, &mut self.octets);
        let end = self.octets.bytes.len();
        self.set_aside(row);
        let mut stored = LogRow {
            sequence: row.sequence,
            moment: row.moment,
            kind: row.kind,
            sender: row.from,
            staff: row.staff,
            key: row.key,
            remembered: row.is_remembered(),
            refusal: row.refusal,
            transfer: row.transfer,
            entered: std::mem::take(&mut row.entered),
            changes: start..middle,
            notices: middle..end,
            chain: GENESIS,
        };
        // The canonical form is drafted behind the octets and taken off again: no allocation per row.
        stored.put_canonical(middle - start, end - middle, &mut self.octets);
        stored.chain = link(&head, self.octets.bytes.get(end..).unwrap_or_default(), self.octets.bytes.get(start..end));
        self.octets.bytes.truncate(end);
        let head = stored.chain;
        self.rows.push(stored);
        head
    }

    fn set_aside(&mut self, row: &Row) {
        for (notice, told) in row.notices.iter().enumerate() {
            if let Some(code) = &told.code {
                let notice = NoticeId { sequence: row.sequence, notice: notice as u8 };
                self.codes.push(Code { notice, sealed: code.0.clone() });
            }
        }
        for (position, change) in row.changes.iter().enumerate() {
            if let Some((subject, text)) = personal(row, change) {
                let position = position as u16;
                self.texts.push(PrivateText { sequence: row.sequence, position, subject, text: text.clone() });
            }
            if let Change::Erased { msisdn, up_to } = change {
                let erased = |text: &&mut PrivateText| text.subject.msisdn == Some(*msisdn) && text.sequence <= *up_to;
                self.texts.iter_mut().filter(erased).for_each(|text| text.text.sealed.clear());
                self.erased.push((*msisdn, *up_to));
            }
        }
    }
}

/// The personal text of a change in a row. A document is the payee's.
pub(crate) fn personal<'a>(row: &Row, change: &'a Change) -> Option<(Subject, &'a Private)> {
    let name_of = |msisdn: &Msisdn| Subject { msisdn: Some(*msisdn), transfer: None };
    match change {
        Change::Named { msisdn, name } => Some((name_of(msisdn), name)),
        Change::Identified { transfer, document } => {
            let payee = row.transfer_left(*transfer).map(|left| left.payee);
            Some((Subject { msisdn: payee, transfer: Some(*transfer) }, document))
        }
        Change::Proposal(proposal) => match &proposal.measure {
            Measure::EnrolAgent { msisdn, name, .. } => Some((name_of(msisdn), name)),
            _ => None,
        },
        _ => None,
    }
}

fn link(before: &[u8; 32], canonical: &[u8], octets: Option<&[u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(CHAIN_TAG);
    hash.update(before);
    hash.update(canonical);
    hash.update(octets.unwrap_or_default());
    hash.finalize().into()
}

impl LogRow {
    /// Every chained column in one unambiguous form, the two blobs by their lengths: they follow it.
    fn put_canonical(&self, changes: usize, notices: usize, out: &mut Output) {
        self.sequence.put(out);
        self.moment.time.put(out);
        self.moment.day.put(out);
        self.moment.month.put(out);
        self.kind.put(out);
        self.sender.put(out);
        self.staff.put(out);
        self.key.map(|key| key.0).put(out);
        self.refusal.put(out);
        self.transfer.put(out);
        out.unsigned(self.entered.len() as u64);
        for entered in &self.entered {
            let Entered { posting: Posting { from, to, amount }, from_balance, to_balance, from_previous, to_previous } =
                entered;
            from.put(out);
            to.put(out);
            amount.put(out);
            from_balance.put(out);
            to_balance.put(out);
            from_previous.put(out);
            to_previous.put(out);
        }
        out.unsigned(changes as u64);
        out.unsigned(notices as u64);
    }

    /// The link that this row makes with the one before it, from its columns alone.
    pub fn link(&self, before: &[u8; 32], changes: &[u8], notices: &[u8]) -> [u8; 32] {
        let mut out = Output::default();
        self.put_canonical(changes.len(), notices.len(), &mut out);
        let canonical = out.bytes.len();
        out.bytes.extend_from_slice(changes);
        out.bytes.extend_from_slice(notices);
        link(before, out.bytes.get(..canonical).unwrap_or_default(), out.bytes.get(canonical..))
    }

    /// The row as the books replay it. `text` finds a sealed personal text by its commitment. Codes are empty.
    ///
    /// # Errors
    /// [`Malformed`] where changes or notices are not what a row holds.
    pub fn decode(
        &self,
        changes: &[u8],
        notices: &[u8],
        text: &mut dyn FnMut(&[u8; 32]) -> Vec<u8>,
    ) -> Result<Row, Malformed> {
        Ok(Row {
            sequence: self.sequence,
            moment: self.moment,
            kind: self.kind,
            from: self.sender,
            staff: self.staff,
            key: self.key,
            refusal: self.refusal,
            transfer: self.transfer,
            entered: self.entered.clone(),
            changes: encoding::take_changes(changes, text)?,
            notices: encoding::take_notices(notices)?,
        })
    }
}

/// A record of the checkpoint as every store keeps it; the balance of an account is kept beside it.
pub fn record_octets(record: &Change) -> Vec<u8> {
    let mut out = Output::default();
    encoding::put_record(record, &mut out);
    out.bytes
}

/// Reads what [`record_octets`] wrote. `text` finds a sealed personal text by its commitment.
///
/// # Errors
/// [`Malformed`].
pub fn read_record(octets: &[u8], text: &mut dyn FnMut(&[u8; 32]) -> Vec<u8>) -> Result<Change, Malformed> {
    encoding::take_record(octets, text)
}

/// Reads the notices of a row; their codes are empty.
///
/// # Errors
/// [`Malformed`].
pub fn read_notices(octets: &[u8]) -> Result<Vec<Notice>, Malformed> {
    encoding::take_notices(octets)
}

/// Packs keys of messages with their rows, rising, counted from `first`.
pub(crate) fn pack_keys(first: Sequence, keys: impl Iterator<Item = (Sequence, RequestKey)>) -> Vec<u8> {
    let mut out = Output::default();
    let mut before = first;
    for (sequence, key) in keys {
        out.unsigned(sequence.0.saturating_sub(before.0));
        out.bytes.extend_from_slice(&key.0);
        before = sequence;
    }
    out.bytes
}

/// Reads what [`Batch::packed_keys`] wrote, from the row `first` on.
///
/// # Errors
/// [`Malformed`] where the octets are nothing of the kind.
pub fn unpack_keys(
    first: Sequence,
    octets: &[u8],
    each: &mut dyn FnMut(Sequence, RequestKey),
) -> Result<(), Malformed> {
    let mut none = |_: &[u8; 32]| Vec::new();
    let mut input = Input::new(octets, &mut none);
    let mut row = first;
    while !input.is_at_end() {
        row = Sequence(row.0.saturating_add(u64::take(&mut input)?));
        each(row, RequestKey(Encoded::take(&mut input)?));
    }
    Ok(())
}
