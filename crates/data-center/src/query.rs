//! Questions in SQL, whatever answers them.

use crate::records::Value;

/// What an answer hands over.
pub enum Part<'a> {
    /// The names of the columns; first, and once.
    Columns(Vec<&'a str>),
    /// A row.
    Row(Vec<Value>),
}
