//! What operator and bank do with one another, story by story.

mod common;

use bank_link::{
    Answer, Asked, Authentication, Binding, Generation, Heard, Ignored, Imsi, Moment, NotContinued, NotSent, Opened,
    OperatorEnd, Order, Outcome, Refusal, Registered, Serial, Subscriber, Told, Transaction, TransactionId,
};
use common::*;

const HOUR: u64 = 60 * 60 * 1000;

fn world() -> World {
    World::with_subscribers(1, 2)
}

#[test]
fn every_kind_of_order_is_executed_once_and_told() {
    let mut world = world();
    for (number, kind) in (10..).zip(0..3) {
        assert_eq!(world.exchange(0, number, order(kind, 0, 500)), Some(Answer::Done(reference())));
    }
    let reversal = Order::Reversal { account: account(0), amount: amount(500), of: id(10) };
    assert_eq!(world.exchange(0, 20, reversal), Some(Answer::Done(reference())));
    assert_eq!(world.bank.effects, [id(10), id(11), id(12), id(20)]);
    assert!(world.operator.disk.orders.is_empty(), "nothing is unknown any more");
    assert_eq!(world.exchange(0, 30, order(0, 0, 2_000_000)), Some(Answer::Refused(Refusal::NotEnough)));
    world.audit();
}

#[test]
fn balances_and_echoes_are_answered_and_leave_nothing_behind() {
    let mut world = world();
    let binding = &world.operator.bindings[0];
    let who = Authentication::make(binding, *binding.subscriber(), id(1), Asked::Balance);
    let step = world.operator.end.balance(world.now, LANE, id(1), account(0), who).unwrap();
    let frame = world.operator.commit(step).unwrap();
    world.release(0, frame);
    assert_eq!(world.carry(), [(id(1), Answer::Balance(amount(77)))]);
    let step = world.operator.end.echo(world.now, LANE, id(2)).unwrap();
    let frame = world.operator.commit(step).unwrap();
    world.release(0, frame);
    assert_eq!(world.carry(), [(id(2), Answer::Echo)]);
    assert!(world.bank.disk.transactions.is_empty() && world.bank.effects.is_empty());
}

/// What the bank says to an order whose authentication information is `spoilt`.
fn refused(spoil: impl FnOnce(&World, &mut Order, &mut Authentication)) -> Option<Answer> {
    let mut world = world();
    let mut asked = order(0, 0, 500);
    let mut who = world.operator.authenticated(0, id(1), &asked);
    spoil(&world, &mut asked, &mut who);
    let step = world.operator.end.order(world.now, LANE, id(1), asked, who).unwrap();
    let frame = world.operator.commit(step).unwrap();
    world.release(0, frame);
    let told = world.carry().pop().map(|(_, answer)| answer);
    assert!(world.bank.effects.is_empty(), "nothing is executed before all is right");
    // The refusal is for good, also for the same order again.
    let judged = world.bank.judged(&id(1)).expect("a refusal is stored");
    assert_eq!(told, Some(Transaction::Judged(judged).answer()));
    told
}

#[test]
fn the_bank_refuses_by_name_what_is_not_in_its_own_record() {
    let of = |who: Subscriber| {
        move |world: &World, order: &mut Order, authentication: &mut Authentication| {
            *authentication = Authentication::make(&world.operator.bindings[0], who, id(1), Asked::Order(order));
        }
    };
    let right = subscriber(0);
    let said = |why| Some(Answer::Refused(why));
    let nobody = Subscriber { number: subscriber(9).number, ..right };
    assert_eq!(refused(of(nobody)), said(Refusal::UnknownNumber));
    let swapped = Subscriber { imsi: Imsi::parse("640040999999999").unwrap(), ..right };
    assert_eq!(refused(of(swapped)), said(Refusal::OtherImsi));
    let other = Subscriber { serial: Serial::parse("8925504999999999999").unwrap(), ..right };
    assert_eq!(refused(of(other)), said(Refusal::OtherSerial));
    assert_eq!(refused(|_, order, _| *order = common::order(0, 0, 501)), said(Refusal::OtherAmount));
    // Another kind, payee, account or transaction under the same amount, and another subscriber's key.
    assert_eq!(refused(|_, order, _| *order = common::order(1, 0, 500)), said(Refusal::WrongTag));
    assert_eq!(refused(|_, order, _| *order = common::order(0, 1, 500)), said(Refusal::WrongTag));
    let for_another = |world: &World, order: &mut Order, who: &mut Authentication| {
        *who = Authentication::make(&world.operator.bindings[0], subscriber(0), id(2), Asked::Order(order));
    };
    assert_eq!(refused(for_another), said(Refusal::WrongTag));
    let by_another = |world: &World, order: &mut Order, who: &mut Authentication| {
        *who = Authentication::make(&world.operator.bindings[1], subscriber(0), id(1), Asked::Order(order));
    };
    assert_eq!(refused(by_another), said(Refusal::WrongTag));
    let elsewhere = |world: &World, order: &mut Order, who: &mut Authentication| {
        *order = common::order(0, 1, 500);
        *who = Authentication::make(&world.operator.bindings[0], subscriber(0), id(1), Asked::Order(order));
    };
    assert_eq!(refused(elsewhere), said(Refusal::UnknownAccount));
    let to_nobody = |world: &World, order: &mut Order, who: &mut Authentication| {
        *order = Order::AccountTransfer { account: account(0), amount: amount(5), payee: subscriber(9).number };
        *who = Authentication::make(&world.operator.bindings[0], subscriber(0), id(1), Asked::Order(order));
    };
    assert_eq!(refused(to_nobody), said(Refusal::UnknownPayee));
}

#[test]
fn only_what_was_done_by_the_same_subscriber_is_reversed_and_once() {
    let mut world = world();
    let reversal = |of, minor| Order::Reversal { account: account(0), amount: amount(minor), of: id(of) };
    let refused = Some(Answer::Refused(Refusal::NotReversible));
    assert_eq!(world.exchange(0, 1, reversal(10, 500)), refused);
    assert!(matches!(world.exchange(0, 10, order(1, 0, 500)), Some(Answer::Done(_))));
    assert_eq!(world.exchange(0, 2, reversal(10, 499)), refused);
    let of_another = Order::Reversal { account: account(1), amount: amount(500), of: id(10) };
    assert_eq!(world.exchange(1, 3, of_another), refused);
    assert!(matches!(world.exchange(0, 4, reversal(10, 500)), Some(Answer::Done(_))));
    assert_eq!(world.exchange(0, 5, reversal(10, 500)), refused);
    assert_eq!(world.exchange(0, 6, reversal(4, 500)), refused);
    assert!(matches!(world.exchange(0, 11, order(2, 0, 500)), Some(Answer::Done(_))));
    assert_eq!(world.exchange(0, 7, reversal(11, 500)), refused, "a payee's money stays");
    world.audit();
}

#[test]
fn what_was_not_answered_is_unknown_and_can_only_be_asked_about_or_sent_again() {
    let mut world = world();
    let lost = world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 500)).unwrap();
    assert_eq!(world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 900)), Err(NotSent::AlreadySent));
    let late = world.operator.order(world.now, LANE, 0, id(2), order(0, 0, 500)).unwrap();
    let step = world.operator.end.unknown(id(2)).unwrap().send_again(world.now, LANE).unwrap();
    let again = world.operator.commit(step).unwrap();
    assert_ne!(late, again, "under a key of its own");
    world.release(0, again);
    assert_eq!(world.carry(), [(id(2), Answer::Done(reference()))]);
    let answer = world.bank.hear(world.now, &late).unwrap().unwrap();
    assert_eq!(world.operator.hear(world.now, &answer), Err(Ignored::NotAsked));
    // After a restart, too; that leaves more keys behind than the bank keeps.
    world.operator.restart();
    assert_eq!(world.operator.end.all_unknown().map(|(id, _)| id).collect::<Vec<_>>(), [id(1)]);
    assert_eq!(world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 900)), Err(NotSent::AlreadySent));
    let step = world.operator.end.unknown(id(1)).unwrap().send_again(world.now, LANE).unwrap();
    let again = world.operator.commit(step).unwrap();
    world.release(0, again);
    assert_eq!(world.carry(), [(id(1), Answer::Done(reference()))]);
    assert!(world.operator.end.unknown(id(1)).is_none());
    assert_eq!(world.bank.hear(world.now, &lost), Err(Ignored::KeyGone));
    assert_eq!(world.bank.effects, [id(2), id(1)]);
}

#[test]
fn an_inquiry_about_what_never_came_closes_it_for_good() {
    let mut world = world();
    let late = world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 500)).unwrap();
    let step = world.operator.end.unknown(id(1)).unwrap().inquire(world.now, LANE).unwrap();
    let frame = world.operator.commit(step).unwrap();
    world.release(0, frame);
    assert_eq!(world.carry(), [(id(1), Answer::NotKnown)]);
    world.bank.restart();
    assert!(world.bank.hear(world.now, &late).is_ok());
    assert!(world.bank.effects.is_empty());
    world.audit();
}

#[test]
fn what_is_executed_just_now_or_later_is_under_way() {
    let mut world = world();
    let frame = world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 500)).unwrap();
    let Heard::Execute(execution) = world.bank.end.hear(world.now, &frame, &world.bank.disk).unwrap() else {
        panic!("an order is executed")
    };
    assert_eq!((execution.id(), execution.subscriber()), (id(1), &subscriber(0)));
    for again in [true, false] {
        let unknown = world.operator.end.unknown(id(1)).unwrap();
        let step = if again { unknown.send_again(world.now, LANE) } else { unknown.inquire(world.now, LANE) };
        let frame = world.operator.commit(step.unwrap()).unwrap();
        world.release(0, frame);
        assert_eq!(world.carry(), [(id(1), Answer::UnderWay)]);
    }
    let step = world.bank.end.executed(world.now, execution, Outcome::UnderWay);
    let answer = world.bank.commit(step, None).unwrap();
    assert_eq!(world.operator.hear(world.now, &answer), Ok(Some((id(1), Answer::UnderWay))));
    world.bank.restart();
    let done = Outcome::Done(reference());
    let changes = world.bank.end.settle(id(1), done, &world.bank.disk).expect("it is under way");
    for (id, stored) in changes.transactions {
        world.bank.disk.transactions.insert(id, stored.unwrap().to_vec());
    }
    assert!(world.bank.end.settle(id(1), done, &world.bank.disk).is_none(), "settled once");
    let step = world.operator.end.unknown(id(1)).unwrap().inquire(world.now, LANE).unwrap();
    let frame = world.operator.commit(step).unwrap();
    world.release(0, frame);
    assert_eq!(world.carry(), [(id(1), Answer::Done(reference()))]);
}

#[test]
fn a_reversal_under_way_keeps_others_off_until_it_is_refused() {
    let mut world = world();
    assert!(matches!(world.exchange(0, 1, order(0, 0, 500)), Some(Answer::Done(_))));
    let reversal = Order::Reversal { account: account(0), amount: amount(500), of: id(1) };
    world.bank.slow = true;
    assert_eq!(world.exchange(0, 2, reversal), Some(Answer::UnderWay));
    assert_eq!(world.exchange(0, 3, reversal), Some(Answer::Refused(Refusal::NotReversible)));
    let refused = Outcome::Refused(Refusal::Declined);
    let changes = world.bank.end.settle(id(2), refused, &world.bank.disk).expect("it is under way");
    assert_eq!(changes.transactions.len(), 2);
    for (id, stored) in changes.transactions {
        world.bank.disk.transactions.insert(id, stored.unwrap().to_vec());
    }
    world.bank.slow = false;
    assert_eq!(world.exchange(0, 4, reversal), Some(Answer::Done(reference())));
}

#[test]
fn another_order_under_a_known_id_has_no_effect_and_no_answer() {
    let mut world = world();
    assert!(matches!(world.exchange(0, 1, order(0, 0, 500)), Some(Answer::Done(_))));
    // The operator's end has forgotten the id, as its owner must not.
    let frame = world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 700)).unwrap();
    assert_eq!(world.bank.hear(world.now, &frame), Err(Ignored::OtherRequest));
    assert_eq!(world.bank.effects, [id(1)]);
}

#[test]
fn a_registration_may_be_sent_again_and_a_change_needs_the_banks_rule() {
    let mut world = world();
    let now = world.now;
    let (frame, mut binding) = Binding::register(&operator_keys(), &mut world.operator.rng, now, subscriber(5));
    let first = world.bank.hear(now, &frame).unwrap();
    assert_eq!(world.bank.hear(now, &frame).unwrap(), first, "the same octets, the same answer");
    assert_eq!(binding.answered(&first.clone().unwrap()), Ok(Registered::Yes(account(5))));
    // A new SIM, later: the bank decides.
    let swapped = Subscriber { imsi: Imsi::parse("640040555555555").unwrap(), ..subscriber(5) };
    let later = Moment(now.0 + HOUR);
    let (change, mut changed) = Binding::register(&operator_keys(), &mut world.operator.rng, later, swapped);
    for accepted in [false, true] {
        let Heard::Register(proposal) = world.bank.end.hear(later, &change, &world.bank.disk).unwrap() else {
            panic!("the bank is asked")
        };
        assert_eq!(proposal.previous().unwrap().subscriber(), &subscriber(5));
        let step = if accepted { proposal.accept(account(6)) } else { proposal.refuse() };
        let answer = world.bank.commit(step, None).unwrap();
        let expected = if accepted { Registered::Yes(account(6)) } else { Registered::Kept };
        assert_eq!(changed.answered(&answer), Ok(expected));
        assert_eq!(binding.answered(&answer), Err(Ignored::NotAsked));
    }
    // The first one comes again: it does not bring the old SIM back.
    let again = world.bank.hear(later, &frame).unwrap().unwrap();
    assert_eq!(binding.answered(&again), Ok(Registered::Kept));
    let mut forged = again.clone();
    forged[34] = 3;
    assert_eq!(binding.answered(&forged), Err(Ignored::NotAuthentic));
}

#[test]
fn a_binding_is_kept_as_it_was() {
    let world = world();
    for stored in &world.operator.disk.bindings {
        assert_eq!(*Binding::load(stored).unwrap().stored(), *stored);
        assert!(Binding::load(&stored[1..]).is_err() && Binding::load(&stored[..stored.len() - 1]).is_err());
    }
}

#[test]
fn an_opening_that_comes_again_never_begins_a_chain_anew() {
    let mut world = world();
    world.now.0 += 1;
    let opening = world.operator.open(world.now, LANE);
    let answer = world.bank.hear(world.now, &opening).unwrap().unwrap();
    world.operator.hear(world.now, &answer).unwrap();
    assert!(matches!(world.exchange(0, 1, order(0, 0, 500)), Some(Answer::Done(_))));
    // While the session lives it is answered as before and nothing is stored.
    let Heard::Answer(step) = world.bank.end.hear(world.now, &opening, &world.bank.disk).unwrap() else { panic!() };
    assert!(step.changes().is_empty());
    assert_eq!(step.committed(), Some(answer));
    assert!(matches!(world.exchange(0, 2, order(0, 0, 500)), Some(Answer::Done(_))));
    // Once two others followed, it is behind them.
    world.settle_session();
    world.settle_session();
    world.bank.hear(world.now, &opening).unwrap();
    assert!(matches!(world.exchange(0, 3, order(0, 0, 500)), Some(Answer::Done(_))));
    // And in another life of the bank's memory it is not meant.
    world.bank.restore(world.bank.disk.clone(), generation(77));
    let Heard::Answer(step) = world.bank.end.hear(world.now, &opening, &world.bank.disk).unwrap() else { panic!() };
    assert!(step.changes().is_empty());
}

#[test]
fn openings_out_of_their_time_are_refused_by_name_and_the_operator_finds_its_way() {
    let mut world = world();
    let told = |world: &mut World, made: Moment, heard: Moment| {
        let frame = world.operator.open(made, LANE);
        let answer = world.bank.hear(heard, &frame).unwrap().unwrap();
        match world.operator.end.hear(made, &answer).unwrap() {
            Told::NotOpened(LANE, why) => why,
            Told::Opened(..) => Opened::Yes,
            _ => panic!("it is about an opening"),
        }
    };
    let now = world.now;
    let late = Moment(now.0 + bank_link::session::SKEW + 2);
    assert_eq!(told(&mut world, now, late), Opened::ClocksDiffer(late));
    let mut ahead = World::with_subscribers(2, 1);
    let early = Moment(now.0 + 2 * bank_link::session::SKEW);
    assert_eq!(told(&mut ahead, early, now), Opened::ClocksDiffer(now));
    // An operator that forgot how far it was is told.
    world.operator.end = OperatorEnd::new(operator_keys(), world.operator.generation);
    assert_eq!(told(&mut world, now, now), Opened::OtherGeneration(generation(1)));
    let newest = now;
    world.operator.end = OperatorEnd::new(operator_keys(), world.operator.generation);
    let before = Moment(newest.0 - 100);
    assert_eq!(told(&mut world, before, now), Opened::OtherGeneration(generation(1)));
    assert_eq!(told(&mut world, before, now), Opened::Behind(newest));
    assert_eq!(told(&mut world, before, now), Opened::Yes);
}

/// A clock that stands: openings rise all the same, and what a session carries is never older than its opening.
#[test]
fn what_a_new_session_carries_is_never_taken_for_lost() {
    let mut world = world();
    let backup = world.bank.disk.clone();
    world.bank.restore(backup, generation(9));
    let now = world.now;
    for _ in 0..2 {
        let opening = world.operator.open(now, LANE);
        let answer = world.bank.hear(now, &opening).unwrap().unwrap();
        world.operator.hear(now, &answer).unwrap();
    }
    assert_eq!(world.exchange(0, 1, order(0, 0, 500)), Some(Answer::Done(reference())));
}

/// An operator whose clock was behind was told how far the lane is, and stamps ahead of its clock. It starts again, and the
/// bank's memory is put back: what was stamped so is still older than the first session of the new life.
#[test]
fn what_was_stamped_ahead_of_the_clock_is_not_taken_for_new_after_a_restore() {
    for (resolved, operator_first) in [(false, false), (true, false), (true, true)] {
        let mut world = world();
        let (backup, pending) = (world.bank.disk.clone(), world.now);
        world.now = Moment(pending.0 + 4 * 60 * 1000);
        world.settle_session();
        world.now = pending;
        let frame = world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 500)).unwrap();
        let unresolved = world.operator.disk.clone();
        if resolved {
            world.release(0, frame);
            assert_eq!(world.carry(), [(id(1), Answer::Done(reference()))]);
        } else {
            world.bank.hear(world.now, &frame).unwrap();
        }
        if operator_first {
            world.operator.restore(unresolved, generation(10));
            world.bank.restore(backup, generation(9));
        } else {
            world.bank.restore(backup, generation(9));
            world.operator.restart();
            world.settle_session();
            world.operator.restore(unresolved, generation(10));
        }
        world.settle_session();
        let step = world.operator.end.unknown(id(1)).unwrap().send_again(world.now, LANE).unwrap();
        let frame = world.operator.commit(step).unwrap();
        world.release(0, frame);
        assert_eq!(world.carry(), [(id(1), Answer::Unresolved)]);
        assert_eq!(world.bank.effects, [id(1)]);
    }
}

#[test]
fn a_session_ends_with_its_time_at_either_end() {
    let mut world = world();
    let frame = world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 500)).unwrap();
    let opened = world.now;
    world.now = Moment(opened.0 + 23 * HOUR + 1);
    assert!(world.operator.end.should_open(world.now, LANE));
    world.now = Moment(opened.0 + 24 * HOUR);
    assert_eq!(world.operator.order(world.now, LANE, 0, id(2), order(0, 0, 500)), Err(NotSent::NoSession));
    world.now = Moment(opened.0 + 25 * HOUR);
    assert_eq!(world.bank.hear(world.now, &frame), Err(Ignored::Expired));
    assert!(world.bank.effects.is_empty());
    // Unknown it stays, and the next session resolves it.
    world.settle_session();
    let step = world.operator.end.unknown(id(1)).unwrap().send_again(world.now, LANE).unwrap();
    let frame = world.operator.commit(step).unwrap();
    world.release(0, frame);
    assert_eq!(world.carry(), [(id(1), Answer::Done(reference()))]);
}

#[test]
fn the_session_before_is_still_heard_and_answered() {
    let mut world = world();
    let late = world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 500)).unwrap();
    world.settle_session();
    world.release(0, late.clone());
    assert_eq!(world.carry(), [(id(1), Answer::Done(reference()))]);
    world.settle_session();
    assert_eq!(world.bank.hear(world.now, &late), Err(Ignored::UnknownSession));
}

#[test]
fn a_restore_ends_all_sessions_and_what_may_be_lost_is_settled_by_people() {
    let mut world = world();
    let backup = world.bank.disk.clone();
    let frame = world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 500)).unwrap();
    let lane = {
        let _lost = world.bank.hear(world.now, &frame).unwrap();
        world.bank.disk.clone()
    };
    world.bank.restore(backup, generation(9));
    assert_eq!(world.bank.hear(world.now, &frame), Err(Ignored::UnknownSession));
    world.settle_session();
    for again in [true, false] {
        let unknown = world.operator.end.unknown(id(1)).unwrap();
        let step = if again { unknown.send_again(world.now, LANE) } else { unknown.inquire(world.now, LANE) };
        let frame = world.operator.commit(step.unwrap()).unwrap();
        world.release(0, frame);
        assert_eq!(world.carry(), [(id(1), Answer::Unresolved)]);
    }
    assert_eq!(world.bank.effects, [id(1)]);
    // People look: it had been done.
    world.bank.disk.transactions.insert(id(1), Transaction::Found(reference()).stored().to_vec());
    let step = world.operator.end.unknown(id(1)).unwrap().inquire(world.now, LANE).unwrap();
    let frame = world.operator.commit(step).unwrap();
    world.release(0, frame);
    assert_eq!(world.carry(), [(id(1), Answer::Done(reference()))]);
    // What is first sent now is done.
    assert_eq!(world.exchange(0, 2, order(0, 0, 500)), Some(Answer::Done(reference())));
    // The lane that was stored before the restore is not taken up.
    world.bank.restore(lane, generation(10));
    world.operator.restore(world.operator.disk.clone(), generation(11));
    assert_eq!(world.operator.order(world.now, LANE, 0, id(3), order(0, 0, 5)), Err(NotSent::NoSession));
    world.audit();
}

#[test]
fn a_stored_lane_of_another_life_or_with_other_octets_is_not_continued() {
    let mut world = world();
    let step = world.operator.end.order(
        world.now,
        LANE,
        id(1),
        order(0, 0, 5),
        world.operator.authenticated(0, id(1), &order(0, 0, 5)),
    );
    let step = step.unwrap();
    let stored = step.changes().lane.as_ref().expect("the first message reserves").1.clone();
    let mut end = OperatorEnd::new(operator_keys(), Generation([9; 16]));
    assert_eq!(end.continue_lane(&stored), Err(NotContinued::OtherGeneration));
    let mut end = OperatorEnd::new(operator_keys(), world.operator.generation);
    for length in 0..stored.len() {
        assert!(end.continue_lane(&stored[..length]).is_err(), "{length}");
    }
    assert!(end.continue_lane(&[stored.as_slice(), &[0]].concat()).is_err());
    assert_eq!(end.continue_lane(&stored), Ok(()));
}

#[test]
fn keys_of_another_pair_peer_purpose_or_version_open_nothing() {
    let mut world = world();
    let now = world.now;
    let wrong = [
        keys(operator_key(), bank_key().public(), [1; 32], VERSION),
        keys(bank_key(), bank_key().public(), PRESHARED, VERSION),
        keys(operator_key(), operator_key().public(), PRESHARED, VERSION),
    ];
    for keys in wrong {
        let (frame, _) = Binding::register(&keys, &mut world.operator.rng, now, subscriber(7));
        assert_eq!(world.bank.hear(now, &frame), Err(Ignored::NotAuthentic));
    }
    let other = keys(operator_key(), bank_key().public(), PRESHARED, 4);
    let (frame, _) = Binding::register(&other, &mut world.operator.rng, now, subscriber(7));
    assert_eq!(world.bank.hear(now, &frame), Err(Ignored::UnknownKey(4)));
    assert!(world.bank.end.hold(keys(bank_key(), operator_key().public(), PRESHARED, 4)));
    assert!(world.bank.hear(now, &frame).is_ok());
    // A registration is no opening.
    let (mut frame, _) = Binding::register(&operator_keys(), &mut world.operator.rng, now, subscriber(8));
    frame[1] = 3;
    assert_eq!(world.bank.hear(now, &frame), Err(Ignored::NotAuthentic));
    // A public key with which every secret is known is not taken.
    assert!(bank_link::PairKeys::new(pair(), bank_key(), [0; 32], bank_link::SecretKey::new([1; 32]), 1).is_none());
}

#[test]
fn an_end_hears_no_frames_of_its_own_direction() {
    let mut world = world();
    for (direction, frame) in world.recorded.clone() {
        if direction == 0 {
            let wrong = world.operator.hear(world.now, &frame);
            assert!(matches!(wrong, Err(Ignored::WrongWay)), "{wrong:?}");
        } else {
            let wrong = world.bank.hear(world.now, &frame);
            assert!(matches!(wrong, Err(Ignored::WrongWay)), "{wrong:?}");
        }
    }
    // A message that is sent back to where it came from.
    let frame = world.operator.order(world.now, LANE, 0, id(1), order(0, 0, 500)).unwrap();
    assert_eq!(world.operator.hear(world.now, &frame), Err(Ignored::NotAuthentic));
}

#[test]
fn the_longest_of_everything_fits_a_frame() {
    let mut world = World::with_subscribers(3, 0);
    let longest = Subscriber {
        imsi: Imsi::parse(&"9".repeat(15)).unwrap(),
        number: bank_link::Msisdn::parse(&"9".repeat(15)).unwrap(),
        serial: Serial::parse(&"Z".repeat(32)).unwrap(),
    };
    let (frame, binding) = Binding::register(&operator_keys(), &mut world.operator.rng, world.now, longest);
    assert!(frame.len() <= bank_link::LONGEST);
    let most = Order::AccountTransfer { account: account(0), amount: amount(u64::MAX), payee: longest.number };
    let who = Authentication::make(&binding, longest, TransactionId([255; 16]), Asked::Order(&most));
    let step = world.operator.end.order(world.now, LANE, TransactionId([255; 16]), most, who).unwrap();
    let frame = world.operator.commit(step).unwrap();
    assert!(frame.len() <= bank_link::LONGEST, "{}", frame.len());
    assert!(world.bank.hear(world.now, &frame).is_ok());
}
