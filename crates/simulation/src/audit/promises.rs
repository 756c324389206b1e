//! The auditor of acknowledgements: what a centre was told is taken is durable (I6), and what a receipt said is kept before the
//! centre forgets it.

use std::collections::{BTreeMap, BTreeSet};

use data_center::batch::Batch;
use data_center::{Message, MessageChange, MessageState, NoticeId};
use transaction_processing::request::RequestKey;
use wakala::communication_gateway::Reply;
use wire::smpp::MessageId;

use super::{Finding, Verdict};

/// What waits for an acknowledgement.
enum Waiting {
    Request(RequestKey),
    Receipt(u16, MessageId),
}

/// See the [module](self).
#[derive(Default)]
pub struct Promises {
    waiting: BTreeMap<(u16, u64, u32), Waiting>,
    /// Durable rows of messages that wait. A message that came again, by another connection, waits more than once.
    kept: BTreeMap<RequestKey, u64>,
    /// Messages that durably stand sent, by the centre's names of their parts.
    awaited: BTreeMap<(u16, String), NoticeId>,
    names: BTreeMap<NoticeId, Vec<(u16, String)>>,
    /// Receipts that were acknowledged and never come again.
    heard: BTreeSet<(u16, String)>,
    /// Acknowledgements that were looked at.
    pub seen: u64,
}

fn place(reply: Reply) -> (u16, u64, u32) {
    (reply.bind, reply.generation, reply.sequence)
}

fn text(id: MessageId) -> String {
    id.as_str().unwrap_or_default().to_owned()
}

impl Promises {
    /// A message of a centre became this request.
    pub fn asked(&mut self, reply: Reply, key: Option<RequestKey>) {
        if let Some(key) = key {
            self.waiting.insert(place(reply), Waiting::Request(key));
        }
    }

    /// A receipt of the end of a message came.
    pub fn reported(&mut self, reply: Reply, centre: u16, id: MessageId) {
        self.waiting.insert(place(reply), Waiting::Receipt(centre, id));
    }

    /// The process is gone, and with it all that waited.
    pub fn process_died(&mut self) {
        self.waiting.clear();
        self.kept.clear();
    }

    /// The disk is another one.
    pub fn disk_replaced<'a>(&mut self, messages: impl Iterator<Item = &'a Message>) {
        self.waiting.clear();
        self.kept.clear();
        self.awaited.clear();
        self.names.clear();
        messages.for_each(|message| self.stands(message));
    }

    /// A batch is durable.
    ///
    /// # Errors
    /// Where it awaits a receipt that was acknowledged before.
    pub fn durable(&mut self, batch: &Batch) -> Verdict {
        let waits = |key: &RequestKey| {
            self.waiting.values().any(|waiting| matches!(waiting, Waiting::Request(waits) if waits == key))
        };
        for key in batch.rows().iter().filter_map(|row| row.key).filter(waits) {
            *self.kept.entry(key).or_default() += 1;
        }
        for change in batch.messages() {
            let MessageChange::Stands(message) = change else { continue };
            self.stands(message);
            let names = self.names.get(&message.notice);
            if let Some((centre, id)) = names.into_iter().flatten().find(|name| self.heard.contains(*name)) {
                let what = format!("the receipt of {id} of centre {centre} was acknowledged and is awaited still");
                return Err(Finding(what));
            }
        }
        Ok(())
    }

    fn stands(&mut self, message: &Message) {
        for name in self.names.remove(&message.notice).into_iter().flatten() {
            self.awaited.remove(&name);
        }
        if message.state != MessageState::Sent {
            return;
        }
        let (Some(centre), Some(ids)) = (message.centre, &message.message_id) else { return };
        let names: Vec<(u16, String)> = ids.split(' ').map(|id| (centre, id.to_owned())).collect();
        for name in &names {
            self.awaited.insert(name.clone(), message.notice);
        }
        self.names.insert(message.notice, names);
    }

    /// The platform acknowledges. `pending` are the batches that are decided and not durable.
    ///
    /// # Errors
    /// Where what it acknowledges could be lost.
    pub fn acknowledged<'a>(&mut self, reply: Reply, pending: impl IntoIterator<Item = &'a Batch>) -> Verdict {
        self.seen += 1;
        match self.waiting.remove(&place(reply)) {
            None => Ok(()),
            Some(Waiting::Request(key)) => {
                if let Some(kept) = self.kept.get_mut(&key).filter(|kept| **kept > 0) {
                    *kept -= 1;
                    return Ok(());
                }
                let of_key =
                    |batch: &Batch| batch.rows().iter().find(|row| row.key == Some(key)).map(|row| row.sequence);
                match pending.into_iter().find_map(of_key) {
                    Some(row) => Err(Finding(format!("I6: row {} was acknowledged before it was durable", row.0))),
                    None => Ok(()),
                }
            }
            Some(Waiting::Receipt(centre, id)) => {
                let name = (centre, text(id));
                if let Some(notice) = self.awaited.get(&name) {
                    let row = notice.sequence.0;
                    let what = format!(
                        "the receipt of notice {} of row {row} was acknowledged before it was kept",
                        notice.notice
                    );
                    return Err(Finding(what));
                }
                self.heard.insert(name);
                Ok(())
            }
        }
    }

    /// What waits for an acknowledgement.
    pub fn waiting(&self) -> Vec<Reply> {
        let reply = |(bind, generation, sequence): &(u16, u64, u32)| Reply {
            bind: *bind,
            generation: *generation,
            sequence: *sequence,
        };
        self.waiting.keys().map(reply).collect()
    }

    /// The platform gives something back.
    pub fn refused(&mut self, reply: Reply) {
        self.waiting.remove(&place(reply));
    }
}
