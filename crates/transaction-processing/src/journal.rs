//! Double entry. A journal is a list of postings; each moves an amount from one account to another, so a journal that does
//! not balance cannot be written down (I2).

use alloc::vec::Vec;

use crate::ids::{AccountId, Sequence};
use crate::money::Money;

/// The most postings that one journal may have; a row of the log has a column for each.
pub const MOST_POSTINGS: usize = 6;

/// One movement: `amount` leaves `from` and reaches `to`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posting {
    /// The account that is debited.
    pub from: AccountId,
    /// The account that is credited.
    pub to: AccountId,
    /// More than nothing (I14).
    pub amount: Money,
}

/// What one decision does to balances: one to [`MOST_POSTINGS`] postings, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Journal(Vec<Posting>);

impl Journal {
    /// A journal of these postings, those of nothing left out; none where nothing is left, there are too many, or one would
    /// move money within one account.
    pub fn of(postings: impl IntoIterator<Item = Posting>) -> Option<Journal> {
        let postings: Vec<Posting> = postings.into_iter().filter(|posting| !posting.amount.is_zero()).collect();
        let sound = !postings.is_empty()
            && postings.len() <= MOST_POSTINGS
            && postings.iter().all(|posting| posting.from != posting.to);
        sound.then_some(Journal(postings))
    }

    /// The postings, in order.
    pub fn postings(&self) -> &[Posting] {
        &self.0
    }
}

/// A posting after it was entered: with the balances that resulted and the links of both accounts' histories.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entered {
    /// What moved.
    pub posting: Posting,
    /// Balance of `from` afterwards, minor units.
    pub from_balance: i64,
    /// Balance of `to` afterwards, minor units.
    pub to_balance: i64,
    /// The row before this one with an entry on `from`, zero for none; this row where an earlier posting of it was one.
    pub from_previous: Sequence,
    /// The row before this one with an entry on `to`, zero for none; this row where an earlier posting of it was one.
    pub to_previous: Sequence,
}
