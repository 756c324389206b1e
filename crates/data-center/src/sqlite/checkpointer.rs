//! SQLite's own write-ahead log is copied into the database by a thread of its own, so that no commit waits for it. The
//! log starts again from its beginning whenever a commit finds all of it copied; when it grows past a bound, the writer copies
//! the rest itself.
//!
//! A failure of the thread is one of the store. Tried again, it would seem to succeed: the system drops what a disk did not
//! take, and a later sync writes none of it.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags};

use super::{connect, write_safely};
use crate::store::StoreError;

/// When SQLite's log is copied into the database, in pages of 4 KiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogBounds {
    /// From so many on that are not copied yet the thread copies.
    pub copied_from: i64,
    /// From so many on the writer copies what the thread has left.
    pub shared_from: i64,
    /// From so many on the writer waits for whoever still reads the log, so that it cannot fill the disk.
    pub waits_from: i64,
}

impl Default for LogBounds {
    /// 16 MiB, 64 MiB and 1 GiB.
    fn default() -> LogBounds {
        LogBounds { copied_from: 4096, shared_from: 16_384, waits_from: 262_144 }
    }
}

pub(super) struct Checkpointer {
    bounds: LogBounds,
    wake: Option<SyncSender<()>>,
    failed: Receiver<StoreError>,
    thread: Option<JoinHandle<()>>,
}

/// How many pages the log has, and how many of them are copied.
struct Extent {
    pages: i64,
    copied: i64,
}

impl Checkpointer {
    pub(super) fn start(path: &Path, bounds: LogBounds) -> Result<Checkpointer, StoreError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        write_safely(&connection)?;
        let (wake, woken) = sync_channel(1);
        let (fail, failed) = sync_channel(1);
        let run = move || {
            if let Err(error) = run(&connection, &woken) {
                // Gone only where the store is, too.
                let _ = fail.send(error);
            }
        };
        let not_started = |error| StoreError::File { path: path.to_owned(), error };
        let thread = thread::Builder::new().name("checkpoint".into()).spawn(run).map_err(not_started)?;
        Ok(Checkpointer { bounds, wake: Some(wake), failed, thread: Some(thread) })
    }

    pub(super) fn after_commit(&self, writer: &Connection) -> Result<(), StoreError> {
        match self.failed.try_recv() {
            Ok(error) => return Err(error),
            Err(TryRecvError::Disconnected) => return Err(StoreError::Damaged("nobody copies the log".into())),
            Err(TryRecvError::Empty) => {}
        }
        let extent = checkpoint(writer, "NOOP")?;
        if extent.pages >= self.bounds.waits_from {
            checkpoint(writer, "RESTART")?;
        } else if extent.pages >= self.bounds.shared_from {
            checkpoint(writer, "PASSIVE")?;
        } else if extent.pages - extent.copied >= self.bounds.copied_from
            && let Some(wake) = &self.wake
        {
            // Full: it is awake.
            let _ = wake.try_send(());
        }
        Ok(())
    }

    /// Ends the thread. Whether nothing in it failed.
    pub(super) fn end(&mut self) -> bool {
        self.wake = None;
        let ended = self.thread.take().is_none_or(|thread| thread.join().is_ok());
        ended && self.failed.try_recv().is_err()
    }
}

fn run(connection: &Connection, woken: &Receiver<()>) -> Result<(), StoreError> {
    while let Ok(()) = woken.recv() {
        checkpoint(connection, "PASSIVE")?;
    }
    Ok(())
}

fn checkpoint(connection: &Connection, mode: &str) -> Result<Extent, StoreError> {
    let mut statement = connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?;
    Ok(statement.query_row([], |row| Ok(Extent { pages: row.get(1)?, copied: row.get(2)? }))?)
}
