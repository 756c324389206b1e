//! Numbers as people type them and as networks write them, brought to E.164 by the rules of the ledger's country.
//!
//! The numbering plans are those of libphonenumber. Most numbers come as plain digits in the form of the country; they are
//! classified without being parsed as free text. Everything else takes the longer way.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil, Region};
use transaction_processing::Msisdn;
use transaction_processing::request::Payee;

use crate::config::Numbers;

/// The most characters that a typed number may have; longer ones are no numbers.
const LONGEST: usize = 32;

/// Whether this is a country whose numbers are known: its ISO 3166-1 code, two capital letters.
pub fn is_country(code: &str) -> bool {
    region(code).is_some()
}

fn region(code: &str) -> Option<(Region, u16)> {
    let is_code = code.len() == 2 && code.bytes().all(|octet| octet.is_ascii_uppercase());
    let region = is_code.then(|| code.parse::<Region>().ok()).flatten()?;
    let calling_code = PHONE_NUMBER_UTIL.get_country_code_for_region(region)?;
    Some((region, u16::try_from(calling_code).ok()?))
}

/// What was typed cannot be read as a number at all: it is empty, too long, or has letters or signs that no number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no number")]
pub struct NoNumber;

/// The rules by which numbers are read.
#[derive(Clone)]
pub struct Numbering {
    region: Region,
    /// The country's calling code, for example 255.
    calling_code: u16,
    /// What stands before a national number dialled within the country, often "0"; empty where nothing does.
    trunk_prefix: String,
    foreign: bool,
    mobile_prefixes: Vec<String>,
    plans: &'static PhoneNumberUtil,
}

impl Numbering {
    /// The rules of a country, by its ISO 3166-1 code, and what the operator serves; none where there is no such country, which
    /// a loaded configuration never names.
    pub fn new(country: &str, served: &Numbers) -> Option<Numbering> {
        let (region, calling_code) = region(country)?;
        let plans: &PhoneNumberUtil = &PHONE_NUMBER_UTIL;
        let trunk_prefix = trunk_prefix(plans, region);
        let Numbers { foreign, mobile_prefixes } = served.clone();
        Some(Numbering { region, calling_code, trunk_prefix, foreign, mobile_prefixes, plans })
    }

    /// A number as a person typed it: national, or international with `+` or `00`; spaces, points, hyphens, slashes and
    /// brackets between the digits are overlooked. A number that is none, or not a mobile one, or not served, is
    /// [`Payee::NotMobile`].
    ///
    /// # Errors
    /// When it cannot be read as a number at all.
    pub fn typed(&self, typed: &str) -> Result<Payee, NoNumber> {
        let (is_international, digits) = plain_digits(typed.trim())?;
        if is_international {
            return Ok(self.international_digits(&digits));
        }
        // 00 is dialled before international numbers in most of the world, and typed where it is not.
        if let Some(digits) = digits.strip_prefix("00") {
            return Ok(self.international_digits(digits));
        }
        let quick = digits.strip_prefix(self.trunk_prefix.as_str()).and_then(|national| self.mobile(national));
        let found = quick.or_else(|| self.parsed(&digits));
        Ok(self.judged(found))
    }

    /// The same where the grammar of messages has seen to it that it is a number: what is none is not a mobile one.
    pub fn payee(&self, typed: &str) -> Payee {
        self.typed(typed).unwrap_or(Payee::NotMobile)
    }

    /// The number from which a network carried a message: `type_of_number` 1 is international (SMPP 3.4 §5.2.5), anything
    /// else is read as if it were typed. Whatever is no mobile number served here is none.
    pub fn source(&self, type_of_number: u8, digits: &str) -> Option<Msisdn> {
        let is_plain = digits.bytes().all(|octet| octet.is_ascii_digit());
        let payee = if type_of_number == 1 && is_plain && digits.len() <= LONGEST {
            self.international_digits(digits)
        } else {
            self.typed(digits).ok()?
        };
        match payee {
            Payee::Mobile(msisdn) => Some(msisdn),
            Payee::NotMobile => None,
        }
    }

    /// Digits that begin with a calling code.
    fn international_digits(&self, digits: &str) -> Payee {
        let home = digits.strip_prefix(itoa(self.calling_code, &mut [0; 5]));
        let quick = home.and_then(|national| self.mobile(national));
        let found = quick.or_else(|| self.parsed(&format!("+{digits}")));
        self.judged(found)
    }

    /// The short way: a national number as it stands after the country's calling code, if it is a mobile one.
    fn mobile(&self, national: &str) -> Option<Msisdn> {
        let national_number: u64 = national.parse().ok()?;
        let zeros = national.bytes().take_while(|octet| *octet == b'0').count();
        // In some countries numbers themselves begin with zeros, which the plans keep apart.
        let number = PhoneNumber {
            country_code: i32::from(self.calling_code),
            national_number,
            italian_leading_zero: (zeros > 0).then_some(true),
            number_of_leading_zeros: i32::try_from(zeros).ok().filter(|zeros| *zeros > 1),
            ..PhoneNumber::default()
        };
        let shift = 10_u64.checked_pow(u32::try_from(national.len()).ok()?)?;
        let digits = u64::from(self.calling_code).checked_mul(shift)?.checked_add(national_number)?;
        can_be_mobile(self.plans, &number).then(|| Msisdn::new(digits)).flatten()
    }

    /// The longer way, through the country's rules of dialling.
    fn parsed(&self, text: &str) -> Option<Msisdn> {
        let number = self.plans.parse(text, Some(self.region)).ok()?;
        if !can_be_mobile(self.plans, &number) {
            return None;
        }
        let e164 = self.plans.format(&number, PhoneNumberFormat::E164);
        Msisdn::new(e164.strip_prefix('+')?.parse().ok()?)
    }

    fn judged(&self, found: Option<Msisdn>) -> Payee {
        found.filter(|msisdn| self.serves(*msisdn)).map_or(Payee::NotMobile, Payee::Mobile)
    }

    fn serves(&self, msisdn: Msisdn) -> bool {
        let digits = msisdn.digits().to_string();
        let is_home = digits.starts_with(itoa(self.calling_code, &mut [0; 5]));
        let is_listed =
            self.mobile_prefixes.is_empty() || self.mobile_prefixes.iter().any(|prefix| digits.starts_with(prefix));
        if is_home { is_listed } else { self.foreign }
    }
}

fn can_be_mobile(plans: &PhoneNumberUtil, number: &PhoneNumber) -> bool {
    matches!(plans.get_number_type(number), PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile)
}

/// What is dialled before mobile numbers within the country: what the national form of one has more than the number itself.
fn trunk_prefix(plans: &PhoneNumberUtil, region: Region) -> String {
    let example = plans.get_example_number_for_type_and_region(region, PhoneNumberType::Mobile);
    let prefix = example.ok().and_then(|number| {
        let dialled = plans.format(&number, PhoneNumberFormat::National);
        let dialled: String = dialled.chars().filter(char::is_ascii_digit).collect();
        let significant = rlibphonenumber::get_national_significant_number_owned(&number);
        dialled.strip_suffix(significant.as_str()).map(str::to_owned)
    });
    prefix.unwrap_or_default()
}

/// The digits of a typed number, and whether a plus stood before them.
fn plain_digits(typed: &str) -> Result<(bool, String), NoNumber> {
    if typed.len() > LONGEST {
        return Err(NoNumber);
    }
    let (is_international, rest) = typed.strip_prefix('+').map_or((false, typed), |rest| (true, rest));
    let is_between = |octet: u8| b" .-/()".contains(&octet);
    if !rest.bytes().all(|octet| octet.is_ascii_digit() || is_between(octet)) {
        return Err(NoNumber);
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { Err(NoNumber) } else { Ok((is_international, digits)) }
}

/// The digits of a calling code, without going through the heap.
fn itoa(code: u16, room: &mut [u8; 5]) -> &str {
    let mut at = room.len();
    let mut rest = code;
    loop {
        at -= 1;
        room[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    std::str::from_utf8(&room[at..]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(country: &str) -> Option<Numbering> {
        Numbering::new(country, &Numbers { foreign: true, ..Numbers::default() })
    }

    fn tanzania() -> Numbering {
        of("TZ").unwrap()
    }

    /// The digits of a mobile number; zero for one that is not; none for no number.
    fn digits(numbering: &Numbering, typed: &str) -> Option<u64> {
        match numbering.typed(typed) {
            Ok(Payee::Mobile(msisdn)) => Some(msisdn.digits()),
            Ok(Payee::NotMobile) => Some(0),
            Err(NoNumber) => None,
        }
    }

    #[test]
    fn typed_numbers_become_e164() {
        const HERE: Option<u64> = Some(255_712_000_002);
        let table = [
            ("0712000002", HERE),
            ("712000002", HERE),
            ("+255712000002", HERE),
            ("255712000002", HERE),
            ("00255712000002", HERE),
            (" 0712 000 002 ", HERE),
            ("0712-000-002", HERE),
            ("(0712) 000.002", HERE),
            ("+255 (0) 712 000 002", HERE),
            ("+2550712000002", HERE),
            ("000255712000002", Some(0)),
            ("0612345678", Some(255_612_345_678)),
            ("+254712345678", Some(254_712_345_678)),
            ("00254712345678", Some(254_712_345_678)),
            ("+447400123456", Some(447_400_123_456)),
            ("+33 6 12 34 56 78", Some(33_612_345_678)),
            ("+1 650 253 0000", Some(16_502_530_000)),
            ("+39 312 345 6789", Some(393_123_456_789)),
            ("+5491123456789", Some(5_491_123_456_789)),
            ("071200000", Some(0)),
            ("07120000022", Some(0)),
            ("+25571200000", Some(0)),
            ("+2557120000022", Some(0)),
            ("0222123456", Some(0)),
            ("+255222123456", Some(0)),
            ("0800110000", Some(0)),
            ("+390612345678", Some(0)),
            ("+442079460018", Some(0)),
            ("112", Some(0)),
            ("15050", Some(0)),
            ("0", Some(0)),
            ("00", Some(0)),
            ("+999712000002", Some(0)),
            ("999999999999999999999999999999", Some(0)),
            ("", None),
            ("   ", None),
            ("+", None),
            ("-()", None),
            ("abc", None),
            ("0712ABC002", None),
            ("0712000002x3", None),
            ("0712000002;ext=3", None),
            ("tel:0712000002", None),
            ("0712*000002", None),
            ("++255712000002", None),
            ("٠٧١٢٠٠٠٠٠٢", None),
            ("0712000002\0", None),
            ("071200000200000000000000000000000", None),
        ];
        let numbering = tanzania();
        for (typed, expected) in table {
            assert_eq!(digits(&numbering, typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn the_short_way_and_the_longer_way_agree() {
        for country in ["TZ", "KE", "CD", "CI", "SN", "GH", "IN", "BD", "PH", "GB", "IT", "FR", "AR", "MX", "BR", "US"]
        {
            let numbering = of(country).unwrap();
            let code = numbering.calling_code;
            let quick = |national: &str| numbering.mobile(national);
            // Every start of a number in this plan, at every length.
            for start in 100..1000_u64 {
                for length in [7, 8, 9, 10, 11] {
                    let national = (start * 10_u64.pow(length - 3) + 234_567 % 10_u64.pow(length - 3)).to_string();
                    let Some(found) = quick(&national) else { continue };
                    let international = numbering.parsed(&format!("+{code}{national}"));
                    assert_eq!(Some(found), international, "{country} +{code}{national}");
                    if !numbering.trunk_prefix.is_empty() {
                        let dialled = numbering.parsed(&format!("{}{national}", numbering.trunk_prefix));
                        assert_eq!(Some(found), dialled, "{country} {} {national}", numbering.trunk_prefix);
                    }
                }
            }
        }
    }

    #[test]
    fn only_numbers_that_are_served_are_mobile() {
        let mut served = Numbers::default();
        let numbering = Numbering::new("TZ", &served).unwrap();
        assert_eq!(digits(&numbering, "+254712345678"), Some(0), "another country's");
        assert_eq!(digits(&numbering, "0712000002"), Some(255_712_000_002));
        served.foreign = true;
        served.mobile_prefixes = vec!["25571".to_owned(), "25574".to_owned()];
        let numbering = Numbering::new("TZ", &served).unwrap();
        assert_eq!(digits(&numbering, "+254712345678"), Some(254_712_345_678));
        assert_eq!(digits(&numbering, "0712000002"), Some(255_712_000_002));
        assert_eq!(digits(&numbering, "0622000002"), Some(0), "another operator's");
    }

    #[test]
    fn networks_write_numbers_with_their_type() {
        let numbering = tanzania();
        let source = |kind, digits| numbering.source(kind, digits).map(Msisdn::digits);
        assert_eq!(source(1, "255712000002"), Some(255_712_000_002));
        assert_eq!(source(1, "+255712000002"), Some(255_712_000_002));
        assert_eq!(source(2, "0712000002"), Some(255_712_000_002));
        assert_eq!(source(2, "712000002"), Some(255_712_000_002));
        assert_eq!(source(0, "255712000002"), Some(255_712_000_002));
        assert_eq!(source(1, "254712345678"), Some(254_712_345_678));
        assert_eq!(source(5, "MPESA"), None);
        assert_eq!(source(3, "15050"), None);
        assert_eq!(source(1, ""), None);
        assert_eq!(source(1, &"2".repeat(400)), None);
    }

    #[test]
    fn countries_are_known_by_their_code() {
        for (code, known) in
            [("TZ", true), ("KE", true), ("XX", false), ("tz", false), ("TZA", false), ("", false), ("001", false)]
        {
            assert_eq!(is_country(code), known, "{code:?}");
            assert_eq!(of(code).is_some(), known, "{code:?}");
        }
    }
}
