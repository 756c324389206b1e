//! What others may check: the signed head of the log, and the trust account's two sides; and the measures that belong to
//! them.

use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Value, json};
use transaction_processing::account::Status;
use transaction_processing::bank::{BankMovement, TrustAccount, Whose};
use transaction_processing::ids::Sequence;
use transaction_processing::proposal::Measure;
use transaction_processing::time::Time;
use transaction_processing::{Books, Currency, Msisdn};

use super::measures::{bad, sound_bank_reference};
use super::protocol::{Fault, FaultCode, Sum};
use super::{Administration, database, shapes};
use crate::config::CurrencyCode;
use crate::proof::head::Head;
use crate::proof::newest;
use crate::proof::statement::{Side, Statement, whose};

/// The most movements since the bank's statement that are shown.
const MOST_LISTED: usize = 1000;
/// The most references that a bank's statement may be said to include.
const MOST_INCLUDED: usize = 100;
/// How long a statement waits for what the books know to be durable.
const LONGEST_COMMIT: Duration = Duration::from_secs(15);
const COMMIT_PAUSE: Duration = Duration::from_millis(20);

impl Administration {
    /// The last durable row, signed.
    pub(super) fn head(&self) -> Result<Value, Fault> {
        let newest = newest(&self.location, None).map_err(database::failed)?;
        let newest = newest.ok_or_else(|| Fault::new(FaultCode::NotFound, "the log has no rows yet"))?;
        let signed = Head::sign(&*self.keys, newest, self.now()?);
        Ok(json!({ "row": signed.head.row, "statement": signed.to_string() }))
    }

    /// Adds up all accounts between two decisions, tens of milliseconds for a million: what the books say all the time of their
    /// sums must be that.
    pub(super) fn add_up(&self) -> Result<(), Fault> {
        let broken = |_| {
            tracing::error!("what all accounts hold together is not what they add up to");
            Fault::new(
                FaultCode::Failed,
                "the sums of the books are not what their accounts add up to: restart the server",
            )
        };
        self.ask(Books::add_up)?.map_err(broken)
    }

    /// Both sides of the trust account, and what makes up each.
    pub(super) fn trust_account(&self) -> Result<Value, Fault> {
        let currencies = self.currencies();
        let (sides, movements) = self.ask(move |books| {
            let movements: Vec<BankMovement> =
                books.bank_movements().filter(|of| is_lacking(books, of)).cloned().collect();
            (TrustAccount::of(books, currencies), movements)
        })?;
        let balanced = sides.iter().all(|side| side.difference().is_none_or(|difference| difference == 0));
        let shown: Vec<Value> = sides.iter().map(|side| self.shown_side(side)).collect();
        let held: Vec<Value> = sides.iter().flat_map(held).collect();
        let moved = |movement: &BankMovement| {
            json!({ "reference": movement.reference, "change": shapes::balance(movement.change, movement.currency),
                "at": shapes::moment(movement.at, &self.config.ledger.zone) })
        };
        let since: Vec<Value> = movements.iter().take(MOST_LISTED).map(moved).collect();
        Ok(json!({ "balanced": balanced, "currencies": shown, "held": held, "moved_since_the_statement": since }))
    }

    fn shown_side(&self, side: &TrustAccount) -> Value {
        let zone = &self.config.ledger.zone;
        let of = |minor: i64| shapes::balance(minor, side.currency);
        let state = match side.difference() {
            None => "the bank has stated nothing yet",
            Some(0) => "agrees",
            Some(..0) => "money without cover",
            Some(_) => "more at the bank",
        };
        let said = side.confirmed.as_ref();
        Value::Object(shapes::object([
            ("currency", shapes::currency(side.currency).into()),
            ("state", state.into()),
            ("electronic_money", of(side.money())),
            ("at_the_bank", side.at_bank().map_or(Value::Null, of)),
            ("difference", side.difference().map_or(Value::Null, of)),
            ("bank_balance", said.map_or(Value::Null, |said| shapes::money(said.balance))),
            ("as_of", shapes::moment_if(said.map(|said| said.as_of), zone)),
            ("statement", said.map_or(Value::Null, |said| said.statement.as_str().into())),
            ("moved_since", said.map_or(Value::Null, |_| of(side.moved))),
            ("includes", said.map_or(Value::Null, |said| said.includes.clone().into())),
        ]))
    }

    /// The signed statement of both sides, as of a row that is durable.
    pub(super) fn trust_statement(&self) -> Result<Value, Fault> {
        self.add_up()?;
        let currencies = self.currencies();
        let (sides, next) = self.ask(move |books| (TrustAccount::of(books, currencies), books.next().0))?;
        self.wait_for(next)?;
        let head = newest(&self.location, Some(next)).map_err(database::failed)?.unwrap_or_default();
        let sides = sides.iter().map(Side::of).collect();
        Ok(json!({ "row": head.0, "statement": Statement::sign(&*self.keys, self.now()?, head, sides) }))
    }

    /// Waits until every row before this one is durable.
    fn wait_for(&self, next: u64) -> Result<(), Fault> {
        let begun = Instant::now();
        while database::next_row(&self.location)?.max(1) < next {
            if begun.elapsed() > LONGEST_COMMIT {
                return Err(Fault::new(FaultCode::Busy, "what was decided last is not durable yet: try again"));
            }
            sleep(COMMIT_PAUSE);
        }
        Ok(())
    }

    fn currencies(&self) -> Vec<Currency> {
        self.config.currencies().into_iter().map(CurrencyCode::currency).collect()
    }

    /// The time now, but never before that of the last row.
    fn now(&self) -> Result<Time, Fault> {
        let last = self.ask(|books| books.moment().time)?;
        Ok(Time(Timestamp::now().as_millisecond()).max(last))
    }

    /// What the bank says of the trust account, as typed.
    pub(super) fn bank_balance(
        &self,
        balance: &Sum,
        as_of: &str,
        statement: &str,
        includes: &[String],
    ) -> Result<Measure, Fault> {
        let balance = self.at_least(0, balance)?;
        let currency = balance.currency().numeric;
        let as_of = self.moment(as_of)?;
        let (now, before) = (self.now()?, self.ask(move |books| books.bank_balance(currency).map(|said| said.as_of))?);
        if as_of > now {
            return Err(bad("the statement's time has not come yet"));
        }
        if before.is_some_and(|before| as_of < before) {
            return Err(bad("a later statement was entered already: see wakala trust-account"));
        }
        if includes.len() > MOST_INCLUDED {
            return Err(bad(format!("at most {MOST_INCLUDED} references can be named")));
        }
        let includes = includes.iter().map(|reference| sound_bank_reference(reference)).collect::<Result<_, _>>()?;
        Ok(Measure::ConfirmBank { balance, as_of, statement: sound_bank_reference(statement)?, includes })
    }

    /// A moment as typed: with its offset, or in the ledger's zone.
    fn moment(&self, typed: &str) -> Result<Time, Fault> {
        let zone = self.config.ledger.zone.time_zone().clone();
        let local = || typed.parse::<DateTime>().ok()?.to_zoned(zone).ok().map(|zoned| zoned.timestamp());
        let moment = typed.parse::<Timestamp>().ok().or_else(local);
        let moment = moment.ok_or_else(|| bad("a moment is written as 2026-11-24T18:00, in the ledger's zone"))?;
        Ok(Time(moment.as_millisecond()))
    }

    /// Up to which row the texts of a number's owner stand, or of those alone who had it before the present one.
    pub(super) fn erasable(&self, of: Msisdn, former_owners: bool) -> Result<Sequence, Fault> {
        let (next, is_owned) = self.ask(move |books| {
            let owner = books.account_of(of).filter(|account| account.msisdn == Some(of));
            (books.next(), owner.is_some_and(|account| account.status != Status::Closed))
        })?;
        let all = Sequence(next.0.saturating_sub(1));
        let up_to = match database::last_named(&self.location, of)? {
            Some(named) if former_owners && is_owned => Sequence(named.0.saturating_sub(1)),
            _ => all,
        };
        if database::personal_texts(&self.location, of, up_to)? == 0 {
            return Err(Fault::new(FaultCode::NotFound, "nothing personal stands under this number"));
        }
        Ok(up_to)
    }
}

/// Whether a movement comes on top of what the bank has stated.
fn is_lacking(books: &Books, movement: &BankMovement) -> bool {
    books.bank_balance(movement.currency.numeric).is_some_and(|said| said.lacks(movement))
}

fn held(side: &TrustAccount) -> Vec<Value> {
    let row = |(of, (accounts, sum)): (Whose, (u64, i64))| json!({ "holder": whose(of), "accounts": accounts, "balance": shapes::balance(sum, side.currency) });
    Whose::ALL.into_iter().zip(side.held).map(row).collect()
}
