//! Closed records that decisions ask for: looked up for a whole batch at once, and kept until it is closed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use transaction_processing::Books;
use transaction_processing::books::{Missing, Outcome};
use transaction_processing::decision::Row;
use transaction_processing::ids::{AccountId, Sequence, TransferId};
use transaction_processing::notice::StatementLine;
use transaction_processing::transfer::Transfer;

use crate::batch::Batch;
use crate::store::{History, StoreError};

/// How many entries a statement shows.
const STATEMENT_LINES: usize = 5;

/// What was found, and what was found not to be there.
#[derive(Default)]
pub(crate) struct LookedUp {
    transfers: BTreeMap<TransferId, Option<Transfer>>,
    rows: BTreeMap<Sequence, Option<Row>>,
}

impl LookedUp {
    /// Looks these transfers up, in one question.
    pub(crate) fn transfers(
        &mut self,
        ids: impl Iterator<Item = TransferId>,
        history: &mut impl History,
    ) -> Result<(), StoreError> {
        let ids: Vec<TransferId> = ids.filter(|id| !self.transfers.contains_key(id)).collect();
        if !ids.is_empty() {
            let found = history.transfers(&ids)?;
            self.transfers.extend(ids.into_iter().zip(found));
        }
        Ok(())
    }

    /// Looks these rows up, in one question.
    pub(crate) fn rows(&mut self, sequences: BTreeSet<Sequence>, history: &mut impl History) -> Result<(), StoreError> {
        if !sequences.is_empty() {
            let sequences = Vec::from_iter(sequences);
            let found = history.rows(&sequences)?;
            self.rows.extend(sequences.into_iter().zip(found));
        }
        Ok(())
    }

    /// Gives the books what they miss, or says which row has to be looked up first. `unwritten` are batches whose rows may
    /// not be in the store yet.
    pub(crate) fn supply<'a>(
        &mut self,
        missing: Missing,
        unwritten: impl Iterator<Item = &'a Batch> + Clone,
        books: &mut Books,
    ) -> Result<Result<(), Sequence>, StoreError> {
        match missing {
            Missing::Transfer(id) => {
                let transfer = match self.transfers.get(&id) {
                    Some(Some(transfer)) => Some(transfer.clone()),
                    // One that was closed by the row that made it is found in that row alone.
                    _ => match self.row(Sequence(id.0), unwritten)? {
                        Ok(row) => row.and_then(|row| row.transfer_left(id).cloned()),
                        Err(row) => return Ok(Err(row)),
                    },
                };
                books.supply_transfer(id, transfer);
            }
            Missing::Outcome(sequence) => {
                let outcome = match self.row(sequence, unwritten)? {
                    Ok(row) => {
                        row.map(|row| Outcome { key: row.key, time: row.moment.time, notices: row.notices.clone() })
                    }
                    Err(row) => return Ok(Err(row)),
                };
                books.supply_outcome(sequence, outcome);
            }
            Missing::History(account) => {
                let latest = books.account(account).map_or(Sequence(0), |account| account.latest());
                match self.last_entries(account, latest, unwritten)? {
                    Ok(lines) => books.supply_history(account, lines),
                    Err(row) => return Ok(Err(row)),
                }
            }
        }
        Ok(Ok(()))
    }

    /// The last entries of an account, newest first, or the row that has to be looked up first.
    fn last_entries<'a>(
        &mut self,
        account: AccountId,
        latest: Sequence,
        unwritten: impl Iterator<Item = &'a Batch> + Clone,
    ) -> Result<Result<Vec<StatementLine>, Sequence>, StoreError> {
        let (mut lines, mut next) = (Vec::new(), latest);
        while next.0 > 0 && lines.len() < STATEMENT_LINES {
            let row = match self.row(next, unwritten.clone())? {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(row) => return Ok(Err(row)),
            };
            let Some((change, balance)) = row.effect_on(account) else { break };
            lines.push(StatementLine { at: row.moment.time, change, balance, kind: row.kind });
            next = row.previous_of(account);
        }
        Ok(Ok(lines))
    }

    /// A row, none inside where there is none; or itself, where it has to be looked up first.
    fn row<'a>(
        &mut self,
        sequence: Sequence,
        mut unwritten: impl Iterator<Item = &'a Batch>,
    ) -> Result<Result<Option<&Row>, Sequence>, StoreError> {
        let row = match self.rows.entry(sequence) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => {
                let Some((batch, row)) = unwritten.find_map(|batch| Some((batch, batch.row(sequence)?))) else {
                    return Ok(Err(sequence));
                };
                let decoded = row.decode(batch.octets(&row.changes), batch.octets(&row.notices), &mut |_| Vec::new());
                let damaged = |error| StoreError::Damaged(format!("row {}: {error}", sequence.0));
                place.insert(Some(decoded.map_err(damaged)?))
            }
        };
        Ok(Ok(row.as_ref()))
    }
}
