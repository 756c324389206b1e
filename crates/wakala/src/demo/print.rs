//! Prints what happens as it happens: lines for people, or one object a line for machines.

use std::io::{self, Write};
use std::sync::Arc;

use super::cast::{CAST, SHORT_CODE};
use super::log::{Event, Holding, Log, Proof, Said, Since, Way};

/// Prints until [`Event::End`], or until nobody reads any more.
pub async fn follow(log: Arc<Log>, json: bool) {
    let mut newest = log.watch();
    let mut printed = 0;
    loop {
        newest.borrow_and_update();
        match log.since(printed) {
            Since::Gap => {
                // Only a reader who stops the terminal for long gets here.
                let _ = writeln!(io::stderr(), "some lines could not be printed in time");
                printed = *newest.borrow();
            }
            Since::Events(events) => {
                for (number, event) in events {
                    printed = number;
                    if matches!(*event, Event::End) || print(&event, json).is_err() {
                        return;
                    }
                }
            }
        }
        if newest.changed().await.is_err() {
            return;
        }
    }
}

fn print(event: &Event, json: bool) -> io::Result<()> {
    // For the page alone: here each message stands once, and the accounts at the end.
    if matches!(event, Event::Passed(_) | Event::Accounts(_) | Event::Link(_)) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    if json {
        return writeln!(out, "{}", event.json());
    }
    match event {
        Event::Chapter(title) => writeln!(out, "\n{title}\n{}", "─".repeat(title.chars().count()))?,
        Event::Note(text) => writeln!(out, "  {text}")?,
        Event::Said(said) => print_message(&mut out, said)?,
        Event::Compared(before, after) => print_accounts(&mut out, before, after)?,
        Event::Clock(time) => writeln!(out, "  the clock is moved on: it is {time} now")?,
        Event::Proof(proof) => print_proof(&mut out, proof)?,
        Event::Passed(_) | Event::Accounts(_) | Event::Link(_) | Event::End => {}
    }
    out.flush()
}

fn print_message(out: &mut impl Write, said: &Said) -> io::Result<()> {
    let number = CAST[said.who].international();
    let line = match said.way {
        Way::ToPlatform => format!("{number} ──▶ {SHORT_CODE}"),
        Way::ToPhone => format!("{number} ◀── {SHORT_CODE}"),
    };
    let mut lines = said.text.lines();
    writeln!(out, "  {line}  {}", lines.next().unwrap_or_default())?;
    let indent = line.chars().count() + 4;
    for more in lines {
        writeln!(out, "{:indent$}{more}", "")?;
    }
    if let Some(packet) = &said.sealed {
        writeln!(out, "{:indent$}sealed on the wire: {packet}", "")?;
    }
    Ok(())
}

fn print_accounts(out: &mut impl Write, before: &[Holding], after: &[Holding]) -> io::Result<()> {
    let title = "Accounts before and after";
    writeln!(out, "\n{title}\n{}", "─".repeat(title.len()))?;
    for holding in after {
        let was = before.iter().find(|held| held.name == holding.name).map_or("-", |held| held.balance.as_str());
        let number = holding.number.unwrap_or_default();
        writeln!(out, "  {:<20} {number:<11} {was:>17} {:>17}", holding.name, holding.balance)?;
    }
    Ok(())
}

fn print_proof(out: &mut impl Write, proof: &Proof) -> io::Result<()> {
    let title = "The ledger's proof, recomputed from its rows alone";
    writeln!(out, "\n{title}\n{}", "─".repeat(title.len()))?;
    for (name, value) in &proof.found {
        writeln!(out, "  {name:<20} {value}")?;
    }
    writeln!(out, "  {}", if proof.sound { "All is as it must be." } else { "NOT SOUND." })
}
