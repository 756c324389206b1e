//! Message type indicators.

/// The messages of both links, by their type indicator (ISO 8583:1987, 4.1; the first digit, the version, is 0).
macro_rules! mtis {
    ($($(#[$doc:meta])* $name:ident = $code:literal $(answered by $answer:ident)?,)*) => {
        /// What kind of message it is. One that is not here is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Mti {
            $($(#[$doc])* $name,)*
        }

        impl Mti {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its four digits.
            #[must_use]
            pub const fn digits(self) -> &'static [u8; 4] {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// What it is answered by; `None` of an answer.
            #[must_use]
            pub const fn answer(self) -> Option<Self> {
                match self {
                    $($(Self::$name => Some(Self::$answer),)?)*
                    _ => None,
                }
            }
        }
    };
}

mtis! {
    /// May this card pay?
    AuthorisationRequest = b"0100" answered by AuthorisationResponse,
    /// Answer.
    AuthorisationResponse = b"0110",
    /// Pay.
    FinancialRequest = b"0200" answered by FinancialResponse,
    /// Answer.
    FinancialResponse = b"0210",
    /// Was paid, or is to be refunded.
    FinancialAdvice = b"0220" answered by FinancialAdviceResponse,
    /// Answer.
    FinancialAdviceResponse = b"0230",
    /// What a terminal did, after the settlement.
    BatchUpload = b"0320" answered by BatchUploadResponse,
    /// Answer.
    BatchUploadResponse = b"0330",
    /// Undo it: the answer did not come, or was not authentic.
    ReversalRequest = b"0400" answered by ReversalResponse,
    /// Answer.
    ReversalResponse = b"0410",
    /// It was undone.
    ReversalAdvice = b"0420" answered by ReversalAdviceResponse,
    /// Answer.
    ReversalAdviceResponse = b"0430",
    /// The sums of a terminal.
    SettlementRequest = b"0500" answered by SettlementResponse,
    /// Answer.
    SettlementResponse = b"0510",
    /// Sign-on, keys.
    NetworkRequest = b"0800" answered by NetworkResponse,
    /// Answer.
    NetworkResponse = b"0810",
    /// Sign-off, echo; sign-on between institutions.
    NetworkAdvice = b"0820" answered by NetworkAdviceResponse,
    /// Answer.
    NetworkAdviceResponse = b"0830",
}

impl Mti {
    /// `None` for digits of no message that is known here.
    #[must_use]
    pub fn parse(digits: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|mti| mti.digits() == digits)
    }
}
