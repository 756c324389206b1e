//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1).

use crate::Secret;

/// The octet that leads into the extension table.
pub const ESCAPE: u8 = 0x1B;

/// The default alphabet by septet; 1B is the escape, here as a space, which an escape that leads nowhere shows.
const ALPHABET: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', ' ', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Where ASCII and Latin-1 stand in the alphabet; FF where they do not.
const FROM_LATIN1: [u8; 256] = {
    let mut table = [0xFF; 256];
    let mut septet = 0;
    while septet < 128 {
        let code = ALPHABET[septet] as usize;
        if code < 256 && septet != ESCAPE as usize {
            table[code] = septet as u8;
        }
        septet += 1;
    }
    table
};

/// The septet of a character of the default alphabet.
fn plain(character: char) -> Option<u8> {
    match FROM_LATIN1.get(character as usize) {
        Some(&septet) => (septet != 0xFF).then_some(septet),
        // The Greek capitals.
        None => ALPHABET[0x10..0x1B].iter().position(|&known| known == character).map(|place| 0x10 + place as u8),
    }
}

fn extended(character: char) -> Option<u8> {
    EXTENSION.iter().find(|(_, known)| *known == character).map(|(septet, _)| *septet)
}

/// How many septets a character takes: one, two, or `None` when it is in neither table.
#[must_use]
pub fn cost(character: char) -> Option<usize> {
    plain(character).map(|_| 1).or_else(|| extended(character).map(|_| 2))
}

/// How many septets a text takes; `None` when a character is in neither table.
#[must_use]
pub fn septet_length(text: &str) -> Option<usize> {
    text.chars().map(cost).sum()
}

/// Whether a text fits one short message in this alphabet: 160 septets.
#[must_use]
pub fn fits(text: &str) -> bool {
    septet_length(text).is_some_and(|length| length <= 160)
}

/// The septets of a text, one an octet; `None` when a character is in neither table.
#[must_use]
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let mut septets = Vec::with_capacity(text.len());
    for character in text.chars() {
        match plain(character) {
            Some(septet) => septets.push(septet),
            None => septets.extend([ESCAPE, extended(character)?]),
        }
    }
    Some(septets)
}

/// The text of septets, one an octet. An unknown extension shows the default alphabet's character, as TS 23.038
/// asks; an octet above 7F shows U+FFFD.
#[must_use]
pub fn decode(septets: &[u8]) -> Secret {
    // Never reallocated: no copy stays behind unwiped.
    let mut text = String::with_capacity(septets.len() * 3);
    let mut octets = septets.iter();
    while let Some(&octet) = octets.next() {
        let character = if octet == ESCAPE {
            let Some(&next) = octets.next() else { break };
            let extended = EXTENSION.iter().find(|(septet, _)| *septet == next).map(|(_, character)| *character);
            extended.or_else(|| ALPHABET.get(usize::from(next)).copied())
        } else {
            ALPHABET.get(usize::from(octet)).copied()
        };
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Secret::new(text)
}

/// Packs septets into octets (TS 23.038, 6.1.2.1) behind `fill` zero bits, 0 to 6: those that align text behind a
/// user data header. When seven bits would be left over, they hold a carriage return instead of a false `@`.
#[must_use]
pub fn pack(septets: &[u8], fill: u8) -> Vec<u8> {
    let bits = usize::from(fill) + septets.len() * 7;
    let padding = (bits % 8 == 1).then_some(0x0D);
    let mut octets = Vec::with_capacity(bits / 8 + 1);
    let (mut held, mut count) = (0u16, fill);
    for septet in septets.iter().copied().chain(padding) {
        held |= u16::from(septet & 0x7F) << count;
        count += 7;
        if count >= 8 {
            octets.push(held as u8);
            held >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        octets.push(held as u8);
    }
    octets
}

/// Unpacks octets behind `fill` bits, 0 to 6. A zero or carriage return in seven bits that were left over is
/// padding, not text.
#[must_use]
pub fn unpack(octets: &[u8], fill: u8) -> Vec<u8> {
    let count = (octets.len() * 8).saturating_sub(usize::from(fill)) / 7;
    let mut septets: Vec<u8> = (0..count)
        .map(|index| {
            let bit = usize::from(fill) + index * 7;
            let low = u16::from(octets[bit / 8]);
            let high = octets.get(bit / 8 + 1).map_or(0, |&octet| u16::from(octet));
            ((low | high << 8) >> (bit % 8)) as u8 & 0x7F
        })
        .collect();
    let exact = (usize::from(fill) + count * 7).is_multiple_of(8);
    if exact && matches!(septets.last(), Some(0 | 0x0D)) {
        septets.pop();
    }
    septets
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_septet_goes_there_and_back() {
        for septet in (0..128u8).filter(|&septet| septet != ESCAPE) {
            let text = decode(&[septet]);
            assert_eq!(encode(text.expose()), Some(vec![septet]), "{septet:02x}");
        }
        for (septet, character) in EXTENSION {
            assert_eq!(decode(&[ESCAPE, septet]).expose(), character.to_string());
            assert_eq!(encode(&character.to_string()), Some(vec![ESCAPE, septet]));
        }
    }

    #[test]
    fn known_packing() {
        // The usual example of TS 23.038's packing.
        assert_eq!(pack(&encode("hellohello").unwrap(), 0), [0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37]);
    }

    #[test]
    fn odd_escapes_and_octets() {
        assert_eq!(decode(&[ESCAPE, b'a']).expose(), "a");
        assert_eq!(decode(&[b'a', ESCAPE]).expose(), "a");
        assert_eq!(decode(&[ESCAPE, ESCAPE]).expose(), " ");
        assert_eq!(decode(&[0x80, 0xFF]).expose(), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn lengths() {
        assert_eq!(septet_length("a€b"), Some(4));
        assert_eq!(septet_length("ق"), None);
        assert!(fits(&"x".repeat(160)) && !fits(&"x".repeat(161)));
        assert!(fits(&"€".repeat(80)) && !fits(&"€".repeat(81)));
    }

    proptest! {
        #[test]
        fn packing_is_undone(septets in prop::collection::vec(0u8..128, 0..200), fill in 0u8..7) {
            let unpacked = unpack(&pack(&septets, fill), fill);
            // A text that itself ends like padding may lose that one character.
            let exact = (usize::from(fill) + septets.len() * 7).is_multiple_of(8);
            match septets.split_last() {
                Some((0 | 0x0D, rest)) if exact => prop_assert_eq!(unpacked, rest),
                _ => prop_assert_eq!(unpacked, septets),
            }
        }

        #[test]
        fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..300), fill in 0u8..7) {
            let _ = decode(&octets);
            let _ = decode(&unpack(&octets, fill));
        }
    }
}
