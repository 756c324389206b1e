//! `QT*payee*password*agent code` (Z5): the payee names the agent who shall pay out. From the payee's own number only; binds
//! the transfer to that agent with a verification code that only the payee is told.

use super::parties::is_own;
use super::{Draft, Scene, Stop};
use crate::account::Proofs;
use crate::decision::Change;
use crate::ids::AgentCode;
use crate::money::Money;
use crate::notice::Text;
use crate::number::Claims;
use crate::refusal::Refusal;
use crate::request::{DrawnCodes, Payee};
use crate::tariff::Payer;
use crate::transfer::{Query, State, Transfer};

/// What `QT` says.
pub struct Fields {
    /// The payee, who must be the one who asks.
    pub payee: Payee,
    /// The withdrawal password.
    pub password: Proofs,
    /// The agent who shall pay out.
    pub agent: AgentCode,
    /// Verification codes drawn for the payee.
    pub codes: DrawnCodes,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let from = scene.asker()?;
    if fields.payee != Payee::Mobile(from) {
        return Err(Refusal::NotYourNumber.into());
    }
    let found = scene.waiting_by_password(from, &fields.password, draft)?;
    let (account, agent) = scene.agent_coded(fields.agent)?;
    if is_own(agent, account, from) {
        return Err(Refusal::OwnDealing.into());
    }
    let policy = scene.books.policy();
    let waiting = found.waiting().ok_or(Refusal::NotWaiting)?;
    if waiting.wrong_codes >= policy.verification_code_tries {
        return Err(Refusal::CodesExhausted.into());
    }
    if fields.codes.to != from {
        return Err(Refusal::CodesMissing.into());
    }
    let code = fields.codes.codes.first().ok_or(Refusal::CodesMissing)?;

    let expires_at = scene.now().plus_seconds(policy.verification_code_seconds);
    let mut bound = waiting.clone();
    bound.query = Some(Query { agent: agent.code, code: code.proof, expires_at });
    draft.about(found.id);
    draft.change(Change::Transfer(Transfer { state: State::Waiting(bound), ..found.clone() }));
    let text = Text::VerificationCode {
        transfer: found.id,
        amount: found.amount,
        cash: cash_of(found),
        agent: agent.code,
        minutes: policy.verification_code_seconds.div_ceil(60),
    };
    scene.tell_code(draft, from, text, code.sealed.clone(), expires_at);
    Ok(())
}

/// What the payee of a waiting transfer will receive in cash: the amount less what the payee bears.
pub(super) fn cash_of(transfer: &Transfer) -> Money {
    let nothing = Money::zero(transfer.amount.currency());
    let withdrawal = transfer.withdrawal.map_or(nothing, |charge| charge.borne_by(Payer::Payee));
    let taken = transfer.charge.borne_by(Payer::Payee).plus(withdrawal).unwrap_or(nothing);
    transfer.amount.less(taken).unwrap_or(nothing)
}

impl<'a> Scene<'a> {
    /// The transfer that waits for a payee under this password. A wrong one is counted; a right one ends the counting.
    pub(super) fn waiting_by_password(
        &self,
        payee: crate::Msisdn,
        typed: &Proofs,
        draft: &mut Draft,
    ) -> Result<&'a Transfer, Refusal> {
        self.judge_claims_open(payee)?;
        if self.books.waiting_for(payee).next().is_none() {
            return Err(Refusal::NothingWaiting);
        }
        // All are compared, so that the time taken tells nothing of which one it was.
        let matches = |transfer: &&Transfer| transfer.waiting().is_some_and(|waiting| typed.proves(&waiting.password));
        let Some(found) = self.books.waiting_for(payee).filter(matches).last() else {
            self.count_wrong_password(payee, draft);
            return Err(Refusal::WrongPassword);
        };
        let mut cleared = self.number_or_new(payee);
        if cleared.claims != Claims::default() {
            cleared.claims = Claims::default();
            draft.count(Change::Number(*cleared));
        }
        Ok(found)
    }
}
