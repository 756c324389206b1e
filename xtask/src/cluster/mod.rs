//! PostgreSQL as an operator runs it where one machine is not enough: several servers under Patroni with etcd, all on this
//! machine, in a folder of its own. The tests start the same.
//!
//! A process belongs to a cluster where it works in its folder: so all are found, whoever started them and however far that came.

pub mod node;
pub mod processes;

use std::{
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use node::Node;
use serde_json::Value;

/// The list of nodes, in the cluster's folder.
const LIST: &str = "cluster.json";
/// How long it may take until all serve: only a failure waits so long.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(200);

/// A cluster that was started.
#[derive(Clone)]
pub struct Cluster {
    /// In the order of their names.
    pub nodes: Vec<Node>,
}

/// What Patroni says of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The node's.
    pub name: String,
    /// `leader`, `sync_standby`, `replica`.
    pub role: String,
    /// `running`, `streaming`, `stopped`.
    pub state: String,
    /// Rises with each promotion.
    pub timeline: u64,
}

impl Cluster {
    /// Starts one in a folder that is not there yet, and waits until all its servers serve and the leader's commits wait for
    /// a standby. What had been started goes again where that fails.
    ///
    /// # Errors
    /// Says what did not start, with the last that it said.
    pub fn up(peers: &Path, folder: &Path, nodes: usize) -> Result<Cluster> {
        ensure!(nodes > 1, "commits wait for a standby: there must be two nodes at least");
        ensure!(!folder.exists(), "{} is there already: look with `status`, or take it `down`", folder.display());
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        // From here on it is known for a cluster, however far the rest comes.
        fs::write(folder.join(LIST), "[]")?;
        let started = Cluster::found(peers, &folder, nodes).and_then(|cluster| {
            cluster.nodes.iter().try_for_each(Node::start)?;
            cluster.wait("all nodes serve", |members| serves(members, nodes).then_some(()))?;
            cluster.create_database()?;
            Ok(cluster)
        });
        started.or_else(|error| {
            let said = last_words(&folder);
            down(&folder)?;
            Err(error.context(said))
        })
    }

    fn found(peers: &Path, folder: &Path, nodes: usize) -> Result<Cluster> {
        let nodes = node::found(peers, folder, nodes)?;
        fs::write(folder.join(LIST), serde_json::to_vec_pretty(&nodes.iter().map(Node::to_json).collect::<Vec<_>>())?)?;
        Ok(Cluster { nodes })
    }

    /// The one in this folder.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open(folder: &Path) -> Result<Cluster> {
        let list = fs::read(folder.join(LIST)).with_context(|| format!("no cluster in {}", folder.display()))?;
        let nodes: Vec<Value> = serde_json::from_slice(&list)?;
        let folder = folder.canonicalize()?;
        let nodes = nodes.iter().map(|node| Node::from_json(&folder, node)).collect::<Result<_>>()?;
        Ok(Cluster { nodes })
    }

    /// Where the database is: at whichever node can be written.
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.postgres)).collect();
        format!("postgres://wakala@{}/wakala?connect_timeout=3", hosts.join(","))
    }

    /// What Patroni says of the nodes that it knows; nothing where no node answers.
    pub fn members(&self) -> Vec<Member> {
        let said = self.nodes.iter().find_map(|node| node.ask_patroni("GET /cluster", "").ok());
        let Some(said) = said.and_then(|said| serde_json::from_str::<Value>(&said).ok()) else { return Vec::new() };
        let text = |member: &Value, name: &str| member[name].as_str().unwrap_or_default().to_owned();
        let member = |member: &Value| Member {
            name: text(member, "name"),
            role: text(member, "role"),
            state: text(member, "state"),
            timeline: member["timeline"].as_u64().unwrap_or_default(),
        };
        said["members"].as_array().into_iter().flatten().map(member).collect()
    }

    /// Waits until Patroni says what is looked for.
    ///
    /// # Errors
    /// Where it does not within two minutes.
    pub fn wait<T>(&self, what: &str, find: impl Fn(&[Member]) -> Option<T>) -> Result<T> {
        let since = Instant::now();
        loop {
            let members = self.members();
            if let Some(found) = find(&members) {
                return Ok(found);
            }
            if since.elapsed() > PATIENCE {
                bail!("did not happen: {what}; Patroni says {members:?}");
            }
            sleep(LOOK);
        }
    }

    /// The node in this role (`leader`, `sync_standby`), once there is one that serves.
    ///
    /// # Errors
    /// As of [`Cluster::wait`].
    pub fn node(&self, role: &str) -> Result<&Node> {
        let serves =
            |member: &&Member| member.role == role && ["running", "streaming"].contains(&member.state.as_str());
        let name = |members: &[Member]| members.iter().find(serves).map(|member| member.name.clone());
        let name = self.wait(role, name)?;
        self.nodes.iter().find(|node| node.name == name).with_context(|| format!("no {name}"))
    }

    /// Makes the role and its database, with the rights that the platform needs and no more.
    fn create_database(&self) -> Result<()> {
        let leader = self.node("leader")?;
        leader.sql("postgres", "CREATE ROLE wakala LOGIN")?;
        leader.sql("postgres", "CREATE DATABASE wakala OWNER wakala ENCODING 'UTF8' TEMPLATE template0").map(drop)
    }
}

/// Whether so many nodes serve, one of them as leader and one, where there are several, as the one that commits wait for.
pub fn serves(members: &[Member], nodes: usize) -> bool {
    let count = |role: &str, state: &str| {
        members.iter().filter(|member| (role.is_empty() || member.role == role) && member.state == state).count()
    };
    count("leader", "running") == 1
        && count("", "streaming") == nodes - 1
        && count("sync_standby", "streaming") == 1.min(nodes - 1)
}

/// Ends all that works in a cluster's folder, and takes the folder away.
///
/// # Errors
/// Where something of it cannot be ended or taken away, or is no cluster.
pub fn down(folder: &Path) -> Result<()> {
    let folder = folder.canonicalize().with_context(|| format!("no cluster in {}", folder.display()))?;
    ensure!(folder.join(LIST).is_file(), "{} holds no cluster, and stays as it is", folder.display());
    processes::end(&folder)?;
    fs::remove_dir_all(&folder).with_context(|| format!("cannot take away {}", folder.display()))
}

/// The end of what each program has written down.
fn last_words(folder: &Path) -> String {
    let mut words = String::new();
    for name in fs::read_dir(folder).into_iter().flatten().flatten() {
        for log in ["etcd.log", "patroni.log"] {
            let path = name.path().join(log);
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let lines: Vec<&str> = text.lines().collect();
            let last = lines[lines.len().saturating_sub(10)..].join("\n");
            words += &format!("{}:\n{last}\n", path.display());
        }
    }
    words
}
