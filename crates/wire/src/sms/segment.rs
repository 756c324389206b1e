//! From text or octets to the parts of a short message (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8).

use super::coding::DefaultAlphabet;
use super::gsm7;
use super::udh::{CONCATENATION_8, CONCATENATION_16};
use crate::smpp::{Body, ESM_UDHI, ShortMessage};

/// Octets of user data in one short message.
const OCTETS: usize = 140;
const SEPTETS: usize = 160;

/// Joins the parts of one message: the same in all of them, another in the next message to the same phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// 8 bits: room for one character more a part.
    Narrow(u8),
    /// 16 bits: does not repeat so soon.
    Wide(u16),
}

impl Reference {
    /// The octets of its information element.
    fn size(self) -> usize {
        match self {
            Self::Narrow(_) => 5,
            Self::Wide(_) => 6,
        }
    }

    fn put(self, header: &mut Vec<u8>, total: u8, number: u8) {
        match self {
            Self::Narrow(reference) => header.extend([CONCATENATION_8, 3, reference, total, number]),
            Self::Wide(reference) => {
                let [high, low] = reference.to_be_bytes();
                header.extend([CONCATENATION_16, 4, high, low, total, number]);
            }
        }
    }
}

/// One part, ready for a PDU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Whether the body begins with a user data header.
    pub has_header: bool,
    /// data_coding.
    pub data_coding: u8,
    /// Header and payload.
    pub body: Body,
}

impl Segment {
    /// A copy of `template` that carries this part: its body, data_coding and the UDHI bit of esm_class are set.
    #[must_use]
    pub fn into_message(self, template: &ShortMessage) -> ShortMessage {
        let udhi = if self.has_header { ESM_UDHI } else { 0 };
        ShortMessage {
            esm_class: template.esm_class & !ESM_UDHI | udhi,
            data_coding: self.data_coding,
            body: self.body,
            ..template.clone()
        }
    }
}

/// More parts would be needed than are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// How a text goes out, with the data_coding that says so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Default(DefaultAlphabet),
    Ucs2,
}

impl Writing {
    /// The alphabet of the centre when every character is in it, else UCS-2. Where the default is Latin-1, the
    /// centre translates it for the air: only what both alphabets have is safe, and septets are what counts.
    fn of(text: &str, alphabet: DefaultAlphabet) -> Self {
        let latin1 = alphabet == DefaultAlphabet::Latin1;
        let known = |c: char| gsm7::cost(c).is_some() && (!latin1 || c as u32 <= 0xFF);
        if text.chars().all(known) { Self::Default(alphabet) } else { Self::Ucs2 }
    }

    fn data_coding(self) -> u8 {
        if self == Self::Ucs2 { 0x08 } else { 0x00 }
    }

    /// Septets, or UTF-16 units.
    fn cost(self, character: char) -> usize {
        match self {
            Self::Default(_) => gsm7::cost(character).unwrap_or(1),
            Self::Ucs2 => character.len_utf16(),
        }
    }

    /// Room in a message alone, and in each part: 160/153/152, or 70/67/66.
    fn room(self, reference: Option<Reference>) -> usize {
        let header = reference.map_or(0, |reference| 1 + reference.size());
        match self {
            Self::Default(_) => SEPTETS - (header * 8).div_ceil(7),
            Self::Ucs2 => (OCTETS - header) / 2,
        }
    }

    fn write(self, text: &str, header: &[u8]) -> Body {
        let mut body = Vec::with_capacity(header.len() + text.len() * 2);
        body.extend_from_slice(header);
        match self {
            Self::Ucs2 => body.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Self::Default(DefaultAlphabet::Latin1) => body.extend(text.chars().map(|character| character as u8)),
            Self::Default(DefaultAlphabet::Gsm7Unpacked) => body.extend(gsm7::encode(text).unwrap_or_default()),
            Self::Default(DefaultAlphabet::Gsm7Packed) => {
                let fill = (7 - header.len() * 8 % 7) % 7;
                body.extend(gsm7::pack(&gsm7::encode(text).unwrap_or_default(), fill as u8));
            }
        }
        body.into()
    }

    /// Pieces of at most `room` units. A character, and so an escape or a surrogate pair, is never split.
    fn pieces(self, text: &str, room: usize) -> Vec<&str> {
        let (mut pieces, mut start, mut used) = (Vec::new(), 0, 0);
        for (at, character) in text.char_indices() {
            let cost = self.cost(character);
            if used + cost > room {
                pieces.push(&text[start..at]);
                (start, used) = (at, 0);
            }
            used += cost;
        }
        pieces.push(&text[start..]);
        pieces
    }

    fn split(self, text: &str, reference: Reference) -> Vec<&str> {
        let alone = self.pieces(text, self.room(None));
        if alone.len() == 1 { alone } else { self.pieces(text, self.room(Some(reference))) }
    }
}

/// How many parts a text takes: for catalogues that must prove that a text fits.
#[must_use]
pub fn part_count(text: &str, alphabet: DefaultAlphabet, reference: Reference) -> usize {
    Writing::of(text, alphabet).split(text, reference).len()
}

/// Cuts a text into parts: in the default alphabet if it holds every character, else in UCS-2.
///
/// # Errors
/// When it needs more than `most` parts.
pub fn segment_text(
    text: &str,
    alphabet: DefaultAlphabet,
    reference: Reference,
    most: u8,
) -> Result<Vec<Segment>, TooLong> {
    let writing = Writing::of(text, alphabet);
    let pieces = writing.split(text, reference);
    let total = u8::try_from(pieces.len()).ok().filter(|total| *total <= most).ok_or(TooLong)?;
    let segment = |(number, piece): (u8, &str)| {
        let header = header(&[], (total > 1).then_some((reference, total, number)));
        Segment {
            has_header: !header.is_empty(),
            data_coding: writing.data_coding(),
            body: writing.write(piece, &header),
        }
    };
    Ok((1..=total).zip(pieces).map(segment).collect())
}

/// Cuts octets into parts. `elements` are further information elements for the header, as `70 00` for a secured
/// packet; they stand in the first part only.
///
/// # Errors
/// When it needs more than `most` parts, or `elements` leave no room.
pub fn segment_binary(
    elements: &[u8],
    payload: &[u8],
    data_coding: u8,
    reference: Reference,
    most: u8,
) -> Result<Vec<Segment>, TooLong> {
    let alone = header(elements, None);
    let segment = |header: &[u8], piece: &[u8]| Segment {
        has_header: !header.is_empty(),
        data_coding,
        body: [header, piece].concat().into(),
    };
    if alone.len() + payload.len() <= OCTETS && most > 0 {
        return Ok(vec![segment(&alone, payload)]);
    }
    let later_room = OCTETS - 1 - reference.size();
    let first_room = later_room.checked_sub(elements.len()).ok_or(TooLong)?;
    let (first, later) = payload.split_at(payload.len().min(first_room));
    let total = 1 + later.len().div_ceil(later_room);
    let total = u8::try_from(total).ok().filter(|total| *total <= most).ok_or(TooLong)?;
    let mut segments = vec![segment(&header(elements, Some((reference, total, 1))), first)];
    for (number, piece) in (2..=total).zip(later.chunks(later_room)) {
        segments.push(segment(&header(&[], Some((reference, total, number))), piece));
    }
    Ok(segments)
}

/// A user data header with its length octet; empty when nothing stands in it. Concatenation comes first.
fn header(elements: &[u8], part: Option<(Reference, u8, u8)>) -> Vec<u8> {
    let mut header = vec![0];
    if let Some((reference, total, number)) = part {
        reference.put(&mut header, total, number);
    }
    header.extend_from_slice(elements);
    match header.len() - 1 {
        0 => Vec::new(),
        length => {
            header[0] = length as u8;
            header
        }
    }
}
