//! Whether a server can be trusted with money: what could lose an acknowledged commit is refused, by name.

use std::collections::HashMap;

use super::session::Session;
use super::settings::Standbys;
use crate::store::StoreError;

/// The oldest server that has what is used here: partitions taken out beside readers (14).
const OLDEST: i64 = 140_000;

/// Settings that must stand so, and what they would cost otherwise.
const REQUIRED: [(&str, &str, &str); 5] = [
    ("fsync", "on", "commits would not reach the disk"),
    ("full_page_writes", "on", "a page torn by a power failure could not be mended"),
    ("data_sync_retry", "off", "a failed fsync would be taken for one that succeeded"),
    ("zero_damaged_pages", "off", "damaged pages would be emptied in silence"),
    ("server_encoding", "UTF8", "texts would come back as others"),
];

/// Refuses a server that could lose what was acknowledged, is no primary, or gives this process more rights than it needs.
///
/// # Errors
/// [`StoreError::Unsafe`] with everything that is wrong.
pub(super) fn check(session: &mut Session, standbys: Standbys) -> Result<(), StoreError> {
    let settings = settings(session)?;
    let setting = |name: &str| settings.get(name).map_or("", String::as_str);
    let mut wrong = Vec::new();
    for (name, must, cost) in REQUIRED {
        if setting(name) != must {
            wrong.push(format!("{name} is {}, which must be {must}: {cost}", setting(name)));
        }
    }
    let waits = setting("synchronous_commit");
    match standbys {
        Standbys::Synchronous => {
            if setting("synchronous_standby_names").trim().is_empty() {
                wrong.push(
                    "synchronous_standby_names is empty: a commit would be lost with the server's machine; name the \
                     standbys there, or say in the configuration that there are none"
                        .to_owned(),
                );
            }
            if !["on", "remote_apply"].contains(&waits) {
                wrong.push(format!("synchronous_commit is {waits}, which must be on or remote_apply: commits would not wait for a standby's disk"));
            }
        }
        Standbys::None if waits == "off" => {
            wrong.push("synchronous_commit is off, which must be on: commits would not wait for the disk".to_owned());
        }
        Standbys::None => {}
    }
    let version = session.figure("SELECT current_setting('server_version_num')::bigint")?;
    if version < OLDEST {
        wrong.push(format!("the server is of version {}; at least {} is needed", version / 10_000, OLDEST / 10_000));
    }
    if session.figure("SELECT pg_is_in_recovery()::int::bigint")? != 0 {
        wrong.push("the server is in recovery: it is a standby, or not restored to its end".to_owned());
    }
    if session.figure("SELECT rolsuper::int::bigint FROM pg_roles WHERE rolname = current_user")? != 0 {
        wrong.push(
            "the role is a superuser, who could read files of the server; give it none but its database".to_owned(),
        );
    }
    if wrong.is_empty() { Ok(()) } else { Err(StoreError::Unsafe(wrong)) }
}

/// What a session begins with, whatever this one has chosen for itself.
fn settings(session: &mut Session) -> Result<HashMap<String, String>, StoreError> {
    let names: Vec<String> = REQUIRED.iter().map(|(name, ..)| format!("'{name}'")).collect();
    let question = format!(
        "SELECT name, reset_val FROM pg_settings WHERE name IN ({}, 'synchronous_commit', 'synchronous_standby_names')",
        names.join(", ")
    );
    let mut settings = HashMap::new();
    session.each(&question, &[], &mut |row| {
        let text = |index| Ok::<_, StoreError>(row.text(index)?.unwrap_or_default().to_owned());
        settings.insert(text(0)?, text(1)?);
        Ok(true)
    })?;
    Ok(settings)
}
