//! What may be tried, and sent, only so often or so much: PINs and codes (I15), who approves (I22), days and months (I17).

use transaction_processing::account::{Account, Status};
use transaction_processing::decision::{Change, Row};
use transaction_processing::limits::Class;
use transaction_processing::number::Number;
use transaction_processing::proposal::{Measure, ProposalState};
use transaction_processing::request::Kind as Asked;
use transaction_processing::time::{Day, Moment, Month};
use transaction_processing::transfer::Kind;
use transaction_processing::{Msisdn, Refusal};

use super::Rows;

/// What somebody has sent, or been sent, in a day and a month.
#[derive(Default)]
pub(super) struct Sent {
    day: (Day, i64),
    month: (Month, i64),
}

impl Sent {
    fn add(&mut self, moment: Moment, minor: i64) -> (i64, i64) {
        if self.day.0 != moment.day {
            self.day = (moment.day, 0);
        }
        if self.month.0 != moment.month {
            self.month = (moment.month, 0);
        }
        self.day.1 += minor;
        self.month.1 += minor;
        (self.day.1, self.month.1)
    }
}

impl Rows {
    /// I15, I22: tries, and who approves.
    pub(super) fn tries(&mut self, row: &Row) -> Result<(), String> {
        if let (Some(Refusal::WrongPin), Some(from)) = (row.refusal, row.from) {
            let account = self.replica.account_of(from).ok_or("I15: a PIN of nobody was judged")?;
            let wrong = self.wrong_pins.entry(account.id).or_default();
            let tries = usize::from(self.policy.pin_tries);
            let pause = i64::from(self.policy.pin_lock_seconds) * 1000;
            if wrong.len().is_multiple_of(tries) && wrong.last().is_some_and(|last| row.moment.time.0 < last.0 + pause)
            {
                return Err("I15: a PIN was judged while it was locked".into());
            }
            wrong.push(row.moment.time);
            if wrong.len() > usize::from(self.policy.pin_tries_in_all) {
                return Err("I15: a PIN was judged too often".into());
            }
        }
        for change in &row.changes {
            match change {
                Change::Pin { account, pin } if pin.wrong == 0 => {
                    self.wrong_pins.remove(account);
                }
                Change::Transfer(transfer) => {
                    let waiting = transfer.waiting();
                    let tried = waiting.map_or(0, |waiting| waiting.wrong_codes) > self.policy.verification_code_tries;
                    if tried || waiting.map_or(0, |waiting| waiting.resent) > self.policy.resends {
                        return Err("I15: a code was tried, or a password sent, too often".into());
                    }
                }
                Change::Number(number) => self.number(number, row)?,
                Change::CardUsed { msisdn, counter, .. } => self.counter(*msisdn, *counter)?,
                Change::Proposal(proposal) => {
                    let ProposalState::Approved { checker, .. } = proposal.state else { continue };
                    if checker == proposal.maker {
                        return Err("I22: the maker approved".into());
                    }
                    // The number's next owner is another stranger.
                    if let Measure::RecycleNumber { msisdn } | Measure::ChangeNumber { msisdn, .. } = proposal.measure {
                        self.received.remove(&msisdn);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn number(&mut self, number: &Number, row: &Row) -> Result<(), String> {
        let registration = number.registration.as_ref().map_or(0, |registration| registration.wrong);
        if number.claims.wrong >= self.policy.password_tries
            || registration > self.policy.registration_code_tries
            || number.registrations > self.policy.registrations_a_day
        {
            return Err("I15: a password or registration code was tried too often".into());
        }
        match &number.card {
            Some(card) if row.kind != Asked::Approve => self.counter(number.msisdn, card.counter),
            Some(card) => {
                // A card that was bound just now begins anew.
                self.counters.insert(number.msisdn, card.counter);
                Ok(())
            }
            None => {
                self.counters.remove(&number.msisdn);
                Ok(())
            }
        }
    }

    fn counter(&mut self, of: Msisdn, counter: u64) -> Result<(), String> {
        let before = self.counters.insert(of, counter).unwrap_or(0);
        if counter < before { Err("the counter of a card fell".into()) } else { Ok(()) }
    }

    /// I17: what a day and a month allow, added up by the rows' own business day.
    pub(super) fn limits(&mut self, row: &Row) -> Result<(), String> {
        let made = row.transfer.and_then(|id| row.transfer_left(id)).filter(|made| made.id.0 == row.sequence.0);
        let Some(made) = made.filter(|made| !matches!(made.kind, Kind::CashIn | Kind::Float)) else { return Ok(()) };
        let minor = made.amount.minor();
        let tier = self.ledgers.get(&made.sender).and_then(|ledger| ledger.tier);
        let tier = tier.ok_or("I17: sent by nobody of a tier")?;
        let limits = self.policy.limits(Class::Customer(tier), made.amount.currency());
        let (day, month) = self.sent.entry(made.sender).or_default().add(row.moment, minor);
        if minor > limits.per_transaction || day > limits.per_day || month > limits.per_month {
            return Err(format!("I17: {minor} at once, {day} in a day, {month} in a month were sent"));
        }
        let stranger = made.kind == Kind::ByPassword && !self.has_account(made.payee);
        if stranger {
            let limits = self.policy.limits(Class::NonCustomer, made.amount.currency());
            let (day, month) = self.received.entry(made.payee).or_default().add(row.moment, minor);
            if minor > limits.per_transaction || day > limits.per_day || month > limits.per_month {
                return Err(format!("I17: a stranger was sent {day} in a day, {month} in a month"));
            }
        }
        Ok(())
    }

    fn has_account(&self, number: Msisdn) -> bool {
        let open = |account: &&Account| account.status != Status::Closed;
        self.replica.account_of(number).filter(open).is_some()
    }
}
