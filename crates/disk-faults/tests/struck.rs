//! A day in which the process is killed at any call that stores anything: whatever was answered is there, and nothing twice.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::Mutex;

use disk_faults::day::Copying;
use disk_faults::life::{Ended, Town};
use disk_faults::strace::{Call, Fault};
use disk_faults::{each, some};

const PROGRAM: &str = env!("CARGO_BIN_EXE_disk-faults");

/// How many calls are struck in the short form.
const KILLS: usize = 200;

/// Strikes a day at each of these calls; `judge` looks at how it ended.
fn strike(copying: Copying, fault: Fault, most: usize, judge: impl Fn(&Call, &Ended) -> Result<(), String> + Sync) {
    let town = Town::new(Path::new(PROGRAM));
    let (_, calls) = town.day(copying);
    let calls = some(calls, most);
    let wrong = Mutex::new(Vec::new());
    each(&calls, |call| {
        let struck = town.struck(copying, call, fault).and_then(|ended| judge(call, &ended));
        if let Err(why) = struck {
            wrong.lock().unwrap().push(format!("{} {}: {why}", call.name, call.nth));
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{fault:?} at {} of {} calls: {wrong:#?}", wrong.len(), calls.len());
    println!("{fault:?}, {copying:?}: {} calls struck", calls.len());
}

fn is_killed(_: &Call, ended: &Ended) -> Result<(), String> {
    match ended.run.status.signal() {
        Some(9) => Ok(()),
        _ => Err(format!("it lived on: {}", ended.run.status)),
    }
}

#[test]
fn a_process_killed_before_any_call_has_lost_nothing_that_was_answered() {
    strike(Copying::ByWriter, Fault::Kill, KILLS, is_killed);
}

#[test]
fn killed_while_the_thread_copies_the_log_likewise() {
    strike(Copying::ByThread, Fault::Kill, KILLS / 2, |_, _| Ok(()));
}
