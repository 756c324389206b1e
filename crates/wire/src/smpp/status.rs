//! command_status values (SMPP 3.4, 5.1.3) and what they ask of the sender.

/// A command_status. All values survive; the constants name those that this crate uses.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u32);

/// What a refusal asks of the one who sent the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusKind {
    /// ESME_ROK: nothing was refused.
    Ok,
    /// The same message will be refused again: give up.
    Final,
    /// A passing fault: send again later.
    Retry,
    /// Too fast: the bind pauses and the message goes first again.
    Throttled,
    /// The destination's queue is full: a few later tries, behind everything else.
    QueueFull,
}

macro_rules! statuses {
    ($($name:ident = $value:literal, $doc:literal;)*) => {
        impl Status {
            $(#[doc = $doc] pub const $name: Self = Self($value);)*

            fn name(self) -> Option<&'static str> {
                match self { $(Self::$name => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

statuses! {
    OK = 0x00, "ESME_ROK: no error.";
    INVALID_MESSAGE_LENGTH = 0x01, "ESME_RINVMSGLEN: sm_length or short_message is invalid.";
    INVALID_COMMAND_LENGTH = 0x02, "ESME_RINVCMDLEN: command_length is invalid.";
    INVALID_COMMAND_ID = 0x03, "ESME_RINVCMDID: the command is unknown or not spoken here.";
    INCORRECT_BIND_STATUS = 0x04, "ESME_RINVBNDSTS: the command does not fit the state of the bind.";
    ALREADY_BOUND = 0x05, "ESME_RALYBND: already bound.";
    SYSTEM_ERROR = 0x08, "ESME_RSYSERR: a passing fault of the peer.";
    INVALID_SOURCE = 0x0A, "ESME_RINVSRCADR: source address.";
    INVALID_DESTINATION = 0x0B, "ESME_RINVDSTADR: destination address.";
    INVALID_MESSAGE_ID = 0x0C, "ESME_RINVMSGID: message_id.";
    BIND_FAILED = 0x0D, "ESME_RBINDFAIL: bind failed.";
    INVALID_PASSWORD = 0x0E, "ESME_RINVPASWD: password.";
    INVALID_SYSTEM_ID = 0x0F, "ESME_RINVSYSID: system_id.";
    QUEUE_FULL = 0x14, "ESME_RMSGQFUL: the message queue is full.";
    INVALID_SERVICE_TYPE = 0x15, "ESME_RINVSERTYP: service_type.";
    SUBMIT_FAILED = 0x45, "ESME_RSUBMITFAIL: submit_sm or submit_multi failed.";
    INVALID_SYSTEM_TYPE = 0x53, "ESME_RINVSYSTYP: system_type.";
    THROTTLED = 0x58, "ESME_RTHROTTLED: the sender exceeded the allowed rate.";
    INVALID_SCHEDULE = 0x61, "ESME_RINVSCHED: schedule_delivery_time.";
    INVALID_EXPIRY = 0x62, "ESME_RINVEXPIRY: validity_period.";
    TEMPORARY_APPLICATION_ERROR = 0x64, "ESME_RX_T_APPN: the receiving application asks to deliver again later.";
    PERMANENT_APPLICATION_ERROR = 0x65, "ESME_RX_P_APPN: the receiving application will never take it.";
    REJECTED_BY_APPLICATION = 0x66, "ESME_RX_R_APPN: the receiving application rejects it.";
    INVALID_TLVS = 0xC0, "ESME_RINVOPTPARSTREAM: the optional part of the PDU is malformed.";
    TLV_NOT_ALLOWED = 0xC1, "ESME_ROPTPARNOTALLWD: this TLV may not stand here.";
    INVALID_TLV_LENGTH = 0xC2, "ESME_RINVPARLEN: a TLV has the wrong length.";
    UNKNOWN_ERROR = 0xFF, "ESME_RUNKNOWNERR: unknown.";
}

impl Status {
    /// What to do with a message that was answered like this. Values that no table names are final: sending
    /// a refused message again and again helps nobody.
    #[must_use]
    pub fn kind(self) -> StatusKind {
        match self {
            Self::OK => StatusKind::Ok,
            Self::THROTTLED => StatusKind::Throttled,
            Self::QUEUE_FULL => StatusKind::QueueFull,
            Self::SYSTEM_ERROR | Self::TEMPORARY_APPLICATION_ERROR => StatusKind::Retry,
            _ => StatusKind::Final,
        }
    }

    /// Whether this is ESME_ROK.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }
}

impl core::fmt::Debug for Status {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({:#04x})", self.0),
            None => write!(f, "{:#04x}", self.0),
        }
    }
}

impl core::fmt::Display for Status {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self, f)
    }
}
