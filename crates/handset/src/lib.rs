//! The other end of the line: phones, and the message centre between them and the platform.
//!
//! - [`centre`]: a message centre, without sockets.
//! - [`phone`]: a phone, plain or with a card, without a line.

pub mod centre;
mod hex;
mod number;
pub mod phone;

pub use number::{InvalidNumber, Number};
