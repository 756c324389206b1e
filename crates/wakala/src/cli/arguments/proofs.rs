//! The words for what proves the books, to their operators and to others.

use std::path::PathBuf;

use clap::Subcommand;

use super::Amount;

#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Recompute every balance and the chain from the rows alone
    #[command(after_help = "\
Examples:
  wakala ledger verify
  wakala ledger verify --database /var/backups/wakala/2026-11-22.db

  wakala ledger verify --month 2026-01
  wakala ledger verify --witness heads-2026-11.txt --public-key wakala.pem

By itself a log that was rewritten whole, or put back to an earlier day, verifies too. With the signed heads that a witness
has kept, it does not. Exits with 1 where it finds anything.")]
    Verify {
        /// A database that no server uses, for example a backup
        #[arg(long, value_name = "FILE", conflicts_with = "month")]
        database: Option<PathBuf>,
        /// A month that was taken out of the log, alone
        #[arg(long, value_name = "MONTH")]
        month: Option<String>,
        /// A file of signed heads that a witness has kept; may be repeated, oldest first
        #[arg(long, value_name = "FILE", conflicts_with = "month")]
        witness: Vec<PathBuf>,
        /// A file with the public keys that check them; without it those of the configuration are taken
        #[arg(long, value_name = "FILE", requires = "witness")]
        public_key: Vec<PathBuf>,
    },
    /// Check the signed heads that a witness has kept, by themselves; needs no database and no secrets
    #[command(after_help = "\
Examples:
  wakala ledger witness heads-2026-10.txt heads-2026-11.txt --public-key wakala.pem

Finds a changed line, a log that went back, and two logs under one name. Exits with 1 where it finds anything.")]
    Witness {
        /// The files, oldest first
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// A file with public keys; may be repeated
        #[arg(long, value_name = "FILE", required = true)]
        public_key: Vec<PathBuf>,
    },
    /// Print the head of the log, signed: a line to be kept elsewhere
    #[command(after_help = "\
Examples:
  wakala ledger head
  wakala ledger head | mail -s 'head of the log' auditor@example.org")]
    Head,
    /// Seal the oldest month of a PostgreSQL log and make a table of its own of it
    #[command(after_help = "\
Examples:
  wakala ledger detach 2026-01

What is sealed proves the rest of the log without the month, and the month without the rest. References of its closed
transfers are not known any more, and statements end where it ended.")]
    Detach {
        /// The month, as 2026-01
        month: String,
    },
    /// Every account of the platform, and whether all of it comes to nothing
    TrialBalance,
}

#[derive(Debug, Subcommand)]
pub enum TrustAccount {
    /// Propose to enter a balance that the bank has stated
    #[command(after_help = "\
Examples:
  wakala trust-account confirm 5000000 --as-of 2026-11-24T18:00 --statement 2026-118 --staff maker
  wakala trust-account confirm 5250000 --as-of 2026-11-25T18:00 --statement 2026-119 --includes deposit-7 --staff maker

Deposits and payments that are entered here after the statement's time are added to it, each with its own reference. One that
the statement has already is named with --includes, or it would count twice.")]
    Confirm {
        #[command(flatten)]
        amount: Amount,
        /// The time of the statement, in the ledger's zone
        #[arg(long, value_name = "MOMENT")]
        as_of: String,
        /// The bank's reference of the statement
        #[arg(long, value_name = "REFERENCE")]
        statement: String,
        /// A deposit or payment that the statement has and that is entered here later; may be repeated
        #[arg(long, value_name = "REFERENCE")]
        includes: Vec<String>,
    },
    /// Both sides as a signed text, that whoever has the public key can check
    #[command(after_help = "\
Examples:
  wakala trust-account statement --out trust-2026-11-24.txt
  wakala trust-account statement")]
    Statement {
        /// The file to make; it must not exist. Without it the text is printed
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Whether a statement was signed and adds up; needs no server and no secrets
    #[command(after_help = "\
Examples:
  wakala keys public > wakala.pem    # by the operator, handed over in person
  wakala trust-account check trust-2026-11-24.txt --public-key wakala.pem

docs/operating.md says how the same is done with openssl alone.")]
    Check {
        /// The statement
        file: PathBuf,
        /// A file with public keys; may be repeated
        #[arg(long, value_name = "FILE", required = true)]
        public_key: Vec<PathBuf>,
    },
}
