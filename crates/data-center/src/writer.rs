//! The one writer on two threads: one decides a batch while the other flushes the one before.

use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use transaction_processing::time::Moment;
use transaction_processing::{Books, Request};

use crate::batch::Batch;
use crate::center::{Answer, DataCenter, Decider};
use crate::messages::MessageChange;
use crate::store::{Fatal, History, Store};

/// Takes an answer, on the committing thread: it must not block.
pub type Reply = Box<dyn FnOnce(Answer) + Send>;

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

enum Command {
    Request(Request, Reply),
    Message(MessageChange),
    Read(Box<dyn FnOnce(&Books) + Send>),
    Stop,
}

/// A handle to the one writer. Clones of it feed the same queue; when the last is dropped, the writer ends.
#[derive(Clone)]
pub struct Writer {
    queue: Arc<Queue>,
}

struct Queue(SyncSender<Command>);

impl Drop for Queue {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.0.send(Command::Stop);
    }
}

type Failure = Arc<Mutex<Option<Fatal>>>;

type Flushed = (Arc<Batch>, Vec<(Reply, Answer)>);

impl Writer {
    /// Starts both threads. `clock` gives the time; the writer makes it rise. `ended` is called once, when both threads are
    /// at their end: with an error where something failed, upon which the process must stop. Replies that were not given
    /// by then never come.
    ///
    /// # Errors
    /// [`Fatal::Thread`] where a thread cannot be started.
    pub fn start<S: Store>(
        center: DataCenter<S>,
        clock: impl Fn() -> Moment + Send + 'static,
        bounds: Bounds,
        ended: impl FnOnce(Result<(), Fatal>) + Send + 'static,
    ) -> Result<Writer, Fatal> {
        let (queue, commands) = sync_channel(bounds.queue.max(1));
        // No batch waits between the threads: what arrives meanwhile makes the next one larger.
        let (to_commit, batches) = sync_channel::<Flushed>(0);
        let (done, acknowledged) = channel();
        let failure = Failure::default();
        let DataCenter { decider, store } = center;
        let committer = {
            let (failure, wake) = (Arc::clone(&failure), queue.clone());
            thread::Builder::new()
                .name("commit".into())
                .spawn(move || commit(store, &batches, &done, &failure, &wake))
                .map_err(|_| Fatal::Thread)?
        };
        let most = bounds.batch.max(1);
        let run = move || {
            let failed = Arc::clone(&failure);
            let mut deciding = Deciding { decider, clock, most, commands, to_commit, acknowledged, failed };
            let decided = deciding.run();
            drop(deciding);
            let joined = committer.join().map_err(|_| Fatal::Thread);
            let failed = of(&failure).take();
            ended(failed.map_or(Ok(()), Err).and(decided).and(joined));
        };
        thread::Builder::new().name("decide".into()).spawn(run).map_err(|_| Fatal::Thread)?;
        Ok(Writer { queue: Arc::new(Queue(queue)) })
    }

    /// Brings a request; waits while the queue is full. `reply` is called when the answer is durable.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn submit(&self, request: Request, reply: impl FnOnce(Answer) + Send + 'static) -> Result<(), Stopped> {
        self.queue.0.send(Command::Request(request, Box::new(reply))).map_err(|_| Stopped)
    }

    /// Brings a request without waiting.
    ///
    /// # Errors
    /// [`Refused`], with the request, where the queue is full or the writer has ended.
    #[expect(clippy::result_large_err, reason = "the request is given back")]
    pub fn try_submit(&self, request: Request, reply: Reply) -> Result<(), Refused> {
        match self.queue.0.try_send(Command::Request(request, reply)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(Command::Request(request, reply))) => Err(Refused::Full(request, reply)),
            Err(TrySendError::Disconnected(Command::Request(request, reply))) => Err(Refused::Stopped(request, reply)),
            Err(_) => Ok(()),
        }
    }

    /// Brings what became of a message; waits while the queue is full. It becomes durable with the next batch.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn record(&self, change: MessageChange) -> Result<(), Stopped> {
        self.queue.0.send(Command::Message(change)).map_err(|_| Stopped)
    }

    /// Brings what became of a message without waiting; gives it back where the queue is full. Once the writer has ended it is
    /// dropped: recovery tells the notice again.
    ///
    /// # Errors
    /// The change, where the queue is full.
    pub fn try_record(&self, change: MessageChange) -> Result<(), MessageChange> {
        match self.queue.0.try_send(Command::Message(change)) {
            Err(TrySendError::Full(Command::Message(change))) => Err(change),
            _ => Ok(()),
        }
    }

    /// Asks the books something, between two decisions. What it sees may not be durable yet: for questions of people, never
    /// for answers about money.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn read<R: Send + 'static>(&self, question: impl FnOnce(&Books) -> R + Send + 'static) -> Result<R, Stopped> {
        let (answer, answered) = sync_channel(1);
        let ask = move |books: &Books| drop(answer.send(question(books)));
        self.queue.0.send(Command::Read(Box::new(ask))).map_err(|_| Stopped)?;
        answered.recv().map_err(|_| Stopped)
    }

    /// Ends the writer after what is queued by now.
    pub fn stop(&self) {
        // An error says that it has ended already.
        let _ = self.queue.0.send(Command::Stop);
    }
}

struct Deciding<H, C> {
    decider: Decider<H>,
    clock: C,
    most: usize,
    commands: Receiver<Command>,
    to_commit: SyncSender<Flushed>,
    acknowledged: Receiver<()>,
    failed: Failure,
}

impl<H: History, C: Fn() -> Moment> Deciding<H, C> {
    fn run(&mut self) -> Result<(), Fatal> {
        loop {
            // Looked at before every wait: where the queue was full, the other thread could not wake this one.
            if of(&self.failed).is_some() {
                return Ok(());
            }
            let Ok(first) = self.commands.recv() else { return Ok(()) };
            while let Ok(()) = self.acknowledged.try_recv() {
                self.decider.committed();
            }
            let moment = rising(self.decider.moment(), (self.clock)());
            let mut answers = Vec::new();
            let mut messages = Vec::new();
            let mut next = Some(first);
            let mut stop = false;
            while let Some(command) = next.take() {
                match command {
                    Command::Request(request, reply) => {
                        answers.push((reply, self.decider.decide(moment, &request)?));
                    }
                    Command::Message(change) => messages.push(change),
                    Command::Read(question) => question(self.decider.books()),
                    Command::Stop => {
                        stop = true;
                        break;
                    }
                }
                if answers.len() < self.most && messages.len() < self.most.saturating_mul(4) {
                    next = self.commands.try_recv().ok();
                }
            }
            if !answers.is_empty() || !messages.is_empty() {
                let batch = self.decider.close(messages);
                // The other thread is gone only where it failed; it has said why.
                if self.to_commit.send((batch, answers)).is_err() {
                    return Ok(());
                }
            }
            if stop {
                return Ok(());
            }
        }
    }
}

fn commit<S: Store>(
    mut store: S,
    batches: &Receiver<Flushed>,
    done: &Sender<()>,
    failure: &Failure,
    wake: &SyncSender<Command>,
) {
    while let Ok((batch, answers)) = batches.recv() {
        if !batch.is_empty()
            && let Err(error) = store.append(&batch)
        {
            *of(failure) = Some(error.into());
            // Where the queue is full, the deciding thread is awake and finds this thread gone.
            let _ = wake.try_send(Command::Stop);
            return;
        }
        drop(batch);
        let _ = done.send(());
        for (reply, answer) in answers {
            reply(answer);
        }
    }
}

fn of(failure: &Failure) -> MutexGuard<'_, Option<Fatal>> {
    failure.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Time never falls, whatever the clock does (I17).
fn rising(last: Moment, now: Moment) -> Moment {
    Moment { time: last.time.max(now.time), day: last.day.max(now.day), month: last.month.max(now.month) }
}
