//! What the data centre, its backups and the key file survive: lost power, a killed process, a disk that fails.
//!
//! A process lives through a scripted [`day`] while [`strace`] writes down every call that changes what is stored, and what the
//! process says it answered. From that, [`disk`] makes the files as they may be found after the power was lost at any moment;
//! [`history`] knows what the books held after each commit, and judges what is recovered from such files. Nothing in this
//! knows how SQLite syncs, so leaving out any one sync of the recording shows whether it was needed.

#![allow(clippy::missing_panics_doc, reason = "a test that cannot go on has failed")]

pub mod day;
pub mod disk;
pub mod errand;
pub mod history;
pub mod life;
pub mod power;
pub mod strace;
#[path = "../../data-center/tests/support/mod.rs"]
pub mod town;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Where files are made that nobody needs afterwards: in memory where the system has a place there.
pub fn memory() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    if shared.is_dir() { shared } else { std::env::temp_dir() }
}

/// A new directory there.
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(memory()).expect("a directory")
}

/// Whether the tests run in their long form.
pub fn soak() -> bool {
    std::env::var_os("WAKALA_SOAK").is_some()
}

/// How many threads are of use here.
pub fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does the same with each, as many at a time as are of use.
pub fn each<T: Sync>(all: &[T], act: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    act(one);
                }
            });
        }
    });
}

/// So many of them, spread evenly, or all.
pub fn some<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let every = if soak() { 1 } else { all.len().div_ceil(most).max(1) };
    all.into_iter().step_by(every).collect()
}
