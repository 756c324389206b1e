//! Sets of numbers in order: which records changed since the checkpoint had them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

const WORDS: usize = 8;
const BITS: u64 = 64 * WORDS as u64;

/// A set of `u64`, taken out from the lowest on. Numbers that lie close together share a node, so that a million changed
/// accounts cost a few hundred kilobytes.
#[derive(Default)]
pub(crate) struct NumberSet {
    nodes: BTreeMap<u64, [u64; WORDS]>,
    length: usize,
}

impl NumberSet {
    pub(crate) fn insert(&mut self, number: u64) {
        let (node, word, bit) = place(number);
        let words = self.nodes.entry(node).or_default();
        if words[word] & bit == 0 {
            words[word] |= bit;
            self.length += 1;
        }
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        let (node, word, bit) = place(number);
        self.nodes.get(&node).is_some_and(|words| words[word] & bit != 0)
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn take_first(&mut self) -> Option<u64> {
        let (node, words) = self.nodes.first_key_value()?;
        let word = words.iter().position(|word| *word != 0)?;
        let number = node * BITS + word as u64 * 64 + u64::from(words[word].trailing_zeros());
        self.remove(number);
        Some(number)
    }

    pub(crate) fn remove(&mut self, number: u64) {
        let (node, word, bit) = place(number);
        let Entry::Occupied(mut entry) = self.nodes.entry(node) else { return };
        let words = entry.get_mut();
        if words[word] & bit != 0 {
            words[word] ^= bit;
            self.length -= 1;
        }
        if words.iter().all(|word| *word == 0) {
            entry.remove();
        }
    }
}

fn place(number: u64) -> (u64, usize, u64) {
    (number / BITS, (number % BITS / 64) as usize, 1 << (number % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_each_number_once_and_in_order() {
        let mut set = NumberSet::default();
        let numbers = [u64::MAX, 0, 511, 512, 63, 64, 255_712_000_002, 1 << 63, 0, 64];
        numbers.iter().for_each(|number| set.insert(*number));
        let mut expected = numbers.to_vec();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(set.length(), expected.len());
        assert!(expected.iter().all(|number| set.contains(*number)) && !set.contains(1));
        set.remove(63);
        set.remove(1);
        expected.retain(|number| *number != 63);
        assert!(set.length() == expected.len() && !set.contains(63) && set.contains(64));
        let taken: Vec<u64> = std::iter::from_fn(|| set.take_first()).collect();
        assert_eq!(taken, expected);
        assert_eq!(set.length(), 0);
    }
}
