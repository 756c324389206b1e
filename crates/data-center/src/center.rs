//! Deciding a batch, making it durable, answering: in this order.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use transaction_processing::books::Missing;
use transaction_processing::decision::Change;
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::number::Number;
use transaction_processing::policy::Policy;
use transaction_processing::time::Moment;
use transaction_processing::{Books, Currency, Notice, Refusal, Request};

use crate::batch::{Batch, Position};
use crate::looked_up::LookedUp;
use crate::messages::MessageChange;
use crate::recovered::Recovered;
use crate::store::{Fatal, History, Store};
use crate::sweep::{SPAN, Sweep};

/// How many closed records one decision may ask for; every request asks for far fewer.
const MOST_MISSING: usize = 64;

/// How often a batch looks at all of its requests for what they miss: what one record leads to, the next look finds. Each look
/// decides them again.
const MOST_LOOKS: usize = 8;

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
        let (looked_up, pending, batch) = (LookedUp::default(), VecDeque::new(), Batch::default());
        let decider = Decider { books, history, looked_up, looks: 0, sweep, position, pending, batch };
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
        let mut behind = requests.iter();
        while let Some(request) = behind.next() {
            answers.push(self.decider.decide(moment, request, behind.clone())?);
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
    /// For the batch under way.
    looked_up: LookedUp,
    /// How often the batch under way looked ahead.
    looks: usize,
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

    /// Decides one request and enters it into the batch under way; `behind` are those of the batch that follow it.
    pub(crate) fn decide<'a>(
        &mut self,
        moment: Moment,
        request: &Request,
        behind: impl Iterator<Item = &'a Request> + Clone,
    ) -> Result<Answer, Fatal> {
        for _ in 0..MOST_MISSING {
            let decision = match self.books.decide(moment, request) {
                Ok(decision) => decision,
                Err(missing) => {
                    let missing = self.gather(moment, missing, behind.clone());
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
        self.looked_up = LookedUp::default();
        self.looks = 0;
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

    /// What a request misses, and with it what those behind it would miss, as far as that can be seen now: a batch asks the
    /// store a few times, however many of its requests need closed records.
    fn gather<'a>(
        &mut self,
        moment: Moment,
        missing: Missing,
        behind: impl Iterator<Item = &'a Request>,
    ) -> BTreeSet<Missing> {
        let mut all = BTreeSet::from([missing]);
        if self.looks < MOST_LOOKS {
            self.looks += 1;
            all.extend(behind.filter_map(|request| self.books.decide(moment, request).err()));
        }
        all
    }

    /// Supplies all of it. What leads from row to row, as an account's last entries do, is asked for in rounds.
    fn supply(&mut self, mut missing: BTreeSet<Missing>) -> Result<(), Fatal> {
        let transfers = missing.iter().filter_map(|missing| match missing {
            Missing::Transfer(id) => Some(*id),
            _ => None,
        });
        self.looked_up.transfers(transfers, &mut self.history)?;
        while !missing.is_empty() {
            let (mut lacking, mut rows) = (BTreeSet::new(), BTreeSet::new());
            for one in missing {
                // The batch under way, and those that are being committed, are not in the store yet.
                let unwritten = self.pending.iter().map(Arc::as_ref).chain([&self.batch]);
                if let Err(row) = self.looked_up.supply(one, unwritten, &mut self.books)? {
                    lacking.insert(one);
                    rows.insert(row);
                }
            }
            self.looked_up.rows(rows, &mut self.history)?;
            missing = lacking;
        }
        Ok(())
    }
}
