//! What the tests need beside a Rust toolchain: packages of Debian, npm and PyPI, by name, installed where missing.
//!
//! npm and PyPI packages are pinned with their digests in `peers/` and live in `.peers/`; nothing of them touches the system.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;

/// Names under which a Chromium is found; Debian's is the first.
const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Where Debian puts its PostgreSQL servers, and the one that is installed where there is none.
const POSTGRESQL: (&str, &str) = ("/usr/lib/postgresql", "postgresql-15");
/// Read by Debian's packages when a server is installed. The tests found clusters of their own; one more, always running,
/// would be a nuisance.
const CLUSTERS: (&str, &str) = ("/etc/postgresql-common/createcluster.d", "create_main_cluster = false");
/// The oldest Node.js that the npm packages run on; Debian 12 has it.
const NODE_MAJOR: u32 = 18;
/// Holds the list of what was installed beside it; written last, so that a broken installation is made again.
const STAMP: &str = ".installed";

/// Installs what is missing and leaves the rest alone.
///
/// # Errors
/// When something is missing and cannot be installed, with what to do about it.
pub fn install(workspace: &Workspace) -> Result<()> {
    debian(workspace)?;
    node(workspace)?;
    python_environment(workspace)
}

/// The Python that holds the peers' packages.
pub fn python(workspace: &Workspace) -> Command {
    workspace.program(workspace.peers.join("python/bin/python"))
}

fn debian(workspace: &Workspace) -> Result<()> {
    let missing = missing(on_path, has_venv(workspace), Path::new(POSTGRESQL.0).is_dir());
    if missing.is_empty() {
        println!("  Debian packages: nothing is missing");
    } else {
        println!("  Debian packages: {}", missing.join(" "));
        apt_get_install(workspace, &missing)?;
    }
    let version = workspace.output(workspace.program("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    ensure!(major.is_some_and(|major: u32| major >= NODE_MAJOR), "Node.js {NODE_MAJOR} or later is needed: {version}");
    Ok(())
}

/// The Debian packages that provide what is not there.
fn missing(present: impl Fn(&str) -> bool, venv: bool, postgresql: bool) -> Vec<&'static str> {
    let mut packages = Vec::new();
    if !present("node") {
        packages.push("nodejs");
    }
    if !present("npm") {
        packages.push("npm");
    }
    if !present("python3") {
        packages.push("python3");
    }
    if !venv {
        packages.push("python3-venv");
    }
    if !CHROMIUM.iter().any(|name| present(name)) {
        packages.push("chromium");
    }
    if !present("softhsm2-util") {
        packages.push("softhsm2");
    }
    if !present("strace") {
        packages.push("strace");
    }
    if !postgresql {
        packages.push(POSTGRESQL.1);
    }
    packages
}

fn on_path(program: &str) -> bool {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}

fn has_venv(workspace: &Workspace) -> bool {
    workspace.output(workspace.program("python3").args(["-c", "import venv, ensurepip"])).is_ok()
}

/// Installs with apt-get, as root or through sudo.
fn apt_get_install(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    let by_hand = format!("apt-get update && apt-get {}", install.join(" "));
    ensure!(on_path("apt-get"), "this is no Debian: provide by hand what `{by_hand}` would");
    let root = workspace.output(workspace.program("id").arg("-u"))?.trim() == "0";
    ensure!(root || on_path("sudo"), "packages are missing, this is not root and there is no sudo; as root: {by_hand}");
    let as_root = |program: &str| {
        let mut command = workspace.program(if root { "env" } else { "sudo" });
        if !root {
            command.arg("env");
        }
        command.arg("DEBIAN_FRONTEND=noninteractive").arg(program);
        command
    };
    if packages.contains(&POSTGRESQL.1) {
        let (folder, setting) = CLUSTERS;
        let write = format!("mkdir -p {folder} && echo '{setting}' > {folder}/wakala.conf");
        workspace.run_quietly(as_root("sh").args(["-c", &write]))?;
    }
    for arguments in [&["update"], &install[..]] {
        workspace.run_quietly(as_root("apt-get").args(arguments))?;
    }
    Ok(())
}

fn node(workspace: &Workspace) -> Result<()> {
    let (pins, folder) = (workspace.root.join("peers/node"), workspace.peers.join("node"));
    unless_installed("npm", &pins.join("package-lock.json"), &folder, || {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(pins.join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
        }
        let mut npm = workspace.program("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        workspace.run_quietly(&mut npm)
    })
}

fn python_environment(workspace: &Workspace) -> Result<()> {
    let (pins, folder) = (workspace.root.join("peers/python/requirements.txt"), workspace.peers.join("python"));
    unless_installed("PyPI", &pins, &folder, || {
        workspace.run_quietly(workspace.program("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut pip = python(workspace);
        // Compiling all of pycrate takes a minute, and the oracle loads little of it.
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-compile", "--only-binary", ":all:"]);
        workspace.run_quietly(pip.args(["--require-hashes", "--requirement"]).arg(&pins))
    })
}

/// Installs into an emptied folder unless it holds exactly what `pins` lists.
fn unless_installed(kind: &str, pins: &Path, folder: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(pins).with_context(|| format!("cannot read {}", pins.display()))?;
    let stamp: PathBuf = folder.join(STAMP);
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("  {kind} packages: nothing is missing");
        return Ok(());
    }
    println!("  {kind} packages: installing into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    install()?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_asked_of_debian() {
        let all = ["nodejs", "npm", "python3", "python3-venv", "chromium", "softhsm2", "strace", "postgresql-15"];
        assert_eq!(missing(|_| false, false, false), all);
        assert_eq!(missing(|_| true, true, true), [""; 0]);
        assert_eq!(missing(|_| true, true, false), ["postgresql-15"]);
        assert_eq!(missing(|name| name != "chromium", true, true), [""; 0]);
        assert_eq!(missing(|name| name != "npm", true, true), ["npm"]);
    }

    #[test]
    fn an_installation_is_made_once_and_again_when_its_list_changes_or_it_broke() {
        let scratch = env::temp_dir().join(format!("wakala-peers-{}", std::process::id()));
        let (pins, folder) = (scratch.join("pins"), scratch.join("folder"));
        fs::create_dir_all(&scratch).expect("a scratch folder");
        let mut made = 0;
        let mut install = |list: &str, succeeds: bool| {
            fs::write(&pins, list).expect("a list");
            let result = unless_installed("test", &pins, &folder, || {
                made += 1;
                ensure!(succeeds, "broken");
                Ok(())
            });
            assert_eq!(result.is_ok(), succeeds);
            made
        };
        assert_eq!([install("a", true), install("a", true)], [1, 1]);
        assert_eq!([install("b", false), install("b", true), install("b", true)], [2, 3, 3]);
        fs::remove_dir_all(&scratch).expect("the scratch folder");
    }
}
