//! A simulated disk with a store on it. It keeps batches as every store does: figures in columns, changes, notices and records
//! as octets; recovery decodes and replays them. What was synced stays; of what was not it keeps all or nothing, as the fault
//! says that is armed.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_center::batch::{self, Batch, LogRow, Position, unpack_keys};
use data_center::{
    Fatal, History, Loaded, Lost, Message, MessageChange, MessageState, NoticeId, Store, StoreError, Untold,
};
use transaction_processing::Msisdn;
use transaction_processing::decision::{Change, Row, Scope};
use transaction_processing::ids::{AccountId, AgentCode, CaseId, ProposalId, Sequence, StaffId, TariffId, TransferId};
use transaction_processing::notice::SealedCode;
use transaction_processing::request::Kind;
use transaction_processing::tariff::Priced;
use transaction_processing::time::Time;
use transaction_processing::transfer::Transfer;

use crate::museum::Defect;

/// How many outdated packs of keys a commit takes away, at most.
const MOST_OUTDATED: usize = 2;

/// What a disk does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskFault {
    /// Nothing is written.
    Full,
    /// A sync fails; what was written is there all the same.
    SyncFailedKept,
    /// A sync fails; what was written is lost.
    SyncFailedLost,
}

/// A row as it is stored.
pub struct Stored {
    /// Its figures.
    pub row: LogRow,
    /// Its changes, encoded.
    pub changes: Vec<u8>,
    /// Its notices, encoded.
    pub notices: Vec<u8>,
}

/// Names a record of the checkpoint, in the order of the tables.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    Account(AccountId),
    Number(Msisdn),
    Transfer(TransferId),
    Agent(AgentCode),
    Dealings(AgentCode, Msisdn, Priced),
    Failures(Scope),
    Proposal(ProposalId),
    Staff(StaffId),
    Case(CaseId),
    Tariff(TariffId),
    BankMovement(String),
    BankBalance(u16),
}

fn key(record: &Change) -> Option<Key> {
    Some(match record {
        Change::Opened(account) => Key::Account(account.id),
        Change::Number(number) => Key::Number(number.msisdn),
        Change::Transfer(transfer) => Key::Transfer(transfer.id),
        Change::Agent(agent) => Key::Agent(agent.code),
        Change::Dealings(dealings) => Key::Dealings(dealings.agent, dealings.customer, dealings.priced),
        Change::Failures(failures) => Key::Failures(failures.scope),
        Change::Proposal(proposal) => Key::Proposal(proposal.id),
        Change::Staff(staff) => Key::Staff(staff.id),
        Change::Case(case) => Key::Case(case.id),
        Change::Tariff(tariff) => Key::Tariff(tariff.id),
        Change::BankMovement(movement) => Key::BankMovement(movement.reference.clone()),
        Change::BankBalance(said) => Key::BankBalance(said.balance.currency().numeric),
        _ => return None,
    })
}

/// The balance of an account and its last row; nothing for other records.
fn money(record: &Change) -> (i64, Sequence) {
    match record {
        Change::Opened(account) => (account.balance(), account.latest()),
        _ => (0, Sequence(0)),
    }
}

#[derive(Clone)]
struct Record {
    octets: Arc<Vec<u8>>,
    money: (i64, Sequence),
}

/// The number that a personal text stands under, and the text.
type Sealed = (Option<Msisdn>, Vec<u8>);

/// What is on the disk.
#[derive(Clone, Default)]
pub struct Image {
    rows: BTreeMap<Sequence, Arc<Stored>>,
    keys: BTreeMap<Sequence, (Time, Arc<Vec<u8>>)>,
    codes: BTreeMap<NoticeId, Vec<u8>>,
    /// Personal texts.
    texts: BTreeMap<(Sequence, [u8; 32]), Sealed>,
    messages: BTreeMap<NoticeId, Message>,
    records: BTreeMap<Key, Record>,
    position: Option<Position>,
    restored: bool,
}

impl Image {
    /// The rows of the log, in order.
    pub fn rows(&self) -> impl Iterator<Item = &Stored> {
        self.rows.values().map(Arc::as_ref)
    }

    /// The row of a number.
    pub fn row(&self, sequence: Sequence) -> Option<&Stored> {
        self.rows.get(&sequence).map(Arc::as_ref)
    }

    /// Sealed personal texts, by their commitments.
    pub fn texts(&self) -> impl Iterator<Item = ([u8; 32], &[u8])> {
        self.texts.iter().map(|((_, commitment), (_, sealed))| (*commitment, sealed.as_slice()))
    }

    /// What became of messages.
    pub fn messages(&self) -> &BTreeMap<NoticeId, Message> {
        &self.messages
    }

    /// Codes that were not erased.
    pub fn codes(&self) -> impl Iterator<Item = NoticeId> {
        self.codes.keys().copied()
    }

    /// Everything that was ever written as octets, to search it.
    pub fn octets(&self) -> impl Iterator<Item = &[u8]> {
        let rows = self.rows.values().flat_map(|row| [row.changes.as_slice(), row.notices.as_slice()]);
        let records = self.records.values().map(|record| record.octets.as_slice());
        rows.chain(records)
            .chain(self.codes.values().map(Vec::as_slice))
            .chain(self.texts.values().map(|(_, sealed)| sealed.as_slice()))
    }

    /// What a restore makes of a backup: nothing that was not told before is told again, and, where it is marked as what it
    /// is, an epoch is to be opened.
    pub fn restore(&mut self, marked: bool) {
        let at = self.position.map_or(Time(0), |position| position.moment.time);
        let untold: Vec<NoticeId> = self.untold_ids().collect();
        for notice in untold {
            let attempts = self.messages.get(&notice).map_or(0, |message| message.attempts);
            let state = MessageState::Abandoned;
            let message = Message { notice, state, attempts, centre: None, message_id: None, at };
            self.messages.insert(notice, message);
        }
        self.codes.clear();
        self.restored = marked;
        if let Some(position) = &mut self.position {
            position.settled = Sequence(position.next.0 - 1);
        }
    }

    fn untold_ids(&self) -> impl Iterator<Item = NoticeId> {
        let of_row = |row: &Arc<Stored>| {
            let notices = batch::read_notices(&row.notices).map_or(0, |notices| notices.len());
            (0..notices).map(|notice| NoticeId { sequence: row.row.sequence, notice: notice as u8 }).collect::<Vec<_>>()
        };
        let all = self.rows.values().flat_map(of_row);
        all.filter(|id| self.messages.get(id).is_none_or(|message| !message.state.is_final()))
    }

    fn append_rows(&mut self, batch: &Batch, rows: &[LogRow]) {
        for row in rows {
            let stored = Stored {
                row: row.clone(),
                changes: batch.octets(&row.changes).to_vec(),
                notices: batch.octets(&row.notices).to_vec(),
            };
            self.restored &= row.kind != Kind::OpenEpoch;
            self.rows.insert(row.sequence, Arc::new(stored));
        }
    }

    fn append(&mut self, batch: &Batch, defect: Option<Defect>) {
        self.append_rows(batch, batch.rows());
        if defect != Some(Defect::ForgetsKeys) {
            self.append_keys(batch);
        }
        for code in batch.codes() {
            self.codes.insert(code.notice, code.sealed.clone());
        }
        for text in batch.texts() {
            let sealed = (text.subject.msisdn, text.text.sealed.clone());
            self.texts.insert((text.sequence, text.text.commitment), sealed);
        }
        for (msisdn, up_to) in batch.erased() {
            let of = |row: Sequence, number: Option<Msisdn>| row <= *up_to && number == Some(*msisdn);
            let texts = self.texts.iter_mut().filter(|((row, _), (number, _))| of(*row, *number));
            texts.for_each(|(_, (_, sealed))| sealed.clear());
        }
        for change in batch.messages() {
            if let MessageChange::Stands(message) = change {
                if message.state.is_final() && defect != Some(Defect::KeepsCodes) {
                    self.codes.remove(&message.notice);
                }
                if defect != Some(Defect::ForgetsStates) {
                    self.messages.insert(message.notice, message.clone());
                }
            }
        }
        for record in batch.slice().iter().filter(|_| defect != Some(Defect::ForgetsRecords)) {
            if let Some(key) = key(record) {
                let octets = Arc::new(batch::record_octets(record));
                self.records.insert(key, Record { octets, money: money(record) });
            }
        }
        self.position = batch.position().copied().or(self.position);
    }

    fn append_keys(&mut self, batch: &Batch) {
        let Some(first) = batch.rows().first() else { return };
        let packed = batch.packed_keys();
        if !packed.is_empty() {
            self.keys.insert(first.sequence, (first.moment.time, Arc::new(packed)));
        }
        for _ in 0..MOST_OUTDATED {
            if self.keys.first_key_value().is_some_and(|(_, (at, _))| *at < batch.repeats_since()) {
                self.keys.pop_first();
            }
        }
    }

    fn text(&self, sequence: Sequence, commitment: &[u8; 32]) -> Vec<u8> {
        self.texts.get(&(sequence, *commitment)).map(|(_, sealed)| sealed.clone()).unwrap_or_default()
    }

    fn decoded(&self, stored: &Stored, with_notices: bool) -> Result<Row, StoreError> {
        let sequence = stored.row.sequence;
        let notices: &[u8] = if with_notices { &stored.notices } else { &[] };
        let mut text = |commitment: &[u8; 32]| self.text(sequence, commitment);
        let row = stored.row.decode(&stored.changes, notices, &mut text);
        row.map_err(|error| StoreError::Damaged(format!("row {}: {error}", sequence.0)))
    }

    fn load(
        &self,
        window_seconds: u32,
        late: bool,
        each: &mut dyn FnMut(Loaded) -> Result<(), Fatal>,
    ) -> Result<(), Fatal> {
        let Some(position) = self.position else { return Ok(()) };
        each(Loaded::Position(position))?;
        for (key, record) in &self.records {
            let made_in = if let Key::Proposal(id) = key { Sequence(id.0) } else { Sequence(0) };
            let read = batch::read_record(&record.octets, &mut |commitment| self.text(made_in, commitment));
            let read = read.map_err(|error| StoreError::Damaged(format!("{key:?}: {error}")))?;
            let (balance, latest) = record.money;
            let belongs = match &read {
                Change::Transfer(transfer) => transfer.waiting().is_some(),
                Change::Dealings(dealings) => dealings.day >= position.replay_moment.day,
                _ => true,
            };
            if belongs {
                each(Loaded::Record(match read {
                    Change::Opened(account) => Change::Opened(account.with_balance(balance, latest)),
                    other => other,
                }))?;
            }
        }
        let since = position.moment.time.less_seconds(window_seconds);
        for (first, (at, packed)) in self.keys.range(..position.replay_from).filter(|(_, (at, _))| *at >= since) {
            let mut keys = Vec::new();
            unpack_keys(*first, packed, &mut |row, key| keys.push((row, key)))
                .map_err(|_| StoreError::Damaged(format!("the keys of row {} and after", first.0)))?;
            each(Loaded::Keys(*at, keys))?;
        }
        for stored in self.rows.range(Sequence(position.replay_from.0 + u64::from(late))..).map(|(_, stored)| stored) {
            each(Loaded::Row(self.decoded(stored, false)?))?;
        }
        Ok(())
    }

    fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        let Some(record) = self.records.get(&Key::Transfer(id)) else { return Ok(None) };
        match batch::read_record(&record.octets, &mut |_| Vec::new()) {
            Ok(Change::Transfer(transfer)) => Ok(Some(transfer)),
            _ => Err(StoreError::Damaged(format!("transfer {}", id.0))),
        }
    }

    fn untold(&self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError> {
        let (mut found, mut seen) = (Vec::new(), after);
        for stored in self.rows.range(after.next()..).map(|(_, stored)| stored) {
            if found.len() >= most {
                break;
            }
            let sequence = stored.row.sequence;
            if stored.notices.is_empty() {
                continue;
            }
            let notices = batch::read_notices(&stored.notices)
                .map_err(|error| StoreError::Damaged(format!("row {}: {error}", sequence.0)))?;
            for (index, mut notice) in notices.into_iter().enumerate() {
                let id = NoticeId { sequence, notice: index as u8 };
                let message = self.messages.get(&id).cloned();
                if message.as_ref().is_some_and(|message| message.state.is_final()) {
                    continue;
                }
                if notice.code.is_some() {
                    notice.code = Some(SealedCode(self.codes.get(&id).cloned().unwrap_or_default()));
                }
                found.push(Untold { id, at: stored.row.moment.time, kind: stored.row.kind, notice, message });
            }
            seen = sequence;
        }
        Ok((found, seen))
    }
}

#[derive(Default)]
struct State {
    image: Image,
    backup: Option<Image>,
    armed: Option<DiskFault>,
    reads_fail: bool,
    /// What is wrong with it, or with the store on it.
    defect: Option<Defect>,
    /// Whether a batch was lost already.
    has_lost: bool,
    /// What was written down beside the books.
    log: Vec<u8>,
}

/// The disk, which outlives every process. Clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next writes meet this fault.
    pub fn arm(&self, fault: Option<DiskFault>) {
        self.lock().armed = fault;
    }

    /// The next reads fail, or do not.
    pub fn fail_reads(&self, fail: bool) {
        self.lock().reads_fail = fail;
    }

    /// It has this defect.
    pub fn have(&self, defect: Option<Defect>) {
        self.lock().defect = defect;
    }

    /// Power is lost while a batch is written: nothing of it may stay.
    pub fn loses_power(&self, batch: &Batch) {
        let mut state = self.lock();
        if state.defect == Some(Defect::TearsBatch) {
            state.image.append_rows(batch, batch.rows().get(..batch.rows().len().div_ceil(2)).unwrap_or_default());
        }
    }

    /// Somebody writes something down.
    pub fn write_down(&self, words: &str) {
        self.lock().log.extend_from_slice(words.as_bytes());
    }

    /// What was written down.
    pub fn written_down(&self) -> Vec<u8> {
        self.lock().log.clone()
    }

    /// Looks at what is on it.
    pub fn look<R>(&self, look: impl FnOnce(&Image) -> R) -> R {
        look(&self.lock().image)
    }

    /// Puts something else on it.
    pub fn replace(&self, image: Image) {
        self.lock().image = image;
    }

    /// Takes a backup.
    pub fn back_up(&self) {
        let mut state = self.lock();
        state.backup = Some(state.image.clone());
    }

    /// The last backup.
    pub fn backup(&self) -> Option<Image> {
        self.lock().backup.clone()
    }

    fn read<R>(&self, read: impl FnOnce(&Image) -> Result<R, StoreError>) -> Result<R, StoreError> {
        let state = self.lock();
        if state.reads_fail { Err(failure("reading", ErrorKind::Other)) } else { read(&state.image) }
    }
}

fn failure(what: &str, kind: ErrorKind) -> StoreError {
    StoreError::File { path: what.into(), error: kind.into() }
}

impl Store for Disk {
    type History = Disk;

    fn load(&mut self, window_seconds: u32, each: &mut dyn FnMut(Loaded) -> Result<(), Fatal>) -> Result<(), Fatal> {
        let image = self.read(|image| Ok(image.clone()))?;
        let late = self.lock().defect == Some(Defect::ReplaysTooLittle);
        image.load(window_seconds, late, each)
    }

    fn append(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError> {
        let mut state = self.lock();
        let defect = state.defect;
        if defect == Some(Defect::LosesBatch) && !state.has_lost && batch.rows().iter().any(|row| row.sequence.0 > 200)
        {
            state.has_lost = true;
            return Ok(());
        }
        match state.armed {
            None => {}
            Some(DiskFault::Full) if defect == Some(Defect::IgnoresFullDisk) => return Ok(()),
            Some(DiskFault::SyncFailedLost) if defect == Some(Defect::IgnoresFailedSync) => return Ok(()),
            Some(DiskFault::Full) => return Err(failure("writing", ErrorKind::StorageFull)),
            Some(DiskFault::SyncFailedLost) => return Err(failure("syncing", ErrorKind::Other)),
            Some(DiskFault::SyncFailedKept) => {
                state.image.append(batch, defect);
                return Err(failure("syncing", ErrorKind::Other));
            }
        }
        state.image.append(batch, defect);
        Ok(())
    }

    fn history(&self) -> Result<Disk, StoreError> {
        self.read(|_| Ok(()))?;
        Ok(self.clone())
    }

    fn is_restored(&self) -> Result<bool, StoreError> {
        self.read(|image| Ok(image.restored))
    }

    fn watch(&mut self, _: Lost) {}
}

impl History for Disk {
    fn rows(&mut self, sequences: &[Sequence]) -> Result<Vec<Option<Row>>, StoreError> {
        self.read(|image| {
            let row = |sequence: &Sequence| image.row(*sequence).map(|stored| image.decoded(stored, true)).transpose();
            sequences.iter().map(row).collect()
        })
    }

    fn transfers(&mut self, ids: &[TransferId]) -> Result<Vec<Option<Transfer>>, StoreError> {
        self.read(|image| ids.iter().map(|id| image.transfer(*id)).collect())
    }

    fn settled(&mut self) -> Result<Sequence, StoreError> {
        let last = self.lock().defect == Some(Defect::SettlesTooFar);
        let settled = |position: Position| if last { Sequence(position.next.0 - 1) } else { position.settled };
        self.read(|image| Ok(image.position.map_or(Sequence(0), settled)))
    }

    fn untold(&mut self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError> {
        let skips = self.lock().defect == Some(Defect::SkipsUntold);
        let (found, seen) = self.read(|image| image.untold(after, most))?;
        let seen = if skips && !found.is_empty() { seen.next() } else { seen };
        Ok((found, seen))
    }
}
