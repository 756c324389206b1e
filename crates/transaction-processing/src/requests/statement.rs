//! `ST*pin`: the last five entries, newest first.

use super::secrets::Purpose;
use super::{Draft, Scene, Stop};
use crate::account::Proofs;
use crate::money::Money;
use crate::notice::Text;

/// What `ST` says.
pub struct Fields {
    /// The PIN.
    pub pin: Proofs,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let (from, account) = scene.holder()?;
    scene.judge_pin(account, &fields.pin, Purpose::Use, draft)?;
    let lines = scene.books.history(account)?.to_vec();
    let currency_of = Money::zero(account.currency);
    scene.tell(draft, from, Text::Statement { currency_of, lines });
    Ok(())
}
