//! The card in a phone: seals what goes out, opens what comes in.

use super::CannotRead;
use super::counters::CounterStore;
use encryption::secured_packet::{self, CheckLength, Counter};
use encryption::{CardKeys, Personalisation};
use std::io;
use wire::Secret;
use zeroize::Zeroizing;

/// Counters reserved at once: one durable write for so many messages; a crash skips so many at most.
const BLOCK: u64 = 16;

/// A card: keys and the memory of its counters.
pub struct Card {
    keys: CardKeys,
    store: Box<dyn CounterStore>,
    /// The reserved counters that are left.
    reserved: std::ops::Range<u64>,
}

/// Why a card seals nothing.
#[derive(Debug, thiserror::Error)]
pub enum CannotSeal {
    /// More than fits the allowed parts.
    #[error("longer than a sealed message may be")]
    TooLong,
    /// The counter has reached its end: the card must be replaced.
    #[error("the card's counter is used up")]
    CounterUsedUp,
    /// Counters could not be reserved for good.
    #[error("the card's counter cannot be kept: {0}")]
    Store(#[from] io::Error),
}

impl Card {
    /// A card with the keys it was given. The store must be this card's own.
    #[must_use]
    pub fn new(keys: &Personalisation, store: Box<dyn CounterStore>) -> Self {
        Self { keys: keys.card_keys(), store, reserved: 0..0 }
    }

    /// A command packet, from CPL on, for at most so many parts.
    pub(super) fn seal(&mut self, text: &str, parts: u8) -> Result<Vec<u8>, CannotSeal> {
        if text.len() > secured_packet::capacity(CheckLength::Eight, parts.into()) {
            return Err(CannotSeal::TooLong);
        }
        let counter = self.next_counter()?;
        secured_packet::seal(&self.keys.uplink, counter, text.as_bytes()).map_err(|error| match error {
            secured_packet::SealError::TooLong => CannotSeal::TooLong,
            _ => CannotSeal::CounterUsedUp,
        })
    }

    fn next_counter(&mut self) -> Result<Counter, CannotSeal> {
        if self.reserved.is_empty() {
            let first = self.store.reserve(BLOCK)?;
            self.reserved = first..first.saturating_add(BLOCK);
        }
        let counter = self.reserved.next().and_then(Counter::new);
        counter.filter(|counter| *counter < Counter::BLOCKED).ok_or(CannotSeal::CounterUsedUp)
    }

    /// Opens a command packet, from CPL on. Its counter must be higher than any before.
    pub(super) fn open(&mut self, packet: &[u8]) -> Result<Secret, CannotRead> {
        let opened = secured_packet::open(&self.keys.downlink, packet).map_err(CannotRead::Packet)?;
        let counter = opened.counter.get();
        if opened.counter == Counter::BLOCKED || self.store.received().is_some_and(|highest| counter <= highest) {
            return Err(CannotRead::Old);
        }
        self.store.keep_received(counter).map_err(|_| CannotRead::CounterNotKept)?;
        let mut octets: Zeroizing<Vec<u8>> = opened.plaintext;
        match String::from_utf8(std::mem::take(&mut *octets)) {
            Ok(text) => Ok(Secret::new(text)),
            Err(error) => {
                *octets = error.into_bytes();
                Err(CannotRead::NotText)
            }
        }
    }
}
