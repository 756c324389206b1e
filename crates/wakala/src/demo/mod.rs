//! `wakala demo`: the whole platform on one machine, with phones to play on.
//!
//! A message centre speaks real SMPP on loopback, the platform keeps its books in a fresh folder, and a page shows the phones.
//! Money, agents and customers come to be as they would anywhere: by staff, PINs and messages. `--story` lets the founding flow
//! run by itself and checks every answer.

mod accounts;
mod cast;
mod house;
mod log;
mod page;
mod print;
mod proof;
mod read;
mod seed;
mod stage;
mod story;
mod tap;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use cast::{CAST, Role, SHORT_CODE};
use house::House;
use log::{Event, Log};
use stage::Stage;

/// Where the page is if that is free.
const PAGE_PORT: u16 = 8315;

/// What may be chosen.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// Run the whole flow without a person, check every answer, and end
    #[arg(long)]
    pub story: bool,
    /// The port of the page; a free one is taken if it is in use [default: 8315]
    #[arg(long, value_name = "PORT", conflicts_with = "story")]
    pub port: Option<u16>,
    /// Keep database, keys and configuration in this folder, which must be new or empty
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Keep the books in this PostgreSQL database, which must be empty: postgres://user@host/database
    #[arg(long, value_name = "ADDRESS")]
    pub server: Option<String>,
    /// Print one JSON object a line
    #[arg(skip)]
    pub json: bool,
}

/// Why the demonstration did not start, or what in it was not as expected.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The system.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
    /// The folder to keep is in use.
    #[error("{} is not empty: name a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// The platform.
    #[error(transparent)]
    Platform(#[from] crate::platform::Failure),
    /// Its configuration.
    #[error("{0}")]
    Configuration(String),
    /// The message centre could not be set up.
    #[error("the message centre: {0}")]
    Centre(String),
    /// The message centre has stopped.
    #[error(transparent)]
    CentreStopped(#[from] handset::net::Stopped),
    /// Staff were not obeyed.
    #[error("staff: {0}")]
    Office(String),
    /// The platform has stopped.
    #[error("the platform has stopped")]
    Stopped,
    /// A message was not sent.
    #[error("not sent: {0}")]
    Sending(String),
    /// A message did not come.
    #[error("{who} waited for a message with \"{words}\"; instead came: {}", if instead.is_empty() { "nothing".to_owned() } else { instead.join(" | ") })]
    NotHeard {
        /// Who waited.
        who: &'static str,
        /// For which words.
        words: String,
        /// What came.
        instead: Vec<String>,
    },
    /// The platform did not acknowledge what was delivered to it.
    #[error("the platform did not acknowledge every message")]
    NotAcknowledged,
    /// A message came that should not.
    #[error("{who} was told what nobody expected: {text}")]
    Unexpected {
        /// Who.
        who: &'static str,
        /// What.
        text: String,
    },
    /// A message does not say what it should.
    #[error("nothing follows \"{0}\" in: {1}")]
    Unreadable(String, String),
    /// An account changed otherwise than it should.
    #[error("the account of {who} changed by {by} minor units; {expected} were expected")]
    Changed {
        /// Whose.
        who: &'static str,
        /// By so much.
        by: i64,
        /// Instead of so much.
        expected: i64,
    },
    /// A phone was told another balance than the books hold.
    #[error("{who} was told the balance {told}, which is not what the books hold")]
    Balance {
        /// Who.
        who: &'static str,
        /// What they were told.
        told: String,
    },
    /// The accounts do not come to nothing.
    #[error("what all accounts hold does not come to nothing")]
    NotBalanced,
    /// Somebody ended the story before its end.
    #[error("interrupted")]
    Interrupted,
    /// The ledger's proof failed.
    #[error("the ledger's proof failed")]
    NotProven,
}

/// Runs it: with a page until SIGINT or SIGTERM, or the story to its end.
///
/// # Errors
/// [`Failure`].
pub fn run(options: &Options) -> Result<(), Failure> {
    crate::process::harden()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async { if options.story { run_story(options).await } else { run_page(options).await } })
}

async fn run_story(options: &Options) -> Result<(), Failure> {
    let log = Arc::new(Log::default());
    let printing = tokio::spawn(print::follow(Arc::clone(&log), options.json));
    let result = play(options, &log).await;
    log.tell(Event::End);
    let _ = printing.await;
    result
}

async fn play(options: &Options, log: &Arc<Log>) -> Result<(), Failure> {
    let house = House::build(options.keep.as_deref(), options.server.as_deref(), log).await?;
    let stage = Stage::set(house, Arc::clone(log)).await?;
    let told = async {
        seed::fill(&stage).await?;
        story::tell(&stage).await
    };
    let interrupted = interrupted()?;
    let result = tokio::select! {
        result = told => result,
        () = interrupted => Err(Failure::Interrupted),
    };
    let closed = stage.clear().await;
    result.and(closed)
}

async fn run_page(options: &Options) -> Result<(), Failure> {
    let mut interrupted = std::pin::pin!(interrupted()?);
    let log = Arc::new(Log::default());
    let listener = page::Listener::open(options.port.unwrap_or(PAGE_PORT)).await?;
    let house = House::build(options.keep.as_deref(), options.server.as_deref(), &log).await?;
    let stage = Arc::new(Stage::set(house, Arc::clone(&log)).await?);
    let filled = tokio::select! {
        filled = seed::fill(&stage) => filled.map(|()| true),
        () = &mut interrupted => Ok(false),
    };
    let result = match filled {
        Ok(true) => {
            introduce(&listener, stage.house.centre.radio_address(), options.json)?;
            page::serve(listener, Arc::clone(&stage), interrupted).await
        }
        Ok(false) => Ok(()),
        Err(failure) => Err(failure),
    };
    // Something that a page asked for may still hold the stage; then the process ends without waiting for it.
    if let Some(stage) = Arc::into_inner(stage) {
        stage.clear().await?;
    }
    result
}

/// Ends at SIGINT or SIGTERM.
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Says where the page is, who is who, and what to type first.
fn introduce(listener: &page::Listener, radio: Option<SocketAddr>, json: bool) -> io::Result<()> {
    let address = listener.address();
    let mut out = io::stdout().lock();
    if json {
        let people: Vec<_> = CAST
            .iter()
            .map(|one| json!({ "name": one.name, "number": one.number, "role": one.role_name(), "pin": one.pin }))
            .collect();
        let radio = radio.map(|radio| radio.to_string());
        let ready = json!({
            "event": "ready", "page": address, "replaced_port": listener.replaced(), "short_code": SHORT_CODE,
            "centre": radio, "phones": people,
        });
        writeln!(out, "{ready}")?;
        return out.flush();
    }
    if let Some(port) = listener.replaced() {
        writeln!(out, "Port {port} is in use; a free one is taken instead.")?;
    }
    writeln!(out, "The phones are at {address}\n")?;
    for one in CAST {
        let pin = if one.role == Role::Stranger { "-" } else { one.pin };
        writeln!(out, "  {:<11} {}  PIN {pin:<5} {}", one.name, one.number, one.role_name())?;
    }
    let (first, newcomer) = (&CAST[cast::FIRST], &CAST[cast::NEWCOMER]);
    writeln!(out, "\nAll write to {SHORT_CODE}. Type this on the phone of {} first:\n", first.name)?;
    writeln!(out, "  TM*{}*5000*{}\n", newcomer.number, first.pin)?;
    writeln!(out, "{} gets a password, asks with it at agent 1042, and the agent pays out.", newcomer.name)?;
    if let Some(radio) = radio {
        writeln!(out, "One more phone: wakala handset --centre {radio} --number +255622000007")?;
    }
    writeln!(out, "These numbers, PINs and all money are made up. Ctrl-C ends it.")?;
    out.flush()
}
