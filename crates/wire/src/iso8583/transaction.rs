//! Which transaction a request is: by its type, processing code (field 3), condition (field 25), and on the point-of-sale link by
//! the transaction type in field 60.

use super::{Message, Mti, profile::Style};

macro_rules! transactions {
    ($($(#[$doc:meta])* $name:ident { $mti:ident, $processing:literal, $condition:literal, $kind:literal, $reversible:literal })*) => {
        /// A transaction of a terminal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Transaction {
            $($(#[$doc])* $name,)*
        }

        impl Transaction {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            const fn row(self) -> (Mti, &'static str, &'static str, &'static str, bool) {
                match self {
                    $(Self::$name => (Mti::$mti, $processing, $condition, $kind, $reversible),)*
                }
            }
        }
    };
}

transactions! {
    /// How much is there?
    Balance { FinancialRequest, "310000", "00", "01", false }
    /// Pay.
    Purchase { FinancialRequest, "000000", "00", "22", true }
    /// Take back a purchase of today.
    PurchaseVoid { FinancialRequest, "200000", "00", "23", true }
    /// Pay back.
    Refund { FinancialAdvice, "200000", "00", "25", false }
    /// Set money aside.
    PreAuthorisation { AuthorisationRequest, "030000", "06", "10", true }
    /// Give it back.
    PreAuthorisationVoid { AuthorisationRequest, "200000", "06", "11", true }
    /// Pay out of what was set aside.
    Completion { FinancialRequest, "000000", "06", "20", true }
    /// Take that back.
    CompletionVoid { FinancialRequest, "200000", "06", "21", true }
}

/// Processing code of a balance inquiry on the institution link.
const BALANCE_BETWEEN_INSTITUTIONS: &str = "300000";

impl Transaction {
    /// What a request asks; `None` for a message that is no request of a transaction, or one that does not agree with itself.
    #[must_use]
    pub fn of(style: Style, request: &Message) -> Option<Self> {
        let asks = |transaction: &&Self| {
            let (mti, _, condition, kind, _) = transaction.row();
            let kind_agrees =
                style == Style::Institution || request.text(60).and_then(|text| text.get(..2)) == Some(kind);
            mti == request.mti()
                && request.text(3) == Some(transaction.processing_code(style))
                && request.text(25) == Some(condition)
                && kind_agrees
        };
        Self::ALL.iter().find(asks).copied()
    }

    /// The type of its request.
    #[must_use]
    pub const fn mti(self) -> Mti {
        self.row().0
    }

    /// Field 3.
    #[must_use]
    pub fn processing_code(self, style: Style) -> &'static str {
        match (self, style) {
            (Self::Balance, Style::Institution) => BALANCE_BETWEEN_INSTITUTIONS,
            _ => self.row().1,
        }
    }

    /// Field 25.
    #[must_use]
    pub const fn condition(self) -> &'static str {
        self.row().2
    }

    /// The first two digits of field 60 on the point-of-sale link.
    #[must_use]
    pub const fn terminal_type(self) -> &'static str {
        self.row().3
    }

    /// Whether a terminal that gets no valid answer reverses it, which it stores before it asks.
    #[must_use]
    pub const fn is_reversible(self) -> bool {
        self.row().4
    }
}
