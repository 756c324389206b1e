//! How long to wait before binding again.

use core::time::Duration;

/// Exponential backoff with full jitter over its upper half: many binds that fall together do not come back
/// together.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempt: u32,
}

impl Backoff {
    /// Waits about `first` after the first failure, twice as long after each further one, never more than
    /// `longest`.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, attempt: 0 }
    }

    /// The next wait: between half of the step and the whole of it, chosen by `random`, a uniform number.
    pub fn next(&mut self, random: u64) -> Duration {
        let step = self.first.saturating_mul(1u32.checked_shl(self.attempt).unwrap_or(u32::MAX)).min(self.longest);
        self.attempt = self.attempt.saturating_add(1);
        let half = step / 2;
        let spread = (step - half).as_nanos().saturating_add(1);
        half + Duration::from_nanos(u64::try_from((u128::from(random) * spread) >> 64).unwrap_or(u64::MAX))
    }

    /// The bind stood for a while: start over.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_longest_and_stays_between_half_and_whole() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(60));
        for random in [0, 1, u64::MAX / 2, u64::MAX] {
            let mut backoff = Backoff::new(first, longest);
            for attempt in 0..80u32 {
                let step = first.saturating_mul(2u32.saturating_pow(attempt)).min(longest);
                let wait = backoff.next(random);
                assert!(wait >= step / 2 && wait <= step, "{attempt}: {wait:?} of {step:?}");
            }
            backoff.reset();
            assert!(backoff.next(random) <= first);
        }
    }

    #[test]
    fn jitter_spreads() {
        let of = |random| Backoff::new(Duration::from_secs(8), Duration::from_secs(60)).next(random);
        assert_eq!(of(0), Duration::from_secs(4));
        assert_eq!(of(u64::MAX), Duration::from_secs(8));
        assert_eq!(of(1 << 63), Duration::from_secs(6));
    }
}
