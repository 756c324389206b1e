//! The task that moves the [`Dispatch`].

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use data_center::{StoreError, Untold};
use tokio::sync::{mpsc, oneshot};
use transaction_processing::ids::Sequence;

use super::{Dispatch, Item, Recovery, Report, Shared, Telling};
use crate::cluster::edge::Road;
use crate::downlink::outbox::Outbox;

/// Items and reports taken at once.
const AT_ONCE: usize = 1024;
/// The longest and the shortest rest, milliseconds: the ledger's clock may be moved, and queues may have room again.
const LONGEST_REST_MS: i64 = 1_000;
const SHORTEST_REST_MS: i64 = 1;

pub(super) async fn run(
    shared: Arc<Shared>,
    mut told: mpsc::Receiver<Item>,
    mut reports: mpsc::Receiver<Report>,
    outbox: Outbox,
    telling: Telling,
) {
    let log = match telling {
        Telling::Here(log) => Some(log),
        Telling::Elsewhere(road, here) => hand_on(&shared, &mut told, &mut reports, &road, here).await,
    };
    let Some(log) = log else { return };
    let mut log = Waiting(log);
    let give_up = |error: &dyn std::error::Error| {
        tracing::error!(%error, "the log cannot be read for untold notices");
        shared.writer.stop();
    };
    let settled = match log.settled() {
        Ok(settled) => settled,
        Err(error) => return give_up(&error),
    };
    let mut dispatch = Dispatch::new(outbox, shared.centres(), settled);
    let (mut items, mut heard) = (Vec::with_capacity(AT_ONCE), Vec::with_capacity(AT_ONCE));
    loop {
        if let Err(error) = shared.dispatch(&mut dispatch, &mut log) {
            return give_up(&error);
        }
        if shared.ending.load(Ordering::Acquire) {
            // The links have ended: what they reported last is made durable.
            while let Ok(report) = reports.try_recv() {
                dispatch.handle_report(shared.now(), report);
            }
            dispatch.poll_changes(|change| shared.writer.try_record(change));
            return;
        }
        tokio::select! {
            count = reports.recv_many(&mut heard, AT_ONCE) => {
                if count == 0 {
                    return;
                }
                let now = shared.now();
                heard.drain(..).for_each(|report| dispatch.handle_report(now, report));
            }
            count = told.recv_many(&mut items, AT_ONCE) => {
                if count == 0 {
                    return;
                }
                shared.tell(&mut dispatch, items.drain(..));
            }
            () = shared.progress.wake.notified() => {}
            () = tokio::time::sleep(rest(&shared, &dispatch)) => {}
        }
    }
}

/// Hands what would be told here to the process that decides, until this one does; then it has the log. None where the doors
/// close before.
async fn hand_on(
    shared: &Shared,
    told: &mut mpsc::Receiver<Item>,
    reports: &mut mpsc::Receiver<Report>,
    road: &Road,
    mut here: oneshot::Receiver<Box<dyn Recovery>>,
) -> Option<Box<dyn Recovery>> {
    loop {
        let refused = tokio::select! {
            biased;
            log = &mut here => return log.ok(),
            Some(item) = told.recv() => road.tell(item),
            Some(report) = reports.recv() => road.report(report),
            () = shared.progress.wake.notified() => {
                if shared.ending.load(Ordering::Acquire) {
                    return None;
                }
                None
            }
        };
        if let Some((reply, status)) = refused {
            shared.respond(reply, status);
        }
    }
}

/// Reads on the thread of a task, which the runtime does without meanwhile: the database may be on another machine.
struct Waiting(Box<dyn Recovery>);

impl Recovery for Waiting {
    fn settled(&mut self) -> Result<Sequence, StoreError> {
        tokio::task::block_in_place(|| self.0.settled())
    }

    fn untold(&mut self, after: Sequence, most: usize) -> Result<(Vec<Untold>, Sequence), StoreError> {
        tokio::task::block_in_place(|| self.0.untold(after, most))
    }
}

fn rest(shared: &Shared, dispatch: &Dispatch) -> Duration {
    let due = dispatch.poll_timeout().map_or(LONGEST_REST_MS, |at| at.0 - shared.now().0);
    let rest = if dispatch.is_held_up() { SHORTEST_REST_MS } else { due.clamp(SHORTEST_REST_MS, LONGEST_REST_MS) };
    Duration::from_millis(rest.cast_unsigned())
}
