//! Runs a process under strace, which sees every call that changes what is stored, whoever makes it: SQLite or the standard
//! library. The same tool lets a call fail, or kills the process just before it.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::disk::{Change, Files};

/// Every call by which a process can change what is stored, and what is needed to follow them.
const CALLS: &str = "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,sync_file_range,\
    ftruncate,truncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,copy_file_range,sendfile";

/// What is not durable and need not be: the index that connections share, and the lock.
const PASSING: &[&str] = &["-shm", ".lock"];

/// What a process did, in order.
#[derive(Clone, Debug)]
pub enum Event {
    /// It changed what is stored.
    Stored(Change),
    /// A call failed, as it was told to.
    Failed {
        /// The system's name of it.
        call: String,
        /// On which file; none for the directory itself.
        of: Option<String>,
    },
    /// It said a line on its standard output.
    Said(String),
}

impl Event {
    /// Whether something was answered.
    pub fn is_answer(&self) -> bool {
        matches!(self, Event::Said(line) if line.starts_with("answered"))
    }
}

/// A call that stores something in the directory: by its name, and the how manieth of this name it is in its thread.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Call {
    /// The system's name of it.
    pub name: String,
    /// Only calls on this file count, and nothing else is followed; none: all do.
    pub on: Option<&'static str>,
    /// Which of them, from one.
    pub nth: usize,
}

/// What happens instead of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The process is killed.
    Kill,
    /// The call does nothing and fails with this error.
    Error(&'static str),
}

/// A process that ran to its end.
pub struct Run {
    /// What it did within the directory, and what it said.
    pub events: Vec<Event>,
    /// The calls that changed anything in the directory, or should have.
    pub calls: Vec<Call>,
    /// How it ended.
    pub status: ExitStatus,
}

impl Run {
    /// Runs `program` and follows what it does in `directory`.
    ///
    /// # Panics
    /// Where strace cannot be run, or sees a call that this does not know.
    pub fn of<A: AsRef<OsStr>>(
        program: &Path,
        arguments: &[A],
        directory: &Path,
        fault: Option<(&Call, Fault)>,
    ) -> Run {
        let trace = tempfile::NamedTempFile::new_in(crate::memory()).expect("a file for the trace");
        let mut strace = Command::new("strace");
        // Quicker, but then strace 6.1 does not kill.
        strace.args(fault.is_none_or(|(_, fault)| fault != Fault::Kill).then_some("--seccomp-bpf"));
        strace.args(["-f", "-qq", "-y", "-xx", "-s", "1000000", "-e", "signal=none"]);
        strace.arg("-e").arg(format!("trace={CALLS}")).arg("-o").arg(trace.path());
        if let Some((Call { name, on, nth }, fault)) = fault {
            if let Some(on) = on {
                strace.arg("-P").arg(directory.join(on)).args(["-P", "/dev/null"]);
            }
            let what = match fault {
                Fault::Kill => "signal=KILL".to_owned(),
                Fault::Error(error) => format!("error={error}"),
            };
            strace.arg("-e").arg(format!("inject={name}:{what}:when={nth}"));
        }
        strace.arg("--").arg(program).args(arguments);
        strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = strace.status().expect("strace runs: `cargo xtask test --only peers` installs it");
        let mut reader = Reader::new(directory);
        let lines = BufReader::new(File::open(trace.path()).expect("a trace")).split(b'\n');
        lines.for_each(|line| reader.read(std::str::from_utf8(&line.expect("a line")).expect("only ASCII")));
        let Reader { events, calls, .. } = reader;
        Run { events: events.into_iter().flatten().collect(), calls, status }
    }
}

/// How many answers are among the events.
pub fn answered(events: &[Event]) -> usize {
    events.iter().filter(|event| event.is_answer()).count()
}

/// The files of a directory but for those that are not durable anyway.
///
/// # Panics
/// Where they cannot be read.
pub fn files(directory: &Path) -> Files {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry"));
    let named = entries.map(|entry| (entry.file_name().into_string().expect("UTF-8"), entry.path()));
    let lasting = named.filter(|(name, _)| !is_passing(name));
    lasting.map(|(name, path)| (name, fs::read(path).expect("a file"))).collect()
}

fn is_passing(name: &str) -> bool {
    PASSING.iter().any(|ending| name.ends_with(ending))
}

/// Reads the lines of a trace.
struct Reader {
    directory: String,
    /// None where something was begun and never done.
    events: Vec<Option<Event>>,
    calls: Vec<Call>,
    /// How many calls of a name each thread has made.
    made: HashMap<(u32, String), usize>,
    /// Where the next octet of an open file goes.
    offsets: HashMap<String, usize>,
    /// What threads have begun and not ended, and the place kept for it.
    begun: HashMap<u32, (String, Option<usize>)>,
}

impl Reader {
    fn new(directory: &Path) -> Reader {
        let directory = directory.to_str().expect("UTF-8").to_owned();
        Reader {
            directory,
            events: Vec::new(),
            calls: Vec::new(),
            made: HashMap::new(),
            offsets: HashMap::new(),
            begun: HashMap::new(),
        }
    }

    /// `PID NAME(ARGUMENTS) = RESULT`, or the same in two lines where another thread came between.
    fn read(&mut self, line: &str) {
        let Some((thread, rest)) = line.split_once(' ') else { return };
        let Ok(thread) = thread.parse::<u32>() else { panic!("no thread: {line}") };
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            return;
        }
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let (mut whole, place) = self.begun.remove(&thread).expect("it was begun");
            whole.push_str(resumed.split_once("resumed>").expect("resumed").1);
            return self.end(&whole, place);
        }
        self.count(thread, rest);
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            // A sync makes sure what was written before it began.
            let keeps_a_place = begun.starts_with("fsync") || begun.starts_with("fdatasync");
            let place = keeps_a_place.then_some(self.events.len());
            self.events.extend(place.map(|_| None));
            self.begun.insert(thread, (begun.to_owned(), place));
            return;
        }
        self.end(rest, None);
    }

    fn count(&mut self, thread: u32, call: &str) {
        let (name, arguments) = call.split_once('(').expect("a call");
        let nth = self.made.entry((thread, name.to_owned())).or_default();
        *nth += 1;
        let nth = *nth;
        let reads = name == "lseek" || name.starts_with("open") && !flags(arguments).0;
        if !reads && strings(arguments).any(|path| self.place(&path).is_some()) {
            self.calls.push(Call { name: name.to_owned(), on: None, nth });
        }
    }

    fn end(&mut self, call: &str, place: Option<usize>) {
        let (call, result) = call.rsplit_once(" = ").unwrap_or_else(|| panic!("no result: {call}"));
        let (name, arguments) = call.trim_end().trim_end_matches(')').split_once('(').expect("a call");
        let arguments: Vec<&str> = arguments.split(", ").collect();
        let number = result.split([' ', '<']).next().and_then(|number| number.parse::<usize>().ok());
        if result.ends_with("(INJECTED)") {
            let of = arguments.iter().flat_map(|argument| strings(argument)).find_map(|path| self.inside(&path));
            self.events.extend(of.map(|of| Some(Event::Failed { call: name.to_owned(), of })));
        }
        let Some(event) = self.event(name, &arguments, result, number) else { return };
        match place {
            Some(place) => self.events[place] = Some(event),
            None => self.events.push(Some(event)),
        }
    }

    /// What a call came to; `number` is its result where it succeeded.
    fn event(&mut self, name: &str, arguments: &[&str], result: &str, number: Option<usize>) -> Option<Event> {
        let first = arguments[0];
        if name == "write" && first.starts_with("1<") {
            let text = String::from_utf8(octets(arguments[1])).expect("UTF-8");
            return number.map(|_| Event::Said(text.trim_end().to_owned()));
        }
        if name == "fsync" || name == "fdatasync" {
            let of = self.of(first)?;
            let change = match number {
                Some(_) => Change::Synced(of),
                None if result.starts_with('?') => return None,
                None => Change::SyncFailed(of),
            };
            return Some(Event::Stored(change));
        }
        let number = number?;
        let stored = match name {
            "openat" => {
                // By its descriptor too, so that offsets are known.
                self.offsets.insert(result.to_owned(), 0);
                let name = self.of(arguments[1])??;
                let (creates, empties) = flags(&arguments[2..].join(", "));
                Change::Opened { name, creates, empties }
            }
            "lseek" => {
                self.offsets.insert(first.to_owned(), number);
                return None;
            }
            "write" | "pwrite64" => {
                let mut written = octets(arguments[1]);
                written.truncate(number);
                let at = match arguments.get(3) {
                    Some(at) => at.parse().expect("an offset"),
                    None => {
                        let next = self.offsets.entry(first.to_owned()).or_default();
                        let at = *next;
                        *next += number;
                        at
                    }
                };
                Change::Written { name: self.of(first)??, at, octets: written.into() }
            }
            "ftruncate" => Change::Resized { name: self.of(first)??, length: arguments[1].parse().expect("a length") },
            "unlink" => Change::Removed(self.of(first)??),
            "unlinkat" => Change::Removed(self.of(arguments[1])??),
            "rename" => Change::Renamed { from: self.of(first)??, to: self.of(arguments[1])?? },
            _ => {
                let ours = arguments.iter().any(|argument| self.of(argument).is_some());
                assert!(!ours, "a way of storing that is not followed: {name}");
                return None;
            }
        };
        Some(Event::Stored(stored))
    }

    /// Of which lasting file of the directory an argument speaks; inside none, of the directory itself.
    fn of(&self, argument: &str) -> Option<Option<String>> {
        strings(argument).find_map(|path| self.place(&path))
    }

    fn place(&self, path: &str) -> Option<Option<String>> {
        self.inside(path).filter(|name| !name.as_deref().is_some_and(is_passing))
    }

    fn inside(&self, path: &str) -> Option<Option<String>> {
        let inside = path.strip_prefix(&self.directory)?;
        if inside.is_empty() { Some(None) } else { inside.strip_prefix('/').map(|name| Some(name.to_owned())) }
    }
}

/// Whether a file is made where there is none, and whether it is emptied.
fn flags(arguments: &str) -> (bool, bool) {
    (arguments.contains("O_CREAT"), arguments.contains("O_TRUNC"))
}

/// What stands between quotes or angle brackets, decoded: paths.
fn strings(arguments: &str) -> impl Iterator<Item = String> {
    let quoted = arguments.split(['"', '<', '>']).filter(|part| part.starts_with("\\x2f"));
    quoted.map(|part| String::from_utf8_lossy(&octets(part)).into_owned())
}

/// Octets as strace writes them with `-xx`.
fn octets(written: &str) -> Vec<u8> {
    assert!(!written.ends_with("..."), "the trace is cut");
    let digits = written.trim_matches('"').as_bytes();
    let digit = |octet: u8| (octet as char).to_digit(16).expect("a hexadecimal digit") as u8;
    digits.chunks_exact(4).map(|octet| digit(octet[2]) << 4 | digit(octet[3])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|octet| format!("\\x{octet:02x}")).collect()
    }

    fn events(lines: &[String]) -> Vec<String> {
        let mut reader = Reader::new(Path::new("/d"));
        lines.iter().for_each(|line| reader.read(line));
        reader.events.into_iter().flatten().map(|event| format!("{event:?}")).collect()
    }

    #[test]
    fn calls_are_read_and_those_elsewhere_left_out() {
        let (file, other) = (hex("/d/a"), hex("/e/a"));
        let found = events(&[
            format!("7 openat(AT_FDCWD<{}>, \"{file}\", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 3<{file}>", hex("/")),
            format!("7  write(3<{file}>, \"{}\", 2) = 2", hex("ab")),
            format!("7 write(3<{file}>, \"{}\", 2) = 1", hex("cd")),
            format!("7 write(4<{other}>, \"{}\", 1) = 1", hex("x")),
            format!("7 write(1<{}>, \"{}\", 3) = 3", hex("pipe:[1]"), hex("ok\n")),
            format!("7 fsync(5<{}>) = -1 EIO (Input/output error) (INJECTED)", hex("/d")),
            "7 +++ exited with 0 +++".to_owned(),
        ]);
        assert!(found[0].contains("Opened") && found[0].contains("creates: true, empties: false"));
        assert!(found[1].contains("at: 0, octets: [97, 98]") && found[2].contains("at: 2, octets: [99]"), "{found:?}");
        assert_eq!(found[3], "Said(\"ok\")");
        assert_eq!(found[4..], ["Failed { call: \"fsync\", of: None }", "Stored(SyncFailed(None))"]);
    }

    #[test]
    fn a_sync_covers_what_was_written_before_it_began() {
        let file = hex("/d/a");
        let found = events(&[
            format!("1 fsync(3<{file}> <unfinished ...>"),
            format!("2 pwrite64(3<{file}>, \"{}\", 1, 9) = 1", hex("x")),
            "1 <... fsync resumed>) = 0".to_owned(),
            format!("2 fsync(3<{file}> <unfinished ...>"),
        ]);
        assert_eq!(found[0], "Stored(Synced(Some(\"a\")))");
        assert!(found[1].contains("at: 9") && found.len() == 2, "what was not seen to end did not happen: {found:?}");
    }
}
