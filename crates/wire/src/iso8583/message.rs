//! A message: its type and its fields, whichever link it is from.

use super::{Mti, ResponseCode};
use core::fmt;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The fields that a log may show: none that names a person, an account or a card, none with a secret, none with free text.
/// Whatever is not here is shown as its length: 2, 14, 35, 36, 45, 48, 52, 55, 61, 62, 63, 96, 102 and all that nobody thought of.
const SHOWN: &[u8] =
    &[3, 4, 7, 11, 12, 13, 15, 18, 22, 23, 25, 26, 28, 32, 33, 37, 39, 41, 42, 49, 53, 60, 70, 90, 100];

/// A message. Values are as the standard names them, whatever the link makes of them: digits as ASCII, a separator of tracks as
/// `=` or `D`, binary as it is. They are wiped on drop, and [`Debug`](fmt::Debug) shows only those that may be seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    mti: Mti,
    fields: BTreeMap<u8, Zeroizing<Vec<u8>>>,
}

impl Message {
    /// Without fields.
    #[must_use]
    pub const fn new(mti: Mti) -> Self {
        Self { mti, fields: BTreeMap::new() }
    }

    /// The answer to this message, with the fields of it that are named and field 39; `None` for an answer.
    #[must_use]
    pub fn answer(&self, response: ResponseCode, kept: &[u8]) -> Option<Self> {
        let mut answer = Self::new(self.mti.answer()?);
        answer.fields = self.fields.iter().filter(|(number, _)| kept.contains(number)).map(owned).collect();
        Some(answer.with(39, response.code()))
    }

    /// What kind it is.
    #[must_use]
    pub fn mti(&self) -> Mti {
        self.mti
    }

    /// The same with a field more, or another value of it. Whether it fits is judged where the message is written.
    #[must_use]
    pub fn with(mut self, number: u8, value: impl AsRef<[u8]>) -> Self {
        self.set(number, value);
        self
    }

    /// Sets a field.
    pub fn set(&mut self, number: u8, value: impl AsRef<[u8]>) {
        self.insert(number, Zeroizing::new(value.as_ref().to_vec()));
    }

    pub(super) fn insert(&mut self, number: u8, value: Zeroizing<Vec<u8>>) {
        self.fields.insert(number, value);
    }

    /// Takes a field away.
    pub fn remove(&mut self, number: u8) {
        self.fields.remove(&number);
    }

    /// The value of a field, the caller's to guard.
    #[must_use]
    pub fn get(&self, number: u8) -> Option<&[u8]> {
        self.fields.get(&number).map(|value| value.as_slice())
    }

    /// The same as text; `None` too where it is none.
    #[must_use]
    pub fn text(&self, number: u8) -> Option<&str> {
        self.get(number).and_then(|value| core::str::from_utf8(value).ok())
    }

    /// Field 39, if it is a code that is known.
    #[must_use]
    pub fn response(&self) -> Option<ResponseCode> {
        self.get(39).and_then(ResponseCode::parse)
    }

    /// The fields that are there, in order.
    pub fn fields(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.fields.iter().map(|(number, value)| (*number, value.as_slice()))
    }
}

fn owned((number, value): (&u8, &Zeroizing<Vec<u8>>)) -> (u8, Zeroizing<Vec<u8>>) {
    (*number, value.clone())
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(self.mti.digits()).unwrap_or("?"))?;
        for (number, value) in self.fields() {
            if SHOWN.contains(&number) {
                write!(f, " {number}={}", value.escape_ascii())?;
            } else {
                write!(f, " {number}=({} octets)", value.len())?;
            }
        }
        Ok(())
    }
}
