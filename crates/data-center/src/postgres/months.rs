//! The log's partitions, one a month. A month is made beside the log and then attached, which neither waits for readers nor
//! makes them wait, as making it within the log would.

use std::collections::BTreeSet;

use super::session::Session;
use crate::store::StoreError;

/// The table of a month, counted from January 1970: `log_2026_11`.
pub(super) fn table(month: i32) -> String {
    format!("log_{:04}_{:02}", 1970 + month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// What makes a month.
pub(super) fn begin(month: i32) -> String {
    let table = table(month);
    format!(
        "CREATE TABLE {table} (LIKE log INCLUDING ALL); ALTER TABLE log ATTACH PARTITION {table} FOR VALUES IN ({month})"
    )
}

/// The months that the log has.
pub(super) fn attached(session: &mut Session) -> Result<BTreeSet<i32>, StoreError> {
    let mut months = BTreeSet::new();
    let question = "SELECT relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'log'::regclass";
    session.each(question, &[], &mut |row| {
        months.extend(row.text(0)?.and_then(month_of));
        Ok(true)
    })?;
    Ok(months)
}

fn month_of(table: &str) -> Option<i32> {
    let (year, month) = table.strip_prefix("log_")?.split_once('_')?;
    counted(year, month)
}

/// The month that people write as `2026-11`.
pub(super) fn parse(text: &str) -> Option<i32> {
    let (year, month) = text.split_once('-')?;
    (year.len() == 4 && month.len() == 2).then(|| counted(year, month)).flatten()
}

fn counted(year: &str, month: &str) -> Option<i32> {
    let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
    (1..=12).contains(&month).then_some((year - 1970) * 12 + month - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_known_by_the_name_of_its_table() {
        assert_eq!(table(682), "log_2026_11");
        assert!([0, 11, 12, 682, -1].into_iter().all(|month| month_of(&table(month)) == Some(month)));
        assert_eq!(month_of("log_2026_13"), None);
        assert_eq!(parse("2026-11"), Some(682));
        assert!(["2026-13", "2026-1", "2026_11", "26-11", ""].into_iter().all(|text| parse(text).is_none()));
    }
}
