//! What the tests need beside a Rust toolchain: packages of Debian, npm and PyPI, by name, installed where missing.
//!
//! npm and PyPI packages are pinned with their digests in `peers/` and live in `.peers/`; nothing of them touches the system.
//! Nor does Debian's etcd, which would start as soon as it is installed: it is unpacked there.

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
/// Debian's package with the server of etcd.
const ETCD: &str = "etcd-server";
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
    etcd(workspace)?;
    node(workspace)?;
    for name in ["python", "cards"] {
        python_environment(workspace, name, &["--only-binary", ":all:"])?;
    }
    // What it asks for beside other stores than etcd is left out, and one package of it is no wheel.
    let patroni = ["--no-deps", "--only-binary", ":all:", "--no-binary", "python-etcd"];
    python_environment(workspace, "patroni", &patroni)
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
    // For libFuzzer.
    if !present("c++") {
        packages.push("g++");
    }
    if !present("openssl") {
        packages.push("openssl");
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
    let as_root =
        |program| as_root(workspace, program).with_context(|| format!("packages are missing; as root: {by_hand}"));
    if packages.contains(&POSTGRESQL.1) {
        let (folder, setting) = CLUSTERS;
        let write = format!("mkdir -p {folder} && echo '{setting}' > {folder}/wakala.conf");
        workspace.run_quietly(as_root("sh")?.args(["-c", &write]))?;
    }
    for arguments in [&["update"], &install[..]] {
        workspace.run_quietly(as_root("apt-get")?.args(arguments))?;
    }
    Ok(())
}

/// A program that runs as root, through sudo where this is not.
fn as_root(workspace: &Workspace, program: &str) -> Result<Command> {
    let root = workspace.output(workspace.program("id").arg("-u"))?.trim() == "0";
    ensure!(root || on_path("sudo"), "this is not root and there is no sudo");
    let mut command = workspace.program(if root { "env" } else { "sudo" });
    if !root {
        command.arg("env");
    }
    command.arg("DEBIAN_FRONTEND=noninteractive").arg(program);
    Ok(command)
}

fn node(workspace: &Workspace) -> Result<()> {
    let (pins, folder) = (workspace.root.join("peers/node"), workspace.peers.join("node"));
    unless_installed("npm packages", &pins.join("package-lock.json"), &folder, || {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(pins.join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
        }
        let mut npm = workspace.program("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        workspace.run_quietly(&mut npm)
    })
}

/// A Python environment with the packages that are listed for it.
fn python_environment(workspace: &Workspace, name: &str, options: &[&str]) -> Result<()> {
    let (pins, folder) = (workspace.root.join("peers").join(name).join("requirements.txt"), workspace.peers.join(name));
    unless_installed(&format!("PyPI packages ({name})"), &pins, &folder, || {
        workspace.run_quietly(workspace.program("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut pip = workspace.program(folder.join("bin/python"));
        // Compiling all of pycrate takes a minute, and the oracle loads little of it.
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-compile"]).args(options);
        workspace.run_quietly(pip.args(["--require-hashes", "--requirement"]).arg(&pins))
    })
}

/// Debian's etcd, unpacked and not installed.
fn etcd(workspace: &Workspace) -> Result<()> {
    let folder = workspace.peers.join("etcd");
    if on_path("etcd") || folder.join("usr/bin/etcd").is_file() {
        println!("  etcd: nothing is missing");
        return Ok(());
    }
    println!("  etcd: unpacking into {}", folder.display());
    let partial = workspace.peers.join("etcd-partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("cannot empty {}", partial.display()))?;
    }
    fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
    let mut download = workspace.program("apt-get");
    download.args(["download", ETCD]).current_dir(&partial);
    if workspace.output(&mut download).is_err() {
        // The list of packages may be old, or none.
        workspace.run_quietly(as_root(workspace, "apt-get")?.arg("update"))?;
        workspace.run_quietly(&mut download)?;
    }
    workspace.run_quietly(workspace.program("sh").current_dir(&partial).args(["-c", "dpkg-deb --extract *.deb ."]))?;
    fs::rename(&partial, &folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Installs into an emptied folder unless it holds exactly what `pins` lists.
fn unless_installed(kind: &str, pins: &Path, folder: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(pins).with_context(|| format!("cannot read {}", pins.display()))?;
    let stamp: PathBuf = folder.join(STAMP);
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("  {kind}: nothing is missing");
        return Ok(());
    }
    println!("  {kind}: installing into {}", folder.display());
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
        let all = [
            "nodejs",
            "npm",
            "python3",
            "python3-venv",
            "chromium",
            "softhsm2",
            "g++",
            "openssl",
            "strace",
            "postgresql-15",
        ];
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
