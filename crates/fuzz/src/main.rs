//! libFuzzer around one target, named by `WAKALA_FUZZ`; what `cargo xtask fuzz` builds and runs.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::Corpus;

/// The target that this process was started for.
static TARGET: LazyLock<&fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("WAKALA_FUZZ").unwrap_or_default();
    fuzz::TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("no target {name:?}"))
});

libfuzzer_sys::fuzz_target!(|octets: &[u8]| -> Corpus {
    if octets.len() > TARGET.longest {
        return Corpus::Reject;
    }
    (TARGET.try_out)(octets);
    Corpus::Keep
});
