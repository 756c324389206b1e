//! The cache of the keys of cards.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use shuttle::sync::Arc;
use shuttle::thread;

use crate::card_cache::{CardCache, SLOTS};
use crate::card_keys::Direction;
use crate::secured_packet::KeySet;

/// Two cards whose uplink keys have one place between them.
static CARDS: LazyLock<[String; 2]> = LazyLock::new(|| {
    let place = |iccid: &str| {
        let mut hasher = DefaultHasher::new();
        (Direction::Uplink, iccid).hash(&mut hasher);
        hasher.finish() as usize % SLOTS
    };
    let first = "8925501234567890123".to_owned();
    let other = (0..).map(|number| format!("89255{number:014}")).find(|other| place(other) == place(&first));
    [first, other.expect("one of many")]
});

/// Cards that drive one another out: each gets its own keys all the same, and nobody waits for ever, even where a derivation
/// asks for other keys.
pub fn no_card_gets_the_keys_of_another() {
    let cache = Arc::new(CardCache::new());
    let own = |card: &str| KeySet(card.to_owned());
    let threads: Vec<_> = (0..3)
        .map(|thread| {
            let cache = Arc::clone(&cache);
            thread::spawn(move || {
                for turn in 0..2 {
                    let [card, other] = [&CARDS[(thread + turn) % 2], &CARDS[(thread + turn + 1) % 2]];
                    let keys = cache.get(Direction::Uplink, card, || {
                        assert_eq!(cache.get(Direction::Uplink, other, || own(other)), own(other));
                        thread::yield_now();
                        own(card)
                    });
                    assert_eq!(keys, own(card));
                    assert_eq!(cache.get(Direction::Downlink, card, || own("down")), own("down"));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a thread"));
}
