//! The communication gateway: the doors through which messages come and go. One file a channel; today short messages.
//!
//! Inbound: a link hands its message to the uplink, the request to the writer, and acknowledges when the answer is durable (or,
//! where nothing changed, when a centre has the answer). Outbound: the dispatch hands the outbox's messages to links and
//! brings back what became of them.
//!
//! What a [`Link`] and the [`Dispatch`] decide stands in state machines without sockets, clock or tasks. [`Shared`] is what lies
//! between them: bounded queues that nobody waits for. Tasks of tokio move them in the program ([`sms`] a link,
//! `dispatching` the dispatch); a simulation moves the same by hand.

pub mod dispatch;
mod dispatching;
pub mod link;
mod numbers;
pub mod sms;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use data_center::{Answer, MessageChange, Place, StoreError, Untold, Writer};
use encryption::CryptoRng;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use transaction_processing::ids::Sequence;
use transaction_processing::time::{Moment, Time};
use transaction_processing::{Notice, Request};
use wire::smpp::{Receipt, Status};

use crate::cluster::Edges;
use crate::cluster::edge::Road;
use crate::cluster::frames::Say;
use crate::downlink::outbox::{Outbox, Submission, Submitted, Token};
use crate::observe::metrics::{Metrics, Queue};
use crate::uplink::{Advice, Uplink};
pub use dispatch::Dispatch;
pub use link::Link;
use link::{Command, Output};
pub use numbers::Numbers;

/// Rows whose notices wait for the dispatch; beyond them they stay in the log and are read from there.
const TOLD_BOUND: usize = 16_384;

/// What links report; as many as all windows together can hold in practice, and a link waits when it is full.
const REPORT_BOUND: usize = 65_536;

/// Room in a link's queue that submissions leave for acknowledgements.
const RESERVED_COMMANDS: usize = 2_048;
/// Messages and receipts of a centre that were not acknowledged yet, at most, of one bind: fits in the reserved room.
pub const INBOUND_WINDOW: usize = 2_000;
/// Commands in a link's queue.
const COMMANDS: usize = RESERVED_COMMANDS + 4_096;

/// Notices read from the log at once when the dispatch has fallen behind.
const READ_AT_ONCE: usize = 512;

/// The clock of the platform: the time with the ledger's business day and month.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// Where a message or receipt of a centre waits for its acknowledgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The bind over which it came, or [`Reply::EDGES`].
    pub bind: u16,
    /// Which of its connections, or which connection of an edge.
    pub generation: u64,
    /// Its sequence_number, or the number of the edge's question.
    pub sequence: u32,
}

impl Reply {
    /// No bind: what came to another process and was handed to this one.
    pub const EDGES: u16 = u16::MAX;
}

/// A message that waits for a decision. Where it is dropped without an answer the centre is asked to send again.
struct Asker {
    shared: Arc<Shared>,
    reply: Option<Reply>,
}

impl Drop for Asker {
    fn drop(&mut self) {
        if let Some(reply) = self.reply.take() {
            self.shared.respond(reply, Status::TEMPORARY_APPLICATION_ERROR);
        }
    }
}

/// What the committing thread and the uplink tell the dispatch.
pub enum Item {
    /// The notices of a row.
    Row {
        /// The row.
        sequence: Sequence,
        /// When it was told.
        at: Time,
        /// Its notices, not none.
        notices: Vec<Notice>,
    },
    /// An answer of no row.
    Answer {
        /// What is to be told.
        notice: Notice,
        /// The message that waits for it.
        reply: Reply,
    },
    /// An answer to what is no request.
    Advice {
        /// What is wrong with it.
        advice: Box<Advice>,
        /// The message that waits for it.
        reply: Reply,
    },
}

/// What a link tells the dispatch.
pub enum Report {
    /// What became of a submission.
    Submitted {
        /// Which.
        token: Token,
        /// Through which centre.
        centre: u16,
        /// What.
        outcome: Submitted,
    },
    /// A receipt.
    Receipt {
        /// Of which centre.
        centre: u16,
        /// What it says.
        receipt: Receipt,
        /// Where it waits for its acknowledgement.
        reply: Reply,
    },
}

/// Reads from the log what the dispatch has not told yet.
pub trait Recovery: Send {
    /// The last row up to which no notice needs care.
    ///
    /// # Errors
    /// [`StoreError`].
    fn settled(&mut self) -> Result<Sequence, StoreError>;

    /// See [`data_center::History::untold`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn untold(&mut self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError>;
}

impl<H: data_center::History> Recovery for H {
    fn settled(&mut self) -> Result<Sequence, StoreError> {
        data_center::History::settled(self)
    }

    fn untold(&mut self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError> {
        data_center::History::untold(self, after, most)
    }
}

/// How far commits have come, as the committing thread tells it. What wakes the dispatch stands here too.
#[derive(Default)]
pub struct Progress {
    durable: AtomicU64,
    wake: Notify,
}

impl Progress {
    /// Everything that was brought to the writer up to this place is durable.
    pub fn reach(&self, place: Place) {
        self.durable.store(place.0, Ordering::Release);
        self.wake.notify_one();
    }

    fn durable(&self) -> Place {
        Place(self.durable.load(Ordering::Acquire))
    }
}

/// The way to one bind.
struct Line {
    centre: u16,
    commands: mpsc::Sender<Command>,
    bound: AtomicBool,
}

impl Line {
    fn is_ready(&self) -> bool {
        self.bound.load(Ordering::Acquire) && self.commands.capacity() > RESERVED_COMMANDS
    }
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
    progress: Arc<Progress>,
    told: mpsc::Sender<Item>,
    missed: AtomicBool,
    reports: mpsc::Sender<Report>,
    lines: Vec<Line>,
    edges: Edges,
    decides: AtomicBool,
    ending: AtomicBool,
}

/// The other ends of the queues in [`Shared`].
pub struct Ends {
    told: mpsc::Receiver<Item>,
    reports: mpsc::Receiver<Report>,
    /// Of each bind.
    commands: Vec<mpsc::Receiver<Command>>,
}

/// For an owner without tasks: what waits in the queues, one at a time, none where one is empty.
impl Ends {
    /// The next thing that a bind is asked to do.
    pub fn poll_command(&mut self, bind: u16) -> Option<Command> {
        self.commands.get_mut(usize::from(bind))?.try_recv().ok()
    }

    /// Whether a bind is asked for something.
    pub fn has_commands(&self, bind: u16) -> bool {
        self.commands.get(usize::from(bind)).is_some_and(|commands| !commands.is_empty())
    }

    /// Whether the dispatch is told something.
    pub fn has_news(&self) -> bool {
        !self.told.is_empty() || !self.reports.is_empty()
    }

    /// The next report of a link.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.reports.try_recv().ok()
    }

    /// The next thing that the dispatch is told.
    pub fn poll_item(&mut self) -> Option<Item> {
        self.told.try_recv().ok()
    }
}

impl Shared {
    /// The doors' shared part, with binds to these centres, and the other ends of its queues. `progress` is what the writer's
    /// commits reach.
    pub fn new(
        writer: Writer,
        uplink: Uplink,
        numbers: Arc<Numbers>,
        clock: Clock,
        metrics: Arc<Metrics>,
        progress: Arc<Progress>,
        centres: &[u16],
    ) -> (Arc<Shared>, Ends) {
        let (told, told_end) = mpsc::channel(TOLD_BOUND);
        let (reports, reports_end) = mpsc::channel(REPORT_BOUND);
        let line = |centre: &u16| {
            let (commands, end) = mpsc::channel(COMMANDS);
            (Line { centre: *centre, commands, bound: AtomicBool::new(false) }, end)
        };
        let (lines, commands) = centres.iter().map(line).unzip();
        let shared = Shared {
            writer,
            uplink,
            numbers,
            clock,
            metrics,
            progress,
            told,
            missed: AtomicBool::new(false),
            reports,
            lines,
            edges: Edges::default(),
            decides: AtomicBool::new(true),
            ending: AtomicBool::new(false),
        };
        (Arc::new(shared), Ends { told: told_end, reports: reports_end, commands })
    }

    /// Whether this process decides, and counts what is decided.
    pub fn set_decides(&self, decides: bool) {
        self.decides.store(decides, Ordering::Release);
    }

    /// Processes that hand to this one what came to them.
    pub fn edges(&self) -> &Edges {
        &self.edges
    }

    /// Takes reports as those of links are; a full dispatch makes the sender wait.
    pub(crate) fn reports(&self) -> &mpsc::Sender<Report> {
        &self.reports
    }

    /// The centre of each bind.
    pub fn centres(&self) -> Vec<u16> {
        self.lines.iter().map(|line| line.centre).collect()
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
            self.progress.wake.notify_one();
        }
    }

    /// Does what a link asks for. Given back is what is to wait until there is room for it: a report, by which a full dispatch
    /// slows this link and, through its window, the centre; and the end of the connection, which is the owner's.
    pub fn serve(self: &Arc<Self>, link: &mut Link, output: Output, rng: &mut dyn CryptoRng) -> Option<Output> {
        match output {
            Output::Report(_) | Output::Closed => return Some(output),
            Output::Arrived(arrival, reply) => {
                let read = self.uplink.read(arrival, || self.now(), rng);
                link.handle_read(reply, read);
            }
            Output::Request(request, reply) => self.submit(*request, reply),
            Output::Advice(advice, reply) => self.tell_once(Item::Advice { advice, reply }),
        }
        None
    }

    /// Brings a request of a centre's message to the writer. Where the queue is full, or the writer has ended, the centre keeps
    /// the message and delivers it again.
    fn submit(self: &Arc<Self>, request: Request, reply: Reply) {
        let mut asker = Asker { shared: Arc::clone(self), reply: Some(reply) };
        let (kind, arrived) = (request.action.kind(), Instant::now());
        let answered = Box::new(move |answer: Answer| {
            let Some(reply) = asker.reply.take() else { return };
            if asker.shared.decides.load(Ordering::Acquire) {
                asker.shared.metrics.decided(kind, answer.refusal);
            }
            asker.shared.metrics.answered(arrived.elapsed());
            asker.shared.answered(answer, reply);
        });
        // Given back, it is dropped, and the message answered by that.
        drop(self.writer.try_submit(request, answered));
    }

    /// The same for what came to an edge, which learns what it came to.
    pub(crate) fn submit_for_edge(self: &Arc<Self>, request: Request, reply: Reply) {
        let mut asker = Asker { shared: Arc::clone(self), reply: Some(reply) };
        let kind = request.action.kind();
        let answered = Box::new(move |mut answer: Answer| {
            let Some(reply) = asker.reply.take() else { return };
            let shared = &asker.shared;
            shared.metrics.decided(kind, answer.refusal);
            shared.tell_row(&mut answer, shared.now());
            let Answer { row, refusal, transfer, notices, .. } = answer;
            let notice = notices.into_iter().next().filter(|_| row.is_none());
            shared.edges.say(reply, Say::Answer { row, refusal, transfer, waits: notice.is_some() });
            if let Some(notice) = notice {
                shared.tell_once(Item::Answer { notice, reply });
            }
        });
        drop(self.writer.try_submit(request, answered));
    }

    /// Brings a request that no message waits for to the writer; `done` is called when it is durable and its notices are told.
    /// Whether it was taken.
    pub fn decide(self: &Arc<Self>, request: Request, done: impl FnOnce() + Send + 'static) -> bool {
        let shared = Arc::clone(self);
        let reply = Box::new(move |mut answer: Answer| {
            shared.tell_row(&mut answer, shared.now());
            done();
        });
        self.writer.try_submit(request, reply).is_ok()
    }

    /// Gives an answer back to the message that asked for it.
    fn answered(&self, mut answer: Answer, reply: Reply) {
        if answer.row.is_some() {
            self.tell_row(&mut answer, self.now());
            return self.respond(reply, Status::OK);
        }
        match answer.notices.into_iter().next() {
            None => self.respond(reply, Status::OK),
            Some(notice) => self.tell_once(Item::Answer { notice, reply }),
        }
    }

    /// Has something told that stands in no row.
    pub(crate) fn tell_once(&self, item: Item) {
        if let Err(mpsc::error::TrySendError::Full(item) | mpsc::error::TrySendError::Closed(item)) =
            self.told.try_send(item)
            && let Item::Answer { reply, .. } | Item::Advice { reply, .. } = item
        {
            self.respond(reply, Status::TEMPORARY_APPLICATION_ERROR);
        }
    }

    /// Acknowledges, or asks the centre to send again. A link that is gone takes the question with it: the centre delivers
    /// again, and the repeat is known. The queue holds more than all unanswered messages, so it is never full.
    pub(crate) fn respond(&self, reply: Reply, status: Status) {
        if reply.bind == Reply::EDGES {
            return self.edges.say(reply, Say::Done(status));
        }
        if let Some(line) = self.lines.get(usize::from(reply.bind)) {
            let _ = line.commands.try_send(Command::Respond(reply, status));
        }
    }

    /// A bind stands now, or does not.
    pub fn stands(&self, bind: u16, bound: bool) {
        let Some(line) = self.lines.get(usize::from(bind)) else { return };
        if !line.bound.swap(bound, Ordering::AcqRel) && bound {
            self.progress.wake.notify_one();
        }
    }

    /// Brings a report to the dispatch; given back where there is no room for it.
    #[expect(clippy::result_large_err, reason = "the report is given back")]
    pub fn report(&self, report: Report) -> Result<(), Report> {
        self.reports.try_send(report).map_err(mpsc::error::TrySendError::into_inner)
    }

    /// Does what the dispatch asks for, as far as there is room.
    ///
    /// # Errors
    /// [`StoreError`] where the log cannot be read. Money is safe; but the store has failed.
    pub fn dispatch(&self, dispatch: &mut Dispatch, log: &mut dyn Recovery) -> Result<(), StoreError> {
        let now = self.now();
        dispatch.handle_timeout(now);
        dispatch.handle_durable(self.progress.durable());
        if self.missed.swap(false, Ordering::AcqRel) {
            dispatch.handle_missed();
        }
        if let Some(after) = dispatch.poll_read() {
            let (untold, up_to) = log.untold(after, READ_AT_ONCE)?;
            dispatch.handle_read(now, untold, up_to);
        }
        let ready = |bind: usize| self.lines.get(bind).is_some_and(Line::is_ready);
        while let Some((bind, submission)) = dispatch.poll_submission(now, ready) {
            let (token, centre) = (submission.token, submission.centre);
            if !self.hand_over(bind, submission) {
                dispatch.handle_report(now, Report::Submitted { token, centre, outcome: Submitted::Unsent });
            }
        }
        dispatch.poll_changes(|change| {
            let state = match &change {
                MessageChange::Stands(message) => Some(message.state),
                MessageChange::SettledTo(_) => None,
            };
            let place = self.writer.try_record(change)?;
            if let Some(state) = state {
                self.metrics.message_reached(state.name());
            }
            Ok(place)
        });
        self.metrics.queue(Queue::Outbox, dispatch.lengths().0);
        self.metrics.queue(Queue::Records, dispatch.waiting_changes());
        while let Some((reply, status)) = dispatch.poll_response() {
            self.respond(reply, status);
        }
        Ok(())
    }

    /// Hands a message to a bind; whether it took it.
    fn hand_over(&self, bind: usize, submission: Submission) -> bool {
        self.lines.get(bind).is_some_and(|line| line.commands.try_send(Command::Submit(submission)).is_ok())
    }

    /// Brings the dispatch what it was told. A row that found no room was missed before any that came after it.
    pub fn tell(&self, dispatch: &mut Dispatch, items: impl Iterator<Item = Item>) {
        if self.missed.swap(false, Ordering::AcqRel) {
            dispatch.handle_missed();
        }
        let now = self.now();
        items.for_each(|item| dispatch.handle_item(now, item));
    }

    /// The time.
    pub fn now(&self) -> Time {
        (self.clock)().time
    }
}

/// The doors, open.
pub struct Doors {
    shared: Arc<Shared>,
    links: Vec<JoinHandle<()>>,
    dispatch: JoinHandle<()>,
}

/// Who tells people what the log says.
pub enum Telling {
    /// This process, from the log.
    Here(Box<dyn Recovery>),
    /// Another one, as long as it decides; then this one.
    Elsewhere(Road, oneshot::Receiver<Box<dyn Recovery>>),
}

/// Starts the binds to the configured centres, of which [`sms::binds`] has told [`Shared::new`], and the dispatch between them
/// and the outbox.
pub fn start(shared: Arc<Shared>, ends: Ends, centres: &[sms::CentreLinks], outbox: Outbox, telling: Telling) -> Doors {
    let Ends { told, reports, commands } = ends;
    let start = |(bind, commands): (usize, mpsc::Receiver<Command>)| {
        let number = shared.lines[bind].centre;
        sms::start(Arc::clone(&shared), bind as u16, (number, &centres[usize::from(number)]), commands)
    };
    let links = commands.into_iter().enumerate().map(start).collect();
    let dispatch = tokio::spawn(dispatching::run(Arc::clone(&shared), told, reports, outbox, telling));
    Doors { shared, links, dispatch }
}

impl Doors {
    /// What the doors share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Closes the doors in order: nothing new is taken, what is under way ends, binds are unbound; all within `deadline`.
    pub async fn close(self, deadline: Duration) {
        let Doors { shared, links, dispatch } = self;
        let ended = async {
            for command in [|| Command::Drain, || Command::Close] {
                for line in &shared.lines {
                    let _ = line.commands.send(command()).await;
                }
            }
            for link in links {
                let _ = link.await;
            }
            shared.ending.store(true, Ordering::Release);
            shared.progress.wake.notify_one();
            let _ = dispatch.await;
        };
        if tokio::time::timeout(deadline, ended).await.is_err() {
            tracing::warn!("the doors did not close in time; what was under way comes again");
        }
    }
}
