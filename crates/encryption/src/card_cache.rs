//! The key sets of cards met lately, so that a message from or to one of them costs no derivation.

use crate::{card_keys::Direction, secured_packet::KeySet};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Key sets that are kept; each card has two. About 1 KiB each.
pub(crate) const SLOTS: usize = 4096;

/// As many slots as there will ever be. A key set has one place; who comes there later drives out who is there, whose keys
/// are wiped when the last message under way has used them.
pub(crate) struct CardCache(Box<[Mutex<Option<Entry>>]>);

struct Entry {
    direction: Direction,
    iccid: Box<str>,
    keys: KeySet,
}

impl CardCache {
    pub(crate) fn new() -> Self {
        Self((0..SLOTS).map(|_| Mutex::new(None)).collect())
    }

    /// The key set of a card, derived if it is not at hand. Nobody waits for a derivation but who asked for it.
    pub(crate) fn get(&self, direction: Direction, iccid: &str, derive: impl FnOnce() -> KeySet) -> KeySet {
        let is_it = |entry: &&Entry| entry.direction == direction && *entry.iccid == *iccid;
        if let Some(entry) = self.slot(direction, iccid).as_ref().filter(is_it) {
            return entry.keys.clone();
        }
        let keys = derive();
        *self.slot(direction, iccid) = Some(Entry { direction, iccid: iccid.into(), keys: keys.clone() });
        keys
    }

    fn slot(&self, direction: Direction, iccid: &str) -> MutexGuard<'_, Option<Entry>> {
        let mut hasher = DefaultHasher::new();
        (direction, iccid).hash(&mut hasher);
        self.0[hasher.finish() as usize % SLOTS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CardMaster,
        secured_packet::{Counter, seal},
    };
    use std::{cell::Cell, thread};

    fn packet(keys: &KeySet) -> Vec<u8> {
        seal(keys, Counter::new(1).unwrap(), b"BL").unwrap()
    }

    #[test]
    fn a_card_met_lately_costs_no_derivation() {
        let (cache, master, derived) = (CardCache::new(), CardMaster::new(&[1; 32]), Cell::new(0));
        let derive = |keys: KeySet| {
            derived.set(derived.get() + 1);
            keys
        };
        for _ in 0..3 {
            let iccid = "8925501234567890123";
            let uplink = cache.get(Direction::Uplink, iccid, || derive(master.uplink(iccid)));
            let downlink = cache.get(Direction::Downlink, iccid, || derive(master.downlink(iccid)));
            assert_eq!(packet(&uplink), packet(&master.uplink(iccid)));
            assert_eq!(packet(&downlink), packet(&master.downlink(iccid)));
        }
        assert_eq!(derived.get(), 2);
    }

    /// More cards than there are slots: they drive one another out, and each still gets its own.
    #[test]
    fn no_card_ever_gets_the_keys_of_another() {
        let (cache, master) = (CardCache::new(), CardMaster::new(&[1; 32]));
        thread::scope(|scope| {
            for start in 0..2 {
                let (cache, master) = (&cache, &master);
                scope.spawn(move || {
                    for i in 0..3 * SLOTS {
                        let iccid = format!("89255{:014}", (start + i) % (SLOTS + SLOTS / 2));
                        let keys = cache.get(Direction::Uplink, &iccid, || master.uplink(&iccid));
                        assert_eq!(packet(&keys), packet(&master.uplink(&iccid)), "{iccid}");
                    }
                });
            }
        });
    }
}
