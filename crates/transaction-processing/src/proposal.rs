//! What staff may do, always two of them: a maker proposes a measure, a different checker approves it (I22).

use alloc::string::String;
use alloc::vec::Vec;

use crate::account::Tier;
use crate::ids::{AgentCode, CaseId, Iccid, ProposalId, Sequence, StaffId, TransferId};
use crate::money::Money;
use crate::msisdn::Msisdn;
use crate::number::Private;
use crate::time::Time;

/// A member of staff.
#[derive(Clone, PartialEq, Eq)]
pub struct Staff {
    /// The row that enrolled them.
    pub id: StaffId,
    /// The name they sign with, unique.
    pub name: String,
    /// The verifier of their secret, made and judged outside the core.
    pub verifier: String,
    /// Whether they may still act.
    pub active: bool,
}

/// A measure that a maker proposed.
#[derive(Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its name.
    pub id: ProposalId,
    /// Who made it.
    pub maker: StaffId,
    /// When.
    pub made_at: Time,
    /// What is to happen.
    pub measure: Measure,
    /// What became of it.
    pub state: ProposalState,
}

/// What became of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProposalState {
    /// Waits for a checker.
    Open,
    /// Carried out.
    Approved {
        /// By whom.
        checker: StaffId,
        /// When.
        at: Time,
    },
    /// Turned down; the maker may withdraw an own one.
    Rejected {
        /// By whom.
        checker: StaffId,
        /// When.
        at: Time,
    },
}

/// What staff may do.
#[derive(Clone, PartialEq, Eq)]
pub enum Measure {
    /// Create electronic money against a deposit that the bank confirmed: trust account → operator's funds.
    Issue {
        /// How much.
        amount: Money,
        /// The bank's reference of the deposit; each serves once.
        bank_reference: String,
    },
    /// Destroy electronic money against a payment by the bank: operator's funds → trust account.
    Redeem {
        /// How much.
        amount: Money,
        /// The bank's reference of the payment; each serves once.
        bank_reference: String,
    },
    /// Operator's funds → an agent's float.
    SupplyFloat {
        /// Whose.
        agent: AgentCode,
        /// How much.
        amount: Money,
    },
    /// An agent's float → operator's funds.
    WithdrawFloat {
        /// Whose.
        agent: AgentCode,
        /// How much.
        amount: Money,
    },
    /// Earned fees → operator's funds.
    CollectFees {
        /// How much.
        amount: Money,
    },
    /// A new agent; a one-time PIN goes to the number.
    EnrolAgent {
        /// The code that people will type.
        code: AgentCode,
        /// The agent's number, which must have no account.
        msisdn: Msisdn,
        /// The agent's name.
        name: Private,
        /// Other numbers that are the agent's own.
        own_numbers: Vec<Msisdn>,
    },
    /// Another tier for a customer.
    SetTier {
        /// Whose.
        msisdn: Msisdn,
        /// Which.
        tier: Tier,
    },
    /// End the lock after wrong PINs.
    UnlockPin {
        /// Whose.
        msisdn: Msisdn,
    },
    /// Send a one-time PIN to the handset.
    ResetPin {
        /// Whose.
        msisdn: Msisdn,
    },
    /// Stop an account.
    Freeze {
        /// Whose.
        msisdn: Msisdn,
    },
    /// Let a stopped account be used again.
    Unfreeze {
        /// Whose.
        msisdn: Msisdn,
    },
    /// Close an account; what is left goes to unclaimed money, with a case.
    Close {
        /// Whose.
        msisdn: Msisdn,
    },
    /// Move an account to another number; its card is forgotten.
    ChangeNumber {
        /// From this number.
        msisdn: Msisdn,
        /// To this one, which must have no account.
        to: Msisdn,
    },
    /// The operator has given the number to somebody else: whatever stands under it leaves it.
    RecycleNumber {
        /// The number.
        msisdn: Msisdn,
    },
    /// Bind a card to a number: from now on it is served sealed only.
    BindCard {
        /// The number.
        msisdn: Msisdn,
        /// The card's serial.
        iccid: Iccid,
    },
    /// Forget a number's card: it is served in plain again.
    ForgetCard {
        /// The number.
        msisdn: Msisdn,
    },
    /// Give a credited transfer or a cash-in back to its sender, never past what the payee still has.
    Reverse {
        /// Which.
        transfer: TransferId,
    },
    /// Pay out what an account left behind to its owner's new account.
    PayUnclaimed {
        /// The case that says what is owed.
        case: CaseId,
        /// To whom.
        msisdn: Msisdn,
    },
    /// Enter a balance of the trust account that the bank has stated.
    ConfirmBank {
        /// How much.
        balance: Money,
        /// As of when; never before the statement that was entered last.
        as_of: Time,
        /// The bank's reference of the statement.
        statement: String,
        /// Deposits and payments that it has already and that are entered here later, by their references.
        includes: Vec<String>,
    },
    /// Erase the personal texts of a number's owner.
    Erase {
        /// Whose.
        msisdn: Msisdn,
        /// Those of the rows up to this one: the number may have had several owners.
        up_to: Sequence,
    },
    /// Enrol one more member of staff.
    EnrolStaff {
        /// The name they sign with.
        name: String,
        /// The verifier of their secret.
        verifier: String,
    },
    /// Let a member of staff act no more.
    DismissStaff {
        /// Who.
        staff: StaffId,
    },
}

/// Something that care must look after.
#[derive(Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// When it was opened.
    pub opened_at: Time,
    /// What it is about.
    pub matter: Matter,
    /// When it was settled.
    pub closed_at: Option<Time>,
}

/// What a case is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matter {
    /// A return found the sender's account closed: the money is with unclaimed money.
    Unclaimed {
        /// The transfer that returned; none where an account was closed with money in it.
        transfer: Option<TransferId>,
        /// The number that the money belonged to.
        msisdn: Msisdn,
        /// How much.
        amount: Money,
    },
}
