//! The whole platform under a seeded clock, network and disk: phones plain and sealed, message centres, both ends' SMPP
//! sessions, uplink and downlink, timers, the writer and its store, staff and thieves, on one thread and without sleeping.
//! Auditors that trust none of it look on. The same seed gives the same run.
//!
//! [`run`] runs one [`Plan`]; the program beside this library runs many and shrinks what fails.

#![expect(clippy::inconsistent_digit_grouping, reason = "minor units are written apart from major ones")]

mod audit;
mod clock;
mod coverage;
mod depot;
mod dice;
mod disk;
mod fault;
mod finish;
mod hearing;
mod house;
mod life;
mod museum;
mod network;
mod office;
mod people;
mod plan;
mod process;
mod sabotage;
mod setting;
mod speech;
mod world;

pub use coverage::Coverage;
pub use fault::Kind;
pub use museum::{Defect, EXHIBITS, Exhibit};
pub use plan::Plan;

use audit::Finding;
use depot::{Depot, InSqlite, Simulated};
use dice::Dice;
use world::World;

/// What came of a run.
pub struct Outcome {
    /// Of everything that happened, in its order.
    pub hash: u64,
    /// What it reached.
    pub coverage: Coverage,
    /// What an auditor found.
    pub finding: Option<String>,
}

/// Runs a plan to its end, or to the first finding.
pub fn run(plan: &Plan) -> Outcome {
    if plan.sqlite {
        let mut setting = Dice::new(plan.seed, "setting");
        let (ground, _) = setting::ground(&mut setting, &mut Dice::new(plan.seed, "keys"));
        return match InSqlite::new(setting::currencies(&ground.config)) {
            Ok(depot) => run_in(plan, depot),
            Err(error) => Outcome { hash: 0, coverage: Coverage::new(), finding: Some(error.to_string()) },
        };
    }
    run_in(plan, Simulated::default())
}

fn run_in<D: Depot>(plan: &Plan, depot: D) -> Outcome {
    let mut world = World::new(plan.clone(), depot);
    let finding = world.run().err().map(|Finding(what)| what);
    Outcome { hash: world.hash(), coverage: world.coverage, finding }
}
