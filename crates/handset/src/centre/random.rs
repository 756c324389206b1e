//! Randomness for faults: seeded, so that a run can be repeated. Never for secrets.

use core::time::Duration;

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// True with this probability: never at 0, always at 1. Draws nothing at 0.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && (self.next() >> 11) as f64 / ((1_u64 << 53) as f64) < probability
    }

    /// Evenly between nothing and `most`.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX - 1);
        Duration::from_nanos(self.next() % (most + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_come_true_about_as_often_as_they_say() {
        let mut random = Random::new(1);
        for (probability, expected) in [(0.0, 0..=0), (0.2, 1_900..=2_100), (1.0, 10_000..=10_000)] {
            let count = (0..10_000).filter(|_| random.chance(probability)).count();
            assert!(expected.contains(&count), "{probability}: {count}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_run() {
        let run = |seed| {
            let mut random = Random::new(seed);
            core::array::from_fn::<_, 8, _>(|_| random.up_to(Duration::from_secs(1)))
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert!(run(7).iter().all(|time| *time <= Duration::from_secs(1)));
    }
}
