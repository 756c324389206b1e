//! A backup, a restore and a key file written over the one before: killed, failing and without power at any moment.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Mutex;

use disk_faults::errand::{Errand, Errands};
use disk_faults::strace::{Call, Fault};
use disk_faults::{each, soak, some};

const PROGRAM: &str = env!("CARGO_BIN_EXE_disk-faults");
const SEED: u64 = 20_261_125;

/// How many losses of power there are in an errand, and how many calls of it are struck; in the long form all.
const LOSSES: u64 = 300;
const STRUCK: usize = 24;

/// How many losses of power there are after each call that was struck.
const LOSSES_AFTER: u64 = 8;

fn losses(few: u64) -> u64 {
    if soak() { few * 10 } else { few }
}

#[test]
fn an_errand_is_done_whole_or_not_at_all() {
    for errand in Errand::ALL {
        let errands = Errands::new(Path::new(PROGRAM), errand);
        let lost = errands.recording.lose_power(SEED, 0..losses(LOSSES), |found| errands.judge(found));
        assert!(lost.is_none(), "{errand:?}: {lost:?}");
        let calls = some(errands.calls.clone(), STRUCK);
        let faults = [Fault::Kill, Fault::Error("EIO"), Fault::Error("ENOSPC")];
        let struck: Vec<(&Call, Fault)> = calls.iter().flat_map(|call| faults.map(|fault| (call, fault))).collect();
        let wrong = Mutex::new(Vec::new());
        each(&struck, |(call, fault)| {
            let recording = errands.struck(call, *fault);
            if let Some(lost) = recording.lose_power(SEED, 0..losses(LOSSES_AFTER), |found| errands.judge(found)) {
                wrong.lock().unwrap().push(format!("{fault:?} at {} {}: {lost:?}", call.name, call.nth));
            }
        });
        let wrong = wrong.into_inner().unwrap();
        assert!(wrong.is_empty(), "{errand:?}: {wrong:#?}");
        println!("{errand:?}: {} losses of power; {} times struck", losses(LOSSES), struck.len());
    }
}
