//! What became of notices on their way out: kept durably, so that a restart neither forgets a text nor sends it anew.

use transaction_processing::ids::Sequence;
use transaction_processing::notice::Notice;
use transaction_processing::request::Kind;
use transaction_processing::time::Time;

/// A notice: which of those that a row carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct NoticeId {
    /// The row.
    pub sequence: Sequence,
    /// Which of its notices, from zero; below [`NoticeId::MOST`].
    pub notice: u8,
}

impl NoticeId {
    /// The most notices that one row may carry.
    pub const MOST: u8 = 64;

    /// One figure for both, rising with the log.
    pub const fn packed(self) -> i64 {
        ((self.sequence.0 << 6) | self.notice as u64 & 63).cast_signed()
    }

    /// The notice of a packed figure.
    pub const fn unpacked(packed: i64) -> NoticeId {
        NoticeId { sequence: Sequence(packed.cast_unsigned() >> 6), notice: (packed & 63) as u8 }
    }
}

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// Where a message stands. Numbers are never used again.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum MessageState { $($(#[$doc])* $name = $number,)* }

        impl MessageState {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [MessageState] = &[$(MessageState::$name,)*];

            /// The state of this number.
            pub fn numbered(number: u8) -> Option<MessageState> {
                match number { $($number => Some(MessageState::$name),)* _ => None }
            }

            /// Its name, as an auditor reads it.
            pub fn name(self) -> &'static str {
                match self { $(MessageState::$name => $text,)* }
            }
        }
    };
}

states! {
    /// Handed to a link; whether the centre has it is not known.
    Sending = 1, "sending";
    /// The centre accepted it; its receipt is awaited.
    Sent = 2, "sent";
    /// Known undelivered; it will be tried again within its validity.
    Retrying = 3, "retrying";
    /// The handset has it.
    Delivered = 4, "delivered";
    /// Given up.
    Undelivered = 5, "undelivered";
    /// Its validity ended, or what it tells was void, before it was sent or its receipt came.
    Lapsed = 6, "lapsed";
    /// From before a restored backup: never to be sent, because it may have been.
    Abandoned = 7, "abandoned";
}

impl MessageState {
    /// Whether nothing follows it. A final state erases the code that the message told.
    pub fn is_final(self) -> bool {
        match self {
            MessageState::Sending | MessageState::Sent | MessageState::Retrying => false,
            MessageState::Delivered | MessageState::Undelivered | MessageState::Lapsed | MessageState::Abandoned => {
                true
            }
        }
    }
}

/// A message as the downlink knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// What it tells.
    pub notice: NoticeId,
    /// Where it stands.
    pub state: MessageState,
    /// How often it was handed to a centre.
    pub attempts: u16,
    /// The centre, by its number in the configuration.
    pub centre: Option<u16>,
    /// The centre's name for it (SMPP 3.4, 5.2.23), at most 64 octets.
    pub message_id: Option<String>,
    /// Since when.
    pub at: Time,
}

/// What is to be made durable about messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MessageChange {
    /// A message stands here now.
    Stands(Message),
    /// No notice of the rows up to this one needs care any more: recovery starts after it.
    SettledTo(Sequence),
}

/// A notice that still needs care, as recovery finds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Untold {
    /// Its name.
    pub id: NoticeId,
    /// When its row was made.
    pub at: Time,
    /// What was asked in that row.
    pub kind: Kind,
    /// What is to be told; its code in it, as long as it was not erased.
    pub notice: Notice,
    /// What became of it so far; none where nothing was tried.
    pub message: Option<Message>,
}
