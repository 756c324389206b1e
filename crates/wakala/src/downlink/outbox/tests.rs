mod parts;

use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;
use transaction_processing::Msisdn;
use transaction_processing::ids::Iccid;
use transaction_processing::money::{Currency, Money};
use transaction_processing::notice::{Role, SealedCode, Text};
use transaction_processing::number::Language;
use wire::sms::{Malformed, Why};

use super::*;
use crate::downlink::NumberForm;
use encryption::secured_packet;

const NOW: Time = Time(1_772_442_000_000);
const PHONE: u64 = 255_712_000_001;
const RESEND_AFTER: u32 = 60;
const VALIDITY: u32 = 3600;

/// An outbox with everything that reaches it from outside.
struct Bench {
    outbox: Outbox,
    keys: Arc<dyn Keys>,
    now: Time,
    rows: u64,
    ids: u64,
}

fn centre(prefixes: &[&str]) -> Centre {
    Centre {
        alphabet: DefaultAlphabet::Gsm7Unpacked,
        source: Address::new(3, 0, "15050").expect("a short code"),
        wide_references: false,
        prefixes: prefixes.iter().map(ToString::to_string).collect(),
    }
}

fn with(centres: Vec<Centre>, most_waiting: usize) -> Bench {
    let keys: Arc<dyn Keys> = Arc::new(encryption::FileKeys::create(&mut StdRng::seed_from_u64(7)));
    let settings = Settings {
        centres,
        validity_seconds: VALIDITY,
        resends: 2,
        resend_after_seconds: RESEND_AFTER,
        most_waiting,
        first_reference: 0,
    };
    let style = Style::new(TimeZone::UTC, NumberForm::International, "15050").expect("a style");
    let catalogues = Arc::new(Catalogues::load().expect("the catalogues are whole"));
    let outbox = Outbox::new(settings, Arc::clone(&keys), catalogues, style);
    Bench { outbox, keys, now: NOW, rows: 0, ids: 0 }
}

fn bench() -> Bench {
    with(vec![centre(&[])], 100)
}

fn money(minor: i64) -> Money {
    Money::new(minor, Currency { numeric: 834, minor_digits: 2 }).expect("an amount")
}

fn notice_to(to: u64) -> Notice {
    let text = Text::Balance { balance: money(50_000) };
    let to = Msisdn::new(to).expect("a number");
    Notice { to, language: Language::English, card: None, text, code: None, void_at: None }
}

fn notice() -> Notice {
    notice_to(PHONE)
}

/// One that takes two messages by its nature.
fn long_notice() -> Notice {
    Notice { text: Text::Help { role: Role::Customer }, ..notice() }
}

fn name(text: &str) -> MessageId {
    MessageId::new(text.as_bytes()).expect("an id")
}

impl Bench {
    fn tell(&mut self, notice: Notice) -> NoticeId {
        self.rows += 1;
        let id = NoticeId { sequence: Sequence(self.rows), notice: 0 };
        self.outbox.tell(self.now, Told::Logged { id, at: self.now, notice, before: None });
        id
    }

    fn next(&mut self) -> Option<Submission> {
        self.outbox.poll_submission(self.now, |_| true)
    }

    fn take(&mut self) -> Submission {
        self.next().expect("a message to send")
    }

    fn report(&mut self, submission: &Submission, outcome: Submitted) {
        self.outbox.handle_submitted(self.now, submission.token, submission.centre, outcome);
    }

    /// The centre accepts it under a new id.
    fn accept(&mut self, submission: &Submission) -> MessageId {
        self.ids += 1;
        let id = name(&format!("{:x}", 0xa1b2_0000 + self.ids));
        self.report(submission, Submitted::Accepted(id));
        id
    }

    fn receipt(&mut self, id: MessageId, state: Reported) {
        self.receipt_of(0, id, state);
    }

    fn receipt_of(&mut self, centre: u16, message_id: MessageId, state: Reported) {
        let address = Address::new(0, 0, "").expect("nothing");
        let receipt = Receipt { message_id, state, error: None, source: address, destination: address };
        self.outbox.handle_receipt(self.now, centre, &receipt);
    }

    fn pass(&mut self, seconds: u32) {
        self.now = self.now.plus_seconds(seconds);
        self.outbox.handle_timeout(self.now);
    }

    fn changes(&mut self) -> Vec<MessageChange> {
        std::iter::from_fn(|| self.outbox.poll_change()).collect()
    }

    fn states(&mut self) -> Vec<MessageState> {
        let state = |change| match change {
            MessageChange::Stands(message) => Some(message.state),
            MessageChange::SettledTo(_) => None,
        };
        self.changes().into_iter().filter_map(state).collect()
    }

    fn is_empty(&self) -> bool {
        self.outbox.entries.is_empty()
            && self.outbox.lengths() == (0, 0, 0)
            && self.outbox.by_message_id.is_empty()
            && self.outbox.with_links.is_empty()
    }
}

fn body(submission: &Submission) -> String {
    String::from_utf8_lossy(&submission.message.body).into_owned()
}

#[test]
fn a_message_is_sent_then_delivered_and_nothing_of_it_is_left() {
    let mut bench = bench();
    bench.tell(notice());
    let submission = bench.take();
    assert_eq!(body(&submission), "Balance TZS 500.00.");
    assert_eq!(submission.message.registered_delivery, 1);
    assert!(bench.next().is_none());
    let id = bench.accept(&submission);
    assert_eq!(bench.states(), [MessageState::Sent]);
    bench.receipt(id, Reported::Enroute);
    assert_eq!(bench.states(), []);
    bench.receipt(id, Reported::Delivered);
    assert_eq!(bench.states(), [MessageState::Delivered]);
    assert!(bench.is_empty());
}

#[test]
fn a_receipt_before_the_response_counts() {
    let mut bench = bench();
    bench.tell(notice());
    let submission = bench.take();
    bench.receipt(name("a1b20001"), Reported::Delivered);
    assert_eq!(bench.accept(&submission), name("a1b20001"));
    // Never "sent" in between: the receipt has come, and after a restart it would be awaited in vain.
    assert_eq!(bench.states(), [MessageState::Delivered]);
    assert!(bench.is_empty());
}

#[test]
fn an_early_receipt_is_not_forgotten_for_one_that_says_less() {
    let mut bench = bench();
    bench.tell(notice());
    let submission = bench.take();
    for state in [Reported::Delivered, Reported::Enroute] {
        bench.receipt(name("a1b20001"), state);
    }
    bench.accept(&submission);
    assert_eq!(bench.states(), [MessageState::Delivered]);
}

#[test]
fn an_early_receipt_of_failure_counts_too() {
    let mut bench = bench();
    bench.tell(notice());
    let submission = bench.take();
    bench.receipt(name("a1b20001"), Reported::Undeliverable);
    bench.accept(&submission);
    assert_eq!(bench.states(), [MessageState::Retrying]);
    bench.pass(RESEND_AFTER);
    bench.take();
}

#[test]
fn receipts_come_in_any_order_and_twice() {
    let mut bench = bench();
    let told: Vec<NoticeId> = (0..3).map(|_| bench.tell(notice())).collect();
    let submissions: Vec<Submission> = (0..3).map(|_| bench.take()).collect();
    let ids: Vec<MessageId> = submissions.iter().map(|submission| bench.accept(submission)).collect();
    bench.changes();
    for index in [2, 2, 0, 2, 1, 0] {
        bench.receipt(ids[index], Reported::Delivered);
    }
    let ended: Vec<NoticeId> = bench
        .changes()
        .into_iter()
        .filter_map(|change| match change {
            MessageChange::Stands(message) => Some(message.notice),
            MessageChange::SettledTo(_) => None,
        })
        .collect();
    assert_eq!(ended, [told[2], told[0], told[1]]);
    assert!(bench.is_empty());
}

#[test]
fn a_receipt_of_another_centre_with_the_same_id_is_not_heard() {
    let mut bench = with(vec![centre(&[]), centre(&["25576"])], 100);
    bench.tell(notice());
    let submission = bench.take();
    let id = bench.accept(&submission);
    bench.receipt_of(1, id, Reported::Delivered);
    assert_eq!(bench.states(), [MessageState::Sent]);
}

#[test]
fn what_was_lost_with_its_link_is_sent_again_with_the_same_words() {
    let mut bench = bench();
    let text = Text::Received {
        transfer: TransferIdOf(41).into(),
        amount: money(50_000),
        charges: money(0),
        sender: Msisdn::new(255_712_000_002).expect("a number"),
        balance: money(50_000),
    };
    bench.tell(Notice { text, ..notice() });
    let first = bench.take();
    bench.report(&first, Submitted::Unknown);
    let second = bench.take();
    assert_eq!(first.message.body.to_vec(), second.message.body.to_vec());
    assert_ne!(first.token, second.token);
    // The answer that was lost comes all the same: it is of no use any more.
    bench.report(&first, Submitted::Accepted(name("stale")));
    bench.accept(&second);
    assert_eq!(bench.states(), [MessageState::Sent]);
}

/// Shortens a name in the test above.
struct TransferIdOf(u64);

impl From<TransferIdOf> for transaction_processing::ids::TransferId {
    fn from(of: TransferIdOf) -> Self {
        transaction_processing::ids::TransferId(of.0)
    }
}

#[test]
fn lost_links_do_not_use_up_the_tries() {
    let mut bench = bench();
    bench.tell(notice());
    for _ in 0..20 {
        let submission = bench.take();
        bench.report(&submission, Submitted::Unknown);
    }
    let submission = bench.take();
    bench.report(&submission, Submitted::Refused(Status::QUEUE_FULL));
    assert_eq!(bench.states(), [MessageState::Retrying]);
    bench.pass(RESEND_AFTER);
    let submission = bench.take();
    bench.accept(&submission);
    assert_eq!(bench.states(), [MessageState::Sent]);
}

#[test]
fn a_full_queue_is_tried_again_last_with_doubled_waits_and_then_given_up() {
    let mut bench = bench();
    let id = bench.tell(notice());
    let submission = bench.take();
    bench.report(&submission, Submitted::Refused(Status::QUEUE_FULL));
    assert!(bench.next().is_none());
    bench.pass(RESEND_AFTER - 1);
    assert!(bench.next().is_none());
    bench.pass(1);
    let submission = bench.take();
    bench.report(&submission, Submitted::Refused(Status::SYSTEM_ERROR));
    bench.pass(2 * RESEND_AFTER - 1);
    assert!(bench.next().is_none());
    bench.pass(1);
    let submission = bench.take();
    bench.report(&submission, Submitted::Refused(Status::QUEUE_FULL));
    assert_eq!(bench.states(), [MessageState::Retrying, MessageState::Retrying, MessageState::Undelivered]);
    assert!(matches!(bench.outbox.poll_event(), Some(Event::GivenUp { id: given_up, .. }) if given_up == id));
    assert!(bench.is_empty());
}

#[test]
fn a_final_refusal_gives_up_at_once() {
    for status in [Status::INVALID_DESTINATION, Status::SUBMIT_FAILED, Status::REJECTED_BY_APPLICATION] {
        let mut bench = bench();
        bench.tell(notice());
        let submission = bench.take();
        bench.report(&submission, Submitted::Refused(status));
        assert_eq!(bench.states(), [MessageState::Undelivered]);
        assert!(bench.is_empty());
    }
}

#[test]
fn what_is_known_undelivered_is_tried_again_within_its_validity_and_lapses_at_its_end() {
    let mut bench = bench();
    bench.tell(notice());
    let submission = bench.take();
    assert_eq!(submission.message.validity.as_str(), Some("000000010000000R"));
    let id = bench.accept(&submission);
    bench.receipt(id, Reported::Undeliverable);
    assert_eq!(bench.states(), [MessageState::Sent, MessageState::Retrying]);
    bench.pass(RESEND_AFTER);
    let submission = bench.take();
    assert_eq!(submission.message.validity.as_str(), Some("000000005900000R"));
    bench.accept(&submission);
    // The receipt of the first attempt comes again and means nothing.
    bench.receipt(id, Reported::Undeliverable);
    assert_eq!(bench.states(), [MessageState::Sent]);
    bench.pass(VALIDITY - RESEND_AFTER);
    assert_eq!(bench.states(), [MessageState::Lapsed]);
    assert!(matches!(bench.outbox.poll_event(), Some(Event::GivenUp { state: MessageState::Lapsed, .. })));
    assert!(bench.is_empty());
}

#[test]
fn a_code_is_not_sent_after_it_is_void() {
    let mut bench = bench();
    let mut rng = StdRng::seed_from_u64(1);
    let sealed = bench.keys.seal_at_rest(&mut rng, "code", format!("+{PHONE}").as_bytes(), b"271828");
    let text = Text::RegistrationCode { minutes: 30, contested: false };
    let void_at = Some(NOW.plus_seconds(1800));
    let coded = Notice { text, code: Some(SealedCode(sealed)), void_at, ..notice() };
    bench.tell(coded.clone());
    let submission = bench.take();
    assert!(body(&submission).contains("271828"));
    assert_eq!((submission.message.priority, submission.message.validity.as_str()), (1, Some("000000003000000R")));
    bench.report(&submission, Submitted::Unknown);
    bench.pass(1800);
    assert!(bench.next().is_none());
    assert_eq!(bench.states(), [MessageState::Lapsed]);
    // Nor is one that was void already when it was told, after a restart.
    bench.tell(coded);
    assert!(bench.next().is_none());
    assert_eq!(bench.states(), [MessageState::Lapsed]);
    assert!(bench.is_empty());
}

#[test]
fn a_code_that_cannot_be_opened_is_given_up() {
    let mut bench = bench();
    let code = Some(SealedCode(vec![7; 40]));
    bench.tell(Notice { text: Text::RegistrationCode { minutes: 30, contested: false }, code, ..notice() });
    assert!(bench.next().is_none());
    assert_eq!(bench.states(), [MessageState::Undelivered]);
}

#[test]
fn a_message_that_was_sent_before_a_restart_only_awaits_its_receipt() {
    let mut bench = bench();
    let id = NoticeId { sequence: Sequence(9), notice: 1 };
    let stood = |state, message_id: Option<&str>| Message {
        notice: id,
        state,
        attempts: 1,
        centre: Some(0),
        message_id: message_id.map(str::to_owned),
        at: NOW,
    };
    let tell = |bench: &mut Bench, before| {
        bench.outbox.tell(NOW, Told::Logged { id, at: NOW, notice: notice(), before: Some(before) });
    };
    tell(&mut bench, stood(MessageState::Sent, Some("aa bb")));
    assert!(bench.next().is_none());
    bench.receipt(name("bb"), Reported::Delivered);
    assert_eq!(bench.states(), [MessageState::Sent]);
    bench.receipt(name("aa"), Reported::Delivered);
    assert_eq!(bench.states(), [MessageState::Delivered]);
    // Without the centre's name for it, or when it was to be tried again, it is sent anew.
    for before in [stood(MessageState::Sent, None), stood(MessageState::Retrying, Some("aa"))] {
        let mut bench = self::bench();
        tell(&mut bench, before);
        bench.take();
    }
}

#[test]
fn an_answer_of_no_row_is_handed_over_or_given_back() {
    let mut bench = bench();
    let advice = Advice {
        to: Msisdn::new(PHONE).expect("a number"),
        language: Language::English,
        card: None,
        malformed: Malformed { keyword: None, why: Why::UnknownKeyword },
    };
    bench.outbox.tell(NOW, Told::Answer { notice: notice(), asked: Asked(1) });
    bench.outbox.tell(NOW, Told::Advice { advice, asked: Asked(2) });
    bench.outbox.tell(NOW, Told::Answer { notice: notice(), asked: Asked(3) });
    let answers = [bench.take(), bench.take(), bench.take()];
    assert_eq!(answers[0].message.registered_delivery, 0);
    bench.accept(&answers[0]);
    assert!(matches!(bench.outbox.poll_event(), Some(Event::Handed(Asked(1)))));
    // A destination that the centre refuses for good is not asked about again and again.
    bench.report(&answers[1], Submitted::Refused(Status::INVALID_DESTINATION));
    assert!(matches!(bench.outbox.poll_event(), Some(Event::Handed(Asked(2)))));
    bench.report(&answers[2], Submitted::Unknown);
    bench.pass(6);
    assert!(matches!(bench.outbox.poll_event(), Some(Event::NotHanded(Asked(3)))));
    assert_eq!(bench.states(), []);
    assert!(bench.next().is_none() && bench.is_empty());
}

#[test]
fn there_is_room_for_so_many_and_then_again() {
    let mut bench = with(vec![centre(&[])], 3);
    for _ in 0..3 {
        assert!(bench.outbox.has_room());
        bench.tell(notice());
    }
    assert!(!bench.outbox.has_room());
    bench.take();
    assert!(bench.outbox.has_room());
}

#[test]
fn a_number_goes_by_its_longest_prefix_and_no_centre_waits_for_another() {
    let mut bench = with(vec![centre(&["2557", "25562"]), centre(&[]), centre(&["25576"])], 100);
    let by = [(255_712_000_001, 0), (255_622_000_001, 0), (255_762_000_001, 2), (255_652_000_001, 1)];
    for (number, expected) in by {
        bench.tell(notice_to(number));
        assert_eq!(bench.take().centre, expected, "{number}");
    }
    bench.tell(notice_to(255_712_000_001));
    bench.tell(notice_to(255_762_000_001));
    let submission = bench.outbox.poll_submission(NOW, |centre| centre == 2);
    assert_eq!(submission.map(|submission| submission.centre), Some(2));
    assert!(bench.outbox.poll_submission(NOW, |centre| centre == 1).is_none());
    assert!(bench.outbox.poll_submission(NOW, |_| false).is_none());
}

#[test]
fn rows_are_settled_up_to_the_first_that_is_not() {
    let mut bench = bench();
    let settled = |bench: &mut Bench| {
        bench.changes().into_iter().find_map(|change| match change {
            MessageChange::SettledTo(sequence) => Some(sequence.0),
            MessageChange::Stands(_) => None,
        })
    };
    let mut ids = Vec::new();
    for _ in 0..SETTLED_STEP * 2 {
        bench.tell(notice());
        let submission = bench.take();
        ids.push(bench.accept(&submission));
    }
    assert_eq!(settled(&mut bench), None);
    ids[1..].iter().for_each(|id| bench.receipt(*id, Reported::Delivered));
    assert_eq!(settled(&mut bench), None);
    bench.receipt(ids[0], Reported::Delivered);
    assert_eq!(settled(&mut bench), Some(SETTLED_STEP * 2));
}

#[test]
fn a_sealed_message_bears_a_counter_that_rises_even_when_the_clock_stands() {
    let mut bench = bench();
    let card = Iccid::new(8_925_501_000_000_000_001).expect("a serial");
    let serial = card.digits().to_string();
    let mut last = 0;
    for _ in 0..3 {
        bench.tell(Notice { card: Some(card), ..notice() });
        let submission = bench.take();
        let message = &submission.message;
        assert_eq!((message.esm_class, message.data_coding, message.protocol_id), (0x40, 0xF6, 0x7F));
        let packet = message.body.strip_prefix(&secured_packet::COMMAND_HEADER[..]).expect("a command packet");
        let opened = secured_packet::open(&bench.keys.downlink_keys(&serial), packet).expect("it opens");
        assert_eq!(&opened.plaintext[..], b"Balance TZS 500.00.");
        assert!(opened.counter.get() > last);
        last = opened.counter.get();
    }
}
