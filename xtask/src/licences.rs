//! No dependency that cannot be used under a permissive licence. The list is that of `deny.toml`.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::workspace::Workspace;

/// Checks the licence of every package that the workspace may build, for whatever target.
///
/// # Errors
/// Names every package without a licence that is allowed.
pub fn check(workspace: &Workspace) -> Result<()> {
    let policy = fs::read_to_string(workspace.root.join("deny.toml")).context("cannot read deny.toml")?;
    let allowed = allowed(&policy)?;
    let metadata = workspace.metadata()?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let refused: Vec<String> = packages.iter().filter_map(|package| refusal(package, &allowed)).collect();
    if !refused.is_empty() {
        bail!("{} of {} packages have no allowed licence:\n  {}", refused.len(), packages.len(), refused.join("\n  "));
    }
    println!("  {} packages, every one under a permissive licence", packages.len());
    Ok(())
}

/// The strings of `allow = [...]` in the section `[licenses]`, one a line.
fn allowed(policy: &str) -> Result<Vec<String>> {
    let section = policy.split("\n[licenses]").nth(1).context("deny.toml has no [licenses]")?;
    let list = section.split("\nallow = [").nth(1).and_then(|rest| rest.split(']').next());
    let lines = list.context("deny.toml allows no licence")?.lines().map(|line| line.trim().trim_end_matches(','));
    let allowed: Vec<String> =
        lines.filter_map(|line| line.strip_prefix('"')?.strip_suffix('"')).map(Into::into).collect();
    ensure!(!allowed.is_empty(), "deny.toml allows no licence");
    Ok(allowed)
}

/// Why a package may not be used, or none when it may.
fn refusal(package: &Value, allowed: &[String]) -> Option<String> {
    let name = format!("{} {}", package["name"].as_str()?, package["version"].as_str()?);
    let Some(licence) = package["license"].as_str() else {
        return Some(format!("{name}: states no licence"));
    };
    (!permits(licence, allowed)).then(|| format!("{name}: {licence}"))
}

/// Whether an SPDX expression can be met with allowed licences alone. Old forms like `MIT/Apache-2.0` are read, too.
fn permits(expression: &str, allowed: &[String]) -> bool {
    Expression::parse_mode(expression, ParseMode::LAX)
        .is_ok_and(|parsed| parsed.evaluate(|needed| allowed.iter().any(|licence| *licence == needed.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "[graph]\nallow = [\n\"GPL-3.0-only\",\n]\n[licenses]\n# why\nallow = [\n    \"MIT\",\n    \"Apache-2.0\",\n    \
                          \"Apache-2.0 WITH LLVM-exception\",\n    \"BSD-3-Clause\"\n]\n";

    #[test]
    fn licences_are_read_from_their_own_section() {
        assert_eq!(
            allowed(POLICY).expect("a list"),
            ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-3-Clause"]
        );
        assert!(allowed("[licenses]\n").is_err());
        assert!(allowed("\n[licenses]\nallow = [\n]\n").is_err());
    }

    #[test]
    fn expressions_are_met_by_allowed_licences_alone() {
        let allowed = allowed(POLICY).expect("a list");
        for (expression, expected) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0-only OR MIT", true),
            ("GPL-3.0-only", false),
            ("LGPL-2.1-or-later", false),
            ("MIT AND GPL-2.0-only", false),
            ("(MIT OR GPL-2.0-only) AND BSD-3-Clause", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH LLVM-exception", false),
            ("MPL-2.0", false),
            ("no licence at all", false),
        ] {
            assert_eq!(permits(expression, &allowed), expected, "{expression}");
        }
    }

    #[test]
    fn a_package_that_states_no_licence_is_refused() {
        let package = serde_json::json!({ "name": "odd", "version": "1.0.0", "license": null });
        assert_eq!(refusal(&package, &["MIT".into()]).as_deref(), Some("odd 1.0.0: states no licence"));
    }
}
