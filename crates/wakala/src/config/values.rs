//! The types of values that the field knows: amounts, currencies, zones, dates, and the closed choices.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use transaction_processing::money::{Currency, LARGEST};
use transaction_processing::time::Time;

use super::field::{Field, Place, text, words};
use super::tree::{Node, Value};

/// An amount as it is written, `"500"` or `"500.50"`, in the currency of its section. Zero is an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    digits: u64,
    scale: u8,
}

impl Amount {
    /// The amount with this many digits behind the point, at most four; none on anything but digits and one point.
    pub fn parse(text: &str) -> Option<Amount> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let only_digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
        let has_bare_point = text.contains('.') && fraction.is_empty();
        if whole.is_empty() || has_bare_point || fraction.len() > 4 || !only_digits(whole) || !only_digits(fraction) {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Amount { digits, scale: u8::try_from(fraction.len()).ok()? })
    }

    /// Minor units of `currency`; none where it has more decimals than the currency or is beyond [`LARGEST`].
    pub fn minor(self, currency: Currency) -> Option<i64> {
        let missing = currency.minor_digits.checked_sub(self.scale)?;
        let factor = 10_u64.checked_pow(u32::from(missing))?;
        i64::try_from(self.digits.checked_mul(factor)?).ok().filter(|minor| *minor <= LARGEST)
    }
}

/// A built-in amount; what is not one is zero, which the tests would show.
pub(super) fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap_or(Amount { digits: 0, scale: 0 })
}

impl Field for Amount {
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
        let written = match &node.value {
            Value::Text(text) | Value::Raw(text) => Amount::parse(text),
            _ => None,
        };
        if written.is_none() {
            place.complain(&node.origin, "must be an amount of whole currency in quotes, \"500\" or \"500.50\"");
        }
        written
    }

    fn write(&self) -> Node {
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.digits, width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if scale == 0 { "" } else { "." };
        Node::default(Value::Text(format!("{whole}{point}{fraction}")))
    }
}

/// A currency by its ISO 4217 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyCode(iso_currency::Currency);

impl CurrencyCode {
    /// The currency with this code, `TZS`; none where ISO 4217 has none, or one without minor units.
    pub fn parse(code: &str) -> Option<CurrencyCode> {
        let found = iso_currency::Currency::from_code(code)?;
        found.exponent().filter(|digits| *digits <= 4).map(|_| CurrencyCode(found))
    }

    /// The currency with this ISO 4217 number; none where there is none.
    pub fn numbered(numeric: u16) -> Option<CurrencyCode> {
        iso_currency::Currency::from_numeric(numeric).map(CurrencyCode)
    }

    /// The code, three letters.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Number and minor digits.
    pub fn currency(self) -> Currency {
        let minor_digits = self.0.exponent().and_then(|digits| u8::try_from(digits).ok()).unwrap_or(0);
        Currency { numeric: self.0.numeric(), minor_digits }
    }
}

/// Tanzania's shilling.
pub(super) const TZS: CurrencyCode = CurrencyCode(iso_currency::Currency::TZS);
/// Kenya's shilling.
pub(super) const KES: CurrencyCode = CurrencyCode(iso_currency::Currency::KES);

impl Field for CurrencyCode {
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
        let code = text(node, place)?;
        let found = CurrencyCode::parse(code);
        if found.is_none() {
            place.complain(
                &node.origin,
                format!("{code:?} is no currency of ISO 4217; write its three capital letters"),
            );
        }
        found
    }

    fn write(&self) -> Node {
        Node::default(Value::Text(self.code().to_owned()))
    }
}

/// A time zone by its name in the tz database, which is built in.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of this name, `Africa/Dar_es_Salaam`.
    pub fn parse(name: &str) -> Option<Zone> {
        TimeZone::get(name).ok().map(Zone)
    }

    /// The zone.
    pub fn time_zone(&self) -> &TimeZone {
        &self.0
    }
}

/// A built-in zone; UTC where the database lacks it, which the tests would show.
pub(super) fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap_or(Zone(TimeZone::UTC))
}

impl Field for Zone {
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
        let name = text(node, place)?;
        let found = Zone::parse(name);
        if found.is_none() {
            place.complain(
                &node.origin,
                format!("{name:?} is no zone of the tz database; write it like Africa/Nairobi"),
            );
        }
        found
    }

    fn write(&self) -> Node {
        Node::default(Value::Text(self.0.iana_name().unwrap_or("UTC").to_owned()))
    }
}

/// From when something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectiveFrom {
    /// The first moment of this day in the ledger's zone.
    Day(Date),
    /// This moment.
    Moment(Timestamp),
}

impl EffectiveFrom {
    /// A date, `2026-01-31`, or a moment of RFC 3339, `2026-01-31T06:00:00+03:00`.
    pub fn parse(text: &str) -> Option<EffectiveFrom> {
        // A date alone would also be taken as the start of something longer, so the longer form is tried first.
        let moment = text.parse::<Timestamp>().ok().map(EffectiveFrom::Moment);
        moment.or_else(|| text.parse::<Date>().ok().filter(|_| text.len() == 10).map(EffectiveFrom::Day))
    }

    /// The moment; none where the zone has no such day within reach of the calendar.
    pub fn time(self, zone: &Zone) -> Option<Time> {
        let moment = match self {
            EffectiveFrom::Day(date) => date.to_zoned(zone.time_zone().clone()).ok()?.timestamp(),
            EffectiveFrom::Moment(moment) => moment,
        };
        Some(Time(moment.as_millisecond()))
    }
}

/// A built-in day.
pub(super) const fn day(year: i16, month: i8, day: i8) -> EffectiveFrom {
    EffectiveFrom::Day(civil::date(year, month, day))
}

impl Field for EffectiveFrom {
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
        let written = match &node.value {
            Value::Text(text) | Value::Raw(text) | Value::Moment(text) => EffectiveFrom::parse(text),
            _ => None,
        };
        if written.is_none() {
            place.complain(&node.origin, "must be a date, \"2026-01-31\", or a moment, \"2026-01-31T06:00:00+03:00\"");
        }
        written
    }

    fn write(&self) -> Node {
        let text = match self {
            EffectiveFrom::Day(date) => date.to_string(),
            EffectiveFrom::Moment(moment) => moment.to_string(),
        };
        Node::default(Value::Text(text))
    }
}

words! {
    /// The language of those who chose none.
    Language {
        /// English.
        English = "en",
        /// French.
        French = "fr",
        /// Swahili.
        Swahili = "sw",
        /// Chinese.
        Chinese = "zh",
    }
}

words! {
    /// What stands by for a PostgreSQL server.
    Standbys {
        /// Servers for which every commit waits.
        Synchronous = "synchronous",
        /// Nothing.
        None = "none",
    }
}

words! {
    /// What to do while another process has the database.
    InUse {
        /// Wait until it lets go of it.
        Wait = "wait",
        /// Refuse to start.
        Refuse = "refuse",
    }
}

words! {
    /// What a payee who is a customer gets.
    RegisteredPayee {
        /// The money in the wallet, at once.
        Credit = "credit",
        /// A withdrawal password, like everyone.
        Password = "password",
    }
}

words! {
    /// To whom ceilings apply.
    Class {
        /// Customers registered from the handset alone.
        Entry = "entry",
        /// Customers whose identity was seen.
        Standard = "standard",
        /// Customers whose identity was verified with documents.
        Full = "full",
        /// Payees who are not customers.
        NonCustomer = "non_customer",
    }
}

impl Class {
    /// All of them; each needs ceilings.
    pub const ALL: [Class; 4] = [Class::Entry, Class::Standard, Class::Full, Class::NonCustomer];
}

words! {
    /// What a tariff prices.
    Priced {
        /// Sending money to a number.
        Transfer = "transfer",
        /// Taking a waiting transfer out in cash.
        Withdrawal = "withdrawal",
        /// Paying cash into a wallet.
        CashIn = "cash_in",
        /// Taking cash out of a wallet.
        CashOut = "cash_out",
    }
}

impl Priced {
    /// All of them; each needs a tariff.
    pub const ALL: [Priced; 4] = [Priced::Transfer, Priced::Withdrawal, Priced::CashIn, Priced::CashOut];
}

words! {
    /// Who bears a charge.
    Payer {
        /// The sender, on top of the amount.
        Sender = "sender",
        /// The payee, out of the amount.
        Payee = "payee",
        /// The operator.
        Operator = "operator",
    }
}

words! {
    /// The directions of a bind.
    BindKind {
        /// Only from the message centre.
        Receiver = "receiver",
        /// Only to the message centre.
        Transmitter = "transmitter",
        /// Both.
        Transceiver = "transceiver",
    }
}

words! {
    /// What data_coding 0 means at a message centre.
    DefaultAlphabet {
        /// GSM 7-bit, one character an octet.
        Gsm7 = "gsm7",
        /// GSM 7-bit, packed.
        Gsm7Packed = "gsm7_packed",
        /// ISO 8859-1.
        Latin1 = "latin1",
    }
}

words! {
    /// How a message centre writes message ids.
    MessageIdForm {
        /// Compared octet by octet.
        Verbatim = "verbatim",
        /// A decimal number.
        Decimal = "decimal",
        /// A hexadecimal number.
        Hexadecimal = "hexadecimal",
    }
}

words! {
    /// The form of log lines.
    LogFormat {
        /// JSON where standard error is no terminal, text where it is.
        Auto = "auto",
        /// One JSON object a line.
        Json = "json",
        /// For people.
        Text = "text",
    }
}

words! {
    /// The least important events that are logged.
    LogLevel {
        /// Only what needs a person.
        Error = "error",
        /// And what may come to need one.
        Warn = "warn",
        /// And what the platform does.
        Info = "info",
        /// And how it does it.
        Debug = "debug",
        /// And every step.
        Trace = "trace",
    }
}
