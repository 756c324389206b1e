//! Verification of a SQLite database.

use std::path::Path;

use super::migrations;
use super::reading::SqliteHistory;
use crate::audit::Report;
use crate::store::StoreError;

/// Recomputes the chain and every balance from the rows alone, follows every transfer, and compares every record of the
/// checkpoint with what the rows lead to. `progress` is told how many rows of how many are done. Codes and states of
/// messages stand outside the chain and are only looked at for rows that do not exist.
///
/// # Errors
/// [`StoreError`] where the database cannot be read at all; what is wrong in it is in the report.
pub fn verify(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, StoreError> {
    let mut reader = SqliteHistory::open(path)?;
    // One moment of the database, also while it is written.
    reader.connection.execute_batch("BEGIN")?;
    migrations::check(&reader.connection)?;
    crate::verify::verify(&mut reader, progress)
}
