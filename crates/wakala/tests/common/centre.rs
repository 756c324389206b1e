//! The message centre of npm smpp, driven and watched by a test.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

/// How long anything may take that must happen: only a failure waits so long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The peers' folder, or what to do to have one.
pub fn peers() -> PathBuf {
    let standard = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.peers"));
    let folder = std::env::var_os("WAKALA_PEERS").map_or_else(standard, PathBuf::from);
    assert!(
        folder.join("node/node_modules/smpp").is_dir(),
        "no peers in {}: `cargo xtask test` installs them",
        folder.display()
    );
    folder.canonicalize().expect("the folder is there")
}

/// A message centre of its own process.
pub struct Centre {
    child: Child,
    orders: Mutex<ChildStdin>,
    reports: Arc<Reports>,
    next: AtomicU64,
    read: Mutex<HashMap<String, usize>>,
    /// Where it listens.
    pub port: u64,
}

struct Reports {
    all: Mutex<Vec<Value>>,
    grown: watch::Sender<usize>,
}

/// A whole message that the platform sent.
#[derive(Clone, Debug)]
pub struct Text {
    /// To whom, without plus.
    pub to: String,
    /// Its words, where they are not sealed.
    pub words: String,
    /// Its octets without headers, where it is binary.
    pub octets: Vec<u8>,
    /// The centre's ids of its parts.
    pub ids: Vec<String>,
    /// The centre's reports of its parts.
    pub parts: Vec<Value>,
}

impl Text {
    /// The digits that follow `mark` in its words.
    pub fn digits_after(&self, mark: &str) -> String {
        let (_, rest) = self.words.split_once(mark).unwrap_or_else(|| panic!("no {mark:?} in {:?}", self.words));
        rest.chars().take_while(char::is_ascii_digit).collect()
    }

    /// The reference of the transfer that it is about.
    pub fn reference(&self) -> String {
        self.words
            .split(|character: char| !character.is_ascii_digit() && character != ' ')
            .map(|run| run.replace(' ', ""))
            .find(|run| run.len() == 12)
            .unwrap_or_else(|| panic!("no reference in {:?}", self.words))
    }
}

impl Centre {
    /// Starts one on a free port.
    pub async fn start(options: &[&str]) -> Centre {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../peers/node/message-centre.js");
        let mut child = Command::new("node")
            .arg(script)
            .args(options)
            .env("WAKALA_PEERS", peers())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs: `cargo xtask test` installs it");
        let orders = Mutex::new(child.stdin.take().expect("piped"));
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let reports = Arc::new(Reports { all: Mutex::default(), grown: watch::channel(0).0 });
        let collecting = Arc::clone(&reports);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let report: Value = serde_json::from_str(&line).expect("the centre reports in JSON");
                let mut all = collecting.all.lock().expect("a sound lock");
                all.push(report);
                collecting.grown.send_replace(all.len());
            }
        });
        let mut centre = Centre { child, orders, reports, next: AtomicU64::new(1), read: Mutex::default(), port: 0 };
        centre.port =
            centre.wait("the centre listens", |all| all.iter().find_map(|report| report["listening"].as_u64())).await;
        centre
    }

    /// The reports so far.
    pub fn reports(&self) -> MutexGuard<'_, Vec<Value>> {
        self.reports.all.lock().expect("a sound lock")
    }

    /// How many reports there are: what happens from now on comes behind.
    pub fn mark(&self) -> usize {
        self.reports().len()
    }

    /// Waits until the reports hold what is looked for.
    pub async fn wait<T>(&self, what: &str, mut find: impl FnMut(&[Value]) -> Option<T>) -> T {
        let mut grown = self.reports.grown.subscribe();
        let search = async {
            loop {
                grown.borrow_and_update();
                if let Some(found) = find(&self.reports()) {
                    return found;
                }
                grown.changed().await.expect("the centre lives");
            }
        };
        match tokio::time::timeout(PATIENCE, search).await {
            Ok(found) => found,
            Err(_) => {
                let all = self.reports();
                let last: Vec<String> = all.iter().rev().take(25).rev().map(Value::to_string).collect();
                drop(all);
                panic!("did not happen: {what}. The last reports:\n{}", last.join("\n"));
            }
        }
    }

    /// Waits for a report of this name after the mark.
    pub async fn event(&self, name: &str, mark: usize) -> Value {
        let found = |all: &[Value]| all[mark.min(all.len())..].iter().find_map(|report| report.get(name).cloned());
        self.wait(name, found).await
    }

    fn order(&self, order: &Value) {
        let mut orders = self.orders.lock().expect("a sound lock");
        writeln!(orders, "{order}").expect("the centre lives");
    }

    /// Sends a message of this number to the platform; its name in reports.
    pub fn say(&self, from: &str, text: &str) -> String {
        self.deliver(json!({ "from": from, "to": "15050", "text": text }))
    }

    /// Sends a message with these fields to the platform; its name in reports.
    pub fn deliver(&self, mut fields: Value) -> String {
        let id = format!("m{}", self.next.fetch_add(1, Ordering::Relaxed));
        fields["id"] = id.clone().into();
        self.order(&json!({ "deliver": fields }));
        id
    }

    /// Waits until a message is acknowledged for good; the status.
    pub async fn acknowledged(&self, id: &str) -> u64 {
        let acknowledged = |all: &[Value]| {
            all.iter().filter_map(|report| report.get("deliver_resp")).find_map(|answer| {
                (answer["id"] == id && answer["final"] == true).then(|| answer["status"].as_u64()).flatten()
            })
        };
        self.wait(&format!("{id} is acknowledged"), acknowledged).await
    }

    /// Changes what goes wrong, and waits until it does.
    pub async fn faults(&self, faults: Value) {
        let mark = self.mark();
        self.order(&json!({ "faults": faults }));
        self.event("faults", mark).await;
    }

    /// Cuts every link.
    pub async fn cut(&self) {
        let mark = self.mark();
        self.order(&json!({ "link": "cut" }));
        self.event("dropped", mark).await;
    }

    /// Asks the platform to end its binds.
    pub async fn unbind(&self) {
        let mark = self.mark();
        self.order(&json!({ "unbind": true }));
        self.event("unbind_resp", mark).await;
    }

    /// Asks the platform for a sign of life, and waits for it.
    pub async fn enquire(&self) {
        let mark = self.mark();
        self.order(&json!({ "enquire_link": true }));
        self.event("enquire_link_resp", mark).await;
    }

    /// Waits until so many binds were accepted in all.
    pub async fn bound(&self, times: usize) {
        let bound = |all: &[Value]| {
            let accepted = all.iter().filter(|report| report["bind"]["status"] == 0).count();
            (accepted >= times).then_some(())
        };
        self.wait(&format!("{times} binds"), bound).await;
    }

    /// Waits until every delivery and every response has found its end.
    pub async fn settle(&self) {
        let mark = self.mark();
        self.order(&json!({ "settle": true }));
        self.event("settled", mark).await;
    }

    /// All whole messages that the platform sent, in order; a number without plus, or none for all.
    pub fn texts(&self, to: Option<&str>) -> Vec<Text> {
        whole(&self.reports(), to)
    }

    /// The next message to a number that was not read yet.
    pub async fn text_to(&self, number: &str) -> Text {
        let to = number.trim_start_matches('+');
        let read = self.read.lock().expect("a sound lock").get(to).copied().unwrap_or(0);
        let text = self.wait(&format!("a text to {to}"), |all| whole(all, Some(to)).get(read).cloned()).await;
        *self.read.lock().expect("a sound lock").entry(to.to_owned()).or_default() += 1;
        text
    }

    /// Takes what was sent so far as read.
    pub fn skip_read(&self) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for text in self.texts(None) {
            *counts.entry(text.to).or_default() += 1;
        }
        *self.read.lock().expect("a sound lock") = counts;
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Joins parts; a message whose parts have not all come is not there yet, and stands where its last part came.
fn whole(all: &[Value], to: Option<&str>) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut open: HashMap<(String, u64), Vec<Value>> = HashMap::new();
    for submit in all.iter().filter_map(|report| report.get("submit")) {
        let number = submit["to"].as_str().unwrap_or_default();
        if to.is_some_and(|to| to != number) {
            continue;
        }
        let Some(part) = submit["part"].as_object() else {
            texts.push(joined(vec![submit.clone()]));
            continue;
        };
        let key = (number.to_owned(), part["reference"].as_u64().unwrap_or_default());
        let parts = open.entry(key.clone()).or_default();
        parts.retain(|held| held["part"]["number"] != part["number"]);
        parts.push(submit.clone());
        if parts.len() as u64 == part["total"].as_u64().unwrap_or_default() {
            let mut parts = open.remove(&key).unwrap_or_default();
            parts.sort_by_key(|part| part["part"]["number"].as_u64());
            texts.push(joined(parts));
        }
    }
    texts
}

fn joined(parts: Vec<Value>) -> Text {
    let of = |part: &Value, name: &str| part[name].as_str().unwrap_or_default().to_owned();
    let octets = parts.iter().map(|part| octets(&of(part, "body"))).collect::<Vec<_>>().concat();
    Text {
        to: of(&parts[0], "to"),
        words: parts.iter().map(|part| of(part, "text")).collect(),
        octets,
        ids: parts.iter().map(|part| of(part, "id")).collect(),
        parts,
    }
}

/// Octets of hexadecimal digits.
pub fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|index| u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).expect("hex")).collect()
}

/// Hexadecimal digits of octets.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
