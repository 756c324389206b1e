//! Octets in one strict form: what is read and written again is the same octets. Integers are big-endian; what has no length
//! of its own stands behind one octet that tells it.

use crate::Moment;
use thiserror::Error;

/// Why octets are not what they should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Undecodable {
    /// They end too early.
    #[error("too short")]
    Short,
    /// Something stands behind their end.
    #[error("octets behind the end")]
    Trailing,
    /// More than any of this kind may have.
    #[error("too long")]
    TooLong,
    /// Of a version that this end does not speak.
    #[error("version {0} is not spoken here")]
    Version(u8),
    /// A number that names nothing.
    #[error("{0} names no {1}")]
    Unknown(u8, &'static str),
    /// Right in length, wrong in content.
    #[error("no {0}")]
    Malformed(&'static str),
}

/// What was not read yet.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Undecodable> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Undecodable::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Undecodable> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Undecodable::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn octet(&mut self) -> Result<u8, Undecodable> {
        self.array().map(|[octet]| octet)
    }

    pub(crate) fn short(&mut self) -> Result<u32, Undecodable> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Undecodable> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn moment(&mut self) -> Result<Moment, Undecodable> {
        self.number().map(Moment)
    }

    /// What stands behind its length.
    pub(crate) fn measured(&mut self) -> Result<&'a [u8], Undecodable> {
        let length = self.octet()?;
        self.take(usize::from(length))
    }

    /// The first octet of whatever has a version.
    pub(crate) fn version(&mut self, spoken: u8) -> Result<(), Undecodable> {
        match self.octet()? {
            version if version == spoken => Ok(()),
            other => Err(Undecodable::Version(other)),
        }
    }

    /// All was read.
    pub(crate) fn end(self) -> Result<(), Undecodable> {
        if self.0.is_empty() { Ok(()) } else { Err(Undecodable::Trailing) }
    }
}

/// Writes a field behind its length.
///
/// # Panics
/// If the field is longer than 255 octets; no field of this crate is.
pub(crate) fn measured(out: &mut Vec<u8>, field: &[u8]) {
    out.push(u8::try_from(field.len()).expect("no field has more than 255 octets"));
    out.extend_from_slice(field);
}
