//! What only a database on a PostgreSQL server does: servers that are not safe, the ways to one, months, and what an auditor
//! sees. The rest of it is in `conformance.rs` and `faults.rs`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/server.rs"]
mod server;
mod support;

use std::fs;

use data_center::postgres::{
    DetachError, ImportError, Settings, Standbys, check, detach, import, query, verify, verify_month,
};
use data_center::{DataCenter, MessageChange, Part, Postgres, Report, Sqlite, StoreError, Value, differences};
use proxy::{Proxy, Way};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use server::Server;
use support::*;
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::notice::Text;
use transaction_processing::{Books, Currency};

const A: u64 = FIRST_CUSTOMER;
const B: u64 = FIRST_CUSTOMER + 1;

fn settings(server: &Server) -> Settings {
    let mut settings = Settings::parse(&server.url()).unwrap();
    settings.standbys = Standbys::None;
    settings
}

fn open(server: &Server) -> DataCenter<Postgres> {
    let store = Postgres::open(settings(server), &[TZS]).unwrap();
    DataCenter::with_span(store, policy(), &[TZS], 50).unwrap()
}

fn looked_at(server: &Server) -> Report {
    verify(&settings(server), &mut |_, _| {}).unwrap()
}

fn rows(server: &Server, question: &str) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    query(&settings(server), question, &mut |part| {
        if let Part::Row(row) = part {
            found.push(row);
        }
        true
    })
    .unwrap();
    found
}

fn refusal(settings: Settings) -> String {
    match Postgres::open(settings, &[TZS]).err() {
        Some(StoreError::Unsafe(wrong)) => wrong.join("\n"),
        other => panic!("not refused as unsafe, but {other:?}"),
    }
}

#[test]
fn a_server_that_could_lose_an_acknowledged_commit_is_refused_by_name() {
    let server = Server::start_with(&[
        "fsync=off",
        "full_page_writes=off",
        "data_sync_retry=on",
        "synchronous_commit=off",
        "zero_damaged_pages=on",
    ]);
    let said = refusal(settings(&server));
    for name in ["fsync", "full_page_writes", "data_sync_retry", "synchronous_commit", "zero_damaged_pages"] {
        assert!(said.contains(name), "{name} is not named: {said}");
    }
    assert_eq!(server.sql("SELECT count(*) FROM pg_class WHERE relname = 'log'"), "0", "nothing was written");
}

#[test]
fn commits_wait_for_a_standby_unless_the_configuration_says_that_there_is_none() {
    let server = Server::start();
    let with_standbys = Settings::parse(&server.url()).unwrap();
    assert!(refusal(with_standbys.clone()).contains("synchronous_standby_names is empty"));
    server.sql("ALTER ROLE wakala SET synchronous_commit = local");
    server.set("synchronous_standby_names", "standby");
    assert!(refusal(with_standbys).contains("synchronous_commit is local"));
    server.set("synchronous_standby_names", "");
    drop(open(&server));
}

#[test]
fn a_server_in_recovery_and_a_role_that_may_everything_are_refused() {
    let mut server = Server::start();
    let mut all_powerful = Settings::parse(&server.url().replace("wakala@", "postgres@")).unwrap();
    all_powerful.standbys = Standbys::None;
    assert!(refusal(all_powerful).contains("superuser"));
    server.crash();
    fs::write(server.folder().join("data/standby.signal"), "").unwrap();
    server.serve();
    assert!(refusal(settings(&server)).contains("in recovery"));
}

#[test]
fn a_later_schema_and_other_decimal_digits_are_refused() {
    let server = Server::start();
    drop(open(&server));
    let open_again = || Postgres::open(settings(&server), &[TZS]).err();
    server.sql("INSERT INTO migrations VALUES (999, 1, '')");
    assert!(open_again().is_none());
    server.sql("UPDATE migrations SET least_compatible = 999 WHERE version = 999");
    assert!(matches!(open_again(), Some(StoreError::TooNew { least: 999, .. })));
    assert!(verify(&settings(&server), &mut |_, _| {}).is_err());
    server.sql("DELETE FROM migrations WHERE version = 999; UPDATE migrations SET checksum = ''");
    assert!(matches!(open_again(), Some(StoreError::ForeignMigration(1))));
    let other = Server::start();
    drop(open(&other));
    let differs = Postgres::open(settings(&other), &[Currency { minor_digits: 0, ..TZS }]).err();
    assert!(matches!(differs, Some(StoreError::CurrencyDiffers(834))));
}

/// A certificate of an authority of the test's own, with its key, and the authority's.
fn certificate() -> (String, String, CertificateDer<'static>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let trusted = authority.self_signed(&key).unwrap();
    let authority = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &authority).unwrap();
    (certificate.pem(), key.serialize_pem(), trusted.der().clone())
}

fn trusting(authority: CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(roots).with_no_client_auth()
}

#[test]
fn the_way_is_encrypted_and_the_server_known_where_the_address_says_so() {
    let mut server = Server::start();
    let (pem, key, authority) = certificate();
    server.sql("ALTER ROLE wakala PASSWORD 'a long one'");
    server.crash();
    server.write("server.crt", &pem);
    server.write("server.key", &key);
    server.write("pg_hba.conf", "hostssl all wakala 127.0.0.1/32 scram-sha-256\nlocal all postgres trust\n");
    server.settings.push("ssl=on".into());
    server.serve();
    let address = format!("postgres://wakala@localhost:{}/wakala?sslmode=require", server.port());
    let settings = || {
        let mut settings = Settings::parse(&address).unwrap();
        settings.standbys = Standbys::None;
        settings
    };
    assert!(settings().needs_tls());
    let known = settings().with_tls(trusting(authority.clone()));
    assert!(Postgres::open(known.clone(), &[TZS]).is_err(), "without a password");
    assert!(Postgres::open(known.clone().with_password("another"), &[TZS]).is_err(), "with a wrong one");
    let (_, _, stranger) = certificate();
    let unknown = settings().with_tls(trusting(stranger)).with_password("a long one");
    let refused = Postgres::open(unknown, &[TZS]).err().unwrap().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    drop(Postgres::open(known.with_password("a long one"), &[TZS]).unwrap());
    assert!(Postgres::open(settings(), &[TZS]).is_err(), "nobody said whom to trust");
}

#[test]
fn the_writer_begins_a_month_when_it_comes() {
    let server = Server::start();
    let mut town = Town::found(open(&server), 10_000_000_000);
    town.settle(0..2, 50_000_000);
    let months = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'log'::regclass";
    for month in 1..4 {
        assert_eq!(server.sql(months), month.to_string());
        town.millis += 30 * 86_400_000;
        let requests = (0..5).map(|_| town.writing.transfer(A, B, 10)).collect();
        town.batch(requests);
        // Also by one who came after the month began.
        drop(town.center);
        town = Town::returning(open(&server), town.writing);
    }
    assert_eq!(looked_at(&server).findings, []);
    let kept = server.sql("SELECT sum(n) FROM (SELECT count(DISTINCT month) n FROM log GROUP BY tableoid) AS each");
    assert_eq!(kept, "4", "each month in a table of its own");
}

#[test]
fn what_was_lived_in_verifies_while_it_is_in_use() {
    let server = Server::start();
    let town = Town::lived_in(open(&server));
    let report = looked_at(&server);
    assert_eq!(report.findings, []);
    assert!(report.records > 20);
    assert_eq!(report.head, town.center.position().head);
    assert_eq!(report.accounts, town.center.books().account_count());
    assert_eq!(report.sums, [(TZS.numeric, 0, 20_000_000_000)]);
    let seen = check(&settings(&server)).unwrap();
    assert_eq!(seen.damage, [""; 0]);
    assert!(seen.software.starts_with("PostgreSQL") && seen.octets.0 > 0 && !seen.restored);
    drop(town);
    assert!(looked_at(&server).is_sound(), "and after it");
}

/// The auditor is the one that every column was tried on in `sqlite.rs`; here is what leads the rows of this store to it.
#[test]
fn what_was_changed_taken_away_or_put_in_is_found() {
    let server = Server::start();
    drop(Town::lived_in(open(&server)));
    let last = looked_at(&server).last.0;
    for tampering in [
        "UPDATE log SET amount_1 = amount_1 + 1 WHERE sequence = 33".to_owned(),
        "UPDATE log SET from_6 = 1 WHERE sequence = 33".to_owned(),
        "UPDATE log SET notices = '' WHERE sequence = (SELECT max(sequence) FROM log WHERE notices IS NULL)".to_owned(),
        "UPDATE log SET request = 200 WHERE sequence = 40".to_owned(),
        "DELETE FROM log WHERE sequence = 1".to_owned(),
        format!("DELETE FROM log WHERE sequence = {last}"),
        "UPDATE log SET sequence = 41000 - sequence WHERE sequence IN (40, 41)".to_owned(),
        "UPDATE accounts SET balance = balance + 1 WHERE id = (SELECT max(id) FROM accounts)".to_owned(),
        "DELETE FROM accounts WHERE id = (SELECT max(id) FROM accounts)".to_owned(),
        "UPDATE numbers SET body = body || '\\x00' WHERE msisdn = (SELECT min(msisdn) FROM numbers)".to_owned(),
        "DELETE FROM transfers WHERE id = (SELECT min(id) FROM transfers WHERE state = 3)".to_owned(),
        "DELETE FROM tariffs".to_owned(),
        "UPDATE bank_movements SET reference = 'another'".to_owned(),
        "DELETE FROM repeat_keys WHERE first = (SELECT max(first) FROM repeat_keys)".to_owned(),
        "UPDATE private_texts SET commitment = sealed".to_owned(),
        "UPDATE private_texts SET sealed = commitment WHERE length(sealed) = 0".to_owned(),
        "UPDATE private_texts SET msisdn = msisdn + 1 WHERE transfer IS NOT NULL".to_owned(),
        "UPDATE private_texts SET sealed = '' WHERE sequence = (SELECT max(sequence) FROM private_texts)".to_owned(),
        "UPDATE currencies SET minor_digits = 3".to_owned(),
        "UPDATE position SET head = sha256(head)".to_owned(),
        "INSERT INTO codes (notice_id, sealed) VALUES (1::bigint << 50, '')".to_owned(),
    ] {
        server.sql("CREATE DATABASE kept TEMPLATE wakala");
        server.sql(&tampering);
        assert!(!looked_at(&server).is_sound(), "nobody saw: {tampering}");
        server.bring_back("kept");
    }
    assert!(looked_at(&server).is_sound(), "all of it was taken back");
}

#[test]
fn an_auditor_reads_views_and_nothing_else() {
    let server = Server::start();
    let town = Town::lived_in(open(&server));
    let shown = rows(&server, "SELECT account, balance FROM balances");
    for account in town.center.books().accounts().filter(|account| account.latest().0 > 0) {
        let expected = vec![Value::Integer(account.id.0), Value::Integer(account.balance())];
        assert!(shown.contains(&expected), "account {}", account.id.0);
    }
    let sums = rows(&server, "SELECT sum(balance) FROM trial_balance GROUP BY currency");
    assert_eq!(sums, [[Value::Integer(0)]]);
    for view in ["entries", "journal", "transfers_now"] {
        assert_ne!(rows(&server, &format!("SELECT count(*) FROM {view}")), [[Value::Integer(0)]], "{view}");
    }
    let at = rows(&server, "SELECT at, chain FROM journal LIMIT 1").remove(0);
    assert!(matches!(&at[0], Value::Text(at) if at.ends_with('Z') && at.len() == 24), "{at:?}");
    rows(&server, "SELECT * FROM notices_state");
    for forbidden in [
        "DELETE FROM log",
        "WITH gone AS (DELETE FROM codes RETURNING 1) SELECT * FROM gone",
        "SELECT advance(1, '', 1, 1, 1, 1, '', 1, 1, 1, 1, 1, false)",
        "SELECT * FROM position FOR UPDATE",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT pg_read_file('pg_hba.conf')",
        "COPY log TO '/tmp/log'",
        "CREATE TABLE mine (a int)",
        "CREATE TEMP TABLE mine (a int)",
        "COMMIT",
        "SET transaction_read_only = off",
        "VACUUM",
        "SELECT 1; SELECT 2",
        "SELECT now()",
        "no sql at all",
    ] {
        assert!(query(&settings(&server), forbidden, &mut |_| true).is_err(), "{forbidden}");
    }
    assert!(looked_at(&server).is_sound());
}

#[test]
fn the_documented_questions_have_answers() {
    let server = Server::start();
    let town = Town::lived_in(open(&server));
    let busy = town.center.books().account_of(number(FIRST_CUSTOMER)).unwrap().id.0;
    let documented = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema.md")).unwrap();
    let questions: Vec<&str> = documented.split("```sql").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(questions.len(), 3);
    let history = rows(&server, &questions[0].replace("= 42", &format!("= {busy}")));
    let entries = rows(&server, &format!("SELECT * FROM entries WHERE account = {busy}"));
    assert_eq!(history.len(), entries.len().min(20));
    for question in questions[1..].iter().flat_map(|question| question.split(';')) {
        if !question.trim().is_empty() {
            rows(&server, question);
        }
    }
}

/// A file in which everything has happened, no process using it any more.
fn file(folder: &tempfile::TempDir) -> (std::path::PathBuf, Writing, Books) {
    let path = folder.path().join("books.db");
    let store = Sqlite::open(&path, &[TZS]).unwrap();
    let town = Town::lived_in(DataCenter::with_span(store, policy(), &[TZS], 50).unwrap());
    let writing = town.writing.clone();
    (path, writing, town.center.into_parts().0)
}

#[test]
fn a_file_moves_to_a_server_whole_and_goes_on_there() {
    let folder = tempfile::tempdir().unwrap();
    let (path, writing, books) = file(&folder);
    let server = Server::start();
    let mut told = Vec::new();
    let report = import(&path, &settings(&server), &mut |done, of| told.push((done, of))).unwrap();
    assert_eq!(report, data_center::sqlite::verify(&path, &mut |_, _| {}).unwrap());
    assert!(told.is_sorted() && told.last().is_some_and(|(done, of)| done == of), "{told:?}");
    let again = import(&path, &settings(&server), &mut |_, _| {}).unwrap();
    assert_eq!(again, report, "only the proof is made again");
    let center = open(&server);
    assert_eq!(differences(&books, center.books()), [""; 0]);
    let mut town = Town::returning(center, writing);
    let sent = town.writing.transfer(A, B, 10);
    town.one(sent);
    assert_eq!(looked_at(&server).findings, []);
    let again = import(&path, &settings(&server), &mut |_, _| {});
    assert!(matches!(again, Err(ImportError::NotEmpty(_))), "{again:?}");
    // The file is as it was, and may still be used; it was not meant to.
    assert_eq!(data_center::sqlite::verify(&path, &mut |_, _| {}).unwrap(), report);
}

#[test]
fn a_move_that_was_interrupted_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ..) = file(&folder);
    let server = Server::start();
    let proxy = Proxy::start(server.socket());
    let mut through = Settings::parse(&proxy.url()).unwrap();
    through.standbys = Standbys::None;
    for octets in [30_000, 50_000, 80_000] {
        proxy.cut_after(Way::Up, octets);
        let cut = import(&path, &through, &mut |_, _| {});
        assert!(matches!(cut, Err(ImportError::Store(StoreError::Postgres(_)))), "{cut:?}");
        assert_eq!(server.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    }
    let report = import(&path, &through, &mut |_, _| {}).unwrap();
    assert!(proxy.cuts() == 3 && report.is_sound());
}

#[test]
fn what_cannot_be_moved_leaves_the_server_empty() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ..) = file(&folder);
    let server = Server::start();
    let moved = || import(&path, &settings(&server), &mut |_, _| {});
    let is_empty = || assert_eq!(server.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    let used = Sqlite::open(&path, &[TZS]).unwrap();
    assert!(matches!(moved(), Err(ImportError::Store(StoreError::InUse { .. }))));
    drop(used);
    is_empty();
    // In the middle of it.
    server.sql(
        "CREATE SCHEMA test;
        CREATE FUNCTION test.fail() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF current_query() LIKE '%ATTACH%' THEN RAISE EXCEPTION 'made to fail'; END IF;
        END $$;
        CREATE EVENT TRIGGER fail ON ddl_command_start EXECUTE FUNCTION test.fail()",
    );
    assert!(matches!(moved(), Err(ImportError::Store(StoreError::Postgres(_)))));
    is_empty();
    server.sql("DROP EVENT TRIGGER fail");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("UPDATE log SET amount_1 = 1 WHERE sequence = 40", []).unwrap();
    assert!(matches!(moved(), Err(ImportError::Unsound(_))));
    is_empty();
    let absent = import(&folder.path().join("another"), &settings(&server), &mut |_, _| {});
    assert!(matches!(absent, Err(ImportError::Absent(_))));
}

/// Milliseconds from the town's beginning to the end of its first month, which bears the name of November 2026.
const FIRST_END: i64 = 683 * 30 * DAY_MS - 1_768_000_000_000;
const DAY_MS: i64 = 86_400_000;
const WINDOW: u32 = 72 * HOUR;

/// Goes on for a while, so that the checkpoint goes round and nobody has to be told anything of before.
fn carry_on(town: &mut Town<Postgres>) {
    for _ in 0..40 {
        let requests = (0..12).map(|n| town.writing.transfer(FIRST_CUSTOMER + n % 3, FIRST_CUSTOMER + 4, 10)).collect();
        town.batch(requests);
    }
    let settled = Sequence(town.center.position().next.0 - 1);
    town.try_batch(Vec::new(), vec![MessageChange::SettledTo(settled)]).unwrap();
}

/// What is under way at the end of a month and comes to its end in the next one.
fn across_the_end(town: &mut Town<Postgres>, end: i64, payee: u64) {
    town.millis = end - i64::from(HOUR) * 1000;
    let sent = town.writing.transfer(A, B, 5_000);
    let sent = town.one(sent).transfer.unwrap();
    let waiting = town.writing.transfer(A, payee, 600_000);
    let waiting = town.one(waiting);
    let left = town.writing.transfer(B, payee + 1, 700);
    town.one(left);
    town.millis = end + i64::from(HOUR) * 1000;
    let recall = town.writing.recall(A, sent);
    town.one(recall);
    let agreed = town.writing.agree(B, sent);
    town.one(agreed);
    let query = town.writing.query(payee, code_to(&waiting, payee), AGENT);
    let query = town.one(query);
    let claim = town.writing.claim(AGENT_PHONE, payee, 600_000, code_to(&query, payee));
    town.one(claim);
    carry_on(town);
}

#[test]
fn months_that_are_taken_out_verify_alone_and_the_rest_without_them() {
    let server = Server::start();
    let take_out = |month: &str| detach(&settings(&server), month, WINDOW, &mut |_, _| {});
    let refused = |month: &str| match take_out(month) {
        Err(DetachError::Refused(why)) => why,
        other => panic!("{month}: {other:?}"),
    };
    let mut town = Town::lived_in(open(&server));
    carry_on(&mut town);
    assert!(refused("2026-11").contains("not over"), "the month goes on");
    across_the_end(&mut town, FIRST_END, STRANGER + 50);
    assert!(refused("2026-11").contains("may still come again"));
    town.millis += 4 * DAY_MS;
    across_the_end(&mut town, FIRST_END + 30 * DAY_MS, STRANGER + 60);
    assert!(refused("2026-12").contains("oldest") && refused("Nov 2026").contains("no month"));
    let whole = looked_at(&server);
    assert_eq!(whole.findings, []);

    let first = take_out("2026-11").unwrap();
    assert_eq!((first.rows.0.0, first.links.0), (1, [0; 32]));
    assert_eq!(take_out("2026-11").unwrap(), first, "once and for all");
    let alone = verify_month(&settings(&server), "2026-11", &mut |_, _| {}).unwrap();
    assert_eq!((alone.findings.as_slice(), alone.head, alone.last), (&[][..], first.links.1, first.rows.1));
    let rest = looked_at(&server);
    assert_eq!((rest.findings.as_slice(), rest.head, rest.sealed), (&[][..], whole.head, first.rows.1));
    assert_eq!((rest.rows + alone.rows, &rest.sums, rest.accounts), (whole.rows, &whole.sums, whole.accounts));

    // The writer, which was at work all the time, goes on, and so does one that recovers.
    town.millis += 4 * DAY_MS;
    carry_on(&mut town);
    let (writing, (books, store)) = (town.writing.clone(), town.center.into_parts());
    drop(store);
    let mut town = Town::returning(open(&server), writing);
    assert_eq!(differences(&books, town.center.books()), [""; 0]);
    let second = take_out("2026-12").unwrap();
    assert_eq!((second.links.0, second.rows.0), (first.links.1, first.rows.1.next()));
    for month in ["2026-11", "2026-12"] {
        let alone = verify_month(&settings(&server), month, &mut |_, _| {}).unwrap();
        assert_eq!(alone.findings, [], "{month}");
    }
    assert_eq!(looked_at(&server).findings, []);
    let was_genuine = |town: &mut Town<Postgres>, row: Sequence| {
        let check = town.writing.check(A + 2, TransferId(row.0));
        matches!(town.any(check).notices.remove(0).text, Text::ReceiptGenuine { .. })
    };
    let newest = Sequence(town.center.position().next.0 - 1);
    assert!(was_genuine(&mut town, newest));
    assert!(was_genuine(&mut town, first.rows.1), "what waits is known wherever it was made");
    // Three rows before it stands one that nothing has become of since.
    assert!(!was_genuine(&mut town, Sequence(first.rows.1.0 - 3)), "what was taken out is not known any more");
    drop(town);

    for (tampering, month) in [
        (
            "UPDATE log_2026_12 SET amount_1 = amount_1 + 1 WHERE sequence = (SELECT min(sequence) FROM log_2026_12 WHERE amount_1 > 0)",
            "2026-12",
        ),
        ("DELETE FROM log_2026_12 WHERE sequence = (SELECT max(sequence) FROM log_2026_12)", "2026-12"),
        (
            "UPDATE sealed SET balance = balance + 1 WHERE month = 682 AND place = (SELECT max(place) FROM sealed WHERE month = 682 AND balance > 0)",
            "2026-11",
        ),
        ("DELETE FROM sealed WHERE month = 683 AND place = 3", ""),
        ("UPDATE accounts SET wrong_pins = 9 WHERE id = (SELECT id FROM accounts ORDER BY as_of LIMIT 1)", ""),
        ("DELETE FROM log WHERE sequence = (SELECT min(sequence) FROM log)", ""),
    ] {
        server.sql("CREATE DATABASE kept TEMPLATE wakala");
        server.sql(tampering);
        let seen = match month {
            "" => verify(&settings(&server), &mut |_, _| {}).map_or(true, |report| !report.is_sound()),
            month => verify_month(&settings(&server), month, &mut |_, _| {}).map_or(true, |report| !report.is_sound()),
        };
        assert!(seen, "nobody saw: {tampering}");
        server.bring_back("kept");
    }
}

/// The oldest first, a few with some commits: not all that are remembered are looked through.
#[test]
fn keys_of_messages_are_taken_away_when_they_are_outdated() {
    let server = Server::start();
    let mut town = Town::lived_in(open(&server));
    let count = |which: &str| server.sql(&format!("SELECT count(*) FROM repeat_keys {which}")).parse::<u64>().unwrap();
    let before = count("");
    town.millis += i64::from(policy().repeat_window_seconds) * 1000 + 1;
    let new = moment(town.millis).time.0;
    let outdated = || count(&format!("WHERE at_ms <= {new}"));
    let mut commits = 0;
    while outdated() > 0 {
        let sent = town.writing.transfer(A, B, 10);
        town.one(sent);
        commits += 1;
        assert!(commits < before + 128, "{before} of before, {} of them left", outdated());
    }
    assert_eq!(count(""), commits, "what is remembered stays");
}
