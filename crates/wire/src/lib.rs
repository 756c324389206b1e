//! Bytes to messages and back: the protocols that people's phones, operators and card switches speak.
//!
//! Nothing here owns a socket, a clock or a source of randomness. A session takes bytes and the time
//! (`handle_*`), and hands out events, bytes and its next deadline (`poll_*`); time is a [`Duration`] since
//! an origin of the caller's choosing that only moves forward. So the same code runs on sockets, in tests
//! and in a simulation.
//!
//! - [`iso8583`]: ISO 8583:1987 with terminals and card switches.
//! - [`smpp`]: SMPP 3.4 with message centres, as client and as server.
//! - [`sms`]: what stands in a short message: alphabets, concatenation, the keyword grammar, masking.
//!
//! [`Duration`]: core::time::Duration

pub mod iso8583;
mod secret;
pub mod smpp;
pub mod sms;

pub use secret::Secret;
