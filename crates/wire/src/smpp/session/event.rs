//! What a session tells its owner.

#[cfg(doc)]
use super::Session;
use crate::smpp::field::{MessageId, Text};
use crate::smpp::pdu::{Bind, BindKind, ShortMessage};
use crate::smpp::receipt::Receipt;
use crate::smpp::status::Status;
use core::time::Duration;

/// What happened. Bounded by what went in: each call of `handle_bytes` yields at most a few events per PDU,
/// undecided messages are bounded by `inbound_window`, outcomes by `window` and `queue`.
#[derive(Debug)]
pub enum Event {
    /// The bind stands; messages flow.
    Bound {
        /// What the peer calls itself.
        system_id: Text<15>,
        /// The directions.
        kind: BindKind,
    },
    /// Client: the centre refused the bind; [`Event::Closed`] follows.
    BindRefused(Status),
    /// Server: answer with [`Session::accept_bind`] or [`Session::refuse_bind`].
    BindRequested(Bind),
    /// Client: a message came; answer with [`Session::respond`] once it is durable.
    Delivered {
        /// Names it in [`Session::respond`].
        sequence: u32,
        /// The message.
        message: ShortMessage,
    },
    /// Client: a delivery receipt came, perhaps before the response to its message; answer with
    /// [`Session::respond`].
    Receipt {
        /// Names it in [`Session::respond`].
        sequence: u32,
        /// What it says; the id in the canonical form that [`Event::Submitted`] has too.
        receipt: Receipt,
    },
    /// Client: a receipt came that names no message; answer with [`Session::respond`].
    UnreadableReceipt {
        /// Names it in [`Session::respond`].
        sequence: u32,
        /// As it came. Never a request of a person.
        message: ShortMessage,
    },
    /// Server: a message came; answer with [`Session::accept_submit`] or [`Session::respond`].
    SubmitRequested {
        /// Names it in the answer.
        sequence: u32,
        /// The message.
        message: ShortMessage,
    },
    /// The peer answered an own message. Never ESME_RTHROTTLED, which the session handles; ESME_RMSGQFUL is
    /// the owner's to send again, last and a few times only (see [`Status::kind`]).
    Submitted {
        /// Given with the message.
        token: u64,
        /// The id (empty in the server role), or why not.
        result: Result<MessageId, Status>,
    },
    /// The peer answered ESME_RTHROTTLED: nothing goes out until then.
    Throttled {
        /// The end of the pause.
        until: Duration,
    },
    /// The link or the response's time ended before the answer: the peer may have the message or not.
    Unknown {
        /// Given with the message.
        token: u64,
    },
    /// The link ended before the message was sent (or accepted): the peer does not have it.
    Unsent {
        /// Given with the message.
        token: u64,
    },
    /// The last event. Carry away what [`Session::poll_transmit`] still gives, then close the socket.
    Closed(Closed),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// [`Session::close`] was called and the peer agreed, or did not answer in time.
    Unbound,
    /// The peer unbound.
    PeerUnbound,
    /// The bind was refused.
    BindRefused(Status),
    /// No bind, or no answer to it, in time.
    BindTimeout,
    /// No sign of life in time.
    Silent,
    /// The peer sent what cannot be SMPP.
    Malformed,
    /// The peer asks without reading the answers.
    NotReading,
    /// [`Session::connection_lost`] was called.
    ConnectionLost,
}

/// A message that was not taken, given back.
#[derive(Debug)]
pub struct NotTaken {
    /// Why.
    pub why: Refusal,
    /// The message.
    pub message: Box<ShortMessage>,
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The queue is full: try again after the next [`Event::Submitted`].
    Full,
    /// The session is closing or closed.
    Closed,
    /// This bind or this role does not carry messages in that direction.
    WrongDirection,
    /// The body or the optional parameters are too long for one PDU.
    TooLong,
}
