//! A PostgreSQL server of a test's own, from Debian's packages: it listens in a folder of its own and goes with the test,
//! however that ends.
#![allow(dead_code, reason = "each program uses its own part of the server")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// Where Debian puts the servers, each major version in a folder.
const VERSIONS: &str = "/usr/lib/postgresql";

/// What it says when it serves.
const READY: &str = "database system is ready to accept";

pub struct Server {
    place: TempDir,
    postmaster: Option<Child>,
    /// What it is started with, each `name=value`.
    pub settings: Vec<String>,
    port: u16,
}

impl Server {
    /// A server with the role `wakala` and its database.
    pub fn start() -> Server {
        Server::start_with(&[])
    }

    /// The same with settings, each `name=value`.
    pub fn start_with(settings: &[&str]) -> Server {
        Server::start_in(&std::env::temp_dir(), settings)
    }

    /// The same in a folder of its own under `parent`.
    pub fn start_in(parent: &Path, settings: &[&str]) -> Server {
        let place = place(parent);
        let template = template();
        let data = place.path().join("data");
        run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(&template).arg(&data));
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut server = Server { place, postmaster: None, settings, port: free_port() };
        server.serve();
        server
    }

    /// A standby of another, which has all that the other has.
    pub fn standing_by(primary: &Server) -> Server {
        let place = place(&std::env::temp_dir());
        let mut copy = as_owner(&bin("pg_basebackup"));
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--username=postgres", "--host"]);
        copy.arg(primary.folder()).args(["--port", &primary.port.to_string(), "--pgdata"]);
        run(copy.arg(place.path().join("data")));
        let mut server = Server { place, postmaster: None, settings: Vec::new(), port: free_port() };
        server.serve();
        primary.wait_for("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1");
        server
    }

    /// The database by the way of the folder, as the role that owns it.
    pub fn url(&self) -> String {
        let folder = self.place.path().display().to_string().replace('/', "%2F");
        format!("postgres://wakala@{folder}:{}/wakala", self.port)
    }

    /// Where it can also be reached, on this machine alone.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder in which it listens.
    pub fn folder(&self) -> &Path {
        self.place.path()
    }

    /// The socket in that folder.
    pub fn socket(&self) -> PathBuf {
        self.place.path().join(format!(".s.PGSQL.{}", self.port))
    }

    /// What statements of the server's owner answer, one line a row, columns parted by bars.
    pub fn sql(&self, statements: &str) -> String {
        self.sql_on("wakala", statements)
    }

    fn sql_on(&self, database: &str, statements: &str) -> String {
        let mut psql = Command::new(bin("psql"));
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", statements]);
        psql.arg("-h").arg(self.place.path()).arg("-p").arg(self.port.to_string());
        let said = psql.output().unwrap();
        assert!(said.status.success(), "{statements}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap().trim_end().to_owned()
    }

    /// Waits until a question has this answer.
    pub fn wait_for(&self, question: &str, answer: &str) {
        self.sql(&format!(
            "DO $$ BEGIN
                WHILE ({question})::text <> '{answer}' LOOP
                    PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
                END LOOP;
            END $$"
        ));
    }

    /// What the server's own benchmark says when it is run on it.
    pub fn pgbench(&self, arguments: &[&str]) -> String {
        let mut pgbench = Command::new(bin("pgbench"));
        pgbench.args(["--username=postgres", "--port", &self.port.to_string(), "--host"]).arg(self.place.path());
        let said = pgbench.args(arguments).arg("postgres").output().unwrap();
        assert!(said.status.success(), "{pgbench:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    /// Changes a setting of the running server.
    pub fn set(&self, name: &str, value: &str) {
        self.sql(&format!("ALTER SYSTEM SET {name} = '{value}'"));
        self.sql("SELECT pg_reload_conf()");
        // Every look is a connection of its own, which begins with what the server has by then.
        while self.sql(&format!("SHOW {name}")) != value {}
    }

    /// Puts a copy of the database in its place.
    pub fn bring_back(&self, copy: &str) {
        self.sql_on("postgres", "DROP DATABASE wakala WITH (FORCE)");
        self.sql_on("postgres", &format!("ALTER DATABASE {copy} RENAME TO wakala"));
    }

    /// Writes a file of the server's own, which is not to run meanwhile.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.place.path().join("data").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = owner() {
            chown(&path, Some(user), Some(group)).unwrap();
        }
    }

    /// Ends it as a crash would.
    pub fn crash(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            run(Command::new("kill").args(["-QUIT", &postmaster.id().to_string()]));
            postmaster.wait().unwrap();
        }
    }

    /// Starts it again after that.
    pub fn serve(&mut self) {
        let mut command = as_owner(&bin("postgres"));
        command.arg("-D").arg(self.place.path().join("data")).arg("-k").arg(self.place.path());
        command.args(["-c", "listen_addresses=127.0.0.1", "-p", &self.port.to_string()]);
        command.args(["-c", "max_connections=50", "-c", "shared_buffers=32MB"]);
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        let mut postmaster = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(postmaster.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut all = Vec::new();
        let is_ready = said.by_ref().inspect(|line| all.push(line.clone())).any(|line| line.contains(READY));
        assert!(is_ready, "the server did not start:\n{}", all.join("\n"));
        // Somebody must go on reading, or it would wait.
        thread::spawn(move || said.for_each(drop));
        self.postmaster = Some(postmaster);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
    }
}

fn bin(program: &str) -> PathBuf {
    let versions = fs::read_dir(VERSIONS).expect("PostgreSQL: `cargo xtask test --only peers` installs it");
    let mut versions: Vec<u32> =
        versions.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable();
    Path::new(VERSIONS).join(versions.pop().expect("a version").to_string()).join("bin").join(program)
}

/// Nobody listens there just now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// PostgreSQL refuses to run as root. Whoever it runs as ends when this process does.
fn as_owner(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if owner().is_some() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "QUIT"]).arg(program).current_dir("/");
    command
}

/// Whose the server's folder must be, where this process is root.
fn owner() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find_map(|line| line.strip_prefix("postgres:")).expect("the user postgres");
    let mut fields = line.split(':').skip(1).map(|field| field.parse().unwrap());
    Some((fields.next().unwrap(), fields.next().unwrap()))
}

/// A new folder in which the server may do what it likes.
fn place(parent: &Path) -> TempDir {
    let place = tempfile::tempdir_in(parent).unwrap();
    if let Some((user, group)) = owner() {
        chown(place.path(), Some(user), Some(group)).unwrap();
    }
    place
}

/// A founded cluster to be copied: making one takes a second, copying it a moment.
fn template() -> PathBuf {
    let parent = option_env!("CARGO_TARGET_TMPDIR").map_or(std::env::temp_dir(), PathBuf::from);
    let template = parent.join(format!("postgres-cluster-{}", fs::metadata("/proc/self").unwrap().uid()));
    if template.exists() {
        return template;
    }
    let place = place(&std::env::temp_dir());
    let data = place.path().join("data");
    let mut initdb = as_owner(&bin("initdb"));
    run(initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--locale=C.UTF-8", "-D"]).arg(&data));
    let mut server = Server { place, postmaster: None, settings: Vec::new(), port: free_port() };
    server.serve();
    let mut psql = Command::new(bin("psql"));
    psql.args(["-Xq", "-U", "postgres", "-p", &server.port.to_string(), "-h"]).arg(server.folder());
    run(psql.args(["-c", "CREATE ROLE wakala LOGIN", "-c", "CREATE DATABASE wakala OWNER wakala"]));
    let mut stop = as_owner(&bin("pg_ctl"));
    run(stop.args(["stop", "--wait", "--silent", "-D"]).arg(&data));
    server.postmaster.take().unwrap().wait().unwrap();
    // Another test may have made one meanwhile: whichever comes first stays.
    let partial = parent.join(format!("postgres-cluster-{}", std::process::id()));
    run(Command::new("cp").arg("-a").arg(&data).arg(&partial));
    if fs::rename(&partial, &template).is_err() {
        fs::remove_dir_all(&partial).unwrap();
    }
    template
}

fn run(command: &mut Command) {
    let said = command.stdin(Stdio::null()).output().unwrap();
    assert!(said.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said.stderr));
}
