//! The versions of SQLite's schema.

use rusqlite::{Connection, TransactionBehavior, params};

use super::APPLICATION_ID;
use crate::migrations::{self, Applied, Migration};
use crate::store::StoreError;

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, least_compatible: 1, sql: include_str!("migrations/0001.sql") }];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER PRIMARY KEY,
    least_compatible INTEGER NOT NULL,
    checksum BLOB NOT NULL
) STRICT";

/// The version of the schema that this program writes.
pub(crate) fn known() -> i64 {
    migrations::known(MIGRATIONS)
}

/// Brings the schema up to date, in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLE)?;
    for migration in migrations::missing(MIGRATIONS, &applied(&transaction)?)? {
        transaction.execute_batch(migration.sql)?;
        let sql = "INSERT INTO migrations (version, least_compatible, checksum) VALUES (?1, ?2, ?3)";
        transaction.execute(sql, params![migration.version, migration.least_compatible, migration.checksum()])?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    for (table, number, name) in migrations::names() {
        let sql = format!("INSERT OR REPLACE INTO {table} (number, name) VALUES (?1, ?2)");
        transaction.prepare_cached(&sql)?.execute(params![number, name])?;
    }
    transaction.commit()?;
    Ok(())
}

/// Refuses a database that this program must not write, see [`migrations::missing`].
pub(crate) fn check(connection: &Connection) -> Result<(), StoreError> {
    migrations::missing(MIGRATIONS, &applied(connection)?).map(drop)
}

fn applied(connection: &Connection) -> Result<Vec<Applied>, StoreError> {
    let mut statement = connection.prepare("SELECT version, least_compatible, checksum FROM migrations")?;
    let applied = |row: &rusqlite::Row<'_>| {
        Ok(Applied { version: row.get(0)?, least_compatible: row.get(1)?, checksum: row.get(2)? })
    };
    Ok(statement.query_map([], applied)?.collect::<Result<_, _>>()?)
}
