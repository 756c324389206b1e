//! Writes signed heads of the chain into a folder that another organisation keeps, or fetches from: one line each time the
//! log has grown, one file a month. Each line is on the disk before the next is begun; none is ever changed.
//!
//! Where a line cannot be written that is said loudly, and tried again. Money does not wait for it: what is not attested now
//! is attested by the next head, which covers all rows before it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_center::{Location, StoreError};
use encryption::Keys;
use tokio::time::MissedTickBehavior;

use super::head::{Head, SignedHead};
use super::{newest, written};
use crate::communication_gateway::Clock;
use crate::observe::metrics::Metrics;
use crate::platform::Services;

/// Why a head was not written.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

/// Writes heads.
pub struct Witness {
    directory: PathBuf,
    database: Location,
    keys: Arc<dyn Keys>,
    clock: Clock,
    metrics: Arc<Metrics>,
    /// The row of the last head that was written.
    last: Mutex<Option<u64>>,
}

impl Witness {
    /// As the configuration says; none where it names no folder.
    pub fn of(services: &Services) -> Option<Witness> {
        let directory = services.config.witness.directory.clone()?;
        let (database, keys) = (services.location.clone(), Arc::clone(&services.keys));
        Some(Witness::new(directory, database, keys, Arc::clone(&services.clock), Arc::clone(&services.metrics)))
    }

    /// Into this folder, about this database.
    pub fn new(
        directory: PathBuf,
        database: Location,
        keys: Arc<dyn Keys>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Witness {
        Witness { directory, database, keys, clock, metrics, last: Mutex::new(None) }
    }

    /// Writes the head, if the log has grown since the last one; what was written. A failure is logged and counted here.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn write(&self) -> Result<Option<SignedHead>, Failure> {
        let written = self.try_to_write();
        match &written {
            Ok(Some(signed)) => self.metrics.proofs.attested(signed.head.row),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "witness: the head of the log was not written");
                self.metrics.proofs.not_attested();
            }
        }
        written
    }

    fn try_to_write(&self) -> Result<Option<SignedHead>, Failure> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(newest) = newest(&self.database, None)? else { return Ok(None) };
        if *last == Some(newest.0) {
            return Ok(None);
        }
        let signed = Head::sign(&*self.keys, newest, (self.clock)().time);
        let month = written(signed.head.at).get(..7).unwrap_or_default().to_owned();
        let path = self.directory.join(format!("heads-{month}.txt"));
        append(&path, &format!("{signed}\n")).map_err(|error| Failure::File { path, error })?;
        *last = Some(newest.0);
        Ok(Some(signed))
    }
}

/// Adds a line to a file, for good. What a crash left of a line before it stays, as a line of its own.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    let begun = if is_torn(&mut file)? { "\n" } else { "" };
    file.write_all(format!("{begun}{line}").as_bytes())?;
    file.sync_all()?;
    if is_new {
        let directory = path.parent().unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// Whether the last line of a file has no end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Writes every so often, until it is ended.
pub async fn run(witness: Arc<Witness>, every_seconds: u32) {
    let mut every = tokio::time::interval(Duration::from_secs(u64::from(every_seconds)));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let writing = Arc::clone(&witness);
        // A failure was logged; the next head covers what this one would have.
        let _ = tokio::task::spawn_blocking(move || writing.write()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_a_crash_cut_stays_and_the_next_one_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("heads.txt");
        append(&path, "first\n").expect("written");
        std::fs::OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(b"cut")).expect("cut");
        append(&path, "second\n").expect("written");
        append(&path, "third\n").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "first\ncut\nsecond\nthird\n");
    }
}
