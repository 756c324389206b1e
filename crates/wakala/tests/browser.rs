//! The page of the demonstration in a real Chromium, driven by Playwright (`peers/node/browser.js`). Where the peers are not
//! installed it is skipped with a word; `cargo xtask test` installs them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// What the browser must have seen, in this order.
const SEEN: [&str; 11] = [
    "a transfer paid out",
    "a sealed transfer",
    "a message delivered twice, counted once",
    "the link cut and bound again",
    "messages that cannot be read",
    "a refund after the period",
    "the proof",
    "every control has a name",
    "a steady layout",
    "a message sent without scripts",
    "wide and narrow, light and dark",
];

/// Ended with the test, however that ends.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_page_in_a_real_browser() {
    let Some(peers) = std::env::var_os("WAKALA_PEERS").map(PathBuf::from) else {
        println!("skipped: WAKALA_PEERS does not name the peers; `cargo xtask test` installs them");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wakala"));
    command.args(["demo", "--json", "--port", "0"]).env("TMPDIR", scratch.path());
    let mut demo = Demo(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let mut first = String::new();
    BufReader::new(demo.0.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let ready: Value = serde_json::from_str(&first).expect("the demonstration is ready");

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers/node/browser.js");
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo-page");
    let mut browser = Command::new("node");
    browser.arg(script).args(["--page", ready["page"].as_str().unwrap(), "--shots"]).arg(&shots);
    let output = browser.env("WAKALA_PEERS", peers).stdin(Stdio::null()).output().expect("node runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}{told}", String::from_utf8_lossy(&output.stdout));
    let seen: Vec<Value> =
        output.stdout.split(|octet| *octet == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let seen: Vec<&str> = seen.iter().filter_map(|line| line["saw"].as_str()).collect();
    assert_eq!(seen, SEEN);
    println!("screenshots: {}", shots.display());

    kill_process(Pid::from_child(&demo.0), Signal::INT).unwrap();
    assert!(demo.0.wait().unwrap().success(), "an interrupt ends it cleanly, with pages open or not");
}
