//! The books: every record that decisions may read, in memory. Open state is always here; closed history is asked for with
//! [`Missing`] and supplied by the data centre before the decision is tried again.

mod dealings;
mod memory;
mod reading;
mod sums;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use crate::account::{Account, Agent};
use crate::bank::{BankBalance, BankMovement};
use crate::decision::{Change, Decision, Failures, Row, Scope};
use crate::ids::{
    AccountId, AgentCode, CaseId, Iccid, ProposalId, Sequence, StaffId, SystemAccount, TariffId, TransferId,
};
use crate::journal::{Entered, Posting};
use crate::money::Currency;
use crate::msisdn::Msisdn;
use crate::notice::{Notice, StatementLine};
use crate::number::Number;
use crate::policy::Policy;
use crate::proposal::{Case, Measure, Proposal, Staff};
use crate::request::{Origin, Request, RequestKey};
use crate::requests;
use crate::table::{Keyed, Table};
use crate::tariff::Tariff;
use crate::time::{Moment, Time};
use crate::transfer::{State, Transfer};
use dealings::DaysDealings;
use memory::Memory;
use sums::Sums;

/// A closed record that a decision needs and that is not in memory. The data centre supplies it, and asks again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Missing {
    /// A transfer that no longer waits: [`Books::supply_transfer`].
    Transfer(TransferId),
    /// What a row answered: [`Books::supply_outcome`].
    Outcome(Sequence),
    /// The last entries of an account: [`Books::supply_history`].
    History(AccountId),
}

/// What a row answered, and to which message.
#[derive(Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The message's identity.
    pub key: Option<RequestKey>,
    /// When.
    pub time: Time,
    /// What was told.
    pub notices: Vec<Notice>,
}

/// The broken invariant for which a process must stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// A posting names an account that is not in the books.
    NoAccount(AccountId),
    /// A posting crosses currencies.
    Currency(AccountId),
    /// An account would fall below its floor (I4).
    Floor(AccountId),
    /// A balance does not fit (I14).
    Overflow(AccountId),
    /// A replayed row does not follow the one before it (I18).
    Order(Sequence),
    /// A replayed row does not lead to the balance that it states (I3).
    Balance(AccountId),
    /// What all accounts hold together is not what they add up to (I21).
    Sums,
}

/// The books.
pub struct Books {
    policy: Policy,
    next: Sequence,
    moment: Moment,
    accounts: Table<Account>,
    sums: Sums,
    by_number: Table<Reached>,
    numbers: Table<Number>,
    agents: BTreeMap<AgentCode, Agent>,
    cards: BTreeMap<Iccid, Msisdn>,
    transfers: BTreeMap<TransferId, Transfer>,
    waiting_for: BTreeSet<(Msisdn, TransferId)>,
    expiring: BTreeSet<(Time, TransferId)>,
    to_remind: BTreeSet<(Time, TransferId)>,
    dealings: DaysDealings,
    failures: BTreeMap<Scope, Failures>,
    proposals: BTreeMap<ProposalId, Proposal>,
    staff: BTreeMap<StaffId, Staff>,
    cases: BTreeMap<CaseId, Case>,
    tariffs: BTreeMap<TariffId, Tariff>,
    bank_movements: BTreeMap<String, BankMovement>,
    bank_balances: BTreeMap<u16, BankBalance>,
    memory: Memory,
    supplied_transfers: BTreeMap<TransferId, Option<Transfer>>,
    supplied_outcomes: BTreeMap<Sequence, Option<Outcome>>,
    supplied_history: BTreeMap<AccountId, (Sequence, Vec<StatementLine>)>,
}

impl Books {
    /// Empty books with the platform's own accounts in these currencies. Anything else comes from rows.
    pub fn new(policy: Policy, currencies: &[Currency]) -> Books {
        let mut books = Books {
            memory: Memory::new(policy.repeat_window_seconds),
            policy,
            next: Sequence(1),
            moment: Moment::default(),
            accounts: Table::new(),
            sums: Sums::default(),
            by_number: Table::new(),
            numbers: Table::new(),
            agents: BTreeMap::new(),
            cards: BTreeMap::new(),
            transfers: BTreeMap::new(),
            waiting_for: BTreeSet::new(),
            expiring: BTreeSet::new(),
            to_remind: BTreeSet::new(),
            dealings: DaysDealings::default(),
            failures: BTreeMap::new(),
            proposals: BTreeMap::new(),
            staff: BTreeMap::new(),
            cases: BTreeMap::new(),
            tariffs: BTreeMap::new(),
            bank_movements: BTreeMap::new(),
            bank_balances: BTreeMap::new(),
            supplied_transfers: BTreeMap::new(),
            supplied_outcomes: BTreeMap::new(),
            supplied_history: BTreeMap::new(),
        };
        for currency in currencies {
            for role in SystemAccount::ALL {
                books.put_account(Account::of_system(role, *currency));
            }
        }
        books
    }

    // ---- deciding -------------------------------------------------------------------------------------------------

    /// What a request does to the books. Pure: the same books, moment and request give the same decision, and nothing here
    /// changes until [`Books::enter`].
    ///
    /// # Errors
    /// [`Missing`] where a closed record is needed first; nothing has been decided then.
    pub fn decide(&self, moment: Moment, request: &Request) -> Result<Decision, Missing> {
        requests::decide(self, moment, request)
    }

    /// Enters a decision made on these very books, and gives the row to be made durable.
    ///
    /// # Errors
    /// [`Broken`]: an invariant does not hold. The books are then not to be used any more: stop.
    pub fn enter(&mut self, moment: Moment, request: &Request, decision: Decision) -> Result<Row, Broken> {
        let Decision { refusal, transfer, journal, changes, notices } = decision;
        let sequence = self.next;
        for change in &changes {
            self.apply(change, sequence);
        }
        let mut entered = Vec::new();
        for posting in journal.iter().flat_map(|journal| journal.postings()) {
            entered.push(self.post(*posting, sequence)?);
        }
        let (from, staff) = match request.origin {
            Origin::Handset { from, .. } => (Some(from), None),
            Origin::Staff(staff) => (None, Some(staff)),
            Origin::Platform => (None, None),
        };
        let row = Row {
            sequence,
            moment,
            kind: request.action.kind(),
            from,
            staff,
            key: request.key,
            refusal,
            transfer,
            entered,
            changes,
            notices,
        };
        self.follow(&row);
        Ok(row)
    }

    /// Enters a row of the log again: recovery. Rows must follow each other from [`Books::restore_position`] on.
    ///
    /// # Errors
    /// [`Broken`] where the rows do not lead to the balances that they state.
    pub fn replay(&mut self, row: &Row) -> Result<(), Broken> {
        if row.sequence != self.next {
            return Err(Broken::Order(row.sequence));
        }
        for change in &row.changes {
            self.apply(change, row.sequence);
        }
        for entered in &row.entered {
            let amount = entered.posting.amount.minor();
            let debit = (entered.from_balance, amount.saturating_neg());
            self.restate(entered.posting.from, debit, (entered.from_previous, row.sequence))?;
            self.restate(entered.posting.to, (entered.to_balance, amount), (entered.to_previous, row.sequence))?;
        }
        self.follow(row);
        Ok(())
    }

    fn follow(&mut self, row: &Row) {
        let jump = row.changes.iter().find_map(|change| match change {
            Change::Epoch { next } => Some(*next),
            _ => None,
        });
        self.next = jump.unwrap_or(row.sequence.next());
        self.moment = row.moment;
        if row.is_remembered()
            && let Some(key) = row.key
        {
            self.memory.remember(key, row.sequence, row.moment.time);
        }
    }

    fn post(&mut self, posting: Posting, sequence: Sequence) -> Result<Entered, Broken> {
        let amount = posting.amount;
        let (from_balance, from_previous) =
            self.shift(posting.from, amount.minor().saturating_neg(), amount.currency(), sequence)?;
        let (to_balance, to_previous) = self.shift(posting.to, amount.minor(), amount.currency(), sequence)?;
        Ok(Entered { posting, from_balance, to_balance, from_previous, to_previous })
    }

    fn shift(
        &mut self,
        id: AccountId,
        by: i64,
        currency: Currency,
        sequence: Sequence,
    ) -> Result<(i64, Sequence), Broken> {
        let account = self.accounts.get_mut(key_of(id)).ok_or(Broken::NoAccount(id))?;
        if account.currency != currency {
            return Err(Broken::Currency(id));
        }
        let balance = account.balance.checked_add(by).ok_or(Broken::Overflow(id))?;
        if by < 0 && balance < account.floor() {
            return Err(Broken::Floor(id));
        }
        self.sums.shift(currency, account.holder, by);
        account.balance = balance;
        let previous = account.latest;
        account.latest = sequence;
        Ok((balance, previous))
    }

    /// Takes over what a row says of an account. Where the account stands just before that row, its balance must lead to the
    /// stated one; an account that a checkpoint took later than the row is led there again by the rows that follow.
    fn restate(
        &mut self,
        id: AccountId,
        (balance, change): (i64, i64),
        (previous, sequence): (Sequence, Sequence),
    ) -> Result<(), Broken> {
        let account = self.accounts.get_mut(key_of(id)).ok_or(Broken::NoAccount(id))?;
        let follows = account.latest == previous && account.balance.checked_add(change) == Some(balance);
        if account.latest <= previous && !follows {
            return Err(Broken::Balance(id));
        }
        self.sums.shift(account.currency, account.holder, balance.wrapping_sub(account.balance));
        account.balance = balance;
        account.latest = sequence;
        Ok(())
    }

    /// Puts one record of a checkpoint into the books: loading.
    pub fn restore(&mut self, record: &Change) {
        self.apply(record, Sequence(0));
    }

    /// Says where a checkpoint stands: the next row, and the moment of the last one. Loading.
    pub fn restore_position(&mut self, next: Sequence, moment: Moment) {
        self.next = next;
        self.moment = moment;
    }

    /// Remembers a message of before the checkpoint: loading.
    pub fn restore_memory(&mut self, key: RequestKey, row: Sequence, time: Time) {
        self.memory.remember(key, row, time);
    }

    fn apply(&mut self, change: &Change, sequence: Sequence) {
        match change {
            Change::Opened(account) => self.put_account(account.clone()),
            Change::Pin { account, pin } => self.with_account(*account, |held| held.pin = pin.clone()),
            Change::Used { account, usage } => self.with_account(*account, |held| held.usage = *usage),
            Change::Status { account, status } => self.with_account(*account, |held| held.status = *status),
            Change::Tier { account, tier } => {
                self.with_account(*account, |held| held.holder = crate::account::Holder::Customer(*tier));
            }
            Change::Moved { account, msisdn } => self.move_account(*account, *msisdn),
            Change::Agent(agent) => {
                self.agents.insert(agent.code, agent.clone());
            }
            Change::Number(number) => self.put_number(number.clone()),
            Change::CardUsed { msisdn, counter, check } => {
                if let Some(card) = self.numbers.get_mut(msisdn.digits()).and_then(|number| number.card.as_mut()) {
                    card.counter = *counter;
                    card.check = *check;
                }
            }
            Change::Transfer(transfer) => self.put_transfer(transfer, sequence),
            Change::Named { .. } | Change::Identified { .. } => {}
            Change::Dealings(dealings) => self.dealings.put(*dealings),
            Change::Failures(failures) => {
                self.failures.insert(failures.scope, *failures);
            }
            Change::Proposal(proposal) => {
                self.proposals.insert(proposal.id, proposal.clone());
            }
            Change::Staff(staff) => {
                self.staff.insert(staff.id, staff.clone());
            }
            Change::Case(case) => {
                self.cases.insert(case.id, case.clone());
            }
            Change::Tariff(tariff) => {
                self.tariffs.insert(tariff.id, tariff.clone());
            }
            Change::BankMovement(movement) => {
                self.bank_movements.insert(movement.reference.clone(), movement.clone());
            }
            Change::BankBalance(said) => {
                self.bank_balances.insert(said.balance.currency().numeric, said.clone());
            }
            Change::Erased { msisdn, up_to } => self.forget_texts(*msisdn, *up_to),
            Change::Epoch { .. } => {}
        }
    }

    fn with_account(&mut self, id: AccountId, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.accounts.get_mut(key_of(id)) {
            change(account);
        }
    }

    /// Of personal texts only proposals are in memory.
    fn forget_texts(&mut self, of: Msisdn, up_to: Sequence) {
        for proposal in self.proposals.range_mut(..=ProposalId(up_to.0)).map(|(_, proposal)| proposal) {
            if let Measure::EnrolAgent { msisdn, name, .. } = &mut proposal.measure
                && *msisdn == of
            {
                name.sealed.clear();
            }
        }
    }

    fn put_account(&mut self, account: Account) {
        if let Some(msisdn) = account.msisdn {
            self.by_number.put(Reached { msisdn, account: account.id });
        }
        self.sums.add(&account);
        if let Some(before) = self.accounts.put(account) {
            self.sums.take_away(&before);
        }
    }

    fn move_account(&mut self, id: AccountId, msisdn: Option<Msisdn>) {
        self.with_account(id, |held| held.msisdn = msisdn);
        if let Some(msisdn) = msisdn {
            self.by_number.put(Reached { msisdn, account: id });
        }
    }

    fn put_number(&mut self, number: Number) {
        let before = self.numbers.get(number.msisdn.digits()).and_then(|held| held.card.as_deref());
        if let Some(card) = before {
            self.cards.remove(&card.iccid);
        }
        if let Some(card) = number.card.as_deref() {
            self.cards.insert(card.iccid, number.msisdn);
        }
        self.numbers.put(number);
    }

    fn put_transfer(&mut self, transfer: &Transfer, sequence: Sequence) {
        if let Some(before) = self.transfers.get(&transfer.id).cloned() {
            self.unlist(&before);
        }
        match &transfer.state {
            State::Waiting(waiting) => {
                self.waiting_for.insert((transfer.payee, transfer.id));
                self.expiring.insert((waiting.expires_at, transfer.id));
                if !waiting.reminded {
                    let remind_at = waiting.expires_at.less_seconds(self.policy.reminder_before_seconds);
                    self.to_remind.insert((remind_at, transfer.id));
                }
                self.transfers.insert(transfer.id, transfer.clone());
            }
            // What is closed by the row that made it can be read from that row; what closes later stays until a checkpoint
            // has it.
            _ if transfer.id.0 == sequence.0 => {}
            _ => {
                self.transfers.insert(transfer.id, transfer.clone());
            }
        }
        self.supplied_transfers.remove(&transfer.id);
    }

    fn unlist(&mut self, transfer: &Transfer) {
        if let Some(waiting) = transfer.waiting() {
            self.waiting_for.remove(&(transfer.payee, transfer.id));
            self.expiring.remove(&(waiting.expires_at, transfer.id));
            let remind_at = waiting.expires_at.less_seconds(self.policy.reminder_before_seconds);
            self.to_remind.remove(&(remind_at, transfer.id));
        }
    }

    // ---- closed history ------------------------------------------------------------------------------------------

    /// Supplies a transfer that [`Missing::Transfer`] asked for; none where there is none.
    pub fn supply_transfer(&mut self, id: TransferId, transfer: Option<Transfer>) {
        self.supplied_transfers.insert(id, transfer);
    }

    /// Supplies what a row answered, as [`Missing::Outcome`] asked; none where the row is not remembered any more.
    pub fn supply_outcome(&mut self, row: Sequence, outcome: Option<Outcome>) {
        self.supplied_outcomes.insert(row, outcome);
    }

    /// Supplies the last five entries of an account, newest first, as [`Missing::History`] asked.
    pub fn supply_history(&mut self, account: AccountId, lines: Vec<StatementLine>) {
        let latest = self.account(account).map_or(Sequence(0), Account::latest);
        self.supplied_history.insert(account, (latest, lines));
    }

    /// Forgets what was supplied: at the end of a batch.
    pub fn forget_supplied(&mut self) {
        self.supplied_transfers.clear();
        self.supplied_outcomes.clear();
        self.supplied_history.clear();
    }

    /// Forgets a closed transfer that a checkpoint holds now. A waiting one stays.
    pub fn forget_closed(&mut self, id: TransferId) {
        if self.transfers.get(&id).is_some_and(|transfer| transfer.waiting().is_none()) {
            self.transfers.remove(&id);
        }
    }
}

/// The account that a number reaches, or reached last.
struct Reached {
    msisdn: Msisdn,
    account: AccountId,
}

impl Keyed for Reached {
    fn key(&self) -> u64 {
        self.msisdn.digits()
    }
}

impl Keyed for Account {
    fn key(&self) -> u64 {
        key_of(self.id)
    }
}

impl Keyed for Number {
    fn key(&self) -> u64 {
        self.msisdn.digits()
    }
}

fn key_of(id: AccountId) -> u64 {
    id.0.cast_unsigned()
}
