//! What comes in: one typed request from one authenticated source.

use crate::account::{Proof, Proofs};
use crate::ids::{StaffId, TransferId};
use crate::msisdn::Msisdn;
use crate::notice::SealedCode;
use crate::requests;
use alloc::vec::Vec;

/// The identity of a message, by which its repeat is known: a keyed fingerprint of (from, to, text), of (card, counter,
/// checksum), or of an id that came with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct RequestKey(pub [u8; 16]);

/// How a message from a handset came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seal {
    /// In plain: the network alone vouches for the number.
    Plain,
    /// Sealed by the card of the number, its integrity proved; the counter is judged in the decision.
    Sealed {
        /// The counter, 40 bits.
        counter: u64,
        /// The cryptographic checksum.
        check: [u8; 8],
    },
}

/// Over which configured link a message came; failures are counted by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Link(pub u16);

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The handset with this number.
    Handset {
        /// The number, as the network gave it.
        from: Msisdn,
        /// How it came.
        seal: Seal,
        /// Over which link.
        link: Link,
    },
    /// A member of staff who proved to be it.
    Staff(StaffId),
    /// The platform itself: timers, adoption of tariffs, a restored database.
    Platform,
}

/// One request.
pub struct Request {
    /// Its identity; none for what the platform asks of itself, whose conditions make it happen once.
    pub key: Option<RequestKey>,
    /// Who asks.
    pub origin: Origin,
    /// For what.
    pub action: Action,
}

/// A number as somebody typed it, brought to E.164 by the country's rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payee {
    /// A number that may be a mobile one.
    Mobile(Msisdn),
    /// A number that cannot be; said only after the PIN was right.
    NotMobile,
}

/// A PIN that somebody wants to have.
pub struct NewPin {
    /// Its proofs.
    pub proofs: Proofs,
    /// Whether it is too easily guessed; judged where the digits still are.
    pub weak: bool,
}

/// A code drawn before the decision, in case it is needed.
#[derive(Clone, PartialEq, Eq)]
pub struct DrawnCode {
    /// Its proof under the newest key, bound to the number it was drawn for.
    pub proof: Proof,
    /// The code, sealed at rest, for the notice that tells it.
    pub sealed: SealedCode,
}

/// Codes drawn for one number: the first and a few spares, should it be in use for that number already.
#[derive(Clone, PartialEq, Eq)]
pub struct DrawnCodes {
    /// The number whose proofs they are.
    pub to: Msisdn,
    /// The codes.
    pub codes: Vec<DrawnCode>,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident($fields:ty) = $number:literal;)*) => {
        /// For what. Each variant is one file in [`requests`].
        pub enum Action { $($(#[$doc])* $name($fields),)* }

        /// The kind of a request, as the log numbers it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $number,)* }

        impl Kind {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The kind of this number.
            pub fn numbered(number: u8) -> Option<Kind> {
                match number { $($number => Some(Kind::$name),)* _ => None }
            }

            /// Its name, as machines read it.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$name => stringify!($name),)* }
            }
        }

        impl Action {
            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self { $(Action::$name(_) => Kind::$name,)* }
            }
        }
    };
}

actions! {
    /// `TM`.
    Transfer(requests::transfer::Fields) = 1;
    /// `QT`.
    Query(requests::query::Fields) = 2;
    /// `GM`, `GW` and `DP`: one claim with three proofs.
    Claim(requests::claim::Fields) = 3;
    /// `RS`.
    Resend(requests::resend::Fields) = 4;
    /// `RC`.
    Recall(requests::recall::Fields) = 5;
    /// `RA`.
    Agree(requests::agree::Fields) = 6;
    /// `RG*pin*name`.
    Register(requests::register::Fields) = 7;
    /// `RG*code` or `RG*code*pin`.
    Confirm(requests::confirm::Fields) = 8;
    /// `CI`.
    CashIn(requests::cash_in::Fields) = 9;
    /// `CO`.
    CashOut(requests::cash_out::Fields) = 10;
    /// `BL`.
    Balance(requests::balance::Fields) = 11;
    /// `ST`.
    Statement(requests::statement::Fields) = 12;
    /// `PN`.
    ChangePin(requests::pin::Fields) = 13;
    /// `LG`.
    Language(requests::language::Fields) = 14;
    /// `CK`.
    Check(requests::check::Fields) = 15;
    /// `HP`.
    Help(requests::help::Fields) = 16;
    /// A waiting transfer whose period has passed.
    Expire(TransferId) = 17;
    /// A waiting transfer whose period is about to pass.
    Remind(TransferId) = 18;
    /// A maker's proposal.
    Propose(requests::propose::Fields) = 19;
    /// A checker's word on it.
    Approve(requests::approve::Fields) = 20;
    /// The first two members of staff, before whom there is nobody to approve.
    EnrolFirstStaff(requests::staff::Fields) = 21;
    /// Tariffs that the configuration names and the books do not hold yet.
    AdoptTariff(requests::tariff::Fields) = 22;
    /// A restored database: numbers jump ahead, texts of before stay unsent.
    OpenEpoch(requests::epoch::Fields) = 23;
    /// A member of staff's own new secret.
    ChangeStaffSecret(requests::staff_secret::Fields) = 24;
}

impl Kind {
    /// Whether asking again is harmless and wanted: what is only asked or set in plain is answered from memory for a wrong
    /// secret alone.
    pub fn is_question(self) -> bool {
        matches!(self, Kind::Balance | Kind::Statement | Kind::Check | Kind::Help | Kind::Language)
    }

    /// Whether a secret is tried with it.
    pub fn carries_secret(self) -> bool {
        !matches!(self, Kind::Help | Kind::Language | Kind::Check | Kind::Register)
    }
}
