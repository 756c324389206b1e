//! Proofs as others check them: a witness's statements against a log, a statement of the trust account against the public key.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use data_center::Location;
use encryption::VerifyingKey;
use serde_json::{Value, json};
use transaction_processing::request::Kind;

use super::arguments::{By, Ledger, TrustAccount};
use super::exit::{Exit, Failure};
use super::{Outcome, as_staff, offline, plain};
use crate::administration::database;
use crate::administration::protocol::{Command as Asked, Measure};
use crate::administration::shapes;
use crate::config::Config;
use crate::keyring::Keyring;
use crate::proof::head::{Compared, Log, Testimony};
use crate::proof::statement::{Side, Statement};
use crate::proof::{hex, public_keys, read_link, written};

/// How many rows are asked for at once.
const AT_ONCE: usize = 1000;

/// Puts one question to the log.
type Ask<'a> = &'a dyn Fn(&str) -> Result<Value, Failure>;

/// `wakala ledger verify`: the log by itself, and then against what a witness has of it.
///
/// # Errors
/// [`Failure`].
pub fn verify(config: &dyn Fn() -> Result<Config, Failure>, typed: Ledger) -> Result<Value, Failure> {
    let Ledger::Verify { database, month, witness, public_key } = typed else {
        return Err(Failure::new(Exit::Usage, "nothing to verify"));
    };
    // Read before the log is: it can only be longer by then.
    let testimony = (!witness.is_empty()).then(|| heard(config, &witness, &public_key)).transpose()?;
    let location = database.map(Location::File);
    let mut verified = match (&location, month) {
        (Some(Location::File(file)), _) => {
            offline(file, |listener| database::verify(&Location::File(file.clone()), listener))?
        }
        (_, Some(month)) => plain(&config()?, Asked::VerifyMonth { month })?,
        _ => plain(&config()?, Asked::Verify)?,
    };
    if let Some(testimony) = testimony {
        confront(&mut verified, testimony, &|question| match &location {
            Some(location) => database::sql(location, question).map_err(Failure::from),
            None => plain(&config()?, Asked::Sql { query: question.to_owned() }),
        })?;
    }
    Ok(verified)
}

/// `wakala ledger witness`: what a witness has, by itself.
///
/// # Errors
/// [`Failure`].
pub fn witness(files: &[PathBuf], public_key: &[PathBuf]) -> Result<Value, Failure> {
    let nobody = || Err(Failure::new(Exit::Usage, "--public-key: whose statements are they?"));
    let testimony = heard(&nobody, files, public_key)?;
    let mut told = json!({ "findings": [] });
    add(&mut told, &testimony);
    Ok(told)
}

/// Reads what a witness has. Without files of public keys those of the configuration are taken.
fn heard(
    config: &dyn Fn() -> Result<Config, Failure>,
    files: &[PathBuf],
    public_key: &[PathBuf],
) -> Result<Testimony, Failure> {
    let keys = if public_key.is_empty() {
        let keys = Keyring::open(&config()?.keys)?.keys().verifying_keys();
        keys.into_iter().map(|(_, key)| key).collect()
    } else {
        keys_in(public_key)?
    };
    let mut testimony = Testimony::default();
    for file in files {
        testimony.take(&file.display().to_string(), &read(file)?, &keys);
    }
    Ok(testimony)
}

fn keys_in(files: &[PathBuf]) -> Result<Vec<VerifyingKey>, Failure> {
    let mut keys = Vec::new();
    for file in files {
        let found = public_keys(&read(file)?);
        if found.is_empty() {
            return Err(Failure::new(Exit::Usage, format!("{}: there is no public key in it", file.display())));
        }
        keys.extend(found);
    }
    Ok(keys)
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", file.display())))
}

/// Compares a log that was verified with what a witness has of it.
fn confront(verified: &mut Value, mut testimony: Testimony, ask: Ask<'_>) -> Result<(), Failure> {
    let figure = |name: &str| verified[name].as_u64().unwrap_or(0);
    let mut log = Log { sealed: figure("sealed_up_to_row"), last: figure("last_row"), epochs: Vec::new() };
    let rows: Vec<u64> = testimony.heads.iter().map(|head| head.row).collect();
    let links = links(&rows, log.sealed, ask)?;
    let link_of = |row| links.get(&row).copied();
    let before = testimony.findings.len();
    let mut compared = testimony.compare(&log, &link_of);
    if testimony.findings.len() > before {
        // Why? The whole log is looked through for this, and only now.
        let opened = format!("SELECT sequence FROM log WHERE request = {} ORDER BY sequence", Kind::OpenEpoch as u8);
        log.epochs = cells(&ask(&opened)?).filter_map(|row| row.first()?.as_u64()).collect();
        testimony.findings.truncate(before);
        compared = testimony.compare(&log, &link_of);
    }
    let Compared { same, taken_out } = compared;
    verified["witnessed"] = same.into();
    verified["witnessed_in_months_taken_out"] = taken_out.into();
    add(verified, &testimony);
    Ok(())
}

/// The links that the log has at these rows.
fn links(rows: &[u64], sealed: u64, ask: Ask<'_>) -> Result<BTreeMap<u64, [u8; 32]>, Failure> {
    let mut questions: Vec<String> = rows
        .chunks(AT_ONCE)
        .map(|some| {
            let some: Vec<String> = some.iter().map(u64::to_string).collect();
            format!("SELECT sequence, chain FROM log WHERE sequence IN ({})", some.join(", "))
        })
        .collect();
    if sealed > 0 {
        questions.push("SELECT last, link FROM seals".to_owned());
    }
    let mut links = BTreeMap::new();
    for question in questions {
        let answer = ask(&question)?;
        let link = |row: &Vec<Value>| Some((row.first()?.as_u64()?, read_link(row.get(1)?.as_str()?)?));
        links.extend(cells(&answer).filter_map(link));
    }
    Ok(links)
}

fn cells(answer: &Value) -> impl Iterator<Item = &Vec<Value>> {
    answer["rows"].as_array().into_iter().flatten().filter_map(Value::as_array)
}

/// Adds what a witness's statements say to an answer.
fn add(told: &mut Value, testimony: &Testimony) {
    told["statements"] = testimony.heads.len().into();
    let last = testimony.heads.iter().max_by_key(|head| (head.at, head.row));
    told["last_witnessed_row"] = last.map_or(Value::Null, |head| head.row.into());
    told["last_witnessed_at"] = last.map_or(Value::Null, |head| written(head.at).into());
    let mut findings: Vec<Value> =
        testimony.findings.iter().map(|found| json!({ "row": found.row, "what": found.what })).collect();
    if testimony.heads.is_empty() {
        findings.push(json!({ "row": null, "what": "the witness has no statement that a public key signed" }));
    }
    let count = findings.len() as u64 + told["found"].as_u64().unwrap_or(0);
    if let Some(all) = told["findings"].as_array_mut() {
        all.extend(findings);
    }
    told["found"] = count.into();
    told["sound"] = (count == 0).into();
}

/// `wakala ledger head`: a line for whoever keeps it.
///
/// # Errors
/// [`Failure`].
pub(super) fn head(config: &Config, as_json: bool) -> Result<Outcome, Failure> {
    let told = plain(config, Asked::Head)?;
    match told["statement"].as_str() {
        Some(line) if !as_json => Ok(Outcome::Text(format!("{line}\n"))),
        _ => Ok(Outcome::Told(told)),
    }
}

/// `wakala trust-account` and what belongs to it.
///
/// # Errors
/// [`Failure`].
pub(super) fn trust_account(
    config: &dyn Fn() -> Result<Config, Failure>,
    by: &By,
    typed: Option<TrustAccount>,
) -> Result<Outcome, Failure> {
    let told = match typed {
        None => plain(&config()?, Asked::TrustAccount)?,
        Some(TrustAccount::Confirm { amount, as_of, statement, includes }) => {
            let balance = (&amount).into();
            let measure = Measure::ConfirmBank { balance, as_of, statement, includes };
            as_staff(&config()?, by, Asked::Propose(measure))?
        }
        Some(TrustAccount::Statement { out }) => return statement(&config()?, out.as_deref()),
        Some(TrustAccount::Check { file, public_key }) => {
            let checked = Statement::check(&read(&file)?, &keys_in(&public_key)?);
            shown(&checked.map_err(|untrue| Failure::new(Exit::Refused, format!("{}: {untrue}", file.display())))?)
        }
    };
    Ok(Outcome::Told(told))
}

fn statement(config: &Config, out: Option<&Path>) -> Result<Outcome, Failure> {
    let mut told = plain(config, Asked::TrustStatement)?;
    let text = told["statement"].as_str().unwrap_or_default().to_owned();
    let Some(out) = out else { return Ok(Outcome::Text(text)) };
    let failed = |error: std::io::Error| Failure::new(Exit::Usage, format!("{}: {error}", out.display()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(out).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    told["statement"] = out.display().to_string().into();
    Ok(Outcome::Told(told))
}

/// What a statement says that was checked.
fn shown(statement: &Statement) -> Value {
    let side = |side: &Side| {
        let amount = |minor| shapes::decimal(minor, side.minor_digits);
        let bank = side.bank.as_ref();
        json!({
            "currency": side.currency, "electronic_money": amount(side.money),
            "at_the_bank": bank.map(|bank| amount(bank.now)), "difference": bank.map(|bank| amount(bank.difference)),
            "bank_statement": bank.map(|bank| bank.statement.as_str()),
            "as_of": bank.map(|bank| written(bank.as_of)),
        })
    };
    json!({
        "signed": true, "adds_up": true, "made_at": written(statement.made_at),
        "log_row": statement.head.0, "log_head": hex(&statement.head.1), "key_version": statement.key,
        "currencies": statement.sides.iter().map(side).collect::<Vec<Value>>(),
    })
}
