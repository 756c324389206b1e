//! Where the books of a measurement are kept: a file, or a PostgreSQL server that is started for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use data_center::postgres::{Settings, Standbys};
use data_center::{Postgres, Sqlite, Store, StoreError};
use transaction_processing::Currency;

use crate::figures::Figures;
use crate::server::Server;

/// What a server of any size is given: room for its pages, and for its log between two checkpoints. What makes a commit
/// durable (fsync, full_page_writes, synchronous_commit) is as it comes.
const SETTINGS: [&str; 4] = ["shared_buffers=1GB", "min_wal_size=2GB", "max_wal_size=8GB", "checkpoint_timeout=15min"];

/// A server that has been used for a while has the files of its log and writes them over; a new one fills each with zeros first.
const FILES: &str = "DO $$ BEGIN
    FOR file IN 1..100 LOOP
        PERFORM pg_logical_emit_message(false, '', ''), pg_switch_wal();
    END LOOP;
END $$";

/// How long pgbench runs, s.
const PGBENCH_SECONDS: &str = "15";

/// Keeps the books of a town.
pub trait Keeper {
    /// As what.
    type Books: Store;

    /// What it is called in the figures.
    fn name(&self) -> &'static str;

    /// Opens the books, or founds them.
    fn open(&self, currencies: &[Currency]) -> Result<Self::Books, StoreError>;

    /// How large they are.
    fn octets(&self) -> anyhow::Result<f64>;

    /// How another process of this program finds them.
    fn place(&self) -> String;
}

/// A file of SQLite's.
pub struct File(pub PathBuf);

impl Keeper for File {
    type Books = Sqlite;

    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn open(&self, currencies: &[Currency]) -> Result<Sqlite, StoreError> {
        Sqlite::open(&self.0, currencies)
    }

    fn octets(&self) -> anyhow::Result<f64> {
        Ok(std::fs::metadata(&self.0)?.len() as f64)
    }

    fn place(&self) -> String {
        self.0.display().to_string()
    }
}

/// A database of a PostgreSQL server on this machine, without standbys.
pub struct Database(pub String);

impl Keeper for Database {
    type Books = Postgres;

    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn open(&self, currencies: &[Currency]) -> Result<Postgres, StoreError> {
        let mut settings = Settings::parse(&self.0)?;
        settings.standbys = Standbys::None;
        // Nothing is renewed for minutes while a million records are loaded by a busy machine.
        settings.lease = Duration::from_secs(60);
        Postgres::open(settings, currencies)
    }

    fn octets(&self) -> anyhow::Result<f64> {
        let settings = Settings::parse(&self.0)?;
        let mut octets = 0.0;
        data_center::postgres::query(&settings, "SELECT pg_database_size(current_database())", &mut |part| {
            if let data_center::Part::Row(row) = part
                && let Some(data_center::Value::Integer(size)) = row.first()
            {
                octets = *size as f64;
            }
            true
        })?;
        Ok(octets)
    }

    fn place(&self) -> String {
        self.0.clone()
    }
}

/// A server for the run, in a folder of its own under `directory`.
pub fn server(directory: &Path) -> Server {
    let server = Server::start_in(directory, &SETTINGS);
    server.sql(FILES);
    server.sql("CHECKPOINT");
    server
}

/// What the server's own benchmark says on the same server: eight connections, each transaction three updates, a question
/// and an insertion, one commit each.
pub fn pgbench(figures: &mut Figures, server: &Server) -> anyhow::Result<()> {
    server.pgbench(&["--initialize", "--scale=10", "--quiet"]);
    let said = server.pgbench(&["--client=8", "--jobs=2", "--time", PGBENCH_SECONDS, "--no-vacuum"]);
    let field = |label: &str| {
        let line = said.lines().find(|line| line.starts_with(label));
        let figure = line.and_then(|line| line.split(['=', ' ']).find_map(|word| word.parse::<f64>().ok()));
        figure.ok_or_else(|| anyhow::anyhow!("pgbench did not say its {label}: {said}"))
    };
    figures.add("pgbench (TPC-B), 8 connections, scale 10", field("tps")?, "/s");
    figures.add("pgbench, mean latency", field("latency average")?, "ms");
    Ok(())
}
