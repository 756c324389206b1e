//! A database that was restored from a backup opens a new epoch: numbers jump ahead, so that no reference that people may
//! hold from the lost stretch is given again.

use super::{Draft, Scene, Stop};
use crate::decision::Change;
use crate::ids::Sequence;
use crate::refusal::Refusal;
use crate::request::Origin;

/// How the epoch opens.
pub struct Fields {
    /// How many numbers are left out; more than could have been given since the backup.
    pub jump: u64,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    if scene.origin != Origin::Platform {
        return Err(Refusal::WrongState.into());
    }
    let next = Sequence(scene.books.next().0.saturating_add(fields.jump).saturating_add(1));
    draft.change(Change::Epoch { next });
    Ok(())
}
