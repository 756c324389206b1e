//! Between the outbox and the links: tells the outbox what the log says, hands out its messages, brings back their fate, and
//! has the states made durable.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use data_center::{MessageChange, NoticeId, StoreError, Untold};
use transaction_processing::ids::Sequence;
use transaction_processing::time::Time;
use wire::smpp::Status;

use super::{Item, LinkHandle, Listening, ReplyTo, Report, Shared};
use crate::downlink::outbox::{Asked, Event, Outbox, Submission, Told};
use crate::observe::metrics::Queue;

/// Notices read from the log at once when the dispatch has fallen behind.
const READ_AT_ONCE: usize = 512;
/// Items and reports taken at once.
const AT_ONCE: usize = 1024;
/// Changes of state that wait for the writer; beyond them no more is taken from the log.
const MOST_CHANGES: usize = 8_192;

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

struct Dispatch {
    shared: Arc<Shared>,
    links: Vec<LinkHandle>,
    outbox: Outbox,
    recovery: Box<dyn Recovery>,
    /// Notices of rows up to here are with the outbox or settled.
    told_up_to: Sequence,
    /// Whether rows must be read from the log before the channel is heard again.
    behind: bool,
    asked: HashMap<Asked, ReplyTo>,
    changes: VecDeque<MessageChange>,
    next_link: usize,
}

pub(super) async fn run(
    shared: Arc<Shared>,
    listening: Listening,
    links: Vec<LinkHandle>,
    outbox: Outbox,
    mut recovery: Box<dyn Recovery>,
) {
    let told_up_to = match tokio::task::block_in_place(|| recovery.settled()) {
        Ok(settled) => settled,
        Err(error) => {
            tracing::error!(%error, "the log cannot be read for untold notices");
            shared.writer.stop();
            return;
        }
    };
    let Listening { mut told, mut reports } = listening;
    let mut dispatch = Dispatch {
        shared,
        links,
        outbox,
        recovery,
        told_up_to,
        behind: true,
        asked: HashMap::new(),
        changes: VecDeque::new(),
        next_link: 0,
    };
    let (mut items, mut heard) = (Vec::with_capacity(AT_ONCE), Vec::with_capacity(AT_ONCE));
    loop {
        if let Err(error) = dispatch.step() {
            // Money is safe; but a log that cannot be read is a store that failed.
            tracing::error!(%error, "the log cannot be read for untold notices");
            dispatch.shared.writer.stop();
            return;
        }
        if dispatch.shared.ending.load(Ordering::Acquire) {
            return dispatch.end(&mut reports);
        }
        let now = dispatch.now();
        let due = dispatch.outbox.poll_timeout().map_or(1_000, |at| (at.0 - now.0).clamp(1, 1_000));
        let due = if dispatch.changes.is_empty() && !dispatch.can_read_on() { due } else { 1 };
        let shared = Arc::clone(&dispatch.shared);
        tokio::select! {
            count = reports.recv_many(&mut heard, AT_ONCE) => {
                if count == 0 {
                    return;
                }
                let now = dispatch.now();
                heard.drain(..).for_each(|report| dispatch.hear(now, report));
            }
            count = told.recv_many(&mut items, AT_ONCE) => {
                if count == 0 {
                    return;
                }
                let now = dispatch.now();
                items.drain(..).for_each(|item| dispatch.take(now, item));
            }
            () = shared.wake.notified() => {}
            () = tokio::time::sleep(std::time::Duration::from_millis(due.cast_unsigned())) => {}
        }
    }
}

impl Dispatch {
    fn now(&self) -> Time {
        (self.shared.clock)().time
    }

    fn step(&mut self) -> Result<(), StoreError> {
        let now = self.now();
        self.outbox.handle_timeout(now);
        if self.shared.missed.swap(false, Ordering::AcqRel) {
            self.behind = true;
        }
        if self.can_read_on() {
            self.read_on(now)?;
        }
        self.hand_out(now);
        self.changes.extend(self.outbox.take_changes());
        self.record();
        self.shared.metrics.queue(Queue::Outbox, self.outbox.lengths().0);
        self.shared.metrics.queue(Queue::Records, self.changes.len());
        while let Some(event) = self.outbox.poll_event() {
            self.tell(event);
        }
        Ok(())
    }

    /// The links have ended: what they reported last is made durable.
    fn end(mut self, reports: &mut tokio::sync::mpsc::Receiver<Report>) {
        let now = self.now();
        while let Ok(report) = reports.try_recv() {
            self.hear(now, report);
        }
        self.changes.extend(self.outbox.take_changes());
        self.record();
    }

    fn can_read_on(&self) -> bool {
        self.behind && self.outbox.has_room() && self.changes.len() < MOST_CHANGES
    }

    fn read_on(&mut self, now: Time) -> Result<(), StoreError> {
        // Read on this thread, which the runtime does without meanwhile: the database may be on another machine.
        let (untold, up_to) = tokio::task::block_in_place(|| self.recovery.untold(self.told_up_to, READ_AT_ONCE))?;
        if untold.is_empty() && up_to == self.told_up_to {
            self.behind = false;
        }
        for Untold { id, at, notice, message, .. } in untold {
            self.outbox.tell(now, Told::Logged { id, at, notice, before: message });
        }
        self.told_up_to = up_to;
        Ok(())
    }

    fn take(&mut self, now: Time, item: Item) {
        match item {
            Item::Row { sequence, at, notices } => {
                if self.behind || sequence <= self.told_up_to {
                    return;
                }
                if self.shared.missed.load(Ordering::Acquire) || !self.outbox.has_room() {
                    self.behind = true;
                    return;
                }
                self.told_up_to = sequence;
                for (index, notice) in notices.into_iter().enumerate() {
                    let id = NoticeId { sequence, notice: index as u8 };
                    self.outbox.tell(now, Told::Logged { id, at, notice, before: None });
                }
            }
            Item::Answer { notice, reply } => {
                let asked = self.asked(reply);
                self.outbox.tell(now, Told::Answer { notice, asked });
            }
            Item::Advice { advice, reply } => {
                let asked = self.asked(reply);
                self.outbox.tell(now, Told::Advice { advice, asked });
            }
        }
    }

    fn asked(&mut self, reply: ReplyTo) -> Asked {
        let asked = self.shared.next_asked();
        self.asked.insert(asked, reply);
        asked
    }

    fn hear(&mut self, now: Time, report: Report) {
        match report {
            Report::Submitted { token, centre, outcome } => self.outbox.handle_submitted(now, token, centre, outcome),
            Report::Receipt { centre, receipt } => self.outbox.handle_receipt(now, centre, &receipt),
        }
    }

    fn hand_out(&mut self, now: Time) {
        let links = &self.links;
        let ready = |centre| links.iter().any(|link| link.centre == centre && link.is_ready());
        while let Some(submission) = self.outbox.poll_submission(now, ready) {
            let (token, centre) = (submission.token, submission.centre);
            if submit(&self.links, &mut self.next_link, submission).is_err() {
                self.outbox.handle_submitted(now, token, centre, crate::downlink::outbox::Submitted::Unsent);
            }
        }
    }

    /// States go to the writer as far as it has room; the rest waits for the next step.
    fn record(&mut self) {
        while let Some(change) = self.changes.pop_front() {
            let state = match &change {
                MessageChange::Stands(message) => Some(message.state.name()),
                MessageChange::SettledTo(_) => None,
            };
            if let Err(change) = self.shared.writer.try_record(change) {
                self.changes.push_front(change);
                return;
            }
            if let Some(state) = state {
                self.shared.metrics.message_reached(state);
            }
        }
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::Handed(asked) => self.respond(asked, Status::OK),
            Event::NotHanded(asked) => self.respond(asked, Status::TEMPORARY_APPLICATION_ERROR),
            Event::GivenUp { id, state } => {
                tracing::warn!(row = id.sequence.0, notice = id.notice, state = state.name(), "message given up");
            }
        }
    }

    fn respond(&mut self, asked: Asked, status: Status) {
        if let Some(reply) = self.asked.remove(&asked) {
            reply.respond(status);
        }
    }
}

/// Hands a submission to the next ready link of its centre, in turn.
#[expect(clippy::result_large_err, reason = "the submission is given back")]
fn submit(links: &[LinkHandle], next: &mut usize, mut submission: Submission) -> Result<(), Submission> {
    for _ in 0..links.len() {
        *next = (*next + 1) % links.len();
        let link = &links[*next];
        if link.centre == submission.centre && link.is_ready() {
            match link.submit(submission) {
                Ok(()) => return Ok(()),
                Err(refused) => submission = refused,
            }
        }
    }
    Err(submission)
}
