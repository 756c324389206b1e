//! A phone: writes messages, plain or sealed by its card, and reads what comes.

mod card;
mod counters;

pub use card::{CannotSeal, Card};
pub use counters::{CounterStore, FileCounters, MemoryCounters};

use crate::number::Number;
use core::time::Duration;
use encryption::secured_packet::{self, COMMAND_HEADER, PacketRefusal};
use wire::Secret;
use wire::smpp::{Body, ESM_UDHI, ShortMessage};
use wire::sms::{self, Coding, DefaultAlphabet, Join, Joiner, JoinerConfig, Segment, Unreadable};

/// data_coding of sealed messages: 8-bit.
const BINARY: u8 = 0x04;
/// The information element that says "command packet" (3GPP TS 31.115 §4.2): what stands in [`COMMAND_HEADER`] behind
/// its length.
const COMMAND_ELEMENT: &[u8] = {
    let [_, element @ ..] = &COMMAND_HEADER;
    element
};

/// A phone with a number and perhaps a card.
pub struct Phone {
    number: Number,
    card: Option<Card>,
    joiner: Joiner,
    /// Of the last message of several parts.
    reference: u8,
}

/// A message, or one part of one, ready for the air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// User data header, if any, and payload.
    pub body: Body,
    /// data_coding.
    pub data_coding: u8,
    /// esm_class: 40 with a user data header.
    pub esm_class: u8,
    /// Whether a card sealed it.
    pub sealed: bool,
}

/// Why a text was not made into a message.
#[derive(Debug, thiserror::Error)]
pub enum CannotCompose {
    /// It needs more parts than allowed.
    #[error("longer than a message may be")]
    TooLong,
    /// The card does not seal it.
    #[error(transparent)]
    Card(#[from] CannotSeal),
}

/// A message that came, whole.
pub struct Incoming {
    /// The sender's digits or letters.
    pub from: String,
    /// What it says, or why that cannot be read. A failed check is shown, never answered.
    pub text: Result<Secret, CannotRead>,
    /// Whether it came sealed.
    pub sealed: bool,
    /// The octets as they came, joined if there were several parts.
    pub wire: Body,
}

impl Incoming {
    /// [`Incoming::wire`] in hexadecimal.
    #[must_use]
    pub fn wire_hex(&self) -> String {
        crate::hex::encode(&self.wire)
    }
}

/// Why a message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotRead {
    /// It is sealed, and the phone has no card.
    #[error("it is sealed and this phone has no card")]
    NoCard,
    /// It is not a packet of this card's platform.
    #[error("the seal is not right: {0}")]
    Packet(PacketRefusal),
    /// Its counter is not higher than all before: it came before, or was overtaken.
    #[error("it is older than one that was read")]
    Old,
    /// The card could not keep the counter, so the message could come again.
    #[error("the card's counter cannot be kept")]
    CounterNotKept,
    /// It is no text, or in no known coding.
    #[error("it is not text")]
    NotText,
    /// It has more, or longer, parts than are joined.
    #[error("it is too long")]
    TooLong,
}

impl Phone {
    /// A phone. With a card everything it writes is sealed.
    #[must_use]
    pub fn new(number: Number, card: Option<Card>) -> Self {
        // Of a phone's size; two hours, as parts may come while it is on and off.
        let joiner = JoinerConfig {
            parts: 10,
            per_source: 8,
            messages: 64,
            timeout: Duration::from_secs(2 * 3600),
            ..JoinerConfig::default()
        };
        Self { number, card, joiner: Joiner::new(joiner), reference: 0 }
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> Number {
        self.number
    }

    /// Whether it has a card.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.card.is_some()
    }

    /// Makes a message of one part.
    ///
    /// # Errors
    /// When it needs more, or the card cannot seal.
    pub fn compose(&mut self, text: &str) -> Result<Outgoing, CannotCompose> {
        self.compose_parts(text, 1)?.pop().ok_or(CannotCompose::TooLong)
    }

    /// Makes a message of as few parts as it needs, `most` at most (sealed: 3).
    ///
    /// # Errors
    /// When it needs more, or the card cannot seal.
    pub fn compose_parts(&mut self, text: &str, most: u8) -> Result<Vec<Outgoing>, CannotCompose> {
        let reference = sms::Reference::Narrow(self.reference.wrapping_add(1));
        let (segments, sealed) = match &mut self.card {
            Some(card) => {
                let packet = card.seal(text, most)?;
                (sms::segment_binary(COMMAND_ELEMENT, &packet, BINARY, reference, most), true)
            }
            None => (sms::segment_text(text, DefaultAlphabet::Gsm7Unpacked, reference, most), false),
        };
        let segments = segments.map_err(|_| CannotCompose::TooLong)?;
        self.reference = self.reference.wrapping_add(u8::from(segments.len() > 1));
        let outgoing = |Segment { has_header, data_coding, body }| {
            let esm_class = if has_header { ESM_UDHI } else { 0 };
            Outgoing { body, data_coding, esm_class, sealed }
        };
        Ok(segments.into_iter().map(outgoing).collect())
    }

    /// Takes in what came: a whole message, or `None` while parts are missing. `now` only moves forward.
    pub fn receive(&mut self, now: Duration, message: &ShortMessage) -> Option<Incoming> {
        match self.joiner.push(now, message.clone()) {
            Join::Held | Join::Duplicate => None,
            Join::Single(message) => Some(self.read(message, None)),
            Join::Whole(whole) => {
                let text = whole.text(DefaultAlphabet::Gsm7Unpacked);
                Some(self.read(whole.into_message(), Some(text)))
            }
            Join::TooLong(message) => Some(incoming(&message, false, Err(CannotRead::TooLong))),
        }
    }

    /// Reads a whole message; `text` is known already when it was joined.
    fn read(&mut self, message: ShortMessage, text: Option<Result<Secret, Unreadable>>) -> Incoming {
        // In every 8-bit body, whatever esm_class says (GSM 03.48 §6.1).
        let binary = Coding::of(message.data_coding) == Some(Coding::Binary);
        if binary && secured_packet::is_command(&message.body) {
            let packet = &message.body[COMMAND_HEADER.len()..];
            let text = self.card.as_mut().ok_or(CannotRead::NoCard).and_then(|card| card.open(packet));
            return incoming(&message, true, text);
        }
        let text = text.unwrap_or_else(|| sms::read(&message, DefaultAlphabet::Gsm7Unpacked));
        incoming(&message, false, text.map_err(|_| CannotRead::NotText))
    }
}

fn incoming(message: &ShortMessage, sealed: bool, text: Result<Secret, CannotRead>) -> Incoming {
    let from = message.source.digits.as_bytes().escape_ascii().to_string();
    Incoming { from, text, sealed, wire: message.body.clone() }
}
