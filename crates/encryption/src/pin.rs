//! PINs: parsed, judged for weakness, proven. A PIN lives from parsing to proof and is wiped then.

use crate::mac::Tag;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Commonly chosen PINs that no rule below finds: keypad walks and words (2580 is the middle column, 5683 spells LOVE).
const COMMON: &[&str] = &[
    "0852", "1004", "1024", "1230", "1233", "1235", "1236", "1245", "1324", "1342", "1379", "1397", "1478", "1479",
    "1590", "1739", "1793", "2580", "3698", "3971", "4200", "5150", "5683", "7410", "7415", "7531", "7539", "7890",
    "7913", "7931", "7997", "8520", "8675", "9632", "9713", "9731", "12369", "14789", "25800", "98741", "102030",
    "102938", "112358", "123654", "131452", "147258", "147852", "159357", "159753", "258046", "258456", "321654",
    "357159", "369258", "456123", "456789", "520131", "521521", "741852", "753951", "789456", "951753", "963852",
];

/// A PIN of 4 to 6 digits. Secret: cannot be printed, copied or compared, wiped on drop.
///
/// ```compile_fail
/// let pin = encryption::Pin::parse("2718").unwrap();
/// println!("{pin:?}");
/// ```
pub struct Pin {
    digits: [u8; 6],
    length: u8,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

impl Pin {
    /// `None` unless `text` is 4 to 6 ASCII digits and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let octets = text.as_bytes();
        if !(4..=6).contains(&octets.len()) || !octets.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut digits = [0; 6];
        digits[..octets.len()].copy_from_slice(octets);
        Some(Self { digits, length: octets.len() as u8 })
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.length)]
    }

    /// Should this PIN be refused for the owner of `msisdn_digits` (E.164 without `+`)? Weak are PINs
    /// 1. whose digits rise or fall by the same step, ten wrapping to nought: 0000, 1234, 8901, 9876, 2468;
    /// 2. that repeat one, two or three digits: 1212, 45454, 123123;
    /// 3. made of double digits (1122, 445566) or read alike backwards (1221, 12321);
    /// 4. with three equal digits in a row: 1000, 0007, 1112;
    /// 5. with a year from 1930 to 2029 in them: 1987, 011990;
    /// 6. that stand in the owner's number, international or national with its leading nought, forwards or backwards;
    /// 7. on a short list of others that people are known to choose.
    pub fn is_weak(&self, msisdn_digits: &str) -> bool {
        let pin = self.digits();
        steady_step(pin)
            || (1..=pin.len() / 2).any(|period| pin[period..] == pin[..pin.len() - period])
            || pin.iter().eq(pin.iter().rev())
            || (pin.len().is_multiple_of(2) && pin.chunks(2).all(|pair| pair[0] == pair[1]))
            || pin.windows(3).any(|three| three[0] == three[1] && three[1] == three[2])
            || pin.windows(4).any(is_year)
            || stands_in(pin, msisdn_digits.as_bytes())
            || COMMON.iter().any(|common| common.as_bytes() == pin)
    }

    /// `HMAC-SHA256(key, "wakala pin v1" | 00 | len | number | len | PIN)`, `number` being `+` and E.164 digits.
    pub(crate) fn proof(&self, key: &impl Tag, number: &str) -> PinProof {
        PinProof(key.tag("wakala pin v1", &[number.as_bytes(), self.digits()]))
    }
}

fn steady_step(pin: &[u8]) -> bool {
    let mut steps = pin.windows(2).map(|two| (two[1] + 10 - two[0]) % 10);
    let first = steps.next();
    steps.all(|step| Some(step) == first)
}

fn is_year(four: &[u8]) -> bool {
    matches!(four, [b'1', b'9', b'3'..=b'9', _] | [b'2', b'0', b'0'..=b'2', _])
}

fn stands_in(pin: &[u8], number: &[u8]) -> bool {
    let either_way = |window: &[u8]| window == pin || window.iter().rev().eq(pin);
    // The national form: a nought instead of a country code of one to three digits.
    let national = |code| number.get(code..).is_some_and(|rest| rest.starts_with(&pin[1..]));
    number.windows(pin.len()).any(either_way) || (pin[0] == b'0' && (1..=3).any(national))
}

/// The keyed proof of a PIN, which alone is stored. Compared in constant time; not printable.
#[derive(Clone, Copy)]
pub struct PinProof(pub [u8; 32]);

impl PartialEq for PinProof {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for PinProof {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::MacKey;
    use zeroize::Zeroizing;

    #[test]
    fn proof_equals_the_published_vector() {
        let key = MacKey::new(&Zeroizing::new(std::array::from_fn(|i| i as u8)));
        let proof = Pin::parse("1234").unwrap().proof(&key, "+255712000001");
        let hex: String = proof.0.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, "eb5ccb13fd3c7f5213f6b430e9069e2ab339a406b0d0376abc893e597eccffd1");
    }

    #[test]
    fn only_four_to_six_ascii_digits_are_a_pin() {
        for text in ["1234", "12345", "000000"] {
            assert!(Pin::parse(text).is_some(), "{text}");
        }
        for text in ["", "123", "1234567", "12a4", "+123", "-1234", " 1234", "1234 ", "12.4", "١٢٣٤", "1２34"] {
            assert!(Pin::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn weak_pins_are_found_by_rule() {
        let weak = |pin: &str| Pin::parse(pin).unwrap().is_weak("255712000846");
        for pin in [
            "0000", "999999", "1234", "7890", "0987", "654321", "8901", "2468", "9630", "1212", "45454", "123123",
            "1122", "445566", "1221", "12321", "1000", "0007", "1112", "111222", "1930", "1987", "2029", "011990",
            "199012", "20071", "5712", "0846", "6480", "0712", "07120", "071200", "25571", "2580", "0852", "159753",
        ] {
            assert!(weak(pin), "{pin} should be weak");
        }
        for pin in ["2718", "4096", "8306", "1929", "2030", "1829", "60841", "48302", "394716", "803951"] {
            assert!(!weak(pin), "{pin} should be accepted");
        }
    }

    /// Refusing too much would help a guesser as much as refusing too little.
    #[test]
    fn most_pins_remain() {
        // Longer PINs are sampled, at a step that shares no factor with ten.
        for (width, step) in [(4, 1), (5, 7), (6, 61)] {
            let all = (0..10_usize.pow(width as u32)).step_by(step);
            let count = all.len();
            let weak = all.filter(|pin| Pin::parse(&format!("{pin:0width$}")).unwrap().is_weak("255712000846")).count();
            assert!(weak > count / 100 && weak < count / 12, "{weak} of {count}");
        }
    }
}
