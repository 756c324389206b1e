//! The guided search for inputs that break a parser: libFuzzer around the targets of `crates/fuzz`, on the stable toolchain.

use std::{ffi::OsString, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::Workspace;

/// How long each target is searched where nobody says otherwise.
const SECONDS: u64 = 60;
/// No input may take longer, nor ask for more memory.
const BOUNDS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=2048"];

/// What is searched, and how long.
pub struct Search {
    targets: Vec<String>,
    seconds: u64,
    keep: bool,
}

/// What the engine says of a search that is done.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    tried: u64,
    edges: u64,
}

impl Search {
    /// Every target for so many seconds.
    pub fn of_all(seconds: u64) -> Self {
        Self { targets: Vec::new(), seconds, keep: false }
    }

    /// As typed; none where help was asked for.
    ///
    /// # Errors
    /// When something is not understood.
    pub fn typed(arguments: Vec<OsString>) -> Result<Option<Self>> {
        use lexopt::Arg::{Long, Short, Value};
        let mut search = Self::of_all(SECONDS);
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Value(name) => search.targets.push(name.to_string_lossy().into_owned()),
                Long("seconds") => search.seconds = parser.value()?.to_string_lossy().parse()?,
                Long("keep") => search.keep = true,
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(search))
    }

    /// Builds the targets with their coverage and searches one after the other.
    ///
    /// # Errors
    /// When a name is no target's, when something cannot be built, and when any input broke a target.
    pub fn run(&self, workspace: &Workspace) -> Result<()> {
        let engine = Engine::build(workspace)?;
        let known = engine.targets()?;
        if let Some(unknown) = self.targets.iter().find(|name| !known.contains(name)) {
            bail!("no target {unknown}; there are {}", known.join(", "));
        }
        let chosen = if self.targets.is_empty() { known } else { self.targets.clone() };
        println!("\n{:16} {:>12} {:>7}", "target", "inputs tried", "edges");
        let mut broken = 0;
        for name in &chosen {
            match engine.search(name, self.seconds)? {
                Ok(Told { tried, edges }) => println!("{name:16} {tried:>12} {edges:>7}"),
                Err(how) => {
                    broken += 1;
                    println!("{name:16} {:>12} {:>7}  BROKEN\n{how}", "-", "-");
                }
            }
            if self.keep {
                engine.keep(name)?;
            }
        }
        ensure!(broken == 0, "{broken} of {} targets broken", chosen.len());
        Ok(())
    }
}

/// The built targets and their folders.
struct Engine<'a> {
    workspace: &'a Workspace,
    program: PathBuf,
    corpora: PathBuf,
    dictionaries: PathBuf,
    /// What searches on this machine found worth keeping, and what broke a target.
    found: PathBuf,
}

impl<'a> Engine<'a> {
    fn build(workspace: &'a Workspace) -> Result<Self> {
        let ours = workspace.root.join("crates/fuzz");
        let mut cargo = workspace.cargo(&["build", "--package", "fuzz", "--features", "guided"]);
        // Optimised no more than is built in two minutes, and with the checks of a build for development; without incremental
        // compilation the pass sees whole crates. Where a panic came from is said without symbols.
        cargo.env("RUSTC_WORKSPACE_WRAPPER", ours.join("instrument.sh")).env("CARGO_PROFILE_DEV_DEBUG", "none");
        cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_INCREMENTAL", "0");
        workspace.run(&mut cargo)?;
        let target = workspace.metadata()?["target_directory"].as_str().map(PathBuf::from);
        let target = target.context("cargo metadata names no target directory")?;
        Ok(Self {
            workspace,
            program: target.join("debug/fuzz"),
            corpora: ours.join("corpora"),
            dictionaries: ours.join("dictionaries"),
            found: target.join("fuzzing"),
        })
    }

    /// The targets: those that have a corpus, which a test holds to be all.
    fn targets(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.corpora).with_context(|| format!("no {}", self.corpora.display()))?;
        let mut names: Vec<String> =
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
        names.sort();
        Ok(names)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = self.workspace.program(&self.program);
        command.env("WAKALA_FUZZ", name).args(BOUNDS);
        command
    }

    /// Searches one target; how it broke where it did.
    fn search(&self, name: &str, seconds: u64) -> Result<Result<Told, String>> {
        let grown = self.found.join(name);
        fs::create_dir_all(&grown).with_context(|| format!("cannot make {}", grown.display()))?;
        let mut command = self.command(name);
        command.arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-artifact_prefix={}/{name}-", self.found.display()));
        let dictionary = self.dictionaries.join(format!("{name}.dict"));
        if dictionary.exists() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let output = command.arg(&grown).arg(self.corpora.join(name)).output().context("cannot start the engine")?;
        let log = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok(Ok(told(&log).with_context(|| format!("the engine does not say what it did:\n{log}"))?));
        }
        let input = log.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
        let again = input.map(|path| format!("again: WAKALA_FUZZ={name} {} {path}", self.program.display()));
        Ok(Err(format!("{}\n{}", reason(&log), again.unwrap_or_default())))
    }

    /// Leaves in the repository the fewest inputs that reach what the corpus and all searches on this machine reach.
    fn keep(&self, name: &str) -> Result<()> {
        let (kept, least) = (self.corpora.join(name), self.found.join(format!("{name}.least")));
        fs::create_dir_all(&least).with_context(|| format!("cannot make {}", least.display()))?;
        let mut merge = self.command(name);
        // Edges alone: how often each ran would keep many times as many inputs.
        merge.args(["-set_cover_merge=1", "-use_counters=0"]).args([&least, &kept, &self.found.join(name)]);
        self.workspace.run_quietly(&mut merge)?;
        fs::remove_dir_all(&kept)?;
        fs::create_dir(&kept)?;
        for entry in fs::read_dir(&least)? {
            let path = entry?.path();
            fs::copy(&path, kept.join(path.file_name().context("a file")?))?;
        }
        Ok(fs::remove_dir_all(&least)?)
    }
}

/// What stands in the engine's closing line: `#1234 DONE cov: 56 ft: …`.
fn told(log: &str) -> Option<Told> {
    let line = log.lines().rfind(|line| line.starts_with('#') && line.contains("DONE"))?;
    let mut words = line.split_whitespace();
    let tried = words.next()?.strip_prefix('#')?.parse().ok()?;
    let edges = words.skip_while(|word| *word != "cov:").nth(1)?.parse().ok()?;
    Some(Told { tried, edges })
}

/// What a target said when it broke, or the engine of it, without the addresses.
fn reason(log: &str) -> String {
    let is_said = |line: &&str| line.contains("panicked at") || line.contains("ERROR: libFuzzer");
    let start = log.lines().position(|line| is_said(&line)).unwrap_or(0);
    log.lines().skip(start).take(4).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_the_engine_is_understood() {
        let log = "INFO: Seed: 1\n#8\tINITED cov: 3 ft: 4\n#370080\tDONE   cov: 474 ft: 1482 corp: 324/20Kb\nDone 370080 runs";
        assert_eq!(told(log), Some(Told { tried: 370_080, edges: 474 }));
        assert_eq!(told("ERROR: no interesting inputs were found"), None);
    }

    #[test]
    fn what_broke_a_target_is_told() {
        let log =
            "#7\tNEW\nthread '<unnamed>' panicked at a.rs:1:2:\nleft is not right\nstack backtrace:\n 0: x\n 1: y";
        assert!(reason(log).starts_with("thread '<unnamed>' panicked at a.rs:1:2:\nleft is not right"));
    }

    #[test]
    fn a_search_is_of_all_targets_unless_some_are_named() {
        let search = |words: &[&str]| Search::typed(words.iter().map(OsString::from).collect());
        let named = search(&["mask", "--seconds", "5", "--keep"]).unwrap().unwrap();
        assert_eq!((named.targets, named.seconds, named.keep), (vec!["mask".to_owned()], 5, true));
        assert!(search(&[]).unwrap().unwrap().targets.is_empty() && search(&["--help"]).unwrap().is_none());
        assert!(search(&["--secnods"]).is_err());
    }
}
