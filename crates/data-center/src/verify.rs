//! Verification of a whole database: feeds the auditor.

use std::collections::{BTreeMap, HashSet, VecDeque};

use transaction_processing::Msisdn;
use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::request::RequestKey;

use crate::audit::{Auditor, Report, bare_books};
use crate::batch::{Position, personal, unpack_keys};
use crate::load::load;
use crate::reading::{Reading, STRETCH, Stored, Stretch, Texts, unsigned, values};
use crate::records::{self, Table, Value};
use crate::seal::Seal;
use crate::store::{History, Loaded, StoreError};

/// Recomputes the chain and every balance from the rows alone, follows every transfer, and compares every record of the
/// checkpoint with what the rows lead to. `progress` is told how many rows of how many are done. Codes and states of
/// messages stand outside the chain and are only looked at for rows that do not exist. `reading` sees one moment.
///
/// # Errors
/// [`StoreError`] where the database cannot be read at all; what is wrong in it is in the report.
pub(crate) fn verify<R: Reading + History>(
    reading: &mut R,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, StoreError> {
    let position = reading.position()?.unwrap_or(Position::start());
    let mut auditor = begin(reading)?;
    let sealed = auditor.seal_ends();
    let mut keys = Keys::new(reading)?;
    let mut records = Records::sorted(reading)?;
    records.read_up_to(reading, sealed)?;
    records.see_sealed(&mut auditor);
    let texts = walk(reading, &mut auditor, Some(&mut keys), &mut records, progress)?;
    judge_erasures(reading, &texts, &mut auditor)?;
    records.end(&mut auditor);
    keys.end(&mut auditor);
    auditor.judge_end(&position);
    judge_outside(reading, sealed, texts.found, &mut auditor)?;
    judge_recovery(reading, &position, &mut auditor)?;
    Ok(auditor.report())
}

/// Verifies rows that were taken out of the log, and that they lead from the seal before them to the one behind them.
///
/// # Errors
/// [`StoreError`] where they cannot be read at all.
pub(crate) fn verify_sealed<R: Reading + History>(
    reading: &mut R,
    closing: &Seal,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, StoreError> {
    let mut auditor = begin(reading)?;
    let mut records = Records::sorted(reading)?;
    // Those of other months are compared with the rest of the log.
    records.read_up_to(reading, auditor.seal_ends())?;
    records.ready.clear();
    walk(reading, &mut auditor, None, &mut records, progress)?;
    let found = auditor.seal();
    let same = (found.last, found.next, found.moment, found.link);
    if same != (closing.last, closing.next, closing.moment, closing.link) {
        auditor.find(None, "the rows end elsewhere than the seal behind them says");
    }
    if !found.records.is_subset(&closing.records) {
        auditor.find(None, "the rows lead to another state than the one that was sealed");
    }
    // What later rows ask of transfers that were closed in the row that made them.
    for sealed in closing.records.difference(&found.records) {
        let as_made = match sealed.open(&mut |_| Vec::new())? {
            Change::Transfer(transfer) => {
                let row = reading.row(Sequence(transfer.id.0))?;
                row.is_some_and(|row| row.transfer_left(transfer.id) == Some(&transfer))
            }
            _ => false,
        };
        if !as_made {
            auditor.find(None, "something is sealed that the rows know nothing of");
        }
    }
    Ok(auditor.report())
}

/// What a walk saw of personal texts.
#[derive(Default)]
struct Personal {
    /// How many stand beside the rows, the erased ones among them.
    found: u64,
    /// Those that are gone: whose, and of which row.
    gone: Vec<(Option<Msisdn>, Sequence)>,
    /// What was to be erased: whose, up to which row, and by which.
    erased: Vec<(Msisdn, Sequence, Sequence)>,
}

/// Shows the auditor every row. Gives what it saw of the personal texts beside them.
fn walk<R: Reading + History>(
    reading: &mut R,
    auditor: &mut Auditor,
    mut keys: Option<&mut Keys>,
    records: &mut Records,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Personal, StoreError> {
    let mut next = auditor.seal_ends().next();
    let total = reading.figure(&format!("SELECT count(*) FROM {} WHERE sequence >= {}", reading.log(), next.0))?;
    let (mut texts, mut done) = (Personal::default(), 0);
    loop {
        let stretch = reading.stretch(next, STRETCH)?;
        let Some(last) = stretch.rows.last() else { return Ok(texts) };
        next = last.sequence.next();
        records.read_up_to(reading, last.sequence)?;
        for stored in &stretch.rows {
            if let Some(row) = see(reading, auditor, &stretch, stored) {
                judge_texts(&stretch, &row, &mut texts, auditor);
                if let Some(keys) = &mut keys {
                    keys.see(row.sequence, row.key.filter(|_| row.is_remembered()), auditor);
                }
            }
            if stored.row.is_ok() {
                records.see(stored.sequence, auditor);
            }
        }
        done += stretch.rows.len() as u64;
        progress(done, total);
    }
}

/// Shows the auditor one row.
pub(crate) fn see<R: Reading + History>(
    reading: &mut R,
    auditor: &mut Auditor,
    stretch: &Stretch,
    stored: &Stored,
) -> Option<Row> {
    if let Some(untidy) = stored.untidy {
        auditor.find(Some(stored.sequence), untidy);
    }
    let row = match &stored.row {
        Ok(row) => row,
        Err(what) => {
            auditor.find(Some(stored.sequence), what.as_str());
            return None;
        }
    };
    let mut text = |commitment: &[u8; 32]| stretch.texts.sealed(row.sequence, commitment);
    let mut made = |id: TransferId| {
        let row = reading.row(Sequence(id.0)).ok().flatten()?;
        row.transfer_left(id).cloned()
    };
    auditor.see(row, stretch.changes(row), stretch.notices(row), &mut text, &mut made)
}

/// An auditor at the beginning of the log, or behind what was taken out of it.
pub(crate) fn begin<R: Reading>(reading: &mut R) -> Result<Auditor, StoreError> {
    let Some(seal) = reading.seal()? else { return Ok(Auditor::new(&reading.currencies().0)) };
    let texts = Texts::of_proposals(reading)?;
    Auditor::after(&seal, &reading.currencies().0, &|made_in, commitment| texts.sealed(made_in, commitment))
}

/// Personal texts that were not erased stand by the commitment that the row covers, and beside it whose they are.
fn judge_texts(stretch: &Stretch, row: &Row, texts: &mut Personal, auditor: &mut Auditor) {
    for (position, change) in row.changes.iter().enumerate() {
        if let Change::Erased { msisdn, up_to } = change {
            texts.erased.push((*msisdn, *up_to, row.sequence));
        }
        let Some((subject, text)) = personal(row, change) else { continue };
        let stored = stretch.texts.at(row.sequence, position);
        if stored.is_none_or(|stored| stored.sealed.is_empty()) {
            texts.gone.push((subject.msisdn, row.sequence));
        }
        let Some(stored) = stored else { continue };
        texts.found += 1;
        let msisdn = subject.msisdn.map(|msisdn| msisdn.digits().cast_signed());
        if stored.subject != (msisdn, subject.transfer.map(|transfer| transfer.0.cast_signed())) {
            auditor.find(Some(row.sequence), "a personal text stands as somebody else's");
        }
        if stored.commitment != text.commitment {
            auditor.find(Some(row.sequence), "a personal text stands by another commitment");
        }
    }
}

/// What is gone was erased by a row, and what a row erased is gone.
fn judge_erasures<R: Reading>(reading: &mut R, texts: &Personal, auditor: &mut Auditor) -> Result<(), StoreError> {
    for (of, row) in &texts.gone {
        if !texts.erased.iter().any(|(msisdn, up_to, _)| Some(*msisdn) == *of && row <= up_to) {
            auditor.find(Some(*row), "a personal text is gone that no row erased");
        }
    }
    for (msisdn, up_to, by) in &texts.erased {
        let question = format!(
            "SELECT count(*) FROM private_texts WHERE msisdn = {} AND sequence <= {} AND length(sealed) > 0",
            msisdn.digits(),
            up_to.0
        );
        if reading.figure(&question)? > 0 {
            auditor.find(Some(*by), "a personal text stands that this row erased");
        }
    }
    Ok(())
}

fn judge_outside<R: Reading>(
    reading: &mut R,
    sealed: Sequence,
    texts: u64,
    auditor: &mut Auditor,
) -> Result<(), StoreError> {
    let Sequence(sealed) = sealed;
    if reading.figure(&format!("SELECT count(*) FROM private_texts WHERE sequence > {sealed}"))? != texts {
        auditor.find(None, "personal texts that no row covers");
    }
    for table in ["codes", "messages"] {
        let question = format!(
            "SELECT count(*) FROM {table} WHERE notice_id >> 6 > {sealed} AND NOT EXISTS
                (SELECT 1 FROM log WHERE log.sequence = {table}.notice_id >> 6 AND log.notices IS NOT NULL)"
        );
        if reading.figure(&question)? > 0 {
            auditor.find(None, format!("{table} of notices that no row carries"));
        }
    }
    Ok(())
}

/// Recovers from the checkpoint as a start would, and compares.
fn judge_recovery<R: Reading>(reading: &mut R, position: &Position, auditor: &mut Auditor) -> Result<(), StoreError> {
    let mut there = HashSet::new();
    reading.each("SELECT id FROM transfers", &[], &mut |row| {
        there.insert(TransferId(unsigned(row, 0)?));
        Ok(true)
    })?;
    auditor.judge_absent_transfers(position, &mut |id| there.contains(&id));
    drop(there);
    let mut recovered = bare_books(&reading.currencies().0);
    let loaded = load(reading, 0, &mut |loaded| {
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
    Ok(())
}

/// The packed keys, beside the rows that they were taken from.
struct Keys {
    packs: VecDeque<(Sequence, Vec<u8>)>,
    unpacked: VecDeque<(Sequence, RequestKey)>,
    begun: bool,
}

impl Keys {
    fn new<R: Reading>(reading: &mut R) -> Result<Keys, StoreError> {
        let mut packs = VecDeque::new();
        reading.each("SELECT first, keys FROM repeat_keys ORDER BY first", &[], &mut |row| {
            packs.push_back((Sequence(unsigned(row, 0)?), row.octets(1)?.unwrap_or_default().to_vec()));
            Ok(true)
        })?;
        Ok(Keys { packs, unpacked: VecDeque::new(), begun: false })
    }

    fn see(&mut self, row: Sequence, key: Option<RequestKey>, auditor: &mut Auditor) {
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
struct Records {
    /// As of which row, in which table, under which key.
    waiting: VecDeque<(Sequence, usize, Vec<Value>)>,
    /// Those whose row comes next, read.
    ready: VecDeque<Found>,
}

struct Found {
    as_of: Sequence,
    table: &'static Table,
    key: Vec<Value>,
    record: Option<Vec<Value>>,
}

impl Records {
    fn sorted<R: Reading>(reading: &mut R) -> Result<Records, StoreError> {
        let mut waiting = Vec::new();
        for (index, table) in records::ALL.iter().enumerate() {
            let key = table.columns.get(..table.key).unwrap_or_default().join(", ");
            reading.each(&format!("SELECT as_of, {key} FROM {}", table.name), &[], &mut |row| {
                waiting.push((Sequence(unsigned(row, 0)?), index, values(row, 1, table.key)?));
                Ok(true)
            })?;
        }
        waiting.sort_by_key(|(as_of, index, _)| (*as_of, *index));
        Ok(Records { waiting: waiting.into(), ready: VecDeque::new() })
    }

    /// Reads the records that are as of rows up to this one, each table's at once.
    fn read_up_to<R: Reading>(&mut self, reading: &mut R, last: Sequence) -> Result<(), StoreError> {
        let mut wanted: BTreeMap<usize, (Vec<Sequence>, Vec<Vec<Value>>)> = BTreeMap::new();
        while let Some((as_of, index, key)) = self.waiting.pop_front_if(|(as_of, ..)| *as_of <= last) {
            let (rows, keys) = wanted.entry(index).or_default();
            rows.push(as_of);
            keys.push(key);
        }
        let mut ready = Vec::new();
        for (index, (rows, keys)) in wanted {
            let Some(table) = records::ALL.get(index).copied() else { continue };
            let found = reading.records(table, &keys)?;
            let each = rows.into_iter().zip(keys).zip(found);
            ready.extend(each.map(|((as_of, key), record)| Found { as_of, table, key, record }));
        }
        ready.sort_by_key(|found| found.as_of);
        self.ready.extend(ready);
        Ok(())
    }

    fn see(&mut self, row: Sequence, auditor: &mut Auditor) {
        while let Some(found) = self.ready.pop_front_if(|found| found.as_of <= row) {
            let Found { as_of, table, key, record } = found;
            match record {
                Some(record) if as_of == row => auditor.see_record(table, &record),
                _ => auditor.find(Some(as_of), format!("{} {key:?} is as of a row that is not there", table.name)),
            }
        }
    }

    /// Those as of rows that were sealed.
    fn see_sealed(&mut self, auditor: &mut Auditor) {
        for Found { as_of, table, record, .. } in self.ready.drain(..) {
            if let Some(record) = record {
                auditor.see_sealed_record(table, as_of, &record);
            }
        }
    }

    fn end(self, auditor: &mut Auditor) {
        let ready = self.ready.into_iter().map(|found| (found.as_of, found.table.name, found.key));
        let name = |index: usize| records::ALL.get(index).map_or("", |table| table.name);
        let waiting = self.waiting.into_iter().map(|(as_of, index, key)| (as_of, name(index), key));
        for (as_of, name, key) in ready.chain(waiting) {
            auditor.find(Some(as_of), format!("{name} {key:?} is as of a row behind the log"));
        }
    }
}
