//! The operator's end: what was sent and not answered is unknown, and stays so until the bank says otherwise.

use crate::{
    authentication::Authentication,
    chain::{Direction, Received},
    codec::{Reader, Undecodable},
    frame::{Frame, Header, Ignored},
    identity::{AccountToken, Generation, Moment, TransactionId},
    lane::{Lane, MOST_LANES, NotContinued},
    message::{Answer, Order, Request},
    pair::PairKeys,
    session::{Offered, Opened, Opening},
    step::{Changes, Step},
};
use rand_core::CryptoRng;
use std::collections::BTreeMap;
use thiserror::Error;
use zeroize::Zeroizing;

const STORED_VERSION: u8 = 1;

/// As many transactions may be unknown at once, and as many questions open.
pub const MOST_OPEN: usize = 65_536;

/// Why nothing was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NotSent {
    /// The lane has no session that may send: open one.
    #[error("no session may send: open one")]
    NoSession,
    /// This id was sent already: what is unknown is inquired about or sent again, never begun anew.
    #[error("already sent")]
    AlreadySent,
    /// Too many answers are outstanding.
    #[error("too many answers are outstanding")]
    TooMany,
    /// There is no such lane.
    #[error("no such lane")]
    NoSuchLane,
}

/// What the bank told.
pub enum Told {
    /// The session of this lane stands, once the step is committed.
    Opened(u32, Step),
    /// It does not stand: open again; where clocks differ, after people have looked.
    NotOpened(u32, Opened),
    /// The bank's word about a transaction. What follows from a final one belongs into the commit of the changes.
    Answered(TransactionId, Answer, Changes),
}

/// An order that was sent and has no final answer.
struct Sent {
    first: Moment,
    request: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Question {
    Balance,
    Echo,
}

/// The end. Its owner moves frames, keeps what is to be kept, and has the clock, which never goes back.
pub struct OperatorEnd {
    keys: PairKeys,
    generation: Generation,
    /// The life of the bank's memory, as far as it was told.
    bank: Generation,
    lanes: BTreeMap<u32, Lane>,
    offered: BTreeMap<u32, Offered>,
    last_opening: Moment,
    unknown: BTreeMap<TransactionId, Sent>,
    questions: BTreeMap<TransactionId, (Moment, Question)>,
}

impl OperatorEnd {
    /// An end without sessions, in this life of its memory.
    pub fn new(keys: PairKeys, generation: Generation) -> Self {
        Self {
            keys,
            generation,
            bank: Generation([0; 16]),
            lanes: BTreeMap::new(),
            offered: BTreeMap::new(),
            last_opening: Moment(0),
            unknown: BTreeMap::new(),
            questions: BTreeMap::new(),
        }
    }

    /// Takes up a lane as it was stored.
    ///
    /// # Errors
    /// When it must not be continued; the lane then needs a new session.
    pub fn continue_lane(&mut self, stored: &[u8]) -> Result<(), NotContinued> {
        let lane = Lane::load(stored, Direction::ToBank, self.generation)?;
        let opened = lane.current().map_or(Moment(0), |session| session.opened);
        self.last_opening = self.last_opening.max(opened);
        self.lanes.insert(lane.number(), lane);
        Ok(())
    }

    /// Takes up an order as it was stored; a restored one is as unknown as any.
    ///
    /// # Errors
    /// When the octets are not what was stored.
    pub fn continue_order(&mut self, id: TransactionId, stored: &[u8]) -> Result<(), Undecodable> {
        let mut reader = Reader(stored);
        reader.version(STORED_VERSION)?;
        let (first, request) = (reader.moment()?, Zeroizing::new(reader.0.to_vec()));
        let Request::Order(..) = Request::decode(&request)? else { return Err(Undecodable::Malformed("order")) };
        // A later opening must not be taken for one of before it was sent.
        self.last_opening = self.last_opening.max(first);
        self.unknown.insert(id, Sent { first, request });
        Ok(())
    }

    /// Makes an opening of a lane. It may be sent again; a later opening takes its place.
    ///
    /// # Errors
    /// When there is no such lane.
    pub fn open(&mut self, now: Moment, rng: &mut dyn CryptoRng, lane: u32) -> Result<Vec<u8>, NotSent> {
        if lane >= MOST_LANES {
            return Err(NotSent::NoSuchLane);
        }
        self.last_opening = now.max(self.last_opening.plus(1));
        let opening = Opening { made: self.last_opening, lane, generation: self.bank };
        let (frame, offered) = opening.offer(&self.keys, rng);
        self.offered.insert(lane, offered);
        Ok(frame)
    }

    /// Whether a lane has no session, or one that will soon be over. A session that the bank has lost is not seen from here:
    /// open one too where answers stay out, and whenever the connection below is a new one.
    pub fn should_open(&self, now: Moment, lane: u32) -> bool {
        let current = self.lanes.get(&lane).and_then(Lane::current);
        current.is_none_or(|session| session.is_old(now))
    }

    /// Sends an order for the first time. From the commit on it is unknown.
    ///
    /// # Errors
    /// Says why nothing was sent; nothing has changed then.
    pub fn order(
        &mut self,
        now: Moment,
        lane: u32,
        id: TransactionId,
        order: Order,
        authentication: Authentication,
    ) -> Result<Step, NotSent> {
        let first = self.may_send_first(now, lane, &id)?;
        let request = Request::Order(order, authentication).encode();
        let mut stored = Zeroizing::new(vec![STORED_VERSION]);
        stored.extend_from_slice(&first.0.to_be_bytes());
        stored.extend_from_slice(&request);
        let transactions = vec![(id, Some(stored))];
        let step = self.send(now, lane, (id, first), &request, Changes { transactions, ..Changes::default() })?;
        self.unknown.insert(id, Sent { first, request });
        Ok(step)
    }

    /// Asks for a balance. Nothing depends on the answer: where it does not come, ask anew.
    ///
    /// # Errors
    /// Says why nothing was sent.
    pub fn balance(
        &mut self,
        now: Moment,
        lane: u32,
        id: TransactionId,
        account: AccountToken,
        authentication: Authentication,
    ) -> Result<Step, NotSent> {
        self.question(now, lane, id, &Request::Balance(account, authentication), Question::Balance)
    }

    /// Asks whether anybody is there.
    ///
    /// # Errors
    /// Says why nothing was sent.
    pub fn echo(&mut self, now: Moment, lane: u32, id: TransactionId) -> Result<Step, NotSent> {
        self.question(now, lane, id, &Request::Echo, Question::Echo)
    }

    /// Waits no longer for the answer to a question.
    pub fn forget_question(&mut self, id: &TransactionId) {
        self.questions.remove(id);
    }

    fn question(
        &mut self,
        now: Moment,
        lane: u32,
        id: TransactionId,
        request: &Request,
        question: Question,
    ) -> Result<Step, NotSent> {
        let first = self.may_send_first(now, lane, &id)?;
        let step = self.send(now, lane, (id, first), &request.encode(), Changes::default())?;
        self.questions.insert(id, (first, question));
        Ok(step)
    }

    /// The moment of a first sending: never before the opening of the session that carries it, so that the bank knows of
    /// what it may have lost.
    fn may_send_first(&self, now: Moment, lane: u32, id: &TransactionId) -> Result<Moment, NotSent> {
        if self.unknown.contains_key(id) || self.questions.contains_key(id) {
            return Err(NotSent::AlreadySent);
        }
        if self.unknown.len().max(self.questions.len()) >= MOST_OPEN {
            return Err(NotSent::TooMany);
        }
        let session = self.lanes.get(&lane).and_then(Lane::current).ok_or(NotSent::NoSession)?;
        Ok(now.max(session.opened))
    }

    fn send(
        &mut self,
        now: Moment,
        lane: u32,
        about: (TransactionId, Moment),
        request: &[u8],
        mut changes: Changes,
    ) -> Result<Step, NotSent> {
        let pair = self.keys.pair();
        let lane = self.lanes.get_mut(&lane).ok_or(NotSent::NoSession)?;
        if lane.current().is_none_or(|session| session.has_lived(now, 0)) {
            return Err(NotSent::NoSession);
        }
        let sealed = lane.seal(&pair, now, None, about, request).ok_or(NotSent::NoSession)?;
        changes.lane = sealed.must_store.then(|| lane.store());
        Ok(Step::new(changes, Some(sealed.frame)))
    }

    /// All orders without a final answer, with the moment when each was first sent.
    pub fn all_unknown(&self) -> impl Iterator<Item = (TransactionId, Moment)> + '_ {
        self.unknown.iter().map(|(id, sent)| (*id, sent.first))
    }

    /// An order without a final answer.
    pub fn unknown(&mut self, id: TransactionId) -> Option<Unknown<'_>> {
        self.unknown.contains_key(&id).then_some(Unknown { end: self, id })
    }

    /// Hears a frame of the bank's.
    ///
    /// # Errors
    /// Says why it means nothing.
    pub fn hear(&mut self, now: Moment, frame: &[u8]) -> Result<Told, Ignored> {
        match Frame::read(frame)? {
            Frame::Opened { kid, answer, tag } => self.opened(&kid, answer, &tag),
            Frame::Message { header, sealed } => self.answered(now, &header, sealed, frame),
            Frame::Registered { .. } | Frame::Registration { .. } | Frame::Opening { .. } => Err(Ignored::WrongWay),
        }
    }

    fn opened(&mut self, kid: &[u8; 16], answer: &[u8], tag: &[u8; 32]) -> Result<Told, Ignored> {
        let mut offered = self.offered.iter();
        let (number, offer) = offered.find(|(_, offer)| offer.session.kid == *kid).ok_or(Ignored::NotAsked)?;
        let (number, opened) = (*number, offer.answered(answer, tag)?);
        let offer = self.offered.remove(&number).ok_or(Ignored::NotAsked)?;
        match opened {
            Opened::Yes => {
                let lane = Lane::new(number, Direction::ToBank, self.generation);
                let lane = self.lanes.entry(number).or_insert(lane);
                lane.begin(offer.session);
                let changes = Changes { lane: Some(lane.store()), ..Changes::default() };
                return Ok(Told::Opened(number, Step::new(changes, None)));
            }
            // What was opened in another life of the bank's memory is heard no more; unless the opening was of before that
            // was known.
            Opened::OtherGeneration(generation) if offer.opening.generation == self.bank => {
                self.bank = generation;
                self.lanes.clear();
            }
            Opened::OtherGeneration(_) => {}
            Opened::Behind(moment) => self.last_opening = self.last_opening.max(moment),
            Opened::ClocksDiffer(_) => {}
        }
        Ok(Told::NotOpened(number, opened))
    }

    fn answered(&mut self, now: Moment, header: &Header, sealed: &[u8], frame: &[u8]) -> Result<Told, Ignored> {
        let pair = self.keys.pair();
        let lane = self.lanes.get_mut(&header.lane).ok_or(Ignored::UnknownSession)?;
        let plaintext = match lane.open(&pair, now, header, sealed, frame)? {
            Received::New(plaintext) => plaintext,
            Received::Again => return Err(Ignored::Repeat),
        };
        let answer = Answer::decode(&plaintext)?;
        let mut changes = Changes::default();
        if let Some(sent) = self.unknown.get(&header.id) {
            if sent.first != header.time || matches!(answer, Answer::Balance(_) | Answer::Echo) {
                return Err(Ignored::NotAsked);
            }
            if answer.is_final() {
                self.unknown.remove(&header.id);
                changes.transactions.push((header.id, None));
            }
        } else {
            let question = self.questions.get(&header.id).filter(|(first, _)| *first == header.time);
            match (question, &answer) {
                (Some((_, Question::Balance)), Answer::Balance(_) | Answer::Refused(_))
                | (Some((_, Question::Echo)), Answer::Echo) => self.questions.remove(&header.id),
                _ => return Err(Ignored::NotAsked),
            };
        }
        changes.lane = (lane.is_behind() || !changes.is_empty()).then(|| lane.store());
        Ok(Told::Answered(header.id, answer, changes))
    }
}

/// An order that was sent and of which nothing final is known. It can be asked about, and it can be sent again as the very
/// same order; nothing else.
pub struct Unknown<'a> {
    end: &'a mut OperatorEnd,
    id: TransactionId,
}

impl Unknown<'_> {
    /// Asks what became of it. If the bank never saw it, it never will be done.
    ///
    /// # Errors
    /// Says why nothing was sent.
    pub fn inquire(self, now: Moment, lane: u32) -> Result<Step, NotSent> {
        let request = Request::Inquiry.encode();
        self.send(now, lane, &request)
    }

    /// Sends the very same order again, under a key of its own.
    ///
    /// # Errors
    /// Says why nothing was sent.
    pub fn send_again(self, now: Moment, lane: u32) -> Result<Step, NotSent> {
        let request = self.end.unknown.get(&self.id).map(|sent| sent.request.clone()).ok_or(NotSent::NoSession)?;
        self.send(now, lane, &request)
    }

    fn send(self, now: Moment, lane: u32, request: &[u8]) -> Result<Step, NotSent> {
        let first = self.end.unknown.get(&self.id).map(|sent| sent.first).ok_or(NotSent::NoSession)?;
        self.end.send(now, lane, (self.id, first), request, Changes::default())
    }
}
