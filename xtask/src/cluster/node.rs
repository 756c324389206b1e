//! A machine of a cluster, as far as one machine can play several: a server, the Patroni that minds it, and a member of etcd.

use std::{
    fs::{self, File, Permissions},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::processes::{self, owner, postgresql, program};

/// Ports are taken from here: below those that the system gives to whoever asks for any.
const PORTS: std::ops::Range<u16> = 15_000..32_000;
/// The file with Patroni's configuration; only its owner may read it.
const CONFIGURATION: &str = "patroni.json";
/// The role that owns the servers.
const OWNER: &str = "postgres";
/// How long Patroni may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A node. What it writes stands in a folder of its own.
#[derive(Clone, Debug)]
pub struct Node {
    /// `node1`, ...
    pub name: String,
    /// Where all of it works.
    pub folder: PathBuf,
    /// The programs: etcd, and the Python that has Patroni.
    programs: [PathBuf; 2],
    etcd: u16,
    etcd_peers: u16,
    patroni: u16,
    /// Where its server listens.
    pub postgres: u16,
    /// The members of etcd, as each must know them.
    members: String,
}

/// Makes the folders and configurations of so many nodes.
pub(super) fn found(peers: &Path, folder: &Path, count: usize) -> Result<Vec<Node>> {
    let etcd = ["etcd/usr/bin/etcd"].map(|path| peers.join(path)).into_iter().find(|path| path.is_file());
    let programs = [etcd.unwrap_or_else(|| "/usr/bin/etcd".into()), peers.join("patroni/bin/python")];
    for program in &programs {
        ensure!(program.is_file(), "no {}: `cargo xtask test --only peers` installs it", program.display());
    }
    let mut ports = free_ports(4 * count)?.into_iter();
    let mut port = || ports.next().context("too few ports");
    let mut nodes = Vec::new();
    for number in 1..=count {
        let name = format!("node{number}");
        let (folder, members) = (folder.join(&name), String::new());
        let (etcd, etcd_peers, patroni, postgres) = (port()?, port()?, port()?, port()?);
        nodes.push(Node { name, folder, programs: programs.clone(), etcd, etcd_peers, patroni, postgres, members });
    }
    let members: Vec<String> =
        nodes.iter().map(|node| format!("{}=http://127.0.0.1:{}", node.name, node.etcd_peers)).collect();
    let etcd: Vec<String> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.etcd)).collect();
    let passwords = [secret()?, secret()?];
    for node in &mut nodes {
        node.members = members.join(",");
        node.write_files(&etcd, &passwords)?;
    }
    Ok(nodes)
}

impl Node {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "name": self.name, "programs": self.programs, "etcd": self.etcd, "etcd_peers": self.etcd_peers,
            "patroni": self.patroni, "postgres": self.postgres, "members": self.members,
        })
    }

    pub(super) fn from_json(cluster: &Path, node: &Value) -> Result<Node> {
        let text = |name: &str| node[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let port = |name: &str| -> Result<u16> { Ok(u16::try_from(node[name].as_u64().context("no port")?)?) };
        let name = text("name")?;
        let programs = [0, 1].map(|which| node["programs"][which].as_str().unwrap_or_default().into());
        Ok(Node {
            folder: cluster.join(&name),
            name,
            programs,
            etcd: port("etcd")?,
            etcd_peers: port("etcd_peers")?,
            patroni: port("patroni")?,
            postgres: port("postgres")?,
            members: text("members")?,
        })
    }

    fn write_files(&self, etcd: &[String], passwords: &[String; 2]) -> Result<()> {
        fs::create_dir(&self.folder).with_context(|| format!("cannot make {}", self.folder.display()))?;
        let configuration = self.folder.join(CONFIGURATION);
        fs::write(&configuration, serde_json::to_vec_pretty(&self.configuration(etcd, passwords)?)?)?;
        fs::set_permissions(&configuration, Permissions::from_mode(0o600))?;
        if let Some((user, group)) = owner() {
            chown(&self.folder, Some(user), Some(group))?;
            chown(&configuration, Some(user), Some(group))?;
        }
        Ok(())
    }

    /// Patroni's, JSON being YAML. What an operator needs of it and why is in `docs/operating.md`.
    fn configuration(&self, etcd: &[String], [owner, replication]: &[String; 2]) -> Result<Value> {
        let at = |port: u16| format!("127.0.0.1:{port}");
        Ok(json!({
            "scope": "wakala",
            "name": self.name,
            "restapi": { "listen": at(self.patroni), "connect_address": at(self.patroni) },
            "etcd3": { "hosts": etcd },
            "bootstrap": {
                "dcs": {
                    // The least that Patroni takes.
                    "ttl": 20,
                    "loop_wait": 1,
                    "retry_timeout": 3,
                    // A server that crashed is not waited for where another can take over.
                    "primary_start_timeout": 0,
                    "synchronous_mode": true,
                    "synchronous_mode_strict": true,
                    "postgresql": {
                        "use_pg_rewind": true,
                        "remove_data_directory_on_rewind_failure": true,
                        "remove_data_directory_on_diverged_timelines": true,
                        "parameters": {
                            "synchronous_commit": "on",
                            "wal_log_hints": "on",
                            "wal_sender_timeout": "5s",
                            "client_connection_check_interval": "5s",
                            "max_connections": 50,
                            "shared_buffers": "32MB",
                            "unix_socket_directories": "",
                        },
                    },
                },
                "initdb": [{ "encoding": "UTF8" }, { "locale": "C.UTF-8" }, "data-checksums"],
            },
            "postgresql": {
                "listen": at(self.postgres),
                "connect_address": at(self.postgres),
                "bin_dir": postgresql()?,
                "data_dir": self.folder.join("data"),
                "pgpass": self.folder.join("pgpass"),
                "authentication": {
                    "superuser": { "username": OWNER, "password": owner },
                    "replication": { "username": "replication", "password": replication },
                },
                "basebackup": [{ "checkpoint": "fast" }],
                // The platform's own role gets in without a password, as far as this machine goes.
                "pg_hba": [
                    "host wakala wakala 127.0.0.1/32 trust",
                    "host replication replication 127.0.0.1/32 scram-sha-256",
                    "host all postgres 127.0.0.1/32 scram-sha-256",
                ],
            },
        }))
    }

    /// Starts what of it does not run.
    ///
    /// # Errors
    /// Where a program cannot be started.
    pub fn start(&self) -> Result<()> {
        let running = processes::working_in(&self.folder);
        if !running.iter().any(|process| process.program == "etcd") {
            let at = |port: u16| format!("http://127.0.0.1:{port}");
            let mut etcd = program(&self.folder, &self.programs[0]);
            etcd.args(["--name", &self.name, "--data-dir", "etcd", "--logger", "zap", "--log-level", "warn"]);
            etcd.args(["--listen-client-urls", &at(self.etcd), "--advertise-client-urls", &at(self.etcd)]);
            etcd.args(["--listen-peer-urls", &at(self.etcd_peers)]);
            etcd.args(["--initial-advertise-peer-urls", &at(self.etcd_peers), "--initial-cluster", &self.members]);
            self.spawn(etcd, "etcd.log")?;
        }
        if !running.iter().any(|process| !["etcd", "postgres"].contains(&process.program.as_str())) {
            let mut patroni = program(&self.folder, &self.programs[1]);
            patroni.args(["-m", "patroni", CONFIGURATION]).env("LC_ALL", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1");
            self.spawn(patroni, "patroni.log")?;
        }
        Ok(())
    }

    fn spawn(&self, mut command: Command, log: &str) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.folder.join(log))?;
        command.stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        // Somebody must take note of its end, or it would stay in the system's list.
        std::thread::spawn(move || child.wait());
        Ok(())
    }

    /// Asks its Patroni something, `GET /cluster`, with a body or an empty one.
    ///
    /// # Errors
    /// Where it does not answer, or not with success.
    pub fn ask_patroni(&self, what: &str, body: &str) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.patroni))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "{what} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        let (head, body) = said.split_once("\r\n\r\n").context("no answer")?;
        match head.split(' ').nth(1) {
            Some("200" | "202") => Ok(body.to_owned()),
            _ => bail!("{what}: {head}: {body}"),
        }
    }

    /// What a statement of a role answers in a database of its name, one line a row, columns parted by bars.
    ///
    /// # Errors
    /// What the server says.
    pub fn sql(&self, role: &str, statement: &str) -> Result<String> {
        let mut psql = Command::new(postgresql()?.join("psql"));
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", &self.postgres.to_string()]);
        psql.args(["-U", role, "-d", role, "-c", statement]).env("PGCONNECT_TIMEOUT", "5");
        if role == OWNER {
            let configuration: Value = serde_json::from_slice(&fs::read(self.folder.join(CONFIGURATION))?)?;
            let password = &configuration["postgresql"]["authentication"]["superuser"]["password"];
            psql.env("PGPASSWORD", password.as_str().unwrap_or_default());
        }
        let said = psql.stdin(Stdio::null()).output()?;
        ensure!(said.status.success(), "{statement}: {}", String::from_utf8_lossy(&said.stderr));
        Ok(String::from_utf8(said.stdout)?.trim_end().to_owned())
    }
}

/// So many ports where nobody listens just now.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let width = u32::from(PORTS.end - PORTS.start);
    let first = std::process::id().wrapping_mul(2_654_435_761) % width;
    let candidates = (0..width).filter_map(|step| u16::try_from((first + step) % width).ok());
    let free =
        candidates.map(|offset| PORTS.start + offset).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let ports: Vec<u16> = free.take(count).collect();
    ensure!(ports.len() == count, "too few free ports");
    Ok(ports)
}

/// A password that nobody knows.
fn secret() -> Result<String> {
    let mut octets = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}
