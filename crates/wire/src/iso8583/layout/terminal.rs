//! Fields 60 and 61 of the point-of-sale link: which of a terminal's transactions this is, and which one it is about.

use super::{super::refusal::Refusal, Parts, digits};

/// Field 60: what kind of transaction, in which batch; in messages of the network, which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalBatch {
    /// Kind of transaction, 2 digits; see [`Transaction::terminal_type`](crate::iso8583::Transaction::terminal_type).
    pub kind: u8,
    /// Batch of the terminal, 6 digits.
    pub batch: u32,
    /// Message of the network, 3 digits: 001, 003 and 004 sign-on with keys of single and double length and with a track key, 002 sign-off, 201
    /// settlement, 301 echo.
    pub network: Option<u16>,
    /// What terminals say of themselves, up to 6 digits.
    pub more: String,
}

const BATCH: u8 = 60;

impl TerminalBatch {
    /// Reads field 60.
    ///
    /// # Errors
    /// Where there are other than 8, or 11 to 17 digits.
    pub fn read(value: &[u8]) -> Result<Self, Refusal> {
        let mut parts = Parts::new(BATCH, value);
        let (kind, batch) = (parts.number(2)? as u8, parts.number(6)? as u32);
        let network = if parts.is_at_end() { None } else { Some(parts.number(3)? as u16) };
        let more = core::str::from_utf8(parts.rest).map_err(|_| parts.refusal())?;
        if more.len() > 6 || !more.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(parts.refusal());
        }
        Ok(Self { kind, batch, network, more: more.to_owned() })
    }

    /// Writes field 60.
    ///
    /// # Errors
    /// Where a number has too many digits.
    pub fn write(&self) -> Result<String, Refusal> {
        let network = self.network.map(|network| digits(BATCH, network.into(), 3)).transpose()?.unwrap_or_default();
        Ok(digits(BATCH, self.kind.into(), 2)? + &digits(BATCH, self.batch.into(), 6)? + &network + &self.more)
    }
}

/// Field 61: the transaction that a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginalTransaction {
    /// Its batch, 6 digits.
    pub batch: u32,
    /// Its trace number, 6 digits.
    pub trace: u32,
    /// Month and day, 2 digits each, where it is not of today.
    pub date: Option<(u8, u8)>,
}

const ORIGINAL: u8 = 61;

impl OriginalTransaction {
    /// Reads field 61.
    ///
    /// # Errors
    /// Where there are other than 12 or 16 digits.
    pub fn read(value: &[u8]) -> Result<Self, Refusal> {
        let mut parts = Parts::new(ORIGINAL, value);
        let (batch, trace) = (parts.number(6)? as u32, parts.number(6)? as u32);
        let date = if parts.is_at_end() { None } else { Some((parts.number(2)? as u8, parts.number(2)? as u8)) };
        parts.end()?;
        Ok(Self { batch, trace, date })
    }

    /// Writes field 61.
    ///
    /// # Errors
    /// Where a number has too many digits.
    pub fn write(&self) -> Result<String, Refusal> {
        let text = digits(ORIGINAL, self.batch.into(), 6)? + &digits(ORIGINAL, self.trace.into(), 6)?;
        let Some((month, day)) = self.date else { return Ok(text) };
        Ok(text + &digits(ORIGINAL, month.into(), 2)? + &digits(ORIGINAL, day.into(), 2)?)
    }
}
