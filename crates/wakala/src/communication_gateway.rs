//! The communication gateway: the doors through which messages come and go. One file a channel; today short messages.
//!
//! Inbound: a link hands its message to the uplink, the request to the writer, and acknowledges when the answer is durable (or,
//! where nothing changed, when a centre has the answer). Outbound: the dispatch hands the outbox's messages to links and
//! brings back what became of them.

mod dispatch;
pub mod sms;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Instant;

use data_center::{Answer, Writer};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use transaction_processing::ids::{Iccid, Sequence, TransferId};
use transaction_processing::number::{Language, Number};
use transaction_processing::request::Kind;
use transaction_processing::time::{Moment, Time};
use transaction_processing::{Msisdn, Notice};
use wire::smpp::{Receipt, Status};

use crate::downlink::outbox::{Asked, Outbox, Submission, Submitted, Token};
use crate::observe::metrics::Metrics;
use crate::uplink::{Advice, Directory, Uplink};
pub use dispatch::Recovery;

/// Rows whose notices wait for the dispatch; beyond them they stay in the log and are read from there.
const TOLD_BOUND: usize = 16_384;

/// What links report; as many as all windows together can hold in practice, and a link waits when it is full.
const REPORT_BOUND: usize = 65_536;

/// The clock of the platform: the time with the ledger's business day and month.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// Where an inbound message waits for its acknowledgement.
#[derive(Clone)]
pub(crate) struct ReplyTo {
    link: mpsc::Sender<sms::Command>,
    generation: u64,
    sequence: u32,
}

impl ReplyTo {
    /// Acknowledges, or asks the centre to send again. A link that is gone takes the question with it: the centre delivers
    /// again, and the repeat is known. The channel holds more than all unanswered messages, so it is never full.
    fn respond(&self, status: Status) {
        let command = sms::Command::Respond { generation: self.generation, sequence: self.sequence, status };
        let _ = self.link.try_send(command);
    }
}

/// What the committing thread and the uplink tell the dispatch.
pub(crate) enum Item {
    /// The notices of a row.
    Row { sequence: Sequence, at: Time, notices: Vec<Notice> },
    /// An answer of no row.
    Answer { notice: Notice, reply: ReplyTo },
    /// An answer to what is no request.
    Advice { advice: Advice, reply: ReplyTo },
}

/// What a link tells the dispatch.
pub(crate) enum Report {
    /// What became of a submission.
    Submitted { token: Token, centre: u16, outcome: Submitted },
    /// A receipt.
    Receipt { centre: u16, receipt: Receipt },
}

/// What every door shares.
pub struct Shared {
    /// The writer.
    pub writer: Writer,
    /// The uplink.
    pub uplink: Uplink,
    /// Languages and cards of numbers.
    pub numbers: Arc<Numbers>,
    /// The clock.
    pub clock: Clock,
    /// Figures.
    pub metrics: Arc<Metrics>,
    told: mpsc::Sender<Item>,
    missed: AtomicBool,
    wake: Notify,
    reports: mpsc::Sender<Report>,
    draining: AtomicBool,
    ending: AtomicBool,
    asked: AtomicU64,
}

/// What the dispatch listens to.
pub struct Listening {
    told: mpsc::Receiver<Item>,
    reports: mpsc::Receiver<Report>,
}

impl Shared {
    /// The doors' shared part, and the ends that the dispatch listens to.
    pub fn new(
        writer: Writer,
        uplink: Uplink,
        numbers: Arc<Numbers>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> (Arc<Shared>, Listening) {
        let (told, told_end) = mpsc::channel(TOLD_BOUND);
        let (reports, reports_end) = mpsc::channel(REPORT_BOUND);
        let shared = Shared {
            writer,
            uplink,
            numbers,
            clock,
            metrics,
            told,
            missed: AtomicBool::new(false),
            wake: Notify::new(),
            reports,
            draining: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            asked: AtomicU64::new(0),
        };
        (Arc::new(shared), Listening { told: told_end, reports: reports_end })
    }

    /// Tells the dispatch of the notices of a committed row. Runs on the committing thread: never waits. What finds no room
    /// stays in the log, and the dispatch reads it from there.
    pub fn tell_row(&self, answer: &mut Answer, at: Time) {
        let Some(sequence) = answer.row else { return };
        for number in answer.numbers.drain(..) {
            self.numbers.learn(&number);
        }
        let notices = std::mem::take(&mut answer.notices);
        if notices.is_empty() {
            return;
        }
        if self.told.try_send(Item::Row { sequence, at, notices }).is_err() {
            self.missed.store(true, Ordering::Release);
            self.wake.notify_one();
        }
    }

    /// No new message is taken any more; what is under way ends.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    fn next_asked(&self) -> Asked {
        Asked(self.asked.fetch_add(1, Ordering::Relaxed))
    }

    /// Gives an answer back to the message that asked for it.
    pub(crate) fn answered(&self, mut answer: Answer, kind: Kind, arrived: Instant, reply: ReplyTo) {
        self.metrics.decided(kind, answer.refusal);
        self.metrics.answered(arrived.elapsed());
        if answer.row.is_some() {
            let at = (self.clock)().time;
            self.tell_row(&mut answer, at);
            reply.respond(Status::OK);
            return;
        }
        match answer.notices.into_iter().next() {
            None => reply.respond(Status::OK),
            Some(notice) => self.tell_once(Item::Answer { notice, reply }),
        }
    }

    fn tell_once(&self, item: Item) {
        if let Err(mpsc::error::TrySendError::Full(item) | mpsc::error::TrySendError::Closed(item)) =
            self.told.try_send(item)
            && let Item::Answer { reply, .. } | Item::Advice { reply, .. } = item
        {
            reply.respond(Status::TEMPORARY_APPLICATION_ERROR);
        }
    }
}

/// A handle to one bind.
struct LinkHandle {
    centre: u16,
    commands: mpsc::Sender<sms::Command>,
    bound: Arc<AtomicBool>,
}

impl LinkHandle {
    fn is_ready(&self) -> bool {
        self.bound.load(Ordering::Acquire) && self.commands.capacity() > sms::RESERVED_COMMANDS
    }

    #[expect(clippy::result_large_err, reason = "the submission is given back")]
    fn submit(&self, submission: Submission) -> Result<(), Submission> {
        self.commands.try_send(sms::Command::Submit(submission)).map_err(|refused| match refused.into_inner() {
            sms::Command::Submit(submission) => submission,
            sms::Command::Respond { .. } | sms::Command::Close => unreachable!("what was sent comes back"),
        })
    }
}

/// The doors, open.
pub struct Doors {
    shared: Arc<Shared>,
    links: Vec<(mpsc::Sender<sms::Command>, JoinHandle<()>)>,
    dispatch: JoinHandle<()>,
}

/// Starts the binds of every configured centre and the dispatch between them and the outbox.
pub fn start(
    shared: Arc<Shared>,
    listening: Listening,
    centres: Vec<sms::CentreLinks>,
    outbox: Outbox,
    recovery: Box<dyn Recovery>,
) -> Doors {
    let (mut handles, mut links) = (Vec::new(), Vec::new());
    for (number, centre) in centres.into_iter().enumerate() {
        for _ in 0..centre.binds {
            let (handle, task) = sms::start(Arc::clone(&shared), number as u16, centre.clone());
            links.push((handle.commands.clone(), task));
            handles.push(handle);
        }
    }
    let dispatch = tokio::spawn(dispatch::run(Arc::clone(&shared), listening, handles, outbox, recovery));
    Doors { shared, links, dispatch }
}

impl Doors {
    /// What the doors share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Closes the doors in order: nothing new is taken, what is under way ends, binds are unbound; all within `deadline`.
    pub async fn close(self, deadline: std::time::Duration) {
        self.shared.drain();
        let Doors { shared, links, dispatch } = self;
        let ended = async {
            for (commands, task) in links {
                let _ = commands.send(sms::Command::Close).await;
                let _ = task.await;
            }
            shared.ending.store(true, Ordering::Release);
            shared.wake.notify_one();
            let _ = dispatch.await;
        };
        if tokio::time::timeout(deadline, ended).await.is_err() {
            tracing::warn!("the doors did not close in time; what was under way comes again");
        }
    }
}

/// What the uplink must know of a number.
#[derive(Clone, Copy)]
struct Known {
    language: Option<Language>,
    card: Option<Iccid>,
}

/// Languages and cards of numbers, as the last commits left them.
pub struct Numbers {
    language: Language,
    known: RwLock<HashMap<Msisdn, Known>>,
    payees: Box<dyn Fn(TransferId) -> Option<Msisdn> + Send + Sync>,
}

impl Numbers {
    /// Those of the books at start; `language` is for those who chose none, `payees` finds the payee of a waiting transfer.
    pub fn new(language: Language, payees: impl Fn(TransferId) -> Option<Msisdn> + Send + Sync + 'static) -> Numbers {
        Numbers { language, known: RwLock::default(), payees: Box::new(payees) }
    }

    /// Takes what a commit says of a number.
    pub fn learn(&self, number: &Number) {
        let card = number.card.as_deref().map(|card| card.iccid);
        let mut known = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if number.language.is_none() && card.is_none() {
            known.remove(&number.msisdn);
        } else {
            known.insert(number.msisdn, Known { language: number.language, card });
        }
    }

    fn get(&self, msisdn: Msisdn) -> Option<Known> {
        self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&msisdn).copied()
    }
}

impl Directory for Numbers {
    fn card(&self, msisdn: Msisdn) -> Option<Iccid> {
        self.get(msisdn)?.card
    }

    fn language(&self, msisdn: Msisdn) -> Language {
        self.get(msisdn).and_then(|known| known.language).unwrap_or(self.language)
    }

    fn payee(&self, transfer: TransferId) -> Option<Msisdn> {
        (self.payees)(transfer)
    }
}
