//! The header of a key block: what its key is, and what it may be used for.

use super::Refusal;
use crate::Algorithm;

/// The letter that a block begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    A,
    B,
    C,
    D,
}

impl Version {
    pub(super) const fn is_variant(self) -> bool {
        matches!(self, Self::A | Self::C)
    }

    /// Octets of the authentication code.
    pub(super) const fn code_length(self) -> usize {
        match self {
            Self::A | Self::C => 4,
            Self::B => 8,
            Self::D => 16,
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::C => 'C',
            Self::D => 'D',
        }
    }
}

/// An enumeration whose values have codes in a header.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident : $refusal:ident { $($(#[$value_doc:meta])* $value:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $value,)*
        }

        impl $name {
            /// As it stands in a header.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$value => $code,)*
                }
            }

            fn read(code: &str) -> Result<Self, Refusal> {
                match code {
                    $($code => Ok(Self::$value),)*
                    _ => Err(Refusal::$refusal),
                }
            }
        }
    };
}

coded! {
    /// What a key is used for (X9.143, key usage). Others exist; a block that names one is refused.
    KeyUsage: Usage {
        /// Derives the initial keys of terminals.
        BaseDerivation = "B0",
        /// A terminal's initial key.
        InitialDukpt = "B1",
        /// Enciphers data.
        Data = "D0",
        /// Enciphers keys.
        KeyEncryption = "K0",
        /// Protects key blocks.
        KeyBlockProtection = "K1",
        /// Authenticates messages as in [`MacFlavour::X919`](crate::MacFlavour::X919).
        MacX919 = "M3",
        /// Authenticates messages by CMAC.
        MacCmac = "M6",
        /// HMAC.
        MacHmac = "M7",
        /// Authenticates messages as in [`MacFlavour::PosEcb`](crate::MacFlavour::PosEcb); a proprietary code, which are
        /// numbers.
        MacPosEcb = "10",
        /// Enciphers PINs.
        PinEncryption = "P0",
        /// Verifies PINs by IBM 3624.
        PinVerificationOffset = "V1",
        /// Verifies PINs by Visa's PVV.
        PinVerificationPvv = "V2",
    }
}

coded! {
    /// In which direction a key works (X9.143, mode of use).
    Mode: Mode {
        /// Enciphers and deciphers, wraps and unwraps.
        Both = "B",
        /// Generates and verifies.
        GenerateAndVerify = "C",
        /// Deciphers, unwraps.
        Decrypt = "D",
        /// Enciphers, wraps.
        Encrypt = "E",
        /// Generates.
        Generate = "G",
        /// Whatever its use has.
        Unrestricted = "N",
        /// Verifies.
        Verify = "V",
        /// Derives keys.
        Derive = "X",
    }
}

coded! {
    /// Whether a key may leave an HSM again.
    Exportability: Exportability {
        /// In a key block under a trusted key.
        Exportable = "E",
        /// Not at all.
        NonExportable = "N",
        /// In forms other than these key blocks too.
        Sensitive = "S",
    }
}

coded! {
    /// [`Algorithm`] in a header.
    Letter: Algorithm {
        /// AES.
        Aes = "A",
        /// DES.
        Des = "D",
        /// HMAC.
        Hmac = "H",
        /// TDES.
        Tdes = "T",
    }
}

impl From<Letter> for Algorithm {
    fn from(letter: Letter) -> Self {
        match letter {
            Letter::Aes => Self::Aes,
            Letter::Des => Self::Des,
            Letter::Hmac => Self::Hmac,
            Letter::Tdes => Self::Tdes,
        }
    }
}

impl From<Algorithm> for Letter {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Aes => Self::Aes,
            Algorithm::Des => Self::Des,
            Algorithm::Hmac => Self::Hmac,
            Algorithm::Tdes => Self::Tdes,
        }
    }
}

/// Two letters or digits that tell versions of a key apart; `00` where there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyVersion([u8; 2]);

impl KeyVersion {
    /// Versions are not used.
    pub const NONE: Self = Self(*b"00");

    /// `None` unless it is two letters or digits.
    #[must_use]
    pub fn new(code: [u8; 2]) -> Option<Self> {
        code.iter().all(u8::is_ascii_alphanumeric).then_some(Self(code))
    }

    /// The two characters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("letters and digits")
    }
}

/// Something more that a header says, such as a key set identifier (`KS`). What fills a header up (`PB`) is not told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OptionalBlock {
    /// Two letters or digits.
    pub id: [u8; 2],
    /// At most 251 printable characters.
    pub data: String,
}

/// What a key is, and what it may be used for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// Its use.
    pub usage: KeyUsage,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Its direction.
    pub mode: Mode,
    /// Its version.
    pub version: KeyVersion,
    /// Whether it may leave again.
    pub exportability: Exportability,
    /// More about it.
    pub optional: Vec<OptionalBlock>,
}

impl Header {
    /// Without versions and optional blocks.
    #[must_use]
    pub const fn new(usage: KeyUsage, algorithm: Algorithm, mode: Mode, exportability: Exportability) -> Self {
        Self { usage, algorithm, mode, version: KeyVersion::NONE, exportability, optional: Vec::new() }
    }
}

/// Characters before the optional blocks.
const FIXED: usize = 16;
const FILLER: [u8; 2] = *b"PB";

/// The version, the header, and what stands behind it.
pub(super) fn parse(text: &str) -> Result<(Version, Header, &str), Refusal> {
    if !text.bytes().all(|character| (b' '..=b'~').contains(&character)) {
        return Err(Refusal::Character);
    }
    let version = match text.as_bytes().first() {
        Some(b'A') => Version::A,
        Some(b'B') => Version::B,
        Some(b'C') => Version::C,
        Some(b'D') => Version::D,
        _ => return Err(Refusal::Version),
    };
    let (fixed, mut rest) = text.split_at_checked(FIXED).ok_or(Refusal::Length)?;
    if number(&fixed[1..5]) != Some(text.len()) {
        return Err(Refusal::Length);
    }
    let mut header = Header::new(
        KeyUsage::read(&fixed[5..7])?,
        Letter::read(&fixed[7..8])?.into(),
        Mode::read(&fixed[8..9])?,
        Exportability::read(&fixed[11..12])?,
    );
    let version_code = &fixed.as_bytes()[9..11];
    header.version = KeyVersion::new([version_code[0], version_code[1]]).ok_or(Refusal::Character)?;
    let count = number(&fixed[12..14]).filter(|_| &fixed[14..] == "00").ok_or(Refusal::OptionalBlock)?;
    for _ in 0..count {
        let (block, after) = optional(rest)?;
        rest = after;
        if block.id != FILLER {
            header.optional.push(block);
        }
    }
    Ok((version, header, rest))
}

/// `id 2 | length 2 in hexadecimal, of the whole | data`. A length of `00`, the extended form, is not read.
fn optional(text: &str) -> Result<(OptionalBlock, &str), Refusal> {
    let upper = |digit: &u8| digit.is_ascii_digit() || (b'A'..=b'F').contains(digit);
    let length = text.get(2..4).filter(|digits| digits.as_bytes().iter().all(upper)).ok_or(Refusal::OptionalBlock)?;
    let length = usize::from_str_radix(length, 16).ok().filter(|length| *length >= 4).ok_or(Refusal::OptionalBlock)?;
    let (block, rest) = text.split_at_checked(length).ok_or(Refusal::OptionalBlock)?;
    let id = [block.as_bytes()[0], block.as_bytes()[1]];
    if !id.iter().all(u8::is_ascii_alphanumeric) {
        return Err(Refusal::OptionalBlock);
    }
    Ok((OptionalBlock { id, data: block[4..].to_owned() }, rest))
}

fn number(digits: &str) -> Option<usize> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// A header, filled up to whole blocks of the cipher, of a key block with so many characters behind it.
pub(super) fn write(version: Version, header: &Header, block: usize, behind: usize) -> Result<String, Refusal> {
    let mut blocks = String::new();
    let mut count = header.optional.len();
    for OptionalBlock { id, data } in &header.optional {
        let printable = data.bytes().all(|character| (b' '..=b'~').contains(&character));
        let id = std::str::from_utf8(id).ok().filter(|id| id.bytes().all(|octet| octet.is_ascii_alphanumeric()));
        let id =
            id.filter(|id| printable && data.len() <= 251 && id.as_bytes() != FILLER).ok_or(Refusal::OptionalBlock)?;
        blocks.push_str(&format!("{id}{:02X}{data}", data.len() + 4));
    }
    let missing = blocks.len().next_multiple_of(block) - blocks.len();
    if missing > 0 {
        let filler = if missing < 4 { missing + block } else { missing };
        blocks.push_str(&format!("PB{filler:02X}{:0>width$}", "", width = filler - 4));
        count += 1;
    }
    let length = FIXED + blocks.len() + behind;
    if length > 9999 || count > 99 {
        return Err(Refusal::Length);
    }
    let Header { usage, algorithm, mode, version: key_version, exportability, .. } = header;
    Ok(format!(
        "{}{length:04}{}{}{}{}{}{count:02}00{blocks}",
        version.letter(),
        usage.code(),
        Letter::from(*algorithm).code(),
        mode.code(),
        key_version.code(),
        exportability.code(),
    ))
}
