//! The configuration in the words of the rooms that obey it.

use std::num::NonZeroU32;
use std::time::Duration;

use transaction_processing::account::Tier;
use transaction_processing::money::{Currency, LARGEST};
use transaction_processing::number;
use transaction_processing::policy::{self, Policy};
use transaction_processing::{limits, tariff};
use wire::Secret;
use wire::smpp::{self, LinkConfig, Rate, TextTooLong};
use wire::sms;

use super::*;

const MINUTE: u32 = 60;
const HOUR: u32 = 3600;
const DAY: u32 = 86_400;

impl Config {
    /// The operator's decisions. Ceilings that the currency cannot express are left out, and who has none may move nothing;
    /// a loaded configuration has no such ceilings.
    pub fn policy(&self) -> Policy {
        let Config { transfer, pin, codes, registration, spraying, agents, .. } = self;
        let currency = self.ledger.currency.currency();
        Policy {
            currency,
            language: self.ledger.language.into(),
            registered_payee: transfer.registered_payee.into(),
            plain_accepted: self.messages.plain_accepted,
            password_at_agent: agents.password_at_agent,
            withdrawal_period_seconds: transfer.withdrawal_period_days.saturating_mul(DAY),
            reminder_before_seconds: transfer.reminder_before_hours.saturating_mul(HOUR),
            identity_above: agents.identity_above.minor(currency).unwrap_or(0),
            verification_code_seconds: codes.verification_code_minutes.saturating_mul(MINUTE),
            verification_code_tries: codes.verification_code_tries,
            password_tries: codes.password_tries,
            password_first_pause_seconds: codes.password_first_pause_minutes.saturating_mul(MINUTE),
            password_later_pause_seconds: codes.password_later_pause_hours.saturating_mul(HOUR),
            resends: transfer.resends,
            pin_tries: pin.tries,
            pin_lock_seconds: pin.lock_minutes.saturating_mul(MINUTE),
            pin_tries_in_all: pin.tries_in_all,
            one_time_pin_seconds: pin.one_time_minutes.saturating_mul(MINUTE),
            registration_code_seconds: registration.code_minutes.saturating_mul(MINUTE),
            registration_code_tries: registration.code_tries,
            registrations_a_day: registration.codes_per_day,
            repeat_window_seconds: self.repeats.window_hours.saturating_mul(HOUR),
            cash_in_undo_seconds: agents.cash_in_undo_minutes.saturating_mul(MINUTE),
            recall_seconds: transfer.recall_days.saturating_mul(DAY),
            spraying_window_seconds: spraying.window_minutes.saturating_mul(MINUTE),
            spraying_per_agent: spraying.per_agent,
            spraying_per_link: spraying.per_message_centre,
            spraying_in_all: spraying.in_all,
            limits: self.limits.iter().filter_map(|limits| limits.in_minor_units(currency)).collect(),
        }
    }

    /// The tariffs, in the order of the file. One that the currency or the calendar cannot express is left out; a loaded
    /// configuration has none such.
    pub fn terms(&self) -> Vec<tariff::Terms> {
        self.tariff.iter().filter_map(|tariff| tariff.terms(&self.ledger)).collect()
    }

    /// All currencies in use, the ledger's first.
    pub fn currencies(&self) -> Vec<CurrencyCode> {
        let mut all = vec![self.ledger.currency];
        all.extend(&self.ledger.further_currencies);
        all
    }
}

impl Limits {
    /// The ceilings in minor units of their currency, `standard` where none is named.
    pub(super) fn in_minor_units(&self, standard: Currency) -> Option<limits::Limits> {
        let currency = self.currency.map_or(standard, CurrencyCode::currency);
        Some(limits::Limits {
            class: self.class.into(),
            currency,
            least: self.least.minor(currency)?,
            per_transaction: self.per_transaction.minor(currency)?,
            per_day: self.per_day.minor(currency)?,
            per_month: self.per_month.minor(currency)?,
            balance: self.balance.map_or(Some(0), |balance| balance.minor(currency))?,
        })
    }
}

impl Band {
    pub(super) fn in_minor_units(&self, currency: Currency) -> Option<tariff::Band> {
        Some(tariff::Band {
            up_to: self.up_to.minor(currency)?,
            fixed: self.fixed.minor(currency)?,
            per_mille: self.per_mille,
            minimum: self.minimum.minor(currency)?,
            maximum: self.maximum.map_or(Some(LARGEST), |maximum| maximum.minor(currency))?,
        })
    }
}

impl Tariff {
    pub(super) fn terms(&self, ledger: &Ledger) -> Option<tariff::Terms> {
        let currency = self.currency.unwrap_or(ledger.currency).currency();
        Some(tariff::Terms {
            priced: self.request.into(),
            currency,
            effective_from: self.effective_from.time(&ledger.zone)?,
            payer: self.payer.into(),
            bands: self.bands.iter().map(|band| band.in_minor_units(currency)).collect::<Option<Vec<_>>>()?,
            agent_share_per_mille: self.agent_share_per_mille,
            levy_per_mille_of_fee: self.levy_per_mille_of_fee,
            levy_per_mille_of_amount: self.levy_per_mille_of_amount,
            fee_kept_on_return: self.fee_kept_on_return,
        })
    }
}

impl MessageCentre {
    /// How one bind of this centre is opened. `queue` is how many messages may wait in it, `inbound_window` how many of the
    /// centre's messages may be undecided at once.
    ///
    /// # Errors
    /// When a name is longer than its field; never for a loaded configuration.
    pub fn client(
        &self,
        password: Secret,
        queue: usize,
        inbound_window: usize,
    ) -> Result<smpp::ClientConfig, TextTooLong> {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        let rate = NonZeroU32::new(self.rate_per_second);
        let burst = NonZeroU32::new(self.burst).unwrap_or(NonZeroU32::MIN);
        Ok(smpp::ClientConfig {
            system_id: self.system_id.as_str().try_into()?,
            password,
            system_type: self.system_type.as_str().try_into()?,
            kind: self.bind.into(),
            link: LinkConfig {
                window: self.window as usize,
                queue,
                inbound_window,
                rate: rate.map(|per_second| Rate { per_second, burst }),
                throttle_pause: seconds(self.throttled_pause_seconds),
                enquire_link_interval: seconds(self.enquire_link_seconds),
                response_timeout: seconds(self.response_timeout_seconds),
                response_id_form: self.response_id_form.into(),
                receipt_id_form: self.receipt_id_form.into(),
            },
        })
    }
}

/// A word of the configuration is a word of another room.
macro_rules! same {
    ($($from:ty => $to:ty { $($word:ident => $meaning:expr,)* })*) => { $(
        impl From<$from> for $to {
            fn from(word: $from) -> $to {
                match word { $( <$from>::$word => $meaning, )* }
            }
        }
    )* };
}

same! {
    Language => number::Language {
        English => number::Language::English,
        French => number::Language::French,
        Swahili => number::Language::Swahili,
        Chinese => number::Language::Chinese,
    }
    RegisteredPayee => policy::RegisteredPayee {
        Credit => policy::RegisteredPayee::Credit,
        Password => policy::RegisteredPayee::Password,
    }
    Class => limits::Class {
        Entry => limits::Class::Customer(Tier::Entry),
        Standard => limits::Class::Customer(Tier::Standard),
        Full => limits::Class::Customer(Tier::Full),
        NonCustomer => limits::Class::NonCustomer,
    }
    Priced => tariff::Priced {
        Transfer => tariff::Priced::Transfer,
        Withdrawal => tariff::Priced::Withdrawal,
        CashIn => tariff::Priced::CashIn,
        CashOut => tariff::Priced::CashOut,
    }
    Payer => tariff::Payer {
        Sender => tariff::Payer::Sender,
        Payee => tariff::Payer::Payee,
        Operator => tariff::Payer::Operator,
    }
    BindKind => smpp::BindKind {
        Receiver => smpp::BindKind::Receiver,
        Transmitter => smpp::BindKind::Transmitter,
        Transceiver => smpp::BindKind::Transceiver,
    }
    DefaultAlphabet => sms::DefaultAlphabet {
        Gsm7 => sms::DefaultAlphabet::Gsm7Unpacked,
        Gsm7Packed => sms::DefaultAlphabet::Gsm7Packed,
        Latin1 => sms::DefaultAlphabet::Latin1,
    }
    MessageIdForm => smpp::MessageIdForm {
        Verbatim => smpp::MessageIdForm::Verbatim,
        Decimal => smpp::MessageIdForm::Decimal,
        Hexadecimal => smpp::MessageIdForm::Hexadecimal,
    }
}
