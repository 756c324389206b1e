//! Which program this is.

use serde_json::{Value, json};

/// The commit it was built from, as the build found it.
const COMMIT: &str = env!("WAKALA_COMMIT");

/// The version of the schema that this program writes.
const SCHEMA: i64 = 1;

/// Version, commit and schema in one line, as `--version` prints it behind the name.
pub fn line() -> String {
    format!("{} ({COMMIT}, schema {})", env!("CARGO_PKG_VERSION"), SCHEMA)
}

/// The same for machines, with the SQLite that is linked.
pub fn json() -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "commit": COMMIT,
        "schema": SCHEMA,
        "sqlite": data_center::sqlite::linked_version(),
    })
}

#[cfg(test)]
mod tests {
    /// What the data centre itself writes.
    #[test]
    fn the_schema_is_the_one_that_a_new_database_gets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        drop(data_center::Sqlite::open(&path, &[]).unwrap());
        let (written, known) = data_center::sqlite::check(&path).unwrap().schema;
        assert_eq!((written, known), (super::SCHEMA, super::SCHEMA));
    }
}
