//! Runs are the same every time, nothing is found in them, and what is wrong is found.

use simulation::{Kind, Plan, Sabotage};

fn plan(seed: u64, commands: u64) -> Plan {
    Plan::new(seed, commands, Vec::new())
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_last_octet() {
    for seed in [2, 5] {
        let (one, other) = (simulation::run(&plan(seed, 120)), simulation::run(&plan(seed, 120)));
        assert_eq!((one.finding, one.hash), (None, other.hash));
    }
    assert_ne!(simulation::run(&plan(2, 60)).hash, simulation::run(&plan(3, 60)).hash);
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

/// A wrong that no fault explains is found, whatever the seed.
fn found(sabotage: Sabotage, what: &str) {
    for seed in [10, 11] {
        let mut wrong = plan(seed, 250);
        wrong.sabotage = Some(sabotage);
        let finding = simulation::run(&wrong).finding.unwrap_or_default();
        assert!(!finding.is_empty() && finding.contains(what), "seed {seed}: {finding:?}");
    }
}

#[test]
fn a_disk_that_lies_is_found() {
    found(Sabotage::LyingDisk, "");
}

#[test]
fn an_acknowledgement_before_its_time_is_found() {
    found(Sabotage::EarlyAcknowledgement, "I6");
}

#[test]
fn a_receipt_that_is_acknowledged_before_it_is_kept_is_found() {
    found(Sabotage::EarlyReceipt, "acknowledged before it was kept");
}

#[test]
fn a_text_that_never_came_is_found() {
    found(Sabotage::SwallowedText, "was told");
}

#[test]
fn a_text_with_another_balance_is_found() {
    found(Sabotage::AlteredText, "was told");
}

#[test]
fn a_text_that_is_not_the_platforms_is_found() {
    found(Sabotage::FakeText, "reference");
}
