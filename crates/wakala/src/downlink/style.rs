//! How amounts, numbers and times are written, as the configuration gives it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use thiserror::Error;
use transaction_processing::money::{Currency, Money};
use transaction_processing::msisdn::Msisdn;
use transaction_processing::number::Language;
use transaction_processing::time::Time;

/// How people's numbers are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NumberForm {
    /// `+255712000002`.
    International,
    /// `0712000002` for numbers of this country, [`NumberForm::International`] for all others.
    National {
        /// The country's calling code, 1 to 3 digits.
        calling_code: String,
        /// What stands in its place at home, 0 to 2 digits.
        trunk_prefix: String,
    },
}

/// How amounts, numbers and times are written.
#[derive(Clone, Debug)]
pub struct Style {
    zone: TimeZone,
    numbers: NumberForm,
    care: String,
}

/// What is wrong with a style.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum StyleError {
    /// The calling code is not 1 to 3 digits, or the trunk prefix not 0 to 2.
    #[error("a calling code has 1 to 3 digits, a trunk prefix at most 2")]
    NumberForm,
    /// The number of customer care is not 1 to 16 digits, perhaps behind a plus.
    #[error("the number of customer care has 1 to 16 digits, the first may be a plus")]
    Care,
}

/// A moment, taken apart in the ledger's zone.
pub(super) struct Moment {
    pub(super) month: i8,
    pub(super) day: i8,
    /// 24 hours: `14:30`.
    pub(super) clock: String,
}

impl Style {
    /// The longest number of customer care, the plus counted.
    pub const LONGEST_CARE: usize = 16;

    /// Times in the ledger's `zone`; `care` is the number that people call for help, 1 to 16 digits, the first may be a
    /// plus.
    ///
    /// # Errors
    /// When a text might not fit its messages, or not be readable, with these.
    pub fn new(zone: TimeZone, numbers: NumberForm, care: &str) -> Result<Style, StyleError> {
        let are_digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        if let NumberForm::National { calling_code, trunk_prefix } = &numbers {
            let short = (1..=3).contains(&calling_code.len()) && trunk_prefix.len() <= 2;
            if !short || !are_digits(calling_code) || !are_digits(trunk_prefix) {
                return Err(StyleError::NumberForm);
            }
        }
        let digits = care.strip_prefix('+').unwrap_or(care);
        if digits.is_empty() || care.len() > Style::LONGEST_CARE || !are_digits(digits) {
            return Err(StyleError::Care);
        }
        Ok(Style { zone, numbers, care: care.to_owned() })
    }

    pub(super) fn care(&self) -> &str {
        &self.care
    }

    pub(super) fn number(&self, number: Msisdn) -> String {
        let digits = number.digits().to_string();
        if let NumberForm::National { calling_code, trunk_prefix } = &self.numbers
            && let Some(rest) = digits.strip_prefix(calling_code.as_str())
        {
            return format!("{trunk_prefix}{rest}");
        }
        format!("+{digits}")
    }

    pub(super) fn moment(&self, time: Time) -> Moment {
        // Beyond the year 9999 it is always the last moment; no notice tells such a time.
        let at = Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::MAX).to_zoned(self.zone.clone());
        Moment { month: at.month(), day: at.day(), clock: format!("{:02}:{:02}", at.hour(), at.minute()) }
    }
}

/// `TZS 1,234.50`.
pub(super) fn money(amount: Money, language: Language) -> String {
    let name = currency_name(amount.currency());
    format!("{name} {}", bare(amount, language))
}

/// `1,234.50`: an amount whose currency stands before it in the same text.
pub(super) fn bare(amount: Money, language: Language) -> String {
    decimal(amount.minor().unsigned_abs(), amount.currency().minor_digits, language)
}

/// `+1,234.50` or `-1,234.50`.
pub(super) fn change(minor: i64, currency: Currency, language: Language) -> String {
    let sign = if minor < 0 { '-' } else { '+' };
    format!("{sign}{}", decimal(minor.unsigned_abs(), currency.minor_digits, language))
}

/// The letters of ISO 4217, or its number where the list of letters does not know it.
fn currency_name(currency: Currency) -> String {
    iso_currency::Currency::from_numeric(currency.numeric)
        .map_or_else(|| format!("{:03}", currency.numeric), |known| known.code().to_owned())
}

/// The point is the decimal sign in every language, because it is the only one that a request may have: who copies an amount
/// into a request must not be refused. Thousands are set apart by a comma, in French by a space (the narrow one is not in
/// GSM-7), in Chinese not at all: as its banks write, and 70 characters are few.
fn decimal(minor: u64, minor_digits: u8, language: Language) -> String {
    let behind = usize::from(minor_digits);
    let digits = format!("{minor:0>width$}", width = behind + 1);
    let (whole, fraction) = digits.split_at(digits.len() - behind);
    let separator = match language {
        Language::English | Language::Swahili => Some(','),
        Language::French => Some(' '),
        Language::Chinese => None,
    };
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.extend(separator);
        }
        text.push(digit);
    }
    if behind > 0 {
        text.push('.');
        text.push_str(fraction);
    }
    text
}
