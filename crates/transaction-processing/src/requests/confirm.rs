//! `RG*code`: the registration completes with the code that was sent to that number: whoever writes with a forged sender never
//! sees it. `RG*code*pin` proves the PIN too, and alone completes a contested one: where owner and forger both chose a PIN, the
//! forger's opens nothing, however the two of them interleave.

use super::{Draft, Scene, Stop};
use crate::account::{Account, Holder, PinState, Proofs, Tier};
use crate::decision::Change;
use crate::ids::AccountId;
use crate::notice::Text;
use crate::number::Registration;
use crate::refusal::Refusal;

/// What `RG*code` and `RG*code*pin` say.
pub struct Fields {
    /// The code.
    pub code: Proofs,
    /// The PIN, again.
    pub pin: Option<Proofs>,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let from = scene.asker()?;
    if scene.open_account(from).is_some() {
        return Err(Refusal::AlreadyRegistered.into());
    }
    let mut number = scene.number_or_new(from);
    let registration = number.registration.take().ok_or(Refusal::NoRegistration)?;
    let policy = scene.books.policy();
    if scene.now() >= registration.expires_at || registration.wrong >= policy.registration_code_tries {
        return Err(Refusal::RegistrationExpired.into());
    }
    let wrong = match &fields.pin {
        _ if !fields.code.proves(&registration.code) => Some(Refusal::WrongRegistrationCode),
        Some(pin) if !pin.proves(&registration.pin) => Some(Refusal::WrongRegistrationPin),
        // Told only to who has the code, and nothing was guessed: no try is used up.
        None if registration.contested => return Err(Refusal::RegistrationContested.into()),
        _ => None,
    };
    if let Some(why) = wrong {
        let wrong = registration.wrong.saturating_add(1);
        number.registration = Some(Registration { wrong, ..*registration }.into());
        draft.count(Change::Number(*number));
        return Err(why.into());
    }

    let id = AccountId(scene.books.next().0.cast_signed());
    let proof = fields.pin.as_ref().map_or(registration.pin, Proofs::newest);
    let pin = PinState { proof: Some(proof), wrong: 0, locked_until: None, one_time_until: None };
    draft.change(Change::Number(*number));
    let account = Account::open(id, Holder::Customer(Tier::Entry), Some(from), policy.currency, pin, scene.now());
    draft.change(Change::Opened(account));
    scene.tell(draft, from, Text::Registered);
    Ok(())
}
