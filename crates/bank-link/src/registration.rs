//! A subscriber's first step: IMSI, number and serial travel to the bank together under the preshared key, and both ends have
//! a key of this subscriber's own from then on.
//!
//! The octets may be sent again until the answer comes: the bank knows them by their digest. Another registration of the
//! number is a change, which only the bank's own rule lets in, and never one that was made before the one on record.

use crate::{
    authentication::tag,
    codec::{Reader, Undecodable},
    frame::{Frame, Ignored, sha256},
    identity::{AccountToken, Moment, SecretKey, Subscriber},
    pair::{PairKeys, Purpose},
};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const STORED_VERSION: u8 = 1;

/// What the bank answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registered {
    /// Stored; orders name the account so.
    Yes(AccountToken),
    /// The bank has another registration of this number and keeps it.
    Kept,
    /// The bank does not want this subscriber.
    No,
}

impl Registered {
    fn encode(self) -> Vec<u8> {
        match self {
            Self::Yes(account) => [&[1], account.0.as_slice()].concat(),
            Self::Kept => vec![2],
            Self::No => vec![3],
        }
    }

    fn decode(octets: &[u8]) -> Result<Self, Undecodable> {
        let mut reader = Reader(octets);
        let registered = match reader.octet()? {
            1 => Self::Yes(AccountToken(reader.array()?)),
            2 => Self::Kept,
            3 => Self::No,
            other => return Err(Undecodable::Unknown(other, "answer to a registration")),
        };
        reader.end()?;
        Ok(registered)
    }

    /// The frame that says so, which nobody without the subscriber's key makes.
    pub(crate) fn frame(self, key: &SecretKey, registration: &[u8; 32]) -> Vec<u8> {
        let answer = self.encode();
        let tag = tag_of(key, registration, &answer);
        Frame::Registered { registration: *registration, answer: &answer, tag }.write()
    }
}

fn tag_of(key: &SecretKey, registration: &[u8; 32], answer: &[u8]) -> [u8; 32] {
    tag(key, "wakala link v1 registered", &[registration, answer])
}

/// A subscriber and the key BK that operator and bank share of them. Secret: cannot be printed. Both ends keep
/// [`Self::stored`] sealed.
#[derive(Clone)]
pub struct Binding {
    subscriber: Subscriber,
    made: Moment,
    /// SHA-256 of the registration's octets.
    digest: [u8; 32],
    key: SecretKey,
    /// Known once the bank has answered.
    account: Option<AccountToken>,
}

impl Binding {
    /// Makes a registration at the operator: the octets to be sent, again and again if need be, and what to keep.
    pub fn register(
        keys: &PairKeys,
        rng: &mut dyn CryptoRng,
        now: Moment,
        subscriber: Subscriber,
    ) -> (Vec<u8>, Binding) {
        let mut body = Zeroizing::new(now.0.to_be_bytes().to_vec());
        subscriber.write(&mut body);
        let (sealed, key) = keys.seal(Purpose::Registration, rng, &body);
        let frame = Frame::Registration { key: keys.version(), sealed: &sealed }.write();
        let digest = sha256(&frame);
        (frame, Binding { subscriber, made: now, digest, key, account: None })
    }

    /// Opens a registration at the bank.
    pub(crate) fn open(keys: &PairKeys, frame: &[u8], sealed: &[u8]) -> Result<Binding, Ignored> {
        let (body, key) = keys.open(Purpose::Registration, sealed)?;
        let mut reader = Reader(&body);
        let (made, subscriber) = (reader.moment()?, Subscriber::read(&mut reader)?);
        reader.end()?;
        Ok(Binding { subscriber, made, digest: sha256(frame), key, account: None })
    }

    /// Hears the bank's answer at the operator.
    ///
    /// # Errors
    /// When it is not the bank's answer to this registration.
    pub fn answered(&mut self, frame: &[u8]) -> Result<Registered, Ignored> {
        let Frame::Registered { registration, answer, tag } = Frame::read(frame)? else {
            return Err(Ignored::WrongWay);
        };
        if registration != self.digest {
            return Err(Ignored::NotAsked);
        }
        if !bool::from(tag_of(&self.key, &registration, answer).ct_eq(&tag)) {
            return Err(Ignored::NotAuthentic);
        }
        let registered = Registered::decode(answer)?;
        if let Registered::Yes(account) = registered {
            self.account = Some(account);
        }
        Ok(registered)
    }

    /// Who.
    pub fn subscriber(&self) -> &Subscriber {
        &self.subscriber
    }

    /// When the operator made the registration.
    pub fn made(&self) -> Moment {
        self.made
    }

    /// What orders call the account; none before the bank has answered.
    pub fn account(&self) -> Option<AccountToken> {
        self.account
    }

    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    pub(crate) fn key(&self) -> &SecretKey {
        &self.key
    }

    pub(crate) fn with_account(self, account: AccountToken) -> Self {
        Self { account: Some(account), ..self }
    }

    /// The octets to keep, sealed.
    pub fn stored(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(192));
        out.push(STORED_VERSION);
        self.subscriber.write(&mut out);
        out.extend_from_slice(&self.made.0.to_be_bytes());
        out.extend_from_slice(&self.digest);
        out.extend_from_slice(&self.key.0);
        if let Some(account) = self.account {
            out.extend_from_slice(&account.0);
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
        let subscriber = Subscriber::read(&mut reader)?;
        let (made, digest, key) = (reader.moment()?, reader.array()?, SecretKey(reader.array()?));
        let account = if reader.0.is_empty() { None } else { Some(AccountToken(reader.array()?)) };
        reader.end()?;
        Ok(Self { subscriber, made, digest, key, account })
    }
}
