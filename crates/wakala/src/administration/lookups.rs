//! What care and treasury look up: agents, customers, transfers, cases, the trial balance.

use data_center::{History as _, MessageState};
use serde_json::{Map, Value, json};
use transaction_processing::account::{Account, Agent, Holder, PinState, Proof};
use transaction_processing::decision::Row;
use transaction_processing::ids::{AccountId, AgentCode, Sequence, SystemAccount};
use transaction_processing::number::Number;
use transaction_processing::proposal::{Case, Matter};
use transaction_processing::time::Time;
use transaction_processing::transfer::{State, Transfer};
use transaction_processing::{Books, Currency, Msisdn};

use super::protocol::{Fault, FaultCode};
use super::shapes::{self, Numbers, object};
use super::{Administration, database, refusals};

/// The most lines in one list; the newest or lowest come first.
const MOST_LISTED: usize = 1000;
/// The entries of an account that are shown.
const ENTRIES: usize = 10;
/// No lock ends later: it is until care resets.
const UNTIL_RESET: Time = Time(i64::MAX);

impl Administration {
    /// All agents, by code.
    pub(super) fn agents(&self, numbers: Numbers) -> Result<Value, Fault> {
        let (rows, count) = self.ask(move |books| {
            let row = |agent: &Agent| {
                let account = books.account(agent.account)?;
                Some(Value::Object(object([
                    ("agent", agent.code.0.into()),
                    ("number", account.msisdn.map_or(Value::Null, |msisdn| shapes::number(msisdn, numbers))),
                    ("status", shapes::status(account.status).into()),
                    ("float", shapes::balance(account.balance(), account.currency)),
                ])))
            };
            (books.agents().take(MOST_LISTED).filter_map(row).collect::<Vec<_>>(), books.agents().count())
        })?;
        Ok(listed("agents", rows, count))
    }

    /// One agent in full.
    pub(super) fn agent(&self, code: u32) -> Result<Value, Fault> {
        let found = self.ask(move |books| {
            let agent = books.agent(AgentCode(code))?.clone();
            let account = books.account(agent.account)?.clone();
            let number = account.msisdn.and_then(|msisdn| books.number(msisdn).cloned());
            Some((agent, account, number))
        })?;
        let unknown = || refusals::fault(transaction_processing::Refusal::UnknownAgent);
        let (agent, account, number) = found.ok_or_else(unknown)?;
        let mut told = object([("agent", agent.code.0.into())]);
        self.describe_account(&account, &mut told)?;
        if let Some(number) = number {
            describe_number(&number, &self.config.ledger.zone, &mut told);
        }
        let own: Vec<Value> = agent.own_numbers.iter().map(|own| shapes::number(*own, Numbers::Full)).collect();
        told.insert("own_numbers".to_owned(), own.into());
        told.insert("entries".to_owned(), self.entries(&account)?);
        Ok(Value::Object(told))
    }

    /// What care needs to know of a number, whether or not it has an account.
    pub(super) fn customer(&self, typed: &str) -> Result<Value, Fault> {
        let msisdn = self.number(typed)?;
        let (account, number, waiting, cases) = self.ask(move |books| {
            (
                books.account_of(msisdn).cloned(),
                books.number(msisdn).cloned(),
                books.waiting_for(msisdn).cloned().collect::<Vec<Transfer>>(),
                books.cases().filter(|case| owner(case) == msisdn).cloned().collect::<Vec<Case>>(),
            )
        })?;
        if account.is_none() && number.is_none() && waiting.is_empty() && cases.is_empty() {
            return Err(Fault::new(FaultCode::NotFound, "nothing is known of this number"));
        }
        let zone = &self.config.ledger.zone;
        let mut told = object([("number", shapes::number(msisdn, Numbers::Full))]);
        match &account {
            Some(account) => self.describe_account(account, &mut told)?,
            None => drop(told.insert("account".to_owned(), "none".into())),
        }
        if let Some(number) = &number {
            describe_number(number, zone, &mut told);
        }
        if let Some(account) = &account {
            told.insert("entries".to_owned(), self.entries(account)?);
        }
        let waiting: Vec<Value> = waiting.iter().map(|transfer| Value::Object(self.summary(transfer))).collect();
        told.insert("waiting".to_owned(), waiting.into());
        let cases: Vec<Value> = cases.iter().map(|case| self.case(case, Numbers::Full)).collect();
        told.insert("cases".to_owned(), cases.into());
        Ok(Value::Object(told))
    }

    /// Cases, oldest first.
    pub(super) fn cases(&self, all: bool, numbers: Numbers) -> Result<Value, Fault> {
        let found = self.ask(move |books| {
            books.cases().filter(|case| all || case.closed_at.is_none()).cloned().collect::<Vec<Case>>()
        })?;
        let rows: Vec<Value> = found.iter().take(MOST_LISTED).map(|case| self.case(case, numbers)).collect();
        Ok(listed("cases", rows, found.len()))
    }

    /// One transfer, what happened to it, and what was told of it.
    pub(super) fn transfer(&self, reference: &str) -> Result<Value, Fault> {
        let id = self.transfer_id(reference)?;
        let mut history = database::history(&self.location)?;
        let transfer = match self.ask(move |books| books.resident_transfer(id).cloned())? {
            Some(transfer) => Some(transfer),
            None => match history.transfer(id).map_err(database::failed)? {
                Some(transfer) => Some(transfer),
                None => history
                    .row(Sequence(id.0))
                    .map_err(database::failed)?
                    .and_then(|row| row.transfer_left(id).cloned()),
            },
        };
        let unknown = || refusals::fault(transaction_processing::Refusal::UnknownReference);
        let transfer = transfer.ok_or_else(unknown)?;
        let mut told = self.summary(&transfer);
        let rows = database::rows_about(&self.location, id)?;
        let mut events = Vec::new();
        let mut messages = Vec::new();
        for sequence in rows {
            if let Some(row) = history.row(sequence).map_err(database::failed)? {
                events.push(self.event(&row));
                messages.extend(self.messages(&row)?);
            }
        }
        told.insert("events".to_owned(), events.into());
        told.insert("messages".to_owned(), messages.into());
        Ok(Value::Object(told))
    }

    /// Messages known undelivered, newest first.
    pub(super) fn undelivered(&self, numbers: Numbers) -> Result<Value, Fault> {
        let mut history = database::history(&self.location)?;
        let found = database::undelivered(&self.location)?;
        let mut rows = Vec::new();
        for message in found {
            let Some(row) = history.row(message.notice.sequence).map_err(database::failed)? else { continue };
            let Some(notice) = row.notices.get(usize::from(message.notice.notice)) else { continue };
            rows.push(Value::Object(object([
                ("to", shapes::number(notice.to, numbers)),
                ("about", row.kind.name().into()),
                ("reference", row.transfer.map_or(Value::Null, |id| self.reference(id))),
                ("state", message.state.name().into()),
                ("attempts", message.attempts.into()),
                ("caused_at", shapes::moment(row.moment.time, &self.config.ledger.zone)),
                ("since", shapes::moment(message.at, &self.config.ledger.zone)),
            ])));
        }
        let count = rows.len();
        Ok(listed("messages", rows, count))
    }

    /// Every account of the platform, wallets and floats summed, and whether all of it comes to nothing. Reads all accounts
    /// between two decisions: some tens of milliseconds for a million.
    pub(super) fn trial_balance(&self) -> Result<Value, Fault> {
        let currencies: Vec<Currency> =
            self.config.currencies().into_iter().map(crate::config::CurrencyCode::currency).collect();
        let sheets = self.ask(move |books| currencies.iter().map(|of| Sheet::of(books, *of)).collect::<Vec<_>>())?;
        let balanced = sheets.iter().all(|sheet| sheet.difference() == 0);
        let accounts: Vec<Value> = sheets.iter().flat_map(Sheet::accounts).collect();
        let sums: Vec<Value> = sheets.iter().map(Sheet::sums).collect();
        Ok(json!({ "balanced": balanced, "accounts": accounts, "currencies": sums }))
    }

    /// How many stored proofs need each version of the keys.
    pub(super) fn key_use(&self) -> Result<Value, Fault> {
        let live = self.keys.live_versions();
        let counts = self.ask(|books| {
            let mut counts = std::collections::BTreeMap::<u32, u64>::new();
            let mut count = |proof: &Proof| *counts.entry(proof.version).or_default() += 1;
            books.accounts().filter_map(|account| account.pin.proof.as_ref()).for_each(&mut count);
            for number in books.numbers() {
                if let Some(registration) = &number.registration {
                    count(&registration.pin);
                    count(&registration.code);
                }
                for waiting in books.waiting_for(number.msisdn).filter_map(Transfer::waiting) {
                    count(&waiting.password);
                    waiting.query.iter().for_each(|query| count(&query.code));
                }
            }
            counts
        })?;
        let rows: Vec<Value> = live
            .iter()
            .map(|version| json!({ "version": version.0, "proofs": counts.get(&version.0).copied().unwrap_or(0) }))
            .collect();
        Ok(json!({ "versions": rows }))
    }

    fn describe_account(&self, account: &Account, told: &mut Map<String, Value>) -> Result<(), Fault> {
        let zone = &self.config.ledger.zone;
        if let Some(msisdn) = account.msisdn {
            told.insert("number".to_owned(), shapes::number(msisdn, Numbers::Full));
            if let Some(sealed) = database::latest_name(&self.location, msisdn)? {
                told.insert("name".to_owned(), self.opened_name(msisdn, &sealed));
            }
        }
        told.extend(object([
            ("account", shapes::account(account.id)),
            ("holder", holder(account).into()),
            ("status", shapes::status(account.status).into()),
            ("balance", shapes::balance(account.balance(), account.currency)),
            ("pin", pin(&account.pin, self, zone)),
            ("opened_at", shapes::moment(account.opened_at, zone)),
        ]));
        Ok(())
    }

    /// The last entries of an account that are durable, newest first.
    fn entries(&self, account: &Account) -> Result<Value, Fault> {
        let mut history = database::history(&self.location)?;
        let mut rows = Vec::new();
        let mut next = account.latest();
        while next.0 > 0 && rows.len() < ENTRIES {
            let Some(row) = history.row(next).map_err(database::failed)? else { break };
            let Some((change, balance)) = row.effect_on(account.id) else { break };
            rows.push(Value::Object(object([
                ("at", shapes::moment(row.moment.time, &self.config.ledger.zone)),
                ("by", row.kind.name().into()),
                ("reference", row.transfer.map_or(Value::Null, |id| self.reference(id))),
                ("change", shapes::balance(change, account.currency)),
                ("balance", shapes::balance(balance, account.currency)),
            ])));
            next = row.previous_of(account.id);
        }
        Ok(rows.into())
    }

    /// A transfer as it stands.
    fn summary(&self, transfer: &Transfer) -> Map<String, Value> {
        let zone = &self.config.ledger.zone;
        let number = |msisdn: Msisdn| shapes::number(msisdn, Numbers::Full);
        let mut told = object([
            ("reference", self.reference(transfer.id)),
            ("kind", shapes::kind(transfer.kind).into()),
            ("made_at", shapes::moment(transfer.made_at, zone)),
            ("sender", transfer.sender_number.map_or(Value::Null, number)),
            ("payee", number(transfer.payee)),
            ("amount", shapes::money(transfer.amount)),
            ("fee", shapes::money(transfer.charge.fee)),
            ("levy", shapes::money(transfer.charge.levy)),
        ]);
        told.extend(match &transfer.state {
            State::Waiting(waiting) => object([
                ("state", "waiting".into()),
                ("expires_at", shapes::moment(waiting.expires_at, zone)),
                ("new_passwords", waiting.resent.into()),
                ("named_agent", waiting.query.as_ref().map_or(Value::Null, |query| query.agent.0.into())),
                ("wrong_codes", waiting.wrong_codes.into()),
                ("claim_by_password_at_agent_closed", waiting.password_at_agent_closed.into()),
            ]),
            State::Credited { recall_asked_at, commission, .. } => object([
                ("state", "credited".into()),
                ("recall_asked_at", shapes::moment_if(*recall_asked_at, zone)),
                ("commission", commission.map_or(Value::Null, |earned| shapes::money(earned.amount))),
            ]),
            State::PaidOut(paid) => object([
                ("state", "paid out".into()),
                ("agent", paid.agent.0.into()),
                ("at", shapes::moment(paid.at, zone)),
                ("cash", shapes::money(paid.cash)),
                ("commission", shapes::money(paid.commission)),
            ]),
            State::Deposited { at } => object([("state", "deposited".into()), ("at", shapes::moment(*at, zone))]),
            State::Returned { cause, at } => object([
                ("state", "returned".into()),
                ("cause", shapes::cause(*cause).into()),
                ("at", shapes::moment(*at, zone)),
            ]),
        });
        told
    }

    fn event(&self, row: &Row) -> Value {
        Value::Object(object([
            ("row", row.sequence.0.into()),
            ("at", shapes::moment(row.moment.time, &self.config.ledger.zone)),
            ("request", row.kind.name().into()),
            ("by", row.from.map_or(Value::Null, |msisdn| shapes::number(msisdn, Numbers::Full))),
            ("staff", row.staff.map_or(Value::Null, |staff| staff.0.into())),
            ("refused", row.refusal.map_or(Value::Null, |refusal| refusals::advice(refusal).into())),
        ]))
    }

    /// What became of a row's notices.
    fn messages(&self, row: &Row) -> Result<Vec<Value>, Fault> {
        let states = database::states_of(&self.location, row.sequence)?;
        let told = row.notices.iter().enumerate().map(|(index, notice)| {
            let message = states.iter().find(|message| usize::from(message.notice.notice) == index);
            let state = message.map_or("not sent yet", |message| message.state.name());
            let done = message.is_some_and(|message| message.state == MessageState::Delivered);
            Value::Object(object([
                ("row", row.sequence.0.into()),
                ("to", shapes::number(notice.to, Numbers::Full)),
                ("state", state.into()),
                ("attempts", message.map_or(Value::Null, |message| message.attempts.into())),
                ("since", shapes::moment_if(message.map(|message| message.at), &self.config.ledger.zone)),
                ("held_a_code", (notice.code.is_some() && !done).then_some(true).into()),
            ]))
        });
        Ok(told.collect())
    }

    fn case(&self, case: &Case, numbers: Numbers) -> Value {
        let zone = &self.config.ledger.zone;
        let Matter::Unclaimed { transfer, msisdn, amount } = case.matter;
        Value::Object(object([
            ("case", case.id.0.into()),
            ("matter", "unclaimed money".into()),
            ("number", shapes::number(msisdn, numbers)),
            ("amount", shapes::money(amount)),
            ("reference", transfer.map_or(Value::Null, |id| self.reference(id))),
            ("opened_at", shapes::moment(case.opened_at, zone)),
            ("closed_at", shapes::moment_if(case.closed_at, zone)),
        ]))
    }
}

/// A list, and how many lines it leaves off.
fn listed(name: &str, rows: Vec<Value>, count: usize) -> Value {
    let left_off = count.saturating_sub(rows.len());
    let mut told = object([(name, rows.into())]);
    if left_off > 0 {
        told.insert("left_off".to_owned(), left_off.into());
    }
    Value::Object(told)
}

fn owner(case: &Case) -> Msisdn {
    let Matter::Unclaimed { msisdn, .. } = case.matter;
    msisdn
}

fn holder(account: &Account) -> String {
    match account.holder {
        Holder::System(role) => shapes::system_account(role).to_owned(),
        Holder::Customer(tier) => format!("customer, {} tier", shapes::tier(tier)),
        Holder::Agent(code) => format!("agent {}", code.0),
    }
}

/// What may be said of a PIN: never anything about its digits.
fn pin(pin: &PinState, _: &Administration, zone: &crate::config::Zone) -> Value {
    match (pin.proof, pin.locked_until, pin.one_time_until) {
        (None, ..) => "none set".into(),
        (_, Some(UNTIL_RESET), _) => "locked until it is reset".into(),
        (_, Some(until), _) => json!({ "locked_until": shapes::moment(until, zone), "wrong_in_a_row": pin.wrong }),
        (_, None, Some(until)) => json!({ "one_time_until": shapes::moment(until, zone), "wrong_in_a_row": pin.wrong }),
        _ => json!({ "set": true, "wrong_in_a_row": pin.wrong }),
    }
}

fn describe_number(number: &Number, zone: &crate::config::Zone, told: &mut Map<String, Value>) {
    let language = number.language.map_or(Value::Null, |language| format!("{language:?}").to_lowercase().into());
    told.extend(object([
        ("language", language),
        ("card", number.card.as_deref().map_or(Value::Null, |card| card.iccid.digits().to_string().into())),
        ("claims_paused_until", shapes::moment_if(number.claims.paused_until, zone)),
        (
            "registration_until",
            shapes::moment_if(number.registration.as_ref().map(|under_way| under_way.expires_at), zone),
        ),
    ]));
}

/// The trial balance of one currency.
struct Sheet {
    currency: Currency,
    own: Vec<(SystemAccount, AccountId, i64)>,
    wallets: (u64, i128),
    floats: (u64, i128),
}

impl Sheet {
    fn of(books: &Books, currency: Currency) -> Sheet {
        let mut sheet = Sheet { currency, own: Vec::new(), wallets: (0, 0), floats: (0, 0) };
        for account in books.accounts().filter(|account| account.currency == currency) {
            let add = |(count, sum): (u64, i128)| (count + 1, sum + i128::from(account.balance()));
            match account.holder {
                Holder::System(role) => sheet.own.push((role, account.id, account.balance())),
                Holder::Customer(_) => sheet.wallets = add(sheet.wallets),
                Holder::Agent(_) => sheet.floats = add(sheet.floats),
            }
        }
        sheet.own.sort();
        sheet
    }

    /// What was issued: by so much the trust account stands below zero.
    fn issued(&self) -> i128 {
        let trust = self.own.iter().find(|(role, ..)| *role == SystemAccount::Trust);
        -trust.map_or(0, |(_, _, balance)| i128::from(*balance))
    }

    /// All balances together: zero, or the books are broken.
    fn difference(&self) -> i128 {
        let own: i128 = self.own.iter().map(|(_, _, balance)| i128::from(*balance)).sum();
        own + self.wallets.1 + self.floats.1
    }

    fn accounts(&self) -> Vec<Value> {
        let own = self.own.iter().map(|(role, id, balance)| {
            let of = shapes::system_account(*role);
            json!({ "holder": of, "account": id.0, "accounts": 1, "balance": shapes::balance(*balance, self.currency) })
        });
        let sum = |holder: &str, (count, sum): (u64, i128)| json!({ "holder": holder, "account": null, "accounts": count, "balance": shapes::sum(sum, self.currency) });
        own.chain([sum("wallets", self.wallets), sum("floats", self.floats)]).collect()
    }

    fn sums(&self) -> Value {
        let sum = |minor| shapes::sum(minor, self.currency);
        let held = self.difference() + self.issued();
        json!({ "currency": shapes::currency(self.currency), "issued": sum(self.issued()), "held": sum(held),
            "difference": sum(self.difference()) })
    }
}
