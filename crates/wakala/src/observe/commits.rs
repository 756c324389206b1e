//! Watches how long commits take, from outside the data centre.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use data_center::batch::Batch;
use data_center::{Fatal, Loaded, Lost, Store, StoreError};

use super::metrics::Metrics;

/// A store whose commits are measured.
pub struct Observed<S> {
    store: S,
    metrics: Arc<Metrics>,
    /// The batches that are on their way, and since when.
    under_way: VecDeque<(Arc<Batch>, Instant)>,
}

impl<S> Observed<S> {
    /// The same store, watched.
    pub fn new(store: S, metrics: Arc<Metrics>) -> Observed<S> {
        Observed { store, metrics, under_way: VecDeque::new() }
    }
}

impl<S: Store> Store for Observed<S> {
    type History = S::History;

    fn load(&mut self, window: u32, each: &mut dyn FnMut(Loaded) -> Result<(), Fatal>) -> Result<(), Fatal> {
        self.store.load(window, each)
    }

    const AHEAD: usize = S::AHEAD;

    fn append(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError> {
        self.under_way.push_back((Arc::clone(batch), Instant::now()));
        self.store.append(batch)
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.store.settle()?;
        if let Some((batch, began)) = self.under_way.pop_front() {
            self.metrics.committed(batch.rows().len(), began.elapsed(), batch.as_of());
        }
        Ok(())
    }

    fn history(&self) -> Result<S::History, StoreError> {
        self.store.history()
    }

    fn is_restored(&self) -> Result<bool, StoreError> {
        self.store.is_restored()
    }

    fn watch(&mut self, lost: Lost) {
        self.store.watch(lost);
    }
}
