//! Against software that is not ours, both ways: psec for PIN blocks, key blocks, codes and the verification of PINs, pydukpt for TDES
//! DUKPT, pyiso8583 for messages, in one process of Python.

use card_cryptography::legacy::pin_verification;
use card_cryptography::legacy::tdes_dukpt::{self, Counter, Variant};
use card_cryptography::pin_block::{self, Format};
use card_cryptography::tr31::{self, Accept, Exportability, Header, KeyUsage, Mode, OptionalBlock};
use card_cryptography::{Account, Algorithm, Key, MacFlavour, Pin, PinBlock, mac};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use wire::iso8583::{Kind, Length, LinkProfile, Message, Mti, Style};

/// How often each way is tried with other values.
const TIMES: usize = 40;

struct Peer {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start() -> Self {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let peers = std::env::var_os("WAKALA_PEERS").map_or_else(|| PathBuf::from(root).join(".peers"), PathBuf::from);
        let python = peers.join("cards/bin/python");
        assert!(python.exists(), "no {}: `cargo xtask test` installs it", python.display());
        let mut child = Command::new(python)
            .arg(PathBuf::from(root).join("peers/python/cards.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let asks = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, asks, answers }
    }

    fn ask(&mut self, question: Value) -> Value {
        writeln!(self.asks, "{question}").expect("the peer lives");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the peer lives");
        let answer: Value = serde_json::from_str(&line).expect("the peer answers in JSON");
        assert!(answer["error"].is_null(), "{answer} to {question}");
        answer
    }

    /// One field of the answer.
    fn asked(&mut self, question: Value, field: &str) -> String {
        let answer = self.ask(question);
        answer[field].as_str().unwrap_or_else(|| panic!("no {field} in {answer}")).to_owned()
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

fn octets(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn draw(rng: &mut ChaCha20Rng, length: usize) -> Vec<u8> {
    let mut octets = vec![0; length];
    rng.fill_bytes(&mut octets);
    octets
}

fn digits(rng: &mut ChaCha20Rng, least: u32, most: u32) -> String {
    let length = least + rng.next_u32() % (most - least + 1);
    (0..length).map(|_| char::from(b'0' + (rng.next_u32() % 10) as u8)).collect()
}

fn key(algorithm: Algorithm, octets: &[u8]) -> Key {
    Key::new(algorithm, octets).expect("a key")
}

#[test]
fn pin_blocks_are_read_by_others_and_theirs_here() {
    let (mut peer, mut rng) = (Peer::start(), ChaCha20Rng::seed_from_u64(1));
    for format in [Format::Iso0, Format::Iso3, Format::Iso4] {
        let (number, algorithm, least) = match format {
            Format::Iso0 => (0, Algorithm::Tdes, 13),
            Format::Iso3 => (3, Algorithm::Tdes, 13),
            // The peer wants a card's length; a phone number's is held by the vectors.
            Format::Iso4 => (4, Algorithm::Aes, 12),
        };
        for _ in 0..TIMES {
            let (secret, pin, pan) = (draw(&mut rng, 16), digits(&mut rng, 4, 12), digits(&mut rng, least, 19));
            let (key, account) = (key(algorithm, &secret), Account::parse(&pan).expect("an account"));
            let typed = Pin::parse(&pin).expect("a PIN");
            let block = pin_block::encipher(format, &key, &typed, &account, &mut rng).expect("a block");
            let question =
                json!({ "pin": { "format": number, "key": hex(&secret), "block": hex(block.octets()), "pan": pan }});
            assert_eq!(peer.asked(question, "pin"), pin, "{format:?}");
            let question = json!({ "pin_block": { "format": number, "key": hex(&secret), "pin": pin, "pan": pan }});
            let theirs = PinBlock::new(format, &octets(&peer.asked(question, "block"))).expect("a block");
            let read = pin_block::decipher(&key, &theirs, &account).expect("a PIN");
            // Only an offset tells two PINs apart here, digit by digit.
            let check = self::key(Algorithm::Tdes, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
            let offset = |pin| pin_verification::offset(&check, pin, &account).expect("a key of TDES");
            assert_eq!(offset(&read), offset(&typed), "{format:?}");
        }
    }
}

#[test]
fn key_blocks_are_unwrapped_by_others_and_theirs_here() {
    let (mut peer, mut rng) = (Peer::start(), ChaCha20Rng::seed_from_u64(2));
    for (protection, algorithm, length) in [
        (Algorithm::Aes, Algorithm::Aes, 16),
        (Algorithm::Aes, Algorithm::Aes, 32),
        (Algorithm::Aes, Algorithm::Tdes, 24),
        (Algorithm::Aes, Algorithm::Hmac, 32),
        (Algorithm::Tdes, Algorithm::Tdes, 16),
        (Algorithm::Tdes, Algorithm::Tdes, 24),
    ] {
        for more in
            [vec![], vec![("KS", "00604B120F9292800000")], vec![("KS", "0060"), ("T1", "a label that stands here")]]
        {
            let under = draw(&mut rng, if protection == Algorithm::Aes { 32 } else { 24 });
            let secret = draw(&mut rng, length);
            let (kbpk, inside) = (key(protection, &under), key(algorithm, &secret));
            let mut header = Header::new(KeyUsage::Data, algorithm, Mode::Both, Exportability::Exportable);
            header.optional = more
                .iter()
                .map(|(id, data)| OptionalBlock { id: id.as_bytes().try_into().expect("two"), data: (*data).into() })
                .collect();
            let block = tr31::wrap(&kbpk, &header, &inside, &mut rng).expect("a key block");
            let read = peer.ask(json!({ "unwrap": { "kbpk": hex(&under), "block": block }}));
            assert_eq!(read["key"], hex(&secret), "{block}");
            let stated = read["header"].as_str().expect("a header");
            assert_eq!(stated[5..12], block[5..12], "{stated}");
            let theirs =
                peer.asked(json!({ "wrap": { "kbpk": hex(&under), "header": stated, "key": hex(&secret) }}), "block");
            let (same, key) =
                tr31::unwrap(&kbpk, &theirs, Accept::Derived).unwrap_or_else(|why| panic!("{why}: {theirs}"));
            assert!(same == header && key.same(&inside), "{theirs}");
        }
    }
    // The variants, which are read and never written.
    for version in ["A", "C"] {
        let (under, secret) = (draw(&mut rng, 16), draw(&mut rng, 16));
        let header = format!("{version}0000P0TE00N0000");
        let theirs =
            peer.asked(json!({ "wrap": { "kbpk": hex(&under), "header": header, "key": hex(&secret) }}), "block");
        let (_, inside) = tr31::unwrap(&key(Algorithm::Tdes, &under), &theirs, Accept::Variants).expect("a key block");
        assert!(inside.same(&key(Algorithm::Tdes, &secret)));
    }
}

#[test]
fn codes_and_what_issuers_keep_of_pins_are_those_of_others() {
    let (mut peer, mut rng) = (Peer::start(), ChaCha20Rng::seed_from_u64(3));
    for length in 0..TIMES {
        let (secret, data) = (draw(&mut rng, 16), draw(&mut rng, length));
        let (tdes, aes) = (key(Algorithm::Tdes, &secret), key(Algorithm::Aes, &secret));
        let ask = json!({ "key": hex(&secret), "data": hex(&data) });
        if length > 0 {
            let code = mac::mac(MacFlavour::X919, &tdes, &data).expect("a code");
            let theirs = peer.asked(json!({ "x919": ask }), "mac").to_uppercase();
            assert_eq!(code.octets()[..], theirs.as_bytes()[..8]);
        }
        let code = mac::mac(MacFlavour::AesCmac, &aes, &data).expect("a code");
        assert_eq!(code.octets()[..], octets(&peer.asked(json!({ "cmac": ask }), "mac"))[..8]);

        let (pin, pan) = (digits(&mut rng, 4, 4), digits(&mut rng, 13, 19));
        let (typed, account) = (Pin::parse(&pin).expect("a PIN"), Account::parse(&pan).expect("an account"));
        let text = |digits: &[u8]| digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
        let pvv = pin_verification::pvv(&tdes, (length % 10) as u8, &typed, &account).expect("a key of TDES");
        let ask = json!({ "key": hex(&secret), "index": (length % 10).to_string(), "pin": pin, "pan": pan });
        assert_eq!(text(&pvv.expect("a card's account")), peer.asked(json!({ "pvv": ask }), "pvv"));
        let offset = pin_verification::offset(&tdes, &typed, &account).expect("a key of TDES");
        assert_eq!(text(&offset), peer.asked(json!({ "offset": ask }), "offset"));
    }
}

#[test]
fn keys_of_tdes_dukpt_are_those_of_others_at_any_counter() {
    let (mut peer, mut rng) = (Peer::start(), ChaCha20Rng::seed_from_u64(4));
    let mut counters: Vec<u32> = vec![1, 2, 0x1FF, 0x200, 0x201, 0x3FF, 0x400, 0xF_FC00, 0x10_0000, 0x1F_F800];
    counters.extend((0..1000).map(|_| rng.next_u32() & 0x1F_FFFF).filter(|counter| Counter::new(*counter).is_some()));
    counters.truncate(TIMES);
    for counter in counters.into_iter().map(|counter| Counter::new(counter).expect("few bits")) {
        let bdk = draw(&mut rng, 16);
        let somewhere =
            tdes_dukpt::Ksn::parse(&[draw(&mut rng, 7), vec![0xE0, 0, 1]].concat()).expect("a serial number");
        let ksn = somewhere.at(counter);
        let theirs = peer.ask(json!({ "dukpt": { "bdk": hex(&bdk), "ksn": hex(&ksn.octets()) }}));
        let same = |ours: &Key, field: &str| {
            let field = octets(theirs[field].as_str().expect("a key"));
            ours.same(&key(Algorithm::Tdes, &field))
        };
        let initial = tdes_dukpt::initial_key(&key(Algorithm::Tdes, &bdk), &ksn).expect("a key of TDES");
        assert!(same(&initial, "initial"));
        for (field, variant) in [
            ("pin", Variant::Pin),
            ("mac_request", Variant::MacRequest),
            ("mac_response", Variant::MacResponse),
            ("data_request", Variant::DataRequest),
            ("data_response", Variant::DataResponse),
        ] {
            let ours = tdes_dukpt::working_key(&initial, &ksn, variant).expect("a key of TDES");
            assert!(same(&ours, field), "{field} at {counter:?}");
        }
    }
}

/// The fields as the peer names them.
fn fields(link: &LinkProfile, message: &Message) -> serde_json::Map<String, Value> {
    let value = |number, value: &[u8]| match link.field(number).expect("a field of the link").kind {
        Kind::B => hex(value).to_uppercase(),
        Kind::Z if link.style == Style::PointOfSale => String::from_utf8_lossy(value).replace('=', "D"),
        _ => value.iter().map(|octet| char::from(*octet)).collect(),
    };
    message.fields().map(|(number, octets)| (number.to_string(), value(number, octets).into())).collect()
}

/// A message with about half of the fields of its link, of any length, and its code.
fn any_message(link: &LinkProfile, rng: &mut ChaCha20Rng) -> Message {
    let mti = Mti::ALL[rng.next_u32() as usize % Mti::ALL.len()];
    let mut message = Message::new(mti);
    for row in link.fields() {
        let length = match row.length {
            Length::Fixed(length) => length,
            Length::Ll(most) | Length::Lll(most) => 1 + rng.next_u32() as usize % most,
        };
        let alphabet: &[u8] = match row.kind {
            Kind::N | Kind::NRight => b"0123456789",
            Kind::Z => b"0123456789=",
            Kind::An | Kind::Ans => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ",
            Kind::B => b"\x00\x01\x7F\x80\xFF",
        };
        if row.number == link.style.code_field() || rng.next_u32().is_multiple_of(2) {
            let value: Vec<u8> = (0..length).map(|_| alphabet[rng.next_u32() as usize % alphabet.len()]).collect();
            message.set(row.number, value);
        }
    }
    message
}

#[test]
fn messages_are_read_by_others_and_theirs_here() {
    let (mut peer, mut rng) = (Peer::start(), ChaCha20Rng::seed_from_u64(5));
    for (name, mut link) in [("pos", LinkProfile::point_of_sale()), ("institution", LinkProfile::institution())] {
        link.without_code.clear();
        for _ in 0..TIMES {
            let message = any_message(&link, &mut rng);
            let code = message.get(link.style.code_field()).expect("a code").try_into().expect("8 octets");
            let ours = link.write(&message, |_| Ok::<_, Infallible>(code)).unwrap_or_else(|why| panic!("{why}"));
            let read = peer.ask(json!({ "decode": { "link": name, "octets": hex(&ours) }}));
            let stated = fields(&link, &message);
            assert!(read["mti"] == String::from_utf8_lossy(message.mti().digits()).into_owned());
            assert_eq!(read["fields"], Value::Object(stated.clone()), "{message:?}");
            let mti = String::from_utf8_lossy(message.mti().digits()).into_owned();
            let theirs =
                octets(&peer.asked(json!({ "encode": { "link": name, "mti": mti, "fields": stated }}), "octets"));
            let again =
                link.read(&theirs).expect("a message").verified(|_, _| Ok::<_, Infallible>(true)).expect("taken");
            assert!(again == message && theirs == ours);
        }
    }
}
