//! Sealed transfers end to end: from the sealed `TM` at the message centre to both answers handed back to it, over SMPP on
//! loopback, with the message centre and the phones on the same cores.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use encryption::{FileKeys, Keys, Personalisation};
use handset::Number;
use handset::centre::{Account, Settings};
use handset::net::{CentreHandle, CentreServer, Originated, ServerOptions};
use handset::phone::{Card, MemoryCounters, Phone};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use wakala::platform::Platform;
use wire::smpp::{LinkConfig, ShortMessage};

use crate::figures::{Figures, memory};
use crate::store::File;
use crate::town::{self, FIRST, PIN, Town, card, moment_at, now_ms};

const SHORT_CODE: &str = "15050";
/// Transfers of each sender when capacity is measured.
const ROUNDS: u64 = 5;
/// Transfers under way at once when capacity is measured.
const UNDER_WAY: usize = 2_000;
/// For how long a fixed rate is held.
const HOLD: Duration = Duration::from_secs(5);
/// Nothing comes back for so long: the measurement has failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn measure(figures: &mut Figures, directory: &Path, senders: u64) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(figures, directory, senders))
}

async fn run(figures: &mut Figures, directory: &Path, senders: u64) -> anyhow::Result<()> {
    // A centre that asks as fast as it can: the platform's own limits are to be seen, not the centre's.
    let link = LinkConfig { window: 1_000, inbound_window: 4_000, ..LinkConfig::default() };
    let account = Account {
        system_id: "wakala".try_into().map_err(|_| anyhow::anyhow!("a name"))?,
        password: "password".into(),
        short_codes: Vec::new(),
    };
    let settings = Settings { accounts: vec![account], link, ..Settings::default() };
    let options = ServerOptions { smpp: "127.0.0.1:0".parse()?, radio: None, settings, seed: 1 };
    let centre = CentreServer::start(options).await?;
    std::fs::write(directory.join("password"), "password")?;
    let section = format!(
        "\n[[message_centre]]\nname = \"bench\"\nhosts = [\"{}\"]\nsystem_id = \"wakala\"\npassword_file = \"{}\"\nbinds = 2\nwindow = 1000\nburst = 1000\n\
         response_timeout_seconds = 60\n",
        centre.smpp_address(),
        directory.join("password").display(),
    );
    let config = town::config(directory, &section)?;
    let keys = Arc::new(FileKeys::create(&mut rand::rng()));
    let mut town = Town::open(&File(config.ledger.database.clone()), &config, Arc::clone(&keys))?;
    town.found(&config)?;
    // Senders first, then as many payees, so that every phone is told one text a round.
    town.settle(senders * 2, true)?;
    drop(town);

    let mut phones = Vec::with_capacity(senders as usize);
    for index in 0..senders {
        phones.push(sender(&keys, index)?);
    }
    let mut heard = centre.subscribe_all(1 << 16).await?;
    let clock = Arc::new(|| moment_at(now_ms()));
    let platform = Platform::start_with_keys(config, clock, Arc::clone(&keys) as Arc<dyn Keys>).await?;

    // The first round warms everything up and lets what the founding left in the log be told.
    settle_down(&mut heard).await;
    let (_, _) = closed(&centre, &mut heard, &mut phones, senders, 1).await?;
    let (spent, mut latencies) = closed(&centre, &mut heard, &mut phones, senders, ROUNDS).await?;
    let capacity = figures.rate("sealed transfers end to end, all of capacity", senders * ROUNDS, spent);
    figures.latencies("sealed transfers end to end, all of capacity", &mut latencies);
    for (label, share) in [("a quarter of capacity", 0.25), ("half of capacity", 0.5)] {
        let (rate, mut latencies) = held(&centre, &mut heard, &mut phones, senders, capacity * share).await?;
        figures.add(format!("sealed transfers end to end, {label}"), rate, "/s");
        figures.latencies(&format!("sealed transfers end to end, {label}"), &mut latencies);
    }
    figures.add("memory of platform, centre and phones", memory().0, "MiB");
    platform.stop(Duration::from_secs(20)).await?;
    centre.stop().await;
    Ok(())
}

fn sender(keys: &FileKeys, index: u64) -> anyhow::Result<Phone> {
    let number: Number = (FIRST + index).to_string().as_str().try_into()?;
    let personalisation: Personalisation = keys.personalise_card(&card(FIRST + index).digits().to_string());
    Ok(Phone::new(number, Some(Card::new(&personalisation, Box::<MemoryCounters>::default()))))
}

/// One transfer, sealed by its sender's card.
fn compose(phones: &mut [Phone], senders: u64, index: u64, round: u64) -> anyhow::Result<Originated> {
    let phone = &mut phones[index as usize];
    let payee = FIRST + senders + index;
    let text = format!("TM*+{payee}*{}*{PIN}", 100 + round);
    let outgoing = phone.compose(&text).map_err(|_| anyhow::anyhow!("a phone that seals"))?;
    Ok(Originated { from: phone.number(), to: SHORT_CODE.into(), message: outgoing })
}

/// Transfers under way: of each, when it began and how many of its two texts are still to come.
#[derive(Default)]
struct UnderWay {
    begun: HashMap<u64, (Instant, u8)>,
    latencies: Vec<Duration>,
}

impl UnderWay {
    fn begin(&mut self, index: u64) {
        self.begun.insert(index, (Instant::now(), 2));
    }

    /// A text came to a phone; the sender whose transfer it ended.
    fn hear(&mut self, senders: u64, to: Number, message: &ShortMessage) -> Option<u64> {
        if !is_last_part(message) {
            return None;
        }
        let offset = to.as_str().parse::<u64>().ok()?.checked_sub(FIRST)?;
        let index = offset % senders;
        let (began, left) = self.begun.get_mut(&index)?;
        *left -= 1;
        if *left > 0 {
            return None;
        }
        self.latencies.push(began.elapsed());
        self.begun.remove(&index);
        Some(index)
    }
}

/// Whether a message is whole, or the last part of one: parts go to a phone in order.
fn is_last_part(message: &ShortMessage) -> bool {
    match message.body.get(1..6) {
        Some([0x00, 3, _, total, number]) if message.esm_class & 0x40 != 0 => total == number,
        _ => true,
    }
}

/// A closed loop: always [`UNDER_WAY`] transfers under way until every sender has made so many.
async fn closed(
    centre: &CentreHandle,
    heard: &mut mpsc::Receiver<(Number, ShortMessage)>,
    phones: &mut [Phone],
    senders: u64,
    rounds: u64,
) -> anyhow::Result<(Duration, Vec<Duration>)> {
    let mut waiting = Vec::with_capacity((senders * rounds) as usize);
    for round in (0..rounds).rev() {
        for index in (0..senders).rev() {
            waiting.push((index, round));
        }
    }
    let mut under_way = UnderWay::default();
    let mut messages = Vec::with_capacity(4096);
    let began = Instant::now();
    loop {
        let mut batch = Vec::new();
        while under_way.begun.len() < UNDER_WAY.min(senders as usize)
            && let Some((index, round)) = waiting.pop()
        {
            if under_way.begun.contains_key(&index) {
                waiting.push((index, round));
                break;
            }
            batch.push(compose(phones, senders, index, round)?);
            under_way.begin(index);
        }
        if !batch.is_empty() {
            centre.originate_many(batch).await?;
        }
        if under_way.begun.is_empty() {
            return Ok((began.elapsed(), under_way.latencies));
        }
        if tokio::time::timeout(PATIENCE, heard.recv_many(&mut messages, 4096)).await.is_err() {
            anyhow::bail!("{} transfers are not answered", under_way.begun.len());
        }
        for (to, message) in messages.drain(..) {
            under_way.hear(senders, to, &message);
        }
    }
}

/// An open loop at a fixed rate.
async fn held(
    centre: &CentreHandle,
    heard: &mut mpsc::Receiver<(Number, ShortMessage)>,
    phones: &mut [Phone],
    senders: u64,
    rate: f64,
) -> anyhow::Result<(f64, Vec<Duration>)> {
    let mut under_way = UnderWay::default();
    let mut messages = Vec::with_capacity(4096);
    let mut every = tokio::time::interval(Duration::from_millis(2));
    every.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let began = Instant::now();
    let (mut sent, mut next) = (0_u64, 0_u64);
    while began.elapsed() < HOLD || !under_way.begun.is_empty() {
        tokio::select! {
            _ = every.tick(), if began.elapsed() < HOLD => {
                let due = (began.elapsed().as_secs_f64() * rate) as u64;
                let mut batch = Vec::new();
                while sent < due {
                    // A sender whose last transfer is still under way is passed over.
                    if !under_way.begun.contains_key(&next) {
                        batch.push(compose(phones, senders, next, 50 + sent / senders)?);
                        under_way.begin(next);
                    }
                    next = (next + 1) % senders;
                    sent += 1;
                }
                centre.originate_many(batch).await?;
            }
            count = tokio::time::timeout(PATIENCE, heard.recv_many(&mut messages, 4096)) => {
                if count.is_err() {
                    anyhow::bail!("{} transfers are not answered", under_way.begun.len());
                }
                for (to, message) in messages.drain(..) {
                    under_way.hear(senders, to, &message);
                }
            }
        }
    }
    Ok((under_way.latencies.len() as f64 / began.elapsed().as_secs_f64(), under_way.latencies))
}

/// Waits until nothing has been told for a while: the texts of the founding.
async fn settle_down(heard: &mut mpsc::Receiver<(Number, ShortMessage)>) {
    let mut messages = Vec::with_capacity(4096);
    while tokio::time::timeout(Duration::from_secs(2), heard.recv_many(&mut messages, 4096)).await.is_ok() {
        messages.clear();
    }
}
