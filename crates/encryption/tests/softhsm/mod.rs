//! SoftHSM, a PKCS#11 token made of software (Debian's `softhsm2`), in a folder of its own.
#![allow(dead_code, reason = "each program uses its own part")]

use std::{
    env, fs,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::{self, Command},
};

/// Where Debian puts the module.
pub const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// The label of the token.
pub const LABEL: &str = "wakala test";
/// The PIN of its user.
pub const PIN: &str = "24681357";
/// By this variable the module finds its configuration, which names the folder.
pub const VARIABLE: &str = "SOFTHSM2_CONF";

/// The folder: configuration, token, and a file with the PIN. Removed by whoever made it.
pub struct SoftHsm(PathBuf);

impl SoftHsm {
    /// A new folder with an initialised token.
    pub fn create(name: &str) -> Self {
        let hsm = Self(env::temp_dir().join(format!("softhsm-{name}-{}", process::id())));
        let tokens = hsm.0.join("tokens");
        fs::create_dir_all(&tokens).expect("a folder for the token");
        let configuration = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
        fs::write(hsm.configuration(), configuration).expect("a configuration");
        let mut pin_file = fs::OpenOptions::new();
        pin_file.write(true).create(true).truncate(true).mode(0o600);
        std::io::Write::write_all(&mut pin_file.open(hsm.pin_file()).expect("a file"), format!("{PIN}\n").as_bytes())
            .expect("a file with the PIN");
        hsm.initialise(LABEL);
        hsm
    }

    /// The one that this process was started with, by [`VARIABLE`].
    pub fn of_environment() -> Option<Self> {
        let configuration = PathBuf::from(env::var_os(VARIABLE)?);
        configuration.parent().map(|folder| Self(folder.to_owned()))
    }

    /// One more token.
    pub fn initialise(&self, label: &str) {
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "13572468"])
            .env(VARIABLE, self.configuration())
            .output()
            .expect("softhsm2-util runs (`cargo xtask test --only peers` installs it)");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// What [`VARIABLE`] must say.
    pub fn configuration(&self) -> PathBuf {
        self.0.join("softhsm2.conf")
    }

    /// A file with the PIN.
    pub fn pin_file(&self) -> PathBuf {
        self.0.join("pin")
    }

    /// Removes everything.
    pub fn remove(self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
