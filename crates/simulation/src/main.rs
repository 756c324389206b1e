//! Runs simulations, many at once, and shrinks what fails to a line that shows it again.

mod shrinking;
mod touring;
mod workers;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use simulation::{Coverage, Defect, EXHIBITS, Exhibit, Kind, Plan};

use workers::{Failure, Worker};

/// The whole platform under a seeded clock, network and disk.
#[derive(Parser)]
#[command(after_help = "A run that fails prints the line that runs it again, and then a shorter one, if there is one.")]
struct Arguments {
    /// So many seeds
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// How much people do in each
    #[arg(long, default_value_t = 1500)]
    commands: u64,
    /// Leaves a kind of fault out; may be repeated
    #[arg(long = "without", value_name = "KIND", value_parser = kind)]
    left_out: Vec<Kind>,
    /// Processes that run at once; as many as there are cores, where it is not said
    #[arg(long)]
    jobs: Option<usize>,
    /// Tells the result as JSON
    #[arg(long)]
    json: bool,
    /// Tells what is said and what goes wrong, on standard error; of one seed
    #[arg(long)]
    tell: bool,
    /// Does not look for a shorter line
    #[arg(long)]
    no_shrinking: bool,
    /// Puts a defect of the bug museum back
    #[arg(long, value_parser = exhibit)]
    exhibit: Option<Defect>,
    /// Shows the bug museum: each defect by itself, found by each of its seeds
    #[arg(long)]
    museum: bool,
    /// Tells instead which of so many seeds find each defect, the first two of each
    #[arg(long, value_name = "SEEDS", requires = "museum")]
    search: Option<u64>,
    /// Runs what is asked for on standard input
    #[arg(long, hide = true)]
    worker: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    let known = || Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    Kind::named(name).ok_or_else(|| format!("one of: {}", known()))
}

fn exhibit(name: &str) -> Result<Defect, String> {
    let known = || EXHIBITS.iter().map(|exhibit| exhibit.name).collect::<Vec<_>>().join(", ");
    Exhibit::named(name).map(|exhibit| exhibit.defect).ok_or_else(|| format!("one of: {}", known()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments {
        Arguments { worker: true, .. } => workers::serve().map(|()| true),
        Arguments { museum: true, search: Some(most), .. } => touring::search(arguments.jobs(), *most),
        Arguments { museum: true, .. } => touring::show(arguments.jobs(), arguments.json),
        _ => run(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("simulation: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// From so many commands on every fault and every refusal must have been reached.
const ENOUGH: u64 = 1_000_000;

impl Arguments {
    /// How many processes run at once.
    fn jobs(&self) -> usize {
        self.jobs.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1)
    }
}

/// Runs what was asked for; whether all went well.
fn run(arguments: &Arguments) -> Result<bool> {
    if arguments.seeds == 0 {
        bail!("there is no seed to run");
    }
    let plan =
        |seed| Plan { exhibit: arguments.exhibit, ..Plan::new(seed, arguments.commands, arguments.left_out.clone()) };
    if arguments.tell {
        let mut plan = plan(arguments.first);
        plan.tell = true;
        let outcome = simulation::run(&plan);
        println!("{}", outcome.finding.as_deref().unwrap_or("nothing found"));
        return Ok(outcome.finding.is_none());
    }
    let started = Instant::now();
    let plans: Vec<Plan> = (0..arguments.seeds).map(|index| plan(arguments.first + index)).collect();
    let bar = ProgressBar::new(arguments.seeds);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {eta} left {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let (mut all, mut hashes, mut failures) = (Coverage::new(), BTreeMap::new(), Vec::new());
    workers::run_all(plans, arguments.jobs(), &mut |plan, result| {
        bar.inc(1);
        match result {
            Ok(outcome) => {
                all.add(&outcome.coverage);
                hashes.insert(plan.seed, outcome.hash);
            }
            Err(failure) => {
                // The one line that runs it again, before anything else.
                bar.suspend(|| eprintln!("{}\n  {}", plan.line(), failure.what));
                failures.push((plan, failure));
            }
        }
    })?;
    bar.finish_and_clear();
    failures.sort_by_key(|(plan, _)| plan.seed);
    let shrunk = match failures.first().filter(|_| !arguments.no_shrinking) {
        Some((plan, _)) => shrinking::shrink(plan, &mut |plan| Worker::run_once(plan))?,
        None => None,
    };
    let hash = hashes.iter().fold(0_u64, |hash, (seed, one)| hash.rotate_left(5) ^ one.wrapping_mul(seed | 1));
    let missing = if all.commands < ENOUGH { Vec::new() } else { missing(&all) };
    let seconds = started.elapsed().as_secs_f64();
    if arguments.json {
        tell_json(arguments, &all, hash, seconds, (&failures, shrunk.as_ref()), &missing);
    } else {
        tell(arguments, &all, hash, seconds, (&failures, shrunk.as_ref()), &missing);
    }
    Ok(failures.is_empty() && missing.is_empty())
}

/// What should have been reached and was not.
fn missing(coverage: &Coverage) -> Vec<String> {
    let faults = coverage.missing().into_iter().map(|name| format!("the fault {name}"));
    faults.chain(coverage.untold().into_iter().map(|name| format!("the refusal {name}"))).collect()
}

type Failed<'a> = (&'a [(Plan, Failure)], Option<&'a (Plan, Failure)>);

fn tell(
    arguments: &Arguments,
    all: &Coverage,
    hash: u64,
    seconds: f64,
    (failures, shrunk): Failed<'_>,
    missing: &[String],
) {
    println!("{}", all.table());
    let years = all.seconds as f64 / (365.25 * 86_400.0);
    println!(
        "\n{} seeds: {} commands, {} faults, {} texts read, {} acknowledgements seen, {} starts, {years:.1} years, \
         in {seconds:.0} s ({:.0} commands a second)",
        arguments.seeds,
        all.commands,
        all.faults(),
        all.texts,
        all.acknowledgements,
        all.starts,
        all.commands as f64 / seconds.max(0.001)
    );
    println!("hash {hash:016x}");
    if !missing.is_empty() {
        println!("never reached: {}", missing.join(", "));
    }
    for (plan, failure) in failures {
        println!("FAILED: {}\n  {}", plan.line(), failure.what);
    }
    if let Some((plan, failure)) = shrunk {
        println!("shorter: {}\n  {}", plan.line(), failure.what);
    }
}

fn tell_json(
    arguments: &Arguments,
    all: &Coverage,
    hash: u64,
    seconds: f64,
    (failures, shrunk): Failed<'_>,
    missing: &[String],
) {
    let failed = |(plan, failure): &(Plan, Failure)| json!({ "line": plan.line(), "finding": failure.what });
    let told = json!({
        "seeds": arguments.seeds,
        "seconds": seconds,
        "hash": format!("{hash:016x}"),
        "faults": all.faults(),
        "coverage": all.json(),
        "never_reached": missing,
        "failures": failures.iter().map(failed).collect::<Vec<_>>(),
        "shorter": shrunk.map(failed),
    });
    println!("{told:#}");
}
