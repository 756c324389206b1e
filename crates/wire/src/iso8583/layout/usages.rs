//! Fields that hold values by usage, one after another: `usage 2 | length 3 | value`; field 63 of the institution link, and
//! field 48 behind usage `AS`.

use super::{super::refusal::Refusal, Parts, digits};
use zeroize::Zeroizing;

/// A value and what it is. Not printable: usage `SM` is a PIN block.
#[derive(Clone, PartialEq, Eq)]
pub struct Usage {
    /// Two letters or digits.
    pub name: [u8; 2],
    /// At most 999 octets.
    pub value: Zeroizing<Vec<u8>>,
}

impl Usage {
    /// A PIN block of SM4, 16 octets; field 52 is all nought then.
    pub const SM4_PIN_BLOCK: [u8; 2] = *b"SM";
}

/// Reads the values of a field.
///
/// # Errors
/// Where one is cut off, a length is no number, a name no letters and digits, or a name comes twice.
pub fn read_usages(field: u8, value: &[u8]) -> Result<Vec<Usage>, Refusal> {
    let mut parts = Parts::new(field, value);
    let mut usages: Vec<Usage> = Vec::new();
    while !parts.is_at_end() {
        let name = parts.array::<2>()?;
        let length = parts.number(3)? as usize;
        let value = Zeroizing::new(parts.octets(length)?.to_vec());
        if !name.iter().all(u8::is_ascii_alphanumeric) || usages.iter().any(|usage| usage.name == name) {
            return Err(parts.refusal());
        }
        usages.push(Usage { name, value });
    }
    Ok(usages)
}

/// Writes the values of a field.
///
/// # Errors
/// Where one is too long.
pub fn write_usages(field: u8, usages: &[Usage]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut out = Zeroizing::new(Vec::new());
    for Usage { name, value } in usages {
        out.extend_from_slice(name);
        out.extend_from_slice(digits(field, value.len() as u64, 3)?.as_bytes());
        out.extend_from_slice(value);
    }
    Ok(out)
}
