//! Decisions in memory, and remittances made durable.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_center::{Bounds, Writer};
use encryption::FileKeys;
use transaction_processing::Request;
use wakala::config::Config;

use crate::figures::{Figures, memory};
use crate::store::{File, Keeper};
use crate::town::{self, FIRST, Town, moment_at, now_ms};

/// Requests made beforehand, so that making them is not measured.
const PREPARED: usize = 100_000;

/// A start leaves the checkpoint what up to two sweeps had to write, to be written in one: where batches are compared, so many
/// remittances go before those that are measured.
const BEFORE: usize = 500_000;

/// Decisions a second: decided and entered into the books, nothing written.
pub fn decisions(figures: &mut Figures, directory: &Path) -> anyhow::Result<()> {
    let config = town::config(directory, "")?;
    let keys = Arc::new(FileKeys::create(&mut rand::rng()));
    let mut town = Town::open(&File(config.ledger.database.clone()), &config, keys)?;
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

/// Remittances made durable, one million after the other up to the last of `marks`, to see growth; at each mark, which is
/// so many millions, several batches are compared. Then memory, size and restart.
pub fn durable<K: Keeper>(
    figures: &mut Figures,
    directory: &Path,
    keeper: &K,
    customers: u64,
    marks: &[u64],
) -> anyhow::Result<()> {
    let config = town::config(directory, "")?;
    let keys = Arc::new(FileKeys::create(&mut rand::rng()));
    let store = keeper.name();
    let mut town = Town::open(keeper, &config, Arc::clone(&keys))?;
    town.found(&config)?;
    let began = Instant::now();
    town.settle(customers, false)?;
    figures.rate(format!("{store}, setting up: rows of registration and cash-in"), customers * 3, began.elapsed());
    drop(town);
    figures.add(format!("{store}, memory with {customers} accounts"), memory_of_a_server(keeper, directory)?, "MiB");

    let mut bench = Bench { keeper, config: &config, keys: &keys, customers };
    let mut town = Town::open(keeper, &config, Arc::clone(&keys))?;
    let mut growth = Vec::new();
    for million in 1..=marks.iter().copied().max().unwrap_or_default() {
        let (returned, spent, _) = bench.run(town, 1024, 0, 1_000_000, Payee::Random)?;
        town = returned;
        let at = town.center.position().next.0;
        growth.push(figures.rate(format!("{store}, million {million}, batch 1024, up to row {at}"), 1_000_000, spent));
        if marks.contains(&million) {
            town = bench.batches(figures, town, million)?;
        }
    }
    if let [first, .., last] = growth.as_slice() {
        figures.add(format!("{store}, the last million against the first"), last / first, "x");
    }
    let at_end = town.center.position().next.0;
    drop(town);
    let began = Instant::now();
    drop(Town::open(keeper, &config, keys)?);
    figures.add(format!("{store}, restart with {at_end} rows"), began.elapsed().as_secs_f64(), "s");
    figures.add(format!("{store}, memory with {at_end} rows"), memory_of_a_server(keeper, directory)?, "MiB");
    figures.add(format!("{store}, octets a row"), keeper.octets()? / at_end as f64, "");
    Ok(())
}

/// What a process of its own has resident that has recovered these books and serves: not what making the load left behind.
fn memory_of_a_server<K: Keeper>(keeper: &K, directory: &Path) -> anyhow::Result<f64> {
    let program = std::env::current_exe()?;
    let output =
        Command::new(program).arg("--memory-of").arg(keeper.place()).arg("--directory").arg(directory).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Recovers books and prints what is resident then, MiB.
pub fn print_memory<K: Keeper>(keeper: &K, directory: &Path) -> anyhow::Result<()> {
    let config = town::config(directory, "")?;
    let town = Town::open(keeper, &config, Arc::new(FileKeys::create(&mut rand::rng())))?;
    println!("{}", memory().0);
    drop(town);
    Ok(())
}

/// Who is paid.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Payee {
    Random,
    /// All pay one account.
    Hot,
}

fn random_transfer<K: Keeper>(town: &mut Town<K>, customers: u64) -> Request {
    let from = rand::random_range(0..customers);
    let to = (from + 1 + rand::random_range(0..customers - 1)) % customers;
    town.transfer(FIRST + from, FIRST + to)
}

/// What stays the same from one measurement to the next.
struct Bench<'a, K> {
    keeper: &'a K,
    config: &'a Config,
    keys: &'a Arc<FileKeys>,
    customers: u64,
}

impl<K: Keeper> Bench<'_, K> {
    /// The same load at batches of 1, 64 and 1024, and to one hot account.
    fn batches(&mut self, figures: &mut Figures, mut town: Town<K>, millions: u64) -> anyhow::Result<Town<K>> {
        let store = self.keeper.name();
        let loads = [
            (1, 0, 20_000, Payee::Random),
            (64, BEFORE, 500_000, Payee::Random),
            (64, BEFORE, 500_000, Payee::Hot),
            (1024, BEFORE, 1_000_000, Payee::Random),
            (1024, BEFORE, 500_000, Payee::Hot),
        ];
        for (batch, before, count, payee) in loads {
            let hot = if payee == Payee::Hot { ", to one hot account" } else { "" };
            let name = format!("{store}, batch {batch}{hot}, after {millions} million");
            let (returned, spent, mut latencies) = self.run(town, batch, before, count, payee)?;
            town = returned;
            figures.rate(&name, count, spent);
            figures.latencies(&name, &mut latencies);
        }
        Ok(town)
    }

    /// Feeds the writer with `count` remittances, its queue always holding a batch, after `before` that are not measured; the
    /// time of making them is left out.
    fn run(
        &mut self,
        town: Town<K>,
        batch: usize,
        before: usize,
        count: u64,
        payee: Payee,
    ) -> anyhow::Result<(Town<K>, Duration, Vec<Duration>)> {
        let mut spent = Duration::ZERO;
        let mut left = before + count as usize;
        // Nobody pays the hot account but those who all do.
        let others = self.customers - 1;
        let mut written = town.written;
        let (ended, end) = channel();
        let bounds = Bounds { batch, queue: batch * 2 };
        let writer =
            Writer::start(town.center, || moment_at(now_ms()), bounds, |_| {}, move |result| drop(ended.send(result)))?;
        // Nobody is woken for an answer but for the last: that would be the load generator's work, on the same cores.
        let answered = Arc::new(Mutex::new(Vec::with_capacity(count as usize)));
        while left > 0 {
            let is_measured = left <= count as usize;
            let some = left.min(PREPARED);
            let requests: Vec<Request> = (0..some)
                .map(|_| {
                    let from = rand::random_range(0..others);
                    let to = match payee {
                        Payee::Random => (from + 1 + rand::random_range(0..others - 1)) % others,
                        Payee::Hot => others,
                    };
                    town::transfer(self.keys, &mut written, FIRST + from, FIRST + to)
                })
                .collect();
            let began = Instant::now();
            let (last, all) = channel();
            let mut last = Some(last);
            for (place, request) in requests.into_iter().enumerate() {
                let (answered, asked) = (Arc::clone(&answered), Instant::now());
                let last = last.take_if(|_| place + 1 == some);
                let answer = move |answer: data_center::Answer| {
                    assert!(answer.refusal.is_none(), "{:?}", answer.refusal);
                    answered.lock().unwrap_or_else(PoisonError::into_inner).push(asked.elapsed());
                    last.map(|last| last.send(()));
                };
                if writer.submit(request, answer).is_err() {
                    break;
                }
            }
            drop(last);
            // It says why at its end.
            if all.recv().is_err() {
                break;
            }
            if is_measured {
                spent += began.elapsed();
            } else {
                answered.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
            left -= some;
        }
        writer.stop();
        end.recv()??;
        let mut town = Town::open(self.keeper, self.config, Arc::clone(self.keys))?;
        town.written = written;
        let latencies = std::mem::take(&mut *answered.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((town, spent, latencies))
    }
}
