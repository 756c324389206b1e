//! The shapes of fields.

use super::Why;
use crate::Secret;
use crate::sms::mask::is_unseen;

/// A field by its meaning, to say which one is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The payee's number: 4 to 18 digits.
    Payee,
    /// The customer's number: 4 to 18 digits.
    Customer,
    /// See [`TypedAmount`].
    Amount,
    /// 4 to 6 digits.
    Pin,
    /// 4 to 6 digits.
    OldPin,
    /// 4 to 6 digits.
    NewPin,
    /// Withdrawal password: 8 digits.
    Password,
    /// Verification or registration code: 6 digits.
    Code,
    /// 2 to 16 letters and digits.
    AgentCode,
    /// 4 to 24 letters and digits.
    Reference,
    /// 4 to 32 letters and digits.
    ReceiptCode,
    /// 1 to 40 visible characters, at least one a letter.
    Name,
    /// `en`, `fr`, `sw` or `zh`.
    Language,
    /// 4 to 32 letters, digits, `-` and `/`.
    IdNumber,
}

impl Field {
    /// All of them, in an order that stays: new ones come last.
    pub const ALL: &[Self] = &[
        Self::Payee,
        Self::Customer,
        Self::Amount,
        Self::Pin,
        Self::OldPin,
        Self::NewPin,
        Self::Password,
        Self::Code,
        Self::AgentCode,
        Self::Reference,
        Self::ReceiptCode,
        Self::Name,
        Self::Language,
        Self::IdNumber,
    ];
}

/// An amount as somebody typed it: ASCII digits, not zero, perhaps a point with digits on both sides. No sign, no
/// grouping, no exponent, no leading zeros but the one before a point; at most 15 digits, 6 of them behind the
/// point. How many the currency allows is for the domain to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypedAmount {
    digits: u64,
    scale: u8,
}

impl TypedAmount {
    /// All digits as one number: 50050 for `500.50`. Between 1 and 10^15 - 1.
    #[must_use]
    pub fn digits(self) -> u64 {
        self.digits
    }

    /// How many of them were typed behind the point: 2 for `500.50` and for `500.00`. At most 6.
    #[must_use]
    pub fn scale(self) -> u8 {
        self.scale
    }

    fn read(text: &str) -> Option<Self> {
        let (whole, part) = match text.split_once('.') {
            Some((whole, part)) if !part.is_empty() => (whole, part),
            Some(_) => return None,
            None => (text, ""),
        };
        let all_digits = is_digits(whole) && part.bytes().all(|octet| octet.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || !all_digits || leading_zero || whole.len() + part.len() > 15 || part.len() > 6 {
            return None;
        }
        let value = |value: u64, octet: u8| value * 10 + u64::from(octet - b'0');
        let digits = whole.bytes().chain(part.bytes()).fold(0, value);
        (digits > 0).then_some(Self { digits, scale: part.len() as u8 })
    }
}

/// A language of the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// `en`
    English,
    /// `fr`
    French,
    /// `sw`
    Swahili,
    /// `zh`
    Chinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::English, Self::French, Self::Swahili, Self::Chinese];

    /// Its two letters (ISO 639-1).
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::Swahili => "sw",
            Self::Chinese => "zh",
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_digit())
}

/// Digits alone, and at least one of them.
pub(super) fn is_figure(text: &str) -> bool {
    !text.is_empty() && is_digits(text)
}

fn secret_digits(text: &str, lengths: core::ops::RangeInclusive<usize>, field: Field) -> Result<Secret, Why> {
    if lengths.contains(&text.len()) && is_digits(text) { Ok(text.into()) } else { Err(Why::Field(field)) }
}

pub(super) fn pin_as(text: &str, field: Field) -> Result<Secret, Why> {
    secret_digits(text, 4..=6, field)
}

pub(super) fn pin(text: &str) -> Result<Secret, Why> {
    pin_as(text, Field::Pin)
}

pub(super) fn password(text: &str) -> Result<Secret, Why> {
    secret_digits(text, 8..=8, Field::Password)
}

pub(super) fn code(text: &str) -> Result<Secret, Why> {
    secret_digits(text, 6..=6, Field::Code)
}

pub(super) fn amount(text: &str) -> Result<TypedAmount, Why> {
    TypedAmount::read(text).ok_or(Why::Field(Field::Amount))
}

pub(super) fn number(text: &str, field: Field) -> Result<String, Why> {
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => ("+", rest),
        None => ("", text),
    };
    let digits: String = rest.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let good = (4..=18).contains(&digits.len()) && is_digits(&digits);
    if good { Ok(format!("{plus}{digits}")) } else { Err(Why::Field(field)) }
}

/// Letters, digits and what `also` allows, in capitals; spaces and hyphens only group, unless `also` keeps them.
fn word(text: &str, lengths: core::ops::RangeInclusive<usize>, also: &[char], field: Field) -> Result<String, Why> {
    let kept = text.chars().filter(|c| also.contains(c) || !matches!(c, ' ' | '-'));
    let word: String = kept.map(|c| c.to_ascii_uppercase()).collect();
    let allowed = word.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(&c));
    if allowed && lengths.contains(&word.len()) { Ok(word) } else { Err(Why::Field(field)) }
}

pub(super) fn agent_code(text: &str) -> Result<String, Why> {
    word(text, 2..=16, &[], Field::AgentCode)
}

pub(super) fn reference(text: &str) -> Result<String, Why> {
    word(text, 4..=24, &[], Field::Reference)
}

pub(super) fn receipt_code(text: &str) -> Result<String, Why> {
    word(text, 4..=32, &[], Field::ReceiptCode)
}

pub(super) fn id_number(text: &str) -> Result<String, Why> {
    word(text, 4..=32, &['-', '/'], Field::IdNumber)
}

pub(super) fn name(text: &str) -> Result<String, Why> {
    let length = text.chars().count();
    let seen = !text.chars().any(|c| is_unseen(c) || c == char::REPLACEMENT_CHARACTER);
    let good = (1..=40).contains(&length) && seen && text.chars().any(char::is_alphabetic);
    if good { Ok(text.to_owned()) } else { Err(Why::Field(Field::Name)) }
}

pub(super) fn language(text: &str) -> Result<Language, Why> {
    let known = Language::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(text));
    known.ok_or(Why::Field(Field::Language))
}
