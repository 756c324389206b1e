use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::tz::TimeZone;
use transaction_processing::ids::TransferId;
use transaction_processing::money::{Currency, LARGEST, Money};
use transaction_processing::msisdn::Msisdn;
use transaction_processing::notice::Text;
use transaction_processing::number::Language;
use wire::sms::{Field, Keyword, Malformed, Why, gsm7};

use super::catalogue::{all_ids, source};
use super::samples::{self, LARGE, LONGEST, TYPICAL, TZS, Values};
use super::style::{bare, change, money};
use super::{Catalogues, NumberForm, Outgoing, Style, StyleError};

const LANGUAGES: [Language; 4] = [Language::English, Language::French, Language::Swahili, Language::Chinese];

/// Texts that are two messages long by their nature, in every language: a list of movements, a list of forms, and an answer
/// within an answer.
fn is_two_by_nature(name: &str) -> bool {
    ["statement", "help customer", "help agent"].contains(&name) || name.starts_with("repeated, ")
}

/// Beside those: texts that take two messages at the longest values that the types allow, amounts of ten trillion units and
/// numbers of 15 digits.
const TWO_AT_LONGEST: &[(Language, &[&str])] = &[
    (Language::English, &[]),
    (Language::French, &["sent by password", "verification code", "withdrawal password"]),
    (Language::Swahili, &["withdrawal password"]),
    (
        Language::Chinese,
        &[
            "already paid by you",
            "cash put in",
            "cash taken in",
            "cash taken out",
            "cash to hand over",
            "deposited",
            "given back",
            "got back",
            "paid out by you",
            "paid out to you",
            "recall asked",
            "recalled",
            "receipt, cash-in",
            "receipt, cash-out",
            "receipt, float",
            "receipt, password",
            "receipt, returned",
            "receipt, wallet",
            "received",
            "refunded",
            "reminder",
            "sent",
            "sent by password",
            "verification code",
            "withdrawal password",
        ],
    ),
];

/// Beside those: texts that take two messages at the largest values of everyday, ten million units and numbers of twelve
/// digits.
const TWO_AT_LARGE: &[(Language, &[&str])] = &[
    (Language::English, &[]),
    (Language::French, &[]),
    (Language::Swahili, &[]),
    (Language::Chinese, &["recall asked", "sent by password", "verification code", "withdrawal password"]),
];

fn catalogues() -> Catalogues {
    Catalogues::load().expect("the catalogues are whole")
}

fn east_africa() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(3))
}

fn national() -> NumberForm {
    NumberForm::National { calling_code: "255".to_owned(), trunk_prefix: "0".to_owned() }
}

fn reference(_: TransferId) -> String {
    "123456789012".to_owned()
}

fn rendered(values: Values, style: &Style, language: Language) -> Vec<(String, Outgoing)> {
    let catalogues = catalogues();
    let render =
        |(name, text, code): samples::Sample| (name, catalogues.render(&text, code, language, style, &reference));
    samples::all(values).into_iter().map(render).collect()
}

fn malformed(language: Language) -> Vec<(String, Outgoing)> {
    let catalogues = catalogues();
    let fields = [
        (Keyword::TM, Field::Payee),
        (Keyword::TM, Field::Amount),
        (Keyword::TM, Field::Pin),
        (Keyword::QT, Field::Password),
        (Keyword::QT, Field::AgentCode),
        (Keyword::GM, Field::Code),
        (Keyword::GW, Field::IdNumber),
        (Keyword::CI, Field::Customer),
        (Keyword::RC, Field::Reference),
        (Keyword::CK, Field::ReceiptCode),
        (Keyword::RG, Field::Name),
        (Keyword::LG, Field::Language),
        (Keyword::PN, Field::OldPin),
        (Keyword::PN, Field::NewPin),
    ];
    let of_field = fields.into_iter().map(|(keyword, field)| (keyword, Why::Field(field)));
    let of_count = Keyword::ALL.iter().map(|keyword| (*keyword, Why::FieldCount { found: 1 }));
    let mut answers: Vec<(String, Outgoing)> = of_count
        .chain(of_field)
        .map(|(keyword, why)| {
            let answer = catalogues.malformed(&Malformed { keyword: Some(keyword), why }, language);
            (format!("malformed {} {why:?}", keyword.name()), answer)
        })
        .collect();
    answers.push(("too long".to_owned(), catalogues.too_long(language)));
    answers.push(("unknown".to_owned(), catalogues.unknown(language)));
    answers
}

fn widest_style() -> Style {
    Style::new(east_africa(), NumberForm::International, "+255800123456789").expect("a style")
}

/// The texts that take more than one message, none more than two.
fn of_two(values: Values, style: &Style, language: Language) -> Vec<String> {
    let mut two = Vec::new();
    for (name, outgoing) in rendered(values, style, language).into_iter().chain(malformed(language)) {
        assert!(outgoing.parts <= 2, "{language:?} {name}: {} parts: {}", outgoing.parts, *outgoing.text);
        if outgoing.parts == 2 && !is_two_by_nature(&name) {
            two.push(name);
        }
    }
    two
}

fn assert_known(known: &[(Language, &[&str])], values: Values, style: &Style) {
    for (language, names) in known {
        // 29 September and 29 November: between them they have the longest name of a month in every language.
        let mut two = of_two(Values { at: samples::AT_IN_SEPTEMBER, ..values }, style, *language);
        two.extend(of_two(values, style, *language));
        let names: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(two.iter().map(String::as_str).collect::<BTreeSet<_>>(), names, "{language:?}");
    }
}

#[test]
fn every_text_fits_one_message_at_the_longest_values_or_is_known_to_take_two() {
    assert_known(TWO_AT_LONGEST, LONGEST, &widest_style());
}

#[test]
fn every_text_fits_one_message_at_large_values_or_is_known_to_take_two() {
    let style = Style::new(east_africa(), national(), "0800123456").expect("a style");
    assert_known(TWO_AT_LARGE, LARGE, &style);
}

#[test]
fn a_statement_has_all_five_lines_up_to_large_values_and_two_messages_always() {
    let style = Style::new(east_africa(), national(), "100").expect("a style");
    for language in LANGUAGES {
        let lines = |values: Values, style: &Style| {
            let all = rendered(values, style, language);
            all.iter().find(|(name, _)| name == "statement").map(|(_, outgoing)| outgoing.text.lines().count())
        };
        assert_eq!(lines(LARGE, &style), Some(6), "{language:?}");
        assert!(lines(LONGEST, &widest_style()).is_some_and(|lines| lines >= 3), "{language:?}");
    }
}

#[test]
fn english_french_and_swahili_are_written_in_gsm_7() {
    for language in [Language::English, Language::French, Language::Swahili] {
        for (name, outgoing) in rendered(LONGEST, &widest_style(), language).into_iter().chain(malformed(language)) {
            let strange: String = outgoing.text.chars().filter(|character| gsm7::cost(*character).is_none()).collect();
            assert!(strange.is_empty(), "{language:?} {name}: {strange:?}");
            assert!(!outgoing.text.contains(['{', '}', '[', ']']), "{language:?} {name}: double septets");
        }
    }
}

/// Message and the variables in it, those of messages it refers to not counted.
fn variables(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in source(language).lines().filter(|line| !line.starts_with('#')) {
        if let Some((id, _)) = line.split_once(" =")
            && !line.starts_with(' ')
        {
            current = id.to_owned();
            assert!(found.insert(current.clone(), BTreeSet::new()).is_none(), "{language:?} {id} stands twice");
        }
        let names = line.split('$').skip(1).map(|rest| rest.split([' ', '}']).next().unwrap_or_default().to_owned());
        if let Some(all) = found.get_mut(&current) {
            all.extend(names);
        }
    }
    found
}

#[test]
fn every_catalogue_has_exactly_the_programs_messages_with_the_same_variables() {
    let wanted: BTreeSet<String> = all_ids().map(str::to_owned).collect();
    let english = variables(Language::English);
    for language in LANGUAGES {
        let found = variables(language);
        assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), wanted, "{language:?}");
        for (id, names) in &found {
            assert_eq!(Some(names), english.get(id), "{language:?} {id}");
        }
    }
}

#[test]
fn every_text_about_money_bears_its_reference() {
    let without = ["unclaimed paid", "balance", "statement", "statement, empty", "repeated, verification code"];
    for language in LANGUAGES {
        for (name, outgoing) in rendered(TYPICAL, &widest_style(), language) {
            let is_about_money = outgoing.text.contains("TZS") && !without.contains(&name.as_str());
            assert_eq!(outgoing.text.contains("1234 5678 9012"), is_about_money, "{language:?} {name}");
        }
    }
}

#[test]
fn a_code_is_told_only_when_it_is_given() {
    let style = widest_style();
    for language in LANGUAGES {
        for (name, text, code) in samples::all(TYPICAL) {
            let Some(code) = code else { continue };
            let with = catalogues().render(&text, Some(code), language, &style, &reference);
            assert!(with.text.contains(code), "{language:?} {name}");
            let without = catalogues().render(&text, None, language, &style, &reference);
            assert!(!without.text.contains(code) && without.parts == 1, "{language:?} {name}");
            let repeated =
                Text::Repeated { answer: Box::new(text), asked: transaction_processing::request::Kind::Query };
            let repeated = catalogues().render(&repeated, Some(code), language, &style, &reference);
            assert!(!repeated.text.contains(code), "{language:?} {name}: a repeat tells no code");
        }
    }
}

#[test]
fn no_two_values_run_into_each_other() {
    for language in LANGUAGES {
        let touching: Vec<&str> = source(language).lines().filter(|line| line.contains("}{")).collect();
        assert!(touching.is_empty(), "{language:?} {touching:?}");
    }
}

#[test]
fn no_text_shows_a_gap() {
    for language in LANGUAGES {
        for (name, outgoing) in rendered(TYPICAL, &widest_style(), language).into_iter().chain(malformed(language)) {
            assert!(!outgoing.text.contains(['{', '$', '\u{2068}']), "{language:?} {name}: {}", *outgoing.text);
        }
    }
}

#[test]
fn amounts_are_written_with_the_currencys_decimals() {
    let jpy = Currency { numeric: 392, minor_digits: 0 };
    let unknown = Currency { numeric: 7, minor_digits: 3 };
    let cases = [
        (TZS, 50_050, Language::English, "TZS 500.50"),
        (TZS, 5, Language::English, "TZS 0.05"),
        (TZS, 0, Language::Swahili, "TZS 0.00"),
        (TZS, 100_000, Language::French, "TZS 1 000.00"),
        (TZS, 99_999, Language::Chinese, "TZS 999.99"),
        (TZS, LARGEST, Language::English, "TZS 10,000,000,000,000.00"),
        (jpy, 1_234_567, Language::English, "JPY 1,234,567"),
        (TZS, 123_456_789, Language::Chinese, "TZS 1234567.89"),
        (unknown, 12_345, Language::English, "007 12.345"),
    ];
    for (currency, minor, language, written) in cases {
        let amount = Money::new(minor, currency).expect("an amount");
        assert_eq!(money(amount, language), written);
        assert!(written.ends_with(&bare(amount, language)));
    }
    assert_eq!(change(-50_050, TZS, Language::English), "-500.50");
    assert_eq!(change(123_456, TZS, Language::English), "+1,234.56");
}

#[test]
fn numbers_are_written_at_home_as_people_dial_them() {
    let number = |digits| Msisdn::new(digits).expect("a number");
    let style = Style::new(east_africa(), national(), "100").expect("a style");
    assert_eq!(style.number(number(255_712_000_002)), "0712000002");
    assert_eq!(style.number(number(254_712_000_002)), "+254712000002");
    let style = Style::new(east_africa(), NumberForm::International, "100").expect("a style");
    assert_eq!(style.number(number(255_712_000_002)), "+255712000002");
}

#[test]
fn times_are_those_of_the_ledgers_zone() {
    let at = |hours| {
        let style = Style::new(TimeZone::fixed(jiff::tz::offset(hours)), national(), "100").expect("a style");
        let moment = style.moment(samples::AT);
        (moment.day, moment.month, moment.clock)
    };
    assert_eq!(at(3), (29, 11, "14:30".to_owned()));
    assert_eq!(at(13), (30, 11, "00:30".to_owned()));
}

#[test]
fn a_style_that_would_not_fit_is_refused() {
    let form = |calling_code: &str, trunk: &str| NumberForm::National {
        calling_code: calling_code.to_owned(),
        trunk_prefix: trunk.to_owned(),
    };
    let cases = [
        (form("", "0"), "100", StyleError::NumberForm),
        (form("2555", "0"), "100", StyleError::NumberForm),
        (form("255", "000"), "100", StyleError::NumberForm),
        (form("25a", "0"), "100", StyleError::NumberForm),
        (form("255", "0"), "", StyleError::Care),
        (form("255", "0"), "+", StyleError::Care),
        (form("255", "0"), "0800 100", StyleError::Care),
        (form("255", "0"), "12345678901234567", StyleError::Care),
    ];
    for (numbers, care, why) in cases {
        assert_eq!(Style::new(east_africa(), numbers.clone(), care).err(), Some(why), "{numbers:?} {care:?}");
    }
}

#[test]
fn messages_that_are_no_requests_get_the_answer_that_helps() {
    let catalogues = catalogues();
    let answer = |keyword, why| catalogues.malformed(&Malformed { keyword, why }, Language::English).text.to_string();
    let form = "TM*number*amount*PIN";
    assert!(answer(Some(Keyword::TM), Why::FieldCount { found: 2 }).ends_with(form));
    assert!(answer(Some(Keyword::TM), Why::Field(Field::Amount)).ends_with(form));
    assert_eq!(answer(Some(Keyword::TM), Why::TooLong), *catalogues.too_long(Language::English).text);
    assert_eq!(answer(None, Why::UnknownKeyword), *catalogues.unknown(Language::English).text);
    assert_eq!(answer(None, Why::Empty), *catalogues.unknown(Language::English).text);
}

/// All texts as people read them, kept beside the catalogues so that a change of words is seen and judged. Written anew with
/// `WAKALA_BLESS=1`.
#[test]
fn all_texts_read_as_reviewed() {
    let style = Style::new(east_africa(), national(), "100").expect("a style");
    for (language, name) in LANGUAGES.into_iter().zip(["en", "fr", "sw", "zh"]) {
        let mut listing = String::new();
        for (name, outgoing) in rendered(TYPICAL, &style, language).into_iter().chain(malformed(language)) {
            writeln!(listing, "[{name}] {}\n{}\n", outgoing.parts, *outgoing.text).expect("a string takes all");
        }
        let path = format!("{}/catalogues/reviewed/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("WAKALA_BLESS").is_some() {
            std::fs::write(&path, &listing).expect("the listing is written");
        }
        let reviewed = std::fs::read_to_string(&path).expect("the listing is there");
        assert!(listing == reviewed, "{path} is not what the catalogues say now; review the difference");
    }
}
