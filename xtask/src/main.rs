//! Every check of Wakala as one command: `cargo xtask test` and its longer siblings.

mod cluster;
mod fuzz;
mod licences;
mod mutants;
mod peers;
mod steps;
mod walls;
mod workspace;

use std::{ffi::OsString, process::ExitCode, time::Instant};

use anyhow::{Result, bail};
use cluster::{Cluster, Member};
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
  fuzz    Search for inputs that break a parser, guided by what they reach
  mutants Change the core one place at a time: its tests must notice
  bench   Measure decisions, durable remittances and transfers end to end
  cluster PostgreSQL under Patroni with etcd, on this machine: up, status, down
  help    Print this

Examples:
  cargo xtask test
  cargo xtask test --only lint
  cargo xtask soak kill
  cargo xtask fuzz grammar --seconds 600
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
Run the tests optimised and, by WAKALA_SOAK=1, in their long forms; then, unless some tests were chosen, search every parser
for ten minutes, as `cargo xtask fuzz` does (28 of them), and simulate 100 million commands, as `cargo xtask sim` does: about seven
hours on two cores, and the tests before.

Usage: cargo xtask soak [ARGUMENTS OF THE TEST RUNNER]...

Examples:
  cargo xtask soak
  cargo xtask soak kill
";

const FUZZ_HELP: &str = "\
Search for inputs that break a parser: libFuzzer, guided by what each input reaches in our own crates. Needs a C++ compiler.

Usage: cargo xtask fuzz [TARGET]... [--seconds N] [--keep]

Options:
  --seconds N   How long each target is searched; 60
  --keep        Afterwards leave in crates/fuzz/corpora the fewest inputs that reach all that is reached
  -h, --help    Print this

Examples:
  cargo xtask fuzz
  cargo xtask fuzz grammar mask --seconds 600
  cargo xtask fuzz --keep

What was found grows in target/fuzzing, and so does what breaks a target, with the line that shows it again. The corpora in the
repository are replayed by the tests without any of this.
";

const MUTANTS_HELP: &str = "\
Change the core (crates/transaction-processing) one place at a time, and see whether its own tests notice: cargo-mutants, which is
installed into .peers where it is missing. What survives is a test that is missing, or stands in docs/mutants.md with why not.

Usage: cargo xtask mutants [FILE]... [--jobs N] [--again] [--list]

Options:
  FILE        Only in these, below the core's src; `*` and `**` stand for more. All of them where none is named
  --jobs N    How many at once; 1
  --again     Also those that were caught by an earlier run
  --list      Name the changes and make none
  -h, --help  Print this

Examples:
  cargo xtask mutants money.rs limits.rs
  cargo xtask mutants 'requests/**' --jobs 2
  cargo xtask mutants --list

Each takes some seconds, all of them some hours. What became of each stands in target/mutants/mutants.out, and what was caught
there is not tried again without --again.
";

/// How long `cargo xtask soak` searches each parser, seconds.
const SOAK_SEARCH: u64 = 600;

/// How many seeds it simulates: 100 million commands.
const SOAK_SEEDS: &str = "65000";

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
  cargo xtask sim --museum --search 500
";

const BENCH_HELP: &str = "\
Measure decisions, durable remittances and transfers end to end, on this machine, in one run.

Usage: cargo xtask bench [ARGUMENTS OF THE BENCH]...    (`cargo xtask bench -- --help` lists them)

Examples:
  cargo xtask bench
  cargo xtask bench --customers 100000 --marks 1,2
  cargo xtask bench --only end-to-end --json bench.json
";

const CLUSTER_HELP: &str = "\
PostgreSQL under Patroni with etcd, several nodes on this machine alone, as an operator has on several.

Usage: cargo xtask cluster up [--dir FOLDER] [--nodes COUNT]
       cargo xtask cluster status [--dir FOLDER]
       cargo xtask cluster down [--dir FOLDER]

Options:
  --dir FOLDER    Where all of it stands (default: target/cluster); made by `up`, taken away by `down` with what is in it
  --nodes COUNT   How many nodes (default: 3)
  -h, --help      Print this

`up` prints the address for `[postgres] address`. Every commit waits for a standby, so there are two nodes at least.
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
        "cluster" if asks_help => print_help(CLUSTER_HELP),
        "fuzz" if asks_help => print_help(FUZZ_HELP),
        "mutants" if asks_help => print_help(MUTANTS_HELP),
        "bench" if asks_help => print_help(BENCH_HELP),
        "sim" if asks_help => print_help(SIM_HELP),
        "test" => test(&workspace, arguments),
        "story" => long(|| workspace.run(workspace.wakala(&["demo", "--story"]).args(arguments))),
        "soak" => long(|| soak(&workspace, arguments)),
        "sim" => long(|| workspace.run(workspace.simulation(&[]).args(arguments))),
        "cluster" => cluster(&workspace, arguments),
        "fuzz" => match fuzz::Search::typed(arguments)? {
            Some(search) => long(|| search.run(&workspace)),
            None => print_help(FUZZ_HELP),
        },
        "mutants" => match mutants::Mutation::typed(arguments)? {
            Some(mutation) => long(|| mutation.run(&workspace)),
            None => print_help(MUTANTS_HELP),
        },
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
    let all = arguments.is_empty();
    workspace.run(workspace.test_runner(&["--release", "--workspace"]).env("WAKALA_SOAK", "1").args(arguments))?;
    if all {
        fuzz::Search::of_all(SOAK_SEARCH).run(workspace)?;
        workspace.run(&mut workspace.simulation(&["--seeds", SOAK_SEEDS]))?;
    }
    Ok(())
}

fn cluster(workspace: &Workspace, arguments: Vec<OsString>) -> Result<ExitCode> {
    use lexopt::{
        Arg::{Long, Short, Value},
        ValueExt as _,
    };
    let (mut orders, mut folder, mut nodes) = (Vec::new(), workspace.root.join("target/cluster"), 3);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("dir") => folder = parser.value()?.into(),
            Long("nodes") => nodes = parser.value()?.parse()?,
            Long("help") | Short('h') => return print_help(CLUSTER_HELP),
            Value(order) => orders.push(order.to_string_lossy().into_owned()),
            other => return Err(other.unexpected().into()),
        }
    }
    match orders.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["up"] => {
            peers::install(workspace)?;
            println!("{}", Cluster::up(&workspace.peers, &folder, nodes)?.url());
        }
        ["status"] => tell(&Cluster::open(&folder)?),
        ["down"] => cluster::down(&folder)?,
        _ => bail!("say up, status or down (see `cargo xtask cluster --help`)"),
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(cluster: &Cluster) {
    let members = cluster.members();
    println!("{:8} {:>6}  {:14} {:12} {:>8}", "node", "port", "role", "state", "timeline");
    for node in &cluster.nodes {
        match members.iter().find(|member| member.name == node.name) {
            Some(Member { role, state, timeline, .. }) => {
                println!("{:8} {:>6}  {role:14} {state:12} {timeline:>8}", node.name, node.postgres);
            }
            None => println!("{:8} {:>6}  not known to Patroni", node.name, node.postgres),
        }
    }
    println!("{}", cluster.url());
}

/// Runs something that takes its time and says how long it took.
fn long(run: impl FnOnce() -> Result<()>) -> Result<ExitCode> {
    let start = Instant::now();
    run()?;
    eprintln!("done in {} s", start.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::*;

    #[test]
    fn what_works_in_a_clusters_folder_ends_with_it_and_nothing_else_does() {
        let scratch = env::temp_dir().join(format!("wakala-cluster-{}", std::process::id()));
        let (folder, beside) = (scratch.join("cluster"), scratch.join("cluster-beside"));
        for place in [&folder.join("node1/data"), &beside] {
            fs::create_dir_all(place).expect("a folder");
        }
        assert!(cluster::down(&folder).is_err(), "a folder that is no cluster's stays");
        fs::write(folder.join("cluster.json"), "[]").expect("a list");
        let sleeping = |place: &Path| std::process::Command::new("sleep").arg("600").current_dir(place).spawn();
        let mut within = sleeping(&folder.join("node1/data")).expect("it starts");
        let mut outside = sleeping(&beside).expect("it starts");
        let ending = std::thread::spawn(move || within.wait().expect("a child"));
        cluster::down(&folder).expect("all of it goes");
        assert!(!ending.join().expect("it ended").success());
        assert!(outside.try_wait().expect("a child").is_none(), "what works beside it goes on");
        outside.kill().and_then(|()| outside.wait()).expect("a child");
        assert!(!folder.exists());
        fs::remove_dir_all(&scratch).expect("the scratch folder");
    }

    #[test]
    fn a_cluster_that_does_not_start_leaves_nothing_behind() {
        let folder = env::temp_dir().join(format!("wakala-cluster-none-{}", std::process::id()));
        let why = Cluster::up(Path::new("/nowhere"), &folder, 3).err().expect("no peers");
        assert!(why.chain().any(|cause| cause.to_string().contains("installs it")), "{why:#}");
        assert!(!folder.exists());
    }
}
