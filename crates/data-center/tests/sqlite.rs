//! What only the embedded database does: verification, backup, refusal of what is not safe.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use data_center::sqlite::{RestoreError, backup, check, query, restore, verify};
use data_center::{DataCenter, Fatal, History, MessageState, Part, Report, Sqlite, Store, StoreError, Value};
use rusqlite::Connection;
use support::*;
use transaction_processing::request::Action;
use transaction_processing::{Currency, requests};

fn open(path: &Path) -> DataCenter<Sqlite> {
    DataCenter::with_span(Sqlite::open(path, &[TZS]).unwrap(), policy(), &[TZS], 50).unwrap()
}

fn lived_in(path: &Path) -> Town<Sqlite> {
    Town::lived_in(open(path))
}

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

fn looked_at(path: &Path) -> Report {
    verify(path, &mut |_, _| {}).unwrap()
}

#[test]
fn what_was_lived_in_verifies_while_it_is_in_use() {
    let place = Place::new();
    let path = place.path("books.db");
    let town = lived_in(&path);
    let report = looked_at(&path);
    assert_eq!(report.findings, []);
    assert!(report.is_sound() && report.records > 20);
    assert_eq!(report.last.next(), town.center.position().next);
    assert_eq!(report.head, town.center.position().head);
    let accounts = town.center.books().account_count();
    assert_eq!(report.accounts, accounts);
    assert_eq!(report.sums, [(TZS.numeric, 0, 20_000_000_000)]);
    drop(town);
    assert!(looked_at(&path).is_sound(), "and after it");
}

/// Every column of every row of the log and of the checkpoint, changed a little: each is found.
#[test]
fn an_edit_of_any_column_of_any_row_is_found() {
    let place = Place::new();
    let path = place.path("books.db");
    drop(lived_in(&path));
    let connection = Connection::open(&path).unwrap();
    let tables = [
        "log",
        "accounts",
        "numbers",
        "transfers",
        "agents",
        "failures",
        "proposals",
        "staff",
        "cases",
        "tariffs",
        "bank_movements",
        "bank_balances",
        "dealings",
        "repeat_keys",
        "private_texts",
        "position",
    ];
    let mut edits = 0;
    for table in tables {
        let columns: Vec<String> = connection
            .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert!(rows > 0, "{table} is empty: the town is too quiet");
        for (index, column) in columns.iter().enumerate() {
            // A record may be as of any row at which it stood like that: no falsehood. The sealed text opens with its key alone, the moment of keys only says when they may go, and a name of staff stands in
            // the body too. Where the log stands is judged as far as recovery leans on it.
            let free = ["sealed", "settled", "restored", "one"];
            let free_here = table == "private_texts" || table == "position";
            if free_here && (free.contains(&column.as_str()) || column.starts_with("replay") || column == "at_ms")
                || table == "position" && ["day", "month"].contains(&column.as_str())
                || table == "repeat_keys" && column == "at_ms"
                || column == "as_of"
            {
                continue;
            }
            let row = (index as i64 * 7 + 3) % rows;
            edits += 1;
            edit(&connection, table, column, row);
            let report = looked_at(&path);
            assert!(!report.is_sound(), "{table}.{column} of the row at {row} was changed and nobody saw it");
            restore_copy(&connection);
        }
    }
    assert!(edits > 150, "only {edits} edits");
    assert!(looked_at(&path).is_sound(), "all edits were taken back");
}

/// Changes one value and remembers what it was.
fn edit(connection: &Connection, table: &str, column: &str, at: i64) {
    connection.execute_batch("DROP TABLE IF EXISTS temp.kept").unwrap();
    connection.execute_batch(&format!("CREATE TEMP TABLE kept AS SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
    connection.execute_batch("DROP TABLE IF EXISTS temp.of; CREATE TEMP TABLE of (name TEXT)").unwrap();
    connection.execute("INSERT INTO temp.of VALUES (?1)", [table]).unwrap();
    let values: Vec<rusqlite::types::Value> = {
        let mut statement = connection.prepare("SELECT * FROM temp.kept LIMIT 1 OFFSET ?1").unwrap();
        let count = statement.column_count();
        statement.query_row([at], |row| (0..count).map(|index| row.get(index)).collect()).unwrap()
    };
    let names: Vec<String> = {
        let statement = connection.prepare("SELECT * FROM temp.kept LIMIT 0").unwrap();
        statement.column_names().map(str::to_owned).collect()
    };
    let index = names.iter().position(|name| name == column).unwrap();
    let declared: String = connection
        .query_row(&format!("SELECT type FROM pragma_table_info('{table}') WHERE name = ?1"), [column], |row| {
            row.get(0)
        })
        .unwrap();
    use rusqlite::types::Value;
    let other = match &values[index] {
        Value::Null if declared == "TEXT" => Value::Text("x".into()),
        Value::Null if declared == "BLOB" => Value::Blob(vec![1; 16]),
        Value::Null => Value::Integer(1),
        Value::Integer(figure) => Value::Integer(figure ^ 1),
        Value::Text(text) => Value::Text(format!("{text}x")),
        Value::Blob(octets) => {
            let mut octets = octets.clone();
            let last = octets.len() - 1;
            octets[last] ^= 1;
            Value::Blob(octets)
        }
        Value::Real(_) => panic!("no such column"),
    };
    let key: Vec<String> =
        names.iter().zip(&values).enumerate().map(|(at, (name, _))| format!("{name} IS ?{}", at + 2)).collect();
    let sql = format!("UPDATE OR REPLACE {table} SET {column} = ?1 WHERE {}", key.join(" AND "));
    let parameters = std::iter::once(other).chain(values);
    assert_eq!(connection.execute(&sql, rusqlite::params_from_iter(parameters)).unwrap(), 1, "{table}.{column}");
}

/// Takes the last edit back.
fn restore_copy(connection: &Connection) {
    let table: String = connection.query_row("SELECT name FROM temp.of", [], |row| row.get(0)).unwrap();
    connection.execute_batch(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM temp.kept")).unwrap();
}

#[test]
fn a_row_taken_away_put_in_or_moved_is_found() {
    let place = Place::new();
    let path = place.path("books.db");
    drop(lived_in(&path));
    let last = looked_at(&path).last.0;
    let swap = "UPDATE log SET sequence = -1 WHERE sequence = 40; UPDATE log SET sequence = 40 WHERE sequence = 41;
        UPDATE log SET sequence = 41 WHERE sequence = -1";
    let insert = format!(
        "CREATE TEMP TABLE one AS SELECT * FROM log WHERE sequence = {last};
        UPDATE temp.one SET sequence = sequence + 1; INSERT INTO log SELECT * FROM temp.one"
    );
    let waited = "DELETE FROM transfers WHERE id = (SELECT min(id) FROM transfers WHERE state = 3)";
    for tampering in [
        "DELETE FROM log WHERE sequence = 1".to_owned(),
        "DELETE FROM log WHERE sequence = 33".to_owned(),
        format!("DELETE FROM log WHERE sequence = {last}"),
        swap.to_owned(),
        insert,
        "DELETE FROM accounts WHERE id = (SELECT max(id) FROM accounts)".to_owned(),
        "INSERT INTO accounts SELECT 7, role, tier, agent, msisdn, currency, status, wrong_pins, locked_until_ms, \
         one_time_until_ms, used_day, used_in_day, used_month, used_in_month, opened_at_ms, 1000, latest, body, as_of \
         FROM accounts WHERE id > 0 LIMIT 1"
            .to_owned(),
        waited.to_owned(),
        "DELETE FROM tariffs".to_owned(),
        "DELETE FROM bank_movements".to_owned(),
        "DELETE FROM bank_balances".to_owned(),
        "UPDATE private_texts SET sealed = x'00' WHERE length(sealed) = 0".to_owned(),
        "UPDATE private_texts SET sealed = x'' WHERE sequence = (SELECT max(sequence) FROM private_texts)".to_owned(),
        "DELETE FROM private_texts WHERE sequence = (SELECT min(sequence) FROM private_texts)".to_owned(),
        "DELETE FROM repeat_keys WHERE first = (SELECT max(first) FROM repeat_keys)".to_owned(),
        "UPDATE private_texts SET commitment = zeroblob(32)".to_owned(),
        "UPDATE currencies SET minor_digits = 3".to_owned(),
        "INSERT INTO codes (notice_id, sealed) VALUES (1 << 50, x'00')".to_owned(),
    ] {
        let copy = place.path("tampered.db");
        let _ = fs::remove_file(&copy);
        backup(&path, &copy, &mut |_, _| {}).unwrap();
        Connection::open(&copy).unwrap().execute_batch(&tampering).unwrap();
        assert!(!looked_at(&copy).is_sound(), "nobody saw: {tampering}");
    }
}

/// What an insider who recomputes the whole chain cannot hide: money does not come from nowhere.
#[test]
fn a_forged_balance_is_found_by_adding_up() {
    let place = Place::new();
    let path = place.path("books.db");
    drop(lived_in(&path));
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "UPDATE log SET to_balance_1 = to_balance_1 + 5 WHERE sequence = (SELECT max(sequence) FROM log)",
        )
        .unwrap();
    let report = looked_at(&path);
    assert!(report.findings.iter().any(|finding| finding.what.contains("entries sum to")), "{:?}", report.findings);
}

#[test]
fn a_second_process_is_refused() {
    let place = Place::new();
    let path = place.path("books.db");
    if let Ok(path) = std::env::var("BOOKS_OF_THE_FIRST") {
        let refused = Sqlite::open(Path::new(&path), &[TZS]).err().unwrap();
        assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
        return;
    }
    let held = open(&path);
    let second = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_second_process_is_refused"])
        .env("BOOKS_OF_THE_FIRST", &path)
        .output()
        .unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stdout));
    drop(held);
    open(&path);
}

#[test]
fn a_later_schema_is_refused_where_it_says_so() {
    let place = Place::new();
    let path = place.path("books.db");
    drop(open(&path));
    let connection = Connection::open(&path).unwrap();
    connection.execute("INSERT INTO migrations VALUES (999, 1, x'00')", []).unwrap();
    drop(open(&path));
    connection.execute("UPDATE migrations SET least_compatible = 999 WHERE version = 999", []).unwrap();
    assert!(matches!(Sqlite::open(&path, &[TZS]).err(), Some(StoreError::TooNew { least: 999, .. })));
    assert!(verify(&path, &mut |_, _| {}).is_err());
    connection.execute("DELETE FROM migrations WHERE version = 999", []).unwrap();
    connection.execute("UPDATE migrations SET checksum = x'00'", []).unwrap();
    assert!(matches!(Sqlite::open(&path, &[TZS]).err(), Some(StoreError::ForeignMigration(1))));
}

#[test]
fn a_currency_keeps_its_decimal_digits() {
    let place = Place::new();
    let path = place.path("books.db");
    drop(open(&path));
    let other = Currency { minor_digits: 0, ..TZS };
    assert!(matches!(Sqlite::open(&path, &[other]).err(), Some(StoreError::CurrencyDiffers(834))));
}

#[test]
fn a_full_disk_is_fatal_and_loses_nothing_that_was_answered() {
    let place = Place::new();
    let path = place.path("books.db");
    let mut town = lived_in(&path);
    let before = *town.center.position();
    // A full disk, as SQLite reports it: the database may not grow by another page.
    town.center.store().limit_pages(1).unwrap();
    let failed = (0..10_000).find_map(|_| {
        let requests = (0..50).map(|n| town.writing.transfer(FIRST_CUSTOMER + n % 3, FIRST_CUSTOMER + 4, 10)).collect();
        town.try_batch(requests, Vec::new()).err()
    });
    assert!(matches!(failed, Some(Fatal::Store(StoreError::Sqlite(_)))), "{failed:?}");
    drop(town);
    let after = open(&path);
    assert!(after.position().next >= before.next);
    assert!(looked_at(&path).is_sound());
}

#[test]
fn a_backup_is_one_moment_and_a_restored_one_waits_for_its_epoch() {
    let place = Place::new();
    let (path, copy, restored) = (place.path("books.db"), place.path("copy.db"), place.path("restored.db"));
    let mut town = lived_in(&path);
    let mut steps = 0;
    let manifest = backup(&path, &copy, &mut |_, _| steps += 1).unwrap();
    assert!(steps > 0);
    assert_eq!(manifest.head, town.center.position().head);
    let known = town.writing.transfer(FIRST_CUSTOMER, FIRST_CUSTOMER + 1, 5_000);
    let writing = town.writing.clone();
    town.one(known);
    assert!(backup(&path, &copy, &mut |_, _| {}).is_err(), "a backup is never written over");

    assert!(matches!(restore(&copy, &path, &mut |_, _| {}), Err(RestoreError::Exists(_))));
    restore(&copy, &restored, &mut |_, _| {}).unwrap();
    let store = Sqlite::open(&restored, &[TZS]).unwrap();
    assert!(store.is_restored().unwrap());
    let mut history = store.history().unwrap();
    let (untold, _) = history.untold(transaction_processing::ids::Sequence(0), 100).unwrap();
    assert_eq!(untold.len(), 0, "texts of before stay unsent");
    let states = rows(&restored, "SELECT DISTINCT state FROM messages");
    assert_eq!(states, [[Value::Integer(MessageState::Abandoned as i64)]]);
    assert_eq!(rows(&restored, "SELECT count(*) FROM codes"), [[Value::Integer(0)]]);

    let center = DataCenter::open(store, policy(), &[TZS]).unwrap();
    let mut again = Town::returning(center, writing);
    let fields = requests::epoch::Fields { jump: 1_000 };
    again.one(platform(Action::OpenEpoch(fields)));
    assert!(!again.center.store().is_restored().unwrap());
    drop(again);
    assert!(looked_at(&restored).is_sound());
    assert!(check(&restored).unwrap().damage.is_empty());
}

/// SQLite would take what a lost database left in its log for the newest pages of the restored one.
#[test]
fn nothing_is_restored_beside_the_log_of_another_database() {
    let place = Place::new();
    let (path, copy) = (place.path("books.db"), place.path("copy.db"));
    let mut town = lived_in(&path);
    backup(&path, &copy, &mut |_, _| {}).unwrap();
    let later = town.writing.transfer(FIRST_CUSTOMER, FIRST_CUSTOMER + 1, 5_000);
    town.one(later);
    // As after a loss of power: the log is there, and the database itself is taken away.
    let log = fs::read(place.path("books.db-wal")).unwrap();
    drop(town);
    fs::remove_file(&path).unwrap();
    fs::write(place.path("books.db-wal"), log).unwrap();
    let refused = restore(&copy, &path, &mut |_, _| {});
    assert!(matches!(refused, Err(RestoreError::Exists(of)) if of == place.path("books.db-wal")));
    fs::remove_file(place.path("books.db-wal")).unwrap();
    restore(&copy, &path, &mut |_, _| {}).unwrap();
    assert!(looked_at(&path).is_sound());
}

#[test]
fn a_tampered_backup_is_not_restored() {
    let place = Place::new();
    let (path, copy, restored) = (place.path("books.db"), place.path("copy.db"), place.path("restored.db"));
    drop(lived_in(&path));
    backup(&path, &copy, &mut |_, _| {}).unwrap();
    let manifest = place.path("copy.db.manifest");
    let said = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, said.replace("last_row = ", "last_row = 1")).unwrap();
    assert!(matches!(restore(&copy, &restored, &mut |_, _| {}), Err(RestoreError::OtherManifest)));
    Connection::open(&copy).unwrap().execute("UPDATE log SET amount_1 = 1 WHERE sequence = 40", []).unwrap();
    assert!(matches!(restore(&copy, &restored, &mut |_, _| {}), Err(RestoreError::Unsound(_))));
    assert!(!restored.exists());
}

fn rows(path: &Path, sql: &str) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    query(path, sql, &mut |part| {
        if let Part::Row(row) = part {
            found.push(row);
        }
        true
    })
    .unwrap();
    found
}

#[test]
fn an_auditor_reads_views_and_nothing_else() {
    let place = Place::new();
    let path = place.path("books.db");
    let town = lived_in(&path);
    for account in town.center.books().accounts() {
        let shown = rows(&path, &format!("SELECT balance FROM balances WHERE account = {}", account.id.0));
        let moved = account.latest().0 > 0;
        if moved {
            assert_eq!(shown, [[Value::Integer(account.balance())]], "account {}", account.id.0);
        }
    }
    let sums = rows(&path, "SELECT sum(balance) FROM trial_balance GROUP BY currency");
    assert_eq!(sums, [[Value::Integer(0)]]);
    for view in ["entries", "journal", "transfers_now"] {
        assert_ne!(rows(&path, &format!("SELECT count(*) FROM {view}")), [[Value::Integer(0)]], "{view}");
    }
    rows(&path, "SELECT * FROM notices_state");
    for forbidden in [
        "DELETE FROM log",
        "ATTACH '/tmp/other.db' AS other",
        "PRAGMA query_only = 0",
        "PRAGMA journal_mode = DELETE",
        "SELECT load_extension('x')",
        "CREATE TABLE mine (a)",
        "CREATE TEMP TABLE mine (a)",
        "VACUUM",
        "no sql at all",
    ] {
        assert!(query(&path, forbidden, &mut |_| true).is_err(), "{forbidden}");
    }
}

/// The questions that docs/schema.md asks can be asked.
#[test]
fn the_documented_questions_have_answers() {
    let place = Place::new();
    let path = place.path("books.db");
    let town = lived_in(&path);
    let busy = town.center.books().account_of(number(FIRST_CUSTOMER)).unwrap().id.0;
    let documented = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema.md")).unwrap();
    let questions: Vec<&str> = documented.split("```sql").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(questions.len(), 3);
    let history = rows(&path, &questions[0].replace("= 42", &format!("= {busy}")));
    let entries = rows(&path, &format!("SELECT * FROM entries WHERE account = {busy}"));
    assert_eq!(history.len(), entries.len().min(20));
    for question in questions[1..].iter().flat_map(|question| question.split(';')) {
        if !question.trim().is_empty() {
            rows(&path, question);
        }
    }
}

/// A process that is killed in the middle of its work: what it had answered is there, and the books are whole.
#[test]
fn a_killed_process_loses_nothing_that_was_answered() {
    if let Ok(path) = std::env::var("BOOKS_TO_BE_LEFT") {
        work_until_killed(Path::new(&path));
    }
    let place = Place::new();
    let path = place.path("books.db");
    drop(lived_in(&path));
    for round in 1..=5_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "a_killed_process_loses_nothing_that_was_answered"])
            .env("BOOKS_TO_BE_LEFT", &path)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let answered = lines.map(Result::unwrap).filter_map(|line| line.strip_prefix("answered ")?.parse::<u64>().ok());
        let last = answered.take(50 * round).last().expect("an answer");
        child.kill().unwrap();
        child.wait().unwrap();
        let town = open(&path);
        assert!(town.position().next.0 > last, "row {last} was answered and is gone");
        drop(town);
        assert_eq!(looked_at(&path).findings, []);
    }
}

fn work_until_killed(path: &Path) -> ! {
    let center = open(path);
    let written = center.position().next.0 * 1_000;
    let mut town = Town::returning(center, Writing { written, drawn: 1_000_000 });
    loop {
        let requests = (0..7).map(|n| town.writing.transfer(FIRST_CUSTOMER + n % 3, FIRST_CUSTOMER + 4, 1)).collect();
        for answer in town.batch(requests) {
            println!("answered {}", answer.row.unwrap().0);
        }
    }
}

/// A sweep writes a record as it stands: what changed it since the sweep began is in it, and is not written by the next.
#[test]
fn a_record_that_changes_before_its_turn_is_written_once() {
    let place = Place::new();
    let path = place.path("books.db");
    let writing = lived_in(&path).writing;
    let store = Sqlite::open(&path, &[TZS]).unwrap();
    let mut town = Town::returning(DataCenter::with_span(store, policy(), &[TZS], 2).unwrap(), writing);
    let [_, first, _, second] = [(0, 1), (0, 1), (2, 3), (2, 3)].map(|(from, to)| {
        let sent = town.writing.transfer(FIRST_CUSTOMER + from, FIRST_CUSTOMER + to, 10);
        town.one(sent).row.unwrap().0.cast_signed()
    });
    // The first of each pair began a sweep, the second ended it.
    let connection = Connection::open(&path).unwrap();
    let as_of = |of: u64| -> i64 {
        let sql = "SELECT as_of FROM accounts WHERE msisdn = ?1";
        connection.query_row(sql, [(FIRST_CUSTOMER + of).cast_signed()], |row| row.get(0)).unwrap()
    };
    assert_eq!([as_of(0), as_of(1), as_of(2), as_of(3)], [first, first, second, second]);
}
