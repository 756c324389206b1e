//! A day in which the process is killed, or the disk fails, at any call that stores anything: whatever was answered is there,
//! nothing is there twice, and after a failure nothing is answered any more.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::Mutex;

use disk_faults::day::Copying;
use disk_faults::disk::{Change, Disk};
use disk_faults::life::{Ended, Town};
use disk_faults::strace::{Call, Event, Fault, answered};
use disk_faults::{each, some};

const PROGRAM: &str = env!("CARGO_BIN_EXE_disk-faults");

/// How many calls are struck in the short form.
const KILLS: usize = 200;
const ERRORS: usize = 80;

/// What must not fail. What cannot be opened or taken away holds nothing that was answered.
const STORE: [&str; 3] = ["pwrite64", "ftruncate", "fsync"];

/// How many commits may be under way when the thread beside the writer fails.
const UNDER_WAY: usize = 3;

/// Strikes a day at each of the calls that it makes, or at some of them; `judge` looks at how it ended.
fn strike(copying: Copying, fault: Fault, most: usize, judge: impl Fn(&Ended) -> Result<(), String> + Sync) {
    let town = Town::new(Path::new(PROGRAM));
    let calls = town.day(copying).1;
    let (writes, others): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.name == "pwrite64");
    strike_at(&town, copying, &[some(writes, most), others].concat(), fault, judge);
}

fn strike_at(
    town: &Town<'_>,
    copying: Copying,
    calls: &[Call],
    fault: Fault,
    judge: impl Fn(&Ended) -> Result<(), String> + Sync,
) {
    let wrong = Mutex::new(Vec::new());
    each(calls, |call| {
        if let Err(why) = town.struck(copying, call, fault).and_then(|ended| judge(&ended)) {
            wrong.lock().unwrap().push(format!("{} {}: {why}", call.name, call.nth));
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{fault:?} at {} of {} calls: {wrong:#?}", wrong.len(), calls.len());
    println!("{fault:?}, {copying:?}: {} calls struck", calls.len());
}

fn is_killed(ended: &Ended) -> Result<(), String> {
    match ended.run.status.signal() {
        Some(9) => Ok(()),
        _ => Err(format!("it lived on: {}", ended.run.status)),
    }
}

/// What was done after the first failure that matters, until the books are opened again; with how much was answered before.
fn after_failure(ended: &Ended) -> Option<(&[Event], usize)> {
    let events = &ended.run.events;
    let matters = |event: &Event| match event {
        Event::Failed { call, of } => STORE.contains(&&**call) && of.is_some(),
        _ => false,
    };
    let (before, after) = events.split_at(events.iter().position(matters)?);
    let starts = |event: &Event| matches!(event, Event::Said(line) if line == "starts");
    Some((after.split(starts).next()?, answered(before)))
}

fn answers_at_most(most: usize, ended: &Ended) -> Result<(), String> {
    match after_failure(ended) {
        Some((after, _)) if answered(after) > most => Err(format!("{} answers after {:?}", answered(after), after[0])),
        _ => Ok(()),
    }
}

/// SQLite says nothing of a directory that could not be synced: it must be synced again before anything is answered.
fn names_are_made_sure(ended: &Ended) -> Result<(), String> {
    let events = &ended.run.events;
    let mut disk = Disk::default();
    for event in events {
        match event {
            Event::Stored(change) => disk.apply(change),
            Event::Said(line)
                if event.is_answer() && ["books.db", "books.db-wal"].iter().any(|name| disk.name_waits(name)) =>
            {
                return Err(format!("{line}, and the names of the books were never synced"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn does_nothing_any_more(ended: &Ended) -> Result<(), String> {
    answers_at_most(0, ended)?;
    names_are_made_sure(ended)?;
    let failed = ended.run.events.iter().any(|event| matches!(event, Event::Failed { .. }));
    let Some((after, answered)) = after_failure(ended) else {
        return failed.then_some(()).ok_or("nothing failed".into());
    };
    let is_of_books = |name: &str| name == "books.db" || name == "books.db-wal";
    let writes = |event: &&Event| matches!(event, Event::Stored(Change::Written { name, .. }) if is_of_books(name));
    match (&after[0], after.iter().find(writes)) {
        // While the books were being made there was nothing to lose; a copy that fails is no failure of the books.
        (Event::Failed { of: Some(of), .. }, Some(Event::Stored(Change::Written { name, at, .. })))
            if answered > 0 && is_of_books(of) =>
        {
            Err(format!("{name} was written at {at} after {:?}", after[0]))
        }
        _ => Ok(()),
    }
}

#[test]
fn a_process_killed_before_any_call_has_lost_nothing_that_was_answered() {
    strike(Copying::ByWriter, Fault::Kill, KILLS, is_killed);
}

#[test]
fn killed_while_the_thread_copies_the_log_likewise() {
    strike(Copying::ByThread, Fault::Kill, KILLS / 2, |_| Ok(()));
}

#[test]
fn after_any_call_that_fails_nothing_is_done_any_more() {
    strike(Copying::ByWriter, Fault::Error("EIO"), ERRORS, does_nothing_any_more);
}

#[test]
fn after_any_call_that_finds_the_disk_full_nothing_is_done_any_more() {
    strike(Copying::ByWriter, Fault::Error("ENOSPC"), ERRORS, does_nothing_any_more);
}

/// The writer hears of it with its next commit; one or two may be under way.
#[test]
fn nor_is_anything_after_the_thread_that_copies_the_log_has_failed() {
    let town = Town::new(Path::new(PROGRAM));
    // Beyond the first, which a new database makes before there is a thread, only the thread touches this file.
    let call = |(name, nth): (&str, usize)| Call { name: name.to_owned(), on: Some("books.db"), nth };
    let calls = [("ftruncate", 1), ("fsync", 2), ("fsync", 3), ("pwrite64", 9), ("pwrite64", 20)].map(call);
    strike_at(&town, Copying::ByThread, &calls, Fault::Error("EIO"), |ended| answers_at_most(UNDER_WAY, ended));
}
