//! What the server answers, for people: one way to show any answer. `--json` shows the same for machines.

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr as _;

/// The answer as text: single values first, one a line, then each list as a table.
pub fn render(value: &Value) -> String {
    match value {
        Value::Object(object) => match (object.get("columns"), object.get("rows")) {
            (Some(Value::Array(columns)), Some(Value::Array(rows))) => with_rest(&grid(columns, rows), object),
            _ => sections(object),
        },
        other => format!("{}\n", cell(other)),
    }
}

/// A table of rows that are lists.
fn grid(columns: &[Value], rows: &[Value]) -> String {
    let header = columns.iter().map(cell).collect();
    let cells = |row: &Value| row.as_array().cloned().unwrap_or_default();
    table(header, &rows.iter().map(cells).collect::<Vec<Vec<Value>>>())
}

fn with_rest(table: &str, object: &Map<String, Value>) -> String {
    let rest = object.iter().filter(|(key, _)| *key != "columns" && *key != "rows");
    let rest: Map<String, Value> = rest.map(|(key, value)| (key.clone(), value.clone())).collect();
    if rest.is_empty() { table.to_owned() } else { format!("{table}\n{}", sections(&rest)) }
}

fn sections(object: &Map<String, Value>) -> String {
    let (lists, single): (Vec<_>, Vec<_>) = object.iter().partition(|(_, value)| is_list_of_objects(value));
    let width = single.iter().map(|(key, _)| key.width()).max().unwrap_or(0);
    let mut out = String::new();
    for (key, value) in &single {
        let padding = " ".repeat(width - key.width());
        out.push_str(&format!("{}{padding}  {}\n", label(key), cell(value)));
    }
    for (key, value) in &lists {
        let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
        // A list that is all there is needs no heading.
        if object.len() > 1 {
            let gap = if out.is_empty() { "" } else { "\n" };
            out.push_str(&format!("{gap}{}:\n", label(key)));
        }
        out.push_str(&list(rows));
    }
    out
}

/// A table of rows that are objects: a column for each key that any of them has.
fn list(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "(none)\n".to_owned();
    }
    let mut keys: Vec<&String> = Vec::new();
    for key in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let header = keys.iter().map(|key| label(key)).collect();
    let cells = |row: &Value| keys.iter().map(|key| row.get(key.as_str()).cloned().unwrap_or(Value::Null)).collect();
    table(header, &rows.iter().map(cells).collect::<Vec<Vec<Value>>>())
}

/// An empty list counts: it is said that there is nothing.
fn is_list_of_objects(value: &Value) -> bool {
    value.as_array().is_some_and(|rows| rows.iter().all(Value::is_object))
}

fn table(header: Vec<String>, rows: &[Vec<Value>]) -> String {
    let texts: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let column = |index: usize| texts.iter().filter_map(move |row| row.get(index));
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(index, title)| column(index).map(|text| text.width()).max().unwrap_or(0).max(title.width()))
        .collect();
    let right: Vec<bool> = (0..header.len())
        .map(|index| {
            let mut values = rows.iter().filter_map(|row| row.get(index)).filter(|value| !value.is_null()).peekable();
            values.peek().is_some() && values.all(|value| value.is_number() || is_money(value))
        })
        .collect();
    let line = |cells: &[String]| {
        let aligned = cells.iter().zip(&widths).zip(&right).map(|((text, width), right)| {
            let padding = " ".repeat(width - text.width());
            if *right { format!("{padding}{text}") } else { format!("{text}{padding}") }
        });
        format!("{}\n", aligned.collect::<Vec<_>>().join("  ").trim_end())
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut out = line(&header);
    out.push_str(&line(&rule));
    texts.iter().for_each(|row| out.push_str(&line(row)));
    out
}

fn label(key: &str) -> String {
    key.replace('_', " ")
}

fn is_money(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|object| object.len() == 2 && object.contains_key("amount") && object.contains_key("currency"))
}

/// One value in one line. Nothing that somebody wrote reaches the terminal as a command to it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
        }
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(object) if is_money(value) => {
            let part = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
            format!("{} {}", grouped(part("amount")), part("currency"))
        }
        Value::Object(object) => {
            let entries = object.iter().map(|(key, value)| format!("{} {}", label(key), cell(value)));
            entries.collect::<Vec<_>>().join(", ")
        }
    }
}

/// `1234567.50` as `1,234,567.50`.
fn grouped(amount: &str) -> String {
    let (sign, digits) = amount.strip_prefix('-').map_or(("", amount), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn money(amount: &str) -> Value {
        json!({ "amount": amount, "currency": "TZS" })
    }

    #[test]
    fn a_trial_balance_reads_like_one() {
        let value = json!({
            "balanced": true,
            "accounts": [
                { "holder": "trust account", "account": -83401, "accounts": 1, "balance": money("-1000000.00") },
                { "holder": "wallets", "account": null, "accounts": 12, "balance": money("999999.95") },
            ],
            "currencies": [{ "currency": "TZS", "issued": money("1000000.00"), "difference": money("0.00") }],
        });
        let golden = "\
balanced  yes

accounts:
holder         account  accounts            balance
-------------  -------  --------  -----------------
trust account   -83401         1  -1,000,000.00 TZS
wallets                       12     999,999.95 TZS

currencies:
currency            issued  difference
--------  ----------------  ----------
TZS       1,000,000.00 TZS    0.00 TZS
";
        assert_eq!(render(&value), golden);
    }

    #[test]
    fn nested_things_stand_in_one_line_and_empty_lists_are_said() {
        let value = json!({
            "proposal": 12,
            "measure": { "do": "enrol agent", "agent": 7, "own_numbers": [] },
            "entries": [],
        });
        let golden = "\
proposal  12
measure   do enrol agent, agent 7, own numbers none

entries:
(none)
";
        // An empty list inside an object is a value; beside others it is a section.
        assert_eq!(render(&value), golden);
    }

    #[test]
    fn an_answer_to_sql_is_a_table_however_wide_its_letters() {
        let value = json!({ "columns": ["name", "sum"], "rows": [["王芳", 12], ["Maker", 3], [null, null]] });
        let golden = "\
name   sum
-----  ---
王芳    12
Maker    3

";
        assert_eq!(render(&value), golden);
    }

    #[test]
    fn nothing_that_was_written_commands_the_terminal() {
        let rendered = render(&json!({ "name": "a\u{1b}[2Jb\r\nc" }));
        assert_eq!(rendered, "name  a\u{fffd}[2Jb\u{fffd}\u{fffd}c\n");
    }
}
