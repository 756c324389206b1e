//! The other end of the line: phones, and the message centre between them and the platform.
//!
//! - [`centre`]: a message centre, without sockets.
//! - [`phone`]: a phone, plain or with a card, without a line.
//! - [`net`]: the centre on sockets, and the radio between it and phones in other programs.
//! - [`terminal`]: a phone for the terminal.

pub mod centre;
mod hex;
pub mod net;
mod number;
pub mod phone;
pub mod terminal;

pub use number::{InvalidNumber, Number};
