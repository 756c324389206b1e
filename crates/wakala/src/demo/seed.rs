//! Fills the platform by its one road: staff make and check, money is issued against the trust account, agents get float, people
//! register from their phones, and cash-in gives them balances. Nothing is written past the rules.

use serde_json::Value;

use super::Failure;
use super::cast::{AGENT, CAST, CHECKER, FIRST, ICCID, MAKER, OTHER_AGENT, Role, SEALED, SECOND, Who};
use super::log::Event;
use super::read::digits_after;
use super::stage::Stage;
use crate::administration::protocol::{Command, Measure, Sum};

/// What the bank confirmed, whole currency.
const DEPOSIT: &str = "20000000";

/// Fills it, and leaves nothing unheard.
///
/// # Errors
/// [`Failure`]: something was not answered as it should be.
pub async fn fill(stage: &Stage) -> Result<(), Failure> {
    stage.log.tell(Event::Chapter("Setting up: staff, trust account, agents, customers".to_owned()));
    stage.house.enrol(MAKER).await?;
    stage.house.enrol(CHECKER).await?;
    note(
        stage,
        "Two members of staff are enrolled. Whatever changes the books takes both: one makes, the other checks.",
    );
    decide(stage, Measure::Issue { amount: sum(DEPOSIT), bank_reference: "DEMO-0001".to_owned() }).await?;
    note(stage, "TZS 20,000,000.00 are issued against the trust account.");
    for who in [AGENT, OTHER_AGENT] {
        enrol_agent(stage, who).await?;
    }
    for who in [FIRST, SECOND, SEALED] {
        register(stage, who).await?;
    }
    cash_in(stage, AGENT, FIRST, "150000", "150,000.00").await?;
    cash_in(stage, AGENT, SECOND, "40000", "40,000.00").await?;
    cash_in(stage, OTHER_AGENT, SEALED, "80000", "80,000.00").await?;
    bind_card(stage).await?;
    stage.tell_accounts().await?;
    match stage.unheard().first() {
        None => Ok(()),
        Some((who, text)) => Err(Failure::Unexpected { who: CAST[*who].name, text: text.clone() }),
    }
}

fn note(stage: &Stage, text: &str) {
    stage.log.tell(Event::Note(text.to_owned()));
}

fn sum(amount: &str) -> Sum {
    Sum { amount: amount.to_owned(), currency: None }
}

/// Proposed by the maker, approved by the checker.
async fn decide(stage: &Stage, measure: Measure) -> Result<(), Failure> {
    let proposed = stage.house.command(Some(MAKER), Command::Propose(measure)).await?;
    let proposal = proposed.get("proposal").and_then(Value::as_u64);
    let proposal = proposal.ok_or_else(|| Failure::Office("the proposal has no number".to_owned()))?;
    stage.house.command(Some(CHECKER), Command::Approve { proposal }).await?;
    Ok(())
}

/// An agent gets a one-time PIN on the phone, changes it, and gets float.
async fn enrol_agent(stage: &Stage, who: Who) -> Result<(), Failure> {
    let character = &CAST[who];
    let Role::Agent(code) = character.role else { return Ok(()) };
    let (number, name) = (character.number.to_owned(), character.name.to_owned());
    decide(stage, Measure::EnrolAgent { code, number, name, own_numbers: Vec::new() }).await?;
    stage.hear(who, &["You are agent", &code.to_string()]).await?;
    let told = stage.hear(who, &["One-time PIN"]).await?;
    let once = digits_after(&told, "One-time PIN ")?;
    stage.send(who, &format!("PN*{once}*{}", character.pin)).await?;
    stage.hear(who, &["PIN has been changed"]).await?;
    decide(stage, Measure::SupplyFloat { agent: code, amount: sum("2000000") }).await?;
    stage.hear(who, &["2,000,000.00 float added"]).await?;
    Ok(())
}

/// A phone registers, and answers by itself with the code that was sent to it.
pub async fn register(stage: &Stage, who: Who) -> Result<(), Failure> {
    let character = &CAST[who];
    stage.send(who, &format!("RG*{}*{}", character.pin, character.name)).await?;
    let told = stage.hear(who, &["Only if you did, send RG*"]).await?;
    let code = digits_after(&told, "Code ")?;
    stage.send(who, &format!("RG*{code}")).await?;
    stage.hear(who, &["Your account is open"]).await?;
    Ok(())
}

async fn cash_in(stage: &Stage, agent: Who, customer: Who, amount: &str, written: &str) -> Result<(), Failure> {
    let (agent_pin, number) = (CAST[agent].pin, CAST[customer].number);
    stage.send(agent, &format!("CI*{number}*{amount}*{agent_pin}")).await?;
    stage.hear(agent, &[written, "taken in"]).await?;
    stage.hear(customer, &[written, "put in at agent"]).await?;
    Ok(())
}

/// From now on this phone is served sealed only.
async fn bind_card(stage: &Stage) -> Result<(), Failure> {
    stage.insert_card(SEALED);
    let number = CAST[SEALED].number.to_owned();
    decide(stage, Measure::BindCard { number, iccid: ICCID.to_owned() }).await?;
    stage.hear(SEALED, &["Your SIM card is ready"]).await?;
    Ok(())
}
