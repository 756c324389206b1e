//! What the operator decides: figures of `rules`, as the configuration gives them. They are the same for every decision of a
//! batch, and a decision depends on nothing else but books, request and moment.

use alloc::vec::Vec;

use crate::limits::{Class, Limits};
use crate::money::Currency;
use crate::number::Language;

/// What happens to a transfer whose payee is a customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegisteredPayee {
    /// Credited at once.
    Credit,
    /// A withdrawal password, as for everyone (the way of the original system).
    Password,
}

/// The operator's decisions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The currency of new customers' wallets.
    pub currency: Currency,
    /// The language of those who chose none.
    pub language: Language,
    /// What a registered payee gets.
    pub registered_payee: RegisteredPayee,
    /// Whether messages in plain are served at all.
    pub plain_accepted: bool,
    /// Whether an agent may complete a withdrawal with the password alone (`GW`).
    pub password_at_agent: bool,
    /// How long a transfer waits.
    pub withdrawal_period_seconds: u32,
    /// How long before the end of it the payee is reminded.
    pub reminder_before_seconds: u32,
    /// Above this, minor units, an agent must give the number of the identity document.
    pub identity_above: i64,
    /// How long a verification code lives.
    pub verification_code_seconds: u32,
    /// Wrong verification codes a transfer stands, in all.
    pub verification_code_tries: u8,
    /// Wrong withdrawal passwords until a payee's claims pause.
    pub password_tries: u8,
    /// The first pause.
    pub password_first_pause_seconds: u32,
    /// Every later pause.
    pub password_later_pause_seconds: u32,
    /// New withdrawal passwords that a sender may have sent for one transfer.
    pub resends: u8,
    /// Wrong PINs until a pause.
    pub pin_tries: u8,
    /// That pause.
    pub pin_lock_seconds: u32,
    /// Wrong PINs in a row until only care can help.
    pub pin_tries_in_all: u8,
    /// How long a one-time PIN lives.
    pub one_time_pin_seconds: u32,
    /// How long a registration code lives.
    pub registration_code_seconds: u32,
    /// Wrong tries at a registration, by code or PIN, until a new code must be asked for.
    pub registration_code_tries: u8,
    /// Registration codes sent to one number a day.
    pub registrations_a_day: u8,
    /// How long a message with an effect is known, so that its repeat has none.
    pub repeat_window_seconds: u32,
    /// How long an agent may ask a cash-in back.
    pub cash_in_undo_seconds: u32,
    /// How long the sender of a credited transfer may ask it back.
    pub recall_seconds: u32,
    /// The window in which failures are counted against spraying.
    pub spraying_window_seconds: u32,
    /// Failures in the window at which an agent's claims stop.
    pub spraying_per_agent: u32,
    /// Failures in the window at which a link's attempts stop.
    pub spraying_per_link: u32,
    /// Failures in the window at which all attempts stop.
    pub spraying_in_all: u32,
    /// The ceilings, one for each class and currency in use.
    pub limits: Vec<Limits>,
}

impl Policy {
    /// Of books that are read and never asked to decide: nothing is allowed, every figure is nought.
    pub const fn of_no_decisions(currency: Currency) -> Policy {
        Policy {
            currency,
            language: Language::English,
            registered_payee: RegisteredPayee::Credit,
            plain_accepted: false,
            password_at_agent: false,
            withdrawal_period_seconds: 0,
            reminder_before_seconds: 0,
            identity_above: 0,
            verification_code_seconds: 0,
            verification_code_tries: 0,
            password_tries: 0,
            password_first_pause_seconds: 0,
            password_later_pause_seconds: 0,
            resends: 0,
            pin_tries: 0,
            pin_lock_seconds: 0,
            pin_tries_in_all: 0,
            one_time_pin_seconds: 0,
            registration_code_seconds: 0,
            registration_code_tries: 0,
            registrations_a_day: 0,
            repeat_window_seconds: 0,
            cash_in_undo_seconds: 0,
            recall_seconds: 0,
            spraying_window_seconds: 0,
            spraying_per_agent: 0,
            spraying_per_link: 0,
            spraying_in_all: 0,
            limits: Vec::new(),
        }
    }

    /// The ceilings of a class. A class without any may move nothing: fail closed.
    pub fn limits(&self, class: Class, currency: Currency) -> Limits {
        let found = self.limits.iter().find(|limits| limits.class == class && limits.currency == currency);
        found.copied().unwrap_or(Limits {
            class,
            currency,
            least: 1,
            per_transaction: 0,
            per_day: 0,
            per_month: 0,
            balance: 0,
        })
    }
}
