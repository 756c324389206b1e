//! `wakala handset`: the terminal phone, plain or with a card.

use std::path::PathBuf;
use std::time::Duration;

use handset::Number;
use handset::net::RadioClient;
use handset::phone::{Card, FileCounters, Phone};
use handset::terminal::{self, TerminalOptions};

use super::arguments::Handset;
use super::exit::{Exit, Failure};
use crate::config::Config;
use crate::keyring::Keyring;

/// Runs it until its input ends.
///
/// # Errors
/// [`Failure`].
pub fn run(config: &Config, options: &Handset) -> Result<(), Failure> {
    let usage = |error: handset::InvalidNumber| Failure::new(Exit::Usage, format!("--number: {error}"));
    let number = Number::try_from(options.number.as_str()).map_err(usage)?;
    let phone = Phone::new(number, options.iccid.as_deref().map(|iccid| card(config, options, iccid)).transpose()?);
    let told = TerminalOptions {
        short_code: options.short_code.clone().unwrap_or_else(|| config.messages.short_code.clone()),
        show_wire: options.show_wire,
        linger: Duration::from_secs(options.linger),
        ..TerminalOptions::default()
    };
    let lost = |error: std::io::Error| Failure::new(Exit::Unreachable, format!("{}: {error}", options.centre));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(lost)?;
    let called = async {
        let radio = RadioClient::attach(options.centre.as_str(), number).await?;
        terminal::run(radio, phone, told).await
    };
    runtime.block_on(called).map_err(lost)
}

fn card(config: &Config, options: &Handset, iccid: &str) -> Result<Card, Failure> {
    let sound = (18..=20).contains(&iccid.len()) && iccid.bytes().all(|octet| octet.is_ascii_digit());
    if !sound {
        return Err(Failure::new(Exit::Usage, "--iccid: a card's serial has 18 to 20 digits"));
    }
    crate::process::harden().map_err(|error| Failure::new(Exit::Refused, error.to_string()))?;
    let keys = Keyring::open(&config.keys)?;
    let file = options.counter_file.clone().unwrap_or_else(|| PathBuf::from(format!("{iccid}.counter")));
    let counters = FileCounters::open(&file)
        .map_err(|error| Failure::new(Exit::Configuration, format!("{}: {error}", file.display())))?;
    Ok(Card::new(&keys.keys().personalise_card(iccid), Box::new(counters)))
}
