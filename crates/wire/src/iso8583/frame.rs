//! What stands around a message: where it ends, and between whom it travels.

use super::{
    profile::Style,
    refusal::{Place, Refusal, Why},
};

/// No frame of either link is longer, in octets.
pub const LONGEST_FRAME: usize = 9_999;

const fn refusal(why: Why) -> Refusal {
    Refusal::new(Place::Frame, why)
}

/// Transport protocol data unit of the point-of-sale link: which terminal network, which host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tpdu {
    /// To whom.
    pub destination: [u8; 2],
    /// From whom.
    pub source: [u8; 2],
}

const TPDU_ID: u8 = 0x60;

/// Header of the institution link, whose length and version are always 46 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstitutionHeader {
    /// To whom.
    pub destination: InstitutionId,
    /// From whom.
    pub source: InstitutionId,
    /// As it came.
    pub reserved: [u8; 3],
    /// As it came.
    pub batch: u8,
    /// As it came.
    pub transaction_info: [u8; 8],
    /// As it came.
    pub user_info: u8,
    /// Why the switch gave a message back; `00000` where it did not.
    pub reject_code: [u8; 5],
}

/// An institution: up to 11 letters and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstitutionId([u8; 11]);

impl InstitutionId {
    /// `None` unless it is 1 to 11 letters and digits.
    #[must_use]
    pub fn new(id: &str) -> Option<Self> {
        let fits = (1..=11).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
        fits.then(|| Self(core::array::from_fn(|at| id.as_bytes().get(at).copied().unwrap_or(b' '))))
    }

    /// Without what fills it up.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.0.trim_ascii_end()).unwrap_or_default()
    }

    fn read(octets: [u8; 11]) -> Result<Self, Refusal> {
        let id = core::str::from_utf8(octets.trim_ascii_end()).ok().and_then(Self::new);
        id.filter(|id| id.0 == octets).ok_or(refusal(Why::Character))
    }
}

impl InstitutionHeader {
    /// Of a message of our own.
    #[must_use]
    pub const fn new(destination: InstitutionId, source: InstitutionId) -> Self {
        Self {
            destination,
            source,
            reserved: [0; 3],
            batch: 1,
            transaction_info: *b"00000000",
            user_info: 0,
            reject_code: *b"00000",
        }
    }
}

/// What stands before a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Of the point-of-sale link.
    PointOfSale {
        /// Between whom.
        tpdu: Tpdu,
        /// 12 packed digits: application, software version, state of the terminal, what it is asked to do.
        header: [u8; 6],
    },
    /// Of the institution link.
    Institution(InstitutionHeader),
}

const POINT_OF_SALE: usize = 13;
const INSTITUTION: usize = 46;
const INSTITUTION_VERSION: u8 = 2;

impl Envelope {
    /// That of the answer: back to where it came from.
    #[must_use]
    pub fn answer(&self) -> Self {
        match *self {
            Self::PointOfSale { tpdu: Tpdu { destination, source }, header } => {
                Self::PointOfSale { tpdu: Tpdu { destination: source, source: destination }, header }
            }
            Self::Institution(header) => Self::Institution(InstitutionHeader {
                destination: header.source,
                source: header.destination,
                ..header
            }),
        }
    }

    /// A frame around a message that was written.
    ///
    /// # Errors
    /// Where it would be longer than [`LONGEST_FRAME`].
    pub fn around(&self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::with_capacity(INSTITUTION + message.len());
        match self {
            Self::PointOfSale { tpdu, header } => {
                let behind = (POINT_OF_SALE - 2 + message.len()) as u16;
                out.extend(behind.to_be_bytes());
                out.push(TPDU_ID);
                out.extend(tpdu.destination.iter().chain(&tpdu.source).chain(header));
            }
            Self::Institution(header) => {
                out.extend([INSTITUTION as u8, INSTITUTION_VERSION]);
                out.extend(format!("{:04}", INSTITUTION + message.len()).bytes());
                out.extend(header.destination.0.iter().chain(&header.source.0).chain(&header.reserved));
                out.push(header.batch);
                out.extend(header.transaction_info);
                out.push(header.user_info);
                out.extend(header.reject_code);
            }
        }
        out.extend_from_slice(message);
        if out.len() > LONGEST_FRAME { Err(refusal(Why::TooLong)) } else { Ok(out) }
    }

    /// The envelope of a whole frame, and the message in it.
    ///
    /// # Errors
    /// Where it is none of this style, or longer or shorter than it says.
    pub fn open(style: Style, frame: &[u8]) -> Result<(Self, &[u8]), Refusal> {
        match frame_size(style, frame)? {
            Some(size) if size == frame.len() => {}
            Some(size) if size < frame.len() => return Err(refusal(Why::Trailing)),
            _ => return Err(refusal(Why::Truncated)),
        }
        match style {
            Style::PointOfSale => {
                let (head, message) = frame.split_first_chunk::<POINT_OF_SALE>().ok_or(refusal(Why::Truncated))?;
                let [_, _, id, d0, d1, s0, s1, header @ ..] = *head;
                if id != TPDU_ID {
                    return Err(refusal(Why::Unknown));
                }
                if header.iter().any(|octet| octet >> 4 > 9 || octet & 0xF > 9) {
                    return Err(refusal(Why::Digit));
                }
                let tpdu = Tpdu { destination: [d0, d1], source: [s0, s1] };
                Ok((Self::PointOfSale { tpdu, header }, message))
            }
            Style::Institution => {
                let (mut head, message) = frame.split_at_checked(INSTITUTION).ok_or(refusal(Why::Truncated))?;
                let _: [u8; 6] = take(&mut head)?;
                let header = InstitutionHeader {
                    destination: InstitutionId::read(take(&mut head)?)?,
                    source: InstitutionId::read(take(&mut head)?)?,
                    reserved: take(&mut head)?,
                    batch: take::<1>(&mut head)?[0],
                    transaction_info: take(&mut head)?,
                    user_info: take::<1>(&mut head)?[0],
                    reject_code: take(&mut head)?,
                };
                Ok((Self::Institution(header), message))
            }
        }
    }
}

/// How many octets the frame at the front of a stream has; `None` where too few of them are there to tell.
///
/// # Errors
/// Where no frame begins like this: the connection cannot be read any further.
pub fn frame_size(style: Style, stream: &[u8]) -> Result<Option<usize>, Refusal> {
    let (size, least) = match style {
        Style::PointOfSale => {
            let Some(length) = stream.first_chunk::<2>() else { return Ok(None) };
            (2 + usize::from(u16::from_be_bytes(*length)), POINT_OF_SALE)
        }
        Style::Institution => {
            if stream.iter().zip([INSTITUTION as u8, INSTITUTION_VERSION]).any(|(octet, expected)| *octet != expected) {
                return Err(refusal(Why::Unknown));
            }
            let Some([_, _, digits @ ..]) = stream.first_chunk::<6>() else { return Ok(None) };
            if !digits.iter().all(u8::is_ascii_digit) {
                return Err(refusal(Why::LengthDigits));
            }
            (digits.iter().fold(0, |size, digit| size * 10 + usize::from(digit - b'0')), INSTITUTION)
        }
    };
    match size {
        size if size > LONGEST_FRAME => Err(refusal(Why::TooLong)),
        size if size < least => Err(refusal(Why::Length)),
        size => Ok(Some(size)),
    }
}

fn take<const N: usize>(octets: &mut &[u8]) -> Result<[u8; N], Refusal> {
    let (taken, rest) = octets.split_first_chunk::<N>().ok_or(refusal(Why::Truncated))?;
    *octets = rest;
    Ok(*taken)
}
