//! Whatever works in a folder.

use std::{
    fs,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

/// How long a server may take to end in order.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// A process that works in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    id: u32,
    /// As the system shortens it: `etcd`, `postgres`, or the Python that Patroni is.
    pub program: String,
}

/// What works in a folder or below it.
pub fn working_in(folder: &Path) -> Vec<Process> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let process = |entry: fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let works_in = fs::read_link(entry.path().join("cwd")).ok()?;
        let program = fs::read_to_string(entry.path().join("comm")).ok()?.trim_end().to_owned();
        works_in.starts_with(folder).then_some(Process { id, program })
    };
    all.filter_map(process).collect()
}

/// Sends a signal (`KILL`, `STOP`, ...) to some of what works in a folder; whether there was any.
///
/// # Errors
/// Where there is no `kill`.
pub fn signal(folder: &Path, signal: &str, which: impl Fn(&Process) -> bool) -> Result<bool> {
    let found: Vec<_> = working_in(folder).into_iter().filter(which).map(|process| process.id.to_string()).collect();
    if !found.is_empty() {
        // One may have ended meanwhile, which is no failure.
        Command::new("kill").arg(format!("-{signal}")).args(&found).stderr(Stdio::null()).status().context("kill")?;
    }
    Ok(!found.is_empty())
}

/// Kills some of what works in a folder, and waits until it is gone.
///
/// # Errors
/// Where there is no `kill`, or something outlives it.
pub fn kill(folder: &Path, which: impl Fn(&Process) -> bool) -> Result<()> {
    let since = Instant::now();
    while signal(folder, "KILL", &which)? {
        ensure!(since.elapsed() < PATIENCE, "does not end: {:?}", working_in(folder));
        sleep(LOOK);
    }
    Ok(())
}

/// Ends all that works in a folder: servers so that they give back their shared memory, and before them what would start
/// them again.
///
/// # Errors
/// As of [`kill`].
pub fn end(folder: &Path) -> Result<()> {
    let is_server = |process: &Process| process.program == "postgres";
    kill(folder, |process| !is_server(process))?;
    let since = Instant::now();
    signal(folder, "CONT", is_server)?;
    while signal(folder, "QUIT", is_server)? && since.elapsed() < PATIENCE {
        sleep(LOOK);
    }
    kill(folder, |_| true)
}

/// A program that works in a folder, outlives this process, and writes what it says to a file there. PostgreSQL refuses to run
/// as root, whom all of it therefore leaves behind; but root's Python may lie where nobody else can read.
pub fn program(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if owner().is_some() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
        command.args(["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]);
    }
    command.arg(program).current_dir(folder).stdin(Stdio::null()).process_group(0);
    command
}

/// Whose all files must be, where this process is root.
pub fn owner() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find_map(|line| line.strip_prefix("postgres:"))?;
    let mut fields = line.split(':').skip(1).map(|field| field.parse().ok());
    Some((fields.next()??, fields.next()??))
}

/// Where Debian's newest PostgreSQL has its programs.
///
/// # Errors
/// Where there is none.
pub fn postgresql() -> Result<PathBuf> {
    let folder = Path::new("/usr/lib/postgresql");
    let versions = fs::read_dir(folder).context("no PostgreSQL: `cargo xtask test --only peers` installs it")?;
    let newest = versions.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    Ok(folder.join(newest.context("no version of PostgreSQL")?.to_string()).join("bin"))
}
