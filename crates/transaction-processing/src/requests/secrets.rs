//! PINs and codes: a try is counted in the very decision that judges it, before it is compared.

use alloc::boxed::Box;

use super::{Draft, Scene};
use crate::account::{Account, PinState, Proofs};
use crate::decision::Change;
use crate::msisdn::Msisdn;
use crate::number::{Claims, Number};
use crate::refusal::Refusal;
use crate::request::{DrawnCode, DrawnCodes, Origin, Seal};
use crate::time::Time;

/// What a right one-time PIN is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Only to be changed.
    Change,
    /// Anything.
    Use,
}

/// A lock that only care lifts.
const UNTIL_RESET: Time = Time(i64::MAX);

impl Scene<'_> {
    /// Judges a PIN: locked accounts first, then the try is counted, then it is compared. A right one ends the counting and
    /// is kept under the newest key.
    pub(super) fn judge_pin(
        &self,
        account: &Account,
        typed: &Proofs,
        purpose: Purpose,
        draft: &mut Draft,
    ) -> Result<(), Refusal> {
        let policy = self.books.policy();
        let held = &account.pin;
        match held.locked_until {
            Some(UNTIL_RESET) => return Err(Refusal::PinLockedByTries),
            Some(until) if self.now() < until => return Err(Refusal::PinLocked),
            _ => {}
        }
        let stored = held.proof.ok_or(Refusal::NoPin)?;
        let wrong = held.wrong.saturating_add(1);
        if !typed.proves(&stored) {
            let locked_until = if wrong >= policy.pin_tries_in_all {
                Some(UNTIL_RESET)
            } else if wrong.checked_rem(policy.pin_tries) == Some(0) {
                Some(self.now().plus_seconds(policy.pin_lock_seconds))
            } else {
                None
            };
            draft.count(Change::Pin { account: account.id, pin: PinState { wrong, locked_until, ..held.clone() } });
            return Err(Refusal::WrongPin);
        }
        if held.wrong > 0 || held.locked_until.is_some() || stored.version != typed.newest().version {
            let pin = PinState { proof: Some(typed.newest()), wrong: 0, locked_until: None, ..held.clone() };
            draft.count(Change::Pin { account: account.id, pin });
        }
        match held.one_time_until {
            Some(until) if self.now() >= until => Err(Refusal::OneTimePinExpired),
            Some(_) if purpose == Purpose::Use => Err(Refusal::ChangePinFirst),
            _ => Ok(()),
        }
    }

    /// Whether this payee's claims by password may be judged now.
    pub(super) fn judge_claims_open(&self, payee: Msisdn) -> Result<(), Refusal> {
        let paused_until = self.books.number(payee).and_then(|number| number.claims.paused_until);
        if paused_until.is_some_and(|until| self.now() < until) { Err(Refusal::ClaimsPaused) } else { Ok(()) }
    }

    /// Counts a wrong withdrawal password by `QT` or `DP`: three pause the payee's claims for a while, three more for a day.
    pub(super) fn count_wrong_password(&self, payee: Msisdn, draft: &mut Draft) {
        let policy = self.books.policy();
        let mut number = self.number_or_new(payee);
        let wrong = number.claims.wrong.saturating_add(1);
        number.claims = if wrong >= policy.password_tries {
            let pause = if number.claims.pauses == 0 {
                policy.password_first_pause_seconds
            } else {
                policy.password_later_pause_seconds
            };
            Claims {
                wrong: 0,
                pauses: number.claims.pauses.saturating_add(1),
                paused_until: Some(self.now().plus_seconds(pause)),
            }
        } else {
            Claims { wrong, ..number.claims }
        };
        draft.count(Change::Number(*number));
    }

    /// The record of a number as it stands in this decision, or a new one. It bears the counter of the sealed message that
    /// is being judged, so that no change of the whole record ever sets a counter back.
    pub(super) fn number_or_new(&self, msisdn: Msisdn) -> Box<Number> {
        let mut number = Box::new(self.books.number(msisdn).cloned().unwrap_or(Number::new(msisdn)));
        if let Origin::Handset { from, seal: Seal::Sealed { counter, check }, .. } = self.origin
            && from == msisdn
            && let Some(card) = number.card.as_mut()
        {
            card.counter = counter;
            card.check = check;
        }
        number
    }

    /// A withdrawal password for a payee that no other waiting transfer of theirs has.
    pub(super) fn fresh_password<'a>(&self, drawn: &'a DrawnCodes, payee: Msisdn) -> Result<&'a DrawnCode, Refusal> {
        if drawn.to != payee {
            return Err(Refusal::CodesMissing);
        }
        let in_use = |code: &DrawnCode| {
            let mut waiting = self.books.waiting_for(payee).filter_map(|transfer| transfer.waiting());
            waiting.any(|waiting| waiting.password == code.proof)
        };
        drawn.codes.iter().find(|code| !in_use(code)).ok_or(Refusal::CodesMissing)
    }
}
