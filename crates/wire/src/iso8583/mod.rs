//! ISO 8583:1987, the language of card switches: one codec driven by tables, a [`LinkProfile`] for each peer.
//!
//! Two profiles are here: the point-of-sale link (packed digits, TPDU and header) and the institution link (ASCII, long header). A
//! stream is cut by [`frame_size`], a frame opened by [`Envelope::open`], a message read by [`LinkProfile::read`] and given out by
//! [`Received::verified`], after its authentication code was checked by somebody who has the key; nothing here has one.
//!
//! ```
//! use wire::iso8583::{Envelope, LinkProfile, Message, Mti, Tpdu};
//!
//! let link = LinkProfile::point_of_sale();
//! let echo = Message::new(Mti::NetworkAdvice).with(41, "WKL00001").with(42, "WAKALA000000001").with(60, "00000001301");
//! let octets = link.write::<()>(&echo, |_| unreachable!("an echo has no code")).unwrap();
//! let envelope = Envelope::PointOfSale {
//!     tpdu: Tpdu { destination: [0, 3], source: [0, 0] },
//!     header: [0x60, 0x31, 0x00, 0x31, 0x07, 0x30],
//! };
//! let frame = envelope.around(&octets).unwrap();
//!
//! let (from, inside) = Envelope::open(link.style, &frame).unwrap();
//! let message = link.read(inside).unwrap().verified::<()>(|_, _| unreachable!()).unwrap();
//! assert!(from == envelope && message == echo);
//! ```

mod codec;
mod field;
mod frame;
pub mod layout;
mod message;
mod mti;
mod profile;
mod refusal;
mod response;
mod transaction;

pub use codec::{Failure, Received};
pub use field::{Field, Kind, Length};
pub use frame::{Envelope, InstitutionHeader, InstitutionId, LONGEST_FRAME, Tpdu, frame_size};
pub use message::Message;
pub use mti::Mti;
pub use profile::{Covers, LinkProfile, Style};
pub use refusal::{Place, Refusal, Why};
pub use response::ResponseCode;
pub use transaction::Transaction;
