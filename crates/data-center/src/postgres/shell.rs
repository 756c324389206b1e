//! Questions of an auditor in SQL, in a transaction that can only read.

use super::reading::PostgresHistory;
use super::settings::Settings;
use crate::audit::Report;
use crate::query::Part;
use crate::reading::values;
use crate::store::StoreError;

use super::migrations;

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
