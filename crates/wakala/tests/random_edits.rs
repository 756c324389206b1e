//! Ten thousand edits, deletions, insertions and rewinds of the log of a day, drawn at random: each is found, by verification
//! or by what a witness has kept. What is drawn is the same on every run.

#[path = "../../data-center/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data_center::batch::LogRow;
use data_center::sqlite::{backup, verify};
use data_center::{DataCenter, Location, Part, Sqlite, Value};
use encryption::FileKeys;
use rusqlite::{Connection, params_from_iter, types::Value as Stored};
use support::{AGENT, AGENT_PHONE, FIRST_CUSTOMER, STRANGER, TZS, Town, code_to, moment, money, number, policy};
use tempfile::TempDir;
use transaction_processing::ids::{AccountId, Sequence, StaffId, TransferId};
use transaction_processing::journal::{Entered, Posting};
use transaction_processing::proposal::Measure;
use transaction_processing::request::{Kind, RequestKey};
use transaction_processing::time::{Day, Moment, Month, Time};
use transaction_processing::{Currency, Money, Msisdn, Refusal};
use wakala::proof::head::{Head, Log, Testimony};
use wakala::proof::newest;

/// How many edits one test makes. Four tests, so that they run beside each other.
const EDITS: u64 = 2500;
/// How many ends of the day differ from what was, by other decisions of the same program.
const OTHER_ENDS: usize = 6;
/// How many rounds of business the day has.
const ROUNDS: u64 = 9;

/// Any numbers, the same on every run (Knuth's multiplier).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound as u64) as usize
    }

    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// A day of the books in a file, what it was at moments before, and what a witness has of it.
struct DayOfBooks {
    folder: TempDir,
    /// The file at its end.
    whole: Vec<u8>,
    /// The file as it was before, at each moment at which the witness got a head.
    earlier: Vec<Vec<u8>>,
    /// Files that go on from one of those otherwise: whole and sound, each by itself.
    otherwise: Vec<Vec<u8>>,
    heads: Vec<Head>,
    last: i64,
}

type DaysTown = Town<Sqlite>;

fn open(path: &Path) -> DataCenter<Sqlite> {
    DataCenter::with_span(Sqlite::open(path, &[TZS]).unwrap(), policy(), &[TZS], 60).unwrap()
}

/// Some business, in which `other` says that it is not what it was.
fn business(town: &mut DaysTown, round: u64, other: i64) {
    let (a, b, payee) = (FIRST_CUSTOMER + round % 3, FIRST_CUSTOMER + 3, STRANGER + round);
    let sent = town.writing.transfer(a, b, 5_000 + other);
    let sent = town.one(sent).transfer.unwrap();
    let recall = town.writing.recall(a, sent);
    town.one(recall);
    let waiting = town.writing.transfer(a, payee, 600_000 + other);
    let waiting = town.one(waiting);
    let query = town.writing.query(payee, code_to(&waiting, payee), AGENT);
    let query = town.one(query);
    let claim = town.writing.claim(AGENT_PHONE, payee, 600_000 + other, code_to(&query, payee));
    town.one(claim);
    let wrong = town.writing.transfer_with(a, b, 100, 1);
    town.any(wrong);
    let requests = (0..4).map(|n| town.writing.transfer(b, FIRST_CUSTOMER + n % 3, 10 + other)).collect();
    town.batch(requests);
}

impl DayOfBooks {
    fn live() -> DayOfBooks {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let keys = FileKeys::create(&mut rand::rand_core::UnwrapErr(rand::rngs::SysRng));
        let (mut earlier, mut testimony, mut lines) = (Vec::new(), Testimony::default(), String::new());
        let mut writings = Vec::new();
        let mut town = Town::found(open(&at("books.db")), 10_000_000_000);
        let mut keep = |town: &DaysTown| {
            let copy = at("copy.db");
            let _ = fs::remove_file(&copy);
            backup(&at("books.db"), &copy, &mut |_, _| {}).unwrap();
            let _ = fs::remove_file(at("copy.db.manifest"));
            earlier.push(fs::read(&copy).unwrap());
            writings.push(town.writing.clone());
            let newest = newest(&Location::File(copy), None).unwrap().unwrap();
            lines += &format!("{}\n", Head::sign(&keys, newest, Time(moment(town.millis).time.0)));
        };
        keep(&town);
        town.settle(0..5, 50_000_000);
        keep(&town);
        for round in 0..ROUNDS {
            business(&mut town, round, 0);
            if round == 3 {
                let (balance, as_of) = (money(20_000_000_000), moment(town.millis).time);
                town.measure(Measure::ConfirmBank { balance, as_of, statement: "s".into(), includes: Vec::new() });
            }
            if round == 5 {
                let up_to = Sequence(town.center.books().next().0 - 1);
                town.measure(Measure::Erase { msisdn: number(FIRST_CUSTOMER + 4), up_to });
            }
            keep(&town);
        }
        drop(town);
        let whole = earlier.pop().unwrap();
        let verifying = encryption::Keys::verifying_keys(&keys).into_iter().map(|(_, key)| key).collect::<Vec<_>>();
        testimony.take("heads", &lines, &verifying);
        assert_eq!((testimony.findings.len(), testimony.heads.len()), (0, earlier.len() + 1));
        let last = testimony.heads.last().unwrap().row as i64;
        let mut day = DayOfBooks { folder, whole, earlier, otherwise: Vec::new(), heads: testimony.heads, last };
        day.otherwise =
            (0..OTHER_ENDS).map(|n| day.ended_otherwise(2 + n, writings[2 + n].clone(), n as i64 + 1)).collect();
        day
    }

    /// The day from one of its moments on, by somebody who has this program and other wishes.
    fn ended_otherwise(&self, from: usize, writing: support::Writing, other: i64) -> Vec<u8> {
        let (path, copy) = (self.path("otherwise.db"), self.path("copy.db"));
        for path in [&path, &copy] {
            let _ = fs::remove_file(path);
        }
        fs::write(&path, &self.earlier[from]).unwrap();
        let mut town = Town::returning(open(&path), writing);
        for round in from as u64 - 2..ROUNDS + 2 {
            business(&mut town, round, other);
        }
        backup(&path, &copy, &mut |_, _| {}).unwrap();
        let _ = fs::remove_file(self.path("copy.db.manifest"));
        drop(town);
        fs::read(copy).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// By what a file is found not to be the day: verification, the witness, or nothing.
    fn found_by(&self, file: &Path) -> Option<&'static str> {
        let report = verify(file, &mut |_, _| {}).unwrap();
        if !report.is_sound() {
            return Some("verification");
        }
        let mut links = BTreeMap::new();
        let rows: Vec<String> = self.heads.iter().map(|head| head.row.to_string()).collect();
        let question = format!("SELECT sequence, chain FROM log WHERE sequence IN ({})", rows.join(", "));
        let location = Location::File(file.to_owned());
        location
            .query(&question, &mut |part| {
                if let Part::Row(row) = part
                    && let [Value::Integer(row), Value::Octets(link)] = row.as_slice()
                {
                    links.insert(*row as u64, <[u8; 32]>::try_from(link.as_slice()).unwrap());
                }
                true
            })
            .unwrap();
        let mut testimony = Testimony { heads: self.heads.clone(), findings: Vec::new() };
        let log = Log { sealed: report.sealed.0, last: report.last.0, epochs: Vec::new() };
        testimony.compare(&log, &|row| links.get(&row).copied());
        (!testimony.findings.is_empty()).then_some("witness")
    }
}

/// An edit of the file at the end of the day, as SQL; or a whole other file.
enum Edit {
    Sql(String),
    /// One cell. Whoever knows the program makes every link from there on anew.
    Value {
        column: String,
        row: i64,
        value: Stored,
        linked_anew: bool,
    },
    File(Vec<u8>),
}

fn drawn(day: &DayOfBooks, columns: &[(String, String)], connection: &Connection, random: &mut Random) -> (u8, Edit) {
    let row = |random: &mut Random| 1 + random.below(day.last as usize) as i64;
    let kind = random.one_of(&[0_u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9]);
    let (one, other) = (row(random), row(random));
    let edit = match kind {
        1 => Edit::Sql(format!("DELETE FROM log WHERE sequence BETWEEN {one} AND {}", one + random.below(3) as i64)),
        2 if random.below(2) == 0 => {
            // At the end, as the row that was to be next.
            let end = day.last + 1;
            Edit::Sql(format!(
                "CREATE TEMP TABLE kept AS SELECT * FROM log WHERE sequence = {one};
                UPDATE kept SET sequence = {end}; INSERT INTO log SELECT * FROM kept;
                UPDATE position SET next = {end} + 1, head = (SELECT chain FROM kept)"
            ))
        }
        // In between: what follows moves on by one.
        2 => Edit::Sql(format!(
            "CREATE TEMP TABLE kept AS SELECT * FROM log WHERE sequence = {one};
            UPDATE log SET sequence = -sequence WHERE sequence >= {other};
            UPDATE log SET sequence = 1 - sequence WHERE sequence < 0;
            UPDATE kept SET sequence = {other}; INSERT INTO log SELECT * FROM kept; UPDATE position SET next = next + 1"
        )),
        3 if one == other => return drawn(day, columns, connection, random),
        3 => Edit::Sql(format!(
            "UPDATE log SET sequence = -1 WHERE sequence = {one}; UPDATE log SET sequence = {one} WHERE sequence = {other};
            UPDATE log SET sequence = {other} WHERE sequence = -1"
        )),
        // The tail is cut, and whoever cut it mends the position.
        4 => Edit::Sql(format!(
            "DELETE FROM log WHERE sequence >= {one};
            UPDATE position SET next = {one}, head = coalesce((SELECT chain FROM log WHERE sequence = {one} - 1), zeroblob(32))"
        )),
        5 => Edit::Sql(format!(
            "UPDATE position SET next = {one}, head = coalesce((SELECT chain FROM log WHERE sequence = {one} - 1), zeroblob(32))"
        )),
        6 => Edit::File(random.one_of(&day.earlier)),
        7 => Edit::File(random.one_of(&day.otherwise)),
        8 => {
            let shift = 1 + random.below(1000) as i64;
            Edit::Sql(format!("UPDATE log SET at_ms = at_ms + {shift} WHERE sequence >= {one}"))
        }
        _ => {
            let (column, declared) = random.one_of(columns);
            if kind == 9 && column == "chain" {
                // Linked anew, it is what it was.
                return drawn(day, columns, connection, random);
            }
            let cell = |row: i64| -> Stored {
                let question = format!("SELECT {column} FROM log WHERE sequence = ?1");
                connection.query_row(&question, [row], |row| row.get(0)).unwrap()
            };
            let value = changed(&cell(one), &cell(other), &declared, random);
            Edit::Value { column, row: one, value, linked_anew: kind == 9 }
        }
    };
    (kind, edit)
}

/// Another value for a cell: a little changed, gone, or that of another row.
fn changed(held: &Stored, of_another: &Stored, declared: &str, random: &mut Random) -> Stored {
    match (random.below(4), held) {
        (0, _) => of_another.clone(),
        (1, _) => Stored::Null,
        (_, Stored::Integer(figure)) => Stored::Integer(figure ^ (1 << random.below(40))),
        (_, Stored::Blob(octets)) => {
            let mut octets = octets.clone();
            match random.below(3) {
                0 => octets.push(random.below(256) as u8),
                1 => octets.truncate(random.below(octets.len())),
                _ => {
                    let at = random.below(octets.len());
                    octets[at] ^= 1 << random.below(8);
                }
            }
            Stored::Blob(octets)
        }
        _ if declared == "BLOB" => Stored::Blob(vec![random.below(256) as u8; random.below(40)]),
        _ => Stored::Integer(random.below(1 << 20) as i64),
    }
}

/// Makes an edit in a fresh copy of the day. False where nothing would be another than it was, or the tables do not take it.
fn make(day: &DayOfBooks, edit: &Edit, file: &Path) -> bool {
    let (sql, value) = match edit {
        Edit::File(octets) => {
            fs::write(file, octets).unwrap();
            return true;
        }
        Edit::Sql(sql) => (sql.clone(), None),
        Edit::Value { column, row, value, .. } => {
            let set = format!("UPDATE log SET {column} = ?1 WHERE sequence = ?2 AND {column} IS NOT ?1");
            (set, Some([value.clone(), Stored::Integer(*row)]))
        }
    };
    fs::write(file, &day.whole).unwrap();
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY").unwrap();
    let before = connection.total_changes();
    let done = match value {
        Some(values) => connection.execute(&sql, params_from_iter(values)).map(drop),
        None => connection.execute_batch(&format!("BEGIN; {sql}; COMMIT")),
    };
    let is_made = done.is_ok() && connection.total_changes() > before;
    match edit {
        Edit::Value { row, linked_anew: true, .. } if is_made => link_anew(&connection, *row),
        _ => is_made,
    }
}

/// Makes the links of a row and of all behind it fit again, and the position. False where a row is none any more.
fn link_anew(connection: &Connection, from: i64) -> bool {
    let mut rows = connection.prepare("SELECT * FROM log WHERE sequence >= ?1 - 1 ORDER BY sequence").unwrap();
    let count = rows.column_count();
    let rows = rows.query_map([from], |row| (0..count).map(|index| row.get(index)).collect::<Result<Vec<Stored>, _>>());
    let rows: Vec<Vec<Stored>> = rows.unwrap().map(Result::unwrap).collect();
    let mut link = [0; 32];
    for cells in rows {
        let Some(row) = row_of(&cells) else { return false };
        if row.sequence.0 < from as u64 {
            link = row.chain;
            continue;
        }
        link = row.link(&link, octets(&cells[10]), octets(&cells[11]));
        let values = [Stored::Blob(link.to_vec()), cells[0].clone()];
        connection.execute("UPDATE log SET chain = ?1 WHERE sequence = ?2", params_from_iter(values)).unwrap();
    }
    connection.execute("UPDATE position SET head = ?1", [Stored::Blob(link.to_vec())]).unwrap() == 1
}

fn octets(cell: &Stored) -> &[u8] {
    if let Stored::Blob(octets) = cell { octets } else { &[] }
}

/// A row of the log as the program has it.
fn row_of(cells: &[Stored]) -> Option<LogRow> {
    let figure = |at: usize| if let Stored::Integer(figure) = cells[at] { Some(figure) } else { None };
    let unsigned = |at: usize| figure(at).map(i64::cast_unsigned);
    let mut entered = Vec::new();
    for at in (13..cells.len()).step_by(8) {
        let Some(from) = figure(at) else { break };
        let amount = Money::new(figure(at + 2)?, Currency { numeric: figure(at + 3)?.try_into().ok()?, ..TZS })?;
        entered.push(Entered {
            posting: Posting { from: AccountId(from), to: AccountId(figure(at + 1)?), amount },
            from_balance: figure(at + 4)?,
            to_balance: figure(at + 5)?,
            from_previous: Sequence(unsigned(at + 6)?),
            to_previous: Sequence(unsigned(at + 7)?),
        });
    }
    let moment = Moment {
        time: Time(figure(1)?),
        day: Day(figure(2)?.try_into().ok()?),
        month: Month(figure(3)?.try_into().ok()?),
    };
    let key = if let Stored::Blob(key) = &cells[7] { Some(RequestKey(key.as_slice().try_into().ok()?)) } else { None };
    let refusal = figure(8).map(|number| u8::try_from(number).ok().and_then(Refusal::numbered).ok_or(()));
    Some(LogRow {
        sequence: Sequence(unsigned(0)?),
        moment,
        kind: Kind::numbered(u8::try_from(figure(4)?).ok()?)?,
        sender: unsigned(5).and_then(Msisdn::new),
        staff: unsigned(6).map(StaffId),
        key,
        remembered: false,
        refusal: refusal.transpose().ok()?,
        transfer: unsigned(9).map(TransferId),
        entered,
        changes: 0..0,
        notices: 0..0,
        chain: octets(&cells[12]).try_into().ok()?,
    })
}

fn are_found(part: u64) {
    let day = DayOfBooks::live();
    let (file, pristine) = (day.path("edited.db"), day.path("pristine.db"));
    fs::write(&pristine, &day.whole).unwrap();
    assert_eq!(day.found_by(&pristine), None, "the day itself is sound");
    for otherwise in &day.otherwise {
        fs::write(&file, otherwise).unwrap();
        assert_eq!(day.found_by(&file), Some("witness"), "sound by itself, and not what was");
    }
    let connection = Connection::open(&pristine).unwrap();
    let columns: Vec<(String, String)> = connection
        .prepare("SELECT name, type FROM pragma_table_info('log')")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut random = Random(part.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (mut made, mut counts) = (0, BTreeMap::<(u8, &str), u64>::new());
    while made < EDITS {
        let (kind, edit) = drawn(&day, &columns, &connection, &mut random);
        if !make(&day, &edit, &file) {
            continue;
        }
        made += 1;
        let Some(by) = day.found_by(&file) else {
            let what = match edit {
                Edit::Sql(sql) => sql,
                Edit::Value { column, row, value, linked_anew } => {
                    format!("{column} of row {row}: {value:?}, linked anew: {linked_anew}")
                }
                Edit::File(_) => "another file".to_owned(),
            };
            panic!("edit {made} was found by nobody: {what}");
        };
        *counts.entry((kind, by)).or_default() += 1;
    }
    for kind in 0..=9 {
        assert!(counts.keys().any(|(of, _)| *of == kind), "no edit of kind {kind}: {counts:?}");
    }
    for only_a_witness in [6, 7] {
        assert!(!counts.contains_key(&(only_a_witness, "verification")), "{counts:?}");
    }
    assert!(counts.contains_key(&(9, "witness")), "what is linked anew verifies by itself: {counts:?}");
    println!("{counts:?}");
}

#[test]
fn ten_thousand_random_edits_are_found_first_quarter() {
    are_found(1);
}

#[test]
fn ten_thousand_random_edits_are_found_second_quarter() {
    are_found(2);
}

#[test]
fn ten_thousand_random_edits_are_found_third_quarter() {
    are_found(3);
}

#[test]
fn ten_thousand_random_edits_are_found_last_quarter() {
    are_found(4);
}
