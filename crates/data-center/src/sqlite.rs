//! SQLite as the store: embedded, one file, write-ahead log with synchronous FULL, one writing connection.

mod append;
mod backup;
mod checkpointer;
mod migrations;
mod reading;
mod shell;
mod verify;
mod version;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};
use transaction_processing::Currency;

use crate::batch::Batch;
use crate::load::load;
use crate::store::{Fatal, Loaded, Lost, Store, StoreError};

pub use backup::{Manifest, RestoreError, backup, check, restore};
pub use reading::SqliteHistory;
pub use shell::query;
pub use verify::verify;
pub use version::{check as check_version, linked as linked_version};

/// Says in the file's header whose it is: "Wkla".
const APPLICATION_ID: i32 = 0x576b_6c61;

/// How long a statement waits for a lock of another connection.
const BUSY_MS: u32 = 10_000;

/// The page cache of the writing connection, KiB.
const CACHE_KIB: i32 = 32 * 1024;

/// The embedded database. One process has it at a time.
pub struct Sqlite {
    writing: SqliteHistory,
    path: PathBuf,
    checkpointer: checkpointer::Checkpointer,
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
        version::check()?;
        let lock = lock(path)?;
        create_private(path)?;
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
        let checkpointer = checkpointer::Checkpointer::start(path)?;
        Ok(Sqlite { writing, path: path.to_owned(), checkpointer, _lock: lock })
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

    fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        append::append(&self.writing.connection, batch)?;
        self.checkpointer.after_commit(&self.writing.connection)
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
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Damaged(format!("no write-ahead log here, but {mode}")));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(())
}

/// A file beside the database, locked by whoever has it.
pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
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
