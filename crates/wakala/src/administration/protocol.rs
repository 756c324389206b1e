//! What is said over the administration socket: one request object a line, then any number of `{"progress":…}` lines, then
//! one `{"ok":…}` or `{"error":…}`.
//!
//! A request is `{"staff":…,"secret":…,"new_secret":…,"command":…}`; the first three only where the command needs them.
//! Amounts, numbers and references travel as people type them, because only the server knows the country and the currency.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::Secret;
use zeroize::Zeroizing;

/// The longest line that either side takes, octets. A longer request is refused and the connection closed.
pub const LONGEST_REQUEST: usize = 64 * 1024;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Which program and schema answer.
    Version,
    /// One of the first two members of staff, before whom there is nobody to approve; with `new_secret`.
    EnrolFirstStaff {
        /// The name they sign with.
        name: String,
    },
    /// Which process decides, and what this one is.
    Cluster,
    /// All members of staff.
    Staff,
    /// Another secret for the one who asks; with `new_secret`.
    ChangeSecret,
    /// The maker's proposal; with `new_secret` where it enrols somebody.
    Propose(Measure),
    /// The checker's yes.
    Approve {
        /// The proposal's number.
        proposal: u64,
    },
    /// The checker's no, or the maker's own withdrawal.
    Reject {
        /// The proposal's number.
        proposal: u64,
    },
    /// Proposals.
    Proposals {
        /// Those that are closed, too.
        all: bool,
        /// Numbers in full.
        full_numbers: bool,
    },
    /// One proposal in full.
    Proposal {
        /// Its number.
        proposal: u64,
    },
    /// All agents.
    Agents {
        /// Numbers in full.
        full_numbers: bool,
    },
    /// One agent.
    Agent {
        /// The code.
        code: u32,
    },
    /// What care needs to know of a number.
    Customer {
        /// The number as typed.
        number: String,
    },
    /// Cases for care.
    Cases {
        /// Those that are settled, too.
        all: bool,
        /// Numbers in full.
        full_numbers: bool,
    },
    /// One transfer and what was told of it.
    Transfer {
        /// Its reference.
        reference: String,
    },
    /// Messages known not to be delivered.
    Undelivered {
        /// Numbers in full.
        full_numbers: bool,
    },
    /// Every account of the platform, the sums of wallets and floats, and whether they come to nothing.
    TrialBalance,
    /// Both sides of the trust account, and what makes up the difference.
    TrustAccount,
    /// The same, signed.
    TrustStatement,
    /// The last row of the log and its link of the chain, signed.
    Head,
    /// How many stored proofs need each version of the keys.
    KeyUse,
    /// Recomputes every balance and the chain from the rows alone.
    Verify,
    /// The same for a month that was taken out of the log.
    VerifyMonth {
        /// Which, `2026-01`.
        month: String,
    },
    /// Seals the oldest month and takes it out of the log.
    Detach {
        /// Which, `2026-01`.
        month: String,
    },
    /// Checks the database's own structure.
    Check,
    /// A question to the documented views.
    Sql {
        /// One statement that only reads.
        query: String,
    },
    /// A copy of the database while it is in use.
    Backup {
        /// Where to; must not exist.
        file: std::path::PathBuf,
    },
}

impl Command {
    /// Whether a member of staff must prove themselves: for whatever changes the books or shows somebody's affairs. The rest
    /// tells nothing that the owner of the socket, who owns the database file too, could not read there.
    pub fn needs_staff(&self) -> bool {
        match self {
            Command::ChangeSecret
            | Command::Propose(_)
            | Command::Approve { .. }
            | Command::Reject { .. }
            | Command::Proposals { .. }
            | Command::Proposal { .. }
            | Command::Agents { .. }
            | Command::Agent { .. }
            | Command::Customer { .. }
            | Command::Cases { .. }
            | Command::Transfer { .. }
            | Command::Undelivered { .. } => true,
            Command::Version
            | Command::Cluster
            | Command::EnrolFirstStaff { .. }
            | Command::Staff
            | Command::TrialBalance
            | Command::TrustAccount
            | Command::TrustStatement
            | Command::Head
            | Command::KeyUse
            | Command::Verify
            | Command::VerifyMonth { .. }
            | Command::Detach { .. }
            | Command::Check
            | Command::Sql { .. }
            | Command::Backup { .. } => false,
        }
    }

    /// Whom or what it is about, for the log: enough to ask back, numbers shortened.
    pub fn about(&self) -> String {
        let last_three = |number: &str| {
            let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
            format!("…{}", digits.iter().skip(digits.len().saturating_sub(3)).collect::<String>())
        };
        match self {
            Command::Approve { proposal } | Command::Reject { proposal } | Command::Proposal { proposal } => {
                format!("proposal {proposal}")
            }
            Command::Agent { code } => format!("agent {code}"),
            Command::Customer { number } => last_three(number),
            Command::Transfer { reference } => format!("transfer {}", last_three(reference)),
            Command::VerifyMonth { month } | Command::Detach { month } => month.clone(),
            _ => String::new(),
        }
    }

    /// Its name, for the log.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Version => "version",
            Command::Cluster => "cluster",
            Command::EnrolFirstStaff { .. } => "enrol first staff",
            Command::Staff => "staff",
            Command::ChangeSecret => "change secret",
            Command::Propose(_) => "propose",
            Command::Approve { .. } => "approve",
            Command::Reject { .. } => "reject",
            Command::Proposals { .. } => "proposals",
            Command::Proposal { .. } => "proposal",
            Command::Agents { .. } => "agents",
            Command::Agent { .. } => "agent",
            Command::Customer { .. } => "customer",
            Command::Cases { .. } => "cases",
            Command::Transfer { .. } => "transfer",
            Command::Undelivered { .. } => "undelivered",
            Command::TrialBalance => "trial balance",
            Command::TrustAccount => "trust account",
            Command::TrustStatement => "trust statement",
            Command::Head => "head",
            Command::KeyUse => "key use",
            Command::Verify => "verify",
            Command::VerifyMonth { .. } => "verify month",
            Command::Detach { .. } => "detach",
            Command::Check => "check",
            Command::Sql { .. } => "sql",
            Command::Backup { .. } => "backup",
        }
    }
}

/// What a maker proposes, as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the fields are those of transaction_processing::proposal::Measure, as people type them"
)]
pub enum Measure {
    /// Create electronic money against a deposit.
    Issue { amount: Sum, bank_reference: String },
    /// Destroy electronic money against a payment.
    Redeem { amount: Sum, bank_reference: String },
    /// Operator's funds to an agent's float.
    SupplyFloat { agent: u32, amount: Sum },
    /// An agent's float to the operator's funds.
    WithdrawFloat { agent: u32, amount: Sum },
    /// Earned fees to the operator's funds.
    CollectFees { amount: Sum },
    /// A new agent.
    EnrolAgent { code: u32, number: String, name: String, own_numbers: Vec<String> },
    /// Another tier for a customer.
    SetTier { number: String, tier: Tier },
    /// End the lock after wrong PINs.
    UnlockPin { number: String },
    /// Send a one-time PIN.
    ResetPin { number: String },
    /// Stop an account.
    Freeze { number: String },
    /// Let it be used again.
    Unfreeze { number: String },
    /// Close it.
    Close { number: String },
    /// Move it to another number.
    ChangeNumber { number: String, to: String },
    /// The number has another owner.
    RecycleNumber { number: String },
    /// Bind a card.
    BindCard { number: String, iccid: String },
    /// Forget the card.
    ForgetCard { number: String },
    /// Give a credited transfer back.
    Reverse { reference: String },
    /// Pay out what a closed account left.
    PayUnclaimed { case: u64, number: String },
    /// What the bank says of the trust account.
    ConfirmBank { balance: Sum, as_of: String, statement: String, includes: Vec<String> },
    /// Erase the personal texts of a number's owner, or of those alone who had it before.
    Erase { number: String, former_owners: bool },
    /// One more member of staff, whose own secret is the request's `new_secret`.
    EnrolStaff { name: String },
    /// A member of staff acts no more.
    DismissStaff { name: String },
}

/// An amount as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// Whole currency with its decimals, `500` or `500.50`.
    pub amount: String,
    /// ISO 4217; the ledger's where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// How well a customer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Registered from the handset alone.
    Entry,
    /// Identity seen by care or an agent.
    Standard,
    /// Identity verified with documents.
    Full,
}

/// A member of staff who asks.
pub struct Credentials {
    /// The name they sign with.
    pub name: String,
    /// Their secret.
    pub secret: Secret,
}

/// One request.
pub struct Request {
    /// Who asks, where that matters.
    pub staff: Option<Credentials>,
    /// The secret that a new member of staff chose, or the next one of the one who asks.
    pub new_secret: Option<Secret>,
    /// What is asked.
    pub command: Command,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    staff: Option<String>,
    #[serde(default)]
    secret: Option<Read>,
    #[serde(default)]
    new_secret: Option<Read>,
    command: Command,
}

/// A secret as it is read: wiped even where the rest of the line turns out wrong.
struct Read(Secret);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Read, D::Error> {
        String::deserialize(deserializer).map(|text| Read(Secret::new(text)))
    }
}

impl Request {
    /// A request that needs nobody's proof.
    pub fn plain(command: Command) -> Request {
        Request { staff: None, new_secret: None, command }
    }

    /// The line, its end included; wiped when dropped, because secrets may stand in it.
    ///
    /// # Errors
    /// Never for the commands of this program: none holds what JSON cannot.
    pub fn to_line(&self) -> serde_json::Result<Zeroizing<String>> {
        // All the room at once: a growing string would leave copies behind. Every octet of a secret takes at most six.
        let mut line = Zeroizing::new(String::with_capacity(LONGEST_REQUEST));
        line.push('{');
        if let Some(Credentials { name, secret }) = &self.staff {
            line.push_str(&format!("\"staff\":{},\"secret\":", serde_json::to_string(name)?));
            quote(secret, &mut line);
            line.push(',');
        }
        if let Some(secret) = &self.new_secret {
            line.push_str("\"new_secret\":");
            quote(secret, &mut line);
            line.push(',');
        }
        line.push_str("\"command\":");
        line.push_str(&serde_json::to_string(&self.command)?);
        line.push_str("}\n");
        Ok(line)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence that repeats nothing of its text.
    pub fn parse(line: &[u8]) -> Result<Request, String> {
        let Line { staff, secret, new_secret, command } = serde_json::from_slice(line).map_err(|error| {
            // The whole message of the error might quote what was sent.
            format!("not a request of this version ({:?} at column {})", error.classify(), error.column())
        })?;
        let staff = match (staff, secret) {
            (Some(name), Some(Read(secret))) => Some(Credentials { name, secret }),
            (None, None) => None,
            _ => return Err("staff and secret belong together".to_owned()),
        };
        Ok(Request { staff, new_secret: new_secret.map(|Read(secret)| secret), command })
    }
}

/// A secret as a JSON string, without a copy on the way.
fn quote(secret: &Secret, line: &mut String) {
    line.push('"');
    for character in secret.expose().chars() {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            control if u32::from(control) < 0x20 => line.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => line.push(other),
        }
    }
    line.push('"');
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// How far a long command is.
    Progress(Progress),
    /// Done, and what came of it; the last line.
    Ok(Value),
    /// Not done, and why; the last line.
    Error(Fault),
}

/// How far a long command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done.
    pub done: u64,
    /// Steps in all; zero where that is not known.
    pub of: u64,
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The kind, for machines.
    pub code: FaultCode,
    /// A sentence for people, saying what to do where something can be done.
    pub message: String,
    /// The refusal of the books, where it was theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

impl Fault {
    /// A fault of a kind.
    pub fn new(code: FaultCode, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into(), refusal: None }
    }
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// What was sent or typed is not understood.
    BadRequest,
    /// Name or secret are not right; which of them is not said.
    NotProven,
    /// Too many wrong secrets in a row.
    Paused,
    /// The books refused.
    Refused,
    /// There is no such thing.
    NotFound,
    /// Too much at once.
    Busy,
    /// The server is ending.
    Stopping,
    /// No process of the cluster decides, or none that the one that was asked is linked to.
    NobodyDecides,
    /// Something failed in the server; its log says more.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written_whatever_the_secret_holds() {
        for secret in ["plain enough words", "\"quoted\" \\ back", "tab\tline\nnull\u{0}", "ключ 钥匙 🔑"] {
            let request = Request {
                staff: Some(Credentials { name: "maker \"a\"".into(), secret: secret.into() }),
                new_secret: Some(secret.into()),
                command: Command::Propose(Measure::EnrolStaff { name: "checker".into() }),
            };
            let line = request.to_line().expect("a line");
            assert_eq!(line.matches('\n').count(), 1, "one line, whatever the secret holds");
            let read = Request::parse(line.trim_end().as_bytes()).expect("a request");
            let staff = read.staff.expect("staff");
            assert_eq!(staff.name, "maker \"a\"");
            assert_eq!(staff.secret.expose(), secret);
            assert_eq!(read.new_secret.expect("a new secret").expose(), secret);
            assert_eq!(read.command, request.command);
        }
    }

    #[test]
    fn what_is_no_request_is_refused_without_repeating_it() {
        for line in [
            "",
            "{}",
            "[]",
            "{\"command\":\"dance\"}",
            "{\"staff\":\"a\",\"command\":\"staff\"}",
            "{\"secret\":\"hush-hush-hush\",\"command\":\"staff\"}",
            "{\"staff\":\"a\",\"secret\":\"hush-hush-hush\",\"command\":{\"approve\":{\"proposal\":-1}}}",
            "{\"staff\":\"a\",\"secret\":\"hush-hush-hush\",\"command\":\"hush-hush-hush\"}",
            "{\"staff\":\"a\",\"secret\":\"s\",\"command\":\"staff\",\"more\":1}",
        ] {
            let Err(told) = Request::parse(line.as_bytes()) else { panic!("{line} was taken") };
            assert!(!told.contains("hush"), "{told}");
        }
    }

    #[test]
    fn longest_secrets_fit_the_line_without_growing_it() {
        let longest = "\u{1}".repeat(encryption::password::MAX_OCTETS);
        let request = Request {
            staff: Some(Credentials { name: "n".repeat(64), secret: Secret::new(longest.clone()) }),
            new_secret: Some(Secret::new(longest)),
            command: Command::Staff,
        };
        assert!(request.to_line().expect("a line").len() < LONGEST_REQUEST);
    }
}
