//! The platform as one process: the same rooms as the program's, moved by hand. Each `move_*` is what a thread or task does
//! between two waits; whatever lies in memory is gone when a [`House`] is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use data_center::batch::Batch;
use data_center::{Bounds, DataCenter, Decided, Deciding, Fatal, Store, StoreError, Writer};
use encryption::Keys;
use transaction_processing::Request;
use transaction_processing::ids::TransferId;
use transaction_processing::policy::Policy;
use wakala::communication_gateway::link::{Command, Output};
use wakala::communication_gateway::{Clock, Dispatch, Ends, Link, Numbers, Progress, Recovery, Reply, Report, Shared};
use wakala::config::{Config, CurrencyCode};
use wakala::downlink::Catalogues;
use wakala::numbering::Numbering;
use wakala::observe::metrics::Metrics;
use wakala::rooms;
use wakala::timers;
use wakala::uplink::Uplink;
use wire::smpp::{MessageId, Status};

use crate::clock;
use crate::dice::Dice;
use crate::museum::Defect;
use crate::office::Letters;
use crate::sabotage;

/// What every process starts from.
pub struct Ground {
    /// The configuration.
    pub config: Config,
    /// The policy in it, as the platform has it.
    pub policy: Policy,
    /// The keys.
    pub keys: Arc<dyn Keys>,
    /// The words.
    pub catalogues: Arc<Catalogues>,
    /// How typed numbers are read.
    pub numbering: Numbering,
    /// The centre of each bind.
    pub binds: Vec<u16>,
    /// How much the writer takes.
    pub bounds: Bounds,
    /// How many rows one sweep of the checkpoint takes.
    pub span: u64,
}

/// What a link did that somebody outside has to see.
pub enum Seen {
    /// A message became a request.
    Asked(Reply, Option<transaction_processing::request::RequestKey>),
    /// A receipt of the end of a message was reported.
    Reported(Reply, u16, MessageId),
    /// Something was acknowledged, or given back.
    Responded(Reply, Status),
    /// The connection is to be closed when the last octets are carried away.
    Closed,
}

/// One process.
pub struct House<S: Store> {
    /// What the rooms share.
    pub shared: Arc<Shared>,
    ends: Ends,
    /// The binds.
    pub links: Vec<Link>,
    /// The dispatch.
    pub dispatch: Dispatch,
    log: Box<dyn Recovery>,
    deciding: Arc<Mutex<Deciding<S::History>>>,
    store: S,
    progress: Arc<Progress>,
    /// Batches that are decided: the first is being written.
    pub decided: VecDeque<Decided>,
    /// Commits that the deciding half has not heard of.
    unheard: usize,
    /// Requests of timers that are not decided yet.
    due: Arc<()>,
    most: Most,
    /// The binds that stood when they were last looked at.
    stood: Vec<bool>,
}

/// How much each room takes in one move.
pub struct Most {
    /// Commands of a link.
    pub commands: usize,
    /// Reports and items of the dispatch.
    pub reports: usize,
}

impl<S: Store> House<S> {
    /// A process that starts. What it must decide before its doors open is decided and made durable at once; `committed` sees
    /// each of these batches.
    ///
    /// # Errors
    /// [`Fatal`] where it cannot start.
    pub fn start(
        ground: &Ground,
        store: S,
        committed: &mut dyn FnMut(&Batch),
        most: Most,
        drawn: u64,
    ) -> Result<House<S>, Fatal> {
        let Ground { config, keys, .. } = ground;
        let currencies: Vec<_> = config.currencies().into_iter().map(CurrencyCode::currency).collect();
        let restored = store.is_restored()?;
        let recovery: Box<dyn Recovery> = Box::new(store.history()?);
        let center = DataCenter::with_span(store, ground.policy.clone(), &currencies, ground.span)?;
        let clock: Clock = rooms::not_before(Arc::new(Mutex::new(center.books().moment())), clock::ledger(config));
        let opening = rooms::opening(center.books(), config, restored, (clock().time, drawn));
        let known = rooms::known(center.books());
        let (writer, deciding, mut store) = Writer::parts(center, ground.bounds);
        let deciding = Arc::new(Mutex::new(deciding));
        let metrics = Arc::new(Metrics::new("simulation", ""));
        let payees = payees::<S>(Arc::downgrade(&deciding));
        let numbers = Numbers::new(config.ledger.language.into(), payees);
        known.iter().for_each(|number| numbers.learn(number));
        let numbers = Arc::new(numbers);
        let (short_code, rations) = (config.messages.short_code.clone(), rooms::rations(config));
        let directory = Arc::clone(&numbers) as _;
        let uplink = Uplink::new(Arc::clone(keys), directory, ground.numbering.clone(), short_code, rations);
        let progress = Arc::new(Progress::default());
        let (ticking, counting, reaching) = (Arc::clone(&clock), Arc::clone(&metrics), Arc::clone(&progress));
        let (shared, ends) = Shared::new(writer, uplink, numbers, ticking, counting, reaching, &ground.binds);
        for request in opening {
            shared.decide(request, || {});
            let decided = lock(&deciding).decide(clock())?;
            if let Some(decided) = decided {
                decided.commit(&mut store)?;
                committed(decided.batch());
                lock(&deciding).committed();
                decided.answer();
            }
        }
        let unfit = |error: rooms::Unfit| StoreError::Damaged(error.to_string());
        let outbox = rooms::outbox(config, Arc::clone(keys), Arc::clone(&ground.catalogues), (drawn >> 48) as u16)
            .map_err(unfit)?;
        let mut log = recovery;
        let dispatch = Dispatch::new(outbox, shared.centres(), log.settled()?);
        let link = |(bind, number): (usize, &u16)| {
            let centre = &config.message_centre[usize::from(*number)];
            let settings = rooms::link(centre, "secret".into()).map_err(unfit)?;
            Ok(Link::new(*number, bind as u16, settings, Arc::clone(&metrics)))
        };
        let links = ground.binds.iter().enumerate().map(link).collect::<Result<Vec<_>, StoreError>>()?;
        let decided = VecDeque::new();
        let due = Arc::new(());
        let stood = vec![false; links.len()];
        Ok(House {
            shared,
            ends,
            links,
            dispatch,
            log,
            deciding,
            store,
            progress,
            decided,
            unheard: 0,
            due,
            most,
            stood,
        })
    }

    /// The books, durable or not.
    pub fn books<R>(&self, ask: impl FnOnce(&transaction_processing::Books) -> R) -> R {
        ask(lock(&self.deciding).books())
    }

    /// Whether the writer has something to decide, and may.
    pub fn may_decide(&self) -> bool {
        self.decided.len() < 2 && lock(&self.deciding).is_waiting()
    }

    /// Decides a batch; whether one is to be written now that was not before.
    ///
    /// # Errors
    /// [`Fatal`].
    pub fn move_deciding(&mut self) -> Result<bool, Fatal> {
        let mut deciding = lock(&self.deciding);
        for _ in 0..std::mem::take(&mut self.unheard) {
            deciding.committed();
        }
        let decided = deciding.decide((self.shared.clock)())?;
        let begins = self.decided.is_empty() && decided.is_some();
        self.decided.extend(decided);
        Ok(begins)
    }

    /// Makes the oldest decided batch durable. It is not answered yet.
    ///
    /// # Errors
    /// [`StoreError`]: the process must die.
    pub fn move_commit(&mut self) -> Result<(), StoreError> {
        match self.decided.front() {
            Some(decided) => decided.commit(&mut self.store),
            None => Ok(()),
        }
    }

    /// Answers the oldest decided batch, which is durable; whether another is to be written now.
    pub fn move_answers(&mut self) -> bool {
        if let Some(decided) = self.decided.pop_front() {
            self.unheard += 1;
            self.progress.reach(decided.reached());
            decided.answer();
        }
        !self.decided.is_empty()
    }

    /// Lets the dispatch do what it can.
    ///
    /// # Errors
    /// [`StoreError`]: the process must die.
    pub fn move_dispatch(&mut self) -> Result<(), StoreError> {
        let House { shared, ends, dispatch, log, most, .. } = self;
        let now = shared.now();
        let reports: Vec<_> = std::iter::from_fn(|| ends.poll_report()).take(most.reports).collect();
        reports.into_iter().for_each(|report| dispatch.handle_report(now, report));
        let items: Vec<_> = std::iter::from_fn(|| ends.poll_item()).take(most.reports).collect();
        shared.tell(dispatch, items.into_iter());
        shared.dispatch(dispatch, &mut **log)
    }

    /// Whether the dispatch is told something.
    pub fn has_news(&self) -> bool {
        self.ends.has_news()
    }

    /// The binds that are asked for something.
    pub fn asked_binds(&self) -> Vec<u16> {
        (0..self.links.len() as u16).filter(|bind| self.ends.has_commands(*bind)).collect()
    }

    /// How long until the dispatch has something to do by itself.
    pub fn dispatch_rests(&self) -> Option<Duration> {
        if self.dispatch.is_held_up() {
            return Some(Duration::from_millis(1));
        }
        let due = self.dispatch.poll_timeout()?;
        Some(Duration::from_millis((due.0 - self.shared.now().0).max(1).unsigned_abs()))
    }

    /// Obeys what a bind is asked, does what its link asks, and says what was seen. Whether it stands now and did not before.
    /// A defect meddles with what passes from the link to the other rooms.
    pub fn move_link(
        &mut self,
        bind: u16,
        now: Duration,
        dice: &mut Dice,
        defect: Option<Defect>,
        seen: &mut Vec<Seen>,
    ) -> bool {
        let Some(link) = self.links.get_mut(usize::from(bind)) else { return false };
        let mut taken = 0;
        while taken < self.most.commands
            && let Some(command) = self.ends.poll_command(bind)
        {
            if let Command::Respond(reply, status) = &command {
                seen.push(Seen::Responded(*reply, *status));
            }
            link.handle_command(now, command);
            taken += 1;
        }
        while let Some(mut output) = link.poll_output() {
            match (defect, &mut output) {
                (Some(defect), Output::Request(request, _)) => {
                    sabotage::request(defect, request, lock(&self.deciding).books(), dice);
                }
                (Some(Defect::ReportsDropped), Output::Report(Report::Submitted { .. })) if dice.below(4) == 0 => {
                    continue;
                }
                _ => {}
            }
            match &output {
                Output::Request(request, reply) => seen.push(Seen::Asked(*reply, request.key)),
                Output::Report(Report::Receipt { centre, receipt, reply }) if receipt.state.is_final() => {
                    seen.push(Seen::Reported(*reply, *centre, receipt.message_id));
                }
                _ => {}
            }
            match self.shared.serve(link, output, dice.generator()) {
                // The queue of reports is never full here: it holds more than all windows together.
                Some(Output::Report(report)) => drop(self.shared.report(report)),
                Some(_) => seen.push(Seen::Closed),
                None => {}
            }
        }
        self.shared.stands(bind, link.is_bound());
        let stood = self.stood.get_mut(usize::from(bind));
        stood.is_some_and(|stood| !std::mem::replace(stood, link.is_bound()) && link.is_bound())
    }

    /// Asks the books what is due and has it decided, unless the last of it is undecided still. Whether anything was.
    pub fn move_timers(&mut self) -> bool {
        if Arc::strong_count(&self.due) > 1 {
            return false;
        }
        let now = self.shared.now();
        let due = self.books(|books| timers::due(books, now));
        let any = !due.is_empty();
        for request in due {
            let token = Arc::clone(&self.due);
            self.shared.decide(request, move || drop(token));
        }
        any
    }

    /// How long until the books have something due.
    pub fn timers_rest(&self) -> Option<Duration> {
        let due = self.books(transaction_processing::Books::next_due)?;
        let left = (due.0 - self.shared.now().0).max(0).unsigned_abs();
        Some(Duration::from_millis(left).max(timers::EVERY))
    }

    /// A member of staff asks; the answer comes as a letter.
    pub fn ask(&self, request: Request, measure: Option<transaction_processing::proposal::Measure>, letters: &Letters) {
        let (shared, letters) = (Arc::clone(&self.shared), letters.clone());
        let reply = Box::new(move |mut answer: data_center::Answer| {
            letters.put(measure, &answer);
            shared.tell_row(&mut answer, shared.now());
        });
        // A full queue is told to the one who asks; nothing happened.
        let _ = self.shared.writer.try_submit(request, reply);
    }

    /// The batches that are decided and not durable.
    pub fn pending(&self) -> impl Iterator<Item = &Batch> {
        self.decided.iter().map(Decided::batch)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn payees<S: Store>(
    deciding: Weak<Mutex<Deciding<S::History>>>,
) -> impl Fn(TransferId) -> Option<transaction_processing::Msisdn> + Send + Sync + 'static {
    move |transfer| {
        let deciding = deciding.upgrade()?;
        lock(&deciding).books().resident_transfer(transfer).map(|held| held.payee)
    }
}
