//! The program installed in a folder of its own, and met by commands alone.
#![allow(dead_code, reason = "each program uses its own part")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::softhsm::{self, SoftHsm};

/// An installation in a folder of its own.
pub struct Place {
    pub folder: TempDir,
    pub configuration: PathBuf,
    /// By which the token's module finds its own, where there is a token.
    variable: Option<(&'static str, PathBuf)>,
}

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let configuration = at("wakala.toml");
        let text = format!(
            "[ledger]\ndatabase = {:?}\n[keys]\nfile = {:?}\npassphrase_file = {:?}\n\
             [administration]\nsocket = {:?}\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n",
            at("wakala.db"),
            at("wakala.keys"),
            at("passphrase"),
            at("wakala.sock")
        );
        fs::write(&configuration, text).unwrap();
        for (name, secret) in
            [("maker", "the first long secret"), ("checker", "another long secret"), ("next", "a third long secret")]
        {
            fs::write(at(name), secret).unwrap();
        }
        Place { folder, configuration, variable: None }
    }

    /// One whose keys are in a token.
    pub fn with_token(hsm: &SoftHsm) -> Place {
        let place = Place::new();
        let token = format!(
            "[keys]\ntoken = {{ module = {:?}, label = {:?}, pin_file = {:?} }}\n",
            softhsm::MODULE,
            softhsm::LABEL,
            hsm.pin_file()
        );
        let text = fs::read_to_string(&place.configuration).unwrap().replace("[keys]\n", &token);
        fs::write(&place.configuration, text).unwrap();
        Place { variable: Some((softhsm::VARIABLE, hsm.configuration())), ..place }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wakala"));
        command.env_clear().envs(self.variable.clone()).current_dir(self.folder.path()).stdin(Stdio::null());
        command.arg("--config").arg(&self.configuration).args(line.split(' '));
        command
    }

    pub fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// The answer of a command that must succeed.
    pub fn done(&self, line: &str) -> Value {
        let output = self.run(&format!("{line} --json"));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {told}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// How a command ends that must not succeed, and what it says.
    pub fn refused(&self, line: &str) -> (Option<i32>, String) {
        let output = self.run(line);
        assert!(!output.status.success(), "{line} was done");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// A proposal by Maker that Checker approves.
    pub fn decided(&self, line: &str) -> Value {
        let proposal = self.done(&format!("{line} --staff maker --secret-file maker"))["proposal"].clone();
        self.done(&format!("treasury approve {proposal} --staff checker --secret-file checker"))
    }

    pub fn serve(&self) -> Server {
        let mut child = self.command("serve").stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        while !seen.contains("\"serving\"") {
            let before = seen.len();
            let read = log.read_line(&mut seen).unwrap();
            assert!(read > 0, "the server ended: {seen}");
            assert!(!seen[before..].contains("\"ERROR\""), "{seen}");
        }
        // Read on, or a full pipe would stop the server.
        let reading = std::thread::spawn(move || {
            let mut rest = String::new();
            let _ = std::io::Read::read_to_string(&mut log, &mut rest);
            rest
        });
        Server { child, reading: Some(reading) }
    }
}

pub struct Server {
    child: Child,
    reading: Option<std::thread::JoinHandle<String>>,
}

impl Server {
    /// Asks it to end, as a service manager does; what it logged meanwhile.
    pub fn end(mut self) -> String {
        let stopped = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(stopped.success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "a clean end");
        self.reading.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
