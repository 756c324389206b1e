//! `PN*old*new`: another PIN; also how a one-time PIN becomes an own one.

use super::secrets::Purpose;
use super::{Draft, Scene, Stop};
use crate::account::{PinState, Proofs};
use crate::decision::Change;
use crate::notice::Text;
use crate::refusal::Refusal;
use crate::request::NewPin;

/// What `PN` says.
pub struct Fields {
    /// The PIN as it is.
    pub old: Proofs,
    /// The PIN as it shall be.
    pub new: NewPin,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let (from, account) = scene.holder()?;
    scene.judge_pin(account, &fields.old, Purpose::Change, draft)?;
    if fields.new.weak {
        return Err(Refusal::WeakPin.into());
    }
    if fields.new.proofs.newest() == fields.old.newest() {
        return Err(Refusal::SamePin.into());
    }
    let pin = PinState { proof: Some(fields.new.proofs.newest()), wrong: 0, locked_until: None, one_time_until: None };
    draft.change(Change::Pin { account: account.id, pin });
    scene.tell(draft, from, Text::PinChanged);
    Ok(())
}
