//! Distinctive PINs and codes go through the platform; afterwards none is found in the database, its write-ahead log and index,
//! a backup, the key file or the log at its most talkative.

mod common;

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use common::sealer::Sealer;
use common::{AGENT, AGENT_PHONE, ALICE, BOB, PIN, STRANGER, World, audit};
use encryption::{FileKeys, Passphrase};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// PINs in good messages and in bad ones.
const PINS: [&str; 8] = ["739164", "582917", "917352", "461793", "837194", "264917", "593716", "718264"];

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a sound lock").extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every form in which digits could have been left behind.
fn forms(secret: &str) -> Vec<(String, Vec<u8>)> {
    let digits = secret.as_bytes();
    let wide =
        |order: fn(u16) -> [u8; 2]| digits.iter().flat_map(|digit| order(u16::from(*digit))).collect::<Vec<u8>>();
    let mut forms = vec![
        ("as text".to_owned(), digits.to_vec()),
        ("as UTF-16, big end first".to_owned(), wide(u16::to_be_bytes)),
        ("as UTF-16, little end first".to_owned(), wide(u16::to_le_bytes)),
        ("digit by digit".to_owned(), digits.iter().map(|digit| digit - b'0').collect()),
    ];
    // Packed septets begin at any of eight bits; what shares an octet with a neighbour is left out.
    for before in 0..8 {
        let septets: Vec<u8> = std::iter::repeat_n(b'*', before).chain(digits.iter().copied()).collect();
        let mut packed = vec![0_u8; (septets.len() * 7).div_ceil(8)];
        for (index, septet) in septets.iter().enumerate() {
            for bit in 0..7 {
                packed[(index * 7 + bit) / 8] |= (septet >> bit & 1) << ((index * 7 + bit) % 8);
            }
        }
        let inside = (before * 7).div_ceil(8)..septets.len() * 7 / 8;
        forms.push((format!("in packed septets, after {before}"), packed[inside].to_vec()));
    }
    // Shorter than this, chance would find them.
    forms.retain(|(_, octets)| octets.len() >= 4);
    forms
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn search(place: &str, haystack: &[u8], secrets: &[String]) {
    assert!(!haystack.is_empty(), "{place} is looked at");
    for secret in secrets {
        for (form, octets) in forms(secret) {
            if let Some(at) = find(haystack, &octets) {
                let around = &haystack[at.saturating_sub(80)..(at + 40).min(haystack.len())];
                panic!("{secret} {form} in {place} at {at}: {}", String::from_utf8_lossy(around));
            }
        }
    }
}

#[test]
fn the_search_finds_every_form() {
    for (form, octets) in forms("739164") {
        let haystack = [b"before".as_slice(), &octets, b"after"].concat();
        assert!(
            std::panic::catch_unwind(|| search("the haystack", &haystack, &["739164".to_owned()])).is_err(),
            "{form}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_pin_and_no_code_is_left_anywhere() {
    let heard = Heard::default();
    let writer = heard.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        // Their microseconds look like PINs.
        .without_time()
        .with_ansi(false)
        .init();
    let world = World::new().await;
    let mut secrets: Vec<String> = PINS.map(str::to_owned).to_vec();

    // Good messages: new PINs, a transfer with its password and codes.
    let [alices, bobs, sealed, ..] = PINS;
    let said = |words: &str| assert!(!words.contains("Not done"), "{words}");
    said(&world.ask(ALICE, &format!("PN*{PIN}*{alices}")).await.words);
    said(&world.ask(BOB, &format!("PN*{PIN}*{bobs}")).await.words);
    said(&world.ask(ALICE, &format!("TM*{STRANGER}*700*{alices}")).await.words);
    let password = world.centre().text_to(STRANGER).await.digits_after("Password ");
    let code = world.ask(STRANGER, &format!("QT*{STRANGER}*{password}*{AGENT}")).await.digits_after("code ");
    said(&world.ask(AGENT_PHONE, &format!("GM*{STRANGER}*700*{code}*{PIN}")).await.words);
    assert!(world.centre().text_to(STRANGER).await.words.contains("take CASH"));
    secrets.extend([password, code]);
    let registration = world.ask(STRANGER, &format!("RG*{}*Neema", PINS[3])).await.digits_after("Code ");
    said(&world.ask(STRANGER, &format!("RG*{registration}*{}", PINS[3])).await.words);
    secrets.push(registration);

    // Sealed ones.
    audit::settle(&world).await;
    let mut sealer = Sealer::start();
    let mut card = world.card(BOB, "8925501000000000001").await;
    audit::settle(&world).await;
    world.centre().skip_read();
    said(&world.ask_sealed(&mut sealer, &mut card, BOB, &format!("PN*{bobs}*{sealed}")).await);

    // Wrong ones and bad ones, in every way that a thumb finds.
    let [.., a, b, c, d] = PINS;
    let bad = [
        format!("BL*{a}"),
        format!("TM*0712000002*500*{a}*x*y*z"),
        format!("TM*0712000002*{b}"),
        format!("BL {b}"),
        format!("bl{c}"),
        format!("TM 0712000002 500 {c}"),
        d.to_owned(),
        format!("PN*{d}"),
        format!("GM*0712000002*500*{d}*{a}"),
        format!("RG*{b}"),
        format!("RG*123456*{c}*{d}"),
        format!("QT*{STRANGER}*12{c}*x"),
        format!("TM*0712000002*500*{d}#"),
        format!("TM*0712000002*500*\u{1f4b0}{a}"),
    ];
    for words in &bad {
        let id = world.centre().say(STRANGER, words);
        assert_eq!(world.centre().acknowledged(&id).await, 0, "{words}");
    }
    // In UCS-2, too long, and as what is no text at all.
    for fields in [
        serde_json::json!({ "from": ALICE, "to": "15050", "text": format!("BL*{b}"), "data_coding": 8 }),
        serde_json::json!({ "from": ALICE, "to": "15050", "text": format!("BL*{c}*{}", "9".repeat(300)), "data_coding": 0 }),
        serde_json::json!({ "from": ALICE, "to": "15050", "hex": common::centre::hex(d.as_bytes()), "data_coding": 4 }),
    ] {
        let id = world.centre().deliver(fields);
        assert_eq!(world.centre().acknowledged(&id).await, 0);
    }
    audit::settle(&world).await;

    // Codes are erased with their receipt.
    let database = world.config.ledger.database.clone();
    assert!(audit::rows(&world.location(), "SELECT notice_id FROM codes").is_empty());

    // While it runs, and with a backup.
    let backup = world.directory.path().join("backup.db");
    data_center::sqlite::backup(&database, &backup, &mut |_, _| {}).expect("a backup");
    let beside = |end: &str| PathBuf::from(format!("{}{end}", database.display()));
    let places = [("the database", beside("")), ("the write-ahead log", beside("-wal")), ("its index", beside("-shm"))];
    for (place, path) in places.iter().map(|(place, path)| (*place, path)).chain([("the backup", &backup)]) {
        search(place, &std::fs::read(path).unwrap_or_else(|error| panic!("{place}: {error}")), &secrets);
    }
    let keys = world.directory.path().join("wakala.keys");
    let passphrase = Passphrase::new(b"a passphrase that is long enough").expect("long enough");
    let mut rng = StdRng::seed_from_u64(2);
    FileKeys::create(&mut rng).save(&keys, &passphrase, &mut rng).expect("a key file");
    search("the key file", &std::fs::read(&keys).expect("a key file"), &secrets);

    // And when it has ended, with all that was logged.
    world.end().await;
    let log = heard.0.lock().expect("a sound lock").clone();
    assert!(find(&log, b"TRACE").is_some() || find(&log, b"DEBUG").is_some(), "the log was talkative");
    search("the log", &log, &secrets);
}
