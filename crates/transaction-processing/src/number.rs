//! What is known of a number whether or not it has an account: language, card, tries, a registration under way.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::account::{Proof, Usage};
use crate::ids::{Iccid, TransferId};
use crate::msisdn::Msisdn;
use crate::time::{Day, Time};

/// A language that the platform speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Language {
    /// English.
    English = 1,
    /// French.
    French = 2,
    /// Swahili.
    Swahili = 3,
    /// Chinese.
    Chinese = 4,
}

/// The card in the handset: whose keys seal its messages, and the last sealed message that was accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Card {
    /// Its serial, from which its keys are diversified.
    pub iccid: Iccid,
    /// The highest counter accepted; only a higher one is new. `ff ff ff ff ff` blocks the card.
    pub counter: u64,
    /// The checksum of the message that carried it.
    pub check: [u8; 8],
}

/// Something personal that stands outside the hash chain, sealed, so that it can be erased while the proof still holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Private {
    /// The keyed hash that the chain covers.
    pub commitment: [u8; 32],
    /// The text, sealed at rest.
    pub sealed: Vec<u8>,
}

/// A registration that waits for the code sent to its number. One that has lapsed stays, so that the next is compared with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    /// The PIN to be.
    pub pin: Proof,
    /// The code sent.
    pub code: Proof,
    /// Wrong codes, and wrong PINs with the right code, so far.
    pub wrong: u8,
    /// When the code is void.
    pub expires_at: Time,
    /// Another one with another PIN was there shortly before: which of them is the owner's, only the PIN tells.
    pub contested: bool,
}

/// Wrong withdrawal passwords of a payee: three pause claims for 30 minutes, three more for a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Claims {
    /// Wrong ones since the last right one or the last pause.
    pub wrong: u8,
    /// Pauses since the last right one.
    pub pauses: u8,
    /// No claim by password is judged before this time.
    pub paused_until: Option<Time>,
}

/// One number.
#[derive(Clone, PartialEq, Eq)]
pub struct Number {
    /// The number.
    pub msisdn: Msisdn,
    /// The language its owner chose.
    pub language: Option<Language>,
    /// Its card; once set, the number is not served in plain.
    pub card: Option<Box<Card>>,
    /// Tries at withdrawal passwords.
    pub claims: Claims,
    /// A registration under way.
    pub registration: Option<Box<Registration>>,
    /// The day that `registrations` counts.
    pub registrations_on: Day,
    /// Registration codes sent on that day.
    pub registrations: u8,
    /// What the number was sent as a payee without an account.
    pub received: Usage,
    /// The last transfer paid out to it in cash, so that an agent who asks again is told so.
    pub last_paid: Option<TransferId>,
}

impl Number {
    /// A number of which nothing is known yet.
    pub fn new(msisdn: Msisdn) -> Number {
        Number {
            msisdn,
            language: None,
            card: None,
            claims: Claims::default(),
            registration: None,
            registrations_on: Day::default(),
            registrations: 0,
            received: Usage::default(),
            last_paid: None,
        }
    }
}
