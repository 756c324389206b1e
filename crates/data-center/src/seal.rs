//! What a stretch of the log leaves behind when it is taken away: the state at its end, from which the rest can be verified,
//! and by which the stretch can be verified alone. Its digest is to be kept outside, as the chain's head is.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use transaction_processing::decision::Change;
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::time::Moment;
use transaction_processing::transfer::{State, Transfer};
use transaction_processing::{Books, Row};

use crate::encoding::{self, Encoded as _, Output};
use crate::store::StoreError;

/// What the digest is prefixed with.
const SEAL_TAG: &[u8] = b"wakala seal 1\0";

/// The state behind a row.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Seal {
    /// The row.
    pub(crate) last: Sequence,
    /// The number of the next one.
    pub(crate) next: Sequence,
    pub(crate) moment: Moment,
    /// The row's link of the chain.
    pub(crate) link: [u8; 32],
    /// Every record of the books then; of transfers those that could still change.
    pub(crate) records: BTreeSet<Sealed>,
}

/// A record as it is sealed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sealed {
    pub(crate) body: Vec<u8>,
    /// Of an account; otherwise zero.
    pub(crate) balance: i64,
    /// Of an account; otherwise zero.
    pub(crate) latest: Sequence,
}

impl Sealed {
    pub(crate) fn of(record: &Change) -> Sealed {
        let mut out = Output::default();
        encoding::put_record(record, &mut out);
        let (balance, latest) = match record {
            Change::Opened(account) => (account.balance(), account.latest()),
            _ => (0, Sequence(0)),
        };
        Sealed { body: out.bytes, balance, latest }
    }

    /// The record. `text` finds a sealed personal text of a row by its commitment.
    pub(crate) fn open(&self, text: &mut dyn FnMut(&[u8; 32]) -> Vec<u8>) -> Result<Change, StoreError> {
        let record = encoding::take_record(&self.body, text)
            .map_err(|error| StoreError::Damaged(format!("a sealed record: {error}")))?;
        Ok(match record {
            Change::Opened(account) => Change::Opened(account.with_balance(self.balance, self.latest)),
            other => other,
        })
    }
}

impl Seal {
    /// The state of books; `open` names the transfers that may still change, if they do.
    pub(crate) fn of(books: &Books, last: Sequence, link: [u8; 32], open: &BTreeSet<TransferId>) -> Seal {
        let changes = books.accounts().cloned().map(Change::Opened);
        let changes = changes.chain(books.numbers().cloned().map(Change::Number));
        let changes = changes.chain(books.agents().cloned().map(Change::Agent));
        let changes = changes.chain(books.all_dealings().map(Change::Dealings));
        let changes = changes.chain(books.all_failures().copied().map(Change::Failures));
        let changes = changes.chain(books.proposals().cloned().map(Change::Proposal));
        let changes = changes.chain(books.all_staff().cloned().map(Change::Staff));
        let changes = changes.chain(books.cases().cloned().map(Change::Case));
        let changes = changes.chain(books.tariffs().cloned().map(Change::Tariff));
        let changes = changes.chain(books.bank_movements().cloned().map(Change::BankMovement));
        let changes = changes.chain(books.bank_balances().cloned().map(Change::BankBalance));
        let open = open.iter().filter_map(|id| books.resident_transfer(*id)).filter(|held| may_change(held));
        let changes = changes.chain(open.cloned().map(Change::Transfer));
        let records = changes.map(|record| Sealed::of(&record)).collect();
        Seal { last, next: books.next(), moment: books.moment(), link, records }
    }

    /// A hash over all of it.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut out = Output::default();
        self.last.put(&mut out);
        self.next.put(&mut out);
        self.moment.time.put(&mut out);
        self.moment.day.put(&mut out);
        self.moment.month.put(&mut out);
        self.link.put(&mut out);
        let mut hash = Sha256::new();
        hash.update(SEAL_TAG);
        hash.update(&out.bytes);
        for record in &self.records {
            let mut out = Output::default();
            out.unsigned(record.body.len() as u64);
            out.bytes.extend_from_slice(&record.body);
            record.balance.put(&mut out);
            record.latest.put(&mut out);
            hash.update(&out.bytes);
        }
        hash.finalize().into()
    }
}

/// Whether anything lawful can still become of a transfer.
fn may_change(transfer: &Transfer) -> bool {
    matches!(transfer.state, State::Waiting(_) | State::Credited { .. })
}

/// The transfers that a row changes and did not make.
pub(crate) fn changed_later(row: &Row) -> impl Iterator<Item = TransferId> {
    row.changes.iter().filter_map(|change| match change {
        Change::Transfer(transfer) if transfer.id.0 != row.sequence.0 => Some(transfer.id),
        _ => None,
    })
}
