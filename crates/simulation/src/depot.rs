//! Where the books are kept between processes: on the simulated disk, or in SQLite itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use data_center::sqlite::{query, verify};
use data_center::{History, MessageState, NoticeId, Part, Sqlite, Store, StoreError, Value};
use tempfile::TempDir;
use transaction_processing::Currency;

use crate::audit::{Finding, Verdict};
use crate::disk::Disk;

/// A place that outlives every process.
pub trait Depot {
    /// The store there.
    type Store: Store;

    /// Opens it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn open(&mut self) -> Result<Self::Store, StoreError>;

    /// The disk, where it is one that can be told to fail.
    fn disk(&self) -> Option<&Disk>;

    /// Where every message stands.
    ///
    /// # Errors
    /// [`StoreError`].
    fn messages(&self) -> Result<BTreeMap<NoticeId, MessageState>, StoreError>;

    /// Reads the log.
    ///
    /// # Errors
    /// [`StoreError`].
    fn history(&self) -> Result<Box<dyn History>, StoreError>;

    /// Looks at everything once more, by whatever means the store has.
    ///
    /// # Errors
    /// What is found.
    fn verify(&self) -> Verdict;
}

/// The simulated disk.
#[derive(Default)]
pub struct Simulated(Disk);

impl Depot for Simulated {
    type Store = Disk;

    fn open(&mut self) -> Result<Disk, StoreError> {
        Ok(self.0.clone())
    }

    fn disk(&self) -> Option<&Disk> {
        Some(&self.0)
    }

    fn messages(&self) -> Result<BTreeMap<NoticeId, MessageState>, StoreError> {
        Ok(self.0.look(|image| image.messages().iter().map(|(id, message)| (*id, message.state)).collect()))
    }

    fn history(&self) -> Result<Box<dyn History>, StoreError> {
        Ok(Box::new(self.0.clone()))
    }

    fn verify(&self) -> Verdict {
        // The auditor of the log has seen every row as it became durable, and has seen the books recovered.
        Ok(())
    }
}

/// SQLite, in a folder that goes with it. Processes die; the machine does not.
pub struct InSqlite {
    folder: TempDir,
    currencies: Vec<Currency>,
}

impl InSqlite {
    /// An empty database.
    ///
    /// # Errors
    /// Where there is no room for temporary files.
    pub fn new(currencies: Vec<Currency>) -> std::io::Result<InSqlite> {
        Ok(InSqlite { folder: tempfile::tempdir()?, currencies })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("wakala.db")
    }
}

impl Depot for InSqlite {
    type Store = Sqlite;

    fn open(&mut self) -> Result<Sqlite, StoreError> {
        Sqlite::open(&self.path(), &self.currencies)
    }

    fn disk(&self) -> Option<&Disk> {
        None
    }

    fn messages(&self) -> Result<BTreeMap<NoticeId, MessageState>, StoreError> {
        let mut found = BTreeMap::new();
        let mut each = |part: Part<'_>| {
            if let Part::Row(row) = part
                && let [Value::Integer(id), Value::Integer(state)] = row.as_slice()
                && let Some(state) = u8::try_from(*state).ok().and_then(MessageState::numbered)
            {
                found.insert(NoticeId::unpacked(*id), state);
            }
            true
        };
        query(&self.path(), "SELECT notice_id, state FROM messages", &mut each)?;
        Ok(found)
    }

    fn history(&self) -> Result<Box<dyn History>, StoreError> {
        Ok(Box::new(data_center::sqlite::SqliteHistory::open(&self.path())?))
    }

    fn verify(&self) -> Verdict {
        let report = verify(&self.path(), &mut |_, _| {}).map_err(|error| Finding(error.to_string()))?;
        let findings: Vec<String> = report.findings.iter().map(|finding| finding.what.clone()).collect();
        if report.is_sound() { Ok(()) } else { Err(Finding(format!("verify: {}", findings.join(", ")))) }
    }
}
