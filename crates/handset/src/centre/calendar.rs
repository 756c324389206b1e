//! The centre's calendar: dates in receipts and validity periods (SMPP 3.4, 7.1.1).

use core::time::Duration;
use jiff::{SignedDuration, Timestamp, civil};
use wire::smpp::Text;

/// Where the centre's time begins, in seconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar(pub(super) i64);

/// Not a time as SMPP writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidTime;

impl Calendar {
    /// `YYMMDDhhmm`, as receipts have it; empty beyond the calendar's end.
    pub(super) fn stamp(self, time: Duration) -> String {
        let second = i64::try_from(time.as_secs()).ok().and_then(|seconds| self.0.checked_add(seconds));
        let time = second.and_then(|second| Timestamp::from_second(second).ok());
        time.map(|time| time.strftime("%y%m%d%H%M").to_string()).unwrap_or_default()
    }

    /// When a validity period ends; `None` when it is left to the centre.
    pub(super) fn end(self, validity: &Text<16>, now: Duration) -> Result<Option<Duration>, InvalidTime> {
        let digit = |octet: &u8| if octet.is_ascii_digit() { Ok(octet - b'0') } else { Err(InvalidTime) };
        let (digits, sign) = match validity.as_bytes() {
            [] => return Ok(None),
            [digits @ .., sign] if digits.len() == 15 => (digits, *sign),
            _ => return Err(InvalidTime),
        };
        let digits = digits.iter().map(digit).collect::<Result<Vec<u8>, _>>()?;
        let pair = |place: usize| i64::from(digits[2 * place]) * 10 + i64::from(digits[2 * place + 1]);
        let [year, month, day, hour, minute, second] = core::array::from_fn(pair);
        if sign == b'R' {
            // The standard does not say how long a year or a month is.
            let days = year * 365 + month * 30 + day;
            let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
            return Ok(Some(now + Duration::from_secs(seconds.unsigned_abs())));
        }
        let quarters = i64::from(digits[13]) * 10 + i64::from(digits[14]);
        let offset = match sign {
            b'+' => SignedDuration::from_mins(quarters * 15),
            b'-' => SignedDuration::from_mins(-quarters * 15),
            _ => return Err(InvalidTime),
        };
        let field = |value: i64| i8::try_from(value).map_err(|_| InvalidTime);
        let local = civil::DateTime::new(
            i16::try_from(2000 + year).map_err(|_| InvalidTime)?,
            field(month)?,
            field(day)?,
            field(hour)?,
            field(minute)?,
            field(second)?,
            0,
        );
        let utc = local.map_err(|_| InvalidTime)?.checked_sub(offset).map_err(|_| InvalidTime)?;
        let utc = utc.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| InvalidTime)?;
        // What has passed already ends at once.
        let since_origin = u64::try_from(utc.timestamp().as_second() - self.0).unwrap_or(0);
        Ok(Some(Duration::from_secs(since_origin)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 00:00:00 UTC.
    const CALENDAR: Calendar = Calendar(1_795_305_600);

    #[test]
    fn stamps() {
        assert_eq!(CALENDAR.stamp(Duration::ZERO), "2611220000");
        assert_eq!(CALENDAR.stamp(Duration::from_secs(24 * 3600 + 61)), "2611230001");
        assert_eq!(CALENDAR.stamp(Duration::MAX), "");
    }

    #[test]
    fn validity_periods() {
        let now = Duration::from_secs(1000);
        let cases: [(&str, Result<Option<u64>, InvalidTime>); 11] = [
            ("", Ok(None)),
            ("000000000500000R", Ok(Some(1300))),
            ("000002000000000R", Ok(Some(1000 + 2 * 86400))),
            ("261122010000000+", Ok(Some(3600))),
            ("261122010000004+", Ok(Some(0))),
            ("261122010000004-", Ok(Some(7200))),
            ("200101000000000+", Ok(Some(0))),
            ("000000000500000", Err(InvalidTime)),
            ("00000000050000xR", Err(InvalidTime)),
            ("261322010000000+", Err(InvalidTime)),
            ("261122010000000Z", Err(InvalidTime)),
        ];
        for (validity, expected) in cases {
            let end = CALENDAR.end(&validity.try_into().unwrap(), now);
            assert_eq!(end, expected.map(|end| end.map(Duration::from_secs)), "{validity}");
        }
    }
}
