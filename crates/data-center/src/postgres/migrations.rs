//! The versions of PostgreSQL's schema.

use super::session::Session;
use crate::migrations::{self, Applied, Migration};
use crate::reading::signed;
use crate::records::Value;
use crate::store::StoreError;

use super::rows::Rows;

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, least_compatible: 1, sql: include_str!("migrations/0001.sql") }];

/// Serialises processes that bring the schema up to date: a figure nobody else is likely to lock.
const LOCK: i64 = 0x576b_6c61;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    version bigint PRIMARY KEY,
    least_compatible bigint NOT NULL,
    checksum bytea NOT NULL
)";

/// The version of the schema that this program writes.
pub(super) fn known() -> i64 {
    migrations::known(MIGRATIONS)
}

/// Where an empty log stands.
pub(super) const START: &str = "INSERT INTO position VALUES \
    (1, 1, 0, 0, 0, decode(repeat('00', 32), 'hex'), 1, 0, 0, 0, 0, 0, 0)";

/// Brings the schema up to date, in one transaction.
pub(super) fn migrate(session: &mut Session) -> Result<(), StoreError> {
    session.execute("BEGIN")?;
    let done = found(session).and_then(|()| session.execute(&format!("{START} ON CONFLICT (one) DO NOTHING")));
    session.execute(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    done
}

/// The same within a transaction, and without a position.
pub(super) fn found(session: &mut Session) -> Result<(), StoreError> {
    session.execute(&format!("SELECT pg_advisory_xact_lock({LOCK}); {TABLE}"))?;
    for migration in migrations::missing(MIGRATIONS, &applied(session)?)? {
        session.execute(migration.sql)?;
        let insert = session.statement("INSERT INTO migrations SELECT * FROM unnest($1::migrations[])")?;
        let row = vec![
            Value::Integer(migration.version),
            Value::Integer(migration.least_compatible),
            Value::Octets(migration.checksum().to_vec()),
        ];
        session.run(session.client().execute(&insert, &[&Rows(&[row])]))?;
    }
    for table in ["requests", "refusals", "message_states"] {
        let named = migrations::names().filter(|(of, ..)| *of == table);
        let rows: Vec<_> =
            named.map(|(_, number, name)| vec![Value::Integer(number.into()), Value::Text(name.into())]).collect();
        let sql = format!(
            "INSERT INTO {table} SELECT * FROM unnest($1::{table}[])
            ON CONFLICT (number) DO UPDATE SET name = excluded.name WHERE {table}.name <> excluded.name"
        );
        let insert = session.statement(&sql)?;
        session.run(session.client().execute(&insert, &[&Rows(&rows)]))?;
    }
    Ok(())
}

/// Refuses a database that this program must not write, see [`migrations::missing`]. One that is still empty is none of ours.
pub(super) fn check(session: &mut Session) -> Result<(), StoreError> {
    migrations::missing(MIGRATIONS, &applied(session)?).map(drop)
}

/// Whether anything of ours is in the database yet.
pub(super) fn is_founded(session: &mut Session) -> Result<bool, StoreError> {
    let mut found = 0;
    session.each("SELECT (to_regclass('migrations') IS NOT NULL)::int::bigint", &[], &mut |row| {
        found = signed(row, 0)?;
        Ok(true)
    })?;
    Ok(found != 0)
}

/// The latest version that the database has.
pub(super) fn applied_version(session: &mut Session) -> Result<i64, StoreError> {
    Ok(applied(session)?.iter().map(|applied| applied.version).max().unwrap_or(0))
}

fn applied(session: &mut Session) -> Result<Vec<Applied>, StoreError> {
    let mut applied = Vec::new();
    session.each("SELECT version, least_compatible, checksum FROM migrations", &[], &mut |row| {
        applied.push(Applied {
            version: signed(row, 0)?,
            least_compatible: signed(row, 1)?,
            checksum: row.octets(2)?.unwrap_or_default().to_vec(),
        });
        Ok(true)
    })?;
    Ok(applied)
}
