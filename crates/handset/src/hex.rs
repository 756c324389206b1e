//! Octets in hexadecimal, as people and the radio protocol write them.

use zeroize::Zeroizing;

pub(crate) fn encode(octets: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
    let mut hex = String::with_capacity(octets.len() * 2);
    hex.extend(octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]));
    hex
}

/// `None` when it is not pairs of digits.
pub(crate) fn decode(hex: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { return None };
    let mut octets = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for &[high, low] in pairs {
        octets.push((digit(high)? << 4 | digit(low)?) as u8);
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(*decode(&encode(&all)).unwrap(), all);
        assert_eq!(encode(&[0x02, 0x70, 0xAF]), "0270af");
        assert_eq!(decode("0270AF").unwrap()[..], [0x02, 0x70, 0xAF]);
        for wrong in ["0", "0g", "+1", "é", " 1"] {
            assert!(decode(wrong).is_none(), "{wrong}");
        }
    }
}
