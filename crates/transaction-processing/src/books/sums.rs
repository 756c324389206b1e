//! What all accounts hold together, kept as balances change: nobody has to look at a million accounts to know it.

use alloc::collections::BTreeMap;

use crate::account::{Account, Holder};
use crate::bank::{Held, Whose};
use crate::money::Currency;

/// The sums of each currency.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sums(BTreeMap<Currency, Held>);

const NOTHING: Held = [(0, 0); Whose::ALL.len()];

impl Sums {
    /// Added up, account by account.
    pub(super) fn of<'a>(accounts: impl Iterator<Item = &'a Account>) -> Sums {
        let mut sums = Sums::default();
        accounts.for_each(|account| sums.add(account));
        sums
    }

    pub(super) fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.0.keys().copied()
    }

    pub(super) fn held(&self, currency: Currency) -> Held {
        self.0.get(&currency).copied().unwrap_or(NOTHING)
    }

    pub(super) fn add(&mut self, account: &Account) {
        if let Some((accounts, sum)) = self.place(account.currency, account.holder) {
            *accounts = accounts.wrapping_add(1);
            *sum = sum.wrapping_add(account.balance);
        }
    }

    pub(super) fn take_away(&mut self, account: &Account) {
        if let Some((accounts, sum)) = self.place(account.currency, account.holder) {
            *accounts = accounts.wrapping_sub(1);
            *sum = sum.wrapping_sub(account.balance);
        }
    }

    /// A balance has changed by so much. All money of a currency fits one amount (I14), so that what wraps around while a
    /// checkpoint is loaded, whose records are of different moments, comes back.
    pub(super) fn shift(&mut self, currency: Currency, holder: Holder, by: i64) {
        if let Some((_, sum)) = self.place(currency, holder) {
            *sum = sum.wrapping_add(by);
        }
    }

    /// None for the mirror of the trust account, which holds nothing.
    fn place(&mut self, currency: Currency, holder: Holder) -> Option<&mut (u64, i64)> {
        let whose = Whose::of(holder)?;
        let held = self.0.entry(currency).or_insert(NOTHING);
        Whose::ALL.into_iter().zip(held).find(|(of, _)| *of == whose).map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SystemAccount;

    #[test]
    fn sums_are_those_of_the_accounts_and_a_balance_that_changed_without_them_is_found() {
        let (shilling, franc) =
            (Currency { numeric: 834, minor_digits: 2 }, Currency { numeric: 646, minor_digits: 0 });
        let account = |role, currency, balance| Account { balance, ..Account::of_system(role, currency) };
        let mut fees = account(SystemAccount::Fees, shilling, 5);
        let others = [account(SystemAccount::Trust, shilling, -9), account(SystemAccount::Fees, franc, 4)];
        let of = |fees: &Account| Sums::of(others.iter().chain([fees]));
        let mut sums = of(&fees);
        let is_fees = |(whose, _): &(Whose, (u64, i64))| *whose == Whose::Platform(SystemAccount::Fees);
        let of_fees = |sums: &Sums, of| Whose::ALL.into_iter().zip(sums.held(of)).find(is_fees).map(|(_, held)| held);
        assert_eq!((of_fees(&sums, shilling), of_fees(&sums, franc)), (Some((1, 5)), Some((1, 4))));
        assert!(sums.currencies().eq([franc, shilling]));
        fees.balance = 7;
        assert!(of(&fees) != sums);
        sums.shift(shilling, fees.holder, 2);
        assert!(of(&fees) == sums);
        sums.take_away(&fees);
        sums.add(&account(SystemAccount::Fees, shilling, 0));
        assert_eq!(of_fees(&sums, shilling), Some((1, 0)));
    }
}
