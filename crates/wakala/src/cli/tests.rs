use clap::error::ErrorKind;

use super::*;
use crate::administration::protocol::{Command as Asked, Fault, FaultCode, Measure, Sum, Tier};

fn parse(line: &str) -> Result<Cli, clap::Error> {
    let words = line.split(' ').map(|word| word.replace('_', " "));
    Cli::try_parse_from(std::iter::once("wakala".to_owned()).chain(words))
}

/// What a line asks the server, where it asks one thing.
fn asked(line: &str) -> Asked {
    match parse(line).unwrap_or_else(|error| panic!("{line}: {error}")).command {
        Command::Treasury { command, .. } => requests::treasury(command),
        Command::Agent { command, .. } => requests::agent(command),
        Command::Customer { command, .. } => requests::customer(command),
        Command::Transfer { command, .. } => requests::transfer(command),
        _ => panic!("{line} asks nothing of these"),
    }
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_explains_itself() {
    fn explains(command: &clap::Command, path: &str) {
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            assert!(below.get_about().is_some(), "{path} says nothing");
            for argument in below.get_arguments() {
                assert!(argument.get_help().is_some(), "{path} {} says nothing", argument.get_id());
            }
            explains(below, &path);
        }
    }
    explains(&Cli::command(), "wakala");
}

#[test]
fn what_is_typed_is_what_is_asked() {
    let sum = |amount: &str| Sum { amount: amount.into(), currency: None };
    let number = || "0712000002".to_owned();
    let reference = || "482913375520".to_owned();
    let propose = Asked::Propose;
    for (line, expected) in [
        (
            "treasury issue 500.50 --bank-reference deposit-1 --currency KES",
            propose(Measure::Issue {
                amount: Sum { amount: "500.50".into(), currency: Some("KES".into()) },
                bank_reference: "deposit-1".into(),
            }),
        ),
        (
            "treasury redeem 500 --bank-reference deposit-2",
            propose(Measure::Redeem { amount: sum("500"), bank_reference: "deposit-2".into() }),
        ),
        ("treasury collect-fees 10", propose(Measure::CollectFees { amount: sum("10") })),
        ("treasury approve 12", Asked::Approve { proposal: 12 }),
        ("treasury reject 12", Asked::Reject { proposal: 12 }),
        ("treasury proposals", Asked::Proposals { all: false, full_numbers: false }),
        ("treasury proposals --all --full-numbers", Asked::Proposals { all: true, full_numbers: true }),
        ("treasury proposals 12", Asked::Proposal { proposal: 12 }),
        ("treasury balance", Asked::TrialBalance),
        (
            "agent enrol 1042 0712000007 --name Corner_Shop --own-number 0754000007 --own-number 0755000007",
            propose(Measure::EnrolAgent {
                code: 1042,
                number: "0712000007".into(),
                name: "Corner Shop".into(),
                own_numbers: vec!["0754000007".into(), "0755000007".into()],
            }),
        ),
        ("agent list", Asked::Agents { full_numbers: false }),
        ("agent show 1042", Asked::Agent { code: 1042 }),
        ("agent float supply 1042 200", propose(Measure::SupplyFloat { agent: 1042, amount: sum("200") })),
        ("agent float withdraw 1042 200", propose(Measure::WithdrawFloat { agent: 1042, amount: sum("200") })),
        ("customer show 0712000002", Asked::Customer { number: number() }),
        ("customer show +255712000002", Asked::Customer { number: "+255712000002".into() }),
        ("customer set-tier 0712000002 full", propose(Measure::SetTier { number: number(), tier: Tier::Full })),
        ("customer unlock-pin 0712000002", propose(Measure::UnlockPin { number: number() })),
        ("customer reset-pin 0712000002", propose(Measure::ResetPin { number: number() })),
        ("customer freeze 0712000002", propose(Measure::Freeze { number: number() })),
        ("customer unfreeze 0712000002", propose(Measure::Unfreeze { number: number() })),
        ("customer close 0712000002", propose(Measure::Close { number: number() })),
        (
            "customer change-number 0712000002 0713000002",
            propose(Measure::ChangeNumber { number: number(), to: "0713000002".into() }),
        ),
        ("customer recycle-number 0712000002", propose(Measure::RecycleNumber { number: number() })),
        (
            "customer bind-card 0712000002 89255010000000000017",
            propose(Measure::BindCard { number: number(), iccid: "89255010000000000017".into() }),
        ),
        (
            "customer erase 0712000002 --former-owners",
            propose(Measure::Erase { number: number(), former_owners: true }),
        ),
        ("customer forget-card 0712000002", propose(Measure::ForgetCard { number: number() })),
        ("customer cases --all", Asked::Cases { all: true, full_numbers: false }),
        ("customer pay-unclaimed 31 0712000002", propose(Measure::PayUnclaimed { case: 31, number: number() })),
        ("transfer show 482913375520", Asked::Transfer { reference: reference() }),
        ("transfer reverse 482913375520", propose(Measure::Reverse { reference: reference() })),
        ("transfer undelivered", Asked::Undelivered { full_numbers: false }),
    ] {
        assert_eq!(asked(line), expected, "{line}");
    }
}

#[test]
fn what_is_no_command_is_refused() {
    for line in [
        "dance",
        "treasury issue 500",
        "treasury issue --bank-reference A",
        "treasury approve",
        "treasury approve minus",
        "agent enrol 1042 0712000007",
        "customer set-tier 0712000002 platinum",
        "sql",
        "backup",
        "keys retire one",
        // A secret is never an argument.
        "treasury approve 12 --secret hunter2",
        "staff add maker --new-secret hunter2",
    ] {
        let error = parse(line).err().unwrap_or_else(|| panic!("{line} was taken"));
        assert_eq!(error.exit_code(), Exit::Usage as i32, "{line}");
    }
}

#[test]
fn options_stand_anywhere() {
    for line in [
        "--json --config a.toml treasury --staff maker --secret-file s balance",
        "treasury balance --json --config a.toml --staff maker --secret-file s",
    ] {
        let Cli { global, command } = parse(line).unwrap();
        assert!(global.json);
        assert_eq!(global.config.as_deref(), Some(Path::new("a.toml")));
        let Command::Treasury { by, .. } = command else { panic!("{line}") };
        assert_eq!((by.staff.as_deref(), by.secret_file.as_deref()), (Some("maker"), Some(Path::new("s"))));
    }
}

#[test]
fn help_has_examples_and_the_exit_codes_and_version_names_the_schema() {
    let help = parse("--help").err().unwrap();
    assert_eq!(help.kind(), ErrorKind::DisplayHelp);
    let text = help.to_string();
    for code in ["0 ", "1 ", "2 ", "69 ", "75 ", "78 "] {
        assert!(text.contains(&format!("  {code}")), "{code} is not explained in {text}");
    }
    for command in [
        "serve",
        "keys init",
        "staff add",
        "treasury",
        "agent",
        "customer",
        "transfer",
        "sql",
        "backup",
        "restore",
        "trust-account",
        "trust-account check",
        "ledger witness",
        "ledger head",
        "customer erase",
    ] {
        let text = parse(&format!("{command} --help")).err().unwrap().to_string();
        assert!(text.contains("Example"), "{command} has no example");
    }
    let version = parse("--version").err().unwrap().to_string();
    assert!(version.starts_with("wakala 0.") && version.contains("schema 1"), "{version}");
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let Cli { global, command } = parse(&format!("completions {shell}")).unwrap();
        let Ok(Outcome::Text(script)) = carry_out(&global, command) else { panic!("no script for {shell}") };
        assert!(script.contains("trial-balance"), "{shell}");
    }
}

#[test]
fn faults_end_with_their_code() {
    for (code, exit) in [
        (FaultCode::BadRequest, 2),
        (FaultCode::NotProven, 1),
        (FaultCode::Refused, 1),
        (FaultCode::NotFound, 1),
        (FaultCode::Failed, 1),
        (FaultCode::Paused, 75),
        (FaultCode::Busy, 75),
        (FaultCode::Stopping, 75),
    ] {
        let failure = Failure::from(Fault::new(code, "why"));
        assert_eq!((failure.exit as u8, failure.json()["exit"].as_u64()), (exit, Some(u64::from(exit))));
    }
}

#[test]
fn a_check_that_finds_something_ends_with_one() {
    assert!(has_finding(&json!({ "findings": [{ "what": "a hole" }] })));
    assert!(has_finding(&json!({ "balanced": false })));
    assert!(!has_finding(&json!({ "findings": [], "balanced": true, "rows": 3 })));
}

#[test]
fn a_server_that_is_not_there_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let failure = client::ask(&folder.path().join("none.sock"), &Request::plain(Asked::Staff)).unwrap_err();
    assert_eq!(failure.exit, Exit::Unreachable);
    assert!(failure.message.contains("wakala serve"), "{failure}");
}
