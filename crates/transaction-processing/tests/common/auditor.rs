//! The auditor: looks at every row as it is entered, keeps balances, transfers and a replica of the books of its own, and
//! asserts what must hold whatever happened (I1 to I22 of the invariants that apply to the core).

use std::collections::BTreeMap;

use transaction_processing::account::Account;
use transaction_processing::decision::Change;
use transaction_processing::ids::{AccountId, Sequence, SystemAccount, TransferId};
use transaction_processing::money::LARGEST;
use transaction_processing::notice::Text;
use transaction_processing::policy::Policy;
use transaction_processing::proposal::ProposalState;
use transaction_processing::request::Kind as Asked;
use transaction_processing::tariff::Payer;
use transaction_processing::time::Moment;
use transaction_processing::transfer::{Charge, Kind, State, Transfer};
use transaction_processing::{Books, Currency, Money, Notice, Refusal, Row};

pub struct Auditor {
    policy: Policy,
    currencies: Vec<Currency>,
    pub rows: Vec<Row>,
    /// Balances by the entries alone.
    pub balances: BTreeMap<AccountId, i64>,
    /// Transfers as the rows say they stand.
    pub transfers: BTreeMap<TransferId, Transfer>,
    /// What each transfer took from its sender, and what came back.
    taken: BTreeMap<TransferId, i64>,
    returned: BTreeMap<TransferId, i64>,
    /// Counters of cards never fall.
    counters: BTreeMap<u64, u64>,
    replica: Books,
    expected: Sequence,
}

impl Auditor {
    pub fn new(policy: Policy, currencies: &[Currency]) -> Auditor {
        Auditor {
            replica: Books::new(policy.clone(), currencies),
            policy,
            currencies: currencies.to_vec(),
            rows: Vec::new(),
            balances: BTreeMap::new(),
            transfers: BTreeMap::new(),
            taken: BTreeMap::new(),
            returned: BTreeMap::new(),
            counters: BTreeMap::new(),
            expected: Sequence(1),
        }
    }

    /// An answer without a row.
    pub fn hear(&self, refusal: Option<Refusal>, notices: &[Notice]) {
        for notice in notices {
            let harmless = matches!(
                notice.text,
                Text::Refused { .. }
                    | Text::Repeated { .. }
                    | Text::AlreadyPaidByYou { .. }
                    | Text::Balance { .. }
                    | Text::Statement { .. }
                    | Text::ReceiptGenuine { .. }
                    | Text::Help { .. }
            );
            // A sealed packet that comes twice gets the answer of the first time, word for word.
            let again = notice.card.is_some()
                && self.rows.iter().any(|row| row.notices.iter().any(|was| was.text == notice.text));
            assert!(harmless || again, "I20: success was told without a row");
            assert!(notice.code.is_none(), "a code was told without a row");
        }
        assert!(refusal.is_none_or(|_| notices.len() <= 1), "a refusal tells at most the one who asked");
    }

    /// A row, with the books as they stand after it.
    pub fn see(&mut self, row: &Row, books: &Books) {
        self.order(row);
        let before = self.balances.clone();
        self.entries(row, books);
        self.balances_agree(books);
        self.charges(row);
        self.lives(row, &before);
        self.in_flight(books);
        self.counters(row, books);
        self.words(row, books);
        self.replica.replay(row).unwrap_or_else(|broken| panic!("replay: {broken:?}"));
        agree(books, &self.replica);
        self.rows.push(row.clone());
    }

    /// I18.
    fn order(&mut self, row: &Row) {
        assert_eq!(row.sequence, self.expected, "I18: a gap");
        let last = self.rows.last().map_or(Moment::default(), |last| last.moment);
        assert!(row.moment.time >= last.time, "I18: time fell");
        let jump = row.changes.iter().find_map(|change| match change {
            Change::Epoch { next } => Some(*next),
            _ => None,
        });
        self.expected = jump.unwrap_or(row.sequence.next());
        assert!(self.expected > row.sequence);
    }

    /// I2, I3, I14.
    fn entries(&mut self, row: &Row, books: &Books) {
        assert!(row.refusal.is_none() || row.entered.is_empty(), "a refusal moved money");
        for entered in &row.entered {
            let posting = entered.posting;
            assert!(posting.amount.minor() > 0 && posting.amount.minor() <= LARGEST, "I14");
            assert_ne!(posting.from, posting.to, "I2");
            for (account, change, stated) in [
                (posting.from, -posting.amount.minor(), entered.from_balance),
                (posting.to, posting.amount.minor(), entered.to_balance),
            ] {
                assert_eq!(books.account(account).map(|held| held.currency), Some(posting.amount.currency()), "I2");
                let balance = self.balances.entry(account).or_insert(0);
                *balance = balance.checked_add(change).expect("I14");
                assert_eq!(*balance, stated, "I3: a stated balance");
            }
        }
    }

    /// I1, I3, I4.
    fn balances_agree(&self, books: &Books) {
        let mut sums = BTreeMap::new();
        for account in books.accounts() {
            let by_entries = self.balances.get(&account.id).copied().unwrap_or(0);
            assert_eq!(account.balance(), by_entries, "I3");
            assert!(account.balance() >= account.floor(), "I4");
            *sums.entry(account.currency).or_insert(0_i128) += i128::from(account.balance());
        }
        assert!(sums.values().all(|sum| *sum == 0), "I1");
        assert_eq!(books.add_up(), Ok(()), "I21");
        assert!(self.balances.keys().all(|id| books.account(*id).is_some()));
    }

    /// I13: what was charged is fee, commission, levy and remainder, and nothing else reached those accounts.
    fn charges(&self, row: &Row) {
        let Some(id) = row.transfer.filter(|_| !row.entered.is_empty()) else { return };
        let Some(after) = changed(row, id) else { return };
        let currency = after.amount.currency();
        let on = |role: SystemAccount| row.effect_on(role.id(currency)).map_or(0, |(change, _)| change);
        let (fee, levy, commission) = due(self.transfers.get(&id), after);
        let reached = on(SystemAccount::Fees) + on(SystemAccount::Remainders);
        assert_eq!(on(SystemAccount::Levies), levy, "I13: levy");
        assert!((0..=1).contains(&on(SystemAccount::Remainders)), "I13: remainder");
        assert_eq!(reached + commission, fee, "I13: fee");
        assert!(commission >= 0);
    }

    /// I8, I9, I10, I16: the one life of each transfer.
    fn lives(&mut self, row: &Row, before: &BTreeMap<AccountId, i64>) {
        let states = row.changes.iter().filter_map(|change| match change {
            Change::Transfer(transfer) => Some(transfer),
            _ => None,
        });
        for after in states.collect::<Vec<_>>() {
            let was = self.transfers.get(&after.id);
            let allowed = match (was.map(|was| &was.state), &after.state) {
                (None, State::Waiting(_) | State::Credited { .. }) => true,
                (None, State::PaidOut(_)) => matches!(after.kind, Kind::CashOut | Kind::Float),
                (Some(State::Waiting(_)), to) => !matches!(to, State::Credited { .. }),
                (Some(State::Credited { .. }), State::Credited { .. } | State::Returned { .. }) => true,
                _ => false,
            };
            assert!(allowed, "I8: a transfer lived twice");
            if let Some(was) = was {
                let same = was.id == after.id
                    && was.kind == after.kind
                    && was.sender == after.sender
                    && was.payee == after.payee
                    && was.amount == after.amount
                    && was.charge == after.charge
                    && was.withdrawal == after.withdrawal
                    && was.made_at == after.made_at;
                assert!(same, "what a transfer is has changed");
            } else {
                assert_eq!(after.id.0, row.sequence.0);
                assert_eq!(row.transfer, Some(after.id));
            }
            self.money_of(row, after);
            self.transfers.insert(after.id, after.clone());
        }
        let _ = before;
    }

    /// I9, I10: no more comes back than was taken.
    fn money_of(&mut self, row: &Row, after: &Transfer) {
        let currency = after.amount.currency();
        let on = |account| row.effect_on(account).map_or(0, |(change, _)| change);
        // A commission that the operator bore goes its own way, to the agent and back.
        let operator = on(SystemAccount::OperatorFunds.id(currency));
        let to_sender = on(after.sender) + on(SystemAccount::UnclaimedMoney.id(currency)) + operator;
        if !self.transfers.contains_key(&after.id) {
            self.taken.insert(after.id, -to_sender);
        } else if matches!(after.state, State::Returned { .. }) {
            assert!(to_sender >= 0, "I9: a return took money");
            assert!(self.returned.insert(after.id, to_sender).is_none(), "I9: returned twice");
            let most = self.taken[&after.id].max(after.amount.minor());
            assert!(to_sender <= most, "I10: more came back than was taken");
        }
    }

    /// Transfers in flight hold exactly what waits.
    fn in_flight(&self, books: &Books) {
        for currency in &self.currencies {
            let waiting = self.transfers.values().filter(|one| one.waiting().is_some());
            let of_currency = waiting.filter(|one| one.amount.currency() == *currency);
            let sum: i64 = of_currency.map(|one| one.amount.minor() + ahead(one)).sum();
            let held = books.system(SystemAccount::TransfersInFlight, *currency).map_or(0, Account::balance);
            assert_eq!(held, sum, "I8: in flight");
        }
    }

    /// I15, I22; counters of cards.
    fn counters(&mut self, row: &Row, books: &Books) {
        let policy = &self.policy;
        for change in &row.changes {
            match change {
                Change::Pin { pin, .. } => {
                    assert!(pin.wrong <= policy.pin_tries_in_all, "I15: PIN");
                    let locked = pin.locked_until.is_some();
                    assert!(locked || pin.wrong % policy.pin_tries != 0 || pin.wrong == 0, "I15: no lock");
                }
                Change::Transfer(transfer) => {
                    if let Some(waiting) = transfer.waiting() {
                        assert!(waiting.wrong_codes <= policy.verification_code_tries, "I15: code");
                        assert!(waiting.resent <= policy.resends, "I15: resends");
                    }
                }
                Change::Number(number) => {
                    assert!(number.claims.wrong < policy.password_tries, "I15: password");
                    let registration = number.registration.as_ref();
                    let wrong = registration.map_or(0, |registration| registration.wrong);
                    assert!(wrong <= policy.registration_code_tries, "I15: registration");
                    assert!(number.registrations <= policy.registrations_a_day, "I15: registrations");
                }
                Change::Proposal(proposal) => {
                    if let ProposalState::Approved { checker, .. } = proposal.state {
                        assert_ne!(checker, proposal.maker, "I22");
                    }
                }
                _ => {}
            }
        }
        for number in books.numbers() {
            let Some(card) = number.card.as_deref() else { continue };
            let digits = number.msisdn.digits();
            let bound = row.changes.iter().any(|change| match change {
                Change::Number(changed) => changed.msisdn == number.msisdn && row.kind == Asked::Approve,
                _ => false,
            });
            let before = if bound { 0 } else { self.counters.get(&digits).copied().unwrap_or(0) };
            assert!(card.counter >= before, "the counter of a card fell");
            self.counters.insert(digits, card.counter);
        }
    }

    /// I20, and what people are told of their balance is so.
    fn words(&self, row: &Row, books: &Books) {
        for notice in &row.notices {
            assert!(!matches!(notice.text, Text::Repeated { .. }), "a repeat became a row");
            if row.refusal.is_some() {
                let no = matches!(notice.text, Text::Refused { .. } | Text::AlreadyPaidByYou { .. });
                assert!(no, "I20: a refusal told a success");
                assert_eq!(Some(notice.to), row.from);
            }
            if let Some(balance) = balance_told(&notice.text) {
                let held = books.account_of(notice.to).map(Account::balance);
                assert_eq!(held, Some(balance.minor()), "a balance was told that is not so");
            }
            if speaks_of_money(&notice.text) {
                assert!(!row.entered.is_empty(), "I20: money was spoken of that did not move");
            }
        }
    }

    /// All rows into fresh books.
    pub fn replay_all(&self, books: &Books) {
        let mut fresh = Books::new(self.policy.clone(), &self.currencies);
        for row in &self.rows {
            fresh.replay(row).unwrap_or_else(|broken| panic!("replay: {broken:?}"));
        }
        agree(books, &fresh);
    }
}

/// Fee, levy and commission that fall due in the row that brings a transfer to this state; below zero what goes back.
fn due(was: Option<&Transfer>, after: &Transfer) -> (i64, i64, i64) {
    let whole = |charge: &Charge| match charge.payer {
        Payer::Operator => (0, 0),
        _ => (charge.fee.minor(), charge.levy.minor()),
    };
    let of_payer = |payer| if after.charge.payer == payer { whole(&after.charge) } else { (0, 0) };
    match (was.map(|was| &was.state), &after.state) {
        (None, State::Waiting(_)) => with(of_payer(Payer::Sender), 0),
        (None, State::Credited { commission, .. }) => {
            let operator = after.charge.payer == Payer::Operator;
            let earned = commission.filter(|_| !operator).map_or(0, |earned| earned.amount.minor());
            with(whole(&after.charge), earned)
        }
        (None, State::PaidOut(paid)) => {
            let operator = after.charge.payer == Payer::Operator;
            with(whole(&after.charge), if operator { 0 } else { paid.commission.minor() })
        }
        (Some(State::Waiting(_)), State::PaidOut(paid)) => {
            let withdrawal = after.withdrawal.expect("a price of the withdrawal");
            let (fee, levy) = whole(&withdrawal);
            let (more_fee, more_levy) = of_payer(Payer::Payee);
            let operator = withdrawal.payer == Payer::Operator;
            (fee + more_fee, levy + more_levy, if operator { 0 } else { paid.commission.minor() })
        }
        (Some(State::Waiting(_)), State::Deposited { .. }) => with(of_payer(Payer::Payee), 0),
        (Some(State::Waiting(_)), State::Returned { .. }) => {
            let (fee, levy) = of_payer(Payer::Sender);
            (if after.charge.kept_on_return { 0 } else { -fee }, -levy, 0)
        }
        _ => (0, 0, 0),
    }
}

fn with((fee, levy): (i64, i64), commission: i64) -> (i64, i64, i64) {
    (fee, levy, commission)
}

fn changed(row: &Row, id: TransferId) -> Option<&Transfer> {
    row.changes.iter().find_map(|change| match change {
        Change::Transfer(transfer) if transfer.id == id => Some(transfer),
        _ => None,
    })
}

/// What the sender paid ahead for a withdrawal.
fn ahead(transfer: &Transfer) -> i64 {
    let by_sender = transfer.withdrawal.filter(|charge| charge.payer == Payer::Sender);
    by_sender.map_or(0, |charge| charge.fee.minor() + charge.levy.minor())
}

fn balance_told(text: &Text) -> Option<Money> {
    match text {
        Text::Sent { balance, .. }
        | Text::Received { balance, .. }
        | Text::SentByPassword { balance, .. }
        | Text::PaidOutByYou { balance, .. }
        | Text::Deposited { balance, .. }
        | Text::Recalled { balance, .. }
        | Text::GivenBack { balance, .. }
        | Text::GotBack { balance, .. }
        | Text::Refunded { balance, .. }
        | Text::CashTakenIn { balance, .. }
        | Text::CashPutIn { balance, .. }
        | Text::CashTakenOut { balance, .. }
        | Text::CashToHandOver { balance, .. }
        | Text::Balance { balance }
        | Text::FloatSupplied { balance, .. }
        | Text::FloatWithdrawn { balance, .. }
        | Text::UnclaimedPaid { balance, .. } => Some(*balance),
        _ => None,
    }
}

fn speaks_of_money(text: &Text) -> bool {
    let moved = balance_told(text).is_some() && !matches!(text, Text::Balance { .. });
    let done = matches!(
        text,
        Text::PaidOutToYou { .. } | Text::Collected { .. } | Text::RecalledFromYou { .. } | Text::Lapsed { .. }
    );
    moved || done
}

/// The same accounts, numbers, transfers and everything else that decisions read.
pub fn agree(books: &Books, other: &Books) {
    assert_eq!(books.next(), other.next());
    assert_eq!(books.moment(), other.moment());
    assert_eq!(books.account_count(), other.account_count());
    for account in books.accounts() {
        let same = other.account(account.id) == Some(account);
        assert!(same, "an account differs after replay");
        if let Some(msisdn) = account.msisdn {
            assert!(books.account_of(msisdn) == other.account_of(msisdn));
        }
    }
    assert!(books.numbers().count() == other.numbers().count());
    for number in books.numbers() {
        assert!(other.number(number.msisdn) == Some(number), "a number differs after replay");
        let card = number.card.as_deref().map(|card| card.iccid);
        assert!(card.is_none_or(|iccid| other.number_of_card(iccid) == Some(number.msisdn)));
        assert!(books.waiting_for(number.msisdn).eq(other.waiting_for(number.msisdn)));
    }
    let soon = transaction_processing::time::Time(i64::MAX);
    for id in books.expired(soon, usize::MAX) {
        assert!(books.resident_transfer(id) == other.resident_transfer(id), "a waiting transfer differs after replay");
    }
    assert!(books.expired(soon, usize::MAX).eq(other.expired(soon, usize::MAX)));
    assert!(books.to_remind(soon, usize::MAX).eq(other.to_remind(soon, usize::MAX)));
    assert!(books.agents().eq(other.agents()));
    assert!(books.all_dealings().eq(other.all_dealings()));
    assert!(books.all_failures().eq(other.all_failures()));
    assert!(books.proposals().eq(other.proposals()));
    assert!(books.all_staff().eq(other.all_staff()));
    assert!(books.cases().eq(other.cases()));
    assert!(books.tariffs().eq(other.tariffs()));
    assert!(books.bank_movements().eq(other.bank_movements()));
    assert!(books.bank_balances().eq(other.bank_balances()));
}
