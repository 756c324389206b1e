//! What the bank keeps of transactions, and how its end looks things up.

use crate::{
    codec::{Reader, Undecodable},
    frame::sha256,
    identity::{AccountToken, Amount, Msisdn, Readable, Reference, TransactionId},
    message::{Answer, Order, Refusal},
    registration::Binding,
};
use zeroize::Zeroizing;

const STORED_VERSION: u8 = 1;

/// What the bank's end reads while it judges a frame, as committed: in the same transaction of the database, or with nothing
/// between that could change it.
pub trait Records {
    /// The binding of this number.
    fn binding(&self, number: &Msisdn) -> Option<Binding>;

    /// The record of this transaction.
    fn transaction(&self, id: &TransactionId) -> Option<Transaction>;
}

/// What became of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was done, and is called so.
    Done(Reference),
    /// It was not done and never will be.
    Refused(Refusal),
    /// The bank is about to do it and will know later.
    UnderWay,
}

/// The bank's record of a transaction id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transaction {
    /// Somebody inquired before the order came, or people found after a restore that it was not done: it never is.
    Closed,
    /// People found after a restore that it had been done.
    Found(Reference),
    /// The order came and was judged.
    Judged(Judged),
}

/// An order that was judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judged {
    /// SHA-256 of the request that brought it.
    pub(crate) request: [u8; 32],
    /// Whose order.
    pub number: Msisdn,
    /// The order.
    pub order: Order,
    /// What became of it.
    pub outcome: Outcome,
    /// Which transaction undid it, or is about to.
    pub reversed_by: Option<TransactionId>,
}

impl Judged {
    pub(crate) fn new(request: &[u8], number: Msisdn, order: Order, outcome: Outcome) -> Self {
        Self { request: sha256(request), number, order, outcome, reversed_by: None }
    }

    /// Whether this was done for `number` and can still be undone as a whole.
    pub(crate) fn is_reversible(&self, number: &Msisdn, account: AccountToken, amount: Amount) -> bool {
        matches!(self.order, Order::WalletToBank { .. } | Order::BankToWallet { .. })
            && matches!(self.outcome, Outcome::Done(_))
            && self.reversed_by.is_none()
            && (self.number, self.order.account(), self.order.amount()) == (*number, account, amount)
    }
}

impl Transaction {
    /// What the operator is told.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Closed => Answer::NotKnown,
            Self::Found(reference) => Answer::Done(*reference),
            Self::Judged(judged) => match judged.outcome {
                Outcome::Done(reference) => Answer::Done(reference),
                Outcome::Refused(why) => Answer::Refused(why),
                Outcome::UnderWay => Answer::UnderWay,
            },
        }
    }

    /// The octets to keep.
    pub fn stored(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(160));
        out.push(STORED_VERSION);
        let judged = match self {
            Self::Closed => {
                out.push(0);
                return out;
            }
            Self::Found(reference) => {
                out.push(1);
                reference.write(&mut out);
                return out;
            }
            Self::Judged(judged) => judged,
        };
        out.push(2);
        out.extend_from_slice(&judged.request);
        judged.number.write(&mut out);
        judged.order.write(&mut out);
        match judged.outcome {
            Outcome::Done(reference) => {
                out.push(1);
                reference.write(&mut out);
            }
            Outcome::Refused(why) => out.extend_from_slice(&[2, why as u8]),
            Outcome::UnderWay => out.push(3),
        }
        if let Some(by) = judged.reversed_by {
            out.extend_from_slice(&by.0);
        }
        out
    }

    /// Reads what [`Self::stored`] wrote and nothing else.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn load(octets: &[u8]) -> Result<Self, Undecodable> {
        let mut reader = Reader(octets);
        reader.version(STORED_VERSION)?;
        match reader.octet()? {
            0 => return reader.end().map(|()| Self::Closed),
            1 => {
                let found = Self::Found(Reference::read(&mut reader)?);
                return reader.end().map(|()| found);
            }
            2 => {}
            other => return Err(Undecodable::Unknown(other, "record")),
        }
        let (request, number, kind) = (reader.array()?, Msisdn::read(&mut reader)?, reader.octet()?);
        let order = Order::read(kind, &mut reader)?;
        let outcome = match reader.octet()? {
            1 => Outcome::Done(Reference::read(&mut reader)?),
            2 => {
                let number = reader.octet()?;
                Outcome::Refused(Refusal::numbered(number).ok_or(Undecodable::Unknown(number, "refusal"))?)
            }
            3 => Outcome::UnderWay,
            other => return Err(Undecodable::Unknown(other, "outcome")),
        };
        let reversed_by = if reader.0.is_empty() { None } else { Some(TransactionId(reader.array()?)) };
        reader.end()?;
        Ok(Self::Judged(Judged { request, number, order, outcome, reversed_by }))
    }
}
