//! A small world around the books: staff, agents with float, customers with PINs, a message for every request, and an
//! auditor who looks at every row.
#![allow(dead_code, reason = "each test program uses its own part of the world")]
pub mod auditor;
pub mod naive;
pub mod say;
pub mod world;

use transaction_processing::account::{Proof, Proofs, Tier};
use transaction_processing::ids::{AccountId, AgentCode, SystemAccount};
use transaction_processing::limits::{Class, Limits};
use transaction_processing::number::{Language, Private};
use transaction_processing::policy::{Policy, RegisteredPayee};
use transaction_processing::tariff::{Band, Payer, Priced, Terms};
use transaction_processing::time::Time;
use transaction_processing::{Currency, Money, Msisdn};

#[allow(unused_imports, reason = "each test program uses its own part of the world")]
pub use say::{Link, Say};
#[allow(unused_imports, reason = "each test program uses its own part of the world")]
pub use world::{Answer, Message, World};

/// The currency of the tests: two decimal digits, so that 100 minor units are one.
pub const TZS: Currency = Currency { numeric: 834, minor_digits: 2 };
/// Another one.
pub const KES: Currency = Currency { numeric: 404, minor_digits: 2 };

/// A customer with money.
pub const SENDER: u64 = 255_712_000_001;
/// Another customer, without money at first.
pub const CUSTOMER: u64 = 255_712_000_002;
/// A number without an account.
pub const STRANGER: u64 = 255_712_000_003;
/// Another number without an account.
pub const OTHER_STRANGER: u64 = 255_712_000_004;
/// The number of the agent [`AGENT`].
pub const AGENT_PHONE: u64 = 255_712_000_011;
/// The number of the agent [`OTHER_AGENT`].
pub const OTHER_AGENT_PHONE: u64 = 255_712_000_012;
/// A number that is the agent's own beside [`AGENT_PHONE`].
pub const AGENTS_OTHER_PHONE: u64 = 255_712_000_013;

/// An agent with float.
pub const AGENT: u32 = 1001;
/// Another one.
pub const OTHER_AGENT: u32 = 1002;

/// Everybody's PIN at first.
pub const PIN: u32 = 48_213;
/// A wrong one.
pub const WRONG: u32 = 55_555;
/// A PIN that is too easily guessed.
pub const WEAK: u32 = 1234;

/// What the sender has at first.
pub const PURSE: i64 = 8_000_00;
/// What an agent has at first, before the sender's purse was taken in.
pub const FLOAT: i64 = 50_000_00;
/// What was issued at first.
pub const ISSUED: i64 = 1_000_000_00;

pub const MINUTE: u32 = 60;
pub const HOUR: u32 = 3600;
pub const DAY: u32 = 86_400;

pub fn number(digits: u64) -> Msisdn {
    Msisdn::new(digits).unwrap()
}

pub fn money(minor: i64) -> Money {
    Money::new(minor, TZS).unwrap()
}

pub fn agent(code: u32) -> AgentCode {
    AgentCode(code)
}

pub fn of(role: SystemAccount) -> AccountId {
    role.id(TZS)
}

/// What is proved; kept apart so that a PIN never proves a code.
#[derive(Clone, Copy)]
pub enum Secret {
    Pin,
    Code,
}

/// A stand-in for the keyed proof: a mixing of key version, purpose, number and secret that no two of them share.
pub fn proof(version: u32, what: Secret, of: u64, secret: u32) -> Proof {
    let mut tag = [0; 32];
    tag[..8].copy_from_slice(&of.to_be_bytes());
    tag[8..12].copy_from_slice(&secret.to_be_bytes());
    tag[12] = what as u8;
    tag[14..18].copy_from_slice(&version.to_be_bytes());
    Proof { version, tag }
}

/// The proofs of a typed secret under the live key versions, newest first.
pub fn proofs(versions: &[u32], what: Secret, of: u64, secret: u32) -> Proofs {
    Proofs::new(versions.iter().map(|version| proof(*version, what, of, secret)).collect()).unwrap()
}

pub fn private(text: &str) -> Private {
    Private { commitment: [text.len() as u8; 32], sealed: text.as_bytes().to_vec() }
}

/// The figures of the rules, with small ceilings.
pub fn policy() -> Policy {
    let limits = |class, factor: i64| Limits {
        class,
        currency: TZS,
        least: 1_00,
        per_transaction: 5_000_00 * factor,
        per_day: 10_000_00 * factor,
        per_month: 30_000_00 * factor,
        balance: 20_000_00 * factor,
    };
    Policy {
        currency: TZS,
        language: Language::English,
        registered_payee: RegisteredPayee::Credit,
        plain_accepted: true,
        password_at_agent: false,
        withdrawal_period_seconds: 7 * DAY,
        reminder_before_seconds: DAY,
        identity_above: 2_000_00,
        verification_code_seconds: 30 * MINUTE,
        verification_code_tries: 3,
        password_tries: 3,
        password_first_pause_seconds: 30 * MINUTE,
        password_later_pause_seconds: DAY,
        resends: 3,
        pin_tries: 3,
        pin_lock_seconds: 30 * MINUTE,
        pin_tries_in_all: 10,
        one_time_pin_seconds: HOUR,
        registration_code_seconds: 30 * MINUTE,
        registration_code_tries: 3,
        registrations_a_day: 3,
        repeat_window_seconds: 72 * HOUR,
        cash_in_undo_seconds: 15 * MINUTE,
        recall_seconds: 3 * DAY,
        spraying_window_seconds: HOUR,
        spraying_per_agent: 20,
        spraying_per_link: 40,
        spraying_in_all: 60,
        limits: vec![
            limits(Class::Customer(Tier::Entry), 1),
            limits(Class::Customer(Tier::Standard), 10),
            limits(Class::Customer(Tier::Full), 1000),
            Limits {
                class: Class::NonCustomer,
                currency: TZS,
                least: 2_00,
                per_transaction: 3_000_00,
                per_day: 4_000_00,
                per_month: 6_000_00,
                balance: 0,
            },
        ],
    }
}

/// A tariff in force from the beginning: 10 + 1 % of the amount, 40 % of it the agent's, a levy of 5 % of the fee and 0.2 %
/// of the amount.
pub fn terms(priced: Priced, payer: Payer) -> Terms {
    Terms {
        priced,
        currency: TZS,
        effective_from: Time(0),
        payer,
        bands: vec![Band { up_to: 10_000_00, fixed: 10_00, per_mille: 10, minimum: 11_00, maximum: 60_00 }],
        agent_share_per_mille: 400,
        levy_per_mille_of_fee: 50,
        levy_per_mille_of_amount: 2,
        fee_kept_on_return: false,
    }
}
