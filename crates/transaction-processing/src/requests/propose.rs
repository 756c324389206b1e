//! A maker proposes a measure. Nothing happens yet.

use super::{Draft, Scene, Stop};
use crate::decision::Change;
use crate::ids::ProposalId;
use crate::proposal::{Measure, Proposal, ProposalState};
use crate::refusal::Refusal;

/// What is proposed.
pub struct Fields {
    /// The measure.
    pub measure: Measure,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let maker = scene.acting_staff()?;
    if let Measure::Issue { bank_reference, .. } | Measure::Redeem { bank_reference, .. } = &fields.measure
        && scene.books.is_bank_reference_used(bank_reference)
    {
        return Err(Refusal::BankReferenceUsed.into());
    }
    let id = ProposalId(scene.books.next().0);
    let proposal =
        Proposal { id, maker, made_at: scene.now(), measure: fields.measure.clone(), state: ProposalState::Open };
    draft.change(Change::Proposal(proposal));
    Ok(())
}
