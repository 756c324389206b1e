//! What is read from the database itself, on connections that cannot write, beside the one writer; and the work on whole
//! databases: verification, checks, backup, restore.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use data_center::postgres::{self, DetachError, Settings};
use data_center::sqlite::{self, RestoreError};
use data_center::{History, Location, Message, MessageState, NoticeId, Part, Report, StoreError, Value as Stored};
use serde_json::{Value, json};
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::time::Time;
use transaction_processing::{Currency, Msisdn};

use super::protocol::{Fault, FaultCode, Progress};
use super::{Listener, shapes};

/// The most rows of one answer to `sql`.
const MOST_ROWS: usize = 10_000;
/// The most octets of text in one answer to `sql`; no line of an answer is much longer.
const MOST_OCTETS: usize = 16 * 1024 * 1024;
/// How long an answer to `sql` may take: a reader holds back the reuse of the write-ahead log.
const LONGEST_QUESTION: Duration = Duration::from_secs(60);
/// The most undelivered messages of one answer.
const MOST_MESSAGES: usize = 1000;
/// How many messages are looked through for undelivered ones, newest first.
const LOOKED_THROUGH: u64 = 1_000_000;
/// The most rows about one transfer that are shown.
const MOST_EVENTS: usize = 200;

/// A failure of the store, for the one who asked.
pub fn failed(error: StoreError) -> Fault {
    tracing::error!(%error, "administration: the database");
    Fault::new(FaultCode::Failed, error.to_string())
}

/// A reader of what is committed.
pub fn history(database: &Location) -> Result<Box<dyn History>, Fault> {
    database.history().map_err(failed)
}

// ---- questions ---------------------------------------------------------------------------------------------------

struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Stored>>,
    /// Whether there was more than is given.
    is_cut: bool,
}

fn query(database: &Location, statement: &str, most: usize) -> Result<Answer, StoreError> {
    let mut answer = Answer { columns: Vec::new(), rows: Vec::new(), is_cut: false };
    let mut octets = 0;
    let begun = Instant::now();
    database.query(statement, &mut |part| {
        match part {
            Part::Columns(columns) => answer.columns = columns.into_iter().map(String::from).collect(),
            Part::Row(row) => {
                octets += row.iter().map(length).sum::<usize>();
                answer.is_cut = answer.rows.len() >= most || octets > MOST_OCTETS || begun.elapsed() > LONGEST_QUESTION;
                if !answer.is_cut {
                    answer.rows.push(row);
                }
            }
        }
        !answer.is_cut
    })?;
    Ok(answer)
}

fn length(value: &Stored) -> usize {
    match value {
        Stored::Null | Stored::Integer(_) | Stored::Real(_) => 8,
        Stored::Text(text) => text.len(),
        Stored::Octets(octets) => 2 * octets.len(),
    }
}

/// An auditor's question.
pub fn sql(database: &Location, statement: &str) -> Result<Value, Fault> {
    // What is wrong is mostly the question; the store's own words say where.
    let answer =
        query(database, statement, MOST_ROWS).map_err(|error| Fault::new(FaultCode::BadRequest, error.to_string()))?;
    let rows: Vec<Value> = answer.rows.into_iter().map(|row| row.into_iter().map(json_of).collect()).collect();
    let mut told = json!({ "columns": answer.columns, "rows": rows });
    if answer.is_cut {
        told["cut_after_rows"] = rows_in(&told).into();
    }
    Ok(told)
}

fn rows_in(answer: &Value) -> usize {
    answer["rows"].as_array().map_or(0, Vec::len)
}

fn json_of(value: Stored) -> Value {
    match value {
        Stored::Null => Value::Null,
        Stored::Integer(number) => number.into(),
        Stored::Real(number) => number.into(),
        Stored::Text(text) => text.into(),
        Stored::Octets(octets) => hex(&octets).into(),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn whole(value: Option<&Stored>) -> i64 {
    match value {
        Some(Stored::Integer(number)) => *number,
        _ => 0,
    }
}

/// The name last given for a number, sealed. Names stand in no index: this looks through them, newest first.
pub fn latest_name(database: &Location, owner: Msisdn) -> Result<Option<Vec<u8>>, Fault> {
    let statement =
        format!("SELECT sealed FROM private_texts WHERE {} ORDER BY sequence DESC LIMIT 1", names_of(owner));
    let answer = query(database, &statement, 1).map_err(failed)?;
    Ok(answer.rows.into_iter().flatten().find_map(|value| match value {
        Stored::Octets(sealed) => Some(sealed),
        _ => None,
    }))
}

/// The row in which a number got the name that it has last; none where it never had one.
pub fn last_named(database: &Location, owner: Msisdn) -> Result<Option<Sequence>, Fault> {
    let figure = one_figure(database, &format!("SELECT max(sequence) FROM private_texts WHERE {}", names_of(owner)))?;
    Ok(Some(Sequence(figure)).filter(|row| row.0 > 0))
}

/// How many personal texts stand under a number in rows up to this one.
pub fn personal_texts(database: &Location, owner: Msisdn, up_to: Sequence) -> Result<u64, Fault> {
    let (of, up_to) = (owner.digits(), up_to.0);
    let which = format!("msisdn = {of} AND sequence <= {up_to} AND length(sealed) > 0");
    one_figure(database, &format!("SELECT count(*) FROM private_texts WHERE {which}"))
}

fn names_of(owner: Msisdn) -> String {
    format!("msisdn = {} AND transfer IS NULL", owner.digits())
}

/// The number of the row that is written next.
pub fn next_row(database: &Location) -> Result<u64, Fault> {
    one_figure(database, "SELECT max(next) FROM position")
}

fn one_figure(database: &Location, statement: &str) -> Result<u64, Fault> {
    let answer = query(database, statement, 1).map_err(failed)?;
    Ok(whole(answer.rows.first().and_then(|row| row.first())).cast_unsigned())
}

/// The rows about a transfer, in order. The log has no index by transfer, so this reads it from the row that made the
/// transfer up to the last that changed it.
pub fn rows_about(database: &Location, id: TransferId) -> Result<Vec<Sequence>, Fault> {
    let statement = format!(
        "SELECT sequence FROM log WHERE transfer = {id} AND sequence BETWEEN {id} AND coalesce(
            (SELECT as_of FROM transfers WHERE id = {id} AND state <> 1), (SELECT max(sequence) FROM log))
        ORDER BY sequence LIMIT {MOST_EVENTS}",
        id = id.0
    );
    let answer = query(database, &statement, MOST_EVENTS).map_err(failed)?;
    Ok(answer.rows.iter().map(|row| Sequence(whole(row.first()).cast_unsigned())).collect())
}

/// Messages that are given up, or known undelivered and to be tried again, newest first.
pub fn undelivered(database: &Location) -> Result<Vec<Message>, Fault> {
    let statement = format!(
        "SELECT {MESSAGE} FROM (SELECT * FROM messages ORDER BY notice_id DESC LIMIT {LOOKED_THROUGH})
        WHERE state IN ({}, {}) LIMIT {MOST_MESSAGES}",
        MessageState::Retrying as u8,
        MessageState::Undelivered as u8
    );
    messages(database, &statement)
}

/// What became of the notices of a row.
pub fn states_of(database: &Location, row: Sequence) -> Result<Vec<Message>, Fault> {
    let first = NoticeId { sequence: row, notice: 0 }.packed();
    let last = NoticeId { sequence: row, notice: NoticeId::MOST - 1 }.packed();
    messages(database, &format!("SELECT {MESSAGE} FROM messages WHERE notice_id BETWEEN {first} AND {last}"))
}

const MESSAGE: &str = "notice_id, state, attempts, at_ms";

fn messages(database: &Location, statement: &str) -> Result<Vec<Message>, Fault> {
    let answer = query(database, statement, MOST_MESSAGES).map_err(failed)?;
    let message = |row: &Vec<Stored>| {
        let state = u8::try_from(whole(row.get(1))).ok().and_then(MessageState::numbered)?;
        Some(Message {
            notice: NoticeId::unpacked(whole(row.first())),
            state,
            attempts: u16::try_from(whole(row.get(2))).unwrap_or(u16::MAX),
            centre: None,
            message_id: None,
            at: Time(whole(row.get(3))),
        })
    };
    Ok(answer.rows.iter().filter_map(message).collect())
}

// ---- whole databases ---------------------------------------------------------------------------------------------

/// Recomputes everything from the rows alone.
pub fn verify(database: &Location, listener: Listener<'_>) -> Result<Value, Fault> {
    let report = database.verify(&mut |done, of| listener(Progress { done, of })).map_err(failed)?;
    Ok(verified(&report))
}

/// Recomputes everything of a month that was taken out, from its rows and the seals on both sides of it.
pub fn verify_month(database: &Location, month: &str, listener: Listener<'_>) -> Result<Value, Fault> {
    let verifying = postgres::verify_month(server(database)?, month, &mut |done, of| listener(Progress { done, of }));
    verifying.map(|report| verified(&report)).map_err(not_detached)
}

/// Seals the oldest month and takes it out of the log.
pub fn detach(database: &Location, month: &str, window: u32, listener: Listener<'_>) -> Result<Value, Fault> {
    let mut progress = |done: u64, of: u64| listener(Progress { done, of });
    let detached = postgres::detach(server(database)?, month, window, &mut progress).map_err(not_detached)?;
    Ok(json!({
        "table": detached.table, "first_row": detached.rows.0.0, "last_row": detached.rows.1.0,
        "link_before": hex(&detached.links.0), "link": hex(&detached.links.1), "seal": hex(&detached.digest),
        "next": "keep seal and links elsewhere too; the table may be dumped and dropped, with its rows of sealed and seals",
    }))
}

fn server(database: &Location) -> Result<&Settings, Fault> {
    match database {
        Location::Server(settings) => Ok(settings),
        Location::File(_) => {
            Err(Fault::new(FaultCode::Refused, "a file keeps its log whole: only a server has months"))
        }
    }
}

fn not_detached(error: DetachError) -> Fault {
    match error {
        DetachError::Store(error) => failed(error),
        other => Fault::new(FaultCode::Refused, other.to_string()),
    }
}

fn verified(report: &Report) -> Value {
    let sums: Vec<Value> = report
        .sums
        .iter()
        .map(|(numeric, sum, issued)| {
            let currency = currency(*numeric);
            json!({ "currency": shapes::currency(currency), "issued": shapes::sum(*issued, currency),
                "difference": shapes::sum(*sum, currency) })
        })
        .collect();
    let finding = |finding: &data_center::Finding| json!({ "row": finding.row.map(|row| row.0), "what": finding.what });
    json!({
        "sound": report.is_sound(), "sealed_up_to_row": report.sealed.0, "rows": report.rows, "accounts": report.accounts, "records": report.records,
        "last_row": report.last.0, "head": hex(&report.head), "found": report.found, "currencies": sums,
        "findings": report.findings.iter().map(finding).collect::<Vec<Value>>(),
    })
}

/// A currency by its ISO number, with the decimals that ISO gives it.
fn currency(numeric: u16) -> Currency {
    let exponent = iso_currency::Currency::from_numeric(numeric).and_then(iso_currency::Currency::exponent);
    Currency { numeric, minor_digits: exponent.and_then(|digits| u8::try_from(digits).ok()).unwrap_or(0) }
}

/// Looks at what keeps the books.
pub fn check(database: &Location) -> Result<Value, Fault> {
    let seen = database.check().map_err(failed)?;
    Ok(json!({
        "sound": seen.damage.is_empty(), "schema": seen.schema.0, "schema_known": seen.schema.1, "software": seen.software,
        "octets_used": seen.octets.0, "octets_free": seen.octets.1, "waits_for_its_epoch": seen.restored,
        "findings": seen.damage.iter().map(|damage| json!({ "what": damage })).collect::<Vec<Value>>(),
    }))
}

/// A copy of one moment.
pub fn backup(database: &Location, to: &Path, listener: Listener<'_>) -> Result<Value, Fault> {
    let Location::File(database) = database else {
        let advice = "a server's database is backed up with the server: pg_basebackup or pgBackRest copy it while it is in \
            use, with all that is needed to bring back any moment";
        return Err(Fault::new(FaultCode::Refused, advice));
    };
    let mut progress = |left: u64, of: u64| listener(Progress { done: of.saturating_sub(left), of });
    let manifest = sqlite::backup(database, to, &mut progress).map_err(|error| match error {
        StoreError::File { .. } => Fault::new(FaultCode::BadRequest, error.to_string()),
        other => failed(other),
    })?;
    Ok(json!({
        "backup": to, "last_row": manifest.last.0, "head": hex(&manifest.head), "schema": manifest.schema,
        "next": "keep the head elsewhere too: it proves later that nothing was changed",
    }))
}

/// Copies a file that no server uses to an empty database on a server.
pub fn import(from: &Path, to: &Settings, listener: Listener<'_>) -> Result<Value, Fault> {
    let moved = postgres::import(from, to, &mut |done, of| listener(Progress { done, of }));
    let report = moved.map_err(|error| Fault::new(FaultCode::Refused, error.to_string()))?;
    Ok(json!({
        "from": from, "to": to.address(), "rows": report.rows, "last_row": report.last.0, "head": hex(&report.head),
        "next": "both hold the same: put the file away, and start the server",
    }))
}

/// Puts a backup that verifies in the place of the database, which must have been moved away.
pub fn restore(from: &Path, to: &Path, listener: Listener<'_>) -> Result<Value, Fault> {
    // A write-ahead log left of another database would be taken for this one's.
    let beside = ["-wal", "-shm", "-journal"].map(|end| {
        let mut name = to.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    for path in std::iter::once(to).chain(beside.iter().map(PathBuf::as_path)) {
        if path.exists() {
            let message = format!("{} is there: move it away first, and keep it", path.display());
            return Err(Fault::new(FaultCode::Refused, message));
        }
    }
    let restored = sqlite::restore(from, to, &mut |done, of| listener(Progress { done, of }));
    let report = restored.map_err(|error| match error {
        RestoreError::Unsound(_) => {
            let advice = format!("{error}: `wakala ledger verify --database {}` lists them", from.display());
            Fault::new(FaultCode::Refused, advice)
        }
        other => Fault::new(FaultCode::Refused, other.to_string()),
    })?;
    Ok(json!({
        "database": to, "rows": report.rows, "last_row": report.last.0, "head": hex(&report.head),
        "next": "start the server: it opens a new epoch and leaves old texts unsent",
    }))
}
