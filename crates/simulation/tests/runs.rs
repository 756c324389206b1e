//! Runs are the same every time, nothing is found in them, and the museum's defects are.

use simulation::{EXHIBITS, Exhibit, Kind, Plan};

fn plan(seed: u64, commands: u64) -> Plan {
    Plan::new(seed, commands, Vec::new())
}

#[test]
fn the_same_seed_gives_the_same_run_in_one_thread_and_in_another() {
    for seed in [2, 5] {
        let one = simulation::run(&plan(seed, 120));
        let other = std::thread::spawn(move || simulation::run(&plan(seed, 120))).join().expect("a run ends");
        assert_eq!((one.finding, one.hash), (None, other.hash));
    }
    assert_ne!(simulation::run(&plan(2, 60)).hash, simulation::run(&plan(3, 60)).hash);
}

#[test]
fn the_same_seeds_give_the_same_hash_in_one_process_and_in_another() {
    let hash = |jobs: &str| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_simulation"));
        program.args(["--seeds", "3", "--first", "20", "--commands", "80", "--json", "--jobs", jobs]);
        let told = String::from_utf8(program.output().expect("it runs").stdout).expect("JSON is text");
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(told["failures"], serde_json::json!([]));
        told["hash"].as_str().expect("a hash").to_owned()
    };
    assert_eq!(hash("1"), hash("2"));
}

#[test]
fn faults_that_are_left_out_do_not_strike() {
    let mut calm = plan(9, 120);
    calm.left_out = Kind::ALL.to_vec();
    let outcome = simulation::run(&calm);
    assert_eq!(outcome.finding, None);
    assert_eq!(outcome.coverage.faults(), 0);
}

#[test]
fn nothing_is_found_in_sqlite_itself() {
    let mut in_sqlite = plan(63, 100);
    in_sqlite.sqlite = true;
    assert_eq!(simulation::run(&in_sqlite).finding, None);
}

/// The first seed of each exhibit; `cargo xtask sim --museum` shows all of them.
#[test]
fn every_exhibit_of_the_museum_is_found() {
    let is_found = |exhibit: &Exhibit| {
        let first = exhibit.seeds.first().map(|seed| simulation::run(&exhibit.plan(*seed)));
        first.is_some_and(|outcome| exhibit.is_found(outcome.finding.as_deref()))
    };
    let missed: Vec<&str> = EXHIBITS.iter().filter(|one| !is_found(one)).map(|exhibit| exhibit.name).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn names_of_exhibits_are_all_different() {
    let names: std::collections::BTreeSet<&str> = EXHIBITS.iter().map(|exhibit| exhibit.name).collect();
    assert_eq!(names.len(), EXHIBITS.len());
}
