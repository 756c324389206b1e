//! The steps of `cargo xtask test`, in order, and how they are run and told.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{fuzz::Search, licences, peers, walls, workspace::Workspace};

/// A whole run should stay below this on two cores, build included.
const EXPECTED: Duration = Duration::from_secs(30 * 60);

struct Step {
    name: &'static str,
    does: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

/// Every step, in the order of running: what fails fast stands first. A new check is one more line here.
const STEPS: &[Step] = &[
    Step { name: "peers", does: "install what the tests need, where it is missing", run: peers::install },
    Step { name: "format", does: "every file is formatted", run: format },
    Step { name: "walls", does: "crates depend as the architecture says; the core needs no std", run: walls::check },
    Step { name: "licences", does: "every dependency may be used under a permissive licence", run: licences::check },
    Step { name: "oracle", does: "the independent sealer agrees with the published vectors", run: oracle },
    Step { name: "lint", does: "clippy has nothing to say", run: lint },
    Step { name: "build", does: "everything builds", run: build },
    Step { name: "tests", does: "unit, property and end-to-end tests", run: tests },
    Step { name: "simulation", does: "the whole platform under faults, seed by seed", run: simulation },
    Step { name: "search", does: "every parser, a moment each, guided by what inputs reach", run: search },
    Step { name: "doc-tests", does: "the examples in the documentation", run: doc_tests },
    Step { name: "docs", does: "the documentation builds, and its links lead somewhere", run: docs },
];

fn format(workspace: &Workspace) -> Result<()> {
    workspace.run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

fn oracle(workspace: &Workspace) -> Result<()> {
    let vectors = "crates/encryption/tests/vectors/secured-packets.json";
    workspace.run(peers::python(workspace).args(["peers/python/sealer.py", "--self-test", vectors]))
}

fn lint(workspace: &Workspace) -> Result<()> {
    workspace.run(&mut workspace.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn build(workspace: &Workspace) -> Result<()> {
    workspace.run(&mut workspace.cargo(&["build", "--workspace", "--all-targets"]))
}

fn tests(workspace: &Workspace) -> Result<()> {
    workspace.run(&mut workspace.test_runner(&["--workspace", "--no-fail-fast"]))
}

/// How many seeds are simulated each time: three million commands. `cargo xtask sim --seeds N` takes more.
const SEEDS: &str = "2000";

fn simulation(workspace: &Workspace) -> Result<()> {
    workspace.run(&mut workspace.simulation(&["--seeds", SEEDS]))
}

/// How long each parser is searched each time, seconds; `cargo xtask fuzz` takes longer.
const SEARCH: u64 = 2;

fn search(workspace: &Workspace) -> Result<()> {
    Search::of_all(SEARCH).run(workspace)
}

fn doc_tests(workspace: &Workspace) -> Result<()> {
    workspace.run(&mut workspace.cargo(&["test", "--doc", "--workspace"]))
}

fn docs(workspace: &Workspace) -> Result<()> {
    let mut command = workspace.cargo(&["doc", "--workspace", "--no-deps"]);
    workspace.run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Which steps a run takes.
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

impl Selection {
    /// With `only` empty every step is taken, then those in `skip` are left out.
    ///
    /// # Errors
    /// When a name is no step's, or no step is left.
    pub fn new(only: Vec<String>, skip: Vec<String>) -> Result<Self> {
        for name in only.iter().chain(&skip) {
            if !STEPS.iter().any(|step| step.name == name) {
                bail!("no such step: {name} (see `cargo xtask test --list`)");
            }
        }
        let selection = Self { only, skip };
        if !STEPS.iter().any(|step| selection.takes(step.name)) {
            bail!("no step is left to run");
        }
        Ok(selection)
    }

    fn takes(&self, name: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|other| other == name);
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }
}

/// Prints the steps and what each does.
pub fn list() {
    for step in STEPS {
        println!("{:10} {}", step.name, step.does);
    }
}

enum Outcome {
    Passed(Duration),
    Failed(Duration),
    NotReached,
    LeftOut,
}

/// Runs the chosen steps up to the first that fails, and tells the result. True when none failed.
pub fn run(workspace: &Workspace, selection: &Selection) -> bool {
    let start = Instant::now();
    let count = STEPS.iter().filter(|step| selection.takes(step.name)).count();
    let mut outcomes = Vec::new();
    let (mut number, mut failed) = (0, false);
    for step in STEPS {
        let outcome = if !selection.takes(step.name) {
            Outcome::LeftOut
        } else if failed {
            Outcome::NotReached
        } else {
            number += 1;
            println!("[{:4} s] step {number} of {count}, {}: {}", start.elapsed().as_secs(), step.name, step.does);
            let outcome = take(step, workspace);
            failed = matches!(outcome, Outcome::Failed(_));
            outcome
        };
        outcomes.push((step.name, outcome));
    }
    tell(&outcomes, start.elapsed());
    !failed
}

fn take(step: &Step, workspace: &Workspace) -> Outcome {
    let start = Instant::now();
    match (step.run)(workspace) {
        Ok(()) => Outcome::Passed(start.elapsed()),
        Err(error) => {
            println!("\nstep {} failed: {error:#}", step.name);
            Outcome::Failed(start.elapsed())
        }
    }
}

fn tell(outcomes: &[(&str, Outcome)], total: Duration) {
    println!("\n{:10} {:>9}", "step", "seconds");
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Passed(time) => println!("{name:10} {:>9.1}  passed", time.as_secs_f64()),
            Outcome::Failed(time) => println!("{name:10} {:>9.1}  FAILED", time.as_secs_f64()),
            Outcome::NotReached => println!("{name:10} {:>9}  not reached", "-"),
            Outcome::LeftOut => println!("{name:10} {:>9}  left out", "-"),
        }
    }
    println!("{:10} {:>9.1}", "total", total.as_secs_f64());
    if total > EXPECTED {
        println!("warning: this took more than the {} minutes that a whole run should take", EXPECTED.as_secs() / 60);
    }
    println!("{}", closing(outcomes));
}

/// The closing line, which stands alone.
fn closing(outcomes: &[(&str, Outcome)]) -> String {
    let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, outcome)| wanted(outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed(_)));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    format!("{passed} passed, {failed} failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_selection_takes_what_is_named_and_leaves_out_what_is_skipped() {
        let all = Selection::new(vec![], names(&["lint"])).expect("a step is left");
        assert!(all.takes("tests") && !all.takes("lint"));
        let two = Selection::new(names(&["format", "lint"]), names(&["lint"])).expect("a step is left");
        assert!(two.takes("format") && !two.takes("lint") && !two.takes("tests"));
    }

    #[test]
    fn a_selection_of_nothing_or_of_unknown_steps_is_an_error() {
        assert!(Selection::new(names(&["tsets"]), vec![]).is_err());
        assert!(Selection::new(vec![], names(&["tsets"])).is_err());
        assert!(Selection::new(names(&["lint"]), names(&["lint"])).is_err());
    }

    #[test]
    fn the_closing_line_counts_only_what_ran() {
        let second = Duration::from_secs(1);
        let outcomes = [
            ("a", Outcome::Passed(second)),
            ("b", Outcome::LeftOut),
            ("c", Outcome::Failed(second)),
            ("d", Outcome::NotReached),
        ];
        assert_eq!(closing(&outcomes), "1 passed, 1 failed");
    }
}
