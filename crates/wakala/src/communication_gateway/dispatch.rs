//! Between the outbox and the links: tells the outbox what the log says, hands out its messages, brings back their fate, has
//! the states made durable, and acknowledges what caused them. Without sockets, clock or tasks: the owner brings what
//! happened to the `handle_*` methods and does what the others ask for; see [`Shared::dispatch`](super::Shared::dispatch).

use std::collections::{HashMap, VecDeque};

use data_center::{MessageChange, NoticeId, Place, Unrecorded, Untold};
use transaction_processing::ids::Sequence;
use transaction_processing::time::Time;
use wire::smpp::Status;

use super::{Item, Reply, Report};
use crate::downlink::outbox::{Asked, Event, Outbox, Submission, Submitted, Told};

/// Changes of state that wait for the writer; beyond them no more is taken from the log.
const MOST_CHANGES: usize = 8_192;

/// The dispatch. See the [module](self).
pub struct Dispatch {
    outbox: Outbox,
    /// The centre of each bind.
    centres: Vec<u16>,
    /// The bind that got the last message.
    turn: usize,
    /// Notices of rows up to here are with the outbox or settled.
    told_up_to: Sequence,
    /// Whether rows must be read from the log before those that are told are heard again.
    behind: bool,
    /// Whether the log was never read to its end: messages of before the start may be unknown yet.
    recovering: bool,
    asked: HashMap<Asked, Reply>,
    next_asked: u64,
    /// Given back by the writer, which was full.
    held: Option<MessageChange>,
    /// How many changes the writer took.
    recorded: u64,
    /// Where the writer took those that are not durable yet.
    places: VecDeque<Place>,
    /// Receipts, each acknowledged when so many changes are durable.
    receipts: VecDeque<(u64, Reply)>,
    responses: VecDeque<(Reply, Status)>,
}

impl Dispatch {
    /// A dispatch over binds to these centres. No notice of a row up to `settled` needs care any more.
    pub fn new(outbox: Outbox, centres: Vec<u16>, settled: Sequence) -> Dispatch {
        Dispatch {
            outbox,
            centres,
            turn: 0,
            told_up_to: settled,
            behind: true,
            recovering: true,
            asked: HashMap::new(),
            next_asked: 0,
            held: None,
            recorded: 0,
            places: VecDeque::new(),
            receipts: VecDeque::new(),
            responses: VecDeque::new(),
        }
    }

    /// Something is to be told.
    pub fn handle_item(&mut self, now: Time, item: Item) {
        match item {
            Item::Row { sequence, at, notices } => {
                if self.behind || sequence <= self.told_up_to {
                    return;
                }
                if !self.outbox.has_room() {
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
                let asked = self.ask(reply);
                self.outbox.tell(now, Told::Answer { notice, asked });
            }
            Item::Advice { advice, reply } => {
                let asked = self.ask(reply);
                self.outbox.tell(now, Told::Advice { advice: *advice, asked });
            }
        }
    }

    /// Some rows were not told: they are to be read from the log. To be called before any row after them is brought.
    pub fn handle_missed(&mut self) {
        self.behind = true;
    }

    /// The log says what [`Dispatch::poll_read`] asked for: what is untold, and up to which row it was looked for.
    pub fn handle_read(&mut self, now: Time, untold: Vec<Untold>, up_to: Sequence) {
        if untold.is_empty() && up_to == self.told_up_to {
            self.behind = false;
            self.recovering = false;
        }
        for Untold { id, at, notice, message, .. } in untold {
            self.outbox.tell(now, Told::Logged { id, at, notice, before: message });
        }
        self.told_up_to = up_to;
    }

    /// A link reports. A receipt is acknowledged when every change that stands by then is durable, its own among them; one
    /// that a restart may have made unknown for now is given back.
    pub fn handle_report(&mut self, now: Time, report: Report) {
        match report {
            Report::Submitted { token, centre, outcome } => self.outbox.handle_submitted(now, token, centre, outcome),
            Report::Receipt { centre, receipt, reply } => {
                if self.outbox.handle_receipt(now, centre, &receipt) || !self.recovering {
                    self.receipts.push_back((self.recorded + self.waiting_changes() as u64, reply));
                    self.acknowledge();
                } else {
                    self.responses.push_back((reply, Status::TEMPORARY_APPLICATION_ERROR));
                }
            }
        }
    }

    /// What the writer took up to this place is durable.
    pub fn handle_durable(&mut self, reached: Place) {
        while self.places.pop_front_if(|place| *place <= reached).is_some() {}
        self.acknowledge();
    }

    /// Looks at what is due. To be called at [`Dispatch::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Time) {
        self.outbox.handle_timeout(now);
    }

    /// The row after which the log is to be read for what is untold, if it is.
    pub fn poll_read(&self) -> Option<Sequence> {
        let can = self.behind && self.outbox.has_room() && self.waiting_changes() < MOST_CHANGES;
        can.then_some(self.told_up_to)
    }

    /// The next message, and the bind that it is for: one of its centre's that are `ready`, in turn. What becomes of it is to be
    /// reported.
    pub fn poll_submission(&mut self, now: Time, ready: impl Fn(usize) -> bool) -> Option<(usize, Submission)> {
        let Dispatch { outbox, centres, turn, .. } = self;
        let next = |centre: u16| {
            let binds = (1..=centres.len()).map(|step| (*turn + step) % centres.len());
            binds.into_iter().find(|bind| centres.get(*bind) == Some(&centre) && ready(*bind))
        };
        while let Some(submission) = outbox.poll_submission(now, |centre| next(centre).is_some()) {
            match next(submission.centre) {
                Some(bind) => {
                    *turn = bind;
                    return Some((bind, submission));
                }
                // It was ready a moment ago.
                None => outbox.handle_submitted(now, submission.token, submission.centre, Submitted::Unsent),
            }
        }
        None
    }

    /// Brings changes of state to the writer as far as it has room; the rest waits.
    pub fn poll_changes(&mut self, mut record: impl FnMut(MessageChange) -> Result<Place, Unrecorded>) {
        while let Some(change) = self.held.take().or_else(|| self.outbox.poll_change()) {
            match record(change) {
                Ok(place) => {
                    self.recorded += 1;
                    self.places.push_back(place);
                }
                Err(Unrecorded::Full(change)) => {
                    self.held = Some(change);
                    return;
                }
                // Nothing becomes durable any more, and so nothing is acknowledged.
                Err(Unrecorded::Stopped) => return,
            }
        }
    }

    /// An acknowledgement for a link to give.
    pub fn poll_response(&mut self) -> Option<(Reply, Status)> {
        while self.responses.is_empty()
            && let Some(event) = self.outbox.poll_event()
        {
            match event {
                Event::Handed(asked) => self.respond(asked, Status::OK),
                Event::NotHanded(asked) => self.respond(asked, Status::TEMPORARY_APPLICATION_ERROR),
                Event::GivenUp { id, state } => {
                    tracing::warn!(row = id.sequence.0, notice = id.notice, state = state.name(), "message given up");
                }
            }
        }
        self.responses.pop_front()
    }

    /// When [`Dispatch::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.outbox.poll_timeout()
    }

    /// Whether there is work that waits for room elsewhere: it is to be tried again soon.
    pub fn is_held_up(&self) -> bool {
        self.waiting_changes() > 0 || self.poll_read().is_some()
    }

    /// Changes that the writer has not taken yet.
    pub fn waiting_changes(&self) -> usize {
        self.outbox.changes() + usize::from(self.held.is_some())
    }

    /// See [`Outbox::lengths`].
    pub fn lengths(&self) -> (usize, usize, usize) {
        self.outbox.lengths()
    }

    fn ask(&mut self, reply: Reply) -> Asked {
        let asked = Asked(self.next_asked);
        self.next_asked += 1;
        self.asked.insert(asked, reply);
        asked
    }

    fn respond(&mut self, asked: Asked, status: Status) {
        if let Some(reply) = self.asked.remove(&asked) {
            self.responses.push_back((reply, status));
        }
    }

    fn acknowledge(&mut self) {
        let durable = self.recorded - self.places.len() as u64;
        while let Some((_, reply)) = self.receipts.pop_front_if(|(needed, _)| *needed <= durable) {
            self.responses.push_back((reply, Status::OK));
        }
    }
}

#[cfg(test)]
mod tests;
