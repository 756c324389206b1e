//! `cargo xtask bench`: what the platform does in a second, on this machine, in one run.
//!
//! Three levels: decisions in memory; remittances made durable, beside an ideal append-only log on the same disk; and sealed
//! transfers end to end over SMPP, with the load generator on the same cores. Everything really happens: chain, fees, limits,
//! message states, synchronous FULL.

mod end_to_end;
mod engine;
mod figures;
mod ideal;
mod town;

use std::path::PathBuf;

use clap::Parser;
use figures::Figures;

/// The program's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Measures the platform on this machine and prints a table; --json writes the same as JSON.
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  cargo xtask bench\n  cargo xtask bench --customers 100000 --rows 1000000 --json bench.json\n  \
                        cargo xtask bench --only end-to-end"
)]
struct Options {
    /// Customers with a wallet each
    #[arg(long, default_value_t = 1_000_000)]
    customers: u64,
    /// Rows in place before several batches are compared
    #[arg(long, default_value_t = 5_000_000)]
    rows: u64,
    /// Millions of remittances one after the other, for growth and restart
    #[arg(long, default_value_t = 10)]
    millions: u64,
    /// Senders of the end-to-end part, each with a card
    #[arg(long, default_value_t = 20_000)]
    senders: u64,
    /// Where the databases are made; the disk that is measured
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Only one part
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Write all figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Recover the books of a directory and print what is resident, MiB: for the run itself
    #[arg(long, hide = true)]
    memory_of: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Decisions,
    Durable,
    EndToEnd,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(directory) = &options.memory_of {
        return engine::print_memory(directory);
    }
    let directory = match &options.directory {
        Some(directory) => tempfile::tempdir_in(directory)?,
        None => tempfile::tempdir()?,
    };
    let mut figures = Figures::of_this_machine(directory.path());
    let wanted = |part| options.only.is_none_or(|only| only == part);
    if wanted(Part::Decisions) {
        engine::decisions(&mut figures, directory.path())?;
    }
    if wanted(Part::Durable) {
        ideal::measure(&mut figures, directory.path())?;
        engine::durable(&mut figures, directory.path(), options.customers, options.rows, options.millions)?;
    }
    if wanted(Part::EndToEnd) {
        end_to_end::measure(&mut figures, directory.path(), options.senders)?;
    }
    print!("{}", figures.table());
    if let Some(path) = &options.json {
        std::fs::write(path, format!("{:#}\n", figures.json()))?;
    }
    Ok(())
}
