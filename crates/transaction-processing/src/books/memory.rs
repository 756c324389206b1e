//! Which messages had an effect lately: a fingerprint window in eight octets a message, so that ten million of them cost
//! about a hundred megabytes. A hit here is only a candidate, confirmed against the key stored in the row.

use alloc::vec::Vec;

use crate::ids::Sequence;
use crate::request::RequestKey;
use crate::time::Time;

const SEGMENTS: usize = 256;
const FEWEST_SLOTS: usize = 8;

/// Messages of one stretch of time.
struct Generation {
    began: Time,
    first_row: Sequence,
    segments: Vec<Segment>,
}

/// Open addressing over (tag, row); the slot follows from the tag, so that a segment grows without the whole key. Segments
/// grow one by one, which spreads the cost.
#[derive(Default)]
struct Segment {
    slots: Vec<(u32, u32)>,
    held: usize,
}

/// Generations of a third of the window each; what is older than the window is dropped whole.
pub(super) struct Memory {
    generation_seconds: u32,
    generations: Vec<Generation>,
}

impl Memory {
    pub(super) fn new(window_seconds: u32) -> Memory {
        Memory { generation_seconds: window_seconds.div_ceil(3).max(1), generations: Vec::new() }
    }

    pub(super) fn remember(&mut self, key: RequestKey, row: Sequence, time: Time) {
        let fits = |generation: &Generation| {
            time < generation.began.plus_seconds(self.generation_seconds)
                && row.0.wrapping_sub(generation.first_row.0) < u64::from(u32::MAX)
        };
        if !self.generations.last().is_some_and(fits) {
            let segments = (0..SEGMENTS).map(|_| Segment::default()).collect();
            self.generations.push(Generation { began: time, first_row: row, segments });
            // The window spans at most four generations: three whole ones and the one it begins within.
            let oldest = time.less_seconds(self.generation_seconds.saturating_mul(4));
            self.generations.retain(|generation| generation.began > oldest);
        }
        let (segment, tag) = split(key);
        if let Some(generation) = self.generations.last_mut() {
            let offset = row.0.saturating_sub(generation.first_row.0) as u32;
            if let Some(segment) = generation.segments.get_mut(segment) {
                segment.put(tag, offset);
            }
        }
    }

    pub(super) fn candidates(&self, key: RequestKey) -> impl Iterator<Item = Sequence> {
        let (segment, tag) = split(key);
        self.generations.iter().rev().flat_map(move |generation| {
            let found = generation.segments.get(segment).map(|held| held.find(tag));
            found.into_iter().flatten().map(|offset| Sequence(generation.first_row.0.saturating_add(u64::from(offset))))
        })
    }
}

impl Segment {
    /// The free marker is an offset that no row can have: a generation ends before it.
    const FREE: u32 = u32::MAX;

    fn put(&mut self, tag: u32, offset: u32) {
        if self.held.saturating_add(1) > self.slots.len().saturating_mul(3).wrapping_div(4) {
            let slots = self.slots.len().saturating_mul(2).max(FEWEST_SLOTS);
            let before = core::mem::replace(&mut self.slots, alloc::vec![(0, Self::FREE); slots]);
            for (tag, offset) in before.into_iter().filter(|(_, offset)| *offset != Self::FREE) {
                self.place(tag, offset);
            }
        }
        self.place(tag, offset);
        self.held = self.held.saturating_add(1);
    }

    fn place(&mut self, tag: u32, offset: u32) {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = tag as usize & mask;
        while self.slots.get(slot).is_some_and(|(_, held)| *held != Self::FREE) {
            slot = slot.wrapping_add(1) & mask;
        }
        if let Some(free) = self.slots.get_mut(slot) {
            *free = (tag, offset);
        }
    }

    fn find(&self, tag: u32) -> impl Iterator<Item = u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = tag as usize & mask;
        core::iter::from_fn(move || {
            loop {
                let &(held, offset) = self.slots.get(slot)?;
                if offset == Segment::FREE {
                    return None;
                }
                slot = slot.wrapping_add(1) & mask;
                if held == tag {
                    return Some(offset);
                }
            }
        })
    }
}

/// The segment and the tag of a key: the key is a keyed fingerprint, so any of its bits are as good as random.
fn split(key: RequestKey) -> (usize, u32) {
    let [segment, a, b, c, d, ..] = key.0;
    (usize::from(segment), u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> RequestKey {
        let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        let mut key = [0; 16];
        key[..8].copy_from_slice(&mixed);
        RequestKey(key)
    }

    #[test]
    fn knows_what_it_was_told_within_the_window_and_drops_the_rest() {
        let mut memory = Memory::new(300);
        for n in 1..=10_000 {
            memory.remember(key(n), Sequence(n), Time(0));
        }
        assert!((1..=10_000).all(|n| memory.candidates(key(n)).any(|row| row == Sequence(n))));
        let strangers = (10_001..=20_000).filter(|n| memory.candidates(key(*n)).next().is_some()).count();
        assert!(strangers < 5, "{strangers} false candidates");
        for step in 1..=4_u64 {
            memory.remember(key(20_000 + step), Sequence(20_000 + step), Time(step as i64 * 100_000));
        }
        assert!(memory.candidates(key(1)).next().is_none(), "older than the window");
        assert!(memory.candidates(key(20_002)).next().is_some());
    }
}
