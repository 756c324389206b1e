//! The configuration, read from every layer, right and wrong.

use transaction_processing::limits::Class as LimitClass;
use transaction_processing::tariff;
use transaction_processing::time::Time;

use super::*;

const SHIPPED: &str = include_str!("../../../../config/wakala.toml");

/// Layers with this file; the folder lives as long as the caller keeps it.
fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wakala.toml");
    std::fs::write(&path, text).unwrap();
    (folder, Sources { file: Some(path), ..Sources::default() })
}

fn load(text: &str) -> Result<Config, ConfigError> {
    let (_folder, sources) = file(text);
    Config::load(&sources)
}

/// Layers with an empty file, so that the machine's own is not read.
fn with(environment: &[(&str, &str)], flags: &[&str]) -> Result<Config, ConfigError> {
    let (_folder, mut sources) = file("");
    sources.environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    sources.flags = flags.iter().map(ToString::to_string).collect();
    Config::load(&sources)
}

fn complaints(result: Result<Config, ConfigError>) -> Vec<String> {
    result.err().map_or(Vec::new(), |error| error.problems.iter().map(ToString::to_string).collect())
}

/// The shipped file with the keys that are absent by default taken in.
fn with_absent_keys() -> String {
    let take = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    SHIPPED.lines().map(take).collect()
}

#[test]
fn the_shipped_file_is_made_of_the_sections() {
    if std::env::var_os("WAKALA_WRITE_SHIPPED_FILE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/wakala.toml");
        std::fs::write(path, shipped_file()).unwrap();
        return;
    }
    assert!(SHIPPED == shipped_file(), "config/wakala.toml is stale: write it anew with WAKALA_WRITE_SHIPPED_FILE=1");
}

#[test]
fn the_shipped_file_says_the_defaults() {
    assert_eq!(load(SHIPPED).unwrap(), Config::default());
}

#[test]
fn the_shipped_file_has_every_key_and_nothing_else() {
    let text = with_absent_keys();
    let tree = tree::parse(&text, Path::new("wakala.toml")).unwrap();
    let mut known = Vec::new();
    paths(&Config::schema().unwrap(), "", &mut known);
    known.sort();
    known.dedup();
    // Keys inside a band or TLS may be shown in part; each is explained beside it.
    let mut written = Vec::new();
    collect(&tree, "", &mut written);
    written.sort();
    written.dedup();
    for path in &written {
        assert!(known.contains(path), "{path} is no key");
    }
    for path in known.iter().filter(|path| !written.contains(path)) {
        let explained = format!("#   {}:", path.rsplit('.').next().unwrap());
        let is_inline = path.starts_with("tariff.bands.") || path.starts_with("message_centre.tls.");
        assert!(is_inline && text.contains(&explained), "{path} is missing");
    }
}

fn collect(node: &Node, path: &str, found: &mut Vec<String>) {
    match &node.value {
        Value::Table(entries) => {
            for (name, node) in entries {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                found.push(path.clone());
                collect(node, &path, found);
            }
        }
        Value::List(nodes) => nodes.iter().for_each(|node| collect(node, path, found)),
        _ => {}
    }
}

#[test]
fn the_defaults_are_right() {
    assert_eq!(Config::default().problems(), []);
    let config = Config::default();
    assert_eq!(config.policy().limits.len(), config.limits.len());
    assert_eq!(config.terms().len(), config.tariff.len());
    assert!(config.terms().iter().all(|terms| terms.unsound().is_none()));
}

#[test]
fn the_absent_keys_are_right_as_shown() {
    // The examples beside the four tiers: another currency, which then needs limits and tariffs of its own.
    // And several processes, whose lease is short.
    let found = complaints(load(&with_absent_keys().replace("lease_seconds = 15", "lease_seconds = 3")));
    assert!(found.iter().all(|complaint| complaint.contains("KES") || complaint.contains("TZS")), "{found:#?}");
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let (_folder, mut sources) = file("[transfer]\nwithdrawal_period_days = 2\nresends = 4\nrecall_days = 9\n");
    sources.environment = vec![
        ("WAKALA_TRANSFER__RESENDS".into(), "5".into()),
        ("WAKALA_TRANSFER__RECALL_DAYS".into(), "8".into()),
        ("WAKALA_CONFIG".into(), "not read here".into()),
        ("HOME".into(), "/root".into()),
    ];
    sources.flags = vec!["transfer.recall_days=6".into(), "transfer.recall_days = 7".into()];
    let transfer = Config::load(&sources).unwrap().transfer;
    assert_eq!((transfer.withdrawal_period_days, transfer.resends, transfer.recall_days), (2, 5, 7));
    assert_eq!(transfer.reminder_before_hours, 24);

    let shown = Shown::load(&sources).unwrap();
    let origin = |key: &str| shown.keys.iter().find(|shown| shown.key == key).unwrap().origin.to_string();
    assert!(origin("transfer.withdrawal_period_days").ends_with("wakala.toml:2"));
    assert_eq!(origin("transfer.resends"), "environment WAKALA_TRANSFER__RESENDS");
    assert_eq!(origin("transfer.recall_days"), "--set");
    assert_eq!(origin("transfer.reminder_before_hours"), "default");
    assert_eq!(origin("limits.0.class"), "default");
}

#[test]
fn values_without_quotes_take_the_type_of_their_key() {
    let config = with(
        &[
            ("WAKALA_AGENTS__IDENTITY_ABOVE", "1000.50"),
            ("WAKALA_AGENTS__PASSWORD_AT_AGENT", "true"),
            ("WAKALA_NUMBERS__MOBILE_PREFIXES", "25571, 25574"),
            ("WAKALA_LIMITS__0__PER_DAY", "600000"),
            ("WAKALA_LEDGER__DATABASE", "/tmp/books.db"),
        ],
        &["ledger.language=en", "messages.short_code=\"200\"", "numbers.foreign=false"],
    )
    .unwrap();
    assert_eq!(config.policy().identity_above, 100_050);
    assert!(config.policy().password_at_agent);
    assert_eq!(config.numbers.mobile_prefixes, ["25571", "25574"]);
    assert_eq!(config.policy().limits[0].per_day, 60_000_000);
    assert_eq!(config.ledger.language, Language::English);
    assert_eq!(config.messages.short_code, "200");
}

#[test]
fn a_whole_list_of_sections_can_be_given_in_one_value() {
    let centre = r#"message_centre=[{ name = "one", hosts = ["[::1]:2775"], system_id = "w", password_file = "p" }]"#;
    let config = with(&[], &[centre, "message_centre.0.window=50"]).unwrap();
    assert_eq!((config.message_centre[0].window, config.message_centre[0].burst), (50, 10));
}

#[test]
fn every_mistake_is_said_at_once_with_its_place() {
    let found = complaints(load(
        "[transfer]\nwithdrawl_period_days = 3\nresends = 21\n[pin]\ntries = \"three\"\n[agents]\nidentity_above = 500\n\
         [ledger]\nregistered_payee = \"credit\"\ncurrency = \"XYZ\"\nzone = \"Africa/Nowhere\"\n[legder]\nx = 1\n\
         [log]\nlevel = \"loud\"\nformat = true\n",
    ));
    let expected = [
        (":2)", "transfer.withdrawl_period_days: there is no such key; did you mean transfer.withdrawal_period_days?"),
        (":3)", "transfer.resends: must be a whole number from 0 to 20"),
        (":5)", "pin.tries: must be a whole number from 1 to 10"),
        (":7)", "agents.identity_above: must be an amount of whole currency in quotes"),
        (":9)", "ledger.registered_payee: there is no such key; did you mean transfer.registered_payee?"),
        (":10)", "ledger.currency: \"XYZ\" is no currency of ISO 4217"),
        (":11)", "ledger.zone: \"Africa/Nowhere\" is no zone"),
        (":12)", "legder: there is no such key; did you mean ledger?"),
        (":15)", "log.level: \"loud\" is none of \"error\", \"warn\""),
        (":16)", "log.format: must be text in quotes, not true or false"),
    ];
    for (line, text) in expected {
        assert!(
            found.iter().any(|complaint| complaint.starts_with(text) && complaint.ends_with(line)),
            "{text}: {found:#?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn mistakes_outside_of_the_file_name_their_variable_or_flag() {
    let found = complaints(with(
        &[("WAKALA_TRANSFER_RESENDS", "5"), ("WAKALA_PIN__TRIES", "0"), ("WAKALA_LIMITS__9__PER_DAY", "1")],
        &["transfer.resend=5", "resends", "pin.tries.more=1", "log.level=[1"],
    ));
    let expected = [
        "transfer_resends: there is no such key; did you mean transfer.resends? (environment WAKALA_TRANSFER_RESENDS)",
        "limits.9: must",
        "transfer.resend: there is no such key; did you mean transfer.resends? (--set)",
        "resends: must be written section.key=value (--set)",
        "pin.tries.more: \"more\" is below something that is no section (--set)",
        "log.level: ",
    ];
    for text in expected.iter().filter(|text| !text.starts_with("limits")) {
        assert!(found.iter().any(|complaint| complaint.starts_with(text)), "{text}: {found:#?}");
    }
    assert!(found.iter().any(|complaint| complaint.contains("the list has 4 elements")), "{found:#?}");
    assert!(found.iter().any(|complaint| complaint.contains("WAKALA_PIN__TRIES")), "{found:#?}");
}

#[test]
fn bad_syntax_names_its_line() {
    let found = complaints(load("[transfer]\nresends = \n"));
    assert!(found.len() == 1 && found[0].starts_with("syntax: ") && found[0].ends_with("wakala.toml:2)"), "{found:?}");
    let twice = complaints(load("[transfer]\nresends = 1\nresends = 2\n"));
    assert!(twice.len() == 1 && twice[0].contains("duplicate key"), "{twice:?}");
}

#[test]
fn a_named_file_that_is_not_there_is_a_mistake() {
    let sources = Sources { file: Some("/nonexistent/wakala.toml".into()), ..Sources::default() };
    let found = complaints(Config::load(&sources));
    assert!(found.len() == 1 && found[0].contains("cannot be read"), "{found:?}");
}

const CENTRE: &str =
    "[[message_centre]]\nname = \"one\"\nhosts = [\"smsc:2775\"]\nsystem_id = \"w\"\npassword_file = \"p\"\n";

/// One mistake each, and how it is told.
#[test]
fn keys_must_go_together() {
    let limits = |class: &str, figures: &str| format!("[[limits]]\nclass = \"{class}\"\n{figures}");
    let rising = "least = \"1\"\nper_transaction = \"2\"\nper_day = \"3\"\nper_month = \"4\"\nbalance = \"5\"\n";
    let some = |without: &str| {
        let classes = ["entry", "standard", "full", "non_customer"].into_iter().filter(|class| *class != without);
        classes.map(|class| limits(class, rising)).collect::<String>()
    };
    let tariff = |bands: &str| {
        let one = |request: &str| {
            format!(
                "[[tariff]]\nrequest = \"{request}\"\neffective_from = \"2026-01-01\"\npayer = \"sender\"\nbands = {bands}\n"
            )
        };
        ["transfer", "withdrawal", "cash_in", "cash_out"].map(one).concat()
    };
    let table = [
        ("[transfer]\nreminder_before_hours = 168\n".into(), "transfer.reminder_before_hours: must be shorter"),
        ("[pin]\ntries = 10\n".into(), "pin.tries: must be fewer than tries_in_all"),
        (
            "[codes]\npassword_first_pause_minutes = 90\npassword_later_pause_hours = 1\n".into(),
            "codes.password_first_pause",
        ),
        ("[spraying]\nper_agent = 3000\n".into(), "spraying.per_agent: must not be more"),
        ("[spraying]\nin_all = 10\n".into(), "spraying.per_message_centre: must not be more"),
        (
            "[agents]\nidentity_above = \"1.005\"\n".into(),
            "agents.identity_above: is no amount of TZS: it has 2 decimals",
        ),
        ("[agents]\nidentity_above = \"10000000000000.01\"\n".into(), "agents.identity_above: is no amount of TZS"),
        ("[ledger]\ncountry = \"ZZ\"\n".into(), "ledger.country: must be a country"),
        ("[ledger]\ndatabase = \"/\"\n".into(), "ledger.database: must be the path of a file"),
        ("[ledger]\nfurther_currencies = [\"TZS\"]\n".into(), "ledger.further_currencies: a currency is named twice"),
        ("[ledger]\nfurther_currencies = [\"USD\"]\n".into(), "limits: entry has none in USD"),
        ("[ledger]\nfurther_currencies = [\"USD\"]\n".into(), "tariff: cash_in has none in USD"),
        ("[numbers]\nmobile_prefixes = [\"071\"]\n".into(), "numbers.mobile_prefixes: must be 1 to 14 digits"),
        ("[keys]\nfile = \"a\"\npassphrase_file = \"a\"\n".into(), "keys.passphrase_file: must be a file of its own"),
        ("[messages]\nshort_code = \"WAKALA\"\n".into(), "messages.short_code: must be 3 to 15 digits"),
        ("[administration]\nlisten = \"localhost\"\n".into(), "administration.listen: must be an address and a port"),
        (
            format!("[administration]\nsocket = \"/{}\"\n", "s".repeat(107)),
            "administration.socket: must be at most 107",
        ),
        (some("full"), "limits: full has none in TZS"),
        (some("") + &limits("full", rising), "limits.4: full has limits in TZS already"),
        (some("full") + &limits("full", &rising.replace("\"4\"", "\"2\"")), "limits.3: must rise"),
        (
            some("full") + &limits("full", &rising.replace("\"1\"", "\"0\"")),
            "limits.3: least must be more than nothing",
        ),
        (
            some("full") + &limits("full", &rising.replace("\"5\"", "\"0\"")),
            "limits.3: balance must be more than nothing",
        ),
        (
            some("full") + &limits("full", &rising.replace("balance = \"5\"", "")),
            "limits.3: balance must be given for full",
        ),
        (
            some("full") + &limits("full", &rising.replace("\"5\"", "\"5.001\"")),
            "limits.3: a figure is no amount of TZS",
        ),
        (some("full") + &limits("full", &format!("currency = \"USD\"\n{rising}")), "limits.3: USD is not among"),
        (some("full") + "[[limits]]\nclass = \"full\"\n", "limits.3.per_day: must be given"),
        (tariff("[]"), "tariff.0: must have a band"),
        (tariff("[{ up_to = \"2\" }, { up_to = \"1\" }]"), "tariff.0: bands must rise in up_to"),
        (
            tariff("[{ up_to = \"2\", minimum = \"2\", maximum = \"1\" }]"),
            "tariff.0: a band's minimum is above its maximum",
        ),
        (tariff("[{ up_to = \"2\", fixed = \"1\" }, { up_to = \"3\" }]"), "tariff.0: a larger amount costs less"),
        (tariff("[{ up_to = \"2\" }]").replace("cash_out", "cash_in"), "tariff: cash_out has none in TZS"),
        (
            tariff("[{ up_to = \"2\" }]").replace("cash_out", "cash_in"),
            "tariff.3: cash_in has a tariff from that moment",
        ),
        (
            tariff("[{ up_to = \"2\", upto = \"2\" }]"),
            "tariff.0.bands.0.upto: there is no such key; did you mean tariff.bands.up_to?",
        ),
        (tariff("[{ fixed = \"2\" }]"), "tariff.0.bands.0.up_to: must be given"),
        (tariff("[{ up_to = \"2\" }]").replace("2026-01-01", "soon"), "tariff.0.effective_from: must be a date"),
        (CENTRE.replace("\"one\"", "\"\""), "message_centre.0.name: must be 1 to 32"),
        (CENTRE.replace("smsc:2775", "smsc"), "message_centre.0.hosts: must be 1 to 16 addresses"),
        (CENTRE.replace("smsc:2775", "smsc:0"), "message_centre.0.hosts: must be"),
        (CENTRE.replace("smsc:2775", "::1:2775"), "message_centre.0.hosts: must be"),
        (CENTRE.replace("[\"smsc:2775\"]", "[]"), "message_centre.0.hosts: must be"),
        (CENTRE.replace("\"w\"", "\"sixteen-letters-\""), "message_centre.0.system_id: must be 1 to 15"),
        (format!("{CENTRE}system_type = \"thirteen-long\"\n"), "message_centre.0.system_type: must be at most 12"),
        (
            format!("{CENTRE}tls = {{ key_file = \"k\" }}\n"),
            "message_centre.0.tls: certificate_file and key_file go together",
        ),
        (format!("{CENTRE}bind = \"receiver\"\n"), "message_centre: messages must be able to come in and go out"),
        (format!("{CENTRE}{CENTRE}"), "message_centre: two have the same name"),
        (
            format!("{CENTRE}password = \"secret\"\n"),
            "message_centre.0.password: there is no such key; did you mean message_centre.password_file?",
        ),
        (format!("{CENTRE}prefixes = [\"255\", \"255\"]\n"), "message_centre: a prefix stands twice"),
    ];
    for (text, expected) in table {
        let found = complaints(load(&text));
        assert!(found.iter().any(|complaint| complaint.starts_with(expected)), "{expected}\n{text}\n{found:#?}");
    }
    assert!(load(CENTRE).is_ok());
    assert!(load(&some("")).is_ok());
    assert!(load(&tariff("[{ up_to = \"2\" }]")).is_ok());
}

#[test]
fn effective_dates_are_midnight_in_the_ledgers_zone() {
    let time =
        |text: &str| EffectiveFrom::parse(text).and_then(|from| from.time(&values::zone("Africa/Dar_es_Salaam")));
    assert_eq!(time("2026-01-01"), Some(Time(1_767_214_800_000)));
    assert_eq!(time("2026-01-01T00:00:00+03:00"), time("2026-01-01"));
    assert_eq!(time("2025-12-31T21:00:00Z"), time("2026-01-01"));
    assert_eq!(time("2026-01-01T00:00:00"), None);
    assert_eq!(time("2026-02-30"), None);
    // Unquoted dates are dates of TOML, and the same.
    let bare = SHIPPED.replace("effective_from = \"2026-01-01\"", "effective_from = 2026-01-01");
    assert!(bare != SHIPPED);
    assert_eq!(load(&bare).unwrap(), Config::default());
}

#[test]
fn amounts_are_decimals_of_the_currency() {
    let minor =
        |text: &str, code: &str| Amount::parse(text).and_then(|read| read.minor(CurrencyCode::parse(code)?.currency()));
    let table = [
        ("500", "TZS", Some(50_000)),
        ("500.5", "TZS", Some(50_050)),
        ("500.50", "TZS", Some(50_050)),
        ("0", "TZS", Some(0)),
        ("500.005", "TZS", None),
        ("500.0", "UGX", None),
        ("500", "UGX", Some(500)),
        ("1.234", "KWD", Some(1234)),
        ("10000000000000", "TZS", Some(1_000_000_000_000_000)),
        ("10000000000000.01", "TZS", None),
        ("99999999999999999999", "TZS", None),
        ("", "TZS", None),
        (".5", "TZS", None),
        ("5.", "TZS", None),
        ("-5", "TZS", None),
        ("+5", "TZS", None),
        ("1,000", "TZS", None),
        ("1 000", "TZS", None),
        ("1e3", "TZS", None),
        ("٥", "TZS", None),
        ("5", "XAU", None),
    ];
    for (text, code, expected) in table {
        assert_eq!(minor(text, code), expected, "{text} {code}");
    }
}

#[test]
fn policy_and_terms_say_what_the_configuration_says() {
    let config = load(
        "[transfer]\nregistered_payee = \"password\"\nwithdrawal_period_days = 2\nreminder_before_hours = 3\n[pin]\n\
         lock_minutes = 5\n[repeats]\nwindow_hours = 4\n[ledger]\nlanguage = \"zh\"\n",
    )
    .unwrap();
    let policy = config.policy();
    assert_eq!(policy.registered_payee, transaction_processing::policy::RegisteredPayee::Password);
    assert_eq!((policy.withdrawal_period_seconds, policy.reminder_before_seconds), (172_800, 10_800));
    assert_eq!((policy.pin_lock_seconds, policy.repeat_window_seconds), (300, 14_400));
    assert_eq!(policy.language, transaction_processing::number::Language::Chinese);
    let payee = policy.limits(LimitClass::NonCustomer, policy.currency);
    assert_eq!((payee.least, payee.per_transaction, payee.per_month), (10_000, 100_000_000, 300_000_000));
    let terms = config.terms();
    let withdrawal = terms.iter().find(|terms| terms.priced == tariff::Priced::Withdrawal).unwrap();
    assert_eq!(withdrawal.payer, tariff::Payer::Payee);
    let fee = |minor| {
        let amount = transaction_processing::Money::new(minor, policy.currency).unwrap();
        withdrawal.fee(amount).minor()
    };
    assert_eq!((fee(50_000), fee(5_000_000), fee(500_000_000)), (10_000, 50_000, 1_000_000));
}

#[test]
fn the_defaults_are_the_rules() {
    let policy = Config::default().policy();
    let hours = |hours: u32| hours * 3600;
    assert_eq!(policy.repeat_window_seconds, hours(72));
    assert_eq!((policy.pin_tries, policy.pin_lock_seconds, policy.pin_tries_in_all), (3, 1800, 10));
    assert_eq!(policy.one_time_pin_seconds, hours(1));
    assert_eq!((policy.password_tries, policy.password_first_pause_seconds), (3, 1800));
    assert_eq!(policy.password_later_pause_seconds, hours(24));
    assert_eq!((policy.verification_code_tries, policy.verification_code_seconds), (3, 1800));
    assert_eq!(policy.cash_in_undo_seconds, 900);
    assert!(!policy.password_at_agent);
}

#[test]
fn a_centre_says_how_its_binds_are_opened() {
    let text = format!(
        "{CENTRE}bind = \"transceiver\"\nrate_per_second = 20\nburst = 5\nwindow = 30\nreceipt_id_form = \"decimal\"\n"
    );
    let centre = load(&text).unwrap().message_centre.remove(0);
    let client = centre.client(wire::Secret::from("pass"), 100, 200).unwrap();
    assert_eq!(client.system_id.as_bytes(), b"w");
    assert_eq!((client.link.window, client.link.queue, client.link.inbound_window), (30, 100, 200));
    let rate = client.link.rate.unwrap();
    assert_eq!((rate.per_second.get(), rate.burst.get()), (20, 5));
    assert_eq!(client.link.receipt_id_form, wire::smpp::MessageIdForm::Decimal);
    assert_eq!(client.link.response_id_form, wire::smpp::MessageIdForm::Verbatim);
}

#[test]
fn what_is_shown_loads_again_and_is_the_same() {
    let text = format!("{CENTRE}tls = {{ server_name = \"a\\\"b\" }}\n[log]\nlevel = \"debug\"\n");
    let (_folder, sources) = file(&text);
    let shown = Shown::load(&sources).unwrap();
    let again = with(&[], &["message_centre=[{}]", "message_centre.0.tls={}"]);
    assert!(again.is_err(), "required keys of a centre are missing");
    let json = shown.json();
    assert_eq!(json["log.level"]["value"], "debug");
    assert_eq!(json["message_centre.0.window"], serde_json::json!({ "value": 10, "origin": "default" }));
    assert_eq!(json["message_centre.0.tls.server_name"]["value"], "a\"b");
    let keys: Vec<&str> = shown.keys.iter().map(|shown| shown.key.as_str()).collect();
    assert!(keys.contains(&"tariff.3.bands.0.up_to") && keys.contains(&"ledger.database"));
    // Every line is a flag that leads to the same configuration.
    let (_folder, mut replayed) = file("");
    let of_lists = |shown: &&ShownKey| !shown.key.contains(".0") && !shown.key.chars().any(|c| c.is_ascii_digit());
    replayed.flags = shown.keys.iter().filter(of_lists).map(|shown| format!("{}={}", shown.key, shown.value)).collect();
    let config = Config::load(&replayed).unwrap();
    assert_eq!(Config { message_centre: Vec::new(), ..Config::load(&sources).unwrap() }, config);
    for line in shown.text().lines() {
        assert!(line.contains(" = ") && line.contains("  # "), "{line}");
    }
}

#[test]
fn secrets_are_read_from_files_without_their_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let read = |octets: &[u8]| {
        std::fs::write(&path, octets).unwrap();
        read_secret(&path).ok().map(|secret| secret.expose().to_owned())
    };
    assert_eq!(read(b"pass word\n").as_deref(), Some("pass word"));
    assert_eq!(read(b"pass\r\n").as_deref(), Some("pass"));
    assert_eq!(read(b" pass\n\n").as_deref(), Some(" pass\n"));
    assert_eq!(read(b"\n"), None);
    assert_eq!(read(b""), None);
    assert_eq!(read(b"\xff\xfe"), None);
    assert_eq!(read(&[b'x'; 4096]).map(|secret| secret.len()), Some(4096));
    assert_eq!(read(&[b'x'; 4097]), None);
    assert!(read_secret(&folder.path().join("absent")).is_err());
}

#[test]
fn the_check_looks_at_the_files_that_are_named() {
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, mut sources) = file(CENTRE);
    let at = |name: &str| folder.path().join(name);
    let put = |name: &str, mode: u32| {
        std::fs::write(at(name), "secret").unwrap();
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let named = |key: &str, name: &str| format!("{key}={}", at(name).display());
    sources.flags = vec![
        named("ledger.database", "wakala.db"),
        named("administration.socket", "nowhere/wakala.sock"),
        named("keys.file", "keys"),
        named("keys.passphrase_file", "passphrase"),
        named("message_centre.0.password_file", "password"),
        named("message_centre.0.tls.ca_file", "ca.pem"),
    ];
    put("keys", 0o644);
    put("passphrase", 0o640);
    let found = complaints(Config::check(&sources));
    let expected = [
        "administration.socket: there is no folder",
        "keys.file: ",
        "message_centre.0.password_file: ",
        "message_centre.0.tls.ca_file: there is no such file",
    ];
    for text in expected {
        assert!(found.iter().any(|complaint| complaint.starts_with(text)), "{text}: {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    put("keys", 0o600);
    put("password", 0o400);
    put("ca.pem", 0o644);
    std::fs::create_dir(at("nowhere")).unwrap();
    assert_eq!(complaints(Config::check(&sources)), Vec::<String>::new());
}

#[test]
fn several_processes_need_a_server_a_short_lease_and_certificates() {
    let right = with_absent_keys().replace("lease_seconds = 15", "lease_seconds = 3");
    let complaints_about = |text: &str| {
        let found = complaints(load(text));
        found
            .into_iter()
            .filter(|complaint| !complaint.contains("KES") && !complaint.contains("TZS"))
            .collect::<Vec<_>>()
    };
    assert!(complaints_about(&right).is_empty());
    let said = complaints_about("[cluster]\nlisten = \"here\"\nadvertise = \"there\"\n").join("\n");
    for key in [
        "cluster.listen: must be",
        "cluster.advertise",
        "needs postgres.address",
        "cluster.ca_file",
        "cluster.certificate_file",
        "cluster.key_file",
        "postgres.lease_seconds: must be 3 or 4",
    ] {
        assert!(said.contains(key), "{key} is missing: {said}");
    }
}
