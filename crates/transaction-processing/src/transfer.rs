//! Movements of money that people can speak of, and the one life that each of them has.

use crate::account::Proof;
use crate::ids::{AccountId, AgentCode, TariffId, TransferId};
use crate::money::Money;
use crate::msisdn::Msisdn;
use crate::tariff::Payer;
use crate::time::{Day, Time};

/// A transfer, cash-in, cash-out or supply of float.
#[derive(Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its name; people see the reference made of it.
    pub id: TransferId,
    /// What it is.
    pub kind: Kind,
    /// When it was made.
    pub made_at: Time,
    /// The account it came from.
    pub sender: AccountId,
    /// The sender's number when it was made; none for the platform's own account.
    pub sender_number: Option<Msisdn>,
    /// The number it goes to.
    pub payee: Msisdn,
    /// The amount, without charges.
    pub amount: Money,
    /// What the transfer itself cost, as frozen when it was made.
    pub charge: Charge,
    /// What its withdrawal at an agent will cost, as frozen when it was made; only of a transfer by password.
    pub withdrawal: Option<Charge>,
    /// Where it stands.
    pub state: State,
}

/// What a transfer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// From a customer to a registered payee's wallet.
    ToWallet = 1,
    /// From a customer to whoever proves the withdrawal password.
    ByPassword = 2,
    /// From an agent's float to a customer's wallet, for cash.
    CashIn = 3,
    /// From a customer's wallet to an agent's float, for cash.
    CashOut = 4,
    /// Between the operator's funds and an agent's float, by staff.
    Float = 5,
}

/// A price as it was frozen: which tariff, who pays, and how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Charge {
    /// The tariff it was taken from; none where nothing is charged.
    pub tariff: Option<TariffId>,
    /// Who bears it.
    pub payer: Payer,
    /// The fee.
    pub fee: Money,
    /// What the state takes, on top of the fee.
    pub levy: Money,
    /// Whether the fee (never the levy) is kept when the transfer returns.
    pub kept_on_return: bool,
}

/// Where a transfer stands. It leaves `Waiting` exactly once (I8), and is returned at most once (I9, I10).
#[derive(Clone, PartialEq, Eq)]
pub enum State {
    /// Money in flight, until claimed, recalled or expired.
    Waiting(Waiting),
    /// In the payee's account.
    Credited {
        /// Which: a number may change its owner, and an account its number.
        account: AccountId,
        /// When the sender asked the payee to give it back.
        recall_asked_at: Option<Time>,
        /// What an agent earned on a cash-in.
        commission: Option<Commission>,
    },
    /// Handed over in cash by an agent.
    PaidOut(PaidOut),
    /// Put into the payee's own wallet with the password.
    Deposited {
        /// When.
        at: Time,
    },
    /// Back with the sender (or with unclaimed money, where the sender's account is closed).
    Returned {
        /// Why.
        cause: ReturnCause,
        /// When.
        at: Time,
    },
}

/// What an agent earned on a cash-in that may yet be undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Commission {
    /// How much.
    pub amount: Money,
    /// On which business day: only that day's dealings hold it.
    pub day: Day,
}

/// A transfer in flight.
#[derive(Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The withdrawal password that claims it.
    pub password: Proof,
    /// When it returns to the sender by itself.
    pub expires_at: Time,
    /// Whether the payee was reminded.
    pub reminded: bool,
    /// How many new passwords the sender had sent.
    pub resent: u8,
    /// The agent named in the last query, and the code that binds it.
    pub query: Option<Query>,
    /// Wrong verification codes in all; at the limit no agent can claim it any more.
    pub wrong_codes: u8,
    /// Closed for claims by the agent with the password alone, after a wrong one.
    pub password_at_agent_closed: bool,
}

/// A claim under preparation.
#[derive(Clone, PartialEq, Eq)]
pub struct Query {
    /// The only agent who may pay it out.
    pub agent: AgentCode,
    /// The verification code that the payee tells the agent.
    pub code: Proof,
    /// When the code is void.
    pub expires_at: Time,
}

/// A transfer handed over in cash.
#[derive(Clone, PartialEq, Eq)]
pub struct PaidOut {
    /// The agent who paid.
    pub agent: AgentCode,
    /// When.
    pub at: Time,
    /// What the payee was to receive in cash.
    pub cash: Money,
    /// What the agent earned.
    pub commission: Money,
    /// The code or password that proved it, to know the agent's repeated question; none of a cash-out, which the customer
    /// asks for.
    pub proved_by: Option<Proof>,
}

/// Why a transfer went back: one return, several causes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ReturnCause {
    /// The sender took a waiting transfer back.
    Recall = 1,
    /// Nobody claimed it within the withdrawal period.
    Expiry = 2,
    /// The payee of a credited one agreed.
    Consent = 3,
    /// Staff decided, maker and checker.
    Care = 4,
}

impl Transfer {
    /// The waiting part, while it waits.
    pub fn waiting(&self) -> Option<&Waiting> {
        match &self.state {
            State::Waiting(waiting) => Some(waiting),
            _ => None,
        }
    }
}
