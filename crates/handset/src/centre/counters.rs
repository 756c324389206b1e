//! Counts of all that happened.

macro_rules! counters {
    ($($name:ident: $doc:literal;)*) => {
        /// Counts of all that happened since the start.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
        pub struct Counters {
            $(#[doc = $doc] pub $name: u64,)*
        }
    };
}

counters! {
    links_connected: "Links that connected.";
    links_refused: "Links that were refused because there were too many.";
    links_closed: "Links that ended, in whatever way.";
    links_dropped: "Links that a fault, or the owner, dropped.";
    binds_accepted: "Binds that were accepted.";
    binds_refused: "Binds with a wrong name or password.";
    pdus_in: "PDUs from services.";
    pdus_out: "PDUs to services.";
    originated: "Messages that phones sent to services.";
    originated_refused: "Messages of phones that were refused: unknown code, full store, too long.";
    delivered: "Messages of phones that a service took, copies not counted.";
    deliveries: "deliver_sm sent: first and later attempts, copies and receipts.";
    redeliveries: "deliver_sm sent again.";
    deliveries_unanswered: "deliver_sm that got no answer, or whose link was lost first.";
    deliveries_refused_for_now: "deliver_sm that a service refused for the moment.";
    deliveries_refused: "Messages and receipts that a service refused for good.";
    deliveries_expired: "Messages and receipts that no service took in time.";
    throttled_by_service: "Pauses that a service asked for by ESME_RTHROTTLED.";
    submitted: "submit_sm that came, refused ones included.";
    accepted: "submit_sm that were accepted.";
    throttled: "submit_sm answered ESME_RTHROTTLED.";
    queue_full: "submit_sm answered ESME_RMSGQFUL.";
    rejected: "submit_sm with an invalid destination, schedule or validity.";
    to_phones: "Messages handed to phones, copies not counted.";
    undeliverable: "Messages that ended as UNDELIV.";
    expired: "Messages that ended as EXPIRED.";
    receipts: "Receipts made, second ones included.";
    receipts_delivered: "Receipts that a service took.";
    receipts_lost: "Receipts for which the store had no room.";
    duplicated: "Fault: messages that came to a service twice.";
    reordered: "Fault: messages to a service that were overtaken.";
    delayed: "Fault: messages to a service that were held.";
    answers_lost: "Fault: answers of a service that were lost.";
    phone_duplicated: "Fault: messages that came to a phone twice.";
    phone_delayed: "Fault: messages to a phone that were held and overtaken.";
    phone_answers_lost: "Fault: answers to a submit_sm that were lost.";
    receipts_twice: "Fault: receipts that came twice.";
    receipts_held: "Fault: receipts that were held and overtaken.";
    receipts_early: "Fault: receipts before the answer to their message.";
}
