//! How typed keys are read from written values, written back, and described; and the macro that declares a section with its
//! keys, defaults, ranges and explanations in one place.

use std::path::PathBuf;

use super::tree::{Node, Origin, Value};

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, `section.key`.
    pub key: String,
    /// Where it was written.
    pub origin: Origin,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.key, self.text, self.origin)
    }
}

/// Where reading stands: the path of the key, and the complaints so far.
pub(super) struct Place<'a> {
    pub path: String,
    pub range: Option<(i64, i64)>,
    pub problems: &'a mut Vec<Problem>,
}

impl Place<'_> {
    pub fn complain(&mut self, origin: &Origin, text: impl Into<String>) {
        self.problems.push(Problem { key: self.path.clone(), origin: origin.clone(), text: text.into() });
    }

    fn below(&mut self, name: &str) -> Place<'_> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Place { path, range: self.range, problems: self.problems }
    }
}

/// A type that a key may have.
pub(super) trait Field: Sized {
    /// The value; none where it was complained of.
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self>;
    /// The value as it would be written.
    fn write(&self) -> Node;
    /// The keys below, where this is a section or a list of them.
    fn schema() -> Option<Schema> {
        None
    }
}

/// What is known of a section.
pub(super) struct Schema {
    pub about: Vec<&'static str>,
    pub keys: Vec<Key>,
}

/// What is known of a key.
pub(super) struct Key {
    pub name: &'static str,
    pub about: Vec<&'static str>,
    /// The default, or an example where there is none.
    pub example: Node,
    pub range: Option<(i64, i64)>,
    pub schema: Option<Schema>,
}

/// A section being read.
pub(super) struct Reader<'n, 'p, 'a> {
    node: &'n Node,
    place: &'p mut Place<'a>,
}

impl<'n, 'p, 'a> Reader<'n, 'p, 'a> {
    /// Complains of every key that is not among `known`.
    pub fn open(node: &'n Node, place: &'p mut Place<'a>, known: &[&str]) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            place.complain(&node.origin, format!("must be a section with keys, not {}", node.value.kind()));
            return None;
        };
        for (name, entry) in entries.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let mut place = place.below(name);
            let advice = super::nearest(&place.path).map_or(String::new(), |near| format!("; did you mean {near}?"));
            place.complain(&entry.origin, format!("there is no such key{advice}"));
        }
        Some(Reader { node, place })
    }

    /// The value of a key, or `default` where it is not written or was complained of.
    pub fn field<T: Field>(&mut self, name: &str, range: Option<(i64, i64)>, required: bool, default: T) -> T {
        let Some(node) = self.node.get(name) else {
            if required {
                self.place.below(name).complain(&self.node.origin, "must be given");
            }
            return default;
        };
        let mut place = self.place.below(name);
        place.range = range;
        T::read(node, &mut place).unwrap_or(default)
    }
}

/// Helpers of [`section`] for the three kinds of keys: with a default, `required` (the expression is an example), and
/// `optional` (`Option` of the type; the expression is an example).
macro_rules! kind {
    (type optional $type:ty) => { Option<$type> };
    (type required $type:ty) => { $type };
    (type $type:ty) => { $type };
    (default optional $value:expr) => { None };
    (default required $value:expr) => { $value };
    (default $value:expr) => { $value };
    (range) => { None };
    (range $range:expr) => { Some((*$range.start() as i64, *$range.end() as i64)) };
}
pub(super) use kind;

/// Declares a section: `/// explanation` and `key: Type = default, range;` for each key. The explanations are the comments of
/// the shipped file.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:ident {
            $( $(#[doc = $doc:literal])* $field:ident : $type:ty $(, $flag:ident)? = $value:expr $(, $range:expr)?; )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $( $(#[doc = $doc])* pub $field: $crate::config::field::kind!(type $($flag)? $type), )* }

        impl Default for $name {
            fn default() -> Self {
                $name { $( $field: $crate::config::field::kind!(default $($flag)? $value), )* }
            }
        }

        impl $crate::config::field::Field for $name {
            fn read(
                node: &$crate::config::tree::Node, place: &mut $crate::config::field::Place<'_>,
            ) -> Option<Self> {
                let mut reader = $crate::config::field::Reader::open(node, place, &[$(stringify!($field)),*])?;
                Some($name { $( $field: {
                    let required = stringify!($($flag)?) == "required";
                    let range = $crate::config::field::kind!(range $($range)?);
                    let default: $crate::config::field::kind!(type $($flag)? $type) =
                        $crate::config::field::kind!(default $($flag)? $value);
                    reader.field(stringify!($field), range, required, default)
                }, )* })
            }

            fn write(&self) -> $crate::config::tree::Node {
                let mut entries = Vec::new();
                $( $crate::config::field::entry(&mut entries, stringify!($field), &self.$field); )*
                $crate::config::tree::Node::default($crate::config::tree::Value::Table(entries))
            }

            fn schema() -> Option<$crate::config::field::Schema> {
                let keys = vec![$( $crate::config::field::Key {
                    name: stringify!($field),
                    about: vec![$($doc),*],
                    example: { let example: $type = $value; $crate::config::field::Field::write(&example) },
                    range: $crate::config::field::kind!(range $($range)?),
                    schema: <$type as $crate::config::field::Field>::schema(),
                } ),*];
                Some($crate::config::field::Schema { about: vec![$($about),*], keys })
            }
        }
    };
}
pub(super) use section;

/// Declares a closed choice of words.
macro_rules! words {
    ($(#[doc = $about:literal])* $name:ident { $( $(#[doc = $doc:literal])* $variant:ident = $word:literal, )* }) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $( $(#[doc = $doc])* $variant, )* }

        impl $name {
            /// The word in the configuration.
            pub fn word(self) -> &'static str {
                match self { $( $name::$variant => $word, )* }
            }
        }

        impl $crate::config::field::Field for $name {
            fn read(
                node: &$crate::config::tree::Node, place: &mut $crate::config::field::Place<'_>,
            ) -> Option<Self> {
                match $crate::config::field::text(node, place)? {
                    $( $word => Some($name::$variant), )*
                    other => {
                        let choice = [$($word),*].map(|word| format!("{word:?}")).join(", ");
                        place.complain(&node.origin, format!("{other:?} is none of {choice}"));
                        None
                    }
                }
            }

            fn write(&self) -> $crate::config::tree::Node {
                $crate::config::tree::Node::default($crate::config::tree::Value::Text(self.word().to_owned()))
            }
        }
    };
}
pub(super) use words;

/// Writes a key into its section, unless it is left out.
pub(super) fn entry<T: Field>(entries: &mut Vec<(String, Node)>, name: &str, value: &T) {
    let node = value.write();
    let left_out = matches!(&node.value, Value::Raw(text) if text.is_empty());
    if !left_out {
        entries.push((name.to_owned(), node));
    }
}

/// The text of a node, or a complaint.
pub(super) fn text<'n>(node: &'n Node, place: &mut Place<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Text(text) | Value::Raw(text) => Some(text),
        other => {
            place.complain(&node.origin, format!("must be text in quotes, not {}", other.kind()));
            None
        }
    }
}

impl Field for String {
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
        text(node, place).map(str::to_owned)
    }

    fn write(&self) -> Node {
        Node::default(Value::Text(self.clone()))
    }
}

impl Field for PathBuf {
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
        let text = text(node, place)?;
        if text.trim().is_empty() {
            place.complain(&node.origin, "must be the path of a file");
            return None;
        }
        Some(text.into())
    }

    fn write(&self) -> Node {
        Node::default(Value::Text(self.display().to_string()))
    }
}

impl Field for bool {
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
        match &node.value {
            Value::Boolean(truth) => Some(*truth),
            Value::Raw(text) if text == "true" => Some(true),
            Value::Raw(text) if text == "false" => Some(false),
            other => {
                place.complain(&node.origin, format!("must be true or false, not {}", other.kind()));
                None
            }
        }
    }

    fn write(&self) -> Node {
        Node::default(Value::Boolean(*self))
    }
}

/// A whole number within the key's range.
fn integer(node: &Node, place: &mut Place<'_>, widest: (i64, i64)) -> Option<i64> {
    let (least, most) = place.range.unwrap_or(widest);
    let number = match &node.value {
        Value::Integer(number) => Some(*number),
        Value::Raw(text) => text.parse().ok(),
        _ => None,
    };
    if let Some(number) = number.filter(|number| (least..=most).contains(number)) {
        return Some(number);
    }
    place.complain(&node.origin, format!("must be a whole number from {least} to {most}"));
    None
}

macro_rules! integers {
    ($($type:ty),*) => { $(
        impl Field for $type {
            fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
                integer(node, place, (i64::from(<$type>::MIN), i64::from(<$type>::MAX)))?.try_into().ok()
            }

            fn write(&self) -> Node {
                Node::default(Value::Integer(i64::from(*self)))
            }
        }
    )* };
}
integers!(u8, u16, u32);

impl<T: Field> Field for Vec<T> {
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
        // Outside of a file a list of plain words needs no brackets: a, b, c.
        let split: Vec<Node>;
        let nodes = match &node.value {
            Value::List(nodes) => nodes,
            Value::Raw(text) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                let node = |word: &str| Node { origin: node.origin.clone(), value: Value::Raw(word.to_owned()) };
                split = words.map(node).collect();
                &split
            }
            other => {
                place.complain(&node.origin, format!("must be a list, not {}", other.kind()));
                return None;
            }
        };
        let element = |(index, node): (usize, &Node)| T::read(node, &mut place.below(&index.to_string()));
        Some(nodes.iter().enumerate().filter_map(element).collect())
    }

    fn write(&self) -> Node {
        Node::default(Value::List(self.iter().map(T::write).collect()))
    }

    fn schema() -> Option<Schema> {
        T::schema()
    }
}

impl<T: Field> Field for Option<T> {
    fn read(node: &Node, place: &mut Place<'_>) -> Option<Self> {
        T::read(node, place).map(Some)
    }

    /// Nothing is written as an empty raw text, which [`entry`] leaves out.
    fn write(&self) -> Node {
        self.as_ref().map_or_else(|| Node::default(Value::Raw(String::new())), T::write)
    }

    fn schema() -> Option<Schema> {
        T::schema()
    }
}
