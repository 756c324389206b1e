//! The configuration: one typed tree, read from flags over environment over file over defaults.
//!
//! Everything that is wrong is said at once, each with its key and the place where it stands. A key that nobody knows is an
//! error. `sections` declares every key once: its type, default, range and explanation; the shipped `config/wakala.toml` is
//! made of that, and a test holds the two together.

mod check;
mod field;
mod policy;
mod secret;
mod sections;
mod show;
mod tree;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use field::Problem;
use field::{Field, Place, Schema};
pub use secret::{SecretFileError, read_secret};
pub use sections::*;
pub use show::{Shown, ShownKey, shipped_file};
pub use tree::Origin;
use tree::{Node, Value};
pub use values::{
    Amount, BindKind, Class, CurrencyCode, DefaultAlphabet, EffectiveFrom, InUse, Language, LogFormat, LogLevel,
    MessageIdForm, Payer, Priced, RegisteredPayee, Standbys, Zone,
};

/// The file that is read where none is named.
pub const STANDARD_FILE: &str = "/etc/wakala/wakala.toml";

/// The environment variable that names the file, as `--config` does.
pub const FILE_VARIABLE: &str = "WAKALA_CONFIG";

/// What begins so in the environment is a key of the configuration, and an error where it is not.
const PREFIX: &str = "WAKALA_";

/// The layers to read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file; none reads [`STANDARD_FILE`] if it is there.
    pub file: Option<PathBuf>,
    /// Environment variables. Those that do not begin with `WAKALA_` are ignored.
    pub environment: Vec<(String, String)>,
    /// `section.key=value`, in the order of the command line; the last one wins.
    pub flags: Vec<String>,
}

impl Sources {
    /// The layers of this process: the file named by `--config` or else by [`FILE_VARIABLE`], its environment, and the `--set`s.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<String>) -> Sources {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        };
        let file = file.or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
        Sources { file, environment: std::env::vars_os().filter_map(text).collect(), flags }
    }
}

/// Why there is no configuration: everything that is wrong, at once.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is wrong:{}", problems.iter().map(|problem| format!("\n  {problem}")).collect::<String>())]
pub struct ConfigError {
    /// One thing each, at least one.
    pub problems: Vec<Problem>,
}

impl Config {
    /// Reads and checks the layers.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
        read(sources).map(|(config, _)| config)
    }

    /// Reads and checks the layers, and then the files that they name on this machine: `config check`.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn check(sources: &Sources) -> Result<Config, ConfigError> {
        let (config, tree) = read(sources)?;
        let problems = check::files(&config, &|path| tree.origin_of(path));
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
    }

    /// What is wrong with this configuration beyond the types of its keys; nothing for one that was loaded. For configurations
    /// made in code.
    pub fn problems(&self) -> Vec<Problem> {
        check::problems(self, &|_| Origin::Default)
    }
}

/// Reads and checks the layers; the tree knows the origins.
fn read(sources: &Sources) -> Result<(Config, Node), ConfigError> {
    let mut problems = Vec::new();
    let tree = layers(sources, &mut problems);
    let mut place = Place { path: String::new(), range: None, problems: &mut problems };
    let config = Config::read(&tree, &mut place).unwrap_or_default();
    let misread: Vec<String> = problems.iter().map(|problem| section_of(&problem.key).to_owned()).collect();
    let checked = check::problems(&config, &|path| tree.origin_of(path));
    // What could not be read stands at its default, and must not be complained of a second time.
    problems.extend(
        checked.into_iter().filter(|problem| !misread.iter().any(|section| section == section_of(&problem.key))),
    );
    if problems.is_empty() { Ok((config, tree)) } else { Err(ConfigError { problems }) }
}

fn section_of(key: &str) -> &str {
    key.split('.').next().unwrap_or(key)
}

/// All layers, one over the other.
fn layers(sources: &Sources, problems: &mut Vec<Problem>) -> Node {
    let mut tree = Config::default().write();
    let file = sources.file.as_deref().or(Some(Path::new(STANDARD_FILE)).filter(|path| path.exists()));
    if let Some(path) = file {
        match read_file(path) {
            Ok(layer) => tree.overlay(layer),
            Err(problem) => problems.push(problem),
        }
    }
    let mut variables: Vec<_> = sources.environment.iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    variables.sort();
    for (name, value) in variables.into_iter().filter(|(name, _)| name != FILE_VARIABLE) {
        let path = name[PREFIX.len()..].to_lowercase().replace("__", ".");
        set(&mut tree, &path, value, &Origin::Environment(Arc::from(name.as_str())), problems);
    }
    for flag in &sources.flags {
        match flag.split_once('=') {
            Some((path, value)) => set(&mut tree, path.trim(), value.trim(), &Origin::Flag, problems),
            None => problems.push(Problem {
                key: flag.clone(),
                origin: Origin::Flag,
                text: "must be written section.key=value".to_owned(),
            }),
        }
    }
    tree
}

fn read_file(path: &Path) -> Result<Node, Problem> {
    let text = std::fs::read_to_string(path).map_err(|error| Problem {
        key: "--config".to_owned(),
        origin: Origin::File { path: path.into(), line: 1 },
        text: format!("cannot be read: {error}"),
    })?;
    tree::parse(&text, path).map_err(|(origin, text)| Problem { key: "syntax".to_owned(), origin, text })
}

fn set(tree: &mut Node, path: &str, value: &str, origin: &Origin, problems: &mut Vec<Problem>) {
    let done = tree::raw(value, origin).and_then(|node| tree.set(path, node));
    if let Err(text) = done {
        problems.push(Problem { key: path.to_owned(), origin: origin.clone(), text });
    }
}

/// The known key most like an unknown one: the same name in another section, or the most similar path.
fn nearest(unknown: &str) -> Option<String> {
    let mut known = Vec::new();
    if let Some(schema) = Config::schema() {
        paths(&schema, "", &mut known);
    }
    let plain = without_indexes(unknown);
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    if let Some(elsewhere) = known.iter().find(|path| last(path) == last(&plain) && path.contains('.')) {
        return Some(elsewhere.clone());
    }
    // Compared with the separators taken out, so that a missing underscore or a point too many still finds its key.
    let bare = |path: &str| path.replace(['.', '_'], "");
    let likeness = |path: &String| strsim::normalized_damerau_levenshtein(&bare(path), &bare(&plain));
    let best = known.into_iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(&best) >= 0.6).then_some(best)
}

fn without_indexes(path: &str) -> String {
    let named: Vec<&str> = path.split('.').filter(|segment| segment.parse::<usize>().is_err()).collect();
    named.join(".")
}

/// The paths of all keys and sections, without indexes.
fn paths(schema: &Schema, above: &str, found: &mut Vec<String>) {
    for key in &schema.keys {
        let path = if above.is_empty() { key.name.to_owned() } else { format!("{above}.{}", key.name) };
        if let Some(below) = &key.schema {
            paths(below, &path, found);
        }
        found.push(path);
    }
}

#[cfg(test)]
mod tests;
