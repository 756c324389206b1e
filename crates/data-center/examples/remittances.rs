//! How many remittances become durable in a second: `cargo run --release --example remittances -- [customers] [millions] [1 for large batches only]`.
//!
//! `POSTGRES=own` measures on a PostgreSQL server started for it, `POSTGRES=postgres://…` on an empty database of another.
//!
//! Customers are registered and given money through the ledger itself. Then remittances between two of them each are
//! written at batches of 1, 64 and 1024, of these as many millions as told, and the database is opened again.

#[path = "../tests/support/server.rs"]
mod server;
#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use data_center::postgres::{Settings, Standbys};
use data_center::{Bounds, DataCenter, Postgres, Sqlite, Store, Writer};
use server::Server;
use support::{FIRST_CUSTOMER, TZS, Town, Writing, moment, policy};
use transaction_processing::Request;

/// A third faster here than the system's: what one thread allocates another frees.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    if let Ok(path) = std::env::var("OPEN") {
        return open_only(Path::new(&path));
    }
    if let Ok(address) = std::env::var("POSTGRES") {
        // A server of its own, unless one is named.
        let own = (!address.contains("://")).then(Server::start);
        let address = own.as_ref().map_or(address, Server::url);
        measure(&|| open_server(&address));
        if let Some(server) = own {
            println!("{} MiB", server.sql("SELECT pg_database_size('wakala') >> 20"));
        }
        return;
    }
    let directory = tempfile::tempdir_in(std::env::var("BENCH_DIR").unwrap_or("/tmp".into())).expect("a directory");
    let path = directory.path().join("books.db");
    measure(&|| open(&path));
    if std::env::var("KEEP").is_ok() {
        println!("kept in {}", directory.keep().display());
        return;
    }
    for name in ["books.db", "books.db-wal"] {
        let size = std::fs::metadata(directory.path().join(name)).map_or(0, |file| file.len());
        println!("{name}: {} MiB", size >> 20);
    }
}

fn measure<S: Store>(open: &dyn Fn() -> DataCenter<S>) {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("a number"));
    let customers = arguments.next().unwrap_or(100_000);
    let millions = arguments.next().unwrap_or(1);
    let mut town = Town::found(open(), 500_000_000_000_000);
    let began = Instant::now();
    town.settle(0..customers, 100_000_000);
    report("setting up, rows/s", customers * 3, began.elapsed());
    let writing = town.writing.clone();
    let mut millis = town.millis;
    let mut load = Load { writing, customers, state: 42 };

    let short = if arguments.next().is_some() { 0..0 } else { 0..2 };
    for (batch, count) in [(1, 20_000), (64, 200_000)].into_iter().take(short.end) {
        millis = run_writer(town.center, batch, count, &mut load, millis);
        town = Town::returning(open(), load.writing.clone());
    }
    for million in 1..=millions {
        print!("{million:>3}: ");
        millis = run_writer(town.center, 1024, 1_000_000, &mut load, millis);
        town = Town::returning(open(), load.writing.clone());
    }
    drop(town);
    let began = Instant::now();
    let center = open();
    println!("opened again in {:?} at row {}", began.elapsed(), center.position().next.0);
    memory();
}

/// How long a start takes in a fresh process, and what it holds then: `OPEN=path`; with `VERIFY=1`, how long a verification.
fn open_only(path: &Path) {
    let began = Instant::now();
    if std::env::var("VERIFY").is_ok() {
        let report = data_center::sqlite::verify(path, &mut |_, _| {}).expect("a report");
        println!(
            "{} rows, {} records, {} findings in {:?}",
            report.rows,
            report.records,
            report.found,
            began.elapsed()
        );
        return memory();
    }
    let center = open(path);
    let position = center.position();
    println!("opened in {:?}, replaying {} rows", began.elapsed(), position.next.0 - position.replay_from.0);
    println!(
        "{} accounts of {} octets",
        center.books().account_count(),
        size_of::<transaction_processing::account::Account>()
    );
    println!(
        "{} numbers of {} octets",
        center.books().numbers().count(),
        size_of::<transaction_processing::number::Number>()
    );
    memory();
    threads();
}

fn open(path: &Path) -> DataCenter<Sqlite> {
    let store = Sqlite::open(path, &[TZS]).expect("a database");
    DataCenter::open(store, policy(), &[TZS]).expect("books")
}

fn open_server(address: &str) -> DataCenter<Postgres> {
    let mut settings = Settings::parse(address).expect("an address");
    settings.standbys = Standbys::None;
    let store = Postgres::open(settings, &[TZS]).expect("a database");
    DataCenter::open(store, policy(), &[TZS]).expect("books")
}

struct Load {
    writing: Writing,
    customers: u64,
    state: u64,
}

impl Load {
    fn next(&mut self) -> Request {
        let from = self.random();
        let to = (from + 1 + self.random() % (self.customers - 1)) % self.customers;
        self.writing.transfer(FIRST_CUSTOMER + from, FIRST_CUSTOMER + to, 100)
    }

    /// Any numbers will do that reach all customers (Knuth's multiplier).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % self.customers
    }
}

/// Keeps `batch` requests in the queue for each batch that is flushed; the requests are made beforehand.
fn run_writer<S: Store>(center: DataCenter<S>, batch: usize, count: usize, load: &mut Load, millis: i64) -> i64 {
    let (ended, end) = channel();
    let started = Instant::now();
    let clock = move || moment(millis + started.elapsed().as_millis() as i64);
    let bounds = Bounds { batch, queue: batch * 2 };
    let writer =
        Writer::start(center, clock, bounds, |_| {}, move |result| ended.send(result).unwrap()).expect("a writer");
    let mut spent = Duration::ZERO;
    // As little as can be for each answer: the rate is that of the engine.
    let latencies = Arc::new((Mutex::new(Vec::with_capacity(count)), Condvar::new()));
    let mut left = count;
    while left > 0 {
        let some = left.min(100_000);
        let requests: Vec<Request> = (0..some).map(|_| load.next()).collect();
        let began = Instant::now();
        let goal = count - left + some;
        for request in requests {
            let (answered, asked) = (Arc::clone(&latencies), Instant::now());
            let answer = move |answer: data_center::Answer| {
                assert!(answer.refusal.is_none(), "{:?}", answer.refusal);
                let mut all = answered.0.lock().unwrap();
                all.push(asked.elapsed());
                if all.len() == goal {
                    answered.1.notify_one();
                }
            };
            writer.submit(request, answer).expect("a writer");
        }
        let all = latencies.0.lock().unwrap();
        drop(latencies.1.wait_while(all, |all| all.len() < goal).unwrap());
        spent += began.elapsed();
        left -= some;
    }
    let mut latencies = std::mem::take(&mut *latencies.0.lock().unwrap());
    latencies.sort_unstable();
    let at = |share: usize| latencies[(latencies.len() - 1) * share / 100];
    print!("batch {batch:>4}: p50 {:?} p99 {:?} most {:?}; ", at(50), at(99), at(100));
    report("durable remittances/s", count as u64, spent);
    threads();
    writer.stop();
    end.recv().expect("an end").expect("no failure");
    millis + started.elapsed().as_millis() as i64
}

fn report(what: &str, count: u64, spent: Duration) {
    println!("{what}: {:.0}", count as f64 / spent.as_secs_f64());
}

fn memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS")) {
        println!("{line}");
    }
}

/// How long each thread of this process has run: on a busy machine that says more than the clock.
fn threads() {
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let ran = read("schedstat").split(' ').next().and_then(|ran| ran.parse().ok()).map(Duration::from_nanos);
        print!("{} {:?}; ", read("comm").trim(), ran.unwrap_or_default());
    }
    println!();
}
