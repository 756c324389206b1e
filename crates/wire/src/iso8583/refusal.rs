//! Why octets are no message, or a message has no octets. Nothing here holds a value of a field.

use core::fmt;

/// Where something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Length, TPDU or header.
    Frame,
    /// The message type indicator.
    Mti,
    /// The bitmap.
    Bitmap,
    /// A field, by its number.
    Field(u8),
    /// Behind the last field.
    End,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The octets end too early.
    Truncated,
    /// Octets are left over.
    Trailing,
    /// It is none that this link has.
    Unknown,
    /// Longer than it may be.
    TooLong,
    /// Not as long as it must be.
    Length,
    /// A length is not written in digits.
    LengthDigits,
    /// A digit is none.
    Digit,
    /// A character is not of the field's alphabet.
    Character,
    /// What fills up a last octet is not nought.
    Padding,
    /// It must be there and is not.
    Missing,
    /// The inside of the field is not laid out as it should be.
    Layout,
}

/// A refusal, by name and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// Where.
    pub place: Place,
    /// What.
    pub why: Why,
}

impl Refusal {
    pub(super) const fn new(place: Place, why: Why) -> Self {
        Self { place, why }
    }

    pub(super) const fn layout(field: u8) -> Self {
        Self::new(Place::Field(field), Why::Layout)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Frame => f.write_str("frame"),
            Place::Mti => f.write_str("message type"),
            Place::Bitmap => f.write_str("bitmap"),
            Place::Field(number) => write!(f, "field {number}"),
            Place::End => f.write_str("end"),
        }?;
        f.write_str(match self.why {
            Why::Truncated => ": ends too early",
            Why::Trailing => ": octets are left over",
            Why::Unknown => ": not known on this link",
            Why::TooLong => ": longer than it may be",
            Why::Length => ": not as long as it must be",
            Why::LengthDigits => ": a length that is not in digits",
            Why::Digit => ": a digit that is none",
            Why::Character => ": a character that does not belong there",
            Why::Padding => ": padding that is not nought",
            Why::Missing => ": missing",
            Why::Layout => ": not laid out as it should be",
        })
    }
}

impl core::error::Error for Refusal {}
