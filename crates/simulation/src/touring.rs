//! A tour of the bug museum: every exhibit, found by every one of its seeds.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::json;
use simulation::{EXHIBITS, Plan};

use crate::workers;

/// Shows all exhibits, so many at once; whether each was found by each of its seeds.
///
/// # Errors
/// Where plans cannot be run.
pub fn show(jobs: usize, as_json: bool) -> Result<bool> {
    let plans = EXHIBITS.iter().flat_map(|exhibit| exhibit.seeds.iter().map(|seed| exhibit.plan(*seed)));
    let plans: Vec<Plan> = plans.collect();
    let mut findings = BTreeMap::new();
    workers::run_all(plans, jobs, &mut |plan, result| {
        findings.insert((plan.exhibit, plan.seed), result.err().map(|failure| failure.what));
    })?;
    let (mut all_found, mut told) = (true, Vec::new());
    for exhibit in EXHIBITS {
        for seed in exhibit.seeds {
            let finding = findings.remove(&(Some(exhibit.defect), *seed)).flatten();
            let is_found = exhibit.is_found(finding.as_deref());
            all_found &= is_found;
            let what = finding.unwrap_or_else(|| "nothing".to_owned());
            let first = what.lines().next().unwrap_or_default().to_owned();
            if as_json {
                let line = exhibit.plan(*seed).line();
                told.push(json!({
                    "exhibit": exhibit.name, "what": exhibit.what, "history": exhibit.history,
                    "line": line, "finding": first, "found": is_found,
                }));
            } else {
                let mark = if is_found { "found" } else { "MISSED" };
                println!("{mark:6} {:30} seed {seed:<3} {first}", exhibit.name);
            }
        }
    }
    if as_json {
        println!("{:#}", json!({ "exhibits": told }));
    } else {
        println!("{} exhibits", EXHIBITS.len());
    }
    Ok(all_found)
}
