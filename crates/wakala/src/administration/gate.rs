//! Who asks: a member of staff proves themselves with their own secret, for every command anew.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use encryption::{CryptoRng, password};
use transaction_processing::ids::StaffId;
use transaction_processing::proposal::Staff;
use wire::Secret;

use super::protocol::{Fault, FaultCode};

/// Wrong secrets in a row until a name must pause.
const TRIES: u32 = 5;
/// That pause.
const PAUSE: Duration = Duration::from_secs(15 * 60);

/// Counts the tries at the secrets of staff. In memory: whoever can restart the server can do more than try secrets.
///
/// One secret is judged at a time, so that no number of callers costs more than one Argon2 at once. The counts are bounded by
/// the number of staff: all names that nobody bears share one.
pub struct Gate {
    tries: Mutex<HashMap<Option<StaffId>, Tries>>,
    /// A verifier that no secret fits, so that an unknown name takes as long as a known one.
    nobody: String,
}

#[derive(Clone, Copy, Default)]
struct Tries {
    wrong: u32,
    paused_until: Option<Instant>,
}

impl Gate {
    /// A gate that has counted nothing.
    pub fn new(rng: &mut dyn CryptoRng) -> Gate {
        let mut octets = [0; 16];
        rng.fill_bytes(&mut octets);
        let unknowable: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let nobody = password::hash(&unknowable, rng).unwrap_or_default();
        Gate { tries: Mutex::default(), nobody }
    }

    /// Judges a secret; `staff` is who bears the name, if anybody does and may act. Takes tens of milliseconds of a core: not
    /// for the threads of a runtime.
    ///
    /// # Errors
    /// [`FaultCode::NotProven`] and [`FaultCode::Paused`].
    pub fn judge(&self, staff: Option<&Staff>, secret: &Secret, now: Instant) -> Result<(), Fault> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = tries.entry(staff.map(|staff| staff.id)).or_default();
        if let Some(until) = counted.paused_until {
            if now < until {
                let minutes = until.duration_since(now).as_secs().div_ceil(60);
                return Err(Fault::new(FaultCode::Paused, format!("too many wrong secrets: wait {minutes} minutes")));
            }
            *counted = Tries::default();
        }
        // Counted before it is compared, so that no interruption makes a try free.
        counted.wrong += 1;
        let verifier = staff.map_or(self.nobody.as_str(), |staff| staff.verifier.as_str());
        if password::verify(secret.expose(), verifier) && staff.is_some() {
            *counted = Tries::default();
            return Ok(());
        }
        if counted.wrong >= TRIES {
            counted.paused_until = now.checked_add(PAUSE);
        }
        Err(Fault::new(FaultCode::NotProven, "the name or the secret is not right"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::administration::system_rng;

    fn maker(secret: &str) -> Staff {
        let verifier = password::hash(secret, &mut system_rng()).expect("long enough");
        Staff { id: StaffId(1), name: "maker".into(), verifier, active: true }
    }

    fn code(judged: Result<(), Fault>) -> Option<FaultCode> {
        judged.err().map(|fault| fault.code)
    }

    #[test]
    fn five_wrong_secrets_in_a_row_pause_a_name_for_fifteen_minutes() {
        let gate = Gate::new(&mut system_rng());
        let maker = maker("a right long secret");
        let (right, wrong) = (Secret::from("a right long secret"), Secret::from("a wrong long secret"));
        let start = Instant::now();
        for _ in 0..4 {
            assert_eq!(code(gate.judge(Some(&maker), &wrong, start)), Some(FaultCode::NotProven));
        }
        assert_eq!(code(gate.judge(Some(&maker), &right, start)), None, "a right one ends the counting");
        for _ in 0..5 {
            assert_eq!(code(gate.judge(Some(&maker), &wrong, start)), Some(FaultCode::NotProven));
        }
        assert_eq!(code(gate.judge(Some(&maker), &right, start)), Some(FaultCode::Paused));
        let almost = start + PAUSE - Duration::from_secs(1);
        assert_eq!(code(gate.judge(Some(&maker), &right, almost)), Some(FaultCode::Paused));
        assert_eq!(code(gate.judge(Some(&maker), &right, start + PAUSE)), None);
    }

    #[test]
    fn names_are_counted_apart_and_unknown_ones_look_like_known_ones() {
        let gate = Gate::new(&mut system_rng());
        let maker = maker("a right long secret");
        let secret = Secret::from("a right long secret");
        let start = Instant::now();
        for _ in 0..5 {
            assert_eq!(code(gate.judge(None, &secret, start)), Some(FaultCode::NotProven));
        }
        assert_eq!(code(gate.judge(None, &secret, start)), Some(FaultCode::Paused));
        assert_eq!(code(gate.judge(Some(&maker), &secret, start)), None);
    }
}
