//! Proofs over real books: the alarm in simulated time, statements changed at every octet, a witness that cannot write.

use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_center::{Answer, Bounds, DataCenter, Location, Sqlite, Writer};
use encryption::{FileKeys, Keys, VerifyingKey};
use tempfile::TempDir;
use tokio::time::Instant;
use transaction_processing::bank::{TrustAccount, Whose};
use transaction_processing::ids::{ProposalId, StaffId};
use transaction_processing::proposal::Measure;
use transaction_processing::request::{Action, Origin};
use transaction_processing::requests::{approve, propose, staff};
use transaction_processing::time::{Day, Moment, Month, Time};
use transaction_processing::{Currency, Money, Msisdn, Request};

use super::head::{Compared, Head, Log, Testimony};
use super::statement::{Side, Statement, Untrue};
use super::watch::{self, Event, Watch};
use super::witness::Witness;
use crate::administration::system_rng;
use crate::config::Config;
use crate::observe::metrics::Metrics;
use crate::uplink::private;

const NOW: Time = Time(1_767_225_600_000);

fn now() -> Moment {
    Moment { time: NOW, day: Day(20_454), month: Month(672) }
}

/// Books with two members of staff and a thousand in electronic money.
struct Town {
    folder: TempDir,
    writer: Writer,
    currency: Currency,
    staff: [StaffId; 2],
}

impl Town {
    fn found() -> Town {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::default();
        let currency = config.ledger.currency.currency();
        let store = Sqlite::open(&folder.path().join("books.db"), &[currency]).expect("a database");
        let center = DataCenter::open(store, config.policy(), &[currency]).expect("books");
        let writer = Writer::start(center, now, Bounds::default(), |_| {}, |_| {}).expect("a writer");
        let mut town = Town { folder, writer, currency, staff: [StaffId(0); 2] };
        for (index, name) in ["maker", "checker"].into_iter().enumerate() {
            let fields = staff::Fields { name: name.into(), verifier: "verifier".into() };
            let enrolled = town.ask(Origin::Platform, Action::EnrolFirstStaff(fields));
            town.staff[index] = StaffId(enrolled.row.expect("a row").0);
        }
        town.measure(Measure::Issue { amount: town.money(1000), bank_reference: "deposit".into() });
        town
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency).expect("an amount")
    }

    fn ask(&self, origin: Origin, action: Action) -> Answer {
        let (tell, told) = sync_channel(1);
        let request = Request { key: None, origin, action };
        self.writer.submit(request, move |answer| drop(tell.send(answer))).expect("a writer");
        let answer = told.recv().expect("an answer");
        assert_eq!(answer.refusal, None);
        answer
    }

    fn measure(&self, measure: Measure) {
        let [maker, checker] = self.staff.map(Origin::Staff);
        let proposed = self.ask(maker, Action::Propose(propose::Fields { measure })).row.expect("a row");
        let (proposal, verdict) = (ProposalId(proposed.0), approve::Verdict::Approve);
        let fields = approve::Fields { proposal, verdict, one_time_pin: None, moved_name: None };
        self.ask(checker, Action::Approve(fields));
    }

    fn bank_says(&self, minor: i64) {
        let balance = self.money(minor);
        self.measure(Measure::ConfirmBank { balance, as_of: NOW, statement: "s".into(), includes: Vec::new() });
    }

    fn location(&self) -> Location {
        Location::File(self.folder.path().join("books.db"))
    }
}

/// What is logged meanwhile.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl io::Write for Logged {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Logged {
    fn begin(&self) -> tracing::subscriber::DefaultGuard {
        let writing = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writing.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_told_within_a_minute_and_so_is_its_end() {
    let logged = Logged::default();
    let _guard = logged.begin();
    let (town, metrics) = (Town::found(), Arc::new(Metrics::new("", "")));
    tokio::spawn(watch::run(town.writer.clone(), vec![town.currency], Arc::clone(&metrics)));
    let shows = |line: &str| metrics.text().lines().any(|one| one == line);
    let until = async |line: &str| {
        let begun = Instant::now();
        while !shows(line) {
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert!(begun.elapsed() < Duration::from_secs(60), "{line} is not in\n{}", metrics.text());
        }
    };
    until("wakala_trust_money_minor_units{currency=\"TZS\"} 1000").await;
    assert!(shows("wakala_trust_alarm{currency=\"TZS\"} 0"), "the bank has said nothing yet");
    town.bank_says(1000);
    until("wakala_trust_bank_minor_units{currency=\"TZS\"} 1000").await;
    assert!(shows("wakala_trust_alarm{currency=\"TZS\"} 0") && !logged.text().contains("ERROR"), "{}", logged.text());
    town.bank_says(999);
    until("wakala_trust_alarm{currency=\"TZS\"} 1").await;
    assert!(shows("wakala_trust_difference_minor_units{currency=\"TZS\"} -1"));
    assert!(logged.text().contains("ERROR") && logged.text().contains("minor_units=-1"), "{}", logged.text());
    town.bank_says(1000);
    until("wakala_trust_alarm{currency=\"TZS\"} 0").await;
    assert!(logged.text().contains("agree again"), "{}", logged.text());
}

#[test]
fn a_difference_is_told_once_as_long_as_it_stays_the_same() {
    let side = |bank: i64| {
        let currency = Currency { numeric: 834, minor_digits: 2 };
        let confirmed = transaction_processing::bank::BankBalance {
            balance: Money::new(bank, currency).expect("an amount"),
            as_of: NOW,
            statement: "s".into(),
            includes: Vec::new(),
            entered_at: NOW,
        };
        let held = Whose::ALL.map(|of| (1, if of == Whose::Customers { 100 } else { 0 }));
        TrustAccount { currency, held, confirmed: Some(confirmed), moved: 0 }
    };
    let currency = side(0).currency;
    let mut watch = Watch::default();
    let mut look = |bank| watch.look(&[side(bank)]);
    assert_eq!(look(100), []);
    assert_eq!(look(99), [Event::Differs(currency, -1)]);
    assert_eq!(look(99), []);
    assert_eq!(look(103), [Event::Differs(currency, 3)]);
    assert_eq!(look(100), [Event::Agrees(currency)]);
    assert_eq!(look(100), []);
}

fn keys() -> (FileKeys, Vec<VerifyingKey>) {
    let keys = FileKeys::create(&mut system_rng());
    let public = keys.verifying_keys().into_iter().map(|(_, key)| key).collect();
    (keys, public)
}

/// In two currencies, of which the bank has stated one.
fn sides() -> Vec<Side> {
    let held = std::array::from_fn(|place| (place as u64, 250));
    let bank = super::statement::Bank {
        statement: "2026/118 \"quoted\", signature: none".into(),
        as_of: NOW,
        balance: 1500,
        moved: 400,
        now: 1900,
        difference: -100,
    };
    vec![
        Side { currency: "TZS".into(), minor_digits: 2, held, money: 2000, bank: Some(bank) },
        Side { currency: "UGX".into(), minor_digits: 0, held: [(0, 0); Whose::ALL.len()], money: 0, bank: None },
    ]
}

#[test]
fn a_statement_is_read_as_it_was_written_and_no_octet_of_it_can_be_changed() {
    let (keys, public) = keys();
    let text = Statement::sign(&keys, NOW, (17, [7; 32]), sides());
    let read = Statement::check(&text, &public).expect("signed, and adds up");
    assert_eq!((read.head, read.key, &read.sides), ((17, [7; 32]), 1, &sides()));
    let mut octets = text.clone().into_bytes();
    for at in 0..octets.len() {
        for bit in [1, 4, 32, 64] {
            octets[at] ^= bit;
            if let Ok(changed) = std::str::from_utf8(&octets) {
                assert!(Statement::check(changed, &public).is_err(), "octet {at}: {changed}");
            }
            octets[at] ^= bit;
        }
    }
    for lines in [text.replace('\n', "\r\n"), format!("{text}\n"), text.trim_end().to_owned(), String::new()] {
        assert!(Statement::check(&lines, &public).is_err());
    }
    let (_, others) = self::keys();
    assert_eq!(Statement::check(&text, &others), Err(Untrue::NotSigned));
    // A head is signed by the same key, and is no statement.
    let head = Head::sign(&keys, (17, [7; 32]), NOW);
    assert!(!public[0].verifies(super::statement::PURPOSE, head.head.to_string().as_bytes(), &head.signature));
}

#[test]
fn a_statement_that_is_signed_and_does_not_add_up_is_refused_with_what_is_wrong() {
    let (keys, public) = keys();
    type Spoil = fn(&mut Side);
    let spoils: [(Spoil, &str); 3] = [
        (|side| side.held[0].1 += 1, "electronic money is stated as 20.00, but adds up to 20.01"),
        (|side| side.bank.as_mut().expect("stated").moved = 0, "what is at the bank"),
        (|side| side.bank.as_mut().expect("stated").difference = 0, "the difference is stated as 0.00"),
    ];
    for (spoil, expected) in spoils {
        let mut sides = sides();
        spoil(&mut sides[0]);
        let text = Statement::sign(&keys, NOW, (17, [7; 32]), sides);
        let Err(Untrue::Sums(wrong)) = Statement::check(&text, &public) else { panic!("{expected} was believed") };
        assert!(wrong.concat().contains(expected), "{wrong:?}");
    }
}

#[test]
fn a_statement_of_more_than_any_books_can_hold_is_none_whoever_signed_it() {
    let (keys, public) = keys();
    for most in [i128::MAX, i128::MIN, i128::from(i64::MAX) + 1] {
        let mut sides = sides();
        sides[0].held[0].1 = most;
        sides[0].held[1].1 = most;
        let text = Statement::sign(&keys, NOW, (17, [7; 32]), sides);
        assert!(matches!(Statement::check(&text, &public), Err(Untrue::NoStatement(_))), "{most}");
    }
}

#[test]
fn a_witness_that_cannot_write_is_loud_and_stops_nothing() {
    let logged = Logged::default();
    let _guard = logged.begin();
    let (town, metrics) = (Town::found(), Arc::new(Metrics::new("", "")));
    let (keys, public) = keys();
    let directory = town.folder.path().join("witness");
    let witness = Witness::new(directory.clone(), town.location(), Arc::new(keys), Arc::new(now), Arc::clone(&metrics));
    witness.write().expect_err("there is no folder");
    assert!(logged.text().contains("ERROR") && logged.text().contains("was not written"), "{}", logged.text());
    assert!(metrics.text().contains("wakala_witness_failures_total 1"));
    town.bank_says(1000);
    std::fs::create_dir(&directory).expect("a folder");
    let written = witness.write().expect("written").expect("the log has grown");
    assert_eq!(witness.write().expect("nothing to write"), None, "it has not grown since");
    assert!(metrics.text().contains(&format!("wakala_witness_row {}", written.head.row)));
    town.bank_says(1001);
    witness.write().expect("written").expect("the log has grown");
    let text = std::fs::read_to_string(directory.join("heads-2026-01.txt")).expect("a file for the month");
    let mut testimony = Testimony::default();
    testimony.take("heads", &text, &public);
    assert_eq!((testimony.heads.len(), testimony.findings.len()), (2, 0));
}

#[test]
fn a_witness_finds_a_log_that_went_back_and_two_logs_under_one_name() {
    let (keys, public) = keys();
    let line = |row: u64, link: u8, later: i64| Head::sign(&keys, (row, [link; 32]), Time(NOW.0 + later)).to_string();
    let judged = |lines: &[String]| {
        let mut testimony = Testimony::default();
        testimony.take("heads", &lines.join("\n"), &public);
        testimony.findings.into_iter().map(|finding| finding.what).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(judged(&[line(5, 1, 0), line(5, 1, 1), line(9, 2, 2)]), "");
    assert!(judged(&[line(9, 2, 0), line(5, 1, 1)]).contains("went back from row 9"));
    assert!(judged(&[line(9, 2, 0), line(9, 1, 1)]).contains("two logs were signed"));
    assert!(judged(&[line(5, 1, 1), line(9, 2, 0)]).contains("signed earlier"));
    assert!(judged(&[line(5, 1, 0), "cut".to_owned()]).contains("line 2: no signed head"));
}

#[test]
fn what_a_witness_has_is_compared_with_what_the_log_has() {
    let (keys, public) = keys();
    let mut testimony = Testimony::default();
    let lines = [3, 5, 7, 9].map(|row| Head::sign(&keys, (row, [row as u8; 32]), NOW).to_string());
    testimony.take("heads", &lines.join("\n"), &public);
    // Rows up to 5 were taken out, of which the last one's link is known; 7 differs, and the log ends at 8.
    let link_of = |row: u64| match row {
        5 => Some([5; 32]),
        6..=8 => Some([0; 32]),
        _ => None,
    };
    let mut log = Log { sealed: 5, last: 8, epochs: Vec::new() };
    assert_eq!(testimony.compare(&log, &link_of), Compared { same: 1, taken_out: 1 });
    let told = |testimony: &mut Testimony| {
        std::mem::take(&mut testimony.findings).into_iter().map(|finding| finding.what).collect::<Vec<_>>()
    };
    let found = told(&mut testimony);
    assert!(found.len() == 2 && found[0].contains("row 7, or one before it, is not what it was"), "{found:?}");
    assert!(found[1].contains("the log ends at row 8") && found[1].ends_with("at row 9"), "{found:?}");
    log.epochs.push(6);
    testimony.compare(&log, &link_of);
    assert!(told(&mut testimony).iter().all(|found| found.contains("a backup was put in the place of that log")));
    log.last = 10;
    testimony.compare(&log, &link_of);
    assert!(told(&mut testimony)[1].contains("row 9 is gone"));
}

/// Not even with the key: what makes a commitment one of many is sealed with the text, and erased with it.
#[test]
fn what_was_committed_to_cannot_be_tried_out_once_the_text_is_erased() {
    let (keys, _) = keys();
    let owner = Msisdn::new(255_712_000_002).expect("a number");
    let [one, other] = [(); 2].map(|()| private(&keys, "name", owner, b"Asha", &mut system_rng()));
    assert_ne!(one.commitment, other.commitment);
    assert_ne!(one.commitment, keys.commitment("name", b"Asha"));
    let opened = keys.open_at_rest("name", b"+255712000002", &one.sealed).expect("sealed here");
    assert_eq!((keys.commitment("name", &opened), &opened[16..]), (one.commitment, b"Asha".as_slice()));
}

#[test]
fn keys_are_found_as_they_are_printed() {
    let (_, public) = keys();
    let (_, others) = keys();
    let text =
        format!("version 2, id {}\n{}version 1, id x\n{}", public[0].id(), public[0].to_pem(), others[0].to_pem());
    assert_eq!(super::public_keys(&text), [public[0], others[0]]);
    assert_eq!(super::public_keys("-----BEGIN PUBLIC KEY-----\nnone\n-----END PUBLIC KEY-----\n"), []);
}
