//! The versions of a store's schema. Only forward; each is embedded, checksummed, and says from which version on a program can
//! still write the database. What is the same for every store stands here; each store has its own statements.

use sha2::{Digest, Sha256};
use transaction_processing::Refusal;
use transaction_processing::request::Kind;

use crate::messages::MessageState;
use crate::store::StoreError;

pub(crate) struct Migration {
    pub(crate) version: i64,
    /// The least version of the schema that a program must know to write a database with this one.
    pub(crate) least_compatible: i64,
    pub(crate) sql: &'static str,
}

impl Migration {
    pub(crate) fn checksum(&self) -> [u8; 32] {
        Sha256::digest(self.sql.as_bytes()).into()
    }
}

/// A migration that a database says it has had.
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) least_compatible: i64,
    pub(crate) checksum: Vec<u8>,
}

/// The version of the schema that a program with these migrations writes.
pub(crate) fn known(ours: &[Migration]) -> i64 {
    ours.last().map_or(0, |migration| migration.version)
}

/// Those of our migrations that a database has still to have.
///
/// # Errors
/// Refuses a database that this program must not write: one of a later program that says so, or one whose past migrations
/// are not ours.
pub(crate) fn missing<'a>(
    ours: &'a [Migration],
    applied: &[Applied],
) -> Result<impl Iterator<Item = &'a Migration> + use<'a>, StoreError> {
    for Applied { version, least_compatible, checksum } in applied {
        if *least_compatible > known(ours) {
            return Err(StoreError::TooNew { least: *least_compatible, known: known(ours) });
        }
        let same = ours.iter().find(|migration| migration.version == *version);
        if same.is_some_and(|migration| migration.checksum() != checksum.as_slice()) {
            return Err(StoreError::ForeignMigration(*version));
        }
    }
    let latest = applied.iter().map(|applied| applied.version).max().unwrap_or(0);
    Ok(ours.iter().filter(move |migration| migration.version > latest))
}

/// The names of numbered things with their tables, for whoever reads the log with other tools.
pub(crate) fn names() -> impl Iterator<Item = (&'static str, u8, &'static str)> {
    let requests = Kind::ALL.iter().map(|kind| ("requests", *kind as u8, kind.name()));
    let refusals = Refusal::ALL.iter().map(|refusal| ("refusals", *refusal as u8, refusal.name()));
    let states = MessageState::ALL.iter().map(|state| ("message_states", *state as u8, state.name()));
    requests.chain(refusals).chain(states)
}
