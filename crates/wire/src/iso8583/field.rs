//! Fields: what they may hold, how long they may be, and how they stand on a link.

use super::refusal::{Place, Refusal, Why};
use zeroize::Zeroizing;

/// What a field holds (ISO 8583:1987, 4.2, attributes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Digits; where packed, two an octet, and an odd one has a nought behind it.
    N,
    /// Digits of which, where packed, an odd number has a nought before it: field 23.
    NRight,
    /// A track: digits and separators.
    Z,
    /// Letters and digits, and spaces to fill them up.
    An,
    /// Anything but control characters; not ASCII alone, for names of merchants come in other codes.
    Ans,
    /// Octets.
    B,
}

/// How long a field is: digits of [`Kind::N`] and [`Kind::Z`], octets of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Always so long.
    Fixed(usize),
    /// At most so long, behind two digits that say how long.
    Ll(usize),
    /// At most so long, behind three.
    Lll(usize),
}

/// One row of a link's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// 2 to 128.
    pub number: u8,
    /// What it holds.
    pub kind: Kind,
    /// How long it is.
    pub length: Length,
}

/// How digits stand on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Two an octet.
    Bcd,
    /// One an octet.
    Ascii,
}

impl Field {
    /// A row.
    #[must_use]
    pub const fn new(number: u8, kind: Kind, length: Length) -> Self {
        Self { number, kind, length }
    }

    const fn refusal(&self, why: Why) -> Refusal {
        Refusal::new(Place::Field(self.number), why)
    }

    /// Takes the field from the front of `octets`.
    pub(super) fn read(&self, packing: Packing, octets: &mut &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let length = match self.length {
            Length::Fixed(length) => length,
            Length::Ll(most) => self.read_length(packing, 2, most, octets)?,
            Length::Lll(most) => self.read_length(packing, 3, most, octets)?,
        };
        let packed = packing == Packing::Bcd && self.is_packed();
        let size = if packed { length.div_ceil(2) } else { length };
        let taken = octets.split_off(..size).ok_or(self.refusal(Why::Truncated))?;
        let value = if packed { self.unpack(taken, length)? } else { Zeroizing::new(taken.to_vec()) };
        self.check(&value)?;
        Ok(value)
    }

    /// Puts the field behind `out`.
    pub(super) fn write(&self, packing: Packing, value: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.check(value)?;
        match self.length {
            Length::Fixed(length) if value.len() == length => {}
            Length::Fixed(_) => return Err(self.refusal(Why::Length)),
            Length::Ll(most) => self.write_length(packing, 2, most, value.len(), out)?,
            Length::Lll(most) => self.write_length(packing, 3, most, value.len(), out)?,
        }
        if packing == Packing::Bcd && self.is_packed() {
            self.pack(value, out);
        } else {
            out.extend_from_slice(value);
        }
        Ok(())
    }

    const fn is_packed(&self) -> bool {
        matches!(self.kind, Kind::N | Kind::NRight | Kind::Z)
    }

    fn check(&self, value: &[u8]) -> Result<(), Refusal> {
        let (fits, why): (fn(&u8) -> bool, Why) = match self.kind {
            Kind::N | Kind::NRight => (u8::is_ascii_digit, Why::Digit),
            Kind::Z => (|octet| octet.is_ascii_digit() || matches!(octet, b'=' | b'D'), Why::Digit),
            Kind::An => (|octet| octet.is_ascii_alphanumeric() || *octet == b' ', Why::Character),
            Kind::Ans => (|octet| !octet.is_ascii_control(), Why::Character),
            Kind::B => return Ok(()),
        };
        if value.iter().all(fits) { Ok(()) } else { Err(self.refusal(why)) }
    }

    fn read_length(&self, packing: Packing, digits: usize, most: usize, octets: &mut &[u8]) -> Result<usize, Refusal> {
        let size = if packing == Packing::Bcd { digits.div_ceil(2) } else { digits };
        let taken = octets.split_off(..size).ok_or(self.refusal(Why::Truncated))?;
        let mut length = 0;
        for octet in taken {
            let (high, low) = match packing {
                Packing::Bcd => (octet >> 4, octet & 0xF),
                Packing::Ascii => (0, octet.wrapping_sub(b'0')),
            };
            if high > 9 || low > 9 {
                return Err(self.refusal(Why::LengthDigits));
            }
            length = match packing {
                Packing::Bcd => length * 100 + usize::from(high) * 10 + usize::from(low),
                Packing::Ascii => length * 10 + usize::from(low),
            };
        }
        if length > most { Err(self.refusal(Why::TooLong)) } else { Ok(length) }
    }

    fn write_length(
        &self,
        packing: Packing,
        digits: usize,
        most: usize,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        if length > most {
            return Err(self.refusal(Why::TooLong));
        }
        let digit = |at: u32| (length / 10_usize.pow(at) % 10) as u8;
        match packing {
            Packing::Bcd => {
                let octets = digits.div_ceil(2) as u32;
                out.extend((0..octets).rev().map(|at| digit(2 * at + 1) << 4 | digit(2 * at)));
            }
            Packing::Ascii => out.extend((0..digits as u32).rev().map(|at| b'0' + digit(at))),
        }
        Ok(())
    }

    /// Whether an odd number of digits has its nought before it.
    fn pads_before(&self, length: usize) -> bool {
        self.kind == Kind::NRight && length % 2 == 1
    }

    fn unpack(&self, octets: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut digits = Zeroizing::new(Vec::with_capacity(length + 1));
        for nibble in octets.iter().flat_map(|octet| [octet >> 4, octet & 0xF]) {
            digits.push(match nibble {
                0..=9 => b'0' + nibble,
                0xD if self.kind == Kind::Z => b'=',
                _ => return Err(self.refusal(Why::Digit)),
            });
        }
        if digits.len() > length {
            let padding = if self.pads_before(length) { digits.remove(0) } else { digits.pop().unwrap_or(b'0') };
            if padding != b'0' {
                return Err(self.refusal(Why::Padding));
            }
        }
        Ok(digits)
    }

    fn pack(&self, value: &[u8], out: &mut Vec<u8>) {
        let nibble = |octet: u8| if octet.is_ascii_digit() { octet - b'0' } else { 0xD };
        let before = usize::from(self.pads_before(value.len()));
        let at = |place: usize| {
            place.checked_sub(before).and_then(|place| value.get(place)).map_or(0, |octet| nibble(*octet))
        };
        out.extend((0..value.len().div_ceil(2)).map(|pair| at(2 * pair) << 4 | at(2 * pair + 1)));
    }
}
