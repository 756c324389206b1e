//! The one writer on two threads: one decides a batch while the other flushes the one before.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use transaction_processing::time::Moment;
use transaction_processing::{Books, Request};

use crate::batch::Batch;
use crate::center::{Answer, DataCenter, Decider};
use crate::messages::MessageChange;
use crate::queue::{Queue, Rejected};
use crate::store::{Fatal, History, Store};

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

type Answers = Vec<(Reply, Answer)>;

type Flushed = (Arc<Batch>, Answers);

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
        let queue = Arc::new(Queue::new(bounds.queue));
        // No batch waits between the threads: what arrives meanwhile makes the next one larger.
        let (to_commit, batches) = sync_channel::<Flushed>(0);
        let (done, acknowledged) = channel();
        let DataCenter { decider, mut store } = center;
        let lost = Arc::new(Mutex::new(None));
        let (commands, told) = (Arc::clone(&queue), Arc::clone(&lost));
        store.watch(Box::new(move |error| {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            // What is in memory may be of the past from here on: what waits stays unanswered, questions too.
            commands.abandon();
        }));
        let commands = Arc::clone(&queue);
        let committing = move || {
            let committed = commit(store, &batches, &done);
            if committed.is_err() {
                commands.abandon();
            }
            committed
        };
        let committer = thread::Builder::new().name("commit".into()).spawn(committing).map_err(|_| Fatal::Thread)?;
        let commands = Arc::clone(&queue);
        let most = bounds.batch.max(1);
        let deciding = move || {
            let decided = Deciding { decider, clock, most, to_commit, acknowledged }.run(&commands);
            commands.abandon();
            let committed = committer.join().unwrap_or(Err(Fatal::Thread));
            let lost = lost.lock().unwrap_or_else(PoisonError::into_inner).take();
            ended(lost.map_or(decided.and(committed), |error| Err(error.into())));
        };
        thread::Builder::new().name("decide".into()).spawn(deciding).map_err(|_| Fatal::Thread)?;
        Ok(Writer { door: Arc::new(Door(queue)) })
    }

    /// Brings a request; waits while the queue is full. `reply` is called when the answer is durable.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn submit(&self, request: Request, reply: impl FnOnce(Answer) + Send + 'static) -> Result<(), Stopped> {
        self.send(Command::Request(request, Box::new(reply)))
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

    /// Brings what became of a message; waits while the queue is full. It becomes durable with the next batch.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn record(&self, change: MessageChange) -> Result<(), Stopped> {
        self.send(Command::Message(change))
    }

    /// Brings what became of a message without waiting; gives it back where the queue is full. Once the writer has ended it is
    /// dropped: recovery tells the notice again.
    ///
    /// # Errors
    /// The change, where the queue is full.
    pub fn try_record(&self, change: MessageChange) -> Result<(), MessageChange> {
        match self.door.0.try_send(Command::Message(change)) {
            Err(Rejected::Full(Command::Message(change))) => Err(change),
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
        self.send(Command::Read(Box::new(ask)))?;
        answered.recv().map_err(|_| Stopped)
    }

    /// Ends the writer after what is queued by now.
    pub fn stop(&self) {
        self.door.0.close();
    }

    fn send(&self, command: Command) -> Result<(), Stopped> {
        self.door.0.send(command).map_err(|_| Stopped)
    }
}

struct Deciding<H, C> {
    decider: Decider<H>,
    clock: C,
    most: usize,
    to_commit: SyncSender<Flushed>,
    acknowledged: Receiver<()>,
}

impl<H: History, C: Fn() -> Moment> Deciding<H, C> {
    fn run(mut self, commands: &Queue<Command>) -> Result<(), Fatal> {
        let mut taken = VecDeque::new();
        loop {
            if taken.is_empty() && !commands.receive(self.most.saturating_mul(MESSAGES_PER_REQUEST), &mut taken) {
                return Ok(());
            }
            while let Ok(()) = self.acknowledged.try_recv() {
                self.decider.committed();
            }
            let (answers, messages) = self.gather(&mut taken)?;
            if answers.is_empty() && messages.is_empty() {
                continue;
            }
            let batch = self.decider.close(messages);
            // The other thread is gone only where it failed; it says why.
            if self.to_commit.send((batch, answers)).is_err() {
                return Ok(());
            }
        }
    }

    /// One batch: the requests decided, and the states of messages that came between them.
    fn gather(&mut self, taken: &mut VecDeque<Command>) -> Result<(Answers, Vec<MessageChange>), Fatal> {
        let moment = rising(self.decider.moment(), (self.clock)());
        let mut answers = Vec::with_capacity(taken.len().min(self.most));
        let mut messages = Vec::new();
        while answers.len() < self.most
            && let Some(command) = taken.pop_front()
        {
            match command {
                Command::Request(request, reply) => answers.push((reply, self.decider.decide(moment, &request)?)),
                Command::Message(change) => messages.push(change),
                Command::Read(question) => question(self.decider.books()),
            }
        }
        Ok((answers, messages))
    }
}

fn commit<S: Store>(mut store: S, batches: &Receiver<Flushed>, done: &Sender<()>) -> Result<(), Fatal> {
    while let Ok((batch, answers)) = batches.recv() {
        if !batch.is_empty() {
            store.append(&batch)?;
        }
        drop(batch);
        // Gone only where deciding failed; what was handed over is committed all the same.
        let _ = done.send(());
        for (reply, answer) in answers {
            reply(answer);
        }
    }
    Ok(())
}

/// Time never falls, whatever the clock does (I17).
fn rising(last: Moment, now: Moment) -> Moment {
    Moment { time: last.time.max(now.time), day: last.day.max(now.day), month: last.month.max(now.month) }
}
