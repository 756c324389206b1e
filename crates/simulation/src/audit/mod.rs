//! Auditors: each counts by itself, and none trusts the platform.

pub mod codes;
pub mod money;
pub mod promises;
pub mod rows;

/// Something that is not as it must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding(pub String);

/// Nothing found, or the first thing.
pub type Verdict = Result<(), Finding>;
