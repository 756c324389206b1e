//! Messages of several parts.

use super::*;

#[test]
fn the_parts_of_a_message_go_together_and_end_together() {
    let mut bench = bench();
    bench.tell(long_notice());
    bench.tell(notice());
    let parts = [bench.take(), bench.take()];
    assert!(parts.iter().all(|part| part.message.esm_class == 0x40));
    assert!(body(&bench.take()).starts_with("Balance"));
    let ids = [bench.accept(&parts[0]), bench.accept(&parts[1])];
    assert_eq!(bench.states(), [MessageState::Sent]);
    bench.receipt(ids[1], Reported::Delivered);
    assert_eq!(bench.states(), [MessageState::Sent]);
    bench.receipt(ids[0], Reported::Delivered);
    assert_eq!(bench.states(), [MessageState::Delivered]);
}

/// A receipt that was acknowledged does not come again: what it said must not be forgotten with the process.
#[test]
fn a_part_that_arrived_is_not_awaited_again_after_a_restart() {
    for early in [false, true] {
        let mut bench = bench();
        let id = bench.tell(long_notice());
        let parts = [bench.take(), bench.take()];
        if early {
            bench.receipt(name("a1b20001"), Reported::Delivered);
        }
        let ids = parts.each_ref().map(|part| bench.accept(part));
        if !early {
            bench.receipt(ids[0], Reported::Delivered);
        }
        let last = bench.changes().into_iter().rev().find_map(|change| match change {
            MessageChange::Stands(message) => Some(message),
            MessageChange::SettledTo(_) => None,
        });
        let mut after = self::bench();
        after.outbox.tell(NOW, Told::Logged { id, at: NOW, notice: long_notice(), before: last });
        assert!(after.next().is_none(), "it is not sent again");
        after.receipt(ids[1], Reported::Delivered);
        assert_eq!(after.states(), [MessageState::Delivered]);
        assert!(after.is_empty());
    }
}

/// Every way in which one part of two can go wrong; the message as a whole goes again, and what comes late of the first
/// attempt harms nothing.
#[test]
fn when_one_part_fails_all_parts_go_again() {
    type Fate = fn(&mut Bench, &Submission);
    let lost: Fate = |bench, part| bench.report(part, Submitted::Unknown);
    let unsent: Fate = |bench, part| bench.report(part, Submitted::Unsent);
    let full: Fate = |bench, part| bench.report(part, Submitted::Refused(Status::QUEUE_FULL));
    let undelivered: Fate = |bench, part| {
        let id = bench.accept(part);
        bench.receipt(id, Reported::Undeliverable);
    };
    for fate in [lost, unsent, full, undelivered] {
        for failing in [0, 1] {
            for failing_first in [true, false] {
                let mut bench = bench();
                bench.tell(long_notice());
                let parts = [bench.take(), bench.take()];
                if failing_first {
                    fate(&mut bench, &parts[failing]);
                    assert!(bench.next().is_none(), "not while the other part is with a link");
                }
                let accepted = bench.accept(&parts[1 - failing]);
                if !failing_first {
                    fate(&mut bench, &parts[failing]);
                }
                bench.pass(RESEND_AFTER);
                let again = [bench.take(), bench.take()];
                assert!(bench.next().is_none());
                bench.receipt(accepted, Reported::Delivered);
                bench.changes();
                let ids = [bench.accept(&again[0]), bench.accept(&again[1])];
                assert_eq!(bench.states(), [MessageState::Sent]);
                let _ = ids.map(|id| bench.receipt(id, Reported::Delivered));
                assert_eq!(bench.states(), [MessageState::Sent, MessageState::Delivered]);
                assert!(bench.is_empty());
            }
        }
    }
}

/// A part that failed while the other still waits for its turn.
#[test]
fn a_part_that_comes_back_before_the_other_has_left_fails_the_whole() {
    let mut bench = bench();
    bench.tell(long_notice());
    let first = bench.take();
    bench.report(&first, Submitted::Unsent);
    let second = bench.take();
    bench.accept(&second);
    let again = [bench.take(), bench.take()];
    for part in &again {
        bench.accept(part);
    }
    assert_eq!(bench.states(), [MessageState::Sent]);
}

#[test]
fn references_of_parts_begin_where_they_are_drawn_and_not_again_with_every_start() {
    let references = |drawn: u16| {
        let mut bench = bench();
        bench.outbox.next_reference = drawn;
        let mut next = || {
            bench.tell(long_notice());
            let parts = [bench.take(), bench.take()];
            let [first, second] = parts.each_ref().map(|part| part.message.body[3]);
            assert_eq!(first, second, "parts of one message bear one reference");
            first
        };
        [next(), next()]
    };
    assert_eq!((references(7), references(255)), ([7, 8], [255, 0]));
}
