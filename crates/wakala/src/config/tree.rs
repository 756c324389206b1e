//! The configuration as a tree of written values, each of which knows where it was written. Layers are laid over one another
//! here, before anything is typed.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A line of the configuration file, counted from 1.
    File {
        /// The file.
        path: Arc<Path>,
        /// The line.
        line: usize,
    },
    /// An environment variable of this name.
    Environment(Arc<str>),
    /// A `--set` on the command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::Flag => f.write_str("--set"),
        }
    }
}

/// One written value and its origin.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub origin: Origin,
    pub value: Value,
}

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// In quotes.
    Text(String),
    Integer(i64),
    Boolean(bool),
    /// A date or time without quotes.
    Moment(String),
    /// A number with a point; no key takes one, but the text is kept for the complaint.
    Float(String),
    List(Vec<Node>),
    /// In the order of writing.
    Table(Vec<(String, Node)>),
    /// From the environment or the command line, where nothing is quoted: whatever the key's type makes of it.
    Raw(String),
}

impl Value {
    /// What it is, for complaints.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) | Value::Raw(_) => "text",
            Value::Integer(_) => "a whole number",
            Value::Boolean(_) => "true or false",
            Value::Moment(_) => "a date or time",
            Value::Float(_) => "a number with a point",
            Value::List(_) => "a list",
            Value::Table(_) => "a section",
        }
    }
}

impl Node {
    pub fn default(value: Value) -> Node {
        Node { origin: Origin::Default, value }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            Value::List(nodes) => nodes.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Whether `path` is written.
    pub fn has(&self, path: &str) -> bool {
        path.split('.').try_fold(self, |node, segment| node.get(segment)).is_some()
    }

    /// The origin of the deepest node on the way to `path`.
    pub fn origin_of(&self, path: &str) -> Origin {
        let mut node = self;
        for segment in path.split('.') {
            match node.get(segment) {
                Some(next) => node = next,
                None => break,
            }
        }
        node.origin.clone()
    }

    /// Lays `over` on top: tables merge key by key, anything else is replaced whole.
    pub fn overlay(&mut self, over: Node) {
        match (&mut self.value, over.value) {
            (Value::Table(entries), Value::Table(new)) => {
                self.origin = over.origin;
                for (name, node) in new {
                    match entries.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, below)) => below.overlay(node),
                        None => entries.push((name, node)),
                    }
                }
            }
            (mine, value) => {
                *mine = value;
                self.origin = over.origin;
            }
        }
    }

    /// Sets one key by its path, `section.key`, `section.0.key` for an element of a list. Tables on the way are made, elements
    /// of lists are not.
    pub fn set(&mut self, path: &str, node: Node) -> Result<(), String> {
        let (segment, rest) = path.split_once('.').map_or((path, None), |(segment, rest)| (segment, Some(rest)));
        let origin = node.origin.clone();
        let below = match &mut self.value {
            Value::Table(entries) => {
                let place = entries.iter().position(|(name, _)| name == segment).unwrap_or_else(|| {
                    entries.push((segment.to_owned(), Node { origin, value: Value::Table(Vec::new()) }));
                    entries.len() - 1
                });
                &mut entries[place].1
            }
            Value::List(nodes) => {
                let length = nodes.len();
                let element = segment.parse::<usize>().ok().and_then(|index| nodes.get_mut(index));
                element.ok_or_else(|| {
                    format!("the list has {length} elements, counted from 0; {segment:?} is none of them")
                })?
            }
            _ => return Err(format!("{segment:?} is below something that is no section")),
        };
        match rest {
            Some(rest) => below.set(rest, node),
            None => {
                *below = node;
                Ok(())
            }
        }
    }
}

/// Reads a file's text. The complaint on bad syntax names the line.
pub(super) fn parse(text: &str, path: &Path) -> Result<Node, (Origin, String)> {
    let path: Arc<Path> = path.into();
    let line = |offset: usize| text.as_bytes().iter().take(offset).filter(|octet| **octet == b'\n').count() + 1;
    let origin = |offset: usize| Origin::File { path: path.clone(), line: line(offset) };
    match DeTable::parse(text) {
        Ok(table) => {
            let entries = entries_of(table.get_ref(), &origin);
            Ok(Node { origin: origin(0), value: Value::Table(entries) })
        }
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            Err((origin(at), error.message().to_owned()))
        }
    }
}

fn entries_of(table: &DeTable<'_>, origin: &impl Fn(usize) -> Origin) -> Vec<(String, Node)> {
    let entry = |(name, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let node = node_of(value.get_ref(), name.span().start, value.span().start, origin);
        (name.get_ref().to_string(), node)
    };
    table.iter().map(entry).collect()
}

fn node_of(value: &DeValue<'_>, key_at: usize, at: usize, origin: &impl Fn(usize) -> Origin) -> Node {
    let value_read = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let text = number.as_str().replace('_', "");
            match i64::from_str_radix(&text, number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => Value::Float(text),
            }
        }
        DeValue::Float(number) => Value::Float(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Value::Boolean(*truth),
        DeValue::Datetime(moment) => Value::Moment(moment.to_string()),
        DeValue::Array(values) => {
            let element =
                |value: &Spanned<DeValue<'_>>| node_of(value.get_ref(), value.span().start, value.span().start, origin);
            Value::List(values.iter().map(element).collect())
        }
        DeValue::Table(table) => Value::Table(entries_of(table, origin)),
    };
    // A table written as [header] begins where its name stands; its span may cover more.
    let at = if matches!(value_read, Value::Table(_)) { key_at } else { at };
    Node { origin: origin(at), value: value_read }
}

/// A value from the environment or the command line: TOML where it is evidently meant (a list, a table, quotes), else raw.
pub(super) fn raw(text: &str, origin: &Origin) -> Result<Node, String> {
    let node = if text.starts_with(['[', '{', '"', '\'']) {
        let value = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
        node_of(value.get_ref(), 0, 0, &|_| origin.clone())
    } else {
        Node { origin: origin.clone(), value: Value::Raw(text.to_owned()) }
    };
    Ok(node)
}
