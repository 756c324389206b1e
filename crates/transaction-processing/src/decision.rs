//! What a decision says, and the row of the log that it becomes.

use alloc::vec::Vec;

use crate::account::{Account, Agent, PinState, Status, Tier, Usage};
use crate::bank::{BankBalance, BankMovement};
use crate::ids::{AccountId, AgentCode, Sequence, StaffId, TransferId};
use crate::journal::{Entered, Journal};
use crate::money::Money;
use crate::msisdn::Msisdn;
use crate::notice::Notice;
use crate::number::{Number, Private};
use crate::proposal::{Case, Proposal, Staff};
use crate::refusal::Refusal;
use crate::request::{Kind, Link, RequestKey};
use crate::tariff::{Priced, Tariff};
use crate::time::{Day, Moment, Time};
use crate::transfer::Transfer;

/// A change of state: the whole of what it names as it stands afterwards, so that the same changes entered again give the
/// same books. Balances are not among them: only a journal moves those.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each field is said by its name and type; what they mean together stands on the variant"
)]
pub enum Change {
    /// A new account, without money.
    Opened(Account),
    /// PIN and tries.
    Pin { account: AccountId, pin: PinState },
    /// What was sent in the day and the month.
    Used { account: AccountId, usage: Usage },
    /// Whether it may be used.
    Status { account: AccountId, status: Status },
    /// A customer's tier.
    Tier { account: AccountId, tier: Tier },
    /// The number it is reached by.
    Moved { account: AccountId, msisdn: Option<Msisdn> },
    /// An agent.
    Agent(Agent),
    /// A number.
    Number(Number),
    /// The last sealed message accepted from a number's card.
    CardUsed { msisdn: Msisdn, counter: u64, check: [u8; 8] },
    /// A transfer.
    Transfer(Transfer),
    /// The name of a number's owner.
    Named { msisdn: Msisdn, name: Private },
    /// The identity document shown for a withdrawal.
    Identified { transfer: TransferId, document: Private },
    /// What an agent and a customer dealt on a day, and what the agent earned on it.
    Dealings(Dealings),
    /// Failures counted against spraying.
    Failures(Failures),
    /// A proposal.
    Proposal(Proposal),
    /// A member of staff.
    Staff(Staff),
    /// A case for care.
    Case(Case),
    /// A tariff.
    Tariff(Tariff),
    /// A deposit or a payment of the bank's that has served.
    BankMovement(BankMovement),
    /// The bank's word about the trust account of a currency; the last one counts.
    BankBalance(BankBalance),
    /// The personal texts of a number's owner are erased, those of the rows up to this one.
    Erased { msisdn: Msisdn, up_to: Sequence },
    /// A new epoch: the row after this one has this number.
    Epoch { next: Sequence },
}

/// What one agent and one customer dealt on one business day by requests of one kind. Kinds are counted apart: their tariffs
/// differ, and a sum over several would let the order of requests change what is earned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dealings {
    /// The agent.
    pub agent: AgentCode,
    /// The customer or payee.
    pub customer: Msisdn,
    /// By which kind of request.
    pub priced: Priced,
    /// The business day.
    pub day: Day,
    /// The sum, minor units.
    pub sum: i64,
    /// The commission on it, minor units.
    pub earned: i64,
}

/// Where failures are counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// Everywhere.
    All,
    /// Over one link.
    Link(Link),
    /// By one agent.
    Agent(AgentCode),
}

/// Failures in a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failures {
    /// Where.
    pub scope: Scope,
    /// When the window began.
    pub since: Time,
    /// How many.
    pub count: u32,
}

/// The answer to one request. It can only be made whole: what is refused has no journal.
pub struct Decision {
    pub(crate) refusal: Option<Refusal>,
    pub(crate) transfer: Option<TransferId>,
    pub(crate) journal: Option<Journal>,
    pub(crate) changes: Vec<Change>,
    pub(crate) notices: Vec<Notice>,
}

impl Decision {
    /// Why not, where it is refused.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// The transfer that it made or is about.
    pub fn transfer(&self) -> Option<TransferId> {
        self.transfer
    }

    /// Whether it changes anything, and so becomes a row of the log. An answer that changes nothing is told and forgotten.
    pub fn is_durable(&self) -> bool {
        self.journal.is_some() || !self.changes.is_empty()
    }

    /// Whom to tell what.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The notices of an answer that changes nothing.
    pub fn into_notices(self) -> Vec<Notice> {
        self.notices
    }

    /// The journal, where it moves money.
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }
}

/// One row of the log: a decision as it was entered.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub sequence: Sequence,
    /// When.
    pub moment: Moment,
    /// What was asked.
    pub kind: Kind,
    /// The number that asked.
    pub from: Option<Msisdn>,
    /// The member of staff who asked.
    pub staff: Option<StaffId>,
    /// The identity of the message.
    pub key: Option<RequestKey>,
    /// Why not, where it was refused.
    pub refusal: Option<Refusal>,
    /// The transfer it is about.
    pub transfer: Option<TransferId>,
    /// The postings with the balances that result.
    pub entered: Vec<Entered>,
    /// The changes of state.
    pub changes: Vec<Change>,
    /// Whom to tell what.
    pub notices: Vec<Notice>,
}

impl Row {
    /// Whether a repeat of its message is answered from memory: what had an effect, every counted try, and whatever came
    /// sealed, since the same packet again gets the same answer. Questions and settings in plain are judged afresh.
    pub fn is_remembered(&self) -> bool {
        use crate::refusal::Weight;
        let lasting = match self.refusal {
            Some(refusal) => refusal.weight() == Weight::Counted,
            None => !self.kind.is_question(),
        };
        let sealed = || self.changes.iter().any(|change| matches!(change, Change::CardUsed { .. }));
        self.key.is_some() && (lasting || sealed())
    }

    /// A transfer as this row left it, where it changed it.
    pub fn transfer_left(&self, id: TransferId) -> Option<&Transfer> {
        self.changes.iter().find_map(|change| match change {
            Change::Transfer(transfer) if transfer.id == id => Some(transfer),
            _ => None,
        })
    }

    /// The row before this one with an entry on an account; zero for none. The first of its entries says so, later ones point
    /// to this row.
    pub fn previous_of(&self, account: AccountId) -> Sequence {
        let links = self.entered.iter().flat_map(|entered| {
            [(entered.posting.from, entered.from_previous), (entered.posting.to, entered.to_previous)]
        });
        links.filter(|(of, _)| *of == account).map(|(_, previous)| previous).min().unwrap_or_default()
    }

    /// The amount that changed one account's balance in this row, minor units, and the balance afterwards.
    pub fn effect_on(&self, account: AccountId) -> Option<(i64, i64)> {
        let mut change = 0_i64;
        let mut balance = None;
        for entered in &self.entered {
            let amount: Money = entered.posting.amount;
            if entered.posting.from == account {
                change = change.saturating_sub(amount.minor());
                balance = Some(entered.from_balance);
            }
            if entered.posting.to == account {
                change = change.saturating_add(amount.minor());
                balance = Some(entered.to_balance);
            }
        }
        balance.map(|balance| (change, balance))
    }
}
