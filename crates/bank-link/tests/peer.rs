//! Software that is not ours (pyhpke and cryptography of PyPI) opens what the operator's end makes, from the description
//! alone, and makes what the bank's end opens.

mod common;

use bank_link::{Asked, Authentication, Binding, Moment, Request};
use common::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The other software, in a process of its own.
struct Peer {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start() -> Self {
        let standard = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.peers"));
        let peers = std::env::var_os("WAKALA_PEERS").map_or_else(standard, PathBuf::from);
        let python = peers.join("python/bin/python");
        assert!(python.exists(), "no {}: `cargo xtask test` installs it", python.display());
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../peers/python/registrar.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let asks = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, asks, answers }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.asks, "{question}").expect("the peer lives");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the peer lives");
        serde_json::from_str(&line).expect("the peer answers in JSON")
    }

    /// Opens as the bank.
    fn open(&mut self, purpose: &str, export: &str, sealed: &[u8]) -> Value {
        self.ask(&json!({ "open": {
            "own": hex(bank_key().secret().expose()), "peer": hex(&operator_key().public()), "psk": hex(&PRESHARED),
            "psk_id": psk_id(), "info": info(purpose), "sealed": hex(sealed), "export": export,
        }}))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap_or_else(|| panic!("no octets: {text}"));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// `psk_id` as the record of decisions describes it.
fn psk_id() -> String {
    let mut id = b"\x09wakala k0\x10operator.example\x0cbank.example".to_vec();
    id.extend_from_slice(&VERSION.to_be_bytes());
    hex(&id)
}

fn info(purpose: &str) -> String {
    let purpose = [&[purpose.len() as u8], purpose.as_bytes()].concat();
    hex(&[b"\x0ewakala link v1", purpose.as_slice(), b"\x10operator.example\x0cbank.example"].concat())
}

/// What a registration says: when it was made, IMSI, number and serial behind their lengths.
fn body(made: Moment, index: u8) -> Vec<u8> {
    let mut body = made.0.to_be_bytes().to_vec();
    let who = subscriber(index);
    for field in [who.imsi.as_str(), who.number.as_str(), who.serial.as_str()] {
        body.push(field.len() as u8);
        body.extend_from_slice(field.as_bytes());
    }
    body
}

#[test]
fn pyhpke_opens_our_registration_and_has_the_same_key() {
    let mut peer = Peer::start();
    let mut world = World::new(1);
    let (frame, binding) = Binding::register(&operator_keys(), &mut world.operator.rng, START, subscriber(1));
    assert_eq!(frame[..6], [1, 1, 0, 0, 0, VERSION as u8]);
    let opened = peer.open("registration", "BK", &frame[6..]);
    assert_eq!(unhex(&opened["body"]), body(START, 1));
    let stored = binding.stored();
    assert_eq!(unhex(&opened["key"]), stored[stored.len() - 32..]);
    // For another purpose, or changed, it does not open.
    assert!(peer.open("session", "RK", &frame[6..])["error"].is_string());
    let mut changed = frame.clone();
    changed[60] ^= 1;
    assert!(peer.open("registration", "BK", &changed[6..])["error"].is_string());
}

#[test]
fn we_open_a_registration_by_pyhpke_and_have_the_same_key() {
    let mut peer = Peer::start();
    let mut bank = Bank::new();
    let seal = |psk: &[u8]| {
        json!({ "seal": {
            "own": hex(operator_key().secret().expose()), "peer": hex(&bank_key().public()), "psk": hex(psk),
            "psk_id": psk_id(), "info": info("registration"), "body": hex(&body(START, 1)), "export": "BK",
        }})
    };
    let sealed = peer.ask(&seal(&PRESHARED));
    let frame = [&[1, 1, 0, 0, 0, VERSION as u8], unhex(&sealed["sealed"]).as_slice()].concat();
    let (step, _) = bank.work(START, &frame).expect("a registration");
    let binding = step.changes().binding.as_ref().expect("it is accepted");
    assert_eq!(binding.subscriber(), &subscriber(1));
    let stored = binding.stored();
    assert_eq!(unhex(&sealed["key"]), stored[stored.len() - 48..stored.len() - 16]);
    // Under another preshared key it is nothing.
    let forged = peer.ask(&seal(&[1; 32]));
    let frame = [&[1, 1, 0, 0, 0, VERSION as u8], unhex(&forged["sealed"]).as_slice()].concat();
    assert!(bank.work(START, &frame).is_err());
}

#[test]
fn the_peer_opens_a_session_and_its_messages_from_the_description_alone() {
    let mut peer = Peer::start();
    let mut world = World::with_subscribers(5, 1);
    world.recorded.clear();
    world.settle_session();
    let opening = &world.recorded[0].1;
    assert_eq!(opening[..2], [1, 3]);
    let opened = peer.open("session", "RK", &opening[6..]);
    let body = unhex(&opened["body"]);
    assert_eq!(body[8..12], LANE.to_be_bytes());
    assert_eq!(body[12..], generation(1).0);
    for n in 0..3 {
        let order = order(n as u8, 0, 500);
        let who = world.operator.authenticated(0, id(n), &order);
        let frame = world.operator.order(world.now, LANE, 0, id(n), order).expect("a session");
        // version | kind | kid 16 | lane 4 | n 8 | transaction 16 | time 8 | ciphertext
        let mut authenticated = [&[1], &frame[2..46]].concat();
        authenticated.extend_from_slice(b"\x10operator.example\x0cbank.example");
        authenticated.extend_from_slice(&frame[46..54]);
        let told = peer.ask(&json!({ "open_message": {
            "root": opened["key"], "direction": 0, "lane": LANE, "n": n,
            "authenticated": hex(&authenticated), "sealed": hex(&frame[54..]),
        }}));
        assert_eq!(unhex(&told["body"]), *Request::Order(order, who).encode());
    }
    // The answer goes the other way.
    let binding = &world.operator.bindings[0];
    let who = Authentication::make(binding, *binding.subscriber(), id(9), Asked::Balance);
    let step = world.operator.end.balance(world.now, LANE, id(9), account(0), who).expect("a session");
    let frame = world.operator.commit(step).expect("a frame");
    let answer = world.bank.hear(world.now, &frame).expect("a question").expect("an answer");
    let mut authenticated = [&[1], &answer[2..46]].concat();
    authenticated.extend_from_slice(b"\x0cbank.example\x10operator.example");
    authenticated.extend_from_slice(&answer[46..54]);
    let told = peer.ask(&json!({ "open_message": {
        "root": opened["key"], "direction": 1, "lane": LANE, "n": 0,
        "authenticated": hex(&authenticated), "sealed": hex(&answer[54..]),
    }}));
    assert_eq!(unhex(&told["body"]), b"\x06\0\0\0\0\0\0\0\x4dTZS");
}
