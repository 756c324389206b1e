//! PIN blocks: how a PIN travels, enciphered and bound to an account (ISO 9564-1, clause 9).
//!
//! Format 0: `0 | length | PIN | F..` XOR `0000 | 12 digits left of the account's check digit`. Format 3: the same with `3`, and
//! random A to F instead of F. Both are 8 octets under TDES. Format 4, 16 octets under AES: `E(E(PIN field) XOR account
//! field)`, PIN field `4 | length | PIN | A.. to 8 octets | 8 random octets`, account field `M | digits | 0..`, M being how many
//! digits there are beyond 12; shorter numbers have zeros before them.

use crate::{Account, Key, Pin, UnfitKey, cipher::Cipher};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// How a PIN is laid out in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The same PIN of the same account gives the same block under one key: only for keys of one transaction, and for links
    /// that know nothing else.
    Iso0,
    /// As format 0, with random fill.
    Iso3,
    /// Under AES.
    Iso4,
}

/// An enciphered PIN. Not printable: it stands in no log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PinBlock {
    /// Format 0.
    Iso0([u8; 8]),
    /// Format 3.
    Iso3([u8; 8]),
    /// Format 4.
    Iso4([u8; 16]),
}

impl PinBlock {
    /// What a message carried; `None` where the format has another length.
    #[must_use]
    pub fn new(format: Format, octets: &[u8]) -> Option<Self> {
        match format {
            Format::Iso0 => octets.try_into().ok().map(Self::Iso0),
            Format::Iso3 => octets.try_into().ok().map(Self::Iso3),
            Format::Iso4 => octets.try_into().ok().map(Self::Iso4),
        }
    }

    /// Which format it is of.
    #[must_use]
    pub fn format(&self) -> Format {
        match self {
            Self::Iso0(_) => Format::Iso0,
            Self::Iso3(_) => Format::Iso3,
            Self::Iso4(_) => Format::Iso4,
        }
    }

    /// What a message carries.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Iso0(octets) | Self::Iso3(octets) => octets,
            Self::Iso4(octets) => octets,
        }
    }
}

/// Why there is no PIN in a block. What an HSM tells its callers is one and the same for all of these, or they could learn
/// digits by trying blocks; and a wrong account looks like any of them, or like a wrong PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinBlockRefusal {
    /// The first digit is not the format's.
    #[error("the block is of another format")]
    Control,
    /// The length is not 4 to 12.
    #[error("no PIN is so long")]
    Length,
    /// A digit is A to F.
    #[error("a digit of the PIN is none")]
    Digit,
    /// What stands behind the PIN is not the format's fill.
    #[error("the fill is not that of the format")]
    Fill,
    /// Formats 0 and 3 need 13 digits of an account at least.
    #[error("the account number is too short for the format")]
    Account,
    /// The format needs a key of another algorithm.
    #[error(transparent)]
    Key(#[from] UnfitKey),
}

/// Enciphers a PIN for an account.
///
/// # Errors
/// [`PinBlockRefusal::Account`] and [`PinBlockRefusal::Key`].
pub fn encipher(
    format: Format,
    key: &Key,
    pin: &Pin,
    account: &Account,
    rng: &mut dyn CryptoRng,
) -> Result<PinBlock, PinBlockRefusal> {
    let cipher = cipher(format, key)?;
    Ok(match format {
        Format::Iso0 => PinBlock::Iso0(encipher_8(&cipher, *clear_8(0, pin, account, |_| 0xF)?)),
        Format::Iso3 => PinBlock::Iso3(encipher_8(&cipher, *clear_8(3, pin, account, |_| letter(rng))?)),
        Format::Iso4 => {
            let mut random = [0; 8];
            rng.fill_bytes(&mut random);
            let mut block = *pin_field(pin, random);
            cipher.encrypt(&mut block);
            xor(&mut block, &account_field(account));
            cipher.encrypt(&mut block);
            PinBlock::Iso4(block)
        }
    })
}

/// The PIN in a block, if the block is of this account.
///
/// # Errors
/// Any [`PinBlockRefusal`]. Do not tell it to whoever sent the block.
pub fn decipher(key: &Key, block: &PinBlock, account: &Account) -> Result<Pin, PinBlockRefusal> {
    let cipher = cipher(block.format(), key)?;
    match block {
        PinBlock::Iso0(octets) | PinBlock::Iso3(octets) => {
            let mut clear = Zeroizing::new(*octets);
            cipher.decrypt(clear.as_mut_slice());
            read_8(block.format(), &clear, account)
        }
        PinBlock::Iso4(octets) => {
            let mut field = Zeroizing::new(*octets);
            cipher.decrypt(field.as_mut_slice());
            xor(field.as_mut_slice(), &account_field(account));
            cipher.decrypt(field.as_mut_slice());
            read(4, &nibbles(&field[..8]), |fill| fill == 0xA)
        }
    }
}

/// AES for format 4 and TDES for the others. Single DES never enciphers a PIN.
fn cipher(format: Format, key: &Key) -> Result<Cipher, UnfitKey> {
    key.cipher_of(match format {
        Format::Iso0 | Format::Iso3 => crate::Algorithm::Tdes,
        Format::Iso4 => crate::Algorithm::Aes,
    })
}

fn encipher_8(cipher: &Cipher, mut block: [u8; 8]) -> [u8; 8] {
    cipher.encrypt(&mut block);
    block
}

/// A to F, each as likely: octets that would favour some are drawn again.
fn letter(rng: &mut dyn CryptoRng) -> u8 {
    loop {
        let mut octet = [0];
        rng.fill_bytes(&mut octet);
        if octet[0] < 252 {
            return 0xA + octet[0] % 6;
        }
    }
}

/// The clear block of format 0 or 3. `fill` gives the digits behind the PIN, by their number.
fn clear_8(
    control: u8,
    pin: &Pin,
    account: &Account,
    mut fill: impl FnMut(usize) -> u8,
) -> Result<Zeroizing<[u8; 8]>, PinBlockRefusal> {
    let mask = account_mask(account)?;
    let mut digits = Zeroizing::new([0; 16]);
    let end = 2 + pin.digits().len();
    digits[0] = control;
    digits[1] = pin.digits().len() as u8;
    digits[2..end].copy_from_slice(pin.digits());
    digits[end..].iter_mut().enumerate().for_each(|(number, digit)| *digit = fill(number));
    let mut block = Zeroizing::new(std::array::from_fn(|at| digits[2 * at] << 4 | digits[2 * at + 1]));
    xor(block.as_mut_slice(), &mask);
    Ok(block)
}

fn read_8(format: Format, clear: &[u8; 8], account: &Account) -> Result<Pin, PinBlockRefusal> {
    let mut block = Zeroizing::new(*clear);
    xor(block.as_mut_slice(), &account_mask(account)?);
    let digits = nibbles(block.as_slice());
    match format {
        Format::Iso0 => read(0, &digits, |fill| fill == 0xF),
        _ => read(3, &digits, |fill| fill >= 0xA),
    }
}

/// `control | length | PIN | fill`, 16 digits.
fn read(control: u8, digits: &[u8], is_fill: impl Fn(u8) -> bool) -> Result<Pin, PinBlockRefusal> {
    let length = usize::from(digits[1]);
    if digits[0] != control {
        return Err(PinBlockRefusal::Control);
    }
    if !(4..=12).contains(&length) {
        return Err(PinBlockRefusal::Length);
    }
    let (pin, fill) = digits[2..].split_at(length);
    if pin.iter().any(|digit| *digit > 9) {
        return Err(PinBlockRefusal::Digit);
    }
    if !fill.iter().all(|digit| is_fill(*digit)) {
        return Err(PinBlockRefusal::Fill);
    }
    Ok(Pin::of_digits(Zeroizing::new(pin.to_vec())))
}

fn pin_field(pin: &Pin, random: [u8; 8]) -> Zeroizing<[u8; 16]> {
    let mut digits = Zeroizing::new([0xA; 16]);
    digits[0] = 4;
    digits[1] = pin.digits().len() as u8;
    digits[2..2 + pin.digits().len()].copy_from_slice(pin.digits());
    Zeroizing::new(std::array::from_fn(|at| match at {
        0..8 => digits[2 * at] << 4 | digits[2 * at + 1],
        _ => random[at - 8],
    }))
}

fn account_field(account: &Account) -> [u8; 16] {
    let digits = account.digits();
    let mut field = [0; 32];
    let start = 13_usize.saturating_sub(digits.len()).max(1);
    field[0] = digits.len().saturating_sub(12) as u8;
    field[start..start + digits.len()].copy_from_slice(digits);
    std::array::from_fn(|at| field[2 * at] << 4 | field[2 * at + 1])
}

/// `0000 | 12 digits`.
fn account_mask(account: &Account) -> Result<[u8; 8], PinBlockRefusal> {
    let digits = account.left_of_check_digit(12).ok_or(PinBlockRefusal::Account)?;
    Ok(std::array::from_fn(|at| if at < 2 { 0 } else { digits[2 * at - 4] << 4 | digits[2 * at - 3] }))
}

fn nibbles(octets: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(octets.iter().flat_map(|octet| [octet >> 4, octet & 0xF]).collect())
}

fn xor(block: &mut [u8], mask: &[u8]) {
    block.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{octets, text, vectors};

    fn of(case: &serde_json::Value) -> (Pin, Account) {
        (Pin::parse(text(case, "pin")).unwrap(), Account::parse(text(case, "pan")).unwrap())
    }

    #[test]
    fn clear_blocks_are_those_of_the_vectors() {
        let all = &vectors()["pin_blocks"];
        for case in all["format_0"].as_array().unwrap() {
            let (pin, account) = of(case);
            let block = clear_8(0, &pin, &account, |_| 0xF).unwrap();
            assert_eq!(block.as_slice(), octets(case, "clear_block"));
            assert!(read_8(Format::Iso0, &block, &account).is_ok_and(|read| read.digits() == pin.digits()));
        }
        for case in all["format_3"].as_array().unwrap() {
            let (pin, account) = of(case);
            let fill = nibbles(&octets(case, "fill"));
            let block = clear_8(3, &pin, &account, |number| fill[number]).unwrap();
            assert_eq!(block.as_slice(), octets(case, "clear_block"));
            assert!(read_8(Format::Iso3, &block, &account).is_ok_and(|read| read.digits() == pin.digits()));
        }
        for case in all["format_4"].as_array().unwrap() {
            let (pin, account) = of(case);
            let random = octets(case, "random").try_into().unwrap();
            assert_eq!(pin_field(&pin, random).as_slice(), octets(case, "pin_field"));
            assert_eq!(account_field(&account).as_slice(), octets(case, "pan_field"));
        }
    }

    #[test]
    fn blocks_that_are_not_well_formed_are_refused_by_name() {
        let cases = vectors()["pin_blocks"]["reject"].as_array().unwrap().clone();
        let refusals = cases.iter().map(|case| {
            let clear: [u8; 8] = octets(case, "clear_block").try_into().unwrap();
            read_8(Format::Iso0, &clear, &Account::parse(text(case, "pan")).unwrap()).err()
        });
        let expected = [
            PinBlockRefusal::Control,
            PinBlockRefusal::Length,
            PinBlockRefusal::Length,
            PinBlockRefusal::Fill,
            PinBlockRefusal::Digit,
        ];
        assert!(refusals.eq(expected.map(Some)));
    }
}
