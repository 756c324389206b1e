//! What a run has reached: how often each kind of fault struck, and each refusal was told.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use transaction_processing::Refusal;

use crate::fault::Kind;

/// Refusals that no simulated person can be told; `every_refusal_is_reached_counts_what_it_should_and_tells_the_one_who_asked`
/// of the core reaches them.
const UNREACHABLE: &[Refusal] = &[
    // Every account of a person opens with a PIN, chosen or one-time, and no request takes it away.
    Refusal::NoPin,
    // The last counter seals nothing, as `Counter::BLOCKED` of `encryption` says, and people have cards made of that crate: the
    // books never hold it.
    Refusal::CardBlocked,
];

/// Counts of one run, or of many together.
#[derive(Clone, Default)]
pub struct Coverage {
    faults: BTreeMap<Kind, u64>,
    refusals: BTreeMap<Refusal, u64>,
    /// How often a process started.
    pub starts: u64,
    /// How often a process stopped because its store had failed.
    pub fail_stops: u64,
    /// Texts that people read.
    pub texts: u64,
    /// Acknowledgements that were looked at.
    pub acknowledgements: u64,
    /// Simulated time, seconds.
    pub seconds: u64,
    /// Messages that people sent, and orders of staff.
    pub commands: u64,
}

impl Coverage {
    /// Nothing reached yet.
    pub fn new() -> Coverage {
        Coverage::default()
    }

    /// A kind of fault struck so often.
    pub fn fault(&mut self, kind: Kind, times: u64) {
        *self.faults.entry(kind).or_default() += times;
    }

    /// Somebody was refused for this reason.
    pub fn refusal(&mut self, why: Refusal) {
        *self.refusals.entry(why).or_default() += 1;
    }

    /// How often a kind struck.
    pub fn struck(&self, kind: Kind) -> u64 {
        self.faults.get(&kind).copied().unwrap_or(0)
    }

    /// How often a refusal was told.
    pub fn refused(&self, why: Refusal) -> u64 {
        self.refusals.get(&why).copied().unwrap_or(0)
    }

    /// All faults together.
    pub fn faults(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Coverage) {
        for (kind, times) in &other.faults {
            self.fault(*kind, *times);
        }
        for (why, times) in &other.refusals {
            *self.refusals.entry(*why).or_default() += times;
        }
        self.starts += other.starts;
        self.fail_stops += other.fail_stops;
        self.texts += other.texts;
        self.acknowledgements += other.acknowledgements;
        self.seconds += other.seconds;
        self.commands += other.commands;
    }

    /// As JSON, to be read by [`Coverage::read`].
    pub fn json(&self) -> Value {
        let faults: BTreeMap<&str, u64> = Kind::ALL.iter().map(|kind| (kind.name(), self.struck(*kind))).collect();
        let refusals: BTreeMap<String, u64> =
            Refusal::ALL.iter().map(|why| (why.name().to_owned(), self.refused(*why))).collect();
        json!({
            "commands": self.commands, "starts": self.starts, "fail_stops": self.fail_stops, "texts": self.texts,
            "acknowledgements": self.acknowledgements, "seconds": self.seconds,
            "faults": faults, "refusals": refusals,
        })
    }

    /// Reads what [`Coverage::json`] gave.
    pub fn read(value: &Value) -> Coverage {
        let figure = |name: &str| value[name].as_u64().unwrap_or(0);
        let mut coverage = Coverage {
            starts: figure("starts"),
            fail_stops: figure("fail_stops"),
            texts: figure("texts"),
            acknowledgements: figure("acknowledgements"),
            seconds: figure("seconds"),
            commands: figure("commands"),
            ..Coverage::default()
        };
        for kind in Kind::ALL {
            coverage.fault(*kind, value["faults"][kind.name()].as_u64().unwrap_or(0));
        }
        for why in Refusal::ALL {
            let times = value["refusals"][why.name()].as_u64().unwrap_or(0);
            coverage.refusals.insert(*why, times);
        }
        coverage
    }

    /// The table for people.
    pub fn table(&self) -> String {
        let faults = Kind::ALL.iter().map(|kind| (kind.name().to_owned(), self.struck(*kind)));
        let refusals = Refusal::ALL.iter().map(|why| (format!("{:2} {}", *why as u8, why.name()), self.refused(*why)));
        let mut lines = vec![format!("{:32} {:>10}   {:32} {:>10}", "fault", "struck", "refusal", "told")];
        let (faults, refusals): (Vec<_>, Vec<_>) = (faults.collect(), refusals.collect());
        for index in 0..faults.len().max(refusals.len()) {
            let cell = |list: &[(String, u64)]| match list.get(index) {
                Some((name, times)) => format!("{name:32} {times:>10}"),
                None => format!("{:43}", ""),
            };
            lines.push(format!("{}   {}", cell(&faults), cell(&refusals)).trim_end().to_owned());
        }
        lines.join("\n")
    }

    /// Kinds of faults that never struck.
    pub fn missing(&self) -> Vec<&'static str> {
        Kind::ALL.iter().filter(|kind| self.struck(**kind) == 0).map(|kind| kind.name()).collect()
    }

    /// Refusals that were never told, but for those that no simulated person can be told.
    pub fn untold(&self) -> Vec<&'static str> {
        let reachable = Refusal::ALL.iter().filter(|why| !UNREACHABLE.contains(why));
        reachable.filter(|why| self.refused(**why) == 0).map(|why| why.name()).collect()
    }
}
