//! The forms of notices.

use transaction_processing::notice::{Notice, Role, Standing, StatementLine, Text};

use super::{choice, structure};

structure!(Notice { to, language, card, text, code, void_at });
structure!(StatementLine { at, change, balance, kind });
choice!(Role { 1 => Stranger, 2 => Customer, 3 => Agent });
choice!(Standing { 1 => Waiting, 2 => Done, 3 => Returned });
choice!(Text {
    1 => Sent { transfer, amount, charges, payee, balance },
    2 => Received { transfer, amount, charges, sender, balance },
    3 => SentByPassword { transfer, amount, charges, payee, balance, expires_at },
    4 => WithdrawalPassword { transfer, amount, sender, expires_at },
    5 => VerificationCode { transfer, amount, cash, agent, minutes },
    6 => PaidOutByYou { transfer, amount, cash, payee, commission, balance },
    7 => AlreadyPaidByYou { transfer, cash, payee, at },
    8 => PaidOutToYou { transfer, amount, cash, agent },
    9 => Collected { transfer, amount, payee },
    10 => Deposited { transfer, amount, charges, balance },
    11 => Resent { transfer, amount, payee },
    12 => Recalled { transfer, returned, payee, balance },
    13 => RecalledFromYou { transfer, amount, sender },
    14 => RecallAsked { transfer, amount, sender },
    15 => RecallAskedForYou { transfer, amount, payee },
    16 => GivenBack { transfer, amount, sender, balance },
    17 => GotBack { transfer, returned, payee, balance },
    18 => Refunded { transfer, returned, payee, balance },
    19 => Lapsed { transfer, amount, sender },
    20 => Reminder { transfer, amount, sender, expires_at },
    21 => RegistrationCode { minutes, contested },
    22 => Registered,
    23 => CashTakenIn { transfer, amount, customer, commission, balance },
    24 => CashPutIn { transfer, amount, charges, agent, balance },
    25 => CashTakenOut { transfer, amount, cash, charges, agent, balance },
    26 => CashToHandOver { transfer, cash, customer, commission, balance },
    27 => Balance { balance },
    28 => Statement { currency_of, lines },
    29 => PinChanged,
    30 => LanguageSet,
    31 => ReceiptGenuine { transfer, kind, amount, at, payee, standing },
    32 => Help { role },
    33 => FloatSupplied { transfer, amount, balance },
    34 => FloatWithdrawn { transfer, amount, balance },
    35 => AgentEnrolled { agent },
    36 => OneTimePin { minutes },
    37 => PinUnlocked,
    38 => Frozen,
    39 => Unfrozen,
    40 => Closed,
    41 => NumberChanged,
    42 => TierSet { tier },
    43 => CardBound,
    44 => UnclaimedPaid { amount, balance },
    45 => Refused { why, asked },
    46 => Repeated { answer, asked },
    47 => NumberLeft,
});
