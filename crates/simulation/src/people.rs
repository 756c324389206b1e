//! People with phones: what they know is what they were told, and what they write follows from it, rightly or wrongly.

use std::collections::VecDeque;

use encryption::{Keys, Pin};
use handset::Number;
use handset::phone::{Card, CounterStore, Phone};
use transaction_processing::ids::Iccid;

use crate::dice::Dice;
use crate::hearing::Heard;

/// The number that people write to.
pub const SHORT_CODE: &str = "15050";
/// How much of a kind somebody keeps in mind.
const MEMORY: usize = 6;

/// What somebody is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// With or without an account.
    Customer,
    /// With this code.
    Agent(u32),
}

/// A password or code that somebody was told, with what it is good for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Secret {
    /// The transfer's reference.
    pub reference: String,
    /// The payee's number, without plus.
    pub payee: String,
    /// Minor units.
    pub amount: i64,
    /// The digits.
    pub digits: String,
}

/// What somebody remembers.
#[derive(Default)]
pub struct Mind {
    /// Withdrawal passwords for money that waits.
    pub passwords: VecDeque<Secret>,
    /// Of an agent: verification codes, or passwords, that payees said.
    pub codes: VecDeque<Secret>,
    /// References of what was sent, and of what came and was asked back.
    pub sent: VecDeque<String>,
    /// See `sent`.
    pub asked_back: VecDeque<String>,
    /// Those of `sent` that may still be collected by password.
    pub waiting: VecDeque<String>,
    /// A registration code, and whether it completes nothing without the PIN.
    pub registration: Option<String>,
    /// See `registration`.
    pub contested: bool,
    /// A one-time PIN.
    pub one_time: Option<String>,
    /// What was written last: the words, and what money they were to move.
    pub written: VecDeque<(String, Option<(String, i64)>)>,
}

fn keep<T: PartialEq>(memory: &mut VecDeque<T>, what: T) {
    if memory.contains(&what) {
        return;
    }
    if memory.len() == MEMORY {
        memory.pop_front();
    }
    memory.push_back(what);
}

/// Somebody with a phone.
pub struct Person {
    /// The number, without plus.
    pub digits: String,
    /// The phone.
    pub phone: Phone,
    /// What they are.
    pub role: Role,
    /// The PIN that they use, and another that it may be.
    pub pins: (String, Option<String>),
    /// What they remember.
    pub mind: Mind,
    /// The card in the phone.
    pub card: Option<Iccid>,
    /// Whether they were told that their account is open.
    pub registered: bool,
}

impl Person {
    /// Somebody of a role.
    pub fn new(digits: &str, role: Role, dice: &mut Dice) -> Person {
        Person {
            digits: digits.to_owned(),
            phone: plain_phone(digits),
            role,
            pins: (pin(digits, dice), None),
            mind: Mind::default(),
            card: None,
            registered: false,
        }
    }

    /// Puts a card into the phone; its counters begin at `first`.
    pub fn insert_card(&mut self, keys: &dyn Keys, iccid: Iccid, first: u64) {
        let card = Card::new(&keys.personalise_card(&iccid.digits().to_string()), Box::new(Counters::new(first)));
        self.phone = Phone::new(number(&self.digits), Some(card));
        self.card = Some(iccid);
    }

    /// Takes the card out.
    pub fn remove_card(&mut self) {
        self.phone = plain_phone(&self.digits);
        self.card = None;
    }

    /// Takes in what a text says. What is to be said to an agent, who stands beside them, is given back.
    pub fn learn(&mut self, heard: &Heard<'_>) -> Option<(u32, Secret)> {
        let reference = heard.reference().unwrap_or_default();
        let digits = || heard.value("code").map(str::to_owned);
        match heard.name {
            "withdrawal-password" => {
                let (amount, digits) = (heard.amount("amount")?, digits()?);
                keep(&mut self.mind.passwords, Secret { reference, payee: self.digits.clone(), amount, digits });
            }
            "verification-code" => {
                let agent = heard.value("agent")?.parse().ok()?;
                let (amount, digits) = (heard.amount("amount")?, digits()?);
                return Some((agent, Secret { reference, payee: self.digits.clone(), amount, digits }));
            }
            "sent" | "cash-taken-in" => keep(&mut self.mind.sent, reference),
            "sent-by-password" => {
                keep(&mut self.mind.waiting, reference.clone());
                keep(&mut self.mind.sent, reference);
            }
            "collected" | "got-back" | "refunded" => self.mind.waiting.retain(|waiting| *waiting != reference),
            "recall-asked" => keep(&mut self.mind.asked_back, reference),
            "deposited" | "paid-out-to-you" | "lapsed" | "recalled-from-you" => {
                self.mind.passwords.retain(|secret| secret.reference != reference);
            }
            "registration-code" | "registration-code-contested" => {
                self.mind.registration = digits();
                self.mind.contested = heard.name == "registration-code-contested";
            }
            "refused-registration-contested" => self.mind.contested = true,
            "registered" => {
                self.mind.registration = None;
                self.registered = true;
            }
            "one-time-pin" => {
                self.mind.one_time = digits();
                self.registered = true;
            }
            "pin-changed" => {
                self.mind.one_time = None;
                if let Some(new) = self.pins.1.take() {
                    self.pins.0 = new;
                }
            }
            "agent-enrolled" => {
                self.role = heard.value("agent").and_then(|code| code.parse().ok()).map_or(self.role, Role::Agent);
            }
            "closed" | "refused-not-registered" | "refused-not-an-agent" => {
                self.registered = self.registered && heard.name == "refused-not-an-agent";
                self.role = Role::Customer;
            }
            "refused-wrong-pin" | "refused-wrong-registration-pin" => {
                if let Some(other) = self.pins.1.take() {
                    let used = std::mem::replace(&mut self.pins.0, other);
                    self.pins.1 = Some(used);
                }
            }
            _ => {}
        }
        None
    }

    /// Hears a code from somebody who stands beside them.
    pub fn hear_code(&mut self, secret: Secret) {
        keep(&mut self.mind.codes, secret);
    }

    /// Remembers what they wrote.
    pub fn wrote(&mut self, words: &str, wish: Option<(String, i64)>) {
        keep(&mut self.mind.written, (words.to_owned(), wish));
    }

    /// Another PIN than now, remembered as one that it may be.
    pub fn new_pin(&mut self, dice: &mut Dice) -> String {
        let new = pin(&self.digits, dice);
        self.pins.1 = Some(new.clone());
        new
    }
}

/// A phone without a card.
pub fn plain_phone(digits: &str) -> Phone {
    Phone::new(number(digits), None)
}

fn number(digits: &str) -> Number {
    Number::try_from(digits).unwrap_or_else(|_| unreachable!("numbers of the simulation are numbers"))
}

/// A PIN of six digits that is not too easily guessed.
fn pin(digits: &str, dice: &mut Dice) -> String {
    loop {
        let drawn = format!("{:06}", dice.below(1_000_000));
        if Pin::parse(&drawn).is_some_and(|pin| !pin.is_weak(digits)) {
            return drawn;
        }
    }
}

/// An amount as it is typed.
pub fn amount(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// Counters of a card that outlives its phone, from a number on.
#[derive(Debug)]
struct Counters {
    next: u64,
    received: Option<u64>,
}

impl Counters {
    fn new(first: u64) -> Counters {
        Counters { next: first.max(1), received: None }
    }
}

impl CounterStore for Counters {
    fn reserve(&mut self, count: u64) -> std::io::Result<u64> {
        let first = self.next;
        self.next += count;
        Ok(first)
    }

    fn received(&self) -> Option<u64> {
        self.received
    }

    fn keep_received(&mut self, counter: u64) -> std::io::Result<()> {
        self.received = Some(counter);
        Ok(())
    }
}
