//! Time as the writer stamps it. The core has no clock: every moment comes in with a batch.

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Time(pub i64);

impl Time {
    /// So many seconds later.
    pub const fn plus_seconds(self, seconds: u32) -> Time {
        Time(self.0.saturating_add((seconds as i64).saturating_mul(1000)))
    }

    /// So many seconds earlier.
    pub const fn less_seconds(self, seconds: u32) -> Time {
        Time(self.0.saturating_sub((seconds as i64).saturating_mul(1000)))
    }
}

/// The moment of a batch: rising from batch to batch, with the ledger's business day and month in its own zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moment {
    /// The time.
    pub time: Time,
    /// Days since 1970-01-01 in the ledger's zone; never falls, whatever the wall clock does (I17).
    pub day: Day,
    /// Months since January 1970 in the ledger's zone; never falls.
    pub month: Month,
}

/// A business day: days since 1970-01-01 in the ledger's zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Day(pub i32);

/// A business month: months since January 1970 in the ledger's zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Month(pub i32);
