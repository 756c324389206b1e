//! What a message says: requests of the operator and answers of the bank, in one encoding. A message begins with its number;
//! numbers are never used again.

use crate::{
    authentication::Authentication,
    codec::{Reader, Undecodable},
    identity::{AccountToken, Amount, Msisdn, Readable, Reference, TransactionId},
};
use zeroize::Zeroizing;

/// What moves money. The number of the one whose order it is stands in the [`Authentication`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Out of the wallet, into the subscriber's account.
    WalletToBank {
        /// Into which account.
        account: AccountToken,
        /// How much.
        amount: Amount,
    },
    /// Out of the subscriber's account, into the wallet.
    BankToWallet {
        /// Out of which account.
        account: AccountToken,
        /// How much.
        amount: Amount,
    },
    /// Undoes one of the above as a whole.
    Reversal {
        /// The account that it touched.
        account: AccountToken,
        /// What it moved.
        amount: Amount,
        /// Which one.
        of: TransactionId,
    },
    /// From account to account, wholly at the bank, which knows the payee's account by the payee's number.
    AccountTransfer {
        /// Out of which account.
        account: AccountToken,
        /// How much.
        amount: Amount,
        /// Into the account of this number.
        payee: Msisdn,
    },
}

impl Order {
    /// How much it moves.
    pub fn amount(&self) -> Amount {
        match *self {
            Self::WalletToBank { amount, .. }
            | Self::BankToWallet { amount, .. }
            | Self::Reversal { amount, .. }
            | Self::AccountTransfer { amount, .. } => amount,
        }
    }

    /// The account of the one whose order it is.
    pub fn account(&self) -> AccountToken {
        match *self {
            Self::WalletToBank { account, .. }
            | Self::BankToWallet { account, .. }
            | Self::Reversal { account, .. }
            | Self::AccountTransfer { account, .. } => account,
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut start = |kind: u8, account: &AccountToken, amount: &Amount| {
            out.push(kind);
            out.extend_from_slice(&account.0);
            out.extend_from_slice(&amount.octets());
        };
        match self {
            Self::WalletToBank { account, amount } => start(1, account, amount),
            Self::BankToWallet { account, amount } => start(2, account, amount),
            Self::Reversal { account, amount, of } => {
                start(4, account, amount);
                out.extend_from_slice(&of.0);
            }
            Self::AccountTransfer { account, amount, payee } => {
                start(5, account, amount);
                payee.write(out);
            }
        }
    }

    pub(crate) fn read(kind: u8, reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let (account, amount) = (AccountToken(reader.array()?), Amount::read(reader)?);
        Ok(match kind {
            1 => Self::WalletToBank { account, amount },
            2 => Self::BankToWallet { account, amount },
            4 => Self::Reversal { account, amount, of: TransactionId(reader.array()?) },
            5 => Self::AccountTransfer { account, amount, payee: Msisdn::read(reader)? },
            other => return Err(Undecodable::Unknown(other, "order")),
        })
    }
}

/// What the operator sends about the transaction that is named with the message.
#[derive(Clone)]
pub enum Request {
    /// Moves money.
    Order(Order, Authentication),
    /// How much is in the account.
    Balance(AccountToken, Authentication),
    /// What became of the transaction. If the bank never saw it, it never will be done.
    Inquiry,
    /// Is anybody there?
    Echo,
}

const BALANCE: u8 = 3;
const INQUIRY: u8 = 6;
const ECHO: u8 = 7;

impl Request {
    /// The octets of it; they name a subscriber.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(192));
        match self {
            Self::Order(order, authentication) => {
                order.write(&mut out);
                authentication.write(&mut out);
            }
            Self::Balance(account, authentication) => {
                out.push(BALANCE);
                out.extend_from_slice(&account.0);
                authentication.write(&mut out);
            }
            Self::Inquiry => out.push(INQUIRY),
            Self::Echo => out.push(ECHO),
        }
        out
    }

    /// Reads what [`Self::encode`] wrote and nothing else.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn decode(octets: &[u8]) -> Result<Self, Undecodable> {
        let mut reader = Reader(octets);
        let request = match reader.octet()? {
            kind @ (1 | 2 | 4 | 5) => Self::Order(Order::read(kind, &mut reader)?, Authentication::read(&mut reader)?),
            BALANCE => Self::Balance(AccountToken(reader.array()?), Authentication::read(&mut reader)?),
            INQUIRY => Self::Inquiry,
            ECHO => Self::Echo,
            other => return Err(Undecodable::Unknown(other, "request")),
        };
        reader.end()?;
        Ok(request)
    }
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        /// Why the bank did nothing, and never will under this transaction. A closed list; a number is never used again.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Refusal { $($(#[$doc])* $name = $number,)* }

        impl Refusal {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name,)*];

            /// The refusal of this number.
            pub fn numbered(number: u8) -> Option<Refusal> {
                match number { $($number => Some(Refusal::$name),)* _ => None }
            }
        }
    };
}

refusals! {
    // Found by this crate, before anything is executed.
    /// The bank has no such number.
    UnknownNumber = 1;
    /// Another SIM than the one that was registered.
    OtherImsi = 2;
    /// Another serial than the one that was registered.
    OtherSerial = 3;
    /// What was authenticated is not what was ordered.
    OtherAmount = 4;
    /// The authentication information was not made with this subscriber's key, for this order and transaction.
    WrongTag = 5;
    /// The account is not this subscriber's.
    UnknownAccount = 6;
    /// The payee's number has no account at this bank.
    UnknownPayee = 7;
    /// What is to be reversed was not done so, by this subscriber, or was reversed already.
    NotReversible = 8;
    // Found by the bank.
    /// There is not enough in the account.
    NotEnough = 16;
    /// The account is blocked or closed.
    AccountBlocked = 17;
    /// More than the bank allows.
    AboveLimit = 18;
    /// The account is not in this currency.
    OtherCurrency = 19;
    /// The bank does not do it, and says no more.
    Declined = 20;
}

/// What the bank says about the transaction that is named with the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Executed, once. Final.
    Done(Reference),
    /// Not executed, and never will be. Final.
    Refused(Refusal),
    /// Accepted and not at its end: ask later.
    UnderWay,
    /// The bank never saw it, and will not do it however late it comes. Final.
    NotKnown,
    /// First sent before the bank's records were restored, and not among them: it may have been done. People settle it.
    Unresolved,
    /// So much is in the account.
    Balance(Amount),
    /// Somebody is there.
    Echo,
}

impl Answer {
    /// Whether nothing about the transaction will ever change.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::UnderWay | Self::Unresolved)
    }

    /// The octets of it.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(48));
        match self {
            Self::Done(reference) => {
                out.push(1);
                reference.write(&mut out);
            }
            Self::Refused(why) => out.extend_from_slice(&[2, *why as u8]),
            Self::UnderWay => out.push(3),
            Self::NotKnown => out.push(4),
            Self::Unresolved => out.push(5),
            Self::Balance(amount) => {
                out.push(6);
                out.extend_from_slice(&amount.octets());
            }
            Self::Echo => out.push(7),
        }
        out
    }

    /// Reads what [`Self::encode`] wrote and nothing else.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn decode(octets: &[u8]) -> Result<Self, Undecodable> {
        let mut reader = Reader(octets);
        let answer = Self::read(&mut reader)?;
        reader.end()?;
        Ok(answer)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(match reader.octet()? {
            1 => Self::Done(Reference::read(reader)?),
            2 => {
                let number = reader.octet()?;
                Self::Refused(Refusal::numbered(number).ok_or(Undecodable::Unknown(number, "refusal"))?)
            }
            3 => Self::UnderWay,
            4 => Self::NotKnown,
            5 => Self::Unresolved,
            6 => Self::Balance(Amount::read(reader)?),
            7 => Self::Echo,
            other => return Err(Undecodable::Unknown(other, "answer")),
        })
    }
}
