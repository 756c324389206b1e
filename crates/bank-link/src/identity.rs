//! Who: the two parties of a link, and the subscriber as IMSI, number and serial together.

use crate::codec::{Reader, Undecodable, measured};
use std::fmt;
use zeroize::Zeroize;

/// What is read from octets as it was written to them.
pub(crate) trait Readable: Sized {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable>;
}

/// Short ASCII text with its own alphabet and length, kept in place.
macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $least:literal..=$most:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            octets: [u8; $most],
            length: u8,
        }

        impl $name {
            /// `None` unless the text has its length and nothing but its characters.
            pub fn parse(text: &str) -> Option<Self> {
                let allowed: fn(usize, u8) -> bool = $allowed;
                let right = ($least..=$most).contains(&text.len())
                    && text.bytes().enumerate().all(|(at, octet)| allowed(at, octet));
                right.then(|| {
                    let mut octets = [0; $most];
                    octets[..text.len()].copy_from_slice(text.as_bytes());
                    Self { octets, length: text.len() as u8 }
                })
            }

            /// As it was parsed.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(self.as_bytes()).expect("ASCII alone was let in")
            }

            pub(crate) fn as_bytes(&self) -> &[u8] {
                &self.octets[..usize::from(self.length)]
            }

            pub(crate) fn write(&self, out: &mut Vec<u8>) {
                measured(out, self.as_bytes());
            }
        }

        impl Readable for $name {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
                let text = std::str::from_utf8(reader.measured()?).ok();
                text.and_then(Self::parse).ok_or(Undecodable::Malformed($what))
            }
        }
    };
}

short_text!(
    /// An operator or a bank, as both write it in their agreement: 1 to 32 of `a-z`, `0-9`, `.` and `-`.
    PartyName, "name of a party", 1..=32,
    |_, octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-')
);
short_text!(
    /// The identity of a SIM (ITU-T E.212): 6 to 15 digits.
    Imsi, "IMSI", 6..=15, |_, octet| octet.is_ascii_digit()
);
short_text!(
    /// A phone number (ITU-T E.164): 7 to 15 digits, the first not zero, without `+`.
    Msisdn, "number", 7..=15, |at, octet| octet.is_ascii_digit() && (at > 0 || octet != b'0')
);
short_text!(
    /// The serial number that the bank keeps with the number, of the card or of the contract: 1 to 32 letters and digits.
    Serial, "serial", 1..=32, |_, octet| octet.is_ascii_alphanumeric()
);
short_text!(
    /// What a bank calls an execution, for people to ask by: 1 to 35 letters, digits, `-` and `/`.
    Reference, "reference", 1..=35,
    |_, octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'/')
);

impl fmt::Debug for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Logs see the last three digits of a number, as everywhere in the platform; of IMSI and serial nothing.
impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "..{}", &self.as_str()[usize::from(self.length) - 3..])
    }
}

/// A subscriber as operator and bank know them. Personal: `Debug` shows the end of the number alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Subscriber {
    /// Of the SIM in use.
    pub imsi: Imsi,
    /// Of the account.
    pub number: Msisdn,
    /// Stands with both at the bank.
    pub serial: Serial,
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Subscriber {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.imsi.write(out);
        self.number.write(out);
        self.serial.write(out);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Self { imsi: Imsi::read(reader)?, number: Msisdn::read(reader)?, serial: Serial::read(reader)? })
    }
}

/// An account as the bank names it to the operator: random octets that tell nothing of its number. Stands for the account
/// in every order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountToken(pub [u8; 16]);

/// A transaction. The operator never gives one twice, also after a restore.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TransactionId(pub [u8; 16]);

/// One life of an end's memory: drawn at random when its database is made, and drawn anew whenever it is restored from a
/// backup. A number that was counted up would come twice from a backup that is restored twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Generation(pub [u8; 16]);

/// Milliseconds since 1970 in UTC, by the clock of whoever states it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(pub u64);

impl Moment {
    pub(crate) fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

/// Money: minor units of a currency (ISO 4217).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount {
    /// In minor units.
    pub minor: u64,
    currency: [u8; 3],
}

impl Amount {
    /// `None` unless the currency is three capital letters.
    pub fn new(minor: u64, currency: &str) -> Option<Self> {
        let currency: [u8; 3] = currency.as_bytes().try_into().ok()?;
        currency.iter().all(u8::is_ascii_uppercase).then_some(Self { minor, currency })
    }

    /// Three capital letters.
    pub fn currency(&self) -> &str {
        std::str::from_utf8(&self.currency).expect("ASCII alone was let in")
    }

    pub(crate) fn octets(&self) -> [u8; 11] {
        let mut octets = [0; 11];
        octets[..8].copy_from_slice(&self.minor.to_be_bytes());
        octets[8..].copy_from_slice(&self.currency);
        octets
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let (minor, currency) = (reader.number()?, reader.array::<3>()?);
        let currency = std::str::from_utf8(&currency).ok();
        currency.and_then(|currency| Self::new(minor, currency)).ok_or(Undecodable::Malformed("currency"))
    }
}

/// 32 secret octets: cannot be printed, wiped on drop.
///
/// ```compile_fail
/// println!("{:?}", bank_link::SecretKey::new([0; 32]));
/// ```
#[derive(Clone)]
pub struct SecretKey(pub(crate) [u8; 32]);

impl SecretKey {
    /// The caller wipes its own copy.
    pub fn new(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// For whoever seals it or hands it on.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
