//! The message centre on sockets: SMPP for services, a radio for phones in other programs, a handle for this one.

mod lines;
pub mod radio;
mod server;

pub use radio::{RadioClient, RadioEvent};
pub use server::{CentreHandle, CentreServer, INBOX, Inbox, NoInbox, Originated, ServerOptions, Stopped};
