//! Every check of Wakala as one command: `cargo xtask test` and its longer siblings.

mod licences;
mod peers;
mod steps;
mod walls;
mod workspace;

use std::{ffi::OsString, process::ExitCode, time::Instant};

use anyhow::{Result, bail};
use steps::Selection;
use workspace::Workspace;

const HELP: &str = "\
Every check of Wakala as one command.

Usage: cargo xtask <COMMAND>

Commands:
  test    Install what the tests need, then run everything; what .ci/run calls
  story   Play the whole flow without a person
  sim     Simulate the whole platform under every kind of fault, seed by seed
  soak    The tests again, optimised and in their long forms
  bench   Measure decisions, durable remittances and transfers end to end
  help    Print this

Examples:
  cargo xtask test
  cargo xtask test --only lint
  cargo xtask soak kill
";

const TEST_HELP: &str = "\
Install what the tests need, then run every step; the first that fails ends the run.

Usage: cargo xtask test [--list] [--only NAME]... [--skip NAME]...

Options:
  --list        Name the steps and what each does
  --only NAME   Run this step alone; may be repeated
  --skip NAME   Leave this step out; may be repeated
  -h, --help    Print this

Examples:
  cargo xtask test
  cargo xtask test --list
  cargo xtask test --only format --only lint
  cargo xtask test --skip peers

What is installed goes by name through apt-get, npm and pip: Debian packages into the system, and only when missing, the
rest into .peers. The tests find it by WAKALA_PEERS.
";

const STORY_HELP: &str = "\
Play the whole flow without a person: every message in and out, the accounts before and after, the ledger's proof.

Usage: cargo xtask story [ARGUMENTS OF `wakala demo --story`]...

Examples:
  cargo xtask story
  cargo xtask story --json
";

const SOAK_HELP: &str = "\
Run the tests optimised and, by WAKALA_SOAK=1, in their long forms.

Usage: cargo xtask soak [ARGUMENTS OF THE TEST RUNNER]...

Examples:
  cargo xtask soak
  cargo xtask soak kill
";

const SIM_HELP: &str = "\
Simulate the whole platform, phones to disk and back, under a seeded clock, network and disk. What fails is told with the line
that runs it again, and shrunk to a shorter one.

Usage: cargo xtask sim [ARGUMENTS OF THE SIMULATION]...    (`cargo xtask sim -- --help` lists them)

Examples:
  cargo xtask sim --seeds 2000
  cargo xtask sim --first 17 --commands 300
  cargo xtask sim --first 17 --commands 300 --tell
  cargo xtask sim --seeds 100000 --json
  cargo xtask sim --museum
";

const BENCH_HELP: &str = "\
Measure decisions, durable remittances and transfers end to end, on this machine, in one run.

Usage: cargo xtask bench [ARGUMENTS OF THE BENCH]...    (`cargo xtask bench -- --help` lists them)

Examples:
  cargo xtask bench
  cargo xtask bench --customers 100000 --rows 1000000 --millions 2
  cargo xtask bench --only end-to-end --json bench.json
";

fn main() -> ExitCode {
    match command(std::env::args_os().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(mut arguments: Vec<OsString>) -> Result<ExitCode> {
    let name = if arguments.is_empty() { OsString::from("help") } else { arguments.remove(0) };
    let asks_help = arguments.first().is_some_and(|first| first == "--help" || first == "-h");
    let workspace = Workspace::find()?;
    match name.to_str().unwrap_or_default() {
        "help" | "--help" | "-h" => print_help(HELP),
        "test" if asks_help => print_help(TEST_HELP),
        "story" if asks_help => print_help(STORY_HELP),
        "soak" if asks_help => print_help(SOAK_HELP),
        "bench" if asks_help => print_help(BENCH_HELP),
        "sim" if asks_help => print_help(SIM_HELP),
        "test" => test(&workspace, arguments),
        "story" => long(|| workspace.run(workspace.wakala(&["demo", "--story"]).args(arguments))),
        "soak" => long(|| soak(&workspace, arguments)),
        "sim" => long(|| workspace.run(workspace.simulation(&[]).args(arguments))),
        "bench" => long(|| workspace.run(workspace.bench().args(arguments))),
        _ => bail!("no such command: {} (see `cargo xtask help`)", name.display()),
    }
}

fn print_help(text: &str) -> Result<ExitCode> {
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

fn test(workspace: &Workspace, arguments: Vec<OsString>) -> Result<ExitCode> {
    use lexopt::Arg::{Long, Short};
    let (mut only, mut skip) = (Vec::new(), Vec::new());
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => only.push(parser.value()?.to_string_lossy().into_owned()),
            Long("skip") => skip.push(parser.value()?.to_string_lossy().into_owned()),
            Long("list") => {
                steps::list();
                return Ok(ExitCode::SUCCESS);
            }
            Long("help") | Short('h') => return print_help(TEST_HELP),
            other => return Err(other.unexpected().into()),
        }
    }
    let passed = steps::run(workspace, &Selection::new(only, skip)?);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn soak(workspace: &Workspace, arguments: Vec<OsString>) -> Result<()> {
    peers::install(workspace)?;
    workspace.run(workspace.test_runner(&["--release", "--workspace"]).env("WAKALA_SOAK", "1").args(arguments))
}

/// Runs something that takes its time and says how long it took.
fn long(run: impl FnOnce() -> Result<()>) -> Result<ExitCode> {
    let start = Instant::now();
    run()?;
    eprintln!("done in {} s", start.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}
