//! A process that follows the log of another, and takes over from it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use data_center::postgres::{Edge, Follower, Holder, Settings, Standbys, Stop};
use data_center::{Bounds, DataCenter, Fatal, Postgres, Reply, StoreError, Undecided, Writer, differences};
use server::Server;
use support::*;
use transaction_processing::Request;
use transaction_processing::ids::Sequence;
use transaction_processing::number::Number;

const A: u64 = FIRST_CUSTOMER;
const B: u64 = FIRST_CUSTOMER + 1;
/// Short, so that the checkpoint goes round often.
const SPAN: u64 = 50;

fn settings(server: &Server) -> Settings {
    let mut settings = Settings::parse(&server.url()).unwrap();
    settings.standbys = Standbys::None;
    settings.advertised = Some("127.0.0.1:1".to_owned());
    settings
}

fn open(server: &Server) -> DataCenter<Postgres> {
    let store = Postgres::open(settings(server), &[TZS]).unwrap();
    DataCenter::with_span(store, policy(), &[TZS], SPAN).unwrap()
}

struct Seen {
    level: Mutex<Sender<Sequence>>,
    handed: Mutex<Sender<Request>>,
    holders: Mutex<Vec<Holder>>,
}

impl Edge for Seen {
    fn hand_over(&self, request: Request, _: Reply) {
        self.handed.lock().unwrap().send(request).unwrap();
    }

    fn decides(&self, holder: &Holder) {
        self.holders.lock().unwrap().push(holder.clone());
    }

    fn learn(&self, _: &Number) {}

    fn is_level(&self, next: Sequence) {
        let _ = self.level.lock().unwrap().send(next);
    }

    fn is_cut(&self, error: &StoreError) {
        panic!("the server is there: {error}");
    }
}

/// One that follows, on a thread of its own.
struct Following {
    writer: Writer,
    undecided: Arc<Undecided>,
    stop: Stop,
    seen: Arc<Seen>,
    level: Receiver<Sequence>,
    handed: Receiver<Request>,
    running: JoinHandle<Result<Option<DataCenter<Postgres>>, Fatal>>,
}

impl Following {
    fn start(server: &Server) -> Following {
        let (follower, stop) = Follower::with_span(settings(server), policy(), &[TZS], SPAN).unwrap();
        let (writer, undecided) = Writer::undecided(Bounds::default());
        let undecided = Arc::new(undecided);
        let ((tell_level, level), (hand, handed)) = (channel(), channel());
        let (level_of, handed_of) = (Mutex::new(tell_level), Mutex::new(hand));
        let seen = Arc::new(Seen { level: level_of, handed: handed_of, holders: Mutex::default() });
        let (waiting, edge) = (Arc::clone(&undecided), Arc::clone(&seen));
        let running = thread::spawn(move || follower.run(&waiting, &edge, |store| store));
        Following { writer, undecided, stop, seen, level, handed, running }
    }

    /// Waits until its books have everything before this row.
    fn reach(&self, next: Sequence) {
        while self.level.recv().expect("it follows") < next {}
    }
}

fn transfers(town: &mut Town<Postgres>, count: u64) {
    for round in 0..count {
        let requests = (0..7).map(|n| town.writing.transfer(A + (round + n) % 3, A + 3, 1)).collect();
        town.batch(requests);
    }
}

#[test]
fn books_that_follow_a_log_are_those_that_wrote_it_and_go_on_from_there() {
    let server = Server::start();
    let mut town = Town::lived_in(open(&server));
    let following = Following::start(&server);
    transfers(&mut town, 40);
    let waiting = town.writing.transfer(A, STRANGER, 500);
    town.one(waiting);
    let next = town.center.position().next;
    following.reach(next);
    assert_eq!(following.writer.read(|books| books.next()).unwrap(), next, "questions are answered from its books");
    let asked = town.writing.transfer(A, B, 3);
    let key = asked.key;
    assert!(following.writer.submit(asked, |_| ()).is_ok());
    assert_eq!(following.handed.recv().unwrap().key, key, "requests are handed over");

    let Town { center, writing, .. } = town;
    let before = center.into_parts().0;
    let followed = following.running.join().unwrap().unwrap().expect("it has the lease now");
    assert_eq!(differences(&before, followed.books()), Vec::<String>::new());
    assert_eq!(following.seen.holders.lock().unwrap()[0].address.as_deref(), Some("127.0.0.1:1"));
    drop((following.writer, following.undecided));

    // It decides on, and its checkpoint is one from which the books are recovered.
    let mut town = Town::returning(followed, writing);
    transfers(&mut town, 40);
    let after = town.center.into_parts().0;
    let recovered = open(&server);
    assert_eq!(differences(&after, recovered.books()), Vec::<String>::new());
    let report = data_center::postgres::verify(&settings(&server), &mut |_, _| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
}

#[test]
fn books_with_a_row_that_the_log_has_lost_are_never_decided_upon() {
    let server = Server::start();
    let mut town = Town::lived_in(open(&server));
    transfers(&mut town, 2);
    let following = Following::start(&server);
    transfers(&mut town, 1);
    following.reach(town.center.position().next);
    // What a failover leaves that the last commit had not waited for.
    server.sql(
        "DELETE FROM log WHERE sequence = (SELECT max(sequence) FROM log);
        UPDATE position SET next = next - 1, head = (SELECT chain FROM log ORDER BY sequence DESC LIMIT 1)",
    );
    drop(town);
    let ended = following.running.join().unwrap();
    assert!(matches!(ended, Err(Fatal::Store(StoreError::LeaseLost(_)))), "it took over");
}

#[test]
fn one_that_is_stopped_leaves_the_lease_alone() {
    let server = Server::start();
    let town = Town::lived_in(open(&server));
    let following = Following::start(&server);
    following.reach(town.center.position().next);
    following.stop.stop();
    assert!(following.running.join().unwrap().unwrap().is_none());
    assert_eq!(server.sql("SELECT term FROM lease"), "1");
}
