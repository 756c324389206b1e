//! The clock that stamps decisions: the time with the ledger's business day and month in its own zone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use transaction_processing::time::{Day, Moment, Month, Time};

use crate::sync::Arc;
use crate::sync::atomic::{AtomicI32, AtomicI64, Ordering};

const SECONDS_A_DAY: i64 = 86_400;

/// The ledger's clock. It follows the system's, moved ahead where somebody asked for it, and never goes back: neither the time
/// nor day and month, whatever the system's clock or the zone do. Clones are the same clock.
#[derive(Clone)]
pub struct LedgerClock(Arc<Hands>);

struct Hands {
    zone: TimeZone,
    system: fn() -> i64,
    /// Milliseconds ahead of the system's clock.
    ahead: AtomicI64,
    /// The latest time stamped, milliseconds since 1970, and its day and month.
    latest: AtomicI64,
    day: AtomicI32,
    month: AtomicI32,
}

impl LedgerClock {
    /// The system's clock, with days in `zone`.
    pub fn new(zone: TimeZone) -> LedgerClock {
        LedgerClock::with(zone, system_milliseconds)
    }

    /// A clock that follows another than the system's: milliseconds since 1970, which may go back.
    pub fn with(zone: TimeZone, system: fn() -> i64) -> LedgerClock {
        LedgerClock(Arc::new(Hands {
            zone,
            system,
            ahead: AtomicI64::new(0),
            latest: AtomicI64::new(i64::MIN),
            day: AtomicI32::new(i32::MIN),
            month: AtomicI32::new(i32::MIN),
        }))
    }

    /// The moment now.
    pub fn moment(&self) -> Moment {
        let hands = &*self.0;
        let told = (hands.system)().saturating_add(hands.ahead.load(Ordering::Relaxed));
        let time = hands.latest.fetch_max(told, Ordering::Relaxed).max(told);
        let (day, month) = day_and_month(&hands.zone, time);
        let day = hands.day.fetch_max(day, Ordering::Relaxed).max(day);
        let month = hands.month.fetch_max(month, Ordering::Relaxed).max(month);
        Moment { time: Time(time), day: Day(day), month: Month(month) }
    }

    /// Moves the clock ahead, for a demonstration or a test: what waits for its time need not be waited for.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let more = |ahead: i64| Some(ahead.saturating_add(by));
        // The closure never declines.
        let _ = self.0.ahead.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }
}

/// The clock of a zone as a function, which is what the platform asks for.
pub fn moment(zone: TimeZone) -> impl Fn() -> Moment + Clone + Send + Sync + 'static {
    let clock = LedgerClock::new(zone);
    move || clock.moment()
}

fn system_milliseconds() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        // Before 1970 the clock is not set at all; the latest time stands until it is.
        Err(_) => 0,
    }
}

/// Days since 1970-01-01 and months since January 1970 in a zone.
fn day_and_month(zone: &TimeZone, time: i64) -> (i32, i32) {
    let timestamp = Timestamp::from_millisecond(time).unwrap_or(if time < 0 { Timestamp::MIN } else { Timestamp::MAX });
    let offset: Offset = zone.to_offset(timestamp);
    let local = timestamp.as_second().saturating_add(i64::from(offset.seconds()));
    let date = offset.to_datetime(timestamp).date();
    let month = (i32::from(date.year()) - 1970) * 12 + i32::from(date.month()) - 1;
    // Within the calendar's ten thousand years, so it always fits.
    (i32::try_from(local.div_euclid(SECONDS_A_DAY)).unwrap_or(i32::MAX), month)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// The system's clock of one test.
        static SYSTEM: Cell<i64> = const { Cell::new(0) };
    }

    fn set(time: &str) {
        SYSTEM.set(time.parse::<Timestamp>().unwrap().as_millisecond());
    }

    fn clock(zone: &str) -> LedgerClock {
        LedgerClock::with(TimeZone::get(zone).unwrap(), || SYSTEM.get())
    }

    /// Days and months as the civil calendar counts them.
    fn expected(date: &str) -> (Day, Month) {
        let date: jiff::civil::Date = date.parse().unwrap();
        let days = date.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days();
        (Day(days), Month((i32::from(date.year()) - 1970) * 12 + i32::from(date.month()) - 1))
    }

    #[test]
    fn day_and_month_are_those_of_the_zone() {
        let table = [
            ("Africa/Dar_es_Salaam", "2026-03-31T20:59:59.999Z", "2026-03-31"),
            ("Africa/Dar_es_Salaam", "2026-03-31T21:00:00Z", "2026-04-01"),
            ("Africa/Dar_es_Salaam", "2024-02-28T21:00:00Z", "2024-02-29"),
            ("UTC", "1970-01-01T00:00:00Z", "1970-01-01"),
            ("America/New_York", "2026-01-01T04:59:59Z", "2025-12-31"),
            ("America/New_York", "2026-07-01T04:00:00Z", "2026-07-01"),
            ("Asia/Kathmandu", "2026-12-31T18:15:00Z", "2027-01-01"),
        ];
        for (zone, time, date) in table {
            set(time);
            let moment = clock(zone).moment();
            assert_eq!((moment.day, moment.month), expected(date), "{zone} {time}");
            assert_eq!(moment.time.0, SYSTEM.get());
        }
    }

    #[test]
    fn neither_time_nor_day_nor_month_goes_back() {
        let clock = clock("UTC");
        set("2026-04-01T00:00:00Z");
        let first = clock.moment();
        set("2026-03-31T23:00:00Z");
        assert_eq!(clock.moment(), first);
        set("2026-04-01T00:00:00.001Z");
        assert_eq!(clock.moment().time, Time(first.time.0 + 1));
    }

    /// Where clocks are set back over midnight the same day would come twice.
    #[test]
    fn a_zone_that_falls_back_over_midnight_does_not_bring_a_day_back() {
        let clock = clock("America/Havana");
        let mut latest = Moment::default();
        for minute in 0..360 {
            set("2026-11-01T02:00:00Z");
            SYSTEM.set(SYSTEM.get() + minute * 60_000);
            let moment = clock.moment();
            assert!(moment.day >= latest.day && moment.month >= latest.month && moment.time > latest.time);
            latest = moment;
        }
    }

    #[test]
    fn the_clock_can_be_moved_ahead() {
        let clock = clock("UTC");
        set("2026-04-01T12:00:00Z");
        let before = clock.moment();
        clock.clone().advance(Duration::from_secs(7 * 86_400));
        let after = clock.moment();
        assert_eq!(after.time.0 - before.time.0, 7 * 86_400_000);
        assert_eq!(after.day.0 - before.day.0, 7);
        clock.advance(Duration::MAX);
        assert!(clock.moment().time > after.time);
    }

    #[test]
    fn the_function_tells_the_systems_time() {
        let now = moment(TimeZone::UTC);
        let (first, second) = (now(), now());
        assert!(first.time.0 > 1_700_000_000_000 && first.time <= second.time && second.day.0 > 19_000);
    }
}
