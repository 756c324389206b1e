//! Where the books live durably, and the one writer that decides.
//!
//! [`DataCenter`] owns the [`transaction_processing::Books`] and a [`Store`]: it decides a batch of requests in order, makes
//! its rows durable in one commit, and only then gives the answers. [`Writer`] does the same on two threads, so that one
//! batch is decided while the one before is flushed. A [`Fatal`] from either means that the process must stop; restart
//! recovers.
//!
//! What is kept: an append-only, hash-chained log whose rows carry the balances and states that result, and a checkpoint of
//! the state that rolls behind it. What is erasable (codes, names, documents) stands outside the chain, which covers only its
//! commitments. `docs/schema.md` describes the tables for whoever reads them.

mod audit;
pub mod batch;
mod center;
mod dirty;
pub mod encoding;
mod history;
mod load;
mod location;
mod looked_up;
pub mod messages;
mod migrations;
pub mod postgres;
mod queue;
mod reading;
mod records;
mod recovered;
mod seal;
pub mod sqlite;
mod store;
mod sweep;
mod verify;
mod writer;

/// Threads and what they share; where their interleavings are searched, `crate::sync` and `crate::thread` are others (see
/// `crates/interleavings`).
use std::{sync, thread};

pub use audit::{Finding, Report, differences};
pub use batch::Position;
pub use center::{Answer, DataCenter};
pub use encoding::{Malformed, put_request, take_request};
pub use location::{Condition, Location, Part};
pub use messages::{Message, MessageChange, MessageState, NoticeId, Untold};
pub use postgres::Postgres;
pub use records::Value;
pub use sqlite::Sqlite;
pub use store::{Fatal, History, Loaded, Lost, Store, StoreError};
pub use sweep::SPAN;
pub use writer::{Bounds, Decided, Deciding, Place, Refused, Reply, Stopped, Undecided, Unrecorded, Writer};
