//! Each scenario under many schedules: at random, and with few well-chosen preemptions (PCT), which finds what needs a
//! thread to sleep long. A failure prints its schedule; `shuttle::replay(SCENARIO, "SCHEDULE")` plays it again.

use std::env;

use interleavings::{cards, hands, leases, pools, queues, writers};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

/// Preemptions in a PCT schedule.
const DEPTH: usize = 3;

fn search(schedules: usize, scenario: fn()) {
    let is_soak = env::var_os("WAKALA_SOAK").is_some();
    let schedules = if is_soak { schedules * 100 } else { schedules };
    let seed = env::var("WAKALA_SEED").map_or(20_261_124, |seed| seed.parse().expect("WAKALA_SEED is a number"));
    println!("{schedules} schedules at random and by PCT, WAKALA_SEED={seed}");
    Runner::new(RandomScheduler::new_from_seed(seed, schedules), Config::new()).run(scenario);
    Runner::new(PctScheduler::new_from_seed(seed, DEPTH, schedules), Config::new()).run(scenario);
}

#[test]
fn everything_comes_in_order_and_nobody_waits_for_ever() {
    search(2_000, queues::everything_comes_in_order);
}

#[test]
fn a_closed_queue_gives_what_it_took_and_keeps_nobody() {
    search(2_000, queues::a_closed_queue_gives_what_it_took);
}

#[test]
fn room_for_all_is_told_to_all() {
    search(2_000, queues::room_for_all_is_told_to_all);
}

#[test]
fn a_closed_queue_keeps_no_sender() {
    search(2_000, queues::a_closed_queue_keeps_no_sender);
}

#[test]
fn a_released_receiver_leaves_the_rest_to_the_next() {
    search(2_000, queues::a_released_receiver_leaves_the_rest_to_the_next);
}

#[test]
fn an_abandoned_queue_keeps_nobody() {
    search(2_000, queues::an_abandoned_queue_keeps_nobody);
}

#[test]
fn those_who_do_not_wait_keep_to_the_bound() {
    search(2_000, queues::those_who_do_not_wait_keep_to_the_bound);
}

#[test]
fn everybody_gets_one_of_a_pool_and_nobody_shares() {
    search(2_000, pools::everybody_gets_one_and_nobody_shares);
}

#[test]
fn the_room_of_one_that_cannot_be_made_is_told() {
    search(2_000, pools::the_room_of_one_that_cannot_be_made_is_told);
}

#[test]
fn no_card_gets_the_keys_of_another() {
    search(500, cards::no_card_gets_the_keys_of_another);
}

#[test]
fn no_moment_is_before_one_that_was_told() {
    search(2_000, hands::no_moment_is_before_one_that_was_told);
}

#[test]
fn everything_is_answered_once_it_is_durable() {
    search(1_000, writers::everything_is_answered_once_it_is_durable::<1>);
}

#[test]
fn everything_is_answered_once_it_is_durable_where_two_batches_are_under_way() {
    search(1_000, writers::everything_is_answered_once_it_is_durable::<2>);
}

#[test]
fn a_writer_that_is_stopped_answers_what_it_took() {
    search(1_000, writers::a_writer_that_is_stopped_answers_what_it_took);
}

#[test]
fn a_store_that_fails_keeps_nobody() {
    search(1_000, writers::a_store_that_fails_keeps_nobody::<1>);
}

#[test]
fn a_store_that_fails_with_two_batches_under_way_keeps_nobody() {
    search(1_000, writers::a_store_that_fails_keeps_nobody::<2>);
}

#[test]
fn a_store_that_fails_at_the_last_batch_ends_the_writer() {
    search(1_000, writers::a_store_that_fails_at_the_last_batch_ends_the_writer);
}

#[test]
fn a_decision_that_fails_keeps_nobody() {
    search(1_000, writers::a_decision_that_fails_keeps_nobody);
}

#[test]
fn a_lost_store_keeps_nobody() {
    search(1_000, writers::a_lost_store_keeps_nobody);
}

#[test]
fn what_waits_is_handed_over_or_decided() {
    search(1_000, writers::what_waits_is_handed_over_or_decided);
}

#[test]
fn who_watches_a_lost_lease_is_told_once() {
    search(2_000, leases::who_watches_a_lost_lease_is_told_once);
}

#[test]
fn the_latest_timeline_stays_known() {
    search(2_000, leases::the_latest_timeline_stays_known);
}
