//! What the books held after each commit, and whether what is recovered is one of these states and the right one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Mutex};

use data_center::sqlite::{check, verify};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use transaction_processing::Request;

use crate::day::{self, Asked, Copying, Durable, Observed, books};
use crate::disk::Files;

/// The whole content of a database after a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mark {
    /// The end of the chain.
    head: [u8; 32],
    /// Every column of every row of every table.
    content: u64,
}

/// A life of the books, one mark for each commit and one for the beginning.
#[derive(Clone)]
pub struct History {
    marks: Vec<Mark>,
    asked: Vec<Asked>,
}

impl History {
    /// Lives through a day, undisturbed.
    pub fn of_day() -> History {
        let place = crate::scratch();
        let empty = day::open(place.path(), Copying::ByWriter, Box::new(|_| {})).expect("new books");
        let first = Mark { head: empty.position().head, content: content(place.path()).expect("content") };
        drop(empty);
        History::lived(place.path(), vec![first], |place, tell| day::day(place, Copying::ByWriter, tell))
    }

    /// Lives through the afternoon after what was recovered from these files: the state after so many commits.
    pub fn and_afternoon(&self, files: &Files, commits: usize) -> History {
        let place = place(files);
        let afternoon = |place: &Path, tell: day::Tell<'_>| {
            day::afternoon(place, Copying::ByWriter, tell).expect("an undisturbed afternoon")
        };
        let mut history = History::lived(place.path(), self.marks[..=commits].to_vec(), afternoon);
        history.asked.extend(self.asked.iter().cloned());
        history
    }

    fn lived(place: &Path, marks: Vec<Mark>, live: impl Fn(&Path, day::Tell<'_>) -> Vec<Asked>) -> History {
        let marks = Arc::new(Mutex::new(marks));
        let mut tell = || -> Durable {
            let (marks, place) = (Arc::clone(&marks), place.to_owned());
            Box::new(move |position| {
                let mark = Mark { head: position.head, content: content(&place).expect("content") };
                marks.lock().expect("marks").push(mark);
            })
        };
        let asked = live(place, &mut tell);
        let marks = marks.lock().expect("marks").clone();
        History { marks, asked }
    }

    /// How many commits there are.
    pub fn commits(&self) -> usize {
        self.marks.len() - 1
    }

    /// Recovers from these files, as a start of the service does, and gives the number of commits that are in them. `commits`
    /// says how many must be, and how many may be.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn judge(&self, files: &Files, commits: RangeInclusive<usize>) -> Result<usize, String> {
        let place = place(files);
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let mut center = day::open(place.path(), Copying::ByWriter, Box::new(|_| {})).map_err(|error| said(&error))?;
        let found =
            Mark { head: center.position().head, content: content(place.path()).map_err(|error| said(&error))? };
        let all = commits.clone().filter(|commit| *commit < self.marks.len());
        let Some(commit) = all.clone().find(|commit| self.marks[*commit] == found) else {
            let elsewhere = self.marks.iter().position(|mark| *mark == found);
            return Err(format!("{commits:?} commits were to be there, but what is there is that of {elsewhere:?}"));
        };
        let damage = check(&books(place.path())).map_err(|error| said(&error))?.damage;
        if !damage.is_empty() {
            return Err(format!("damaged: {damage:?}"));
        }
        let report = verify(&books(place.path()), &mut |_, _| {}).map_err(|error| said(&error))?;
        if !report.is_sound() {
            return Err(format!("unsound: {:?}", report.findings));
        }
        self.judge_repeats(&mut center, commit)?;
        Ok(commit)
    }

    /// What was done has no second effect when it comes again; what was lost is done then.
    fn judge_repeats(&self, center: &mut data_center::DataCenter<Observed>, commit: usize) -> Result<(), String> {
        let here = self.marks[commit].head;
        let mut ask = |asked: &Asked, requests: Vec<Request>| {
            center.transact(asked.moment, requests, Vec::new()).map_err(|error| error.to_string())?;
            Ok::<_, String>(center.position().head)
        };
        // A commit that leaves the chain as it was brought states of messages alone.
        let asked_at = |commit: usize| {
            let (before, after) = (self.marks.get(commit.checked_sub(1)?)?.head, self.marks.get(commit)?.head);
            self.asked.iter().find(|asked| asked.before == before && before != after)
        };
        if let Some(done) = asked_at(commit) {
            let lasts = |request: &Request| request.key.is_some() && !request.action.kind().is_question();
            let again = done.again().into_iter().filter(lasts).collect();
            if ask(done, again)? != here {
                return Err("what was done was done again".into());
            }
        }
        if let Some(lost) = asked_at(commit + 1)
            && ask(lost, lost.again())? != self.marks[commit + 1].head
        {
            return Err("what was lost was not done when it came again".into());
        }
        Ok(())
    }
}

/// Files in a directory of their own.
pub fn place(files: &Files) -> tempfile::TempDir {
    let place = crate::scratch();
    files.iter().for_each(|(name, octets)| std::fs::write(place.path().join(name), octets).expect("a file"));
    place
}

/// Every value of every table.
fn content(place: &Path) -> rusqlite::Result<u64> {
    let connection = Connection::open_with_flags(books(place), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut hash = DefaultHasher::new();
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for table in tables {
        table.hash(&mut hash);
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => hash.write_u8(0),
                    ValueRef::Integer(figure) => (1, figure).hash(&mut hash),
                    ValueRef::Real(figure) => (2, figure.to_bits()).hash(&mut hash),
                    ValueRef::Text(octets) => (3, octets).hash(&mut hash),
                    ValueRef::Blob(octets) => (4, octets).hash(&mut hash),
                }
            }
        }
    }
    Ok(hash.finish())
}
