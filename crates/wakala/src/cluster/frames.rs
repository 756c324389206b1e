//! What edges and the one that decides say to each other: frames over a stream that is encrypted and authenticated already.
//!
//! A frame is its length (four octets, most significant first, at most [`LONGEST`]), the number of its kind and its fields:
//! figures of fixed width, most significant octet first, and octets behind their length. The first frame of either side, the
//! handshake, has this form in every version for ever; what comes after it is of the version agreed upon. Numbers of kinds are
//! never used again.

use data_center::{put_request, take_request};
use transaction_processing::ids::{Iccid, Sequence, TransferId};
use transaction_processing::number::Language;
use transaction_processing::{Msisdn, Refusal, Request};
use wire::smpp::{Address, MessageState, Receipt, Status};
use wire::sms::{Field, Keyword, Malformed, Why};

use crate::uplink::Advice;

/// The versions that this program speaks, the oldest and the newest.
pub const VERSIONS: (u16, u16) = (1, 1);

/// The longest frame, octets behind its length. A request takes a few hundred; the longest tariff fits ten times.
pub const LONGEST: usize = 64 * 1024;

/// Octets that are no frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("what came is no frame of this version")]
pub struct Unreadable;

/// What an edge says first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// The versions that it speaks, the oldest and the newest.
    pub versions: (u16, u16),
    /// The term in which it believes the other side to decide.
    pub term: i64,
    /// Where it is reached itself, as people know it.
    pub name: String,
    /// Which program it is: version, commit and schema.
    pub program: String,
}

/// What the other side says to that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Greeting {
    /// Go on in this version.
    Welcome(u16),
    /// No, and the connection is closed.
    No(String),
}

/// What an edge asks for. Each has a number, which the answer repeats.
pub enum Ask {
    /// A decision.
    Request(Box<Request>),
    /// An answer to a message that is no request.
    Advice(Advice),
    /// A receipt of a centre, to be acknowledged once what it changes is durable.
    Receipt {
        /// Of which centre.
        centre: u16,
        /// What it says.
        receipt: Receipt,
    },
}

/// What the one that decides says to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Say {
    /// What a request came to, durably. Where it `waits` a text is on its way to the one who asked, and [`Say::Done`] follows
    /// once a centre has it.
    Answer {
        /// The row that it became.
        row: Option<Sequence>,
        /// Why not.
        refusal: Option<Refusal>,
        /// The transfer that it made or is about.
        transfer: Option<TransferId>,
        /// Whether there is more to come.
        waits: bool,
    },
    /// How the message is to be answered.
    Done(Status),
}

/// How a program that speaks these versions is answered: in the newest that both speak.
///
/// # Errors
/// Why they have none in common.
pub fn agree(theirs: (u16, u16)) -> Result<u16, String> {
    let (ours, newest) = (VERSIONS, VERSIONS.1.min(theirs.1));
    if newest >= ours.0 && newest >= theirs.0 {
        return Ok(newest);
    }
    let age = if theirs.1 < ours.0 { "old" } else { "new" };
    Err(format!(
        "it speaks versions {} to {} of the link and is too {age}: here {} to {} are spoken",
        theirs.0, theirs.1, ours.0, ours.1
    ))
}

const HELLO: u8 = 0;
const WELCOME: u8 = 1;
const NO: u8 = 2;
const REQUEST: u8 = 3;
const ADVICE: u8 = 4;
const RECEIPT: u8 = 5;
const ANSWER: u8 = 6;
const DONE: u8 = 7;

/// The texts that a handshake may hold, octets: a name or a reason.
const LONGEST_TEXT: usize = 500;

/// Whole frames out of what has come so far. Given are the octets of each behind its length.
#[derive(Default)]
pub struct Frames {
    octets: Vec<u8>,
    taken: usize,
}

impl Frames {
    /// These octets came.
    pub fn push(&mut self, octets: &[u8]) {
        self.octets.drain(..std::mem::take(&mut self.taken));
        self.octets.extend_from_slice(octets);
    }

    /// The next frame; none as long as it is not whole.
    ///
    /// # Errors
    /// [`Unreadable`] where it would be longer than it may.
    pub fn take_whole(&mut self) -> Result<Option<&[u8]>, Unreadable> {
        let rest = self.octets.get(self.taken..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > LONGEST {
            return Err(Unreadable);
        }
        if rest.len() < length {
            return Ok(None);
        }
        let start = self.taken + size_of::<u32>();
        self.taken = start + length;
        Ok(self.octets.get(start..self.taken))
    }
}

/// Writes one frame behind what `out` holds.
fn frame(out: &mut Vec<u8>, kind: u8, fields: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.push(kind);
    fields(out);
    let length = (out.len() - start - 4) as u32;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

fn put_octets(out: &mut Vec<u8>, octets: &[u8]) {
    out.extend_from_slice(&(octets.len() as u32).to_be_bytes());
    out.extend_from_slice(octets);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_octets(out, text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or_default().as_bytes());
}

/// Where fields are read from.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (octets, rest) = self.0.split_first_chunk().ok_or(Unreadable)?;
        self.0 = rest;
        Ok(*octets)
    }

    fn octet(&mut self) -> Result<u8, Unreadable> {
        self.array().map(|[octet]| octet)
    }

    fn u16(&mut self) -> Result<u16, Unreadable> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Unreadable> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, Unreadable> {
        self.array().map(u64::from_be_bytes)
    }

    fn octets(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = self.u32()? as usize;
        let (octets, rest) = self.0.split_at_checked(length).ok_or(Unreadable)?;
        self.0 = rest;
        Ok(octets)
    }

    fn text(&mut self) -> Result<String, Unreadable> {
        let octets = self.octets()?;
        if octets.len() > LONGEST_TEXT {
            return Err(Unreadable);
        }
        String::from_utf8(octets.to_vec()).map_err(|_| Unreadable)
    }

    fn flag(&mut self) -> Result<bool, Unreadable> {
        match self.octet()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unreadable),
        }
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Result<T, Unreadable> {
        all.get(usize::from(self.octet()?)).copied().ok_or(Unreadable)
    }

    fn address(&mut self) -> Result<Address, Unreadable> {
        let (ton, npi) = (self.octet()?, self.octet()?);
        let digits = std::str::from_utf8(self.octets()?).map_err(|_| Unreadable)?;
        Address::new(ton, npi, digits).map_err(|_| Unreadable)
    }

    fn end(&self) -> Result<(), Unreadable> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable) }
    }
}

impl Hello {
    /// Writes it.
    pub fn put(&self, out: &mut Vec<u8>) {
        frame(out, HELLO, |out| {
            out.extend_from_slice(&self.versions.0.to_be_bytes());
            out.extend_from_slice(&self.versions.1.to_be_bytes());
            out.extend_from_slice(&self.term.to_be_bytes());
            put_text(out, &self.name);
            put_text(out, &self.program);
        });
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn take(frame: &[u8]) -> Result<Hello, Unreadable> {
        let mut input = Input(frame);
        if input.octet()? != HELLO {
            return Err(Unreadable);
        }
        let versions = (input.u16()?, input.u16()?);
        let term = input.array().map(i64::from_be_bytes)?;
        // What a later version adds stands behind this.
        Ok(Hello { versions, term, name: input.text()?, program: input.text()? })
    }
}

impl Greeting {
    /// Writes it.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Greeting::Welcome(version) => frame(out, WELCOME, |out| out.extend_from_slice(&version.to_be_bytes())),
            Greeting::No(why) => frame(out, NO, |out| put_text(out, why)),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn take(frame: &[u8]) -> Result<Greeting, Unreadable> {
        let mut input = Input(frame);
        match input.octet()? {
            WELCOME => Ok(Greeting::Welcome(input.u16()?)),
            NO => Ok(Greeting::No(input.text()?)),
            _ => Err(Unreadable),
        }
    }
}

/// The languages, in an order that stays.
const LANGUAGES: &[Language] = &[Language::English, Language::French, Language::Swahili, Language::Chinese];

fn place<T: PartialEq>(all: &[T], value: &T) -> u8 {
    // Every list is shorter than this; a value that were in none would be refused by the other side.
    all.iter().position(|one| one == value).map_or(u8::MAX, |place| place as u8)
}

/// Writes the question for a decision, with its number.
pub fn put_request_frame(out: &mut Vec<u8>, number: u32, request: &Request) {
    frame(out, REQUEST, |out| {
        out.extend_from_slice(&number.to_be_bytes());
        put_octets(out, &put_request(request));
    });
}

/// Writes the question to tell an advice.
pub fn put_advice_frame(out: &mut Vec<u8>, number: u32, advice: &Advice) {
    frame(out, ADVICE, |out| {
        out.extend_from_slice(&number.to_be_bytes());
        put_advice(out, advice);
    });
}

/// Writes the question to take a receipt.
pub fn put_receipt_frame(out: &mut Vec<u8>, number: u32, centre: u16, receipt: &Receipt) {
    frame(out, RECEIPT, |out| {
        out.extend_from_slice(&number.to_be_bytes());
        out.extend_from_slice(&centre.to_be_bytes());
        put_receipt(out, receipt);
    });
}

/// Reads a question.
///
/// # Errors
/// [`Unreadable`].
pub fn take_ask(frame: &[u8]) -> Result<(u32, Ask), Unreadable> {
    let mut input = Input(frame);
    let (kind, number) = (input.octet()?, input.u32()?);
    let ask = match kind {
        REQUEST => Ask::Request(Box::new(take_request(input.octets()?).map_err(|_| Unreadable)?)),
        ADVICE => Ask::Advice(take_advice(&mut input)?),
        RECEIPT => Ask::Receipt { centre: input.u16()?, receipt: take_receipt(&mut input)? },
        _ => return Err(Unreadable),
    };
    input.end()?;
    Ok((number, ask))
}

fn put_advice(out: &mut Vec<u8>, advice: &Advice) {
    let Advice { to, language, card, malformed: Malformed { keyword, why } } = advice;
    out.extend_from_slice(&to.digits().to_be_bytes());
    out.push(place(LANGUAGES, language));
    out.push(u8::from(card.is_some()));
    if let Some(card) = card {
        out.extend_from_slice(&card.digits().to_be_bytes());
    }
    out.push(u8::from(keyword.is_some()));
    if let Some(keyword) = keyword {
        out.push(place(Keyword::ALL, keyword));
    }
    match why {
        Why::Empty => out.push(0),
        Why::TooLong => out.push(1),
        Why::UnknownKeyword => out.push(2),
        Why::FieldCount { found } => {
            out.push(3);
            out.extend_from_slice(&u32::try_from(*found).unwrap_or(u32::MAX).to_be_bytes());
        }
        Why::Field(field) => out.extend([4, place(Field::ALL, field)]),
    }
}

fn take_advice(input: &mut Input<'_>) -> Result<Advice, Unreadable> {
    let to = Msisdn::new(input.u64()?).ok_or(Unreadable)?;
    let language = input.one_of(LANGUAGES)?;
    let card = match input.flag()? {
        true => Some(Iccid::new(input.array().map(u128::from_be_bytes)?).ok_or(Unreadable)?),
        false => None,
    };
    let keyword = if input.flag()? { Some(input.one_of(Keyword::ALL)?) } else { None };
    let why = match input.octet()? {
        0 => Why::Empty,
        1 => Why::TooLong,
        2 => Why::UnknownKeyword,
        3 => Why::FieldCount { found: input.u32()? as usize },
        4 => Why::Field(input.one_of(Field::ALL)?),
        _ => return Err(Unreadable),
    };
    Ok(Advice { to, language, card, malformed: Malformed { keyword, why } })
}

fn put_receipt(out: &mut Vec<u8>, receipt: &Receipt) {
    let Receipt { message_id, state, error, source, destination } = receipt;
    put_octets(out, message_id.as_bytes());
    out.push(state.octet());
    out.push(u8::from(error.is_some()));
    if let Some(error) = error {
        put_octets(out, error.as_bytes());
    }
    for address in [source, destination] {
        out.extend([address.ton, address.npi]);
        put_octets(out, address.digits.as_bytes());
    }
}

fn take_receipt(input: &mut Input<'_>) -> Result<Receipt, Unreadable> {
    let message_id = wire::smpp::MessageId::new(input.octets()?).map_err(|_| Unreadable)?;
    let state = MessageState::from_octet(input.octet()?).ok_or(Unreadable)?;
    let error = match input.flag()? {
        true => Some(wire::smpp::Text::new(input.octets()?).map_err(|_| Unreadable)?),
        false => None,
    };
    Ok(Receipt { message_id, state, error, source: input.address()?, destination: input.address()? })
}

/// Writes an answer to the question of this number.
pub fn put_say(out: &mut Vec<u8>, number: u32, say: &Say) {
    match say {
        Say::Answer { row, refusal, transfer, waits } => frame(out, ANSWER, |out| {
            out.extend_from_slice(&number.to_be_bytes());
            // Nothing has the number zero.
            out.extend_from_slice(&row.map_or(0, |row| row.0).to_be_bytes());
            out.push(refusal.map_or(0, |refusal| refusal as u8));
            out.extend_from_slice(&transfer.map_or(0, |transfer| transfer.0).to_be_bytes());
            out.push(u8::from(*waits));
        }),
        Say::Done(status) => frame(out, DONE, |out| {
            out.extend_from_slice(&number.to_be_bytes());
            out.extend_from_slice(&status.0.to_be_bytes());
        }),
    }
}

/// Reads what [`put_say`] wrote.
///
/// # Errors
/// [`Unreadable`].
pub fn take_say(frame: &[u8]) -> Result<(u32, Say), Unreadable> {
    let mut input = Input(frame);
    let (kind, number) = (input.octet()?, input.u32()?);
    let say = match kind {
        ANSWER => {
            let row = Some(input.u64()?).filter(|row| *row != 0).map(Sequence);
            let refusal = match input.octet()? {
                0 => None,
                number => Some(Refusal::numbered(number).ok_or(Unreadable)?),
            };
            let transfer = Some(input.u64()?).filter(|transfer| *transfer != 0).map(TransferId);
            Say::Answer { row, refusal, transfer, waits: input.flag()? }
        }
        DONE => Say::Done(Status(input.u32()?)),
        _ => return Err(Unreadable),
    };
    input.end()?;
    Ok((number, say))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(octets: &[u8]) -> Vec<u8> {
        let mut frames = Frames::default();
        frames.push(octets);
        let frame = frames.take_whole().unwrap().unwrap().to_vec();
        assert_eq!(frames.take_whole(), Ok(None));
        frame
    }

    #[test]
    fn frames_come_whole_however_the_stream_was_cut_and_never_longer_than_they_may() {
        let hello = Hello { versions: VERSIONS, term: 7, name: "127.0.0.1:9".to_owned(), program: "0.1.0".to_owned() };
        let mut octets = Vec::new();
        (0..3).for_each(|_| hello.put(&mut octets));
        for piece in 1..octets.len() {
            let (mut frames, mut found) = (Frames::default(), 0);
            for part in octets.chunks(piece) {
                frames.push(part);
                while let Some(frame) = frames.take_whole().unwrap() {
                    assert_eq!(Hello::take(frame).unwrap(), hello);
                    found += 1;
                }
            }
            assert_eq!(found, 3);
        }
        let mut frames = Frames::default();
        frames.push(&(LONGEST as u32 + 1).to_be_bytes());
        assert_eq!(frames.take_whole(), Err(Unreadable));
    }

    #[test]
    fn a_handshake_agrees_on_the_newest_version_of_both_or_says_who_is_too_old() {
        assert_eq!(agree((1, 1)), Ok(1));
        assert_eq!(agree((1, 9)), Ok(1));
        assert!(agree((0, 0)).unwrap_err().contains("too old"));
        assert!(agree((2, 9)).unwrap_err().contains("too new"));
        for greeting in [Greeting::Welcome(1), Greeting::No("too old".to_owned())] {
            let mut octets = Vec::new();
            greeting.put(&mut octets);
            assert_eq!(Greeting::take(&one(&octets)).unwrap(), greeting);
        }
    }

    fn advice(why: Why, keyword: Option<Keyword>) -> Advice {
        let (to, card) = (Msisdn::new(255_712_000_001).unwrap(), Iccid::new(89_255_010_000_000_000_017));
        Advice { to, language: Language::Swahili, card, malformed: Malformed { keyword, why } }
    }

    #[test]
    fn advice_and_receipts_come_back_as_they_went() {
        let whys = [Why::Empty, Why::TooLong, Why::UnknownKeyword, Why::FieldCount { found: 9 }].into_iter();
        let whys = whys.chain(Field::ALL.iter().copied().map(Why::Field));
        let keywords = Keyword::ALL.iter().copied().map(Some).chain([None]).cycle();
        for (number, (why, keyword)) in (0..).zip(whys.zip(keywords)) {
            let asked = advice(why, keyword);
            let mut octets = Vec::new();
            put_advice_frame(&mut octets, number, &asked);
            let (back_number, Ask::Advice(back)) = take_ask(&one(&octets)).unwrap() else { panic!("advice") };
            assert_eq!((back_number, back.malformed), (number, asked.malformed));
            assert_eq!((back.to, back.language, back.card), (asked.to, asked.language, asked.card));
        }
        let address = |digits| Address::new(1, 1, digits).unwrap();
        let receipt = Receipt {
            message_id: wire::smpp::MessageId::new(b"7f00a").unwrap(),
            state: MessageState::Delivered,
            error: Some(wire::smpp::Text::new(b"000").unwrap()),
            source: address("255712000001"),
            destination: address("15050"),
        };
        let mut octets = Vec::new();
        put_receipt_frame(&mut octets, 3, 2, &receipt);
        let frame = one(&octets);
        assert!(matches!(take_ask(&frame).unwrap(), (3, Ask::Receipt { centre: 2, receipt: back }) if back == receipt));
        assert!((0..frame.len()).all(|length| take_ask(&frame[..length]).is_err()), "a part is no frame");
    }

    #[test]
    fn answers_come_back_as_they_went() {
        let (row, transfer) = (Some(Sequence(7)), Some(TransferId(7)));
        let says = [
            Say::Answer { row, refusal: None, transfer, waits: false },
            Say::Answer { row: None, refusal: Some(Refusal::ALL[0]), transfer: None, waits: true },
            Say::Done(Status::TEMPORARY_APPLICATION_ERROR),
        ];
        for say in says {
            let mut octets = Vec::new();
            put_say(&mut octets, 9, &say);
            let frame = one(&octets);
            assert_eq!(take_say(&frame), Ok((9, say)));
            assert!((0..frame.len()).all(|length| take_say(&frame[..length]).is_err()));
        }
    }
}
