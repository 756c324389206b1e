//! Timers: waiting transfers whose period passes, and payees to be reminded before it does. The books know what is due; the
//! same road carries it as any request, so that it happens exactly once whatever is restarted when.

use std::sync::Arc;
use std::time::Duration;

use transaction_processing::request::{Action, Origin};
use transaction_processing::time::Time;
use transaction_processing::{Books, Request};

use crate::communication_gateway::Shared;

/// How often the books are asked what is due.
pub const EVERY: Duration = Duration::from_secs(1);
/// Decisions asked for at once; what is left is due still at the next look.
const AT_ONCE: usize = 512;

/// The requests for what is due, to be decided before the books are asked again.
pub fn due(books: &Books, now: Time) -> Vec<Request> {
    let expired = books.expired(now, AT_ONCE).map(Action::Expire);
    let reminders = books.to_remind(now, AT_ONCE).map(Action::Remind);
    let request = |action| Request { key: None, origin: Origin::Platform, action };
    expired.chain(reminders).map(request).collect()
}

/// Runs until the writer ends.
pub async fn run(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    loop {
        every.tick().await;
        if look(&shared).await.is_none() {
            return;
        }
    }
}

/// Asks once what is due, has it decided, and waits until it is durable; how much there was. None once the writer has ended.
pub async fn look(shared: &Arc<Shared>) -> Option<usize> {
    let asking = Arc::clone(shared);
    let question = move || {
        let now = (asking.clock)().time;
        asking.writer.read(move |books| due(books, now))
    };
    let due = tokio::task::spawn_blocking(question).await.ok()?.ok()?;
    let count = due.len();
    let mut answers = Vec::with_capacity(count);
    for request in due {
        let (done, decided) = tokio::sync::oneshot::channel();
        // A full queue leaves the rest for the next look.
        if shared.decide(request, move || {
            let _ = done.send(());
        }) {
            answers.push(decided);
        }
    }
    for decided in answers {
        decided.await.ok()?;
    }
    Some(count)
}
