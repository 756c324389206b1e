//! SMPP: PDUs, a session's stream, a session's whole life, receipts.

use std::collections::HashSet;
use std::time::Duration;

use wire::smpp::pdu::{self, Frame, Pdu, Undecodable};
use wire::smpp::receipt::{self, MessageState};
use wire::smpp::{
    BindKind, ClientConfig, Event, LinkConfig, MessageId, MessageIdForm, ServerConfig, Session, ShortMessage, Status,
    Tlvs,
};

use crate::input::Input;

/// Whatever is read is written so that it is read the same again, and what cannot be read can be skipped.
pub(crate) fn pdu(octets: &[u8]) {
    let mut rest = octets;
    loop {
        let length = match pdu::decode(rest) {
            Ok(None) | Err(Undecodable::Stream { .. }) => return,
            Ok(Some((frame, length))) => {
                comes_back(&frame);
                length
            }
            Err(Undecodable::Pdu { length, .. }) => length,
        };
        assert!((16..=rest.len()).contains(&length), "a length of {length} in {} octets", rest.len());
        rest = &rest[length..];
    }
}

fn comes_back(frame: &Frame) {
    let written = encoded(frame);
    let (again, length) = pdu::decode(&written).expect("what was written").expect("whole");
    assert_eq!(length, written.len());
    assert_eq!(format!("{frame:?}"), format!("{again:?}").replace(&stated(&again), &stated(frame)));
    assert_eq!(encoded(&again), written);
    let (Pdu::Submit(one) | Pdu::Deliver(one), Pdu::Submit(other) | Pdu::Deliver(other)) = (&frame.pdu, &again.pdu)
    else {
        return;
    };
    assert!(one == other, "a message is not read as it was written");
}

/// Requests of messages are written without the status that they should not have had.
fn stated(frame: &Frame) -> String {
    format!("{:?}", frame.status)
}

fn encoded(frame: &Frame) -> Vec<u8> {
    let mut octets = Vec::new();
    pdu::encode(frame, &mut octets);
    octets
}

const NOW: Duration = Duration::from_secs(1000);
const WINDOW: usize = 3;

fn link() -> LinkConfig {
    LinkConfig { window: WINDOW, queue: 2 * WINDOW, inbound_window: WINDOW, ..LinkConfig::default() }
}

/// A session that is bound, with a message under way where it may send some.
fn bound(is_client: bool) -> Session {
    let (mut session, peer) = if is_client {
        let client = ClientConfig {
            system_id: "wakala".try_into().expect("short"),
            password: "secret".into(),
            system_type: Default::default(),
            kind: BindKind::Transceiver,
            link: link(),
        };
        (Session::client(client, NOW), *b"\0\0\0\x11\x80\0\0\x09\0\0\0\0\0\0\0\x01\0")
    } else {
        let server = ServerConfig { system_id: "centre".try_into().expect("short"), link: link() };
        (Session::server(server, NOW), *b"\0\0\0\x17\0\0\0\x09\0\0\0\0\0\0\0\x01\0")
    };
    session.poll_transmit(&mut Vec::new());
    if is_client {
        session.handle_bytes(NOW, &peer);
    } else {
        session.handle_bytes(NOW, &peer);
        session.handle_bytes(NOW, b"\0\0\x34\0\0\0");
        session.accept_bind();
    }
    assert!(session.is_bound());
    while session.poll_event().is_some() {}
    session.poll_transmit(&mut Vec::new());
    session
}

fn message() -> ShortMessage {
    ShortMessage { body: b"HP".as_slice().into(), ..Default::default() }
}

fn send(session: &mut Session, is_client: bool, token: u64) -> bool {
    let sent = if is_client { session.submit(NOW, message(), token) } else { session.deliver(NOW, message(), token) };
    sent.is_ok()
}

/// It does not matter in which pieces a stream arrives.
pub(crate) fn stream(octets: &[u8]) {
    let mut input = Input(octets);
    let (is_client, cut) = (input.octet() % 2 == 0, usize::from(input.octet()) % 48 + 1);
    let told = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut session = bound(is_client);
        assert!(send(&mut session, is_client, 1));
        session.poll_transmit(&mut Vec::new());
        pieces.for_each(|piece| session.handle_bytes(NOW, piece));
        let mut sent = Vec::new();
        session.poll_transmit(&mut sent);
        let events: Vec<String> =
            std::iter::from_fn(|| session.poll_event()).map(|event| format!("{event:?}")).collect();
        // What cannot be SMPP is given up at once, whether or not the sequence that the last answer names has arrived.
        if events.last().is_some_and(|last| last.contains("Malformed")) {
            sent.truncate(sent.len() - 4);
        }
        (sent, events)
    };
    let whole = told(&mut std::iter::once(input.0));
    assert_eq!(whole, told(&mut input.0.chunks(cut)));
}

/// A session under anything its owner and its peer may do: bounds are kept, time that comes is later than now, and every
/// message that it took ends once.
pub(crate) fn session(octets: &[u8]) {
    let mut input = Input(octets);
    let is_client = input.octet() % 2 == 0;
    let (mut session, mut now) = (bound(is_client), NOW);
    let (mut open, mut asked, mut next) = (HashSet::new(), Vec::new(), 0_u64);
    while !input.is_at_end() {
        match input.octet() % 8 {
            0..=2 => session.handle_bytes(now, input.measured()),
            3 => {
                now = session.poll_timeout().unwrap_or(now).max(now);
                session.handle_timeout(now);
            }
            4 if send(&mut session, is_client, next) => {
                open.insert(next);
                next += 1;
            }
            5 => {
                if let Some(sequence) = asked.pop() {
                    session.respond(sequence, Status(u32::from(input.octet())));
                }
            }
            6 => drop(session.poll_transmit(&mut Vec::new())),
            7 if input.octet() == 0 => session.close(now),
            _ => now += Duration::from_millis(u64::from(input.octet())),
        }
        settle(&mut session, &mut open, &mut asked);
        assert!(session.in_flight() <= WINDOW && session.queued() <= 2 * WINDOW + WINDOW, "own messages");
        assert!(session.undecided() <= WINDOW, "the peer's messages");
        assert_eq!(session.poll_timeout().is_none(), session.is_closed());
    }
    session.connection_lost();
    settle(&mut session, &mut open, &mut asked);
    assert!(open.is_empty() && session.is_closed(), "messages without an end");
}

fn settle(session: &mut Session, open: &mut HashSet<u64>, asked: &mut Vec<u32>) {
    while let Some(event) = session.poll_event() {
        match event {
            Event::Submitted { token, .. } | Event::Unknown { token } | Event::Unsent { token } => {
                assert!(open.remove(&token), "an end that nobody awaits");
            }
            Event::Delivered { sequence, .. }
            | Event::Receipt { sequence, .. }
            | Event::UnreadableReceipt { sequence, .. }
            | Event::SubmitRequested { sequence, .. } => asked.push(sequence),
            Event::Bound { .. }
            | Event::BindRefused(_)
            | Event::BindRequested(_)
            | Event::Throttled { .. }
            | Event::Closed(_) => {}
        }
    }
}

/// A receipt names its message by an id whose comparable form is one, and what we write as a receipt is read as one.
pub(crate) fn receipt(octets: &[u8]) {
    let mut input = Input(octets);
    let form = input.one_of(&[MessageIdForm::Verbatim, MessageIdForm::Decimal, MessageIdForm::Hexadecimal]);
    let mut message = ShortMessage { esm_class: input.octet(), ..Default::default() };
    message.tlvs = tlvs(&mut input);
    message.body = input.0.into();
    let _ = receipt::is_receipt(&message);
    let Some(read) = receipt::parse(&message, form) else { return };
    // Hexadecimal becomes decimal and so is another number when it is read as hexadecimal again.
    if form != MessageIdForm::Hexadecimal {
        assert_eq!(form.canonical(&read.message_id), read.message_id);
    }
    let Some(id) = read.message_id.as_str().filter(|id| plain(id)) else { return };
    let text = receipt::text(id, read.state, "2611241200", "2611241201", 7);
    let written = ShortMessage { esm_class: 0x04, body: text.into_bytes().into(), ..Default::default() };
    let again = receipt::parse(&written, MessageIdForm::Verbatim).expect("our own receipt");
    assert_eq!(again.message_id, read.message_id);
    assert!(again.state == read.state || read.state == MessageState::Unknown, "{:?} {:?}", again.state, read.state);
}

/// An id that a text can carry: no separator, no colon.
fn plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|octet| octet.is_ascii_alphanumeric())
}

/// Up to four parameters, mostly those that receipts and parts have.
pub(crate) fn tlvs(input: &mut Input<'_>) -> Tlvs {
    use wire::smpp::tag;
    const TAGS: [u16; 6] = [
        tag::RECEIPTED_MESSAGE_ID,
        tag::MESSAGE_STATE,
        tag::NETWORK_ERROR,
        tag::SAR_REFERENCE,
        tag::SAR_TOTAL,
        tag::SAR_NUMBER,
    ];
    let mut tlvs = Tlvs::default();
    for _ in 0..input.octet() % 5 {
        let tag = input.one_of(&TAGS);
        let _ = tlvs.push(tag, input.measured());
    }
    let _: Option<MessageId> = tlvs.get(tag::RECEIPTED_MESSAGE_ID).and_then(|id| MessageId::new(id).ok());
    tlvs
}
