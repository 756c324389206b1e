//! Response codes, field 39.

macro_rules! responses {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// How a request was answered. Peers have further codes of their own: one that is not here is an outcome that is not
        /// known, neither success nor failure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ResponseCode {
            $($(#[$doc])* $name,)*
        }

        impl ResponseCode {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As field 39 carries it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

responses! {
    /// Done.
    Approved = "00",
    /// Ask the issuer.
    ReferToIssuer = "01",
    /// No such merchant.
    InvalidMerchant = "03",
    /// Who asks is not who they say.
    NotAuthenticated = "05",
    /// Waiting for something; an advice will follow.
    InProgress = "09",
    /// No such transaction here.
    InvalidTransaction = "12",
    /// Not such an amount.
    InvalidAmount = "13",
    /// No such account.
    InvalidAccount = "14",
    /// There is nothing that this undoes.
    OriginalNotFound = "25",
    /// The message is malformed.
    FormatError = "30",
    /// Suspected fraud.
    SuspectedFraud = "34",
    /// Too many wrong PINs; keep the card.
    PinTriesExceededRetain = "38",
    /// Lost.
    LostCard = "41",
    /// Stolen.
    StolenCard = "43",
    /// Not enough money.
    InsufficientFunds = "51",
    /// Expired.
    ExpiredCard = "54",
    /// Wrong PIN.
    IncorrectPin = "55",
    /// The customer may not do this.
    NotPermittedToCustomer = "57",
    /// The terminal may not do this.
    NotPermittedToTerminal = "58",
    /// Above a limit of amount.
    ExceedsAmountLimit = "61",
    /// The account is restricted or closed.
    Restricted = "62",
    /// Above a limit of number.
    ExceedsCountLimit = "65",
    /// The answer came too late.
    LateResponse = "68",
    /// Too many wrong PINs.
    PinTriesExceeded = "75",
    /// The terminal must sign on again.
    SignOnAgain = "77",
    /// The issuer is not reached.
    IssuerUnavailable = "91",
    /// It came before.
    Duplicate = "94",
    /// Something here failed.
    SystemMalfunction = "96",
    /// No answer came.
    NoAnswer = "98",
    /// There is no PIN in the block.
    PinFormat = "99",
    /// The message is not authentic.
    MacFailed = "A0",
}

impl ResponseCode {
    /// `None` for a code that is not known here.
    #[must_use]
    pub fn parse(code: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|response| response.code().as_bytes() == code)
    }
}
