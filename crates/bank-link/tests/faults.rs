//! Whatever is lost, doubled, overtaken, changed, killed, started again or put back from a backup, at whatever step: a
//! transaction has one effect at most, the operator is told what happened, and no key serves twice.

mod common;

use bank_link::Answer;
use common::*;
use proptest::prelude::*;

/// How many runs, and how many in the long form.
fn cases() -> u32 {
    if std::env::var_os("WAKALA_SOAK").is_some() { 5_000 } else { 256 }
}

/// A run: each step is what happens and a number that chooses of what.
struct Run {
    world: World,
    orders: u64,
    lives: u64,
    bank_backup: Option<BankDisk>,
    operator_backup: Option<OperatorDisk>,
    operator_restored: bool,
}

impl Run {
    fn new(seed: u64) -> Self {
        let world = World::with_subscribers(seed, 2);
        Self { world, orders: 0, lives: 100, bank_backup: None, operator_backup: None, operator_restored: false }
    }

    fn step(&mut self, what: u8, choice: usize) {
        let world = &mut self.world;
        let lane = LANE + (choice / 8 % 2) as u32;
        match what % 24 {
            0..=4 => {
                self.orders += 1;
                let (index, minor) = ((choice % 2) as u8, if choice.is_multiple_of(7) { 2_000_000 } else { 500 });
                let order = order((choice % 3) as u8, index, minor);
                if let Ok(frame) = world.operator.order(world.now, lane, index, id(self.orders), order) {
                    world.release(0, frame);
                }
            }
            5..=8 => self.reach_bank(choice, false),
            9..=11 => self.reach_operator(choice, false),
            12 => self.reach_bank(choice, true),
            13 => self.reach_operator(choice, true),
            14 if !world.to_bank.is_empty() => drop(world.to_bank.remove(choice % world.to_bank.len())),
            15 if !world.to_operator.is_empty() => drop(world.to_operator.remove(choice % world.to_operator.len())),
            16 | 17 => {
                let unknown: Vec<_> = world.operator.end.all_unknown().map(|(id, _)| id).collect();
                let Some(id) = unknown.get(choice % unknown.len().max(1)) else { return };
                let unknown = world.operator.end.unknown(*id).expect("it is unknown");
                let step = if what % 24 == 16 {
                    unknown.inquire(world.now, lane)
                } else {
                    unknown.send_again(world.now, lane)
                };
                if let Ok(step) = step {
                    let frame = world.operator.commit(step).expect("a session stands");
                    world.release(0, frame);
                }
            }
            18 => {
                world.now.0 += 1 + choice as u64 * 1000;
                let waiting = world.operator.opening.get(&lane).cloned();
                let frame = waiting.unwrap_or_else(|| world.operator.open(world.now, lane));
                world.release(0, frame);
            }
            19 => world.bank.restart(),
            20 => world.operator.restart(),
            21 => self.killed_at_work(choice),
            22 if choice.is_multiple_of(2) => self.bank_backup = Some(world.bank.disk.clone()),
            22 => self.operator_backup = Some(world.operator.disk.clone()),
            _ => self.restore(choice),
        }
    }

    fn reach_bank(&mut self, choice: usize, keep: bool) {
        let world = &mut self.world;
        if world.to_bank.is_empty() {
            return;
        }
        let at = choice % world.to_bank.len();
        let frame = if keep { world.to_bank[at].clone() } else { world.to_bank.remove(at) };
        if let Ok(Some(answer)) = world.bank.hear(world.now, &frame) {
            world.release(1, answer);
        }
    }

    fn reach_operator(&mut self, choice: usize, keep: bool) {
        let world = &mut self.world;
        if world.to_operator.is_empty() {
            return;
        }
        let at = choice % world.to_operator.len();
        let frame = if keep { world.to_operator[at].clone() } else { world.to_operator.remove(at) };
        let _ = world.operator.hear(world.now, &frame);
    }

    /// An end is killed between its work and the commit of it.
    fn killed_at_work(&mut self, choice: usize) {
        let world = &mut self.world;
        match choice % 3 {
            0 if !world.to_bank.is_empty() => {
                let frame = world.to_bank.remove(choice % world.to_bank.len());
                let _ = world.bank.work(world.now, &frame);
                world.bank.restart();
            }
            1 if !world.to_operator.is_empty() => {
                let frame = world.to_operator.remove(choice % world.to_operator.len());
                let _ = world.operator.end.hear(world.now, &frame);
                world.operator.restart();
            }
            2 => {
                self.orders += 1;
                let (id, order) = (id(self.orders), order(0, 0, 500));
                let who = world.operator.authenticated(0, id, &order);
                let _ = world.operator.end.order(world.now, LANE, id, order, who);
                world.operator.restart();
            }
            _ => {}
        }
    }

    /// A backup is put back: a new life of that memory.
    fn restore(&mut self, choice: usize) {
        let world = &mut self.world;
        self.lives += 1;
        if choice.is_multiple_of(2) {
            let Some(backup) = self.bank_backup.clone() else { return };
            world.bank.restore(backup, generation(self.lives));
        } else {
            let Some(mut backup) = self.operator_backup.clone() else { return };
            self.operator_restored = true;
            // What was final by the operator's books is looked at all the same, by the auditor.
            backup.answers.extend(world.operator.disk.answers.iter().map(|(id, answer)| (*id, *answer)));
            world.operator.restore(backup, generation(self.lives));
        }
    }

    /// The network heals, and everything unknown is inquired about.
    fn heal(&mut self) {
        let world = &mut self.world;
        world.settle_session();
        world.carry();
        let unknown: Vec<_> = world.operator.end.all_unknown().map(|(id, _)| id).collect();
        for id in unknown {
            // What still arrived meanwhile may have resolved it.
            let Some(unknown) = world.operator.end.unknown(id) else { continue };
            let step = unknown.inquire(world.now, LANE).expect("a session stands");
            let frame = world.operator.commit(step).expect("a session stands");
            world.release(0, frame);
            let told = world.carry();
            let answer = told.iter().find(|(told, _)| *told == id).map(|(_, answer)| *answer);
            let answer = answer.expect("an answer");
            assert!(answer.is_final() || answer == Answer::Unresolved && world.bank.restored, "{answer:?}");
        }
        world.audit();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_transaction_has_one_effect_and_is_told_as_it_was(
        seed: u64,
        steps in prop::collection::vec((any::<u8>(), 0..64_usize), 0..160),
    ) {
        let mut run = Run::new(seed);
        for (what, choice) in steps {
            run.step(what, choice);
        }
        run.world.audit();
        run.heal();
        // Everything that ever left comes once more, either way round.
        let recorded = run.world.recorded.clone();
        let effects = run.world.bank.effects.clone();
        for (direction, frame) in recorded.iter().chain(recorded.iter().rev()) {
            if *direction == 0 {
                let _ = run.world.bank.hear(run.world.now, frame);
            } else {
                let _ = run.world.operator.hear(run.world.now, frame);
            }
        }
        run.world.audit();
        // What is new was lost until now, by a network and then by an operator that was put back: nobody asks about it.
        for id in &run.world.bank.effects[effects.len()..] {
            let told = run.world.operator.disk.answers.contains_key(id);
            prop_assert!(run.operator_restored && !told && !effects.contains(id));
        }
    }
}
