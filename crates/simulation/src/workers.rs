//! Runs in processes of their own: one that panics, or hangs, is one run that failed, and the others go on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use simulation::{Coverage, Defect, Exhibit, Kind, Outcome, Plan};

/// How long one run may take before it counts as hanging: far longer than any does.
const PATIENCE: Duration = Duration::from_secs(300);
/// How much of what a process said before its end is told.
const LAST_WORDS: usize = 2_000;

/// Why a run failed.
pub struct Failure {
    /// What was found, or what the process said last.
    pub what: String,
}

/// Serves runs that are asked for line by line, until there are no more.
///
/// # Errors
/// Where standard input or output breaks.
pub fn serve() -> Result<()> {
    let (input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    for line in input.lines() {
        let asked: Value = serde_json::from_str(&line?).context("a plan is one line of JSON")?;
        let outcome = simulation::run(&plan(&asked));
        let told = json!({
            "hash": outcome.hash.to_string(), "finding": outcome.finding, "coverage": outcome.coverage.json(),
        });
        writeln!(output, "{told}")?;
        output.flush()?;
    }
    Ok(())
}

fn plan(asked: &Value) -> Plan {
    let left_out = asked["without"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let left_out = left_out.filter_map(Kind::named).collect();
    let exhibit = asked["exhibit"].as_str().and_then(Exhibit::named).map(|exhibit| exhibit.defect);
    Plan {
        exhibit,
        ..Plan::new(asked["seed"].as_u64().unwrap_or(0), asked["commands"].as_u64().unwrap_or(0), left_out)
    }
}

/// A process that runs one plan after the other.
pub struct Worker {
    child: Child,
    asks: ChildStdin,
    answers: Receiver<String>,
}

impl Worker {
    fn start() -> Result<Worker> {
        let program = std::env::current_exe().context("this program has no name")?;
        let mut child = Command::new(program)
            .arg("--worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start a process")?;
        let asks = child.stdin.take().context("piped")?;
        let output = BufReader::new(child.stdout.take().context("piped")?);
        let (answer, answers) = channel();
        std::thread::spawn(move || {
            // The receiver is gone only when nobody waits any more.
            output.lines().map_while(Result::ok).try_for_each(|line| answer.send(line).ok())
        });
        Ok(Worker { child, asks, answers })
    }

    /// Runs a plan; the worker is not to be used any more where that failed.
    fn run(&mut self, plan: &Plan) -> Result<Outcome, Failure> {
        let without: Vec<&str> = plan.left_out.iter().map(|kind| kind.name()).collect();
        let exhibit = plan.exhibit.map(Defect::name);
        let asked = json!({ "seed": plan.seed, "commands": plan.commands, "without": without, "exhibit": exhibit });
        let gone = writeln!(self.asks, "{asked}").and_then(|()| self.asks.flush()).is_err();
        let answer = if gone { Err(RecvTimeoutError::Disconnected) } else { self.answers.recv_timeout(PATIENCE) };
        match answer {
            Ok(line) => read(&line),
            Err(RecvTimeoutError::Timeout) => Err(Failure { what: format!("no end within {PATIENCE:?}") }),
            Err(RecvTimeoutError::Disconnected) => Err(Failure { what: self.last_words() }),
        }
    }

    /// Runs one plan in a process of its own.
    ///
    /// # Errors
    /// Where there can be none.
    pub fn run_once(plan: &Plan) -> Result<Result<Outcome, Failure>> {
        Ok(Worker::start()?.run(plan))
    }

    fn last_words(&mut self) -> String {
        let _ = self.child.wait();
        let mut said = String::new();
        if let Some(errors) = &mut self.child.stderr {
            let _ = errors.read_to_string(&mut said);
        }
        let from = said.char_indices().rev().nth(LAST_WORDS).map_or(0, |(at, _)| at);
        let said = said.get(from..).unwrap_or_default().trim().to_owned();
        if said.is_empty() { "the process ended without a word".to_owned() } else { said }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(line: &str) -> Result<Outcome, Failure> {
    let told: Value = serde_json::from_str(line).map_err(|error| Failure { what: error.to_string() })?;
    if let Some(finding) = told["finding"].as_str() {
        return Err(Failure { what: finding.to_owned() });
    }
    let hash = told["hash"].as_str().and_then(|hash| hash.parse().ok()).unwrap_or(0);
    Ok(Outcome { hash, coverage: Coverage::read(&told["coverage"]), finding: None })
}

/// Runs plans in so many processes at once, and tells of each as it ends.
///
/// # Errors
/// Where there can be no processes.
pub fn run_all(plans: Vec<Plan>, jobs: usize, ended: &mut dyn FnMut(Plan, Result<Outcome, Failure>)) -> Result<()> {
    let waiting = std::sync::Mutex::new(plans.into_iter());
    let (tell, told) = channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (waiting, tell) = (&waiting, tell.clone());
            scope.spawn(move || {
                let mut worker = None;
                let next = || waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                while let Some(plan) = next() {
                    let mut at_work = match worker.take().map_or_else(Worker::start, Ok) {
                        Ok(at_work) => at_work,
                        Err(error) => {
                            let _ = tell.send(Err(error));
                            return;
                        }
                    };
                    let result = at_work.run(&plan);
                    worker = result.is_ok().then_some(at_work);
                    if tell.send(Ok((plan, result))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        for end in told {
            let (plan, result) = end?;
            ended(plan, result);
        }
        Ok(())
    })
}
