//! The other end of the line: phones, and the message centre between them and the platform.
//!
//! - [`centre`]: a message centre, without sockets.

pub mod centre;
