//! SQLite as the store: embedded, one file, write-ahead log with synchronous FULL, one writing connection.

mod append;
mod backup;
mod checkpointer;
mod migrations;
mod reading;
mod shell;
mod verify;
mod version;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use transaction_processing::Currency;

use crate::batch::Batch;
use crate::load::load;
use crate::store::{Fatal, Loaded, Lost, Store, StoreError};

pub use backup::{Manifest, RestoreError, backup, check, restore};
pub use checkpointer::LogBounds;
pub use reading::SqliteHistory;
pub use shell::query;
pub use verify::verify;
pub use version::{check as check_version, linked as linked_version};

/// Says in the file's header whose it is: "Wkla".
const APPLICATION_ID: i32 = 0x576b_6c61;

/// How long a statement waits for a lock of another connection.
const BUSY_MS: u32 = 10_000;

/// What the copy of SQLite's log is called beside the database while the log is written again.
const AGAIN: &str = "-wal.again";

/// How much of it is copied at once, octets.
const PIECE: usize = 1 << 20;

/// The page cache of the writing connection, KiB.
const CACHE_KIB: i32 = 32 * 1024;

/// The embedded database. One process has it at a time.
pub struct Sqlite {
    writing: SqliteHistory,
    path: PathBuf,
    checkpointer: checkpointer::Checkpointer,
    /// From here on nothing may be written: see the end.
    failed: bool,
    /// Held as long as the database is: the system releases it whatever the process's end.
    _lock: File,
}

impl Sqlite {
    /// Opens the database at `path`, makes it where there is none, and brings its schema up to date. `currencies` are those
    /// in use; one that was ever in use keeps its decimal digits.
    ///
    /// # Errors
    /// [`StoreError`]: in use by another process, of a later version, damaged, or not to be read or written.
    pub fn open(path: &Path, currencies: &[Currency]) -> Result<Sqlite, StoreError> {
        Sqlite::with_log(path, currencies, LogBounds::default())
    }

    /// The same with other bounds of SQLite's log.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn with_log(path: &Path, currencies: &[Currency], bounds: LogBounds) -> Result<Sqlite, StoreError> {
        version::check()?;
        let lock = lock(path)?;
        create_private(path)?;
        write_log_again(path)?;
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        write_safely(&connection)?;
        migrations::migrate(&mut connection)?;
        connection.set_prepared_statement_cache_capacity(64);
        let mut writing = SqliteHistory::on(connection)?;
        for currency in writing.currencies.unknown(currencies)? {
            let sql = "INSERT INTO currencies (numeric, minor_digits) VALUES (?1, ?2)";
            writing.connection.execute(sql, params![currency.numeric, currency.minor_digits])?;
            writing.currencies.0.push(currency);
        }
        // SQLite does so too when it makes its log, and does not say whether it failed.
        sync_directory(path)?;
        let checkpointer = checkpointer::Checkpointer::start(path, bounds)?;
        Ok(Sqlite { writing, path: path.to_owned(), checkpointer, failed: false, _lock: lock })
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets the database grow to so many pages and no further (it never shrinks below what it has): a commit that needs more
    /// fails as on a full disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        Ok(self.writing.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
    }
}

impl Store for Sqlite {
    type History = SqliteHistory;

    fn load(&mut self, window_seconds: u32, each: &mut dyn FnMut(Loaded) -> Result<(), Fatal>) -> Result<(), Fatal> {
        load(&mut self.writing, window_seconds, each)
    }

    fn append(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError> {
        let connection = &self.writing.connection;
        let appended = append::append(connection, batch);
        let done = appended.and_then(|()| self.checkpointer.after_commit(connection));
        self.failed |= done.is_err();
        done
    }

    fn history(&self) -> Result<SqliteHistory, StoreError> {
        SqliteHistory::open(&self.path)
    }

    fn is_restored(&self) -> Result<bool, StoreError> {
        let question = "SELECT coalesce(max(restored), 0) FROM position";
        Ok(self.writing.connection.query_row(question, [], |row| row.get(0))?)
    }

    /// The lock is held until the process ends.
    fn watch(&mut self, _: Lost) {}
}

impl Drop for Sqlite {
    /// In order, all of SQLite's log is copied into the database, and one file is left. After a failure both are left as they
    /// are: what the disk did not take would be missing, and the log gone.
    fn drop(&mut self) {
        if self.checkpointer.end() && !self.failed {
            // Where it stays as it was, the log is left: the next start reads it.
            let _ = self.writing.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        }
    }
}

/// A connection with what all of them have in common. SQLite's own log is never mapped into memory: a failing disk must be
/// an error, not a signal.
pub(crate) fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_millis(u64::from(BUSY_MS)))?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// What the writing connections have beside it.
pub(crate) fn write_safely(connection: &Connection) -> Result<(), StoreError> {
    keep_journal(connection, "wal")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(())
}

/// Changes the way in which SQLite keeps its journal. The statement is asked to its end: the change is committed after it has
/// said the new mode, and a failure of that is told only then.
pub(crate) fn keep_journal(connection: &Connection, mode: &str) -> Result<(), StoreError> {
    let mut statement = connection.prepare(&format!("PRAGMA journal_mode = {mode}"))?;
    let said = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    if said != [mode] {
        return Err(StoreError::Damaged(format!("the journal cannot be kept as {mode}, but as {said:?}")));
    }
    Ok(())
}

/// A file beside the database, locked by whoever has it.
pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
    let lock = beside(path, ".lock");
    let failed = |error| StoreError::File { path: lock.clone(), error };
    let file = private_file().truncate(false).open(&lock).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::InUse { database: path.display().to_string(), by: "another process".into() })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The file of the same name with this ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Writes SQLite's log as it is read, where a process before has left one. If that process was told that the disk did not take
/// something, the system may go on showing it, and no sync ever writes it (Linux does so): what is built on it would be lost
/// with the power. A disk that loses power in the middle of a sector may leave anything in it, so there is a copy meanwhile;
/// where one is found, it is what was read by a start that did not come to its end.
fn write_log_again(path: &Path) -> Result<(), StoreError> {
    let [log, copy, partial] = ["-wal", AGAIN, "-wal.partial"].map(|ending| beside(path, ending));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| StoreError::File { path, error }
    };
    if !copy.exists() {
        if !log.exists() {
            return Ok(());
        }
        write_over(&log, &partial).map_err(failed(&partial))?;
        fs::rename(&partial, &copy).map_err(failed(&copy))?;
        sync_directory(path)?;
    }
    write_over(&copy, &log).map_err(failed(&log))?;
    fs::remove_file(&copy).map_err(failed(&copy))?;
    sync_directory(path)
}

/// Writes what one file holds into another, in place, and makes it durable there. Octet by octet through our own memory:
/// left to the system, a copy may share what the disk has of it, which is just what is in doubt.
fn write_over(from: &Path, to: &Path) -> io::Result<()> {
    let (mut from, mut to) = (File::open(from)?, private_file().truncate(false).open(to)?);
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            to.set_len(from.stream_position()?)?;
            return to.sync_all();
        }
        to.write_all(piece.get(..count).unwrap_or_default())?;
    }
}

/// Makes the names beside this one durable.
fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error| StoreError::File { path: directory.to_owned(), error };
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

/// Makes the file first, readable by its owner alone; SQLite gives the files beside it the same rights.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::File { path: path.to_owned(), error };
    private_file().truncate(false).open(path).map(drop).map_err(failed)
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
