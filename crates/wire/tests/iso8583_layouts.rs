//! What stands inside of fields: read as the vectors have it, written the same, refused in the field's name.

use serde_json::Value;
use wire::iso8583::layout::{
    AdditionalAmount, CustomerChecks, OriginalData, OriginalTransaction, PhoneAccount, PinAlgorithm, PinBinding,
    SecurityControl, ServiceCondition, TerminalBatch, Usage, read_usages, write_usages,
};
use wire::iso8583::{Mti, Place, Refusal, Why};

/// The values of a field of all vectors of a link.
fn values(link: &str, field: u8) -> Vec<String> {
    let all: Value = serde_json::from_str(include_str!("vectors/iso8583.json")).expect("JSON");
    let messages = all["groups"]["iso8583"]["messages"].as_array().expect("a list").clone();
    let of_link = messages.iter().filter(|case| case["link"] == link);
    of_link.filter_map(|case| case["fields"][field.to_string()].as_str().map(str::to_owned)).collect()
}

fn refused<T>(field: u8, result: Result<T, Refusal>) {
    assert_eq!(result.err(), Some(Refusal { place: Place::Field(field), why: Why::Layout }));
}

#[test]
fn a_phone_number_pays() {
    let [value] = &values("institution", 48)[..] else { panic!("one request") };
    let account = PhoneAccount::read(value.as_bytes()).expect("a number");
    assert!(account.digits() == "447700900123" && account.write() == *value);
    for number in ["1", "447700900123", "123456789012345"] {
        let account = PhoneAccount::new(number).expect("a number");
        assert!(account.write().len() == 160 && PhoneAccount::read(account.write().as_bytes()) == Ok(account));
    }
    for number in ["", "0712000001", "+447700900123", "1234567890123456", "44 77"] {
        assert!(PhoneAccount::new(number).is_none(), "{number}");
    }
    let changed = |at: usize, with: u8| {
        let mut changed = value.clone().into_bytes();
        changed[at] = with;
        refused(48, PhoneAccount::read(&changed));
    };
    // Usage, kind of number, number, what fills it up, area, extension, the rest.
    for at in [0, 1, 2, 3, 4, 15, 17, 43, 44, 48, 52, 159] {
        changed(at, b'x');
    }
    for (at, with) in [(4, b'0'), (17, b'1'), (44, b'1'), (52, b'1')] {
        changed(at, with);
    }
    refused(48, PhoneAccount::read(&value.as_bytes()[..159]));
    refused(48, PhoneAccount::read(format!("{value} ").as_bytes()));
}

#[test]
fn the_customer_was_checked() {
    let [value] = &values("institution", 61)[..] else { panic!("one answer") };
    let checks = CustomerChecks::read(value.as_bytes()).expect("checks");
    assert!(checks.has_dynamic_code() && checks.write() == value.as_bytes());
    let none = CustomerChecks::none(*b"WKL000 ", *b"WKL");
    assert!(!none.has_dynamic_code() && none.with_dynamic_code().write() == value.as_bytes());
    refused(61, CustomerChecks::read(value.replace("AM", "AN").as_bytes()));
    refused(61, CustomerChecks::read(value.replace("10000000", "x0000000").as_bytes()));
    refused(61, CustomerChecks::read(&value.as_bytes()[..52]));
    refused(61, CustomerChecks::read(format!("{value}{:148}", "").as_bytes()));
}

#[test]
fn terminals_say_which_transaction_it_is() {
    let values = values("pos", 60);
    assert!(values.len() >= 14);
    for value in values {
        let batch = TerminalBatch::read(value.as_bytes()).unwrap_or_else(|why| panic!("{why} {value}"));
        assert_eq!(batch.write().as_ref(), Ok(&value));
    }
    let echo = TerminalBatch::read(b"00000001301").expect("an echo");
    assert_eq!((echo.kind, echo.batch, echo.network), (0, 1, Some(301)));
    for value in ["", "0000000", "000000013", "00000001301000000 ", "0000000130100000a", "000000013010000000"] {
        refused(60, TerminalBatch::read(value.as_bytes()));
    }
    refused(60, TerminalBatch { batch: 1_000_000, ..echo }.write());
}

#[test]
fn terminals_say_which_transaction_they_mean() {
    for value in values("pos", 61) {
        let original = OriginalTransaction::read(value.as_bytes()).expect("a transaction");
        assert_eq!(original.write().as_ref(), Ok(&value));
    }
    let original = OriginalTransaction { batch: 1, trace: 3, date: Some((11, 28)) };
    assert_eq!(OriginalTransaction::read(b"0000010000031128"), Ok(original));
    for value in ["", "00000100000", "00000100000311", "00000100000311280", "00000100000a"] {
        refused(61, OriginalTransaction::read(value.as_bytes()));
    }
    refused(61, OriginalTransaction { trace: 1_000_000, ..original }.write());
}

#[test]
fn institutions_say_with_what_a_message_was_made() {
    for value in values("institution", 60) {
        let condition = ServiceCondition::read(value.as_bytes()).expect("a condition");
        assert!(condition.write() == value.as_bytes() && condition.reason() == b"0000");
        assert!(condition.reading_ability() == b'5' && condition.terminal_type() == b"01");
        assert_eq!(condition.rest(), &value.as_bytes()[15..]);
    }
    for value in ["", "00000500010000", "000005000100000\n", "0000050001000000000000000000000"] {
        refused(60, ServiceCondition::read(value.as_bytes()));
    }
}

#[test]
fn a_reversal_names_its_original() {
    let [value] = &values("institution", 90)[..] else { panic!("one reversal") };
    let original = OriginalData {
        mti: Mti::FinancialRequest,
        trace: 101,
        transmitted: 1_128_101_630,
        acquirer: 10_000,
        forwarder: 10_000,
    };
    assert_eq!(OriginalData::read(value.as_bytes()), Ok(original));
    assert_eq!(original.write().as_ref(), Ok(value));
    for changed in [value.replacen("0200", "0240", 1), value.replace("1128", "11x8"), format!("{value}0")] {
        refused(90, OriginalData::read(changed.as_bytes()));
    }
    refused(90, OriginalData { acquirer: 100_000_000_000, ..original }.write());
}

#[test]
fn balances_are_in_further_amounts() {
    let two = "0001156C0000000123450002156D000000000001";
    let amounts = AdditionalAmount::read(two.as_bytes()).expect("two amounts");
    let minor_units: Vec<i64> = amounts.iter().map(|amount| amount.minor_units).collect();
    assert_eq!(minor_units, [12_345, -1]);
    assert_eq!(AdditionalAmount::write(&amounts).as_deref(), Ok(two));
    assert_eq!(AdditionalAmount::read(b""), Ok(vec![]));
    for value in [&two[..39], "0001156E000000012345", "0001156D000000000000", "00x1156C000000012345"] {
        refused(54, AdditionalAmount::read(value.as_bytes()));
    }
    refused(54, AdditionalAmount::write(&[AdditionalAmount { minor_units: i64::MIN, ..amounts[0] }]));
}

#[test]
fn pins_say_how_they_are_enciphered() {
    for value in values("pos", 53).into_iter().chain(values("institution", 53)) {
        let control = SecurityControl::read(value.as_bytes()).expect("a PIN");
        assert_eq!(control.write(), value);
    }
    let unbound = SecurityControl { binding: PinBinding::Unbound, algorithm: PinAlgorithm::Sm4 };
    assert_eq!(SecurityControl::read(b"1400000000000000"), Ok(unbound));
    for value in
        ["", "0600000000000000", "2500000000000000", "2600000000000001", "26000000000000000", "260000000000000"]
    {
        refused(53, SecurityControl::read(value.as_bytes()));
    }
}

#[test]
fn values_stand_behind_one_another_by_usage() {
    let [value] = &values("institution", 63)[..] else { panic!("one PIN block") };
    let octets: Vec<u8> = (0..value.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&value[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    let usages = read_usages(63, &octets).expect("a PIN block");
    assert!(usages.len() == 1 && usages[0].name == Usage::SM4_PIN_BLOCK && usages[0].value.len() == 16);
    assert!(write_usages(63, &usages).is_ok_and(|again| *again == octets));
    for value in ["S", "SM01", "SM002A", "SM0x1A", "SM001ASM001B", "S 001A"] {
        refused(63, read_usages(63, value.as_bytes()));
    }
    let long = Usage { name: *b"SM", value: vec![0; 1000].into() };
    refused(63, write_usages(63, &[long]));
}
