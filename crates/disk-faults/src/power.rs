//! Losses of power at moments of a recorded life, each numbered, so that one of them can be made again.

use std::fmt;
use std::sync::Mutex;
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::disk::{Change, Disk, Files};
use crate::strace::Event;

/// What a process did to a disk.
#[derive(Clone)]
pub struct Recording {
    /// The disk before.
    pub start: Disk,
    /// What it did.
    pub events: Vec<Event>,
}

/// What was found after a loss of power.
#[derive(Clone)]
pub struct Found {
    /// The number of the loss.
    pub number: u64,
    /// The files.
    pub files: Files,
    /// How many answers had been given.
    pub answered: usize,
    /// How many events had happened.
    pub events: usize,
}

impl fmt::Debug for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "loss {} after {} events", self.number, self.events)
    }
}

/// A loss of power that something did not survive.
#[derive(Debug)]
pub struct Lost {
    /// Its number.
    pub number: u64,
    /// After how many events.
    pub events: usize,
    /// What is not as it must be.
    pub why: String,
}

impl Recording {
    /// The disk after all of it.
    pub fn end(&self) -> Disk {
        let mut disk = self.start.clone();
        self.changes().for_each(|change| disk.apply(change));
        disk
    }

    fn changes(&self) -> impl Iterator<Item = &Change> {
        self.events.iter().filter_map(|event| match event {
            Event::Stored(change) => Some(change),
            Event::Failed { .. } | Event::Said(_) => None,
        })
    }

    /// The kinds of its syncs, each once, in the order in which they first come.
    pub fn kinds_of_sync(&self) -> Vec<String> {
        let mut kinds = Vec::new();
        self.each_sync(|_, kind| {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        });
        kinds
    }

    /// The same life with a disk that ignores every sync of these kinds.
    pub fn without(&self, is_ignored: impl Fn(&str) -> bool) -> Recording {
        let mut left_out = Vec::new();
        self.each_sync(|index, kind| left_out.extend(is_ignored(&kind).then_some(index)));
        let kept = self.events.iter().enumerate().filter(|(index, _)| !left_out.contains(index));
        Recording { start: self.start.clone(), events: kept.map(|(_, event)| event.clone()).collect() }
    }

    fn each_sync(&self, mut each: impl FnMut(usize, String)) {
        let mut disk = self.start.clone();
        for (index, event) in self.events.iter().enumerate() {
            if let Event::Stored(change) = event {
                if let Change::Synced(of) = change {
                    each(index, disk.kind_of_sync(of.as_deref()));
                }
                disk.apply(change);
            }
        }
    }

    /// After how many events something waits to be synced, and after all.
    fn moments(&self) -> Vec<usize> {
        if self.events.is_empty() {
            return vec![0];
        }
        let mut disk = self.start.clone();
        let mut moments = Vec::new();
        for (index, event) in self.events.iter().enumerate() {
            if let Event::Stored(change) = event {
                disk.apply(change);
            }
            if disk.waits() || index + 1 == self.events.len() {
                moments.push(index + 1);
            }
        }
        moments
    }

    /// Loses power as often as there are `numbers`, and lets `judge` look at what is found. Gives the first that it does not
    /// agree with, by its number.
    pub fn lose_power(
        &self,
        seed: u64,
        numbers: std::ops::Range<u64>,
        judge: impl Fn(&Found) -> Result<(), String> + Sync,
    ) -> Option<Lost> {
        let moments = self.moments();
        let draw = |number: u64| {
            let mut random = StdRng::seed_from_u64(seed.rotate_left(32) ^ number);
            (moments[random.random_range(0..moments.len())], random)
        };
        let mut drawn: Vec<(usize, u64)> = numbers.map(|number| (draw(number).0, number)).collect();
        drawn.sort_unstable();
        let workers = crate::threads();
        let first: Mutex<Option<Lost>> = Mutex::new(None);
        let is_over = |number: u64| first.lock().expect("it").as_ref().is_some_and(|lost| lost.number < number);
        let (drawn, judge, first_lost) = (&drawn, &judge, &first);
        thread::scope(|scope| {
            for worker in 0..workers {
                scope.spawn(move || {
                    let (mut disk, mut events, mut answered) = (self.start.clone(), 0, 0);
                    for (moment, number) in drawn.iter().skip(worker).step_by(workers) {
                        for event in &self.events[events..*moment] {
                            match event {
                                Event::Stored(change) => disk.apply(change),
                                Event::Said(_) => answered += usize::from(event.is_answer()),
                                Event::Failed { .. } => {}
                            }
                        }
                        events = *moment;
                        if is_over(*number) {
                            continue;
                        }
                        let found = Found {
                            number: *number,
                            files: disk.without_power(&mut draw(*number).1),
                            answered,
                            events,
                        };
                        if let Err(why) = judge(&found) {
                            let mut first = first_lost.lock().expect("it");
                            if first.as_ref().is_none_or(|lost| *number < lost.number) {
                                *first = Some(Lost { number: *number, events, why });
                            }
                        }
                    }
                });
            }
        });
        first.into_inner().expect("it")
    }
}
