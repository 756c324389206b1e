//! What the bank says of the trust account, against what all wallets hold (I21).

use super::common::*;
use proptest::prelude::*;
use transaction_processing::bank::{TrustAccount, Whose};
use transaction_processing::decision::Change;
use transaction_processing::ids::Sequence;
use transaction_processing::proposal::Measure;
use transaction_processing::time::Time;
use transaction_processing::{Money, Refusal};

fn side(world: &World) -> TrustAccount {
    TrustAccount::of(&world.books, [TZS]).remove(0)
}

/// The bank states a balance as of now.
fn stated(world: &World, balance: i64, includes: &[&str]) -> Measure {
    let includes = includes.iter().map(|reference| (*reference).into()).collect();
    Measure::ConfirmBank { balance: money(balance), as_of: world.moment.time, statement: "statement".into(), includes }
}

fn issue(amount: i64, reference: &str) -> Measure {
    Measure::Issue { amount: money(amount), bank_reference: reference.into() }
}

#[test]
fn nothing_is_compared_before_the_bank_has_said_something() {
    let world = World::new();
    let side = side(&world);
    assert_eq!((side.money(), side.at_bank(), side.difference()), (ISSUED, None, None));
    let places: Vec<Whose> =
        Whose::ALL.into_iter().zip(side.held).filter(|(_, (_, sum))| *sum > 0).map(|(of, _)| of).collect();
    assert!(places.contains(&Whose::Customers) && places.contains(&Whose::Agents) && places.len() > 2, "{places:?}");
}

#[test]
fn what_moves_after_a_statement_is_added_to_it_and_what_it_has_already_is_not() {
    let mut world = World::new();
    world.measure(stated(&world, ISSUED, &[])).done();
    assert_eq!(side(&world).difference(), Some(0));
    world.pass(HOUR);
    world.measure(issue(500_00, "a")).done();
    world.measure(Measure::Redeem { amount: money(200_00), bank_reference: "b".into() }).done();
    let now = side(&world);
    assert_eq!((now.moved, now.difference()), (300_00, Some(0)));
    // The bank has a deposit that nobody was given money for yet.
    world.pass(HOUR);
    world.measure(stated(&world, ISSUED + 300_00 + 70_00, &["c"])).done();
    assert_eq!(side(&world).difference(), Some(70_00), "more at the bank");
    world.pass(HOUR);
    world.measure(issue(70_00, "c")).done();
    assert_eq!(side(&world).difference(), Some(0));
    // The next statement is from before that, and has it too.
    let earlier = Measure::ConfirmBank {
        balance: money(ISSUED + 370_00),
        as_of: Time(world.moment.time.0 - 1000),
        statement: "next".into(),
        includes: Vec::new(),
    };
    world.measure(earlier).done();
    assert_eq!(side(&world).difference(), Some(0), "what a statement had, later ones have");
    world.pass(HOUR);
    world.measure(stated(&world, ISSUED + 370_00, &[])).done();
    let said = world.books.bank_balance(TZS.numeric).unwrap();
    assert!(said.includes.is_empty() && side(&world).difference() == Some(0), "until it is older than they are");
}

#[test]
fn money_without_cover_is_seen_whoever_named_what() {
    let mut world = World::new();
    world.pass(HOUR);
    // Issued against a deposit that the bank does not have; and named as if it had.
    world.measure(stated(&world, ISSUED, &["ghost"])).done();
    world.pass(HOUR);
    world.measure(issue(90_00, "ghost")).done();
    assert_eq!(side(&world).difference(), Some(-90_00));
    world.pass(HOUR);
    world.measure(stated(&world, ISSUED, &[])).done();
    assert_eq!(side(&world).difference(), Some(-90_00));
}

#[test]
fn a_statement_is_of_a_known_currency_and_neither_of_tomorrow_nor_older_than_the_last() {
    let mut world = World::new();
    let with = |world: &World, by: i64| Measure::ConfirmBank {
        balance: money(ISSUED),
        as_of: Time(world.moment.time.0 + by),
        statement: "statement".into(),
        includes: Vec::new(),
    };
    world.measure(with(&world, 1)).refused(Refusal::WrongState);
    world.measure(with(&world, 0)).done();
    world.measure(with(&world, 0)).done();
    world.measure(with(&world, -1)).refused(Refusal::WrongState);
    let unknown = transaction_processing::Currency { numeric: 840, minor_digits: 2 };
    let balance = Money::new(1, unknown).unwrap();
    let as_of = world.moment.time;
    let foreign = Measure::ConfirmBank { balance, as_of, statement: "s".into(), includes: Vec::new() };
    world.measure(foreign).refused(Refusal::OtherCurrency);
    let answer = world.measure(stated(&world, 0, &[])).done();
    assert!(answer.row.unwrap().entered.is_empty(), "what the bank says moves no money");
}

#[test]
fn erasure_takes_the_name_out_of_closed_proposals_and_waits_for_open_ones() {
    let mut world = World::new();
    let up_to = |world: &World| Sequence(world.books.next().0 - 1);
    let name = |world: &World, of: u64| {
        let measures = world.books.proposals().filter_map(|proposal| match &proposal.measure {
            Measure::EnrolAgent { msisdn, name, .. } if *msisdn == number(of) => Some(name.sealed.len()),
            _ => None,
        });
        measures.collect::<Vec<_>>()
    };
    let future = Measure::Erase { msisdn: number(AGENT_PHONE), up_to: Sequence(1_000_000) };
    world.measure(future).refused(Refusal::WrongState);
    let enrol = Measure::EnrolAgent {
        code: agent(777),
        msisdn: number(STRANGER),
        name: private("shop"),
        own_numbers: Vec::new(),
    };
    let open = world.propose(enrol);
    let erase = Measure::Erase { msisdn: number(STRANGER), up_to: up_to(&world) };
    world.measure(erase.clone()).refused(Refusal::WrongState);
    world.approve(world.checker(), open).done();
    let answer = world.measure(erase).done();
    assert!(answer.row.unwrap().changes.iter().any(|change| matches!(change, Change::Erased { .. })));
    assert_eq!(name(&world, STRANGER), [0]);
    assert!(name(&world, AGENT_PHONE)[0] > 0, "nobody else's");
}

/// What happens at the bank and here.
#[derive(Clone, Debug)]
enum Step {
    /// The bank gets a deposit; nobody here knows yet.
    Deposited(i64),
    /// Money is issued for the oldest deposit that waits for it.
    Issued,
    /// The bank has paid out; the money is redeemed.
    PaidOut(i64),
    /// The bank states its balance, with the deposits that still wait.
    Stated,
    /// A customer sends.
    Sent(i64),
    /// An agent takes in.
    TakenIn(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let amount = 1_00..900_00_i64;
    prop_oneof![
        amount.clone().prop_map(Step::Deposited),
        Just(Step::Issued),
        amount.clone().prop_map(Step::PaidOut),
        Just(Step::Stated),
        amount.clone().prop_map(Step::Sent),
        amount.prop_map(Step::TakenIn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// As long as the bank has what was deposited and not paid out, both sides agree but for deposits that a statement named
    /// and nobody was given money for; and where it lacks anything, they differ by just that from its next statement on.
    #[test]
    fn both_sides_agree_whatever_happens_while_the_bank_agrees(
        steps in prop::collection::vec(step(), 1..40),
        lacking in prop_oneof![3 => Just(0_i64), 1 => 1..5_00_i64],
    ) {
        let mut world = World::new();
        let mut bank = ISSUED;
        let (mut waiting, mut known, mut count, mut has_stated) = (Vec::<(String, i64)>::new(), Vec::new(), 0, false);
        for step in steps {
            world.pass(MINUTE);
            count += 1;
            match step {
                Step::Deposited(amount) => {
                    bank += amount;
                    waiting.push((format!("deposit {count}"), amount));
                }
                Step::Issued if !waiting.is_empty() => {
                    let (reference, amount) = waiting.remove(0);
                    world.measure(issue(amount, &reference)).done();
                    known.retain(|(named, _)| *named != reference);
                }
                Step::Issued => {}
                Step::PaidOut(amount) => {
                    bank -= amount;
                    let bank_reference = format!("payment {count}");
                    world.measure(Measure::Redeem { amount: money(amount), bank_reference }).done();
                }
                Step::Stated => {
                    let names: Vec<&str> = waiting.iter().map(|(reference, _)| reference.as_str()).collect();
                    let balance = stated(&world, bank - lacking, &names);
                    world.measure(balance).done();
                    known.clone_from(&waiting);
                    has_stated = true;
                }
                Step::Sent(amount) => drop(world.say(SENDER, Say::Tm(CUSTOMER, amount, PIN))),
                Step::TakenIn(amount) => drop(world.say(AGENT_PHONE, Say::Ci(CUSTOMER, amount, PIN))),
            }
            let expected = known.iter().map(|(_, amount)| *amount).sum::<i64>() - lacking;
            let side = side(&world);
            prop_assert_eq!(side.difference(), has_stated.then_some(expected));
        }
    }
}
