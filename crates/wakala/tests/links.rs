//! Bad lines: throttling, full queues, links cut at every point of an exchange, TLS, several centres and several binds.
#![allow(clippy::inconsistent_digit_grouping, reason = "minor units stand apart: 500_00 is five hundred")]

mod common;

use common::{ALICE, BOB, PIN, STRANGER, World, audit};
use serde_json::json;
use wakala::config::{BindKind, Tls};

const SOME: u64 = 12;

/// A handful of transfers to Bob, each of another amount, while things go wrong; when each has been told to both, both have
/// what they must have.
async fn transfers(world: &World, first: u64) {
    let before = (world.balance(ALICE).await, world.balance(BOB).await);
    for amount in first..first + SOME {
        world.centre().say(ALICE, &format!("TM*{BOB}*{amount}*{PIN}"));
    }
    for amount in first..first + SOME {
        let words = format!("TZS {amount}.00");
        for (to, what) in [("255712000001", "sent to"), ("255712000002", "you received")] {
            World::until(&format!("{to} is told of {amount}"), async || {
                let texts = world.centre().texts(Some(to));
                texts.iter().any(|text| text.words.contains(&words) && text.words.contains(what))
            })
            .await;
        }
    }
    audit::settle(world).await;
    let moved: i64 = (first..first + SOME).map(|amount| amount as i64 * 100).sum();
    assert_eq!(world.balance(BOB).await, before.1 + moved);
    // The fee of 20.00 with its levy of 2.00 for each: the amounts stay within one band.
    assert_eq!(world.balance(ALICE).await, before.0 - moved - SOME as i64 * 22_00);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_bind_pauses_and_loses_nothing() {
    let world = World::new().await;
    world.centre().faults(json!({ "throttle": 0.2, "seed": 3 })).await;
    transfers(&world, 200).await;
    let refused = world.centre().reports().iter().filter(|report| report["refused"]["status"] == 0x58).count();
    assert!(refused > 0, "some were throttled");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_tried_again_later() {
    let world = World::new().await;
    world.centre().faults(json!({ "queue_full": 1.0 })).await;
    let ids: Vec<String> =
        (0..3).map(|index| world.centre().say(ALICE, &format!("TM*{BOB}*{}*{PIN}", 300 + index))).collect();
    for id in &ids {
        // A transfer is a row: acknowledged when it is durable, whatever becomes of its texts.
        assert_eq!(world.centre().acknowledged(id).await, 0);
    }
    let all_refused = |all: &[serde_json::Value]| {
        (all.iter().filter(|report| report["refused"]["status"] == 0x14).count() >= 6).then_some(())
    };
    world.centre().wait("all are refused", all_refused).await;
    World::until("all are to be tried again", async || {
        world.read(|_| ()).await;
        audit::rows(&world.location(), "SELECT 1 FROM messages WHERE state = 3").len() == 6
    })
    .await;
    assert!(world.centre().texts(None).iter().all(|text| !text.words.contains("TZS 300.00")));
    world.centre().faults(json!({ "queue_full": 0 })).await;
    world.hands.advance(61);
    audit::settle(&world).await;
    for words in ["TZS 300.00 sent", "you received TZS 302.00"] {
        assert!(world.centre().texts(None).iter().any(|text| text.words.contains(words)), "{words}");
    }
    world.end().await;
}

/// An answer of no row has nowhere to be kept: the message that asked is given back to the centre, which delivers it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_whose_answer_cannot_be_handed_over_is_asked_again() {
    let world = World::new().await;
    world.centre().faults(json!({ "queue_full": 1.0 })).await;
    let id = world.centre().say(ALICE, &format!("BL*{PIN}"));
    let mark = world.centre().mark();
    world.centre().event("refused", mark.saturating_sub(1)).await;
    world.centre().faults(json!({ "queue_full": 0 })).await;
    world.hands.advance(7);
    let first = |all: &[serde_json::Value]| {
        all.iter()
            .find_map(|report| (report["deliver_resp"]["id"] == *id).then(|| report["deliver_resp"]["status"].clone()))
    };
    assert_eq!(world.centre().wait("an answer", first).await, 0x64);
    assert_eq!(world.centre().acknowledged(&id).await, 0);
    assert_eq!(world.centre().text_to(ALICE).await.words, "Balance TZS 900,000.00.");
    world.end().await;
}

/// Where the link is cut, in the middle of a load.
async fn cut(point: &str) {
    let world = World::new().await;
    world.centre().faults(json!({ "drop_link_after": point, "redeliver_ms": 500 })).await;
    if point == "bind" {
        world.centre().cut().await;
    }
    transfers(&world, 400).await;
    world.centre().faults(json!({ "drop_link_after": point })).await;
    if point == "bind" {
        world.centre().cut().await;
    }
    transfers(&world, 500).await;
    let dropped = world.centre().reports().iter().filter(|report| report["dropped"]["after"] == point).count();
    assert_eq!(dropped, 2, "the link was cut at {point}, twice");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_after_its_bind() {
    cut("bind").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_after_a_message_came() {
    cut("deliver").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_after_a_message_was_acknowledged() {
    cut("deliver_resp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_before_the_centre_took_a_message() {
    cut("submit_lost").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_after_the_centre_took_a_message() {
    cut("submit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_after_the_centre_answered() {
    cut("submit_resp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_cut_again_and_again_under_load() {
    let world = World::new().await;
    world.centre().faults(json!({ "redeliver_ms": 500, "response_delay_ms": 20, "delay_ms": 50 })).await;
    for round in 0..4 {
        let mark = world.centre().mark();
        for amount in 0..SOME {
            world.centre().say(ALICE, &format!("TM*{BOB}*{}*{PIN}", 600 + round * SOME + amount));
        }
        world.centre().event("submit", mark).await;
        world.centre().cut().await;
    }
    World::until("all is received", async || world.balance(BOB).await == 100_000_00 + (600..648).sum::<i64>() * 100)
        .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_ends_the_bind_is_bound_again() {
    let world = World::new().await;
    world.centre().unbind().await;
    world.centre().bound(2).await;
    transfers(&world, 700).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_ask_for_signs_of_life_and_give_them() {
    let world = World::with(|config| config.message_centre[0].enquire_link_seconds = 1).await;
    world.centre().enquire().await;
    let mark = world.centre().mark();
    world.centre().event("enquire_link", mark).await;
    world.centre().event("enquire_link", world.centre().mark()).await;
    transfers(&world, 750).await;
    world.end().await;
}

/// A wrong password is no reason to give up: it is tried again, slowly.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_bind_is_tried_again() {
    let world = World::new().await;
    world.centre().faults(json!({ "bind_status": 0x0d })).await;
    world.centre().cut().await;
    let refused = |all: &[serde_json::Value]| {
        (all.iter().filter(|report| report["bind"]["status"] == 0x0d).count() >= 2).then_some(())
    };
    world.centre().wait("two refused binds", refused).await;
    world.centre().faults(json!({ "bind_status": 0 })).await;
    transfers(&world, 800).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_centre_is_left_and_bound_again() {
    let world = World::with(|config| {
        config.message_centre[0].enquire_link_seconds = 1;
        config.message_centre[0].response_timeout_seconds = 1;
    })
    .await;
    world.centre().faults(json!({ "silent": true })).await;
    let mark = world.centre().mark();
    world.centre().event("close", mark).await;
    world.centre().faults(json!({ "silent": false })).await;
    transfers(&world, 820).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_told_before_a_restart_is_told_after_it() {
    let mut world = World::new().await;
    world.centre().faults(json!({ "queue_full": 1.0 })).await;
    let id = world.centre().say(ALICE, &format!("TM*{STRANGER}*900*{PIN}"));
    assert_eq!(world.centre().acknowledged(&id).await, 0);
    world.stop().await;
    world.centre().faults(json!({ "queue_full": 0 })).await;
    world.hands.advance(1);
    // What is told after the start counts, however soon it comes.
    world.centre().skip_read();
    world.start().await;
    let password = world.centre().text_to(STRANGER).await.digits_after("Password ");
    assert_eq!(password.len(), 8);
    // The message itself is known: once is enough.
    assert!(world.centre().text_to(ALICE).await.words.contains("TZS 900.00 for"));
    let again = world.ask(ALICE, &format!("TM*{STRANGER}*900*{PIN}")).await.words;
    assert!(again.starts_with("Same message again: it counts once only."), "{again}");
    world.end().await;
}

/// Says so many transfers at once and waits until all were done and told.
async fn flood(world: &World, count: u64) {
    for index in 0..count {
        world.centre().say(ALICE, &format!("TM*{BOB}*{}.{:02}*{PIN}", 200 + index / 100, index % 100));
    }
    let sum: i64 = (0..count as i64).map(|index| 200_00 + index).sum();
    World::until("all is received", async || world.balance(BOB).await == 100_000_00 + sum).await;
    audit::settle(world).await;
}

/// What finds no room in memory stays in the log and is told from there.
#[tokio::test(flavor = "multi_thread")]
async fn more_notices_than_there_is_room_for_are_all_told() {
    let world = World::with(|config| {
        config.messages.queue_messages = 64;
        config.message_centre[0].window = 8;
    })
    .await;
    world.centre().faults(json!({ "response_delay_ms": 20 })).await;
    flood(&world, 400).await;
    world.end().await;
}

/// What finds no room for a decision is given back to the centre, which delivers it again.
#[tokio::test(flavor = "multi_thread")]
async fn more_messages_than_there_is_room_for_are_all_done() {
    let world = World::with(|config| {
        config.ledger.queue_requests = 64;
        config.ledger.batch_requests = 1;
    })
    .await;
    world.centre().faults(json!({ "window": 2000, "attempts": 1000 })).await;
    flood(&world, 600).await;
    let given_back = world.centre().reports().iter().filter(|report| report["deliver_resp"]["status"] == 0x64).count();
    assert!(given_back > 0, "the queue was never full");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_through_the_centre_of_their_prefix_and_answers_too() {
    let world = World::bare(&[&["--first-id", "1000"], &["--first-id", "2000"]], |config| {
        config.message_centre[1].prefixes = vec!["25576".to_owned()];
    })
    .await;
    world.people().await;
    let vodacom = "+255762000001";
    world.customer(vodacom, 1_000).await;
    let sent = world.ask(ALICE, &format!("TM*{vodacom}*500*{PIN}")).await.words;
    assert!(sent.contains("sent to +255762000001"), "{sent}");
    assert!(world.centres[1].text_to(vodacom).await.words.contains("you received TZS 500.00"));
    audit::settle(&world).await;
    assert!(world.centres[0].texts(None).iter().all(|text| !text.to.starts_with("25576")));
    assert!(world.centres[1].texts(None).iter().all(|text| text.to.starts_with("25576")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_binds_share_the_work_of_one_centre() {
    let world = World::with(|config| config.message_centre[0].binds = 3).await;
    world.centre().bound(3).await;
    transfers(&world, 850).await;
    let sessions: std::collections::BTreeSet<u64> =
        world.centre().reports().iter().filter_map(|report| report["submit"]["session"].as_u64()).collect();
    assert_eq!(sessions.len(), 3, "all binds send");
    world.end().await;
}

/// Two directions, two binds: what the receiver takes the transmitter answers.
#[tokio::test(flavor = "multi_thread")]
async fn receiver_and_transmitter_are_binds_of_their_own() {
    let world = World::bare(&[&["--account", "wakala:secret"]], |config| {
        let both = config.message_centre[0].clone();
        config.message_centre[0].bind = BindKind::Transmitter;
        let receiver = wakala::config::MessageCentre {
            name: "receiver".to_owned(),
            bind: BindKind::Receiver,
            prefixes: vec!["999".to_owned()],
            ..both
        };
        config.message_centre.push(receiver);
    })
    .await;
    world.centre().bound(2).await;
    let answer = world.ask(ALICE, "HP").await.words;
    assert!(answer.contains("To open an account"), "{answer}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_may_be_tls_with_certificates_on_both_sides() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let certified = certificates(&folder);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let options = ["--key", &path("centre.key"), "--cert", &path("centre.pem"), "--client-ca", &path("ca.pem")];
    let tls = |certificate: bool, name: &str| Tls {
        ca_file: Some(folder.path().join("ca.pem")),
        certificate_file: certificate.then(|| folder.path().join("wakala.pem")),
        key_file: certificate.then(|| folder.path().join("wakala.key")),
        server_name: Some(name.to_owned()),
    };
    certified.expect("certificates");
    let world = World::bare(&[&options], |config| config.message_centre[0].tls = Some(tls(true, "centre.test"))).await;
    world.people().await;
    transfers(&world, 900).await;
    world.end().await;

    // Neither a centre of another name nor a platform without a certificate gets as far as a bind.
    for (certificate, name) in [(true, "other.test"), (false, "centre.test")] {
        let world =
            World::bare(&[&options], |config| config.message_centre[0].tls = Some(tls(certificate, name))).await;
        world.centre().event("link_error", 0).await;
        assert!(world.centre().reports().iter().all(|report| report.get("bind").is_none()));
        world.end().await;
    }
}

/// A certificate authority, a centre's certificate for "centre.test" and the platform's own, in files.
fn certificates(folder: &tempfile::TempDir) -> Result<(), rcgen::Error> {
    let save = |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("a writable folder");
    // A certificate whose subject is its issuer's would be taken for self-signed.
    let named = |names: Vec<String>, name: &str| {
        let mut params = rcgen::CertificateParams::new(names)?;
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        Ok::<_, rcgen::Error>(params)
    };
    let mut authority = named(Vec::new(), "authority of the tests")?;
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate()?;
    let certificate = authority.self_signed(&key)?;
    save("ca.pem", certificate.pem());
    let issuer = rcgen::Issuer::new(authority, key);
    for (file, name) in [("centre", "centre.test"), ("wakala", "wakala.test")] {
        let key = rcgen::KeyPair::generate()?;
        let signed = named(vec![name.to_owned()], name)?.signed_by(&key, &issuer)?;
        save(&format!("{file}.pem"), signed.pem());
        save(&format!("{file}.key"), key.serialize_pem());
    }
    Ok(())
}

/// Whoever stops need not wait for a centre that takes a connection and then says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_connection_that_is_being_made() {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let host = format!("127.0.0.1:{}", mute.local_addr().expect("an address").port());
    let mut world = World::bare(&[&[]], |config| {
        config.message_centre[0].hosts = vec![host];
        config.message_centre[0].tls = Some(Tls { server_name: Some("centre.test".to_owned()), ..Tls::default() });
    })
    .await;
    let (_connection, _) = mute.accept().expect("a connection");
    let begun = std::time::Instant::now();
    world.stop().await;
    // Far less than the ten seconds that a handshake may take.
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    world.start().await;
    world.end().await;
}

/// Nobody is bound to a centre that is not there, and the platform starts all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let world = World::with(|config| {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let gone = format!("127.0.0.1:{}", free.local_addr().expect("an address").port());
        config.message_centre[0].hosts.insert(0, gone);
    })
    .await;
    transfers(&world, 950 - SOME).await;
    world.end().await;
}
