//! Field 54: further amounts, such as a balance.

use super::{super::refusal::Refusal, Parts, digits};

const FIELD: u8 = 54;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdditionalAmount {
    /// Kind of account, 2 digits.
    pub account_type: u8,
    /// Kind of amount, 2 digits: 01 ledger balance, 02 available balance.
    pub amount_type: u8,
    /// ISO 4217, 3 digits.
    pub currency: u16,
    /// Minor units; below nought where it is owed.
    pub minor_units: i64,
}

impl AdditionalAmount {
    /// Reads field 54.
    ///
    /// # Errors
    /// Where it is laid out otherwise. An amount of nought is `C`.
    pub fn read(value: &[u8]) -> Result<Vec<Self>, Refusal> {
        let mut parts = Parts::new(FIELD, value);
        let mut amounts = Vec::with_capacity(value.len() / 20);
        while !parts.is_at_end() {
            let (account_type, amount_type) = (parts.number(2)? as u8, parts.number(2)? as u8);
            let (currency, sign) = (parts.number(3)? as u16, parts.octets(1)?[0]);
            let minor_units = match (sign, parts.number(12)? as i64) {
                (b'C', amount) => amount,
                (b'D', amount) if amount > 0 => -amount,
                _ => return Err(parts.refusal()),
            };
            amounts.push(Self { account_type, amount_type, currency, minor_units });
        }
        Ok(amounts)
    }

    /// Writes field 54.
    ///
    /// # Errors
    /// Where a number has too many digits.
    pub fn write(amounts: &[Self]) -> Result<String, Refusal> {
        let mut text = String::with_capacity(amounts.len() * 20);
        for amount in amounts {
            text += &digits(FIELD, amount.account_type.into(), 2)?;
            text += &digits(FIELD, amount.amount_type.into(), 2)?;
            text += &digits(FIELD, amount.currency.into(), 3)?;
            text.push(if amount.minor_units < 0 { 'D' } else { 'C' });
            text += &digits(FIELD, amount.minor_units.unsigned_abs(), 12)?;
        }
        Ok(text)
    }
}
