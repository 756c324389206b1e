//! What the bank says of the trust account, and what it must hold for the money that was issued against it (I21).
//!
//! The bank's word is a statement: a balance as of a moment. What was issued and redeemed later is added to it, because each
//! of these stands for a deposit or a payment of its own, with its reference. A deposit that the statement has already and
//! that is issued only afterwards is named with the statement, and not added.

use alloc::string::String;
use alloc::vec::Vec;

use crate::account::Holder;
use crate::books::Books;
use crate::ids::SystemAccount;
use crate::money::{Currency, Money};
use crate::time::Time;

/// A deposit to the trust account or a payment from it, as it was entered: its reference serves once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BankMovement {
    /// The bank's reference.
    pub reference: String,
    /// By so much the bank's balance rose or, below zero, fell; minor units.
    pub change: i64,
    /// Of which currency.
    pub currency: Currency,
    /// When money was issued or redeemed against it.
    pub at: Time,
}

/// A balance of the trust account that the bank confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BankBalance {
    /// How much.
    pub balance: Money,
    /// As of when.
    pub as_of: Time,
    /// The bank's reference of the statement.
    pub statement: String,
    /// Deposits and payments that are in this balance although they are entered after [`BankBalance::as_of`], or never.
    pub includes: Vec<String>,
    /// When it was entered.
    pub entered_at: Time,
}

impl BankBalance {
    /// Whether a movement must be added to this balance to have the balance of now.
    pub fn lacks(&self, movement: &BankMovement) -> bool {
        movement.currency == self.balance.currency()
            && movement.at > self.as_of
            && !self.includes.contains(&movement.reference)
    }
}

/// Whose money is summed up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Whose {
    /// Customers' wallets.
    Customers,
    /// Agents' floats.
    Agents,
    /// One of the platform's own accounts, the mirror of the trust account not among them.
    Platform(SystemAccount),
}

impl Whose {
    /// All of them, in order.
    pub const ALL: [Whose; 8] = [
        Whose::Customers,
        Whose::Agents,
        Whose::Platform(SystemAccount::TransfersInFlight),
        Whose::Platform(SystemAccount::Fees),
        Whose::Platform(SystemAccount::Levies),
        Whose::Platform(SystemAccount::Remainders),
        Whose::Platform(SystemAccount::UnclaimedMoney),
        Whose::Platform(SystemAccount::OperatorFunds),
    ];

    pub(crate) fn of(holder: Holder) -> Option<Whose> {
        match holder {
            Holder::Customer(_) => Some(Whose::Customers),
            Holder::Agent(_) => Some(Whose::Agents),
            Holder::System(SystemAccount::Trust) => None,
            Holder::System(role) => Some(Whose::Platform(role)),
        }
    }
}

/// How many accounts there are of each kind, and what stands on them, minor units; as in [`Whose::ALL`].
pub type Held = [(u64, i64); Whose::ALL.len()];

/// Both sides of the trust account of one currency: all electronic money there is, account by account, and what the bank holds
/// for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustAccount {
    /// The currency.
    pub currency: Currency,
    /// What all accounts hold.
    pub held: Held,
    /// The bank's last word, if it was ever entered.
    pub confirmed: Option<BankBalance>,
    /// What was deposited less what was paid out since that, minor units.
    pub moved: i64,
}

impl TrustAccount {
    /// The sides of some currencies, as the books have them.
    pub fn of(books: &Books, currencies: impl IntoIterator<Item = Currency>) -> Vec<TrustAccount> {
        currencies.into_iter().map(|currency| TrustAccount::in_one(books, currency)).collect()
    }

    fn in_one(books: &Books, currency: Currency) -> TrustAccount {
        let confirmed = books.bank_balance(currency.numeric).cloned();
        let lacking = books.bank_movements().filter(|movement| confirmed.as_ref().is_some_and(|of| of.lacks(movement)));
        let moved = lacking.fold(0_i64, |sum, movement| sum.saturating_add(movement.change));
        TrustAccount { currency, held: books.held(currency), confirmed, moved }
    }

    /// All electronic money, minor units.
    pub fn money(&self) -> i64 {
        self.held.iter().fold(0, |sum, (_, held)| sum.saturating_add(*held))
    }

    /// What the bank must have, minor units; none where it has never said anything.
    pub fn at_bank(&self) -> Option<i64> {
        self.confirmed.as_ref().map(|said| said.balance.minor().saturating_add(self.moved))
    }

    /// By how much the bank has more than there is electronic money, minor units: below zero money has no cover. None where
    /// the bank has never said anything.
    pub fn difference(&self) -> Option<i64> {
        self.at_bank().map(|at_bank| at_bank.saturating_sub(self.money()))
    }
}
