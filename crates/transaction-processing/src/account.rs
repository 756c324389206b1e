//! Accounts: a customer's wallet, an agent's float, and the platform's own.

use alloc::vec::Vec;

use crate::ids::{AccountId, AgentCode, Sequence, SystemAccount};
use crate::money::{Currency, Money};
use crate::msisdn::Msisdn;
use crate::time::{Day, Moment, Month, Time};

/// Whose account it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// The platform's own.
    System(SystemAccount),
    /// A customer's wallet.
    Customer(Tier),
    /// An agent's float.
    Agent(AgentCode),
}

/// How well the holder is known; ceilings follow it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Tier {
    /// Registered from the handset alone.
    Entry = 1,
    /// Identity seen by care or an agent.
    Standard = 2,
    /// Identity verified with documents.
    Full = 3,
}

/// Whether the account may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Status {
    /// In use.
    Active = 1,
    /// Stopped by care; receives nothing but returns, sends nothing.
    Frozen = 2,
    /// Closed for good; its balance is zero.
    Closed = 3,
}

/// The keyed proof of a secret, made outside the core; two are the same secret under the same key version.
#[derive(Clone, Copy)]
pub struct Proof {
    /// The key version it was made under.
    pub version: u32,
    /// The keyed hash.
    pub tag: [u8; 32],
}

/// Equal in constant time: every octet is looked at whatever the first ones say. (The core has no dependencies; the tags are
/// keyed hashes, so even a leak of this comparison would tell nothing of the secret.)
impl PartialEq for Proof {
    fn eq(&self, other: &Proof) -> bool {
        let differing = self.tag.iter().zip(other.tag.iter()).fold(0, |all, (mine, theirs)| all | (mine ^ theirs));
        (differing == 0) & (self.version == other.version)
    }
}
impl Eq for Proof {}

/// The proofs of one typed secret, one for each live key version, newest first; at most four.
#[derive(Clone, PartialEq, Eq)]
pub struct Proofs(Vec<Proof>);

impl Proofs {
    /// One proof or more; none where there is none.
    pub fn new(proofs: Vec<Proof>) -> Option<Proofs> {
        if proofs.is_empty() || proofs.len() > 4 { None } else { Some(Proofs(proofs)) }
    }

    /// All of them, newest first.
    pub fn all(&self) -> &[Proof] {
        &self.0
    }

    /// Whether one of them is `stored`. All are compared.
    pub fn proves(&self, stored: &Proof) -> bool {
        self.0.iter().fold(false, |found, proof| found | (proof == stored))
    }

    /// The proof under the newest key, which is the one to keep.
    pub fn newest(&self) -> Proof {
        self.0.first().copied().unwrap_or(Proof { version: 0, tag: [0; 32] })
    }
}

/// The holder's PIN and the tries made at it.
#[derive(Clone, PartialEq, Eq)]
pub struct PinState {
    /// The keyed proof, none until one is set (an agent before activation).
    pub proof: Option<Proof>,
    /// Wrong ones in a row since the last right one.
    pub wrong: u8,
    /// No PIN is judged before this time; [`Time`] of `i64::MAX` until care resets.
    pub locked_until: Option<Time>,
    /// Set where this is a one-time PIN: void from this time, and to be changed before anything else.
    pub one_time_until: Option<Time>,
}

/// What an account has sent in its current business day and month, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// The business day that `day_minor` counts.
    pub day: Day,
    /// The business month that `month_minor` counts.
    pub month: Month,
    /// Sent on that day.
    pub day_minor: i64,
    /// Sent in that month.
    pub month_minor: i64,
}

impl Usage {
    /// The counts as they stand at `moment`: a new day or month starts at nothing, an earlier one never comes back.
    pub fn at(self, moment: Moment) -> Usage {
        Usage {
            day: self.day.max(moment.day),
            month: self.month.max(moment.month),
            day_minor: if moment.day > self.day { 0 } else { self.day_minor },
            month_minor: if moment.month > self.month { 0 } else { self.month_minor },
        }
    }

    /// The counts with `amount` more.
    pub fn plus(self, amount: Money) -> Usage {
        Usage {
            day_minor: self.day_minor.saturating_add(amount.minor()),
            month_minor: self.month_minor.saturating_add(amount.minor()),
            ..self
        }
    }
}

/// One account. Its balance moves only in [`crate::Books::enter`] and [`crate::Books::replay`], by a journal.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub id: AccountId,
    /// Whose it is.
    pub holder: Holder,
    /// Its number; none for the platform's own and after closing.
    pub msisdn: Option<Msisdn>,
    /// Its one currency.
    pub currency: Currency,
    /// Whether it may be used.
    pub status: Status,
    /// PIN and tries.
    pub pin: PinState,
    /// What it sent today and this month.
    pub usage: Usage,
    /// When it was opened.
    pub opened_at: Time,
    pub(crate) balance: i64,
    pub(crate) latest: Sequence,
}

impl Account {
    /// A new account without money.
    pub fn open(
        id: AccountId,
        holder: Holder,
        msisdn: Option<Msisdn>,
        currency: Currency,
        pin: PinState,
        at: Time,
    ) -> Account {
        Account {
            id,
            holder,
            msisdn,
            currency,
            status: Status::Active,
            pin,
            usage: Usage::default(),
            opened_at: at,
            balance: 0,
            latest: Sequence(0),
        }
    }

    /// One of the platform's own accounts, without money.
    pub fn of_system(role: SystemAccount, currency: Currency) -> Account {
        let pin = PinState { proof: None, wrong: 0, locked_until: None, one_time_until: None };
        Account::open(role.id(currency), Holder::System(role), None, currency, pin, Time(0))
    }

    /// The same account with what a checkpoint says of its money: only for loading.
    pub fn with_balance(self, balance: i64, latest: Sequence) -> Account {
        Account { balance, latest, ..self }
    }

    /// Minor units, above zero what the platform owes the holder; only the trust account stands below zero.
    pub fn balance(&self) -> i64 {
        self.balance
    }

    /// The last row with an entry on this account; zero for none. Its history is a chain of such links.
    pub fn latest(&self) -> Sequence {
        self.latest
    }

    /// The lowest balance it may have.
    pub fn floor(&self) -> i64 {
        match self.holder {
            Holder::System(SystemAccount::Trust) => i64::MIN,
            _ => 0,
        }
    }

    /// The tier of a customer.
    pub fn tier(&self) -> Option<Tier> {
        match self.holder {
            Holder::Customer(tier) => Some(tier),
            _ => None,
        }
    }

    /// The code of an agent.
    pub fn agent_code(&self) -> Option<AgentCode> {
        match self.holder {
            Holder::Agent(code) => Some(code),
            _ => None,
        }
    }
}

/// An agent: who may pay out and take in cash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agent {
    /// The code that people type.
    pub code: AgentCode,
    /// The float account.
    pub account: AccountId,
    /// Numbers known to be the agent's own beside the agent's number; no dealing with them earns or pays.
    pub own_numbers: Vec<Msisdn>,
}
