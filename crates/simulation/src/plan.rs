//! One run: what makes it, and what comes of it.

use crate::fault::Kind;
use crate::museum::Defect;

/// What makes a run: the same plan gives the same run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Decides everything else.
    pub seed: u64,
    /// How much people and the office do.
    pub commands: u64,
    /// Kinds of faults that do not strike.
    pub left_out: Vec<Kind>,
    /// Whether backups may be restored: a share of the seeds.
    pub restores: bool,
    /// Whether the store is SQLite itself instead of the simulated disk.
    pub sqlite: bool,
    /// A defect that is put back, to see that it is found.
    pub exhibit: Option<Defect>,
    /// Whether to tell what is said, on standard error.
    pub tell: bool,
}

/// Of so many seeds one has backups that are restored.
const RESTORES_ONE_IN: u64 = 4;
/// Of so many seeds one is kept in SQLite.
const SQLITE_ONE_IN: u64 = 64;

impl Plan {
    /// The plan of a seed.
    pub fn new(seed: u64, commands: u64, left_out: Vec<Kind>) -> Plan {
        let sqlite = seed % SQLITE_ONE_IN == SQLITE_ONE_IN - 1;
        Plan {
            seed,
            commands,
            left_out,
            restores: seed % RESTORES_ONE_IN == 1 && !sqlite,
            sqlite,
            exhibit: None,
            tell: false,
        }
    }

    /// The line that runs it again.
    pub fn line(&self) -> String {
        let mut line = format!("cargo xtask sim --first {} --commands {}", self.seed, self.commands);
        for kind in &self.left_out {
            line.push_str(" --without ");
            line.push_str(kind.name());
        }
        if let Some(defect) = self.exhibit {
            line.push_str(" --exhibit ");
            line.push_str(defect.name());
        }
        line
    }
}
