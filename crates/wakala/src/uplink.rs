//! Uplink: what arrives from a handset becomes one typed request from one authenticated source, or a short answer that names
//! the right form. Secrets become proofs here and die here: no queue, row or log behind this module ever holds one.

mod patience;
mod translate;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use encryption::{CryptoRng, Keys, secured_packet};
use transaction_processing::ids::{Iccid, TransferId};
use transaction_processing::number::Language;
use transaction_processing::request::{Action, Kind, Link, Origin, RequestKey, Seal};
use transaction_processing::time::Time;
use transaction_processing::{Msisdn, Request};
use wire::Secret;
use wire::smpp::ShortMessage;
use wire::sms::{self, Command, DefaultAlphabet, Keyword, Malformed, Whole, Why};

use crate::numbering::Numbering;
pub use patience::{Patience, Rations};
pub use translate::{draw, private};

/// What the uplink must know of numbers before a decision: whose card opens a message, and in which language to answer one
/// that never becomes a request. It may lag behind the books by a commit; the decision judges again.
pub trait Directory: Send + Sync {
    /// The card of a number.
    fn card(&self, msisdn: Msisdn) -> Option<Iccid>;
    /// The language of a number's owner.
    fn language(&self, msisdn: Msisdn) -> Language;
    /// The payee of a transfer, to draw a new password for; may wait for the books.
    fn payee(&self, transfer: TransferId) -> Option<Msisdn>;
}

/// A message as the gateway hands it over: whole, over a named link.
pub struct Arrival {
    /// Over which link.
    pub link: Link,
    /// What the operator's data_coding 0 means.
    pub alphabet: DefaultAlphabet,
    /// The message.
    pub message: Arrived,
}

/// One part, or several joined.
pub enum Arrived {
    /// As it came.
    Single(ShortMessage),
    /// Joined from parts.
    Joined(Box<Whole>),
    /// Of more parts than are joined; only its sender matters.
    TooLong(ShortMessage),
}

/// What became of it.
pub enum Read {
    /// A request to be decided.
    Request(Box<Request>),
    /// No request: answer with what is wrong.
    Answer(Box<Advice>),
    /// Nothing to answer: it is acknowledged and counted.
    Ignored(Ignored),
}

/// How to answer a message that is no request.
#[derive(Clone, Copy)]
pub struct Advice {
    /// Whom.
    pub to: Msisdn,
    /// In which language.
    pub language: Language,
    /// Sealed for this card, if the message was sealed by it.
    pub card: Option<Iccid>,
    /// What is wrong with it.
    pub malformed: Malformed,
}

/// Why a message is not answered. None of these is told to the sender: a failed check is never answered with anything
/// protected, and what comes from no number has nobody to answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ignored {
    /// The source is no number (letters, a short code).
    Source,
    /// Binary, and no secured packet.
    Binary,
    /// Sealed, but the number has no card.
    NoCard,
    /// A secured packet that was refused, with the internal status to be counted.
    Packet(Option<u8>),
    /// Malformed so often that this sender gets no more answers in this hour.
    Impatient,
}

/// The uplink. It keeps nothing but what it has told whom in this hour, for all links together.
pub struct Uplink {
    keys: Arc<dyn Keys>,
    directory: Arc<dyn Directory>,
    numbering: Numbering,
    short_code: String,
    patience: Mutex<Patience>,
}

impl Uplink {
    /// An uplink that answers to one short code.
    pub fn new(
        keys: Arc<dyn Keys>,
        directory: Arc<dyn Directory>,
        numbering: Numbering,
        short_code: String,
        rations: Rations,
    ) -> Uplink {
        Uplink { keys, directory, numbering, short_code, patience: Mutex::new(Patience::new(rations)) }
    }

    /// Reads an arrival, and counts what is rationed. Draws the codes that its request may need from `rng`.
    pub fn read(&self, arrival: Arrival, now: impl Fn() -> Time, rng: &mut dyn CryptoRng) -> Read {
        match self.read_words(arrival, rng) {
            Read::Answer(advice) if !self.patience().answers(advice.to, now()) => Read::Ignored(Ignored::Impatient),
            Read::Request(mut request) => {
                self.ration(&mut request, now);
                Read::Request(request)
            }
            read => read,
        }
    }

    fn patience(&self) -> MutexGuard<'_, Patience> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is refused for its form uses nothing up: whoever forges a sender leaves the owner of a card their ration.
    fn ration(&self, request: &mut Request, now: impl Fn() -> Time) {
        if let (Action::Check(fields), Origin::Handset { from, seal, .. }) = (&mut request.action, request.origin)
            && (seal != Seal::Plain || self.directory.card(from).is_none())
        {
            fields.too_often = !self.patience().tells(from, fields.transfer, now());
        }
    }

    fn read_words(&self, arrival: Arrival, rng: &mut dyn CryptoRng) -> Read {
        let Arrival { link, alphabet, message } = arrival;
        let first = match &message {
            Arrived::Single(message) | Arrived::TooLong(message) => message,
            Arrived::Joined(whole) => whole.first(),
        };
        let Some(from) =
            first.source.digits.as_str().and_then(|digits| self.numbering.source(first.source.ton, digits))
        else {
            return Read::Ignored(Ignored::Source);
        };
        match message {
            Arrived::TooLong(_) => self.advice(from, None, Malformed { keyword: None, why: Why::TooLong }),
            Arrived::Joined(whole) => match whole.text(alphabet) {
                Ok(text) => self.plain(from, link, &text, rng),
                Err(_) => self.packet(from, link, &whole.into_message().body, rng),
            },
            Arrived::Single(message) if secured_packet::is_command(&message.body) => {
                self.packet(from, link, &message.body, rng)
            }
            Arrived::Single(message) => match sms::read(&message, alphabet) {
                Ok(text) => self.plain(from, link, &text, rng),
                Err(_) => Read::Ignored(Ignored::Binary),
            },
        }
    }

    fn plain(&self, from: Msisdn, link: Link, text: &Secret, rng: &mut dyn CryptoRng) -> Read {
        let trimmed = text.expose().trim();
        let key = self.keys.plain_fingerprint(&international(from), &self.short_code, trimmed);
        let origin = Origin::Handset { from, seal: Seal::Plain, link };
        self.request(from, None, RequestKey(key.0), origin, trimmed, rng)
    }

    fn packet(&self, from: Msisdn, link: Link, body: &[u8], rng: &mut dyn CryptoRng) -> Read {
        let Some(packet) = body.strip_prefix(&secured_packet::COMMAND_HEADER) else {
            return Read::Ignored(Ignored::Binary);
        };
        let Some(card) = self.directory.card(from) else { return Read::Ignored(Ignored::NoCard) };
        let serial = card.digits().to_string();
        let opened = match secured_packet::open(&self.keys.uplink_keys(&serial), packet) {
            Ok(opened) => opened,
            Err(refusal) => return Read::Ignored(Ignored::Packet(refusal.internal_status())),
        };
        let Ok(text) = std::str::from_utf8(&opened.plaintext) else { return Read::Ignored(Ignored::Packet(None)) };
        let key = self.keys.sealed_fingerprint(&serial, opened.counter, &opened.check);
        let seal = Seal::Sealed { counter: opened.counter.get(), check: opened.check };
        let origin = Origin::Handset { from, seal, link };
        self.request(from, Some(card), RequestKey(key.0), origin, text, rng)
    }

    fn request(
        &self,
        from: Msisdn,
        card: Option<Iccid>,
        key: RequestKey,
        origin: Origin,
        text: &str,
        rng: &mut dyn CryptoRng,
    ) -> Read {
        match sms::parse(text) {
            Err(malformed) => self.advice(from, card, malformed),
            Ok(parsed) => match self.action(from, parsed.command, rng) {
                Ok(action) => Read::Request(Box::new(Request { key: Some(key), origin, action })),
                Err(malformed) => self.advice(from, card, malformed),
            },
        }
    }

    fn advice(&self, to: Msisdn, card: Option<Iccid>, malformed: Malformed) -> Read {
        let language = self.directory.language(to);
        Read::Answer(Box::new(Advice { to, language, card, malformed }))
    }
}

/// A number as keys and people write it: plus and E.164 digits.
pub fn international(msisdn: Msisdn) -> String {
    format!("+{}", msisdn.digits())
}

/// The form that a kind of request has, to name it in an answer.
pub fn keyword(kind: Kind) -> Option<Keyword> {
    Some(match kind {
        Kind::Transfer => Keyword::TM,
        Kind::Query => Keyword::QT,
        Kind::Claim => Keyword::GM,
        Kind::Resend => Keyword::RS,
        Kind::Recall => Keyword::RC,
        Kind::Agree => Keyword::RA,
        Kind::Register | Kind::Confirm => Keyword::RG,
        Kind::CashIn => Keyword::CI,
        Kind::CashOut => Keyword::CO,
        Kind::Balance => Keyword::BL,
        Kind::Statement => Keyword::ST,
        Kind::ChangePin => Keyword::PN,
        Kind::Language => Keyword::LG,
        Kind::Check => Keyword::CK,
        Kind::Help => Keyword::HP,
        Kind::Expire
        | Kind::Remind
        | Kind::Propose
        | Kind::Approve
        | Kind::EnrolFirstStaff
        | Kind::AdoptTariff
        | Kind::OpenEpoch
        | Kind::ChangeStaffSecret => return None,
    })
}

/// The keyword of a command, where an advice must name it.
fn keyword_of(command: &Command) -> Keyword {
    match command {
        Command::Transfer { .. } => Keyword::TM,
        Command::Query { .. } => Keyword::QT,
        Command::Withdrawal { .. } => Keyword::GM,
        Command::PasswordWithdrawal { .. } => Keyword::GW,
        Command::Deposit { .. } => Keyword::DP,
        Command::Resend { .. } => Keyword::RS,
        Command::Recall { .. } => Keyword::RC,
        Command::AgreeToRecall { .. } => Keyword::RA,
        Command::Register { .. } | Command::ConfirmRegistration { .. } => Keyword::RG,
        Command::CashIn { .. } => Keyword::CI,
        Command::CashOut { .. } => Keyword::CO,
        Command::Balance { .. } => Keyword::BL,
        Command::Statement { .. } => Keyword::ST,
        Command::ChangePin { .. } => Keyword::PN,
        Command::SetLanguage { .. } => Keyword::LG,
        Command::CheckReceipt { .. } => Keyword::CK,
        Command::Help => Keyword::HP,
    }
}
