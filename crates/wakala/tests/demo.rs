//! The demonstration as somebody meets it who has just built it: two commands, nothing set up before.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The program with a folder of its own for whatever it leaves behind.
fn wakala(scratch: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wakala"));
    command.env_clear().env("TMPDIR", scratch).current_dir(scratch).stdin(Stdio::null()).args(line.split(' '));
    command
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no object: {line}"))).collect()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn the_story_tells_every_message_and_ends_with_the_proof() {
    let scratch = tempfile::tempdir().unwrap();
    let output = wakala(scratch.path(), "demo --story").output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for said in [
        "+255712000001 ──▶ 15050  TM*0784000004*5000*2718",
        "+255784000004 ◀── 15050  Ref ",
        "sealed on the wire: 027000",
        "Wrong PIN",
        "Wrong withdrawal password",
        "Same message again: it counts once only",
        "the clock is moved on",
        "did not collect in time",
        "taken back from",
        "asks for TZS 2,000.00 back",
        "Genuine receipt",
        "Accounts before and after",
        "sum of all balances  TZS 0.00",
    ] {
        assert!(text.contains(said), "nobody said: {said}\n{text}");
    }
    assert_eq!(text.trim_end().lines().last().map(str::trim), Some("All is as it must be."));
    assert!(is_empty(scratch.path()), "nothing is left behind");
}

#[test]
fn the_story_is_told_to_machines_as_one_object_a_line() {
    let scratch = tempfile::tempdir().unwrap();
    let output = wakala(scratch.path(), "demo --story --json").output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let events = lines(&output);
    let count = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert!(
        count("message") > 60 && count("chapter") > 12,
        "{} messages, {} chapters",
        count("message"),
        count("chapter")
    );
    let sealed =
        events.iter().filter(|event| event["packet"].as_str().is_some_and(|packet| packet.starts_with("027000")));
    assert!(sealed.count() >= 4, "requests and answers of the sealed phone");
    let compared = events.iter().find(|event| event["event"] == "compared").unwrap();
    for side in ["before", "after"] {
        let minor = |account: &Value| account["minor"].as_i64().unwrap();
        assert_eq!(compared[side].as_array().unwrap().iter().map(minor).sum::<i64>(), 0, "{side}: all together");
    }
    let proof = events.last().unwrap();
    assert_eq!((&proof["event"], &proof["sound"]), (&Value::from("proof"), &Value::from(true)));
}

#[test]
fn what_is_kept_can_be_verified_afterwards() {
    let scratch = tempfile::tempdir().unwrap();
    let story = || wakala(scratch.path(), "demo --story --json --keep kept").output().unwrap();
    let output = story();
    assert!(output.status.success(), "{}", told(&output));
    let verified = wakala(scratch.path(), "ledger verify --database kept/wakala.db --json").output().unwrap();
    assert!(verified.status.success(), "{}", told(&verified));
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    let proof = lines(&output).pop().unwrap();
    assert_eq!(proof["found"]["chain head"], report["head"], "nothing was written after the proof");
    let again = story();
    assert!(!again.status.success() && told(&again).contains("is not empty"), "{}", told(&again));
}

/// A demonstration with its page, ended with the test.
struct Demo {
    child: Child,
    ready: Value,
}

impl Demo {
    fn start(scratch: &Path, line: &str) -> Demo {
        let mut child = wakala(scratch, line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let ready = serde_json::from_str(&first).unwrap_or_else(|_| {
            let mut why = String::new();
            let _ = child.stderr.as_mut().unwrap().read_to_string(&mut why);
            panic!("not ready: {first}{why}")
        });
        Demo { child, ready }
    }

    fn interrupt(&mut self) -> i32 {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_taken_port_is_replaced_and_said_and_an_interrupt_ends_cleanly() {
    let scratch = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut demo = Demo::start(scratch.path(), &format!("demo --json --port {port}"));
    assert_eq!(demo.ready["replaced_port"], port);
    let page = demo.ready["page"].as_str().unwrap().to_owned();
    assert!(page.starts_with("http://127.0.0.1:") && !page.contains(&format!(":{port}/")), "{page}");
    assert_eq!(demo.ready["phones"].as_array().unwrap().len(), 6);
    assert!(!is_empty(scratch.path()), "its folder is there while it runs");
    assert_eq!(demo.interrupt(), 0);
    assert!(is_empty(scratch.path()), "and gone afterwards");
}
