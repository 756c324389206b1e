//! The domain's values as JSON, by hand: how amounts, numbers and moments look to machines. People see the same through the
//! tables of [`crate::cli`].

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use transaction_processing::account::{Status, Tier};
use transaction_processing::ids::{AccountId, SystemAccount};
use transaction_processing::time::Time;
use transaction_processing::transfer::{Kind, ReturnCause};
use transaction_processing::{Currency, Money, Msisdn};

use crate::config::Zone;

/// Whether numbers are written whole. Lists shorten them unless asked otherwise: fewer eyes see fewer numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbers {
    /// `+255712000002`.
    Full,
    /// `255…002`.
    Short,
}

impl From<bool> for Numbers {
    fn from(full: bool) -> Numbers {
        if full { Numbers::Full } else { Numbers::Short }
    }
}

/// A number.
pub fn number(msisdn: Msisdn, numbers: Numbers) -> Value {
    match numbers {
        Numbers::Full => crate::uplink::international(msisdn).into(),
        Numbers::Short => crate::observe::Shortened(msisdn).to_string().into(),
    }
}

/// The letters of a currency, or its number where it has none.
pub fn currency(currency: Currency) -> String {
    iso_currency::Currency::from_numeric(currency.numeric)
        .map_or_else(|| format!("{:03}", currency.numeric), |known| known.code().to_owned())
}

/// An amount as `{"amount":"500.50","currency":"TZS"}`.
pub fn money(amount: Money) -> Value {
    balance(amount.minor(), amount.currency())
}

/// A balance, which may be below zero and above what one [`Money`] holds.
pub fn balance(minor: i64, of: Currency) -> Value {
    sum(i128::from(minor), of)
}

/// A sum of balances.
pub fn sum(minor: i128, of: Currency) -> Value {
    json!({ "amount": decimal(minor, of.minor_digits), "currency": currency(of) })
}

/// Minor units in whole currency with so many decimals.
pub fn decimal(minor: i128, minor_digits: u8) -> String {
    let behind = usize::from(minor_digits);
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = behind + 1);
    let (whole, fraction) = digits.split_at(digits.len() - behind);
    let sign = if minor < 0 { "-" } else { "" };
    let point = if behind > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{fraction}")
}

/// A moment in the ledger's zone, to the second.
pub fn moment(time: Time, zone: &Zone) -> Value {
    let at = Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::MAX).to_zoned(zone.time_zone().clone());
    at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().into()
}

/// A moment that may not have come.
pub fn moment_if(time: Option<Time>, zone: &Zone) -> Value {
    time.map_or(Value::Null, |time| moment(time, zone))
}

/// An object without the entries that say nothing.
pub fn object<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The word for an account's status.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Frozen => "frozen",
        Status::Closed => "closed",
    }
}

/// The word for a tier.
pub fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Entry => "entry",
        Tier::Standard => "standard",
        Tier::Full => "full",
    }
}

/// What a transfer is.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ToWallet => "to wallet",
        Kind::ByPassword => "by password",
        Kind::CashIn => "cash-in",
        Kind::CashOut => "cash-out",
        Kind::Float => "float",
    }
}

/// Why a transfer went back.
pub fn cause(cause: ReturnCause) -> &'static str {
    match cause {
        ReturnCause::Recall => "recalled by the sender",
        ReturnCause::Expiry => "nobody claimed it in time",
        ReturnCause::Consent => "the payee agreed",
        ReturnCause::Care => "decided by staff",
    }
}

/// The name of one of the platform's own accounts.
pub fn system_account(role: SystemAccount) -> &'static str {
    match role {
        SystemAccount::Trust => "trust account",
        SystemAccount::TransfersInFlight => "transfers in flight",
        SystemAccount::Fees => "fees",
        SystemAccount::Levies => "levies",
        SystemAccount::Remainders => "remainders",
        SystemAccount::UnclaimedMoney => "unclaimed money",
        SystemAccount::OperatorFunds => "operator's funds",
    }
}

/// An account's name in the books.
pub fn account(id: AccountId) -> Value {
    id.0.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_their_decimals_whatever_their_sign() {
        for (minor, digits, written) in [
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (50_050, 2, "500.50"),
            (500, 0, "500"),
            (-1_234_567, 3, "-1234.567"),
            (i128::from(i64::MIN), 2, "-92233720368547758.08"),
        ] {
            assert_eq!(decimal(minor, digits), written);
        }
    }

    #[test]
    fn moments_stand_in_the_ledgers_zone() {
        let zone = Zone::parse("Africa/Dar_es_Salaam").expect("a zone");
        assert_eq!(moment(Time(1_767_225_600_000), &zone), "2026-01-01T03:00:00+03:00");
    }
}
