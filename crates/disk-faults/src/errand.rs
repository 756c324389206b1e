//! What is done once and ends: a backup, a restore, a key file written over the one before.

use std::path::{Path, PathBuf};
use std::thread;

use data_center::sqlite::{RestoreError, backup, restore, verify};
use data_center::{Sqlite, Store as _, StoreError};
use encryption::{FileKeys, Passphrase};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::day::{Copying, books, copy};
use crate::disk::{Disk, Files};
use crate::history::place;
use crate::life::Town;
use crate::power::{Found, Recording};
use crate::strace::{Call, Fault, Run, answered, files};
use crate::town::TZS;

/// What seals the key files here.
const PASSPHRASE: &[u8] = b"a passphrase that is long enough";

/// Which errand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errand {
    /// The books are copied.
    Backup,
    /// Books are made of a copy.
    Restore,
    /// New keys take the place of the old.
    Keys,
}

/// The books that a restore makes.
fn restored(place: &Path) -> PathBuf {
    place.join("restored.db")
}

fn key_file(place: &Path) -> PathBuf {
    place.join("wakala.keys")
}

/// Keys that are the same for the same seed.
fn save_keys(place: &Path, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let passphrase = Passphrase::new(PASSPHRASE).expect("long enough");
    FileKeys::create(&mut random).save(&key_file(place), &passphrase, &mut random).expect("a key file");
}

impl Errand {
    /// All of them.
    pub const ALL: [Errand; 3] = [Errand::Backup, Errand::Restore, Errand::Keys];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Errand::Backup => "backup",
            Errand::Restore => "restore",
            Errand::Keys => "keys",
        }
    }

    /// What it begins with.
    fn start(self, program: &Path) -> Files {
        if self == Errand::Keys {
            let place = crate::scratch();
            save_keys(place.path(), 1);
            return files(place.path());
        }
        let mut start = Town::new(program).day(Copying::ByWriter).0.recording.end().shown();
        start.retain(|name, _| name.starts_with(if self == Errand::Backup { "books" } else { "copy" }));
        start
    }

    /// Does it.
    pub fn run(self, place: &Path) {
        match self {
            Errand::Backup => drop(backup(&books(place), &copy(place), &mut |_, _| {}).expect("a backup")),
            Errand::Restore => drop(restore(&copy(place), &restored(place), &mut |_, _| {}).expect("a restore")),
            Errand::Keys => save_keys(place, 2),
        }
    }
}

/// An errand, what it begins with, and what it does where nothing disturbs it.
pub struct Errands<'a> {
    program: &'a Path,
    errand: Errand,
    start: Files,
    /// The calls that it makes.
    pub calls: Vec<Call>,
    /// What it does.
    pub recording: Recording,
}

impl Errands<'_> {
    /// Runs it once. `program` is this crate's.
    pub fn new(program: &Path, errand: Errand) -> Errands<'_> {
        let start = errand.start(program);
        let (recording, calls) = record(program, errand, &start, None);
        assert_eq!(answered(&recording.events), 1, "it was done");
        Errands { program, errand, start, calls, recording }
    }

    /// Runs it again with a fault.
    pub fn struck(&self, call: &Call, fault: Fault) -> Recording {
        record(self.program, self.errand, &self.start, Some((call, fault))).0
    }

    /// Judges what is found after it, or after a part of it.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn judge(&self, found: &Found) -> Result<(), String> {
        let done = found.answered > 0;
        match self.errand {
            Errand::Backup => self.judge_backup(&found.files, done),
            Errand::Restore => judge_restored(&found.files, done),
            Errand::Keys => self.judge_keys(&found.files, done),
        }
    }

    /// Only a whole copy is ever taken for one.
    fn judge_backup(&self, files: &Files, done: bool) -> Result<(), String> {
        if files.get("books.db") != self.start.get("books.db") {
            return Err("the books are not what they were".into());
        }
        let place = place(files);
        let head = verify(&books(place.path()), &mut |_, _| {}).expect("the books").head;
        match restore(&copy(place.path()), &restored(place.path()), &mut |_, _| {}) {
            Ok(report) if report.head != head => Err("the copy is of something else".into()),
            Err(error) if done => Err(format!("the backup is no good: {error}")),
            Ok(_) if done && !files.contains_key("copy.db.manifest") => Err("the manifest is gone".into()),
            _ => Ok(()),
        }
    }

    fn judge_keys(&self, files: &Files, done: bool) -> Result<(), String> {
        let (old, new) = (self.start.get("wakala.keys"), self.recording.end().shown());
        let found = files.get("wakala.keys");
        match found {
            _ if found == new.get("wakala.keys") => Ok(()),
            _ if found == old && !done => Ok(()),
            _ => Err(format!("the key file has {:?} octets", found.map(Vec::len))),
        }
    }
}

fn record(program: &Path, errand: Errand, start: &Files, fault: Option<(&Call, Fault)>) -> (Recording, Vec<Call>) {
    let place = place(start);
    let arguments = [errand.name().as_ref(), place.path().as_os_str()];
    let Run { events, calls, .. } = Run::of(program, &arguments, place.path(), fault);
    let recording = Recording { start: Disk::holding(start.clone()), events };
    assert!(recording.end().shown() == files(place.path()), "the recording is not what was stored");
    (recording, calls)
}

/// The books are there whole, or not at all, and then a restore makes them.
fn judge_restored(files: &Files, done: bool) -> Result<(), String> {
    let place = place(files);
    let said = |error: &dyn std::fmt::Display| error.to_string();
    match restore(&copy(place.path()), &restored(place.path()), &mut |_, _| {}) {
        Ok(_) if done => return Err("the restored books are gone".into()),
        Ok(_) | Err(RestoreError::Exists(_)) => {}
        Err(error) => return Err(said(&error)),
    }
    // A process that is being made on another thread has the lock of the restore too, until it has become itself.
    let books = loop {
        match Sqlite::open(&restored(place.path()), &[TZS]) {
            Err(StoreError::InUse { .. }) => thread::yield_now(),
            opened => break opened.map_err(|error| said(&error))?,
        }
    };
    if !books.is_restored().map_err(|error| said(&error))? {
        return Err("the restored books do not wait for their epoch".into());
    }
    drop(books);
    let report = |path: &Path| verify(path, &mut |_, _| {}).map_err(|error| said(&error));
    let (made, of) = (report(&restored(place.path()))?, report(&copy(place.path()))?);
    if !made.is_sound() || made.head != of.head {
        return Err(format!("the restored books are not those of the copy: {:?}", made.findings));
    }
    Ok(())
}
