//! What two peers have agreed on: which fields a message may have, and what its authentication code covers. A profile is a value:
//! a link that differs in a row has that row replaced.

use super::{
    Mti,
    field::{
        Field,
        Kind::{An, Ans, B, N, NRight, Z},
        Length::{Fixed, Ll, Lll},
        Packing,
    },
};

/// How messages of a link are framed and packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Between terminals and their host (JR/T 0055 family, point of sale): length, TPDU and header, digits packed, one bitmap.
    PointOfSale,
    /// Between institutions (JR/T 0055.2): a long header, digits in ASCII, always two bitmaps.
    Institution,
}

impl Style {
    pub(super) const fn packing(self) -> Packing {
        match self {
            Self::PointOfSale => Packing::Bcd,
            Self::Institution => Packing::Ascii,
        }
    }

    /// Octets of the bitmap.
    pub(super) const fn bitmap(self) -> usize {
        match self {
            Self::PointOfSale => 8,
            Self::Institution => 16,
        }
    }

    /// The field that carries the authentication code, which is the last one.
    #[must_use]
    pub const fn code_field(self) -> u8 {
        match self {
            Self::PointOfSale => 64,
            Self::Institution => 128,
        }
    }
}

/// What an authentication code covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covers {
    /// Everything from the message type to the last field before the code, as it stands on the link.
    Everything,
    /// These fields, in this order, joined by single spaces; 0 is the message type. Of each, a value behind two digits of
    /// length has these before it; lower case becomes upper case; letters, digits, spaces, commas and full stops alone are
    /// kept; spaces are trimmed and squeezed; of field 90 the first 20 digits count. **What this drops is not protected.**
    Fields(Vec<u8>),
}

/// A link's profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkProfile {
    /// Framing and packing.
    pub style: Style,
    /// What the code covers.
    pub covers: Covers,
    /// Messages that have no code. All others are refused without one.
    pub without_code: Vec<Mti>,
    fields: Vec<Field>,
}

impl LinkProfile {
    /// The point-of-sale link.
    #[must_use]
    pub fn point_of_sale() -> Self {
        Self {
            style: Style::PointOfSale,
            covers: Covers::Everything,
            without_code: vec![
                Mti::SettlementRequest,
                Mti::SettlementResponse,
                Mti::NetworkRequest,
                Mti::NetworkResponse,
                Mti::NetworkAdvice,
                Mti::NetworkAdviceResponse,
            ],
            fields: POINT_OF_SALE.to_vec(),
        }
    }

    /// The institution link. The fields that its code covers are this project's own: a switch's rule is not public.
    #[must_use]
    pub fn institution() -> Self {
        let covered = [0, 2, 3, 4, 7, 11, 18, 25, 28, 32, 33, 38, 39, 41, 42, 48, 70, 90, 100, 102];
        Self {
            style: Style::Institution,
            covers: Covers::Fields(covered.to_vec()),
            without_code: Vec::new(),
            fields: INSTITUTION.to_vec(),
        }
    }

    /// The same with another row, or one more.
    #[must_use]
    pub fn with_field(mut self, field: Field) -> Self {
        match self.fields.binary_search_by_key(&field.number, |row| row.number) {
            Ok(at) => self.fields[at] = field,
            Err(at) => self.fields.insert(at, field),
        }
        self
    }

    /// The row of a field, if this link has it.
    #[must_use]
    pub fn field(&self, number: u8) -> Option<&Field> {
        self.fields.binary_search_by_key(&number, |row| row.number).ok().map(|at| &self.fields[at])
    }

    /// Every row, in order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether a message of this kind is refused without a code.
    #[must_use]
    pub fn needs_code(&self, mti: Mti) -> bool {
        !self.without_code.contains(&mti)
    }
}

const POINT_OF_SALE: &[Field] = &[
    Field::new(2, N, Ll(19)),
    Field::new(3, N, Fixed(6)),
    Field::new(4, N, Fixed(12)),
    Field::new(11, N, Fixed(6)),
    Field::new(12, N, Fixed(6)),
    Field::new(13, N, Fixed(4)),
    Field::new(14, N, Fixed(4)),
    Field::new(15, N, Fixed(4)),
    Field::new(22, N, Fixed(3)),
    Field::new(23, NRight, Fixed(3)),
    Field::new(25, N, Fixed(2)),
    Field::new(26, N, Fixed(2)),
    Field::new(32, N, Ll(11)),
    Field::new(35, Z, Ll(37)),
    Field::new(36, Z, Lll(104)),
    Field::new(37, An, Fixed(12)),
    Field::new(38, An, Fixed(6)),
    Field::new(39, An, Fixed(2)),
    Field::new(41, Ans, Fixed(8)),
    Field::new(42, Ans, Fixed(15)),
    Field::new(44, Ans, Ll(25)),
    Field::new(48, N, Lll(322)),
    Field::new(49, An, Fixed(3)),
    Field::new(52, B, Fixed(8)),
    Field::new(53, N, Fixed(16)),
    Field::new(54, An, Lll(20)),
    Field::new(55, B, Lll(255)),
    Field::new(58, Ans, Lll(100)),
    Field::new(60, N, Lll(17)),
    Field::new(61, N, Lll(29)),
    Field::new(62, B, Lll(512)),
    Field::new(63, Ans, Lll(163)),
    Field::new(64, B, Fixed(8)),
];

const INSTITUTION: &[Field] = &[
    Field::new(2, N, Ll(19)),
    Field::new(3, N, Fixed(6)),
    Field::new(4, N, Fixed(12)),
    Field::new(5, N, Fixed(12)),
    Field::new(6, N, Fixed(12)),
    Field::new(7, N, Fixed(10)),
    Field::new(9, N, Fixed(8)),
    Field::new(10, N, Fixed(8)),
    Field::new(11, N, Fixed(6)),
    Field::new(12, N, Fixed(6)),
    Field::new(13, N, Fixed(4)),
    Field::new(14, N, Fixed(4)),
    Field::new(15, N, Fixed(4)),
    Field::new(16, N, Fixed(4)),
    Field::new(18, N, Fixed(4)),
    Field::new(19, N, Fixed(3)),
    Field::new(22, N, Fixed(3)),
    Field::new(23, N, Fixed(3)),
    Field::new(25, N, Fixed(2)),
    Field::new(26, N, Fixed(2)),
    Field::new(28, An, Fixed(9)),
    Field::new(32, N, Ll(11)),
    Field::new(33, N, Ll(11)),
    Field::new(35, Z, Ll(37)),
    Field::new(36, Z, Lll(104)),
    Field::new(37, An, Fixed(12)),
    Field::new(38, An, Fixed(6)),
    Field::new(39, An, Fixed(2)),
    Field::new(41, Ans, Fixed(8)),
    Field::new(42, Ans, Fixed(15)),
    Field::new(43, Ans, Fixed(40)),
    Field::new(44, Ans, Ll(25)),
    Field::new(45, Ans, Ll(76)),
    Field::new(48, Ans, Lll(512)),
    Field::new(49, An, Fixed(3)),
    Field::new(50, An, Fixed(3)),
    Field::new(51, An, Fixed(3)),
    Field::new(52, B, Fixed(8)),
    Field::new(53, N, Fixed(16)),
    Field::new(54, An, Lll(120)),
    Field::new(55, B, Lll(255)),
    Field::new(56, Ans, Lll(512)),
    Field::new(57, Ans, Lll(100)),
    Field::new(58, Ans, Lll(100)),
    Field::new(59, Ans, Lll(600)),
    Field::new(60, Ans, Lll(100)),
    Field::new(61, Ans, Lll(200)),
    Field::new(62, Ans, Lll(200)),
    // Octets: a PIN block of 16 octets travels in it as it is.
    Field::new(63, B, Lll(512)),
    Field::new(70, N, Fixed(3)),
    Field::new(90, N, Fixed(42)),
    Field::new(96, B, Fixed(8)),
    Field::new(100, N, Ll(11)),
    Field::new(102, Ans, Ll(28)),
    Field::new(103, Ans, Ll(28)),
    Field::new(104, Ans, Lll(512)),
    Field::new(113, Ans, Lll(512)),
    Field::new(116, Ans, Lll(512)),
    Field::new(117, Ans, Lll(256)),
    Field::new(121, Ans, Lll(100)),
    Field::new(122, Ans, Lll(100)),
    // A public table says 100; answers of a simulator carry 226.
    Field::new(123, Ans, Lll(512)),
    Field::new(125, Ans, Lll(256)),
    Field::new(126, Ans, Lll(256)),
    Field::new(128, B, Fixed(8)),
];
