//! The configuration as people read it: each key with its value and origin, and the file that is shipped.

use std::fmt::Write as _;

use super::field::Key;
use super::*;

/// One key as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownKey {
    /// Its path, `section.key`.
    pub key: String,
    /// Its value as TOML.
    pub value: String,
    /// Its value as JSON.
    pub json: serde_json::Value,
    /// Where it was written.
    pub origin: Origin,
}

/// The whole configuration with its origins. It holds no secrets: the configuration never does.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Every key, in the order of the shipped file.
    pub keys: Vec<ShownKey>,
}

impl Shown {
    /// Reads and checks the layers, and tells for every key where it came from.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn load(sources: &Sources) -> Result<Shown, ConfigError> {
        let (config, tree) = read(sources)?;
        let mut keys = Vec::new();
        flatten(&config.write(), "", &tree, &mut keys);
        Ok(Shown { keys })
    }

    /// One line a key: value and origin.
    pub fn text(&self) -> String {
        let line = |shown: &ShownKey| format!("{} = {}", shown.key, shown.value);
        let width =
            self.keys.iter().map(|shown| line(shown).chars().count()).filter(|width| *width <= 72).max().unwrap_or(0);
        let shown = |shown: &ShownKey| format!("{:width$}  # {}\n", line(shown), shown.origin);
        self.keys.iter().map(shown).collect()
    }

    /// One object: each key's path with its value and origin.
    pub fn json(&self) -> serde_json::Value {
        let entry = |shown: &ShownKey| {
            (shown.key.clone(), serde_json::json!({ "value": shown.json, "origin": shown.origin.to_string() }))
        };
        serde_json::Value::Object(self.keys.iter().map(entry).collect())
    }
}

fn flatten(node: &Node, path: &str, tree: &Node, keys: &mut Vec<ShownKey>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match &node.value {
        Value::Table(entries) => {
            for (name, node) in entries {
                flatten(node, &below(name), tree, keys);
            }
        }
        Value::List(nodes) if nodes.iter().any(|node| matches!(node.value, Value::Table(_))) => {
            for (index, node) in nodes.iter().enumerate() {
                flatten(node, &below(&index.to_string()), tree, keys);
            }
        }
        value => keys.push(ShownKey {
            key: path.to_owned(),
            value: toml(value),
            json: json(value),
            // A key that is absent in the layers stands at the default of its section, whatever layer the section is of.
            origin: if tree.has(path) { tree.origin_of(path) } else { Origin::Default },
        }),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) | Value::Raw(text) | Value::Moment(text) | Value::Float(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Boolean(truth) => (*truth).into(),
        Value::List(nodes) => nodes.iter().map(|node| json(&node.value)).collect(),
        Value::Table(entries) => {
            serde_json::Value::Object(entries.iter().map(|(name, node)| (name.clone(), json(&node.value))).collect())
        }
    }
}

/// A value in TOML, sections inline.
fn toml(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Text(text) | Value::Raw(text) => ::toml::Value::String(text.clone()).to_string(),
        Value::Moment(text) | Value::Float(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::List(nodes) => format!("[{}]", joined(nodes.iter().map(|node| toml(&node.value)).collect())),
        Value::Table(entries) => {
            let entry = |(name, node): &(String, Node)| format!("{name} = {}", toml(&node.value));
            format!("{{ {} }}", joined(entries.iter().map(entry).collect()))
        }
    }
}

/// The width of comment lines.
const WIDTH: usize = 110;

/// The file `config/wakala.toml`: every key, explained, with its default. Keys and sections that are absent by default stand
/// behind a `#` without a space.
pub fn shipped_file() -> String {
    let mut out = String::new();
    let Some(schema) = Config::schema() else { return out };
    let defaults = Config::default().write();
    comment(&mut out, "", &schema.about);
    for key in &schema.keys {
        section(&mut out, key, defaults.get(key.name));
    }
    out
}

fn section(out: &mut String, key: &Key, value: Option<&Node>) {
    out.push('\n');
    comment(out, "", &key.about);
    let (Some(schema), Some(value)) = (&key.schema, value) else { return };
    match &value.value {
        Value::List(nodes) if nodes.is_empty() => {
            let _ = writeln!(out, "#[[{}]]", key.name);
            entries(out, schema, None, "#");
        }
        Value::List(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                let _ = writeln!(out, "{}[[{}]]", if index == 0 { "" } else { "\n" }, key.name);
                if index == 0 { entries(out, schema, Some(node), "") } else { bare_entries(out, node) }
            }
        }
        _ => {
            let _ = writeln!(out, "[{}]", key.name);
            entries(out, schema, Some(value), "");
        }
    }
}

/// Every key of a section with its explanation; all of them behind `mark` where there is no value.
fn entries(out: &mut String, schema: &Schema, value: Option<&Node>, mark: &str) {
    for key in &schema.keys {
        let mut about = key.about.join(" ").trim().to_owned();
        if let Some((least, most)) = key.range {
            let _ = write!(about, " From {least} to {most}.");
        }
        comment(out, "", &[&about]);
        for below in key.schema.iter().flat_map(|schema| &schema.keys) {
            comment(out, "  ", &[&format!("{}: {}", below.name, below.about.join(" ").trim())]);
        }
        let written = value.and_then(|value| value.get(key.name));
        let mark = if written.is_none() { "#" } else { mark };
        line(out, mark, key.name, written.unwrap_or(&key.example));
    }
}

fn bare_entries(out: &mut String, node: &Node) {
    if let Value::Table(entries) = &node.value {
        entries.iter().for_each(|(name, node)| line(out, "", name, node));
    }
}

/// One key; a list of sections has a line for each.
fn line(out: &mut String, mark: &str, name: &str, node: &Node) {
    match &node.value {
        Value::List(nodes) if nodes.iter().any(|node| matches!(node.value, Value::Table(_))) => {
            let _ = writeln!(out, "{mark}{name} = [");
            for node in nodes {
                let _ = writeln!(out, "{mark}  {},", toml(&node.value));
            }
            let _ = writeln!(out, "{mark}]");
        }
        value => {
            let _ = writeln!(out, "{mark}{name} = {}", toml(value));
        }
    }
}

fn comment(out: &mut String, indent: &str, about: &[&str]) {
    let text = about.join(" ");
    let mut current = String::new();
    for word in text.split_whitespace() {
        if current.len() + word.len() > WIDTH && !current.is_empty() {
            let _ = writeln!(out, "# {indent}{}", current.trim_end());
            current.clear();
        }
        current.push_str(word);
        current.push(' ');
    }
    let _ = writeln!(out, "# {indent}{}", current.trim_end());
}
