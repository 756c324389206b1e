//! Every refusal: how it is reached, what it counts, whom it tells. None moves money; the world's auditor sees to that.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on has failed"
)]
#![allow(clippy::inconsistent_digit_grouping, reason = "minor units stand apart: 500_00 is five hundred")]

mod common;

use std::collections::BTreeSet;

use common::*;
use transaction_processing::account::{Account, Holder, PinState, Tier};
use transaction_processing::decision::{Change, Scope};
use transaction_processing::ids::{AccountId, CaseId, Iccid, ProposalId, StaffId, TransferId};
use transaction_processing::money::TypedAmount;
use transaction_processing::notice::Text;
use transaction_processing::proposal::Measure;
use transaction_processing::refusal::Weight;
use transaction_processing::request::Action;
use transaction_processing::requests::{approve, staff};
use transaction_processing::tariff::{Payer, Priced};
use transaction_processing::time::Time;
use transaction_processing::{Money, Refusal};

/// What a refusal counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counts {
    Nothing,
    Pin(u64),
    Password(u64),
    Code,
    PasswordAtAgent,
    Registration(u64),
    Packet(u64),
    /// A right secret ended the counting, and then something else was wrong.
    Cleared(u64),
}

struct Case {
    why: Refusal,
    counts: Counts,
    run: fn() -> (World, Answer),
}

fn case(why: Refusal, run: fn() -> (World, Answer)) -> Case {
    counting(why, Counts::Nothing, run)
}

fn counting(why: Refusal, counts: Counts, run: fn() -> (World, Answer)) -> Case {
    Case { why, counts, run }
}

/// The world as it begins, and one thing said in it.
fn at_once(from: u64, say: Say) -> (World, Answer) {
    let mut world = World::new();
    let answer = world.say(from, say);
    (world, answer)
}

/// The world after some preparation, and one thing said in it.
fn after(prepare: impl FnOnce(&mut World), from: u64, say: Say) -> (World, Answer) {
    let mut world = World::new();
    prepare(&mut world);
    let answer = world.say(from, say);
    (world, answer)
}

fn measured(measure: Measure) -> (World, Answer) {
    let mut world = World::new();
    let answer = world.measure(measure);
    (world, answer)
}

fn wrong_pins(world: &mut World, times: usize) {
    for _ in 0..times {
        world.say(SENDER, Say::Bl(WRONG)).refused(Refusal::WrongPin);
        world.pass(31 * MINUTE);
    }
}

const CARD: u128 = 89_255_000_000_000_000_001;

/// In the order in which a message meets them: the door, the asker, the PIN, the other party, the amount, the matter itself.
#[rustfmt::skip]
fn table() -> Vec<Case> {
    use Refusal as No;
    vec![
        // The door.
        case(No::NotSealed, || after(|world| { world.bind_card(SENDER, CARD).done(); }, SENDER, Say::Hp)),
        case(No::PlainNotServed, || {
            let mut world = World::bare(transaction_processing::policy::Policy { plain_accepted: false, ..policy() });
            let answer = world.say(STRANGER, Say::Hp);
            (world, answer)
        }),
        case(No::CounterTooLow, || {
            let mut world = World::new();
            world.bind_card(SENDER, CARD).done();
            world.say_sealed(SENDER, 7, Say::Hp).done();
            let answer = world.say_sealed(SENDER, 6, Say::Hp);
            (world, answer)
        }),
        case(No::CardBlocked, || {
            let mut world = World::new();
            world.bind_card(SENDER, CARD).done();
            world.say_sealed(SENDER, 0xff_ffff_ffff, Say::Hp).done();
            let answer = world.say_sealed(SENDER, 0xff_ffff_ffff, Say::Bl(PIN));
            (world, answer)
        }),
        case(No::Slowed, || {
            let mut world = World::with(|policy| policy.spraying_per_link = 2);
            world.say(SENDER, Say::Bl(WRONG)).refused(No::WrongPin);
            world.say(CUSTOMER, Say::Bl(WRONG)).refused(No::WrongPin);
            let answer = world.say(AGENT_PHONE, Say::Bl(PIN));
            (world, answer)
        }),
        // Who is asking.
        case(No::NotRegistered, || at_once(STRANGER, Say::Tm(CUSTOMER, 500_00, PIN))),
        case(No::NotForAgents, || at_once(AGENT_PHONE, Say::Tm(CUSTOMER, 500_00, PIN))),
        case(No::NotAnAgent, || at_once(SENDER, Say::Ci(CUSTOMER, 500_00, PIN))),
        case(No::NotYourNumber, || at_once(SENDER, Say::QtFor(STRANGER, 12_345_678, AGENT))),
        // PIN.
        case(No::PinLockedByTries, || after(|world| wrong_pins(world, 10), SENDER, Say::Bl(PIN))),
        case(No::PinLocked, || after(|world| (0..3).for_each(|_| {
            world.say(SENDER, Say::Bl(WRONG)).refused(No::WrongPin);
        }), SENDER, Say::Bl(PIN))),
        case(No::NoPin, || after(|world| {
            let pin = PinState { proof: None, wrong: 0, locked_until: None, one_time_until: None };
            let holder = Holder::Customer(Tier::Entry);
            let account = Account::open(AccountId(9999), holder, Some(number(STRANGER)), TZS, pin, Time(0));
            world.books.restore(&Change::Opened(account));
        }, STRANGER, Say::Bl(PIN))),
        counting(No::WrongPin, Counts::Pin(SENDER), || at_once(SENDER, Say::Tm(CUSTOMER, 500_00, WRONG))),
        case(No::OneTimePinExpired, || {
            let mut world = World::new();
            let one_time = world.measure(Measure::ResetPin { msisdn: number(SENDER) }).done().code_to(SENDER);
            world.pass(HOUR);
            let answer = world.say(SENDER, Say::Pn(one_time, PIN));
            (world, answer)
        }),
        case(No::ChangePinFirst, || {
            let mut world = World::new();
            let one_time = world.measure(Measure::ResetPin { msisdn: number(SENDER) }).done().code_to(SENDER);
            let answer = world.say(SENDER, Say::Bl(one_time));
            (world, answer)
        }),
        case(No::WeakPin, || at_once(SENDER, Say::Pn(PIN, WEAK))),
        case(No::SamePin, || at_once(SENDER, Say::Pn(PIN, PIN))),
        case(No::AccountFrozen, || after(|world| {
            world.measure(Measure::Freeze { msisdn: number(SENDER) }).done();
        }, SENDER, Say::Tm(CUSTOMER, 500_00, PIN))),
        // The other party.
        case(No::NotMobile, || at_once(SENDER, Say::TmNotMobile(500_00, PIN))),
        case(No::ToOneself, || at_once(SENDER, Say::Tm(SENDER, 500_00, PIN))),
        case(No::UnknownAgent, || at_once(SENDER, Say::Co(9999, 500_00, PIN))),
        case(No::OwnDealing, || at_once(AGENT_PHONE, Say::Ci(AGENTS_OTHER_PHONE, 500_00, PIN))),
        case(No::PayeeNotRegistered, || at_once(AGENT_PHONE, Say::Ci(STRANGER, 500_00, PIN))),
        case(No::PayeeIsAgent, || at_once(SENDER, Say::Tm(AGENT_PHONE, 500_00, PIN))),
        case(No::PayeeFrozen, || after(|world| {
            world.measure(Measure::Freeze { msisdn: number(CUSTOMER) }).done();
        }, SENDER, Say::Tm(CUSTOMER, 500_00, PIN))),
        case(No::OtherCurrency, || {
            let amount = Money::new(500_00, KES).unwrap();
            measured(Measure::SupplyFloat { agent: agent(AGENT), amount })
        }),
        // The amount.
        case(No::BadAmount, || at_once(SENDER, Say::TmTyped(CUSTOMER, TypedAmount { digits: 500_001, scale: 3 }, PIN))),
        case(No::AmountTooSmall, || at_once(SENDER, Say::Tm(CUSTOMER, 99, PIN))),
        case(No::AmountTooLarge, || at_once(SENDER, Say::Tm(CUSTOMER, 5_000_01, PIN))),
        case(No::DayLimit, || after(|world| {
            world.say(SENDER, Say::Tm(CUSTOMER, 5_000_00, PIN)).done();
            world.say(SENDER, Say::Tm(CUSTOMER, 3_000_00, PIN)).done();
        }, SENDER, Say::Tm(CUSTOMER, 2_000_01, PIN))),
        case(No::MonthLimit, || {
            let mut world = World::with(|policy| policy.limits[0].per_month = 6_000_00);
            world.say(SENDER, Say::Tm(CUSTOMER, 5_000_00, PIN)).done();
            world.pass(DAY);
            let answer = world.say(SENDER, Say::Tm(CUSTOMER, 1_000_01, PIN));
            (world, answer)
        }),
        case(No::PayeeMustRegister, || after(|world| {
            world.say(SENDER, Say::Tm(STRANGER, 3_000_00, PIN)).done();
        }, SENDER, Say::Tm(STRANGER, 1_000_01, PIN))),
        case(No::PayeeBalanceLimit, || after(|world| {
            world.say(AGENT_PHONE, Say::Ci(SENDER, 5_000_00, PIN)).done();
            world.say(AGENT_PHONE, Say::Ci(SENDER, 5_000_00, PIN)).done();
        }, AGENT_PHONE, Say::Ci(SENDER, 2_000_01, PIN))),
        case(No::ChargesAboveAmount, || {
            let mut world = World::priced([terms(Priced::Transfer, Payer::Payee)]);
            let answer = world.say(SENDER, Say::Tm(CUSTOMER, 11_00, PIN));
            (world, answer)
        }),
        case(No::NotEnoughMoney, || at_once(CUSTOMER, Say::Tm(SENDER, 1_00, PIN))),
        case(No::NotEnoughFloat, || after(|world| {
            let most = world.balance(AGENT_PHONE) - 1_00;
            world.measure(Measure::WithdrawFloat { agent: agent(AGENT), amount: money(most) }).done();
        }, AGENT_PHONE, Say::Ci(CUSTOMER, 1_01, PIN))),
        case(No::OperatorFundsShort, || {
            let mut world = World::priced([terms(Priced::CashIn, Payer::Operator)]);
            let all = ISSUED - 2 * FLOAT;
            world.measure(Measure::Redeem { amount: money(all), bank_reference: "out".into() }).done();
            let answer = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN));
            (world, answer)
        }),
        // Claims.
        case(No::ClaimsPaused, || {
            let mut world = World::new();
            let (_, password) = world.send_by_password(STRANGER, 500_00);
            for _ in 0..3 {
                world.say(STRANGER, Say::Qt(WRONG, AGENT)).refused(No::WrongPassword);
            }
            let answer = world.say(STRANGER, Say::Qt(password, AGENT));
            (world, answer)
        }),
        case(No::NothingWaiting, || at_once(STRANGER, Say::Qt(12_345_678, AGENT))),
        counting(No::WrongPassword, Counts::Password(STRANGER), || after(|world| {
            world.send_by_password(STRANGER, 500_00);
        }, STRANGER, Say::Qt(WRONG, AGENT))),
        case(No::CodesExhausted, || {
            let mut world = World::new();
            let (_, _, code) = world.send_and_query(STRANGER, 500_00, AGENT);
            for _ in 0..3 {
                world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, WRONG, PIN)).refused(No::WrongCode);
            }
            let answer = world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN));
            (world, answer)
        }),
        case(No::NothingToPayOut, || at_once(AGENT_PHONE, Say::Gm(STRANGER, 500_00, 123_456, PIN))),
        case(No::OtherAgent, || {
            let mut world = World::new();
            let (_, _, code) = world.send_and_query(STRANGER, 500_00, AGENT);
            let answer = world.say(OTHER_AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN));
            (world, answer)
        }),
        case(No::AlreadyPaid, || {
            let mut world = World::new();
            let (_, _, code) = world.send_and_query(STRANGER, 500_00, AGENT);
            world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).done();
            let answer = world.say(OTHER_AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN));
            (world, answer)
        }),
        case(No::CodeExpired, || {
            let mut world = World::new();
            let (_, _, code) = world.send_and_query(STRANGER, 500_00, AGENT);
            world.pass(30 * MINUTE);
            let answer = world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN));
            (world, answer)
        }),
        counting(No::WrongCode, Counts::Code, || after(|world| {
            world.send_and_query(STRANGER, 500_00, AGENT);
        }, AGENT_PHONE, Say::Gm(STRANGER, 500_00, WRONG, PIN))),
        case(No::PasswordAtAgentOff, || at_once(AGENT_PHONE, Say::Gw(STRANGER, 500_00, 12_345_678, PIN))),
        case(No::PasswordAtAgentClosed, || {
            let mut world = World::with(|policy| policy.password_at_agent = true);
            let (_, password) = world.send_by_password(STRANGER, 500_00);
            world.say(AGENT_PHONE, Say::Gw(STRANGER, 500_00, WRONG, PIN)).refused(No::WrongPassword);
            let answer = world.say(AGENT_PHONE, Say::Gw(STRANGER, 500_00, password, PIN));
            (world, answer)
        }),
        counting(No::WrongPassword, Counts::PasswordAtAgent, || {
            let mut world = World::with(|policy| policy.password_at_agent = true);
            world.send_by_password(STRANGER, 500_00);
            let answer = world.say(AGENT_PHONE, Say::Gw(STRANGER, 500_00, WRONG, PIN));
            (world, answer)
        }),
        case(No::IdentityNeeded, || {
            let mut world = World::new();
            let (_, _, code) = world.send_and_query(STRANGER, 2_000_01, AGENT);
            let answer = world.say(AGENT_PHONE, Say::Gm(STRANGER, 2_000_01, code, PIN));
            (world, answer)
        }),
        // A transfer by its reference.
        case(No::UnknownReference, || {
            let mut world = World::new();
            let (transfer, _) = world.send_by_password(STRANGER, 500_00);
            let answer = world.say(CUSTOMER, Say::Rc(transfer, PIN));
            (world, answer)
        }),
        case(No::UnknownReference, || at_once(STRANGER, Say::Ck(None))),
        case(No::NotWaiting, || {
            let mut world = World::new();
            let credited = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
            let answer = world.say(SENDER, Say::Rs(credited, PIN));
            (world, answer)
        }),
        case(No::TooManyResends, || {
            let mut world = World::new();
            let (transfer, _) = world.send_by_password(STRANGER, 500_00);
            for _ in 0..3 {
                world.say(SENDER, Say::Rs(transfer, PIN)).done();
            }
            let answer = world.say(SENDER, Say::Rs(transfer, PIN));
            (world, answer)
        }),
        case(No::NotRecallable, || {
            let mut world = World::new();
            let credited = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
            world.pass(3 * DAY + 1);
            let answer = world.say(SENDER, Say::Rc(credited, PIN));
            (world, answer)
        }),
        case(No::RecallAlreadyAsked, || {
            let mut world = World::new();
            let credited = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
            world.say(SENDER, Say::Rc(credited, PIN)).done();
            let answer = world.say(SENDER, Say::Rc(credited, PIN));
            (world, answer)
        }),
        case(No::NoRecallAsked, || {
            let mut world = World::new();
            let credited = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
            let answer = world.say(CUSTOMER, Say::Ra(credited, PIN));
            (world, answer)
        }),
        case(No::AlreadyReturned, || {
            let mut world = World::new();
            let (transfer, _) = world.send_by_password(STRANGER, 500_00);
            world.say(SENDER, Say::Rc(transfer, PIN)).done();
            let answer = world.say(SENDER, Say::Rc(transfer, PIN));
            (world, answer)
        }),
        case(No::TooManyReceipts, || {
            let mut world = World::new();
            let (transfer, _) = world.send_by_password(STRANGER, 500_00);
            let answer = world.say(OTHER_STRANGER, Say::CkTooOften(transfer));
            (world, answer)
        }),
        // Registration.
        case(No::AlreadyRegistered, || at_once(SENDER, Say::Rg(PIN))),
        case(No::TooManyRegistrations, || after(|world| (0..3).for_each(|_| {
            world.say(STRANGER, Say::Rg(PIN)).done();
        }), STRANGER, Say::Rg(PIN))),
        case(No::NoRegistration, || at_once(STRANGER, Say::RgCode(123_456))),
        case(No::RegistrationExpired, || {
            let mut world = World::new();
            let code = world.say(STRANGER, Say::Rg(PIN)).code_to(STRANGER);
            world.pass(30 * MINUTE);
            let answer = world.say(STRANGER, Say::RgCode(code));
            (world, answer)
        }),
        counting(No::WrongRegistrationCode, Counts::Registration(STRANGER), || after(|world| {
            world.say(STRANGER, Say::Rg(PIN)).done();
        }, STRANGER, Say::RgCode(WRONG))),
        counting(No::WrongRegistrationPin, Counts::Registration(STRANGER), || {
            let mut world = World::new();
            let code = world.say(STRANGER, Say::Rg(PIN)).code_to(STRANGER);
            let answer = world.say(STRANGER, Say::RgCodePin(code, WRONG));
            (world, answer)
        }),
        case(No::RegistrationContested, || {
            let mut world = World::new();
            world.say(STRANGER, Say::Rg(77_431)).done();
            let code = world.say(STRANGER, Say::Rg(PIN)).code_to(STRANGER);
            let answer = world.say(STRANGER, Say::RgCode(code));
            (world, answer)
        }),
        // Staff.
        case(No::UnknownStaff, || {
            let mut world = World::new();
            let proposal = world.propose(Measure::Freeze { msisdn: number(SENDER) });
            let answer = world.approve(StaffId(9999), proposal);
            (world, answer)
        }),
        case(No::UnknownProposal, || {
            let mut world = World::new();
            let answer = world.approve(world.checker(), ProposalId(9999));
            (world, answer)
        }),
        case(No::ProposalClosed, || {
            let mut world = World::new();
            let proposal = world.propose(Measure::Freeze { msisdn: number(SENDER) });
            world.approve(world.checker(), proposal).done();
            let answer = world.approve(world.checker(), proposal);
            (world, answer)
        }),
        case(No::SamePerson, || {
            let mut world = World::new();
            let proposal = world.propose(Measure::Freeze { msisdn: number(SENDER) });
            let answer = world.approve(world.maker(), proposal);
            (world, answer)
        }),
        case(No::BankReferenceUsed, || {
            let mut world = World::new();
            let issue = || Measure::Issue { amount: money(1_00), bank_reference: "deposit".into() };
            let (first, second) = (world.propose(issue()), world.propose(issue()));
            world.approve(world.checker(), first).done();
            let answer = world.approve(world.checker(), second);
            (world, answer)
        }),
        case(No::NameTaken, || measured(Measure::EnrolStaff { name: "maker".into(), verifier: "v".into() })),
        case(No::UnknownAccount, || measured(Measure::Freeze { msisdn: number(STRANGER) })),
        case(No::WrongState, || measured(Measure::Unfreeze { msisdn: number(SENDER) })),
        case(No::UnknownCase, || measured(Measure::PayUnclaimed { case: CaseId(9999), msisdn: number(SENDER) })),
        case(No::CardInUse, || {
            let mut world = World::new();
            world.bind_card(SENDER, CARD).done();
            let iccid = Iccid::new(CARD).unwrap();
            let answer = world.measure(Measure::BindCard { msisdn: number(CUSTOMER), iccid });
            (world, answer)
        }),
        case(No::CodesMissing, || {
            let mut world = World::new();
            let proposal = world.propose(Measure::ResetPin { msisdn: number(SENDER) });
            let verdict = approve::Verdict::Approve;
            let fields = approve::Fields { proposal, verdict, one_time_pin: None, moved_name: None };
            let answer = world.by_staff(world.checker(), Action::Approve(fields));
            (world, answer)
        }),
        case(No::StaffEnrolled, || {
            let mut world = World::new();
            let fields = staff::Fields { name: "third".into(), verifier: "v".into() };
            let answer = world.platform(Action::EnrolFirstStaff(fields));
            (world, answer)
        }),
        case(No::UnsoundTariff, || {
            let mut world = World::new();
            let answer = world.adopt(transaction_processing::tariff::Terms {
                bands: Vec::new(), ..terms(Priced::Transfer, Payer::Sender)
            });
            (world, answer)
        }),
        // A right PIN after a wrong one ends the counting even where the rest is refused.
        counting(No::ToOneself, Counts::Cleared(SENDER), || after(|world| {
            world.say(SENDER, Say::Bl(WRONG)).refused(No::WrongPin);
        }, SENDER, Say::Tm(SENDER, 500_00, PIN))),
        // A sealed packet's counter is used up even where it is refused.
        counting(No::ToOneself, Counts::Packet(SENDER), || {
            let mut world = World::new();
            world.bind_card(SENDER, CARD).done();
            let answer = world.say_sealed(SENDER, 1, Say::Tm(SENDER, 500_00, PIN));
            (world, answer)
        }),
    ]
}

#[test]
fn every_refusal_is_reached_counts_what_it_should_and_tells_the_one_who_asked() {
    for Case { why, counts, run } in table() {
        let (world, answer) = run();
        assert_eq!(answer.refusal, Some(why));
        assert_eq!(counted(&world, &answer), counts, "{why:?}");
        let from = answer.message.map(|message| message.from);
        assert_eq!(answer.told(), Vec::from_iter(from), "{why:?} tells the one who asked and nobody else");
        if let Some(from) = from {
            let message = answer.message.unwrap();
            let told = told!(answer, from, Text::Refused { why, asked } => (*why, *asked));
            let mut world = world;
            assert_eq!(told, (why, message.say.action(from, &mut world).kind()));
            // An account without a PIN stands in no row: it was loaded.
            if why != Refusal::NoPin {
                world.audit();
            }
        }
    }
}

#[test]
fn the_table_of_refusals_is_whole() {
    let reached: BTreeSet<Refusal> = table().into_iter().map(|case| case.why).collect();
    for why in Refusal::ALL {
        assert!(reached.contains(why), "{why:?} has no row in the table");
    }
}

#[test]
fn refusals_are_numbered_and_named_once() {
    let numbers: BTreeSet<u8> = Refusal::ALL.iter().map(|why| *why as u8).collect();
    let names: BTreeSet<&str> = Refusal::ALL.iter().map(|why| why.name()).collect();
    assert_eq!((numbers.len(), names.len()), (Refusal::ALL.len(), Refusal::ALL.len()));
    assert!(Refusal::ALL.iter().all(|why| Refusal::numbered(*why as u8) == Some(*why)));
    let counted = Refusal::ALL.iter().filter(|why| why.weight() == Weight::Counted).count();
    assert_eq!(counted, 5, "wrong PIN, password, verification code, registration code, its PIN");
}

/// What the row of a refusal counts, failures against spraying looked at apart.
fn counted(world: &World, answer: &Answer) -> Counts {
    let Some(row) = &answer.row else { return Counts::Nothing };
    let spraying: Vec<Scope> = row
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Failures(failures) => Some(failures.scope),
            _ => None,
        })
        .collect();
    let weight = answer.refusal.unwrap().weight();
    if weight == Weight::Counted {
        let by_agent = [AGENT_PHONE, OTHER_AGENT_PHONE].contains(&answer.message.unwrap().from);
        let agent = by_agent.then_some(Scope::Agent(agent(AGENT)));
        assert_eq!(spraying, [Scope::All, Scope::Link(world.link)].into_iter().chain(agent).collect::<Vec<_>>());
    } else {
        assert!(spraying.is_empty());
    }
    let others: Vec<&Change> = row.changes.iter().filter(|change| !matches!(change, Change::Failures(_))).collect();
    let [only] = others.as_slice() else { panic!("{:?} counts {} things", answer.refusal, others.len()) };
    match only {
        Change::Pin { account, pin } => {
            let of = answer.message.unwrap().from;
            assert_eq!(*account, world.wallet(of));
            if pin.wrong > 0 { Counts::Pin(of) } else { Counts::Cleared(of) }
        }
        Change::Number(number) if number.registration.as_ref().is_some_and(|held| held.wrong > 0) => {
            Counts::Registration(number.msisdn.digits())
        }
        Change::Number(number) if number.claims.wrong > 0 => Counts::Password(number.msisdn.digits()),
        Change::Transfer(transfer) => {
            let waiting = transfer.waiting().unwrap();
            if waiting.password_at_agent_closed { Counts::PasswordAtAgent } else { Counts::Code }
        }
        Change::CardUsed { msisdn, .. } => Counts::Packet(msisdn.digits()),
        _ => panic!("{:?} changes something else", answer.refusal),
    }
}

// ---- precedence -----------------------------------------------------------------------------------------------------

/// Everything is wrong with a request at first, and one thing after the other is put right.
#[test]
fn a_transfer_is_refused_for_the_first_thing_that_is_wrong() {
    use Refusal as No;
    let mut world = World::with(|policy| policy.limits[0].per_day = 2_000_00);
    world.measure(Measure::Freeze { msisdn: number(SENDER) }).done();
    world.measure(Measure::Freeze { msisdn: number(CUSTOMER) }).done();
    world.say(STRANGER, Say::Tm(STRANGER, 9_000_00, WRONG)).refused(No::NotRegistered);
    world.say(SENDER, Say::TmNotMobile(0, WRONG)).refused(No::WrongPin);
    world.say(SENDER, Say::TmNotMobile(0, PIN)).refused(No::AccountFrozen);
    world.measure(Measure::Unfreeze { msisdn: number(SENDER) }).done();
    world.say(SENDER, Say::TmNotMobile(0, PIN)).refused(No::NotMobile);
    world.say(SENDER, Say::Tm(SENDER, 0, PIN)).refused(No::ToOneself);
    world.say(SENDER, Say::Tm(CUSTOMER, 0, PIN)).refused(No::BadAmount);
    world.say(SENDER, Say::Tm(CUSTOMER, 9_000_00, PIN)).refused(No::AmountTooLarge);
    world.say(SENDER, Say::Tm(CUSTOMER, 3_000_00, PIN)).refused(No::DayLimit);
    world.say(SENDER, Say::Tm(CUSTOMER, 1_000_00, PIN)).refused(No::PayeeFrozen);
    world.measure(Measure::Unfreeze { msisdn: number(CUSTOMER) }).done();
    world.say(SENDER, Say::Tm(CUSTOMER, 1_000_00, PIN)).done();
}

#[test]
fn a_query_is_refused_for_the_first_thing_that_is_wrong() {
    use Refusal as No;
    let mut world = World::new();
    world.say(STRANGER, Say::QtFor(OTHER_STRANGER, WRONG, 9999)).refused(No::NotYourNumber);
    world.say(STRANGER, Say::Qt(WRONG, 9999)).refused(No::NothingWaiting);
    let (_, password) = world.send_by_password(STRANGER, 500_00);
    world.say(STRANGER, Say::Qt(WRONG, 9999)).refused(No::WrongPassword);
    world.say(STRANGER, Say::Qt(password, 9999)).refused(No::UnknownAgent);
    world.say(STRANGER, Say::Qt(password, AGENT)).done();
}

#[test]
fn a_claim_is_refused_for_the_first_thing_that_is_wrong() {
    use Refusal as No;
    let mut world = World::priced([terms(Priced::Withdrawal, Payer::Operator)]);
    let amount = 2_500_00;
    let (_, password) = world.send_by_password(STRANGER, amount);
    let all = ISSUED - 2 * FLOAT;
    world.measure(Measure::Redeem { amount: money(all), bank_reference: "out".into() }).done();
    world.measure(Measure::Freeze { msisdn: number(AGENT_PHONE) }).done();
    world.say(SENDER, Say::Gm(AGENT_PHONE, 0, WRONG, WRONG)).refused(No::NotAnAgent);
    world.say(AGENT_PHONE, Say::Gm(AGENT_PHONE, 0, WRONG, WRONG)).refused(No::WrongPin);
    world.say(AGENT_PHONE, Say::Gm(AGENT_PHONE, 0, WRONG, PIN)).refused(No::AccountFrozen);
    world.measure(Measure::Unfreeze { msisdn: number(AGENT_PHONE) }).done();
    world.say(AGENT_PHONE, Say::Gm(AGENT_PHONE, 0, WRONG, PIN)).refused(No::OwnDealing);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 0, WRONG, PIN)).refused(No::BadAmount);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, amount, WRONG, PIN)).refused(No::NothingToPayOut);
    let old = world.say(STRANGER, Say::Qt(password, AGENT)).done().code_to(STRANGER);
    world.pass(HOUR);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, amount, old, PIN)).refused(No::CodeExpired);
    let code = world.say(STRANGER, Say::Qt(password, AGENT)).done().code_to(STRANGER);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, amount, old, PIN)).refused(No::WrongCode);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, amount, code, PIN)).refused(No::IdentityNeeded);
    world.say(AGENT_PHONE, Say::GmWithDocument(STRANGER, amount, code, PIN)).refused(No::OperatorFundsShort);
    world.measure(Measure::Issue { amount: money(1_000_00), bank_reference: "in".into() }).done();
    world.say(AGENT_PHONE, Say::GmWithDocument(STRANGER, amount, code, PIN)).done();
}

#[test]
fn an_unknown_transfer_is_refused_after_the_pin_only() {
    let mut world = World::new();
    for say in [Say::Rs, Say::Rc, Say::Ra] {
        world.say(SENDER, say(TransferId(9999), WRONG)).refused(Refusal::WrongPin);
        world.say(SENDER, say(TransferId(9999), PIN)).refused(Refusal::UnknownReference);
    }
}
