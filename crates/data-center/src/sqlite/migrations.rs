//! The schema's versions. Only forward; each is embedded, checksummed, and says from which version on a program can still
//! write the database.

use rusqlite::{Connection, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use transaction_processing::Refusal;
use transaction_processing::request::Kind;

use super::APPLICATION_ID;
use crate::messages::MessageState;
use crate::store::StoreError;

struct Migration {
    version: i64,
    /// The least version of the schema that a program must know to write a database with this one.
    least_compatible: i64,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, least_compatible: 1, sql: include_str!("migrations/0001.sql") }];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER PRIMARY KEY,
    least_compatible INTEGER NOT NULL,
    checksum BLOB NOT NULL
) STRICT";

/// The version of the schema that this program writes.
pub(crate) fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Brings the schema up to date, in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLE)?;
    check(&transaction)?;
    let applied: i64 =
        transaction.query_row("SELECT coalesce(max(version), 0) FROM migrations", [], |row| row.get(0))?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > applied) {
        transaction.execute_batch(migration.sql)?;
        let sql = "INSERT INTO migrations (version, least_compatible, checksum) VALUES (?1, ?2, ?3)";
        transaction.execute(sql, params![migration.version, migration.least_compatible, checksum(migration)])?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    name_numbers(&transaction)?;
    transaction.commit()?;
    Ok(())
}

/// Refuses a database that this program must not write: one of a later program that says so, or one whose past migrations
/// are not ours.
pub(crate) fn check(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare("SELECT version, least_compatible, checksum FROM migrations")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (version, least): (i64, i64) = (row.get(0)?, row.get(1)?);
        if least > known() {
            return Err(StoreError::TooNew { least, known: known() });
        }
        let sum: Vec<u8> = row.get(2)?;
        let ours = MIGRATIONS.iter().find(|migration| migration.version == version);
        if ours.is_some_and(|migration| checksum(migration) != sum.as_slice()) {
            return Err(StoreError::ForeignMigration(version));
        }
    }
    Ok(())
}

fn checksum(migration: &Migration) -> [u8; 32] {
    Sha256::digest(migration.sql.as_bytes()).into()
}

/// Writes down the names of numbered things, for whoever reads the log with other tools.
fn name_numbers(connection: &Connection) -> Result<(), StoreError> {
    let put = |table: &str, number: u8, name: &str| -> Result<(), StoreError> {
        let sql = format!("INSERT OR REPLACE INTO {table} (number, name) VALUES (?1, ?2)");
        connection.prepare_cached(&sql)?.execute(params![number, name])?;
        Ok(())
    };
    for kind in Kind::ALL {
        put("requests", *kind as u8, kind.name())?;
    }
    for refusal in Refusal::ALL {
        put("refusals", *refusal as u8, refusal.name())?;
    }
    for state in MessageState::ALL {
        put("message_states", *state as u8, state.name())?;
    }
    Ok(())
}
