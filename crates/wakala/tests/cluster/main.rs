//! Several processes on one PostgreSQL server, each with its own bind: whichever hears a message, and whoever decides when it is
//! killed, stopped or cut off, each request has one effect, and everybody is told.

#[path = "../common/mod.rs"]
mod common;
mod link;
#[path = "../../../data-center/tests/support/server.rs"]
mod server;
mod staff;
mod town;
mod upgrade;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use rustix::process::Signal;
use serde_json::{Value, json};

use common::service::CUSTOMERS;
use town::{LINKED, Town, Way};

/// How often the process that decides is killed; a hundred times in the long form.
const TAKE_OVERS: u64 = 10;
const LONG_TAKE_OVERS: u64 = 100;
const TRANSFERS_A_ROUND: u64 = 12;
/// What the requirement says.
const WITHIN: Duration = Duration::from_secs(5);

fn is_long() -> bool {
    std::env::var_os("WAKALA_SOAK").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_takes_over_within_five_seconds_with_nothing_lost_or_doubled() {
    let seed = std::env::var("WAKALA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let take_overs = if is_long() { LONG_TAKE_OVERS } else { TAKE_OVERS };
    println!("seed {seed}, {take_overs} times");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut town = Town::with(3).await;
    town.start_all().await;
    let faults = json!({ "seed": seed, "duplicate": 0.1, "delay_ms": 20, "redeliver_ms": 15000, "attempts": 100_000 });
    town.world.centre().faults(faults).await;
    let mut gaps = Vec::new();
    for _ in 0..take_overs {
        for _ in 0..TRANSFERS_A_ROUND {
            town.say(rng.random_range(0..CUSTOMERS));
        }
        town.words(rng.random_range(0..TRANSFERS_A_ROUND as usize * 6)).await;
        let decider = town.decider();
        let killed = Instant::now();
        town.services[decider].take().expect("it runs").signal(Signal::KILL);
        // What is said now is heard by processes that cannot decide yet.
        (0..3).for_each(|to| town.say(to));
        let (_, gap) = town.taken_over(decider, killed).await;
        gaps.push(gap);
        town.start(decider).await;
    }
    let longest = gaps.iter().max().copied().unwrap_or_default();
    println!("take-overs: {}, the longest {} ms", gaps.len(), longest.as_millis());
    assert!(longest < WITHIN, "{longest:?}");
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stood_still_while_another_took_over_commits_nothing_and_ends() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    town.world.centre().faults(json!({ "seed": 2, "delay_ms": 20, "redeliver_ms": 15000 })).await;
    (0..30).for_each(|to| town.say(to));
    town.words(20).await;
    let stopped = town.decider();
    let since = Instant::now();
    town.service(stopped).signal(Signal::STOP);
    (0..10).for_each(|to| town.say(to));
    let (next, gap) = town.taken_over(stopped, since).await;
    assert!(gap < WITHIN, "{gap:?}");
    let term = town.asked(next, &["cluster", "status"])["term"].clone();
    let woken = town.services[stopped].take().expect("it is there");
    woken.signal(Signal::CONT);
    let (status, said) = tokio::task::spawn_blocking(|| woken.outcome()).await.expect("it ended");
    assert!(!status.success() && said.contains("another process has taken it over"), "{said}");
    assert_eq!(town.asked(next, &["cluster", "status"])["term"], term, "the other one decides on");
    town.start(stopped).await;
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_is_cut_off_acknowledges_nothing_and_goes_on_when_the_link_is_back() {
    let mut town = Town::with(2).await;
    let way = Way::to(town.ports[0]).await;
    town.start_with(0, &["--set", &format!("cluster.advertise=127.0.0.1:{}", way.port)]).await;
    town.start(1).await;
    assert_eq!(town.asked(1, &["cluster", "status"])["linked"], true);
    town.world.centre().faults(json!({ "seed": 3, "redeliver_ms": 30000 })).await;
    let since = Instant::now();
    way.cut.send_replace(true);
    town.service(1).wait_for(move |at, said| at > since && said.contains("the link has ended")).await;
    assert_eq!(town.asked(1, &["cluster", "status"])["linked"], false);
    let mark = town.world.centre().mark();
    (0..20).for_each(|to| town.say(to));
    // The edge gives back what it cannot have decided; whoever decides hears it then.
    let given_back =
        |all: &[Value]| all[mark..].iter().find(|report| report["deliver_resp"]["status"] == 100).map(|_| ());
    town.world.centre().wait("a message is given back", given_back).await;
    way.cut.send_replace(false);
    town.service(1).wait_for(move |at, said| at > since && said.contains(LINKED)).await;
    (0..20).for_each(|to| town.say(to));
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_and_comes_back_is_waited_for_by_edges() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    town.world.centre().faults(json!({ "seed": 4, "delay_ms": 20, "redeliver_ms": 15000 })).await;
    (0..20).for_each(|to| town.say(to));
    town.words(20).await;
    let edge = 1 - town.decider();
    town.server.crash();
    town.service(edge).wait_for(|_, said| said.contains("the database cannot be asked")).await;
    town.server.serve();
    (0..20).for_each(|to| town.say(to));
    for id in &town.ids {
        assert_eq!(town.world.centre().acknowledged(id).await, 0);
    }
    // The one that decided went on, or ended with its lease; the edge is there in either case.
    if town.asked(edge, &["cluster", "status"])["role"] == "decides" {
        let ended = town.services[1 - edge].take().expect("it was there");
        let (status, _) = tokio::task::spawn_blocking(|| ended.outcome()).await.expect("it ended");
        assert!(!status.success(), "{status}");
    }
    town.accounted_for().await;
}
