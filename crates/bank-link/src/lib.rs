//! The link between an operator and a bank, without sockets and without a clock: what one end says to the other about money,
//! so that every transaction has a key of its own, one effect at most, and an outcome that nobody guesses.
//!
//! # How it goes
//! 1. Operator and bank agree on static keys and a preshared key ([`PairKeys`]); each [`Generation`] of a memory is drawn.
//! 2. [`Binding::register`] takes IMSI, number and serial to the bank, once for each subscriber; both then have a key of that
//!    subscriber's own ([`registration`]).
//! 3. [`OperatorEnd::open`] opens a session on a lane ([`session`]); from its root key run two chains that give one key for
//!    each message ([`chain`]).
//! 4. [`OperatorEnd::order`] sends an order with its [`Authentication`]. [`BankEnd::hear`] opens it, compares it with the
//!    bank's own record, and only then gives an [`Execution`] to its owner, who executes it in one commit with the changes of
//!    [`BankEnd::executed`].
//! 5. An order without a final [`Answer`] is [`Unknown`]: it is asked about or sent again as it was. An inquiry about what the
//!    bank never saw closes it, so that "not known" stays true.
//!
//! Every step returns [`Changes`] to be committed and, behind that commit, the frame that may leave ([`Step`]). Nothing here
//! reads a clock, draws randomness by itself or touches a disk.
//!
//! # What it protects
//! - Whoever carries or stores frames reads nothing of them but which transaction they are about, and changes, repeats,
//!   withholds or reorders them without a second or another effect.
//! - Whoever learns the preshared key and both static keys later reads nothing that was sent before (each session has an
//!   ephemeral key); whoever reads an end's memory learns no key of a message that was opened or sent.
//! - An order of a subscriber comes only from where the subscriber's key is, for this SIM, serial, amount, payee and id.
//! - The bank's account numbers never leave it.
//!
//! # What it does not
//! - Lengths and times of frames are not hidden, nor who talks to whom: mutual TLS 1.3 is below.
//! - A tag convinces bank and operator, nobody else: each could have made it. Evidence for others needs signatures.
//! - Whoever has the preshared key and the *receiver's* static key can speak to that receiver as the sender (RFC 9180 §9.1.1).
//! - A memory that was put back without a new [`Generation`] (a snapshot of a machine that nobody told of) uses keys twice.

mod authentication;
mod bank;
pub mod chain;
mod codec;
mod frame;
mod identity;
mod lane;
mod message;
mod operator;
mod pair;
mod records;
pub mod registration;
pub mod session;
mod step;

pub use authentication::{Asked, Authentication};
pub use bank::{BalanceAsked, BankEnd, Execution, Heard, MOST_EXECUTING, Proposal};
pub use codec::Undecodable;
pub use frame::{Ignored, LONGEST, VERSION, reframed};
pub use identity::{
    AccountToken, Amount, Generation, Imsi, Moment, Msisdn, PartyName, Reference, SecretKey, Serial, Subscriber,
    TransactionId,
};
pub use lane::{MOST_LANES, NotContinued};
pub use message::{Answer, Order, Refusal, Request};
pub use operator::{MOST_OPEN, NotSent, OperatorEnd, Told, Unknown};
pub use pair::{Pair, PairKeys, StaticKey};
pub use records::{Judged, Outcome, Records, Transaction};
pub use registration::{Binding, Registered};
pub use session::Opened;
pub use step::{Changes, Step};

/// The trait of generators that this crate draws from.
pub use rand_core::CryptoRng;
