//! Every text with values: typical ones to read, the longest ones to measure.

use transaction_processing::account::Tier;
use transaction_processing::ids::{AgentCode, TransferId};
use transaction_processing::money::{Currency, LARGEST, Money};
use transaction_processing::msisdn::Msisdn;
use transaction_processing::notice::{Role, Standing, StatementLine, Text};
use transaction_processing::refusal::Refusal;
use transaction_processing::request::Kind;
use transaction_processing::time::Time;
use transaction_processing::transfer;

pub(super) const TZS: Currency = Currency { numeric: 834, minor_digits: 2 };

/// The values that stand in texts.
#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) amount: i64,
    pub(super) charges: i64,
    pub(super) cash: i64,
    pub(super) balance: i64,
    pub(super) payee: u64,
    pub(super) sender: u64,
    pub(super) agent: u32,
    pub(super) minutes: u32,
    pub(super) at: Time,
}

/// 29 November 2026, 14:30 in East Africa.
pub(super) const AT: Time = Time(1_795_951_800_000);

/// Two months earlier.
pub(super) const AT_IN_SEPTEMBER: Time = Time(1_790_681_400_000);

/// What people see every day.
pub(super) const TYPICAL: Values = Values {
    amount: 50_050,
    charges: 1_000,
    cash: 49_050,
    balance: 123_450,
    payee: 255_712_000_002,
    sender: 255_712_000_001,
    agent: 1001,
    minutes: 30,
    at: AT,
};

/// The largest that a wallet sees where a unit is worth little: ten million units, numbers of twelve digits.
pub(super) const LARGE: Values = Values {
    amount: 999_999_999,
    charges: 9_999_999,
    cash: 999_999_999,
    balance: 999_999_999,
    payee: 255_712_000_002,
    sender: 255_712_000_001,
    agent: 999_999,
    minutes: 1440,
    at: AT,
};

/// The longest that the types allow.
pub(super) const LONGEST: Values = Values {
    amount: LARGEST,
    charges: LARGEST,
    cash: LARGEST,
    balance: LARGEST,
    payee: 999_999_999_999_999,
    sender: 999_999_999_999_999,
    agent: 999_999,
    minutes: 1440,
    at: AT,
};

/// A text with its name, and the code that it tells.
pub(super) type Sample = (String, Text, Option<&'static str>);

/// Every text once, every help and tier, every refusal once for the longest name of a request, and what repeats can hold.
pub(super) fn all(values: Values) -> Vec<Sample> {
    let mut samples = plain(values);
    samples.extend(movements(values));
    samples.extend(Refusal::ALL.iter().map(|why| {
        let text = Text::Refused { why: *why, asked: asked_with(*why) };
        (format!("refused {}", why.name()), text, None)
    }));
    let repeats = [
        ("sent", Kind::Transfer),
        ("sent by password", Kind::Transfer),
        ("verification code", Kind::Query),
        ("resent", Kind::Resend),
        ("paid out by you", Kind::Claim),
        ("cash taken out", Kind::CashOut),
    ];
    let repeats = repeats.map(|(of, asked)| {
        let (_, text, _) = samples.iter().find(|(name, _, _)| name == of).expect("a text of this name");
        named(&format!("repeated, {of}"), Text::Repeated { answer: Box::new(text.clone()), asked })
    });
    samples.extend(repeats);
    let wrong = Text::Refused { why: Refusal::WrongPin, asked: Kind::Transfer };
    samples.push(named("repeated, wrong PIN", Text::Repeated { answer: Box::new(wrong), asked: Kind::Transfer }));
    samples
}

/// A request that is refused for this reason, to show the two together.
fn asked_with(why: Refusal) -> Kind {
    match why {
        Refusal::WrongCode | Refusal::CodeExpired | Refusal::NothingToPayOut | Refusal::OtherAgent => Kind::Claim,
        Refusal::AlreadyPaid | Refusal::IdentityNeeded | Refusal::PasswordAtAgentOff => Kind::Claim,
        Refusal::PasswordAtAgentClosed | Refusal::CodesExhausted | Refusal::NotAnAgent => Kind::Claim,
        Refusal::WrongPassword | Refusal::ClaimsPaused | Refusal::NotYourNumber => Kind::Query,
        Refusal::TooManyResends | Refusal::NotWaiting => Kind::Resend,
        Refusal::NotRecallable | Refusal::RecallAlreadyAsked | Refusal::AlreadyReturned => Kind::Recall,
        Refusal::NoRecallAsked => Kind::Agree,
        Refusal::AlreadyRegistered | Refusal::NoRegistration | Refusal::RegistrationExpired => Kind::Register,
        Refusal::WrongRegistrationCode | Refusal::WrongRegistrationPin | Refusal::TooManyRegistrations => Kind::Confirm,
        Refusal::RegistrationContested => Kind::Confirm,
        Refusal::WeakPin | Refusal::SamePin | Refusal::OneTimePinExpired => Kind::ChangePin,
        Refusal::UnknownReference | Refusal::TooManyReceipts => Kind::Check,
        Refusal::NotEnoughFloat | Refusal::PayeeNotRegistered => Kind::CashIn,
        _ => Kind::Transfer,
    }
}

fn named(name: &str, text: Text) -> Sample {
    (name.to_owned(), text, None)
}

fn money(minor: i64) -> Money {
    Money::new(minor, TZS).expect("within the largest")
}

fn plain(values: Values) -> Vec<Sample> {
    let minutes = values.minutes;
    let (amount, balance) = (money(values.amount), money(values.balance));
    let line =
        |kind, sign: i64| StatementLine { at: values.at, change: sign * values.amount, balance: values.balance, kind };
    let lines = vec![
        line(Kind::Transfer, -1),
        line(Kind::CashIn, 1),
        line(Kind::CashOut, -1),
        line(Kind::Expire, 1),
        line(Kind::Claim, 1),
    ];
    let mut samples = vec![
        ("registration code".to_owned(), Text::RegistrationCode { minutes, contested: false }, Some("482915")),
        (
            "registration code, contested".to_owned(),
            Text::RegistrationCode { minutes, contested: true },
            Some("482915"),
        ),
        ("one-time PIN".to_owned(), Text::OneTimePin { minutes }, Some("739104")),
        named("registration code, told before", Text::RegistrationCode { minutes, contested: false }),
        named("registered", Text::Registered),
        named("balance", Text::Balance { balance }),
        named("statement", Text::Statement { currency_of: money(0), lines }),
        named("statement, empty", Text::Statement { currency_of: money(0), lines: Vec::new() }),
        named("PIN changed", Text::PinChanged),
        named("language set", Text::LanguageSet),
        named("agent enrolled", Text::AgentEnrolled { agent: AgentCode(values.agent) }),
        named("PIN unlocked", Text::PinUnlocked),
        named("frozen", Text::Frozen),
        named("unfrozen", Text::Unfrozen),
        named("closed", Text::Closed),
        named("number changed", Text::NumberChanged),
        named("number left", Text::NumberLeft),
        named("card bound", Text::CardBound),
        named("unclaimed paid", Text::UnclaimedPaid { amount, balance }),
    ];
    let roles = [("stranger", Role::Stranger), ("customer", Role::Customer), ("agent", Role::Agent)];
    samples.extend(roles.map(|(name, role)| named(&format!("help {name}"), Text::Help { role })));
    let tiers = [("entry", Tier::Entry), ("standard", Tier::Standard), ("full", Tier::Full)];
    samples.extend(tiers.map(|(name, tier)| named(&format!("tier {name}"), Text::TierSet { tier })));
    samples
}

fn movements(values: Values) -> Vec<Sample> {
    let transfer = TransferId(1);
    let (amount, balance) = (money(values.amount), money(values.balance));
    let (charges, commission, cash, returned) =
        (money(values.charges), money(values.charges), money(values.cash), amount);
    let number = |digits| Msisdn::new(digits).expect("an E.164 number");
    let (payee, sender, customer) = (number(values.payee), number(values.sender), number(values.sender));
    let (agent, minutes, at, expires_at) = (AgentCode(values.agent), values.minutes, values.at, values.at);
    let mut samples = vec![
        named("sent", Text::Sent { transfer, amount, charges, payee, balance }),
        named("received", Text::Received { transfer, amount, charges, sender, balance }),
        named("sent by password", Text::SentByPassword { transfer, amount, charges, payee, balance, expires_at }),
        (
            "withdrawal password".to_owned(),
            Text::WithdrawalPassword { transfer, amount, sender, expires_at },
            Some("48291537"),
        ),
        (
            "verification code".to_owned(),
            Text::VerificationCode { transfer, amount, cash, agent, minutes },
            Some("739104"),
        ),
        named("paid out by you", Text::PaidOutByYou { transfer, amount, cash, payee, commission, balance }),
        named("already paid by you", Text::AlreadyPaidByYou { transfer, cash, payee, at }),
        named("paid out to you", Text::PaidOutToYou { transfer, amount, cash, agent }),
        named("collected", Text::Collected { transfer, amount, payee }),
        named("deposited", Text::Deposited { transfer, amount, charges, balance }),
        named("resent", Text::Resent { transfer, amount, payee }),
        named("recalled", Text::Recalled { transfer, returned, payee, balance }),
        named("recalled from you", Text::RecalledFromYou { transfer, amount, sender }),
        named("recall asked", Text::RecallAsked { transfer, amount, sender }),
        named("recall asked for you", Text::RecallAskedForYou { transfer, amount, payee }),
        named("given back", Text::GivenBack { transfer, amount, sender, balance }),
        named("got back", Text::GotBack { transfer, returned, payee, balance }),
        named("refunded", Text::Refunded { transfer, returned, payee, balance }),
        named("lapsed", Text::Lapsed { transfer, amount, sender }),
        named("reminder", Text::Reminder { transfer, amount, sender, expires_at }),
        named("cash taken in", Text::CashTakenIn { transfer, amount, customer, commission, balance }),
        named("cash put in", Text::CashPutIn { transfer, amount, charges, agent, balance }),
        named("cash taken out", Text::CashTakenOut { transfer, amount, cash, charges, agent, balance }),
        named("cash to hand over", Text::CashToHandOver { transfer, cash, customer, commission, balance }),
        named("float supplied", Text::FloatSupplied { transfer, amount, balance }),
        named("float withdrawn", Text::FloatWithdrawn { transfer, amount, balance }),
    ];
    let receipts = [
        ("wallet", transfer::Kind::ToWallet, Standing::Done),
        ("password", transfer::Kind::ByPassword, Standing::Waiting),
        ("returned", transfer::Kind::ByPassword, Standing::Returned),
        ("cash-in", transfer::Kind::CashIn, Standing::Done),
        ("cash-out", transfer::Kind::CashOut, Standing::Done),
        ("float", transfer::Kind::Float, Standing::Done),
    ];
    samples.extend(receipts.map(|(name, kind, standing)| {
        named(&format!("receipt, {name}"), Text::ReceiptGenuine { transfer, kind, amount, at, payee, standing })
    }));
    samples
}
