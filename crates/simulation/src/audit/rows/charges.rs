//! What a transfer costs, added up anew from its own terms (I13).

use transaction_processing::Money;
use transaction_processing::decision::Row;
use transaction_processing::ids::SystemAccount;
use transaction_processing::tariff::Payer;
use transaction_processing::transfer::{Charge, State, Transfer};

use super::Rows;

impl Rows {
    /// I13: what was charged is fee, commission, levy and remainder, and nothing else reached those accounts.
    pub(super) fn charges(&self, row: &Row) -> Result<(), String> {
        let Some(id) = row.transfer else { return Ok(()) };
        let Some(after) = row.transfer_left(id) else { return Ok(()) };
        if row.entered.is_empty() {
            return Ok(());
        }
        let currency = after.amount.currency();
        let on = |role: SystemAccount| row.effect_on(role.id(currency)).map_or(0, |(change, _)| change);
        let due = Due::of(self.transfers.get(&id), after);
        let remainder = on(SystemAccount::Remainders);
        if on(SystemAccount::Levies) != due.levy {
            return Err(format!("I13: levy {} instead of {}", on(SystemAccount::Levies), due.levy));
        }
        if !(0..=1).contains(&remainder) || on(SystemAccount::Fees) + remainder + due.commission != due.fee {
            return Err(format!("I13: of a fee of {} reached {} and {remainder}", due.fee, on(SystemAccount::Fees)));
        }
        Ok(())
    }
}

/// Fee, levy and commission that fall due when a transfer comes to a state; below zero what goes back.
struct Due {
    fee: i64,
    levy: i64,
    commission: i64,
}

impl Due {
    fn of(was: Option<&Transfer>, after: &Transfer) -> Due {
        let whole = |charge: &Charge| match charge.payer {
            Payer::Operator => Due { fee: 0, levy: 0, commission: 0 },
            _ => Due { fee: charge.fee.minor(), levy: charge.levy.minor(), commission: 0 },
        };
        let nothing = Due { fee: 0, levy: 0, commission: 0 };
        let by = |payer| if after.charge.payer == payer { whole(&after.charge) } else { Due { ..nothing } };
        let earned = |commission: Money, by: Payer| if by == Payer::Operator { 0 } else { commission.minor() };
        match (was.map(|was| &was.state), &after.state) {
            (None, State::Waiting(_)) => by(Payer::Sender),
            (None, State::Credited { commission, .. }) => {
                let commission = commission.map_or(0, |commission| earned(commission.amount, after.charge.payer));
                Due { commission, ..whole(&after.charge) }
            }
            (None, State::PaidOut(paid)) => {
                Due { commission: earned(paid.commission, after.charge.payer), ..whole(&after.charge) }
            }
            (Some(State::Waiting(_)), State::PaidOut(paid)) => {
                let (of_transfer, withdrawal) = (by(Payer::Payee), after.withdrawal);
                let of_withdrawal = withdrawal.as_ref().map_or(Due { ..nothing }, whole);
                let payer = withdrawal.map_or(Payer::Operator, |charge| charge.payer);
                Due {
                    fee: of_transfer.fee + of_withdrawal.fee,
                    levy: of_transfer.levy + of_withdrawal.levy,
                    commission: earned(paid.commission, payer),
                }
            }
            (Some(State::Waiting(_)), State::Deposited { .. }) => by(Payer::Payee),
            (Some(State::Waiting(_)), State::Returned { .. }) => {
                let paid = by(Payer::Sender);
                let fee = if after.charge.kept_on_return { 0 } else { -paid.fee };
                Due { fee, levy: -paid.levy, commission: 0 }
            }
            _ => nothing,
        }
    }
}

/// What the sender paid ahead for a withdrawal.
pub(super) fn ahead(transfer: &Transfer) -> i64 {
    transfer.withdrawal.map_or(0, |charge| borne_by(Payer::Sender, &charge))
}

/// Fee and levy of a charge, where this payer bears them.
pub(super) fn borne_by(payer: Payer, charge: &Charge) -> i64 {
    if charge.payer == payer { charge.fee.minor() + charge.levy.minor() } else { 0 }
}
