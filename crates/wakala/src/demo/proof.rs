//! The ledger's proof, as the office gives it, in words.

use serde_json::Value;

use super::log::Proof;

/// What the verification and the trial balance say.
pub fn of(report: &Value, trial_balance: &Value) -> Proof {
    let is = |value: &Value, key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    let sound = is(report, "sound") && is(trial_balance, "balanced");
    let mut found = Vec::new();
    let mut tell = |name: &str, value: String| found.push((name.to_owned(), value));
    tell("rows", plain(&report["rows"]));
    tell("accounts", plain(&report["accounts"]));
    tell("chain head", plain(&report["head"]));
    for sums in report["currencies"].as_array().into_iter().flatten() {
        let currency = plain(&sums["currency"]);
        tell("issued", format!("{currency} {}", grouped(&plain(&sums["issued"]["amount"]))));
        tell("sum of all balances", format!("{currency} {}", grouped(&plain(&sums["difference"]["amount"]))));
    }
    tell("findings", plain(&report["found"]));
    for finding in report["findings"].as_array().into_iter().flatten() {
        tell("finding", format!("row {}: {}", plain(&finding["row"]), plain(&finding["what"])));
    }
    Proof { sound, found }
}

/// An amount with its thousands set apart.
fn grouped(amount: &str) -> String {
    let whole = amount.find('.').unwrap_or(amount.len());
    let mut text = String::with_capacity(amount.len() * 2);
    for (place, character) in amount.char_indices() {
        if place > 0 && place < whole && (whole - place).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(character);
    }
    text
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn thousands_are_set_apart() {
        let table = [("0.00", "0.00"), ("20000000.00", "20,000,000.00"), ("-100.00", "-100.00"), ("1000", "1,000")];
        for (amount, text) in table {
            assert_eq!(grouped(amount), text);
        }
    }

    #[test]
    fn a_proof_is_sound_only_where_chain_and_sums_are() {
        let report = |sound: bool| {
            json!({ "sound": sound, "rows": 7, "accounts": 9, "head": "ab", "found": 0, "findings": [], "currencies":
                [{ "currency": "TZS", "issued": { "amount": "5.00" }, "difference": { "amount": "0.00" } }] })
        };
        let proof = of(&report(true), &json!({ "balanced": true }));
        assert!(proof.sound);
        assert!(proof.found.contains(&("sum of all balances".to_owned(), "TZS 0.00".to_owned())));
        assert!(!of(&report(false), &json!({ "balanced": true })).sound);
        assert!(!of(&report(true), &json!({ "balanced": false })).sound);
        assert!(!of(&json!({}), &json!({})).sound);
    }
}
