//! A fifth of all messages comes twice, a fifth is overtaken, all are late: every request has one effect.
#![allow(clippy::inconsistent_digit_grouping, reason = "minor units stand apart: 500_00 is five hundred")]

mod common;

use common::{AGENT, AGENT_PHONE, PIN, World, audit};
use serde_json::json;

const SEED: u64 = 20_260_302;
const CUSTOMERS: u64 = 8;
const TRANSFERS_EACH: u64 = 25;
const STRANGERS: u64 = 30;
const PURSE: i64 = 60_000;
/// Fee and levy of a transfer of at most 1,000.00.
const CHARGES: i64 = 22_00;

fn customer(index: u64) -> String {
    format!("+2557130000{:02}", index % CUSTOMERS)
}

fn stranger(index: u64) -> String {
    format!("+2557140000{index:02}")
}

/// Says all of it at once and waits until everything has been acknowledged and told.
async fn say_all(world: &World, messages: Vec<(String, String)>) {
    let ids: Vec<String> = messages.iter().map(|(from, text)| world.centre().say(from, text)).collect();
    for id in ids {
        assert_eq!(world.centre().acknowledged(&id).await, 0);
    }
    audit::settle(world).await;
}

fn last_digits(world: &World, number: &str, mark: &str) -> String {
    let texts = world.centre().texts(Some(number.trim_start_matches('+')));
    texts.iter().rev().find(|text| text.words.contains(mark)).map(|text| text.digits_after(mark)).expect("a code")
}

fn rows_of(world: &World, kind: i64) -> i64 {
    let question = format!("SELECT count(*) FROM log WHERE request = {kind} AND refusal IS NULL");
    audit::figure(&audit::rows(&world.location(), &question)[0][0])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_a_mixed_load_has_one_effect() {
    let world = World::bare(&[&[]], |config| config.messages.malformed_answers_per_hour = 1000).await;
    world.office().await;
    for (code, phone) in [(1000, common::TILL_PHONE), (AGENT, AGENT_PHONE)] {
        world.agent(code, phone, 10_000_000).await;
    }
    for index in 0..CUSTOMERS {
        world.customer(&customer(index), PURSE).await;
    }
    let faults = json!({
        "seed": SEED, "duplicate": 0.2, "reorder": 0.2, "delay_ms": 150, "response_delay_ms": 30, "receipt_reorder": true,
        "receipt_twice": true, "receipt_before_resp": false
    });
    world.centre().faults(faults).await;

    // Everybody sends to the next one, and asks this and that in between.
    let mut messages = Vec::new();
    for round in 0..TRANSFERS_EACH {
        for index in 0..CUSTOMERS {
            let (from, to) = (customer(index), customer(index + 1));
            messages.push((from.clone(), format!("TM*{to}*{}*{PIN}", 101 + round * CUSTOMERS + index)));
            match (round + index) % 6 {
                0 => messages.push((from, format!("BL*{PIN}"))),
                1 => messages.push((from, "HP".to_owned())),
                2 => messages.push((from, format!("ST*{PIN}"))),
                3 => messages.push((from, "nonsense".to_owned())),
                _ => {}
            }
        }
    }
    messages
        .extend((0..STRANGERS).map(|index| (customer(index), format!("TM*{}*{}*{PIN}", stranger(index), 500 + index))));
    say_all(&world, messages).await;
    let transfers = i64::try_from(CUSTOMERS * TRANSFERS_EACH + STRANGERS).expect("a few");
    assert_eq!(rows_of(&world, 1), transfers);
    for index in 0..CUSTOMERS {
        let amounts = |of: u64| (0..TRANSFERS_EACH).map(|round| 101 + round * CUSTOMERS + of).sum::<u64>() as i64 * 100;
        let to_strangers = (0..STRANGERS).filter(|other| other % CUSTOMERS == index);
        let (count, sum) =
            to_strangers.fold((0, 0), |(count, sum), other| (count + 1, sum + (500 + other as i64) * 100));
        let sent = amounts(index) + sum + (TRANSFERS_EACH as i64 + count) * CHARGES;
        let received = amounts((index + CUSTOMERS - 1) % CUSTOMERS);
        assert_eq!(world.balance(&customer(index)).await, PURSE * 100 - sent + received, "customer {index}");
    }

    // All strangers ask for codes, then the agent pays all of them.
    let queries = (0..STRANGERS).map(|index| {
        let password = last_digits(&world, &stranger(index), "Password ");
        (stranger(index), format!("QT*{}*{password}*{AGENT}", stranger(index)))
    });
    say_all(&world, queries.collect()).await;
    assert_eq!(rows_of(&world, 2), STRANGERS as i64);
    let claims = (0..STRANGERS).map(|index| {
        let code = last_digits(&world, &stranger(index), ": code ");
        (AGENT_PHONE.to_owned(), format!("GM*{}*{}*{code}*{PIN}", stranger(index), 500 + index))
    });
    let before = world.balance(AGENT_PHONE).await;
    say_all(&world, claims.collect()).await;
    assert_eq!(rows_of(&world, 3), STRANGERS as i64);
    // The agent gets the amount less the operator's half of the withdrawal fee of 100.00, less its levy of 10.00.
    let earned: i64 = (0..STRANGERS).map(|index| (500 + index as i64) * 100 - 60_00).sum();
    let got = world.balance(AGENT_PHONE).await - before;
    assert_eq!(got, earned);
    assert_eq!(world.system(transaction_processing::ids::SystemAccount::TransfersInFlight).await, 0);

    // Some were in fact delivered twice.
    let copies = world.centre().reports().iter().filter(|report| report["deliver"]["copy"] == true).count();
    assert!(copies > 50, "{copies} copies");
    world.end().await;
}
