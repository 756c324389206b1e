//! Lives of a process: the day, a day that ended badly, and the afternoon after it.

use std::collections::BTreeSet;
use std::path::Path;

use tempfile::TempDir;

use crate::day::Copying;
use crate::disk::{Change, Disk};
use crate::history::{History, place};
use crate::power::{Found, Recording};
use crate::strace::{Call, Event, Fault, Run, answered, files};

/// The program, and what its books hold when nothing disturbs it.
pub struct Town<'a> {
    program: &'a Path,
    history: History,
}

/// A recorded life, and what must be found whenever it ends.
pub struct Life {
    /// What it did to the disk.
    pub recording: Recording,
    history: History,
    /// How many commits must be there before its first answer, and how many it found.
    commits: (usize, usize),
}

/// A day that ended before its time.
pub struct Ended {
    /// What it left.
    pub place: TempDir,
    /// What it did.
    pub run: Run,
    /// How many of its commits are there.
    pub commits: usize,
}

impl Town<'_> {
    /// Lives through a day to know what it holds. `program` is this crate's.
    pub fn new(program: &Path) -> Town<'_> {
        Town { program, history: History::of_day() }
    }

    fn run(&self, what: &str, place: &Path, copying: Copying, fault: Option<(&Call, Fault)>) -> Run {
        let who = if copying == Copying::ByThread { "thread" } else { "writer" };
        Run::of(self.program, &[what.as_ref(), place.as_os_str(), who.as_ref()], place, fault)
    }

    /// Records a whole day, and gives the calls that it made, those of the same name in order.
    pub fn day(&self, copying: Copying) -> (Life, Vec<Call>) {
        let place = crate::scratch();
        let Run { events, calls, status } = self.run("day", place.path(), copying, None);
        assert!(status.success(), "{status}");
        let calls = calls.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let recording = Recording { start: Disk::default(), events };
        assert!(recording.end().shown() == files(place.path()), "the recording is not what was stored");
        assert_eq!(answered(&recording.events), self.history.commits());
        (Life { recording, history: self.history.clone(), commits: (0, 0) }, calls)
    }

    /// A day in which a call fails, or the process is killed before it; and what is recovered then.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn struck(&self, copying: Copying, call: &Call, fault: Fault) -> Result<Ended, String> {
        let place = crate::scratch();
        let run = self.run("day", place.path(), copying, Some((call, fault)));
        let answered = answered(&run.events);
        let commits = self.history.judge(&files(place.path()), answered..=answered + 1)?;
        Ok(Ended { place, run, commits })
    }

    /// Records the afternoon after a day that ended before its time, in the same directory: the system lived on.
    pub fn afternoon(&self, ended: Ended) -> Life {
        let Ended { place, run, commits } = ended;
        let day = Recording { start: Disk::default(), events: run.events };
        let answered = answered(&day.events);
        self.lived_on(&place, day.end(), (answered, commits))
    }

    /// Records the afternoon after the power was lost.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn afternoon_after(&self, found: &Found) -> Result<Life, String> {
        let commits = self.history.judge(&found.files, found.answered..=found.answered + 1)?;
        Ok(self.lived_on(&place(&found.files), Disk::holding(found.files.clone()), (commits, commits)))
    }

    fn lived_on(&self, place: &TempDir, start: Disk, commits: (usize, usize)) -> Life {
        let before = files(place.path());
        assert!(start.shown() == before, "the recording is not what was stored");
        let history = self.history.and_afternoon(&before, commits.1);
        let Run { events, status, .. } = self.run("afternoon", place.path(), Copying::ByWriter, None);
        assert!(status.success(), "{status}");
        let recording = Recording { start, events };
        assert!(recording.end().shown() == files(place.path()), "the recording is not what was stored");
        Life { recording, history, commits }
    }
}

impl Life {
    /// Judges what is found after the power was lost in it.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn judge(&self, found: &Found) -> Result<(), String> {
        let (before, start) = self.commits;
        let least = if found.answered == 0 { before } else { start + found.answered };
        self.history.judge(&found.files, least..=start + found.answered + 1).map(drop)
    }

    /// The beginning of the same life: its first syncs, and what led to them.
    pub fn beginning(&self, syncs: usize) -> Life {
        let mut left = syncs;
        let mut is_early = |event: &&Event| {
            let early = left > 0;
            left -= usize::from(early && matches!(event, Event::Stored(Change::Synced(_))));
            early
        };
        let events = self.recording.events.iter().take_while(&mut is_early).cloned().collect();
        let recording = Recording { start: self.recording.start.clone(), events };
        Life { recording, history: self.history.clone(), commits: self.commits }
    }

    /// The same life on a disk that ignores every sync of a kind.
    pub fn without(&self, kind: &str) -> Life {
        Life {
            recording: self.recording.without(|other| other == kind),
            history: self.history.clone(),
            commits: self.commits,
        }
    }
}
