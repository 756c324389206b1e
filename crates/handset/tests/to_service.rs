//! From phones to services: stored, forwarded, forwarded again.

mod common;

use common::{ALICE, BOB, Line, SHORT_CODE, settings};
use core::time::Duration;
use handset::centre::{Account, Disturbance, Faults, NotOriginated, ORIGINATED_OCTETS, Settings};
use wire::smpp::{BindKind, Event, Status};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_message_waits_for_a_service_and_reaches_it() {
    let mut line = Line::new(settings());
    line.send(ALICE, "BL*1234");
    assert_eq!(line.centre.counters().deliveries, 0);
    let transmitter = line.bind("wakala", "secret", BindKind::Transmitter);
    assert_eq!(line.centre.counters().deliveries, 0, "a transmitter gets nothing");
    let receiver = line.bind("wakala", "secret", BindKind::Receiver);
    assert_eq!(line.esmes[receiver].texts, ["BL*1234"]);
    assert!(line.esmes[transmitter].texts.is_empty());
    line.advance(100 * SECOND);
    assert_eq!(line.esmes[receiver].texts.len(), 1, "once taken it does not come again");
    assert_eq!((line.centre.counters().delivered, line.centre.counters().redeliveries), (1, 0));
}

#[test]
fn credentials_are_checked() {
    for (name, password, status) in
        [("wakala", "wrong", Status::INVALID_PASSWORD), ("nobody", "secret", Status::INVALID_SYSTEM_ID)]
    {
        let mut line = Line::new(settings());
        let esme = line.bind(name, password, BindKind::Transceiver);
        assert!(matches!(line.esmes[esme].events[0], Event::BindRefused(refused) if refused == status));
        assert_eq!((line.centre.counters().binds_refused, line.centre.links().count()), (1, 0));
    }
}

#[test]
fn links_are_bounded() {
    let mut line = Line::new(Settings { links: 1, ..settings() });
    line.bind("wakala", "secret", BindKind::Transceiver);
    assert!(line.centre.connect(line.now).is_err());
    line.centre.drop_links(line.now);
    line.settle();
    line.bind("wakala", "secret", BindKind::Transceiver);
    assert_eq!(line.centre.counters().links_refused, 1);
}

#[test]
fn each_short_code_has_its_service() {
    let account = |name: &str, codes: &[&str]| Account {
        system_id: name.try_into().unwrap(),
        password: "secret".into(),
        short_codes: codes.iter().map(|code| (*code).try_into().unwrap()).collect(),
    };
    let accounts = vec![account("others", &[]), account("wakala", &[SHORT_CODE])];
    let mut line = Line::new(Settings { accounts, ..settings() });
    let others = line.bind("others", "secret", BindKind::Transceiver);
    let wakala = line.bind("wakala", "secret", BindKind::Transceiver);
    for (code, text) in [(SHORT_CODE, "a"), ("777", "b")] {
        line.centre.originate(line.now, ALICE, code, text.as_bytes(), 0, 0).unwrap();
    }
    line.settle();
    assert_eq!((&line.esmes[others].texts[..], &line.esmes[wakala].texts[..]), (&["b".into()][..], &["a".into()][..]));
}

#[test]
fn what_cannot_be_stored_is_refused() {
    let mut line = Line::new(Settings { stored: 2, ..settings() });
    let mut originate = |from: &str, to: &str, body: &[u8]| line.centre.originate(line.now, from, to, body, 0, 0);
    assert!(matches!(originate("WAKALA", SHORT_CODE, b""), Err(NotOriginated::InvalidNumber(_))));
    assert_eq!(originate(ALICE, "1", b""), Err(NotOriginated::NoService));
    assert_eq!(originate(ALICE, SHORT_CODE, &[0; ORIGINATED_OCTETS + 1]), Err(NotOriginated::TooLong));
    assert_eq!(originate(ALICE, SHORT_CODE, b"1"), Ok(()));
    assert_eq!(originate(BOB, SHORT_CODE, b"2"), Ok(()));
    assert_eq!(originate(BOB, SHORT_CODE, b"3"), Err(NotOriginated::Full));
    assert_eq!((line.centre.counters().originated, line.centre.counters().originated_refused), (2, 4));
}

#[test]
fn a_message_comes_again_after_a_passing_refusal_and_not_after_a_final_one() {
    for (status, comes_again) in [
        (Status::TEMPORARY_APPLICATION_ERROR, true),
        (Status::SYSTEM_ERROR, true),
        (Status::QUEUE_FULL, true),
        (Status::THROTTLED, true),
        (Status::PERMANENT_APPLICATION_ERROR, false),
        (Status::REJECTED_BY_APPLICATION, false),
    ] {
        let mut line = Line::bound(settings());
        line.esmes[0].answer = Some(status);
        line.send(ALICE, "BL*1234");
        line.esmes[0].answer = Some(Status::OK);
        line.advance(60 * SECOND);
        let expected = if comes_again { 2 } else { 1 };
        assert_eq!(line.esmes[0].texts.len(), expected, "{status}");
        assert_eq!(line.centre.counters().delivered, u64::from(comes_again), "{status}");
        assert_eq!(line.centre.counters().deliveries_refused, u64::from(!comes_again), "{status}");
    }
}

#[test]
fn a_message_comes_again_when_no_answer_came() {
    let mut line = Line::bound(settings());
    line.esmes[0].answer = None;
    line.send(ALICE, "BL*1234");
    line.advance(14 * SECOND);
    assert_eq!(line.esmes[0].texts.len(), 1);
    line.esmes[0].answer = Some(Status::OK);
    line.advance(SECOND);
    assert_eq!(line.esmes[0].texts.len(), 2, "10 s for the answer and 5 s more");
    assert_eq!((line.centre.counters().deliveries_unanswered, line.centre.counters().delivered), (1, 1));
}

#[test]
fn what_a_dropped_link_left_open_comes_again_on_the_next() {
    let mut line = Line::bound(settings());
    line.esmes[0].answer = None;
    line.send(ALICE, "first");
    line.send(ALICE, "second");
    line.centre.drop_links(line.now);
    line.settle();
    assert_eq!(line.esmes[0].texts, ["first"]);
    let next = line.bind("wakala", "secret", BindKind::Transceiver);
    assert_eq!(line.esmes[next].texts, ["first", "second"]);
    let counters = line.centre.counters();
    assert_eq!((counters.links_dropped, counters.deliveries_unanswered, counters.delivered), (1, 1, 2));
}

#[test]
fn a_dropped_link_hands_over_to_another_at_once() {
    let mut line = Line::bound(settings());
    let other = line.bind("wakala", "secret", BindKind::Transceiver);
    line.esmes.iter_mut().for_each(|esme| esme.answer = None);
    line.send(ALICE, "a");
    let (held, free) = if line.esmes[0].texts.is_empty() { (other, 0) } else { (0, other) };
    line.esmes[free].answer = Some(Status::OK);
    line.centre.drop_link(line.now, line.esmes[held].link);
    line.settle();
    assert_eq!(line.esmes[free].texts, ["a"]);
}

#[test]
fn each_sender_keeps_the_order_whatever_the_answers() {
    let settings = Settings { retry_after: SECOND, ..settings() };
    let mut line = Line::bound(settings);
    line.bind("wakala", "secret", BindKind::Transceiver);
    line.centre.set_faults(Faults {
        to_service: Disturbance { delay: 0.3, lose_answer: 0.3, ..Default::default() },
        ..Default::default()
    });
    for number in 0..50 {
        let answers = [Some(Status::OK), None, Some(Status::TEMPORARY_APPLICATION_ERROR), Some(Status::QUEUE_FULL)];
        line.esmes.iter_mut().enumerate().for_each(|(place, esme)| esme.answer = answers[(number + place) % 4]);
        for sender in [ALICE, BOB] {
            line.send(sender, &format!("{sender} {number:02}"));
        }
        line.advance(SECOND / 2);
    }
    line.esmes.iter_mut().for_each(|esme| esme.answer = Some(Status::OK));
    line.advance(600 * SECOND);
    assert_eq!(line.centre.counters().delivered, 100);
    assert!(line.centre.counters().redeliveries > 20, "{:?}", line.centre.counters());
    // A message may come again, but never after a later one of its sender has come.
    for place in 0..2 {
        for sender in [ALICE, BOB] {
            let texts: Vec<_> = line.esmes[place].texts.iter().filter(|text| text.starts_with(sender)).collect();
            assert!(texts.is_sorted(), "{texts:?}");
        }
    }
}

#[test]
fn what_no_service_takes_expires() {
    let mut line = Line::new(Settings { keep_for: 10 * SECOND, ..settings() });
    line.send(ALICE, "a");
    line.advance(10 * SECOND);
    line.send(ALICE, "b");
    line.bind("wakala", "secret", BindKind::Transceiver);
    assert_eq!(line.esmes[0].texts, ["b"]);
    assert_eq!(line.centre.counters().deliveries_expired, 1);
}

fn disturbed(to_service: Disturbance) -> Line {
    let mut line = Line::bound(settings());
    line.centre.set_faults(Faults { to_service, ..Default::default() });
    for number in 0..100 {
        line.send(ALICE, &format!("{number:03}"));
    }
    line
}

#[test]
fn duplicates_come_later_and_once_more_only() {
    let mut line = disturbed(Disturbance { duplicate: 0.2, ..Default::default() });
    assert_eq!(line.esmes[0].texts.len(), 100);
    line.advance(SECOND);
    let counters = line.centre.counters();
    assert!((10..=35).contains(&counters.duplicated), "{}", counters.duplicated);
    assert_eq!(line.esmes[0].texts.len() as u64, 100 + counters.duplicated);
    assert_eq!(counters.delivered, 100);
}

#[test]
fn reordered_messages_are_overtaken_and_none_is_lost() {
    let mut line = disturbed(Disturbance { reorder: 0.2, ..Default::default() });
    let overtaken = line.centre.counters().reordered;
    assert!((10..=35).contains(&overtaken), "{overtaken}");
    assert_eq!(line.esmes[0].texts.len() as u64, 100 - overtaken);
    line.advance(SECOND);
    assert!(!line.esmes[0].texts.is_sorted());
    line.esmes[0].texts.sort();
    line.esmes[0].texts.dedup();
    assert_eq!(line.esmes[0].texts.len(), 100);
}

#[test]
fn delayed_messages_hold_those_behind_them() {
    let mut line = disturbed(Disturbance { delay: 0.2, ..Default::default() });
    assert!(line.esmes[0].texts.len() < 50);
    line.advance(60 * SECOND);
    assert_eq!(line.esmes[0].texts.len(), 100);
    assert!(line.esmes[0].texts.is_sorted());
    assert!(line.centre.counters().delayed >= 10);
}

#[test]
fn lost_answers_bring_the_message_again() {
    let mut line = disturbed(Disturbance { lose_answer: 0.2, ..Default::default() });
    line.advance(600 * SECOND);
    let counters = line.centre.counters();
    assert!(counters.answers_lost >= 10);
    assert_eq!(line.esmes[0].texts.len() as u64, 100 + counters.answers_lost);
    assert_eq!(counters.redeliveries, counters.answers_lost);
    assert!(line.esmes[0].texts.is_sorted());
}

#[test]
fn a_link_dropped_after_any_pdu_loses_nothing() {
    // bind, its response, deliver_sm, its response: the link may drop after each.
    for (pdus, expected) in [(1, 0), (2, 0), (3, 1), (4, 1)] {
        let mut line = Line::new(settings());
        line.centre.set_faults(Faults { drop_link_after: Some(pdus), ..Default::default() });
        line.send(ALICE, "a");
        line.bind("wakala", "secret", BindKind::Transceiver);
        assert!(line.esmes[0].session.is_closed(), "after {pdus}");
        assert_eq!(line.esmes[0].texts.len(), expected, "after {pdus}");
        line.bind("wakala", "secret", BindKind::Transceiver);
        let again = usize::from(pdus < 4);
        assert_eq!(line.esmes[1].texts.len(), again, "after {pdus}: what was answered does not come again");
        assert_eq!(line.centre.counters().delivered, 1);
        assert_eq!(line.centre.faults().drop_link_after, None);
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut line = Line::seeded(settings(), seed);
        line.bind("wakala", "secret", BindKind::Transceiver);
        let to_service = Disturbance { duplicate: 0.2, reorder: 0.2, delay: 0.2, lose_answer: 0.2 };
        line.centre.set_faults(Faults { to_service, ..Default::default() });
        (0..50).for_each(|number| line.send(ALICE, &number.to_string()));
        line.advance(600 * SECOND);
        (line.esmes.remove(0).texts, line.centre.counters())
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5).0, run(6).0);
}

#[test]
fn close_unbinds_in_order() {
    let mut line = Line::bound(settings());
    line.centre.close(line.now);
    line.settle();
    assert!(line.esmes[0].events.iter().any(|event| matches!(event, Event::Closed(wire::smpp::Closed::PeerUnbound))));
    assert_eq!(line.centre.links().count(), 0);
}
