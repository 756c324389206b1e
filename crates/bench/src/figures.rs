//! What was measured: a table for people, JSON for machines.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// The figures of one run.
pub struct Figures {
    machine: Value,
    rows: Vec<(String, Value, String)>,
}

impl Figures {
    /// None yet; names the machine they will be of.
    pub fn of_this_machine(directory: &Path) -> Figures {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let model = field("/proc/cpuinfo", "model name");
        let memory = field("/proc/meminfo", "MemTotal");
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
        let machine = json!({
            "cores": cores, "processor": model, "memory": memory, "kernel": kernel,
            "disk": file_system(directory), "sqlite": data_center::sqlite::linked_version(), "synchronous": "FULL",
        });
        eprintln!("{machine:#}");
        Figures { machine, rows: Vec::new() }
    }

    /// One more; shown at once.
    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &str) {
        let name = name.into();
        let shown = if value >= 1000.0 { grouped(value) } else { format!("{value:.2}") };
        eprintln!("{name:<62} {shown:>14} {unit}");
        self.rows.push((name, json!(value), unit.to_owned()));
    }

    /// A rate.
    pub fn rate(&mut self, name: impl Into<String>, count: u64, spent: Duration) -> f64 {
        let rate = count as f64 / spent.as_secs_f64();
        self.add(name, rate, "/s");
        rate
    }

    /// The percentiles of latencies.
    pub fn latencies(&mut self, name: &str, latencies: &mut [Duration]) {
        latencies.sort_unstable();
        let at = |share: usize| {
            latencies.get((latencies.len().saturating_sub(1)) * share / 100).copied().unwrap_or_default()
        };
        for (label, share) in [("p50", 50), ("p99", 99)] {
            self.add(format!("{name}, {label}"), at(share).as_secs_f64() * 1000.0, "ms");
        }
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut table = String::new();
        for (name, value, unit) in &self.rows {
            let value = value.as_f64().unwrap_or_default();
            let shown = if value >= 1000.0 { grouped(value) } else { format!("{value:.2}") };
            table.push_str(&format!("| {name:<60} | {shown:>13} {unit:<4} |\n"));
        }
        table
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let figures: Vec<Value> = self
            .rows
            .iter()
            .map(|(name, value, unit)| json!({ "figure": name, "value": value, "unit": unit }))
            .collect();
        json!({ "machine": self.machine, "figures": figures })
    }
}

fn field(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
}

/// The file system under a directory: the mount whose point is the longest that leads there.
fn file_system(directory: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let fields = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        Some((fields.next()?, fields.next()?, fields.next()?))
    });
    let leading = fields.filter(|(_, point, _)| directory.starts_with(point));
    leading
        .max_by_key(|(_, point, _)| point.len())
        .map_or(String::new(), |(device, _, kind)| format!("{kind} on {device}"))
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Resident memory of this process, MiB: now and at its most.
pub fn memory() -> (f64, f64) {
    let kib = |name| field("/proc/self/status", name).trim_end_matches(" kB").parse::<f64>().unwrap_or_default();
    (kib("VmRSS") / 1024.0, kib("VmHWM") / 1024.0)
}
