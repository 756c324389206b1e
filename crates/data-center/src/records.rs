//! Records of the checkpoint as named columns, the same for every store. Columns are for people; what is loaded is `body`,
//! and verification compares both with what the log leads to.

use transaction_processing::account::{Account, Holder};
use transaction_processing::decision::{Change, Scope};
use transaction_processing::ids::{AccountId, AgentCode, CaseId, ProposalId, Sequence, StaffId, TariffId, TransferId};
use transaction_processing::number::Number;
use transaction_processing::proposal::{Case, Matter, Measure, Proposal, ProposalState};
use transaction_processing::request::Link;
use transaction_processing::tariff::{Priced, Tariff};
use transaction_processing::time::Time;
use transaction_processing::transfer::{State, Transfer};
use transaction_processing::{Books, Msisdn};

use crate::encoding::{self, Output};

/// One value of a column.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// A figure.
    Integer(i64),
    /// A figure that is not whole; no table of ours has any, but a question may.
    Real(f64),
    /// A text.
    Text(String),
    /// Octets.
    Octets(Vec<u8>),
}

/// A table. Its key stands first; in one of the checkpoint, `body` and `as_of` stand last.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
    /// How many of the columns are its key.
    pub(crate) key: usize,
}

pub(crate) const ACCOUNTS: Table = Table {
    name: "accounts",
    columns: &[
        "id",
        "role",
        "tier",
        "agent",
        "msisdn",
        "currency",
        "status",
        "wrong_pins",
        "locked_until_ms",
        "one_time_until_ms",
        "used_day",
        "used_in_day",
        "used_month",
        "used_in_month",
        "opened_at_ms",
        "balance",
        "latest",
        "body",
        "as_of",
    ],
    key: 1,
};

pub(crate) const TRANSFERS: Table = Table {
    name: "transfers",
    columns: &[
        "id",
        "kind",
        "made_at_ms",
        "sender",
        "sender_number",
        "payee",
        "amount",
        "currency",
        "tariff",
        "payer",
        "fee",
        "levy",
        "state",
        "expires_at_ms",
        "agent",
        "closed_at_ms",
        "cash",
        "commission",
        "cause",
        "body",
        "as_of",
    ],
    key: 1,
};

const NUMBERS: Table = Table {
    name: "numbers",
    columns: &[
        "msisdn",
        "language",
        "iccid",
        "card_counter",
        "wrong_passwords",
        "pauses",
        "paused_until_ms",
        "last_paid",
        "body",
        "as_of",
    ],
    key: 1,
};

const AGENTS: Table = Table { name: "agents", columns: &["code", "account", "own_numbers", "body", "as_of"], key: 1 };

pub(crate) const DEALINGS: Table = Table {
    name: "dealings",
    columns: &["agent", "customer", "priced", "day", "sum", "earned", "body", "as_of"],
    key: 3,
};

const FAILURES: Table =
    Table { name: "failures", columns: &["scope", "of", "since_ms", "count", "body", "as_of"], key: 2 };

pub(crate) const PROPOSALS: Table = Table {
    name: "proposals",
    columns: &["id", "maker", "made_at_ms", "measure", "state", "checker", "checked_at_ms", "body", "as_of"],
    key: 1,
};

const STAFF: Table = Table { name: "staff", columns: &["id", "name", "active", "body", "as_of"], key: 1 };

const CASES: Table = Table {
    name: "cases",
    columns: &["id", "opened_at_ms", "transfer", "msisdn", "amount", "currency", "closed_at_ms", "body", "as_of"],
    key: 1,
};

const TARIFFS: Table = Table {
    name: "tariffs",
    columns: &[
        "id",
        "priced",
        "currency",
        "effective_from_ms",
        "payer",
        "bands",
        "agent_share_per_mille",
        "levy_per_mille_of_fee",
        "levy_per_mille_of_amount",
        "fee_kept_on_return",
        "body",
        "as_of",
    ],
    key: 1,
};

pub(crate) const BANK_MOVEMENTS: Table =
    Table { name: "bank_movements", columns: &["reference", "change", "currency", "at_ms", "body", "as_of"], key: 1 };

const BANK_BALANCES: Table = Table {
    name: "bank_balances",
    columns: &["currency", "balance", "stated_at_ms", "statement", "entered_at_ms", "body", "as_of"],
    key: 1,
};

/// The log. Eight columns for each of six postings stand last.
#[rustfmt::skip]
pub(crate) const LOG: Table = Table {
    name: "log",
    columns: &[
        "sequence", "at_ms", "day", "month", "request", "sender", "staff", "request_key", "refusal", "transfer",
        "changes", "notices", "chain",
        "from_1", "to_1", "amount_1", "currency_1", "from_balance_1", "to_balance_1", "from_previous_1", "to_previous_1",
        "from_2", "to_2", "amount_2", "currency_2", "from_balance_2", "to_balance_2", "from_previous_2", "to_previous_2",
        "from_3", "to_3", "amount_3", "currency_3", "from_balance_3", "to_balance_3", "from_previous_3", "to_previous_3",
        "from_4", "to_4", "amount_4", "currency_4", "from_balance_4", "to_balance_4", "from_previous_4", "to_previous_4",
        "from_5", "to_5", "amount_5", "currency_5", "from_balance_5", "to_balance_5", "from_previous_5", "to_previous_5",
        "from_6", "to_6", "amount_6", "currency_6", "from_balance_6", "to_balance_6", "from_previous_6", "to_previous_6",
    ],
    key: 1,
};

/// Where the log stands. A store may have columns of its own behind these.
pub(crate) const POSITION: Table = Table {
    name: "position",
    columns: &[
        "one",
        "next",
        "at_ms",
        "day",
        "month",
        "head",
        "replay_from",
        "replay_at_ms",
        "replay_day",
        "replay_month",
        "settled",
        "restored",
    ],
    key: 1,
};

/// What stands beside the log and the checkpoint.
pub(crate) const BESIDE: [&Table; 5] = [
    &Table { name: "currencies", columns: &["numeric", "minor_digits"], key: 1 },
    &Table { name: "repeat_keys", columns: &["first", "at_ms", "keys"], key: 1 },
    &Table { name: "codes", columns: &["notice_id", "sealed"], key: 1 },
    &Table {
        name: "private_texts",
        columns: &["sequence", "position", "msisdn", "transfer", "commitment", "sealed"],
        key: 2,
    },
    &Table { name: "messages", columns: &["notice_id", "state", "attempts", "centre", "message_id", "at_ms"], key: 1 },
];

/// All tables of the checkpoint.
pub(crate) const ALL: [&Table; 12] = [
    &ACCOUNTS,
    &NUMBERS,
    &TRANSFERS,
    &AGENTS,
    &DEALINGS,
    &FAILURES,
    &PROPOSALS,
    &STAFF,
    &CASES,
    &TARIFFS,
    &BANK_MOVEMENTS,
    &BANK_BALANCES,
];

/// A row being written down.
struct Columns<'a>(&'a mut Vec<Value>);

impl Columns<'_> {
    fn integer(&mut self, value: impl Into<i64>) -> &mut Self {
        self.0.push(Value::Integer(value.into()));
        self
    }

    fn number(&mut self, value: u64) -> &mut Self {
        self.integer(value.cast_signed())
    }

    fn optional(&mut self, value: Option<i64>) -> &mut Self {
        self.0.push(value.map_or(Value::Null, Value::Integer));
        self
    }

    fn time(&mut self, value: Option<Time>) -> &mut Self {
        self.optional(value.map(|time| time.0))
    }

    fn text(&mut self, value: String) -> &mut Self {
        self.0.push(Value::Text(value));
        self
    }
}

/// Writes a record's columns into `row` and says of which table it is; none for a change that is no record.
pub(crate) fn columns(record: &Change, as_of: Sequence, row: &mut Vec<Value>) -> Option<&'static Table> {
    row.clear();
    let mut columns = Columns(row);
    let table = match record {
        Change::Opened(account) => account_columns(account, &mut columns),
        Change::Number(number) => number_columns(number, &mut columns),
        Change::Transfer(transfer) => transfer_columns(transfer, &mut columns),
        Change::Agent(agent) => {
            let own: Vec<String> = agent.own_numbers.iter().map(|number| number.digits().to_string()).collect();
            columns.integer(agent.code.0).integer(agent.account.0).text(own.join(" "));
            &AGENTS
        }
        Change::Dealings(dealings) => {
            columns.integer(dealings.agent.0).number(dealings.customer.digits()).integer(dealings.priced as i64);
            columns.integer(dealings.day.0).integer(dealings.sum).integer(dealings.earned);
            &DEALINGS
        }
        Change::Failures(failures) => {
            let (scope, of) = match failures.scope {
                Scope::All => (1, 0),
                Scope::Link(link) => (2, i64::from(link.0)),
                Scope::Agent(agent) => (3, i64::from(agent.0)),
            };
            columns.integer(scope).integer(of).integer(failures.since.0).integer(failures.count);
            &FAILURES
        }
        Change::Proposal(proposal) => proposal_columns(proposal, &mut columns),
        Change::Staff(staff) => {
            columns.number(staff.id.0).text(staff.name.clone()).integer(staff.active);
            &STAFF
        }
        Change::Case(case) => case_columns(case, &mut columns),
        Change::Tariff(tariff) => tariff_columns(tariff, &mut columns),
        Change::BankMovement(movement) => {
            columns.text(movement.reference.clone()).integer(movement.change);
            columns.integer(movement.currency.numeric).integer(movement.at.0);
            &BANK_MOVEMENTS
        }
        Change::BankBalance(said) => {
            columns.integer(said.balance.currency().numeric).integer(said.balance.minor()).integer(said.as_of.0);
            columns.text(said.statement.clone()).integer(said.entered_at.0);
            &BANK_BALANCES
        }
        Change::Pin { .. }
        | Change::Used { .. }
        | Change::Status { .. }
        | Change::Tier { .. }
        | Change::Moved { .. }
        | Change::CardUsed { .. }
        | Change::Named { .. }
        | Change::Identified { .. }
        | Change::Erased { .. }
        | Change::Epoch { .. } => return None,
    };
    let mut body = Output::default();
    encoding::put_record(record, &mut body);
    row.push(Value::Octets(body.bytes));
    row.push(Value::Integer(as_of.0.cast_signed()));
    Some(table)
}

fn account_columns(account: &Account, columns: &mut Columns<'_>) -> &'static Table {
    let role = match account.holder {
        Holder::System(role) => Some(role as i64),
        _ => None,
    };
    let usage = account.usage;
    columns.integer(account.id.0).optional(role);
    columns.optional(account.tier().map(|tier| tier as i64));
    columns.optional(account.agent_code().map(|code| i64::from(code.0)));
    columns.optional(account.msisdn.map(|number| number.digits().cast_signed()));
    columns.integer(account.currency.numeric).integer(account.status as i64).integer(account.pin.wrong);
    columns.time(account.pin.locked_until).time(account.pin.one_time_until);
    columns.integer(usage.day.0).integer(usage.day_minor).integer(usage.month.0).integer(usage.month_minor);
    columns.integer(account.opened_at.0).integer(account.balance()).number(account.latest().0);
    &ACCOUNTS
}

fn number_columns(number: &Number, columns: &mut Columns<'_>) -> &'static Table {
    columns.number(number.msisdn.digits()).optional(number.language.map(|language| language as i64));
    match number.card.as_deref() {
        Some(card) => columns.text(card.iccid.digits().to_string()).number(card.counter),
        None => columns.optional(None).optional(None),
    };
    columns.integer(number.claims.wrong).integer(number.claims.pauses).time(number.claims.paused_until);
    columns.optional(number.last_paid.map(|transfer| transfer.0.cast_signed()));
    &NUMBERS
}

fn transfer_columns(transfer: &Transfer, columns: &mut Columns<'_>) -> &'static Table {
    let charge = &transfer.charge;
    columns.number(transfer.id.0).integer(transfer.kind as i64).integer(transfer.made_at.0).integer(transfer.sender.0);
    columns.optional(transfer.sender_number.map(|number| number.digits().cast_signed()));
    columns.number(transfer.payee.digits()).integer(transfer.amount.minor());
    columns.integer(transfer.amount.currency().numeric);
    columns.optional(charge.tariff.map(|tariff| tariff.0.cast_signed())).integer(charge.payer as i64);
    columns.integer(charge.fee.minor()).integer(charge.levy.minor());
    let (mut expires, mut agent, mut closed, mut cash, mut commission, mut cause) =
        (None, None, None, None, None, None);
    let state = match &transfer.state {
        State::Waiting(waiting) => {
            expires = Some(waiting.expires_at);
            agent = waiting.query.as_ref().map(|query| i64::from(query.agent.0));
            1
        }
        State::Credited { commission: earned, .. } => {
            commission = earned.map(|earned| earned.amount.minor());
            2
        }
        State::PaidOut(paid) => {
            agent = Some(i64::from(paid.agent.0));
            closed = Some(paid.at);
            cash = Some(paid.cash.minor());
            commission = Some(paid.commission.minor());
            3
        }
        State::Deposited { at } => {
            closed = Some(*at);
            4
        }
        State::Returned { cause: why, at } => {
            closed = Some(*at);
            cause = Some(*why as i64);
            5
        }
    };
    columns.integer(state).time(expires).optional(agent).time(closed);
    columns.optional(cash).optional(commission).optional(cause);
    &TRANSFERS
}

fn proposal_columns(proposal: &Proposal, columns: &mut Columns<'_>) -> &'static Table {
    let (state, checker, at) = match proposal.state {
        ProposalState::Open => (1, None, None),
        ProposalState::Approved { checker, at } => (2, Some(checker), Some(at)),
        ProposalState::Rejected { checker, at } => (3, Some(checker), Some(at)),
    };
    columns.number(proposal.id.0).number(proposal.maker.0).integer(proposal.made_at.0);
    columns.integer(measure_number(&proposal.measure)).integer(state);
    columns.optional(checker.map(|checker| checker.0.cast_signed())).time(at);
    &PROPOSALS
}

/// The record of the books that a row of a table is about, by its key; none where the books have none.
pub(crate) fn held(books: &Books, table: &Table, key: &[Value]) -> Option<Change> {
    if let (Some(Value::Text(reference)), true) = (key.first(), table.name == BANK_MOVEMENTS.name) {
        return books.bank_movement(reference).cloned().map(Change::BankMovement);
    }
    let figure = |index: usize| match key.get(index) {
        Some(Value::Integer(figure)) => Some(*figure),
        _ => None,
    };
    let first = figure(0)?;
    let id = first.cast_unsigned();
    let few = |figure: i64| u32::try_from(figure).ok().map(AgentCode);
    let number = |figure: i64| Msisdn::new(figure.cast_unsigned());
    match table.name {
        "accounts" => books.account(AccountId(first)).cloned().map(Change::Opened),
        "numbers" => books.number(number(first)?).cloned().map(Change::Number),
        "transfers" => books.resident_transfer(TransferId(id)).cloned().map(Change::Transfer),
        "agents" => books.agent(few(first)?).cloned().map(Change::Agent),
        "dealings" => {
            let priced = Priced::numbered(u8::try_from(figure(2)?).ok()?)?;
            books.dealt(few(first)?, number(figure(1)?)?, priced).map(Change::Dealings)
        }
        "failures" => {
            let of = figure(1)?;
            let scope = match first {
                1 => Scope::All,
                2 => Scope::Link(Link(u16::try_from(of).ok()?)),
                _ => Scope::Agent(few(of)?),
            };
            books.failures_counted(scope).copied().map(Change::Failures)
        }
        "proposals" => books.proposal(ProposalId(id)).cloned().map(Change::Proposal),
        "staff" => books.staff(StaffId(id)).cloned().map(Change::Staff),
        "cases" => books.case(CaseId(id)).cloned().map(Change::Case),
        "bank_balances" => books.bank_balance(u16::try_from(first).ok()?).cloned().map(Change::BankBalance),
        "tariffs" => books.tariff(TariffId(id)).cloned().map(Change::Tariff),
        _ => None,
    }
}

/// The number of a measure, as its encoding has it.
fn measure_number(measure: &Measure) -> i64 {
    let mut out = Output::default();
    encoding::Encoded::put(measure, &mut out);
    out.bytes.first().copied().map_or(0, i64::from)
}

fn case_columns(case: &Case, columns: &mut Columns<'_>) -> &'static Table {
    let Matter::Unclaimed { transfer, msisdn, amount } = case.matter;
    columns.number(case.id.0).integer(case.opened_at.0);
    columns.optional(transfer.map(|transfer| transfer.0.cast_signed())).number(msisdn.digits());
    columns.integer(amount.minor()).integer(amount.currency().numeric).time(case.closed_at);
    &CASES
}

fn tariff_columns(tariff: &Tariff, columns: &mut Columns<'_>) -> &'static Table {
    let terms = &tariff.terms;
    let bands = terms.bands.iter().map(|band| {
        format!("≤{}: {}+{}‰ [{}..{}]", band.up_to, band.fixed, band.per_mille, band.minimum, band.maximum)
    });
    columns.number(tariff.id.0).integer(terms.priced as i64).integer(terms.currency.numeric);
    columns.integer(terms.effective_from.0).integer(terms.payer as i64);
    columns.text(bands.collect::<Vec<_>>().join("; "));
    columns.integer(terms.agent_share_per_mille).integer(terms.levy_per_mille_of_fee);
    columns.integer(terms.levy_per_mille_of_amount).integer(terms.fee_kept_on_return);
    &TARIFFS
}
