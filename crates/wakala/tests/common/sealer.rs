//! The independent sealer: pycrate with pycryptodomex, in a process of its own, as the cards of several numbers.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use encryption::Keys;
use serde_json::{Value, json};

use super::centre::{hex, octets, peers};

/// A sealer.
pub struct Sealer {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Sealer {
    /// Starts one.
    pub fn start() -> Sealer {
        let python = peers().join("python/bin/python");
        assert!(python.exists(), "no {}: `cargo xtask test` installs it", python.display());
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../peers/python/sealer.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let asks = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Sealer { child, asks, answers }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.asks, "{question}").expect("the sealer lives");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the sealer lives");
        serde_json::from_str(&line).expect("the sealer answers in JSON")
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A card: its keys as they were written into it, and its counters.
pub struct Card {
    keys: [String; 4],
    sent: u64,
    heard: u64,
}

impl Card {
    /// The card with this serial, personalised by the platform's keys.
    pub fn new(keys: &dyn Keys, iccid: &str) -> Card {
        let personalisation = keys.personalise_card(iccid);
        let octets = personalisation.expose();
        let keys = std::array::from_fn(|index| hex(&octets[32 * index..32 * (index + 1)]));
        Card { keys, sent: 0, heard: 0 }
    }

    /// The user data of a sealed message, in hexadecimal.
    pub fn seal(&mut self, sealer: &mut Sealer, text: &str) -> String {
        self.sent += 1;
        self.seal_with(sealer, text, self.sent)
    }

    /// The same under a counter of the caller's.
    pub fn seal_with(&self, sealer: &mut Sealer, text: &str, counter: u64) -> String {
        let sealed = sealer.ask(&json!({ "seal": {
            "kic_key": self.keys[0], "kid_key": self.keys[1], "kic": "12", "kid": "12", "spi": "1600", "tar": "574b41",
            "cntr": format!("{counter:010x}"), "plaintext": hex(text.as_bytes()),
        }}));
        sealed["user_data"].as_str().unwrap_or_else(|| panic!("not sealed: {sealed}")).to_owned()
    }

    /// The words of a sealed answer; its counter must be above the last.
    pub fn open(&mut self, sealer: &mut Sealer, packet: &[u8]) -> String {
        let opened = sealer.ask(&json!({ "open": {
            "kic_key": self.keys[2], "kid_key": self.keys[3], "kic": "22", "kid": "22", "spi": "1600", "tar": "574b41",
            "packet": hex(packet),
        }}));
        let counter = opened["cntr"].as_str().unwrap_or_else(|| panic!("does not open: {opened}"));
        let counter = u64::from_str_radix(counter, 16).expect("hex");
        assert!(counter > self.heard, "the counter rises");
        self.heard = counter;
        String::from_utf8(octets(opened["plaintext"].as_str().expect("a text"))).expect("UTF-8")
    }
}
