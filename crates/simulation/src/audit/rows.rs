//! The auditor of the log: sees each row when it is durable, keeps balances, transfers, tries and limits of its own, and says
//! what is not as it must be. Numbers such as I3 are those of the invariants of the house.

mod bounds;
mod charges;
mod silent;

use std::collections::{BTreeMap, BTreeSet};

use data_center::batch::{GENESIS, LogRow};
use data_center::differences;
use transaction_processing::account::{Status, Tier};
use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::{AccountId, Sequence, SystemAccount, TransferId};
use transaction_processing::money::LARGEST;
use transaction_processing::policy::Policy;
use transaction_processing::request::{Kind as Asked, RequestKey};
use transaction_processing::time::{Moment, Time};
use transaction_processing::transfer::{Kind, ReturnCause, State, Transfer};
use transaction_processing::{Books, Currency, Msisdn};

use super::{Finding, Verdict};
use crate::museum::Defect;
use crate::sabotage;
use bounds::Sent;
use charges::ahead;
pub use silent::Silent;

/// One account, by its entries alone.
struct Ledger {
    currency: Currency,
    balance: i64,
    latest: Sequence,
    below_zero: bool,
    tier: Option<Tier>,
}

/// See the [module](self).
pub struct Rows {
    policy: Policy,
    next: Sequence,
    moment: Moment,
    head: [u8; 32],
    ledgers: BTreeMap<AccountId, Ledger>,
    transfers: BTreeMap<TransferId, Transfer>,
    /// What came back of each.
    returned: BTreeMap<TransferId, i64>,
    /// Who was credited with each, and which agent paid it out or got it as float.
    credited: BTreeMap<TransferId, AccountId>,
    paid_by: BTreeMap<TransferId, AccountId>,
    /// Who was paid unclaimed money, by the sum and the balance after it: the text has no reference.
    unclaimed: BTreeMap<(i64, i64), AccountId>,
    /// The balances that rows about each transfer led to: by them a text is known to be of a row of this log.
    led_to: BTreeSet<(TransferId, i64)>,
    /// Movements of which no text speaks.
    silent: Vec<Silent>,
    /// When a message last had an effect.
    effects: BTreeMap<RequestKey, (Time, bool)>,
    /// When wrong PINs of an account were judged since the last right one. A number may have a new account, and an account a
    /// new number.
    wrong_pins: BTreeMap<AccountId, Vec<Time>>,
    sent: BTreeMap<AccountId, Sent>,
    received: BTreeMap<Msisdn, Sent>,
    counters: BTreeMap<Msisdn, u64>,
    /// Sealed personal texts, by their commitments.
    texts: BTreeMap<[u8; 32], Vec<u8>>,
    /// The same rows in books of its own.
    replica: Books,
    /// What the rows are wrong in.
    exhibit: Option<Defect>,
}

impl Rows {
    /// An empty log with the platform's own accounts.
    pub fn new(policy: &Policy, currencies: &[Currency], exhibit: Option<Defect>) -> Rows {
        let own = |currency: &Currency| {
            let currency = *currency;
            SystemAccount::ALL.map(|role| {
                let below_zero = role == SystemAccount::Trust;
                (role.id(currency), Ledger { currency, balance: 0, latest: Sequence(0), below_zero, tier: None })
            })
        };
        Rows {
            policy: policy.clone(),
            next: Sequence(1),
            moment: Moment::default(),
            head: GENESIS,
            ledgers: currencies.iter().flat_map(own).collect(),
            transfers: BTreeMap::new(),
            returned: BTreeMap::new(),
            credited: BTreeMap::new(),
            paid_by: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            led_to: BTreeSet::new(),
            silent: Vec::new(),
            effects: BTreeMap::new(),
            wrong_pins: BTreeMap::new(),
            sent: BTreeMap::new(),
            received: BTreeMap::new(),
            counters: BTreeMap::new(),
            texts: BTreeMap::new(),
            replica: Books::new(policy.clone(), currencies),
            exhibit,
        }
    }

    /// The row that is to come.
    pub fn next(&self) -> Sequence {
        self.next
    }

    /// The transfers made after this row.
    pub fn transfers_after(&self, last: Sequence) -> impl Iterator<Item = TransferId> {
        self.transfers.range(TransferId(last.0 + 1)..).map(|(id, _)| *id)
    }

    /// Transfers, and balances that rows about them led to.
    pub fn led_to(&self) -> &BTreeSet<(TransferId, i64)> {
        &self.led_to
    }

    /// The time of the last row.
    pub fn time(&self) -> Time {
        self.moment.time
    }

    /// The chain's last link.
    pub fn head(&self) -> [u8; 32] {
        self.head
    }

    /// How much money a currency has been issued.
    pub fn issued(&self, currency: Currency) -> i64 {
        -self.balance(SystemAccount::Trust.id(currency))
    }

    /// The balance of an account, by its entries.
    pub fn balance(&self, account: AccountId) -> i64 {
        self.ledgers.get(&account).map_or(0, |ledger| ledger.balance)
    }

    /// Whose money a text about a transfer speaks of: an account, never a sum.
    pub fn party(&self, text: &str, id: TransferId, number: &str) -> Option<AccountId> {
        let transfer = self.transfers.get(&id)?;
        match text {
            "received" | "cash-put-in" | "given-back" | "deposited" => self.credited.get(&id).copied(),
            "paid-out-by-you" | "cash-to-hand-over" | "float-supplied" => self.paid_by.get(&id).copied(),
            "sent" | "sent-by-password" | "recalled" | "refunded" | "got-back" | "cash-taken-in" | "cash-taken-out"
            | "float-withdrawn" => Some(transfer.sender),
            _ => self.account_of(number),
        }
    }

    /// Movements of which no text speaks.
    pub fn silent(&self) -> &[Silent] {
        &self.silent
    }

    /// Who was paid unclaimed money.
    pub fn paid_unclaimed(&self, sum: i64, balance: i64) -> Option<AccountId> {
        self.unclaimed.get(&(sum, balance)).copied()
    }

    /// The account that a number reaches now.
    pub fn account_of(&self, number: &str) -> Option<AccountId> {
        let msisdn = Msisdn::new(number.parse().ok()?)?;
        self.replica.account_of(msisdn).map(|account| account.id)
    }

    /// Whether an account is closed.
    pub fn is_closed(&self, account: AccountId) -> bool {
        self.replica.account(account).is_none_or(|account| account.status == Status::Closed)
    }

    /// All accounts of customers and agents.
    pub fn holders(&self) -> impl Iterator<Item = AccountId> {
        self.ledgers.keys().copied().filter(|account| account.0 > 0)
    }

    /// Transfers that wait.
    pub fn waiting(&self) -> usize {
        self.transfers.values().filter(|transfer| transfer.waiting().is_some()).count()
    }

    /// The same rows in books of their own, for questions of staff.
    pub fn books(&self) -> &Books {
        &self.replica
    }

    /// A personal text of the rows that come.
    pub fn see_text(&mut self, commitment: [u8; 32], sealed: &[u8]) {
        self.texts.insert(commitment, sealed.to_vec());
    }

    /// Looks at a row that is durable now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn see(&mut self, stored: &LogRow, changes: &[u8], notices: &[u8]) -> Verdict {
        let mut stored = stored.clone();
        sabotage::figures(self.exhibit, &mut stored);
        let place = stored.sequence.0;
        let at = |what: &str| Finding(format!("row {place}: {what}"));
        if stored.sequence != self.next {
            return Err(at(&format!("I18: row {} was to come", self.next.0)));
        }
        let fell = stored.moment.time < self.moment.time
            || stored.moment.day < self.moment.day
            || stored.moment.month < self.moment.month;
        if fell {
            return Err(at("I18: time fell"));
        }
        if stored.link(&self.head, changes, notices) != stored.chain {
            return Err(at("I19: the chain does not hold"));
        }
        let mut text = |commitment: &[u8; 32]| self.texts.get(commitment).cloned().unwrap_or_default();
        let mut row = stored.decode(changes, notices, &mut text).map_err(|error| at(&error.to_string()))?;
        if let Some(defect) = self.exhibit {
            sabotage::row(defect, &mut row);
        }
        (self.head, self.moment) = (stored.chain, stored.moment);
        let jump = row.changes.iter().find_map(|change| match change {
            Change::Epoch { next } => Some(*next),
            _ => None,
        });
        self.next = jump.unwrap_or(stored.sequence.next());
        self.opened(&row);
        self.entries(&row).map_err(|what| at(&what))?;
        for entered in row.entered.iter().filter(|_| row.kind == Asked::Approve) {
            if entered.posting.from == SystemAccount::UnclaimedMoney.id(entered.posting.amount.currency()) {
                self.unclaimed.insert((entered.posting.amount.minor(), entered.to_balance), entered.posting.to);
            }
        }
        self.charges(&row).map_err(|what| at(&what))?;
        self.lives(&row).map_err(|what| at(&what))?;
        self.tries(&row).map_err(|what| at(&what))?;
        self.limits(&row).map_err(|what| at(&what))?;
        self.repeats(&row).map_err(|what| at(&what))?;
        self.replica.replay(&row).map_err(|broken| at(&format!("cannot be replayed: {broken:?}")))
    }

    /// Whether recovered books are those that the rows lead to.
    ///
    /// # Errors
    /// In what they differ.
    pub fn compare(&self, recovered: &Books) -> Verdict {
        let differing = differences(&self.replica, recovered);
        if differing.is_empty() { Ok(()) } else { Err(Finding(format!("recovery differs: {}", differing.join(", ")))) }
    }

    fn opened(&mut self, row: &Row) {
        for change in &row.changes {
            match change {
                Change::Opened(account) => {
                    let ledger = Ledger {
                        currency: account.currency,
                        balance: 0,
                        latest: Sequence(0),
                        below_zero: account.floor() < 0,
                        tier: account.tier(),
                    };
                    self.ledgers.insert(account.id, ledger);
                }
                Change::Tier { account, tier } => {
                    if let Some(ledger) = self.ledgers.get_mut(account) {
                        ledger.tier = Some(*tier);
                    }
                }
                _ => {}
            }
        }
    }

    /// I1 to I4, I14.
    fn entries(&mut self, row: &Row) -> Result<(), String> {
        if row.refusal.is_some() && !row.entered.is_empty() {
            return Err("a refusal moved money".into());
        }
        for entered in &row.entered {
            let posting = entered.posting;
            let minor = posting.amount.minor();
            if minor <= 0 || minor > LARGEST || posting.from == posting.to {
                return Err("I14: a posting of nothing, too much, or within one account".into());
            }
            let debit = (posting.from, -minor, entered.from_balance, entered.from_previous);
            let credit = (posting.to, minor, entered.to_balance, entered.to_previous);
            for (account, change, stated, previous) in [debit, credit] {
                let ledger = self.ledgers.get_mut(&account).ok_or("I2: an account that was never opened")?;
                if ledger.currency != posting.amount.currency() {
                    return Err("I2: money crossed currencies".into());
                }
                ledger.balance += change;
                let linked = std::mem::replace(&mut ledger.latest, row.sequence);
                if ledger.balance != stated || linked != previous {
                    return Err(format!("I3: account {} is stated otherwise than its entries say", account.0));
                }
                if change < 0 && ledger.balance < 0 && !ledger.below_zero {
                    return Err(format!("I4: account {} below its floor", account.0));
                }
            }
        }
        Ok(())
    }

    /// I8, I9, I10, I16: the one life of each transfer, and the money that moves with it.
    fn lives(&mut self, row: &Row) -> Result<(), String> {
        for change in &row.changes {
            let Change::Transfer(after) = change else { continue };
            let was = self.transfers.get(&after.id);
            let lawful = match (was.map(|was| &was.state), &after.state) {
                (None, State::Credited { .. }) => true,
                (None, State::PaidOut(_)) => matches!(after.kind, Kind::CashOut | Kind::Float),
                (None, State::Waiting(waiting)) => {
                    waiting.expires_at == after.made_at.plus_seconds(self.policy.withdrawal_period_seconds)
                }
                // Only staff let a transfer end sooner: its payee's number is somebody else's now.
                (Some(State::Waiting(was)), State::Waiting(waiting)) => {
                    waiting.expires_at == was.expires_at || row.kind == Asked::Approve
                }
                (Some(State::Waiting(was)), State::Returned { cause: ReturnCause::Expiry, .. }) => {
                    row.moment.time >= was.expires_at
                }
                (Some(State::Waiting(_)), to) => !matches!(to, State::Credited { .. }),
                (Some(State::Credited { .. }), State::Credited { .. } | State::Returned { .. }) => true,
                _ => false,
            };
            if !lawful {
                return Err(format!("I8: transfer {} ended too early, or twice", after.id.0));
            }
            if let Some(was) = was {
                let same = was.kind == after.kind
                    && was.sender == after.sender
                    && was.payee == after.payee
                    && was.amount == after.amount
                    && was.charge == after.charge
                    && was.withdrawal == after.withdrawal
                    && was.made_at == after.made_at;
                if !same {
                    return Err(format!("I10: transfer {} became another", after.id.0));
                }
            } else if after.id.0 != row.sequence.0 {
                return Err(format!("I10: transfer {} was never made", after.id.0));
            }
            let balances = row.entered.iter().flat_map(|entered| [entered.from_balance, entered.to_balance]);
            self.led_to.extend(balances.map(|balance| (after.id, balance)));
            self.money_of(row, after)?;
            self.parties(row, after);
            self.transfers.insert(after.id, after.clone());
        }
        Ok(())
    }

    fn parties(&mut self, row: &Row, after: &Transfer) {
        let in_flight = SystemAccount::TransfersInFlight.id(after.amount.currency());
        let from_flight = || row.entered.iter().find(|entered| entered.posting.from == in_flight);
        match &after.state {
            State::Credited { account, .. } => {
                self.credited.insert(after.id, *account);
            }
            State::Deposited { .. } => {
                let collector = from_flight().map(|entered| entered.posting.to);
                self.credited.extend(collector.map(|collector| (after.id, collector)));
                self.silent.extend(Silent::paid_ahead(row, after, collector));
            }
            State::PaidOut(paid) => {
                if let Some(agent) = self.replica.agent(paid.agent) {
                    self.paid_by.insert(after.id, agent.account);
                }
            }
            State::Waiting(_) | State::Returned { .. } => {}
        }
    }

    fn money_of(&mut self, row: &Row, after: &Transfer) -> Result<(), String> {
        let currency = after.amount.currency();
        let on = |account| row.effect_on(account).map_or(0, |(change, _)| change);
        let was = self.transfers.get(&after.id).and_then(Transfer::waiting).is_some();
        let held = after.amount.minor() + ahead(after);
        let expected = i64::from(after.waiting().is_some()) - i64::from(was);
        // Another transfer of the same row would be another decision.
        if on(SystemAccount::TransfersInFlight.id(currency)) != expected * held {
            return Err(format!("I8: transfer {} is not in flight with its money", after.id.0));
        }
        if matches!(after.state, State::Returned { .. }) {
            let operator = on(SystemAccount::OperatorFunds.id(currency));
            let back = on(after.sender) + on(SystemAccount::UnclaimedMoney.id(currency)) + operator;
            let most = after.amount.minor() + after.charge.fee.minor() + after.charge.levy.minor() + ahead(after);
            if back < 0 || back > most || self.returned.insert(after.id, back).is_some() {
                return Err(format!("I9: {back} of transfer {} came back", after.id.0));
            }
        }
        Ok(())
    }

    /// I5, I7: a message has one effect; in plain for as long as it is remembered, sealed for good.
    fn repeats(&mut self, row: &Row) -> Result<(), String> {
        let Some(key) = row.key.filter(|_| row.is_remembered()) else { return Ok(()) };
        let sealed = row.changes.iter().any(|change| matches!(change, Change::CardUsed { .. }));
        let window = i64::from(self.policy.repeat_window_seconds) * 1000;
        match self.effects.insert(key, (row.moment.time, sealed)) {
            Some((before, was_sealed)) if sealed || was_sealed || row.moment.time.0 < before.0 + window => {
                Err(format!("I5: the message had an effect {} ms ago already", row.moment.time.0 - before.0))
            }
            _ => Ok(()),
        }
    }
}
