//! `HP`: how to write to the platform, as fits the one who asks.

use super::{Draft, Scene, Stop};
use crate::account::Holder;
use crate::notice::{Role, Text};

/// What `HP` says: nothing.
pub struct Fields;

pub(super) fn decide(scene: &Scene<'_>, _: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let from = scene.asker()?;
    let role = match scene.open_account(from).map(|account| account.holder) {
        Some(Holder::Customer(_)) => Role::Customer,
        Some(Holder::Agent(_)) => Role::Agent,
        _ => Role::Stranger,
    };
    scene.tell(draft, from, Text::Help { role });
    Ok(())
}
