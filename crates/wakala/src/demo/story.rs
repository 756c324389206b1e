//! The founding flow without a person: every chapter sends what people would type and fails where an answer, an account or the
//! ledger's proof is not as it must be.

use handset::centre::{Disturbance, Faults};

use super::Failure;
use super::accounts::balanced;
use super::cast::{AGENT, CAST, FIRST, NEWCOMER, SEALED, SECOND, Who};
use super::log::{Event, Holding};
use super::read::{balance, digits_after, reference};
use super::seed::register;
use super::stage::Stage;

/// Tells the whole of it.
///
/// # Errors
/// [`Failure`]: the first thing that was not as expected.
pub async fn tell(stage: &Stage) -> Result<(), Failure> {
    let before = stage.accounts().await?;
    let genuine = to_somebody_without_an_account(stage).await?;
    to_a_registered_payee(stage).await?;
    sealed(stage).await?;
    wrong_pin(stage).await?;
    delivered_twice(stage).await?;
    recalled_while_it_waits(stage).await?;
    nobody_collects(stage).await?;
    let password = wrong_password_and_a_new_one(stage).await?;
    registered_since(stage, &password).await?;
    recalled_after_it_was_credited(stage).await?;
    cash_in_and_out(stage).await?;
    receipts(stage, &genuine).await?;
    phones_know_their_balances(stage).await?;
    compare(stage, &before).await?;
    let proof = stage.prove().await?;
    if proof.sound { Ok(()) } else { Err(Failure::NotProven) }
}

async fn to_somebody_without_an_account(stage: &Stage) -> Result<String, Failure> {
    let chapter = Chapter::begin(stage, "A transfer to somebody without an account, paid out by an agent").await?;
    let password = chapter.send_by_password("5000", "5,000.00").await?;
    let query = format!("QT*{}*{}*1042", CAST[NEWCOMER].number, password.digits);
    let told = chapter.ask(NEWCOMER, &query, &["code ", "agent 1042", "CASH TZS 4,890.00"]).await?;
    let code = digits_after(&told, "code ")?;
    let claim = format!("GM*{}*5000*{code}*{}", CAST[NEWCOMER].number, CAST[AGENT].pin);
    chapter.ask(AGENT, &claim, &["hand over CASH TZS 4,890.00 to +255784000004", "commission"]).await?;
    stage.hear(NEWCOMER, &["take CASH TZS 4,890.00", "agent 1042"]).await?;
    stage.hear(FIRST, &["has collected TZS 5,000.00"]).await?;
    // 60 and a levy of 6 on top; the payee bears 100 and a levy of 10 of the withdrawal, of which the agent earns 50.
    chapter.end(&[(FIRST, -506_600), (AGENT, 494_000)]).await?;
    Ok(password.reference)
}

async fn to_a_registered_payee(stage: &Stage) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "A transfer to a customer: credited at once").await?;
    chapter.send_to_wallet(FIRST, SECOND, "2500", "2,500.00").await?;
    chapter.end(&[(FIRST, -256_600), (SECOND, 250_000)]).await
}

async fn sealed(stage: &Stage) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "A sealed transfer; and a forged plain message from the same number").await?;
    chapter.send_to_wallet(SEALED, SECOND, "1500", "1,500.00").await?;
    let forged = format!("TM*{}*1500*{}", CAST[SECOND].number, CAST[SEALED].pin);
    stage.forge(SEALED, &forged).await?;
    stage.hear(SEALED, &["Use the menu of your SIM card"]).await?;
    chapter.end(&[(SEALED, -156_600), (SECOND, 150_000)]).await
}

async fn wrong_pin(stage: &Stage) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "A wrong PIN: nothing moves").await?;
    let transfer = format!("TM*{}*1000*{}", CAST[SECOND].number, CAST[SECOND].pin);
    chapter.ask(FIRST, &transfer, &["Not done: transfer", "Wrong PIN"]).await?;
    chapter.end(&[]).await
}

async fn delivered_twice(stage: &Stage) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "The message centre delivers a message twice: it counts once").await?;
    let twice = Disturbance { duplicate: 1.0, ..Disturbance::default() };
    let faults = Faults { to_service: twice, delay_up_to: std::time::Duration::ZERO, ..Faults::default() };
    stage.house.centre.set_faults(faults).await?;
    chapter.send_to_wallet(FIRST, SECOND, "700", "700.00").await?;
    stage.hear(FIRST, &["Same message again: it counts once only", "700.00", "*2"]).await?;
    stage.house.centre.set_faults(Faults::default()).await?;
    chapter.end(&[(FIRST, -72_200), (SECOND, 70_000)]).await
}

async fn recalled_while_it_waits(stage: &Stage) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "A recall before the money was collected: it comes back at once").await?;
    let password = chapter.send_by_password("3000", "3,000.00").await?;
    let recall = format!("RC*{}*{}", password.reference, CAST[FIRST].pin);
    chapter.ask(FIRST, &recall, &["taken back from +255784000004", "TZS 3,066.00 returned"]).await?;
    stage.hear(NEWCOMER, &["+255712000001 has taken TZS 3,000.00 back"]).await?;
    let query = format!("QT*{}*{}*1042", CAST[NEWCOMER].number, password.digits);
    chapter.ask(NEWCOMER, &query, &["Not done: query", "No money waits for this number"]).await?;
    chapter.end(&[]).await
}

async fn nobody_collects(stage: &Stage) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "Nobody collects: a reminder, and a refund after the period").await?;
    chapter.send_by_password("1200", "1,200.00").await?;
    stage.move_clock(6).await?;
    stage.hear(NEWCOMER, &["TZS 1,200.00", "waits for you until", "Collect it at an agent"]).await?;
    stage.move_clock(1).await?;
    stage.hear(FIRST, &["+255784000004 did not collect in time", "TZS 1,266.00 returned"]).await?;
    stage.hear(NEWCOMER, &["was not collected in time and has gone back"]).await?;
    chapter.end(&[]).await
}

async fn wrong_password_and_a_new_one(stage: &Stage) -> Result<String, Failure> {
    let chapter = Chapter::begin(stage, "A wrong password; and a new one, which voids the old").await?;
    let old = chapter.send_by_password("4000", "4,000.00").await?;
    let query = |password: &str| format!("QT*{}*{password}*1042", CAST[NEWCOMER].number);
    let wrong = ["Not done: query", "Wrong withdrawal password"];
    chapter.ask(NEWCOMER, &query(&altered(&old.digits)), &wrong).await?;
    let resend = format!("RS*{}*{}", old.reference, CAST[FIRST].pin);
    chapter.ask(FIRST, &resend, &["a new password for TZS 4,000.00 was sent"]).await?;
    let told = stage.hear(NEWCOMER, &["TZS 4,000.00 from +255712000001", "Password "]).await?;
    chapter.ask(NEWCOMER, &query(&old.digits), &wrong).await?;
    chapter.end(&[(FIRST, -406_600)]).await?;
    digits_after(&told, "Password ")
}

async fn registered_since(stage: &Stage, password: &str) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "The payee opens an account and puts the waiting money into it").await?;
    register(stage, NEWCOMER).await?;
    let deposit = format!("DP*{password}*{}", CAST[NEWCOMER].pin);
    chapter.ask(NEWCOMER, &deposit, &["TZS 4,000.00 put into your account"]).await?;
    stage.hear(FIRST, &["has collected TZS 4,000.00"]).await?;
    chapter.end(&[]).await
}

async fn recalled_after_it_was_credited(stage: &Stage) -> Result<(), Failure> {
    let chapter =
        Chapter::begin(stage, "A recall after the money was credited: the payee is asked, and agrees").await?;
    let sent = chapter.send_to_wallet(FIRST, SECOND, "2000", "2,000.00").await?;
    let recall = format!("RC*{sent}*{}", CAST[FIRST].pin);
    chapter.ask(FIRST, &recall, &["we asked +255713000002 to return TZS 2,000.00"]).await?;
    stage.hear(SECOND, &["asks for TZS 2,000.00 back", &format!("RA*{sent}*PIN")]).await?;
    let agree = format!("RA*{sent}*{}", CAST[SECOND].pin);
    chapter.ask(SECOND, &agree, &["TZS 2,000.00 went back from you"]).await?;
    stage.hear(FIRST, &["TZS 2,000.00 came back to you"]).await?;
    // The service was rendered: its fee and levy stay.
    chapter.end(&[(FIRST, -6_600)]).await
}

async fn cash_in_and_out(stage: &Stage) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "Cash-in and cash-out at an agent").await?;
    let (agent, customer) = (&CAST[AGENT], &CAST[SECOND]);
    let put_in = format!("CI*{}*10000*{}", customer.number, agent.pin);
    chapter.ask(AGENT, &put_in, &["CASH TZS 10,000.00 taken in from +255713000002"]).await?;
    stage.hear(SECOND, &["TZS 10,000.00 put in at agent 1042"]).await?;
    chapter.ask(SECOND, &format!("CO*1042*3000*{}", customer.pin), &["take CASH TZS 3,000.00 from agent 1042"]).await?;
    stage.hear(AGENT, &["hand over CASH TZS 3,000.00 to +255713000002"]).await?;
    // The agent earns the least of 50 on the cash-in, borne by the operator, and half of the fee of 100 on the cash-out; that
    // fee and its levy of 10 the customer bears.
    chapter.end(&[(SECOND, 1_000_000 - 311_000), (AGENT, -1_000_000 + 5_000 + 300_000 + 5_000)]).await
}

async fn receipts(stage: &Stage, genuine: &str) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "A genuine receipt and a forged one").await?;
    let told = ["Genuine receipt", "TZS 5,000.00 to +255784000004", "It is done"];
    chapter.ask(NEWCOMER, &format!("CK*{genuine}"), &told).await?;
    let forged = ["Not done: receipt check", "No transfer found with this reference"];
    chapter.ask(NEWCOMER, &format!("CK*{}", altered(genuine)), &forged).await?;
    chapter.end(&[]).await
}

async fn phones_know_their_balances(stage: &Stage) -> Result<(), Failure> {
    let chapter = Chapter::begin(stage, "What the phones are told is what the books hold").await?;
    let held = stage.accounts().await?;
    for who in [FIRST, SECOND, SEALED, NEWCOMER, AGENT] {
        let told = chapter.ask(who, &format!("BL*{}", CAST[who].pin), &["Balance"]).await?;
        let expected = held.iter().find(|holding| holding.name == CAST[who].name).map(|holding| &holding.balance);
        let heard = balance(&told).unwrap_or_default();
        if expected.is_none_or(|expected| heard.trim_start_matches("TZS ") != expected) {
            return Err(Failure::Balance { who: CAST[who].name, told: heard });
        }
    }
    chapter.end(&[]).await
}

/// The accounts before and after, side by side.
async fn compare(stage: &Stage, before: &[Holding]) -> Result<(), Failure> {
    let after = stage.accounts().await?;
    stage.log.tell(Event::Compared(before.to_vec(), after));
    Ok(())
}

/// The same digits but for the last one.
fn altered(digits: &str) -> String {
    let (rest, last) = digits.split_at(digits.len().saturating_sub(1));
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

/// What a sender and a payee know of a waiting transfer.
struct Waiting {
    reference: String,
    digits: String,
}

struct Chapter<'a> {
    stage: &'a Stage,
    before: Vec<Holding>,
}

impl<'a> Chapter<'a> {
    async fn begin(stage: &'a Stage, title: &str) -> Result<Chapter<'a>, Failure> {
        stage.log.tell(Event::Chapter(title.to_owned()));
        Ok(Chapter { stage, before: stage.accounts().await? })
    }

    /// Somebody sends a message and is answered so.
    async fn ask(&self, who: Who, text: &str, answer: &[&str]) -> Result<String, Failure> {
        self.stage.send(who, text).await?;
        self.stage.hear(who, answer).await
    }

    /// The first customer sends money to the newcomer, who has no account.
    async fn send_by_password(&self, amount: &str, written: &str) -> Result<Waiting, Failure> {
        let transfer = format!("TM*{}*{amount}*{}", CAST[NEWCOMER].number, CAST[FIRST].pin);
        let sent = self.ask(FIRST, &transfer, &[written, "for +255784000004, to collect by"]).await?;
        let told = self.stage.hear(NEWCOMER, &[written, "from +255712000001", "Password "]).await?;
        Ok(Waiting { reference: reference(&sent)?, digits: digits_after(&told, "Password ")? })
    }

    /// One customer sends money to another; the reference.
    async fn send_to_wallet(&self, from: Who, to: Who, amount: &str, written: &str) -> Result<String, Failure> {
        let transfer = format!("TM*{}*{amount}*{}", CAST[to].number, CAST[from].pin);
        let sent = self.ask(from, &transfer, &[written, "sent to", &CAST[to].international()]).await?;
        self.stage.hear(to, &["you received", written, &CAST[from].international()]).await?;
        reference(&sent)
    }

    /// Nothing was said that nobody expected, money is conserved, and wallets and floats changed by exactly so much, minor
    /// units; those that are not named not at all.
    async fn end(self, changes: &[(Who, i64)]) -> Result<(), Failure> {
        // What is said of the next message, a fault of the centre's say, must not meet the last one's acknowledgement.
        self.stage.settle().await?;
        if let Some((who, text)) = self.stage.unheard().into_iter().next() {
            return Err(Failure::Unexpected { who: CAST[who].name, text });
        }
        let after = self.stage.accounts().await?;
        if !balanced(&after) {
            return Err(Failure::NotBalanced);
        }
        let held = |holdings: &[Holding], who: Who| {
            holdings.iter().find(|holding| holding.name == CAST[who].name).map(|holding| holding.minor)
        };
        for (who, character) in CAST.iter().enumerate() {
            // Who had no account before has put in what the chapter says elsewhere.
            let (Some(before), Some(after)) = (held(&self.before, who), held(&after, who)) else { continue };
            let expected = changes.iter().find(|(changed, _)| *changed == who).map_or(0, |(_, by)| *by);
            if after - before != expected {
                return Err(Failure::Changed { who: character.name, by: after - before, expected });
            }
        }
        Ok(())
    }
}
