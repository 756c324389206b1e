//! What is stored, read in the same way from every store. A store says how a question is put to it ([`Reading`]); what the
//! answers mean stands here, in [`crate::load`], [`crate::history`] and [`crate::verify`].
//!
//! Questions are written so that every store takes them: parameters are `$1`, `$2`, … and appear for the first time in this
//! order, because SQLite numbers names by their first appearance.

use transaction_processing::ids::{AccountId, Sequence, StaffId, TransferId};
use transaction_processing::journal::{Entered, MOST_POSTINGS, Posting};
use transaction_processing::request::{Kind, RequestKey};
use transaction_processing::time::{Day, Moment, Month, Time};
use transaction_processing::{Currency, Money, Msisdn, Refusal, Row};

use crate::batch::{LogRow, Position};
use crate::records::{self, LOG, Table, Value};
use crate::seal::Seal;
use crate::store::StoreError;

/// How many rows of the log are read at once.
pub(crate) const STRETCH: usize = 4096;

/// One row of an answer, by the place of its columns.
pub(crate) trait Columns {
    /// Any value.
    fn value(&self, index: usize) -> Result<Value, StoreError>;
    /// A figure.
    fn integer(&self, index: usize) -> Result<Option<i64>, StoreError>;
    /// Octets.
    fn octets(&self, index: usize) -> Result<Option<&[u8]>, StoreError>;
    /// A text.
    fn text(&self, index: usize) -> Result<Option<&str>, StoreError>;
}

/// Takes a row of an answer; whether it wants another.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&dyn Columns) -> Result<bool, StoreError>;

/// Whoever can be asked what is stored.
pub(crate) trait Reading {
    /// What a question about waiting transfers says behind the name of their table, so that their index is used.
    const WAITING_TRANSFERS: &'static str;

    /// What a question says behind a text by whose octets it orders.
    const BY_OCTETS: &'static str;

    /// The table of the log: all of it, or one month that was taken out.
    fn log(&self) -> &str {
        LOG.name
    }

    /// What the rows that were taken out of the log have left.
    fn seal(&mut self) -> Result<Option<Seal>, StoreError> {
        Ok(None)
    }

    /// The currencies, as they were when the reader was opened.
    fn currencies(&self) -> &Currencies;

    /// Puts a question and hands over the rows of the answer. No other question may be put meanwhile.
    fn each(&mut self, question: &str, parameters: &[i64], take: Take<'_>) -> Result<(), StoreError>;

    /// The records of a table with these keys, in the order of the keys; none for a key that is not there.
    fn records(&mut self, table: &Table, keys: &[Vec<Value>]) -> Result<Vec<Option<Vec<Value>>>, StoreError> {
        self.records_in(table.name, table, keys)
    }

    /// The same of a table that has the columns of another and a name of its own.
    fn records_in(
        &mut self,
        name: &str,
        table: &Table,
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Value>>>, StoreError>;

    /// The first row of an answer.
    fn one<T>(
        &mut self,
        question: &str,
        parameters: &[i64],
        mut read: impl FnMut(&dyn Columns) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.each(question, parameters, &mut |row| {
            found = Some(read(row)?);
            Ok(false)
        })?;
        Ok(found)
    }

    /// The one figure of an answer.
    fn figure(&mut self, question: &str) -> Result<u64, StoreError> {
        Ok(self.one(question, &[], |row| unsigned(row, 0))?.unwrap_or(0))
    }

    /// Every row of a table, in the order of its key.
    fn all(
        &mut self,
        table: &Table,
        take: &mut dyn FnMut(Vec<Value>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let key = table.columns.get(..table.key).unwrap_or_default().join(", ");
        let order = if table.name == records::BANK_MOVEMENTS.name { Self::BY_OCTETS } else { "" };
        let question = format!("SELECT {} FROM {} ORDER BY {key} {order}", table.columns.join(", "), table.name);
        self.each(&question, &[], &mut |row| {
            take(values(row, 0, table.columns.len())?)?;
            Ok(true)
        })
    }

    /// Where the log stands; none where it is empty.
    fn position(&mut self) -> Result<Option<Position>, StoreError> {
        let question = "SELECT next, at_ms, day, month, head, replay_from, replay_at_ms, replay_day, replay_month, \
            settled FROM position";
        self.one(question, &[], |row| {
            Ok(Position {
                next: Sequence(unsigned(row, 0)?),
                moment: moment(row, 1)?,
                head: hash(row, 4)?,
                replay_from: Sequence(unsigned(row, 5)?),
                replay_moment: moment(row, 6)?,
                settled: Sequence(unsigned(row, 9)?),
            })
        })
    }

    /// So many rows of the log at most, from this one on, with the personal texts that belong to them.
    fn stretch(&mut self, from: Sequence, most: usize) -> Result<Stretch, StoreError> {
        let mut stretch = self.bare_stretch(from, most)?;
        if let (Some(first), Some(last)) = (stretch.rows.first(), stretch.rows.last()) {
            let question = "SELECT sequence, position, commitment, sealed, msisdn, transfer FROM private_texts
                WHERE sequence BETWEEN $1 AND $2 ORDER BY sequence, position";
            let between = [first.sequence.0.cast_signed(), last.sequence.0.cast_signed()];
            stretch.texts = Texts::read(self, question, &between)?;
        }
        Ok(stretch)
    }

    /// The same without personal texts.
    fn bare_stretch(&mut self, from: Sequence, most: usize) -> Result<Stretch, StoreError> {
        let (columns, log) = (LOG.columns.join(", "), self.log());
        // The number stands in the question itself, so that a planner knows how few rows are wanted.
        let question = format!("SELECT {columns} FROM {log} WHERE sequence >= $1 ORDER BY sequence LIMIT {most}");
        let currencies = self.currencies().clone();
        let mut stretch = Stretch::default();
        self.each(&question, &[from.0.cast_signed()], &mut |row| {
            let stored = stretch.stored(row, &currencies)?;
            stretch.rows.push(stored);
            Ok(true)
        })?;
        Ok(stretch)
    }

    /// These rows of the log, in this order, with their notices and without personal texts; none for one that is not there.
    fn rows_of_log(&mut self, sequences: &[Sequence]) -> Result<Vec<Option<Row>>, StoreError> {
        let keys: Vec<_> = sequences.iter().map(|sequence| vec![Value::Integer(sequence.0.cast_signed())]).collect();
        let currencies = self.currencies().clone();
        let read = |record: Option<Vec<Value>>| {
            let Some(record) = record else { return Ok(None) };
            let mut stretch = Stretch::default();
            let stored = stretch.stored(&record, &currencies)?;
            stretch.decode(&stored, true).map(Some)
        };
        let log = self.log().to_owned();
        self.records_in(&log, &LOG, &keys)?.into_iter().map(read).collect()
    }
}

/// A record that is held.
impl Columns for Vec<Value> {
    fn value(&self, index: usize) -> Result<Value, StoreError> {
        Ok(self.get(index).cloned().unwrap_or(Value::Null))
    }

    fn integer(&self, index: usize) -> Result<Option<i64>, StoreError> {
        match self.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Integer(figure)) => Ok(Some(*figure)),
            Some(_) => Err(StoreError::Damaged("something else stands where a figure should".into())),
        }
    }

    fn octets(&self, index: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Octets(octets)) => Ok(Some(octets)),
            Some(_) => Err(StoreError::Damaged("something else stands where octets should".into())),
        }
    }

    fn text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        match self.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(StoreError::Damaged("something else stands where a text should".into())),
        }
    }
}

/// A figure that must not be negative.
pub(crate) fn unsigned(row: &dyn Columns, index: usize) -> Result<u64, StoreError> {
    signed(row, index).map(i64::cast_unsigned)
}

/// A figure that must be there.
pub(crate) fn signed(row: &dyn Columns, index: usize) -> Result<i64, StoreError> {
    row.integer(index)?.ok_or_else(|| StoreError::Damaged("a figure is missing".into()))
}

/// A figure that must be there and be small.
pub(crate) fn small<T: TryFrom<i64>>(row: &dyn Columns, index: usize) -> Result<T, StoreError> {
    signed(row, index)?.try_into().map_err(|_| StoreError::Damaged("a figure is beyond its range".into()))
}

fn moment(row: &dyn Columns, at: usize) -> Result<Moment, StoreError> {
    Ok(Moment { time: Time(signed(row, at)?), day: Day(small(row, at + 1)?), month: Month(small(row, at + 2)?) })
}

fn hash(row: &dyn Columns, index: usize) -> Result<[u8; 32], StoreError> {
    let octets = row.octets(index)?.unwrap_or_default();
    octets.try_into().map_err(|_| StoreError::Damaged("a hash that is none".into()))
}

/// Values of a row, so many from one on.
pub(crate) fn values(row: &dyn Columns, from: usize, count: usize) -> Result<Vec<Value>, StoreError> {
    (from..from + count).map(|index| row.value(index)).collect()
}

/// What is wrong with a row of the log.
pub(crate) fn damaged(sequence: Sequence, what: &str) -> StoreError {
    StoreError::Damaged(format!("row {}: {what}", sequence.0))
}

/// The decimal digits of each currency, by its number.
#[derive(Clone, Default)]
pub(crate) struct Currencies(pub(crate) Vec<Currency>);

impl Currencies {
    /// The question whose rows [`Currencies::add`] takes.
    pub(crate) const QUESTION: &'static str = "SELECT numeric, minor_digits FROM currencies";

    pub(crate) fn add(&mut self, row: &dyn Columns) -> Result<bool, StoreError> {
        self.0.push(Currency { numeric: small(row, 0)?, minor_digits: small(row, 1)? });
        Ok(true)
    }

    pub(crate) fn numbered(&self, numeric: i64) -> Option<Currency> {
        self.0.iter().find(|currency| i64::from(currency.numeric) == numeric).copied()
    }

    /// Those of `used` that are not known yet.
    ///
    /// # Errors
    /// [`StoreError::CurrencyDiffers`] where one is known with other decimal digits.
    pub(crate) fn unknown(&self, used: &[Currency]) -> Result<Vec<Currency>, StoreError> {
        let mut unknown = Vec::new();
        for currency in used {
            match self.numbered(i64::from(currency.numeric)) {
                Some(held) if held != *currency => return Err(StoreError::CurrencyDiffers(currency.numeric)),
                Some(_) => {}
                None => unknown.push(*currency),
            }
        }
        Ok(unknown)
    }
}

/// Personal texts, in the order of their rows and places.
#[derive(Default)]
pub(crate) struct Texts(Vec<Text>);

pub(crate) struct Text {
    sequence: Sequence,
    position: u64,
    pub(crate) commitment: Vec<u8>,
    /// Empty where it was erased.
    pub(crate) sealed: Vec<u8>,
    /// Whose it is, as it stands beside it: number and transfer.
    pub(crate) subject: (Option<i64>, Option<i64>),
}

impl Texts {
    /// The texts that a question finds by row, place, commitment, sealed octets, number and transfer, in the order of the
    /// first two.
    pub(crate) fn read<R: Reading + ?Sized>(
        reading: &mut R,
        question: &str,
        parameters: &[i64],
    ) -> Result<Texts, StoreError> {
        let mut texts = Vec::new();
        reading.each(question, parameters, &mut |row| {
            texts.push(Text {
                sequence: Sequence(unsigned(row, 0)?),
                position: unsigned(row, 1)?,
                commitment: row.octets(2)?.unwrap_or_default().to_vec(),
                sealed: row.octets(3)?.unwrap_or_default().to_vec(),
                subject: (row.integer(4)?, row.integer(5)?),
            });
            Ok(true)
        })?;
        Ok(Texts(texts))
    }

    /// Those of the rows that made proposals, whose records hold them.
    pub(crate) fn of_proposals<R: Reading + ?Sized>(reading: &mut R) -> Result<Texts, StoreError> {
        let question = "SELECT sequence, position, commitment, sealed, msisdn, transfer FROM private_texts
            WHERE sequence IN (SELECT id FROM proposals) ORDER BY sequence, position";
        Texts::read(reading, question, &[])
    }

    fn of(&self, sequence: Sequence) -> &[Text] {
        let from = self.0.partition_point(|text| text.sequence < sequence);
        let to = self.0.partition_point(|text| text.sequence <= sequence);
        self.0.get(from..to).unwrap_or_default()
    }

    /// The sealed text of a row with this commitment; empty where it was erased.
    pub(crate) fn sealed(&self, sequence: Sequence, commitment: &[u8; 32]) -> Vec<u8> {
        let found = self.of(sequence).iter().find(|text| text.commitment == commitment);
        found.map(|text| text.sealed.clone()).unwrap_or_default()
    }

    /// The text of this row and place.
    pub(crate) fn at(&self, sequence: Sequence, position: usize) -> Option<&Text> {
        self.of(sequence).iter().find(|text| text.position == position as u64)
    }
}

/// Rows of the log that follow one another, as they are stored.
#[derive(Default)]
pub(crate) struct Stretch {
    pub(crate) rows: Vec<Stored>,
    pub(crate) texts: Texts,
    octets: Vec<u8>,
}

/// One of them.
pub(crate) struct Stored {
    pub(crate) sequence: Sequence,
    /// What stands there, or why it is no row.
    pub(crate) row: Result<LogRow, String>,
    /// What the chain does not cover and should not be there.
    pub(crate) untidy: Option<&'static str>,
}

impl Stored {
    /// The row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is none.
    pub(crate) fn row(&self) -> Result<&LogRow, StoreError> {
        self.row.as_ref().map_err(|what| damaged(self.sequence, what))
    }
}

/// Where the postings stand among the columns of the log.
const POSTINGS: usize = 13;

impl Stretch {
    pub(crate) fn changes(&self, row: &LogRow) -> &[u8] {
        self.octets.get(row.changes.clone()).unwrap_or_default()
    }

    pub(crate) fn notices(&self, row: &LogRow) -> &[u8] {
        self.octets.get(row.notices.clone()).unwrap_or_default()
    }

    /// A row as the books replay it, with its notices where they are wanted; its codes are empty.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(crate) fn decode(&self, stored: &Stored, with_notices: bool) -> Result<Row, StoreError> {
        let row = stored.row()?;
        let notices = if with_notices { self.notices(row) } else { &[] };
        let mut text = |commitment: &[u8; 32]| self.texts.sealed(row.sequence, commitment);
        let decoded = row.decode(self.changes(row), notices, &mut text);
        decoded.map_err(|error| damaged(row.sequence, &error.to_string()))
    }

    /// A row selected with all columns of the log in order.
    fn stored(&mut self, row: &dyn Columns, currencies: &Currencies) -> Result<Stored, StoreError> {
        let sequence = Sequence(unsigned(row, 0)?);
        let mut untidy = None;
        let mut kept = |octets: Option<&[u8]>| {
            let start = self.octets.len();
            if octets == Some(&[]) {
                untidy = Some("an empty list is not left out");
            }
            self.octets.extend_from_slice(octets.unwrap_or_default());
            start..self.octets.len()
        };
        let (changes, notices) = (kept(row.octets(10)?), kept(row.octets(11)?));
        let read = log_row(row, currencies).map(|read| LogRow { sequence, changes, notices, ..read });
        let postings = read.as_ref().map_or(MOST_POSTINGS, |read| read.entered.len());
        for column in POSTINGS + 8 * postings..POSTINGS + 8 * MOST_POSTINGS {
            if row.integer(column)?.is_some() {
                untidy = Some("a column that the row does not use is filled");
            }
        }
        match read {
            Err(Unreadable::Store(error)) => Err(error),
            Err(Unreadable::What(what)) => Ok(Stored { sequence, row: Err(what.to_owned()), untidy }),
            Ok(read) => Ok(Stored { sequence, row: Ok(read), untidy }),
        }
    }
}

/// Why a row could not be read.
enum Unreadable {
    Store(StoreError),
    What(&'static str),
}

impl From<StoreError> for Unreadable {
    fn from(error: StoreError) -> Unreadable {
        match error {
            StoreError::Damaged(_) => Unreadable::What("a figure is missing or beyond its range"),
            other => Unreadable::Store(other),
        }
    }
}

fn log_row(row: &dyn Columns, currencies: &Currencies) -> Result<LogRow, Unreadable> {
    let wrong = |what| move || Unreadable::What(what);
    let kind = small(row, 4).ok().and_then(Kind::numbered).ok_or_else(wrong("no such request"))?;
    let sender = row.integer(5)?.map(|digits| Msisdn::new(digits.cast_unsigned()));
    let key = row.octets(7)?.map(|octets| octets.try_into().map(RequestKey));
    let refusal = row.integer(8)?.map(|number| u8::try_from(number).ok().and_then(Refusal::numbered));
    let mut entered = Vec::new();
    while entered.len() < MOST_POSTINGS
        && let Some(posting) = posting(row, POSTINGS + 8 * entered.len(), currencies)?
    {
        entered.push(posting);
    }
    Ok(LogRow {
        sequence: Sequence(unsigned(row, 0)?),
        moment: moment(row, 1)?,
        kind,
        sender: sender.map(|sender| sender.ok_or_else(wrong("the sender is no number"))).transpose()?,
        staff: row.integer(6)?.map(|id| StaffId(id.cast_unsigned())),
        key: key.transpose().map_err(|_| Unreadable::What("the key is no key"))?,
        remembered: false,
        refusal: refusal.map(|refusal| refusal.ok_or_else(wrong("no such refusal"))).transpose()?,
        transfer: row.integer(9)?.map(|id| TransferId(id.cast_unsigned())),
        entered,
        changes: 0..0,
        notices: 0..0,
        chain: hash(row, 12)?,
    })
}

fn posting(row: &dyn Columns, at: usize, currencies: &Currencies) -> Result<Option<Entered>, Unreadable> {
    let Some(from) = row.integer(at)? else { return Ok(None) };
    let currency = currencies.numbered(signed(row, at + 3)?).ok_or(Unreadable::What("no such currency"))?;
    let amount = Money::new(signed(row, at + 2)?, currency).ok_or(Unreadable::What("no such amount"))?;
    Ok(Some(Entered {
        posting: Posting { from: AccountId(from), to: AccountId(signed(row, at + 1)?), amount },
        from_balance: signed(row, at + 4)?,
        to_balance: signed(row, at + 5)?,
        from_previous: Sequence(unsigned(row, at + 6)?),
        to_previous: Sequence(unsigned(row, at + 7)?),
    }))
}
