//! The requests, one file each. A request's `decide` makes all its checks first, in the order in which they stand there, and
//! then drafts effects that cannot fail. What comes before every request from a handset is here: is it known already, may it
//! come in this form, are too many secrets being tried.

pub mod agree;
pub mod approve;
pub mod balance;
pub mod cash_in;
pub mod cash_out;
pub mod check;
pub mod claim;
pub mod confirm;
pub mod epoch;
pub mod expire;
pub mod help;
pub mod language;
pub mod pin;
pub mod propose;
pub mod query;
pub mod recall;
pub mod register;
pub mod remind;
pub mod resend;
pub mod staff;
pub mod staff_secret;
pub mod statement;
pub mod tariff;
pub mod transfer;

mod charges;
mod parties;
mod returning;
mod secrets;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::books::{Books, Missing, Outcome};
use crate::decision::{Change, Decision, Failures, Scope};
use crate::ids::{AccountId, TransferId};
use crate::journal::{Journal, Posting};
use crate::money::Money;
use crate::msisdn::Msisdn;
use crate::notice::{Notice, SealedCode, Text};
use crate::refusal::{Refusal, Weight};
use crate::request::{Action, Kind, Origin, Request, Seal};
use crate::time::{Moment, Time};

/// Why a decision came to no effect.
pub(crate) enum Stop {
    /// A closed record is needed first.
    Missing(Missing),
    /// No, and the one who asked is told why.
    Refused(Refusal),
    /// No, and the one who asked is told more than why.
    Told(Refusal, Text),
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Stop {
        Stop::Missing(missing)
    }
}

impl From<Refusal> for Stop {
    fn from(why: Refusal) -> Stop {
        Stop::Refused(why)
    }
}

/// What a decision may look at.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) books: &'a Books,
    pub(crate) moment: Moment,
    pub(crate) origin: Origin,
}

/// What a decision is being made of.
#[derive(Default)]
pub(crate) struct Draft {
    transfer: Option<TransferId>,
    postings: Vec<Posting>,
    /// Changes that stand even where the request is refused: tries that were counted.
    counted: Vec<Change>,
    changes: Vec<Change>,
    notices: Vec<Notice>,
}

impl Draft {
    /// A try was counted, or a right secret ended the counting: stands whatever comes after.
    pub(crate) fn count(&mut self, change: Change) {
        self.counted.push(change);
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Drafts a movement; two of them between the same accounts become one, so that a row has room for every journal.
    pub(crate) fn post(&mut self, from: AccountId, to: AccountId, amount: Money) {
        let same = self.postings.iter_mut().find(|posting| posting.from == from && posting.to == to);
        match same.and_then(|posting| posting.amount.plus(amount).map(|sum| (posting, sum))) {
            Some((posting, sum)) => posting.amount = sum,
            None => self.postings.push(Posting { from, to, amount }),
        }
    }

    /// Names the transfer that the row is about.
    pub(crate) fn about(&mut self, transfer: TransferId) {
        self.transfer = Some(transfer);
    }

    /// What the drafted postings do to an account, minor units: to tell its holder the balance afterwards.
    fn effect_on(&self, account: AccountId) -> i64 {
        self.postings.iter().fold(0_i64, |sum, posting| {
            let minor = posting.amount.minor();
            let sum = if posting.from == account { sum.saturating_sub(minor) } else { sum };
            if posting.to == account { sum.saturating_add(minor) } else { sum }
        })
    }
}

impl<'a> Scene<'a> {
    /// The number that asks. Only requests from handsets ask for it; for others it refuses.
    pub(crate) fn asker(&self) -> Result<Msisdn, Refusal> {
        match self.origin {
            Origin::Handset { from, .. } => Ok(from),
            _ => Err(Refusal::NotRegistered),
        }
    }

    /// The name of a transfer that this decision makes: the number of the row that it becomes.
    pub(crate) fn new_transfer(&self) -> TransferId {
        TransferId(self.books.next().0)
    }

    pub(crate) fn now(&self) -> Time {
        self.moment.time
    }

    /// Drafts a notice to a number, in its language and sealed for its card.
    pub(crate) fn tell(&self, draft: &mut Draft, to: Msisdn, text: Text) {
        let notice = self.notice(to, text, None, None);
        draft.notices.push(notice);
    }

    /// Drafts a notice that tells a code; it is void when the code is.
    pub(crate) fn tell_code(&self, draft: &mut Draft, to: Msisdn, text: Text, code: SealedCode, void_at: Time) {
        let notice = self.notice(to, text, Some(code), Some(void_at));
        draft.notices.push(notice);
    }

    fn notice(&self, to: Msisdn, text: Text, code: Option<SealedCode>, void_at: Option<Time>) -> Notice {
        let number = self.books.number(to);
        Notice {
            to,
            language: number.and_then(|number| number.language).unwrap_or(self.books.policy().language),
            card: number.and_then(|number| number.card.as_deref()).map(|card| card.iccid),
            text,
            code,
            void_at,
        }
    }

    /// The balance of an account after the drafted postings, as its holder is told it.
    pub(crate) fn balance_after(&self, draft: &Draft, account: &crate::account::Account) -> Money {
        let minor = account.balance().saturating_add(draft.effect_on(account.id));
        Money::new(minor, account.currency).unwrap_or(Money::zero(account.currency))
    }
}

/// See [`Books::decide`].
pub(crate) fn decide(books: &Books, moment: Moment, request: &Request) -> Result<Decision, Missing> {
    let scene = Scene { books, moment, origin: request.origin };
    let kind = request.action.kind();
    if let Some(key) = request.key
        && !has_lost_its_card(&scene)
        && let Some(outcome) = books.remembered(key, moment.time)?
    {
        return Ok(repeated(&scene, kind, outcome));
    }
    let mut draft = Draft::default();
    let verdict = match admit(&scene, kind, &mut draft) {
        Ok(()) => dispatch(&scene, &request.action, &mut draft),
        Err(why) => Err(Stop::Refused(why)),
    };
    match verdict {
        Ok(()) => Ok(done(draft)),
        Err(Stop::Missing(missing)) => Err(missing),
        Err(Stop::Refused(why)) => Ok(refused(&scene, why, Text::Refused { why, asked: kind }, draft)),
        Err(Stop::Told(why, text)) => Ok(refused(&scene, why, text, draft)),
    }
}

fn dispatch(scene: &Scene<'_>, action: &Action, draft: &mut Draft) -> Result<(), Stop> {
    match action {
        Action::Transfer(fields) => transfer::decide(scene, fields, draft),
        Action::Query(fields) => query::decide(scene, fields, draft),
        Action::Claim(fields) => claim::decide(scene, fields, draft),
        Action::Resend(fields) => resend::decide(scene, fields, draft),
        Action::Recall(fields) => recall::decide(scene, fields, draft),
        Action::Agree(fields) => agree::decide(scene, fields, draft),
        Action::Register(fields) => register::decide(scene, fields, draft),
        Action::Confirm(fields) => confirm::decide(scene, fields, draft),
        Action::CashIn(fields) => cash_in::decide(scene, fields, draft),
        Action::CashOut(fields) => cash_out::decide(scene, fields, draft),
        Action::Balance(fields) => balance::decide(scene, fields, draft),
        Action::Statement(fields) => statement::decide(scene, fields, draft),
        Action::ChangePin(fields) => pin::decide(scene, fields, draft),
        Action::Language(fields) => language::decide(scene, fields, draft),
        Action::Check(fields) => check::decide(scene, fields, draft),
        Action::Help(fields) => help::decide(scene, fields, draft),
        Action::Expire(transfer) => expire::decide(scene, *transfer, draft),
        Action::Remind(transfer) => remind::decide(scene, *transfer, draft),
        Action::Propose(fields) => propose::decide(scene, fields, draft),
        Action::Approve(fields) => approve::decide(scene, fields, draft),
        Action::EnrolFirstStaff(fields) => staff::decide(scene, fields, draft),
        Action::AdoptTariff(fields) => tariff::decide(scene, fields, draft),
        Action::OpenEpoch(fields) => epoch::decide(scene, fields, draft),
        Action::ChangeStaffSecret(fields) => staff_secret::decide(scene, fields, draft),
    }
}

/// What holds for every message from a handset: a number with a card writes sealed, counters rise, and nobody tries secrets
/// faster than the spraying figures allow.
fn admit(scene: &Scene<'_>, kind: Kind, draft: &mut Draft) -> Result<(), Refusal> {
    let Origin::Handset { from, seal, .. } = scene.origin else { return Ok(()) };
    let card = scene.books.number(from).and_then(|number| number.card.as_deref());
    match (seal, card) {
        (Seal::Plain, Some(_)) => return Err(Refusal::NotSealed),
        (Seal::Plain, None) if !scene.books.policy().plain_accepted => return Err(Refusal::PlainNotServed),
        (Seal::Plain, None) => {}
        // The keys were found by this number's card, so a card that is gone by now was taken away in between.
        (Seal::Sealed { .. }, None) => return Err(Refusal::CounterTooLow),
        (Seal::Sealed { counter, check }, Some(card)) => {
            if card.counter >= BLOCKED_COUNTER {
                return Err(Refusal::CardBlocked);
            }
            // The same packet again was answered from memory; when that has lapsed it is refused like any other old one.
            if counter <= card.counter {
                return Err(Refusal::CounterTooLow);
            }
            draft.count(Change::CardUsed { msisdn: from, counter, check });
        }
    }
    if kind.carries_secret() && scopes(scene).any(|scope| is_slowed(scene, scope)) {
        return Err(Refusal::Slowed);
    }
    Ok(())
}

/// Whether a sealed message comes from a number without a card: taken away in between, so that nothing could seal an answer.
fn has_lost_its_card(scene: &Scene<'_>) -> bool {
    let Origin::Handset { from, seal: Seal::Sealed { .. }, .. } = scene.origin else { return false };
    scene.books.number(from).is_none_or(|number| number.card.is_none())
}

/// A stored counter of this value blocks the card (TS 102 225: the counter must not wrap).
const BLOCKED_COUNTER: u64 = 0xff_ffff_ffff;

/// Where a failure of this origin is counted.
fn scopes(scene: &Scene<'_>) -> impl Iterator<Item = Scope> {
    let (link, agent) = match scene.origin {
        Origin::Handset { from, link, .. } => {
            let agent = scene.books.account_of(from).and_then(crate::account::Account::agent_code);
            (Some(Scope::Link(link)), agent.map(Scope::Agent))
        }
        _ => (None, None),
    };
    let all = link.map(|_| Scope::All);
    [all, link, agent].into_iter().flatten()
}

fn is_slowed(scene: &Scene<'_>, scope: Scope) -> bool {
    let policy = scene.books.policy();
    let most = match scope {
        Scope::All => policy.spraying_in_all,
        Scope::Link(_) => policy.spraying_per_link,
        Scope::Agent(_) => policy.spraying_per_agent,
    };
    scene.books.failures(scope, scene.now()).count >= most
}

fn done(draft: Draft) -> Decision {
    let Draft { transfer, postings, mut counted, changes, notices } = draft;
    counted.extend(changes);
    Decision { refusal: None, transfer, journal: Journal::of(postings), changes: counted, notices }
}

fn refused(scene: &Scene<'_>, why: Refusal, text: Text, draft: Draft) -> Decision {
    let mut changes = draft.counted;
    if why.weight() == Weight::Counted {
        for scope in scopes(scene) {
            let failures = scene.books.failures(scope, scene.now());
            changes.push(Change::Failures(Failures { count: failures.count.saturating_add(1), ..failures }));
        }
    }
    let mut told = Draft::default();
    if let Origin::Handset { from, .. } = scene.origin {
        scene.tell(&mut told, from, text);
    }
    Decision { refusal: Some(why), transfer: draft.transfer, journal: None, changes, notices: told.notices }
}

/// The answer of the first time, told again. A plain message's answer says that it was counted once; a sealed packet that
/// came twice gets the same answer, unless that held a code, which is told once only.
fn repeated(scene: &Scene<'_>, kind: Kind, outcome: &Outcome) -> Decision {
    let mut draft = Draft::default();
    let Origin::Handset { from, seal, .. } = scene.origin else { return done(draft) };
    let told = outcome.notices.iter().find(|notice| notice.to == from);
    let text = match told {
        Some(notice) if seal != Seal::Plain && notice.code.is_none() => notice.text.clone(),
        Some(notice) => Text::Repeated { answer: Box::new(notice.text.clone()), asked: kind },
        None => Text::Repeated { answer: Box::new(Text::Help { role: crate::notice::Role::Stranger }), asked: kind },
    };
    scene.tell(&mut draft, from, text);
    done(draft)
}
