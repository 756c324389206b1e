//! Where a PostgreSQL server is, how it is reached, and what is asked of it.

use std::fmt;
use std::time::Duration;

use rustls::ClientConfig;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::StoreError;

/// How a database's address begins where it is a PostgreSQL server and no file.
pub const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// How long it may take to reach the server, where the address does not say.
const CONNECT: Duration = Duration::from_secs(10);

/// After how long without an answer from the other machine a connection counts as lost, where the address does not say.
const SILENCE: Duration = Duration::from_secs(20);

/// What stands by when the server's machine is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Standbys {
    /// At least one other server, for which every commit waits.
    #[default]
    Synchronous,
    /// Nothing: what the one server's disk holds is all there is.
    None,
}

/// What to do where another process has the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum InUse {
    /// Nothing: it is an error.
    #[default]
    Refuse,
    /// Wait until its lease ends.
    Wait,
}

/// A PostgreSQL database and how it is used.
#[derive(Clone)]
pub struct Settings {
    /// One for each host.
    pub(super) hosts: Vec<tokio_postgres::Config>,
    pub(super) tls: Option<MakeRustlsConnect>,
    address: String,
    /// What stands by; the server's own settings must agree.
    pub standbys: Standbys,
    /// What to do where another process has it.
    pub in_use: InUse,
    /// For how long this process has the database unless it says so again, which it does three times meanwhile. Whoever
    /// takes over waits this long after a process that ended without a word.
    pub lease: Duration,
    /// How others are told who has it.
    pub holder: String,
    /// Where the other processes of the database reach this one; none where there are no others.
    pub advertised: Option<String>,
}

impl Settings {
    /// Reads `postgres://user@host:port/database?sslmode=require` as libpq understands it. Of several hosts,
    /// `postgres://user@host:port,host:port/database`, all are tried at once for the one that can be written.
    ///
    /// # Errors
    /// [`StoreError::Settings`] where it is no such address, holds a password, or leaves open whether the way to another
    /// machine is encrypted.
    pub fn parse(address: &str) -> Result<Settings, StoreError> {
        if !SCHEMES.iter().any(|scheme| address.starts_with(scheme)) {
            return Err(wrong(address, "must begin with postgres://"));
        }
        let mut hosts = each_host(address).iter().map(|address| host(address)).collect::<Result<Vec<_>, _>>()?;
        if hosts.len() > 1 {
            for host in &mut hosts {
                host.target_session_attrs(TargetSessionAttrs::ReadWrite);
            }
        }
        Ok(Settings {
            hosts,
            tls: None,
            address: address.to_owned(),
            standbys: Standbys::default(),
            in_use: InUse::default(),
            lease: Duration::from_secs(15),
            holder: format!("process {}", std::process::id()),
            advertised: None,
        })
    }

    /// Whether the address asks for an encrypted connection: then [`Settings::with_tls`] must say whom to trust.
    pub fn needs_tls(&self) -> bool {
        self.hosts.iter().any(|host| host.get_ssl_mode() != SslMode::Disable)
    }

    /// Whom to trust, and how to prove who we are. Names of servers are always checked.
    #[must_use]
    pub fn with_tls(mut self, tls: ClientConfig) -> Settings {
        self.tls = Some(MakeRustlsConnect::new(tls));
        self
    }

    /// The password, where the server wants one.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Settings {
        for host in &mut self.hosts {
            host.password(password);
        }
        self
    }

    /// How long it may take to reach the server, or to renew the lease: after one that came to nothing there is time for
    /// another.
    pub(super) fn patience(&self) -> Duration {
        let timeouts = self.hosts.iter().filter_map(tokio_postgres::Config::get_connect_timeout);
        timeouts.copied().min().unwrap_or(CONNECT).min(self.lease / 3)
    }

    /// The address, in which no secret stands.
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// The addresses of the single hosts of an address, which stand between the user and the database.
fn each_host(address: &str) -> Vec<String> {
    let start = address.find("://").map_or(0, |at| at + 3);
    let start = address[start..].find('@').map_or(start, |at| start + at + 1);
    let end = address[start..].find(['/', '?']).map_or(address.len(), |at| start + at);
    address[start..end].split(',').map(|host| format!("{}{host}{}", &address[..start], &address[end..])).collect()
}

/// How one host is reached.
fn host(address: &str) -> Result<tokio_postgres::Config, StoreError> {
    // The error itself may quote a password.
    let mut config: tokio_postgres::Config =
        address.parse().map_err(|_| StoreError::Settings("no address of a PostgreSQL server".into()))?;
    if config.get_password().is_some() {
        return Err(StoreError::Settings("the password stands in a file of its own, never in the address".into()));
    }
    if config.get_hosts().len() != 1 || config.get_hostaddrs().len() > 1 {
        return Err(wrong(address, "must name its hosts between the user and the database"));
    }
    if config.get_ssl_mode() == SslMode::Prefer {
        let near = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        };
        if !config.get_hosts().iter().all(near) || !config.get_hostaddrs().iter().all(|ip| ip.is_loopback()) {
            return Err(wrong(address, "say sslmode=require, or sslmode=disable where the network is trusted"));
        }
        config.ssl_mode(SslMode::Disable);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE).keepalives_idle(SILENCE / 2).keepalives_interval(SILENCE / 4);
        config.keepalives_retries(2);
    }
    if config.get_application_name().is_none() {
        config.application_name("wakala");
    }
    Ok(config)
}

fn wrong(address: &str, what: &str) -> StoreError {
    StoreError::Settings(format!("{address}: {what}"))
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_whether_it_is_encrypted_and_holds_no_password() {
        let read = |address: &str| Settings::parse(address).map(|settings| settings.needs_tls());
        assert!(matches!(read("postgres://wakala@db.example/wakala?sslmode=require"), Ok(true)));
        assert!(matches!(read("postgres://wakala@db.example/wakala?sslmode=disable"), Ok(false)));
        assert!(matches!(read("postgres://wakala@127.0.0.1:5433/wakala"), Ok(false)));
        assert!(matches!(read("postgresql://wakala@%2Fvar%2Frun%2Fpostgresql/wakala"), Ok(false)));
        assert_eq!(Settings::parse("postgres://wakala@a:1,b,c:3/wakala?sslmode=require").unwrap().hosts.len(), 3);
        for wrong in [
            "postgres://wakala@db.example/wakala",
            "postgres://wakala@localhost,db.example/wakala",
            "postgres://wakala:pass@localhost/wakala",
            "postgres://wakala@localhost/wakala?password=pass",
            "postgres:///wakala",
            "postgres://wakala@localhost,/wakala",
            "postgres://wakala@localhost/wakala?host=db.example",
            "mysql://wakala@localhost/wakala",
            "/var/lib/wakala/wakala.db",
        ] {
            let refused = read(wrong).expect_err(wrong).to_string();
            assert!(!refused.contains("pass@") && !refused.contains("=pass"), "{refused}");
        }
    }
}
