//! Care for accounts and numbers. No employee ever sees a PIN: a one-time one goes to the handset alone.

use alloc::boxed::Box;

use super::super::{Draft, Scene, Stop};
use super::OneTimePin;
use crate::Msisdn;
use crate::account::{Account, Agent, Holder, PinState, Status, Tier};
use crate::decision::Change;
use crate::ids::{AccountId, AgentCode, CaseId, Iccid, Sequence, SystemAccount};
use crate::notice::Text;
use crate::number::{Card, Number, Private};
use crate::proposal::{Case, Matter, Measure, ProposalState};
use crate::refusal::Refusal;
use crate::transfer::{State, Transfer, Waiting};

pub(super) fn enrol_agent(
    scene: &Scene<'_>,
    draft: &mut Draft,
    (code, msisdn): (AgentCode, Msisdn),
    name: &Private,
    own_numbers: &[Msisdn],
    pin: Option<&OneTimePin>,
) -> Result<(), Stop> {
    if scene.books.agent(code).is_some() || scene.open_account(msisdn).is_some() {
        return Err(Refusal::NameTaken.into());
    }
    let id = AccountId(scene.books.next().0.cast_signed());
    let state = one_time(scene, msisdn, pin)?;
    let account =
        Account::open(id, Holder::Agent(code), Some(msisdn), scene.books.policy().currency, state, scene.now());
    draft.change(Change::Opened(account));
    draft.change(Change::Agent(Agent { code, account: id, own_numbers: own_numbers.to_vec() }));
    draft.change(Change::Named { msisdn, name: name.clone() });
    scene.tell(draft, msisdn, Text::AgentEnrolled { agent: code });
    tell_one_time_pin(scene, draft, msisdn, pin);
    Ok(())
}

pub(super) fn set_tier(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn, tier: Tier) -> Result<(), Stop> {
    let account = open(scene, msisdn)?;
    if account.tier().is_none_or(|held| held == tier) {
        return Err(Refusal::WrongState.into());
    }
    draft.change(Change::Tier { account: account.id, tier });
    scene.tell(draft, msisdn, Text::TierSet { tier });
    Ok(())
}

pub(super) fn unlock_pin(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn) -> Result<(), Stop> {
    let account = open(scene, msisdn)?;
    if account.pin.locked_until.is_none() && account.pin.wrong == 0 {
        return Err(Refusal::WrongState.into());
    }
    draft.change(Change::Pin {
        account: account.id,
        pin: PinState { wrong: 0, locked_until: None, ..account.pin.clone() },
    });
    scene.tell(draft, msisdn, Text::PinUnlocked);
    Ok(())
}

pub(super) fn reset_pin(
    scene: &Scene<'_>,
    draft: &mut Draft,
    msisdn: Msisdn,
    pin: Option<&OneTimePin>,
) -> Result<(), Stop> {
    let account = open(scene, msisdn)?;
    draft.change(Change::Pin { account: account.id, pin: one_time(scene, msisdn, pin)? });
    tell_one_time_pin(scene, draft, msisdn, pin);
    Ok(())
}

pub(super) fn freeze(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn) -> Result<(), Stop> {
    set_status(scene, draft, msisdn, Status::Active, Status::Frozen, Text::Frozen)
}

pub(super) fn unfreeze(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn) -> Result<(), Stop> {
    set_status(scene, draft, msisdn, Status::Frozen, Status::Active, Text::Unfrozen)
}

/// The account closes; what is left of it goes to unclaimed money, with a case.
pub(super) fn close(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn) -> Result<(), Stop> {
    let account = open(scene, msisdn)?;
    leave_behind(scene, draft, account, msisdn);
    scene.tell(draft, msisdn, Text::Closed);
    Ok(())
}

/// The account moves to another number, and both are told. Transfers that wait for the old number stay with it; the card stays
/// behind, and the old number is told by it. The proof of a PIN is bound to its number, so a one-time PIN goes to the new one.
pub(super) fn change_number(
    scene: &Scene<'_>,
    draft: &mut Draft,
    msisdn: Msisdn,
    to: Msisdn,
    pin: Option<&OneTimePin>,
) -> Result<(), Stop> {
    let account = open(scene, msisdn)?;
    if to == msisdn || scene.open_account(to).is_some() {
        return Err(Refusal::NameTaken.into());
    }
    draft.change(Change::Pin { account: account.id, pin: one_time(scene, to, pin)? });
    draft.change(Change::Moved { account: account.id, msisdn: Some(to) });
    let language = scene.books.number(msisdn).and_then(|number| number.language);
    draft.change(Change::Number(Number { language, ..Number::new(msisdn) }));
    let mut number = scene.number_or_new(to);
    number.language = language.or(number.language);
    number.registration = None;
    draft.change(Change::Number(*number));
    scene.tell(draft, to, Text::NumberChanged);
    tell_one_time_pin(scene, draft, to, pin);
    scene.tell(draft, msisdn, Text::NumberLeft);
    // The language moves with the owner, already in these.
    if let Some(language) = language {
        draft.notices.iter_mut().for_each(|notice| notice.language = language);
    }
    Ok(())
}

/// The number has another owner now. The account leaves it, transfers that wait for it go back to their senders, and nothing
/// of the old owner's is left under it.
pub(super) fn recycle_number(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn) -> Result<(), Stop> {
    let account = scene.open_account(msisdn);
    let known = account.is_some() || scene.books.number(msisdn).is_some();
    if !known && scene.books.waiting_for(msisdn).next().is_none() {
        return Err(Refusal::UnknownAccount.into());
    }
    // A row has room for few postings, so each transfer goes back by a decision of its own: its period ends now.
    for transfer in scene.books.waiting_for(msisdn) {
        if let Some(waiting) = transfer.waiting() {
            let ended =
                State::Waiting(Waiting { expires_at: scene.now(), query: None, reminded: true, ..waiting.clone() });
            draft.change(Change::Transfer(Transfer { state: ended, ..transfer.clone() }));
        }
    }
    if let Some(account) = account {
        leave_behind(scene, draft, account, msisdn);
    }
    draft.change(Change::Number(Number::new(msisdn)));
    Ok(())
}

pub(super) fn bind_card(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn, iccid: Iccid) -> Result<(), Stop> {
    if scene.books.number_of_card(iccid).is_some() {
        return Err(Refusal::CardInUse.into());
    }
    // The notice still goes in plain: the card learns with it that it is to seal from now on.
    scene.tell(draft, msisdn, Text::CardBound);
    let mut number = scene.number_or_new(msisdn);
    number.card = Some(Box::new(Card { iccid, counter: 0, check: [0; 8] }));
    draft.change(Change::Number(*number));
    Ok(())
}

pub(super) fn forget_card(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn) -> Result<(), Stop> {
    let mut number = scene.number_or_new(msisdn);
    if number.card.take().is_none() {
        return Err(Refusal::WrongState.into());
    }
    draft.change(Change::Number(*number));
    Ok(())
}

/// The personal texts that stand under a number go; the log keeps its commitments to them. A proposal that still needs one is
/// decided first.
pub(super) fn erase(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn, up_to: Sequence) -> Result<(), Stop> {
    let needed = scene.books.proposals().any(|proposal| {
        let names = matches!(&proposal.measure, Measure::EnrolAgent { msisdn: of, .. } if *of == msisdn);
        names && proposal.state == ProposalState::Open && proposal.id.0 <= up_to.0
    });
    if needed || up_to >= scene.books.next() {
        return Err(Refusal::WrongState.into());
    }
    draft.change(Change::Erased { msisdn, up_to });
    Ok(())
}

fn open<'a>(scene: &Scene<'a>, msisdn: Msisdn) -> Result<&'a Account, Refusal> {
    scene.open_account(msisdn).ok_or(Refusal::UnknownAccount)
}

fn set_status(
    scene: &Scene<'_>,
    draft: &mut Draft,
    msisdn: Msisdn,
    from: Status,
    to: Status,
    text: Text,
) -> Result<(), Stop> {
    let account = open(scene, msisdn)?;
    if account.status != from {
        return Err(Refusal::WrongState.into());
    }
    draft.change(Change::Status { account: account.id, status: to });
    scene.tell(draft, msisdn, text);
    Ok(())
}

/// Empties an account into unclaimed money, closes it and takes its number away.
fn leave_behind(scene: &Scene<'_>, draft: &mut Draft, account: &Account, msisdn: Msisdn) {
    let left = scene.balance_after(draft, account);
    if !left.is_zero() {
        draft.post(account.id, SystemAccount::UnclaimedMoney.id(account.currency), left);
        let matter = Matter::Unclaimed { transfer: None, msisdn, amount: left };
        let id = CaseId(scene.books.next().0);
        draft.change(Change::Case(Case { id, opened_at: scene.now(), matter, closed_at: None }));
    }
    draft.change(Change::Status { account: account.id, status: Status::Closed });
    draft.change(Change::Moved { account: account.id, msisdn: None });
}

fn one_time(scene: &Scene<'_>, msisdn: Msisdn, pin: Option<&OneTimePin>) -> Result<PinState, Refusal> {
    let pin = pin.filter(|pin| pin.to == msisdn).ok_or(Refusal::CodesMissing)?;
    let until = scene.now().plus_seconds(scene.books.policy().one_time_pin_seconds);
    Ok(PinState { proof: Some(pin.proof), wrong: 0, locked_until: None, one_time_until: Some(until) })
}

fn tell_one_time_pin(scene: &Scene<'_>, draft: &mut Draft, msisdn: Msisdn, pin: Option<&OneTimePin>) {
    let seconds = scene.books.policy().one_time_pin_seconds;
    if let Some(pin) = pin {
        let text = Text::OneTimePin { minutes: seconds.div_ceil(60) };
        scene.tell_code(draft, msisdn, text, pin.sealed.clone(), scene.now().plus_seconds(seconds));
    }
}
