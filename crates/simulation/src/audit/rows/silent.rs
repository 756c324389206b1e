//! Movements of which no text speaks.

use transaction_processing::decision::Row;
use transaction_processing::ids::{AccountId, TransferId};
use transaction_processing::tariff::Payer;
use transaction_processing::transfer::Transfer;

use super::charges::borne_by;

/// A movement of which no text speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Silent {
    /// On which account.
    pub account: AccountId,
    /// Of which transfer.
    pub transfer: TransferId,
    /// How much, and the balance after it.
    pub change: i64,
    /// See `change`.
    pub balance: i64,
}

impl Silent {
    /// What the sender of a transfer that was collected into an account paid ahead for a withdrawal at an agent: it comes back,
    /// and the text says only who collected. Senders whose account has moved to the payee's number collect themselves, and
    /// their text tells them the rest of what this row did.
    pub(super) fn paid_ahead(row: &Row, after: &Transfer, collector: Option<AccountId>) -> Option<Silent> {
        let own = collector == Some(after.sender);
        let told = if own { after.amount.minor() - borne_by(Payer::Payee, &after.charge) } else { 0 };
        let (change, balance) = row.effect_on(after.sender)?;
        let (account, transfer) = (after.sender, after.id);
        (change != told).then_some(Silent { account, transfer, change: change - told, balance: balance - told })
    }
}

#[cfg(test)]
mod tests {
    use transaction_processing::ids::{Sequence, SystemAccount};
    use transaction_processing::journal::{Entered, Posting};
    use transaction_processing::request::Kind as Asked;
    use transaction_processing::time::{Moment, Time};
    use transaction_processing::transfer::{Charge, Kind, State};
    use transaction_processing::{Currency, Money, Msisdn};

    use super::*;

    const SHILLING: Currency = Currency { numeric: 834, minor_digits: 2 };
    const SENDER: AccountId = AccountId(34);

    fn money(minor: i64) -> Money {
        Money::new(minor, SHILLING).expect("an amount")
    }

    /// A transfer of 190,009.96 is collected into an account, and 627.02 go back to its sender, who holds this much afterwards.
    fn collected(into: AccountId, sender_holds: i64, collector_holds: i64) -> Option<Silent> {
        let free = |payer| {
            let nothing = Money::zero(SHILLING);
            Charge { tariff: None, payer, fee: nothing, levy: nothing, kept_on_return: false }
        };
        let entered = |to, minor, to_balance| Entered {
            posting: Posting { from: SystemAccount::TransfersInFlight.id(SHILLING), to, amount: money(minor) },
            from_balance: 0,
            to_balance,
            from_previous: Sequence(0),
            to_previous: Sequence(0),
        };
        let after = Transfer {
            id: TransferId(550),
            kind: Kind::ByPassword,
            made_at: Time(0),
            sender: SENDER,
            sender_number: None,
            payee: Msisdn::new(255_712_000_001).expect("a number"),
            amount: money(190_009_96),
            charge: free(Payer::Sender),
            withdrawal: Some(Charge { fee: money(627_02), ..free(Payer::Sender) }),
            state: State::Deposited { at: Time(0) },
        };
        let row = Row {
            sequence: Sequence(600),
            moment: Moment::default(),
            kind: Asked::Claim,
            from: None,
            staff: None,
            key: None,
            refusal: None,
            transfer: Some(after.id),
            entered: vec![entered(into, 190_009_96, collector_holds), entered(SENDER, 627_02, sender_holds)],
            changes: Vec::new(),
            notices: Vec::new(),
        };
        Silent::paid_ahead(&row, &after, Some(into))
    }

    #[test]
    fn what_a_sender_paid_ahead_comes_back_in_silence_whoever_collects() {
        let silent = |balance| Silent { account: SENDER, transfer: TransferId(550), change: 627_02, balance };
        assert_eq!(collected(AccountId(35), 1_000_00, 190_009_96), Some(silent(1_000_00)));
        // Seed 384 found it: the text of the deposit speaks of the balance after both, so this one stands before it.
        assert_eq!(collected(SENDER, 504_718_93, 504_091_91), Some(silent(314_708_97)));
    }
}
