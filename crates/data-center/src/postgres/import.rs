//! The way from a file to a server: everything that a SQLite database holds, in one transaction, so that a target is either
//! empty or whole; and the proof that both hold the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::reading::PostgresHistory;
use super::rows::Rows;
use super::session::Session;
use super::settings::Settings;
use super::{connect, migrations, months, verify};
use crate::audit::Report;
use crate::reading::Reading;
use crate::records::{self, LOG, POSITION, Table, Value};
use crate::sqlite::{self, SqliteHistory};
use crate::store::StoreError;

/// How many rows are sent at once.
const AT_ONCE: usize = 4096;

/// Where the month stands among the columns of the log.
const MONTH: usize = 3;

/// Why a database was not moved.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such file.
    #[error("{0}: there is no such file")]
    Absent(PathBuf),
    /// What the file holds does not verify.
    #[error("the file does not verify: {} findings", .0.found)]
    Unsound(Box<Report>),
    /// The server's database has books already, which are not these.
    #[error("{0} holds books already, and not those of the file as it is: name an empty database")]
    NotEmpty(String),
    /// Both are not the same, although everything was written.
    #[error("{0} is not the same in both: do not use the server's database, and tell the makers of this program")]
    Differs(String),
}

/// Moves the database in the file `from`, which no process may be using, to an empty database on a server. Both are verified
/// and then compared, table by table. `progress` is told how many rows of how many are done; each is looked at several times.
/// The file stays as it is. What was interrupted is begun again: before all was copied the target is still empty, and after that
/// only the proof is missing.
///
/// # Errors
/// [`ImportError`]; the server's database is empty then, except after [`ImportError::Differs`].
pub fn import(from: &Path, settings: &Settings, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, ImportError> {
    if !from.exists() {
        return Err(ImportError::Absent(from.to_owned()));
    }
    let _lock = sqlite::lock(from)?;
    let mut target = connect(settings, None)?;
    let is_copied = migrations::is_founded(&mut target)?;
    let differs = |what| match is_copied {
        true => ImportError::NotEmpty(settings.address().to_owned()),
        false => ImportError::Differs(what),
    };
    let mut source = SqliteHistory::open(from)?;
    let rows = source.figure("SELECT count(*) FROM log")?;
    // The rows are verified, copied, verified again, and read on both sides to be compared.
    let mut done = 0;
    let mut stage = |progress: &mut dyn FnMut(u64, u64)| {
        done += 1;
        progress((done - 1) * rows, 5 * rows);
        (done - 1) * rows
    };
    let start = stage(progress);
    let before = sqlite::verify(from, &mut |row, _| progress(start + row, 5 * rows))?;
    if !before.is_sound() {
        return Err(ImportError::Unsound(Box::new(before)));
    }
    let start = stage(progress);
    if !is_copied {
        copy(&mut source, target, &mut |row| progress(start + row, 5 * rows))?;
    }
    let start = stage(progress);
    let after = verify(settings, &mut |row, _| progress(start + row, 5 * rows))?;
    if after != before {
        return Err(differs("what verification says".to_owned()));
    }
    let mut copied = PostgresHistory::open(settings)?.at_one_moment()?;
    for table in tables() {
        if fingerprint(&mut source, table)? != fingerprint(&mut copied, table)? {
            return Err(differs(format!("the table {}", table.name)));
        }
    }
    progress(5 * rows, 5 * rows);
    Ok(after)
}

fn tables() -> impl Iterator<Item = &'static Table> {
    records::BESIDE.into_iter().chain([&LOG, &POSITION]).chain(records::ALL)
}

fn copy(source: &mut SqliteHistory, mut target: Session, progress: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
    target.execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0")?;
    migrations::found(&mut target)?;
    let mut begun = BTreeSet::new();
    for table in tables() {
        let (mut rows, mut done) = (Vec::with_capacity(AT_ONCE), 0);
        source.all(table, &mut |row| {
            rows.push(row);
            if rows.len() < AT_ONCE {
                return Ok(());
            }
            done += rows.len() as u64;
            if table.name == LOG.name {
                progress(done);
            }
            write(&mut target, table, std::mem::take(&mut rows), &mut begun)
        })?;
        write(&mut target, table, rows, &mut begun)?;
    }
    // Of books in which nothing has happened yet.
    target.execute(&format!("{} ON CONFLICT (one) DO NOTHING", migrations::START))?;
    let all: Vec<&str> = tables().map(|table| table.name).collect();
    target.execute(&format!("ANALYZE {}; COMMIT", all.join(", ")))?;
    let warnings = target.warnings();
    if warnings.is_empty() { Ok(()) } else { Err(StoreError::Unsafe(warnings)) }
}

fn write(
    target: &mut Session,
    table: &Table,
    rows: Vec<Vec<Value>>,
    begun: &mut BTreeSet<i64>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    if table.name == LOG.name {
        for row in &rows {
            if let Some(Value::Integer(month)) = row.get(MONTH)
                && begun.insert(*month)
            {
                let month =
                    i32::try_from(*month).map_err(|_| StoreError::Damaged("a month beyond all bounds".into()))?;
                target.execute(&months::begin(month))?;
            }
        }
    }
    let (name, columns) = (table.name, table.columns.join(", "));
    // A new log has no term yet.
    let (term, value) = if name == POSITION.name { (", term", ", 0") } else { ("", "") };
    // In quotes, because position is a word of SQL's where a type is named.
    let sql = format!("INSERT INTO {name} ({columns}{term}) SELECT {columns}{value} FROM unnest($1::\"{name}\"[])");
    let insert = target.statement(&sql)?;
    target.run(target.client().execute(&insert, &[&Rows(rows)]))?;
    Ok(())
}

/// How many rows a table has, and a hash over all their values in the order of its key.
fn fingerprint<R: Reading>(reading: &mut R, table: &Table) -> Result<(u64, [u8; 32]), StoreError> {
    let (mut count, mut hash) = (0, Sha256::new());
    reading.all(table, &mut |row| {
        count += 1;
        for value in row {
            let (kind, octets) = match value {
                Value::Null => (0_u8, Vec::new()),
                Value::Integer(figure) => (1, figure.to_be_bytes().to_vec()),
                Value::Real(figure) => (2, figure.to_be_bytes().to_vec()),
                Value::Text(text) => (3, text.into_bytes()),
                Value::Octets(octets) => (4, octets),
            };
            hash.update([kind]);
            hash.update((octets.len() as u64).to_be_bytes());
            hash.update(octets);
        }
        Ok(())
    })?;
    Ok((count, hash.finalize().into()))
}
