//! SMPP 3.4, without sockets.
//!
//! A [`Session`] is one bind. The caller owns the socket and the clock: it feeds bytes in, carries bytes out,
//! wakes the session at its deadline and handles its events. Nothing that comes in is acknowledged until the
//! caller says so with [`Session::respond`].
//!
//! ```
//! use core::time::Duration;
//! use wire::smpp::{Address, BindKind, ClientConfig, Event, LinkConfig, ServerConfig, Session, ShortMessage, Status};
//!
//! let now = Duration::ZERO; // since any origin
//! let mut esme = Session::client(
//!     ClientConfig {
//!         system_id: "wakala".try_into().unwrap(),
//!         password: "secret".into(),
//!         system_type: Default::default(),
//!         kind: BindKind::Transceiver,
//!         link: LinkConfig::default(),
//!     },
//!     now,
//! );
//! let mut centre = Session::server(
//!     ServerConfig { system_id: "centre".try_into().unwrap(), link: LinkConfig::default() },
//!     now,
//! );
//! // What a driver does: carry bytes, handle events, sleep until `poll_timeout`.
//! fn carry(from: &mut Session, to: &mut Session, now: Duration) {
//!     let mut octets = Vec::new();
//!     from.poll_transmit(&mut octets);
//!     to.handle_bytes(now, &octets);
//! }
//! carry(&mut esme, &mut centre, now);
//! let Some(Event::BindRequested(_)) = centre.poll_event() else { panic!() };
//! centre.accept_bind();
//! carry(&mut centre, &mut esme, now);
//! assert!(matches!(esme.poll_event(), Some(Event::Bound { .. })));
//!
//! let message = ShortMessage {
//!     source: Address::international("+255712000001").unwrap(),
//!     destination: Address::short_code("15050").unwrap(),
//!     body: b"HP".as_slice().into(),
//!     ..Default::default()
//! };
//! centre.deliver(now, message, 7).ok().unwrap();
//! carry(&mut centre, &mut esme, now);
//! let Some(Event::Delivered { sequence, message }) = esme.poll_event() else { panic!() };
//! assert_eq!(&message.body[..], b"HP");
//! esme.respond(sequence, Status::OK); // only now: the message is durable
//! carry(&mut esme, &mut centre, now);
//! assert!(matches!(centre.poll_event(), Some(Event::Bound { .. })));
//! assert!(matches!(centre.poll_event(), Some(Event::Submitted { token: 7, result: Ok(_) })));
//! ```

mod backoff;
mod field;
pub mod pdu;
pub mod receipt;
mod session;
mod status;

pub use backoff::Backoff;
pub use field::{Address, Body, MessageId, Text, TextTooLong, Tlvs, tag};
pub use pdu::{Bind, BindKind, ESM_UDHI, ShortMessage};
pub use receipt::{MessageIdForm, MessageState, Receipt};
pub use session::{ClientConfig, Closed, Event, LinkConfig, NotTaken, Rate, Refusal, ServerConfig, Session};
pub use status::{Status, StatusKind};
