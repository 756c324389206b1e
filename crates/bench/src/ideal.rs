//! What the disk itself gives: an append-only log of checksum-sized records, one fdatasync a batch. Nothing durable on this disk
//! can be faster; it is the measure for everything else in the run.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::figures::Figures;

/// Octets of a record: about what a remittance needs.
const RECORD: usize = 256;
const SPEND: Duration = Duration::from_secs(3);

pub fn measure(figures: &mut Figures, directory: &Path) -> anyhow::Result<()> {
    for batch in [1_usize, 64, 1024] {
        let path = directory.join(format!("ideal-{batch}.log"));
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let octets = vec![0x5a; RECORD * batch];
        let began = Instant::now();
        let mut records = 0;
        while began.elapsed() < SPEND {
            file.write_all(&octets)?;
            file.sync_data()?;
            records += batch as u64;
        }
        figures.rate(format!("ideal log, fdatasync, batch {batch}"), records, began.elapsed());
        std::fs::remove_file(path)?;
    }
    Ok(())
}
