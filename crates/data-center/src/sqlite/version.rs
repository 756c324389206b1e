//! Which SQLite is safe: from 3.7.0 to 3.51.2 a log that is reset while it is being written can damage the file, and 3.52.0
//! was withdrawn. Asserted when this is built and when it starts, because a build may link another library than it saw.

use crate::store::StoreError;

const FIRST_SAFE: i32 = 3_051_003;
const WITHDRAWN: i32 = 3_052_000;

const _: () = assert!(is_safe(rusqlite::ffi::SQLITE_VERSION_NUMBER), "this SQLite is not safe");

const fn is_safe(version: i32) -> bool {
    version >= FIRST_SAFE && version != WITHDRAWN
}

/// Refuses a linked SQLite that is not safe.
///
/// # Errors
/// [`StoreError::Unsafe`].
pub fn check() -> Result<(), StoreError> {
    let advice = || format!("SQLite {} is linked; at least 3.51.3 and not 3.52.0 is needed", linked());
    if is_safe(rusqlite::version_number()) { Ok(()) } else { Err(StoreError::Unsafe(vec![advice()])) }
}

/// The version of the SQLite that is linked.
pub fn linked() -> &'static str {
    rusqlite::version()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_with_known_corruption_are_refused() {
        assert!(!is_safe(3_040_001) && !is_safe(3_051_002) && !is_safe(3_052_000));
        assert!(is_safe(3_051_003) && is_safe(3_053_000));
        assert!(check().is_ok());
    }
}
