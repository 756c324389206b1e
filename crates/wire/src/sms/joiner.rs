//! Parts of inbound messages, until all are there.

use super::coding::{DefaultAlphabet, Unreadable, decode_behind};
use super::udh::{Part, UserData, without_concatenation};
use crate::Secret;
use crate::smpp::{Address, Body, ESM_UDHI, ShortMessage};
use core::time::Duration;
use std::collections::{BTreeMap, HashMap};
use zeroize::Zeroizing;

/// What a [`Joiner`] keeps to.
#[derive(Debug, Clone)]
pub struct JoinerConfig {
    /// The most parts of one message; a message that announces more is refused.
    pub parts: u8,
    /// The most octets of one part.
    pub part_octets: usize,
    /// Unfinished messages of one sender. At the bound the sender's oldest is dropped.
    pub per_source: usize,
    /// Unfinished messages of all. At the bound the oldest is dropped.
    pub messages: usize,
    /// How long a message may stay unfinished after its first part.
    pub timeout: Duration,
}

impl Default for JoinerConfig {
    /// Three parts of 255 octets, 2 messages a sender, 10,000 in all (under 16 MiB), two minutes.
    fn default() -> Self {
        Self { parts: 3, part_octets: 255, per_source: 2, messages: 10_000, timeout: Duration::from_secs(120) }
    }
}

/// What became of a message that was given to a [`Joiner`].
#[derive(Debug)]
pub enum Join {
    /// It is no part: here it is.
    Single(ShortMessage),
    /// Others are missing. It is held in memory only: a crash loses it, and its sender gets no answer and sends
    /// again. So it may be acknowledged, and must be: a centre may hold the next part back until it is.
    Held,
    /// It is here already.
    Duplicate,
    /// It was the last one missing.
    Whole(Whole),
    /// It belongs to a message of more, or of longer, parts than allowed.
    TooLong(ShortMessage),
}

/// A message whose parts are all there.
pub struct Whole {
    first: ShortMessage,
    /// Information elements of the first part, but concatenation.
    elements: Vec<u8>,
    /// Payload and fill bits of each part, in order.
    payloads: Vec<(Body, u8)>,
}

impl core::fmt::Debug for Whole {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Whole({} parts)", self.payloads.len())
    }
}

impl Whole {
    /// The first part with all fields but its body.
    #[must_use]
    pub fn first(&self) -> &ShortMessage {
        &self.first
    }

    /// The text of all parts.
    ///
    /// # Errors
    /// See [`Unreadable`].
    pub fn text(&self, alphabet: DefaultAlphabet) -> Result<Secret, Unreadable> {
        let data_coding = self.first.data_coding;
        // Packed septets restart in each part; in all other codings a character may be split between two.
        if alphabet != DefaultAlphabet::Gsm7Packed {
            return decode_behind(data_coding, alphabet, &self.octets(&[]), 0);
        }
        let mut text = String::new();
        for (payload, fill) in &self.payloads {
            let part = decode_behind(data_coding, alphabet, payload, *fill)?;
            let mut longer = String::with_capacity(text.len() + part.expose().len());
            longer.extend([text.as_str(), part.expose()]);
            drop(Zeroizing::new(core::mem::replace(&mut text, longer)));
        }
        Ok(Secret::new(text))
    }

    /// As if it had come in one piece: the other information elements of the first part, then all payloads. Not
    /// for packed text.
    #[must_use]
    pub fn into_message(self) -> ShortMessage {
        let header = match self.elements.len() {
            0 => Vec::new(),
            length => [&[length as u8][..], &self.elements].concat(),
        };
        let udhi = if header.is_empty() { 0 } else { ESM_UDHI };
        let body = self.octets(&header);
        ShortMessage { esm_class: self.first.esm_class & !ESM_UDHI | udhi, body, ..self.first }
    }

    fn octets(&self, header: &[u8]) -> Body {
        let length = header.len() + self.payloads.iter().map(|(payload, _)| payload.len()).sum::<usize>();
        let mut octets = Vec::with_capacity(length);
        octets.extend_from_slice(header);
        for (payload, _) in &self.payloads {
            octets.extend_from_slice(payload);
        }
        octets.into()
    }
}

struct Pending {
    age: u64,
    deadline: Duration,
    destination: Address,
    reference: (bool, u16),
    /// One place a part.
    parts: Vec<Option<ShortMessage>>,
}

/// Holds parts until their message is whole.
pub struct Joiner {
    config: JoinerConfig,
    by_source: HashMap<Address, Vec<Pending>>,
    by_age: BTreeMap<u64, Address>,
    next_age: u64,
}

impl Joiner {
    /// With nothing in it.
    #[must_use]
    pub fn new(config: JoinerConfig) -> Self {
        Self { config, by_source: HashMap::new(), by_age: BTreeMap::new(), next_age: 0 }
    }

    /// Takes a message in.
    pub fn push(&mut self, now: Duration, message: ShortMessage) -> Join {
        let part = UserData::of(&message).and_then(|data| Part::of(data.elements, &message.tlvs));
        let Some(part) = part else { return Join::Single(message) };
        if part.total > self.config.parts || message.body.len() > self.config.part_octets {
            return Join::TooLong(message);
        }
        self.expire(now);
        let source = message.source;
        let pending = self.pending(now, &message, part);
        let place = &mut pending.parts[usize::from(part.number) - 1];
        match place {
            Some(held) if held.body == message.body => return Join::Duplicate,
            // The same reference with other content: a new message, and the old one will never be whole.
            Some(_) => pending.parts.iter_mut().for_each(|part| *part = None),
            None => {}
        }
        pending.parts[usize::from(part.number) - 1] = Some(message);
        if pending.parts.iter().any(Option::is_none) {
            return Join::Held;
        }
        let age = pending.age;
        match self.remove(source, age).and_then(whole) {
            Some(whole) => Join::Whole(whole),
            None => Join::Held,
        }
    }

    /// Drops what stayed unfinished too long; how many messages. [`Joiner::push`] does so too.
    pub fn expire(&mut self, now: Duration) -> usize {
        let mut dropped = 0;
        while let Some((&age, &source)) = self.by_age.first_key_value() {
            let pending = self.by_source.get(&source).and_then(|all| all.iter().find(|pending| pending.age == age));
            if pending.is_some_and(|pending| pending.deadline > now) {
                break;
            }
            self.remove(source, age);
            dropped += 1;
        }
        dropped
    }

    /// Unfinished messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_age.is_empty()
    }

    /// The unfinished message that the part belongs to, made room for if it is new.
    fn pending(&mut self, now: Duration, message: &ShortMessage, part: Part) -> &mut Pending {
        let belongs = |pending: &Pending| {
            pending.destination == message.destination
                && pending.reference == (part.wide, part.reference)
                && pending.parts.len() == usize::from(part.total)
        };
        let known = self.by_source.get(&message.source).and_then(|all| all.iter().position(belongs));
        if known.is_none() {
            self.make_room(message.source);
            let age = self.next_age;
            self.next_age += 1;
            self.by_age.insert(age, message.source);
            self.by_source.entry(message.source).or_default().push(Pending {
                age,
                deadline: now + self.config.timeout,
                destination: message.destination,
                reference: (part.wide, part.reference),
                parts: vec![None; usize::from(part.total)],
            });
        }
        let all = self.by_source.entry(message.source).or_default();
        let place = known.unwrap_or(all.len() - 1);
        &mut all[place]
    }

    fn make_room(&mut self, source: Address) {
        let own = self.by_source.get(&source).filter(|own| own.len() >= self.config.per_source.max(1));
        if let Some(oldest) = own.and_then(|own| own.first()) {
            let age = oldest.age;
            self.remove(source, age);
        }
        while self.by_age.len() >= self.config.messages.max(1)
            && let Some((&age, &source)) = self.by_age.first_key_value()
        {
            self.remove(source, age);
        }
    }

    fn remove(&mut self, source: Address, age: u64) -> Option<Pending> {
        self.by_age.remove(&age);
        let all = self.by_source.get_mut(&source)?;
        let place = all.iter().position(|pending| pending.age == age)?;
        let pending = all.remove(place);
        if all.is_empty() {
            self.by_source.remove(&source);
        }
        Some(pending)
    }
}

fn whole(pending: Pending) -> Option<Whole> {
    let parts: Vec<ShortMessage> = pending.parts.into_iter().collect::<Option<_>>()?;
    let payload = |part: &ShortMessage| UserData::of(part).map(|data| (Body::from(data.payload), data.fill()));
    let payloads = parts.iter().map(payload).collect::<Option<_>>()?;
    let mut first = parts.into_iter().next()?;
    let elements = UserData::of(&first).map(|data| without_concatenation(data.elements))?;
    first.body = Body::default();
    Some(Whole { first, elements, payloads })
}
