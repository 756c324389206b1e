//! Field 60 of the institution link: why and with what a message was made.

use super::{super::refusal::Refusal, Parts};

const FIELD: u8 = 60;
const FIXED: usize = 15;

/// Digits, most of them of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceCondition {
    digits: [u8; FIXED],
    rest: [u8; 15],
    rest_length: usize,
}

impl ServiceCondition {
    /// Reads field 60.
    ///
    /// # Errors
    /// Where there are fewer than 15 characters or more than 30, or one is no digit, letter or space.
    pub fn read(value: &[u8]) -> Result<Self, Refusal> {
        let mut parts = Parts::new(FIELD, value);
        let digits = parts.array::<FIXED>()?;
        let rest = parts.rest;
        let fits = value.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b' ') && rest.len() <= 15;
        if !fits {
            return Err(parts.refusal());
        }
        let mut condition = Self { digits, rest: [b' '; 15], rest_length: rest.len() };
        condition.rest[..rest.len()].copy_from_slice(rest);
        Ok(condition)
    }

    /// Why the message was made, 4 digits; `0000` because somebody asked.
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        &self.digits[..4]
    }

    /// What the terminal reads; `5` chips too.
    #[must_use]
    pub fn reading_ability(&self) -> u8 {
        self.digits[5]
    }

    /// Kind of terminal, 2 digits.
    #[must_use]
    pub fn terminal_type(&self) -> &[u8] {
        &self.digits[8..10]
    }

    /// What stands behind the 15, up to 15 more. The third character says which authentication code.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.rest[..self.rest_length]
    }

    /// Writes field 60.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        [&self.digits, self.rest()].concat()
    }
}
