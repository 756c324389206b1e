//! The user data header (3GPP TS 23.040, 9.2.3.24) and the two ways to say that a message is one of several parts.

use crate::smpp::{ESM_UDHI, ShortMessage, Tlvs, tag};

/// Concatenated short messages, 8-bit reference.
pub(super) const CONCATENATION_8: u8 = 0x00;
/// Concatenated short messages, 16-bit reference.
pub(super) const CONCATENATION_16: u8 = 0x08;

/// A body, taken apart.
pub(super) struct UserData<'a> {
    /// The header's information elements without its length octet; empty without a header.
    pub(super) elements: &'a [u8],
    /// What follows the header.
    pub(super) payload: &'a [u8],
}

impl<'a> UserData<'a> {
    /// `None` when the header is longer than the body, or its elements than the header.
    pub(super) fn of(message: &'a ShortMessage) -> Option<Self> {
        let body = &message.body[..];
        if message.esm_class & ESM_UDHI == 0 && !is_bare_concatenation(message.data_coding, body) {
            return Some(Self { elements: &[], payload: body });
        }
        let (&length, rest) = body.split_first()?;
        let (header, payload) = rest.split_at_checked(usize::from(length))?;
        let whole: usize = elements(header).map(|(_, value)| 2 + value.len()).sum();
        (whole == header.len()).then_some(Self { elements: header, payload })
    }

    /// Bits between the header and the first septet of packed text.
    pub(super) fn fill(&self) -> u8 {
        if self.elements.is_empty() { 0 } else { ((7 - (self.elements.len() + 1) * 8 % 7) % 7) as u8 }
    }
}

/// The information elements of a header: identifier and value.
pub(super) fn elements(mut header: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    core::iter::from_fn(move || {
        let (&[identifier, length], rest) = header.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked(usize::from(length))?;
        header = rest;
        Some((identifier, value))
    })
}

/// What a SIM makes itself may lack the UDHI bit and must be read as if it were set (GSM 03.48, 6.1). Only 8-bit
/// bodies that begin with exactly the header of one part of a few are taken for such.
fn is_bare_concatenation(data_coding: u8, body: &[u8]) -> bool {
    let binary = matches!(data_coding, 0x02 | 0x04 | 0xF4..=0xF7);
    let part = match *body {
        [0x05 | 0x07, CONCATENATION_8, 3, _, total, number, ..]
        | [0x06 | 0x08, CONCATENATION_16, 4, _, _, total, number, ..] => {
            (2..=8).contains(&total) && (1..=total).contains(&number)
        }
        _ => false,
    };
    binary && part
}

/// Which part of which message this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) reference: u16,
    /// 16-bit and 8-bit references never meet.
    pub(super) wide: bool,
    pub(super) total: u8,
    pub(super) number: u8,
}

impl Part {
    /// From the header, else from the sar TLVs. `None` for a message that is whole, or whose numbers make no sense.
    pub(super) fn of(header: &[u8], tlvs: &Tlvs) -> Option<Self> {
        let part = elements(header).find_map(|element| match element {
            (CONCATENATION_8, &[reference, total, number]) => {
                Some(Self { reference: reference.into(), wide: false, total, number })
            }
            (CONCATENATION_16, &[high, low, total, number]) => {
                Some(Self { reference: u16::from_be_bytes([high, low]), wide: true, total, number })
            }
            _ => None,
        });
        let part = part.or_else(|| Self::of_tlvs(tlvs))?;
        (part.total > 1 && (1..=part.total).contains(&part.number)).then_some(part)
    }

    fn of_tlvs(tlvs: &Tlvs) -> Option<Self> {
        Some(Self {
            reference: u16::from_be_bytes(tlvs.get(tag::SAR_REFERENCE)?.try_into().ok()?),
            wide: true,
            total: tlvs.octet(tag::SAR_TOTAL)?,
            number: tlvs.octet(tag::SAR_NUMBER)?,
        })
    }
}

/// The elements that do not say which part this is.
pub(super) fn without_concatenation(header: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for (identifier, value) in elements(header) {
        if !matches!(identifier, CONCATENATION_8 | CONCATENATION_16) {
            kept.extend([identifier, value.len() as u8]);
            kept.extend_from_slice(value);
        }
    }
    kept
}
