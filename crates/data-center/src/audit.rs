//! A second look at the whole log, from the rows alone: the chain, every balance, the life of every transfer, and whether
//! the checkpoint is what the rows lead to.

use std::collections::{BTreeSet, HashMap};

use transaction_processing::books::Broken;
use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::{AccountId, Sequence, SystemAccount, TransferId};
use transaction_processing::journal::MOST_POSTINGS;
use transaction_processing::policy::Policy;
use transaction_processing::time::Moment;
use transaction_processing::transfer::{State, Transfer};
use transaction_processing::{Books, Currency, Money};

use crate::batch::{GENESIS, LogRow, Position};
use crate::records::{self, Table, Value};
use crate::seal::Seal;
use crate::store::StoreError;

/// How many findings are told in words; the rest is counted.
const MOST_FINDINGS: usize = 1000;

/// Something that is not as it must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// At which row of the log; none where it is about no row.
    pub row: Option<Sequence>,
    /// What.
    pub what: String,
}

/// What a verification saw.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// Rows up to this one are sealed and were not looked at; zero for none.
    pub sealed: Sequence,
    /// How many rows were looked at: all of the log, or those behind the sealed ones.
    pub rows: u64,
    /// How many accounts.
    pub accounts: usize,
    /// How many records the checkpoint has.
    pub records: u64,
    /// For each currency by its ISO number: what its balances sum to (zero, I1), and what is issued against the trust
    /// account, minor units.
    pub sums: Vec<(u16, i128, i128)>,
    /// The last row.
    pub last: Sequence,
    /// Its link of the chain.
    pub head: [u8; 32],
    /// What was found, at most the first thousand.
    pub findings: Vec<Finding>,
    /// How many were found in all.
    pub found: u64,
}

impl Report {
    /// Whether all is as it must be.
    pub fn is_sound(&self) -> bool {
        self.found == 0
    }
}

/// What the naive ledger knows of an account.
struct Ledger {
    currency: Currency,
    balance: i128,
    latest: Sequence,
    below_zero: bool,
}

/// Looks at rows in order.
pub(crate) struct Auditor {
    next: Sequence,
    moment: Moment,
    pub(crate) head: [u8; 32],
    sealed: Sequence,
    rows: u64,
    records: u64,
    last: Sequence,
    ledgers: HashMap<AccountId, Ledger>,
    /// The books that the rows lead to. No closed transfer is forgotten here.
    pub(crate) books: Books,
    /// False from the first row on that cannot be replayed.
    replays: bool,
    transfers_changed: HashMap<TransferId, Sequence>,
    /// Transfers that a seal holds: what may still become of them is judged by it.
    sealed_transfers: BTreeSet<TransferId>,
    findings: Vec<Finding>,
    found: u64,
}

/// Books without ceilings: rows are replayed, nothing is decided.
pub(crate) fn bare_books(currencies: &[Currency]) -> Books {
    let currency = currencies.first().copied().unwrap_or(Currency { numeric: 0, minor_digits: 0 });
    let policy = Policy::of_no_decisions(currency);
    Books::new(policy, currencies)
}

impl Auditor {
    pub(crate) fn new(currencies: &[Currency]) -> Auditor {
        let system = |currency: &Currency| {
            let currency = *currency;
            SystemAccount::ALL.map(|role| {
                let below_zero = role == SystemAccount::Trust;
                (role.id(currency), Ledger { currency, balance: 0, latest: Sequence(0), below_zero })
            })
        };
        Auditor {
            next: Sequence(1),
            moment: Moment::default(),
            head: GENESIS,
            sealed: Sequence(0),
            rows: 0,
            records: 0,
            last: Sequence(0),
            ledgers: currencies.iter().flat_map(system).collect(),
            books: bare_books(currencies),
            replays: true,
            transfers_changed: HashMap::new(),
            sealed_transfers: BTreeSet::new(),
            findings: Vec::new(),
            found: 0,
        }
    }

    /// Goes on from a state that was sealed. `text` finds sealed personal texts of the row that made a proposal.
    pub(crate) fn after(
        seal: &Seal,
        currencies: &[Currency],
        text: &dyn Fn(Sequence, &[u8; 32]) -> Vec<u8>,
    ) -> Result<Auditor, StoreError> {
        let mut auditor = Auditor::new(currencies);
        auditor.books.restore_position(seal.next, seal.moment);
        for sealed in &seal.records {
            let mut record = sealed.open(&mut |_| Vec::new())?;
            if let Change::Proposal(proposal) = &record {
                let made_in = Sequence(proposal.id.0);
                record = sealed.open(&mut |commitment| text(made_in, commitment))?;
            }
            auditor.books.restore(&record);
            match record {
                Change::Opened(account) => {
                    let ledger = Ledger {
                        currency: account.currency,
                        balance: account.balance().into(),
                        latest: account.latest(),
                        below_zero: account.floor() < 0,
                    };
                    auditor.ledgers.insert(account.id, ledger);
                }
                Change::Transfer(transfer) => {
                    if transfer.waiting().is_some() {
                        auditor.transfers_changed.insert(transfer.id, seal.last);
                    }
                    auditor.sealed_transfers.insert(transfer.id);
                }
                _ => {}
            }
        }
        let Seal { last, next, moment, link, .. } = seal;
        (auditor.sealed, auditor.last, auditor.next, auditor.moment, auditor.head) =
            (*last, *last, *next, *moment, *link);
        Ok(auditor)
    }

    /// The last row that was sealed; zero for none.
    pub(crate) fn seal_ends(&self) -> Sequence {
        self.sealed
    }

    /// The state behind the row last seen.
    pub(crate) fn seal(&self) -> Seal {
        let open = self.transfers_changed.keys().chain(&self.sealed_transfers).copied().collect();
        Seal::of(&self.books, self.last, self.head, &open)
    }

    pub(crate) fn find(&mut self, row: Option<Sequence>, what: impl Into<String>) {
        self.found += 1;
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding { row, what: what.into() });
        }
    }

    /// Looks at one row. `made` finds the row that made a transfer.
    pub(crate) fn see(
        &mut self,
        stored: &LogRow,
        changes: &[u8],
        notices: &[u8],
        text: &mut dyn FnMut(&[u8; 32]) -> Vec<u8>,
        made: &mut dyn FnMut(TransferId) -> Option<Transfer>,
    ) -> Option<Row> {
        let here = Some(stored.sequence);
        self.rows += 1;
        if stored.sequence != self.next {
            self.find(here, format!("follows row {}, where {} was to come", self.last.0, self.next.0));
            // What follows is judged from here on.
            self.books.restore_position(stored.sequence, self.books.moment());
        }
        if stored.moment.time < self.moment.time
            || stored.moment.day < self.moment.day
            || stored.moment.month < self.moment.month
        {
            self.find(here, "time falls");
        }
        if stored.link(&self.head, changes, notices) != stored.chain {
            self.find(here, "the chain does not hold");
        }
        self.head = stored.chain;
        self.last = stored.sequence;
        self.moment = stored.moment;
        self.next = stored.sequence.next();
        let row = match stored.decode(changes, notices, text) {
            Ok(row) => row,
            Err(error) => {
                self.find(here, format!("changes or notices: {error}"));
                self.replays = false;
                return None;
            }
        };
        self.judge_changes(&row, made);
        self.judge_postings(&row);
        if self.replays
            && let Err(broken) = self.books.replay(&row)
        {
            self.find(here, format!("cannot be replayed: {broken:?}"));
            self.replays = matches!(broken, Broken::Order(_));
        }
        Some(row)
    }

    fn judge_changes(&mut self, row: &Row, made: &mut dyn FnMut(TransferId) -> Option<Transfer>) {
        let here = Some(row.sequence);
        for change in &row.changes {
            match change {
                Change::Opened(account) => {
                    let ledger = Ledger {
                        currency: account.currency,
                        balance: 0,
                        latest: Sequence(0),
                        below_zero: account.floor() < 0,
                    };
                    if self.ledgers.insert(account.id, ledger).is_some() {
                        self.find(here, format!("account {} is opened twice", account.id.0));
                    }
                }
                Change::Transfer(transfer) => self.judge_transfer(row, transfer, made),
                Change::Epoch { next } => {
                    if *next <= row.sequence {
                        self.find(here, "an epoch that goes back");
                    }
                    self.next = *next;
                }
                _ => {}
            }
        }
    }

    /// A transfer is made once, leaves waiting once, and returns once (I8, I9); what it is about never changes (I10).
    fn judge_transfer(&mut self, row: &Row, transfer: &Transfer, made: &mut dyn FnMut(TransferId) -> Option<Transfer>) {
        let here = Some(row.sequence);
        let id = transfer.id;
        if id.0 == row.sequence.0 {
            if transfer.waiting().is_some() {
                self.transfers_changed.insert(id, row.sequence);
            }
            return;
        }
        let before = self.books.resident_transfer(id).cloned().or_else(|| made(id));
        let Some(before) = before.filter(|_| id.0 < row.sequence.0) else {
            return self.find(here, format!("transfer {} was never made", id.0));
        };
        self.transfers_changed.insert(id, row.sequence);
        let same = before.kind == transfer.kind
            && before.made_at == transfer.made_at
            && before.sender == transfer.sender
            && before.payee == transfer.payee
            && before.amount == transfer.amount
            && before.charge == transfer.charge;
        if !same {
            self.find(here, format!("transfer {} became another", id.0));
        }
        let lawful = match (&before.state, &transfer.state) {
            (State::Waiting(_), State::Credited { .. }) => false,
            (State::Waiting(_), _) => true,
            (State::Credited { .. }, State::Credited { .. } | State::Returned { .. }) => true,
            (State::Credited { .. } | State::PaidOut(_) | State::Deposited { .. } | State::Returned { .. }, _) => false,
        };
        if !lawful {
            self.find(here, format!("transfer {} lives on after its end", id.0));
        }
    }

    /// Every balance again, by adding up (I3), never below its floor (I4), amounts above zero (I14), and each side in the
    /// account's own currency, so that debits equal credits in each (I2).
    fn judge_postings(&mut self, row: &Row) {
        let here = Some(row.sequence);
        if row.entered.len() > MOST_POSTINGS {
            self.find(here, "too many postings");
        }
        for entered in &row.entered {
            let posting = entered.posting;
            if posting.amount.is_zero() || posting.from == posting.to {
                self.find(here, "a posting of nothing, or within one account");
            }
            let minor = i128::from(posting.amount.minor());
            let debit = (posting.from, -minor, entered.from_balance, entered.from_previous);
            let credit = (posting.to, minor, entered.to_balance, entered.to_previous);
            for (account, by, stated, previous) in [debit, credit] {
                if let Err(what) = self.add(account, by, posting.amount, stated, previous, row.sequence) {
                    self.find(here, format!("account {}: {what}", account.0));
                }
            }
        }
    }

    fn add(
        &mut self,
        account: AccountId,
        by: i128,
        amount: Money,
        stated: i64,
        previous: Sequence,
        here: Sequence,
    ) -> Result<(), String> {
        let ledger = self.ledgers.get_mut(&account).ok_or("never opened")?;
        if ledger.currency != amount.currency() {
            return Err("moved in another currency".into());
        }
        ledger.balance += by;
        let linked = std::mem::replace(&mut ledger.latest, here);
        if ledger.balance != i128::from(stated) {
            return Err(format!("the entries sum to {}, the row states {stated}", ledger.balance));
        }
        if by < 0 && ledger.balance < 0 && !ledger.below_zero {
            return Err(format!("below its floor: {stated}"));
        }
        if linked != previous {
            return Err(format!("the entry before was in row {}, the row states {}", linked.0, previous.0));
        }
        Ok(())
    }

    /// Looks at a record of the checkpoint that is as of a row that was sealed, and has not changed since.
    pub(crate) fn see_sealed_record(&mut self, table: &Table, as_of: Sequence, stored: &[Value]) {
        let key = stored.get(..table.key).unwrap_or_default();
        let held = records::held(&self.books, table, key);
        // What has come to its end is not sealed: it is in the stretch that was taken away.
        let may_be_gone = [records::TRANSFERS.name, records::DEALINGS.name].contains(&table.name);
        if held.is_some() || !may_be_gone {
            self.compare(table, as_of, stored, held);
        }
    }

    /// Looks at a record of the checkpoint that is as of the row last seen.
    pub(crate) fn see_record(&mut self, table: &Table, stored: &[Value]) {
        let held = records::held(&self.books, table, stored.get(..table.key).unwrap_or_default());
        self.compare(table, self.last, stored, held);
    }

    fn compare(&mut self, table: &Table, as_of: Sequence, stored: &[Value], held: Option<Change>) {
        self.records += 1;
        if !self.replays {
            return;
        }
        let mut expected = Vec::new();
        let key = stored.get(..table.key).unwrap_or_default();
        match held.and_then(|record| records::columns(&record, as_of, &mut expected)) {
            None => self.find(Some(self.last), format!("{} {key:?}: the log knows nothing of it", table.name)),
            Some(_) if expected != stored => {
                let differing = table.columns.iter().zip(expected.iter().zip(stored)).filter(|(_, (a, b))| a != b);
                let names: Vec<&str> = differing.map(|(name, _)| *name).collect();
                self.find(
                    Some(self.last),
                    format!("{} {key:?}: not as the log has it: {}", table.name, names.join(", ")),
                );
            }
            Some(_) => {}
        }
    }

    /// Whether a transfer that the checkpoint does not have is one that recovery would miss.
    pub(crate) fn judge_absent_transfers(&mut self, position: &Position, has: &mut dyn FnMut(TransferId) -> bool) {
        let changed: Vec<_> = self.transfers_changed.iter().map(|(id, row)| (*id, *row)).collect();
        for (id, row) in changed {
            if row < position.replay_from && !has(id) {
                self.find(Some(row), format!("transfer {} changed here and is not in the checkpoint", id.0));
            }
        }
    }

    /// Whether the log ends where the position says.
    pub(crate) fn judge_end(&mut self, position: &Position) {
        if position.next != self.next {
            self.find(None, format!("row {} was to be next, but the log ends before {}", position.next.0, self.next.0));
        }
        if position.head != self.head {
            self.find(None, "the chain ends in another link than the position says");
        }
        if position.replay_from > position.next || position.settled >= position.next {
            self.find(None, "the position points behind the log");
        }
    }

    /// Whether books recovered from the checkpoint are those that the rows lead to.
    pub(crate) fn judge_recovered(&mut self, recovered: &Books) {
        if self.replays {
            for what in differences(&self.books, recovered) {
                self.find(None, format!("recovery differs: {what}"));
            }
        }
    }

    pub(crate) fn report(mut self) -> Report {
        let mut sums: HashMap<u16, (i128, i128)> = HashMap::new();
        for (id, ledger) in &self.ledgers {
            let (sum, issued) = sums.entry(ledger.currency.numeric).or_default();
            *sum += ledger.balance;
            if *id == SystemAccount::Trust.id(ledger.currency) {
                *issued = -ledger.balance;
            }
        }
        let mut sums: Vec<_> = sums.into_iter().map(|(currency, (sum, issued))| (currency, sum, issued)).collect();
        sums.sort_unstable();
        for (currency, sum, _) in sums.clone() {
            if sum != 0 {
                self.find(None, format!("the balances of currency {currency} sum to {sum}"));
            }
        }
        Report {
            sealed: self.sealed,
            rows: self.rows,
            accounts: self.ledgers.len(),
            records: self.records,
            sums,
            last: self.last,
            head: self.head,
            findings: self.findings,
            found: self.found,
        }
    }
}

/// In what two books differ, a word for each record. Closed transfers are not compared: who recovers holds few of them.
pub fn differences(one: &Books, other: &Books) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: String, same: bool| {
        if !same {
            found.push(what);
        }
    };
    differ("the next row".into(), one.next() == other.next());
    differ("how many accounts".into(), one.account_count() == other.account_count());
    for account in one.accounts() {
        differ(format!("account {}", account.id.0), other.account(account.id) == Some(account));
        if let Some(msisdn) = account.msisdn {
            let reached = |books: &Books| books.account_of(msisdn).map(|account| account.id);
            differ(format!("who is reached as account {}", account.id.0), reached(one) == reached(other));
        }
    }
    differ("how many numbers".into(), one.numbers().count() == other.numbers().count());
    for number in one.numbers() {
        differ(format!("number {:?}", number.msisdn), other.number(number.msisdn) == Some(number));
        if let Some(card) = number.card.as_deref() {
            let served = |books: &Books| books.number_of_card(card.iccid);
            differ(format!("the card of {:?}", number.msisdn), served(one) == served(other));
        }
        let waiting = |books: &Books| books.waiting_for(number.msisdn).cloned().collect::<Vec<_>>();
        differ(format!("what waits for {:?}", number.msisdn), waiting(one) == waiting(other));
    }
    let ever = transaction_processing::time::Time(i64::MAX);
    let waiting = |books: &Books| books.expired(ever, usize::MAX).collect::<Vec<_>>();
    differ("which transfers wait".into(), waiting(one) == waiting(other));
    for id in one.expired(ever, usize::MAX) {
        differ(format!("transfer {}", id.0), one.resident_transfer(id) == other.resident_transfer(id));
    }
    differ("agents".into(), one.agents().eq(other.agents()));
    // Those of past days count for nothing any more, and are not loaded.
    let today = one.moment().day;
    let dealings = |books: &Books| {
        let mut all: Vec<_> = books.all_dealings().filter(|dealings| dealings.day == today).collect();
        all.sort_unstable_by_key(|dealings| (dealings.agent, dealings.customer, dealings.priced));
        all
    };
    differ("dealings".into(), dealings(one) == dealings(other));
    differ("failures".into(), one.all_failures().eq(other.all_failures()));
    differ("proposals".into(), one.proposals().eq(other.proposals()));
    differ("staff".into(), one.all_staff().eq(other.all_staff()));
    differ("cases".into(), one.cases().eq(other.cases()));
    differ("tariffs".into(), one.tariffs().eq(other.tariffs()));
    differ("bank movements".into(), one.bank_movements().eq(other.bank_movements()));
    differ("what the bank said".into(), one.bank_balances().eq(other.bank_balances()));
    found
}
