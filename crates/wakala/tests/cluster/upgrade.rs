//! A cluster whose program is replaced, one process after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::common::load::Load;
use crate::town::{DECIDES, Town};
use crate::{WITHIN, is_long};

/// How often each process is restarted.
const ROUNDS: usize = 2;
const LONG_ROUNDS: usize = 20;
/// The lease is three seconds: who waits for its end takes longer than this.
const AT_ONCE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn every_process_is_restarted_one_after_the_other_under_load_with_nothing_lost_or_doubled() {
    let rounds = if is_long() { LONG_ROUNDS } else { ROUNDS };
    let mut town = Town::with(3).await;
    town.start_all().await;
    town.world.centre().faults(json!({ "seed": 5, "delay_ms": 20, "redeliver_ms": 2000, "attempts": 100_000 })).await;
    let load = Load::start(Arc::clone(&town.world), 5, |_| {});
    load.goes_on().await;
    let (begun, mut hand_overs) = (Instant::now(), Vec::new());
    for _ in 0..rounds {
        let decider = town.decider();
        // As the manual says: those that do not decide, then the one that does.
        for index in (0..3).filter(|index| *index != decider).chain([decider]) {
            hand_overs.extend(town.restart(index).await);
            load.goes_on().await;
        }
    }
    let (longest, acknowledged) = (load.longest_gap(begun), load.acknowledged());
    hand_overs.sort();
    println!(
        "{} restarts, {acknowledged} acknowledged, the longest time without an acknowledgement {} ms; the next one decided \
         {:?} after the end of the one before",
        3 * rounds,
        longest.as_millis(),
        hand_overs
    );
    assert_eq!(hand_overs.len(), rounds);
    assert!(hand_overs.iter().all(|gap| *gap < AT_ONCE), "a lease was waited for: {hand_overs:?}");
    assert!(longest < WITHIN, "{longest:?}");
    town.said += load.end().await;
    town.accounted_for().await;
}

/// What a later program leaves in the database: versions of the schema, and who may still write it.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_takes_over_from_a_newer_one_only_where_the_schema_allows_it() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    let strike = async |town: &mut Town| {
        let (decider, since) = (town.decider(), Instant::now());
        town.services[decider].take().expect("it runs").signal(Signal::KILL);
        (1 - decider, since)
    };
    town.server.sql("INSERT INTO migrations VALUES (2, 1, 'of a later program')");
    let (other, since) = strike(&mut town).await;
    town.service(other).wait_for(move |at, said| at > since && said.contains(DECIDES)).await;
    town.start(1 - other).await;
    town.say(1);

    town.server.sql("INSERT INTO migrations VALUES (3, 3, 'of a later program still')");
    let (other, _) = strike(&mut town).await;
    let ended = town.services[other].take().expect("it was there");
    let (status, said) = tokio::task::spawn_blocking(|| ended.outcome()).await.expect("it ended");
    assert!(!status.success() && said.contains("version 3"), "{said}");
    town.server.sql("DELETE FROM migrations WHERE version > 1");
    town.start_all().await;
    town.accounted_for().await;
}
