//! Any sequence of requests, by customers, strangers, agents, thieves, staff and timers, with repeats, wrong secrets and
//! jumps of time, keeps every invariant, and moves money as a naive ledger foresees.

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

use std::collections::BTreeMap;

use common::naive::{Moved, Naive, Stands, agent_of, phone_of};
use common::*;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed, TestCaseError, TestRunner};
use transaction_processing::Refusal;
use transaction_processing::ids::TransferId;
use transaction_processing::notice::Text;
use transaction_processing::number::Language;
use transaction_processing::policy::RegisteredPayee;
use transaction_processing::proposal::{Matter, Measure};
use transaction_processing::request::Seal;
use transaction_processing::tariff::{Payer, Priced, Terms};
use transaction_processing::time::Time;

const NUMBERS: [u64; 7] =
    [SENDER, CUSTOMER, STRANGER, OTHER_STRANGER, AGENTS_OTHER_PHONE, AGENT_PHONE, OTHER_AGENT_PHONE];
const AMOUNTS: [i64; 8] = [500_00, 500_00, 777_77, 1_000_00, 2_500_00, 5_000_00, 2_01, 99];
const JUMPS: [u32; 7] = [1, MINUTE, 30 * MINUTE, HOUR, DAY, 3 * DAY, 7 * DAY];
const CARD: u128 = 89_255_000_000_000_000_001;

/// One thing that happens; what does not fit the moment is tried all the same, and refused.
#[derive(Clone, Debug)]
enum Step {
    /// `whose` messages: who writes, which form, to whom, how much, with which secrets, about which of the transfers.
    Say { who: usize, form: u8, other: usize, amount: usize, secrets: u8, which: usize, straight: bool },
    /// An earlier message is delivered again.
    Repeat(usize),
    /// A number without an account asks, with the one PIN or with two, owner's and forger's; its newest code comes back, alone
    /// or with one of them.
    Register { whom: usize, pins: Vec<u32>, with: Option<u32> },
    /// Time passes, and the timers wake up or oversleep.
    Pass { jump: usize, timers: bool },
    /// Staff takes a measure.
    Care { measure: u8, whom: usize, which: usize },
}

/// The world that a sequence happens in.
#[derive(Clone, Debug)]
struct Setting {
    payers: [Option<u8>; 4],
    fee_kept: bool,
    passwords_for_all: bool,
    card: bool,
    checkpoints: bool,
}

/// The PIN that owners choose, and a forger's.
fn pin() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![PIN, 77_431])
}

fn step() -> impl Strategy<Value = Step> {
    let say = (0..NUMBERS.len(), 0..31_u8, 0..NUMBERS.len(), 0..AMOUNTS.len(), 0..16_u8, 0..6_usize, 0..5_u8).prop_map(
        |(who, form, other, amount, secrets, which, straight)| Step::Say {
            who,
            form,
            other,
            amount,
            secrets,
            which,
            straight: straight > 0,
        },
    );
    prop_oneof![
        24 => say,
        3 => (0..8_usize).prop_map(Step::Repeat),
        4 => (0..JUMPS.len(), any::<bool>()).prop_map(|(jump, timers)| Step::Pass { jump, timers }),
        1 => (0..3_usize, prop::collection::vec(pin(), 1..=2), prop::option::of(pin()))
            .prop_map(|(whom, pins, with)| Step::Register { whom, pins, with }),
        2 => (0..16_u8, 0..5_usize, 0..6_usize).prop_map(|(measure, whom, which)| Step::Care { measure, whom, which }),
    ]
}

fn setting() -> impl Strategy<Value = Setting> {
    let payer = prop::option::weighted(0.8, 0..3_u8);
    let payers = [payer.clone(), payer.clone(), payer.clone(), payer];
    (payers, any::<bool>(), prop::bool::weighted(0.2), any::<bool>(), any::<bool>()).prop_map(
        |(payers, fee_kept, passwords_for_all, card, checkpoints)| Setting {
            payers,
            fee_kept,
            passwords_for_all,
            card,
            checkpoints,
        },
    )
}

struct Play {
    world: World,
    naive: Naive,
    /// Messages that were delivered, and when they had an effect.
    delivered: Vec<(Message, Option<Time>)>,
    /// What was asked for by each number that wants to register, newest last: the code, the PIN that came with it, and when.
    registrations: BTreeMap<u64, Vec<(u32, u32, Time)>>,
    counter: u64,
    /// Codes that were refused for want of their PIN; such a refusal is no row.
    contested: u32,
}

impl Play {
    fn new(setting: &Setting) -> Play {
        let registered_payee =
            if setting.passwords_for_all { RegisteredPayee::Password } else { RegisteredPayee::Credit };
        let mut world = World::with(|policy| {
            policy.registered_payee = registered_payee;
            policy.password_at_agent = true;
        });
        world.checkpoints = setting.checkpoints;
        let kinds = [Priced::Transfer, Priced::Withdrawal, Priced::CashIn, Priced::CashOut];
        for (priced, payer) in kinds.into_iter().zip(setting.payers) {
            let Some(payer) = payer else { continue };
            let payer = [Payer::Sender, Payer::Payee, Payer::Operator][usize::from(payer)];
            let odd =
                Terms { agent_share_per_mille: 333, fee_kept_on_return: setting.fee_kept, ..terms(priced, payer) };
            world.adopt(odd).done();
        }
        for _ in 0..2 {
            world.say(OTHER_AGENT_PHONE, Say::Ci(CUSTOMER, 2_500_00, PIN)).done();
        }
        if setting.card {
            world.bind_card(CUSTOMER, CARD).done();
        }
        let mut naive = Naive::of(&world, &NUMBERS);
        naive.passwords_for_all = setting.passwords_for_all;
        Play { world, naive, delivered: Vec::new(), registrations: BTreeMap::new(), counter: 0, contested: 0 }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Say { who, form, other, amount, secrets, which, straight } => {
                let chosen = self.choose(which).map(|(id, moved)| (id, moved.clone()));
                let spoken =
                    self.compose(NUMBERS[who], form, NUMBERS[other], AMOUNTS[amount], secrets, chosen, straight);
                if let Some((from, say)) = spoken {
                    self.speak(from, say);
                }
            }
            Step::Repeat(back) => self.repeat(back),
            Step::Pass { jump, timers } => {
                self.world.pass(JUMPS[jump]);
                if timers {
                    self.timers();
                }
            }
            Step::Register { whom, ref pins, with } => {
                let Some(whom) = NUMBERS.into_iter().filter(|of| !self.naive.open.contains(of)).nth(whom) else {
                    return;
                };
                pins.iter().for_each(|pin| self.speak(whom, Say::Rg(*pin)));
                let newest = self.registrations.get(&whom).and_then(|asked| asked.last()).copied();
                if let Some((code, ..)) = newest {
                    self.speak(whom, with.map_or(Say::RgCode(code), |pin| Say::RgCodePin(code, pin)));
                }
            }
            Step::Care { measure, whom, which } => self.care(measure, NUMBERS[whom], which),
        }
        self.naive.compare(&self.world);
    }

    /// One of the latest transfers.
    fn choose(&self, which: usize) -> Option<(TransferId, &Moved)> {
        let count = self.naive.transfers.len();
        self.naive.transfers.iter().rev().nth(which % count.max(1)).map(|(id, moved)| (*id, moved))
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a step")]
    fn compose(
        &self,
        who: u64,
        form: u8,
        other: u64,
        amount: i64,
        secrets: u8,
        chosen: Option<(TransferId, Moved)>,
        straight: bool,
    ) -> Option<(u64, Say)> {
        let right_secret = secrets != 1;
        let agents = [AGENT_PHONE, OTHER_AGENT_PHONE];
        let pin_of = |of: u64| if secrets == 0 { WRONG } else { self.naive.pins.get(&of).copied().unwrap_or(PIN) };
        let by_agent = if straight && !agents.contains(&who) { AGENT_PHONE } else { who };
        let to_agent = if other == OTHER_AGENT_PHONE { OTHER_AGENT } else { AGENT };
        let customers = [SENDER, CUSTOMER];
        let by_customer = if straight && (!self.naive.open.contains(&who) || agents.contains(&who)) {
            customers[usize::from(secrets) % 2]
        } else {
            who
        };
        let to = if straight && agents.contains(&other) { STRANGER } else { other };
        Some(match form {
            0..=4 => (by_customer, Say::Tm(to, amount, pin_of(by_customer))),
            5 | 26 | 27 => (by_agent, Say::Ci(to, amount, pin_of(by_agent))),
            6 => (by_customer, Say::Co(to_agent, amount, pin_of(by_customer))),
            7 => (who, Say::Bl(pin_of(who))),
            8 => (who, Say::St(pin_of(who))),
            9 => (who, Say::Pn(pin_of(who), if secrets.is_multiple_of(2) { 77_431 } else { PIN })),
            10 => (who, Say::Lg(if secrets.is_multiple_of(2) { Language::Swahili } else { Language::English })),
            11 => (who, Say::Hp),
            12 => (if straight { to } else { who }, Say::Rg(if secrets.is_multiple_of(3) { 77_431 } else { PIN })),
            13 | 14 => {
                let asked = self.registrations.keys().rev().find(|of| straight && !self.naive.open.contains(of));
                let who = asked.copied().unwrap_or(who);
                let newest = self.registrations.get(&who).and_then(|asked| asked.last()).copied();
                let (code, pin, _) = newest.unwrap_or((WRONG, PIN, Time(0)));
                // Who takes a forger's code for an own one writes the own PIN.
                let pin = match secrets {
                    0 => WRONG,
                    2..=6 => PIN,
                    _ => pin,
                };
                let code = if right_secret { code } else { WRONG };
                (who, if form == 13 { Say::RgCode(code) } else { Say::RgCodePin(code, pin) })
            }
            _ => {
                let (id, moved) = chosen?;
                let password = if right_secret { moved.password } else { WRONG };
                let payee = if straight { moved.payee } else { who };
                let sender = if straight { moved.sender.0 } else { who };
                match form {
                    15..=17 => (payee, Say::Qt(password, to_agent)),
                    18..=20 => {
                        let (agent, code, _) = moved.bound.unwrap_or((AGENT, WRONG, Time(0)));
                        let from = if straight { phone_of(agent) } else { by_agent };
                        let code = if right_secret { code } else { WRONG };
                        (from, Say::GmWithDocument(moved.payee, moved.amount, code, pin_of(from)))
                    }
                    21 => (by_agent, Say::Gw(moved.payee, moved.amount, password, pin_of(by_agent))),
                    22 => (payee, Say::Dp(password, pin_of(payee))),
                    23 => (sender, Say::Rs(id, pin_of(sender))),
                    24 | 28 => (sender, Say::Rc(id, pin_of(sender))),
                    _ => {
                        let asked =
                            |(_, moved): &(&TransferId, &Moved)| moved.asked && moved.stands == Stands::Credited;
                        let newest = self.naive.transfers.iter().rev().find(asked).filter(|_| straight);
                        let (id, payee) = newest.map_or((id, payee), |(id, moved)| (*id, moved.payee));
                        (payee, Say::Ra(id, pin_of(payee)))
                    }
                }
            }
        })
    }

    fn speak(&mut self, from: u64, say: Say) {
        let card = self.world.books.number(number(from)).and_then(|number| number.card.as_deref().copied());
        let message = if card.is_some() && !matches!(say, Say::Hp) {
            self.counter += 1;
            self.world.seal(from, self.counter, say)
        } else {
            self.world.write(from, say)
        };
        self.deliver(message, None);
    }

    fn repeat(&mut self, back: usize) {
        let count = self.delivered.len();
        if let Some((message, effect)) = count.checked_sub(1 + back).and_then(|at| self.delivered.get(at)).copied() {
            self.deliver(message, Some(effect));
        }
    }

    /// `before` says of a message that was delivered already when it had an effect.
    fn deliver(&mut self, message: Message, before: Option<Option<Time>>) {
        let answer = self.world.deliver(message);
        let now = self.world.moment.time;
        let sealed = message.seal != Seal::Plain;
        if let Some(Some(at)) = before
            && (sealed || now <= at.plus_seconds(72 * HOUR))
        {
            assert!(answer.row.is_none(), "I5: {:?} acted twice", message.say);
        }
        self.naive.hear(message.from, message.say, before.is_some() && sealed, &answer, self.world.moment);
        match message.say {
            Say::Rg(pin) if answer.refusal.is_none() && answer.row.is_some() => {
                self.registrations.entry(message.from).or_default().push((answer.code_to(message.from), pin, now));
            }
            Say::RgCode(_) | Say::RgCodePin(..) if answer.refusal.is_none() && answer.row.is_some() => {
                let asked = self.registrations.remove(&message.from).unwrap();
                let (_, newest, at) = *asked.last().unwrap();
                match message.say {
                    Say::RgCodePin(_, pin) => assert_eq!(pin, newest, "an account opened with a PIN of somebody else"),
                    _ => assert!(
                        asked.iter().all(|(_, pin, then)| *pin == newest || then.plus_seconds(30 * MINUTE + DAY) <= at),
                        "a contested registration completed with the code alone"
                    ),
                }
            }
            Say::RgCode(_) if answer.refusal == Some(Refusal::RegistrationContested) => {
                let asked = &self.registrations[&message.from];
                assert!(asked.iter().any(|(_, pin, _)| *pin != asked[0].1), "contested by nobody");
                self.contested += 1;
            }
            _ => {}
        }
        let settles = matches!(message.say, Say::Bl(_) | Say::St(_) | Say::Lg(_));
        let effect = answer.row.as_ref().filter(|_| answer.refusal.is_none() && (sealed || !settles)).map(|_| now);
        self.delivered.push((message, effect.or(before.flatten())));
    }

    fn timers(&mut self) {
        for answer in self.world.run_timers() {
            assert_eq!(answer.refusal, None, "a timer was refused");
            let ended = answer.notices.iter().any(|notice| matches!(notice.text, Text::Lapsed { .. }));
            if ended {
                self.naive.give_back(answer.id());
            }
        }
    }

    fn care(&mut self, measure: u8, whom: u64, which: usize) {
        let msisdn = number(whom);
        match measure {
            0 => {
                if self.measure(Measure::Freeze { msisdn }) {
                    self.naive.frozen.insert(whom);
                }
            }
            1 | 2 => {
                let frozen = self.naive.frozen.first().copied().unwrap_or(whom);
                if self.measure(Measure::Unfreeze { msisdn: number(frozen) }) {
                    self.naive.frozen.remove(&frozen);
                }
            }
            3 => {
                if self.measure(Measure::Close { msisdn }) {
                    self.naive.close(whom);
                }
            }
            4 => {
                if self.measure(Measure::RecycleNumber { msisdn }) {
                    self.registrations.remove(&whom);
                    if self.naive.open.contains(&whom) {
                        self.naive.close(whom);
                    }
                    for moved in self.naive.transfers.values_mut().filter(|moved| moved.payee == whom) {
                        moved.bound = None;
                    }
                    self.timers();
                }
            }
            5 => {
                let answer = self.world.measure(Measure::ResetPin { msisdn });
                if answer.refusal.is_none() {
                    self.naive.unlocked(whom);
                    let one_time = answer.code_to(whom);
                    self.naive.pins.insert(whom, one_time);
                    if which > 0 {
                        self.speak(whom, Say::Pn(one_time, PIN));
                    }
                }
            }
            6 => {
                if self.measure(Measure::UnlockPin { msisdn }) {
                    self.naive.unlocked(whom);
                }
            }
            7 | 11..=13 => {
                let Some((transfer, moved)) = self.choose(which) else { return };
                let credited = moved.stands == Stands::Credited;
                if self.measure(Measure::Reverse { transfer }) {
                    assert!(credited);
                    self.naive.take_back(transfer);
                }
            }
            8 => {
                let phone = if which.is_multiple_of(2) { AGENT_PHONE } else { OTHER_AGENT_PHONE };
                let amount = money(1_000_00);
                if self.measure(Measure::SupplyFloat { agent: agent(agent_of(phone)), amount }) {
                    *self.naive.money.get_mut(&(phone, 0)).unwrap() += 1_000_00;
                    self.naive.funds -= 1_000_00;
                }
            }
            9 => {
                if self.measure(Measure::CollectFees { amount: money(20_00) }) {
                    self.naive.fees -= 20_00;
                    self.naive.funds += 20_00;
                    assert!(self.naive.fees >= self.naive.refundable(), "what may go back was collected");
                }
            }
            _ => {
                let open =
                    self.world.books.cases().find(|case| case.closed_at.is_none()).map(|case| (case.id, case.matter));
                let Some((case, Matter::Unclaimed { amount, .. })) = open else { return };
                if self.measure(Measure::PayUnclaimed { case, msisdn }) {
                    self.naive.unclaimed -= amount.minor();
                    *self.naive.money.get_mut(&self.naive.holder(whom)).unwrap() += amount.minor();
                }
            }
        }
    }

    fn measure(&mut self, measure: Measure) -> bool {
        self.world.measure(measure).refusal.is_none()
    }
}

/// `PROPTEST_CASES` and `PROPTEST_RNG_SEED` make it longer or different.
fn runner(cases: u32) -> TestRunner {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(20_463);
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct("tests/properties.regressions")));
    config.max_shrink_iters = 20_000;
    TestRunner::new(config)
}

#[test]
fn any_sequence_of_requests_keeps_every_invariant_and_agrees_with_a_naive_ledger() {
    let sequences = (setting(), prop::collection::vec(step(), 1..=90));
    let done = runner(2000).run(&sequences, |(setting, steps)| {
        let mut play = Play::new(&setting);
        for step in &steps {
            play.take(step);
        }
        play.world.pass(30 * DAY);
        play.timers();
        play.naive.compare(&play.world);
        prop_assert_eq!(play.naive.in_flight, 0, "I24: nothing waits for ever");
        play.world.audit();
        Ok::<(), TestCaseError>(())
    });
    if let Err(failed) = done {
        panic!("{failed}");
    }
}

/// A sequence that is refused throughout proves nothing: most of what can happen does.
#[test]
fn the_sequences_reach_what_can_happen() {
    use proptest::strategy::ValueTree;
    let mut runner = runner(1);
    let sequences = (setting(), prop::collection::vec(step(), 1..=90));
    let mut refusals = BTreeMap::<Refusal, u32>::new();
    let mut done = BTreeMap::<String, u32>::new();
    let mut contested = 0;
    for _ in 0..150 {
        let (setting, steps) = sequences.new_tree(&mut runner).unwrap().current();
        let mut play = Play::new(&setting);
        let start = play.world.auditor.rows.len();
        steps.iter().for_each(|step| play.take(step));
        contested += play.contested;
        for row in &play.world.auditor.rows[start..] {
            match row.refusal {
                Some(why) => *refusals.entry(why).or_insert(0) += 1,
                None => *done.entry(row.kind.name().into()).or_insert(0) += 1,
            }
        }
    }
    for kind in ["Transfer", "Query", "Claim", "Resend", "Recall", "Agree", "Register", "Confirm", "CashIn", "CashOut"]
    {
        assert!(done.get(kind).is_some_and(|times| *times >= 5), "{kind} is never done: {done:?}");
    }
    for why in [
        Refusal::WrongPin,
        Refusal::WrongPassword,
        Refusal::WrongCode,
        Refusal::WrongRegistrationCode,
        Refusal::WrongRegistrationPin,
    ] {
        assert!(refusals.contains_key(&why), "{why:?} is never met: {refusals:?}");
    }
    assert!(contested >= 5, "a contested registration is hardly ever tried with the code alone");
}
