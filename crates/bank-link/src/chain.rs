//! One key per message: a chain for each direction of a lane, from which nobody comes back.
//!
//! `Expand` is HKDF-Expand-SHA-256 (RFC 5869 §2.3) to 32 octets; integers are big-endian:
//! ```text
//! CK_0   = Expand(RK,   "wakala link v1 ck"   | direction 1 | lane 4)
//! MK_n   = Expand(CK_n, "wakala link v1 mk"   | direction 1 | lane 4 | n 8)
//! CK_n+1 = Expand(CK_n, "wakala link v1 next")
//! ```
//! Whoever learns `CK_n` learns no key before `n`: each is wiped as the next is made.

use crate::{
    codec::{Reader, Undecodable},
    frame::Ignored,
    identity::SecretKey,
};
use hkdf::Hkdf;
use sha2::Sha256;
use std::collections::{BTreeMap, VecDeque};
use subtle::ConstantTimeEq;

/// As many keys a chain gives; then a session is spent.
pub const MOST_KEYS: u64 = 1 << 20;
/// As many keys a sender reserves at once. A restart skips what is left of them.
pub const BLOCK: u64 = 256;
/// As many keys of messages that did not come yet a receiver keeps, and as many digests of those that came.
pub const WINDOW: usize = 64;
/// A receiver goes no further ahead for one message; some restarts of a sender fit.
pub const JUMP: u64 = 4 * BLOCK;

/// The beginning of a message's SHA-256, by which it is known when it comes again.
pub(crate) type Digest = [u8; 16];

/// Which way messages go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Direction {
    /// Orders and questions.
    ToBank = 0,
    /// Answers.
    ToOperator = 1,
}

impl Direction {
    pub(crate) fn back(self) -> Self {
        match self {
            Self::ToBank => Self::ToOperator,
            Self::ToOperator => Self::ToBank,
        }
    }
}

/// `Expand` of the module.
pub(crate) fn expand(key: &SecretKey, label: &str, fields: &[&[u8]]) -> SecretKey {
    let mut parts = [label.as_bytes(), &[], &[], &[]];
    parts[1..=fields.len()].copy_from_slice(fields);
    let mut octets = SecretKey([0; 32]);
    let from = Hkdf::<Sha256>::from_prk(&key.0).expect("a key has the length of a hash");
    from.expand_multi_info(&parts, &mut octets.0).expect("32 octets are one block");
    octets
}

/// A chain where it stands: `key` is `CK_next`.
#[derive(Clone)]
pub(crate) struct Chain {
    direction: Direction,
    lane: u32,
    pub(crate) next: u64,
    key: SecretKey,
}

impl Chain {
    pub(crate) fn begin(rk: &SecretKey, direction: Direction, lane: u32) -> Self {
        let key = expand(rk, "wakala link v1 ck", &[&[direction as u8], &lane.to_be_bytes()]);
        Self { direction, lane, next: 0, key }
    }

    /// `MK_next`.
    fn message_key(&self) -> SecretKey {
        let fields: [&[u8]; 3] = [&[self.direction as u8], &self.lane.to_be_bytes(), &self.next.to_be_bytes()];
        expand(&self.key, "wakala link v1 mk", &fields)
    }

    /// Leaves `CK_next` behind, wiped.
    fn step(&mut self) {
        self.key = expand(&self.key, "wakala link v1 next", &[]);
        self.next += 1;
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.next.to_be_bytes());
        out.extend_from_slice(&self.key.0);
    }

    fn read(reader: &mut Reader<'_>, direction: Direction, lane: u32) -> Result<Self, Undecodable> {
        let (next, key) = (reader.number()?, SecretKey(reader.array()?));
        if next > MOST_KEYS + BLOCK {
            return Err(Undecodable::Malformed("place in a chain"));
        }
        Ok(Self { direction, lane, next, key })
    }
}

/// The end of a chain that makes keys for what it sends.
pub(crate) struct Sender {
    chain: Chain,
    /// What stands in the durable state: the first key that is not reserved. A start goes on from here.
    reserved: Chain,
}

impl Sender {
    pub(crate) fn new(chain: Chain) -> Self {
        Self { reserved: chain.clone(), chain }
    }

    /// The number and key of the next message, and whether the state must be stored before that message may leave; `None`
    /// when the chain is spent.
    pub(crate) fn next(&mut self) -> Option<(u64, SecretKey, bool)> {
        let n = self.chain.next;
        if n >= MOST_KEYS {
            return None;
        }
        let reserve = n == self.reserved.next;
        if reserve {
            (0..BLOCK).for_each(|_| self.reserved.step());
        }
        let key = self.chain.message_key();
        self.chain.step();
        Some((n, key, reserve))
    }

    pub(crate) fn used(&self) -> u64 {
        self.chain.next
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.reserved.write(out);
    }

    pub(crate) fn read(reader: &mut Reader<'_>, direction: Direction, lane: u32) -> Result<Self, Undecodable> {
        Chain::read(reader, direction, lane).map(Self::new)
    }
}

/// What a receiver makes of a message.
pub(crate) enum Received<T> {
    /// Its key served now, for the only time.
    New(T),
    /// The very octets that came before.
    Again,
}

/// The end of a chain that makes keys for what it hears.
pub(crate) struct Receiver {
    chain: Chain,
    /// Keys of messages that others overtook.
    skipped: BTreeMap<u64, SecretKey>,
    /// Messages that came, the newest last.
    used: VecDeque<(u64, Digest)>,
}

impl Receiver {
    pub(crate) fn new(chain: Chain) -> Self {
        Self { chain, skipped: BTreeMap::new(), used: VecDeque::new() }
    }

    /// Opens message `n` with its key. A key is used up only by a message that opens.
    pub(crate) fn receive<T>(
        &mut self,
        n: u64,
        digest: Digest,
        open: impl FnOnce(&SecretKey) -> Option<T>,
    ) -> Result<Received<T>, Ignored> {
        if n >= MOST_KEYS {
            return Err(Ignored::Spent);
        }
        if n < self.chain.next {
            return self.receive_late(n, digest, open);
        }
        if n - self.chain.next > JUMP {
            return Err(Ignored::TooFarAhead);
        }
        let (mut ahead, mut overtaken) = (self.chain.clone(), Vec::new());
        while ahead.next < n {
            if n - ahead.next <= WINDOW as u64 {
                overtaken.push((ahead.next, ahead.message_key()));
            }
            ahead.step();
        }
        let opened = open(&ahead.message_key()).ok_or(Ignored::NotAuthentic)?;
        ahead.step();
        self.chain = ahead;
        self.skipped.extend(overtaken);
        while self.skipped.len() > WINDOW {
            self.skipped.pop_first();
        }
        self.note(n, digest);
        Ok(Received::New(opened))
    }

    fn receive_late<T>(
        &mut self,
        n: u64,
        digest: Digest,
        open: impl FnOnce(&SecretKey) -> Option<T>,
    ) -> Result<Received<T>, Ignored> {
        if let Some(key) = self.skipped.get(&n) {
            let opened = open(key).ok_or(Ignored::NotAuthentic)?;
            self.skipped.remove(&n);
            self.note(n, digest);
            return Ok(Received::New(opened));
        }
        match self.used.iter().find(|(used, _)| *used == n) {
            Some((_, known)) if bool::from(known.ct_eq(&digest)) => Ok(Received::Again),
            Some(_) => Err(Ignored::KeyUsed),
            None => Err(Ignored::KeyGone),
        }
    }

    fn note(&mut self, n: u64, digest: Digest) {
        if self.used.len() == WINDOW {
            self.used.pop_front();
        }
        self.used.push_back((n, digest));
    }

    pub(crate) fn heard(&self) -> u64 {
        self.chain.next
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.chain.write(out);
        out.push(self.skipped.len() as u8);
        for (n, key) in &self.skipped {
            out.extend_from_slice(&n.to_be_bytes());
            out.extend_from_slice(&key.0);
        }
        out.push(self.used.len() as u8);
        for (n, digest) in &self.used {
            out.extend_from_slice(&n.to_be_bytes());
            out.extend_from_slice(digest);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>, direction: Direction, lane: u32) -> Result<Self, Undecodable> {
        let mut receiver = Self::new(Chain::read(reader, direction, lane)?);
        let mut last = None;
        for _ in 0..bounded(reader)? {
            let n = reader.number()?;
            if n >= receiver.chain.next || last.is_some_and(|last| n <= last) {
                return Err(Undecodable::Malformed("skipped key"));
            }
            last = Some(n);
            receiver.skipped.insert(n, SecretKey(reader.array()?));
        }
        for _ in 0..bounded(reader)? {
            let (n, digest) = (reader.number()?, reader.array()?);
            if n >= receiver.chain.next {
                return Err(Undecodable::Malformed("used key"));
            }
            receiver.used.push_back((n, digest));
        }
        Ok(receiver)
    }
}

/// How many stand in the window.
fn bounded(reader: &mut Reader<'_>) -> Result<u8, Undecodable> {
    match reader.octet()? {
        many if usize::from(many) <= WINDOW => Ok(many),
        _ => Err(Undecodable::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(key: &SecretKey) -> String {
        key.0.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    fn beginning() -> Chain {
        Chain::begin(&SecretKey(std::array::from_fn(|i| i as u8)), Direction::ToBank, 1)
    }

    /// Whether message `n` of the chain is opened by the key that the receiver has for it.
    fn receive(receiver: &mut Receiver, n: u64, digest: u8) -> Result<Received<()>, Ignored> {
        let mut sender = beginning();
        (0..n).for_each(|_| sender.step());
        let right = sender.message_key();
        receiver.receive(n, [digest; 16], |key| (key.0 == right.0).then_some(()))
    }

    fn is_new(received: Result<Received<()>, Ignored>) -> bool {
        matches!(received, Ok(Received::New(())))
    }

    #[test]
    fn keys_equal_the_published_vectors() {
        let mut chain = beginning();
        assert_eq!(hex(&chain.key), "3892909f0e114afcb22e1372f4434c2686443c94de2f8134e531f2626f853138");
        assert_eq!(hex(&chain.message_key()), "9732b8bc24c68a717ba621db40b3f0472bd92efc3d56809ab5e183d8ee7c68a6");
        chain.step();
        assert_eq!(hex(&chain.message_key()), "477c90d25b28ee29975d4bbd9754b067b4bea66a85ab086b6b6b31dcf033b928");
    }

    #[test]
    fn another_direction_or_lane_is_another_chain() {
        let rk = SecretKey([7; 32]);
        let chains = [(Direction::ToBank, 1), (Direction::ToOperator, 1), (Direction::ToBank, 2)];
        let keys = chains.map(|(direction, lane)| hex(&Chain::begin(&rk, direction, lane).message_key()));
        assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2]);
    }

    #[test]
    fn a_sender_that_starts_again_goes_on_beyond_what_it_reserved() {
        let mut sender = Sender::new(beginning());
        let mut stored = Vec::new();
        for n in 0..BLOCK + 3 {
            let (number, _, store) = sender.next().expect("far from spent");
            assert_eq!((number, store), (n, n % BLOCK == 0));
            if store {
                stored.clear();
                sender.write(&mut stored);
            }
        }
        let mut reader = Reader(&stored);
        let mut again = Sender::read(&mut reader, Direction::ToBank, 1).expect("as it was written");
        let (number, key, store) = again.next().expect("far from spent");
        let mut there = beginning();
        (0..2 * BLOCK).for_each(|_| there.step());
        assert_eq!((number, store, key.0), (2 * BLOCK, true, there.message_key().0));
    }

    #[test]
    fn a_chain_gives_no_more_keys_than_it_may() {
        let mut chain = beginning();
        chain.next = MOST_KEYS - 1;
        let mut sender = Sender::new(chain.clone());
        assert!(sender.next().is_some() && sender.next().is_none());
        let mut receiver = Receiver::new(chain);
        assert!(is_new(receiver.receive(MOST_KEYS - 1, [0; 16], |_| Some(()))));
        assert!(matches!(receiver.receive(MOST_KEYS, [0; 16], |_| Some(())), Err(Ignored::Spent)));
    }

    #[test]
    fn messages_are_opened_in_any_order_within_the_window_and_once() {
        let mut receiver = Receiver::new(beginning());
        for n in [3, 0, 2, 1, 70, 7, 66] {
            assert!(is_new(receive(&mut receiver, n, n as u8)), "{n}");
        }
        for n in [3, 0, 2, 1, 70, 7, 66] {
            assert!(matches!(receive(&mut receiver, n, n as u8), Ok(Received::Again)), "{n}");
            assert!(matches!(receive(&mut receiver, n, 99), Err(Ignored::KeyUsed)), "{n}");
        }
        // 5 was overtaken by too many: its key is gone.
        assert!(matches!(receive(&mut receiver, 5, 5), Err(Ignored::KeyGone)));
    }

    #[test]
    fn what_does_not_open_uses_no_key_up() {
        let mut receiver = Receiver::new(beginning());
        for n in [0, 5] {
            assert!(matches!(receiver.receive(n, [1; 16], |_| None::<()>), Err(Ignored::NotAuthentic)));
        }
        assert!(is_new(receive(&mut receiver, 5, 5)));
        assert!(matches!(receiver.receive(2, [1; 16], |_| None::<()>), Err(Ignored::NotAuthentic)));
        assert!(is_new(receive(&mut receiver, 2, 2)) && is_new(receive(&mut receiver, 0, 0)));
    }

    #[test]
    fn a_receiver_goes_only_so_far_ahead_and_keeps_only_so_many_keys() {
        let mut receiver = Receiver::new(beginning());
        assert!(matches!(receive(&mut receiver, JUMP + 1, 0), Err(Ignored::TooFarAhead)));
        assert!(is_new(receive(&mut receiver, JUMP, 0)));
        assert_eq!(receiver.skipped.len(), WINDOW);
        assert!(matches!(receive(&mut receiver, 3, 0), Err(Ignored::KeyGone)));
        for n in 0..3 * WINDOW as u64 {
            assert!(is_new(receive(&mut receiver, JUMP + 1 + n, 0)));
        }
        assert_eq!(receiver.used.len(), WINDOW);
    }

    #[test]
    fn a_receiver_that_starts_again_knows_what_came() {
        let mut receiver = Receiver::new(beginning());
        for n in [4, 0, 9] {
            assert!(is_new(receive(&mut receiver, n, n as u8)));
        }
        let mut stored = Vec::new();
        receiver.write(&mut stored);
        let mut reader = Reader(&stored);
        let mut again = Receiver::read(&mut reader, Direction::ToBank, 1).expect("as it was written");
        reader.end().expect("all of it");
        let mut twice = Vec::new();
        again.write(&mut twice);
        assert_eq!(stored, twice);
        assert!(matches!(receive(&mut again, 4, 4), Ok(Received::Again)));
        assert!(is_new(receive(&mut again, 3, 3)) && is_new(receive(&mut again, 10, 10)));
    }

    /// Prints a figure and judges none, as `tests/cost.rs` does.
    #[test]
    #[ignore = "a measurement"]
    fn what_a_key_costs() {
        let mut chain = beginning();
        let round = |_| {
            let start = std::time::Instant::now();
            for _ in 0..BLOCK {
                std::hint::black_box(chain.message_key());
                chain.step();
            }
            start.elapsed()
        };
        let least = (0..100).map(round).min().expect("some rounds");
        println!("a message key and a step of the chain: {:.2} µs", least.as_secs_f64() * 1e6 / BLOCK as f64);
    }
}
