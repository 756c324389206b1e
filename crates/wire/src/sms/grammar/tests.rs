use super::*;
use proptest::prelude::*;

/// A request as one line, secrets included, to compare it by.
fn show(parsed: &Parsed) -> String {
    let amount = |amount: &TypedAmount| format!("{}e-{}", amount.digits(), amount.scale());
    let id = |id: &Option<String>| id.as_deref().map_or(String::new(), |id| format!(" id={id}"));
    let text = match &parsed.command {
        Command::Transfer { payee, amount: a, pin } => format!("transfer {payee} {} {}", amount(a), pin.expose()),
        Command::Query { payee, password, agent_code } => format!("query {payee} {} {agent_code}", password.expose()),
        Command::Withdrawal { payee, amount: a, code, pin, id_number } => {
            format!("withdrawal {payee} {} {} {}{}", amount(a), code.expose(), pin.expose(), id(id_number))
        }
        Command::PasswordWithdrawal { payee, amount: a, password, pin, id_number } => {
            format!("password {payee} {} {} {}{}", amount(a), password.expose(), pin.expose(), id(id_number))
        }
        Command::Deposit { password, pin } => format!("deposit {} {}", password.expose(), pin.expose()),
        Command::Resend { reference, pin } => format!("resend {reference} {}", pin.expose()),
        Command::Recall { reference, pin } => format!("recall {reference} {}", pin.expose()),
        Command::AgreeToRecall { reference, pin } => format!("agree {reference} {}", pin.expose()),
        Command::Register { pin, name } => format!("register {} {name}", pin.expose()),
        Command::ConfirmRegistration { code, pin: None } => format!("confirm {}", code.expose()),
        Command::ConfirmRegistration { code, pin: Some(pin) } => format!("confirm {} {}", code.expose(), pin.expose()),
        Command::CashIn { customer, amount: a, pin } => format!("in {customer} {} {}", amount(a), pin.expose()),
        Command::CashOut { agent_code, amount: a, pin } => format!("out {agent_code} {} {}", amount(a), pin.expose()),
        Command::Balance { pin } => format!("balance {}", pin.expose()),
        Command::Statement { pin } => format!("statement {}", pin.expose()),
        Command::ChangePin { old, new } => format!("change {} {}", old.expose(), new.expose()),
        Command::SetLanguage { language } => format!("language {}", language.code()),
        Command::CheckReceipt { receipt_code } => format!("check {receipt_code}"),
        Command::Help => "help".into(),
    };
    parsed.repeat.map_or(text.clone(), |repeat| format!("{text} again {repeat}"))
}

#[test]
fn requests() {
    let cases = [
        ("TM*0712000002*500*1234", "transfer 0712000002 500e-0 1234"),
        ("  tm * +255 712-000-002 * 500.50 * 123456\r\n", "transfer +255712000002 50050e-2 123456"),
        ("TM*0712000002*500*1234*2", "transfer 0712000002 500e-0 1234 again 2"),
        ("QT*0712000002*12345678*ag-17", "query 0712000002 12345678 AG17"),
        ("QT*0712000002*12345678*17*9", "query 0712000002 12345678 17 again 9"),
        ("GM*0712000002*500*123456*4321", "withdrawal 0712000002 500e-0 123456 4321"),
        ("GM*0712000002*500*123456*4321*3", "withdrawal 0712000002 500e-0 123456 4321 again 3"),
        ("GM*0712000002*500*123456*4321*ab-12/3", "withdrawal 0712000002 500e-0 123456 4321 id=AB-12/3"),
        ("GM*0712000002*500*123456*4321*2222*2", "withdrawal 0712000002 500e-0 123456 4321 id=2222 again 2"),
        ("GW*0712000002*500*12345678*4321", "password 0712000002 500e-0 12345678 4321"),
        ("gw*0712000002*0.5*12345678*4321*P123*2", "password 0712000002 5e-1 12345678 4321 id=P123 again 2"),
        ("DP*12345678*1234", "deposit 12345678 1234"),
        ("RS*abcd-1234*1234", "resend ABCD1234 1234"),
        ("RC*ABCD 1234*1234*2", "recall ABCD1234 1234 again 2"),
        ("Ra*ABCD1234*1234", "agree ABCD1234 1234"),
        ("RG*1234*Some Name", "register 1234 Some Name"),
        ("RG*1234*张伟*2", "register 1234 张伟 again 2"),
        ("RG*1234*J2", "register 1234 J2"),
        ("RG*123456", "confirm 123456"),
        ("RG*123456*2", "confirm 123456 again 2"),
        ("RG*123456*7391", "confirm 123456 7391"),
        ("rg * 123456 * 739142*2", "confirm 123456 739142 again 2"),
        ("RG*123456*Some Name", "register 123456 Some Name"),
        ("CI*0712000002*500*4321", "in 0712000002 500e-0 4321"),
        ("CO*1700*500*1234", "out 1700 500e-0 1234"),
        ("BL*1234", "balance 1234"),
        ("ST*1234*2", "statement 1234 again 2"),
        ("PN*1234*4321", "change 1234 4321"),
        ("PN*1234*4321*2", "change 1234 4321 again 2"),
        ("LG*SW", "language sw"),
        ("CK*ab12-cd34-ef56", "check AB12CD34EF56"),
        ("hp", "help"),
        ("HP*5", "help again 5"),
    ];
    for (text, expected) in cases {
        match parse(text) {
            Ok(parsed) => assert_eq!(show(&parsed), expected, "{text}"),
            Err(malformed) => panic!("{text}: {malformed:?}"),
        }
    }
    for keyword in Keyword::ALL {
        let start = format!("{}*", keyword.name());
        assert!(cases.iter().any(
            |(text, _)| text.trim().replace(' ', "").to_uppercase().starts_with(&start) || *keyword == Keyword::HP
        ));
        assert!(keyword.form().starts_with(keyword.name()));
    }
}

#[test]
fn malformed_requests() {
    use Keyword::*;
    let long = format!("TM*{}", "1".repeat(160));
    let field = |keyword, field| (Some(keyword), Why::Field(field));
    let count = |keyword, found| (Some(keyword), Why::FieldCount { found });
    let cases: Vec<(&str, (Option<Keyword>, Why))> = vec![
        ("", (None, Why::Empty)),
        (" \r\n", (None, Why::Empty)),
        (&long, (Some(TM), Why::TooLong)),
        ("XX*1", (None, Why::UnknownKeyword)),
        ("hello", (None, Why::UnknownKeyword)),
        ("TMX*1", (None, Why::UnknownKeyword)),
        ("*TM*1", (None, Why::UnknownKeyword)),
        ("ＴＭ*0712000002*500*1234", (None, Why::UnknownKeyword)),
        ("TM 0712000002 500 1234", count(TM, 0)),
        ("tm0712000002*500*1234", count(TM, 2)),
        ("TM", count(TM, 0)),
        ("TM*", count(TM, 1)),
        ("TM*0712000002*500", count(TM, 2)),
        ("TM*0712000002*500*1234*1", count(TM, 4)),
        ("TM*0712000002*500*1234*0", count(TM, 4)),
        ("TM*0712000002*500*1234*10", count(TM, 4)),
        ("TM*0712000002*500*1234*٢", count(TM, 4)),
        ("TM*0712000002*500*1234*2*2", count(TM, 5)),
        ("TM*0712000002*500*1234*", count(TM, 4)),
        ("TM*0712000002*500*2", field(TM, Field::Pin)),
        ("TM*0712x00002*500*1234", field(TM, Field::Payee)),
        ("TM*07 1*500*1234", field(TM, Field::Payee)),
        ("TM*++255712000002*500*1234", field(TM, Field::Payee)),
        ("TM*255+712000002*500*1234", field(TM, Field::Payee)),
        ("TM**500*1234", field(TM, Field::Payee)),
        ("TM*٠٧١٢٠٠٠٠٠٢*500*1234", field(TM, Field::Payee)),
        ("TM*0712000002*500*123", field(TM, Field::Pin)),
        ("TM*0712000002*500*1234567", field(TM, Field::Pin)),
        ("TM*0712000002*500*１２３４", field(TM, Field::Pin)),
        ("TM*0712000002*500*12 34", field(TM, Field::Pin)),
        ("QT*0712000002*1234567*17", field(QT, Field::Password)),
        ("QT*0712000002*12345678*1", field(QT, Field::AgentCode)),
        ("QT*0712000002*12345678*a.b", field(QT, Field::AgentCode)),
        ("GM*0712000002*500*12345678*4321", field(GM, Field::Code)),
        ("GM*0712000002*500*123456*4321*1", field(GM, Field::IdNumber)),
        ("GM*0712000002*500*123456*4321*ab", field(GM, Field::IdNumber)),
        ("GM*0712000002*500*123456*4321*ABCD*EFGH", count(GM, 6)),
        ("GM*0712000002*500*123456*4321*ABCD*2*2", count(GM, 7)),
        ("GM*0712000002*500*123456", count(GM, 3)),
        ("RS*a*1234", field(RS, Field::Reference)),
        ("RG*1234", field(RG, Field::Code)),
        ("RG*1234*2", field(RG, Field::Code)),
        ("RG*123456*1", field(RG, Field::Pin)),
        ("RG*123456*2*2", field(RG, Field::Pin)),
        ("RG*123456*1234567", field(RG, Field::Pin)),
        ("RG*123456*１２３４", field(RG, Field::Name)),
        ("RG*12*Name", field(RG, Field::Pin)),
        ("RG*1234*5678", field(RG, Field::Code)),
        ("RG*1234*Name\u{202e}", field(RG, Field::Name)),
        ("RG*1234*Ami\nna", field(RG, Field::Name)),
        ("RG*1234*A\u{200d}B", field(RG, Field::Name)),
        ("RG*1234*", field(RG, Field::Name)),
        ("RG*1234*Anna*Bella", count(RG, 3)),
        ("PN*1234*12", field(PN, Field::NewPin)),
        ("PN*12*1234", field(PN, Field::OldPin)),
        ("PN*1234*5", field(PN, Field::NewPin)),
        ("LG*english", field(LG, Field::Language)),
        ("CK*1", field(CK, Field::ReceiptCode)),
        ("HP*", count(HP, 1)),
        ("HP*help", count(HP, 1)),
    ];
    for (text, (keyword, why)) in cases {
        assert_eq!(parse(text).err(), Some(Malformed { keyword, why }), "{text}");
    }
}

#[test]
fn amounts() {
    let amount = |text: &str| match parse(&format!("CI*0712000002*{text}*4321")) {
        Ok(Parsed { command: Command::CashIn { amount, .. }, .. }) => Some((amount.digits(), amount.scale())),
        Ok(_) => panic!("{text}"),
        Err(malformed) => {
            assert_eq!(malformed.why, Why::Field(Field::Amount), "{text}");
            None
        }
    };
    for (text, expected) in [
        ("1", (1, 0)),
        ("0.01", (1, 2)),
        ("500.00", (50000, 2)),
        ("999999999999999", (999_999_999_999_999, 0)),
        ("999999999.999999", (999_999_999_999_999, 6)),
    ] {
        assert_eq!(amount(text), Some(expected), "{text}");
    }
    for text in [
        "",
        "0",
        "0.00",
        "00",
        "007",
        "00.5",
        ".5",
        "5.",
        ".",
        "1.2.3",
        "1,000",
        "1 000",
        "1'000",
        "+5",
        "-5",
        "5e3",
        "0x10",
        "٥٠٠",
        "５００",
        "५००",
        "½",
        "5.0000001",
        "1000000000000000",
        "1.000000000000000",
        "TZS500",
        "500/=",
        "5_0",
        "∞",
        "NaN",
    ] {
        assert_eq!(amount(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn anything_is_read_or_refused_without_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn anything_behind_a_keyword(
        keyword in prop::sample::select(Keyword::ALL),
        fields in prop::collection::vec("[0-9+. A-Za-zé٣*-]{0,12}", 0..7),
    ) {
        let text = format!("{}*{}", keyword.name(), fields.join("*"));
        if let Err(malformed) = parse(&text) {
            prop_assert_eq!(malformed.keyword, Some(keyword));
        }
    }

    #[test]
    fn typed_amounts_keep_their_value(whole in 1u64..100_000_000, part in "[0-9]{1,6}") {
        let Ok(parsed) = parse(&format!("CO*1700*{whole}.{part}*1234")) else { panic!() };
        let Command::CashOut { amount, .. } = parsed.command else { panic!() };
        prop_assert_eq!(usize::from(amount.scale()), part.len());
        prop_assert_eq!(amount.digits(), whole * 10u64.pow(part.len() as u32) + part.parse::<u64>().unwrap());
    }
}
