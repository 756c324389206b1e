//! Links between the platform and its message centres: octets arrive in pieces of any size, late, or not at all.

use std::time::Duration;

use handset::centre::{CentreEvent, LinkId};
use wakala::communication_gateway::{Link, Reply};
use wire::smpp::Status;

use crate::audit::Verdict;
use crate::depot::Depot;
use crate::fault::Kind;
use crate::finish::LONGEST_HELD;
use crate::house::{House, Seen};
use crate::world::{Event, Part, World};

/// One connection, until its centre has seen its end.
pub(crate) struct Connection {
    bind: u16,
    link: LinkId,
    /// Octets vanish, and neither side is told.
    silent: bool,
    /// It was cut: what had come by then is all, and both sides are told.
    cut: bool,
    /// When the last piece of each direction arrives: none overtakes another.
    to_centre: Duration,
    to_platform: Duration,
}

impl<D: Depot> World<D> {
    fn centre_of(&self, bind: u16) -> u16 {
        self.ground.binds.get(usize::from(bind)).copied().unwrap_or(0)
    }

    fn latency(&mut self) -> Duration {
        let most = if self.dice.network.below(300) == 0 { 3_000 } else { 20 };
        self.dice.network.between(Duration::from_micros(50), Duration::from_millis(most))
    }

    // ---- the platform's side --------------------------------------------------------------------------------------

    /// A link's time has come, or it has something to do.
    pub(crate) fn link_wakes(&mut self, bind: u16) -> Verdict {
        let now = self.now();
        let Some(house) = &mut self.house else { return Ok(()) };
        let Some(link) = house.links.get_mut(usize::from(bind)) else { return Ok(()) };
        link.handle_timeout(now);
        if link.poll_connect(now).is_some() {
            let latency = self.latency();
            self.at(latency, Event::Connected { bind, process: self.process });
        }
        self.tend_link(bind)
    }

    /// A connection was asked for.
    pub(crate) fn connected(&mut self, bind: u16, process: u64) -> Verdict {
        let now = self.now();
        let random = self.dice.network.number();
        if self.process != process || self.house.is_none() {
            return Ok(());
        }
        let place = usize::from(self.centre_of(bind));
        let reachable = self.unreachable_until[place] <= now;
        let link = if reachable { self.centres[place].connect(now).ok() } else { None };
        let Some(own) = self.house.as_mut().and_then(|house| house.links.get_mut(usize::from(bind))) else {
            return Ok(());
        };
        match link {
            Some(link) => {
                own.handle_connected(now);
                self.next_connection += 1;
                let connection = Connection { bind, link, silent: false, cut: false, to_centre: now, to_platform: now };
                self.connections.insert(self.next_connection, connection);
                self.current.insert(bind, self.next_connection);
            }
            None => own.handle_disconnected(now, random),
        }
        self.tend_link(bind)
    }

    /// The link at the platform's end of a connection, if that is the bind's connection still.
    fn platform_end(&mut self, connection: u64) -> Option<(u16, &mut Link)> {
        let bind = self.connections.get(&connection)?.bind;
        if self.current.get(&bind) != Some(&connection) {
            return None;
        }
        Some((bind, self.house.as_mut()?.links.get_mut(usize::from(bind))?))
    }

    /// Octets of the centre arrive.
    pub(crate) fn arrives_at_platform(&mut self, connection: u64, octets: &[u8]) -> Verdict {
        let now = self.now();
        let Some((bind, link)) = self.platform_end(connection) else { return Ok(()) };
        link.handle_bytes(now, octets);
        self.tend_link(bind)
    }

    /// The platform sees the end of a connection.
    pub(crate) fn end_at_platform(&mut self, connection: u64) -> Verdict {
        let now = self.now();
        let Some((bind, link)) = self.platform_end(connection) else { return Ok(()) };
        link.handle_connection_lost(now);
        self.tend_link(bind)
    }

    /// Does what a link asks for, carries away its octets, and sees to when it wakes.
    pub(crate) fn tend_link(&mut self, bind: u16) -> Verdict {
        let now = self.now();
        let mut seen = Vec::new();
        let defect = self.plan.exhibit.filter(|_| self.stormy);
        let Some(house) = &mut self.house else { return Ok(()) };
        let stands = house.move_link(bind, now, &mut self.dice.secrets, defect, &mut seen);
        let mut closed = false;
        let reported = seen.iter().any(|seen| matches!(seen, Seen::Reported(..)));
        for seen in seen {
            match seen {
                Seen::Asked(reply, key) => self.promises.asked(reply, key),
                Seen::Reported(reply, centre, id) => self.promises.reported(reply, centre, id),
                Seen::Responded(reply, status) => self.responded(reply, status)?,
                Seen::Closed => closed = true,
            }
        }
        if reported {
            self.acknowledge_early(true)?;
        }
        self.carry_to_centre(bind);
        if closed {
            self.platform_closes(bind);
            // What was in flight is reported now.
            return self.tend_link(bind);
        }
        self.let_sleep(|part| part == Part::Link(bind));
        let timeout = self.house.as_ref().and_then(|house| house.links.get(usize::from(bind))?.poll_timeout());
        if let Some(timeout) = timeout {
            self.wake(Part::Link(bind), timeout.saturating_sub(now));
        }
        if stands {
            let soon = self.soon();
            self.wake(Part::Dispatch, soon);
        }
        self.wake_all();
        self.end_of_stop()
    }

    fn responded(&mut self, reply: Reply, status: Status) -> Verdict {
        self.note((reply.bind, reply.generation, reply.sequence, status.0));
        if status == Status::OK {
            let pending = self.house.iter().flat_map(House::pending);
            self.promises.acknowledged(reply, pending)
        } else {
            self.promises.refused(reply);
            Ok(())
        }
    }

    /// The platform's link has ended: the last octets go, then the connection.
    fn platform_closes(&mut self, bind: u16) {
        let (now, random) = (self.now(), self.dice.network.number());
        if let Some(connection) = self.current.remove(&bind) {
            self.end_for_centre(connection);
        }
        if let Some(link) = self.house.as_mut().and_then(|house| house.links.get_mut(usize::from(bind))) {
            link.handle_disconnected(now, random);
        }
    }

    /// The process is gone, and its ends of all connections with it.
    pub(crate) fn platform_gone(&mut self) {
        for (_, connection) in std::mem::take(&mut self.current) {
            self.end_for_centre(connection);
        }
    }

    /// The centre sees the end of a connection when what is on the way has arrived; of a silent one it sees nothing.
    fn end_for_centre(&mut self, connection: u64) {
        let latency = self.latency();
        if let Some(held) = self.connections.get(&connection).filter(|held| !held.silent) {
            let at = held.to_centre.max(self.now() + latency);
            self.at_time(at, Event::EndAtCentre { connection });
        }
    }

    fn carry_to_centre(&mut self, bind: u16) {
        let mut octets = Vec::new();
        if let Some(link) = self.house.as_mut().and_then(|house| house.links.get_mut(usize::from(bind))) {
            link.poll_transmit(&mut octets);
        }
        let Some(connection) = self.current.get(&bind).copied() else { return };
        for (at, octets) in self.pieces(connection, octets, true) {
            self.at_time(at, Event::ToCentre { connection, octets });
        }
    }

    /// Cuts octets into pieces that arrive one after the other; a fault may end the connection at any of them.
    fn pieces(&mut self, connection: u64, octets: Vec<u8>, to_centre: bool) -> Vec<(Duration, Vec<u8>)> {
        if octets.is_empty() || self.connections.get(&connection).is_none_or(|held| held.silent || held.cut) {
            return Vec::new();
        }
        if self.strikes(Kind::LinkSilent)
            && let Some(held) = self.connections.get_mut(&connection)
        {
            held.silent = true;
            return Vec::new();
        }
        let cut = self.strikes(Kind::LinkCut).then(|| self.dice.network.index(octets.len()));
        let mut rest = octets;
        rest.truncate(cut.unwrap_or(rest.len()));
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let whole = self.dice.network.below(4) != 0;
            let length = if whole { rest.len() } else { 1 + self.dice.network.index(rest.len()) };
            let behind = rest.split_off(length);
            let arrives = self.now() + self.latency();
            let Some(held) = self.connections.get_mut(&connection) else { return pieces };
            let last = if to_centre { &mut held.to_centre } else { &mut held.to_platform };
            *last = (*last).max(arrives);
            pieces.push((*last, std::mem::replace(&mut rest, behind)));
        }
        if cut.is_some() {
            self.end_for_centre(connection);
            self.end_for_platform(connection);
            if let Some(held) = self.connections.get_mut(&connection) {
                held.cut = true;
            }
        }
        pieces
    }

    fn end_for_platform(&mut self, connection: u64) {
        let latency = self.latency();
        if let Some(held) = self.connections.get(&connection).filter(|held| !held.silent) {
            let at = held.to_platform.max(self.now() + latency);
            self.at_time(at, Event::EndAtPlatform { connection });
        }
    }

    // ---- the centre's side ----------------------------------------------------------------------------------------

    /// Octets of the platform arrive.
    pub(crate) fn arrives_at_centre(&mut self, connection: u64, octets: &[u8]) -> Verdict {
        let now = self.now();
        let Some(held) = self.connections.get(&connection) else { return Ok(()) };
        let (centre, link) = (self.centre_of(held.bind), held.link);
        self.centres[usize::from(centre)].handle_bytes(now, link, octets);
        self.tend_centre(centre)
    }

    /// The centre sees the end of a connection.
    pub(crate) fn end_at_centre(&mut self, connection: u64) -> Verdict {
        let now = self.now();
        let Some(held) = self.connections.remove(&connection) else { return Ok(()) };
        let centre = self.centre_of(held.bind);
        self.centres[usize::from(centre)].disconnect(now, held.link);
        self.tend_centre(centre)
    }

    /// A centre's time has come.
    pub(crate) fn centre_wakes(&mut self, centre: u16) -> Verdict {
        let now = self.now();
        self.centres[usize::from(centre)].handle_timeout(now);
        self.tend_centre(centre)
    }

    /// Hands on what a centre has for phones and for the platform.
    pub(crate) fn tend_centre(&mut self, centre: u16) -> Verdict {
        let place = usize::from(centre);
        let mut ended = Vec::new();
        while let Some(event) = self.centres[place].poll_event() {
            match event {
                CentreEvent::ToPhone { number, message } => self.phone_gets(number, &message)?,
                CentreEvent::Closed { link, .. } => ended.push(link),
                CentreEvent::Bound { .. } => {}
            }
        }
        let of_centre =
            |(id, held): (&u64, &Connection)| (self.centre_of(held.bind) == centre).then_some((*id, held.link));
        let connections: Vec<(u64, LinkId)> = self.connections.iter().filter_map(of_centre).collect();
        for (connection, link) in connections {
            let mut octets = Vec::new();
            self.centres[place].poll_transmit(link, &mut octets);
            for (at, octets) in self.pieces(connection, octets, false) {
                self.at_time(at, Event::ToPlatform { connection, octets });
            }
            if ended.contains(&link) {
                self.end_for_platform(connection);
            }
        }
        let now = self.now();
        for link in ended {
            self.centres[place].disconnect(now, link);
        }
        self.let_sleep(|part| part == Part::Centre(centre));
        if let Some(at) = self.centres[place].poll_timeout() {
            self.wake(Part::Centre(centre), at.saturating_sub(now));
        }
        Ok(())
    }

    /// The faults that centres are told to have, by the weather.
    pub(crate) fn set_centre_faults(&mut self) {
        let delay = [1, 30, 3_600, LONGEST_HELD.as_secs()][self.dice.weather.index(4)];
        let chance = |kind| if self.stormy { self.weather.probability(kind) } else { 0.0 };
        let faults = handset::centre::Faults {
            to_service: handset::centre::Disturbance {
                duplicate: chance(Kind::Doubled),
                reorder: chance(Kind::Overtaken),
                delay: chance(Kind::Held),
                lose_answer: chance(Kind::AcknowledgementLost),
            },
            to_phone: handset::centre::Disturbance {
                duplicate: chance(Kind::TextDoubled),
                reorder: 0.0,
                delay: chance(Kind::TextHeld),
                lose_answer: chance(Kind::SubmissionAnswerLost),
            },
            throttle: chance(Kind::Throttled),
            queue_full: chance(Kind::QueueFull),
            undeliverable: chance(Kind::Undeliverable),
            delay_up_to: Duration::from_secs(delay),
            lost_answer_after: Duration::from_secs(60),
            drop_link_after: None,
        };
        let receipts = handset::centre::ReceiptSettings {
            twice: chance(Kind::ReceiptDoubled),
            disorder: chance(Kind::ReceiptHeld),
            before_response: self.stormy && self.dice.weather.strikes(self.weather.odds(Kind::ReceiptEarly)),
            ..self.plan_receipts()
        };
        self.centres.iter_mut().for_each(|centre| {
            centre.set_faults(faults.clone());
            centre.set_receipts(receipts.clone());
        });
    }

    fn plan_receipts(&self) -> handset::centre::ReceiptSettings {
        crate::setting::receipts(&self.ground.config)
    }

    /// All that a centre has counted of its faults.
    pub(crate) fn count_centre_faults(&mut self) {
        let total =
            |of: fn(&handset::centre::Counters) -> u64| self.centres.iter().map(|one| of(&one.counters())).sum();
        let counts: [(Kind, u64); 12] = [
            (Kind::Doubled, total(|counters| counters.duplicated)),
            (Kind::Overtaken, total(|counters| counters.reordered)),
            (Kind::Held, total(|counters| counters.delayed)),
            (Kind::AcknowledgementLost, total(|counters| counters.answers_lost)),
            (Kind::TextDoubled, total(|counters| counters.phone_duplicated)),
            (Kind::TextHeld, total(|counters| counters.phone_delayed)),
            (Kind::SubmissionAnswerLost, total(|counters| counters.phone_answers_lost)),
            (Kind::Throttled, total(|counters| counters.throttled)),
            (Kind::QueueFull, total(|counters| counters.queue_full)),
            (Kind::Undeliverable, total(|counters| counters.undeliverable)),
            (Kind::ReceiptDoubled, total(|counters| counters.receipts_twice)),
            (Kind::ReceiptHeld, total(|counters| counters.receipts_held)),
        ];
        let early = total(|counters| counters.receipts_early);
        for (kind, count) in counts.into_iter().chain([(Kind::ReceiptEarly, early)]) {
            self.coverage.fault(kind, count);
        }
    }
}
