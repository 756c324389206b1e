//! From the octets of a message to its text.

use super::gsm7;
use super::udh::UserData;
use crate::Secret;
use crate::smpp::ShortMessage;

/// What data_coding 00, "the centre's default alphabet", means with an operator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DefaultAlphabet {
    /// GSM 7-bit, one septet an octet: most centres.
    #[default]
    Gsm7Unpacked,
    /// GSM 7-bit, packed as on the air.
    Gsm7Packed,
    /// Latin-1, which the centre turns into GSM 7-bit for the air.
    Latin1,
}

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// The GSM alphabet, in the centre's way.
    Default,
    /// ASCII.
    Ascii,
    /// Latin-1.
    Latin1,
    /// UTF-16, big-endian.
    Ucs2,
    /// Not text.
    Binary,
}

/// Why a body has no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is binary.
    Binary,
    /// Its data_coding is unknown, or says that it is compressed.
    UnknownCoding,
    /// Its user data header is longer than itself, or UTF-16 ends amid a unit.
    Malformed,
}

impl Coding {
    /// By data_coding: up to 0F SMPP's own table (3.4, 5.2.19), above it that of TS 23.038, clause 4. `None` for
    /// what is reserved or compressed.
    #[must_use]
    pub fn of(data_coding: u8) -> Option<Self> {
        Some(match data_coding {
            0x00 => Self::Default,
            0x01 => Self::Ascii,
            0x03 => Self::Latin1,
            0x02 | 0x04 => Self::Binary,
            0x08 => Self::Ucs2,
            0x10..=0x1F => match data_coding & 0x0C {
                0x00 => Self::Default,
                0x04 => Self::Binary,
                0x08 => Self::Ucs2,
                _ => return None,
            },
            0xC0..=0xDF | 0xF0..=0xF3 => Self::Default,
            0xE0..=0xEF => Self::Ucs2,
            0xF4..=0xF7 => Self::Binary,
            _ => return None,
        })
    }
}

/// The text of a whole message, behind its user data header if it has one.
///
/// # Errors
/// See [`Unreadable`].
pub fn read(message: &ShortMessage, alphabet: DefaultAlphabet) -> Result<Secret, Unreadable> {
    let data = UserData::of(message).ok_or(Unreadable::Malformed)?;
    decode_behind(message.data_coding, alphabet, data.payload, data.fill())
}

/// The text of octets that stand alone.
///
/// # Errors
/// See [`Unreadable`].
pub fn decode(data_coding: u8, alphabet: DefaultAlphabet, octets: &[u8]) -> Result<Secret, Unreadable> {
    decode_behind(data_coding, alphabet, octets, 0)
}

pub(super) fn decode_behind(
    data_coding: u8,
    alphabet: DefaultAlphabet,
    octets: &[u8],
    fill: u8,
) -> Result<Secret, Unreadable> {
    match (Coding::of(data_coding).ok_or(Unreadable::UnknownCoding)?, alphabet) {
        (Coding::Binary, _) => Err(Unreadable::Binary),
        (Coding::Ucs2, _) => utf16(octets),
        (Coding::Ascii, _) => {
            let character = |octet: u8| if octet.is_ascii() { char::from(octet) } else { char::REPLACEMENT_CHARACTER };
            Ok(characters(octets, character))
        }
        (Coding::Latin1, _) | (Coding::Default, DefaultAlphabet::Latin1) => Ok(characters(octets, char::from)),
        (Coding::Default, DefaultAlphabet::Gsm7Unpacked) => Ok(gsm7::decode(octets)),
        (Coding::Default, DefaultAlphabet::Gsm7Packed) => {
            let septets = zeroize::Zeroizing::new(gsm7::unpack(octets, fill));
            Ok(gsm7::decode(&septets))
        }
    }
}

fn characters(octets: &[u8], character: impl Fn(u8) -> char) -> Secret {
    let mut text = String::with_capacity(octets.len() * 3);
    text.extend(octets.iter().map(|&octet| character(octet)));
    Secret::new(text)
}

fn utf16(octets: &[u8]) -> Result<Secret, Unreadable> {
    let (units, []) = octets.as_chunks::<2>() else { return Err(Unreadable::Malformed) };
    let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
    let mut text = String::with_capacity(octets.len() * 2);
    text.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use DefaultAlphabet::{Gsm7Packed, Gsm7Unpacked, Latin1};
    use proptest::prelude::*;

    #[test]
    fn texts() {
        type Case = (u8, DefaultAlphabet, &'static [u8], Result<&'static str, Unreadable>);
        let cases: [Case; 12] = [
            (0x00, Gsm7Unpacked, b"\x00\x1b\x65", Ok("@€")),
            (0x00, Gsm7Packed, &[0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37], Ok("hellohello")),
            (0x00, Latin1, b"@\xe9", Ok("@é")),
            (0xF1, Gsm7Unpacked, b"\x00", Ok("@")),
            (0x01, Gsm7Unpacked, b"@a\x80", Ok("@a\u{fffd}")),
            (0x03, Gsm7Packed, b"\xe9", Ok("é")),
            (0x08, Gsm7Unpacked, &[0x4F, 0x60, 0xD8, 0x3D, 0xDE, 0x00], Ok("你😀")),
            (0x08, Gsm7Unpacked, &[0xD8, 0x3D], Ok("\u{fffd}")),
            (0x08, Gsm7Unpacked, &[0x4F], Err(Unreadable::Malformed)),
            (0xF6, Gsm7Unpacked, b"abc", Err(Unreadable::Binary)),
            (0x04, Gsm7Unpacked, b"abc", Err(Unreadable::Binary)),
            (0x20, Gsm7Unpacked, b"abc", Err(Unreadable::UnknownCoding)),
        ];
        for (coding, alphabet, octets, expected) in cases {
            let text = decode(coding, alphabet, octets);
            assert_eq!(text.as_ref().map(Secret::expose).map_err(|why| *why), expected, "{coding:02x} {alphabet:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_octets_never_panic(
            data_coding: u8, esm_class: u8, body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let message = ShortMessage { data_coding, esm_class, body: body.into(), ..Default::default() };
            for alphabet in [Gsm7Unpacked, Gsm7Packed, Latin1] {
                let _ = read(&message, alphabet);
            }
        }
    }
}
