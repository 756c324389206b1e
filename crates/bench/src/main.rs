//! `cargo xtask bench`: what the platform does in a second, on this machine, in one run.
//!
//! Three levels: decisions in memory; remittances made durable in each store, beside an ideal append-only log on the same disk
//! and PostgreSQL's own benchmark on the same server; and sealed transfers end to end over SMPP, with the load generator on the
//! same cores. Everything really happens: chain, fees, limits, message states, every commit flushed.

mod end_to_end;
mod engine;
mod figures;
mod ideal;
#[path = "../../data-center/tests/support/server.rs"]
mod server;
mod store;
mod town;

use std::path::PathBuf;

use clap::Parser;
use figures::Figures;
use store::{Database, File};

/// The program's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Measures the platform on this machine and prints a table; --json writes the same as JSON.
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  cargo xtask bench\n  cargo xtask bench --customers 100000 --marks 1 --json bench.json\n  \
                        cargo xtask bench --only postgresql --marks 1,10,50\n  \
                        cargo xtask bench --only end-to-end"
)]
struct Options {
    /// Customers with a wallet each
    #[arg(long, default_value_t = 1_000_000)]
    customers: u64,
    /// Millions of remittances, one after the other; where each mark is reached, several batches are compared
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10])]
    marks: Vec<u64>,
    /// Senders of the end-to-end part, each with a card
    #[arg(long, default_value_t = 20_000)]
    senders: u64,
    /// Where the databases are made; the disk that is measured
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Write all figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Recover these books and print what is resident, MiB: for the run itself
    #[arg(long, hide = true)]
    memory_of: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Decisions alone
    Decisions,
    /// Remittances made durable in a file, beside an ideal log
    Sqlite,
    /// The same on a PostgreSQL server started for it, beside pgbench
    Postgresql,
    /// Sealed transfers over SMPP
    EndToEnd,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(place) = &options.memory_of {
        let directory = options.directory.unwrap_or_else(std::env::temp_dir);
        return match place.contains("://") {
            true => engine::print_memory(&Database(place.clone()), &directory),
            false => engine::print_memory(&File(place.into()), &directory),
        };
    }
    let directory = match &options.directory {
        Some(directory) => tempfile::tempdir_in(directory)?,
        None => tempfile::tempdir()?,
    };
    let mut figures = Figures::of_this_machine(directory.path());
    let wanted = |part| options.only.is_empty() || options.only.contains(&part);
    let folder = |name: &str| -> anyhow::Result<PathBuf> {
        let folder = directory.path().join(name);
        std::fs::create_dir(&folder)?;
        Ok(folder)
    };
    if wanted(Part::Decisions) {
        engine::decisions(&mut figures, &folder("decisions")?)?;
    }
    if wanted(Part::Sqlite) {
        ideal::measure(&mut figures, directory.path())?;
        let folder = folder("sqlite")?;
        let keeper = File(folder.join("wakala.db"));
        engine::durable(&mut figures, &folder, &keeper, options.customers, &options.marks)?;
        // Room for what follows.
        std::fs::remove_dir_all(&folder)?;
    }
    if wanted(Part::Postgresql) {
        let server = store::server(directory.path());
        store::pgbench(&mut figures, &server)?;
        let keeper = Database(server.url());
        engine::durable(&mut figures, &folder("postgresql")?, &keeper, options.customers, &options.marks)?;
    }
    if wanted(Part::EndToEnd) {
        end_to_end::measure(&mut figures, &folder("end-to-end")?, options.senders)?;
    }
    print!("{}", figures.table());
    if let Some(path) = &options.json {
        std::fs::write(path, format!("{:#}\n", figures.json()))?;
    }
    Ok(())
}
