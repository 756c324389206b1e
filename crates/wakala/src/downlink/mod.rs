//! Outcome to message: what a [`Notice`](transaction_processing::Notice) says becomes words in the language of the one who is
//! told, at most a few short messages long.
//!
//! The words are in Fluent catalogues, one for each [`Language`](transaction_processing::number::Language), built into the
//! program. [`Catalogues::load`] proves that none lacks a text, so rendering itself cannot fail.

mod catalogue;
mod message;
pub mod outbox;
mod render;
mod style;
mod texts;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use catalogue::{CatalogueError, Catalogues};
pub use render::Outgoing;
pub use style::{NumberForm, Style, StyleError};
