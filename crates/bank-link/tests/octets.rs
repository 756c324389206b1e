//! Octets that were recorded and come again, changed or as they were; and the one encoding of everything.

mod common;

use bank_link::{Answer, Asked, Authentication, Heard, Ignored, Order, Refusal, Request, Undecodable, reframed};
use common::*;
use proptest::prelude::*;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

/// What is carried from one end to the other.
enum Carried {
    Registration(u8),
    Opening,
    Message,
}

/// Flips bits of a frame before it is heard, one at a time, at the end that hears it.
struct Flipper {
    rng: ChaCha20Rng,
    flips: usize,
}

impl Flipper {
    fn each<T>(&mut self, frame: &[u8], times: usize, mut hear: impl FnMut(&[u8]) -> Result<T, Ignored>) {
        for _ in 0..times {
            let mut changed = frame.to_vec();
            let bit = below(&mut self.rng, frame.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(hear(&changed).is_err(), "bit {bit} of a frame of kind {}", frame[1]);
            self.flips += 1;
        }
    }

    fn times(carried: &Carried) -> usize {
        // Key agreements take their time in a build for tests.
        match carried {
            Carried::Message => 980,
            Carried::Opening | Carried::Registration(_) => 250,
        }
    }

    /// One frame to the bank and its answer back, each after many changed ones and followed by more.
    fn carry(&mut self, world: &mut World, frame: Vec<u8>, carried: &Carried) -> Vec<u8> {
        let (times, now) = (Self::times(carried), world.now);
        let bank = &mut world.bank;
        self.each(&frame, times, |changed| bank.hear(now, changed));
        let answer = bank.hear(now, &frame).expect("what was sent").expect("an answer");
        self.each(&frame, times / 4, |changed| bank.hear(now, changed));
        match carried {
            Carried::Registration(index) => {
                let binding = &mut world.operator.bindings[usize::from(*index)];
                self.each(&answer, times, |changed| binding.answered(changed));
                binding.answered(&answer).expect("the bank's answer");
            }
            Carried::Opening | Carried::Message => {
                let operator = &mut world.operator;
                self.each(&answer, times, |changed| operator.hear(now, changed));
                operator.hear(now, &answer).expect("the bank's answer");
                self.each(&answer, times / 4, |changed| operator.hear(now, changed));
            }
        }
        answer
    }
}

#[test]
fn a_hundred_thousand_flipped_bits_have_no_effect() {
    let mut world = World::with_subscribers(7, 2);
    let mut flipper = Flipper { rng: ChaCha20Rng::seed_from_u64(8), flips: 0 };
    for index in 2..4 {
        let keys = operator_keys();
        let (frame, binding) =
            bank_link::Binding::register(&keys, &mut world.operator.rng, world.now, subscriber(index));
        world.operator.bindings.push(binding);
        flipper.carry(&mut world, frame, &Carried::Registration(index));
    }
    for _ in 0..2 {
        world.now.0 += 1;
        let frame = world.operator.open(world.now, LANE);
        flipper.carry(&mut world, frame, &Carried::Opening);
    }
    let mut number = 0;
    while flipper.flips < 100_000 {
        number += 1;
        let frame = match number % 5 {
            0 => {
                let step = world.operator.end.echo(world.now, LANE, id(number)).expect("a session");
                world.operator.commit(step).expect("a frame")
            }
            1 if number > 1 => {
                let reversal = Order::Reversal { account: account(0), amount: amount(500), of: id(2) };
                world.operator.order(world.now, LANE, 0, id(number), reversal).expect("a session")
            }
            kind => world.operator.order(world.now, LANE, 0, id(number), order(kind as u8, 0, 500)).expect("a session"),
        };
        let effects = world.bank.effects.len();
        flipper.carry(&mut world, frame, &Carried::Message);
        assert!(world.bank.effects.len() <= effects + 1);
    }
    assert!(world.bank.effects.len() > 20);
    assert_eq!(world.operator.end.all_unknown().count(), 0);
    world.audit();
}

#[test]
fn every_recorded_message_comes_again_without_a_second_effect() {
    let mut world = World::with_subscribers(9, 2);
    for number in 1..=120 {
        let order = match number % 4 {
            3 => Order::Reversal { account: account(0), amount: amount(500), of: id(number - 3) },
            kind => order(kind as u8, 0, if number.is_multiple_of(11) { 2_000_000 } else { 500 }),
        };
        assert!(world.exchange(0, number, order).is_some_and(|answer| answer.is_final()));
        if number % 40 == 0 {
            world.settle_session();
        }
    }
    let (effects, records) = (world.bank.effects.clone(), world.bank.disk.transactions.clone());
    let recorded = world.recorded.clone();
    for start in 0..4 {
        match start {
            1 => world.bank.restart(),
            2 => world.operator.restart(),
            3 => world.now.0 += bank_link::session::LIFE,
            _ => {}
        }
        for (direction, frame) in recorded.iter().chain(recorded.iter().rev()) {
            if *direction == 1 {
                assert!(world.operator.hear(world.now, frame).is_err(), "an answer that was heard says nothing more");
                continue;
            }
            match world.bank.end.hear(world.now, frame, &world.bank.disk) {
                Ok(Heard::Answer(step)) => {
                    let changes = step.changes();
                    assert!(changes.transactions.is_empty() && changes.binding.is_none() && changes.end.is_none());
                    world.bank.commit(step, None);
                }
                Ok(_) => panic!("a repeat is executed"),
                Err(_) => {}
            }
        }
    }
    assert_eq!((world.bank.effects.clone(), world.bank.disk.transactions.clone()), (effects, records));
    world.audit();
}

fn requests(index: u8, minor: u64, number: u64) -> Vec<Request> {
    let world = World::with_subscribers(4, 2);
    let binding = &world.operator.bindings[usize::from(index % 2)];
    let mut orders = Vec::from([0, 1, 2].map(|kind| order(kind, index % 2, minor)));
    orders.push(Order::Reversal { account: account(0), amount: amount(minor), of: id(number) });
    let who = |asked| Authentication::make(binding, *binding.subscriber(), id(number), asked);
    let mut requests: Vec<_> = orders.iter().map(|order| Request::Order(*order, who(Asked::Order(order)))).collect();
    requests.extend([Request::Balance(account(1), who(Asked::Balance)), Request::Inquiry, Request::Echo]);
    requests
}

fn answers() -> Vec<Answer> {
    let mut answers: Vec<_> = Refusal::ALL.iter().map(|why| Answer::Refused(*why)).collect();
    answers.extend([Answer::Done(reference()), Answer::UnderWay, Answer::NotKnown, Answer::Unresolved]);
    answers.extend([Answer::Balance(amount(u64::MAX)), Answer::Echo]);
    answers
}

#[test]
fn what_is_written_is_read_and_nothing_shorter_or_longer() {
    for octets in requests(1, 500, 9).iter().map(Request::encode) {
        assert_eq!(*Request::decode(&octets).expect("as it was written").encode(), *octets);
        for length in 0..octets.len() {
            assert!(Request::decode(&octets[..length]).is_err(), "{length} of {}", octets.len());
        }
        let longer = [octets.as_slice(), &[0]].concat();
        assert_eq!(Request::decode(&longer).err(), Some(Undecodable::Trailing));
    }
    for answer in answers() {
        let octets = answer.encode();
        assert_eq!(Answer::decode(&octets), Ok(answer));
        for length in 0..octets.len() {
            assert_eq!(Answer::decode(&octets[..length]), Err(Undecodable::Short));
        }
        assert_eq!(Answer::decode(&[octets.as_slice(), &[0]].concat()), Err(Undecodable::Trailing));
    }
}

#[test]
fn what_is_unknown_or_wrong_is_refused_by_name() {
    assert_eq!(Request::decode(&[9]).err(), Some(Undecodable::Unknown(9, "request")));
    assert_eq!(Answer::decode(&[9]), Err(Undecodable::Unknown(9, "answer")));
    assert_eq!(Answer::decode(&[2, 99]), Err(Undecodable::Unknown(99, "refusal")));
    assert_eq!(Answer::decode(&[1, 1, b'*']), Err(Undecodable::Malformed("reference")));
    assert_eq!(Answer::decode(&[&[1, 36], [b'A'; 36].as_slice()].concat()), Err(Undecodable::Malformed("reference")));
    assert_eq!(Answer::decode(b"\x06\0\0\0\0\0\0\0\x01tzs"), Err(Undecodable::Malformed("currency")));
    assert_eq!(reframed(&[2, 5]), Err(Undecodable::Version(2)));
    assert_eq!(reframed(&[1, 6]), Err(Undecodable::Unknown(6, "kind of frame")));
    assert_eq!(reframed(&[1; 513]), Err(Undecodable::TooLong));
    assert_eq!(reframed(&[1, 5, 0]), Err(Undecodable::Short));
}

#[test]
fn refusals_are_numbered_once() {
    let numbers: Vec<u8> = Refusal::ALL.iter().map(|refusal| *refusal as u8).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next));
    assert!(Refusal::ALL.iter().all(|refusal| Refusal::numbered(*refusal as u8) == Some(*refusal)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_read_is_written_as_it_was(octets in prop::collection::vec(any::<u8>(), 0..200), kind in 0..9_u8) {
        let octets = [&[kind], octets.as_slice()].concat();
        if let Ok(request) = Request::decode(&octets) {
            prop_assert_eq!(&*request.encode(), &octets);
        }
        if let Ok(answer) = Answer::decode(&octets) {
            prop_assert_eq!(&*answer.encode(), &octets);
        }
        let framed = [&[1], octets.as_slice()].concat();
        if let Ok(again) = reframed(&framed) {
            prop_assert_eq!(again, framed);
        }
    }
}

/// The same generator draws the same frames: nothing else is random.
#[test]
fn the_caller_draws_all_randomness() {
    let recorded = |seed| World::with_subscribers(seed, 2).recorded;
    assert_eq!(recorded(1), recorded(1));
    assert_ne!(recorded(1), recorded(2));
    assert_ne!(ChaCha20Rng::seed_from_u64(1).next_u64(), 0);
}
