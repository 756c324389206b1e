//! Two sessions talk to each other over a line that the test carries by hand.

use core::num::NonZeroU32;
use core::time::Duration;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use wire::smpp::*;

const SECOND: Duration = Duration::from_secs(1);

struct Pair {
    now: Duration,
    esme: Session,
    centre: Session,
}

impl Pair {
    fn new(kind: BindKind, link: LinkConfig) -> Self {
        let now = Duration::from_secs(1_000_000);
        let client = ClientConfig {
            system_id: "wakala".try_into().unwrap(),
            password: "secret".into(),
            system_type: Text::EMPTY,
            kind,
            link: link.clone(),
        };
        let server = ServerConfig { system_id: "centre".try_into().unwrap(), link };
        Self { now, esme: Session::client(client, now), centre: Session::server(server, now) }
    }

    fn bound(kind: BindKind, link: LinkConfig) -> Self {
        let mut pair = Self::new(kind, link);
        pair.carry();
        assert!(
            matches!(pair.centre.poll_event(), Some(Event::BindRequested(bind)) if bind.password.expose() == "secret")
        );
        pair.centre.accept_bind();
        pair.carry();
        assert!(
            matches!(pair.esme.poll_event(), Some(Event::Bound { system_id, .. }) if system_id.as_str() == Some("centre"))
        );
        assert!(
            matches!(pair.centre.poll_event(), Some(Event::Bound { system_id, .. }) if system_id.as_str() == Some("wakala"))
        );
        pair
    }

    /// Carries octets both ways until nobody has any.
    fn carry(&mut self) {
        loop {
            let (mut up, mut down) = (Vec::new(), Vec::new());
            let any = self.esme.poll_transmit(&mut up) | self.centre.poll_transmit(&mut down);
            if !any {
                return;
            }
            self.centre.handle_bytes(self.now, &up);
            self.esme.handle_bytes(self.now, &down);
        }
    }

    /// The clock moves to the earliest deadline.
    fn next_deadline(&mut self) {
        let deadlines = [self.esme.poll_timeout(), self.centre.poll_timeout()];
        self.now = self.now.max(deadlines.into_iter().flatten().min().unwrap());
        self.esme.handle_timeout(self.now);
        self.centre.handle_timeout(self.now);
    }

    fn submit(&mut self, token: u64) -> Result<(), Refusal> {
        let message = ShortMessage { body: token.to_string().into_bytes().into(), ..Default::default() };
        self.esme.submit(self.now, message, token).map_err(|not_taken| not_taken.why)
    }
}

fn events(session: &mut Session) -> Vec<String> {
    std::iter::from_fn(|| session.poll_event()).map(|event| format!("{event:?}")).collect()
}

/// Sequence and body of each message that waits for an answer at the centre.
fn requested(centre: &mut Session) -> Vec<(u32, u64)> {
    std::iter::from_fn(|| centre.poll_event())
        .filter_map(|event| match event {
            Event::SubmitRequested { sequence, message } => {
                Some((sequence, std::str::from_utf8(&message.body).unwrap().parse().unwrap()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn window_and_queue_are_bounds() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig { window: 3, queue: 5, ..LinkConfig::default() });
    for token in 0..8 {
        pair.submit(token).unwrap();
    }
    assert_eq!(pair.submit(8), Err(Refusal::Full));
    assert_eq!((pair.esme.in_flight(), pair.esme.queued()), (3, 5));
    pair.carry();
    let first = requested(&mut pair.centre);
    assert_eq!(first.iter().map(|(_, token)| *token).collect::<Vec<_>>(), [0, 1, 2]);
    for (sequence, token) in first {
        assert!(pair.centre.accept_submit(sequence, token.to_string().as_str().try_into().unwrap()));
        assert!(!pair.centre.respond(sequence, Status::OK), "once only");
    }
    pair.carry();
    assert_eq!(requested(&mut pair.centre).len(), 3);
    let expected: Vec<String> = (0..3).map(|t| format!("Submitted {{ token: {t}, result: Ok(\"{t}\") }}")).collect();
    assert_eq!(events(&mut pair.esme), expected);
}

#[test]
fn directions_follow_the_bind() {
    let mut receiver = Pair::bound(BindKind::Receiver, LinkConfig::default());
    assert_eq!(receiver.submit(1), Err(Refusal::WrongDirection));
    assert!(receiver.centre.deliver(receiver.now, ShortMessage::default(), 1).is_ok());
    let mut transmitter = Pair::bound(BindKind::Transmitter, LinkConfig::default());
    assert_eq!(transmitter.submit(1), Ok(()));
    let refused = transmitter.centre.deliver(transmitter.now, ShortMessage::default(), 1);
    assert_eq!(refused.unwrap_err().why, Refusal::WrongDirection);
    let long = ShortMessage { body: vec![0; 65_000].into(), ..Default::default() };
    assert_eq!(transmitter.esme.submit(transmitter.now, long, 2).unwrap_err().why, Refusal::TooLong);
}

#[test]
fn refused_bind_ends_the_session() {
    let mut pair = Pair::new(BindKind::Transceiver, LinkConfig::default());
    pair.submit(5).unwrap();
    pair.carry();
    pair.centre.refuse_bind(Status::INVALID_PASSWORD);
    pair.carry();
    let expected =
        ["BindRefused(INVALID_PASSWORD (0x0e))", "Unsent { token: 5 }", "Closed(BindRefused(INVALID_PASSWORD (0x0e)))"];
    assert_eq!(events(&mut pair.esme), expected);
    assert_eq!(pair.submit(6), Err(Refusal::Closed));
    assert!(pair.esme.poll_timeout().is_none() && pair.esme.is_closed() && pair.centre.is_closed());
}

#[test]
fn nobody_answers_the_bind() {
    let mut pair = Pair::new(BindKind::Transceiver, LinkConfig::default());
    pair.next_deadline();
    assert_eq!(events(&mut pair.esme), ["Closed(BindTimeout)"]);
    assert_eq!(events(&mut pair.centre), ["Closed(BindTimeout)"]);
}

#[test]
fn throttled_messages_pause_the_bind_and_keep_their_order() {
    let link = LinkConfig {
        window: 4,
        throttle_pause: 60 * SECOND,
        enquire_link_interval: 200 * SECOND,
        ..LinkConfig::default()
    };
    let mut pair = Pair::bound(BindKind::Transceiver, link);
    for token in 0..6 {
        pair.submit(token).unwrap();
    }
    pair.carry();
    let first = requested(&mut pair.centre);
    pair.centre.accept_submit(first[0].0, MessageId::EMPTY);
    for (sequence, _) in first[1..].iter().rev() {
        pair.centre.respond(*sequence, Status::THROTTLED);
    }
    pair.carry();
    // All that one read brings is known before anything goes out, so message 4 does not overtake.
    assert!(requested(&mut pair.centre).is_empty());
    let seen = events(&mut pair.esme);
    assert_eq!(seen[0], "Submitted { token: 0, result: Ok(\"\") }");
    assert_eq!(seen[1..], [format!("Throttled {{ until: {:?} }}", pair.now + 60 * SECOND)]);
    assert_eq!(pair.esme.poll_timeout(), Some(pair.now + 60 * SECOND));
    pair.next_deadline();
    pair.carry();
    let again: Vec<u64> = requested(&mut pair.centre).into_iter().map(|(_, token)| token).collect();
    assert_eq!(again, [1, 2, 3, 4]);
}

#[test]
fn other_refusals_are_the_owners() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig::default());
    let cases = [
        (Status::QUEUE_FULL, StatusKind::QueueFull),
        (Status::SYSTEM_ERROR, StatusKind::Retry),
        (Status::TEMPORARY_APPLICATION_ERROR, StatusKind::Retry),
        (Status::INVALID_DESTINATION, StatusKind::Final),
        (Status::SUBMIT_FAILED, StatusKind::Final),
        (Status::PERMANENT_APPLICATION_ERROR, StatusKind::Final),
        (Status::REJECTED_BY_APPLICATION, StatusKind::Final),
        (Status(0x0400), StatusKind::Final),
    ];
    for (token, (status, kind)) in cases.into_iter().enumerate() {
        pair.submit(token as u64).unwrap();
        pair.carry();
        let (sequence, _) = requested(&mut pair.centre)[0];
        pair.centre.respond(sequence, status);
        pair.carry();
        let Some(Event::Submitted { result: Err(refusal), .. }) = pair.esme.poll_event() else { panic!("{status}") };
        assert_eq!((refusal, refusal.kind()), (status, kind));
    }
}

#[test]
fn rate_is_kept() {
    let rate = Rate { per_second: NonZeroU32::new(10).unwrap(), burst: NonZeroU32::new(5).unwrap() };
    let link = LinkConfig { window: 100, rate: Some(rate), ..LinkConfig::default() };
    let mut pair = Pair::bound(BindKind::Transceiver, link);
    let start = pair.now;
    for token in 0..25 {
        pair.submit(token).unwrap();
    }
    let mut sent = Vec::new();
    while sent.len() < 25 {
        pair.carry();
        for (sequence, token) in requested(&mut pair.centre) {
            pair.centre.accept_submit(sequence, MessageId::EMPTY);
            sent.push((token, (pair.now - start).as_millis()));
        }
        pair.next_deadline();
    }
    let expected: Vec<_> = (0..25u64).map(|token| (token, u128::from(token.saturating_sub(4)) * 100)).collect();
    assert_eq!(sent, expected);
}

#[test]
fn silence_is_asked_about_and_then_left() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig::default());
    // As long as somebody answers, the link stands.
    for _ in 0..20 {
        pair.next_deadline();
        pair.carry();
    }
    assert!(pair.esme.is_bound() && pair.centre.is_bound());
    // Nobody carries any more.
    pair.submit(1).unwrap();
    let start = pair.now;
    while !pair.esme.is_closed() || !pair.centre.is_closed() {
        pair.next_deadline();
        assert!(pair.now <= start + 41 * SECOND);
    }
    assert_eq!(events(&mut pair.esme), ["Unknown { token: 1 }", "Closed(Silent)"]);
    assert_eq!(events(&mut pair.centre), ["Closed(Silent)"]);
}

#[test]
fn overdue_responses_are_unknown_and_too_late_later() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig { window: 1, ..LinkConfig::default() });
    pair.submit(1).unwrap();
    pair.submit(2).unwrap();
    pair.carry();
    let (sequence, _) = requested(&mut pair.centre)[0];
    pair.next_deadline();
    assert_eq!(events(&mut pair.esme), ["Unknown { token: 1 }"]);
    pair.carry();
    assert_eq!(requested(&mut pair.centre).len(), 1, "the window is free again");
    pair.centre.accept_submit(sequence, MessageId::EMPTY);
    pair.carry();
    assert!(events(&mut pair.esme).is_empty());
}

#[test]
fn delivered_messages_wait_for_the_owner_and_are_bounded() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig { inbound_window: 2, ..LinkConfig::default() });
    for token in 0..3 {
        pair.centre.deliver(pair.now, ShortMessage::default(), token).unwrap();
    }
    pair.carry();
    assert_eq!(events(&mut pair.centre), ["Submitted { token: 2, result: Err(QUEUE_FULL (0x14)) }"]);
    assert_eq!(pair.esme.undecided(), 2);
    let mut sequences = Vec::new();
    while let Some(Event::Delivered { sequence, .. }) = pair.esme.poll_event() {
        sequences.push(sequence);
    }
    // In any order, with any status.
    pair.esme.respond(sequences[1], Status::TEMPORARY_APPLICATION_ERROR);
    pair.esme.respond(sequences[0], Status::OK);
    pair.carry();
    let temporary = "Submitted { token: 1, result: Err(TEMPORARY_APPLICATION_ERROR (0x64)) }";
    assert_eq!(events(&mut pair.centre), [temporary, "Submitted { token: 0, result: Ok(\"\") }"]);
}

#[test]
fn receipts_may_come_before_the_response_late_or_twice() {
    let link = LinkConfig {
        response_id_form: MessageIdForm::Hexadecimal,
        receipt_id_form: MessageIdForm::Decimal,
        ..LinkConfig::default()
    };
    let mut pair = Pair::bound(BindKind::Transceiver, link);
    let receipt = |id: &str, state| ShortMessage {
        esm_class: 0x04,
        body: receipt::text(id, state, "2611220000", "2611220001", 0).into_bytes().into(),
        ..Default::default()
    };
    pair.submit(1).unwrap();
    pair.carry();
    let (sequence, _) = requested(&mut pair.centre)[0];
    pair.centre.deliver(pair.now, receipt("0000007002", MessageState::Delivered), 1).unwrap();
    pair.carry();
    pair.centre.accept_submit(sequence, "1B5A".try_into().unwrap());
    for token in 2..4 {
        pair.centre.deliver(pair.now, receipt("7002", MessageState::Delivered), token).unwrap();
    }
    let strange = ShortMessage { esm_class: 0x04, body: b"BL*1234".as_slice().into(), ..Default::default() };
    pair.centre.deliver(pair.now, strange, 4).unwrap();
    pair.carry();
    let (mut ids, mut unreadable) = (Vec::new(), 0);
    while let Some(event) = pair.esme.poll_event() {
        match event {
            Event::Receipt { sequence, receipt } => {
                assert_eq!(receipt.state, MessageState::Delivered);
                assert!(pair.esme.respond(sequence, Status::OK));
                ids.push(receipt.message_id);
            }
            Event::Submitted { token: 1, result: Ok(id) } => ids.push(id),
            Event::UnreadableReceipt { sequence, .. } => {
                unreadable += 1;
                assert!(pair.esme.respond(sequence, Status::OK));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((ids.len(), unreadable), (4, 1));
    assert!(ids.iter().all(|id| id.as_str() == Some("7002")));
}

#[test]
fn close_drains_and_unbinds() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig { window: 1, ..LinkConfig::default() });
    pair.submit(1).unwrap();
    pair.submit(2).unwrap();
    pair.centre.deliver(pair.now, ShortMessage::default(), 1).unwrap();
    pair.carry();
    pair.esme.close(pair.now);
    assert_eq!(pair.submit(3), Err(Refusal::Closed));
    let Some(Event::Delivered { sequence, .. }) = pair.esme.poll_event() else { panic!() };
    // What comes now is for the next bind.
    pair.centre.deliver(pair.now, ShortMessage::default(), 2).ok();
    let (submitted, _) = requested(&mut pair.centre)[0];
    pair.centre.accept_submit(submitted, MessageId::EMPTY);
    pair.carry();
    assert!(!pair.centre.is_closed(), "the owner has not answered yet");
    assert!(pair.esme.respond(sequence, Status::OK));
    pair.carry();
    assert_eq!(
        events(&mut pair.esme),
        ["Unsent { token: 2 }", "Submitted { token: 1, result: Ok(\"\") }", "Closed(Unbound)"]
    );
    let last = events(&mut pair.centre);
    assert_eq!(last.last().map(String::as_str), Some("Closed(PeerUnbound)"));
    assert!(last.contains(&"Submitted { token: 1, result: Ok(\"\") }".to_owned()), "{last:?}");
}

#[test]
fn close_does_not_wait_for_ever() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig::default());
    pair.submit(1).unwrap();
    pair.esme.close(pair.now);
    pair.next_deadline();
    pair.next_deadline();
    assert_eq!(events(&mut pair.esme), ["Unknown { token: 1 }", "Closed(Unbound)"]);
}

#[test]
fn nonsense_is_answered() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig::default());
    let mut answer = Vec::new();
    // A submit_sm to an ESME, an unknown command, a malformed deliver_sm, a second bind answer.
    let mut octets = Vec::new();
    wire::smpp::pdu::encode_submit(&ShortMessage::default(), 77, &mut octets);
    octets.extend([16u32, 0x103, 0, 78].map(u32::to_be_bytes).concat());
    octets.extend([16u32, 5, 0, 79].map(u32::to_be_bytes).concat());
    octets.extend([16u32, 0x8000_0009, 0x0D, 1].map(u32::to_be_bytes).concat());
    for octet in octets {
        pair.esme.handle_bytes(pair.now, &[octet]);
    }
    pair.esme.poll_transmit(&mut answer);
    let expected = [
        [17u32, 0x8000_0004, 0x04, 77].map(u32::to_be_bytes).concat(),
        vec![0],
        [16u32, 0x8000_0000, 0x03, 78].map(u32::to_be_bytes).concat(),
        [16u32, 0x8000_0005, 0x15, 79].map(u32::to_be_bytes).concat(),
    ];
    assert_eq!(answer, expected.concat());
    assert!(pair.esme.is_bound());
    pair.esme.handle_bytes(pair.now, b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(events(&mut pair.esme), ["Closed(Malformed)"]);
    let mut nack = Vec::new();
    pair.esme.poll_transmit(&mut nack);
    assert_eq!(nack[..12], [16u32, 0x8000_0000, 0x02].map(u32::to_be_bytes).concat());
}

#[test]
fn a_copy_of_an_unanswered_request_is_not_a_second_message() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig::default());
    let mut octets = Vec::new();
    wire::smpp::pdu::encode_deliver(&ShortMessage::default(), 5, &mut octets);
    pair.esme.handle_bytes(pair.now, &octets.repeat(2));
    assert_eq!(events(&mut pair.esme).len(), 1);
}

#[test]
fn a_peer_that_only_asks_is_left() {
    let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig::default());
    let ask = [16u32, 0x15, 0, 1].map(u32::to_be_bytes).concat().repeat(4096);
    for _ in 0..80 {
        pair.esme.handle_bytes(pair.now, &ask);
    }
    assert_eq!(events(&mut pair.esme), ["Closed(NotReading)"]);
}

/// What chance does to a link.
#[derive(Debug, Clone)]
enum Step {
    Submit,
    Deliver,
    /// Carry up to so many octets each way.
    Carry(usize, usize),
    /// The centre answers a waiting message with one of these.
    Answer(usize, u32),
    /// The ESME answers a waiting message.
    Respond(usize),
    /// Time passes to the next deadline.
    Wait,
    Cut,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::sample::select(&[0u32, 0, 0, 0, 0x58, 0x14, 0x08, 0x45]);
    prop_oneof![
        8 => Just(Step::Submit),
        4 => Just(Step::Deliver),
        12 => (0usize..400, 0usize..400).prop_map(|(up, down)| Step::Carry(up, down)),
        8 => (any::<usize>(), status).prop_map(|(which, status)| Step::Answer(which, status)),
        4 => any::<usize>().prop_map(Step::Respond),
        2 => Just(Step::Wait),
        1 => Just(Step::Cut),
        1 => Just(Step::Close),
    ]
}

#[derive(Default)]
struct World {
    up: Vec<u8>,
    down: Vec<u8>,
    waiting_at_centre: Vec<(u32, u64)>,
    waiting_at_esme: Vec<u32>,
    accepted: BTreeSet<u64>,
    outcomes: BTreeMap<u64, String>,
    delivered: BTreeMap<u64, usize>,
}

impl World {
    fn collect(&mut self, pair: &mut Pair) {
        while let Some(event) = pair.centre.poll_event() {
            match event {
                Event::BindRequested(_) => pair.centre.accept_bind(),
                Event::SubmitRequested { sequence, message } => {
                    let token = std::str::from_utf8(&message.body).unwrap().parse().unwrap();
                    self.waiting_at_centre.push((sequence, token));
                }
                Event::Submitted { token, .. } | Event::Unknown { token } | Event::Unsent { token } => {
                    *self.delivered.entry(token).or_default() += 1;
                }
                _ => {}
            }
        }
        while let Some(event) = pair.esme.poll_event() {
            let (token, outcome) = match event {
                Event::Delivered { sequence, .. } => {
                    self.waiting_at_esme.push(sequence);
                    continue;
                }
                Event::Submitted { token, result: Ok(_) } => (token, "accepted".into()),
                Event::Submitted { token, result: Err(status) } => (token, format!("{status}")),
                Event::Unknown { token } => (token, "unknown".into()),
                Event::Unsent { token } => (token, "unsent".into()),
                _ => continue,
            };
            let before = self.outcomes.insert(token, outcome);
            assert_eq!(before, None, "two outcomes of {token}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Whatever the line, the centre and the clock do, every message has exactly one outcome, and it is true.
    #[test]
    fn every_message_has_one_true_outcome(steps in prop::collection::vec(step(), 1..250), window in 1usize..6) {
        let link = LinkConfig { window, queue: 10, inbound_window: 4, throttle_pause: 7 * SECOND, ..LinkConfig::default() };
        let mut pair = Pair::new(BindKind::Transceiver, link);
        let mut world = World::default();
        let (mut submitted, mut delivered) = (0u64, 0u64);
        for step in steps {
            match step {
                Step::Submit => submitted += u64::from(pair.submit(submitted).is_ok()),
                Step::Deliver => {
                    let taken = pair.centre.deliver(pair.now, ShortMessage::default(), delivered).is_ok();
                    delivered += u64::from(taken);
                }
                Step::Carry(up, down) => {
                    pair.esme.poll_transmit(&mut world.up);
                    pair.centre.poll_transmit(&mut world.down);
                    let up: Vec<u8> = world.up.drain(..up.min(world.up.len())).collect();
                    let down: Vec<u8> = world.down.drain(..down.min(world.down.len())).collect();
                    pair.centre.handle_bytes(pair.now, &up);
                    pair.esme.handle_bytes(pair.now, &down);
                }
                Step::Answer(which, status) if !world.waiting_at_centre.is_empty() => {
                    let (sequence, token) = world.waiting_at_centre.remove(which % world.waiting_at_centre.len());
                    if pair.centre.respond(sequence, Status(status)) && status == 0 {
                        world.accepted.insert(token);
                    }
                }
                Step::Respond(which) if !world.waiting_at_esme.is_empty() => {
                    let sequence = world.waiting_at_esme.remove(which % world.waiting_at_esme.len());
                    pair.esme.respond(sequence, Status::OK);
                }
                Step::Wait => {
                    if !pair.esme.is_closed() || !pair.centre.is_closed() {
                        pair.next_deadline();
                    }
                }
                Step::Cut => {
                    pair.esme.connection_lost();
                    pair.centre.connection_lost();
                }
                Step::Close => pair.esme.close(pair.now),
                Step::Answer(..) | Step::Respond(_) => {}
            }
            world.collect(&mut pair);
            prop_assert!(pair.esme.in_flight() <= window && pair.esme.undecided() <= 4);
            // A throttled message returns to the queue, so it may exceed its bound by what was in flight.
            prop_assert!(pair.esme.queued() <= 10 + window);
        }
        pair.esme.connection_lost();
        pair.centre.connection_lost();
        world.collect(&mut pair);
        prop_assert_eq!(world.outcomes.keys().copied().collect::<Vec<_>>(), (0..submitted).collect::<Vec<_>>());
        prop_assert_eq!(world.delivered.into_iter().collect::<Vec<_>>(), (0..delivered).map(|token| (token, 1)).collect::<Vec<_>>());
        for (token, outcome) in &world.outcomes {
            match outcome.as_str() {
                "accepted" => prop_assert!(world.accepted.contains(token)),
                "unknown" => {}
                // Refused or unsent: the centre has not taken responsibility.
                _ => prop_assert!(!world.accepted.contains(token), "{token} {outcome}"),
            }
        }
    }

    #[test]
    fn arbitrary_octets_never_panic(
        octets in prop::collection::vec(any::<u8>(), 0..200),
        pdus in prop::collection::vec((prop::sample::select(&[1u32, 4, 5, 6, 9, 0x15, 0x8000_0000, 0x8000_0004, 0x8000_0005, 0x8000_0009, 0x8000_0015]),
            any::<u8>(), 0u32..6, prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..60)), 0..20),
    ) {
        let mut pair = Pair::bound(BindKind::Transceiver, LinkConfig::default());
        pair.submit(1).unwrap();
        pair.centre.deliver(pair.now, ShortMessage::default(), 1).unwrap();
        let mut all = Vec::new();
        for (command, status, sequence, body) in pdus {
            all.extend([16 + body.len() as u32, command, status.into(), sequence].map(u32::to_be_bytes).concat());
            all.extend(body);
        }
        all.extend(octets);
        for session in [&mut pair.esme, &mut pair.centre] {
            session.handle_bytes(pair.now, &all);
            session.handle_timeout(pair.now + 100 * SECOND);
            while session.poll_event().is_some() {}
        }
    }
}
