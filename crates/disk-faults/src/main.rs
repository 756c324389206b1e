//! The process that is watched, killed and given failing disks. It says `starts` before it opens the books, and `answered N`
//! when its N-th commit is durable.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use disk_faults::day::{self, Copying, Durable};
use disk_faults::errand::Errand;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let mut next = || arguments.next().expect("an argument");
    let (what, place) = (next(), PathBuf::from(next()));
    let copying =
        if arguments.next().is_some_and(|who| who == "thread") { Copying::ByThread } else { Copying::ByWriter };
    let answered = Arc::new(AtomicUsize::new(0));
    let mut tell = || -> Durable {
        let answered = Arc::clone(&answered);
        println!("starts");
        Box::new(move |_| println!("answered {}", answered.fetch_add(1, Ordering::SeqCst) + 1))
    };
    match what.to_str() {
        Some("day") => drop(day::day(&place, copying, &mut tell)),
        Some("afternoon") => drop(day::afternoon(&place, copying, &mut tell).expect("the books again")),
        what => {
            let errand = Errand::ALL.into_iter().find(|errand| Some(errand.name()) == what);
            errand.expect("what it is to do").run(&place);
            println!("answered 1");
        }
    }
    ExitCode::SUCCESS
}
