//! Decisions in memory, and remittances made durable.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use data_center::{Bounds, Writer};
use encryption::FileKeys;
use transaction_processing::Request;

use crate::figures::{Figures, memory};
use crate::town::{self, FIRST, Town, moment_at, now_ms};

/// Requests made beforehand, so that making them is not measured.
const PREPARED: usize = 100_000;

/// Decisions a second: decided and entered into the books, nothing written.
pub fn decisions(figures: &mut Figures, directory: &Path) -> anyhow::Result<()> {
    let directory = directory.join("decisions");
    std::fs::create_dir(&directory)?;
    let config = town::config(&directory, "")?;
    let keys = Arc::new(FileKeys::create(&mut rand::rng()));
    let mut town = Town::open(&config, keys)?;
    town.found(&config)?;
    town.settle(10_000, false)?;
    let requests: Vec<Request> = (0..PREPARED).map(|_| random_transfer(&mut town, 10_000)).collect();
    let began = Instant::now();
    let mut decided = 0;
    while began.elapsed() < Duration::from_secs(2) {
        for request in &requests {
            let decision = town.center.books().decide(moment_at(now_ms()), request);
            assert!(decision.is_ok_and(|decision| decision.refusal().is_none()), "decided");
        }
        decided += PREPARED as u64;
    }
    figures.rate("decisions, in memory", decided, began.elapsed());
    Ok(())
}

/// Remittances made durable: `millions` of them one after the other, to see growth; at several batches once `rows` rows are
/// in place; then memory and restart.
pub fn durable(
    figures: &mut Figures,
    directory: &Path,
    customers: u64,
    rows: u64,
    millions: u64,
) -> anyhow::Result<()> {
    let directory = directory.join("durable");
    std::fs::create_dir(&directory)?;
    let config = town::config(&directory, "")?;
    let keys = Arc::new(FileKeys::create(&mut rand::rng()));
    let mut town = Town::open(&config, Arc::clone(&keys))?;
    town.found(&config)?;
    let began = Instant::now();
    town.settle(customers, false)?;
    figures.rate("setting up: rows of registration and cash-in", customers * 3, began.elapsed());
    drop(town);
    figures.add(format!("memory with {customers} accounts, resident"), memory_of_a_server(&directory)?, "MiB");

    let mut town = Town::open(&config, Arc::clone(&keys))?;
    let mut load = Load { customers, hot: false };
    let mut growth = Vec::new();
    let mut compared = false;
    for million in 1..=millions {
        let (returned, spent, _) = run(town, &config, &keys, 1024, 1_000_000, &mut load)?;
        town = returned;
        let at = town.center.position().next.0;
        growth.push(figures.rate(
            format!("million {million} of remittances, batch 1024, up to row {at}"),
            1_000_000,
            spent,
        ));
        if at >= rows && !compared {
            town = batches(figures, town, &config, &keys, &mut load)?;
            compared = true;
        }
    }
    if let [first, .., last] = growth.as_slice() {
        figures.add("the last million against the first", last / first, "x");
    }
    let at_end = town.center.position().next.0;
    drop(town);
    let began = Instant::now();
    drop(Town::open(&config, keys)?);
    figures.add(format!("restart with {at_end} rows"), began.elapsed().as_secs_f64(), "s");
    figures.add(format!("memory with {at_end} rows, resident"), memory_of_a_server(&directory)?, "MiB");
    let octets = std::fs::metadata(&config.ledger.database)?.len();
    figures.add("database octets a row", octets as f64 / at_end as f64, "");
    Ok(())
}

/// The same load at batches of 1, 64 and 1024, and to one hot account.
fn batches(
    figures: &mut Figures,
    mut town: Town,
    config: &wakala::config::Config,
    keys: &Arc<FileKeys>,
    load: &mut Load,
) -> anyhow::Result<Town> {
    let at = town.center.position().next.0;
    for (batch, count) in [(1, 20_000), (64, 500_000), (1024, 1_000_000)] {
        let name = format!("durable remittances, SQLite FULL, batch {batch}, after {at} rows");
        let (returned, spent, mut latencies) = run(town, config, keys, batch, count, load)?;
        town = returned;
        figures.rate(&name, count, spent);
        figures.latencies(&name, &mut latencies);
    }
    load.hot = true;
    let (town, spent, mut latencies) = run(town, config, keys, 1024, 500_000, load)?;
    load.hot = false;
    let name = "the same to one hot account, batch 1024";
    figures.rate(name, 500_000, spent);
    figures.latencies(name, &mut latencies);
    Ok(town)
}

/// What a process of its own has resident that has recovered these books and serves: not what making the load left behind.
fn memory_of_a_server(directory: &Path) -> anyhow::Result<f64> {
    let program = std::env::current_exe()?;
    let output = Command::new(program).arg("--memory-of").arg(directory).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Recovers the books in a directory and prints what is resident then, MiB.
pub fn print_memory(directory: &Path) -> anyhow::Result<()> {
    let config = town::config(directory, "")?;
    let town = Town::open(&config, Arc::new(FileKeys::create(&mut rand::rng())))?;
    println!("{}", memory().0);
    drop(town);
    Ok(())
}

struct Load {
    customers: u64,
    /// All to one account.
    hot: bool,
}

fn random_transfer(town: &mut Town, customers: u64) -> Request {
    let from = rand::random_range(0..customers);
    let to = (from + 1 + rand::random_range(0..customers - 1)) % customers;
    town.transfer(FIRST + from, FIRST + to)
}

/// Feeds the writer with `count` remittances, its queue always holding a batch; the time of making them is left out.
fn run(
    town: Town,
    config: &wakala::config::Config,
    keys: &Arc<FileKeys>,
    batch: usize,
    count: u64,
    load: &mut Load,
) -> anyhow::Result<(Town, Duration, Vec<Duration>)> {
    let mut spent = Duration::ZERO;
    let mut latencies = Vec::with_capacity(count as usize);
    let mut left = count as usize;
    let hot = FIRST + load.customers - 1;
    let mut written = town.written;
    let (ended, end) = channel();
    let bounds = Bounds { batch, queue: batch * 2 };
    let writer =
        Writer::start(town.center, || moment_at(now_ms()), bounds, |_| {}, move |result| drop(ended.send(result)))?;
    let (done, answered) = channel();
    while left > 0 {
        let some = left.min(PREPARED);
        let requests: Vec<Request> = (0..some)
            .map(|_| {
                let from = rand::random_range(0..load.customers - 1);
                let to = (from + 1 + rand::random_range(0..load.customers - 2)) % (load.customers - 1);
                town::transfer(keys, &mut written, FIRST + from, if load.hot { hot } else { FIRST + to })
            })
            .collect();
        let began = Instant::now();
        std::thread::scope(|scope| {
            let (writer, done) = (&writer, done.clone());
            scope.spawn(move || {
                for request in requests {
                    let (reply, asked) = (done.clone(), Instant::now());
                    let answer = move |answer: data_center::Answer| {
                        assert!(answer.refusal.is_none(), "{:?}", answer.refusal);
                        let _ = reply.send(asked.elapsed());
                    };
                    if writer.submit(request, answer).is_err() {
                        return;
                    }
                }
            });
            latencies.extend(answered.iter().take(some));
        });
        spent += began.elapsed();
        left -= some;
    }
    writer.stop();
    end.recv()??;
    let mut town = Town::open(config, Arc::clone(keys))?;
    town.written = written;
    Ok((town, spent, latencies))
}
