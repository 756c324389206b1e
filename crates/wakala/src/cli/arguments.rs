//! The command line: what may be typed, with help and examples.

mod operation;
mod proofs;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::{exit, version};
use crate::administration::protocol::{Sum, Tier};
pub use operation::{Cluster, Config, Keys, Migrate};
pub use proofs::{Ledger, TrustAccount};

/// Mobile money by short message: people send money to any phone number, agents pay it out.
#[derive(Debug, Parser)]
#[command(name = "wakala", version = version::line(), after_help = exit::EXPLAINED, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The configuration file; without it $WAKALA_CONFIG, or /etc/wakala/wakala.toml if it is there
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// Set one key of the configuration; may be repeated
    #[arg(long, global = true, value_name = "SECTION.KEY=VALUE", help_heading = "Global options")]
    pub set: Vec<String>,
    /// Print JSON, for machines
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
}

/// Who asks.
#[derive(Debug, Clone, Default, Args)]
pub struct By {
    /// Your name as staff
    #[arg(long, global = true, value_name = "NAME", help_heading = "Staff")]
    pub staff: Option<String>,
    /// The file with your secret; without it you type it, unseen
    #[arg(long, global = true, value_name = "FILE", help_heading = "Staff")]
    pub secret_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the platform until it is asked to stop
    #[command(after_help = "\
Examples:
  wakala serve --config /etc/wakala/wakala.toml
  wakala serve --set log.format=text --set ledger.database=./wakala.db

SIGTERM drains within administration.drain_seconds; a second one ends at once.")]
    Serve,
    /// Show the platform with phones, money and people of its own, nothing to be set up
    #[command(after_help = "\
Examples:
  wakala demo            # a page of phones at a printed address
  wakala demo --story    # the whole flow without a person; exits with 0 where all is as it must be")]
    Demo(crate::demo::Options),
    /// A phone for the terminal: a line typed is a message sent
    #[command(after_help = "\
Examples:
  wakala handset --centre 127.0.0.1:2776 --number +255712000002
  wakala handset --centre 127.0.0.1:2776 --number +255712000002 --iccid 89255010000000000017 --show-wire
  echo 'HP' | wakala handset --centre 127.0.0.1:2776 --number +255712000002

The message centre is one of ours that has opened its radio. With --iccid everything is sealed with the keys
of that card, made from the configured key file: for trials by whoever may read that file.")]
    Handset(Handset),
    /// Make and look after the key file
    #[command(subcommand)]
    Keys(Keys),
    /// The people who may propose and approve
    Staff {
        #[command(flatten)]
        by: By,
        #[command(subcommand)]
        command: Staff,
    },
    /// Money in the system, and the approval of every proposal
    #[command(after_help = "\
Whatever changes the books takes two people: a maker proposes, a different checker approves.

Examples:
  wakala treasury issue 5000000 --bank-reference deposit-2026-118 --staff maker
  wakala treasury approve 12 --staff checker
  wakala treasury balance")]
    Treasury {
        #[command(flatten)]
        by: By,
        #[command(subcommand)]
        command: Treasury,
    },
    /// The trust account: what all wallets hold, what the bank holds for them, and the difference
    #[command(after_help = "\
Both sides are compared all the time; a difference is in the log within a minute, and in the metric wakala_trust_alarm.
What the bank holds is its last statement, entered by two people, and what was issued and redeemed since.

Examples:
  wakala trust-account
  wakala trust-account confirm 5000000 --as-of 2026-11-24T18:00 --statement 2026-118 --staff maker
  wakala trust-account statement --out trust-2026-11-24.txt
  wakala trust-account check trust-2026-11-24.txt --public-key wakala.pem

Exits with 1 where both sides differ.")]
    TrustAccount {
        #[command(flatten)]
        by: By,
        #[command(subcommand)]
        command: Option<TrustAccount>,
    },
    /// Agents and their float
    #[command(after_help = "\
Examples:
  wakala agent enrol 1042 0712000007 --name \"Corner Shop\" --own-number 0754000007 --staff maker
  wakala agent float supply 1042 200000 --staff maker
  wakala agent show 1042 --staff maker")]
    Agent {
        #[command(flatten)]
        by: By,
        #[command(subcommand)]
        command: Agent,
    },
    /// Care for customers
    #[command(after_help = "\
Numbers are typed as at home or with + and the country's code. Each measure is a proposal that a
checker must approve with `wakala treasury approve`.

Examples:
  wakala customer show 0712000002 --staff maker
  wakala customer reset-pin 0712000002 --staff maker
  wakala customer change-number 0712000002 0713000002 --staff maker
  wakala customer erase 0712000002 --staff maker")]
    Customer {
        #[command(flatten)]
        by: By,
        #[command(subcommand)]
        command: Customer,
    },
    /// Transfers by their reference
    #[command(after_help = "\
Examples:
  wakala transfer show 482913375520 --staff maker
  wakala transfer reverse 482913375520 --staff maker
  wakala transfer undelivered --staff maker")]
    Transfer {
        #[command(flatten)]
        by: By,
        #[command(subcommand)]
        command: Transfer,
    },
    /// The ledger's proofs
    #[command(subcommand)]
    Ledger(Ledger),
    /// Ask the documented views; nothing can be changed
    #[command(after_help = "\
Examples:
  wakala sql \"SELECT * FROM trial_balance\"
  wakala sql --json \"SELECT at, request, transfer FROM journal ORDER BY sequence DESC LIMIT 20\"

docs/schema.md explains the tables and views.")]
    Sql {
        /// One SELECT statement
        query: String,
    },
    /// Copy the database while it is in use
    #[command(after_help = "\
Example:
  wakala backup /var/backups/wakala/2026-11-22.db

The server writes the file, with its own rights. The key file is not in it: keep a copy of that elsewhere.")]
    Backup {
        /// The file to make; it must not exist
        file: PathBuf,
    },
    /// Put a backup in the place of the database; the server must be stopped
    #[command(after_help = "\
Example:
  systemctl stop wakala && wakala restore /var/backups/wakala/2026-11-22.db && systemctl start wakala

The restored database opens a new epoch: numbers jump ahead, texts from before the backup are not sent
again, and repeated messages are still known.")]
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Move the books from one kind of store to another
    #[command(subcommand)]
    Migrate(Migrate),
    /// Check the database's own structure
    #[command(after_help = "\
Examples:
  wakala check
  wakala check --database /var/backups/wakala/2026-11-22.db")]
    Check {
        /// A database that no server uses, for example a backup
        #[arg(long, value_name = "FILE")]
        database: Option<PathBuf>,
    },
    /// Several processes on one PostgreSQL server
    #[command(subcommand)]
    Cluster(Cluster),
    /// The configuration
    #[command(subcommand)]
    Config(Config),
    /// Print shell completions
    #[command(after_help = "\
Example:
  wakala completions bash > /etc/bash_completion.d/wakala")]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the versions of program and schema, and those of the running server
    Version,
}

/// A terminal phone.
#[derive(Debug, Clone, Args)]
pub struct Handset {
    /// The radio of the message centre
    #[arg(long, value_name = "HOST:PORT")]
    pub centre: String,
    /// The phone's number, international form
    #[arg(long)]
    pub number: String,
    /// To whom it writes; without it messages.short_code of the configuration
    #[arg(long, value_name = "NUMBER")]
    pub short_code: Option<String>,
    /// The serial of its card: everything is sealed then
    #[arg(long, value_name = "SERIAL")]
    pub iccid: Option<String>,
    /// Where the card keeps its counter; without it SERIAL.counter here
    #[arg(long, value_name = "FILE", requires = "iccid")]
    pub counter_file: Option<PathBuf>,
    /// Show the octets as they travel
    #[arg(long)]
    pub show_wire: bool,
    /// How long to wait for answers at the end of the input
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub linger: u64,
}

#[derive(Debug, Subcommand)]
pub enum Staff {
    /// Enrol somebody: the first two at once, further ones by a proposal
    #[command(after_help = "\
Examples:
  wakala staff add maker                  # the first two, each choosing a secret
  wakala staff add checker
  wakala staff add chausiku --staff maker # later ones: a proposal that checker approves")]
    Add {
        /// The name they sign with
        name: String,
        /// The file with the secret that they chose; without it they type it, unseen
        #[arg(long, value_name = "FILE")]
        new_secret_file: Option<PathBuf>,
    },
    /// All members of staff
    List,
    /// Take another secret for yourself: the old one is asked for, nobody need approve
    #[command(after_help = "\
Examples:
  wakala staff secret --staff maker       # the old one, then the new one twice")]
    Secret {
        /// The file with the new secret; without it you type it, unseen
        #[arg(long, value_name = "FILE")]
        new_secret_file: Option<PathBuf>,
    },
    /// Let somebody act no more (a proposal)
    Dismiss {
        /// The name they sign with
        name: String,
    },
}

/// An amount and its currency.
#[derive(Debug, Clone, Args)]
pub struct Amount {
    /// Whole currency with its decimals: 500 or 500.50
    pub amount: String,
    /// ISO 4217; without it the ledger's currency
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
}

impl From<&Amount> for Sum {
    fn from(typed: &Amount) -> Sum {
        Sum { amount: typed.amount.clone(), currency: typed.currency.clone() }
    }
}

#[derive(Debug, Subcommand)]
pub enum Treasury {
    /// Propose to create money against a deposit that the bank confirmed
    Issue {
        #[command(flatten)]
        amount: Amount,
        /// The bank's reference of the deposit; each serves once
        #[arg(long, value_name = "REFERENCE")]
        bank_reference: String,
    },
    /// Propose to destroy money against a payment by the bank
    Redeem {
        #[command(flatten)]
        amount: Amount,
        /// The bank's reference of the payment; each serves once
        #[arg(long, value_name = "REFERENCE")]
        bank_reference: String,
    },
    /// Propose to move earned fees to the operator's funds
    CollectFees {
        #[command(flatten)]
        amount: Amount,
    },
    /// Approve a proposal that somebody else made
    Approve {
        /// Its number
        proposal: u64,
        /// Do not show it and ask first
        #[arg(long, short)]
        yes: bool,
    },
    /// Reject a proposal, or withdraw your own
    Reject {
        /// Its number
        proposal: u64,
    },
    /// Open proposals, or one in full
    Proposals {
        /// Only this one, in full
        proposal: Option<u64>,
        /// Closed ones too
        #[arg(long)]
        all: bool,
        /// Numbers in full
        #[arg(long)]
        full_numbers: bool,
    },
    /// The trial balance
    Balance,
}

#[derive(Debug, Subcommand)]
pub enum Agent {
    /// Propose a new agent, who gets a one-time PIN by message
    Enrol {
        /// The code that people type, 1 to 999999
        code: u32,
        /// The agent's number
        number: String,
        /// The agent's name
        #[arg(long)]
        name: String,
        /// Another number of the agent's own; may be repeated
        #[arg(long, value_name = "NUMBER")]
        own_number: Vec<String>,
    },
    /// All agents
    List {
        /// Numbers in full
        #[arg(long)]
        full_numbers: bool,
    },
    /// One agent in full
    Show {
        /// The code
        code: u32,
    },
    /// Float of an agent
    #[command(subcommand)]
    Float(Float),
}

#[derive(Debug, Subcommand)]
pub enum Float {
    /// Propose to give an agent float from the operator's funds
    Supply {
        /// The agent's code
        code: u32,
        #[command(flatten)]
        amount: Amount,
    },
    /// Propose to take float back into the operator's funds
    Withdraw {
        /// The agent's code
        code: u32,
        #[command(flatten)]
        amount: Amount,
    },
}

#[derive(Debug, Subcommand)]
pub enum Customer {
    /// What is known of a number
    Show {
        /// The number
        number: String,
    },
    /// Propose another tier
    SetTier {
        /// The number
        number: String,
        /// The tier
        tier: Tier,
    },
    /// Propose to end the lock after wrong PINs
    UnlockPin {
        /// The number
        number: String,
    },
    /// Propose to send a one-time PIN to the handset
    ResetPin {
        /// The number
        number: String,
    },
    /// Propose to stop an account
    Freeze {
        /// The number
        number: String,
    },
    /// Propose to let a stopped account be used again
    Unfreeze {
        /// The number
        number: String,
    },
    /// Propose to close an account; what is left goes to unclaimed money, with a case
    Close {
        /// The number
        number: String,
    },
    /// Propose to move an account to another number
    ChangeNumber {
        /// From this number
        number: String,
        /// To this one
        to: String,
    },
    /// Propose to clear a number that the operator gave to somebody else
    RecycleNumber {
        /// The number
        number: String,
    },
    /// Propose to erase the personal texts of a number's owner: names, identity documents
    #[command(after_help = "\
Examples:
  wakala customer erase 0712000002 --staff maker
  wakala customer erase 0712000002 --former-owners --staff maker   # the number has a new owner, who keeps the name

What the law wants kept stays: numbers, amounts and times are in the log. Backups keep the texts until they are deleted.")]
    Erase {
        /// The number
        number: String,
        /// Only what stands there from before its present owner
        #[arg(long)]
        former_owners: bool,
    },
    /// Propose to bind a card: the number is then served sealed only
    BindCard {
        /// The number
        number: String,
        /// The card's serial, 18 to 20 digits
        iccid: String,
    },
    /// Propose to forget a number's card: it is then served in plain
    ForgetCard {
        /// The number
        number: String,
    },
    /// Open cases
    Cases {
        /// Settled ones too
        #[arg(long)]
        all: bool,
        /// Numbers in full
        #[arg(long)]
        full_numbers: bool,
    },
    /// Propose to pay what a closed account left to its owner's new account
    PayUnclaimed {
        /// The case
        case: u64,
        /// The owner's number now
        number: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Transfer {
    /// One transfer: where it stands, what happened, what was told
    Show {
        /// The twelve digits of its reference
        reference: String,
    },
    /// Propose to give a credited transfer or a cash-in back
    Reverse {
        /// The twelve digits of its reference
        reference: String,
    },
    /// Messages known not to be delivered
    Undelivered {
        /// Numbers in full
        #[arg(long)]
        full_numbers: bool,
    },
}
