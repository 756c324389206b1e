//! What every store must do, written against [`DataCenter`] alone; a second store joins by one more module at the end.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use data_center::batch::Batch;
use data_center::postgres::{Settings, Standbys};
use data_center::{
    Bounds, DataCenter, Fatal, History, Loaded, Location, Lost, Message, MessageChange, MessageState, NoticeId, Part,
    Postgres, Sqlite, Store, StoreError, Untold, Value, Writer, differences,
};
use server::Server;
use support::*;
use transaction_processing::ids::{AgentCode, CaseId, Iccid, Sequence, TransferId};
use transaction_processing::notice::Text;
use transaction_processing::number::Language;
use transaction_processing::proposal::Measure;
use transaction_processing::request::{Action, Request};
use transaction_processing::time::Time;
use transaction_processing::transfer::Transfer;
use transaction_processing::{Refusal, Row, requests};

/// A kind of store that can be opened again at the same place.
trait Kind {
    type Store: Store;
    type Place;
    fn place() -> Self::Place;
    fn open(place: &Self::Place) -> Self::Store;
    fn location(place: &Self::Place) -> Location;
}

/// A short sweep, so that the checkpoint goes round many times.
const SPAN: u64 = 100;

fn center<K: Kind>(place: &K::Place) -> DataCenter<K::Store> {
    DataCenter::with_span(K::open(place), policy(), &[TZS], SPAN).unwrap()
}

fn town<K: Kind>(place: &K::Place) -> Town<K::Store> {
    let mut town = Town::found(center::<K>(place), 10_000_000_000);
    town.settle(0..20, 50_000_000);
    town
}

/// The same town after the process ended without a word.
fn again<K: Kind>(town: Town<K::Store>, place: &K::Place) -> Town<K::Store> {
    let writing = town.writing.clone();
    let Town { center: before, .. } = town;
    let (books, store) = before.into_parts();
    drop(store);
    let after = center::<K>(place);
    let differing = differences(&books, after.books());
    assert!(differing.is_empty(), "{differing:?}");
    Town::returning(after, writing)
}

const A: u64 = FIRST_CUSTOMER;
const B: u64 = FIRST_CUSTOMER + 1;
const C: u64 = FIRST_CUSTOMER + 2;

/// Everything that customers and an agent do, once.
fn a_day<S: Store>(town: &mut Town<S>, payee: u64) {
    let sent = town.writing.transfer(A, B, 5_000);
    let sent = town.one(sent);
    let asked = town.writing.recall(A, sent.transfer.unwrap());
    town.one(asked);
    let agreed = town.writing.agree(B, sent.transfer.unwrap());
    town.one(agreed);
    let waiting = town.writing.transfer(A, payee, 600_000);
    let waiting = town.one(waiting);
    let query = town.writing.query(payee, code_to(&waiting, payee), AGENT);
    let query = town.one(query);
    let claim = town.writing.claim(AGENT_PHONE, payee, 600_000, code_to(&query, payee));
    town.one(claim);
    let recalled = town.writing.transfer(B, payee, 700);
    let recalled = town.one(recalled).transfer.unwrap();
    let recall = town.writing.recall(B, recalled);
    town.one(recall);
    let left = town.writing.transfer(C, payee, 800);
    town.one(left);
    let wrong = town.writing.transfer_with(C, A, 100, 1);
    assert_eq!(town.any(wrong).refusal, Some(Refusal::WrongPin));
    let language = town.writing.language(B, Language::Swahili);
    town.one(language);
}

fn what_staff_do<S: Store>(town: &mut Town<S>) {
    town.measure(Measure::BindCard {
        msisdn: number(FIRST_CUSTOMER + 10),
        iccid: Iccid::new(89_255_000_000_000_000_001).unwrap(),
    });
    town.measure(Measure::Freeze { msisdn: number(FIRST_CUSTOMER + 3) });
    town.measure(Measure::Close { msisdn: number(FIRST_CUSTOMER + 4) });
    town.measure(Measure::ResetPin { msisdn: number(FIRST_CUSTOMER + 5) });
    town.measure(Measure::ChangeNumber { msisdn: number(FIRST_CUSTOMER + 6), to: number(STRANGER + 77) });
    town.measure(Measure::EnrolStaff { name: "third".into(), verifier: "verifier".into() });
    town.measure(Measure::SupplyFloat { agent: AgentCode(AGENT), amount: money(1_000) });
}

fn recovered_books_are_those_that_were_left<K: Kind>() {
    let place = K::place();
    let mut town = again::<K>(town::<K>(&place), &place);
    for n in 0..40 {
        a_day(&mut town, STRANGER + n);
        town.millis += 6 * 3_600_000;
        town = again::<K>(town, &place);
        let expired: Vec<Request> = town.center.books().expired(moment(town.millis).time, 100).map(expire).collect();
        town.batch(expired);
        if n == 20 {
            what_staff_do(&mut town);
            town = again::<K>(town, &place);
            let cases: Vec<CaseId> = town.center.books().cases().map(|case| case.id).collect();
            assert_eq!(cases.len(), 1, "the closed account left money behind");
        }
    }
}

fn expire(id: transaction_processing::ids::TransferId) -> Request {
    platform(Action::Expire(id))
}

/// The checkpoint went round: little of the log is replayed, and what a decision asks of closed history is found in it.
fn closed_history_is_found<K: Kind>() {
    let place = K::place();
    let mut town = town::<K>(&place);
    let waiting = town.writing.transfer(A, STRANGER, 600_000);
    let waiting = town.one(waiting);
    let (early, direct) = (waiting.transfer.unwrap(), town.writing.transfer(A, B, 5_000));
    let direct = town.one(direct).transfer.unwrap();
    let query = town.writing.query(STRANGER, code_to(&waiting, STRANGER), AGENT);
    let query = town.one(query);
    let claim = town.writing.claim(AGENT_PHONE, STRANGER, 600_000, code_to(&query, STRANGER));
    let paid = town.one(claim);
    for _ in 0..100 {
        let requests = (0..20).map(|n| town.writing.transfer(C + n % 3, C + n % 3 + 1, 10)).collect();
        town.batch(requests);
    }
    let position = *town.center.position();
    assert!(position.replay_from.0 + 3 * SPAN > position.next.0, "the checkpoint stands still: {position:?}");
    assert!(town.center.books().resident_transfer(early).is_none(), "a closed transfer stays in memory");
    for (transfer, whole) in [(early, 600_000), (direct, 5_000)] {
        let check = town.writing.check(A, transfer);
        let told = town.one(check).notices.remove(0).text;
        assert!(matches!(told, Text::ReceiptGenuine { amount, .. } if amount.minor() == whole), "not found");
    }
    let again = town.writing.recall(A, early);
    assert_eq!(town.any(again).refusal, Some(Refusal::NotWaiting));
    assert!(paid.row.is_some());
}

fn a_statement_follows_the_links<K: Kind>() {
    let place = K::place();
    let mut town = town::<K>(&place);
    // In one batch, so that the last entries are in the batch under way, the older ones in the store.
    for amount in [10, 20] {
        let sent = town.writing.transfer(A, B, amount);
        town.one(sent);
    }
    let mut requests: Vec<Request> = [30, 40, 50, 60].map(|amount| town.writing.transfer(A, B, amount)).into();
    requests.push(town.writing.statement(B));
    let answers = town.batch(requests);
    let Text::Statement { lines, .. } = &answers[4].notices[0].text else { panic!("no statement") };
    let changes: Vec<i64> = lines.iter().map(|line| line.change).collect();
    assert_eq!(changes, [60, 50, 40, 30, 20]);
    let balance = town.center.books().account_of(number(B)).unwrap().balance();
    assert_eq!(lines[0].balance, balance);
    assert_eq!(lines[3].balance, balance - 60 - 50 - 40);
}

/// Sixty requests need closed transfers, earlier answers and accounts' last entries: one question for the transfers, and for
/// rows as many as a statement has lines, whether one asks or all.
fn what_a_batch_misses_is_asked_for_together<K: Kind>() {
    let place = K::place();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Counted(K::open(&place), Arc::clone(&asked));
    let mut town = Town::found(DataCenter::with_span(counted, policy(), &[TZS], SPAN).unwrap(), 10_000_000_000);
    town.settle(0..21, 50_000_000);
    let before = town.writing.clone();
    let sent = |mut writing: Writing| (0..20).map(|n| writing.transfer(A + n, STRANGER + n, 700)).collect::<Vec<_>>();
    let made = town.batch(sent(before.clone()));
    let made: Vec<TransferId> = made.iter().map(|answer| answer.transfer.unwrap()).collect();
    town.writing.written += 20;
    let back = made.iter().zip(A..).map(|(transfer, of)| town.writing.recall(of, *transfer)).collect();
    town.batch(back);
    for amount in 0..20 {
        let requests = (0..20).map(|n| town.writing.transfer(A + n, A + n + 1, 10 + amount)).collect();
        town.batch(requests);
    }
    assert!(made.iter().all(|transfer| town.center.books().resident_transfer(*transfer).is_none()));
    let ask = |mut writing: Writing| {
        let mut requests: Vec<Request> = (0..20).map(|n| writing.statement(A + n)).collect();
        requests.extend(sent(before.clone()));
        requests.extend(made.iter().zip(A..).map(|(transfer, of)| writing.check(of, *transfer)));
        requests
    };
    let requests = ask(town.writing.clone());
    asked.store(0, Ordering::Relaxed);
    let together = town.batch(requests);
    assert_eq!(asked.load(Ordering::Relaxed), 6, "questions to the store");
    for (place, (request, answer)) in ask(town.writing.clone()).into_iter().zip(together).enumerate() {
        let is_told = match &answer.notices[0].text {
            Text::Statement { lines, .. } => place < 20 && lines.len() == 5,
            Text::Repeated { .. } => (20..40).contains(&place),
            Text::ReceiptGenuine { amount, .. } => place >= 40 && amount.minor() == 700,
            _ => false,
        };
        assert!(is_told, "request {place}");
        assert!(town.any(request).notices == answer.notices, "request {place} by itself");
    }
}

/// A store that counts the questions about closed history.
struct Counted<S>(S, Arc<AtomicUsize>);

impl<S: Store> Store for Counted<S> {
    type History = Counted<S::History>;

    const AHEAD: usize = S::AHEAD;

    fn load(&mut self, window: u32, each: &mut dyn FnMut(Loaded) -> Result<(), Fatal>) -> Result<(), Fatal> {
        self.0.load(window, each)
    }

    fn append(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError> {
        self.0.append(batch)
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.0.settle()
    }

    fn history(&self) -> Result<Self::History, StoreError> {
        Ok(Counted(self.0.history()?, Arc::clone(&self.1)))
    }

    fn is_restored(&self) -> Result<bool, StoreError> {
        self.0.is_restored()
    }

    fn watch(&mut self, lost: Lost) {
        self.0.watch(lost);
    }
}

impl<H: History> History for Counted<H> {
    fn rows(&mut self, sequences: &[Sequence]) -> Result<Vec<Option<Row>>, StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.rows(sequences)
    }

    fn transfers(&mut self, ids: &[TransferId]) -> Result<Vec<Option<Transfer>>, StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.transfers(ids)
    }

    fn settled(&mut self) -> Result<Sequence, StoreError> {
        self.0.settled()
    }

    fn untold(&mut self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError> {
        self.0.untold(after, most)
    }
}

fn a_repeat_is_known_in_the_batch_after_commit_and_after_recovery<K: Kind>() {
    let place = K::place();
    let mut town = town::<K>(&place);
    let writing = town.writing.clone();
    let same = || writing.clone().transfer(A, B, 5_000);
    let before = town.center.books().account_of(number(B)).unwrap().balance();
    let answers = town.batch(vec![same(), same()]);
    assert!(answers[0].row.is_some() && answers[1].row.is_none(), "twice in one batch");
    assert!(matches!(answers[1].notices[0].text, Text::Repeated { .. }));
    assert!(town.any(same()).row.is_none(), "in a later batch");
    let mut town = again::<K>(town, &place);
    assert!(town.any(same()).row.is_none(), "after recovery from rows");
    town.writing.written += 1;
    for _ in 0..30 {
        let requests = (0..20).map(|n| town.writing.transfer(C + n % 3, C + n % 3 + 1, 10)).collect();
        town.batch(requests);
    }
    let mut town = again::<K>(town, &place);
    assert!(town.any(same()).row.is_none(), "after recovery from the keys");
    assert_eq!(town.center.books().account_of(number(B)).unwrap().balance(), before + 5_000);
    town.millis += 73 * 3_600_000;
    assert!(town.any(same()).row.is_some(), "after the window it is a new one");
}

fn untold_notices_are_found_until_they_are_final<K: Kind>() {
    let place = K::place();
    let mut town = town::<K>(&place);
    let start = Sequence(town.center.position().next.0 - 1);
    let sent = town.writing.transfer(A, STRANGER, 5_000);
    let sent = town.one(sent);
    let sequence = sent.row.unwrap();
    let mut history = town.center.store().history().unwrap();
    let (untold, seen) = history.untold(start, 100).unwrap();
    assert_eq!((untold.len(), seen), (sent.notices.len(), sequence));
    let with_code = untold.iter().position(|untold| untold.notice.code.is_some()).expect("a code");
    for (index, untold) in untold.iter().enumerate() {
        assert_eq!(untold.id, NoticeId { sequence, notice: index as u8 });
        assert!(untold.message.is_none() && untold.notice == sent.notices[index]);
    }
    let id = untold[with_code].id;
    let stands = |state, attempts| {
        let message_id = Some("4f2a".to_owned());
        MessageChange::Stands(Message { notice: id, state, attempts, centre: Some(3), message_id, at: Time(7) })
    };
    town.try_batch(Vec::new(), vec![stands(MessageState::Sent, 1)]).unwrap();
    let (untold, _) = history.untold(start, 100).unwrap();
    let MessageChange::Stands(sent_once) = stands(MessageState::Sent, 1) else { unreachable!() };
    assert_eq!(untold[with_code].message, Some(sent_once));
    assert!(!untold[with_code].notice.code.as_ref().unwrap().0.is_empty(), "the code is kept while it may be needed");
    town.try_batch(Vec::new(), vec![stands(MessageState::Delivered, 1)]).unwrap();
    let (untold, seen) = history.untold(start, 100).unwrap();
    assert!(untold.iter().all(|untold| untold.id != id), "what was delivered is not told again");
    let row = history.row(sequence).unwrap().unwrap();
    assert!(row.notices[with_code].code.as_ref().unwrap().0.is_empty(), "a row never holds a code");
    town.try_batch(Vec::new(), vec![MessageChange::SettledTo(seen)]).unwrap();
    assert_eq!(history.settled().unwrap(), seen);
    assert!(history.untold(seen, 100).unwrap().0.is_empty());
    let town = again::<K>(town, &place);
    assert_eq!(town.center.position().settled, seen);
}

fn an_epoch_leaves_numbers_out<K: Kind>() {
    let place = K::place();
    let mut town = town::<K>(&place);
    let opened = town.one(platform(Action::OpenEpoch(requests::epoch::Fields { jump: 1_000_000 }))).row.unwrap();
    let sent = town.writing.transfer(A, B, 5_000);
    let sent = town.one(sent).row.unwrap();
    assert_eq!(sent.0, opened.0 + 1_000_001);
    let town = again::<K>(town, &place);
    assert_eq!(town.center.position().next, sent.next());
}

/// The writer answers every request once, in the order in which they came, and only what is durable.
fn the_writer_answers_in_order_and_ends<K: Kind>() {
    let place = K::place();
    let town = town::<K>(&place);
    let Town { center: before, mut writing, millis, .. } = town;
    let history = before.store().history().unwrap();
    let (ended, end) = channel();
    let clock = move || moment(millis);
    let bounds = Bounds { batch: 64, queue: 16 };
    let (reached, durable) = channel();
    let tell = move |place| reached.send(place).unwrap();
    let writer = Writer::start(before, clock, bounds, tell, move |result| ended.send(result).unwrap()).unwrap();
    let (answered, answers) = channel();
    let history = std::sync::Arc::new(std::sync::Mutex::new(history));
    for n in 0..2_000 {
        let (answered, history) = (answered.clone(), history.clone());
        let reply = move |answer: data_center::Answer| {
            let row = history.lock().unwrap().row(answer.row.unwrap()).unwrap();
            answered.send((n, row.is_some())).unwrap();
        };
        writer.submit(writing.transfer(A + n % 7, A + n % 7 + 1, 10), reply).unwrap();
    }
    let next = writer.read(|books| books.next()).unwrap();
    for n in 0..2_000 {
        assert_eq!(answers.recv().unwrap(), (n, true));
    }
    let written = writer.record(MessageChange::SettledTo(Sequence(next.0 - 1))).unwrap();
    // Told when a commit has reached its place, and not before.
    let told = durable.iter().find(|reached| *reached >= written);
    assert_eq!((told, history.lock().unwrap().settled().unwrap().0), (Some(written), next.0 - 1));
    drop(writer);
    end.recv().unwrap().unwrap();
    let after = center::<K>(&place);
    assert_eq!(after.position().next, next);
    assert_eq!(after.position().settled.0, next.0 - 1);
}

/// Names, an agent's in a proposal among them, and documents; and nobody else's.
fn what_is_erased_is_gone_and_the_proof_still_holds<K: Kind>() {
    let place = K::place();
    let mut town = town::<K>(&place);
    let payee = STRANGER + 1;
    a_day(&mut town, payee);
    let texts = |of: u64| {
        let question = format!("SELECT commitment, sealed FROM private_texts WHERE msisdn = {of} ORDER BY sequence");
        let mut found = Vec::new();
        let each = &mut |part: Part<'_>| {
            if let Part::Row(row) = part
                && let [Value::Octets(commitment), Value::Octets(sealed)] = row.as_slice()
            {
                found.push((commitment.clone(), sealed.len()));
            }
            true
        };
        K::location(&place).query(&question, each).unwrap();
        found
    };
    let (name, document, agent) = (texts(A), texts(payee), texts(AGENT_PHONE));
    assert_eq!((name.len(), document.len()), (1, 1));
    assert!(agent.len() > 2, "in the proposal, in its approval, and by itself");
    let up_to = Sequence(town.center.books().next().0 - 1);
    for of in [A, payee, AGENT_PHONE] {
        town.measure(Measure::Erase { msisdn: number(of), up_to });
    }
    for (of, before) in [(A, &name), (payee, &document), (AGENT_PHONE, &agent)] {
        let erased: Vec<_> = before.iter().map(|(commitment, _)| (commitment.clone(), 0)).collect();
        assert_eq!(texts(of), erased, "the commitments stay");
    }
    assert!(texts(B).iter().all(|(_, length)| *length > 0));
    // In one batch with what is erased: the row of the proposal is the next one, and then comes the registration.
    let (new, up_to) = (STRANGER + 2, Sequence(town.center.books().next().0 + 1));
    let register = town.writing.register(new);
    let erase = town.proposed(Measure::Erase { msisdn: number(new), up_to });
    let answers = town.batch(vec![register, erase]);
    assert_eq!((answers[0].row, answers[1].refusal), (Some(up_to), None));
    assert_eq!(texts(new), [(private(&format!("name of {new}")).commitment.to_vec(), 0)]);
    let sound = || assert_eq!(K::location(&place).verify(&mut |_, _| {}).unwrap().findings, []);
    sound();
    let mut town = again::<K>(town, &place);
    a_day(&mut town, payee + 100);
    drop(again::<K>(town, &place));
    sound();
}

macro_rules! conformance {
    ($name:ident, $kind:ty) => {
        mod $name {
            use super::*;
            conformance!(@each $kind:
                recovered_books_are_those_that_were_left
                closed_history_is_found
                a_statement_follows_the_links
                what_a_batch_misses_is_asked_for_together
                a_repeat_is_known_in_the_batch_after_commit_and_after_recovery
                untold_notices_are_found_until_they_are_final
                an_epoch_leaves_numbers_out
                the_writer_answers_in_order_and_ends
                what_is_erased_is_gone_and_the_proof_still_holds
            );
        }
    };
    (@each $kind:ty: $($test:ident)*) => { $(
        #[test]
        fn $test() {
            super::$test::<$kind>();
        }
    )* };
}

struct OnSqlite;

impl Kind for OnSqlite {
    type Store = Sqlite;
    type Place = tempfile::TempDir;

    fn place() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn location(place: &tempfile::TempDir) -> Location {
        Location::File(place.path().join("books.db"))
    }

    fn open(place: &tempfile::TempDir) -> Sqlite {
        Sqlite::open(&place.path().join("books.db"), &[TZS]).unwrap()
    }
}

struct OnPostgres;

impl Kind for OnPostgres {
    type Store = Postgres;
    type Place = Server;

    fn place() -> Server {
        Server::start()
    }

    fn location(server: &Server) -> Location {
        Location::Server(Box::new(Settings::parse(&server.url()).unwrap()))
    }

    fn open(server: &Server) -> Postgres {
        let mut settings = Settings::parse(&server.url()).unwrap();
        settings.standbys = Standbys::None;
        Postgres::open(settings, &[TZS]).unwrap()
    }
}

conformance!(sqlite, OnSqlite);
conformance!(postgres, OnPostgres);
