//! Where the workspace is and how programs are run in it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The checked-out workspace.
pub struct Workspace {
    /// Its root folder, absolute.
    pub root: PathBuf,
    /// What the tests need from npm and PyPI; ignored by git.
    pub peers: PathBuf,
    cargo: OsString,
}

impl Workspace {
    /// The workspace that this program was built from, so that it may be called from any folder.
    ///
    /// # Errors
    /// When the sources are not where they were at the build.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask stands in the workspace")?;
        let root = root.canonicalize().with_context(|| format!("no workspace at {}", root.display()))?;
        // Cargo names itself to what it runs: the same toolchain serves every step.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Ok(Self { peers: root.join(".peers"), root, cargo })
    }

    /// A program at the workspace's root, told where the peers are.
    pub fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(name);
        command.current_dir(&self.root).env("WAKALA_PEERS", &self.peers);
        command
    }

    /// Cargo with these arguments.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(&self.cargo);
        command.args(arguments);
        command
    }

    /// The optimised platform with these arguments; more may be added.
    pub fn wakala(&self, arguments: &[&str]) -> Command {
        let mut command = self.cargo(&["run", "--release", "--package", "wakala", "--"]);
        command.args(arguments);
        command
    }

    /// The measuring program, optimised.
    pub fn bench(&self) -> Command {
        self.cargo(&["run", "--release", "--package", "bench", "--"])
    }

    /// The simulation, optimised.
    pub fn simulation(&self, arguments: &[&str]) -> Command {
        let mut command = self.cargo(&["run", "--release", "--package", "simulation", "--"]);
        command.args(arguments);
        command
    }

    /// Whether nextest is installed.
    pub fn has_nextest(&self) -> bool {
        self.output(&mut self.cargo(&["nextest", "--version"])).is_ok()
    }

    /// nextest where it is installed, else the runner that comes with cargo.
    pub fn test_runner(&self, arguments: &[&str]) -> Command {
        let mut command =
            self.cargo(if self.has_nextest() { &["nextest", "run"] } else { &["test", "--lib", "--bins", "--tests"] });
        command.args(arguments);
        command
    }

    /// Runs a program, showing its line and all that it prints.
    ///
    /// # Errors
    /// When it cannot be started or does not end with status 0.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let line = line(command);
        println!("  $ {line}");
        let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
        if !status.success() {
            bail!("`{line}` failed: {status}");
        }
        Ok(())
    }

    /// Runs a program and gives what it printed to standard output.
    ///
    /// # Errors
    /// When it cannot be started, does not end with status 0 (with what it said), or prints no UTF-8.
    pub fn output(&self, command: &mut Command) -> Result<String> {
        let line = line(command);
        let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
        if !output.status.success() {
            bail!("`{line}` failed: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed no UTF-8"))
    }

    /// Runs a program, showing its line, and what it prints only when it fails.
    ///
    /// # Errors
    /// As of [`Self::output`].
    pub fn run_quietly(&self, command: &mut Command) -> Result<()> {
        println!("  $ {}", line(command));
        self.output(command).map(drop)
    }

    /// What `cargo metadata` says of the workspace and everything it depends on.
    ///
    /// # Errors
    /// When cargo fails or prints no JSON.
    pub fn metadata(&self) -> Result<serde_json::Value> {
        let text = self.output(&mut self.cargo(&["metadata", "--format-version", "1"]))?;
        serde_json::from_str(&text).context("cargo metadata printed no JSON")
    }
}

/// A command as a person would type it, its program without folders.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
