//! The command line: `wakala` and its commands. Commands about the running platform talk to its server over the local socket
//! and never open its database beside it.

mod arguments;
mod client;
mod exit;
mod handset;
mod keys;
mod proofs;
mod requests;
mod secrets;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod version;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use data_center::Location;
use serde_json::{Value, json};

use crate::administration::protocol::{Command as Asked, Request};
use crate::administration::{database, protocol};
use crate::config::{Config, Shown, Sources};
use arguments::{By, Cli, Command, Global};
use exit::{Exit, Failure};

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let result = carry_out(&global, command);
    let exit = match result {
        Ok(Outcome::Silent) => Exit::Done,
        Ok(Outcome::Told(value)) => {
            let text = if global.json { format!("{value}\n") } else { table::render(&value) };
            print(&text);
            if has_finding(&value) { Exit::Refused } else { Exit::Done }
        }
        Ok(Outcome::Text(text)) => {
            print(&text);
            Exit::Done
        }
        Err(failure) => {
            if global.json {
                eprintln!("{}", failure.json());
            } else {
                eprintln!("wakala: {failure}");
            }
            failure.exit
        }
    };
    ExitCode::from(exit as u8)
}

/// A reader that has gone (`| head`) is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// What a command has to say.
enum Outcome {
    /// Nothing more.
    Silent,
    /// An answer, as a table or as JSON.
    Told(Value),
    /// Text as it is.
    Text(String),
}

/// Whether a check found something.
fn has_finding(value: &Value) -> bool {
    let findings = value.get("findings").and_then(Value::as_array).is_some_and(|findings| !findings.is_empty());
    findings || value.get("balanced") == Some(&Value::Bool(false))
}

fn carry_out(global: &Global, command: Command) -> Result<Outcome, Failure> {
    let sources = Sources::of_process(global.config.clone(), global.set.clone());
    let config = || Config::load(&sources).map_err(Failure::from);
    let told = Outcome::Told;
    match command {
        Command::Serve => serve(config()?).map(|()| Outcome::Silent),
        Command::Demo(options) => demo(global, options).map(|()| Outcome::Silent),
        Command::Handset(options) => handset::run(&config()?, &options).map(|()| Outcome::Silent),
        Command::Keys(arguments::Keys::Public) if !global.json => keys::public_pem(&config()?).map(Outcome::Text),
        Command::Keys(command) => keys::run(&config()?, &command).map(told),
        Command::Staff { by, command } => requests::staff(&config()?, &by, command).map(told),
        Command::Treasury { by, command } => treasury(global, &config()?, &by, command).map(told),
        Command::Agent { by, command } => as_staff(&config()?, &by, requests::agent(command)).map(told),
        Command::Customer { by, command } => as_staff(&config()?, &by, requests::customer(command)).map(told),
        Command::Transfer { by, command } => as_staff(&config()?, &by, requests::transfer(command)).map(told),
        Command::TrustAccount { by, command } => proofs::trust_account(&config, &by, command),
        Command::Ledger(verify @ arguments::Ledger::Verify { .. }) => proofs::verify(&config, verify).map(told),
        Command::Ledger(arguments::Ledger::Witness { files, public_key }) => {
            proofs::witness(&files, &public_key).map(told)
        }
        Command::Ledger(arguments::Ledger::Head) => proofs::head(&config()?, global.json),
        Command::Ledger(arguments::Ledger::Detach { month }) => plain(&config()?, Asked::Detach { month }).map(told),
        Command::Ledger(arguments::Ledger::TrialBalance) => plain(&config()?, Asked::TrialBalance).map(told),
        Command::Sql { query } => plain(&config()?, Asked::Sql { query }).map(told),
        Command::Backup { file } => plain(&config()?, Asked::Backup { file: absolute(&file)? }).map(told),
        Command::Restore { file } => restore(&config()?, &file).map(told),
        Command::Migrate(arguments::Migrate::SqliteToPostgres { from }) => migrate(&config()?, from).map(told),
        Command::Check { database: Some(file) } => {
            offline(&file, |_| database::check(&Location::File(file.clone()))).map(told)
        }
        Command::Check { database: None } => plain(&config()?, Asked::Check).map(told),
        Command::Cluster(arguments::Cluster::Status) => plain(&config()?, Asked::Cluster).map(told),
        Command::Cluster(arguments::Cluster::Certificates { authority, folder, hosts }) => {
            certificates(&folder, &hosts, authority.as_deref()).map(told)
        }
        Command::Config(arguments::Config::Check) => {
            Config::check(&sources)?;
            Ok(told(json!({ "configuration": "is right" })))
        }
        Command::Config(arguments::Config::Show) => {
            let shown = Shown::load(&sources)?;
            Ok(if global.json { told(shown.json()) } else { Outcome::Text(shown.text()) })
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "wakala", &mut script);
            Ok(Outcome::Text(String::from_utf8_lossy(&script).into_owned()))
        }
        Command::Version => {
            let server = config().ok().and_then(|config| plain(&config, Asked::Version).ok());
            Ok(told(json!({ "program": version::json(), "server": server })))
        }
    }
}

/// Asks what needs nobody's proof.
fn plain(config: &Config, command: Asked) -> Result<Value, Failure> {
    client::ask(&config.administration.socket, &Request::plain(command))
}

/// Asks as a member of staff.
fn as_staff(config: &Config, by: &By, command: Asked) -> Result<Value, Failure> {
    let staff = Some(secrets::credentials(by.staff.as_deref(), by.secret_file.as_deref())?);
    client::ask(&config.administration.socket, &Request { staff, new_secret: None, command })
}

/// Approval shows first what is approved; the rest goes as it is.
fn treasury(global: &Global, config: &Config, by: &By, command: arguments::Treasury) -> Result<Value, Failure> {
    let arguments::Treasury::Approve { proposal, yes } = command else {
        let command = requests::treasury(command);
        return if command.needs_staff() { as_staff(config, by, command) } else { plain(config, command) };
    };
    let mut staff = Some(secrets::credentials(by.staff.as_deref(), by.secret_file.as_deref())?);
    // Scripts say what they want; people are shown it. What a proposal says never changes.
    if !yes && std::io::stdin().is_terminal() {
        let look = Request { staff, new_secret: None, command: Asked::Proposal { proposal } };
        let shown = client::ask(&config.administration.socket, &look)?;
        staff = look.staff;
        eprint!("{}", if global.json { format!("{shown}\n") } else { table::render(&shown) });
        if !secrets::confirmed("Approve it?") {
            return Err(Failure::new(Exit::Refused, "not approved: nothing was done"));
        }
    }
    let command = Asked::Approve { proposal };
    client::ask(&config.administration.socket, &Request { staff, new_secret: None, command })
}

/// Work on a database that no server uses, with a bar for whoever watches.
fn offline(
    file: &Path,
    work: impl FnOnce(crate::administration::Listener<'_>) -> Result<Value, protocol::Fault>,
) -> Result<Value, Failure> {
    if !file.exists() {
        return Err(Failure::new(Exit::Usage, format!("{}: there is no such file", file.display())));
    }
    let bar = client::Bar::new();
    work(&mut |progress| bar.show(progress)).map_err(Failure::from)
}

fn restore(config: &Config, file: &Path) -> Result<Value, Failure> {
    if config.postgres.address.is_some() {
        let message = "the books are on a PostgreSQL server, which is restored with the means of its own backups";
        return Err(Failure::new(Exit::Refused, message));
    }
    if client::answers(&config.administration.socket) {
        let message = "the server is running: stop it first, for example with systemctl stop wakala";
        return Err(Failure::new(Exit::Refused, message));
    }
    offline(file, |listener| database::restore(file, &config.ledger.database, listener))
}

/// Moves the file that held the books to the server that the configuration names.
fn migrate(config: &Config, from: Option<PathBuf>) -> Result<Value, Failure> {
    let wrong = |message: String| Failure::new(Exit::Configuration, message);
    let Location::Server(to) = crate::books::location(config).map_err(|failure| wrong(failure.to_string()))? else {
        return Err(wrong("postgres.address is not set: it says where the books are to move".to_owned()));
    };
    let from = from.unwrap_or_else(|| config.ledger.database.clone());
    offline(&from, |listener| database::import(&from, &to, listener))
}

/// Makes certificates of processes, and says where each file belongs.
fn certificates(folder: &Path, hosts: &[String], authority: Option<&Path>) -> Result<Value, Failure> {
    let refused = |why: String| Failure::new(Exit::Refused, why);
    // The key of an authority must not be left in the image of a process that failed.
    crate::process::harden().map_err(|error| refused(error.to_string()))?;
    let files =
        crate::cluster::certificates::make(folder, hosts, authority).map_err(|error| refused(error.to_string()))?;
    let files: Vec<_> = files.iter().map(|file| json!({ "file": file })).collect();
    let mut next = "bring each host its own two files and authority.pem".to_owned();
    if authority.is_none() {
        next.push_str("; put authority.key away, where no host is: whoever has it can join the cluster");
    }
    Ok(json!({ "files": files, "next": next }))
}

/// The server has another working directory than the one who types.
fn absolute(file: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(file).map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", file.display())))
}

/// Runs the demonstration in this process. It takes no configuration: it makes its own.
fn demo(global: &Global, options: crate::demo::Options) -> Result<(), Failure> {
    let options = crate::demo::Options { json: global.json, ..options };
    crate::demo::run(&options).map_err(|failure| Failure::new(Exit::Refused, failure.to_string()))
}

/// Runs the platform in this process.
fn serve(config: Config) -> Result<(), Failure> {
    use crate::{platform, serve};
    serve::run(config).map_err(|failure| {
        let exit = match &failure {
            serve::Failure::Platform(platform::Failure::Keys(failure)) => Exit::from(failure),
            serve::Failure::Platform(platform::Failure::File { .. } | platform::Failure::Configuration(_))
            | serve::Failure::Socket(_)
            | serve::Failure::Port { .. } => Exit::Configuration,
            serve::Failure::Platform(_) | serve::Failure::System(_) | serve::Failure::Stopped(_) => Exit::Refused,
        };
        Failure::new(exit, failure.to_string())
    })
}
