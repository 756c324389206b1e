//! Mutation testing of the core: its sources are changed one place at a time, and the core's own tests must notice each change.

use std::{ffi::OsString, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// The one version whose mutants `docs/mutants.md` tells of.
const VERSION: &str = "27.1.0";
const CORE: &str = "transaction-processing";
/// How many sequences the core's property test tries for each mutant, instead of thousands.
const SEQUENCES: &str = "60";

/// What is changed, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct Mutation {
    files: Vec<String>,
    jobs: String,
    lists: bool,
    again: bool,
}

impl Mutation {
    /// As typed; none where help was asked for.
    ///
    /// # Errors
    /// When something is not understood.
    pub fn typed(arguments: Vec<OsString>) -> Result<Option<Self>> {
        use lexopt::Arg::{Long, Short, Value};
        let mut mutation = Self { files: Vec::new(), jobs: "1".to_owned(), lists: false, again: false };
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Value(file) => mutation.files.push(file.to_string_lossy().into_owned()),
                Long("jobs") => mutation.jobs = parser.value()?.to_string_lossy().into_owned(),
                Long("list") => mutation.lists = true,
                Long("again") => mutation.again = true,
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(mutation))
    }

    /// Installs cargo-mutants where it is missing, and runs it.
    ///
    /// # Errors
    /// When it cannot be installed, and when a mutant survived or the tests fail without any.
    pub fn run(&self, workspace: &Workspace) -> Result<()> {
        let program = install(workspace)?;
        // What is written stands beside all else that is built; the copies of the sources too, for they are built in.
        let target = workspace.metadata()?["target_directory"].as_str().map(PathBuf::from);
        let folder = target.context("cargo metadata names no target directory")?.join("mutants");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut command = workspace.program("nice");
        command.args(["-n", "19"]).arg(program).arg("mutants").args(self.arguments());
        command.arg("--output").arg(&folder).env("TMPDIR", &folder);
        // Thousands of builds: without symbols, and each from what the one before has left.
        command.env("CARGO_PROFILE_DEV_DEBUG", "none").env("CARGO_INCREMENTAL", "1");
        command.env("PROPTEST_CASES", SEQUENCES).env("NEXTEST_PROFILE", "mutants");
        if !self.lists && workspace.has_nextest() {
            command.args(["--test-tool", "nextest"]);
        }
        workspace.run(&mut command)
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--package".to_owned(), CORE.to_owned()];
        for file in &self.files {
            arguments.extend(["--file".to_owned(), format!("crates/{CORE}/src/{file}")]);
        }
        if self.lists {
            arguments.push("--list".to_owned());
        } else {
            arguments.extend(["--jobs".to_owned(), self.jobs.clone()]);
            if !self.again {
                arguments.push("--iterate".to_owned());
            }
        }
        arguments
    }
}

/// The program in `.peers`, of the one version.
fn install(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.peers.join("mutants");
    let program = folder.join("bin/cargo-mutants");
    let is_there = |said: String| said.trim().ends_with(VERSION);
    if workspace.output(Command::new(&program).args(["mutants", "--version"])).is_ok_and(is_there) {
        return Ok(program);
    }
    println!("  cargo-mutants: installing into {}", folder.display());
    let mut install = workspace.cargo(&["install", "cargo-mutants", "--version", VERSION, "--locked", "--root"]);
    workspace.run_quietly(install.arg(&folder))?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_core_is_changed_unless_files_are_named() {
        let typed = |words: &[&str]| Mutation::typed(words.iter().map(OsString::from).collect());
        let all = typed(&[]).unwrap().unwrap();
        assert_eq!(all.arguments(), ["--package", CORE, "--jobs", "1", "--iterate"]);
        let some = typed(&["money.rs", "requests/*.rs", "--jobs", "2", "--again"]).unwrap().unwrap();
        let file = |name: &str| format!("crates/{CORE}/src/{name}");
        let files = ["--file", &file("money.rs"), "--file", &file("requests/*.rs")];
        assert_eq!(some.arguments(), [&["--package", CORE], &files[..], &["--jobs", "2"]].concat());
        assert_eq!(typed(&["--list"]).unwrap().unwrap().arguments(), ["--package", CORE, "--list"]);
        assert!(typed(&["--help"]).unwrap().is_none() && typed(&["--lsit"]).is_err());
    }
}
