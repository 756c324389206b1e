//! Without any one sync something is lost, but for those that are known to be spare.
use disk_faults::day::Copying;
use disk_faults::life::{Life, Town};
use disk_faults::strace::{Call, Fault};
use std::path::Path;

#[test]
fn probe_syncs() {
    let town = Town::new(Path::new(env!("CARGO_BIN_EXE_disk-faults")));
    let (day, calls) = town.day(Copying::ByWriter);
    let syncs: Vec<Call> = calls.into_iter().filter(|call| call.name == "fsync").collect();
    let afternoons: Vec<Life> = syncs.iter().step_by(10)
        .map(|call| town.afternoon(town.struck(Copying::ByWriter, call, Fault::Kill).unwrap())).collect();
    let mut kinds = day.recording.kinds_of_sync();
    for life in &afternoons { for kind in life.recording.kinds_of_sync() { if !kinds.contains(&kind) { kinds.push(kind) } } }
    for kind in kinds {
        let life = day.without(&kind);
        let lost = life.recording.lose_power(1, 0..600, |found| life.judge(found));
        if let Some(lost) = lost { println!("{kind}: {lost:?}"); continue; }
        let mut found = None;
        for (index, life) in afternoons.iter().enumerate() {
            let life = life.without(&kind);
            if let Some(lost) = life.recording.lose_power(1, 0..100, |found| life.judge(found)) { found = Some((index, lost)); break; }
        }
        println!("{kind}: {found:?}");
    }
}
