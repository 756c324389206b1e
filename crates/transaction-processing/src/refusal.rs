//! Why not. One closed, numbered list: a number is never used again, a retired reason keeps its place. What a person reads,
//! what a program gets and what the log keeps are exhaustive matches on it.

/// How a refusal is treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// A try at a secret: counted, remembered, and part of the spraying figures.
    Counted,
    /// Judged afresh when asked again.
    Fresh,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $weight:ident;)*) => {
        /// The closed list. See the module.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Refusal { $($(#[$doc])* $name = $number,)* }

        impl Refusal {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name,)*];

            /// The refusal of this number.
            pub fn numbered(number: u8) -> Option<Refusal> {
                match number { $($number => Some(Refusal::$name),)* _ => None }
            }

            /// How it is treated.
            pub fn weight(self) -> Weight {
                match self { $(Refusal::$name => Weight::$weight,)* }
            }

            /// Its name, as machines read it.
            pub fn name(self) -> &'static str {
                match self { $(Refusal::$name => stringify!($name),)* }
            }
        }
    };
}

refusals! {
    // Who is asking.
    /// The number has no account.
    NotRegistered = 1, Fresh;
    /// The request is for customers; this number is an agent's.
    NotForAgents = 2, Fresh;
    /// The request is for agents; this number is none.
    NotAnAgent = 3, Fresh;
    /// The account is frozen.
    AccountFrozen = 4, Fresh;
    /// The number has a card key and is not served in plain.
    NotSealed = 5, Fresh;
    /// Messages in plain are not served here.
    PlainNotServed = 6, Fresh;
    /// The counter of a sealed message is not higher than the last one: send again.
    CounterTooLow = 7, Fresh;
    /// The card's counter has come to its end: a new card is needed.
    CardBlocked = 8, Fresh;
    /// Too many failures lately, by this agent, over this link or in all: try later.
    Slowed = 9, Fresh;

    // PIN.
    /// Wrong PIN, counted.
    WrongPin = 10, Counted;
    /// Locked for a while after wrong PINs; nothing was judged.
    PinLocked = 11, Fresh;
    /// Locked until care resets; nothing was judged.
    PinLockedByTries = 12, Fresh;
    /// The PIN is too easily guessed.
    WeakPin = 13, Fresh;
    /// A one-time PIN must be changed first.
    ChangePinFirst = 14, Fresh;
    /// The one-time PIN is past its hour.
    OneTimePinExpired = 15, Fresh;
    /// No PIN has been set yet.
    NoPin = 16, Fresh;
    /// Old and new PIN are the same.
    SamePin = 17, Fresh;

    // The other party.
    /// The number cannot be a mobile one.
    NotMobile = 20, Fresh;
    /// To oneself.
    ToOneself = 21, Fresh;
    /// The payee's number is an agent's.
    PayeeIsAgent = 22, Fresh;
    /// The payee's account is frozen.
    PayeeFrozen = 23, Fresh;
    /// The payee has no account.
    PayeeNotRegistered = 24, Fresh;
    /// There is no such agent, or none that may act.
    UnknownAgent = 25, Fresh;
    /// An agent dealing with an own number.
    OwnDealing = 26, Fresh;
    /// The two accounts are in different currencies.
    OtherCurrency = 27, Fresh;

    // Amounts.
    /// No amount of this currency: too many decimals, or nothing.
    BadAmount = 30, Fresh;
    /// Below the least.
    AmountTooSmall = 31, Fresh;
    /// Above the most for one request.
    AmountTooLarge = 32, Fresh;
    /// Above what may be sent in a day.
    DayLimit = 33, Fresh;
    /// Above what may be sent in a month.
    MonthLimit = 34, Fresh;
    /// The payee may not hold or receive so much.
    PayeeBalanceLimit = 35, Fresh;
    /// Not enough money, charges counted.
    NotEnoughMoney = 36, Fresh;
    /// The agent has not enough float.
    NotEnoughFloat = 37, Fresh;
    /// The operator's funds cannot bear the commission now.
    OperatorFundsShort = 38, Fresh;
    /// The charges would eat the whole amount.
    ChargesAboveAmount = 39, Fresh;

    // Claims.
    /// Wrong withdrawal password, counted.
    WrongPassword = 40, Counted;
    /// Claims of this payee pause after wrong passwords; nothing was judged.
    ClaimsPaused = 41, Fresh;
    /// Wrong verification code, counted.
    WrongCode = 42, Counted;
    /// The verification code is too old: ask anew.
    CodeExpired = 43, Fresh;
    /// Too many wrong codes: no agent can pay this transfer out any more.
    CodesExhausted = 44, Fresh;
    /// No transfer of this amount waits for this payee with this agent.
    NothingToPayOut = 45, Fresh;
    /// The payee named another agent.
    OtherAgent = 46, Fresh;
    /// It has been paid out already.
    AlreadyPaid = 47, Fresh;
    /// The number of the identity document is needed.
    IdentityNeeded = 48, Fresh;
    /// Claims with the password alone are not offered here.
    PasswordAtAgentOff = 49, Fresh;
    /// Claims with the password alone are closed for this transfer.
    PasswordAtAgentClosed = 50, Fresh;
    /// Only the payee's own number may ask.
    NotYourNumber = 51, Fresh;
    /// Nothing waits for this number.
    NothingWaiting = 52, Fresh;

    // A transfer by its reference.
    /// There is no such transfer of yours.
    UnknownReference = 60, Fresh;
    /// It no longer waits.
    NotWaiting = 61, Fresh;
    /// No more new passwords for this transfer.
    TooManyResends = 62, Fresh;
    /// It cannot be asked back (any more).
    NotRecallable = 63, Fresh;
    /// It has been asked back already; the payee has not answered yet.
    RecallAlreadyAsked = 64, Fresh;
    /// Nobody has asked it back.
    NoRecallAsked = 65, Fresh;
    /// It has been returned already.
    AlreadyReturned = 66, Fresh;

    // Registration.
    /// The number has an account already.
    AlreadyRegistered = 70, Fresh;
    /// No registration is under way for this number.
    NoRegistration = 71, Fresh;
    /// Wrong registration code, counted.
    WrongRegistrationCode = 72, Counted;
    /// The registration code is too old, or was tried too often: begin anew.
    RegistrationExpired = 73, Fresh;
    /// Too many registrations of this number today.
    TooManyRegistrations = 74, Fresh;
    /// The code was right, but the PIN is not the one that waits for it: somebody wrote `RG` since, or it is mistyped. Counted.
    WrongRegistrationPin = 75, Counted;
    /// The code was right, but more than one PIN was chosen for the number lately: it must come with its PIN. No try is used up.
    RegistrationContested = 76, Fresh;

    // Staff.
    /// No such member of staff, or none that may act.
    UnknownStaff = 80, Fresh;
    /// There is no such proposal.
    UnknownProposal = 81, Fresh;
    /// The proposal is no longer open.
    ProposalClosed = 82, Fresh;
    /// Maker and checker must be two people.
    SamePerson = 83, Fresh;
    /// This bank reference has served already.
    BankReferenceUsed = 84, Fresh;
    /// The code or the name is taken.
    NameTaken = 85, Fresh;
    /// The number has no account.
    UnknownAccount = 86, Fresh;
    /// The account is not in the state that the measure needs.
    WrongState = 87, Fresh;
    /// There is no such case, or it is settled.
    UnknownCase = 88, Fresh;
    /// The books hold staff already: enrolment needs maker and checker.
    StaffEnrolled = 89, Fresh;
    /// The terms of a tariff are not sound.
    UnsoundTariff = 90, Fresh;
    /// The limits of this number were reached as a payee without an account.
    PayeeMustRegister = 91, Fresh;
    /// A card serves one number only.
    CardInUse = 92, Fresh;
    /// The request needed codes that were not drawn for this number; ask again.
    CodesMissing = 93, Fresh;

    // Receipts.
    /// The number asked about too many receipts in this hour: guessing references must not pay.
    TooManyReceipts = 100, Fresh;
}
