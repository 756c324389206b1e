//! The life of the process: it starts, decides, commits, dies at whatever point, and starts again.

use std::time::Duration;

use data_center::Fatal;
use wakala::communication_gateway::link::Command;

use crate::audit::rows::Rows;
use crate::audit::{Finding, Verdict};
use crate::depot::Depot;
use crate::disk::DiskFault;
use crate::fault::Kind;
use crate::house::{House, Most};
use crate::museum::Defect;
use crate::setting;
use crate::world::{Event, Part, World};

/// A process that is asked to stop ends within this time.
const STOP_WITHIN: Duration = Duration::from_secs(20);

impl<D: Depot> World<D> {
    /// A little while, as threads and tasks take to get on.
    pub(crate) fn soon(&mut self) -> Duration {
        let most = if self.dice.process.below(200) == 0 { 500 } else { 3 };
        self.dice.process.between(Duration::ZERO, Duration::from_millis(most))
    }

    /// How long a commit takes.
    fn flush_time(&mut self) -> Duration {
        if self.strikes(Kind::DiskSlow) {
            return self.dice.process.between(Duration::from_millis(500), Duration::from_secs(8));
        }
        self.dice.process.between(Duration::from_micros(100), Duration::from_millis(8))
    }

    /// The process starts, or cannot and is started again later.
    pub(crate) fn start(&mut self) -> Verdict {
        if self.house.is_some() {
            return Ok(());
        }
        self.process += 1;
        self.stopping = false;
        let most = Most { commands: 1 + self.dice.process.index(64), reports: 1 + self.dice.process.index(64) };
        // What the references of parts begin with is drawn at each start, and phones join parts of two messages if it comes near
        // what a start before has come to: of sixteen bits that is rare, and known. Here starts that follow one another begin far
        // apart: steps of the golden ratio leave thousands of references between any eight of them.
        let first_reference = self.process.wrapping_mul(40_503) & 0xffff;
        let drawn = self.dice.process.number() >> 16 | first_reference << 48;
        let mut seen = Ok(());
        let (rows, promises) = (&mut self.rows, &mut self.promises);
        let started = self.depot.open().map_err(Fatal::from).and_then(|store| {
            let mut committed = |batch: &data_center::batch::Batch| {
                if seen.is_ok() {
                    seen = World::<D>::see(rows, promises, batch);
                }
            };
            House::start(&self.ground, store, &mut committed, most, drawn)
        });
        seen?;
        match started {
            Ok(house) => {
                house.books(|books| self.rows.compare(books))?;
                self.house = Some(house);
                self.coverage.starts += 1;
            }
            Err(error) => return self.died_of(error),
        }
        if self.strikes(Kind::KilledStarting) {
            self.die();
            return Ok(());
        }
        for part in [Part::Dispatch, Part::Timers, Part::Deciding] {
            let soon = self.soon();
            self.wake(part, soon);
        }
        for bind in 0..self.ground.binds.len() as u16 {
            self.wake(Part::Link(bind), Duration::ZERO);
        }
        Ok(())
    }

    /// The process is gone, with everything in its memory. It is started again.
    pub(crate) fn die(&mut self) {
        self.house = None;
        self.stopping = false;
        self.promises.process_died();
        self.letters.take();
        self.platform_gone();
        self.let_sleep(|part| !matches!(part, Part::Centre(_)));
        let most = if self.dice.process.below(8) == 0 { 600 } else { 5 };
        let down = self.dice.process.between(Duration::from_millis(100), Duration::from_secs(most));
        self.at(down, Event::Start);
    }

    /// The process stops because it must: the store has failed. Anything else would be a finding.
    fn died_of(&mut self, fatal: Fatal) -> Verdict {
        match fatal {
            Fatal::Store(data_center::StoreError::File { .. }) => {
                if let Some(disk) = self.depot.disk() {
                    disk.fail_reads(false);
                }
                self.coverage.fail_stops += 1;
                self.die();
                Ok(())
            }
            other => Err(Finding(format!("the process ended: {other}"))),
        }
    }

    /// The deciding half has something to do.
    pub(crate) fn decides(&mut self) -> Verdict {
        let Some(house) = &mut self.house else { return Ok(()) };
        if !house.may_decide() {
            return Ok(());
        }
        let begins = match house.move_deciding() {
            Ok(begins) => begins,
            Err(fatal) => return self.died_of(fatal),
        };
        if self.strikes(Kind::KilledDecided) {
            self.die();
            return Ok(());
        }
        self.acknowledge_early(false)?;
        if begins {
            let flush = self.flush_time();
            self.wake(Part::Commit, flush);
        }
        self.decide_on();
        Ok(())
    }

    /// Wakes the deciding half where something waits for it.
    pub(crate) fn decide_on(&mut self) {
        if self.house.as_ref().is_some_and(House::may_decide) {
            let soon = self.soon();
            self.wake(Part::Deciding, soon);
        }
    }

    /// A flush comes to its end.
    pub(crate) fn commits(&mut self) -> Verdict {
        if self.house.is_none() {
            return Ok(());
        }
        if self.strikes(Kind::KilledUnwritten) {
            if let (Some(house), Some(disk)) = (&self.house, self.depot.disk()) {
                house.pending().take(1).for_each(|batch| disk.loses_power(batch));
            }
            self.die();
            return Ok(());
        }
        let fault = self.disk_fault();
        if let (Some(fault), Some(disk)) = (fault, self.depot.disk()) {
            disk.arm(Some(fault));
        }
        let Some(house) = &mut self.house else { return Ok(()) };
        let committed = house.move_commit();
        if let (Some(fault), Some(disk)) = (fault, self.depot.disk())
            && fault != DiskFault::Full
        {
            disk.arm(None);
        }
        let durable = committed.is_ok() || fault == Some(DiskFault::SyncFailedKept);
        if durable && let Some(batch) = house.pending().next() {
            World::<D>::see(&mut self.rows, &mut self.promises, batch)?;
        }
        self.judge_trust()?;
        if let Err(error) = committed {
            return self.died_of(error.into());
        }
        if self.strikes(Kind::KilledWritten) {
            self.die();
            return Ok(());
        }
        let more = self.house.as_mut().is_some_and(House::move_answers);
        if more {
            let flush = self.flush_time();
            self.wake(Part::Commit, flush);
        }
        self.read_letters();
        // Receipts may be acknowledged now.
        let soon = self.soon();
        self.wake(Part::Dispatch, soon);
        self.wake_all();
        Ok(())
    }

    fn disk_fault(&mut self) -> Option<DiskFault> {
        self.depot.disk()?;
        if self.strikes(Kind::SyncFailedKept) {
            return Some(DiskFault::SyncFailedKept);
        }
        if self.strikes(Kind::SyncFailedLost) {
            return Some(DiskFault::SyncFailedLost);
        }
        if self.strikes(Kind::DiskFull) {
            let full = self.dice.process.between(Duration::from_secs(5), Duration::from_secs(300));
            self.at(full, Event::DiskFree);
            return Some(DiskFault::Full);
        }
        None
    }

    /// Wakes whoever has something to do.
    pub(crate) fn wake_all(&mut self) {
        let Some(house) = &self.house else { return };
        let (news, asked) = (house.has_news(), house.asked_binds());
        if news {
            let soon = self.soon();
            self.wake(Part::Dispatch, soon);
        }
        for bind in asked {
            let soon = self.soon();
            self.wake(Part::Link(bind), soon);
        }
        self.decide_on();
    }

    /// The dispatch does what it can.
    pub(crate) fn dispatches(&mut self) -> Verdict {
        if self.strikes(Kind::ReadFailed)
            && let Some(disk) = self.depot.disk()
        {
            disk.fail_reads(true);
        }
        let Some(house) = &mut self.house else { return Ok(()) };
        let moved = house.move_dispatch();
        if let Some(disk) = self.depot.disk() {
            disk.fail_reads(false);
        }
        if let Err(error) = moved {
            return self.died_of(error.into());
        }
        if let Some(rests) = self.house.as_ref().and_then(House::dispatch_rests) {
            self.wake(Part::Dispatch, rests);
        }
        self.wake_all();
        self.end_of_stop()
    }

    /// Timers look at what is due.
    pub(crate) fn timers(&mut self) -> Verdict {
        let Some(house) = &mut self.house else { return Ok(()) };
        if !self.stopping && self.plan.exhibit != Some(Defect::TimersSleep) {
            house.move_timers();
        }
        let rests = house.timers_rest();
        if let Some(rests) = rests {
            self.wake(Part::Timers, rests);
        }
        self.decide_on();
        Ok(())
    }

    /// The process is asked to stop: nothing new is taken, binds are unbound, what was brought is decided.
    pub(crate) fn stop(&mut self) -> Verdict {
        let now = self.now();
        let Some(house) = &mut self.house else { return Ok(()) };
        self.stopping = true;
        for link in &mut house.links {
            link.handle_command(now, Command::Drain);
            link.handle_command(now, Command::Close);
        }
        self.at(STOP_WITHIN, Event::StopDeadline { process: self.process });
        self.wake_all();
        Ok(())
    }

    /// A process that stops has ended when its links have, and everything is durable.
    pub(crate) fn end_of_stop(&mut self) -> Verdict {
        let Some(house) = self.house.as_ref().filter(|_| self.stopping) else { return Ok(()) };
        let ended = house.links.iter().all(wakala::communication_gateway::Link::has_ended);
        if ended && !house.may_decide() && house.pending().next().is_none() {
            self.die();
        }
        Ok(())
    }

    /// The database is lost and restored from a backup: what came after it never was.
    pub(crate) fn restore(&mut self) -> Verdict {
        let Some(image) = self.depot.disk().and_then(|disk| disk.backup()) else { return Ok(()) };
        self.die();
        let mut restored = image;
        restored.restore(self.plan.exhibit != Some(Defect::UnmarkedRestore));
        let policy = self.ground.config.policy();
        let mut rows = Rows::new(&policy, &setting::currencies(&self.ground.config), self.plan.exhibit);
        for (commitment, sealed) in restored.texts() {
            rows.see_text(commitment, sealed);
        }
        for stored in restored.rows() {
            rows.see(&stored.row, &stored.changes, &stored.notices)?;
        }
        self.promises.disk_replaced(restored.messages().values());
        let keys = std::sync::Arc::clone(&self.keys);
        self.money.restored(&self.rows, &rows, |reference| keys.reference_id(reference));
        self.rows = rows;
        self.office.reconcile(self.rows.books());
        if let Some(disk) = self.depot.disk() {
            disk.replace(restored);
        }
        self.insert_cards();
        Ok(())
    }
}
