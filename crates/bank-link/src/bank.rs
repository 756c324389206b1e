//! The bank's end: opens, authenticates against its own record, and only then lets an order be executed; remembers every
//! answer that can matter, in the commit that makes it true.

use crate::{
    authentication::{Asked, Authentication},
    chain::{Direction, Received},
    codec::Reader,
    frame::{Frame, Header, Ignored, sha256},
    identity::{AccountToken, Amount, Generation, Moment, Msisdn, Subscriber, TransactionId},
    lane::{Lane, MOST_LANES, NotContinued},
    message::{Answer, Order, Refusal, Request},
    pair::{Pair, PairKeys},
    records::{Judged, Outcome, Records, Transaction},
    registration::{Binding, Registered},
    session::{Opened, Opening, SKEW},
    step::{Changes, Step},
};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use zeroize::Zeroizing;

const STORED_VERSION: u8 = 1;

/// As many orders are executed at once; further ones are not heard, and come again.
pub const MOST_EXECUTING: usize = 4_096;

/// What a frame asks of the bank.
pub enum Heard {
    /// Nothing but this step. Stored answers are repeated so.
    Answer(Step),
    /// To execute an order, which is authenticated, new, and will not be heard again before [`BankEnd::executed`].
    Execute(Execution),
    /// To look up a balance, for [`BankEnd::told_balance`].
    Balance(BalanceAsked),
    /// To decide on a registration.
    Register(Proposal),
}

/// An order to be executed.
#[must_use = "an order is executed or refused by `BankEnd::executed`; until then every question about it is answered with `UnderWay`"]
pub struct Execution {
    header: Header,
    request: Zeroizing<Vec<u8>>,
    subscriber: Subscriber,
    order: Order,
    original: Option<(TransactionId, Judged)>,
}

impl Execution {
    /// Under which id.
    pub fn id(&self) -> TransactionId {
        self.header.id
    }

    /// The order.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Whose order: the bank's own record.
    pub fn subscriber(&self) -> &Subscriber {
        &self.subscriber
    }

    /// What a reversal undoes.
    pub fn original(&self) -> Option<&Judged> {
        self.original.as_ref().map(|(_, judged)| judged)
    }
}

/// A balance that an authenticated subscriber asks for.
pub struct BalanceAsked {
    header: Header,
    subscriber: Subscriber,
    account: AccountToken,
}

impl BalanceAsked {
    /// Who asks.
    pub fn subscriber(&self) -> &Subscriber {
        &self.subscriber
    }

    /// Of which account.
    pub fn account(&self) -> AccountToken {
        self.account
    }
}

/// A registration that the bank decides on.
pub struct Proposal {
    binding: Binding,
    previous: Option<Binding>,
}

impl Proposal {
    /// Who is to be registered.
    pub fn subscriber(&self) -> &Subscriber {
        self.binding.subscriber()
    }

    /// What the number has now. Where it has something, this is a change of SIM or of owner: letting it in needs a rule.
    pub fn previous(&self) -> Option<&Binding> {
        self.previous.as_ref()
    }

    /// Lets it in; orders call the account so.
    pub fn accept(self, account: AccountToken) -> Step {
        let binding = self.binding.with_account(account);
        let frame = Registered::Yes(account).frame(binding.key(), binding.digest());
        Step::new(Changes { binding: Some(binding), ..Changes::default() }, Some(frame))
    }

    /// Does not: what the number has stays.
    pub fn refuse(self) -> Step {
        let answer = if self.previous.is_some() { Registered::Kept } else { Registered::No };
        Step::new(Changes::default(), Some(answer.frame(self.binding.key(), self.binding.digest())))
    }
}

/// The end. Its owner moves frames, keeps what is to be kept and executes.
pub struct BankEnd {
    /// Every live version of K0.
    keys: Vec<PairKeys>,
    pair: Pair,
    generation: Generation,
    /// When the first session in this life of the memory was opened, by the operator's clock. What was first sent before
    /// may have been done and forgotten.
    begins: Option<Moment>,
    lanes: BTreeMap<u32, Lane>,
    executing: BTreeSet<TransactionId>,
}

impl BankEnd {
    /// An end without sessions, in this life of its memory, with one version of the keys.
    pub fn new(keys: PairKeys, generation: Generation) -> Self {
        let (pair, lanes) = (keys.pair(), BTreeMap::new());
        Self { keys: vec![keys], pair, generation, begins: None, lanes, executing: BTreeSet::new() }
    }

    /// Holds another version of the same pair's keys, in place of one with the same number. False, and nothing changes, where
    /// they are another pair's.
    #[must_use]
    pub fn hold(&mut self, keys: PairKeys) -> bool {
        if keys.pair() != self.pair {
            return false;
        }
        self.keys.retain(|held| held.version() != keys.version());
        self.keys.push(keys);
        true
    }

    /// Takes up the state of the end as it was stored.
    ///
    /// # Errors
    /// When it is of another life of the memory, or damaged; the end then waits for a first session, as it should.
    pub fn continue_end(&mut self, stored: &[u8]) -> Result<(), NotContinued> {
        let mut reader = Reader(stored);
        reader.version(STORED_VERSION)?;
        if reader.array()? != self.generation.0 {
            return Err(NotContinued::OtherGeneration);
        }
        let begins = reader.moment()?;
        reader.end()?;
        self.begins = Some(begins);
        Ok(())
    }

    /// Takes up a lane as it was stored, after [`Self::continue_end`].
    ///
    /// # Errors
    /// When it must not be continued; the operator then opens a new session. Where a lane is damaged, and so unknown how far
    /// it was, the end must begin another life: with a generation that was drawn anew.
    pub fn continue_lane(&mut self, stored: &[u8]) -> Result<(), NotContinued> {
        let lane = Lane::load(stored, Direction::ToOperator, self.generation)?;
        self.lanes.insert(lane.number(), lane);
        Ok(())
    }

    /// Hears a frame of the operator's.
    ///
    /// # Errors
    /// Says why it has no effect and no answer.
    pub fn hear(&mut self, now: Moment, frame: &[u8], records: &dyn Records) -> Result<Heard, Ignored> {
        match Frame::read(frame)? {
            Frame::Registration { key, sealed } => self.registration(key, frame, sealed, records),
            Frame::Opening { key, sealed } => self.opening(now, key, sealed).map(Heard::Answer),
            Frame::Message { header, sealed } => self.message(now, &header, sealed, frame, records),
            Frame::Registered { .. } | Frame::Opened { .. } => Err(Ignored::WrongWay),
        }
    }

    fn keys(&self, version: u32) -> Result<&PairKeys, Ignored> {
        let held = self.keys.iter().find(|keys| keys.version() == version);
        held.ok_or(Ignored::UnknownKey(version))
    }

    fn registration(&self, key: u32, frame: &[u8], sealed: &[u8], records: &dyn Records) -> Result<Heard, Ignored> {
        let binding = Binding::open(self.keys(key)?, frame, sealed)?;
        let previous = records.binding(&binding.subscriber().number);
        let Some(known) = &previous else { return Ok(Heard::Register(Proposal { binding, previous })) };
        let answer = match known.account() {
            Some(account) if known.digest() == binding.digest() => Registered::Yes(account),
            // What was made before the one on record comes late or again: letting it in would undo a change.
            _ if binding.made() <= known.made() => Registered::Kept,
            _ => return Ok(Heard::Register(Proposal { binding, previous })),
        };
        let frame = answer.frame(binding.key(), binding.digest());
        Ok(Heard::Answer(Step::new(Changes::default(), Some(frame))))
    }

    fn opening(&mut self, now: Moment, key: u32, sealed: &[u8]) -> Result<Step, Ignored> {
        let offered = Opening::receive(self.keys(key)?, sealed)?;
        let Opening { made, lane: number, generation } = offered.opening;
        if number >= MOST_LANES {
            return Err(Ignored::NoSuchLane);
        }
        let lane = Lane::new(number, Direction::ToOperator, self.generation);
        let lane = self.lanes.entry(number).or_insert(lane);
        let newest = lane.current().map(|session| session.opened);
        let opened = if lane.knows(&offered.session.kid) {
            Opened::Yes
        } else if generation != self.generation {
            Opened::OtherGeneration(self.generation)
        } else if made > now.plus(SKEW) || now > made.plus(SKEW) {
            Opened::ClocksDiffer(now)
        } else if let Some(newest) = newest.filter(|newest| made <= *newest) {
            Opened::Behind(newest)
        } else {
            let answer = offered.answer(Opened::Yes);
            lane.begin(offered.session);
            let mut changes = Changes { lane: Some(lane.store()), ..Changes::default() };
            if self.begins.is_none() {
                self.begins = Some(made);
                changes.end = Some([&[STORED_VERSION], &self.generation.0[..], &made.0.to_be_bytes()].concat());
            }
            return Ok(Step::new(changes, Some(answer)));
        };
        Ok(Step::new(Changes::default(), Some(offered.answer(opened))))
    }

    fn message(
        &mut self,
        now: Moment,
        header: &Header,
        sealed: &[u8],
        frame: &[u8],
        records: &dyn Records,
    ) -> Result<Heard, Ignored> {
        let lane = self.lanes.get_mut(&header.lane).ok_or(Ignored::UnknownSession)?;
        let request = match lane.open(&self.pair, now, header, sealed, frame)? {
            Received::New(request) => request,
            Received::Again => return self.again(now, header, records).map(Heard::Answer),
        };
        match Request::decode(&request)? {
            Request::Echo => Ok(Heard::Answer(self.answer(now, header, Answer::Echo, Changes::default()))),
            Request::Inquiry => Ok(Heard::Answer(self.inquiry(now, header, records))),
            Request::Balance(account, who) => {
                let record = records.binding(&who.subscriber().number);
                let authenticate = |record: &Binding| who.judge(record, header.id, Asked::Balance);
                Ok(match judge(record.as_ref(), account, authenticate) {
                    Ok(subscriber) => Heard::Balance(BalanceAsked { header: *header, subscriber, account }),
                    Err(why) => Heard::Answer(self.answer(now, header, Answer::Refused(why), Changes::default())),
                })
            }
            Request::Order(order, who) => self.order(now, header, request, order, &who, records),
        }
    }

    fn order(
        &mut self,
        now: Moment,
        header: &Header,
        request: Zeroizing<Vec<u8>>,
        order: Order,
        who: &Authentication,
        records: &dyn Records,
    ) -> Result<Heard, Ignored> {
        if let Some(answer) = self.known(header, Some(&request), records)? {
            return Ok(Heard::Answer(self.answer(now, header, answer, Changes::default())));
        }
        if self.executing.len() >= MOST_EXECUTING {
            return Err(Ignored::Busy);
        }
        let number = who.subscriber().number;
        let record = records.binding(&number);
        let authenticate = |record: &Binding| who.judge(record, header.id, Asked::Order(&order));
        let judged = judge(record.as_ref(), order.account(), authenticate);
        match judged.and_then(|subscriber| Ok((subscriber, self.judge_order(&number, &order, records)?))) {
            Ok((subscriber, original)) => {
                self.executing.insert(header.id);
                self.executing.extend(original.map(|(id, _)| id));
                Ok(Heard::Execute(Execution { header: *header, request, subscriber, order, original }))
            }
            Err(why) => {
                let judged = Judged::new(&request, number, order, Outcome::Refused(why));
                let changes = of_transactions([(header.id, Transaction::Judged(judged))]);
                Ok(Heard::Answer(self.answer(now, header, Answer::Refused(why), changes)))
            }
        }
    }

    /// What is already to be said about a transaction; none where it is new and may be judged.
    fn known(&self, header: &Header, request: Option<&[u8]>, records: &dyn Records) -> Result<Option<Answer>, Ignored> {
        if self.executing.contains(&header.id) {
            return Ok(Some(Answer::UnderWay));
        }
        match records.transaction(&header.id) {
            Some(Transaction::Judged(judged)) if request.is_some_and(|octets| sha256(octets) != judged.request) => {
                Err(Ignored::OtherRequest)
            }
            Some(transaction) => Ok(Some(transaction.answer())),
            None if self.begins.is_none_or(|begins| header.time < begins) => Ok(Some(Answer::Unresolved)),
            None => Ok(None),
        }
    }

    /// The payee of a transfer and what a reversal reverses.
    fn judge_order(
        &self,
        number: &Msisdn,
        order: &Order,
        records: &dyn Records,
    ) -> Result<Option<(TransactionId, Judged)>, Refusal> {
        match order {
            Order::WalletToBank { .. } | Order::BankToWallet { .. } => Ok(None),
            Order::AccountTransfer { payee, .. } => {
                let payee = records.binding(payee).and_then(|payee| payee.account());
                payee.map(|_| None).ok_or(Refusal::UnknownPayee)
            }
            Order::Reversal { account, amount, of } => match records.transaction(of) {
                Some(Transaction::Judged(original))
                    if !self.executing.contains(of) && original.is_reversible(number, *account, *amount) =>
                {
                    Ok(Some((*of, original)))
                }
                _ => Err(Refusal::NotReversible),
            },
        }
    }

    /// An inquiry about what never came closes it, so that the answer stays true.
    fn inquiry(&mut self, now: Moment, header: &Header, records: &dyn Records) -> Step {
        let (answer, changes) = match self.known(header, None, records) {
            Ok(Some(answer)) => (answer, Changes::default()),
            _ => (Answer::NotKnown, of_transactions([(header.id, Transaction::Closed)])),
        };
        self.answer(now, header, answer, changes)
    }

    /// The very octets that came before: the stored answer once more, under a key of its own.
    fn again(&mut self, now: Moment, header: &Header, records: &dyn Records) -> Result<Step, Ignored> {
        let answer = self.known(header, None, records)?.ok_or(Ignored::Repeat)?;
        Ok(self.answer(now, header, answer, Changes::default()))
    }

    /// Ends an execution: the outcome is stored with what makes it durable, in the caller's commit of the execution itself.
    pub fn executed(&mut self, now: Moment, execution: Execution, outcome: Outcome) -> Step {
        let Execution { header, request, subscriber, order, original } = execution;
        self.executing.remove(&header.id);
        let judged = Transaction::Judged(Judged::new(&request, subscriber.number, order, outcome));
        let mut records = vec![(header.id, judged)];
        if let Some((id, judged)) = original {
            self.executing.remove(&id);
            if !matches!(outcome, Outcome::Refused(_)) {
                records.push((id, Transaction::Judged(Judged { reversed_by: Some(header.id), ..judged })));
            }
        }
        self.answer(now, &header, judged.answer(), of_transactions(records))
    }

    /// Settles an order that was [`Outcome::UnderWay`]; `None` where it is not. The operator learns of it when it asks. What
    /// is [`Answer::Unresolved`] has no record: people store [`Transaction::Found`] or [`Transaction::Closed`].
    pub fn settle(&self, id: TransactionId, outcome: Outcome, records: &dyn Records) -> Option<Changes> {
        let Some(Transaction::Judged(judged)) = records.transaction(&id) else { return None };
        if judged.outcome != Outcome::UnderWay {
            return None;
        }
        let mut changed = vec![(id, Transaction::Judged(Judged { outcome, ..judged }))];
        if let (Order::Reversal { of, .. }, Outcome::Refused(_)) = (judged.order, outcome)
            && let Some(Transaction::Judged(original)) = records.transaction(&of)
        {
            changed.push((of, Transaction::Judged(Judged { reversed_by: None, ..original })));
        }
        Some(of_transactions(changed))
    }

    /// Answers a question for a balance.
    pub fn told_balance(&mut self, now: Moment, asked: &BalanceAsked, balance: Result<Amount, Refusal>) -> Step {
        let answer = balance.map_or_else(Answer::Refused, Answer::Balance);
        self.answer(now, &asked.header, answer, Changes::default())
    }

    fn answer(&mut self, now: Moment, header: &Header, answer: Answer, mut changes: Changes) -> Step {
        let Entry::Occupied(mut lane) = self.lanes.entry(header.lane) else { return Step::new(changes, None) };
        let about = (header.id, header.time);
        let sealed = lane.get_mut().seal(&self.pair, now, Some(&header.kid), about, &answer.encode());
        let must_store = sealed.as_ref().is_some_and(|sealed| sealed.must_store);
        if must_store || !changes.is_empty() || lane.get().is_behind() {
            changes.lane = Some(lane.get_mut().store());
        }
        Step::new(changes, sealed.map(|sealed| sealed.frame))
    }
}

/// Whose request it is: the number is known, the request is authenticated against its record, the account is its own.
fn judge(
    record: Option<&Binding>,
    account: AccountToken,
    authenticate: impl FnOnce(&Binding) -> Result<(), Refusal>,
) -> Result<Subscriber, Refusal> {
    let record = record.ok_or(Refusal::UnknownNumber)?;
    authenticate(record)?;
    if record.account() == Some(account) { Ok(*record.subscriber()) } else { Err(Refusal::UnknownAccount) }
}

fn of_transactions(records: impl IntoIterator<Item = (TransactionId, Transaction)>) -> Changes {
    let stored = records.into_iter().map(|(id, transaction)| (id, Some(transaction.stored())));
    Changes { transactions: stored.collect(), ..Changes::default() }
}
