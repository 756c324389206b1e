//! Where a database is, for whoever reads it beside the writer.

use std::fmt;
use std::path::PathBuf;

use transaction_processing::Row;
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::transfer::Transfer;

use crate::audit::Report;
use crate::messages::Untold;
use crate::records::Value;
use crate::store::{History, StoreError};
use crate::{postgres, sqlite};

/// Where a database is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file of SQLite's.
    File(PathBuf),
    /// On a PostgreSQL server.
    Server(Box<postgres::Settings>),
}

/// What the answer to a question hands over.
pub enum Part<'a> {
    /// The names of the columns; first, and once.
    Columns(Vec<&'a str>),
    /// A row.
    Row(Vec<Value>),
}

/// What a look at a database saw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// The software that keeps it, with its version.
    pub software: String,
    /// The version of the schema, and the latest that this program knows.
    pub schema: (i64, i64),
    /// What is wrong; empty where all is well.
    pub damage: Vec<String>,
    /// Octets of the database that are in use, and those that are free within it.
    pub octets: (u64, u64),
    /// Whether it was restored and waits for its epoch.
    pub restored: bool,
}

impl Location {
    /// A reader of what is committed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn history(&self) -> Result<Box<dyn History>, StoreError> {
        Ok(match self {
            Location::File(path) => Box::new(sqlite::SqliteHistory::open(path)?),
            Location::Server(settings) => Box::new(postgres::PostgresHistory::open(settings)?),
        })
    }

    /// Puts one question in SQL and hands over what it answers, row by row, until `each` says no. Nothing can be written.
    ///
    /// # Errors
    /// [`StoreError`] where it is no question.
    pub fn query(&self, question: &str, each: &mut dyn FnMut(Part<'_>) -> bool) -> Result<(), StoreError> {
        match self {
            Location::File(path) => sqlite::query(path, question, each),
            Location::Server(settings) => postgres::query(settings, question, each),
        }
    }

    /// Recomputes everything from the rows alone. `progress` is told how many rows of how many are done.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read at all; what is wrong in it is in the report.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, StoreError> {
        match self {
            Location::File(path) => sqlite::verify(path, progress),
            Location::Server(settings) => postgres::verify(settings, progress),
        }
    }

    /// Looks at what keeps the books: damage, settings, versions. [`Location::verify`] looks at what they mean.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn check(&self) -> Result<Condition, StoreError> {
        match self {
            Location::File(path) => sqlite::check(path),
            Location::Server(settings) => postgres::check(settings),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::File(path) => write!(f, "{}", path.display()),
            Location::Server(settings) => f.write_str(settings.address()),
        }
    }
}

impl History for Box<dyn History> {
    fn rows(&mut self, sequences: &[Sequence]) -> Result<Vec<Option<Row>>, StoreError> {
        (**self).rows(sequences)
    }

    fn transfers(&mut self, ids: &[TransferId]) -> Result<Vec<Option<Transfer>>, StoreError> {
        (**self).transfers(ids)
    }

    fn settled(&mut self) -> Result<Sequence, StoreError> {
        (**self).settled()
    }

    fn untold(&mut self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError> {
        (**self).untold(after, most)
    }
}
