//! What an auditor asks: questions in SQL, in a transaction that can only read; verification; a look at the server.

use super::reading::PostgresHistory;
use super::settings::Settings;
use super::{migrations, safety};
use crate::audit::Report;
use crate::location::{Condition, Part};
use crate::reading::{Reading as _, values};
use crate::store::StoreError;

/// How long the server works at one question.
const LONGEST: &str = "60s";

/// Puts one statement to the database and hands over what it answers, row by row, until `each` says no.
///
/// # Errors
/// [`StoreError`] where the statement is none, would write, or asks for a type that has no text.
pub fn query(settings: &Settings, statement: &str, each: &mut dyn FnMut(Part<'_>) -> bool) -> Result<(), StoreError> {
    let mut reader = PostgresHistory::open(settings)?.at_one_moment()?;
    let session = reader.session();
    session.execute(&format!("SET LOCAL statement_timeout = '{LONGEST}'"))?;
    let statement = session.run(session.client().prepare(statement))?;
    if statement.columns().is_empty() {
        return Err(StoreError::Settings("this is no question: it has no answer".into()));
    }
    let columns: Vec<&str> = statement.columns().iter().map(tokio_postgres::Column::name).collect();
    let count = columns.len();
    if !each(Part::Columns(columns)) {
        return Ok(());
    }
    session.each_of::<i64>(&statement, &[], &mut |row| Ok(each(Part::Row(values(row, 0, count)?))))
}

/// Recomputes the chain and every balance from the rows alone, see [`crate::sqlite::verify`].
///
/// # Errors
/// [`StoreError`] where the database cannot be read at all; what is wrong in it is in the report.
pub fn verify(settings: &Settings, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, StoreError> {
    let mut reader = PostgresHistory::open(settings)?.at_one_moment()?;
    migrations::check(reader.session())?;
    crate::verify::verify(&mut reader, progress)
}

/// Looks at the server: what of its settings could lose a commit, versions, size.
///
/// # Errors
/// [`StoreError`].
pub fn check(settings: &Settings) -> Result<Condition, StoreError> {
    let mut reader = PostgresHistory::open(settings)?;
    migrations::check(reader.session())?;
    let schema = (migrations::applied_version(reader.session())?, migrations::known());
    let damage = match safety::check(reader.session(), settings.standbys) {
        Err(StoreError::Unsafe(wrong)) => wrong,
        other => other.map(|()| Vec::new())?,
    };
    let mut software = String::new();
    reader.each("SELECT 'PostgreSQL ' || current_setting('server_version')", &[], &mut |row| {
        software = row.text(0)?.unwrap_or_default().to_owned();
        Ok(true)
    })?;
    let octets = (reader.figure("SELECT pg_database_size(current_database())")?, 0);
    let restored = reader.figure("SELECT coalesce(max(restored), 0) FROM position")? != 0;
    Ok(Condition { software, schema, damage, octets, restored })
}
