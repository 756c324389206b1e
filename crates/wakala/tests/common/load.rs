//! Customers who go on sending to one another, and how long they waited.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use tokio::sync::watch;

use super::service::{self, CUSTOMERS};
use super::world::World;

/// So many messages are under way at once.
const AT_ONCE: usize = 8;
/// So many acknowledgements show that the service goes on.
const GOES_ON: usize = 24;
/// Nothing takes so long: only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(150);

/// The customers: always so many messages under way.
pub struct Load {
    acknowledged: Arc<Mutex<Vec<Instant>>>,
    count: watch::Receiver<usize>,
    stop: watch::Sender<bool>,
    sending: tokio::task::JoinHandle<u64>,
}

impl Load {
    /// Begins; `each` is told of every acknowledgement, how many there were.
    pub fn start(world: Arc<World>, seed: u64, mut each: impl FnMut(usize) + Send + 'static) -> Load {
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let (counting, count) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        let noted = Arc::clone(&acknowledged);
        let sending = tokio::spawn(async move {
            let mut rng = StdRng::seed_from_u64(seed);
            let (mut said, mut open, mut seen) = (0, HashSet::new(), world.centre().mark());
            loop {
                while open.len() < AT_ONCE && !*stopped.borrow() {
                    open.insert(service::say(&world, said, rng.random_range(0..CUSTOMERS)));
                    said += 1;
                }
                if open.is_empty() {
                    return said;
                }
                let more = world.centre().wait("more is reported", |all| (all.len() > seen).then_some(()));
                if tokio::time::timeout(Duration::from_secs(1), more).await.is_err() {
                    continue;
                }
                let answers = finals(&world.centre().reports(), &mut seen);
                for (id, status) in answers {
                    assert_eq!(status, 0, "acknowledged as done");
                    // What is delivered twice is answered twice.
                    if !open.remove(&id) {
                        continue;
                    }
                    let count = {
                        let mut noted = noted.lock().unwrap();
                        noted.push(Instant::now());
                        noted.len()
                    };
                    counting.send_replace(count);
                    each(count);
                }
            }
        });
        Load { acknowledged, count, stop, sending }
    }

    /// How many were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        *self.count.borrow()
    }

    /// Waits for so many acknowledgements more.
    pub async fn goes_on(&self) {
        let until = self.acknowledged() + GOES_ON;
        let mut count = self.count.clone();
        let more = count.wait_for(|count| *count >= until);
        tokio::time::timeout(PATIENCE, more).await.expect("the service goes on").expect("the load goes on");
    }

    /// The longest time without an acknowledgement since then.
    pub fn longest_gap(&self, since: Instant) -> Duration {
        let acknowledged = self.acknowledged.lock().unwrap();
        let from = acknowledged.partition_point(|moment| *moment < since).saturating_sub(1);
        acknowledged[from..].windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// Says no more, and waits for the answers; how many messages there were.
    pub async fn end(self) -> u64 {
        self.stop.send_replace(true);
        tokio::time::timeout(PATIENCE, self.sending).await.expect("all is acknowledged").expect("the load ends")
    }
}

/// What was answered for good behind this place, which moves to the end.
fn finals(all: &[Value], seen: &mut usize) -> Vec<(String, u64)> {
    let new = all[*seen..].iter().filter_map(|report| report.get("deliver_resp"));
    *seen = all.len();
    let answer = |answer: &Value| Some((answer["id"].as_str()?.to_owned(), answer["status"].as_u64()?));
    new.filter(|answer| answer["final"] == true).filter_map(answer).collect()
}
