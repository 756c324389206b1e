//! The whole of it: people, phones, message centres, the network, the process, its disk, its clock. One event after the other, in
//! the order of their time, on one thread; the seed decides everything.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use data_center::batch::Batch;
use encryption::Keys;
use handset::centre::MessageCentre;

use crate::audit::codes::Codes;
use crate::audit::money::Money;
use crate::audit::promises::Promises;
use crate::audit::rows::Rows;
use crate::audit::{Finding, Verdict};
use crate::clock::Clocks;
use crate::coverage::Coverage;
use crate::depot::Depot;
use crate::dice::Dice;
use crate::fault::{Kind, Weather};
use crate::hearing::Ear;
use crate::house::{Ground, House};
use crate::network::Connection;
use crate::office::{Letters, Office};
use crate::people::Person;
use crate::plan::Plan;
use crate::{sabotage, setting};

/// What happens at a time.
pub(crate) enum Event {
    /// Somebody does something.
    Command,
    /// Other faults strike from now on.
    Weather,
    /// Octets arrive at a centre.
    ToCentre { connection: u64, octets: Vec<u8> },
    /// Octets arrive at the platform.
    ToPlatform { connection: u64, octets: Vec<u8> },
    /// The platform's end of a connection is closed, as the centre sees it.
    EndAtCentre { connection: u64 },
    /// The centre's end of a connection is closed, as the platform sees it.
    EndAtPlatform { connection: u64 },
    /// A connection that the platform asked for stands, or cannot be made.
    Connected { bind: u16, process: u64 },
    /// A phone is on again.
    PhoneOn(usize),
    /// The disk has room again.
    DiskFree,
    /// The process starts.
    Start,
    /// A process that was asked to stop must have ended.
    StopDeadline { process: u64 },
}

/// Something that is woken at a time of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub(crate) enum Part {
    Deciding,
    Commit,
    Dispatch,
    Timers,
    Link(u16),
    Centre(u16),
}

/// The streams of randomness.
pub(crate) struct Streams {
    pub(crate) people: Dice,
    pub(crate) weather: Dice,
    pub(crate) network: Dice,
    pub(crate) process: Dice,
    pub(crate) secrets: Dice,
}

/// The world of one run.
pub struct World<D: Depot> {
    pub(crate) plan: Plan,
    pub(crate) clocks: Clocks,
    pub(crate) dice: Streams,
    pub(crate) ground: Ground,
    pub(crate) depot: D,
    pub(crate) house: Option<House<D::Store>>,
    /// Counts processes: what an earlier one asked for comes to nothing.
    pub(crate) process: u64,
    pub(crate) stopping: bool,
    pub(crate) centres: Vec<MessageCentre>,
    pub(crate) unreachable_until: Vec<Duration>,
    /// Connections that their centres have not seen the end of, and the one that each bind has now.
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) current: BTreeMap<u16, u64>,
    pub(crate) next_connection: u64,
    pub(crate) people: Vec<Person>,
    pub(crate) keys: Arc<dyn Keys>,
    pub(crate) office: Office,
    pub(crate) letters: Letters,
    pub(crate) ear: Ear,
    pub(crate) weather: Weather,
    /// Whether commands come and faults strike.
    pub(crate) stormy: bool,
    pub(crate) rows: Rows,
    pub(crate) money: Money,
    pub(crate) promises: Promises,
    pub(crate) codes: Codes,
    pub(crate) coverage: Coverage,
    pub(crate) commands: u64,
    /// Messages that were given to centres, and orders that staff gave: what a run counts as commands.
    pub(crate) sent: u64,
    /// Whether a text was meddled with.
    pub(crate) meddled: bool,
    /// The balance that was told last.
    pub(crate) asked_balance: Option<i64>,
    queue: BTreeMap<(Duration, u64), Event>,
    wakes: BTreeMap<Part, Duration>,
    serial: u64,
    hash: DefaultHasher,
    /// Steps since a moment: nobody is busy without end.
    busy: (Duration, u64),
}

impl<D: Depot> World<D> {
    /// A world before its first moment.
    pub fn new(plan: Plan, depot: D) -> World<D> {
        let seed = plan.seed;
        let stream = |name| Dice::new(seed, name);
        let mut setting_dice = stream("setting");
        let (mut ground, centres) = setting::ground(&mut setting_dice, &mut stream("keys"));
        ground.policy = sabotage::policy(plan.exhibit, ground.policy);
        if let Some(disk) = depot.disk() {
            disk.have(plan.exhibit);
        }
        let mut people_dice = stream("people");
        let people = setting::people(&mut people_dice);
        let currency = ground.config.ledger.currency.currency();
        let currencies = setting::currencies(&ground.config);
        let rows = Rows::new(&ground.config.policy(), &currencies, plan.exhibit);
        let keys = Arc::clone(&ground.keys);
        World {
            clocks: Clocks::new(),
            dice: Streams {
                people: people_dice,
                weather: stream("weather"),
                network: stream("network"),
                process: stream("process"),
                secrets: stream("secrets"),
            },
            unreachable_until: vec![Duration::ZERO; centres.len()],
            centres,
            ground,
            depot,
            house: None,
            process: 0,
            stopping: false,
            connections: BTreeMap::new(),
            current: BTreeMap::new(),
            next_connection: 0,
            people,
            keys,
            office: Office::new(currency),
            letters: Letters::default(),
            ear: Ear::new(),
            weather: Weather::calm(),
            stormy: false,
            rows,
            money: Money::default(),
            promises: Promises::default(),
            codes: Codes::default(),
            coverage: Coverage::new(),
            commands: 0,
            sent: 0,
            meddled: false,
            asked_balance: None,
            queue: BTreeMap::new(),
            wakes: BTreeMap::new(),
            serial: 0,
            hash: DefaultHasher::new(),
            busy: (Duration::ZERO, 0),
            plan,
        }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// The first finding.
    pub fn run(&mut self) -> Verdict {
        self.found()?;
        self.stormy = true;
        self.at(Duration::ZERO, Event::Weather);
        self.at(Duration::ZERO, Event::Command);
        while self.commands < self.plan.commands {
            self.step()?;
        }
        self.finish()
    }

    /// The hash of all that happened.
    pub fn hash(&self) -> u64 {
        self.hash.finish()
    }

    /// Takes something into the hash.
    pub(crate) fn note(&mut self, what: impl std::hash::Hash) {
        what.hash(&mut self.hash);
    }

    pub(crate) fn now(&self) -> Duration {
        self.clocks.now()
    }

    /// Something happens so long from now.
    pub(crate) fn at(&mut self, after: Duration, event: Event) {
        self.serial += 1;
        self.queue.insert((self.now() + after, self.serial), event);
    }

    /// The same at a time that is given.
    pub(crate) fn at_time(&mut self, at: Duration, event: Event) {
        self.serial += 1;
        self.queue.insert((at.max(self.now()), self.serial), event);
    }

    /// Wakes a part so long from now, unless it wakes before.
    pub(crate) fn wake(&mut self, part: Part, after: Duration) {
        let at = self.now() + after;
        let wake = self.wakes.entry(part).or_insert(at);
        *wake = (*wake).min(at);
    }

    /// Nothing wakes a part any more.
    pub(crate) fn let_sleep(&mut self, sleeps: impl Fn(Part) -> bool) {
        self.wakes.retain(|part, _| !sleeps(*part));
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        let event = self.queue.first_key_value().map(|((at, _), _)| *at);
        self.wakes.values().copied().chain(event).min()
    }

    /// Lets the next thing happen.
    ///
    /// # Errors
    /// What an auditor finds afterwards.
    pub(crate) fn step(&mut self) -> Verdict {
        self.judge_busy()?;
        let woken = self.wakes.iter().min_by_key(|(_, at)| **at).map(|(part, at)| (*part, *at));
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        match (woken, queued) {
            (Some((part, at)), queued) if queued.is_none_or(|queued| at <= queued) => {
                self.wakes.remove(&part);
                self.clocks.pass(at);
                self.note((at, part));
                self.woken(part)
            }
            (_, Some(at)) => {
                self.clocks.pass(at);
                self.note(at);
                match self.queue.pop_first() {
                    Some((_, event)) => self.happen(event),
                    None => Ok(()),
                }
            }
            _ => Err(Finding("the world stands still".into())),
        }
    }

    /// Within a minute so many steps are more than any load explains: parts wake each other in a circle.
    fn judge_busy(&mut self) -> Verdict {
        const MOST_STEPS: u64 = 400_000;
        let now = self.now();
        if now > self.busy.0 + Duration::from_secs(60) {
            self.busy = (now, 0);
        }
        self.busy.1 += 1;
        if self.busy.1 < MOST_STEPS {
            return Ok(());
        }
        let wakes: Vec<String> = self.wakes.iter().map(|(part, at)| format!("{part:?} at {at:?}")).collect();
        Err(Finding(format!("busy without end at {now:?}: {}", wakes.join(", "))))
    }

    fn woken(&mut self, part: Part) -> Verdict {
        match part {
            Part::Deciding => self.decides(),
            Part::Commit => self.commits(),
            Part::Dispatch => self.dispatches(),
            Part::Timers => self.timers(),
            Part::Link(bind) => self.link_wakes(bind),
            Part::Centre(centre) => self.centre_wakes(centre),
        }
    }

    fn happen(&mut self, event: Event) -> Verdict {
        match event {
            Event::Command => self.command(),
            Event::Weather => {
                self.turn_weather();
                Ok(())
            }
            Event::ToCentre { connection, octets } => self.arrives_at_centre(connection, &octets),
            Event::ToPlatform { connection, octets } => self.arrives_at_platform(connection, &octets),
            Event::EndAtCentre { connection } => self.end_at_centre(connection),
            Event::EndAtPlatform { connection } => self.end_at_platform(connection),
            Event::Connected { bind, process } => self.connected(bind, process),
            Event::PhoneOn(who) => self.phone_on(who),
            Event::DiskFree => {
                if let Some(disk) = self.depot.disk() {
                    disk.arm(None);
                }
                Ok(())
            }
            Event::Start => self.start(),
            Event::StopDeadline { process } => {
                if self.process == process && self.stopping {
                    self.die();
                }
                Ok(())
            }
        }
    }

    /// Tells what happens, where somebody wants to know.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.plan.tell {
            eprintln!("{:>14.3} row {:<5} {}", self.now().as_secs_f64(), self.rows.next().0, what());
        }
    }

    /// Whether a fault strikes on this occasion, counted if it does.
    pub(crate) fn strikes(&mut self, kind: Kind) -> bool {
        let strikes = self.stormy && self.dice.weather.strikes(self.weather.odds(kind));
        if strikes {
            self.coverage.fault(kind, 1);
            self.note(kind.name());
            self.tell(|| format!("-- {} --", kind.name()));
        }
        strikes
    }

    /// A batch is durable: the auditors see it.
    pub(crate) fn see(rows: &mut Rows, promises: &mut Promises, batch: &Batch) -> Verdict {
        for text in batch.texts() {
            rows.see_text(text.text.commitment, &text.text.sealed);
        }
        for row in batch.rows() {
            rows.see(row, batch.octets(&row.changes), batch.octets(&row.notices))?;
        }
        promises.durable(batch)
    }

    /// The office must not have issued more than the bank holds (I21).
    pub(crate) fn judge_trust(&self) -> Verdict {
        let currency = self.ground.config.ledger.currency.currency();
        let (issued, trust) = (self.rows.issued(currency), self.office.trust());
        if issued <= trust { Ok(()) } else { Err(Finding(format!("I21: {issued} issued, {trust} held in trust"))) }
    }
}
