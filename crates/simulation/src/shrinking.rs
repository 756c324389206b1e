//! Shrinks a run that failed: fewer commands first, then fewer kinds of faults. Another failure than the first is as good.

use anyhow::Result;
use simulation::{Kind, Outcome, Plan};

use crate::workers::Failure;

/// The most runs that are spent on fewer commands.
const MOST_TRIES: u32 = 24;

/// A smaller plan that fails, and how; none where there is none.
///
/// # Errors
/// Where plans cannot be run.
pub fn shrink(
    plan: &Plan,
    run: &mut dyn FnMut(&Plan) -> Result<Result<Outcome, Failure>>,
) -> Result<Option<(Plan, Failure)>> {
    let mut smallest: Option<(Plan, Failure)> = None;
    let (mut passes, mut fails) = (0, plan.commands);
    for _ in 0..MOST_TRIES {
        let commands = passes + (fails - passes) / 2;
        if commands == passes || commands == fails {
            break;
        }
        let smaller = Plan { commands, ..plan.clone() };
        match run(&smaller)? {
            Ok(_) => passes = commands,
            Err(failure) => {
                fails = commands;
                smallest = Some((smaller, failure));
            }
        }
    }
    let mut held = smallest.as_ref().map_or(plan, |(smaller, _)| smaller).clone();
    for kind in Kind::ALL {
        if held.left_out.contains(kind) {
            continue;
        }
        let mut smaller = held.clone();
        smaller.left_out.push(*kind);
        if let Err(failure) = run(&smaller)? {
            held = smaller.clone();
            smallest = Some((smaller, failure));
        }
    }
    Ok(smallest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulation::Coverage;

    /// Fails from so many commands on, as long as this kind strikes.
    fn shrunk(from: u64, kind: Kind) -> Option<Plan> {
        let mut run = |plan: &Plan| {
            let fails = plan.commands >= from && !plan.left_out.contains(&kind);
            Ok(if fails {
                Err(Failure { what: "found".into() })
            } else {
                Ok(Outcome { hash: 0, coverage: Coverage::new(), finding: None })
            })
        };
        let plan = Plan::new(1, 1_000, Vec::new());
        shrink(&plan, &mut run).expect("plans run").map(|(plan, _)| plan)
    }

    #[test]
    fn what_fails_is_shrunk_to_what_it_needs() {
        let plan = shrunk(137, Kind::ClockBack).expect("it fails");
        assert_eq!(plan.commands, 137);
        assert_eq!(plan.left_out.len(), Kind::ALL.len() - 1);
        assert!(!plan.left_out.contains(&Kind::ClockBack));
    }
}
