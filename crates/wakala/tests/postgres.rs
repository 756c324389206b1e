//! The platform on a PostgreSQL server, as somebody runs it: the story, the service, and what its people ask.

#[path = "../../data-center/tests/support/server.rs"]
mod server;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;
use server::Server;
use tempfile::TempDir;

fn wakala(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wakala"));
    command.env_clear().env("TMPDIR", folder).current_dir(folder).stdin(Stdio::null()).args(arguments);
    command
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_story_is_the_same_on_a_postgresql_server() {
    let server = Server::start();
    let scratch = tempfile::tempdir().unwrap();
    let output = wakala(scratch.path(), &["demo", "--story", "--server", &server.url()]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.trim_end().lines().last().map(str::trim), Some("All is as it must be."));
    assert!(server.sql("SELECT count(*) > 30 FROM log") == "t", "the books are on the server");
    assert!(fs::read_dir(scratch.path()).unwrap().next().is_none(), "and nowhere else");
}

/// A folder with all that the service needs, its books on a server that wants a password.
struct Place {
    folder: TempDir,
    server: Server,
}

const PASSWORD: &str = "the password of the books";

impl Place {
    fn new() -> Place {
        let mut server = Server::start();
        server.sql(&format!("ALTER ROLE wakala PASSWORD '{PASSWORD}'"));
        server.crash();
        server.write("pg_hba.conf", "host all wakala 127.0.0.1/32 scram-sha-256\nlocal all postgres trust\n");
        server.serve();
        let place = Place { folder: tempfile::tempdir().unwrap(), server };
        place.secret("password", PASSWORD);
        place.secret("passphrase", "a passphrase that is long enough");
        let configuration = format!(
            "[postgres]\naddress = \"postgres://wakala@127.0.0.1:{}/wakala\"\npassword_file = \"password\"\n\
             standbys = \"none\"\nin_use = \"refuse\"\nlease_seconds = 60\n\
             [keys]\nfile = \"keys\"\npassphrase_file = \"passphrase\"\n\
             [administration]\nsocket = \"socket\"\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n",
            place.server.port()
        );
        fs::write(place.folder.path().join("wakala.toml"), configuration).unwrap();
        let made = place.run(&["keys", "init"]).output().unwrap();
        assert!(made.status.success(), "{}", told(&made));
        place
    }

    fn secret(&self, name: &str, secret: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, secret).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Command {
        let mut command = wakala(self.folder.path(), arguments);
        command.env("WAKALA_CONFIG", "wakala.toml");
        command
    }

    /// What a command answers.
    fn done(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments).arg("--json").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", told(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn serve(&self, more: &[&str]) -> Service {
        let mut child = self.run(&["serve"]).args(more).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("\"serving\"") {
            assert_ne!(log.read_line(&mut said).unwrap(), 0, "the service did not start:\n{said}");
        }
        Service { child, log, said }
    }
}

struct Service {
    child: Child,
    log: BufReader<ChildStderr>,
    said: String,
}

impl Service {
    /// Asks it to end, and gives all that it has said.
    fn stop(mut self) -> String {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        std::io::Read::read_to_string(&mut self.log, &mut self.said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{}", self.said);
        std::mem::take(&mut self.said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_service_keeps_its_books_on_a_server_and_answers_its_people() {
    let place = Place::new();
    assert_eq!(place.done(&["config", "check"])["configuration"], "is right");
    let service = place.serve(&[]);
    let second = place.run(&["serve", "--set", "administration.socket=other"]).output().unwrap();
    assert!(!second.status.success() && told(&second).contains("is in use by process"), "{}", told(&second));
    let verified = place.done(&["ledger", "verify"]);
    assert_eq!(verified["sound"], true);
    let checked = place.done(&["check"]);
    assert!(checked["software"].as_str().unwrap().starts_with("PostgreSQL"), "{checked}");
    assert_eq!(checked["sound"], true);
    let asked = place.done(&["sql", "SELECT name FROM requests ORDER BY number LIMIT 1"]);
    assert_eq!(asked["columns"][0], "name");
    let backup = place.run(&["backup", "copy.db"]).output().unwrap();
    assert!(!backup.status.success() && told(&backup).contains("pg_basebackup"), "{}", told(&backup));
    let early = place.run(&["ledger", "detach", "2026-13"]).output().unwrap();
    assert!(!early.status.success() && told(&early).contains("is no month"), "{}", told(&early));
    let early = place.run(&["ledger", "verify", "--month", "2026-01"]).output().unwrap();
    assert!(!early.status.success() && told(&early).contains("not taken out"), "{}", told(&early));
    let rows = verified["rows"].clone();
    // A file for the witness, by hand, and a statement for the regulator.
    let at = |name: &str| place.folder.path().join(name);
    let run = |arguments: &[&str]| place.run(arguments).output().unwrap().stdout;
    fs::write(at("wakala.pem"), run(&["keys", "public"])).unwrap();
    fs::write(at("heads.txt"), run(&["ledger", "head"])).unwrap();
    let proven = ["ledger", "verify", "--witness", "heads.txt", "--public-key", "wakala.pem"];
    assert_eq!(place.done(&proven)["witnessed"], 1);
    let stated = place.done(&["trust-account", "statement", "--out", "trust.txt"]);
    let checked = place.done(&["trust-account", "check", "trust.txt", "--public-key", "wakala.pem"]);
    assert_eq!((&checked["log_row"], &checked["log_head"]), (&stated["row"], &verified["head"]));
    let said = service.stop();
    assert!(!said.contains(PASSWORD) && said.contains("postgres://wakala@127.0.0.1"), "{said}");
    assert!(!said.contains("\"ERROR\""), "{said}");
    // One that ended in order is not waited for.
    let again = place.serve(&[]);
    assert_eq!(place.done(&["ledger", "verify"])["rows"], rows);
    again.stop();
}

#[test]
fn the_books_move_from_a_file_to_a_server_and_the_service_goes_on_with_them() {
    let place = Place::new();
    let on_file = ["--set", "postgres={}", "--set", "ledger.database=wakala.db"];
    let before = place.serve(&on_file);
    let head = place.done(&["ledger", "verify"])["head"].clone();
    let early = place.run(&["migrate", "sqlite-to-postgres", "--from", "wakala.db"]).output().unwrap();
    assert!(!early.status.success() && told(&early).contains("is in use"), "{}", told(&early));
    before.stop();
    let moved = place.done(&["migrate", "sqlite-to-postgres", "--from", "wakala.db"]);
    assert_eq!(moved["head"], head);
    let twice = place.done(&["migrate", "sqlite-to-postgres", "--from", "wakala.db"]);
    assert_eq!(twice, moved, "what was moved is only proven again");
    let after = place.serve(&[]);
    assert_eq!(place.done(&["ledger", "verify"])["head"], head);
    after.stop();
}

#[test]
fn a_service_whose_server_is_gone_ends_and_one_whose_server_comes_back_goes_on() {
    let mut place = Place::new();
    let service = place.serve(&[]);
    place.server.crash();
    place.server.serve();
    // The next question waits until the server is back.
    assert_eq!(place.done(&["ledger", "verify"])["sound"], true);
    service.stop();
    let mut service = place.serve(&["--set", "postgres.lease_seconds=3"]);
    place.server.crash();
    std::io::Read::read_to_string(&mut service.log, &mut service.said).unwrap();
    assert!(!service.child.wait().unwrap().success());
    assert!(service.said.contains("the lease could not be renewed in time"), "{}", service.said);
}
