//! What may happen between the writer and a PostgreSQL server: connections cut at any octet, transactions given up, waits for
//! a standby ended, crashes; and other writers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/server.rs"]
mod server;
mod support;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use data_center::postgres::{InUse, PostgresHistory, Settings, Standbys, verify};
use data_center::{Bounds, DataCenter, Fatal, History as _, Postgres, StoreError, Writer, differences};
use proxy::{Proxy, Way};
use server::Server;
use support::*;
use transaction_processing::ids::Sequence;

const A: u64 = FIRST_CUSTOMER;
const B: u64 = FIRST_CUSTOMER + 1;

fn settings(url: &str) -> Settings {
    let mut settings = Settings::parse(url).unwrap();
    settings.standbys = Standbys::None;
    settings.lease = Duration::from_secs(60);
    settings
}

/// Of somebody who waits where another has the database.
fn patient(url: &str) -> Settings {
    let mut settings = settings(url);
    settings.in_use = InUse::Wait;
    settings
}

/// The same with a lease so short that a test can wait for its end.
fn brief(url: &str) -> Settings {
    let mut settings = patient(url);
    settings.lease = Duration::from_secs(2);
    settings
}

fn open(settings: Settings) -> DataCenter<Postgres> {
    let store = Postgres::open(settings, &[TZS]).unwrap();
    DataCenter::with_span(store, policy(), &[TZS], 50).unwrap()
}

fn town(settings: Settings) -> Town<Postgres> {
    let mut town = Town::found(open(settings), 10_000_000_000);
    town.settle(0..4, 50_000_000);
    town
}

/// What the log holds is what this town knows, and all of it is sound.
fn assert_whole(server: &Server, town: &Town<Postgres>) {
    let report = verify(&settings(&server.url()), &mut |_, _| {}).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.head, town.center.position().head);
    assert_eq!(report.rows, town.center.position().next.0 - 1);
}

fn lost(result: Result<Vec<data_center::Answer>, Fatal>) -> bool {
    matches!(result, Err(Fatal::Store(StoreError::LeaseLost(_))))
}

/// The connection is cut after any octet of a commit on its way there, and after any of the answer: COMMIT sent and not
/// arrived, arrived and not answered, answered in part.
#[test]
fn a_connection_cut_at_any_octet_of_a_commit_loses_nothing_and_doubles_nothing() {
    let server = Server::start();
    let proxy = Proxy::start(server.socket());
    let mut town = town(settings(&proxy.url()));
    // Every statement is prepared; what passes from here on are commits.
    let send = |town: &mut Town<Postgres>| {
        let sent = town.writing.transfer(A, B, 10);
        town.one(sent);
    };
    (0..10).for_each(|_| send(&mut town));
    let before = [Way::Up, Way::Down].map(|way| proxy.passed(way));
    (0..10).for_each(|_| send(&mut town));
    let usual = [Way::Up, Way::Down].map(|way| (proxy.passed(way) - before[way as usize]) / 10);
    let points = if std::env::var("WAKALA_SOAK").is_ok() { 300 } else { 25 };
    for way in [Way::Up, Way::Down] {
        for point in 0..=points {
            (0..2).for_each(|_| send(&mut town));
            proxy.cut_after(way, usual[way as usize] * point / points);
            send(&mut town);
            // One that was smaller than usual is followed by another.
            if !proxy.disarm() {
                send(&mut town);
            }
        }
        assert!(proxy.cuts() as u64 > points * 9 / 10 * (1 + way as u64), "only {} cuts", proxy.cuts());
    }
    assert_whole(&server, &town);
}

/// A writer that has the next batch on its way before the last is answered, each of one request: the rows that it answered,
/// and the town as it was left.
fn write_ahead(town: Town<Postgres>, url: &str, count: u64, answered: impl FnOnce()) -> (Vec<u64>, Town<Postgres>) {
    let (mut writing, millis) = (town.writing.clone(), town.millis);
    let ((ended, end), (answer, answers)) = (channel(), channel());
    let bounds = Bounds { batch: 1, queue: 64 };
    let tell = move |result| ended.send(result).unwrap();
    let writer = Writer::start(town.center, move || moment(millis), bounds, |_| {}, tell).unwrap();
    for n in 0..count {
        let answer = answer.clone();
        let reply = move |given: data_center::Answer| answer.send(given.row.unwrap().0).unwrap();
        writer.submit(writing.transfer(A + n % 3, A + 3, 1), reply).unwrap();
    }
    let rows = answers.iter().take(count as usize).collect();
    answered();
    writer.stop();
    end.recv().unwrap().unwrap();
    (rows, Town::returning(open(patient(url)), writing))
}

/// The same with several batches on their way: each counts only behind the one before, whatever becomes of them.
#[test]
fn a_connection_cut_with_batches_under_way_loses_nothing_and_doubles_nothing() {
    let server = Server::start();
    let proxy = Proxy::start(server.socket());
    let mut town = town(settings(&proxy.url()));
    let count = 12;
    let mut usual = [0, 0];
    let mut rows = Vec::new();
    for _ in 0..2 {
        let before = [Way::Up, Way::Down].map(|way| proxy.passed(way));
        (rows, town) = write_ahead(town, &proxy.url(), count, || {
            usual = [Way::Up, Way::Down].map(|way| proxy.passed(way) - before[way as usize]);
        });
    }
    let points = if std::env::var("WAKALA_SOAK").is_ok() { 200 } else { 20 };
    for way in [Way::Up, Way::Down] {
        for point in 0..points {
            proxy.cut_after(way, usual[way as usize] * point / points);
            let (more, returned) = write_ahead(town, &proxy.url(), count, || {
                proxy.disarm();
            });
            town = returned;
            let next = rows.last().unwrap() + 1;
            rows.extend(more);
            assert_eq!(rows[rows.len() - count as usize..], (next..next + count).collect::<Vec<_>>());
        }
    }
    assert!(proxy.cuts() as u64 > points, "only {} cuts", proxy.cuts());
    assert_whole(&server, &town);
}

#[test]
fn a_batch_behind_one_that_the_server_gave_up_is_written_behind_it() {
    let server = Server::start();
    let mut town = town(settings(&server.url()));
    for code in ["40001", "40P01", "57014"] {
        for times in 1..4 {
            make_fail(&server, code, times);
            let first = town.center.position().next.0;
            let (rows, returned) = write_ahead(town, &server.url(), 5, || {});
            assert_eq!(rows, (first..first + 5).collect::<Vec<_>>());
            town = returned;
        }
    }
    assert_whole(&server, &town);
}

/// The same where the batch is the first of a month, for which the log gets a partition.
#[test]
fn a_connection_cut_at_any_octet_of_a_months_beginning_loses_nothing_and_doubles_nothing() {
    let server = Server::start();
    let proxy = Proxy::start(server.socket());
    let mut town = town(settings(&proxy.url()));
    let begin = |town: &mut Town<Postgres>| {
        town.millis += 30 * 86_400_000;
        let sent = town.writing.transfer(A, B, 10);
        town.one(sent);
    };
    begin(&mut town);
    let before = [Way::Up, Way::Down].map(|way| proxy.passed(way));
    begin(&mut town);
    let usual = [Way::Up, Way::Down].map(|way| proxy.passed(way) - before[way as usize]);
    for way in [Way::Up, Way::Down] {
        for point in 0..12 {
            proxy.cut_after(way, usual[way as usize] * point / 12);
            begin(&mut town);
            proxy.disarm();
        }
    }
    assert!(proxy.cuts() > 20, "only {} cuts", proxy.cuts());
    assert_whole(&server, &town);
}

/// The connection is cut after any octet of an answer, and the question put again.
#[test]
fn an_answer_that_is_cut_is_asked_for_again() {
    let server = Server::start();
    let proxy = Proxy::start(server.socket());
    let (_, rows) = (town(settings(&server.url())), 1..=10);
    let mut history = PostgresHistory::open(&settings(&proxy.url())).unwrap();
    let mut ask = || {
        let untold = history.untold(Sequence(0), 1_000).unwrap();
        let rows: Vec<_> = rows.clone().map(|row| history.row(Sequence(row)).unwrap()).collect();
        (untold, rows)
    };
    ask();
    let before = proxy.passed(Way::Down);
    let whole = ask();
    let usual = proxy.passed(Way::Down) - before;
    for point in 0..20 {
        proxy.cut_after(Way::Down, usual * point / 20);
        assert!(ask() == whole, "cut after {point} of 20 parts");
        proxy.disarm();
    }
    assert!(proxy.cuts() >= 19, "only {} cuts", proxy.cuts());
}

/// Makes the next `times` batches fail at the log, with this code of SQL.
fn make_fail(server: &Server, code: &str, times: u32) {
    server.sql(&format!(
        "DROP TRIGGER IF EXISTS fail ON log; DROP SEQUENCE IF EXISTS times_failed; CREATE SEQUENCE times_failed;
        GRANT USAGE ON times_failed TO wakala;
        CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('times_failed') <= {times} THEN RAISE EXCEPTION 'made to fail' USING ERRCODE = '{code}'; END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER fail BEFORE INSERT ON log EXECUTE FUNCTION fail()"
    ));
}

#[test]
fn a_transaction_that_the_server_gave_up_is_written_again_as_it_is() {
    let server = Server::start();
    let mut town = town(settings(&server.url()));
    for code in ["40001", "40P01", "57014"] {
        make_fail(&server, code, 3);
        let sent = town.writing.transfer(A, B, 10);
        let row = town.one(sent).row.unwrap();
        assert_eq!(
            server.sql("SELECT last_value, (SELECT max(sequence) FROM log) FROM times_failed"),
            format!("4|{}", row.0)
        );
    }
    assert_whole(&server, &town);
    make_fail(&server, "53100", 1);
    let sent = town.writing.transfer(A, B, 10);
    let failed = town.try_batch(vec![sent], Vec::new()).err();
    assert!(matches!(failed, Some(Fatal::Store(StoreError::Postgres(_)))), "a full disk is fatal: {failed:?}");
}

#[test]
fn a_wait_for_a_standby_that_somebody_ends_is_no_commit() {
    let server = Server::start();
    let mut town = town(settings(&server.url()));
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    server.set("synchronous_standby_names", "nobody");
    let sender = thread::spawn(move || {
        let sent = town.writing.transfer(A, B, 10);
        town.one(sent);
        town
    });
    server.wait_for(waiting, "1");
    let first = server.sql("SELECT pg_cancel_backend(pid), pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    let pid = first.strip_prefix("t|").unwrap();
    // Committed on this server alone, and visible: it is waited for again, by another session.
    server.wait_for(&format!("{waiting} AND pid <> {pid}"), "1");
    assert!(!sender.is_finished());
    // The same when the server ends the session.
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    server.wait_for(waiting, "1");
    assert!(!sender.is_finished());
    server.set("synchronous_standby_names", "");
    assert_whole(&server, &sender.join().unwrap());
}

#[test]
fn a_server_that_crashes_and_comes_back_has_everything_once() {
    let mut server = Server::start();
    let mut town = town(settings(&server.url()));
    for _ in 0..3 {
        let (begun, running) = channel();
        let sender = thread::spawn(move || {
            for n in 0..200 {
                let sent = town.writing.transfer(A, B, 10);
                town.one(sent);
                if n == 20 {
                    begun.send(()).unwrap();
                }
            }
            town
        });
        running.recv().unwrap();
        server.crash();
        server.serve();
        town = sender.join().unwrap();
    }
    assert_whole(&server, &town);
}

#[test]
fn a_second_process_is_refused_or_waits_as_it_is_asked_to() {
    let server = Server::start();
    let first = town(settings(&server.url()));
    let refused = Postgres::open(settings(&server.url()), &[TZS]).err();
    let holder = format!("process {}", std::process::id());
    assert!(matches!(&refused, Some(StoreError::InUse { by, .. }) if by.contains(&holder)), "{refused:?}");
    let waiting = patient(&server.url());
    let second = thread::spawn(move || open(waiting));
    // It has looked, and found the lease held.
    server.wait_for("SELECT count(*) FROM pg_stat_activity WHERE query = 'ROLLBACK'", "1");
    assert!(!second.is_finished());
    let (books, store) = first.center.into_parts();
    drop(store);
    let second = second.join().unwrap();
    assert_eq!(differences(&books, second.books()), [""; 0]);
}

/// A writer that is cut off at one point of a commit or another, another that takes over, and the first when it comes back.
#[test]
fn a_stale_writer_cannot_commit_however_far_it_had_come() {
    let server = Server::start();
    drop(town(settings(&server.url())));
    for (way, share) in [(Way::Up, 0), (Way::Up, 1), (Way::Up, 5), (Way::Up, 9), (Way::Down, 0), (Way::Down, 9)] {
        let proxy = Proxy::start(server.socket());
        let mut stale = Town::returning(open(brief(&proxy.url())), writing(&server));
        let mut usual = 0;
        for _ in 0..10 {
            let before = proxy.passed(way);
            let sent = stale.writing.transfer(A, B, 10);
            stale.one(sent);
            usual = proxy.passed(way) - before;
        }
        proxy.stop_after(way, usual * share / 10);
        let before = stale.center.position().next;
        let sending = thread::spawn(move || {
            let sent = stale.writing.transfer(A, B, 77);
            lost(stale.try_batch(vec![sent], Vec::new()))
        });
        proxy.wait_until_stopped();
        let mut fresh = Town::returning(open(brief(&server.url())), writing(&server));
        let sent = fresh.writing.transfer(B, A, 10);
        fresh.one(sent);
        assert!(sending.join().unwrap(), "the stale writer was told that it had written");
        proxy.go_on();
        // All that it had sent has reached the server, which is done with it.
        server.wait_for(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'wakala' AND client_addr IS NOT NULL",
            "0",
        );
        let written = server.sql(&format!("SELECT count(*) FROM log WHERE amount_1 = 77 AND sequence >= {}", before.0));
        assert!(way == Way::Down || written == "0", "{way:?} {share}: a stale writer has written");
        assert_whole(&server, &fresh);
    }
}

/// Keys of requests that nobody has used yet.
fn writing(server: &Server) -> Writing {
    let written = server.sql("SELECT max(sequence) FROM log").parse::<u64>().unwrap() * 1_000;
    Writing { written, drawn: 1_000_000 + written as u32 }
}

/// Two writers that take the database from one another again and again, in the middle of their work.
#[test]
fn writers_that_take_over_from_one_another_write_one_log() {
    let server = Server::start();
    drop(town(settings(&server.url())));
    let rounds = if std::env::var("WAKALA_SOAK").is_ok() { 200 } else { 12 };
    let mut answered = Vec::new();
    let mut before: Option<thread::JoinHandle<Vec<u64>>> = None;
    for round in 0..rounds {
        server.sql("UPDATE lease SET expires_at = now()");
        let mut town = Town::returning(open(patient(&server.url())), writing(&server));
        let (begun, running) = channel();
        let working = thread::spawn(move || {
            let mut rows = Vec::new();
            loop {
                let requests = (0..3).map(|n| town.writing.transfer(A + n % 2, B + 1, 1)).collect();
                match town.try_batch(requests, Vec::new()) {
                    Ok(answers) => rows.extend(answers.iter().map(|answer| answer.row.unwrap().0)),
                    Err(Fatal::Store(StoreError::LeaseLost(_))) => return rows,
                    Err(other) => panic!("{other}"),
                }
                let _ = begun.send(());
            }
        });
        if let Some(before) = before.replace(working) {
            answered.extend(before.join().unwrap());
        }
        (0..=round % 5).for_each(|_| running.recv().unwrap());
    }
    server.sql("UPDATE lease SET expires_at = now()");
    let last = Town::returning(open(settings(&server.url())), Writing::default());
    answered.extend(before.unwrap().join().unwrap());
    let count = answered.len();
    answered.sort_unstable();
    answered.dedup();
    assert_eq!(answered.len(), count, "a number was given twice");
    let rows: Vec<u64> =
        server.sql("SELECT sequence FROM log ORDER BY 1").lines().map(|row| row.parse().unwrap()).collect();
    assert!(answered.iter().all(|row| rows.binary_search(row).is_ok()), "a row was answered and is gone");
    assert_whole(&server, &last);
}

#[test]
fn a_writer_that_has_nothing_to_do_ends_when_it_loses_the_lease() {
    let server = Server::start();
    let (ended, end) = channel();
    let first = town(brief(&server.url()));
    let millis = first.millis;
    let tell = move |result| ended.send(result).unwrap();
    let writer = Writer::start(first.center, move || moment(millis), Bounds::default(), |_| {}, tell).unwrap();
    assert!(writer.read(|books| books.next()).is_ok());
    server.sql("UPDATE lease SET expires_at = now()");
    let second = open(brief(&server.url()));
    let why = end.recv().unwrap();
    assert!(matches!(why, Err(Fatal::Store(StoreError::LeaseLost(_)))), "{why:?}");
    assert!(writer.read(|books| books.next()).is_err(), "what may be of the past is not told");
    drop(second);
}

#[test]
fn a_server_that_answers_no_more_ends_the_writer_with_its_lease() {
    let server = Server::start();
    drop(town(settings(&server.url())));
    let proxy = Proxy::start(server.socket());
    let mut town = Town::returning(open(brief(&proxy.url())), writing(&server));
    proxy.stop_after(Way::Up, 0);
    let sent = town.writing.transfer(A, B, 10);
    assert!(lost(town.try_batch(vec![sent], Vec::new())));
    proxy.go_on();
}

#[test]
fn a_host_that_says_nothing_hides_none_behind_it() {
    let server = Server::start();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", silent.local_addr().unwrap().port(), server.port());
    let town = town(settings(&format!("postgres://wakala@{hosts}/wakala")));
    assert_whole(&server, &town);
}

#[test]
fn a_start_waits_for_a_server_that_is_about_to_serve() {
    let mut server = Server::start();
    // A crash may forget that it was let go of.
    drop(town(brief(&server.url())));
    server.crash();
    assert!(matches!(Postgres::open(settings(&server.url()), &[TZS]), Err(StoreError::Postgres(_))));
    let waiting = patient(&server.url());
    let started = thread::spawn(move || open(waiting));
    server.serve();
    started.join().unwrap();
}

/// The server stands still in the middle of a commit, with its connections open, and another takes over.
#[test]
fn a_commit_is_not_awaited_from_a_server_that_another_has_taken_over_from() {
    let first = Server::start();
    drop(town(settings(&first.url())));
    let second = Server::standing_by(&first);
    let proxy = Proxy::start(first.socket());
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", proxy.port(), second.port());
    let mut through = patient(&format!("postgres://wakala@{hosts}/wakala"));
    through.lease = Duration::from_secs(9);
    let mut town = Town::returning(open(through), writing(&first));
    let written = first.sql("SELECT pg_current_wal_lsn()");
    second.wait_for(&format!("SELECT pg_last_wal_replay_lsn() >= '{written}'"), "true");
    proxy.stop_after(Way::Up, 0);
    let sending = thread::spawn(move || {
        let sent = town.writing.transfer(A, B, 77);
        town.one(sent);
        town
    });
    proxy.wait_until_stopped();
    second.sql("SELECT pg_promote()");
    let town = sending.join().unwrap();
    assert_whole(&second, &town);
    assert_eq!(second.sql("SELECT count(*) FROM log WHERE amount_1 = 77"), "1");
    assert_eq!(first.sql("SELECT count(*) FROM log WHERE amount_1 = 77"), "0");
    proxy.go_on();
}

#[test]
fn settings_that_become_unsafe_end_the_writer() {
    let server = Server::start();
    let standby = Server::standing_by(&server);
    server.set("synchronous_standby_names", "*");
    let mut strict = brief(&server.url());
    strict.standbys = Standbys::Synchronous;
    let mut town = town(strict);
    server.set("synchronous_standby_names", "");
    let why = loop {
        let sent = town.writing.transfer(A, B, 10);
        match town.try_batch(vec![sent], Vec::new()) {
            Ok(_) => {}
            Err(error) => break error.to_string(),
        }
    };
    assert!(why.contains("synchronous_standby_names is empty"), "{why}");
    drop(standby);
}

/// A process that is killed in the middle of its work: what it had answered is there, and the books are whole.
#[test]
fn a_killed_process_loses_nothing_that_was_answered() {
    if let Ok(url) = std::env::var("BOOKS_TO_BE_LEFT") {
        work_until_killed(&url);
    }
    let server = Server::start();
    drop(town(settings(&server.url())));
    for round in 1..=3_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "a_killed_process_loses_nothing_that_was_answered"])
            .env("BOOKS_TO_BE_LEFT", server.url())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let answered = lines.map(Result::unwrap).filter_map(|line| line.strip_prefix("answered ")?.parse::<u64>().ok());
        let last = answered.take(50 * round).last().expect("an answer");
        child.kill().unwrap();
        child.wait().unwrap();
        let town = Town::returning(open(brief(&server.url())), Writing::default());
        assert!(town.center.position().next.0 > last, "row {last} was answered and is gone");
        assert_whole(&server, &town);
    }
}

fn work_until_killed(url: &str) -> ! {
    let center = open(brief(url));
    let written = center.position().next.0 * 1_000;
    let mut town = Town::returning(center, Writing { written, drawn: 1_000_000 });
    loop {
        let requests = (0..7).map(|n| town.writing.transfer(FIRST_CUSTOMER + n % 3, FIRST_CUSTOMER + 3, 1)).collect();
        for answer in town.batch(requests) {
            println!("answered {}", answer.row.unwrap().0);
        }
    }
}
