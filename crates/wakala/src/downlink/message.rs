//! The messages of the catalogues by name: every one that the program can ask for, so that each catalogue can be checked to
//! hold exactly these.

use transaction_processing::refusal::Refusal;
use transaction_processing::request::Kind;
use transaction_processing::{account::Tier, notice::Standing, transfer};
use wire::sms::{Field, Keyword};

macro_rules! messages {
    ($($name:ident = $id:literal;)*) => {
        /// A message of the catalogues.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Message { $($name,)* }

        impl Message {
            /// All that the program asks for.
            pub(super) const ALL: &'static [Message] = &[$(Message::$name,)*];

            /// Its name in the catalogues.
            pub(super) const fn id(self) -> &'static str {
                match self { $(Message::$name => $id,)* }
            }
        }
    };
}

messages! {
    Sent = "sent";
    Received = "received";
    SentByPassword = "sent-by-password";
    WithdrawalPassword = "withdrawal-password";
    VerificationCode = "verification-code";
    PaidOutByYou = "paid-out-by-you";
    AlreadyPaidByYou = "already-paid-by-you";
    PaidOutToYou = "paid-out-to-you";
    Collected = "collected";
    Deposited = "deposited";
    Resent = "resent";
    Recalled = "recalled";
    RecalledFromYou = "recalled-from-you";
    RecallAsked = "recall-asked";
    RecallAskedForYou = "recall-asked-for-you";
    GivenBack = "given-back";
    GotBack = "got-back";
    Refunded = "refunded";
    Lapsed = "lapsed";
    Reminder = "reminder";
    CashTakenIn = "cash-taken-in";
    CashPutIn = "cash-put-in";
    CashTakenOut = "cash-taken-out";
    CashToHandOver = "cash-to-hand-over";
    FloatSupplied = "float-supplied";
    FloatWithdrawn = "float-withdrawn";
    UnclaimedPaid = "unclaimed-paid";

    Balance = "balance";
    Statement = "statement";
    StatementEmpty = "statement-empty";
    StatementLine = "statement-line";
    RegistrationCode = "registration-code";
    RegistrationCodeContested = "registration-code-contested";
    Registered = "registered";
    CodeToldBefore = "code-told-before";
    OneTimePin = "one-time-pin";
    PinChanged = "pin-changed";
    PinUnlocked = "pin-unlocked";
    LanguageSet = "language-set";
    AgentEnrolled = "agent-enrolled";
    Frozen = "frozen";
    Unfrozen = "unfrozen";
    Closed = "closed";
    NumberChanged = "number-changed";
    NumberLeft = "number-left";
    TierSet = "tier-set";
    TierEntry = "tier-entry";
    TierStandard = "tier-standard";
    TierFull = "tier-full";
    CardBound = "card-bound";
    ReceiptGenuine = "receipt-genuine";
    StandingWaiting = "standing-waiting";
    StandingDone = "standing-done";
    StandingReturned = "standing-returned";

    MovementToWallet = "movement-to-wallet";
    MovementByPassword = "movement-by-password";
    MovementCashIn = "movement-cash-in";
    MovementCashOut = "movement-cash-out";
    MovementFloat = "movement-float";

    RequestTransfer = "request-transfer";
    RequestQuery = "request-query";
    RequestClaim = "request-claim";
    RequestResend = "request-resend";
    RequestRecall = "request-recall";
    RequestAgree = "request-agree";
    RequestRegistration = "request-registration";
    RequestCashIn = "request-cash-in";
    RequestCashOut = "request-cash-out";
    RequestBalance = "request-balance";
    RequestStatement = "request-statement";
    RequestChangePin = "request-change-pin";
    RequestLanguage = "request-language";
    RequestCheck = "request-check";
    RequestHelp = "request-help";
    RequestRefund = "request-refund";
    RequestOffice = "request-office";

    HelpStranger = "help-stranger";
    HelpCustomer = "help-customer";
    HelpAgent = "help-agent";

    Malformed = "malformed";
    TooLong = "too-long";
    Unknown = "unknown";
    FaultFields = "fault-fields";
    FaultNumber = "fault-number";
    FaultAmount = "fault-amount";
    FaultPin = "fault-pin";
    FaultPassword = "fault-password";
    FaultCode = "fault-code";
    FaultAgent = "fault-agent";
    FaultReference = "fault-reference";
    FaultName = "fault-name";
    FaultLanguage = "fault-language";
    FaultIdentity = "fault-identity";

    FormTransfer = "form-transfer";
    FormQuery = "form-query";
    FormClaimByCode = "form-claim-by-code";
    FormClaimByPassword = "form-claim-by-password";
    FormDeposit = "form-deposit";
    FormResend = "form-resend";
    FormRecall = "form-recall";
    FormAgree = "form-agree";
    FormRegister = "form-register";
    FormRegistration = "form-registration";
    FormCashIn = "form-cash-in";
    FormCashOut = "form-cash-out";
    FormBalance = "form-balance";
    FormStatement = "form-statement";
    FormChangePin = "form-change-pin";
    FormLanguage = "form-language";
    FormCheck = "form-check";
    FormHelp = "form-help";

    Repeated = "repeated";
    RepeatedOnPurpose = "repeated-on-purpose";
    Refused = "refused";
    Moment = "moment";
}

impl Message {
    /// What a request is called in a refusal and in a statement.
    pub(super) fn of_request(kind: Kind) -> Message {
        match kind {
            Kind::Transfer => Message::RequestTransfer,
            Kind::Query => Message::RequestQuery,
            Kind::Claim => Message::RequestClaim,
            Kind::Resend => Message::RequestResend,
            Kind::Recall => Message::RequestRecall,
            Kind::Agree => Message::RequestAgree,
            Kind::Register | Kind::Confirm => Message::RequestRegistration,
            Kind::CashIn => Message::RequestCashIn,
            Kind::CashOut => Message::RequestCashOut,
            Kind::Balance => Message::RequestBalance,
            Kind::Statement => Message::RequestStatement,
            Kind::ChangePin => Message::RequestChangePin,
            Kind::Language => Message::RequestLanguage,
            Kind::Check => Message::RequestCheck,
            Kind::Help => Message::RequestHelp,
            Kind::Expire | Kind::Remind => Message::RequestRefund,
            Kind::Propose | Kind::Approve | Kind::EnrolFirstStaff | Kind::ChangeStaffSecret => Message::RequestOffice,
            Kind::AdoptTariff | Kind::OpenEpoch => Message::RequestOffice,
        }
    }

    /// What a movement of money is called on a receipt.
    pub(super) fn of_movement(kind: transfer::Kind) -> Message {
        match kind {
            transfer::Kind::ToWallet => Message::MovementToWallet,
            transfer::Kind::ByPassword => Message::MovementByPassword,
            transfer::Kind::CashIn => Message::MovementCashIn,
            transfer::Kind::CashOut => Message::MovementCashOut,
            transfer::Kind::Float => Message::MovementFloat,
        }
    }

    /// Where a transfer stands, as a sentence.
    pub(super) fn of_standing(standing: Standing) -> Message {
        match standing {
            Standing::Waiting => Message::StandingWaiting,
            Standing::Done => Message::StandingDone,
            Standing::Returned => Message::StandingReturned,
        }
    }

    /// The name of a tier.
    pub(super) fn of_tier(tier: Tier) -> Message {
        match tier {
            Tier::Entry => Message::TierEntry,
            Tier::Standard => Message::TierStandard,
            Tier::Full => Message::TierFull,
        }
    }

    /// The right form of a request.
    pub(super) fn of_form(keyword: Keyword) -> Message {
        match keyword {
            Keyword::TM => Message::FormTransfer,
            Keyword::QT => Message::FormQuery,
            Keyword::GM => Message::FormClaimByCode,
            Keyword::GW => Message::FormClaimByPassword,
            Keyword::DP => Message::FormDeposit,
            Keyword::RS => Message::FormResend,
            Keyword::RC => Message::FormRecall,
            Keyword::RA => Message::FormAgree,
            Keyword::RG => Message::FormRegistration,
            Keyword::CI => Message::FormCashIn,
            Keyword::CO => Message::FormCashOut,
            Keyword::BL => Message::FormBalance,
            Keyword::ST => Message::FormStatement,
            Keyword::PN => Message::FormChangePin,
            Keyword::LG => Message::FormLanguage,
            Keyword::CK => Message::FormCheck,
            Keyword::HP => Message::FormHelp,
        }
    }

    /// What is wrong with a field.
    pub(super) fn of_fault(field: Field) -> Message {
        match field {
            Field::Payee | Field::Customer => Message::FaultNumber,
            Field::Amount => Message::FaultAmount,
            Field::Pin | Field::OldPin | Field::NewPin => Message::FaultPin,
            Field::Password => Message::FaultPassword,
            Field::Code => Message::FaultCode,
            Field::AgentCode => Message::FaultAgent,
            Field::Reference | Field::ReceiptCode => Message::FaultReference,
            Field::Name => Message::FaultName,
            Field::Language => Message::FaultLanguage,
            Field::IdNumber => Message::FaultIdentity,
        }
    }
}

/// The name of a refusal's text in the catalogues.
pub(super) fn of_refusal(why: Refusal) -> &'static str {
    match why {
        Refusal::NotRegistered => "refused-not-registered",
        Refusal::NotForAgents => "refused-not-for-agents",
        Refusal::NotAnAgent => "refused-not-an-agent",
        Refusal::AccountFrozen => "refused-account-frozen",
        Refusal::NotSealed => "refused-not-sealed",
        Refusal::PlainNotServed => "refused-plain-not-served",
        Refusal::CounterTooLow => "refused-counter-too-low",
        Refusal::CardBlocked => "refused-card-blocked",
        Refusal::Slowed => "refused-slowed",
        Refusal::WrongPin => "refused-wrong-pin",
        Refusal::PinLocked => "refused-pin-locked",
        Refusal::PinLockedByTries => "refused-pin-locked-by-tries",
        Refusal::WeakPin => "refused-weak-pin",
        Refusal::ChangePinFirst => "refused-change-pin-first",
        Refusal::OneTimePinExpired => "refused-one-time-pin-expired",
        Refusal::NoPin => "refused-no-pin",
        Refusal::SamePin => "refused-same-pin",
        Refusal::NotMobile => "refused-not-mobile",
        Refusal::ToOneself => "refused-to-oneself",
        Refusal::PayeeIsAgent => "refused-payee-is-agent",
        Refusal::PayeeFrozen => "refused-payee-frozen",
        Refusal::PayeeNotRegistered => "refused-payee-not-registered",
        Refusal::UnknownAgent => "refused-unknown-agent",
        Refusal::OwnDealing => "refused-own-dealing",
        Refusal::OtherCurrency => "refused-other-currency",
        Refusal::BadAmount => "refused-bad-amount",
        Refusal::AmountTooSmall => "refused-amount-too-small",
        Refusal::AmountTooLarge => "refused-amount-too-large",
        Refusal::DayLimit => "refused-day-limit",
        Refusal::MonthLimit => "refused-month-limit",
        Refusal::PayeeBalanceLimit => "refused-payee-balance-limit",
        Refusal::NotEnoughMoney => "refused-not-enough-money",
        Refusal::NotEnoughFloat => "refused-not-enough-float",
        Refusal::OperatorFundsShort => "refused-operator-funds-short",
        Refusal::ChargesAboveAmount => "refused-charges-above-amount",
        Refusal::WrongPassword => "refused-wrong-password",
        Refusal::ClaimsPaused => "refused-claims-paused",
        Refusal::WrongCode => "refused-wrong-code",
        Refusal::CodeExpired => "refused-code-expired",
        Refusal::CodesExhausted => "refused-codes-exhausted",
        Refusal::NothingToPayOut => "refused-nothing-to-pay-out",
        Refusal::OtherAgent => "refused-other-agent",
        Refusal::AlreadyPaid => "refused-already-paid",
        Refusal::IdentityNeeded => "refused-identity-needed",
        Refusal::PasswordAtAgentOff => "refused-password-at-agent-off",
        Refusal::PasswordAtAgentClosed => "refused-password-at-agent-closed",
        Refusal::NotYourNumber => "refused-not-your-number",
        Refusal::NothingWaiting => "refused-nothing-waiting",
        Refusal::UnknownReference => "refused-unknown-reference",
        Refusal::NotWaiting => "refused-not-waiting",
        Refusal::TooManyResends => "refused-too-many-resends",
        Refusal::NotRecallable => "refused-not-recallable",
        Refusal::RecallAlreadyAsked => "refused-recall-already-asked",
        Refusal::NoRecallAsked => "refused-no-recall-asked",
        Refusal::AlreadyReturned => "refused-already-returned",
        Refusal::AlreadyRegistered => "refused-already-registered",
        Refusal::NoRegistration => "refused-no-registration",
        Refusal::WrongRegistrationCode => "refused-wrong-registration-code",
        Refusal::RegistrationExpired => "refused-registration-expired",
        Refusal::TooManyRegistrations => "refused-too-many-registrations",
        Refusal::WrongRegistrationPin => "refused-wrong-registration-pin",
        Refusal::RegistrationContested => "refused-registration-contested",
        Refusal::UnknownStaff => "refused-unknown-staff",
        Refusal::UnknownProposal => "refused-unknown-proposal",
        Refusal::ProposalClosed => "refused-proposal-closed",
        Refusal::SamePerson => "refused-same-person",
        Refusal::BankReferenceUsed => "refused-bank-reference-used",
        Refusal::NameTaken => "refused-name-taken",
        Refusal::UnknownAccount => "refused-unknown-account",
        Refusal::WrongState => "refused-wrong-state",
        Refusal::UnknownCase => "refused-unknown-case",
        Refusal::StaffEnrolled => "refused-staff-enrolled",
        Refusal::UnsoundTariff => "refused-unsound-tariff",
        Refusal::PayeeMustRegister => "refused-payee-must-register",
        Refusal::CardInUse => "refused-card-in-use",
        Refusal::CodesMissing => "refused-codes-missing",
        Refusal::TooManyReceipts => "refused-too-many-receipts",
    }
}
