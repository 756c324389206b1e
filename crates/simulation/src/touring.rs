//! A tour of the bug museum: every exhibit, found by every one of its seeds; and the search for such seeds.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::json;
use simulation::{Defect, EXHIBITS, Plan};

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

/// How many seeds each exhibit has, at least.
const ENOUGH: usize = 2;
/// How many are tried at a time.
const AT_A_TIME: u64 = 4;

/// Looks among the first so many seeds for those that find each exhibit, in their order, until there are enough; whether there
/// are for all.
///
/// # Errors
/// Where plans cannot be run.
pub fn search(jobs: usize, most: u64) -> Result<bool> {
    let mut found: BTreeMap<Defect, BTreeSet<u64>> = BTreeMap::new();
    for first in (1..=most).step_by(AT_A_TIME as usize) {
        let wanted = EXHIBITS.iter().filter(|one| found.get(&one.defect).is_none_or(|seeds| seeds.len() < ENOUGH));
        let seeds = first..=most.min(first + AT_A_TIME - 1);
        let plans: Vec<Plan> = wanted.flat_map(|one| seeds.clone().map(|seed| one.plan(seed))).collect();
        workers::run_all(plans, jobs, &mut |plan, result| {
            let finding = result.err().map(|failure| failure.what);
            let exhibit = EXHIBITS.iter().find(|one| Some(one.defect) == plan.exhibit);
            if let Some(exhibit) = exhibit.filter(|one| one.is_found(finding.as_deref())) {
                found.entry(exhibit.defect).or_default().insert(plan.seed);
            }
        })?;
    }
    for exhibit in EXHIBITS {
        let seeds: Vec<u64> = found.get(&exhibit.defect).into_iter().flatten().copied().take(ENOUGH).collect();
        println!("{:30} {seeds:?}", exhibit.name);
    }
    Ok(EXHIBITS.iter().all(|exhibit| found.get(&exhibit.defect).is_some_and(|seeds| seeds.len() >= ENOUGH)))
}
