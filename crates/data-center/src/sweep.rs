//! The rolling checkpoint: no account is written per commit. What changed is noted, and each batch takes a slice of it along,
//! in the order of the keys, so that a sweep over all of it is done about every [`SPAN`] rows and recovery never has more
//! than two spans to replay. A record is written as it stands then, so what changed it since the sweep began needs no
//! second writing.

use std::collections::BTreeSet;

use transaction_processing::decision::{Change, Row, Scope};
use transaction_processing::ids::{AccountId, AgentCode, CaseId, ProposalId, Sequence, StaffId, TariffId, TransferId};
use transaction_processing::tariff::Priced;
use transaction_processing::time::Moment;
use transaction_processing::{Books, Msisdn};

use crate::dirty::NumberSet;

/// About how many rows one sweep takes.
pub const SPAN: u64 = 500_000;

/// A slice is at least this long, so that neighbours on a page are written together.
const SHORTEST_SLICE: u64 = 64;

/// Records of which there are few.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Few {
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

#[derive(Default)]
struct Changed {
    few: BTreeSet<Few>,
    accounts: NumberSet,
    numbers: NumberSet,
    transfers: NumberSet,
}

/// Which records the checkpoint does not have as they stand.
pub(crate) struct Sweep {
    span: u64,
    /// What changed since the sweep began: for the next one.
    later: Changed,
    /// What the sweep still has to write.
    now: Changed,
    began: (Sequence, Moment),
    /// How many records the sweep had to write when it began.
    total: u64,
    /// What the rows so far allow to be written, in records × `span`.
    credit: u64,
    replay_from: (Sequence, Moment),
}

impl Sweep {
    /// A sweep over what the rows from `replay_from` on change: they are to be noted again.
    pub(crate) fn new(replay_from: (Sequence, Moment), span: u64) -> Sweep {
        let (later, now) = (Changed::default(), Changed::default());
        Sweep { span: span.max(1), later, now, began: replay_from, total: 0, credit: 0, replay_from }
    }

    /// From which row on recovery replays, and the moment before it.
    pub(crate) fn replay_from(&self) -> (Sequence, Moment) {
        self.replay_from
    }

    /// Another process writes the checkpoint, and says from which row on recovery replays: what changed before is in it.
    /// `closed` is told the transfers of before, which need not be remembered here any more where they are closed.
    pub(crate) fn follow(
        &mut self,
        replay_from: (Sequence, Moment),
        here: (Sequence, Moment),
        closed: &mut dyn FnMut(TransferId),
    ) {
        if replay_from.0 > self.replay_from.0 {
            self.replay_from = replay_from;
        }
        if replay_from.0 < self.began.0 {
            return;
        }
        while let Some(transfer) = self.now.transfers.take_first() {
            if !self.later.transfers.contains(transfer) {
                closed(TransferId(transfer));
            }
        }
        self.begin(here);
    }

    /// Whether the checkpoint has this transfer as it stands.
    pub(crate) fn has_written(&self, transfer: TransferId) -> bool {
        !self.later.transfers.contains(transfer.0) && !self.now.transfers.contains(transfer.0)
    }

    /// Notes what a row changed.
    pub(crate) fn note(&mut self, row: &Row) {
        for entered in &row.entered {
            self.later.accounts.insert(ordered(entered.posting.from));
            self.later.accounts.insert(ordered(entered.posting.to));
        }
        for change in &row.changes {
            self.later.note(change, row.sequence);
        }
    }

    /// The slice that goes with a batch of so many rows.
    pub(crate) fn slice(&mut self, rows: u64, books: &Books, slice: &mut Vec<Change>) {
        let here = (books.next(), books.moment());
        if self.now.length() == 0 {
            self.replay_from = self.began;
            self.begin(here);
        }
        self.credit = self.credit.saturating_add(rows.saturating_mul(self.total));
        let allowed = self.credit / self.span;
        if allowed < SHORTEST_SLICE.min(self.now.length()) {
            return;
        }
        self.credit -= allowed * self.span;
        for _ in 0..allowed {
            match self.now.take(&mut self.later, books) {
                Some(record) => slice.extend(record),
                None => break,
            }
        }
        if self.now.length() == 0 {
            self.replay_from = self.began;
            self.begin(here);
        }
    }

    fn begin(&mut self, here: (Sequence, Moment)) {
        self.began = here;
        self.now = std::mem::take(&mut self.later);
        self.total = self.now.length();
        self.credit = 0;
    }
}

impl Changed {
    fn length(&self) -> u64 {
        (self.few.len() + self.accounts.length() + self.numbers.length() + self.transfers.length()) as u64
    }

    fn note(&mut self, change: &Change, sequence: Sequence) {
        let few = match change {
            Change::Opened(account) => return self.accounts.insert(ordered(account.id)),
            Change::Pin { account, .. }
            | Change::Used { account, .. }
            | Change::Status { account, .. }
            | Change::Tier { account, .. }
            | Change::Moved { account, .. } => return self.accounts.insert(ordered(*account)),
            Change::Number(number) => return self.numbers.insert(number.msisdn.digits()),
            Change::CardUsed { msisdn, .. } => return self.numbers.insert(msisdn.digits()),
            // Closed by the row that made it: it is read from there.
            Change::Transfer(transfer) if transfer.waiting().is_none() && transfer.id.0 == sequence.0 => return,
            Change::Transfer(transfer) => return self.transfers.insert(transfer.id.0),
            Change::Named { .. } | Change::Identified { .. } | Change::Erased { .. } | Change::Epoch { .. } => return,
            Change::Agent(agent) => Few::Agent(agent.code),
            Change::Dealings(dealings) => Few::Dealings(dealings.agent, dealings.customer, dealings.priced),
            Change::Failures(failures) => Few::Failures(failures.scope),
            Change::Proposal(proposal) => Few::Proposal(proposal.id),
            Change::Staff(staff) => Few::Staff(staff.id),
            Change::Case(case) => Few::Case(case.id),
            Change::Tariff(tariff) => Few::Tariff(tariff.id),
            Change::BankMovement(movement) => Few::BankMovement(movement.reference.clone()),
            Change::BankBalance(said) => Few::BankBalance(said.balance.currency().numeric),
        };
        self.few.insert(few);
    }

    /// The next record to write, as it stands; none inside where it stands no more; none at all where all are written. It is
    /// taken out of `later` too.
    fn take(&mut self, later: &mut Changed, books: &Books) -> Option<Option<Change>> {
        if let Some(few) = self.few.pop_first() {
            later.few.remove(&few);
            return Some(few.record(books));
        }
        if let Some(account) = self.accounts.take_first() {
            later.accounts.remove(account);
            return Some(books.account(unordered(account)).cloned().map(Change::Opened));
        }
        if let Some(digits) = self.numbers.take_first() {
            later.numbers.remove(digits);
            let msisdn = Msisdn::new(digits);
            return Some(msisdn.and_then(|msisdn| books.number(msisdn)).cloned().map(Change::Number));
        }
        let transfer = self.transfers.take_first()?;
        later.transfers.remove(transfer);
        Some(books.resident_transfer(TransferId(transfer)).cloned().map(Change::Transfer))
    }
}

impl Few {
    fn record(self, books: &Books) -> Option<Change> {
        match self {
            Few::Agent(code) => books.agent(code).cloned().map(Change::Agent),
            Few::Dealings(agent, customer, priced) => books.dealt(agent, customer, priced).map(Change::Dealings),
            Few::Failures(scope) => books.failures_counted(scope).copied().map(Change::Failures),
            Few::Proposal(id) => books.proposal(id).cloned().map(Change::Proposal),
            Few::Staff(id) => books.staff(id).cloned().map(Change::Staff),
            Few::Case(id) => books.case(id).cloned().map(Change::Case),
            Few::Tariff(id) => books.tariff(id).cloned().map(Change::Tariff),
            Few::BankMovement(reference) => books.bank_movement(&reference).cloned().map(Change::BankMovement),
            Few::BankBalance(currency) => books.bank_balance(currency).cloned().map(Change::BankBalance),
        }
    }
}

/// The platform's own accounts, below zero, come first.
fn ordered(account: AccountId) -> u64 {
    account.0.cast_unsigned() ^ (1 << 63)
}

fn unordered(key: u64) -> AccountId {
    AccountId((key ^ (1 << 63)).cast_signed())
}
