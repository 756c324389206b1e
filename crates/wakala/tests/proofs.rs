//! Proofs as other organisations meet them: by commands, files and a public key alone.

#[path = "../../encryption/tests/softhsm/mod.rs"]
mod softhsm;

mod installation;

use std::fs;
use std::process::Command;

use installation::Place;
use serde_json::Value;

/// With keys, and a folder for the witness.
fn witnessed() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("witness")).unwrap();
    let mut text = fs::read_to_string(&place.configuration).unwrap();
    text += &format!("[witness]\ndirectory = {:?}\n", place.path("witness"));
    fs::write(&place.configuration, text).unwrap();
    place.done("keys init");
    fs::write(place.path("wakala.pem"), place.run("keys public").stdout).unwrap();
    place
}

fn staffed(place: &Place) {
    for name in ["maker", "checker"] {
        place.done(&format!("staff add {name} --new-secret-file {name}"));
    }
}

/// What the witness has: one file, or two at the end of a month.
fn heads(place: &Place) -> String {
    let mut files: Vec<_> = fs::read_dir(place.path("witness")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// The answer of a command that ends with 1, because it found something.
fn found(place: &Place, line: &str) -> Value {
    let output = place.run(&format!("{line} --json"));
    assert_eq!(output.status.code(), Some(1), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn findings(told: &Value) -> String {
    told["findings"].as_array().unwrap().iter().map(|finding| finding["what"].as_str().unwrap()).collect()
}

#[test]
fn a_log_that_was_put_back_verifies_by_itself_and_not_against_its_witness() {
    let place = witnessed();
    let server = place.serve();
    staffed(&place);
    place.decided("treasury issue 5000000 --bank-reference deposit-1");
    place.done("backup early.db");
    place.decided("agent enrol 1042 0712000007 --name Shop");
    let line = String::from_utf8(place.run("ledger head").stdout).unwrap();
    server.end();
    let heads = heads(&place);
    assert!(heads.lines().count() > 1 && heads.ends_with('\n'), "at the start and at the end: {heads}");
    fs::write(place.path("heads.txt"), format!("{line}{}\n", heads.lines().last().unwrap())).unwrap();
    let told = place.done("ledger witness heads.txt --public-key wakala.pem");
    assert_eq!((&told["sound"], &told["statements"]), (&true.into(), &2.into()));

    let with = "--witness heads.txt --public-key wakala.pem";
    let told = place.done(&format!("ledger verify --database wakala.db {with}"));
    assert_eq!((&told["sound"], &told["witnessed"]), (&true.into(), &2.into()));
    let server = place.serve();
    assert_eq!(place.done("ledger verify --witness heads.txt")["witnessed"], 2, "with the configuration's own keys");
    server.end();

    assert_eq!(place.done("ledger verify --database early.db")["sound"], true, "it was the log once");
    let told = found(&place, &format!("ledger verify --database early.db {with}"));
    assert!(findings(&told).contains("rows are gone: the log ends at row"), "{told}");

    for name in ["wakala.db", "wakala.db-wal", "wakala.db-shm"] {
        let _ = fs::rename(place.path(name), place.path(&format!("lost-{name}")));
    }
    place.done("restore early.db");
    let server = place.serve();
    assert_eq!(place.done("ledger verify")["sound"], true);
    let told = found(&place, &format!("ledger verify {with}"));
    assert!(findings(&told).contains("a backup was put in the place of that log and goes on from row"), "{told}");
    server.end();
    let all = self::heads(&place);
    fs::write(place.path("all.txt"), &all).unwrap();
    let told = found(&place, "ledger witness all.txt --public-key wakala.pem");
    assert!(findings(&told).contains("the log went back from row"), "{told}");
}

#[test]
fn no_octet_of_what_a_witness_keeps_can_be_changed() {
    let place = witnessed();
    let server = place.serve();
    staffed(&place);
    let line = String::from_utf8(place.run("ledger head").stdout).unwrap();
    server.end();
    let keys = encryption::VerifyingKey::from_pem;
    let pem = fs::read_to_string(place.path("wakala.pem")).unwrap();
    let keys = [keys(pem.split_once('\n').unwrap().1).unwrap()];
    let judged = |text: &str| {
        let mut testimony = wakala::proof::head::Testimony::default();
        testimony.take("heads", text, &keys);
        testimony
    };
    assert!(judged(&line).findings.is_empty());
    for at in 0..line.trim_end().len() {
        let mut changed = line.clone().into_bytes();
        changed[at] ^= 1;
        let testimony = judged(&String::from_utf8(changed).unwrap());
        assert!(testimony.heads.is_empty() && !testimony.findings.is_empty(), "octet {at}");
    }
    place.done("keys rotate");
    fs::write(place.path("another.pem"), place.run("keys public").stdout).unwrap();
    fs::write(place.path("heads.txt"), &line).unwrap();
    place.done("ledger witness heads.txt --public-key another.pem");
    place.done("keys retire 1 --force");
    fs::write(place.path("another.pem"), place.run("keys public").stdout).unwrap();
    let told = found(&place, "ledger witness heads.txt --public-key another.pem");
    assert!(findings(&told).contains("none of the public keys signed this"), "{told}");
}

#[test]
fn a_regulator_checks_the_trust_account_with_the_public_key_alone() {
    let place = witnessed();
    let server = place.serve();
    staffed(&place);
    place.decided("treasury issue 5000000 --bank-reference deposit-1");
    let stated = "trust-account confirm";
    let told = place.done("trust-account");
    assert_eq!(told["currencies"][0]["state"], "the bank has stated nothing yet");
    let (code, told) =
        place.refused(&format!("{stated} 1 --as-of 2999-01-01T00:00 --statement s --staff maker --secret-file maker"));
    assert!(code == Some(2) && told.contains("has not come yet"), "{told}");
    place.decided(&format!("{stated} 0 --as-of 2026-01-01T00:00 --statement opening"));
    let told = place.done("trust-account");
    assert_eq!(
        (&told["balanced"], &told["currencies"][0]["moved_since"]["amount"]),
        (&true.into(), &"5000000.00".into())
    );
    assert_eq!(told["moved_since_the_statement"][0]["reference"], "deposit-1");

    place.done("trust-account statement --out good.txt");
    assert_eq!(place.refused("trust-account statement --out good.txt").0, Some(2), "nothing is written over");
    place.decided("agent enrol 1042 0712000007 --name Shop");
    place.decided("agent float supply 1042 200000");
    // The bank has less than was issued: a deposit that never was.
    let now = "2026-01-02T00:00";
    place.decided(&format!("{stated} 4999999 --as-of {now} --statement second --includes deposit-1"));
    let told = found(&place, "trust-account");
    let side = &told["currencies"][0];
    assert_eq!((&side["state"], &side["difference"]["amount"]), (&"money without cover".into(), &"-1.00".into()));
    place.done("trust-account statement --out short.txt");
    place.decided(&format!("{stated} 5000000 --as-of {now} --statement third"));
    assert_eq!(place.done("trust-account")["balanced"], true);
    let head = place.done("ledger head");
    place.done("trust-account statement --out last.txt");
    server.end();

    // From here on there is no server, no database and no secret.
    for name in ["wakala.db", "wakala.keys", "passphrase"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    let checked = place.done("trust-account check last.txt --public-key wakala.pem");
    assert_eq!((&checked["log_row"], &checked["currencies"][0]["difference"]), (&head["row"], &"0.00".into()));
    assert!(head["statement"].as_str().unwrap().contains(checked["log_head"].as_str().unwrap()));
    let checked = place.done("trust-account check short.txt --public-key wakala.pem");
    assert_eq!(checked["currencies"][0]["difference"], "-1.00", "it is true, and says what is wrong");
    let text = fs::read_to_string(place.path("last.txt")).unwrap();
    assert!(text.contains("\nagents' floats: 200000.00 on 1\n"), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some(digit) = line.rfind(|character: char| character.is_ascii_digit()) else { continue };
        let other = if line[digit..].starts_with('7') { "8" } else { "7" };
        let changed = format!("{}{other}{}", &line[..digit], &line[digit + 1..]);
        let mut lines = lines.clone();
        lines[at] = &changed;
        fs::write(place.path("changed.txt"), format!("{}\n", lines.join("\n"))).unwrap();
        let (code, told) = place.refused("trust-account check changed.txt --public-key wakala.pem");
        assert_eq!(code, Some(1), "{changed}: {told}");
    }
    let (code, told) = place.refused("trust-account check maker --public-key wakala.pem");
    assert!(code == Some(1) && told.contains("no statement of the trust account"), "{told}");
    assert_eq!(openssl(&place, "last.txt"), Some(0), "what docs/operating.md says");
    assert_ne!(openssl(&place, "changed.txt"), Some(0));
}

/// The way that docs/operating.md shows for whoever has none of this program.
fn openssl(place: &Place, file: &str) -> Option<i32> {
    let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating.md");
    let documented = fs::read_to_string(documented).unwrap();
    let recipe = documented.split("```sh\n").find(|block| block.contains("openssl pkeyutl -verify")).unwrap();
    let recipe = recipe.split("```").next().unwrap().replace("trust-2026-11-24.txt", file);
    let shell = Command::new("sh").args(["-e", "-c", &recipe]).current_dir(place.path(".")).output().unwrap();
    shell.status.code()
}

#[test]
fn a_person_is_erased_and_the_proof_still_holds() {
    let place = witnessed();
    let server = place.serve();
    staffed(&place);
    place.decided("agent enrol 1042 0712000007 --name Shop");
    let sealed = "SELECT DISTINCT sealed FROM private_texts WHERE sequence > 0";
    let told = place.command("sql --json").arg(sealed).output().unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let octets = hex(told["rows"][0][0].as_str().unwrap());
    let head = String::from_utf8(place.run("ledger head").stdout).unwrap();
    fs::write(place.path("heads.txt"), head).unwrap();
    let shown = || place.done("agent show 1042 --staff maker --secret-file maker")["name"].clone();
    assert_eq!(shown(), "Shop");

    let proposal = place.done("customer erase 0712000007 --staff maker --secret-file maker")["proposal"].clone();
    assert_eq!(shown(), "Shop", "nobody erases alone");
    let (code, _) = place.refused(&format!("treasury approve {proposal} --staff maker --secret-file maker"));
    assert_eq!(code, Some(1));
    place.done(&format!("treasury approve {proposal} --staff checker --secret-file checker"));
    assert_eq!(shown(), "(erased)");
    let all = place.done("treasury proposals --all --staff maker --secret-file maker").to_string();
    assert!(all.contains("(erased)") && !all.contains("Shop"), "{all}");
    let (code, told) = place.refused("customer erase 0712000007 --staff maker --secret-file maker");
    assert!(code == Some(1) && told.contains("nothing personal"), "{told}");
    assert_eq!(place.done("ledger verify --witness heads.txt")["witnessed"], 1, "the proof of before holds");
    server.end();
    let database = fs::read(place.path("wakala.db")).unwrap();
    assert!(!database.windows(octets.len()).any(|some| some == octets), "overwritten, and not only forgotten");

    let server = place.serve();
    assert_eq!(shown(), "(erased)");
    // A number that had two owners; the first has moved to another, and took the name along.
    place.decided("agent enrol 1043 0712000008 --name First");
    place.decided("customer change-number 0712000008 0713000008");
    place.decided("agent enrol 1044 0712000008 --name Second");
    place.decided("customer erase 0712000008 --former-owners");
    let name =
        |agent: u32| place.done(&format!("agent show {agent} --staff maker --secret-file maker"))["name"].clone();
    assert_eq!((name(1043), name(1044)), ("First".into(), "Second".into()));
    let (code, _) = place.refused("customer erase 0712000008 --former-owners --staff maker --secret-file maker");
    assert_eq!(code, Some(1), "nothing is left of the first");
    place.decided("customer erase 0713000008");
    assert_eq!((name(1043), name(1044)), ("(erased)".into(), "Second".into()));
    assert_eq!(place.done("ledger verify --witness heads.txt")["sound"], true);
    server.end();
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
