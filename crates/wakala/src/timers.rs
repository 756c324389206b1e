//! Timers: waiting transfers whose period passes, and payees to be reminded before it does. The books know what is due; the
//! same road carries it as any request, so that it happens exactly once whatever is restarted when.

use std::sync::Arc;
use std::time::Duration;

use transaction_processing::Request;
use transaction_processing::request::{Action, Origin};

use crate::communication_gateway::Shared;

/// How often the books are asked what is due.
const EVERY: Duration = Duration::from_secs(1);
/// Decisions asked for at once; what is left is due still at the next look.
const AT_ONCE: usize = 512;

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
        asking.writer.read(move |books| {
            let expired = books.expired(now, AT_ONCE).map(Action::Expire);
            let reminders = books.to_remind(now, AT_ONCE).map(Action::Remind);
            expired.chain(reminders).collect::<Vec<Action>>()
        })
    };
    let due = tokio::task::spawn_blocking(question).await.ok()?.ok()?;
    let count = due.len();
    let mut answers = Vec::with_capacity(count);
    for action in due {
        let (done, decided) = tokio::sync::oneshot::channel();
        let telling = Arc::clone(shared);
        let request = Request { key: None, origin: Origin::Platform, action };
        let reply = Box::new(move |mut answer| {
            let at = (telling.clock)().time;
            telling.tell_row(&mut answer, at);
            let _ = done.send(());
        });
        // A full queue leaves the rest for the next look.
        if shared.writer.try_submit(request, reply).is_ok() {
            answers.push(decided);
        }
    }
    for decided in answers {
        decided.await.ok()?;
    }
    Some(count)
}
