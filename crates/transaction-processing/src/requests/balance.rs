//! `BL*pin`: the balance, of a wallet or a float.

use super::secrets::Purpose;
use super::{Draft, Scene, Stop};
use crate::account::Proofs;
use crate::notice::Text;

/// What `BL` says.
pub struct Fields {
    /// The PIN.
    pub pin: Proofs,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let (from, account) = scene.holder()?;
    scene.judge_pin(account, &fields.pin, Purpose::Use, draft)?;
    let balance = scene.balance_after(draft, account);
    scene.tell(draft, from, Text::Balance { balance });
    Ok(())
}
