//! A day in which the process is killed, or the disk fails, at any call that stores anything: whatever was answered is there,
//! nothing is there twice, and after a failure nothing is answered any more.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::Mutex;

use disk_faults::day::Copying;
use disk_faults::life::{Ended, Town};
use disk_faults::strace::{Call, Event, Fault, answered};
use disk_faults::{each, some};

const PROGRAM: &str = env!("CARGO_BIN_EXE_disk-faults");

/// How many calls are struck in the short form.
const KILLS: usize = 200;
const ERRORS: usize = 80;

/// Strikes a day at each of these calls; `judge` looks at how it ended.
fn strike(copying: Copying, fault: Fault, most: usize, judge: impl Fn(&Call, &Ended) -> Result<(), String> + Sync) {
    let town = Town::new(Path::new(PROGRAM));
    let (writes, others): (Vec<_>, Vec<_>) = town.day(copying).1.into_iter().partition(|call| call.name == "pwrite64");
    let calls = [some(writes, most), others].concat();
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

fn answers_nothing_any_more(_: &Call, ended: &Ended) -> Result<(), String> {
    let events = &ended.run.events;
    let failed = events.iter().enumerate().find_map(|(at, event)| match event {
        Event::Failed { call, of } => Some((at, call.as_str(), of)),
        _ => None,
    });
    let (at, call, of) = failed.ok_or("nothing failed")?;
    // What cannot be opened or taken away holds nothing that was answered.
    if call == "openat" || call == "unlink" || of.is_none() {
        return Ok(());
    }
    match answered(&events[at..]) {
        0 => Ok(()),
        later => Err(format!("{later} answers after {call} of {of:?}")),
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

#[test]
fn after_any_call_that_fails_nothing_is_answered_any_more() {
    strike(Copying::ByWriter, Fault::Error("EIO"), ERRORS, answers_nothing_any_more);
}

#[test]
fn after_any_call_that_finds_the_disk_full_nothing_is_answered_any_more() {
    strike(Copying::ByWriter, Fault::Error("ENOSPC"), ERRORS, answers_nothing_any_more);
}
