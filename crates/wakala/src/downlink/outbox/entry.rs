//! One message under way.

use data_center::{Message, MessageChange, MessageState, NoticeId};
use transaction_processing::time::Time;
use transaction_processing::{Msisdn, Notice};
use wire::smpp::{MessageId, ShortMessage};

use super::{ANSWER_PATIENCE_MS, Asked};
use crate::uplink::Advice;

/// What the message tells.
pub(super) enum Matter {
    /// A notice of the log.
    Logged(NoticeId, Box<Notice>),
    /// A notice of no row.
    Answer(Box<Notice>, Asked),
    /// What is wrong with a message.
    Advice(Box<Advice>, Asked),
}

/// One part of a message.
pub(super) enum Part {
    /// Cut, not yet with a link.
    Cut(Box<ShortMessage>),
    /// With a link.
    WithLink,
    /// Came back without having reached the centre for sure.
    Lost,
    /// A centre has it.
    Accepted(u16, MessageId),
    /// The handset has it.
    Delivered(u16, MessageId),
}

pub(super) struct Entry {
    pub(super) matter: Matter,
    /// Empty until the text is rendered and cut.
    pub(super) parts: Vec<Part>,
    pub(super) attempts: u16,
    /// How often it is known not to have arrived; those of before a restart are not told from lost links.
    pub(super) failures: u16,
    /// Whether a part of the attempt under way is known not to have arrived.
    pub(super) failed: bool,
    /// When it need not be told any more.
    pub(super) lapses: Time,
}

impl Entry {
    pub(super) fn logged(id: NoticeId, notice: Notice, lapses: Time, before: Option<Message>) -> Entry {
        let attempts = before.as_ref().map_or(0, |message| message.attempts);
        let parts = before.and_then(|message| {
            let centre = message.centre.filter(|_| message.state == MessageState::Sent)?;
            let ids = message.message_id?;
            let part = |id: &str| Some(Part::Accepted(centre, MessageId::new(id.as_bytes()).ok()?));
            ids.split(SEPARATOR).map(part).collect::<Option<Vec<Part>>>()
        });
        Entry {
            matter: Matter::Logged(id, Box::new(notice)),
            parts: parts.unwrap_or_default(),
            attempts,
            failures: attempts.saturating_sub(1),
            failed: false,
            lapses,
        }
    }

    pub(super) fn answer(now: Time, notice: Notice, asked: Asked) -> Entry {
        Entry::once(now, Matter::Answer(Box::new(notice), asked))
    }

    pub(super) fn advice(now: Time, advice: Advice, asked: Asked) -> Entry {
        Entry::once(now, Matter::Advice(Box::new(advice), asked))
    }

    fn once(now: Time, matter: Matter) -> Entry {
        let lapses = Time(now.0 + ANSWER_PATIENCE_MS);
        Entry { matter, parts: Vec::new(), attempts: 0, failures: 0, failed: false, lapses }
    }

    pub(super) fn to(&self) -> Msisdn {
        match &self.matter {
            Matter::Logged(_, notice) | Matter::Answer(notice, _) => notice.to,
            Matter::Advice(advice, _) => advice.to,
        }
    }

    pub(super) fn id(&self) -> Option<NoticeId> {
        match &self.matter {
            Matter::Logged(id, _) => Some(*id),
            Matter::Answer(..) | Matter::Advice(..) => None,
        }
    }

    pub(super) fn asked(&self) -> Option<Asked> {
        match &self.matter {
            Matter::Logged(..) => None,
            Matter::Answer(_, asked) | Matter::Advice(_, asked) => Some(*asked),
        }
    }

    /// The first part that is cut and not with a link.
    pub(super) fn unsent_part(&self) -> Option<u8> {
        self.parts.iter().position(|part| matches!(part, Part::Cut(_))).map(|index| index as u8)
    }

    pub(super) fn take_part(&mut self, part: u8) -> Option<ShortMessage> {
        let held = self.parts.get_mut(usize::from(part))?;
        match std::mem::replace(held, Part::WithLink) {
            Part::Cut(message) => Some(*message),
            other => {
                *held = other;
                None
            }
        }
    }

    pub(super) fn is_with_link(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::WithLink | Part::Cut(_)))
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Accepted(..) | Part::Delivered(..)))
    }

    pub(super) fn is_delivered(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Delivered(..)))
    }

    /// Whether nothing of it is cut or under way: it waits for a timer.
    pub(super) fn rests(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn begin_again(&mut self) {
        self.parts.clear();
    }

    /// The centre's names of all parts, where a centre has them all.
    pub(super) fn message_ids(&self) -> Option<Vec<(u16, MessageId)>> {
        self.names(|_| true)
    }

    /// The centre's names of the parts for which this holds, where a centre has all parts.
    fn names(&self, holds: impl Fn(&Part) -> bool) -> Option<Vec<(u16, MessageId)>> {
        if self.parts.is_empty() || !self.is_accepted() {
            return None;
        }
        let name = |part: &Part| match part {
            Part::Accepted(centre, id) | Part::Delivered(centre, id) => Some((*centre, *id)),
            Part::Cut(_) | Part::WithLink | Part::Lost => None,
        };
        Some(self.parts.iter().filter(|part| holds(part)).filter_map(name).collect())
    }

    /// The change that makes its state durable; none for what is of no row.
    pub(super) fn stands(&self, state: MessageState, at: Time) -> Option<MessageChange> {
        let notice = self.id()?;
        // While receipts are awaited, only of what is: what has come is not heard a second time after a restart.
        let is_awaited = |part: &Part| state != MessageState::Sent || matches!(part, Part::Accepted(..));
        let ids = self.names(is_awaited);
        let centre = ids.as_ref().and_then(|ids| ids.first()).map(|(centre, _)| *centre);
        let joined = ids.map(|ids| {
            let names: Vec<&str> = ids.iter().filter_map(|(_, id)| id.as_str()).collect();
            names.join(SEPARATOR)
        });
        let message_id = joined.filter(|joined| joined.len() <= 64);
        Some(MessageChange::Stands(Message { notice, state, attempts: self.attempts, centre, message_id, at }))
    }
}

/// Between the names of the parts of one message; no centre's name has a space in it (SMPP 3.4, 5.2.23: printable).
const SEPARATOR: &str = " ";
