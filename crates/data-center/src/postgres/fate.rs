//! What became of a lease, and who is told. The thread that renews it and the one that commits may both find that it is lost.

use tokio::sync::watch;

use crate::store::{Lost, StoreError};
use crate::sync::{Mutex, PoisonError};

/// What ends every waiting for a server.
#[derive(Clone, Default)]
pub(super) struct Standing {
    /// Why the database is this process's no more, once it is so.
    pub(super) lost: Option<String>,
    /// Of the latest server that is known to have taken over. One of an earlier timeline may never answer, and what it
    /// answers is of the past.
    pub(super) timeline: i64,
}

/// Tells how this process stands to the database.
pub(super) type Loss = watch::Receiver<Standing>;

pub(super) struct Fate {
    standing: watch::Sender<Standing>,
    tell: Mutex<Option<Lost>>,
}

impl Fate {
    /// Of a lease that stands, with a server of this timeline.
    pub(super) fn new(timeline: i64) -> Fate {
        Fate { standing: watch::Sender::new(Standing { lost: None, timeline }), tell: Mutex::new(None) }
    }

    /// It is lost. Whoever watches is told once, and why at first.
    pub(super) fn lose(&self, why: &str) -> StoreError {
        self.standing.send_if_modified(|now| now.lost.is_none() && now.lost.replace(why.to_owned()).is_none());
        self.tell();
        StoreError::LeaseLost(why.to_owned())
    }

    /// Fails where it was lost.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.standing.borrow().lost.clone().map_or(Ok(()), |why| Err(StoreError::LeaseLost(why)))
    }

    /// A server of this timeline serves; whether it is the latest known.
    pub(super) fn serves(&self, timeline: i64) -> bool {
        self.standing.send_if_modified(|now| {
            let is_news = now.timeline < timeline;
            now.timeline = now.timeline.max(timeline);
            is_news
        });
        self.standing.borrow().timeline == timeline
    }

    /// Says when it is lost.
    pub(super) fn loss(&self) -> Loss {
        self.standing.subscribe()
    }

    /// Whom to tell when it is lost; at once where it was lost before there was anybody to tell.
    pub(super) fn watch(&self, lost: Lost) {
        *self.tell.lock().unwrap_or_else(PoisonError::into_inner) = Some(lost);
        self.tell();
    }

    /// Both who lose it and who watch it come here with their own part done: the later one finds the other's.
    fn tell(&self) {
        if let Err(error) = self.check() {
            let tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(tell) = tell {
                tell(error);
            }
        }
    }
}
