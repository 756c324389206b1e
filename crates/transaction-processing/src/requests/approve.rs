//! A checker, never the maker, approves or rejects a proposal; approved, it is carried out in the same decision (I22).

mod accounts;
mod treasury;

use super::{Draft, Scene, Stop};
use crate::Msisdn;
use crate::account::Proof;
use crate::decision::Change;
use crate::ids::{ProposalId, StaffId};
use crate::notice::SealedCode;
use crate::number::Private;
use crate::proposal::{Measure, Proposal, ProposalState};
use crate::refusal::Refusal;

/// What the checker says.
pub struct Fields {
    /// Of which proposal.
    pub proposal: ProposalId,
    /// What of it.
    pub verdict: Verdict,
    /// A one-time PIN drawn for the number that the measure is about, where it sends one.
    pub one_time_pin: Option<OneTimePin>,
    /// The name of the owner, sealed anew for the number that the measure moves an account to.
    pub moved_name: Option<Private>,
}

/// Yes or no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Carry it out.
    Approve,
    /// Do not. The maker may say this of an own proposal.
    Reject,
}

/// A one-time PIN that no employee sees: its proof, and itself sealed for the text that tells it.
pub struct OneTimePin {
    /// The number whose proof it is.
    pub to: Msisdn,
    /// The proof.
    pub proof: Proof,
    /// The PIN, sealed.
    pub sealed: SealedCode,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let checker = scene.acting_staff()?;
    let proposal = scene.books.proposal(fields.proposal).ok_or(Refusal::UnknownProposal)?;
    if proposal.state != ProposalState::Open {
        return Err(Refusal::ProposalClosed.into());
    }
    match fields.verdict {
        Verdict::Reject => {
            close(scene, draft, proposal, ProposalState::Rejected { checker, at: scene.now() });
            Ok(())
        }
        Verdict::Approve if proposal.maker == checker => Err(Refusal::SamePerson.into()),
        Verdict::Approve => {
            carry_out(scene, draft, &proposal.measure, checker, fields)?;
            close(scene, draft, proposal, ProposalState::Approved { checker, at: scene.now() });
            Ok(())
        }
    }
}

fn close(_: &Scene<'_>, draft: &mut Draft, proposal: &Proposal, state: ProposalState) {
    draft.change(Change::Proposal(Proposal { state, ..proposal.clone() }));
}

fn carry_out(
    scene: &Scene<'_>,
    draft: &mut Draft,
    measure: &Measure,
    checker: StaffId,
    fields: &Fields,
) -> Result<(), Stop> {
    let pin = fields.one_time_pin.as_ref();
    match measure {
        Measure::Issue { amount, bank_reference } => treasury::issue(scene, draft, *amount, bank_reference),
        Measure::Redeem { amount, bank_reference } => treasury::redeem(scene, draft, *amount, bank_reference),
        Measure::SupplyFloat { agent, amount } => treasury::supply_float(scene, draft, *agent, *amount),
        Measure::WithdrawFloat { agent, amount } => treasury::withdraw_float(scene, draft, *agent, *amount),
        Measure::CollectFees { amount } => treasury::collect_fees(scene, draft, *amount),
        Measure::PayUnclaimed { case, msisdn } => treasury::pay_unclaimed(scene, draft, *case, *msisdn),
        Measure::Reverse { transfer } => treasury::reverse(scene, draft, *transfer),
        Measure::EnrolAgent { code, msisdn, name, own_numbers } => {
            accounts::enrol_agent(scene, draft, (*code, *msisdn), name, own_numbers, pin)
        }
        Measure::SetTier { msisdn, tier } => accounts::set_tier(scene, draft, *msisdn, *tier),
        Measure::UnlockPin { msisdn } => accounts::unlock_pin(scene, draft, *msisdn),
        Measure::ResetPin { msisdn } => accounts::reset_pin(scene, draft, *msisdn, pin),
        Measure::Freeze { msisdn } => accounts::freeze(scene, draft, *msisdn),
        Measure::Unfreeze { msisdn } => accounts::unfreeze(scene, draft, *msisdn),
        Measure::Close { msisdn } => accounts::close(scene, draft, *msisdn),
        Measure::ChangeNumber { msisdn, to } => {
            accounts::change_number(scene, draft, *msisdn, *to, pin)?;
            if let Some(name) = &fields.moved_name {
                draft.change(Change::Named { msisdn: *to, name: name.clone() });
            }
            Ok(())
        }
        Measure::RecycleNumber { msisdn } => accounts::recycle_number(scene, draft, *msisdn),
        Measure::ConfirmBank { balance, as_of, statement, includes } => {
            treasury::confirm_bank(scene, draft, (*balance, *as_of), statement, includes)
        }
        Measure::Erase { msisdn, up_to } => accounts::erase(scene, draft, *msisdn, *up_to),
        Measure::BindCard { msisdn, iccid } => accounts::bind_card(scene, draft, *msisdn, *iccid),
        Measure::ForgetCard { msisdn } => accounts::forget_card(scene, draft, *msisdn),
        Measure::EnrolStaff { name, verifier } => {
            scene.judge_staff_name(name)?;
            draft.change(Change::Staff(scene.new_staff(name, verifier)));
            Ok(())
        }
        Measure::DismissStaff { staff } => {
            let held = scene.books.staff(*staff).filter(|held| held.active).ok_or(Refusal::UnknownStaff)?;
            let acting = scene.books.all_staff().filter(|held| held.active).count();
            // Two must remain, or nobody could ever check again; and nobody checks their own dismissal away.
            if acting <= 2 || *staff == checker {
                return Err(Refusal::WrongState.into());
            }
            draft.change(Change::Staff(crate::proposal::Staff { active: false, ..held.clone() }));
            Ok(())
        }
    }
}
