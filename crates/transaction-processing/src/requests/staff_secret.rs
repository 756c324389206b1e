//! A member of staff takes another secret for themselves. It concerns nobody else, so nobody else need approve; the row says
//! who did it and when. The old secret was proven before the request was made.

use alloc::string::String;

use super::{Draft, Scene, Stop};
use crate::decision::Change;
use crate::proposal::Staff;
use crate::refusal::Refusal;

/// What is changed.
pub struct Fields {
    /// The verifier of the new secret.
    pub verifier: String,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let held = scene.books.staff(scene.acting_staff()?).ok_or(Refusal::UnknownStaff)?;
    draft.change(Change::Staff(Staff { verifier: fields.verifier.clone(), ..held.clone() }));
    Ok(())
}
