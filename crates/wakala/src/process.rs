//! The process itself: what nobody may read out of it, and what it tells the service manager.

use std::io;
use std::time::Duration;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use sd_notify::NotifyState;

/// Keeps keys and PINs in memory from being read by others: the process cannot be traced or read by processes of the same user
/// (prctl(2), PR_SET_DUMPABLE) and leaves no core. To be called before the first secret is read.
///
/// # Errors
/// When the system refuses; then nothing secret should be read.
pub fn harden() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// The service manager, if one started us (`Type=notify` of systemd). Without one every call does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceManager;

impl ServiceManager {
    /// Requests are served from now on.
    pub fn ready(self) {
        tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
    }

    /// No new work is taken; what is begun is being ended, which may take as long as `most`.
    pub fn stopping(self, most: Duration) {
        let microseconds = u32::try_from(most.as_micros()).unwrap_or(u32::MAX);
        let longer = NotifyState::ExtendTimeoutUsec(microseconds);
        tell(&[NotifyState::Stopping, longer, NotifyState::Status("draining")]);
    }

    /// What stands beside the service's name in `systemctl status`.
    pub fn status(self, text: &str) {
        tell(&[NotifyState::Status(text)]);
    }

    /// How often a sign of life is due: half of what the manager allows (sd_watchdog_enabled(3)); none where it asks for none.
    pub fn watchdog_interval(self) -> Option<Duration> {
        sd_notify::watchdog_enabled().map(|allowed| allowed / 2)
    }

    /// A sign of life. To be given only where work really goes on, as after a commit of the writer or an idle turn of it.
    pub fn alive(self) {
        tell(&[NotifyState::Watchdog]);
    }
}

/// A manager that cannot be told restarts us by its own timeout, so a failure is only logged.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;

    use super::*;

    #[test]
    fn the_process_is_not_dumpable_and_leaves_no_core() {
        harden().unwrap();
        assert_eq!(rustix::process::dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    }

    /// Part of the next test, which starts it as a process of its own: the environment of a process with threads is not to be
    /// changed.
    #[test]
    fn tells_the_manager() {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            assert_eq!(ServiceManager.watchdog_interval(), None);
            return;
        }
        assert_eq!(ServiceManager.watchdog_interval(), Some(Duration::from_secs(3)));
        ServiceManager.ready();
        ServiceManager.alive();
        ServiceManager.status("ten binds");
        ServiceManager.stopping(Duration::from_secs(20));
    }

    #[test]
    fn the_manager_hears_when_the_service_is_ready_alive_and_stopping() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::tests::tells_the_manager"])
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "6000000")
            .env_remove("WATCHDOG_PID")
            .output()
            .unwrap()
            .status;
        assert!(status.success());
        manager.set_nonblocking(true).unwrap();
        let mut room = [0; 256];
        let mut heard = Vec::new();
        while let Ok(length) = manager.recv(&mut room) {
            heard.push(String::from_utf8_lossy(&room[..length]).trim().replace('\n', " "));
        }
        let expected = [
            "READY=1 STATUS=serving",
            "WATCHDOG=1",
            "STATUS=ten binds",
            "STOPPING=1 EXTEND_TIMEOUT_USEC=20000000 STATUS=draining",
        ];
        assert_eq!(heard, expected);
    }
}
