//! Which syncs are needed: without any of these something that was answered is lost, or books cannot be opened. The others are
//! SQLite's own and ours to be sure, each with why nothing hangs on it alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::Path;

use disk_faults::day::Copying;
use disk_faults::errand::{Errand, Errands};
use disk_faults::life::{Life, Town};
use disk_faults::soak;
use disk_faults::strace::Fault;

const PROGRAM: &str = env!("CARGO_BIN_EXE_disk-faults");
const SEED: u64 = 1;

/// How many losses of power there are without a sync at most, and in how many syncs a beginning ends.
const LOSSES: u64 = 400;
const FIRST_SYNCS: usize = 4;

/// The process is killed before these syncs of its day, counted from zero, and its afternoon is looked at too.
const KILLED_BEFORE: [usize; 3] = [12, 24, 70];

const NEEDED: [&str; 4] = ["journal: header", "database: content", "log: content", "books.db-wal.partial: content"];

/// What may be left out, and why.
const SPARE: [(&str, &str); 5] = [
    ("journal: content", "only a database that is being founded has a journal: it is founded again"),
    ("log: header", "the header is synced again with the first commit behind it"),
    ("log: nothing new", "it makes nothing sure"),
    ("database: nothing new", "it makes nothing sure"),
    ("manifest: content", "a backup without its manifest is verified all the same"),
];

fn is_spare(kind: &str) -> bool {
    // Our own sync of the directory before the first answer makes every name sure that others did before.
    kind.starts_with("directory: ") || SPARE.iter().any(|(spare, _)| *spare == kind)
}

#[test]
fn without_any_one_sync_something_is_lost() {
    let town = Town::new(Path::new(PROGRAM));
    let (day, calls) = town.day(Copying::ByWriter);
    let syncs: Vec<_> = calls.into_iter().filter(|call| call.name == "fsync").collect();
    let killed = KILLED_BEFORE.map(|nth| town.struck(Copying::ByWriter, &syncs[nth], Fault::Kill).unwrap());
    let lives: Vec<Life> = [day].into_iter().chain(killed.map(|ended| town.afternoon(ended))).collect();
    let kinds: BTreeSet<String> = lives.iter().flat_map(|life| life.recording.kinds_of_sync()).collect();
    let unknown: Vec<_> = kinds.iter().filter(|kind| !is_spare(kind) && !NEEDED.contains(&&***kind)).collect();
    assert!(unknown.is_empty(), "are these needed? {unknown:?}");
    let losses = if soak() { LOSSES * 10 } else { LOSSES };
    for kind in NEEDED {
        let with = lives.iter().filter(|life| life.recording.kinds_of_sync().iter().any(|other| other == kind));
        let mut without = with.map(|life| life.without(kind));
        let lost = without.find_map(|life| {
            let lose = |life: &Life| life.recording.lose_power(SEED, 0..losses, |found| life.judge(found));
            lose(&life.beginning(FIRST_SYNCS)).or_else(|| lose(&life))
        });
        println!("without {kind}: {:?}", lost.as_ref().map(|lost| &lost.why));
        assert!(lost.is_some(), "nothing is lost without {kind}");
    }
    // And with all of them nothing is.
    for life in &lives {
        assert!(life.recording.lose_power(SEED, 0..40, |found| life.judge(found)).is_none());
    }
}

/// A backup syncs its file twice, so all of a file's are left out together.
#[test]
fn without_the_syncs_of_a_file_an_errand_may_be_half_done() {
    for (errand, file) in [
        (Errand::Backup, "database: "),
        (Errand::Restore, "restored.db.partial: "),
        (Errand::Restore, "directory: "),
        (Errand::Keys, "wakala.keys.new: "),
        (Errand::Keys, "directory: "),
    ] {
        let errands = Errands::new(Path::new(PROGRAM), errand);
        let without = errands.recording.without(|kind| kind.starts_with(file));
        let lost = without.lose_power(SEED, 0..LOSSES, |found| errands.judge(found));
        println!("{errand:?} without {file}: {lost:?}");
        assert!(lost.is_some(), "{errand:?} is whole without the syncs of {file}");
    }
}
