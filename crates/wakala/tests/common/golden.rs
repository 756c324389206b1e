//! Transcripts compared with what is written in `tests/golden`; `WAKALA_GOLDEN=write` in the environment of the tests writes
//! them anew, to be read before they are kept.

use std::fmt::Write as _;
use std::path::PathBuf;

/// What was said.
#[derive(Default)]
pub struct Transcript {
    lines: String,
    masks: Vec<(String, String)>,
}

impl Transcript {
    /// A headline.
    pub fn head(&mut self, words: &str) {
        let _ = writeln!(self.lines, "\n## {words}");
    }

    /// A message of a person.
    pub fn said(&mut self, from: &str, words: &str) {
        let _ = writeln!(self.lines, "{from} > {words}");
    }

    /// A message to a person.
    pub fn told(&mut self, to: &str, words: &str) {
        let _ = writeln!(self.lines, "{to} < {}", words.replace('\n', " / "));
    }

    /// Shows a drawn secret by a name.
    pub fn mask(&mut self, secret: &str, name: &str) {
        self.masks.push((secret.to_owned(), format!("<{name}>")));
    }

    /// Shows references by their order: they depend on keys and on how many rows were before.
    fn mask_references(&mut self) {
        let mut known: Vec<String> = Vec::new();
        let lines = self.lines.clone();
        for (at, mark) in lines.match_indices("Ref ") {
            let grouped: String = lines[at + mark.len()..].chars().take(14).collect();
            if !known.contains(&grouped) {
                known.push(grouped);
            }
        }
        for (index, grouped) in known.iter().enumerate() {
            self.mask(grouped, &format!("REF {}", index + 1));
            self.mask(&grouped.replace(' ', ""), &format!("REF {}", index + 1));
        }
    }

    /// Compares it with the file of this name.
    pub fn compare(mut self, name: &str) {
        self.mask_references();
        let mut lines = self.lines;
        for (secret, name) in &self.masks {
            lines = lines.replace(secret, name);
        }
        let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).join(name);
        if std::env::var("WAKALA_GOLDEN").is_ok_and(|value| value == "write") {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, lines.trim_start()).expect("a writable folder");
            return;
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (number, (is, golden)) in lines.trim_start().lines().zip(golden.lines()).enumerate() {
            assert_eq!(is, golden, "{name}, line {}", number + 1);
        }
        assert_eq!(lines.trim_start().lines().count(), golden.lines().count(), "{name}: as many lines");
    }
}
