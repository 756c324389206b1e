//! `wakala serve` under load, killed without warning at whatever it is doing, again and again: everything acknowledged is
//! there, nothing is there twice, and everybody is told.

mod common;

use common::service::{self, CUSTOMERS, Service};
use common::{World, audit};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use serde_json::json;

const SEED: u64 = 7;
/// How often; `WAKALA_KILLS` in the environment says otherwise.
const KILLS: u64 = 200;
const TRANSFERS_A_ROUND: u64 = 12;
const QUIET: &str = "[log]\nlevel = \"warn\"";

/// With the service running again: every transfer is acknowledged, was done once, and told.
async fn accounted_for(world: &World, service: Service, ids: &[String], issued: i64) {
    let centre = world.centre();
    for id in ids {
        assert_eq!(centre.acknowledged(id).await, 0);
    }
    let path = &world.location();
    World::until("everybody is told", async || {
        centre.settle().await;
        audit::untold(path, false) == 0
    })
    .await;
    service.end();
    let counts = "SELECT count(*), count(DISTINCT request_key) FROM log WHERE request = 1 AND refusal IS NULL";
    let expected = i64::try_from(ids.len()).expect("a few thousand");
    assert_eq!(audit::rows(path, counts)[0].iter().map(audit::figure).collect::<Vec<_>>(), [expected, expected]);
    audit::audit(world, issued);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let kills = std::env::var("WAKALA_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let (world, issued) = service::stopped(|_| {}).await;
    let configuration = service::configuration(&world, "wakala", QUIET);
    let centre = world.centre();
    let mut rng = StdRng::seed_from_u64(SEED);

    centre
        .faults(json!({ "seed": SEED, "duplicate": 0.1, "delay_ms": 20, "redeliver_ms": 2000, "attempts": 100_000 }))
        .await;
    let mut ids = Vec::new();
    for round in 0..kills {
        let service = Service::bound(&world, &configuration).await;
        for index in 0..TRANSFERS_A_ROUND {
            ids.push(service::say(&world, round * TRANSFERS_A_ROUND + index, rng.random_range(0..CUSTOMERS)));
        }
        // Struck down in the middle: after so many more words between the two.
        let words = rng.random_range(0..TRANSFERS_A_ROUND as usize * 6);
        let from = centre.mark();
        centre.wait("words are exchanged", |all| (all.len() >= from + words).then_some(())).await;
        service.kill();
    }
    let again = centre.reports().iter().filter(|report| report["deliver"]["attempt"].as_u64() > Some(1)).count();
    assert!(again as u64 > kills, "it was struck down in the middle: {again} messages came again");
    let service = Service::bound(&world, &configuration).await;
    accounted_for(&world, service, &ids, issued).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_asked_to_stop_ends_in_order_under_load() {
    let (world, issued) = service::stopped(|_| {}).await;
    let configuration = service::configuration(&world, "wakala", QUIET);
    world.centre().faults(json!({ "seed": SEED, "delay_ms": 20, "redeliver_ms": 2000 })).await;
    let mut ids = Vec::new();
    for round in 0..3 {
        let service = Service::bound(&world, &configuration).await;
        ids.extend((0..40).map(|index| service::say(&world, round * 40 + index, index)));
        let from = world.centre().mark();
        world.centre().wait("words are exchanged", |all| (all.len() >= from + 50).then_some(())).await;
        let at_end = world.centre().mark();
        tokio::task::spawn_blocking(move || service.end()).await.expect("it ended in order");
        let unbound = world.centre().reports()[at_end..].iter().any(|report| report.get("unbind").is_some());
        assert!(unbound, "it took its leave");
    }
    let service = Service::bound(&world, &configuration).await;
    accounted_for(&world, service, &ids, issued).await;
}
