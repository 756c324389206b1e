//! Receipts in every form, before the response, twice, out of order; messages that do not arrive.

mod common;

use common::{ALICE, BOB, PIN, STRANGER, World, audit};
use data_center::MessageState;
use serde_json::json;
use wakala::config::MessageIdForm;

/// Three transfers whose receipts come in this form; all are heard.
async fn heard(faults: serde_json::Value, forms: Option<(MessageIdForm, MessageIdForm)>) {
    let world = World::with(|config| {
        if let Some((response, receipt)) = forms {
            config.message_centre[0].response_id_form = response;
            config.message_centre[0].receipt_id_form = receipt;
        }
    })
    .await;
    world.centre().faults(faults).await;
    for amount in 200..203 {
        world.centre().say(ALICE, &format!("TM*{BOB}*{amount}*{PIN}"));
    }
    for _ in 0..3 {
        world.centre().text_to(ALICE).await;
        world.centre().text_to(BOB).await;
    }
    // What the platform did not understand would never find its end.
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_parameters_alone() {
    heard(json!({ "receipts": "tlv" }), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_words_alone() {
    heard(json!({ "receipts": "text" }), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_response() {
    heard(json!({ "receipt_before_resp": true, "response_delay_ms": 30 }), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twice() {
    heard(json!({ "receipt_twice": true }), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twice_before_the_response() {
    heard(json!({ "receipt_twice": true, "receipt_before_resp": true, "response_delay_ms": 30 }), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_order() {
    heard(json!({ "receipt_reorder": true }), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_and_duplicated_with_everything_else() {
    let faults = json!({ "receipt_reorder": true, "receipt_twice": true, "delay_ms": 40, "duplicate": 0.3, "seed": 5 });
    heard(faults, None).await;
}

/// The ids of responses are hexadecimal, those of receipts decimal, with parameters or without.
#[tokio::test(flavor = "multi_thread")]
async fn with_ids_in_decimal() {
    for receipts in ["tlv", "text", "both"] {
        let world = World::bare(&[&[]], |config| {
            config.message_centre[0].response_id_form = MessageIdForm::Hexadecimal;
            config.message_centre[0].receipt_id_form = MessageIdForm::Decimal;
        })
        .await;
        world.centre().faults(json!({ "id_form": "decimal", "receipts": receipts })).await;
        world.people().await;
        let mut world = world;
        world.tolerates.decimal_ids = true;
        world.end().await;
    }
}

fn states(world: &World) -> Vec<MessageState> {
    audit::rows(&world.location(), "SELECT state FROM messages ORDER BY notice_id DESC LIMIT 2")
        .iter()
        .rev()
        .filter_map(|row| MessageState::numbered(audit::figure(&row[0]) as u8))
        .collect()
}

async fn stands(world: &World, expected: MessageState) {
    World::until(&format!("the message stands {}", expected.name()), async || {
        world.read(|_| ()).await;
        states(world).contains(&expected)
    })
    .await;
}

fn passwords(world: &World) -> Vec<String> {
    let texts = world.centre().texts(Some(STRANGER.trim_start_matches('+')));
    texts.iter().filter(|text| text.words.contains("Password ")).map(|text| text.digits_after("Password ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_is_tried_again_and_then_arrives() {
    let world = World::new().await;
    world.centre().faults(json!({ "undeliverable": [STRANGER] })).await;
    world.ask(ALICE, &format!("TM*{STRANGER}*500*{PIN}")).await;
    world.centre().text_to(STRANGER).await;
    stands(&world, MessageState::Retrying).await;
    world.centre().faults(json!({ "undeliverable": [] })).await;
    world.hands.advance(61);
    world.centre().text_to(STRANGER).await;
    stands(&world, MessageState::Delivered).await;
    let passwords = passwords(&world);
    assert_eq!(passwords.len(), 2);
    assert_eq!(passwords[0], passwords[1], "the same words again");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_delivered_is_given_up_and_the_rest_goes_on() {
    let mut world = World::new().await;
    world.tolerates.given_up = true;
    world.centre().faults(json!({ "undeliverable": [STRANGER] })).await;
    world.ask(ALICE, &format!("TM*{STRANGER}*500*{PIN}")).await;
    world.centre().text_to(STRANGER).await;
    for (attempt, wait) in [(1, 61), (2, 121), (3, 241)] {
        let retrying = format!("SELECT 1 FROM messages WHERE state = 3 AND attempts = {attempt}");
        World::until("it is to be tried again", async || {
            world.read(|_| ()).await;
            !audit::rows(&world.location(), &retrying).is_empty()
        })
        .await;
        world.hands.advance(wait);
        world.centre().text_to(STRANGER).await;
    }
    stands(&world, MessageState::Undelivered).await;
    assert_eq!(passwords(&world).len(), 4);
    // A code that was given up is gone; its sender asks for another.
    let codes = audit::rows(&world.location(), "SELECT notice_id FROM codes");
    assert!(codes.is_empty(), "{} codes are kept", codes.len());
    world.centre().faults(json!({ "undeliverable": [] })).await;
    let reference = world.centre().texts(Some("255712000001")).last().expect("a text").reference();
    assert!(world.ask(ALICE, &format!("RS*{reference}*{PIN}")).await.words.contains("a new password"));
    world.centre().text_to(STRANGER).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_receipts_a_message_lapses_at_the_end_of_its_validity_and_its_code_is_erased() {
    let mut world = World::new().await;
    audit::settle(&world).await;
    world.tolerates = audit::Tolerance { sent: true, given_up: true, ..audit::Tolerance::default() };
    world.centre().faults(json!({ "receipts": "none" })).await;
    world.ask(ALICE, &format!("TM*{STRANGER}*500*{PIN}")).await;
    world.centre().text_to(STRANGER).await;
    stands(&world, MessageState::Sent).await;
    assert_eq!(audit::rows(&world.location(), "SELECT notice_id FROM codes").len(), 1);
    world.hands.advance(48 * 3600 + 1);
    World::until("both lapse", async || {
        world.read(|_| ()).await;
        states(&world) == [MessageState::Lapsed, MessageState::Lapsed]
    })
    .await;
    assert!(audit::rows(&world.location(), "SELECT notice_id FROM codes").is_empty());
    world.end().await;
}

/// Receipts of messages that were sent before a restart are heard after it.
#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_heard_across_a_restart() {
    let mut world = World::new().await;
    audit::settle(&world).await;
    world.centre().faults(json!({ "delay_ms": 400, "seed": 11 })).await;
    world.centre().say(ALICE, &format!("TM*{BOB}*500*{PIN}"));
    world.centre().text_to(ALICE).await;
    world.centre().text_to(BOB).await;
    world.stop().await;
    world.hands.advance(1);
    world.start().await;
    world.end().await;
}

/// Nobody's receipt harms nothing: it is acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_nothing_are_acknowledged() {
    let world = World::new().await;
    for hex in ["", "69643a", "7374617420", "0000000000"] {
        let fields = json!({ "from": BOB, "to": "15050", "hex": hex, "esm_class": 4, "data_coding": 0 });
        let id = world.centre().deliver(fields);
        assert_eq!(world.centre().acknowledged(&id).await, 0);
    }
    let words = "id:ffff0001 sub:001 dlvrd:001 submit date:2603021200 done date:2603021200 stat:DELIVRD err:000 text:";
    let fields = json!({ "from": BOB, "to": "15050", "text": words, "esm_class": 4 });
    let id = world.centre().deliver(fields);
    assert_eq!(world.centre().acknowledged(&id).await, 0);
    assert_eq!(world.ask(ALICE, &format!("BL*{PIN}")).await.words, "Balance TZS 900,000.00.");
    world.end().await;
}
