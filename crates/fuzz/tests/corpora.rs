//! Whatever a search found worth keeping is tried again, and the corpora are those of the targets.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
}

#[test]
fn every_input_of_the_corpora_holds() {
    for target in fuzz::TARGETS {
        let folder = corpora().join(target.name);
        let inputs = names(&folder);
        assert!(inputs.len() >= 5, "{}: too few to be a corpus", target.name);
        for name in inputs {
            // The last one told is the one that does not hold.
            eprintln!("{}/{name}", target.name);
            let input = fs::read(folder.join(name)).expect("an input");
            assert!(input.len() <= target.longest, "{} octets", input.len());
            (target.try_out)(&input);
        }
    }
}

#[test]
fn every_target_takes_nothing_at_all() {
    fuzz::TARGETS.iter().for_each(|target| (target.try_out)(b""));
}

#[test]
fn there_is_one_corpus_for_each_target_and_no_other() {
    let targets: BTreeSet<String> = fuzz::TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names(&corpora()), targets);
    let known = |name: &String| name.strip_suffix(".dict").is_some_and(|name| targets.contains(name));
    let dictionaries = names(&corpora().with_file_name("dictionaries"));
    assert!(dictionaries.iter().all(known), "{dictionaries:?}");
}
