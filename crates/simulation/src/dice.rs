//! All randomness of a run, from its seed alone, in streams that do not disturb each other.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};

/// One stream of randomness.
pub struct Dice(StdRng);

impl Dice {
    /// The stream of this name in the run of this seed.
    pub fn new(seed: u64, stream: &str) -> Dice {
        // FNV-1a: any mixing will do, as long as it is the same everywhere.
        let mixed = stream.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Dice(StdRng::seed_from_u64(mixed))
    }

    /// The generator itself, for whatever draws by itself.
    pub fn generator(&mut self) -> &mut StdRng {
        &mut self.0
    }

    /// A uniform number.
    pub fn number(&mut self) -> u64 {
        self.0.random()
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound.max(1))
    }

    /// A place in a list of this length, which is not zero.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// True so many times in ten thousand.
    pub fn strikes(&mut self, per_myriad: u32) -> bool {
        per_myriad > 0 && self.below(10_000) < u64::from(per_myriad)
    }

    /// One of two, evenly.
    pub fn coin(&mut self) -> bool {
        self.0.random()
    }

    /// A time between the two.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let spread = most.saturating_sub(least).as_micros() as u64;
        least + Duration::from_micros(self.below(spread + 1))
    }

    /// One of them; none of none.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.index(all.len())) }
    }

    /// The place of one of these weights, which are not all zero.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let all: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let mut drawn = self.below(all);
        for (place, weight) in weights.iter().enumerate() {
            match drawn.checked_sub(u64::from(*weight)) {
                Some(rest) => drawn = rest,
                None => return place,
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_the_same_every_time_and_differ_from_each_other() {
        let draw = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            [dice.number(), dice.number()]
        };
        assert_eq!(draw(1, "network"), draw(1, "network"));
        assert_ne!(draw(1, "network"), draw(2, "network"));
        assert_ne!(draw(1, "network"), draw(1, "disk"));
    }

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(3, "weights");
        let mut counts = [0; 3];
        (0..9_000).for_each(|_| counts[dice.weighted(&[1, 0, 2])] += 1);
        assert!(counts[1] == 0 && (2_700..3_300).contains(&counts[0]), "{counts:?}");
    }
}
