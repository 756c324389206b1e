//! Time: the true time of the run, which only rises, and the wall clock that the platform is shown, which jumps.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use transaction_processing::time::Time;
use wakala::clock::LedgerClock;
use wakala::communication_gateway::Clock;
use wakala::config::Config;

/// 2 March 2026, noon in Dar es Salaam: a Monday.
pub const BEGINNING_MS: i64 = 1_772_442_000_000;

thread_local! {
    /// The wall clock of the run on this thread: a clock of the ledger follows a function without state.
    static WALL_MS: Cell<i64> = const { Cell::new(BEGINNING_MS) };
}

/// The clocks of one run, which must stay on its thread.
pub struct Clocks {
    now: Duration,
    ahead_ms: i64,
}

impl Clocks {
    /// Clocks at the beginning.
    pub fn new() -> Clocks {
        let clocks = Clocks { now: Duration::ZERO, ahead_ms: 0 };
        clocks.show();
        clocks
    }

    /// The true time since the beginning.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// What the wall clock shows, milliseconds since 1970.
    pub fn wall_ms(&self) -> i64 {
        BEGINNING_MS + self.now.as_millis() as i64 + self.ahead_ms
    }

    /// How long until the wall clock, which was set back, is where the platform's stands still: no time falls.
    pub fn behind(&self, platform: Time) -> Duration {
        Duration::from_millis((platform.0 - self.wall_ms()).max(0).unsigned_abs())
    }

    /// Lets time pass until then.
    pub fn pass(&mut self, until: Duration) {
        self.now = self.now.max(until);
        self.show();
    }

    /// Sets the wall clock ahead, or back.
    pub fn jump(&mut self, by_ms: i64) {
        self.ahead_ms += by_ms;
        self.show();
    }

    fn show(&self) {
        WALL_MS.set(self.wall_ms());
    }
}

/// The clock of a platform that starts now.
pub fn ledger(config: &Config) -> Clock {
    let clock = LedgerClock::with(config.ledger.zone.time_zone().clone(), || WALL_MS.get());
    Arc::new(move || clock.moment())
}
