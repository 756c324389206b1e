//! The program as its operators meet it: from nothing to money in the system, a backup and the way back, by commands alone.

#[path = "../../encryption/tests/softhsm/mod.rs"]
mod softhsm;

mod installation;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use encryption::VerifyingKey;
use installation::Place;
use softhsm::SoftHsm;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn from_nothing_to_money_a_backup_and_back() {
    let place = Place::new();
    let (code, told) = place.refused("staff list");
    assert_eq!(code, Some(69), "{told}");
    let (code, told) = place.refused("serve");
    assert_eq!(code, Some(78), "{told}");
    assert!(told.contains("wakala keys init"), "{told}");

    let made = place.done("keys init");
    assert_eq!(made["passphrase_made"], true);
    assert_eq!((mode(&place.path("wakala.keys")), mode(&place.path("passphrase"))), (0o600, 0o600));
    assert_eq!(place.refused("keys init").0, Some(1), "keys are never overwritten");

    let server = place.serve();
    place.done("staff add maker --new-secret-file maker");
    place.done("staff add checker --new-secret-file checker");
    let proposal = place.done("treasury issue 5000000 --bank-reference deposit-1 --staff maker --secret-file maker");
    let approve = format!("treasury approve {} --staff maker --secret-file maker", proposal["proposal"]);
    let (code, told) = place.refused(&approve);
    assert_eq!(code, Some(1));
    assert!(told.contains("another member of staff"), "{told}");
    place.done(&approve.replace("maker", "checker"));
    place.decided("agent enrol 1042 0712000007 --name Shop");
    let supplied = place.decided("agent float supply 1042 200000");
    let reference = supplied["reference"].as_str().unwrap().to_owned();
    let shown = place.done(&format!("transfer show {reference} --staff maker --secret-file maker"));
    assert_eq!(shown["amount"]["amount"], "200000.00");

    let balance = String::from_utf8(place.run("treasury balance").stdout).unwrap();
    assert!(balance.contains("-5,000,000.00 TZS") && balance.contains("4,800,000.00 TZS"), "{balance}");
    place.done("staff secret --staff maker --secret-file maker --new-secret-file next");
    assert_eq!(place.refused("agent list --staff maker --secret-file maker").0, Some(1), "the old one proves nothing");
    place.done("staff secret --staff maker --secret-file next --new-secret-file maker");
    let verified = place.done("ledger verify");
    assert_eq!(verified["sound"], true);
    assert_eq!(place.done("check")["sound"], true);
    assert_eq!(place.refused("sql DELETE").0, Some(2));
    assert_eq!(place.done("version")["server"], place.done("version")["program"]);

    place.done("backup copy.db");
    assert_eq!(place.done("ledger verify --database copy.db")["head"], verified["head"]);
    let (code, told) = place.refused("restore copy.db");
    assert_eq!(code, Some(1));
    assert!(told.contains("stop it first"), "{told}");
    assert_eq!(place.refused("agent list --staff typed-in-the-wrong-place --secret-file maker").0, Some(1));
    assert_eq!(place.refused("agent list --staff maker --secret-file checker").0, Some(1));
    let log = server.end();
    assert!(log.contains("NotProven") && !log.contains("wrong-place"), "a name of nobody's may be a secret");
    assert!(!log.contains("long secret"), "secrets never stand in the log");
    assert!(!log.contains("712000007"), "nor whole numbers");
    assert!(log.contains("checker"), "but who did what");
    assert!(!place.path("wakala.sock").exists());

    assert_eq!(place.refused("restore copy.db").0, Some(1), "the database is there");
    for name in ["wakala.db", "wakala.db-wal", "wakala.db-shm"] {
        let _ = fs::rename(place.path(name), place.path(&format!("old-{name}")));
    }
    place.done("restore copy.db");
    let server = place.serve();
    let again = place.done(&format!("transfer show {reference} --staff maker --secret-file maker"));
    assert_eq!(again["amount"], shown["amount"]);
    assert_eq!(place.done("ledger verify")["sound"], true);
    assert_eq!(place.done("check")["waits_for_its_epoch"], false);
    place.decided("agent float withdraw 1042 50000");
    let last = place.command("sql").arg("SELECT max(sequence) AS last FROM log").output().unwrap();
    let last = String::from_utf8_lossy(&last.stdout).into_owned();
    let number = last.lines().find_map(|line| line.trim().parse::<u64>().ok());
    assert!(number.is_some_and(|number| number > 1_000_000_000), "numbers jumped ahead: {last}");
    assert_eq!(place.done("ledger verify")["sound"], true, "across the epoch");
    let agent = place.done("agent show 1042 --staff maker --secret-file maker");
    assert_eq!(agent["balance"]["amount"], "150000.00");
    server.end();
}

#[test]
fn keys_are_rotated_at_once_and_retired_only_when_nothing_needs_them() {
    let place = Place::new();
    place.done("keys init");
    let server = place.serve();
    place.done("staff add maker --new-secret-file maker");
    place.done("staff add checker --new-secret-file checker");
    place.decided("agent enrol 1042 0712000007 --name Shop");
    let first = place.done("keys public")["keys"].clone();
    assert_eq!(place.done("keys rotate")["versions"], serde_json::json!([2, 1]));
    let public = place.done("keys public")["keys"].clone();
    assert_eq!(
        (public.as_array().map(Vec::len), &public[1]),
        (Some(2), &first[0]),
        "newest first, the older as it was"
    );
    let newest = VerifyingKey::from_pem(public[0]["public_key"].as_str().unwrap()).expect("PEM");
    assert_eq!(public[0]["id"], newest.id().to_string());
    let shown = String::from_utf8(place.run("keys public").stdout).unwrap();
    assert!(shown.contains(&format!("version 2, id {}\n{}version 1, id", newest.id(), newest.to_pem())), "{shown}");
    let (code, told) = place.refused("keys retire 1");
    assert_eq!(code, Some(1));
    assert!(told.contains("restart it first"), "{told}");
    server.end();
    assert_eq!(place.refused("keys retire 1").0, Some(69), "nobody can be asked");
    assert_eq!(place.refused("keys retire 2").0, Some(1), "the newest is in use");

    let server = place.serve();
    let (code, told) = place.refused("keys retire 1");
    assert_eq!(code, Some(1));
    assert!(told.contains("1 stored proofs still need version 1"), "{told}");
    // A reset draws the PIN anew, under the newest version.
    place.decided("customer reset-pin 0712000007");
    assert_eq!(place.done("keys retire 1")["versions"], serde_json::json!([2]));
    server.end();
}

#[test]
fn the_keys_may_be_in_a_token() {
    let hsm = SoftHsm::create("command-line");
    let place = Place::with_token(&hsm);
    let (code, told) = place.refused("serve");
    assert!(code == Some(78) && told.contains("wakala keys init"), "{told}");
    assert_eq!(place.done("keys init --token")["versions"], serde_json::json!([1]));
    let (code, told) = place.refused("keys init");
    assert!(code == Some(1) && told.contains("is in the token already"), "{told}");
    assert!(!place.path("wakala.keys").exists() && !place.path("passphrase").exists(), "there is no file of keys");
    assert!(place.run("config check").status.success());

    let server = place.serve();
    place.done("staff add maker --new-secret-file maker");
    place.done("staff add checker --new-secret-file checker");
    place.decided("agent enrol 1042 0712000007 --name Shop");
    assert_eq!(place.done("keys rotate")["versions"], serde_json::json!([2, 1]));
    let (code, told) = place.refused("keys retire 1");
    assert!(code == Some(1) && told.contains("restart it first"), "{told}");
    assert_eq!(place.refused("keys retire 2").0, Some(1), "the newest is in use");
    let mut log = server.end();

    let server = place.serve();
    // What the token signs, its public key checks: after the rotation too.
    fs::write(place.path("heads.txt"), place.run("ledger head").stdout).unwrap();
    fs::write(place.path("wakala.pem"), place.run("keys public").stdout).unwrap();
    assert_eq!(place.done("ledger witness heads.txt --public-key wakala.pem")["statements"], 1);
    place.done("trust-account statement --out trust.txt");
    assert_eq!(place.done("trust-account check trust.txt --public-key wakala.pem")["key_version"], 2);
    let name = || place.done("agent show 1042 --staff maker --secret-file maker")["name"].clone();
    assert_eq!(name(), "Shop", "what was sealed before the rotation opens");
    assert!(place.refused("keys retire 1").1.contains("1 stored proofs still need version 1"));
    place.decided("customer reset-pin 0712000007");
    assert_eq!(place.done("keys retire 1")["versions"], serde_json::json!([2]));
    log += &server.end();
    let server = place.serve();
    place.decided("customer reset-pin 0712000007");
    assert_ne!(name(), "Shop", "its key is destroyed");
    let public = place.done("keys public")["keys"].clone();
    assert_eq!((public.as_array().map(Vec::len), &public[0]["version"]), (Some(1), &serde_json::json!(2)));
    log += &server.end();
    assert!(!log.contains(softhsm::PIN));
    hsm.remove();
}

#[test]
fn a_token_that_is_not_reached_is_tried_again_and_a_wrong_pin_never() {
    let hsm = SoftHsm::create("not-reached");
    let place = Place::with_token(&hsm);
    place.done("keys init --token");
    let (code, told) = place.refused("serve --set keys.token.label=another");
    assert!(code == Some(75) && told.contains("no token is labelled"), "{told}");
    let (code, told) = place.refused("serve --set keys.token.pin_file=maker");
    assert!(code == Some(78), "anybody may read that file: {told}");
    fs::set_permissions(place.path("maker"), fs::Permissions::from_mode(0o600)).unwrap();
    let (code, told) = place.refused("serve --set keys.token.pin_file=maker");
    assert!(code == Some(78) && told.contains("refuses the PIN"), "{told}");
    let (code, told) = place.refused("config check --set keys.token.module=/nowhere/module.so");
    assert!(code == Some(78) && told.contains("keys.token.module"), "{told}");
    let (code, told) = Place::new().refused("keys init --token");
    assert!(code == Some(78) && told.contains("names no token"), "{told}");
    hsm.remove();
}

#[test]
fn a_wrong_configuration_is_told_whole_and_ends_with_78() {
    let place = Place::new();
    let (code, told) = place.refused("config check");
    assert!(code == Some(78) && told.contains("keys.file"), "the files that are named are looked at: {told}");
    place.done("keys init");
    assert!(place.run("config check").status.success());
    let (code, told) = place.refused("config check --set pin.tries=none --set nothing.of.this=1");
    assert_eq!(code, Some(78));
    assert!(told.contains("pin.tries") && told.contains("nothing"), "{told}");
    let shown = place.done("config show --set pin.tries=2");
    assert_eq!(shown["pin.tries"]["origin"], "--set");
}

#[test]
fn a_cluster_gets_certificates_and_later_more_from_the_authority_that_was_put_away() {
    let place = Place::new();
    let made = place.run("cluster certificates certificates wakala1.example wakala2.example");
    let said = [made.stdout, made.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("put authority.key away") && !said.contains("PRIVATE KEY"), "{said}");
    let key = place.path("certificates/authority.key");
    assert_eq!(mode(&key), 0o600);
    fs::rename(&key, place.path("put-away")).unwrap();
    let added = place.done("cluster certificates certificates wakala3.example --authority put-away");
    let files: Vec<&str> = added["files"].as_array().unwrap().iter().filter_map(|row| row["file"].as_str()).collect();
    assert_eq!(files, ["certificates/wakala3.example.pem", "certificates/wakala3.example.key"]);
    let (code, told) = place.refused("cluster certificates certificates wakala3.example --authority put-away");
    assert_eq!(code, Some(1));
    assert!(told.contains("is there already"), "{told}");
    let (code, told) =
        place.refused("cluster certificates certificates wakala4.example --authority certificates/wakala1.example.key");
    assert_eq!(code, Some(1));
    assert!(told.contains("no authority.key that this command made"), "{told}");
}
