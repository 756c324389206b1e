//! A lane, one connection or one shard: the session that it speaks and the one before, whose last messages may still be on
//! their way.

use crate::{
    chain::{BLOCK, Direction, Received},
    codec::{Reader, Undecodable},
    frame::{Header, Ignored, Kid},
    identity::{Generation, Moment, TransactionId},
    pair::Pair,
    session::{GRACE, Session},
};
use thiserror::Error;
use zeroize::Zeroizing;

const STORED_VERSION: u8 = 1;

/// As many lanes a link has, numbered from zero.
pub const MOST_LANES: u32 = 64;

/// Why a stored lane is not taken up again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NotContinued {
    /// The octets are not what was stored.
    #[error("damaged: {0}")]
    Damaged(#[from] Undecodable),
    /// It was stored in another life of this end's memory: a backup was restored since, and chains cannot go on from there
    /// without using keys twice.
    #[error("of another life of this memory")]
    OtherGeneration,
}

/// One end of a lane.
pub(crate) struct Lane {
    number: u32,
    sends: Direction,
    generation: Generation,
    /// The newest first.
    sessions: Vec<Session>,
    /// How far the current session had heard when the lane was last stored.
    stored_at: u64,
}

impl Lane {
    pub(crate) fn new(number: u32, sends: Direction, generation: Generation) -> Self {
        Self { number, sends, generation, sessions: Vec::new(), stored_at: 0 }
    }

    /// Takes a session up; the one before the last is forgotten, with its keys.
    pub(crate) fn begin(&mut self, session: Session) {
        self.sessions.insert(0, session);
        self.sessions.truncate(2);
    }

    pub(crate) fn current(&self) -> Option<&Session> {
        self.sessions.first()
    }

    pub(crate) fn knows(&self, kid: &Kid) -> bool {
        self.sessions.iter().any(|session| session.kid == *kid)
    }

    /// Seals in the session `kid` if it is there, or else the current one. `None` when there is none that may send.
    pub(crate) fn seal(
        &mut self,
        pair: &Pair,
        now: Moment,
        kid: Option<&Kid>,
        about: (TransactionId, Moment),
        plaintext: &[u8],
    ) -> Option<Sealed> {
        let named = kid.and_then(|kid| self.sessions.iter().position(|session| session.kid == *kid)).unwrap_or(0);
        let (lane, sends) = (self.number, self.sends);
        let session = self.sessions.get_mut(named).filter(|session| !session.has_lived(now, GRACE))?;
        let (id, time) = about;
        let header = |kid, n| Header { kid, lane, n, id, time };
        let (frame, reserved) = session.seal(pair, sends, header, plaintext)?;
        Some(Sealed { frame, must_store: reserved })
    }

    pub(crate) fn open(
        &mut self,
        pair: &Pair,
        now: Moment,
        header: &Header,
        sealed: &[u8],
        frame: &[u8],
    ) -> Result<Received<Zeroizing<Vec<u8>>>, Ignored> {
        let sends = self.sends;
        let session = self.sessions.iter_mut().find(|session| session.kid == header.kid);
        session.ok_or(Ignored::UnknownSession)?.open(pair, sends, now, header, sealed, frame)
    }

    /// Whether so much was heard since the lane was stored that a start could no longer catch up.
    pub(crate) fn is_behind(&self) -> bool {
        self.current().is_some_and(|session| session.heard() >= self.stored_at + BLOCK)
    }

    /// The octets to keep, sealed: `version 1 | generation 16 | lane 4 | sessions 1 | sessions, the newest first`.
    pub(crate) fn store(&mut self) -> (u32, Zeroizing<Vec<u8>>) {
        let mut out = Zeroizing::new(Vec::with_capacity(9 * 1024));
        out.push(STORED_VERSION);
        out.extend_from_slice(&self.generation.0);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.push(self.sessions.len() as u8);
        self.sessions.iter().for_each(|session| session.write(&mut out));
        self.stored_at = self.current().map_or(0, Session::heard);
        (self.number, out)
    }

    pub(crate) fn load(octets: &[u8], sends: Direction, generation: Generation) -> Result<Self, NotContinued> {
        let mut reader = Reader(octets);
        reader.version(STORED_VERSION)?;
        if reader.array()? != generation.0 {
            return Err(NotContinued::OtherGeneration);
        }
        let number = reader.short()?;
        let mut lane = Self::new(number, sends, generation);
        match reader.octet()? {
            many @ 0..=2 if number < MOST_LANES => {
                for _ in 0..many {
                    lane.sessions.push(Session::read(&mut reader, sends, number)?);
                }
            }
            _ => return Err(NotContinued::Damaged(Undecodable::TooLong)),
        }
        reader.end()?;
        lane.stored_at = lane.current().map_or(0, Session::heard);
        Ok(lane)
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

/// A message that is sealed and has not left.
pub(crate) struct Sealed {
    pub(crate) frame: Vec<u8>,
    /// The lane must be stored first: it would give the same key again after a start.
    pub(crate) must_store: bool,
}
