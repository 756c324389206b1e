//! How SQLite is asked what it holds.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row, Statement};

use super::connect;
use crate::reading::{Columns, Currencies, Reading, Take, values};
use crate::records::{Table, Value};
use crate::store::StoreError;

/// A connection that is asked.
pub struct SqliteHistory {
    pub(super) connection: Connection,
    pub(super) currencies: Currencies,
}

impl SqliteHistory {
    /// Opens one that only reads.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<SqliteHistory, StoreError> {
        SqliteHistory::on(connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
    }

    /// Makes one of an open connection.
    pub(super) fn on(connection: Connection) -> Result<SqliteHistory, StoreError> {
        let mut reader = SqliteHistory { connection, currencies: Currencies::default() };
        let mut currencies = Currencies::default();
        reader.each(Currencies::QUESTION, &[], &mut |row| currencies.add(row))?;
        reader.currencies = currencies;
        Ok(reader)
    }
}

impl Reading for SqliteHistory {
    const WAITING_TRANSFERS: &'static str = "INDEXED BY transfers_waiting";
    const BY_OCTETS: &'static str = "COLLATE BINARY";

    fn currencies(&self) -> &Currencies {
        &self.currencies
    }

    fn each(&mut self, question: &str, parameters: &[i64], take: Take<'_>) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(question)?;
        each(&mut statement, rusqlite::params_from_iter(parameters), take)
    }

    fn records_in(
        &mut self,
        name: &str,
        table: &Table,
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Value>>>, StoreError> {
        let named = table.columns.iter().take(table.key).map(|column| format!("{column} = ?"));
        let conditions = named.collect::<Vec<_>>().join(" AND ");
        let question = format!("SELECT {} FROM {} WHERE {conditions}", table.columns.join(", "), name);
        let mut statement = self.connection.prepare_cached(&question)?;
        let find = |key: &Vec<Value>| {
            let mut found = None;
            each(&mut statement, rusqlite::params_from_iter(key), &mut |row| {
                found = Some(values(row, 0, table.columns.len())?);
                Ok(false)
            })?;
            Ok(found)
        };
        keys.iter().map(find).collect()
    }
}

fn each(statement: &mut Statement<'_>, parameters: impl rusqlite::Params, take: Take<'_>) -> Result<(), StoreError> {
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        if !take(row)? {
            break;
        }
    }
    Ok(())
}

impl Columns for Row<'_> {
    fn value(&self, index: usize) -> Result<Value, StoreError> {
        Ok(match self.get_ref(index)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Integer(value),
            ValueRef::Real(value) => Value::Real(value),
            ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
            ValueRef::Blob(value) => Value::Octets(value.to_vec()),
        })
    }

    fn integer(&self, index: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.get_ref(index)?.as_i64_or_null().map_err(rusqlite::Error::from)?)
    }

    fn octets(&self, index: usize) -> Result<Option<&[u8]>, StoreError> {
        Ok(self.get_ref(index)?.as_blob_or_null().map_err(rusqlite::Error::from)?)
    }

    fn text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        Ok(self.get_ref(index)?.as_str_or_null().map_err(rusqlite::Error::from)?)
    }
}
