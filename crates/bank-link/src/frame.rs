//! What travels, one frame a unit of the transport below (which tells where it ends). In clear stands only what finds the key.
//! ```text
//! registration  version 1 | 1 | version of K0 4 | encapsulated key 32 | ciphertext | tag 16
//! registered    version 1 | 2 | SHA-256 of the registration 32 | answer | tag 32
//! opening       version 1 | 3 | version of K0 4 | encapsulated key 32 | ciphertext | tag 16
//! opened        version 1 | 4 | kid 16 | answer | tag 32
//! message       version 1 | 5 | kid 16 | lane 4 | n 8 | transaction 16 | time 8 | ciphertext | tag 16
//! ```

use crate::{
    chain::Direction,
    codec::{Reader, Undecodable},
    identity::{Moment, SecretKey, TransactionId},
    pair::Pair,
};
use aes_gcm::{Aes256Gcm, KeyInit, aead::Aead, aead::Payload};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

/// The version of all of this that is spoken.
pub const VERSION: u8 = 1;
/// No frame is longer, in octets.
pub const LONGEST: usize = 512;
pub(crate) const TAG: usize = 32;

/// The name of a session: the beginning of the SHA-256 of its encapsulated key.
pub(crate) type Kid = [u8; 16];

/// Why something that came has no effect and no answer. Nothing is learnt from it about any transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Ignored {
    /// No frame or no content of this protocol.
    #[error("not of this protocol: {0}")]
    Undecodable(#[from] Undecodable),
    /// Not for this end to hear.
    #[error("this end does not hear frames of this kind")]
    WrongWay,
    /// Sealed with a version of K0 that this end does not hold.
    #[error("no K0 of version {0}")]
    UnknownKey(u32),
    /// Changed, forged, or not from this peer to this end.
    #[error("not authentic")]
    NotAuthentic,
    /// Of a session that ended or never was.
    #[error("no such session")]
    UnknownSession,
    /// Its session has lived its time.
    #[error("its session has expired")]
    Expired,
    /// Its session has sent all messages that it may.
    #[error("its session is spent")]
    Spent,
    /// Further ahead of all others than can be.
    #[error("too far ahead of the others")]
    TooFarAhead,
    /// Another message was sent under this key.
    #[error("its key has served for other octets")]
    KeyUsed,
    /// So late that its key was wiped.
    #[error("its key is gone")]
    KeyGone,
    /// The transaction was sent before as something else.
    #[error("another request has this transaction's id")]
    OtherRequest,
    /// It came before and changed nothing then.
    #[error("a repeat of what has no stored answer")]
    Repeat,
    /// An answer that was not asked for, or not to this question.
    #[error("answers nothing that was asked")]
    NotAsked,
    /// So much is being executed that no further order is taken up: it comes again.
    #[error("too much is being executed")]
    Busy,
    /// More lanes than a link may have.
    #[error("no such lane")]
    NoSuchLane,
}

/// What stands in clear before a message. All of it is authenticated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) kid: Kid,
    pub(crate) lane: u32,
    pub(crate) n: u64,
    pub(crate) id: TransactionId,
    /// When the transaction was first sent, by the operator's clock: the same each time it is sent, and in its answers.
    pub(crate) time: Moment,
}

/// A frame taken apart.
pub(crate) enum Frame<'a> {
    Registration { key: u32, sealed: &'a [u8] },
    Registered { registration: [u8; 32], answer: &'a [u8], tag: [u8; TAG] },
    Opening { key: u32, sealed: &'a [u8] },
    Opened { kid: Kid, answer: &'a [u8], tag: [u8; TAG] },
    Message { header: Header, sealed: &'a [u8] },
}

impl<'a> Frame<'a> {
    pub(crate) fn read(octets: &'a [u8]) -> Result<Self, Undecodable> {
        if octets.len() > LONGEST {
            return Err(Undecodable::TooLong);
        }
        let mut reader = Reader(octets);
        reader.version(VERSION)?;
        let kind = reader.octet()?;
        match kind {
            1 => Ok(Self::Registration { key: reader.short()?, sealed: reader.0 }),
            2 => {
                let registration = reader.array()?;
                let (answer, tag) = reader.0.split_last_chunk().ok_or(Undecodable::Short)?;
                Ok(Self::Registered { registration, answer, tag: *tag })
            }
            3 => Ok(Self::Opening { key: reader.short()?, sealed: reader.0 }),
            4 => {
                let kid = reader.array()?;
                let (answer, tag) = reader.0.split_last_chunk().ok_or(Undecodable::Short)?;
                Ok(Self::Opened { kid, answer, tag: *tag })
            }
            5 => {
                let (kid, lane, n) = (reader.array()?, reader.short()?, reader.number()?);
                let header = Header { kid, lane, n, id: TransactionId(reader.array()?), time: reader.moment()? };
                Ok(Self::Message { header, sealed: reader.0 })
            }
            other => Err(Undecodable::Unknown(other, "kind of frame")),
        }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let start = |kind: u8, parts: &[&[u8]]| [&[VERSION, kind], parts.concat().as_slice()].concat();
        match self {
            Self::Registration { key, sealed } => start(1, &[&key.to_be_bytes(), sealed]),
            Self::Registered { registration, answer, tag } => start(2, &[registration, answer, tag]),
            Self::Opening { key, sealed } => start(3, &[&key.to_be_bytes(), sealed]),
            Self::Opened { kid, answer, tag } => start(4, &[kid, answer, tag]),
            Self::Message { header: Header { kid, lane, n, id, time }, sealed } => {
                start(5, &[kid, &lane.to_be_bytes(), &n.to_be_bytes(), &id.0, &time.0.to_be_bytes(), sealed])
            }
        }
    }
}

impl Header {
    /// What is authenticated with a message: `version | kid | lane | n | transaction | sender | receiver | time`.
    fn authenticated(&self, pair: &Pair, direction: Direction) -> Vec<u8> {
        let (sender, receiver) = match direction {
            Direction::ToBank => (pair.operator, pair.bank),
            Direction::ToOperator => (pair.bank, pair.operator),
        };
        let mut octets = vec![VERSION];
        octets.extend_from_slice(&self.kid);
        octets.extend_from_slice(&self.lane.to_be_bytes());
        octets.extend_from_slice(&self.n.to_be_bytes());
        octets.extend_from_slice(&self.id.0);
        sender.write(&mut octets);
        receiver.write(&mut octets);
        octets.extend_from_slice(&self.time.0.to_be_bytes());
        octets
    }

    /// Seals a message under the one key that is its own: AES-256-GCM (NIST SP 800-38D) with a nonce of zeros, since no key
    /// serves twice.
    pub(crate) fn seal(self, pair: &Pair, direction: Direction, key: &SecretKey, plaintext: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plaintext, aad: &self.authenticated(pair, direction) };
        let sealed = cipher(key).encrypt(&[0; 12].into(), payload).expect("plaintext is below the 64 GiB of GCM");
        Frame::Message { header: self, sealed: &sealed }.write()
    }

    /// Opens what [`Self::seal`] sealed.
    pub(crate) fn open(
        &self,
        pair: &Pair,
        direction: Direction,
        key: &SecretKey,
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let payload = Payload { msg: sealed, aad: &self.authenticated(pair, direction) };
        cipher(key).decrypt(&[0; 12].into(), payload).ok().map(Zeroizing::new)
    }
}

fn cipher(key: &SecretKey) -> Aes256Gcm {
    Aes256Gcm::new((&key.0).into())
}

pub(crate) fn sha256(octets: &[u8]) -> [u8; 32] {
    Sha256::digest(octets).into()
}

/// The first half of a SHA-256.
pub(crate) fn short_digest(octets: &[u8]) -> [u8; 16] {
    *sha256(octets).first_chunk().expect("16 of 32")
}

/// Reads a frame and writes it again.
///
/// # Errors
/// When the octets are no frame.
pub fn reframed(octets: &[u8]) -> Result<Vec<u8>, Undecodable> {
    Frame::read(octets).map(|frame| frame.write())
}
