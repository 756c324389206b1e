//! What decisions, and whoever asks between them, may read of the books.

use alloc::collections::BTreeSet;

use super::sums::Sums;
use super::{Books, Broken, Missing, Outcome, key_of};
use crate::account::{Account, Agent};
use crate::bank::{BankBalance, BankMovement, Held};
use crate::decision::{Dealings, Failures, Scope};
use crate::ids::{
    AccountId, AgentCode, CaseId, Iccid, ProposalId, Sequence, StaffId, SystemAccount, TariffId, TransferId,
};
use crate::money::Currency;
use crate::msisdn::Msisdn;
use crate::notice::StatementLine;
use crate::number::Number;
use crate::policy::Policy;
use crate::proposal::{Case, Proposal, Staff};
use crate::request::RequestKey;
use crate::tariff::{Payer, Priced, Tariff};
use crate::time::{Day, Moment, Time};
use crate::transfer::Transfer;

impl Books {
    /// The operator's decisions.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The number of the next row.
    pub fn next(&self) -> Sequence {
        self.next
    }

    /// The moment of the last row.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// An account.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(key_of(id))
    }

    /// The platform's own account of a role.
    pub fn system(&self, role: SystemAccount, currency: Currency) -> Option<&Account> {
        self.account(role.id(currency))
    }

    /// The account that a number reaches now.
    pub fn account_of(&self, msisdn: Msisdn) -> Option<&Account> {
        let reached = self.by_number.get(msisdn.digits())?;
        self.account(reached.account).filter(|account| account.msisdn == Some(msisdn))
    }

    /// All accounts, in no order that means anything.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter()
    }

    /// The currencies in which there are accounts.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.sums.currencies()
    }

    /// What all accounts of a currency hold together, by whose they are.
    pub fn held(&self, currency: Currency) -> Held {
        self.sums.held(currency)
    }

    /// Adds up all accounts: [`Books::held`] must say the same. Looks at every account once, tens of milliseconds for a million.
    ///
    /// # Errors
    /// [`Broken::Sums`].
    pub fn add_up(&self) -> Result<(), Broken> {
        if Sums::of(self.accounts()) == self.sums { Ok(()) } else { Err(Broken::Sums) }
    }

    /// How many accounts there are.
    pub fn account_count(&self) -> usize {
        self.accounts.length()
    }

    /// The accounts from a position on, in the order in which they came: for checkpoints that sweep on.
    pub fn accounts_from(&self, position: usize) -> impl Iterator<Item = &Account> {
        self.accounts.skip_to(position)
    }

    /// What is known of a number.
    pub fn number(&self, msisdn: Msisdn) -> Option<&Number> {
        self.numbers.get(msisdn.digits())
    }

    /// All numbers of which something is known.
    pub fn numbers(&self) -> impl Iterator<Item = &Number> {
        self.numbers.iter()
    }

    /// The number that a card serves.
    pub fn number_of_card(&self, iccid: Iccid) -> Option<Msisdn> {
        self.cards.get(&iccid).copied()
    }

    /// An agent.
    pub fn agent(&self, code: AgentCode) -> Option<&Agent> {
        self.agents.get(&code)
    }

    /// All agents.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values()
    }

    /// A transfer, wherever it stands.
    ///
    /// # Errors
    /// [`Missing`] where it is closed and not in memory.
    pub fn transfer(&self, id: TransferId) -> Result<Option<&Transfer>, Missing> {
        if let Some(transfer) = self.transfers.get(&id) {
            return Ok(Some(transfer));
        }
        if id.0 >= self.next.0 {
            return Ok(None);
        }
        match self.supplied_transfers.get(&id) {
            Some(supplied) => Ok(supplied.as_ref()),
            None => Err(Missing::Transfer(id)),
        }
    }

    /// A transfer that is in memory: every waiting one, and those closed since the last checkpoint.
    pub fn resident_transfer(&self, id: TransferId) -> Option<&Transfer> {
        self.transfers.get(&id)
    }

    /// The transfers that wait for a payee, oldest first.
    pub fn waiting_for(&self, payee: Msisdn) -> impl Iterator<Item = &Transfer> {
        let range = (payee, TransferId(0))..=(payee, TransferId(u64::MAX));
        self.waiting_for.range(range).filter_map(|(_, id)| self.transfers.get(id))
    }

    /// The waiting transfers whose period has passed at `time`, at most `most`.
    pub fn expired(&self, time: Time, most: usize) -> impl Iterator<Item = TransferId> {
        due(&self.expiring, time, most)
    }

    /// The waiting transfers of whose end the payee is to be reminded at `time`, at most `most`.
    pub fn to_remind(&self, time: Time, most: usize) -> impl Iterator<Item = TransferId> {
        due(&self.to_remind, time, most)
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Time> {
        let first = |set: &BTreeSet<(Time, TransferId)>| set.first().map(|(time, _)| *time);
        first(&self.expiring).into_iter().chain(first(&self.to_remind)).min()
    }

    /// The fees, minor units, that waiting transfers of a currency would take back with them on return.
    pub fn refundable_fees(&self, currency: Currency) -> i64 {
        let waiting = self.waiting_for.iter().filter_map(|(_, id)| self.transfers.get(id));
        let refundable = waiting.filter(|transfer| {
            let charge = &transfer.charge;
            transfer.amount.currency() == currency && charge.payer == Payer::Sender && !charge.kept_on_return
        });
        refundable.fold(0_i64, |sum, transfer| sum.saturating_add(transfer.charge.fee.minor()))
    }

    /// What an agent and a customer dealt on a day so far.
    pub fn dealings(&self, agent: AgentCode, customer: Msisdn, priced: Priced, day: Day) -> Dealings {
        let held = self.dealings.get(agent, customer, priced).filter(|held| held.day >= day);
        held.unwrap_or(Dealings { agent, customer, priced, day, sum: 0, earned: 0 })
    }

    /// What an agent and a customer dealt last, as it is held: for checkpoints.
    pub fn dealt(&self, agent: AgentCode, customer: Msisdn, priced: Priced) -> Option<Dealings> {
        self.dealings.get(agent, customer, priced)
    }

    /// The failures counted last in a scope, as they are held: for checkpoints.
    pub fn failures_counted(&self, scope: Scope) -> Option<&Failures> {
        self.failures.get(&scope)
    }

    /// The dealings of the current business day.
    pub fn all_dealings(&self) -> impl Iterator<Item = Dealings> {
        self.dealings.all()
    }

    /// The failures counted in a scope, in the window that is open at `time`.
    pub fn failures(&self, scope: Scope, time: Time) -> Failures {
        let window = self.policy.spraying_window_seconds;
        let held = self.failures.get(&scope).filter(|held| time < held.since.plus_seconds(window));
        held.copied().unwrap_or(Failures { scope, since: time, count: 0 })
    }

    /// A proposal.
    pub fn proposal(&self, id: ProposalId) -> Option<&Proposal> {
        self.proposals.get(&id)
    }

    /// All proposals, oldest first.
    pub fn proposals(&self) -> impl Iterator<Item = &Proposal> {
        self.proposals.values()
    }

    /// A member of staff.
    pub fn staff(&self, id: StaffId) -> Option<&Staff> {
        self.staff.get(&id)
    }

    /// A member of staff by name.
    pub fn staff_named(&self, name: &str) -> Option<&Staff> {
        self.staff.values().find(|staff| staff.name == name)
    }

    /// All members of staff.
    pub fn all_staff(&self) -> impl Iterator<Item = &Staff> {
        self.staff.values()
    }

    /// A case.
    pub fn case(&self, id: CaseId) -> Option<&Case> {
        self.cases.get(&id)
    }

    /// All cases, oldest first.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.values()
    }

    /// A tariff, as adopted.
    pub fn tariff(&self, id: TariffId) -> Option<&Tariff> {
        self.tariffs.get(&id)
    }

    /// All tariffs, oldest first.
    pub fn tariffs(&self) -> impl Iterator<Item = &Tariff> {
        self.tariffs.values()
    }

    /// The tariff in force for a request in a currency: the latest that is effective, the last adopted of equals.
    pub fn tariff_in_force(&self, priced: Priced, currency: Currency, time: Time) -> Option<&Tariff> {
        let fits = |tariff: &&Tariff| {
            let terms = &tariff.terms;
            terms.priced == priced && terms.currency == currency && terms.effective_from <= time
        };
        self.tariffs.values().filter(fits).max_by_key(|tariff| (tariff.terms.effective_from, tariff.id))
    }

    /// Whether a bank reference has served.
    pub fn is_bank_reference_used(&self, reference: &str) -> bool {
        self.bank_movements.contains_key(reference)
    }

    /// The deposit or payment of a bank reference that has served.
    pub fn bank_movement(&self, reference: &str) -> Option<&BankMovement> {
        self.bank_movements.get(reference)
    }

    /// All deposits and payments of the bank's that have served, by their references.
    pub fn bank_movements(&self) -> impl Iterator<Item = &BankMovement> {
        self.bank_movements.values()
    }

    /// The bank's last word about the trust account of a currency, by its ISO number.
    pub fn bank_balance(&self, currency: u16) -> Option<&BankBalance> {
        self.bank_balances.get(&currency)
    }

    /// The bank's last word about each trust account.
    pub fn bank_balances(&self) -> impl Iterator<Item = &BankBalance> {
        self.bank_balances.values()
    }

    /// All failures counted.
    pub fn all_failures(&self) -> impl Iterator<Item = &Failures> {
        self.failures.values()
    }

    /// What was answered to this very message before, within the window.
    pub(crate) fn remembered(&self, key: RequestKey, time: Time) -> Result<Option<&Outcome>, Missing> {
        let since = time.less_seconds(self.policy.repeat_window_seconds);
        for row in self.memory.candidates(key) {
            match self.supplied_outcomes.get(&row) {
                None => return Err(Missing::Outcome(row)),
                Some(Some(outcome)) if outcome.key == Some(key) && outcome.time >= since => return Ok(Some(outcome)),
                Some(_) => {}
            }
        }
        Ok(None)
    }

    pub(crate) fn history(&self, account: &Account) -> Result<&[StatementLine], Missing> {
        match self.supplied_history.get(&account.id) {
            Some((latest, lines)) if *latest == account.latest() => Ok(lines),
            _ => Err(Missing::History(account.id)),
        }
    }
}

fn due(set: &BTreeSet<(Time, TransferId)>, time: Time, most: usize) -> impl Iterator<Item = TransferId> {
    set.iter().take_while(move |(at, _)| *at <= time).take(most).map(|(_, id)| *id)
}
