//! What the writer is built on, as far as it can tell: books that number what they decide, and a store that may fail. Everything
//! that happens is written down in the order in which it happens.

use shuttle::sync::{Arc, Mutex};

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A batch was decided: the numbers of its requests and of its messages.
    Closed(Vec<u64>, Vec<u64>),
    /// The next batch was brought to the store.
    Appended,
    /// The store failed with what it was asked.
    Failed,
    /// The oldest batch that was brought is durable.
    Settled,
    /// Whoever decides was told so.
    Acknowledged,
    /// It was said that everything is durable up to this place.
    Durable(u64),
    /// The request of this number was answered.
    Answered(u64),
}

/// The order in which things happened.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Event>>>);

impl Log {
    /// This happens now.
    pub fn add(&self, event: Event) {
        self.0.lock().expect("a log").push(event);
    }

    /// All of it.
    pub fn all(&self) -> Vec<Event> {
        self.0.lock().expect("a log").clone()
    }
}

pub mod batch {
    /// The numbers of requests and messages.
    pub struct Batch {
        pub(crate) is_empty: bool,
    }

    impl Batch {
        pub(crate) fn is_empty(&self) -> bool {
            self.is_empty
        }
    }
}

pub mod messages {
    /// A message of this number is in another state.
    #[derive(Clone, PartialEq, Eq, Debug)]
    pub struct MessageChange(pub u64);
}

pub mod center {
    use std::marker::PhantomData;
    use std::sync::LazyLock;

    use shuttle::sync::Arc;
    use transaction_processing::policy::Policy;
    use transaction_processing::time::Moment;
    use transaction_processing::{Books, Currency, Request};

    use super::batch::Batch;
    use super::messages::MessageChange;
    use super::store::{Fatal, Store};
    use super::{Event, Log};

    const TZS: Currency = Currency { numeric: 834, minor_digits: 2 };

    static BOOKS: LazyLock<Books> = LazyLock::new(|| Books::new(Policy::of_no_decisions(TZS), &[]));

    /// What a request came to: its number.
    pub struct Answer(pub u64);

    pub struct DataCenter<S: Store> {
        pub(crate) decider: Decider<S::History>,
        pub(crate) store: S,
    }

    pub(crate) struct Decider<H> {
        log: Log,
        requests: Vec<u64>,
        /// So many are decided before a decision fails.
        sound: usize,
        history: PhantomData<H>,
    }

    impl<H> Decider<H> {
        pub(crate) fn new(log: Log, sound: usize) -> Decider<H> {
            Decider { log, requests: Vec::new(), sound, history: PhantomData }
        }

        pub(crate) fn books(&self) -> &Books {
            &BOOKS
        }

        pub(crate) fn moment(&self) -> Moment {
            Moment::default()
        }

        pub(crate) fn decide<'a>(
            &mut self,
            _: Moment,
            request: &Request,
            _: impl Iterator<Item = &'a Request> + Clone,
        ) -> Result<Answer, Fatal> {
            self.sound = self.sound.checked_sub(1).ok_or(Fatal::Endless)?;
            let number = number_of(request);
            self.requests.push(number);
            Ok(Answer(number))
        }

        pub(crate) fn close(&mut self, messages: Vec<MessageChange>) -> Arc<Batch> {
            let requests = std::mem::take(&mut self.requests);
            let messages: Vec<u64> = messages.into_iter().map(|message| message.0).collect();
            // As where every request is refused without a row: there is something to answer and nothing to store.
            let is_empty = messages.is_empty() && requests.iter().all(|number| number % 5 == 0);
            self.log.add(Event::Closed(requests, messages));
            Arc::new(Batch { is_empty })
        }

        pub(crate) fn committed(&mut self) {
            self.log.add(Event::Acknowledged);
        }
    }

    /// The number that a request bears in the place of an identity.
    pub(crate) fn number_of(request: &Request) -> u64 {
        request.key.map_or(0, |key| u64::from(key.0[0]))
    }
}

pub mod store {
    use shuttle::sync::{Arc, Mutex};

    use super::batch::Batch;
    use super::{Event, Log};

    #[derive(Clone, PartialEq, Eq, Debug)]
    pub enum StoreError {
        Full,
        LeaseLost(String),
    }

    #[derive(Clone, PartialEq, Eq, Debug)]
    pub enum Fatal {
        Store(StoreError),
        Endless,
        Thread,
    }

    impl From<StoreError> for Fatal {
        fn from(error: StoreError) -> Fatal {
            Fatal::Store(error)
        }
    }

    pub type Lost = Box<dyn FnOnce(StoreError) + Send>;

    pub trait Store: Send + 'static {
        type History: History;
        const AHEAD: usize;
        fn append(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError>;
        fn settle(&mut self) -> Result<(), StoreError>;
        fn watch(&mut self, lost: Lost);
    }

    pub trait History: Send + 'static {}

    impl History for () {}

    /// A store of which so many batches may be under way.
    pub(crate) struct Disk<const AHEAD: usize> {
        pub(crate) log: Log,
        /// So many calls succeed.
        pub(crate) sound: usize,
        pub(crate) lost: Arc<Mutex<Option<Lost>>>,
    }

    impl<const AHEAD: usize> Disk<AHEAD> {
        fn call(&mut self, done: Event) -> Result<(), StoreError> {
            let Some(left) = self.sound.checked_sub(1) else {
                self.log.add(Event::Failed);
                return Err(StoreError::Full);
            };
            self.sound = left;
            self.log.add(done);
            Ok(())
        }
    }

    impl<const N: usize> Store for Disk<N> {
        type History = ();
        const AHEAD: usize = N;

        fn append(&mut self, _: &Arc<Batch>) -> Result<(), StoreError> {
            self.call(Event::Appended)
        }

        fn settle(&mut self) -> Result<(), StoreError> {
            self.call(Event::Settled)
        }

        fn watch(&mut self, lost: Lost) {
            *self.lost.lock().expect("a store") = Some(lost);
        }
    }
}
