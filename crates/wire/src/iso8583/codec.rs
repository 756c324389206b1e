//! Messages to octets and back, by a link's table. Strict: what is read and written again is the same octets.

use super::{
    Message, Mti,
    field::Packing,
    profile::{Covers, LinkProfile},
    refusal::{Place, Refusal, Why},
};
use core::fmt;
use zeroize::Zeroizing;

/// A message that was read and whose authentication code was not judged yet. [`Self::verified`] alone gives it out to be acted upon.
pub struct Received {
    message: Message,
    covered: Option<Zeroizing<Vec<u8>>>,
    code_field: u8,
}

/// Why a message is not taken, or not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure<E> {
    /// It does not fit the link.
    Refused(Refusal),
    /// Its authentication code is wrong: answer `A0`, change nothing.
    NotAuthentic,
    /// Whoever makes or checks codes did not do it.
    Code(E),
}

impl<E> From<Refusal> for Failure<E> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotAuthentic => f.write_str("the message is not authentic"),
            Self::Code(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for Failure<E> {}

impl Received {
    /// What it says, not to be believed: enough to find the keys of its sender and to answer that it is not authentic.
    #[must_use]
    pub fn unproven(&self) -> &Message {
        &self.message
    }

    /// The message, if it is authentic. `verifies` gets what the code covers, and the code; it is not asked of messages that have none.
    ///
    /// # Errors
    /// [`Failure::NotAuthentic`], [`Failure::Code`].
    pub fn verified<E>(self, verifies: impl FnOnce(&[u8], &[u8]) -> Result<bool, E>) -> Result<Message, Failure<E>> {
        if let Some(covered) = &self.covered {
            let stated = self.message.get(self.code_field).unwrap_or_default();
            if !verifies(covered, stated).map_err(Failure::Code)? {
                return Err(Failure::NotAuthentic);
            }
        }
        Ok(self.message)
    }
}

impl LinkProfile {
    /// Reads a message behind its frame.
    ///
    /// # Errors
    /// The first [`Refusal`]; a code that is missing is one.
    pub fn read(&self, octets: &[u8]) -> Result<Received, Refusal> {
        let message = self.decode(octets)?;
        let code_field = self.style.code_field();
        let covered = match message.get(code_field) {
            Some(_) => Some(self.covered(&message)?),
            None if self.needs_code(message.mti()) => return Err(Refusal::new(Place::Field(code_field), Why::Missing)),
            None => None,
        };
        Ok(Received { message, covered, code_field })
    }

    /// Writes a message, without its frame, and with the code that `code` makes of what it covers, where this kind has one.
    ///
    /// # Errors
    /// [`Failure::Refused`] where the message does not fit the link, [`Failure::Code`].
    pub fn write<E>(
        &self,
        message: &Message,
        code: impl FnOnce(&[u8]) -> Result<[u8; 8], E>,
    ) -> Result<Vec<u8>, Failure<E>> {
        if !self.needs_code(message.mti()) {
            return Ok(self.encode(message)?);
        }
        let mut message = message.clone();
        message.set(self.style.code_field(), code(&self.covered(&message)?).map_err(Failure::Code)?);
        Ok(self.encode(&message)?)
    }

    /// The octets that the code of a message covers, whether it has one yet or not.
    ///
    /// # Errors
    /// Where the message does not fit the link.
    pub fn covered(&self, message: &Message) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        match &self.covers {
            Covers::Everything => {
                let code = [0; 8];
                let mut octets = Zeroizing::new(self.encode(&message.clone().with(self.style.code_field(), code))?);
                let length = octets.len() - code.len();
                octets.truncate(length);
                Ok(octets)
            }
            Covers::Fields(numbers) => Ok(self.selected(message, numbers)),
        }
    }

    fn selected(&self, message: &Message, numbers: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::new());
        for number in numbers {
            let value = if *number == 0 { Some(&message.mti().digits()[..]) } else { message.get(*number) };
            let Some(mut value) = value else { continue };
            if *number == 90 {
                value = &value[..value.len().min(20)];
            }
            let is_ll = self.field(*number).is_some_and(|row| matches!(row.length, super::Length::Ll(_)));
            let length = if is_ll { format!("{:02}", value.len()) } else { String::new() };
            text.push(b' ');
            text.extend(length.bytes().chain(value.iter().copied()).filter_map(kept));
            text.push(b' ');
        }
        // Trimming each and joining by one space is squeezing all.
        text.dedup_by(|next, last| *next == b' ' && *last == b' ');
        let inside = text.trim_ascii().len();
        let before = usize::from(text.first() == Some(&b' '));
        text.drain(..before);
        text.truncate(inside);
        text
    }

    /// Reads a message without asking for a code.
    fn decode(&self, octets: &[u8]) -> Result<Message, Refusal> {
        let (packing, mut rest) = (self.style.packing(), octets);
        let mut message = Message::new(read_mti(packing, &mut rest)?);
        let bitmap = rest.split_off(..self.style.bitmap()).ok_or(Refusal::new(Place::Bitmap, Why::Truncated))?;
        // The first bit says whether there is a second bitmap, which each style always or never has.
        if (bitmap[0] & 0x80 != 0) != (bitmap.len() == 16) {
            return Err(Refusal::new(Place::Bitmap, Why::Unknown));
        }
        for number in (2..=(bitmap.len() * 8) as u8).filter(|number| has_bit(bitmap, *number)) {
            let row = self.field(number).ok_or(Refusal::new(Place::Field(number), Why::Unknown))?;
            message.insert(number, row.read(packing, &mut rest)?);
        }
        if rest.is_empty() { Ok(message) } else { Err(Refusal::new(Place::End, Why::Trailing)) }
    }

    fn encode(&self, message: &Message) -> Result<Vec<u8>, Refusal> {
        let packing = self.style.packing();
        let mut out = Vec::with_capacity(512);
        let [a, b, c, d] = message.mti().digits().map(|digit| digit - b'0');
        match packing {
            Packing::Bcd => out.extend([a << 4 | b, c << 4 | d]),
            Packing::Ascii => out.extend_from_slice(message.mti().digits()),
        }
        let start = out.len();
        out.resize(start + self.style.bitmap(), 0);
        if self.style.bitmap() == 16 {
            out[start] |= 0x80;
        }
        for (number, value) in message.fields() {
            let row = self.field(number).ok_or(Refusal::new(Place::Field(number), Why::Unknown))?;
            let bit = usize::from(number) - 1;
            out[start + bit / 8] |= 0x80 >> (bit % 8);
            row.write(packing, value, &mut out)?;
        }
        Ok(out)
    }
}

fn read_mti(packing: Packing, octets: &mut &[u8]) -> Result<Mti, Refusal> {
    let size = if packing == Packing::Bcd { 2 } else { 4 };
    let taken = octets.split_off(..size).ok_or(Refusal::new(Place::Mti, Why::Truncated))?;
    let digits: Vec<u8> = match packing {
        Packing::Bcd => taken.iter().flat_map(|octet| [b'0' + (octet >> 4), b'0' + (octet & 0xF)]).collect(),
        Packing::Ascii => taken.to_vec(),
    };
    Mti::parse(&digits).ok_or(Refusal::new(Place::Mti, Why::Unknown))
}

fn has_bit(bitmap: &[u8], number: u8) -> bool {
    let bit = usize::from(number) - 1;
    bitmap[bit / 8] & 0x80 >> (bit % 8) != 0
}

/// What an octet is where a code covers chosen fields; most are nothing.
fn kept(octet: u8) -> Option<u8> {
    let octet = octet.to_ascii_uppercase();
    (octet.is_ascii_alphanumeric() || matches!(octet, b' ' | b',' | b'.')).then_some(octet)
}
