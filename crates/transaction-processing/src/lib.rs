//! The ledger's rules: what a request does to the books, decided without clock, randomness, I/O or cryptography.
//!
//! A decision is a function: [`Books::decide`] takes the books as they stand, the moment that the writer stamped, and one
//! [`Request`], and answers with a [`Decision`]: a balanced journal or none, the changes of state, and the notices to be
//! told. [`Books::enter`] then applies it and yields the [`Row`] that becomes one row of the log. Nothing else changes a
//! balance, and the same rows replayed ([`Books::replay`]) give the same books.
//!
//! Where to look: one request is one file in [`requests`]; why something is refused is the closed list [`Refusal`]; whom to
//! tell is [`Notice`]; prices are in [`tariff`], ceilings in [`limits`].
#![no_std]
#![doc(test(attr(deny(warnings))))]
extern crate alloc;

pub mod account;
pub mod bank;
pub mod books;
pub mod decision;
pub mod ids;
pub mod journal;
pub mod limits;
pub mod money;
pub mod msisdn;
pub mod notice;
pub mod number;
pub mod policy;
pub mod proposal;
pub mod refusal;
pub mod request;
pub mod requests;
mod table;
pub mod tariff;
pub mod time;
pub mod transfer;

pub use books::{Books, Missing};
pub use decision::{Change, Decision, Row};
pub use journal::Journal;
pub use money::{Currency, Money};
pub use msisdn::Msisdn;
pub use notice::Notice;
pub use refusal::Refusal;
pub use request::Request;
