//! The small values that PDUs are made of. Texts live inline, so that a PDU costs no allocation but its body.

use core::fmt;
use core::hash::{Hash, Hasher};
use zeroize::Zeroizing;

/// A C-octet string of at most `MAX` octets, its closing NUL not counted; no octet of it is NUL.
#[derive(Clone, Copy)]
pub struct Text<const MAX: usize> {
    length: u8,
    octets: [u8; MAX],
}

/// The text is longer than its field, or contains NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextTooLong;

impl<const MAX: usize> Text<MAX> {
    /// No octets.
    pub const EMPTY: Self = Self { length: 0, octets: [0; MAX] };

    /// Copies `octets`.
    ///
    /// # Errors
    /// When there are more than `MAX` of them, or one is NUL.
    pub fn new(octets: &[u8]) -> Result<Self, TextTooLong> {
        const { assert!(MAX <= u8::MAX as usize) };
        if octets.len() > MAX || octets.contains(&0) {
            return Err(TextTooLong);
        }
        let mut text = Self::EMPTY;
        text.octets[..octets.len()].copy_from_slice(octets);
        text.length = octets.len() as u8;
        Ok(text)
    }

    /// The octets without the closing NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }

    /// The text, if it is UTF-8 (the standard says ASCII, peers say other things).
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(self.as_bytes()).ok()
    }

    /// Whether there are no octets.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl<const MAX: usize> TryFrom<&str> for Text<MAX> {
    type Error = TextTooLong;
    fn try_from(text: &str) -> Result<Self, TextTooLong> {
        Self::new(text.as_bytes())
    }
}

impl<const MAX: usize> Default for Text<MAX> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const MAX: usize> PartialEq for Text<MAX> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const MAX: usize> Eq for Text<MAX> {}

impl<const MAX: usize> Hash for Text<MAX> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

/// message_id: at most 64 octets.
pub type MessageId = Text<64>;

/// A source or destination address (SMPP 3.4, 5.2.5 to 5.2.9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// Type of number: 0 unknown, 1 international, 2 national, 3 network specific (short codes), 5 letters.
    pub ton: u8,
    /// Numbering plan: 0 unknown, 1 E.164.
    pub npi: u8,
    /// Digits or letters, at most 20.
    pub digits: Text<20>,
}

impl Address {
    /// An address of digits or letters.
    ///
    /// # Errors
    /// When `digits` is longer than 20 octets.
    pub fn new(ton: u8, npi: u8, digits: &str) -> Result<Self, TextTooLong> {
        Ok(Self { ton, npi, digits: digits.try_into()? })
    }

    /// An E.164 number in international form; a leading `+` is dropped.
    ///
    /// # Errors
    /// When it is longer than 20 octets.
    pub fn international(digits: &str) -> Result<Self, TextTooLong> {
        Self::new(1, 1, digits.strip_prefix('+').unwrap_or(digits))
    }

    /// A short code in the network's own numbering (TON 3, NPI 0).
    ///
    /// # Errors
    /// When it is longer than 20 octets.
    pub fn short_code(digits: &str) -> Result<Self, TextTooLong> {
        Self::new(3, 0, digits)
    }
}

/// The octets of a message. They may hold a PIN: wiped when dropped, never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body(Zeroizing<Vec<u8>>);

impl From<Vec<u8>> for Body {
    fn from(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }
}

impl From<&[u8]> for Body {
    fn from(octets: &[u8]) -> Self {
        Self(Zeroizing::new(octets.to_vec()))
    }
}

impl core::ops::Deref for Body {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} octets)", self.0.len())
    }
}

/// Optional parameters, kept as they stand on the wire and known to be well formed: tag, length, value.
///
/// message_payload (0424) never stands here: it is the message's [`Body`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tlvs(Vec<u8>);

/// Tags of optional parameters (SMPP 3.4, 5.3.2).
pub mod tag {
    /// receipted_message_id: the id that the receipt is about.
    pub const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    /// user_message_reference, 2 octets.
    pub const USER_MESSAGE_REFERENCE: u16 = 0x0204;
    /// sar_msg_ref_num, 2 octets.
    pub const SAR_REFERENCE: u16 = 0x020C;
    /// sar_total_segments, 1 octet.
    pub const SAR_TOTAL: u16 = 0x020E;
    /// sar_segment_seqnum, 1 octet.
    pub const SAR_NUMBER: u16 = 0x020F;
    /// sc_interface_version, 1 octet.
    pub const INTERFACE_VERSION: u16 = 0x0210;
    /// network_error_code, 3 octets.
    pub const NETWORK_ERROR: u16 = 0x0423;
    /// message_payload.
    pub const MESSAGE_PAYLOAD: u16 = 0x0424;
    /// message_state, 1 octet.
    pub const MESSAGE_STATE: u16 = 0x0427;
}

impl Tlvs {
    /// Checks that `octets` are whole parameters and copies them without message_payload, which is lent out.
    /// `None` when they are malformed or message_payload stands there twice.
    pub(super) fn split(octets: &[u8]) -> Option<(Self, Option<&[u8]>)> {
        let (mut rest, mut kept, mut payload) = (octets, Vec::new(), None);
        while !rest.is_empty() {
            let (tag, value, after) = first(rest)?;
            if tag == tag::MESSAGE_PAYLOAD {
                if payload.replace(value).is_some() {
                    return None;
                }
            } else {
                kept.extend_from_slice(&rest[..rest.len() - after.len()]);
            }
            rest = after;
        }
        Some((Self(kept), payload))
    }

    /// The value of the first parameter with this tag.
    #[must_use]
    pub fn get(&self, tag: u16) -> Option<&[u8]> {
        self.iter().find(|(found, _)| *found == tag).map(|(_, value)| value)
    }

    /// The value of a parameter of one octet.
    #[must_use]
    pub fn octet(&self, tag: u16) -> Option<u8> {
        <[u8; 1]>::try_from(self.get(tag)?).ok().map(|[octet]| octet)
    }

    /// All tags and values in their order on the wire.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &[u8])> {
        let mut rest = self.0.as_slice();
        core::iter::from_fn(move || {
            let (tag, value, after) = first(rest)?;
            rest = after;
            Some((tag, value))
        })
    }

    /// Adds a parameter.
    ///
    /// # Errors
    /// When the tag is message_payload's, which belongs to the body, or the value exceeds 65535 octets.
    pub fn push(&mut self, tag: u16, value: &[u8]) -> Result<(), TextTooLong> {
        let length = u16::try_from(value.len()).map_err(|_| TextTooLong)?;
        if tag == tag::MESSAGE_PAYLOAD {
            return Err(TextTooLong);
        }
        self.0.extend_from_slice(&tag.to_be_bytes());
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
        Ok(())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As they stand on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn first(octets: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (tag, rest) = octets.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((u16::from_be_bytes(*tag), value, rest))
}

impl fmt::Debug for Tlvs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(tag, value)| format!("{tag:04x}: {} octets", value.len()))).finish()
    }
}
