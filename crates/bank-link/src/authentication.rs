//! Authentication information: what ties an order to one SIM, number and serial, one amount and one transaction. It is made
//! where the subscriber's key is, and judged by the bank against its own record before anything is executed.
//! ```text
//! tag = HMAC-SHA-256(BK, "wakala link v1 ai" | 00 | len IMSI | len number | len serial | amount 8, currency 3
//!                        | transaction 16 | len what is asked)
//! ```

use crate::{
    codec::{Reader, Undecodable, measured},
    identity::{Amount, SecretKey, Subscriber, TransactionId},
    message::{Order, Refusal},
    registration::Binding,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;

/// What is authenticated beside the subscriber.
#[derive(Clone, Copy)]
pub enum Asked<'a> {
    /// The whole order, its payee and what it reverses included.
    Order(&'a Order),
    /// The balance of an account; no amount.
    Balance,
}

impl Asked<'_> {
    fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        match self {
            Self::Order(order) => order.write(&mut octets),
            Self::Balance => octets.push(0),
        }
        octets
    }

    fn amount(&self) -> Option<Amount> {
        match self {
            Self::Order(order) => Some(order.amount()),
            Self::Balance => None,
        }
    }
}

/// HMAC-SHA-256 over a label and fields, for the tags of this crate.
pub(crate) fn tag(key: &SecretKey, label: &str, fields: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes keys of any length");
    mac.update(label.as_bytes());
    mac.update(&[0]);
    fields.iter().for_each(|field| mac.update(field));
    mac.finalize().into_bytes().into()
}

/// The authentication information of one request.
#[derive(Clone, PartialEq, Eq)]
pub struct Authentication {
    subscriber: Subscriber,
    /// None where nothing is moved.
    amount: Option<Amount>,
    tag: [u8; 32],
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication").field("subscriber", &self.subscriber).finish_non_exhaustive()
    }
}

impl Authentication {
    /// For `asked` under the transaction `id`, of the subscriber whose binding this is. `now` is who has the number at
    /// this moment: where the SIM was changed, the bank finds that out by it.
    pub fn make(binding: &Binding, now: Subscriber, id: TransactionId, asked: Asked<'_>) -> Self {
        let amount = asked.amount();
        Self { subscriber: now, amount, tag: tag_of(binding.key(), &now, amount, id, asked) }
    }

    /// Whose.
    pub fn subscriber(&self) -> &Subscriber {
        &self.subscriber
    }

    /// The bank's judgement: everything is what its own record and the order say.
    pub(crate) fn judge(&self, record: &Binding, id: TransactionId, asked: Asked<'_>) -> Result<(), Refusal> {
        let own = record.subscriber();
        if self.subscriber.imsi != own.imsi {
            return Err(Refusal::OtherImsi);
        }
        if self.subscriber.serial != own.serial {
            return Err(Refusal::OtherSerial);
        }
        if self.amount != asked.amount() {
            return Err(Refusal::OtherAmount);
        }
        let right = tag_of(record.key(), own, asked.amount(), id, asked);
        if bool::from(right.ct_eq(&self.tag)) { Ok(()) } else { Err(Refusal::WrongTag) }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.subscriber.write(out);
        match self.amount {
            None => out.push(0),
            Some(amount) => {
                out.push(1);
                out.extend_from_slice(&amount.octets());
            }
        }
        out.extend_from_slice(&self.tag);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let subscriber = Subscriber::read(reader)?;
        let amount = match reader.octet()? {
            0 => None,
            1 => Some(Amount::read(reader)?),
            other => return Err(Undecodable::Unknown(other, "presence")),
        };
        Ok(Self { subscriber, amount, tag: reader.array()? })
    }
}

fn tag_of(
    key: &SecretKey,
    subscriber: &Subscriber,
    amount: Option<Amount>,
    id: TransactionId,
    asked: Asked<'_>,
) -> [u8; 32] {
    let mut who = Vec::new();
    subscriber.write(&mut who);
    let amount = amount.map_or([0; 11], |amount| amount.octets());
    let mut what = Vec::new();
    measured(&mut what, &asked.octets());
    tag(key, "wakala link v1 ai", &[&who, &amount, &id.0, &what])
}
