//! What everyone holds: wallets, floats and the platform's own accounts, as the books have them now.

use transaction_processing::account::Account;
use transaction_processing::ids::SystemAccount;
use transaction_processing::{Books, Currency, Msisdn};

use super::cast::CAST;
use super::log::Holding;

/// The accounts, people first.
pub fn holdings(books: &Books, currency: Currency) -> Vec<Holding> {
    let people = CAST.iter().filter_map(|character| {
        let account = books.account_of(Msisdn::new(character.digits().parse().ok()?)?)?;
        Some(holding(character.name.to_owned(), Some(character.number), account))
    });
    let own = SystemAccount::ALL.into_iter().filter_map(|role| {
        let account = books.system(role, currency)?;
        Some(holding(name(role).to_owned(), None, account))
    });
    people.chain(own).collect()
}

/// Whether what everyone holds comes to nothing: the trust account stands below zero by exactly what was issued.
pub fn balanced(holdings: &[Holding]) -> bool {
    holdings.iter().map(|holding| i128::from(holding.minor)).sum::<i128>() == 0
}

fn holding(name: String, number: Option<&'static str>, account: &Account) -> Holding {
    let minor = account.balance();
    Holding { name, number, minor, balance: written(minor, account.currency) }
}

fn name(role: SystemAccount) -> &'static str {
    match role {
        SystemAccount::Trust => "Trust account",
        SystemAccount::TransfersInFlight => "Transfers in flight",
        SystemAccount::Fees => "Fees",
        SystemAccount::Levies => "Levies",
        SystemAccount::Remainders => "Remainders",
        SystemAccount::UnclaimedMoney => "Unclaimed money",
        SystemAccount::OperatorFunds => "Operator's funds",
    }
}

/// Minor units as people read them: `-1,234.50`.
pub fn written(minor: i64, currency: Currency) -> String {
    let behind = usize::from(currency.minor_digits);
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = behind + 1);
    let (whole, fraction) = digits.split_at(digits.len() - behind);
    let mut text = String::from(if minor < 0 { "-" } else { "" });
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if behind > 0 {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_groups_of_three() {
        let tzs = Currency { numeric: 834, minor_digits: 2 };
        for (minor, text) in [(0, "0.00"), (-5, "-0.05"), (123_456_789, "1,234,567.89"), (-100_000, "-1,000.00")] {
            assert_eq!(written(minor, tzs), text);
        }
        assert_eq!(written(1_234, Currency { numeric: 800, minor_digits: 0 }), "1,234");
    }
}
