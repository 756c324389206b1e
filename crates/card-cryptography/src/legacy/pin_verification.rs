//! Two ways in which issuers of cards verify PINs, both under TDES.

use crate::{Account, Algorithm, Key, Pin, UnfitKey};
use zeroize::Zeroizing;

/// A PIN verification value (Visa): 4 digits that an issuer keeps, from which nobody finds the PIN without the key.
/// `E(11 digits left of the check digit | index | first 4 digits of the PIN)`, of which the first four decimal digits, then
/// letters less ten.
///
/// # Errors
/// [`UnfitKey::Algorithm`]. `Ok(None)` where the account has too few digits or the index is no digit.
pub fn pvv(key: &Key, index: u8, pin: &Pin, account: &Account) -> Result<Option<[u8; 4]>, UnfitKey> {
    let cipher = key.cipher_of(Algorithm::Tdes)?;
    let (Some(account), true) = (account.left_of_check_digit(11), index <= 9) else { return Ok(None) };
    let digits = Zeroizing::new([account, &[index], &pin.digits()[..4]].concat());
    let mut block: Zeroizing<[u8; 8]> =
        Zeroizing::new(std::array::from_fn(|at| digits[2 * at] << 4 | digits[2 * at + 1]));
    cipher.encrypt(block.as_mut_slice());
    let digits: Zeroizing<Vec<u8>> = Zeroizing::new(block.iter().flat_map(|octet| [octet >> 4, octet & 0xF]).collect());
    let decimal = digits.iter().copied().filter(|digit| *digit < 10);
    let letters = digits.iter().copied().filter(|digit| *digit >= 10).map(|letter| letter - 10);
    let mut found = decimal.chain(letters);
    Ok(Some(std::array::from_fn(|_| found.next().expect("sixteen digits"))))
}

/// The offset of a PIN (IBM 3624), one digit for each of the PIN: what is added to the natural PIN, which is `E(last 16 digits of
/// the account, or fewer and F..)` with letters less ten. The decimalisation is this one alone: who may choose it finds PINs.
///
/// # Errors
/// [`UnfitKey::Algorithm`].
pub fn offset(key: &Key, pin: &Pin, account: &Account) -> Result<Vec<u8>, UnfitKey> {
    let cipher = key.cipher_of(Algorithm::Tdes)?;
    let digits = account.digits();
    let last = &digits[digits.len().saturating_sub(16)..];
    let digit = |at: usize| last.get(at).copied().unwrap_or(0xF);
    let mut block: Zeroizing<[u8; 8]> =
        Zeroizing::new(std::array::from_fn(|at| digit(2 * at) << 4 | digit(2 * at + 1)));
    cipher.encrypt(block.as_mut_slice());
    let natural = |at: usize| (block[at / 2] >> (4 * (1 - at % 2)) & 0xF) % 10;
    Ok(pin.digits().iter().enumerate().map(|(at, digit)| (10 + digit - natural(at)) % 10).collect())
}
