//! What a session is told at its start, and the rate at which it sends.

use crate::Secret;
use crate::smpp::field::Text;
use crate::smpp::pdu::BindKind;
use crate::smpp::receipt::MessageIdForm;
use core::num::NonZeroU32;
use core::time::Duration;

/// How an ESME binds.
#[derive(Clone)]
pub struct ClientConfig {
    /// The name the message centre knows us by.
    pub system_id: Text<15>,
    /// The password, at most 8 octets; a longer one is sent empty, which no centre accepts.
    pub password: Secret,
    /// system_type, often empty.
    pub system_type: Text<12>,
    /// The directions wanted.
    pub kind: BindKind,
    /// The rest.
    pub link: LinkConfig,
}

/// How a message centre answers binds.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The centre's name.
    pub system_id: Text<15>,
    /// The rest.
    pub link: LinkConfig,
}

/// What both sides of a link keep to.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// Own messages in flight, sent and not answered. At the bound the rest waits in the queue.
    pub window: usize,
    /// Own messages waiting to be sent. At the bound `submit` and `deliver` give the message back.
    pub queue: usize,
    /// The peer's messages that were not responded to. At the bound a client answers ESME_RMSGQFUL and a server
    /// ESME_RTHROTTLED: the peer sends again.
    pub inbound_window: usize,
    /// The highest rate of own messages; `None` leaves it to the window.
    pub rate: Option<Rate>,
    /// For how long ESME_RTHROTTLED silences the bind. Some centres ask for 60 s.
    pub throttle_pause: Duration,
    /// enquire_link goes out after this long without a PDU from the peer.
    pub enquire_link_interval: Duration,
    /// How long a response may take. A message not answered by then is unknown; a peer that has shown no sign
    /// of life by then, or has not bound, is left.
    pub response_timeout: Duration,
    /// How message ids are written in submit_sm_resp.
    pub response_id_form: MessageIdForm,
    /// How message ids are written in receipts.
    pub receipt_id_form: MessageIdForm,
}

impl Default for LinkConfig {
    /// Ten in flight, no rate, 30 s between signs of life, 10 s for a response: modest enough for any centre.
    fn default() -> Self {
        Self {
            window: 10,
            queue: 1000,
            inbound_window: 1000,
            rate: None,
            throttle_pause: Duration::from_secs(5),
            enquire_link_interval: Duration::from_secs(30),
            response_timeout: Duration::from_secs(10),
            response_id_form: MessageIdForm::Verbatim,
            receipt_id_form: MessageIdForm::Verbatim,
        }
    }
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Messages per second in the long run.
    pub per_second: NonZeroU32,
    /// Messages that may go at once after a pause.
    pub burst: NonZeroU32,
}

/// The bucket as its "theoretical arrival time" (GCRA): one value, no rounding drift, no timer.
pub(super) struct Bucket {
    interval: Duration,
    tolerance: Duration,
    arrival: Duration,
}

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        let interval = Duration::from_secs(1) / rate.per_second.get();
        Self { interval, tolerance: interval.saturating_mul(rate.burst.get() - 1), arrival: Duration::ZERO }
    }

    /// When the next message may go.
    pub(super) fn ready_at(&self) -> Duration {
        self.arrival.saturating_sub(self.tolerance)
    }

    pub(super) fn take(&mut self, now: Duration) {
        self.arrival = self.arrival.max(now) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_allows_the_burst_and_then_the_rate() {
        let rate = Rate { per_second: NonZeroU32::new(10).unwrap(), burst: NonZeroU32::new(3).unwrap() };
        let mut bucket = Bucket::new(rate);
        let mut now = Duration::from_secs(100);
        let mut sent = Vec::new();
        for _ in 0..6 {
            now = now.max(bucket.ready_at());
            bucket.take(now);
            sent.push((now - Duration::from_secs(100)).as_millis());
        }
        assert_eq!(sent, [0, 0, 0, 100, 200, 300]);
    }
}
