//! The one writer: decides what is brought, a batch at a time, makes each batch durable, and then answers.
//!
//! [`Writer::start`] does this on two threads, so that one batch is decided while the one before is flushed. Whoever has a
//! clock and a disk of their own, as a simulation has, takes the same parts from [`Writer::parts`] and moves them by hand.

use std::collections::VecDeque;

use transaction_processing::time::Moment;
use transaction_processing::{Books, Request};

use crate::batch::Batch;
use crate::center::{Answer, DataCenter, Decider};
use crate::messages::MessageChange;
use crate::queue::{Queue, Rejected};
use crate::store::{Fatal, History, Store, StoreError};
use crate::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use crate::sync::{Arc, Mutex, PoisonError};
use crate::thread;

/// Takes an answer, on the committing thread: it must not block.
pub type Reply = Box<dyn FnOnce(Answer) + Send>;

/// How many states of messages a batch may carry for each request.
const MESSAGES_PER_REQUEST: usize = 4;

/// How much the writer takes at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// The most requests in one batch.
    pub batch: usize,
    /// The most requests, message states and questions that wait to be gathered. Whoever brings more waits, or is told so.
    pub queue: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { batch: 1024, queue: 8192 }
    }
}

/// The place of something that was brought, in the order in which the writer takes it: durable once a commit reaches it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Place(pub u64);

/// The writer has ended; nothing is decided any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the writer has ended")]
pub struct Stopped;

/// Why a request was not taken; it is given back.
pub enum Refused {
    /// The queue is full: later.
    Full(Request, Reply),
    /// The writer has ended.
    Stopped(Request, Reply),
}

/// Why what became of a message was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unrecorded {
    /// The queue is full: later.
    Full(MessageChange),
    /// The writer has ended: recovery tells the notice again.
    Stopped,
}

enum Command {
    Request(Request, Reply),
    Message(MessageChange),
    Read(Box<dyn FnOnce(&Books) + Send>),
}

impl Command {
    fn request(&self) -> Option<&Request> {
        match self {
            Command::Request(request, _) => Some(request),
            _ => None,
        }
    }
}

/// A handle to the one writer. Clones of it feed the same queue; when the last is dropped, the writer ends.
#[derive(Clone)]
pub struct Writer {
    door: Arc<Door>,
}

/// Closes the queue when the last handle is gone.
struct Door(Arc<Queue<Command>>);

impl Drop for Door {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    /// The writer taken apart, without threads: the handle that feeds it, what decides, and the store to commit to.
    pub fn parts<S: Store>(center: DataCenter<S>, bounds: Bounds) -> (Writer, Deciding<S::History>, S) {
        let (writer, undecided) = Writer::undecided(bounds);
        let (deciding, store) = undecided.parts(center);
        (writer, deciding, store)
    }

    /// A handle whose requests nobody decides here yet.
    pub fn undecided(bounds: Bounds) -> (Writer, Undecided) {
        let commands = Arc::new(Queue::new(bounds.queue));
        let writer = Writer { door: Arc::new(Door(Arc::clone(&commands))) };
        (writer, Undecided { commands, most: bounds.batch.max(1) })
    }

    /// Starts both threads. `clock` gives the time; the writer makes it rise. `durable` is called after each commit, on the
    /// committing thread, with the place up to which everything brought is durable: it must not block. `ended` is called
    /// once, when both threads are at their end: with an error where something failed, upon which the process must stop.
    /// Replies that were not given by then never come.
    ///
    /// # Errors
    /// [`Fatal::Thread`] where a thread cannot be started.
    pub fn start<S: Store>(
        center: DataCenter<S>,
        clock: impl Fn() -> Moment + Send + 'static,
        bounds: Bounds,
        durable: impl Fn(Place) + Send + 'static,
        ended: impl FnOnce(Result<(), Fatal>) + Send + 'static,
    ) -> Result<Writer, Fatal> {
        let (writer, undecided) = Writer::undecided(bounds);
        undecided.start(center, clock, durable, ended)?;
        Ok(writer)
    }

    /// Brings a request; waits while the queue is full. `reply` is called when the answer is durable.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn submit(&self, request: Request, reply: impl FnOnce(Answer) + Send + 'static) -> Result<(), Stopped> {
        self.send(Command::Request(request, Box::new(reply))).map(drop)
    }

    /// Brings a request without waiting.
    ///
    /// # Errors
    /// [`Refused`], with the request, where the queue is full or the writer has ended.
    #[expect(clippy::result_large_err, reason = "the request is given back")]
    pub fn try_submit(&self, request: Request, reply: Reply) -> Result<(), Refused> {
        match self.door.0.try_send(Command::Request(request, reply)) {
            Err(Rejected::Full(Command::Request(request, reply))) => Err(Refused::Full(request, reply)),
            Err(Rejected::Closed(Command::Request(request, reply))) => Err(Refused::Stopped(request, reply)),
            _ => Ok(()),
        }
    }

    /// Brings what became of a message; waits while the queue is full. It becomes durable with the next batch, which is
    /// told by its place.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn record(&self, change: MessageChange) -> Result<Place, Stopped> {
        self.send(Command::Message(change))
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// [`Unrecorded`].
    pub fn try_record(&self, change: MessageChange) -> Result<Place, Unrecorded> {
        self.door.0.try_send(Command::Message(change)).map(Place).map_err(|rejected| match rejected {
            Rejected::Full(Command::Message(change)) => Unrecorded::Full(change),
            Rejected::Full(_) | Rejected::Closed(_) => Unrecorded::Stopped,
        })
    }

    /// Asks the books something, between two decisions. What it sees may not be durable yet: for questions of people, never
    /// for answers about money.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn read<R: Send + 'static>(&self, question: impl FnOnce(&Books) -> R + Send + 'static) -> Result<R, Stopped> {
        let (answer, answered) = sync_channel(1);
        let ask = move |books: &Books| drop(answer.send(question(books)));
        self.send(Command::Read(Box::new(ask)))?;
        answered.recv().map_err(|_| Stopped)
    }

    /// Ends the writer after what is queued by now.
    pub fn stop(&self) {
        self.door.0.close();
    }

    fn send(&self, command: Command) -> Result<Place, Stopped> {
        self.door.0.send(command).map(Place).map_err(|_| Stopped)
    }
}

/// What waits before a writer that does not decide: in another process of the same database that decides instead, its books
/// follow the log.
pub struct Undecided {
    commands: Arc<Queue<Command>>,
    most: usize,
}

impl Undecided {
    /// Answers questions with `ask` and gives requests to `hand_over`, which must not wait, until [`Undecided::release`]. What
    /// became of messages is the affair of whoever decides.
    pub(crate) fn serve(&self, ask: impl Fn(&mut dyn FnMut(&Books)), hand_over: impl Fn(Request, Reply)) {
        let mut taken = VecDeque::new();
        while self.commands.receive(self.most, &mut taken) {
            for command in taken.drain(..) {
                match command {
                    Command::Request(request, reply) => hand_over(request, reply),
                    Command::Read(question) => {
                        let mut question = Some(question);
                        ask(&mut |books| {
                            if let Some(question) = question.take() {
                                question(books);
                            }
                        });
                    }
                    Command::Message(_) => {}
                }
            }
        }
    }

    /// Ends [`Undecided::serve`]; what waits then stays.
    pub(crate) fn release(&self) {
        self.commands.release();
    }

    fn parts<S: Store>(&self, center: DataCenter<S>) -> (Deciding<S::History>, S) {
        let DataCenter { decider, store } = center;
        let commands = Arc::clone(&self.commands);
        // Places go on from what was taken before this began.
        let reached = Place(commands.taken());
        (Deciding { decider, commands, taken: VecDeque::new(), reached, most: self.most }, store)
    }

    /// Decides what waits and what comes, as [`Writer::start`] does.
    ///
    /// # Errors
    /// [`Fatal::Thread`] where a thread cannot be started.
    pub fn start<S: Store>(
        &self,
        center: DataCenter<S>,
        clock: impl Fn() -> Moment + Send + 'static,
        durable: impl Fn(Place) + Send + 'static,
        ended: impl FnOnce(Result<(), Fatal>) + Send + 'static,
    ) -> Result<(), Fatal> {
        let (deciding, mut store) = self.parts(center);
        let lost = Arc::new(Mutex::new(None));
        let (commands, told) = (Arc::clone(&deciding.commands), Arc::clone(&lost));
        store.watch(Box::new(move |error| {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            // What is in memory may be of the past from here on: what waits stays unanswered, questions too.
            commands.abandon();
        }));
        // No batch waits between the threads: what arrives meanwhile makes the next one larger.
        let (to_commit, batches) = sync_channel::<Decided>(0);
        let (done, acknowledged) = channel();
        let commands = Arc::clone(&deciding.commands);
        let committing = move || {
            let committed = commit(store, &batches, &done, durable);
            if committed.is_err() {
                commands.abandon();
            }
            committed
        };
        let committer = thread::Builder::new().name("commit".into()).spawn(committing).map_err(|_| Fatal::Thread)?;
        let deciding = move || {
            let decided = decide(deciding, clock, &to_commit, &acknowledged);
            drop(to_commit);
            let committed = committer.join().unwrap_or(Err(Fatal::Thread));
            let lost = lost.lock().unwrap_or_else(PoisonError::into_inner).take();
            ended(lost.map_or(decided.and(committed), |error| Err(error.into())));
        };
        thread::Builder::new().name("decide".into()).spawn(deciding).map_err(|_| Fatal::Thread)?;
        Ok(())
    }
}

/// The half of the writer that decides.
pub struct Deciding<H> {
    decider: Decider<H>,
    commands: Arc<Queue<Command>>,
    /// Taken from the queue and not decided yet.
    taken: VecDeque<Command>,
    /// The last that was decided.
    reached: Place,
    most: usize,
}

/// A batch that is decided: to be committed, then answered.
pub struct Decided {
    batch: Arc<Batch>,
    answers: Vec<(Reply, Answer)>,
    reached: Place,
}

/// Whoever waits for a decision that nobody makes any more is told so, and what was brought is dropped.
impl<H> Drop for Deciding<H> {
    fn drop(&mut self) {
        self.commands.abandon();
    }
}

impl<H: History> Deciding<H> {
    /// The books as they stand after the last decision, durable or not.
    pub fn books(&self) -> &Books {
        self.decider.books()
    }

    /// Whether something waits to be decided.
    pub fn is_waiting(&self) -> bool {
        !self.taken.is_empty() || !self.commands.is_empty()
    }

    /// Decides one batch of what waits: requests in their order, and with them the states of messages that came between.
    /// None where there was nothing to commit or answer. Batches are to be committed in the order in which they are decided.
    ///
    /// # Errors
    /// [`Fatal`].
    pub fn decide(&mut self, now: Moment) -> Result<Option<Decided>, Fatal> {
        if self.taken.is_empty() {
            self.commands.try_receive(self.most.saturating_mul(MESSAGES_PER_REQUEST), &mut self.taken);
        }
        let moment = rising(self.decider.moment(), now);
        let mut answers = Vec::with_capacity(self.taken.len().min(self.most));
        let mut messages = Vec::new();
        while answers.len() < self.most
            && let Some(command) = self.taken.pop_front()
        {
            self.reached.0 += 1;
            match command {
                Command::Request(request, reply) => {
                    let behind = self.taken.iter().filter_map(Command::request).take(self.most - answers.len() - 1);
                    answers.push((reply, self.decider.decide(moment, &request, behind)?));
                }
                Command::Message(change) => messages.push(change),
                Command::Read(question) => question(self.decider.books()),
            }
        }
        if answers.is_empty() && messages.is_empty() {
            return Ok(None);
        }
        let batch = self.decider.close(messages);
        Ok(Some(Decided { batch, answers, reached: self.reached }))
    }

    /// The oldest batch decided and not committed is durable now.
    pub fn committed(&mut self) {
        self.decider.committed();
    }

    /// Waits until there is something to decide. False where the queue is closed and empty.
    fn wait(&mut self) -> bool {
        !self.taken.is_empty() || self.commands.receive(self.most.saturating_mul(MESSAGES_PER_REQUEST), &mut self.taken)
    }
}

impl Decided {
    /// What is to become durable.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Makes it durable: all of it or nothing, and on return for good.
    ///
    /// # Errors
    /// [`StoreError`]: what is stored is not known then; the process must stop.
    pub fn commit(&self, store: &mut impl Store) -> Result<(), StoreError> {
        self.append(store)?;
        self.settle(store)
    }

    fn append(&self, store: &mut impl Store) -> Result<(), StoreError> {
        if self.batch.is_empty() { Ok(()) } else { store.append(&self.batch) }
    }

    fn settle(&self, store: &mut impl Store) -> Result<(), StoreError> {
        if self.batch.is_empty() { Ok(()) } else { store.settle() }
    }

    /// Everything brought up to here is durable with it.
    pub fn reached(&self) -> Place {
        self.reached
    }

    /// Gives the answers; only after the commit.
    pub fn answer(self) {
        drop(self.batch);
        self.answers.into_iter().for_each(|(reply, answer)| reply(answer));
    }
}

fn decide<H: History>(
    mut deciding: Deciding<H>,
    clock: impl Fn() -> Moment,
    to_commit: &SyncSender<Decided>,
    acknowledged: &Receiver<()>,
) -> Result<(), Fatal> {
    while deciding.wait() {
        while let Ok(()) = acknowledged.try_recv() {
            deciding.committed();
        }
        let Some(decided) = deciding.decide(clock())? else { continue };
        // The other thread is gone only where it failed; it says why.
        if to_commit.send(decided).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn commit<S: Store>(
    mut store: S,
    batches: &Receiver<Decided>,
    done: &Sender<()>,
    durable: impl Fn(Place),
) -> Result<(), Fatal> {
    let mut under_way: VecDeque<Decided> = VecDeque::new();
    loop {
        // What is decided already is sent before the one in front is awaited, where the store can do that.
        let next = match under_way.len() {
            0 => batches.recv().ok(),
            some if some < S::AHEAD => batches.try_recv().ok(),
            _ => None,
        };
        if let Some(decided) = next {
            decided.append(&mut store)?;
            under_way.push_back(decided);
            continue;
        }
        let Some(decided) = under_way.pop_front() else { return Ok(()) };
        decided.settle(&mut store)?;
        // Where deciding has ended nobody hears it; what was handed over is committed all the same.
        let _ = done.send(());
        durable(decided.reached());
        decided.answer();
    }
}

/// Time never falls, whatever the clock does (I17).
fn rising(last: Moment, now: Moment) -> Moment {
    Moment { time: last.time.max(now.time), day: last.day.max(now.day), month: last.month.max(now.month) }
}
