//! The hand-made concurrent structures of the platform, compiled a second time over shuttle's locks, atomics and threads.
//!
//! Each is the very source file that is shipped, where `crate::sync` and `crate::thread` are the standard library's; here they
//! are shuttle's, which decides at each of their steps who goes on. The tests search many schedules of each scenario; where one fails, or
//! everybody waits for ever, shuttle prints the schedule, and `shuttle::replay` plays it again. Memory is sequentially
//! consistent here: what weaker orders of atomics allow is not searched.

// The sources' own tests run on the system's threads, in their own crates.
#![cfg(not(test))]

/// What `crate::sync` and `crate::thread` are in the sources below.
use shuttle::{sync, thread};

#[path = "../../encryption/src/card_cache.rs"]
mod card_cache;
#[expect(dead_code, reason = "the program makes its clock itself")]
#[path = "../../wakala/src/clock.rs"]
mod clock;
#[path = "../../data-center/src/postgres/fate.rs"]
mod fate;
#[path = "../../encryption/src/pool.rs"]
mod pool;
#[path = "../../data-center/src/queue.rs"]
mod queue;
#[expect(dead_code, reason = "the parts are moved by hand elsewhere")]
#[expect(clippy::large_enum_variant, reason = "what stands in for a message is smaller")]
#[path = "../../data-center/src/writer.rs"]
mod writer;

pub mod cards;
pub mod hands;
mod house;
pub mod leases;
pub mod pools;
pub mod queues;
pub mod writers;

/// What the writer asks of the books and of a store.
use house::{batch, center, messages, store};

/// What the cards' cache asks of a direction.
mod card_keys {
    #[derive(Clone, Copy, Hash, PartialEq, Eq)]
    pub(crate) enum Direction {
        Uplink,
        Downlink,
    }
}

/// What the cards' cache asks of keys: that they can be told apart.
mod secured_packet {
    #[derive(Clone, PartialEq, Eq, Debug)]
    pub(crate) struct KeySet(pub(crate) String);
}
