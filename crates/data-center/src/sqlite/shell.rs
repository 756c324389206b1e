//! Questions of an auditor in SQL: read only, and nothing else than this database.

use std::path::Path;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags};

use super::{connect, version};
use crate::location::Part;
use crate::reading::values;
use crate::store::StoreError;

/// Puts one statement to the database at `path` and hands over what it answers, row by row, until `each` says no.
///
/// # Errors
/// [`StoreError`] where the statement is none, would write, attach another file or change how the database works.
pub fn query(path: &Path, statement: &str, each: &mut dyn FnMut(Part<'_>) -> bool) -> Result<(), StoreError> {
    version::check()?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "query_only", true)?;
    only_reading(&mut connection)?;
    let mut statement = connection.prepare(statement)?;
    let count = statement.column_count();
    if !each(Part::Columns(statement.column_names().collect())) {
        return Ok(());
    }
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if !each(Part::Row(values(row, 0, count)?)) {
            return Ok(());
        }
    }
    Ok(())
}

fn only_reading(connection: &mut Connection) -> Result<(), StoreError> {
    let judge = |context: AuthContext<'_>| match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if function_name != "load_extension" => Authorization::Allow,
        // The schema, as the shell's own commands ask for it.
        AuthAction::Pragma { pragma_name: "table_info" | "table_xinfo" | "table_list" | "index_list", .. } => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    };
    connection.authorizer(Some(judge))?;
    Ok(())
}
