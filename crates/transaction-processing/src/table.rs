//! An append-only table by number: fast, deterministic, and without one long copy when it grows.

use alloc::vec::Vec;

const CHUNK: usize = 1024;
const EMPTY: u32 = u32::MAX;
const FEWEST_SLOTS: usize = 64;

/// Values by a `u64` key, at most 2³² − 2 of them. Values never move once they are in.
pub(crate) struct Table<V> {
    chunks: Vec<Vec<V>>,
    length: u32,
    /// Open addressing: positions in `chunks`, at a power of two slots, at most three quarters full.
    slots: Vec<u32>,
}

/// What a table holds knows its own number.
pub(crate) trait Keyed {
    fn key(&self) -> u64;
}

impl<V: Keyed> Table<V> {
    pub(crate) fn new() -> Table<V> {
        Table { chunks: Vec::new(), length: 0, slots: alloc::vec![EMPTY; FEWEST_SLOTS] }
    }

    pub(crate) fn length(&self) -> usize {
        self.length as usize
    }

    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        let position = self.find(key).ok()?;
        self.at(position)
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        let position = self.find(key).ok()? as usize;
        let chunk = self.chunks.get_mut(position.wrapping_div(CHUNK))?;
        chunk.get_mut(position.wrapping_rem(CHUNK))
    }

    /// Puts a value under a key, and gives what stood there.
    pub(crate) fn put(&mut self, value: V) -> Option<V> {
        let key = value.key();
        match self.find(key) {
            Ok(_) => self.get_mut(key).map(|held| core::mem::replace(held, value)),
            Err(slot) => {
                let position = self.length;
                if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
                    self.chunks.push(Vec::with_capacity(CHUNK));
                }
                if let (Some(chunk), Some(free)) = (self.chunks.last_mut(), self.slots.get_mut(slot)) {
                    chunk.push(value);
                    *free = position;
                    self.length = position.saturating_add(1);
                }
                if self.length() > self.slots.len().saturating_mul(3).wrapping_div(4) {
                    self.grow();
                }
                None
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &V> {
        self.chunks.iter().flatten()
    }

    /// The values from position `start` on, in the order of their arrival: for sweeps that go on later.
    pub(crate) fn skip_to(&self, start: usize) -> impl Iterator<Item = &V> {
        let skipped = start.wrapping_div(CHUNK);
        let within = start.wrapping_rem(CHUNK);
        self.chunks.iter().skip(skipped).flatten().skip(within)
    }

    fn at(&self, position: u32) -> Option<&V> {
        let position = position as usize;
        self.chunks.get(position.wrapping_div(CHUNK))?.get(position.wrapping_rem(CHUNK))
    }

    /// The position of a key, or the free slot where it belongs.
    fn find(&self, key: u64) -> Result<u32, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = spread(key) & mask;
        loop {
            match self.slots.get(slot) {
                Some(&position) if position != EMPTY => {
                    if self.at(position).is_some_and(|held| held.key() == key) {
                        return Ok(position);
                    }
                    slot = slot.wrapping_add(1) & mask;
                }
                _ => return Err(slot),
            }
        }
    }

    fn grow(&mut self) {
        self.slots = alloc::vec![EMPTY; self.slots.len().saturating_mul(2)];
        let mask = self.slots.len().wrapping_sub(1);
        let mut position = 0_u32;
        for held in self.chunks.iter().flatten() {
            let mut slot = spread(held.key()) & mask;
            while self.slots.get(slot).is_some_and(|held| *held != EMPTY) {
                slot = slot.wrapping_add(1) & mask;
            }
            if let Some(free) = self.slots.get_mut(slot) {
                *free = position;
            }
            position = position.wrapping_add(1);
        }
    }
}

/// Spreads keys that differ little (numbers of one operator) over the slots; the finaliser of a 64-bit mixer.
fn spread(key: u64) -> usize {
    let mixed = (key ^ (key >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    impl Keyed for (u64, u64) {
        fn key(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn holds_what_an_ordered_map_holds() {
        let mut table = Table::new();
        let mut map = BTreeMap::new();
        let mut key = 1_u64;
        for value in 0..20_000_u64 {
            key = key.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let short = key >> 50;
            table.put((short, value));
            map.insert(short, value);
        }
        assert_eq!(table.length(), map.len());
        assert!(map.iter().all(|(key, value)| table.get(*key) == Some(&(*key, *value))));
        assert_eq!(table.get(u64::MAX), None);
        let held: BTreeMap<u64, u64> = table.iter().copied().collect();
        assert_eq!(held, map);
        assert_eq!(table.skip_to(1500).count(), table.length() - 1500);
    }
}
