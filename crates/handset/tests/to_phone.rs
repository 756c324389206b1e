//! From services to phones: acceptance, presence, receipts in every form.

mod common;

use common::{ALICE, BOB, Line, SHORT_CODE, settings, submission};
use core::time::Duration;
use handset::Number;
use handset::centre::{Disturbance, Faults, Presence, ReceiptForm, ReceiptSettings, Settings};
use wire::smpp::{BindKind, Event, MessageId, MessageIdForm, MessageState, Receipt, ShortMessage, Status};

const SECOND: Duration = Duration::from_secs(1);

fn receipts(line: &Line, esme: usize) -> Vec<Receipt> {
    let receipt = |event: &Event| match event {
        Event::Receipt { receipt, .. } => Some(receipt.clone()),
        _ => None,
    };
    line.esmes[esme].events.iter().filter_map(receipt).collect()
}

fn states(line: &Line) -> Vec<MessageState> {
    receipts(line, 0).into_iter().map(|receipt| receipt.state).collect()
}

fn ids(line: &Line, esme: usize) -> Vec<(u64, MessageId)> {
    let id = |event: &Event| match event {
        Event::Submitted { token, result: Ok(id) } => Some((*token, *id)),
        _ => None,
    };
    line.esmes[esme].events.iter().filter_map(id).collect()
}

fn switch(line: &mut Line, phone: &str, presence: Presence) {
    line.centre.set_presence(line.now, Number::try_from(phone).unwrap(), presence).unwrap();
    line.settle();
}

fn with_receipts(receipts: ReceiptSettings) -> Settings {
    Settings { receipts, ..settings() }
}

#[test]
fn a_submitted_message_reaches_its_phone_and_is_reported() {
    for form in [ReceiptForm::Tlvs, ReceiptForm::Text, ReceiptForm::TlvsAndText] {
        for (id_form, receipt_form) in [
            (MessageIdForm::Decimal, MessageIdForm::Decimal),
            (MessageIdForm::Hexadecimal, MessageIdForm::Decimal),
            (MessageIdForm::Decimal, MessageIdForm::Hexadecimal),
            (MessageIdForm::Verbatim, MessageIdForm::Verbatim),
        ] {
            let receipts_settings = ReceiptSettings { form, id_form: receipt_form, ..Default::default() };
            let mut line = Line::bound(Settings { id_form, ..with_receipts(receipts_settings) });
            line.submit(0, submission(ALICE, "hello"), 7);
            assert_eq!(line.phones, [(ALICE[1..].to_owned(), "hello".to_owned())]);
            assert_eq!(line.esmes[0].kinds(), ["bound", "ok", "receipt"]);
            let receipt = receipts(&line, 0).remove(0);
            assert_eq!(ids(&line, 0), [(7, receipt.message_id)], "{form:?} {id_form:?} {receipt_form:?}");
            assert_eq!(receipt.state, MessageState::Delivered);
            assert_eq!(receipt.source.digits.as_str(), Some(&ALICE[1..]));
            assert_eq!(receipt.destination.digits.as_str(), Some(SHORT_CODE));
        }
    }
}

#[test]
fn receipts_come_only_when_asked_for() {
    use MessageState::{Delivered, Enroute, Undeliverable};
    let cases: [(u8, Presence, &[MessageState]); 9] = [
        (0x00, Presence::On, &[]),
        (0x01, Presence::On, &[Delivered]),
        (0x02, Presence::On, &[]),
        (0x02, Presence::Unreachable, &[Undeliverable]),
        (0x03, Presence::On, &[Delivered]),
        (0x03, Presence::Unreachable, &[]),
        (0x01, Presence::Off, &[Enroute]),
        (0x02, Presence::Off, &[]),
        (0x12, Presence::Off, &[Enroute]),
    ];
    for (registered_delivery, presence, expected) in cases {
        let mut line = Line::bound(settings());
        switch(&mut line, ALICE, presence);
        line.submit(0, ShortMessage { registered_delivery, ..submission(ALICE, "hello") }, 1);
        assert_eq!(states(&line), expected, "{registered_delivery:02x} {presence:?}");
    }
}

#[test]
fn a_phone_that_is_off_gets_its_messages_in_order_when_it_is_on() {
    let mut line = Line::bound(settings());
    switch(&mut line, ALICE, Presence::Off);
    for (token, text) in [(1, "first"), (2, "second")] {
        line.submit(0, submission(ALICE, text), token);
    }
    assert!(line.phones.is_empty());
    assert_eq!(line.centre.waiting(), 2);
    switch(&mut line, ALICE, Presence::On);
    let texts: Vec<_> = line.phones.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
    use MessageState::{Delivered, Enroute};
    assert_eq!(states(&line), [Enroute, Enroute, Delivered, Delivered]);
    let sent: Vec<_> = ids(&line, 0).into_iter().map(|(_, id)| id).collect();
    let reported: Vec<_> = receipts(&line, 0).into_iter().map(|receipt| receipt.message_id).collect();
    assert_eq!(reported, [&sent[..], &sent[..]].concat());
    assert_eq!(line.centre.waiting(), 0);
}

#[test]
fn what_waits_too_long_expires() {
    let mut line = Line::bound(Settings { presence: Presence::Off, ..settings() });
    let validity = "000000000500000R".try_into().unwrap();
    line.submit(0, ShortMessage { validity, ..submission(ALICE, "code") }, 1);
    line.submit(0, submission(ALICE, "notice"), 2);
    line.advance(299 * SECOND);
    assert_eq!(states(&line), [MessageState::Enroute; 2]);
    line.advance(SECOND);
    assert_eq!(states(&line)[2..], [MessageState::Expired]);
    assert_eq!(receipts(&line, 0)[2].message_id, ids(&line, 0)[0].1);
    switch(&mut line, ALICE, Presence::On);
    assert_eq!(line.phones.len(), 1, "the other waited on");
    assert_eq!((line.centre.counters().expired, line.centre.counters().to_phones), (1, 1));
}

#[test]
fn a_phone_that_becomes_unreachable_gets_nothing() {
    let mut line = Line::bound(settings());
    switch(&mut line, ALICE, Presence::Off);
    line.submit(0, submission(ALICE, "a"), 1);
    switch(&mut line, ALICE, Presence::Unreachable);
    assert_eq!(states(&line), [MessageState::Enroute, MessageState::Undeliverable]);
    assert!(line.phones.is_empty());
}

#[test]
fn receipts_before_the_response() {
    let before = ReceiptSettings { before_response: true, ..Default::default() };
    let mut line = Line::bound(with_receipts(before.clone()));
    line.submit(0, submission(ALICE, "a"), 1);
    assert_eq!(line.esmes[0].kinds(), ["bound", "receipt", "ok"]);
    line.submit(0, ShortMessage { registered_delivery: 0, ..submission(ALICE, "b") }, 2);
    assert_eq!(line.esmes[0].kinds()[3..], ["ok"], "no receipt is wanted, so none is waited for");
    line.submit(0, ShortMessage { registered_delivery: 2, ..submission(ALICE, "c") }, 3);
    assert_eq!(line.esmes[0].kinds()[4..], ["ok"], "a receipt on failure only, and there was none");

    let mut line = Line::new(with_receipts(before));
    let transmitter = line.bind("wakala", "secret", BindKind::Transmitter);
    line.submit(transmitter, submission(ALICE, "a"), 1);
    assert_eq!(line.esmes[transmitter].kinds(), ["bound", "ok"], "nothing is bound that a receipt could go to");
    let receiver = line.bind("wakala", "secret", BindKind::Receiver);
    assert_eq!(receipts(&line, receiver).len(), 1);
}

#[test]
fn a_response_does_not_wait_for_its_receipt_for_ever() {
    let before = ReceiptSettings { before_response: true, ..Default::default() };
    let mut settings = with_receipts(before);
    settings.link.window = 1;
    let mut line = Line::bound(settings);
    line.esmes[0].answer = None;
    line.send(ALICE, "fills the window");
    line.submit(0, submission(ALICE, "a"), 1);
    assert_eq!(line.esmes[0].kinds(), ["bound"]);
    line.advance(5 * SECOND);
    assert_eq!(line.esmes[0].kinds(), ["bound", "ok"]);
}

#[test]
fn receipts_late_twice_and_out_of_order() {
    let mut line = Line::bound(with_receipts(ReceiptSettings { late: 3 * SECOND, ..Default::default() }));
    line.submit(0, submission(ALICE, "a"), 1);
    assert_eq!(states(&line), []);
    line.advance(3 * SECOND);
    assert_eq!(states(&line), [MessageState::Delivered]);

    let mut line = Line::bound(with_receipts(ReceiptSettings { twice: 1.0, ..Default::default() }));
    line.submit(0, submission(ALICE, "a"), 1);
    assert_eq!(states(&line), [MessageState::Delivered; 2]);

    let mut line = Line::bound(with_receipts(ReceiptSettings { disorder: 0.5, ..Default::default() }));
    (0..20).for_each(|token| line.submit(0, submission(ALICE, "a"), token));
    line.advance(SECOND);
    let sent: Vec<_> = ids(&line, 0).into_iter().map(|(_, id)| id).collect();
    let mut reported: Vec<_> = receipts(&line, 0).into_iter().map(|receipt| receipt.message_id).collect();
    assert_ne!(sent, reported);
    reported.sort_by_key(|id| id.as_str().unwrap().parse::<u64>().unwrap());
    assert_eq!(sent, reported);
}

#[test]
fn a_receipt_that_is_not_taken_comes_again() {
    let mut line = Line::bound(settings());
    line.esmes[0].answer = Some(Status::TEMPORARY_APPLICATION_ERROR);
    line.submit(0, submission(ALICE, "a"), 1);
    line.esmes[0].answer = Some(Status::OK);
    line.advance(5 * SECOND);
    assert_eq!(states(&line), [MessageState::Delivered; 2]);
    line.advance(60 * SECOND);
    assert_eq!((states(&line).len(), line.centre.counters().receipts_delivered), (2, 1));
}

#[test]
fn throttling_and_a_full_queue() {
    let mut line = Line::bound(settings());
    line.centre.set_faults(Faults { throttle: 1.0, ..Default::default() });
    line.submit(0, submission(ALICE, "a"), 1);
    assert_eq!(line.esmes[0].kinds(), ["bound", "throttled"]);
    line.centre.set_faults(Faults { queue_full: 1.0, ..Default::default() });
    line.advance(5 * SECOND);
    assert!(matches!(line.esmes[0].events[2], Event::Submitted { token: 1, result: Err(Status::QUEUE_FULL) }));
    line.centre.set_faults(Faults::default());
    line.submit(0, submission(ALICE, "a"), 2);
    assert_eq!(line.phones.len(), 1);
    let counters = line.centre.counters();
    assert_eq!((counters.submitted, counters.throttled, counters.queue_full, counters.accepted), (3, 1, 1, 1));
}

#[test]
fn held_messages_are_bounded() {
    let mut line = Line::bound(Settings { held: 2, presence: Presence::Off, ..settings() });
    (0..3).for_each(|token| line.submit(0, submission(ALICE, "a"), token));
    assert!(matches!(
        line.esmes[0].events.last(),
        Some(Event::Submitted { token: 2, result: Err(Status::QUEUE_FULL) })
    ));
    switch(&mut line, ALICE, Presence::On);
    line.submit(0, submission(ALICE, "a"), 3);
    assert_eq!(line.phones.len(), 3, "taken messages make room");
    line.esmes[0].session.submit(line.now, submission(ALICE, "a"), 4).ok().unwrap();
    line.settle();
    assert_eq!(line.phones.len(), 4);
}

#[test]
fn phones_are_bounded() {
    let mut line = Line::new(Settings { phones: 1, ..settings() });
    switch(&mut line, ALICE, Presence::Off);
    switch(&mut line, ALICE, Presence::On);
    assert!(line.centre.set_presence(line.now, BOB.try_into().unwrap(), Presence::Off).is_err());
}

#[test]
fn what_cannot_be_understood_is_rejected() {
    let cases = [
        (submission("WAKALA", "a"), Status::INVALID_DESTINATION),
        (
            ShortMessage { schedule: "000000000500000R".try_into().unwrap(), ..submission(ALICE, "a") },
            Status::INVALID_SCHEDULE,
        ),
        (ShortMessage { validity: "soon".try_into().unwrap(), ..submission(ALICE, "a") }, Status::INVALID_EXPIRY),
    ];
    for (message, status) in cases {
        let mut line = Line::bound(settings());
        line.submit(0, message, 1);
        assert!(matches!(line.esmes[0].events[1], Event::Submitted { result: Err(refused), .. } if refused == status));
        assert_eq!((line.centre.counters().rejected, line.phones.len()), (1, 0));
    }
}

#[test]
fn undeliverable_messages_are_reported() {
    let mut line = Line::bound(settings());
    line.centre.set_faults(Faults { undeliverable: 1.0, ..Default::default() });
    line.submit(0, submission(ALICE, "a"), 1);
    assert_eq!(states(&line), [MessageState::Undeliverable]);
    let receipt = receipts(&line, 0).remove(0);
    assert_eq!(receipt.error.unwrap().as_str(), Some("027"));
    assert!(line.phones.is_empty());
}

#[test]
fn disturbances_towards_phones() {
    let disturb = |to_phone| {
        let mut line = Line::bound(settings());
        line.centre.set_faults(Faults { to_phone, ..Default::default() });
        (0..50).for_each(|token| line.submit(0, submission(ALICE, &format!("{token:02}")), token));
        let at_once = line.phones.len();
        line.advance(SECOND);
        (line, at_once)
    };
    let (line, at_once) = disturb(Disturbance { duplicate: 0.5, ..Default::default() });
    assert_eq!((at_once, line.phones.len() as u64), (50, 50 + line.centre.counters().phone_duplicated));
    assert_eq!((states(&line).len(), line.centre.counters().to_phones), (50, 50));
    for disturbance in
        [Disturbance { delay: 0.5, ..Default::default() }, Disturbance { reorder: 0.5, ..Default::default() }]
    {
        let (line, at_once) = disturb(disturbance);
        assert!(at_once < 50);
        assert_eq!((line.phones.len(), states(&line).len()), (50, 50));
        assert!(!line.phones.iter().map(|(_, text)| text).is_sorted());
    }
}

#[test]
fn a_lost_response_leaves_the_service_without_knowledge() {
    let mut line = Line::bound(settings());
    line.centre
        .set_faults(Faults { to_phone: Disturbance { lose_answer: 1.0, ..Default::default() }, ..Default::default() });
    line.submit(0, submission(ALICE, "a"), 1);
    assert_eq!(line.phones.len(), 1);
    line.advance(10 * SECOND);
    assert_eq!(line.esmes[0].kinds(), ["bound", "receipt", "unknown"]);
    line.advance(60 * SECOND);
    assert_eq!(line.esmes[0].kinds(), ["bound", "receipt", "unknown"], "too late, the answer means nothing");
}

#[test]
fn a_link_dropped_after_any_pdu_of_a_submission() {
    // bind and its response, submit_sm, its response, the receipt, its response.
    let cases: [(u64, usize, &[&str]); 4] = [
        (3, 1, &["bound", "unknown", "closed"]),
        (4, 1, &["bound", "ok", "closed"]),
        (5, 1, &["bound", "ok", "receipt", "closed"]),
        (6, 1, &["bound", "ok", "receipt", "closed"]),
    ];
    for (pdus, reached, kinds) in cases {
        let mut line = Line::new(settings());
        line.centre.set_faults(Faults { drop_link_after: Some(pdus), ..Default::default() });
        line.bind("wakala", "secret", BindKind::Transceiver);
        line.submit(0, submission(ALICE, "a"), 1);
        assert_eq!((line.phones.len(), &line.esmes[0].kinds()[..]), (reached, kinds), "after {pdus}");
        line.bind("wakala", "secret", BindKind::Transceiver);
        assert_eq!(receipts(&line, 1).len(), usize::from(pdus < 6), "after {pdus}");
    }
}
