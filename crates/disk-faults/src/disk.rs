//! A directory of files as a disk holds it, and as it may be found after the power was lost.
//!
//! What was synced is there. Of what was written since the last sync of a file, any part may be there: some writes and not
//! others, in any order, each torn at sectors or pages, the file grown or not. A name that was given, taken away or changed
//! holds only when the directory was synced. That is less than journalling file systems promise, and all that POSIX does.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};

/// A change of what is stored, as a process asked the system for it. Of a sync, no name means the directory itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A file was opened to be written; `creates` makes it where there is none, `empties` cuts it to nothing.
    Opened {
        /// Its name.
        name: String,
        /// Whether it is made where there is none.
        creates: bool,
        /// Whether it is cut to nothing.
        empties: bool,
    },
    /// Octets were written.
    Written {
        /// Into which file.
        name: String,
        /// From which octet on.
        at: usize,
        /// What.
        octets: Arc<[u8]>,
    },
    /// A file was given another length.
    Resized {
        /// Which.
        name: String,
        /// Its length from now on, octets.
        length: usize,
    },
    /// A name was taken away.
    Removed(String),
    /// A name was changed; what had the new one is gone.
    Renamed {
        /// From this.
        from: String,
        /// To that.
        to: String,
    },
    /// All before it is on the disk.
    Synced(Option<String>),
    /// The disk did not take what waited. Of a file the system has dropped it from what is to be written, but goes on showing
    /// it, as Linux does: a later sync says that all is well and writes none of it. Names go on waiting.
    SyncFailed(Option<String>),
}

/// Files by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The files of one directory: what of them is on the disk for sure, and what may be.
#[derive(Clone, Default)]
pub struct Disk {
    files: Vec<File>,
    /// As the disk has them for sure.
    names: BTreeMap<String, usize>,
    namings: Later<Naming>,
    /// As the running system has them.
    shown: BTreeMap<String, usize>,
}

#[derive(Clone, Default)]
struct File {
    /// As the disk has it for sure.
    octets: Vec<u8>,
    touches: Later<Touch>,
}

#[derive(Clone)]
enum Touch {
    Written { at: usize, octets: Arc<[u8]> },
    Resized(usize),
}

#[derive(Clone)]
enum Naming {
    Given(String, usize),
    Taken(String),
    Changed { from: String, to: String, file: usize },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Synced.
    Sure,
    /// To be synced.
    Waiting,
    /// Its sync failed.
    Doubtful,
}

/// Changes in their order, from the first on that is not on the disk for sure.
#[derive(Clone)]
struct Later<T>(Vec<(T, Standing)>);

impl<T> Default for Later<T> {
    fn default() -> Later<T> {
        Later(Vec::new())
    }
}

impl<T> Later<T> {
    fn add(&mut self, change: T) {
        self.0.push((change, Standing::Waiting));
    }

    fn turn(&mut self, to: Standing) {
        self.0
            .iter_mut()
            .filter(|(_, standing)| *standing == Standing::Waiting)
            .for_each(|(_, standing)| *standing = to);
    }

    /// Takes out what nothing doubtful stands before.
    fn sure(&mut self) -> impl Iterator<Item = T> {
        let count = self.0.iter().take_while(|(_, standing)| *standing == Standing::Sure).count();
        self.0.drain(..count).map(|(change, _)| change)
    }

    fn unsure(&self) -> usize {
        self.0.iter().filter(|(_, standing)| *standing != Standing::Sure).count()
    }
}

impl Disk {
    /// A disk that has these files and nothing else to write.
    pub fn holding(files: Files) -> Disk {
        let mut disk = Disk::default();
        for (name, octets) in files {
            disk.names.insert(name, disk.files.len());
            disk.files.push(File { octets, touches: Later::default() });
        }
        disk.shown = disk.names.clone();
        disk
    }

    /// Whether anything is not on the disk for sure.
    pub fn waits(&self) -> bool {
        self.namings.unsure() > 0 || self.shown.values().any(|file| self.files[*file].touches.unsure() > 0)
    }

    /// Whether it is not sure that this name is there.
    pub fn name_waits(&self, name: &str) -> bool {
        self.names.get(name) != self.shown.get(name)
    }

    /// What kind of sync this is: of what, and what it makes sure.
    pub fn kind_of_sync(&self, of: Option<&str>) -> String {
        let role = |name: &str| {
            let kinds = [("-wal", "log"), ("-journal", "journal"), (".db", "database"), (".manifest", "manifest")];
            kinds.iter().find(|(ending, _)| name.ends_with(ending)).map_or(name.to_owned(), |(_, role)| (*role).into())
        };
        let Some(name) = of else {
            let names = self.namings.0.iter().map(|(naming, _)| match naming {
                Naming::Given(name, _) => format!("new {}", role(name)),
                Naming::Taken(name) => format!("no {}", role(name)),
                Naming::Changed { to, .. } => format!("renamed {}", role(to)),
            });
            let names: std::collections::BTreeSet<String> = names.collect();
            return format!("directory: {}", names.into_iter().collect::<Vec<_>>().join(", "));
        };
        let touches = &self.files[self.shown[name]].touches.0;
        let what = match touches.as_slice() {
            [] => "nothing new",
            [(Touch::Written { at: 0, octets }, _)] if octets.len() <= 32 => "header",
            _ => "content",
        };
        format!("{}: {what}", role(name))
    }

    /// Takes a change in.
    ///
    /// # Panics
    /// Where a file is touched that was never opened.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Opened { name, creates, empties } => {
                if *creates && !self.shown.contains_key(name) {
                    self.shown.insert(name.clone(), self.files.len());
                    self.namings.add(Naming::Given(name.clone(), self.files.len()));
                    self.files.push(File::default());
                }
                if *empties {
                    self.shown_file(name).touches.add(Touch::Resized(0));
                }
            }
            Change::Written { name, at, octets } => {
                self.shown_file(name).touches.add(Touch::Written { at: *at, octets: Arc::clone(octets) });
            }
            Change::Resized { name, length } => self.shown_file(name).touches.add(Touch::Resized(*length)),
            Change::Removed(name) => {
                self.shown.remove(name);
                self.namings.add(Naming::Taken(name.clone()));
            }
            Change::Renamed { from, to } => {
                let file = self.shown.remove(from).unwrap_or_else(|| panic!("{from} was never opened"));
                self.shown.insert(to.clone(), file);
                self.namings.add(Naming::Changed { from: from.clone(), to: to.clone(), file });
            }
            Change::Synced(Some(name)) => {
                let file = self.shown_file(name);
                file.touches.turn(Standing::Sure);
                let File { octets, touches } = file;
                touches.sure().for_each(|touch| touch.apply(octets));
            }
            Change::Synced(None) => {
                self.namings.turn(Standing::Sure);
                let names = &mut self.names;
                self.namings.sure().for_each(|naming| naming.apply(names));
            }
            Change::SyncFailed(Some(name)) => self.shown_file(name).touches.turn(Standing::Doubtful),
            Change::SyncFailed(None) => {}
        }
    }

    fn shown_file(&mut self, name: &str) -> &mut File {
        let file = self.shown.get(name).unwrap_or_else(|| panic!("{name} was never opened"));
        &mut self.files[*file]
    }

    /// The files as the running system shows them, and as they are found after a process was killed.
    pub fn shown(&self) -> Files {
        let whole = |file: &usize| {
            let mut octets = self.files[*file].octets.clone();
            self.files[*file].touches.0.iter().for_each(|(touch, _)| touch.apply(&mut octets));
            octets
        };
        self.shown.iter().map(|(name, file)| (name.clone(), whole(file))).collect()
    }

    /// The files as they may be found after the power was lost.
    pub fn without_power(&self, random: &mut StdRng) -> Files {
        let mut fate = Fate::draw(self.namings.unsure(), random);
        let mut names = self.names.clone();
        for (naming, standing) in &self.namings.0 {
            if *standing == Standing::Sure || fate.keeps(random) {
                naming.apply(&mut names);
            }
        }
        let unsure = names.values().map(|file| self.files[*file].touches.unsure()).sum();
        let mut fate = Fate::draw(unsure, random);
        let damage = Damage::draw(random);
        let mut found = |file: usize| self.files[file].found(&mut fate, &damage, random);
        names.into_iter().map(|(name, file)| (name, found(file))).collect()
    }
}

impl File {
    fn found(&self, fate: &mut Fate, damage: &Damage, random: &mut StdRng) -> Vec<u8> {
        let mut octets = self.octets.clone();
        let mut length = octets.len();
        for (touch, standing) in &self.touches.0 {
            let kept = *standing == Standing::Sure || fate.keeps(random);
            match touch {
                Touch::Written { at, octets: written } => {
                    length = length.max(at + written.len());
                    if *standing != Standing::Sure && kept && random.random_bool(damage.torn) {
                        damage.tear(&mut octets, *at, written, random);
                    } else if kept {
                        touch.apply(&mut octets);
                    }
                }
                Touch::Resized(to) => {
                    length = *to;
                    if kept {
                        touch.apply(&mut octets);
                    }
                }
            }
        }
        if damage.grown && octets.len() < length {
            octets.resize(length, 0);
        }
        octets
    }
}

impl Touch {
    fn apply(&self, octets: &mut Vec<u8>) {
        match self {
            Touch::Written { at, octets: written } => put(octets, *at, written),
            Touch::Resized(length) => octets.resize(*length, 0),
        }
    }
}

fn put(octets: &mut Vec<u8>, at: usize, written: &[u8]) {
    let end = at + written.len();
    if octets.len() < end {
        octets.resize(end, 0);
    }
    octets[at..end].copy_from_slice(written);
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Naming::Given(name, file) => {
                names.insert(name.clone(), *file);
            }
            Naming::Taken(name) => {
                names.remove(name);
            }
            Naming::Changed { from, to, file } => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
        }
    }
}

/// Which of the changes that are not sure are kept.
enum Fate {
    Each(f64),
    /// So many, and then none.
    First(usize),
    /// All but the one that so many stand before.
    AllBut(usize),
    /// None but it.
    Only(usize),
}

impl Fate {
    fn draw(unsure: usize, random: &mut StdRng) -> Fate {
        let one = random.random_range(0..unsure.max(1));
        match random.random_range(0..8) {
            0 => Fate::Each(0.0),
            1 => Fate::Each(1.0),
            2 => Fate::Each(0.1),
            3 => Fate::Each(0.5),
            4 => Fate::Each(0.9),
            5 => Fate::First(one),
            6 => Fate::AllBut(one),
            _ => Fate::Only(one),
        }
    }

    /// The fate of the next one.
    fn keeps(&mut self, random: &mut StdRng) -> bool {
        let is_next = |left: &mut usize| {
            let next = *left == 0;
            *left = left.wrapping_sub(1);
            next
        };
        match self {
            Fate::Each(chance) => random.random_bool(*chance),
            Fate::First(left) => {
                let kept = *left > 0;
                *left = left.saturating_sub(1);
                kept
            }
            Fate::AllBut(left) => !is_next(left),
            Fate::Only(left) => is_next(left),
        }
    }
}

/// What happens to what is kept.
struct Damage {
    /// How likely a write is torn.
    torn: f64,
    /// Where: at multiples of so many octets.
    sector: usize,
    /// Whether what is torn off is left as anything at all, instead of as it was.
    garbled: bool,
    /// Whether a file has the length of what was to be written, though not all of it.
    grown: bool,
}

impl Damage {
    fn draw(random: &mut StdRng) -> Damage {
        Damage {
            torn: [0.0, 0.0, 0.3, 1.0][random.random_range(0..4)],
            sector: if random.random_bool(0.5) { 512 } else { 4096 },
            garbled: random.random_bool(0.25),
            grown: random.random_bool(0.5),
        }
    }

    /// Writes some of the sectors that a write reaches into.
    fn tear(&self, octets: &mut Vec<u8>, at: usize, written: &[u8], random: &mut StdRng) {
        let mut from = 0;
        while from < written.len() {
            let to = written.len().min((at + from) / self.sector * self.sector + self.sector - at);
            if random.random_bool(0.5) {
                put(octets, at + from, &written[from..to]);
            } else if self.garbled {
                let mut garbage = vec![0; to - from];
                random.fill_bytes(&mut garbage);
                put(octets, at + from, &garbage);
            }
            from = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn written(name: &str, at: usize, octets: &[u8]) -> Change {
        Change::Written { name: name.into(), at, octets: octets.into() }
    }

    fn opened(name: &str) -> Change {
        Change::Opened { name: name.into(), creates: true, empties: false }
    }

    fn disk(changes: &[Change]) -> Disk {
        let mut disk = Disk::default();
        changes.iter().for_each(|change| disk.apply(change));
        disk
    }

    /// Every content of a file that a thousand losses of power leave, none where it is not there.
    fn found(disk: &Disk, name: &str) -> std::collections::BTreeSet<Option<Vec<u8>>> {
        (0..1000).map(|seed| disk.without_power(&mut StdRng::seed_from_u64(seed)).remove(name)).collect()
    }

    fn all<const N: usize>(states: [Option<&[u8]>; N]) -> std::collections::BTreeSet<Option<Vec<u8>>> {
        states.into_iter().map(|state| state.map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn what_was_synced_is_there_and_what_was_not_may_be() {
        let sure = [opened("a"), written("a", 0, b"old"), Change::Synced(Some("a".into())), Change::Synced(None)];
        assert_eq!(found(&disk(&sure), "a"), all([Some(b"old")]));
        let more = [&sure[..], &[written("a", 0, b"n"), written("a", 2, b"w")]].concat();
        let states = found(&disk(&more), "a");
        for state in [b"old", b"nld", b"olw", b"nlw"] {
            assert!(states.contains(&Some(state.to_vec())));
        }
        assert_eq!(disk(&more).shown()["a"], b"nlw");
    }

    #[test]
    fn a_name_holds_when_the_directory_was_synced() {
        let file = [opened("a"), written("a", 0, b"x"), Change::Synced(Some("a".into()))];
        assert_eq!(found(&disk(&file), "a"), all([None, Some(b"x")]));
        let renamed = Change::Renamed { from: "a".into(), to: "b".into() };
        let moved = disk(&[&file[..], &[Change::Synced(None), renamed]].concat());
        assert_eq!(found(&moved, "a"), all([None, Some(b"x")]));
        for seed in 0..100 {
            let files = moved.without_power(&mut StdRng::seed_from_u64(seed));
            assert_eq!(files.len(), 1, "a file has one name before and after");
        }
    }

    #[test]
    fn a_write_is_torn_at_sectors() {
        let (old, new) = ([1; 8192], [2; 8192]);
        let sure = [opened("a"), written("a", 0, &old), Change::Synced(Some("a".into())), Change::Synced(None)];
        let torn = disk(&[&sure[..], &[written("a", 0, &new)]].concat());
        let states = found(&torn, "a");
        let at = |state: &Option<Vec<u8>>, octet: usize| state.as_ref().map_or(0, |octets| octets[octet]);
        assert!(states.iter().any(|state| at(state, 511) == 1 && at(state, 512) == 2), "at 512");
        assert!(states.iter().any(|state| at(state, 511) == 2 && at(state, 512) == 1), "the other way round");
        assert!(states.iter().all(|state| state.as_ref().is_some_and(|octets| octets.len() == 8192)));
    }

    #[test]
    fn what_a_failed_sync_left_is_not_made_sure_by_the_next() {
        let file = Some("a".to_owned());
        let sure = [opened("a"), written("a", 0, b"old"), Change::Synced(file.clone()), Change::Synced(None)];
        let failed = [written("a", 0, b"new"), Change::SyncFailed(file.clone()), Change::Synced(file.clone())];
        let doubtful = [&sure[..], &failed].concat();
        let states = found(&disk(&doubtful), "a");
        assert!(states.contains(&Some(b"old".to_vec())) && states.contains(&Some(b"new".to_vec())));
        let again = [&doubtful[..], &[written("a", 0, b"new"), Change::Synced(file)]].concat();
        assert_eq!(found(&disk(&again), "a"), all([Some(b"new")]), "written again it is");
    }

    #[test]
    fn a_file_may_have_grown_without_what_was_written() {
        let sure = [opened("a"), Change::Synced(Some("a".into())), Change::Synced(None), written("a", 2, b"x")];
        let states = found(&disk(&sure), "a");
        assert!(states.contains(&Some(vec![0, 0, 0])) && states.contains(&Some(Vec::new())));
    }
}
