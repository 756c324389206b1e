use std::sync::Arc;

use data_center::{Message, MessageState};
use encryption::{FileKeys, Keys};
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;
use transaction_processing::money::{Currency, Money};
use transaction_processing::notice::Text;
use transaction_processing::number::Language;
use transaction_processing::request::Kind;
use transaction_processing::{Msisdn, Notice};
use wire::smpp::{Address, MessageId, MessageState as Reported, Receipt};
use wire::sms::DefaultAlphabet;

use super::*;
use crate::downlink::outbox::{Centre, Settings};
use crate::downlink::{Catalogues, NumberForm, Style};

const NOW: Time = Time(1_772_442_000_000);

/// A dispatch over one bind that is always ready, and the writer's side of it.
struct Desk {
    dispatch: Dispatch,
    /// What the writer took, and how much it takes.
    taken: Vec<MessageChange>,
    room: usize,
    replies: u32,
}

fn desk() -> Desk {
    let keys: Arc<dyn Keys> = Arc::new(FileKeys::create(&mut StdRng::seed_from_u64(7)));
    let centre = Centre {
        alphabet: DefaultAlphabet::Gsm7Unpacked,
        source: Address::new(3, 0, "15050").expect("a short code"),
        wide_references: false,
        prefixes: Vec::new(),
    };
    let settings = Settings {
        centres: vec![centre],
        validity_seconds: 3600,
        resends: 2,
        first_reference: 0,
        resend_after_seconds: 60,
        most_waiting: 100,
    };
    let style = Style::new(TimeZone::UTC, NumberForm::International, "15050").expect("a style");
    let catalogues = Arc::new(Catalogues::load().expect("the catalogues are whole"));
    let outbox = Outbox::new(settings, keys, catalogues, style);
    Desk { dispatch: Dispatch::new(outbox, vec![0], Sequence(0)), taken: Vec::new(), room: usize::MAX, replies: 0 }
}

/// The same with a log that was read to its end.
fn caught_up() -> Desk {
    let mut desk = desk();
    desk.dispatch.handle_read(NOW, Vec::new(), Sequence(0));
    desk
}

fn notice() -> Notice {
    let balance = Money::new(50_000, Currency { numeric: 834, minor_digits: 2 }).expect("an amount");
    let to = Msisdn::new(255_712_000_001).expect("a number");
    Notice { to, language: Language::English, card: None, text: Text::Balance { balance }, code: None, void_at: None }
}

fn id(of: u64) -> MessageId {
    MessageId::new(format!("a{of}").as_bytes()).expect("an id")
}

impl Desk {
    /// Tells of a row, has its message handed to the bind and taken by the centre under the row's id.
    fn send(&mut self, row: u64) {
        let item = Item::Row { sequence: Sequence(row), at: NOW, notices: vec![notice()] };
        self.dispatch.handle_item(NOW, item);
        let (_, Submission { token, centre, .. }) = self.dispatch.poll_submission(NOW, |_| true).expect("a message");
        let outcome = Submitted::Accepted(id(row));
        self.dispatch.handle_report(NOW, Report::Submitted { token, centre, outcome });
    }

    /// The receipt of a row's message comes.
    fn receipt(&mut self, row: u64, state: Reported) -> Reply {
        self.replies += 1;
        let reply = Reply { bind: 0, generation: 1, sequence: self.replies };
        let nobody = Address::new(0, 0, "").expect("nothing");
        let receipt = Receipt { message_id: id(row), state, error: None, source: nobody, destination: nobody };
        self.dispatch.handle_report(NOW, Report::Receipt { centre: 0, receipt, reply });
        reply
    }

    /// The writer takes what it has room for; the place of the last.
    fn record(&mut self) -> Place {
        let Desk { dispatch, taken, room, .. } = self;
        dispatch.poll_changes(|change| {
            if taken.len() >= *room {
                return Err(Unrecorded::Full(change));
            }
            taken.push(change);
            Ok(Place(taken.len() as u64))
        });
        Place(taken.len() as u64)
    }

    fn responses(&mut self) -> Vec<(Reply, Status)> {
        std::iter::from_fn(|| self.dispatch.poll_response()).collect()
    }
}

#[test]
fn a_receipt_is_acknowledged_when_what_it_changed_is_durable_and_not_before() {
    let mut desk = caught_up();
    desk.send(1);
    let sent = desk.record();
    let reply = desk.receipt(1, Reported::Delivered);
    assert_eq!(desk.responses(), []);
    let delivered = desk.record();
    assert!(delivered > sent);
    desk.dispatch.handle_durable(sent);
    assert_eq!(desk.responses(), []);
    desk.dispatch.handle_durable(delivered);
    assert_eq!(desk.responses(), [(reply, Status::OK)]);
}

#[test]
fn many_receipts_are_acknowledged_with_one_commit_in_their_order() {
    let mut desk = caught_up();
    (1..=50).for_each(|row| desk.send(row));
    let replies: Vec<Reply> = (1..=50).map(|row| desk.receipt(row, Reported::Delivered)).collect();
    let all = desk.record();
    assert_eq!(desk.responses(), []);
    desk.dispatch.handle_durable(all);
    let acknowledged: Vec<Reply> = desk.responses().into_iter().map(|(reply, _)| reply).collect();
    assert_eq!(acknowledged, replies);
}

#[test]
fn a_receipt_that_changes_nothing_is_acknowledged_at_once() {
    let mut desk = caught_up();
    let of_nothing = desk.receipt(9, Reported::Delivered);
    assert_eq!(desk.responses(), [(of_nothing, Status::OK)]);
    desk.send(1);
    let sent = desk.record();
    desk.dispatch.handle_durable(sent);
    let on_its_way = desk.receipt(1, Reported::Enroute);
    assert_eq!(desk.responses(), [(on_its_way, Status::OK)]);
}

/// The centre may take the acknowledgement of either for both.
#[test]
fn a_receipt_that_comes_twice_is_acknowledged_when_the_first_is_durable() {
    let mut desk = caught_up();
    desk.send(1);
    let first = desk.receipt(1, Reported::Delivered);
    let second = desk.receipt(1, Reported::Delivered);
    let all = desk.record();
    assert_eq!(desk.responses(), []);
    desk.dispatch.handle_durable(all);
    assert_eq!(desk.responses(), [(first, Status::OK), (second, Status::OK)]);
}

#[test]
fn a_receipt_waits_for_a_writer_that_is_full() {
    let mut desk = caught_up();
    desk.send(1);
    desk.room = 1;
    let reply = desk.receipt(1, Reported::Delivered);
    let full = desk.record();
    desk.dispatch.handle_durable(full);
    assert_eq!(desk.responses(), []);
    assert!(desk.dispatch.is_held_up());
    desk.room = 2;
    let all = desk.record();
    desk.dispatch.handle_durable(all);
    assert_eq!(desk.responses(), [(reply, Status::OK)]);
    assert!(!desk.dispatch.is_held_up());
}

#[test]
fn nothing_is_acknowledged_any_more_when_the_writer_has_ended() {
    let mut desk = caught_up();
    desk.send(1);
    desk.receipt(1, Reported::Delivered);
    desk.dispatch.poll_changes(|_| Err(Unrecorded::Stopped));
    desk.dispatch.handle_durable(Place(u64::MAX));
    assert_eq!(desk.responses(), []);
}

/// After a start the log is read piece by piece: a receipt may come before the message that it is about is known.
#[test]
fn a_receipt_that_comes_before_the_log_is_read_is_given_back() {
    let mut desk = desk();
    let early = desk.receipt(1, Reported::Delivered);
    assert_eq!(desk.responses(), [(early, Status::TEMPORARY_APPLICATION_ERROR)]);
    assert_eq!(desk.dispatch.poll_read(), Some(Sequence(0)));
    let message = Message {
        notice: NoticeId { sequence: Sequence(1), notice: 0 },
        state: MessageState::Sent,
        attempts: 1,
        centre: Some(0),
        message_id: Some("a1".to_owned()),
        at: NOW,
    };
    let untold = Untold { id: message.notice, at: NOW, kind: Kind::Balance, notice: notice(), message: Some(message) };
    desk.dispatch.handle_read(NOW, vec![untold], Sequence(1));
    let reply = desk.receipt(1, Reported::Delivered);
    let delivered = desk.record();
    desk.dispatch.handle_durable(delivered);
    assert_eq!(desk.responses(), [(reply, Status::OK)]);
    // Read to its end, what is unknown is nobody's.
    desk.dispatch.handle_read(NOW, Vec::new(), Sequence(1));
    let of_nothing = desk.receipt(2, Reported::Delivered);
    assert_eq!(desk.responses(), [(of_nothing, Status::OK)]);
}
