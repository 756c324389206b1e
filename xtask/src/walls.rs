//! The walls between crates: who may depend on whom, and that the core needs nothing but `core` and `alloc`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::workspace::Workspace;

const CORE: &str = "transaction-processing";

/// Which crates of the workspace each crate behind a wall may build on. Those not named here may build on all.
const WALLS: &[(&str, &[&str])] = &[
    (CORE, &[]),
    ("card-cryptography", &[]),
    ("encryption", &[]),
    ("bank-link", &[]),
    ("wire", &[]),
    ("data-center", &[CORE]),
    ("handset", &["wire", "encryption"]),
    ("simulation", &["wakala", "data-center", "handset", "wire", "encryption", CORE]),
    ("disk-faults", &[CORE, "encryption", "data-center"]),
    ("fuzz", &[CORE, "bank-link", "card-cryptography", "data-center", "encryption", "wakala", "wire"]),
    ("interleavings", &[CORE]),
];

/// Crates of tests and measurements. Nothing builds on them.
const NOT_SHIPPED: &[&str] = &["bench", "disk-faults", "fuzz", "interleavings", "simulation", "xtask"];

/// Checks every wall.
///
/// # Errors
/// Names the dependencies that break a wall, or what the core asked of the standard library.
pub fn check(workspace: &Workspace) -> Result<()> {
    let metadata = workspace.metadata()?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let mut broken = Vec::new();
    for (name, allowed) in WALLS {
        let package = packages.iter().find(|package| package["name"] == *name && package["source"].is_null());
        broken.extend(breaches(package.with_context(|| format!("no crate {name}"))?, allowed));
    }
    broken.extend(packages.iter().filter(|package| package["source"].is_null()).flat_map(built_on_tests));
    ensure!(broken.is_empty(), "dependencies break walls:\n  {}", broken.join("\n  "));
    println!("  {} crates stay behind their walls", WALLS.len());
    without_std(workspace)
}

/// The dependencies that a crate may not have; what only its tests use is free. The core may have none at all.
fn breaches(package: &Value, allowed: &[&str]) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let shipped = dependencies.filter(|dependency| dependency["kind"] != "dev");
    let breach = shipped.filter(|dependency| {
        let inside = dependency["source"].is_null();
        let other = dependency["name"].as_str().unwrap_or_default();
        name == CORE || (inside && !allowed.contains(&other))
    });
    breach.map(|dependency| format!("{name} -> {}", dependency["name"].as_str().unwrap_or_default())).collect()
}

/// The crates of tests that a crate builds on.
fn built_on_tests(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let inside = dependencies.filter(|dependency| dependency["source"].is_null());
    let others = inside.filter_map(|dependency| dependency["name"].as_str());
    others.filter(|other| NOT_SHIPPED.contains(other)).map(|other| format!("{name} -> {other}")).collect()
}

/// Compiles the core against a sysroot that holds `core` and `alloc` and nothing else: whatever would reach for the
/// standard library does not compile. A bare-metal target would show the same but is not installed everywhere.
fn without_std(workspace: &Workspace) -> Result<()> {
    let source = workspace.root.join("crates").join(CORE).join("src/lib.rs");
    let text = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    ensure!(text.lines().any(|line| line.trim() == "#![no_std]"), "{CORE} is not always no_std");
    let scratch = std::env::temp_dir().join(format!("wakala-walls-{}", std::process::id()));
    let result = bare_sysroot(workspace, &scratch).and_then(|()| {
        let mut rustc = workspace.program("rustc");
        rustc.arg("--sysroot").arg(&scratch).arg("--out-dir").arg(&scratch);
        rustc.args(["--edition", "2024", "--crate-type", "rlib", "--emit", "metadata", "--cap-lints", "allow"]);
        rustc.args(["--crate-name", "transaction_processing"]).arg(&source);
        workspace.output(&mut rustc).map(|_| println!("  {CORE} compiles with core and alloc alone"))
    });
    fs::remove_dir_all(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))?;
    result
}

/// Links the host's `core` and `alloc` into a sysroot of their own.
fn bare_sysroot(workspace: &Workspace, scratch: &Path) -> Result<()> {
    let print = |what: &str| workspace.output(workspace.program("rustc").args(["--print", what]));
    let libraries: PathBuf =
        [print("sysroot")?.trim(), "lib/rustlib", print("host-tuple")?.trim(), "lib"].iter().collect();
    let bare = scratch.join("lib/rustlib").join(print("host-tuple")?.trim()).join("lib");
    fs::create_dir_all(&bare).with_context(|| format!("cannot make {}", bare.display()))?;
    let mut linked = 0;
    for entry in fs::read_dir(&libraries).with_context(|| format!("cannot read {}", libraries.display()))? {
        let path = entry?.path();
        let Some(file) = path.file_name().and_then(|file| file.to_str()) else { continue };
        if ["libcore-", "liballoc-", "libcompiler_builtins-"].iter().any(|library| file.starts_with(library)) {
            std::os::unix::fs::symlink(&path, bare.join(file))?;
            linked += 1;
        }
    }
    if linked < 3 {
        bail!("no core and alloc in {}", libraries.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, dependencies: Value) -> Value {
        json!({ "name": name, "dependencies": dependencies })
    }

    #[test]
    fn the_core_may_have_no_dependency_but_those_of_its_tests() {
        let registry = json!({ "name": "heapless", "kind": null, "source": "registry" });
        let own = json!({ "name": "wire", "kind": null, "source": null });
        let build = json!({ "name": "cc", "kind": "build", "source": "registry" });
        let tests = json!({ "name": "proptest", "kind": "dev", "source": "registry" });
        let core = package(CORE, json!([registry, own, build, tests]));
        let names = ["heapless", "wire", "cc"].map(|name| format!("{CORE} -> {name}"));
        assert_eq!(breaches(&core, &[]), names);
    }

    #[test]
    fn nothing_builds_on_a_crate_of_tests() {
        let tests = json!({ "name": "disk-faults", "kind": null, "source": null });
        let registry = json!({ "name": "bench", "kind": null, "source": "registry" });
        assert_eq!(built_on_tests(&package("wakala", json!([tests, registry]))), ["wakala -> disk-faults"]);
    }

    #[test]
    fn other_crates_may_use_the_registry_and_the_crates_they_are_allowed() {
        let registry = json!({ "name": "aes", "kind": null, "source": "registry" });
        let allowed = json!({ "name": "wire", "kind": null, "source": null });
        let refused = json!({ "name": "wakala", "kind": null, "source": null });
        let handset = package("handset", json!([registry, allowed, refused]));
        assert_eq!(breaches(&handset, &["wire", "encryption"]), ["handset -> wakala"]);
    }
}
