//! The books adopt a tariff that the configuration names: from then on it has a number, and never changes (B6).

use super::{Draft, Scene, Stop};
use crate::decision::Change;
use crate::ids::TariffId;
use crate::refusal::Refusal;
use crate::request::Origin;
use crate::tariff::{Tariff, Terms};

/// What is adopted.
pub struct Fields {
    /// Its terms.
    pub terms: Terms,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    if scene.origin != Origin::Platform || fields.terms.unsound().is_some() {
        return Err(Refusal::UnsoundTariff.into());
    }
    let id = TariffId(scene.books.next().0);
    draft.change(Change::Tariff(Tariff { id, terms: fields.terms.clone() }));
    Ok(())
}
