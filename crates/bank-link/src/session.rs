//! A session: an opening under the preshared key that gives both ends a fresh root key RK, and the two chains of it.
//!
//! The opening names the life of the bank's memory that it is meant for ([`Generation`]) and rises in time above all before
//! it. So no opening that comes again, late, or after a restore ever begins a chain anew: RK is used up when the chains are
//! made, and only the operator's fresh ephemeral key makes another.

use crate::{
    authentication::tag,
    chain::{Chain, Direction, MOST_KEYS, Received, Receiver, Sender, expand},
    codec::{Reader, Undecodable},
    frame::{Frame, Header, Ignored, Kid, TAG, short_digest},
    identity::{Generation, Moment, SecretKey},
    pair::{ENCAPSULATED, Pair, PairKeys, Purpose},
};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A session sends so long, in milliseconds.
pub const LIFE: u64 = 24 * 60 * 60 * 1000;
/// So much longer its messages are heard and its questions answered.
pub const GRACE: u64 = 10 * 60 * 1000;
/// So far the clocks of both ends may differ when one opens.
pub const SKEW: u64 = 5 * 60 * 1000;

/// What the bank answers to an opening.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opened {
    /// The session stands.
    Yes,
    /// The bank's memory is of another life than the opening was meant for: this one.
    OtherGeneration(Generation),
    /// Not later than the newest opening of the lane, which was made then.
    Behind(Moment),
    /// The clocks differ too much; this is the bank's.
    ClocksDiffer(Moment),
}

impl Opened {
    fn encode(self) -> Vec<u8> {
        match self {
            Self::Yes => vec![1],
            Self::OtherGeneration(generation) => [&[2], generation.0.as_slice()].concat(),
            Self::Behind(moment) => [&[3], moment.0.to_be_bytes().as_slice()].concat(),
            Self::ClocksDiffer(moment) => [&[4], moment.0.to_be_bytes().as_slice()].concat(),
        }
    }

    pub(crate) fn decode(octets: &[u8]) -> Result<Self, Undecodable> {
        let mut reader = Reader(octets);
        let opened = match reader.octet()? {
            1 => Self::Yes,
            2 => Self::OtherGeneration(Generation(reader.array()?)),
            3 => Self::Behind(reader.moment()?),
            4 => Self::ClocksDiffer(reader.moment()?),
            other => return Err(Undecodable::Unknown(other, "answer to an opening")),
        };
        reader.end()?;
        Ok(opened)
    }
}

/// What an opening says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) made: Moment,
    pub(crate) lane: u32,
    /// Of the bank's memory, as the operator knows it.
    pub(crate) generation: Generation,
}

/// A session as one end has it before it is answered.
pub(crate) struct Offered {
    pub(crate) opening: Opening,
    pub(crate) session: Session,
    answer_key: SecretKey,
}

impl Opening {
    /// Makes one at the operator.
    pub(crate) fn offer(self, keys: &PairKeys, rng: &mut dyn CryptoRng) -> (Vec<u8>, Offered) {
        let mut body = self.made.0.to_be_bytes().to_vec();
        body.extend_from_slice(&self.lane.to_be_bytes());
        body.extend_from_slice(&self.generation.0);
        let (sealed, root) = keys.seal(Purpose::Session, rng, &body);
        let frame = Frame::Opening { key: keys.version(), sealed: &sealed }.write();
        (frame, Offered::new(self, Direction::ToBank, &sealed, &root))
    }

    /// Opens one at the bank.
    pub(crate) fn receive(keys: &PairKeys, sealed: &[u8]) -> Result<Offered, Ignored> {
        let (body, root) = keys.open(Purpose::Session, sealed)?;
        let mut reader = Reader(&body);
        let (made, lane, generation) = (reader.moment()?, reader.short()?, Generation(reader.array()?));
        reader.end()?;
        Ok(Offered::new(Self { made, lane, generation }, Direction::ToOperator, sealed, &root))
    }
}

impl Offered {
    fn new(opening: Opening, sends: Direction, sealed: &[u8], root: &SecretKey) -> Self {
        let chain = |direction| Chain::begin(root, direction, opening.lane);
        let session = Session {
            kid: short_digest(&sealed[..ENCAPSULATED]),
            opened: opening.made,
            sender: Sender::new(chain(sends)),
            receiver: Receiver::new(chain(sends.back())),
        };
        Self { opening, session, answer_key: expand(root, "wakala link v1 opened", &[]) }
    }

    /// The bank's answer.
    pub(crate) fn answer(&self, opened: Opened) -> Vec<u8> {
        let answer = opened.encode();
        Frame::Opened { kid: self.session.kid, answer: &answer, tag: self.tag(&answer) }.write()
    }

    /// Hears it at the operator.
    pub(crate) fn answered(&self, answer: &[u8], tag: &[u8; TAG]) -> Result<Opened, Ignored> {
        if !bool::from(self.tag(answer).ct_eq(tag)) {
            return Err(Ignored::NotAuthentic);
        }
        Ok(Opened::decode(answer)?)
    }

    fn tag(&self, answer: &[u8]) -> [u8; TAG] {
        tag(&self.answer_key, "wakala link v1 opened", &[&self.session.kid, answer])
    }
}

/// One end of a session.
pub(crate) struct Session {
    pub(crate) kid: Kid,
    /// When its opening was made, by the operator's clock.
    pub(crate) opened: Moment,
    sender: Sender,
    receiver: Receiver,
}

impl Session {
    /// Whether it should be followed by another soon: an hour or a sixteenth of its messages are left.
    pub(crate) fn is_old(&self, now: Moment) -> bool {
        now >= self.opened.plus(LIFE / 24 * 23) || self.sender.used() >= MOST_KEYS / 16 * 15
    }

    pub(crate) fn has_lived(&self, now: Moment, longer: u64) -> bool {
        now >= self.opened.plus(LIFE + longer)
    }

    /// Seals a message of this session; the second value says whether the lane must be stored before it may leave. `None`
    /// when the chain is spent.
    pub(crate) fn seal(
        &mut self,
        pair: &Pair,
        sends: Direction,
        about: impl FnOnce(Kid, u64) -> Header,
        plaintext: &[u8],
    ) -> Option<(Vec<u8>, bool)> {
        let (n, key, reserve) = self.sender.next()?;
        Some((about(self.kid, n).seal(pair, sends, &key, plaintext), reserve))
    }

    /// Opens a message of this session.
    pub(crate) fn open(
        &mut self,
        pair: &Pair,
        sends: Direction,
        now: Moment,
        header: &Header,
        sealed: &[u8],
        frame: &[u8],
    ) -> Result<Received<Zeroizing<Vec<u8>>>, Ignored> {
        if self.has_lived(now, GRACE) {
            return Err(Ignored::Expired);
        }
        let hears = sends.back();
        self.receiver.receive(header.n, short_digest(frame), |key| header.open(pair, hears, key, sealed))
    }

    /// How far it has heard.
    pub(crate) fn heard(&self) -> u64 {
        self.receiver.heard()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.kid);
        out.extend_from_slice(&self.opened.0.to_be_bytes());
        self.sender.write(out);
        self.receiver.write(out);
    }

    pub(crate) fn read(reader: &mut Reader<'_>, sends: Direction, lane: u32) -> Result<Self, Undecodable> {
        Ok(Self {
            kid: reader.array()?,
            opened: reader.moment()?,
            sender: Sender::read(reader, sends, lane)?,
            receiver: Receiver::read(reader, sends.back(), lane)?,
        })
    }
}
