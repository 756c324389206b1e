//! Who deals with whom: the asking customer or agent, and the other party.

use super::Scene;
use crate::account::{Account, Agent, Holder, Status};
use crate::ids::AgentCode;
use crate::msisdn::Msisdn;
use crate::refusal::Refusal;
use crate::request::Payee;

impl<'a> Scene<'a> {
    /// The account of the number that asks, in whatever role; not a closed one.
    pub(super) fn holder(&self) -> Result<(Msisdn, &'a Account), Refusal> {
        let from = self.asker()?;
        let account = self.books.account_of(from).ok_or(Refusal::NotRegistered)?;
        if account.status == Status::Closed { Err(Refusal::NotRegistered) } else { Ok((from, account)) }
    }

    /// The customer that asks; frozen ones are told only after their PIN, see [`judge_active`].
    pub(super) fn customer(&self) -> Result<(Msisdn, &'a Account), Refusal> {
        let (from, account) = self.holder()?;
        match account.holder {
            Holder::Customer(_) => Ok((from, account)),
            _ => Err(Refusal::NotForAgents),
        }
    }

    /// The agent that asks.
    pub(super) fn agent(&self) -> Result<(Msisdn, &'a Account, &'a Agent), Refusal> {
        let (from, account) = self.holder().map_err(|_| Refusal::NotAnAgent)?;
        let code = account.agent_code().ok_or(Refusal::NotAnAgent)?;
        let agent = self.books.agent(code).ok_or(Refusal::NotAnAgent)?;
        Ok((from, account, agent))
    }

    /// An agent named by code who may act.
    pub(super) fn agent_coded(&self, code: AgentCode) -> Result<(&'a Account, &'a Agent), Refusal> {
        let agent = self.books.agent(code).ok_or(Refusal::UnknownAgent)?;
        let account = self.books.account(agent.account).ok_or(Refusal::UnknownAgent)?;
        if account.status == Status::Active { Ok((account, agent)) } else { Err(Refusal::UnknownAgent) }
    }

    /// The open account of a payee, customer or agent; none where the number has none.
    pub(super) fn open_account(&self, msisdn: Msisdn) -> Option<&'a Account> {
        self.books.account_of(msisdn).filter(|account| account.status != Status::Closed)
    }
}

/// A frozen account moves nothing.
pub(super) fn judge_active(account: &Account) -> Result<(), Refusal> {
    if account.status == Status::Active { Ok(()) } else { Err(Refusal::AccountFrozen) }
}

/// The number that was typed, where it can be a mobile one.
pub(super) fn mobile(payee: Payee) -> Result<Msisdn, Refusal> {
    match payee {
        Payee::Mobile(msisdn) => Ok(msisdn),
        Payee::NotMobile => Err(Refusal::NotMobile),
    }
}

/// Whether a number is the agent's own: the one they act from, or another that is known to be theirs.
pub(super) fn is_own(agent: &Agent, account: &Account, msisdn: Msisdn) -> bool {
    account.msisdn == Some(msisdn) || agent.own_numbers.contains(&msisdn)
}
