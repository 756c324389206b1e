//! What happens in the demonstration, in order: for the page, for the printer, and to be read again by whoever comes later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::cast::{CAST, SHORT_CODE, Who};

/// Events that are kept; at the bound the oldest is forgotten, and a page that was away for longer loads anew.
const KEPT: usize = 4_096;

/// Which way a message went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// From a phone to the platform.
    ToPlatform,
    /// From the platform to a phone.
    ToPhone,
}

/// A message as it stands on a phone.
#[derive(Clone, Debug)]
pub struct Said {
    /// Whose phone.
    pub who: Who,
    /// Which way.
    pub way: Way,
    /// What it says.
    pub text: String,
    /// The octets of the packet in hexadecimal, where it was sealed.
    pub sealed: Option<String>,
    /// The ledger's time, day and clock.
    pub at: String,
}

/// One PDU between message centre and platform.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Which way; towards the phones is [`Way::ToPhone`].
    pub way: Way,
    /// Its name in SMPP 3.4.
    pub pdu: &'static str,
    /// sequence_number.
    pub sequence: u32,
    /// command_status, where it is a response.
    pub status: Option<u32>,
    /// The phone's number, where it carries a message.
    pub number: Option<String>,
    /// What it carries: text as it stands there, or hexadecimal.
    pub content: String,
    /// Whether `content` is a secured packet in hexadecimal.
    pub sealed: bool,
}

/// An account and what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    /// Whose, or which of the platform's own.
    pub name: String,
    /// The number it is reached by.
    pub number: Option<&'static str>,
    /// Minor units.
    pub minor: i64,
    /// The same as people read it.
    pub balance: String,
}

/// What the ledger's proof says.
#[derive(Clone, Debug)]
pub struct Proof {
    /// Whether all is right.
    pub sound: bool,
    /// Everything it found out, by name.
    pub found: Vec<(String, String)>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A part of the story begins.
    Chapter(String),
    /// A remark.
    Note(String),
    /// A message left or reached a phone.
    Said(Said),
    /// A PDU passed.
    Passed(Passed),
    /// The accounts as they stand now.
    Accounts(Vec<Holding>),
    /// The accounts before the story and after it.
    Compared(Vec<Holding>, Vec<Holding>),
    /// The ledger's time was moved, or is told.
    Clock(String),
    /// The link between centre and platform was bound or was lost.
    Link(bool),
    /// The ledger was verified.
    Proof(Proof),
    /// Nothing more comes.
    End,
}

impl Event {
    /// One object, as machines read it.
    pub fn json(&self) -> Value {
        match self {
            Event::Chapter(title) => json!({ "event": "chapter", "title": title }),
            Event::Note(text) => json!({ "event": "note", "text": text }),
            Event::Said(said) => {
                let number = CAST[said.who].international();
                let (from, to) = match said.way {
                    Way::ToPlatform => (number.as_str(), SHORT_CODE),
                    Way::ToPhone => (SHORT_CODE, number.as_str()),
                };
                let mut object =
                    json!({ "event": "message", "at": said.at, "from": from, "to": to, "text": said.text });
                if let (Some(packet), Some(object)) = (&said.sealed, object.as_object_mut()) {
                    object.insert("packet".to_owned(), packet.as_str().into());
                }
                object
            }
            Event::Passed(passed) => json!({
                "event": "pdu",
                "towards": match passed.way { Way::ToPlatform => "platform", Way::ToPhone => "centre" },
                "pdu": passed.pdu,
                "sequence": passed.sequence,
                "status": passed.status,
                "number": passed.number,
                "content": passed.content,
            }),
            Event::Accounts(holdings) => json!({ "event": "accounts", "accounts": rows(holdings) }),
            Event::Compared(before, after) => {
                json!({ "event": "compared", "before": rows(before), "after": rows(after) })
            }
            Event::Clock(time) => json!({ "event": "clock", "time": time }),
            Event::Link(bound) => json!({ "event": "link", "bound": bound }),
            Event::Proof(proof) => {
                let found: serde_json::Map<String, Value> =
                    proof.found.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
                json!({ "event": "proof", "sound": proof.sound, "found": found })
            }
            Event::End => json!({ "event": "end" }),
        }
    }
}

fn rows(holdings: &[Holding]) -> Vec<Value> {
    holdings.iter().map(Holding::json).collect()
}

impl Holding {
    fn json(&self) -> Value {
        json!({ "account": self.name, "number": self.number, "minor": self.minor, "balance": self.balance })
    }
}

/// The events, numbered from 1.
pub struct Log {
    kept: Mutex<Kept>,
    latest: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    first: u64,
    events: VecDeque<Arc<Event>>,
}

/// What came after a number.
pub enum Since {
    /// These, each with its number; perhaps none.
    Events(Vec<(u64, Arc<Event>)>),
    /// Some of them are forgotten already.
    Gap,
}

impl Default for Log {
    fn default() -> Log {
        Log { kept: Mutex::new(Kept { first: 1, events: VecDeque::new() }), latest: watch::channel(0).0 }
    }
}

impl Log {
    /// Adds an event.
    pub fn tell(&self, event: Event) {
        let latest = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.events.len() == KEPT {
                kept.events.pop_front();
                kept.first += 1;
            }
            kept.events.push_back(Arc::new(event));
            kept.first + kept.events.len() as u64 - 1
        };
        self.latest.send_replace(latest);
    }

    /// What came after the event of that number.
    pub fn since(&self, number: u64) -> Since {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if number + 1 < kept.first {
            return Since::Gap;
        }
        let skipped = usize::try_from(number + 1 - kept.first).unwrap_or(usize::MAX);
        let events = kept.events.iter().enumerate().skip(skipped);
        Since::Events(events.map(|(place, event)| (kept.first + place as u64, Arc::clone(event))).collect())
    }

    /// All that is kept.
    pub fn kept(&self) -> Vec<(u64, Arc<Event>)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.events.iter().enumerate().map(|(place, event)| (kept.first + place as u64, Arc::clone(event))).collect()
    }

    /// The number of the newest event, and how to wait for newer ones.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_kept_in_order_up_to_the_bound() {
        let log = Log::default();
        assert!(matches!(log.since(0), Since::Events(events) if events.is_empty()));
        for number in 1..=KEPT + 2 {
            log.tell(Event::Note(number.to_string()));
        }
        assert!(matches!(log.since(1), Since::Gap), "2 is forgotten");
        let Since::Events(events) = log.since(KEPT as u64) else { panic!("a gap") };
        assert_eq!(events.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [KEPT as u64 + 1, KEPT as u64 + 2]);
        assert_eq!(*log.watch().borrow(), KEPT as u64 + 2);
    }
}
