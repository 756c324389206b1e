//! Copies that can be taken while the database is in use, and the way back from one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use transaction_processing::ids::Sequence;

use super::reading::SqliteHistory;
use super::verify::verify;
use super::{AGAIN, beside, connect, create_private, keep_journal, lock, migrations, sync_directory, version};
use crate::audit::Report;
use crate::batch::Position;
use crate::location::Condition;
use crate::messages::{MessageState, NoticeId};
use crate::reading::Reading;
use crate::store::{History, StoreError};

/// Pages copied between two words of progress.
const STEP: i32 = 2048;

/// What a backup holds, as written beside it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// The last row of the log; an epoch may have left numbers out.
    pub last: Sequence,
    /// Its link of the hash chain, to be kept outside as well.
    pub head: [u8; 32],
    /// The version of the schema.
    pub schema: i64,
}

impl Manifest {
    /// The manifest as it is written down.
    pub fn text(&self) -> String {
        let head: String = self.head.iter().map(|octet| format!("{octet:02x}")).collect();
        format!("format = 1\nlast_row = {}\nhead = \"{head}\"\nschema = {}\n", self.last.0, self.schema)
    }
}

/// Why a restore did not happen.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the backup holds does not verify.
    #[error("the backup does not verify: {} findings", .0.found)]
    Unsound(Box<Report>),
    /// The manifest beside the backup says something else than the backup.
    #[error("the backup is not the one that its manifest describes")]
    OtherManifest,
    /// There is a database already, or what one left in its log.
    #[error("{0} exists already")]
    Exists(PathBuf),
}

/// Copies the database at `from`, which may be in use, to a new file, with a manifest beside it (`.manifest`). The copy is one
/// moment of the database. `progress` is told how many pages are left of how many.
///
/// # Errors
/// [`StoreError`].
pub fn backup(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Manifest, StoreError> {
    version::check()?;
    copy(from, to, progress)?;
    let mut copied = SqliteHistory::open(to)?;
    let position = copied.position()?.unwrap_or(Position::start());
    let last = Sequence(copied.figure("SELECT coalesce(max(sequence), 0) FROM log")?);
    let manifest = Manifest { last, head: position.head, schema: migrations::known() };
    let path = manifest_path(to);
    let failed = |error| StoreError::File { path: path.clone(), error };
    fs::write(&path, manifest.text()).map_err(failed)?;
    sync(&path)?;
    Ok(manifest)
}

fn manifest_path(backup: &Path) -> PathBuf {
    beside(backup, ".manifest")
}

fn copy(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    if to.exists() {
        let error = std::io::ErrorKind::AlreadyExists.into();
        return Err(StoreError::File { path: to.to_owned(), error });
    }
    create_private(to)?;
    let source = connect(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // Held open, so that commits meanwhile do not make the copy begin anew.
    source.execute_batch("BEGIN; SELECT count(*) FROM migrations")?;
    let mut target = connect(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let copying = Backup::new(&source, &mut target)?;
    loop {
        let step = copying.step(STEP)?;
        let left = copying.progress();
        progress(u64::try_from(left.remaining).unwrap_or(0), u64::try_from(left.pagecount).unwrap_or(0));
        if matches!(step, StepResult::Done) {
            break;
        }
    }
    drop(copying);
    // One file that needs no other beside it.
    keep_journal(&target, "delete")?;
    drop(target);
    sync(to)
}

/// Makes a file and its name durable.
fn sync(path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::File { path: path.to_owned(), error };
    File::open(path).and_then(|file| file.sync_all()).map_err(failed)?;
    sync_directory(path)
}

/// Makes a database of a backup that verifies. What was not known to be sent is never sent: it may have been; its codes are
/// erased. The database then waits for an epoch to be opened, see [`crate::Store::is_restored`]. Repeats stay known.
///
/// # Errors
/// [`RestoreError`]; nothing is at `to` then.
pub fn restore(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, RestoreError> {
    version::check()?;
    // What a database before has left in its log or journal would be taken for a part of this one.
    let remains = [to.to_owned(), beside(to, "-wal"), beside(to, AGAIN), beside(to, "-journal")];
    if let Some(there) = remains.into_iter().find(|path| path.exists()) {
        return Err(RestoreError::Exists(there));
    }
    let _lock = lock(to)?;
    let report = verify(from, progress)?;
    if !report.is_sound() {
        return Err(RestoreError::Unsound(Box::new(report)));
    }
    let manifest = Manifest { last: report.last, head: report.head, schema: migrations::known() };
    if let Ok(text) = fs::read_to_string(manifest_path(from)) {
        let expected = manifest.text();
        if !expected.lines().all(|line| line.starts_with("schema") || text.lines().any(|said| said == line)) {
            return Err(RestoreError::OtherManifest);
        }
    }
    let partial = beside(to, ".partial");
    if partial.exists() {
        fs::remove_file(&partial).map_err(|error| StoreError::File { path: partial.clone(), error })?;
    }
    copy(from, &partial, &mut |_, _| {})?;
    mark_restored(&partial)?;
    sync(&partial)?;
    fs::rename(&partial, to).map_err(|error| StoreError::File { path: to.to_owned(), error })?;
    sync(to)?;
    Ok(report)
}

fn mark_restored(path: &Path) -> Result<(), StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    abandon_untold(&connection, path)?;
    connection.execute_batch(
        "DELETE FROM codes;
        UPDATE position SET restored = 1, settled = next - 1;
        COMMIT;",
    )?;
    Ok(())
}

fn abandon_untold(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let mut history = SqliteHistory::open(path)?;
    let mut seen = history.settled()?;
    let at: i64 = connection.query_row("SELECT coalesce(max(at_ms), 0) FROM position", [], |row| row.get(0))?;
    loop {
        let (untold, last) = history.untold(seen, 1000)?;
        for untold in &untold {
            abandon(connection, untold.id, at)?;
        }
        if last == seen {
            return Ok(());
        }
        seen = last;
    }
}

fn abandon(connection: &Connection, notice: NoticeId, at: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO messages (notice_id, state, attempts, at_ms) VALUES (?1, ?2, 0, ?3)
        ON CONFLICT (notice_id) DO UPDATE SET state = ?2, at_ms = ?3";
    connection.prepare_cached(sql)?.execute((notice.packed(), MessageState::Abandoned as u8, at))?;
    Ok(())
}

/// Looks at the file itself: pages, indices, types, version. [`verify`] looks at what they mean.
///
/// # Errors
/// [`StoreError`].
pub fn check(path: &Path) -> Result<Condition, StoreError> {
    version::check()?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    migrations::check(&connection)?;
    let figure = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let schema = figure("SELECT coalesce(max(version), 0) FROM migrations")?;
    let mut statement = connection.prepare("PRAGMA integrity_check(100)")?;
    let said: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let page = figure("PRAGMA page_size")?.cast_unsigned();
    let free = figure("PRAGMA freelist_count")?.cast_unsigned().saturating_mul(page);
    let all = figure("PRAGMA page_count")?.cast_unsigned().saturating_mul(page);
    let restored = figure("SELECT coalesce(max(restored), 0) FROM position")? != 0;
    Ok(Condition {
        software: format!("SQLite {}", version::linked()),
        schema: (schema, migrations::known()),
        damage: said.into_iter().filter(|line| line != "ok").collect(),
        octets: (all.saturating_sub(free), free),
        restored,
    })
}
