//! What a card must remember: which counters it has sealed with, and which it has seen.

use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The lasting memory of a card. A counter that was sealed with is never given again, whatever happens; skipped
/// ones do no harm.
pub trait CounterStore: Send {
    /// Reserves the next `count` counters for sealing: the first of them. They are kept for good before this returns.
    ///
    /// # Errors
    /// When they cannot be kept; then none is to be used.
    fn reserve(&mut self, count: u64) -> io::Result<u64>;

    /// The highest counter that was received.
    fn received(&self) -> Option<u64>;

    /// Keeps the highest counter that was received.
    ///
    /// # Errors
    /// When it cannot be kept; then the message that had it is not to be shown, as it could come again.
    fn keep_received(&mut self, counter: u64) -> io::Result<()>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counters {
    /// The first counter that was never reserved.
    next_to_send: u64,
    highest_received: Option<u64>,
}

impl Counters {
    /// A new card. 0 is what the platform has stored for a card that it never heard from, so 1 is the first to rise.
    const NEW: Self = Self { next_to_send: 1, highest_received: None };

    fn after_reserving(self, count: u64) -> io::Result<Self> {
        let next = self.next_to_send.checked_add(count).ok_or(io::ErrorKind::QuotaExceeded)?;
        Ok(Self { next_to_send: next, ..self })
    }
}

/// Remembers while the program runs: for demonstrations and tests with keys that live no longer.
#[derive(Debug)]
pub struct MemoryCounters(Counters);

impl Default for MemoryCounters {
    fn default() -> Self {
        Self(Counters::NEW)
    }
}

impl CounterStore for MemoryCounters {
    fn reserve(&mut self, count: u64) -> io::Result<u64> {
        let first = self.0.next_to_send;
        self.0 = self.0.after_reserving(count)?;
        Ok(first)
    }

    fn received(&self) -> Option<u64> {
        self.0.highest_received
    }

    fn keep_received(&mut self, counter: u64) -> io::Result<()> {
        self.0.highest_received = Some(counter);
        Ok(())
    }
}

/// Remembers in a file, written whole, synced and renamed into its place. One program at a time: a lock file beside
/// it sees to that.
#[derive(Debug)]
pub struct FileCounters {
    path: PathBuf,
    counters: Counters,
    /// Held as long as this lives.
    _lock: File,
}

impl FileCounters {
    /// Opens the file, or begins anew where there is none.
    ///
    /// # Errors
    /// When another program has it, or it cannot be read or understood: beginning anew would repeat counters.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let lock = File::options().create(true).append(true).open(beside(&path, "lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another program uses these counters"))?;
        let counters = match fs::read(&path) {
            Ok(octets) => serde_json::from_slice(&octets)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Counters::NEW,
            Err(error) => return Err(error),
        };
        Ok(Self { path, counters, _lock: lock })
    }

    fn write(&mut self, counters: Counters) -> io::Result<()> {
        let new = beside(&self.path, "new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&counters)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        // The rename itself must last too.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        self.counters = counters;
        Ok(())
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

impl CounterStore for FileCounters {
    fn reserve(&mut self, count: u64) -> io::Result<u64> {
        let first = self.counters.next_to_send;
        self.write(self.counters.after_reserving(count)?)?;
        Ok(first)
    }

    fn received(&self) -> Option<u64> {
        self.counters.highest_received
    }

    fn keep_received(&mut self, counter: u64) -> io::Result<()> {
        self.write(Counters { highest_received: Some(counter), ..self.counters })
    }
}
