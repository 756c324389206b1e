//! What operators do with keys, stores, processes and the configuration.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make the keys: the file that the configuration names, and its passphrase where there is none, or in its token
    #[command(after_help = "\
Examples:
  wakala keys init --set keys.file=./wakala.keys --set keys.passphrase_file=./passphrase
  wakala keys init --token

Keep copies of both files, apart from each other and from backups: without them no PIN can be proven.
A token must be initialised before, with the tool of its maker; a copy of it is made with that tool too.")]
    Init {
        /// In the token that the configuration names, and nowhere else
        #[arg(long)]
        token: bool,
    },
    /// Add a new version; what is made from now on is made with it
    #[command(after_help = "\
This changes the file, or the token. A running server goes on with the keys it has opened, which stays
correct; it uses the new version from its next start.")]
    Rotate,
    /// Forget an old version
    #[command(after_help = "\
Example:
  wakala keys retire 1

PINs and codes proven under it can then not be proven any more, and names sealed under it not be opened.
The running server is asked first how many stored proofs still need it; none may. Proofs move to the
newest version when their owners next use their PIN. A key retired in a token is destroyed there: restart
the server at once.")]
    Retire {
        /// Which version
        version: u32,
        /// Retire it although it may be needed, or nobody can be asked
        #[arg(long)]
        force: bool,
    },
    /// Which versions there are, and which of them the server still needs
    Show,
    /// The public keys that check what the platform signs
    #[command(after_help = "\
For whoever checks statements: heads of the chain, the trust account. One key for each live version, as
PEM; the id is in every signature. Hand it over in person, or on paper: a key that came the same way as
the statement proves nothing. Keys of retired versions are not shown any more, keep them.")]
    Public,
}

#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Copy the database file to the empty database at postgres.address, and prove that both hold the same
    #[command(after_help = "\
Examples:
  wakala migrate sqlite-to-postgres
  wakala migrate sqlite-to-postgres --from /var/lib/wakala/wakala.db

The server must be stopped. Either everything is copied or nothing; the file stays as it is. Put it away afterwards:
two platforms on the same books would pay twice.")]
    SqliteToPostgres {
        /// The database file [default: ledger.database]
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Cluster {
    /// Say which process decides, and what the one that is asked is
    #[command(after_help = "\
Examples:
  wakala cluster status
  wakala cluster status --json")]
    Status,
    /// Make an authority and a certificate with its key for each host, or those of further hosts
    #[command(after_help = "\
Examples:
  wakala cluster certificates ./cluster wakala1.example wakala2.example
  wakala cluster certificates ./cluster wakala3.example --authority /media/safe/authority.key    # later

Each host needs authority.pem and its own two files; no key leaves its host afterwards. authority.key is needed by no
host, and makes a member of the cluster out of anything: put it away, offline, until you add a host. Where it is lost, or
may have been read, make the whole set anew. Nothing that is there is replaced.")]
    Certificates {
        /// The authority.key of the cluster to which the hosts are added; without it a new authority is made
        #[arg(long, value_name = "FILE")]
        authority: Option<PathBuf>,
        /// The folder, made where it is not there
        folder: PathBuf,
        /// The hosts that stand in cluster.advertise: names or addresses
        #[arg(required = true)]
        hosts: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Whether the configuration is right; all that is wrong, at once
    Check,
    /// Every key as it stands, and where it was written
    Show,
}
