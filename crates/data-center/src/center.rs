//! Deciding a batch, making it durable, answering: in this order.

use std::collections::VecDeque;
use std::sync::Arc;

use transaction_processing::books::{Missing, Outcome};
use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::{AccountId, Sequence, TransferId};
use transaction_processing::notice::StatementLine;
use transaction_processing::number::Number;
use transaction_processing::policy::Policy;
use transaction_processing::time::Moment;
use transaction_processing::transfer::Transfer;
use transaction_processing::{Books, Currency, Notice, Refusal, Request};

use crate::batch::{Batch, Position};
use crate::messages::MessageChange;
use crate::recovered::Recovered;
use crate::store::{Fatal, History, Store, StoreError};
use crate::sweep::{SPAN, Sweep};

/// How many entries a statement shows.
const STATEMENT_LINES: usize = 5;

/// How many closed records one decision may ask for; every request asks for far fewer.
const MOST_MISSING: usize = 64;

/// What a request came to. It is given only when the row is durable.
pub struct Answer {
    /// The row that it became; none where it changed nothing.
    pub row: Option<Sequence>,
    /// Why not, where it was refused.
    pub refusal: Option<Refusal>,
    /// The transfer that it made or is about.
    pub transfer: Option<TransferId>,
    /// Whom to tell what. Those of a row are durable and their messages followed; those of no row are told once.
    pub notices: Vec<Notice>,
    /// Numbers whose language or card it may have changed, as they stand now.
    pub numbers: Vec<Number>,
}

/// The books and the store that keeps them.
pub struct DataCenter<S: Store> {
    pub(crate) decider: Decider<S::History>,
    pub(crate) store: S,
}

impl<S: Store> DataCenter<S> {
    /// Recovers the books: the checkpoint, then the log after it. `currencies` are those whose accounts the platform has.
    ///
    /// # Errors
    /// [`Fatal`] where the store fails or what it holds does not lead to the balances that it states.
    pub fn open(store: S, policy: Policy, currencies: &[Currency]) -> Result<DataCenter<S>, Fatal> {
        DataCenter::with_span(store, policy, currencies, SPAN)
    }

    /// The same with a checkpoint that sweeps in `span` rows.
    ///
    /// # Errors
    /// As [`DataCenter::open`].
    pub fn with_span(mut store: S, policy: Policy, currencies: &[Currency], span: u64) -> Result<DataCenter<S>, Fatal> {
        let window = policy.repeat_window_seconds;
        let recovered = Recovered::load(policy, currencies, span, |each| store.load(window, each))?;
        DataCenter::resume(store, recovered)
    }

    /// Goes on with books that stand where the log of the store does.
    ///
    /// # Errors
    /// [`Fatal`] where the store fails.
    pub(crate) fn resume(store: S, recovered: Recovered) -> Result<DataCenter<S>, Fatal> {
        let Recovered { books, sweep, position } = recovered;
        let history = store.history()?;
        let decider = Decider { books, history, sweep, position, pending: VecDeque::new(), batch: Batch::default() };
        Ok(DataCenter { decider, store })
    }

    /// The books as they stand, for questions.
    pub fn books(&self) -> &Books {
        &self.decider.books
    }

    /// Where the log stands.
    pub fn position(&self) -> &Position {
        &self.decider.position
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The books and the store apart: the end of deciding.
    pub fn into_parts(self) -> (Books, S) {
        (self.decider.books, self.store)
    }

    /// Decides every request in order, makes all their rows and what became of messages durable in one commit, and then
    /// gives the answers, one for each request. `moment` must not lie before the last one.
    ///
    /// # Errors
    /// [`Fatal`]: the process must stop.
    pub fn transact(
        &mut self,
        moment: Moment,
        requests: Vec<Request>,
        messages: Vec<MessageChange>,
    ) -> Result<Vec<Answer>, Fatal> {
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            answers.push(self.decider.decide(moment, &request)?);
        }
        let batch = self.decider.close(messages);
        if !batch.is_empty() {
            self.store.append(&batch)?;
            self.store.settle()?;
        }
        self.decider.committed();
        Ok(answers)
    }
}

/// The half that decides; the other half commits what it hands over, perhaps on another thread.
pub(crate) struct Decider<H> {
    books: Books,
    history: H,
    sweep: Sweep,
    position: Position,
    /// Batches handed over and not known to be committed: their rows are looked up here.
    pending: VecDeque<Arc<Batch>>,
    /// The batch under way.
    batch: Batch,
}

impl<H: History> Decider<H> {
    pub(crate) fn books(&self) -> &Books {
        &self.books
    }

    /// The last moment.
    pub(crate) fn moment(&self) -> Moment {
        self.books.moment()
    }

    /// Decides one request and enters it into the batch under way.
    pub(crate) fn decide(&mut self, moment: Moment, request: &Request) -> Result<Answer, Fatal> {
        for _ in 0..MOST_MISSING {
            let decision = match self.books.decide(moment, request) {
                Ok(decision) => decision,
                Err(missing) => {
                    self.supply(missing)?;
                    continue;
                }
            };
            let refusal = decision.refusal();
            let transfer = decision.transfer();
            if !decision.is_durable() {
                let notices = decision.into_notices();
                return Ok(Answer { row: None, refusal, transfer, notices, numbers: Vec::new() });
            }
            let mut row = self.books.enter(moment, request, decision)?;
            self.sweep.note(&row);
            self.position.head = self.batch.enter(&mut row, self.position.head);
            let changed = row.changes.into_iter().filter_map(|change| match change {
                Change::Number(number) => Some(number),
                _ => None,
            });
            let numbers = changed.collect();
            return Ok(Answer { row: Some(row.sequence), refusal, transfer, notices: row.notices, numbers });
        }
        Err(Fatal::Endless)
    }

    /// Closes the batch under way; it is to be committed and then acknowledged by [`Decider::committed`].
    pub(crate) fn close(&mut self, messages: Vec<MessageChange>) -> Arc<Batch> {
        self.books.forget_supplied();
        let mut batch = std::mem::take(&mut self.batch);
        for change in &messages {
            if let MessageChange::SettledTo(sequence) = change {
                self.position.settled = self.position.settled.max(*sequence);
            }
        }
        batch.messages = messages;
        if !batch.is_empty() {
            if let Some(last) = batch.rows.last() {
                batch.as_of = last.sequence;
                self.sweep.slice(batch.rows.len() as u64, &self.books, &mut batch.slice);
            }
            let (replay_from, replay_moment) = self.sweep.replay_from();
            let (next, moment) = (self.books.next(), self.books.moment());
            self.position = Position { next, moment, replay_from, replay_moment, ..self.position };
            batch.position = Some(self.position);
            batch.repeats_since = moment.time.less_seconds(self.books.policy().repeat_window_seconds);
        }
        let batch = Arc::new(batch);
        self.pending.push_back(Arc::clone(&batch));
        batch
    }

    /// The oldest batch that was handed over is durable.
    pub(crate) fn committed(&mut self) {
        let Some(batch) = self.pending.pop_front() else { return };
        for record in &batch.slice {
            if let Change::Transfer(transfer) = record
                && self.sweep.has_written(transfer.id)
            {
                self.books.forget_closed(transfer.id);
            }
        }
    }

    fn supply(&mut self, missing: Missing) -> Result<(), Fatal> {
        match missing {
            Missing::Transfer(id) => {
                let transfer = self.closed_transfer(id)?;
                self.books.supply_transfer(id, transfer);
            }
            Missing::Outcome(sequence) => {
                let outcome = self.row(sequence)?.map(|row| Outcome {
                    key: row.key,
                    time: row.moment.time,
                    notices: row.notices,
                });
                self.books.supply_outcome(sequence, outcome);
            }
            Missing::History(account) => {
                let lines = self.last_entries(account)?;
                self.books.supply_history(account, lines);
            }
        }
        Ok(())
    }

    fn closed_transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        if let Some(transfer) = self.history.transfer(id)? {
            return Ok(Some(transfer));
        }
        let row = self.row(Sequence(id.0))?;
        Ok(row.and_then(|row| row.transfer_left(id).cloned()))
    }

    /// A row, wherever it is: in the batch under way, in one that is being committed, or in the store.
    fn row(&mut self, sequence: Sequence) -> Result<Option<Row>, StoreError> {
        let pending = self.pending.iter().map(Arc::as_ref).chain([&self.batch]);
        for batch in pending {
            if let Some(row) = batch.row(sequence) {
                let decoded = row.decode(batch.octets(&row.changes), batch.octets(&row.notices), &mut |_| Vec::new());
                return decoded.map(Some).map_err(|error| StoreError::Damaged(format!("row {}: {error}", sequence.0)));
            }
        }
        self.history.row(sequence)
    }

    fn last_entries(&mut self, account: AccountId) -> Result<Vec<StatementLine>, StoreError> {
        let mut lines = Vec::new();
        let mut next = self.books.account(account).map_or(Sequence(0), |account| account.latest());
        while next.0 > 0 && lines.len() < STATEMENT_LINES {
            let Some(row) = self.row(next)? else { break };
            let Some((change, balance)) = row.effect_on(account) else { break };
            lines.push(StatementLine { at: row.moment.time, change, balance, kind: row.kind });
            next = row.previous_of(account);
        }
        Ok(lines)
    }
}
