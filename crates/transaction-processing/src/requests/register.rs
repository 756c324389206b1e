//! `RG*pin*name`: anyone asks to become a customer in the entry tier. Nothing opens yet: a code goes to that very number, so
//! that a forged sender cannot put a PIN on somebody else's number. The newest is the one that waits; where another PIN was
//! chosen shortly before, it is contested and its code alone completes nothing. An existing account is never touched.

use alloc::boxed::Box;

use super::{Draft, Scene, Stop};
use crate::decision::Change;
use crate::notice::Text;
use crate::number::{Private, Registration};
use crate::refusal::Refusal;
use crate::request::{DrawnCodes, NewPin};

/// How long a lapsed registration contests the next one: whatever lapsed in the same business day, and no midnight to wait for.
const REMEMBERED_SECONDS: u32 = 24 * 60 * 60;

/// What `RG*pin*name` says.
pub struct Fields {
    /// The PIN to be.
    pub pin: NewPin,
    /// The customer's name.
    pub name: Private,
    /// Registration codes drawn for the number that asks.
    pub codes: DrawnCodes,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let from = scene.asker()?;
    if scene.open_account(from).is_some() {
        return Err(Refusal::AlreadyRegistered.into());
    }
    if fields.pin.weak {
        return Err(Refusal::WeakPin.into());
    }
    let policy = scene.books.policy();
    let mut number = scene.number_or_new(from);
    let today = scene.moment.day.max(number.registrations_on);
    let so_far = if today > number.registrations_on { 0 } else { number.registrations };
    if so_far >= policy.registrations_a_day {
        return Err(Refusal::TooManyRegistrations.into());
    }
    if fields.codes.to != from {
        return Err(Refusal::CodesMissing.into());
    }
    let code = fields.codes.codes.first().ok_or(Refusal::CodesMissing)?;

    let expires_at = scene.now().plus_seconds(policy.registration_code_seconds);
    // A PIN under a key that has gone cannot be compared, and counts as another.
    let contested = number.registration.as_ref().is_some_and(|before| {
        scene.now() < before.expires_at.plus_seconds(REMEMBERED_SECONDS)
            && (before.contested || !fields.pin.proofs.proves(&before.pin))
    });
    let registration =
        Registration { pin: fields.pin.proofs.newest(), code: code.proof, wrong: 0, expires_at, contested };
    number.registration = Some(Box::new(registration));
    number.registrations_on = today;
    number.registrations = so_far.saturating_add(1);
    draft.change(Change::Number(*number));
    draft.change(Change::Named { msisdn: from, name: fields.name.clone() });
    let text = Text::RegistrationCode { minutes: policy.registration_code_seconds.div_ceil(60), contested };
    scene.tell_code(draft, from, text, code.sealed.clone(), expires_at);
    Ok(())
}
