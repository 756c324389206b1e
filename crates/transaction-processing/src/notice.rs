//! What somebody must be told. A notice is born in the decision that causes it and is durable with it; the downlink renders,
//! seals and sends it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::account::Tier;
use crate::ids::{AgentCode, Iccid, TransferId};
use crate::money::Money;
use crate::msisdn::Msisdn;
use crate::number::Language;
use crate::refusal::Refusal;
use crate::request::Kind;
use crate::time::Time;
use crate::transfer;

/// A code, sealed at rest under a key that the core never sees; erased when its message was delivered or has lapsed. At most
/// [`SealedCode::MOST`] octets.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCode(pub Vec<u8>);

impl SealedCode {
    /// The most octets of a sealed code.
    pub const MOST: usize = 96;
}

/// One thing to tell one number.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whom.
    pub to: Msisdn,
    /// In which language.
    pub language: Language,
    /// The card whose keys seal it; none for a message in plain.
    pub card: Option<Iccid>,
    /// What.
    pub text: Text,
    /// The code that the text tells, where it tells one.
    pub code: Option<SealedCode>,
    /// After this it need not be told any more; none for the channel's own validity.
    pub void_at: Option<Time>,
}

/// One line of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatementLine {
    /// When.
    pub at: Time,
    /// Minor units, above zero for what came in.
    pub change: i64,
    /// Balance afterwards.
    pub balance: i64,
    /// By what.
    pub kind: Kind,
}

/// Which help to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Role {
    /// Somebody without an account.
    Stranger = 1,
    /// A customer.
    Customer = 2,
    /// An agent.
    Agent = 3,
}

/// What to tell. Each variant is one text of the catalogues. `balance` is the balance of the one who is told, afterwards;
/// `charges` are fee and levy together, borne by the one who is told.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each field is said by its name and type; what they mean together stands on the variant"
)]
pub enum Text {
    /// To the sender: credited.
    Sent { transfer: TransferId, amount: Money, charges: Money, payee: Msisdn, balance: Money },
    /// To the payee: credited.
    Received { transfer: TransferId, amount: Money, charges: Money, sender: Msisdn, balance: Money },
    /// To the sender: it waits for the payee, who was sent a password.
    SentByPassword {
        transfer: TransferId,
        amount: Money,
        charges: Money,
        payee: Msisdn,
        balance: Money,
        expires_at: Time,
    },
    /// To the payee, with the withdrawal password.
    WithdrawalPassword { transfer: TransferId, amount: Money, sender: Msisdn, expires_at: Time },
    /// To the payee, with the verification code, and what they will receive in cash.
    VerificationCode { transfer: TransferId, amount: Money, cash: Money, agent: AgentCode, minutes: u32 },
    /// To the agent: hand over `cash`.
    PaidOutByYou { transfer: TransferId, amount: Money, cash: Money, payee: Msisdn, commission: Money, balance: Money },
    /// To the agent who asks again for what was paid: hand over `cash`, if not done.
    AlreadyPaidByYou { transfer: TransferId, cash: Money, payee: Msisdn, at: Time },
    /// To the payee: paid out.
    PaidOutToYou { transfer: TransferId, amount: Money, cash: Money, agent: AgentCode },
    /// To the sender: the payee has it.
    Collected { transfer: TransferId, amount: Money, payee: Msisdn },
    /// To the payee: put into the own wallet.
    Deposited { transfer: TransferId, amount: Money, charges: Money, balance: Money },
    /// To the sender: the payee was sent a new password.
    Resent { transfer: TransferId, amount: Money, payee: Msisdn },
    /// To the sender: taken back.
    Recalled { transfer: TransferId, returned: Money, payee: Msisdn, balance: Money },
    /// To the payee: the sender took it back.
    RecalledFromYou { transfer: TransferId, amount: Money, sender: Msisdn },
    /// To the payee: the sender asks for it back; `RA` agrees.
    RecallAsked { transfer: TransferId, amount: Money, sender: Msisdn },
    /// To the sender: the payee was asked.
    RecallAskedForYou { transfer: TransferId, amount: Money, payee: Msisdn },
    /// To the one who gave it back.
    GivenBack { transfer: TransferId, amount: Money, sender: Msisdn, balance: Money },
    /// To the one who got it back: an agent whose cash-in was undone, less the commission that went back.
    GotBack { transfer: TransferId, returned: Money, payee: Msisdn, balance: Money },
    /// To the sender: nobody claimed it in time.
    Refunded { transfer: TransferId, returned: Money, payee: Msisdn, balance: Money },
    /// To the payee: it has gone back.
    Lapsed { transfer: TransferId, amount: Money, sender: Msisdn },
    /// To the payee: it will go back soon.
    Reminder { transfer: TransferId, amount: Money, sender: Msisdn, expires_at: Time },
    /// To a number for which somebody wants to register, with the code, and whether it must come back with the PIN.
    RegistrationCode { minutes: u32, contested: bool },
    /// To a new customer.
    Registered,
    /// To the agent: cash taken in.
    CashTakenIn { transfer: TransferId, amount: Money, customer: Msisdn, commission: Money, balance: Money },
    /// To the customer: cash put in.
    CashPutIn { transfer: TransferId, amount: Money, charges: Money, agent: AgentCode, balance: Money },
    /// To the customer: take the cash.
    CashTakenOut { transfer: TransferId, amount: Money, cash: Money, charges: Money, agent: AgentCode, balance: Money },
    /// To the agent: hand over the cash.
    CashToHandOver { transfer: TransferId, cash: Money, customer: Msisdn, commission: Money, balance: Money },
    /// To anyone with an account who asks.
    Balance { balance: Money },
    /// The last entries, newest first, at most five.
    Statement { currency_of: Money, lines: Vec<StatementLine> },
    /// The PIN is changed.
    PinChanged,
    /// The language is set.
    LanguageSet,
    /// The receipt is genuine, and this is what it says.
    ReceiptGenuine {
        transfer: TransferId,
        kind: transfer::Kind,
        amount: Money,
        at: Time,
        payee: Msisdn,
        standing: Standing,
    },
    /// How to write to the platform.
    Help { role: Role },
    /// To an agent: float supplied.
    FloatSupplied { transfer: TransferId, amount: Money, balance: Money },
    /// To an agent: float taken back.
    FloatWithdrawn { transfer: TransferId, amount: Money, balance: Money },
    /// To a new agent.
    AgentEnrolled { agent: AgentCode },
    /// With a one-time PIN, to be changed at once.
    OneTimePin { minutes: u32 },
    /// The lock is lifted.
    PinUnlocked,
    /// The account is stopped.
    Frozen,
    /// The account may be used again.
    Unfrozen,
    /// The account is closed.
    Closed,
    /// To the new number: the account is here now.
    NumberChanged,
    /// To the old number: the account is elsewhere now, and not where.
    NumberLeft,
    /// The tier is another.
    TierSet { tier: Tier },
    /// The card is bound: write sealed from now on.
    CardBound,
    /// What was left behind is paid.
    UnclaimedPaid { amount: Money, balance: Money },
    /// No, and why. `asked` names the form that was meant.
    Refused { why: Refusal, asked: Kind },
    /// The same message came twice; it was counted once. The answer of the first time stands inside (never a code, never
    /// another repeat).
    Repeated { answer: Box<Text>, asked: Kind },
}

/// Where a transfer stands, in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Standing {
    /// Waits for its payee.
    Waiting = 1,
    /// Done.
    Done = 2,
    /// Went back.
    Returned = 3,
}
