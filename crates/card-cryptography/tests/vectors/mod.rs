//! The vectors of this crate: published figures, and others that two independent implementations agree on.

use serde_json::Value;
use std::sync::LazyLock;

/// The groups by name.
pub fn vectors() -> &'static Value {
    static ALL: LazyLock<Value> = LazyLock::new(|| {
        let all: Value = serde_json::from_str(include_str!("cards.json")).expect("JSON");
        all["groups"].clone()
    });
    &ALL
}

/// A field that is text.
pub fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("no {field} in {case}"))
}

/// A field in hexadecimal.
pub fn octets(case: &Value, field: &str) -> Vec<u8> {
    hex(text(case, field))
}

/// Hexadecimal.
pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}
