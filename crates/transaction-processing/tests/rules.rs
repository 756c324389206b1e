//! Each rule that keeps money safe, by its name.

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

use common::*;
use transaction_processing::Refusal;
use transaction_processing::account::Status;
use transaction_processing::decision::{Change, Scope};
use transaction_processing::ids::{CaseId, Iccid, SystemAccount, TransferId};
use transaction_processing::notice::Text;
use transaction_processing::number::Language;
use transaction_processing::proposal::{Matter, Measure};
use transaction_processing::request::Action;
use transaction_processing::tariff::{Payer, Priced, Terms};
use transaction_processing::transfer::{ReturnCause, State};

const CARD: u128 = 89_255_000_000_000_000_001;

// ---- Same message twice -----------------------------------------------------------------------------------------------

#[test]
fn a_sealed_message_again_gets_the_same_answer_and_a_lower_counter_is_refused() {
    let mut world = World::new();
    world.bind_card(SENDER, CARD).done();
    let packet = world.seal(SENDER, 5, Say::Tm(CUSTOMER, 500_00, PIN));
    let first = world.deliver(packet).done();
    let again = world.deliver(packet);
    assert!(again.row.is_none() && again.text_to(SENDER) == first.text_to(SENDER));
    assert_eq!(again.told(), [SENDER], "the payee is not told twice");
    world.say_sealed(SENDER, 4, Say::Tm(CUSTOMER, 500_00, PIN)).refused(Refusal::CounterTooLow);
    world.say_sealed(SENDER, 5, Say::Tm(CUSTOMER, 600_00, PIN)).refused(Refusal::CounterTooLow);
    world.say_sealed(SENDER, 6, Say::Bl(PIN)).done();
    let again = world.deliver(packet);
    assert!(again.row.is_none() && again.text_to(SENDER) == first.text_to(SENDER), "known, though lower by now");
    assert_eq!(world.balance(CUSTOMER), 500_00);
}

#[test]
fn a_sealed_message_that_was_refused_gets_the_same_answer_again() {
    let mut world = World::new();
    world.bind_card(CUSTOMER, CARD).done();
    let packet = world.seal(CUSTOMER, 1, Say::Tm(SENDER, 500_00, PIN));
    world.deliver(packet).refused(Refusal::NotEnoughMoney);
    world.say(SENDER, Say::Tm(CUSTOMER, 600_00, PIN)).done();
    let again = world.deliver(packet);
    assert!(matches!(again.text_to(CUSTOMER), Text::Refused { why: Refusal::NotEnoughMoney, .. }));
    assert_eq!(world.balance(CUSTOMER), 600_00, "a packet that was played in again moves nothing");
}

#[test]
fn a_sealed_question_again_gets_the_same_answer() {
    let mut world = World::new();
    world.bind_card(CUSTOMER, CARD).done();
    let packet = world.seal(CUSTOMER, 1, Say::Bl(PIN));
    let first = world.deliver(packet).done();
    world.say(SENDER, Say::Tm(CUSTOMER, 600_00, PIN)).done();
    assert!(world.deliver(packet).text_to(CUSTOMER) == first.text_to(CUSTOMER));
}

#[test]
fn a_sealed_message_has_no_second_effect_however_late_it_comes_again() {
    let mut world = World::new();
    world.bind_card(SENDER, CARD).done();
    let packet = world.seal(SENDER, 5, Say::Tm(CUSTOMER, 500_00, PIN));
    world.deliver(packet).done();
    world.pass(30 * DAY);
    world.deliver(packet).refused(Refusal::CounterTooLow);
    assert_eq!(world.balance(CUSTOMER), 500_00);
}

#[test]
fn a_sealed_message_is_never_answered_in_plain() {
    let mut world = World::new();
    world.bind_card(SENDER, CARD).done();
    let packet = world.seal(SENDER, 1, Say::Bl(PIN));
    world.deliver(packet).done();
    world.measure(Measure::ForgetCard { msisdn: number(SENDER) }).done();
    world.deliver(packet).refused(Refusal::CounterTooLow);
}

#[test]
fn a_cards_counter_rises_with_every_kind_of_request() {
    let mut world = World::new();
    world.bind_card(STRANGER, CARD).done();
    let (_, password) = world.send_by_password(STRANGER, 500_00);
    let mut counter = 10;
    let mut says = vec![
        Say::Lg(Language::French),
        Say::Qt(WRONG, AGENT),
        Say::Qt(password, AGENT),
        Say::Qt(password, 9999),
        Say::Rg(PIN),
        Say::RgCode(WRONG),
        Say::Hp,
        Say::Dp(password, PIN),
        Say::Bl(PIN),
        Say::Ck(None),
    ];
    while let Some(say) = (!says.is_empty()).then(|| says.remove(0)) {
        let answer = world.say_sealed(STRANGER, counter, say);
        if matches!(say, Say::Rg(_)) {
            says.insert(1, Say::RgCode(answer.code_to(STRANGER)));
        }
        let held = world.books.number(number(STRANGER)).and_then(|number| number.card).unwrap();
        assert_eq!(held.counter, counter, "{say:?}");
        world.say_sealed(STRANGER, counter - 1, Say::Hp).refused(Refusal::CounterTooLow);
        counter += 10;
    }
}

#[test]
fn a_plain_message_repeated_within_72_hours_has_no_second_effect() {
    let mut world = World::new();
    let message = world.write(SENDER, Say::Tm(CUSTOMER, 500_00, PIN));
    let first = world.deliver(message).done();
    for _ in 0..3 {
        world.pass(24 * HOUR);
        let again = world.deliver(message).repeated();
        let inner = told!(again, SENDER, Text::Repeated { answer, .. } => answer);
        assert!(**inner == *first.text_to(SENDER), "the result is told again");
    }
    assert_eq!(world.balance(CUSTOMER), 500_00);
    world.pass(1);
    world.deliver(message).done();
    assert_eq!(world.balance(CUSTOMER), 1_000_00, "after 72 hours it is a new one");
}

#[test]
fn a_plain_message_written_again_on_purpose_is_done_again() {
    let mut world = World::new();
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    // `*2` makes another fingerprint.
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    assert_eq!(world.balance(CUSTOMER), 1_000_00);
}

#[test]
fn every_counted_refusal_is_remembered_and_counted_once() {
    let mut world = World::with(|policy| policy.password_at_agent = true);
    world.send_and_query(STRANGER, 500_00, AGENT);
    world.say(OTHER_STRANGER, Say::Rg(PIN)).done();
    for (from, say, why) in [
        (SENDER, Say::Tm(CUSTOMER, 500_00, WRONG), Refusal::WrongPin),
        (SENDER, Say::Bl(WRONG), Refusal::WrongPin),
        (CUSTOMER, Say::St(WRONG), Refusal::WrongPin),
        (STRANGER, Say::Qt(WRONG, AGENT), Refusal::WrongPassword),
        (AGENT_PHONE, Say::Gm(STRANGER, 500_00, WRONG, PIN), Refusal::WrongCode),
        (AGENT_PHONE, Say::Gw(STRANGER, 500_00, WRONG, PIN), Refusal::WrongPassword),
        (OTHER_STRANGER, Say::RgCode(WRONG), Refusal::WrongRegistrationCode),
    ] {
        let message = world.write(from, say);
        world.deliver(message).refused(why);
        for _ in 0..5 {
            let again = world.deliver(message);
            assert!(again.row.is_none(), "{say:?} was counted twice");
            let inner = told!(again, from, Text::Repeated { answer, .. } => answer);
            assert!(matches!(**inner, Text::Refused { why: told, .. } if told == why), "{say:?}");
        }
    }
    assert_eq!(world.account(SENDER).pin.wrong, 2);
}

#[test]
fn what_was_not_counted_is_judged_afresh() {
    let mut world = World::new();
    let message = world.write(CUSTOMER, Say::Tm(STRANGER, 500_00, PIN));
    world.deliver(message).refused(Refusal::NotEnoughMoney);
    let balance = world.write(CUSTOMER, Say::Bl(PIN));
    world.deliver(balance).done();
    world.say(SENDER, Say::Tm(CUSTOMER, 600_00, PIN)).done();
    let told = told!(world.deliver(balance), CUSTOMER, Text::Balance { balance } => balance.minor());
    assert_eq!(told, 600_00);
    world.deliver(message).done();
    // A setting is set again: English, French and English again within the window is English.
    let english = world.write(CUSTOMER, Say::Lg(Language::English));
    world.deliver(english).done();
    world.say(CUSTOMER, Say::Lg(Language::French)).done();
    world.deliver(english).done();
    assert_eq!(world.books.number(number(CUSTOMER)).unwrap().language, Some(Language::English));
}

#[test]
fn a_remembered_outcome_never_holds_a_code() {
    let mut world = World::new();
    let (transfer, password) = world.send_by_password(STRANGER, 500_00);
    for (from, say) in [
        (STRANGER, Say::Qt(password, AGENT)),
        (SENDER, Say::Rs(transfer, PIN)),
        (OTHER_STRANGER, Say::Rg(PIN)),
        (SENDER, Say::Tm(OTHER_STRANGER, 500_00, PIN)),
    ] {
        let message = world.write(from, say);
        let first = world.deliver(message).done();
        assert!(first.notices.iter().any(|notice| notice.code.is_some()));
        assert!(world.deliver(message).repeated().notices.iter().all(|notice| notice.code.is_none()), "{say:?}");
    }
    world.bind_card(STRANGER, CARD).done();
    let (_, password) = world.send_by_password(STRANGER, 600_00);
    let packet = world.seal(STRANGER, 1, Say::Qt(password, AGENT));
    world.deliver(packet).done().code_to(STRANGER);
    assert!(world.deliver(packet).repeated().notices.iter().all(|notice| notice.code.is_none()));
}

// ---- PINs and codes ---------------------------------------------------------------------------------------------------

#[test]
fn three_wrong_pins_lock_for_30_minutes() {
    let mut world = World::new();
    for _ in 0..3 {
        world.say(SENDER, Say::Tm(CUSTOMER, 500_00, WRONG)).refused(Refusal::WrongPin);
    }
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).refused(Refusal::PinLocked);
    world.say(SENDER, Say::Bl(WRONG)).refused(Refusal::PinLocked);
    world.pass(30 * MINUTE - 1);
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).refused(Refusal::PinLocked);
    world.pass(1);
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    assert_eq!(world.account(SENDER).pin.wrong, 0, "a right one ends the counting");
}

#[test]
fn ten_wrong_pins_in_a_row_lock_until_care_resets() {
    let mut world = World::new();
    for try_at in 1..=10 {
        world.say(SENDER, Say::Bl(WRONG)).refused(Refusal::WrongPin);
        if try_at % 3 == 0 {
            world.say(SENDER, Say::Bl(PIN)).refused(Refusal::PinLocked);
            world.pass(30 * MINUTE);
        }
    }
    world.say(SENDER, Say::Bl(PIN)).refused(Refusal::PinLockedByTries);
    world.pass(365 * DAY);
    world.say(SENDER, Say::Bl(PIN)).refused(Refusal::PinLockedByTries);
    world.measure(Measure::UnlockPin { msisdn: number(SENDER) }).done();
    world.say(SENDER, Say::Bl(PIN)).done();
    assert_eq!(world.account(SENDER).pin.wrong, 0);
}

#[test]
fn a_wrong_pin_is_refused_before_anything_about_the_payee_is_said() {
    let mut world = World::new();
    world.measure(Measure::Freeze { msisdn: number(CUSTOMER) }).done();
    let says = [
        Say::TmNotMobile(1, WRONG),
        Say::Tm(AGENT_PHONE, 500_00, WRONG),
        Say::Tm(CUSTOMER, 500_00, WRONG),
        Say::Co(9999, 1, WRONG),
        Say::Rc(TransferId(9999), WRONG),
        Say::Ra(TransferId(9999), WRONG),
        Say::Rs(TransferId(9999), WRONG),
        Say::Dp(WRONG, WRONG),
    ];
    for say in says {
        world.say(SENDER, say).refused(Refusal::WrongPin);
        world.pass(31 * MINUTE);
    }
    for say in [Say::Ci(STRANGER, 1, WRONG), Say::Gm(STRANGER, 1, WRONG, WRONG), Say::Gw(STRANGER, 1, WRONG, WRONG)] {
        world.say(AGENT_PHONE, say).refused(Refusal::WrongPin);
    }
}

#[test]
fn weak_pins_are_refused() {
    let mut world = World::new();
    world.say(STRANGER, Say::Rg(WEAK)).refused(Refusal::WeakPin);
    assert!(world.books.number(number(STRANGER)).is_none_or(|number| number.registration.is_none()));
    world.say(SENDER, Say::Pn(PIN, WEAK)).refused(Refusal::WeakPin);
    world.say(SENDER, Say::Bl(PIN)).done();
}

#[test]
fn a_reset_sends_a_one_time_pin_to_the_handset_valid_an_hour_that_must_be_changed_first() {
    let mut world = World::new();
    let reset = || Measure::ResetPin { msisdn: number(SENDER) };
    let answer = world.measure(reset()).done();
    assert_eq!(answer.told(), [SENDER]);
    let notice = answer.notice_to(SENDER);
    assert_eq!(notice.void_at, Some(world.moment.time.plus_seconds(HOUR)));
    let one_time = answer.code_to(SENDER);
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).refused(Refusal::WrongPin);
    let uses = [Say::Tm(CUSTOMER, 500_00, one_time), Say::Bl(one_time), Say::St(one_time), Say::Dp(WRONG, one_time)];
    for say in uses {
        world.say(SENDER, say).refused(Refusal::ChangePinFirst);
    }
    world.pass(HOUR - 1);
    world.say(SENDER, Say::Pn(one_time, 77_431)).done();
    world.say(SENDER, Say::Bl(77_431)).done();
    world.say(SENDER, Say::Bl(one_time)).refused(Refusal::WrongPin);

    let late = world.measure(reset()).done().code_to(SENDER);
    world.pass(HOUR);
    world.say(SENDER, Say::Pn(late, 91_352)).refused(Refusal::OneTimePinExpired);
    world.say(SENDER, Say::Bl(late)).refused(Refusal::OneTimePinExpired);
}

#[test]
fn a_reset_ends_the_lock_of_ten_wrong_pins() {
    let mut world = World::new();
    for _ in 0..10 {
        world.say(SENDER, Say::Bl(WRONG)).refused(Refusal::WrongPin);
        world.pass(31 * MINUTE);
    }
    let one_time = world.measure(Measure::ResetPin { msisdn: number(SENDER) }).done().code_to(SENDER);
    world.say(SENDER, Say::Pn(one_time, 77_431)).done();
    world.say(SENDER, Say::Bl(77_431)).done();
}

#[test]
fn registration_completes_only_with_the_code_sent_to_that_number() {
    let mut world = World::new();
    let answer = world.say(STRANGER, Say::Rg(PIN)).done();
    assert_eq!(answer.told(), [STRANGER]);
    assert!(world.books.account_of(number(STRANGER)).is_none(), "nothing opens yet");
    let code = answer.code_to(STRANGER);
    world.say(OTHER_STRANGER, Say::Rg(PIN)).done();
    world.say(OTHER_STRANGER, Say::RgCode(code)).refused(Refusal::WrongRegistrationCode);
    world.say(STRANGER, Say::RgCode(code)).done();
    world.say(STRANGER, Say::Bl(PIN)).done();
}

#[test]
fn registration_never_touches_an_existing_account() {
    let mut world = World::new();
    let code = world.say(STRANGER, Say::Rg(77_431)).done().code_to(STRANGER);
    world.register(STRANGER);
    world.say(STRANGER, Say::Rg(WRONG)).refused(Refusal::AlreadyRegistered);
    world.say(STRANGER, Say::RgCode(code)).refused(Refusal::AlreadyRegistered);
    world.say(STRANGER, Say::Bl(PIN)).done();
    world.say(AGENT_PHONE, Say::Rg(WRONG)).refused(Refusal::AlreadyRegistered);
}

#[test]
fn a_registration_code_stands_three_tries_and_30_minutes() {
    let mut world = World::new();
    let code = world.say(STRANGER, Say::Rg(PIN)).done().code_to(STRANGER);
    for _ in 0..3 {
        world.say(STRANGER, Say::RgCode(WRONG)).refused(Refusal::WrongRegistrationCode);
    }
    world.say(STRANGER, Say::RgCode(code)).refused(Refusal::RegistrationExpired);
    let code = world.say(STRANGER, Say::Rg(PIN)).done().code_to(STRANGER);
    world.pass(30 * MINUTE - 1);
    world.say(STRANGER, Say::RgCode(code)).done();
    world.say(STRANGER, Say::RgCode(code)).refused(Refusal::AlreadyRegistered);
}

#[test]
fn three_wrong_passwords_pause_the_payees_claims_for_30_minutes_and_then_for_a_day() {
    let mut world = World::new();
    world.register(STRANGER);
    let mut world = with_password_for_registered(world);
    let (_, password) = world.send_by_password(STRANGER, 500_00);
    let three_wrong = |world: &mut World| {
        world.say(STRANGER, Say::Qt(WRONG, AGENT)).refused(Refusal::WrongPassword);
        world.say(STRANGER, Say::Dp(WRONG, PIN)).refused(Refusal::WrongPassword);
        world.say(STRANGER, Say::Qt(WRONG, AGENT)).refused(Refusal::WrongPassword);
    };
    for pause in [30 * MINUTE, DAY, DAY] {
        three_wrong(&mut world);
        world.pass(pause - 1);
        world.say(STRANGER, Say::Qt(password, AGENT)).refused(Refusal::ClaimsPaused);
        world.say(STRANGER, Say::Dp(password, PIN)).refused(Refusal::ClaimsPaused);
        world.pass(1);
    }
    world.say(STRANGER, Say::Qt(password, AGENT)).done();
    assert!(
        world.books.number(number(STRANGER)).unwrap().claims == Default::default(),
        "a right one ends the counting"
    );
}

/// A world where everybody gets a password, as in the original system, and the stranger is a customer.
fn with_password_for_registered(_: World) -> World {
    use transaction_processing::policy::RegisteredPayee;
    let mut world = World::with(|policy| policy.registered_payee = RegisteredPayee::Password);
    world.register(STRANGER);
    world
}

#[test]
fn a_wrong_password_by_gw_closes_gw_for_good_but_not_qt() {
    let mut world = World::with(|policy| policy.password_at_agent = true);
    let (_, password) = world.send_by_password(STRANGER, 500_00);
    world.say(AGENT_PHONE, Say::Gw(STRANGER, 500_00, WRONG, PIN)).refused(Refusal::WrongPassword);
    world.pass(3 * DAY);
    for agent in [AGENT_PHONE, OTHER_AGENT_PHONE] {
        world.say(agent, Say::Gw(STRANGER, 500_00, password, PIN)).refused(Refusal::PasswordAtAgentClosed);
    }
    let code = world.say(STRANGER, Say::Qt(password, AGENT)).done().code_to(STRANGER);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).done();
}

#[test]
fn a_new_password_voids_the_old_one() {
    let mut world = World::new();
    let (transfer, old) = world.send_by_password(STRANGER, 500_00);
    let answer = world.say(SENDER, Say::Rs(transfer, PIN)).done();
    let new = answer.code_to(STRANGER);
    assert_eq!(answer.told(), [SENDER, STRANGER]);
    assert!(answer.notice_to(SENDER).code.is_none(), "the sender does not learn it");
    world.say(STRANGER, Say::Qt(old, AGENT)).refused(Refusal::WrongPassword);
    world.say(STRANGER, Say::Qt(new, AGENT)).done();
}

#[test]
fn verification_code_tries_survive_a_new_query_and_a_new_password() {
    let mut world = World::new();
    let (transfer, password, _) = world.send_and_query(STRANGER, 500_00, AGENT);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, WRONG, PIN)).refused(Refusal::WrongCode);
    world.say(STRANGER, Say::Qt(password, OTHER_AGENT)).done();
    world.say(OTHER_AGENT_PHONE, Say::Gm(STRANGER, 500_00, WRONG, PIN)).refused(Refusal::WrongCode);
    let password = world.say(SENDER, Say::Rs(transfer, PIN)).done().code_to(STRANGER);
    let code = world.say(STRANGER, Say::Qt(password, AGENT)).done().code_to(STRANGER);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, WRONG, PIN)).refused(Refusal::WrongCode);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::CodesExhausted);
    world.say(STRANGER, Say::Qt(password, AGENT)).refused(Refusal::CodesExhausted);
    world.say(SENDER, Say::Rc(transfer, PIN)).done();
    assert_eq!(world.balance(SENDER), PURSE, "the sender can still take it back");
}

#[test]
fn a_verification_code_lives_30_minutes() {
    let mut world = World::new();
    let (_, password, code) = world.send_and_query(STRANGER, 500_00, AGENT);
    world.pass(30 * MINUTE);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::CodeExpired);
    let code = world.say(STRANGER, Say::Qt(password, AGENT)).done().code_to(STRANGER);
    world.pass(30 * MINUTE - 1);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).done();
}

#[test]
fn a_new_query_voids_the_verification_code() {
    let mut world = World::new();
    let (_, password, old) = world.send_and_query(STRANGER, 500_00, AGENT);
    let new = world.say(STRANGER, Say::Qt(password, AGENT)).done().code_to(STRANGER);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, old, PIN)).refused(Refusal::WrongCode);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, new, PIN)).done();
}

#[test]
fn a_deposit_a_new_password_or_a_recall_voids_the_verification_code() {
    let ends: [fn(&mut World, TransferId, u32) -> Answer; 3] = [
        |world, _, password| {
            world.register(STRANGER);
            world.say(STRANGER, Say::Dp(password, PIN))
        },
        |world, transfer, _| world.say(SENDER, Say::Rs(transfer, PIN)),
        |world, transfer, _| world.say(SENDER, Say::Rc(transfer, PIN)),
    ];
    for end in ends {
        let mut world = World::new();
        let (transfer, password, code) = world.send_and_query(STRANGER, 500_00, AGENT);
        end(&mut world, transfer, password).done();
        world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::NothingToPayOut);
        let query = world.transfer(transfer).unwrap().waiting().and_then(|waiting| waiting.query.clone());
        assert!(query.is_none());
    }
}

#[test]
fn a_code_is_bound_to_payee_agent_and_amount() {
    let mut world = World::new();
    let (_, _, code) = world.send_and_query(STRANGER, 500_00, AGENT);
    world.send_and_query(OTHER_STRANGER, 500_00, AGENT);
    world.send_and_query(STRANGER, 600_00, AGENT);
    world.say(AGENT_PHONE, Say::Gm(OTHER_STRANGER, 500_00, code, PIN)).refused(Refusal::WrongCode);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 600_00, code, PIN)).refused(Refusal::WrongCode);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 400_00, code, PIN)).refused(Refusal::NothingToPayOut);
    world.say(OTHER_AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::OtherAgent);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).done();
}

#[test]
fn failures_of_one_agent_stop_that_agent() {
    let mut world = World::with(|policy| policy.spraying_per_agent = 2);
    let (_, _, code) = world.send_and_query(STRANGER, 500_00, AGENT);
    for _ in 0..2 {
        world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, WRONG, PIN)).refused(Refusal::WrongCode);
    }
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::Slowed);
    world.say(AGENT_PHONE, Say::Hp).done();
    world.say(OTHER_AGENT_PHONE, Say::Bl(PIN)).done();
    world.pass(HOUR);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::CodeExpired);
    let counted = world.books.failures(Scope::Agent(agent(AGENT)), world.moment.time);
    assert_eq!(counted.count, 0, "a new window");
}

#[test]
fn failures_over_one_link_or_over_all_stop_those_who_try() {
    let mut world = World::with(|policy| (policy.spraying_per_link, policy.spraying_in_all) = (2, 3));
    for from in [SENDER, CUSTOMER] {
        world.say(from, Say::Bl(WRONG)).refused(Refusal::WrongPin);
    }
    world.say(AGENT_PHONE, Say::Bl(PIN)).refused(Refusal::Slowed);
    world.link = Link(2);
    world.say(AGENT_PHONE, Say::Bl(PIN)).done();
    world.say(AGENT_PHONE, Say::Bl(WRONG)).refused(Refusal::WrongPin);
    world.link = Link(3);
    world.say(AGENT_PHONE, Say::Bl(PIN)).refused(Refusal::Slowed);
    world.say(AGENT_PHONE, Say::Hp).done();
    world.pass(HOUR);
    world.say(AGENT_PHONE, Say::Bl(PIN)).done();
}

// ---- Who may claim, and when ------------------------------------------------------------------------------------------

#[test]
fn gm_is_only_for_the_agent_named_in_the_last_query() {
    let mut world = World::new();
    let (_, password, old) = world.send_and_query(STRANGER, 500_00, AGENT);
    let code = world.say(STRANGER, Say::Qt(password, OTHER_AGENT)).done().code_to(STRANGER);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, old, PIN)).refused(Refusal::OtherAgent);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::OtherAgent);
    world.say(OTHER_AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).done();
}

#[test]
fn while_a_transfer_is_bound_to_one_agent_gw_elsewhere_is_refused() {
    let mut world = World::with(|policy| policy.password_at_agent = true);
    let (_, password, _) = world.send_and_query(STRANGER, 500_00, AGENT);
    world.say(OTHER_AGENT_PHONE, Say::Gw(STRANGER, 500_00, password, PIN)).refused(Refusal::OtherAgent);
    world.say(OTHER_AGENT_PHONE, Say::Gw(STRANGER, 500_00, WRONG, PIN)).refused(Refusal::OtherAgent);
    world.pass(30 * MINUTE);
    world.say(OTHER_AGENT_PHONE, Say::Gw(STRANGER, 500_00, password, PIN)).done();
}

#[test]
fn the_agent_who_repeats_a_paid_gm_is_told_what_to_hand_over_and_anyone_else_that_it_is_paid() {
    let mut world = World::priced([terms(Priced::Withdrawal, Payer::Payee)]);
    let (transfer, _, code) = world.send_and_query(STRANGER, 1_000_00, AGENT);
    let paid = world.say(AGENT_PHONE, Say::Gm(STRANGER, 1_000_00, code, PIN)).done();
    let handed = told!(paid, AGENT_PHONE, Text::PaidOutByYou { cash, .. } => cash.minor());
    world.pass(5 * DAY);
    let again = world.say(AGENT_PHONE, Say::Gm(STRANGER, 1_000_00, code, PIN)).refused(Refusal::AlreadyPaid);
    let told = told!(again, AGENT_PHONE, Text::AlreadyPaidByYou { transfer, cash, .. } => (*transfer, cash.minor()));
    assert_eq!(told, (transfer, handed));
    let other = world.say(OTHER_AGENT_PHONE, Say::Gm(STRANGER, 1_000_00, code, PIN)).refused(Refusal::AlreadyPaid);
    assert!(matches!(other.text_to(OTHER_AGENT_PHONE), Text::Refused { why: Refusal::AlreadyPaid, .. }));
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 1_000_00, WRONG, PIN)).refused(Refusal::NothingToPayOut);
}

#[test]
fn the_agent_who_repeats_a_paid_gm_is_told_so_though_another_transfer_of_the_amount_waits_there() {
    let mut world = World::new();
    let (first, _, code) = world.send_and_query(STRANGER, 500_00, AGENT);
    let (second, _, other) = world.send_and_query(STRANGER, 500_00, AGENT);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).done();
    let again = world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::AlreadyPaid);
    assert_eq!(told!(again, AGENT_PHONE, Text::AlreadyPaidByYou { transfer, .. } => *transfer), first);
    assert_eq!(world.transfer(second).unwrap().waiting().unwrap().wrong_codes, 0, "nothing was counted");
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, other, PIN)).done();
}

#[test]
fn an_agent_cannot_claim_a_transfer_to_an_own_number() {
    let mut world = World::with(|policy| policy.password_at_agent = true);
    let (_, password) = world.send_by_password(AGENTS_OTHER_PHONE, 500_00);
    world.say(AGENTS_OTHER_PHONE, Say::Qt(password, AGENT)).refused(Refusal::OwnDealing);
    let code = world.say(AGENTS_OTHER_PHONE, Say::Qt(password, OTHER_AGENT)).done().code_to(AGENTS_OTHER_PHONE);
    for say in [Say::Gm(AGENTS_OTHER_PHONE, 500_00, code, PIN), Say::Gw(AGENTS_OTHER_PHONE, 500_00, password, PIN)] {
        world.say(AGENT_PHONE, say).refused(Refusal::OwnDealing);
    }
    world.say(OTHER_AGENT_PHONE, Say::Gm(AGENTS_OTHER_PHONE, 500_00, code, PIN)).done();
}

#[test]
fn an_agent_earns_nothing_on_dealing_with_an_own_number() {
    let mut world = World::new();
    world.say(AGENT_PHONE, Say::Ci(AGENT_PHONE, 500_00, PIN)).refused(Refusal::OwnDealing);
    world.register(AGENTS_OTHER_PHONE);
    world.say(AGENT_PHONE, Say::Ci(AGENTS_OTHER_PHONE, 500_00, PIN)).refused(Refusal::OwnDealing);
    world.say(OTHER_AGENT_PHONE, Say::Ci(AGENTS_OTHER_PHONE, 500_00, PIN)).done();
    world.say(AGENTS_OTHER_PHONE, Say::Co(AGENT, 100_00, PIN)).refused(Refusal::OwnDealing);
    world.say(AGENTS_OTHER_PHONE, Say::Co(OTHER_AGENT, 100_00, PIN)).done();
}

#[test]
fn dp_needs_the_payees_own_number_and_pin() {
    let mut world = World::new();
    let (_, password) = world.send_by_password(STRANGER, 500_00);
    world.say(STRANGER, Say::Dp(password, PIN)).refused(Refusal::NotRegistered);
    world.say(CUSTOMER, Say::Dp(password, PIN)).refused(Refusal::NothingWaiting);
    world.register(STRANGER);
    world.say(STRANGER, Say::Dp(password, WRONG)).refused(Refusal::WrongPin);
    world.say(STRANGER, Say::Dp(password, PIN)).done();
    assert_eq!(world.balance(STRANGER), 500_00);
}

#[test]
fn the_cash_is_told_to_payee_and_agent_before_it_changes_hands() {
    for (payer, cash) in [(Payer::Payee, 976_00), (Payer::Sender, 1_000_00), (Payer::Operator, 1_000_00)] {
        let terms =
            Terms { levy_per_mille_of_fee: 200, levy_per_mille_of_amount: 0, ..terms(Priced::Withdrawal, payer) };
        let mut world = World::priced([terms]);
        let (_, password) = world.send_by_password(STRANGER, 1_000_00);
        let query = world.say(STRANGER, Say::Qt(password, AGENT)).done();
        assert_eq!(told!(query, STRANGER, Text::VerificationCode { cash, .. } => cash.minor()), cash);
        let code = query.code_to(STRANGER);
        let paid = world.say(AGENT_PHONE, Say::Gm(STRANGER, 1_000_00, code, PIN)).done();
        assert_eq!(told!(paid, AGENT_PHONE, Text::PaidOutByYou { cash, .. } => cash.minor()), cash);
        assert_eq!(told!(paid, STRANGER, Text::PaidOutToYou { cash, .. } => cash.minor()), cash);
    }
}

// ---- Where money goes -------------------------------------------------------------------------------------------------

#[test]
fn a_waiting_transfer_stands_on_transfers_in_flight_and_its_charges_on_their_accounts() {
    let mut world = World::priced([terms(Priced::Transfer, Payer::Sender), terms(Priced::Withdrawal, Payer::Sender)]);
    let answer = world.say(SENDER, Say::Tm(STRANGER, 1_000_00, PIN)).done();
    // Fee 10 + 1 % = 20; levy 5 % of it and 0.2 % of the amount = 3. The withdrawal costs as much again, paid ahead.
    let sender = world.wallet(SENDER);
    let moves = [
        (sender, of(SystemAccount::TransfersInFlight), 1_000_00 + 23_00),
        (sender, of(SystemAccount::Fees), 20_00),
        (sender, of(SystemAccount::Levies), 3_00),
    ];
    assert_eq!(answer.moves(), moves);
    assert_eq!(answer.row.as_ref().unwrap().transfer, answer.transfer, "all marked with the transfer");
}

#[test]
fn a_waiting_transfer_ends_exactly_once() {
    type End = fn(&mut World, TransferId, u32, u32) -> Answer;
    let ends: [End; 4] = [
        |world, _, _, code| world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)),
        |world, _, password, _| world.say(STRANGER, Say::Dp(password, PIN)),
        |world, transfer, _, _| world.say(SENDER, Say::Rc(transfer, PIN)),
        |world, transfer, _, _| world.platform(Action::Expire(transfer)),
    ];
    for (at, first) in ends.iter().enumerate() {
        for second in ends {
            let mut world = World::new();
            let (transfer, password, code) = world.send_and_query(STRANGER, 500_00, AGENT);
            world.register(STRANGER);
            if at == 3 {
                world.pass(7 * DAY);
            }
            first(&mut world, transfer, password, code).done();
            world.pass(8 * DAY);
            let before = world.auditor.balances.clone();
            assert!(second(&mut world, transfer, password, code).refusal.is_some());
            assert_eq!(world.auditor.balances, before);
        }
    }
}

#[test]
fn a_return_gives_back_all_that_was_deducted() {
    for cause in [ReturnCause::Recall, ReturnCause::Expiry] {
        let mut world =
            World::priced([terms(Priced::Transfer, Payer::Sender), terms(Priced::Withdrawal, Payer::Sender)]);
        let (transfer, _) = world.send_by_password(STRANGER, 1_000_00);
        assert_eq!(world.balance(SENDER), PURSE - 1_000_00 - 23_00 - 23_00);
        give_back_by(&mut world, transfer, cause);
        assert_eq!(world.balance(SENDER), PURSE);
    }
}

#[test]
fn a_return_keeps_the_fee_where_the_tariff_frozen_on_the_transfer_says_so() {
    for cause in [ReturnCause::Recall, ReturnCause::Expiry] {
        let keeping = Terms { fee_kept_on_return: true, ..terms(Priced::Transfer, Payer::Sender) };
        let mut world = World::priced([keeping]);
        let (transfer, _) = world.send_by_password(STRANGER, 1_000_00);
        // Another tariff comes into force; the frozen one counts.
        world.adopt(terms(Priced::Transfer, Payer::Operator)).done();
        give_back_by(&mut world, transfer, cause);
        assert_eq!(world.balance(SENDER), PURSE - 20_00, "the fee, not the levy");
    }
}

fn give_back_by(world: &mut World, transfer: TransferId, cause: ReturnCause) {
    let answer = match cause {
        ReturnCause::Recall => world.say(SENDER, Say::Rc(transfer, PIN)),
        _ => world.wait(7 * DAY).pop().expect("an expiry"),
    };
    answer.done();
    assert!(matches!(world.transfer(transfer).unwrap().state, State::Returned { cause: held, .. } if held == cause));
}

#[test]
fn returns_ignore_ceilings_and_daily_limits() {
    let mut world = World::new();
    let (waiting, _) = world.send_by_password(STRANGER, 2_000_00);
    let credited = world.say(SENDER, Say::Tm(CUSTOMER, 3_000_00, PIN)).id();
    // The sender's purse is filled to the brim, and the payee has used up the day.
    for amount in [5_000_00, 5_000_00, 5_000_00, 2_000_00] {
        world.say(AGENT_PHONE, Say::Ci(SENDER, amount, PIN)).done();
    }
    world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 5_000_00, PIN)).done();
    world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 5_000_00, PIN)).done();
    for _ in 0..2 {
        world.say(CUSTOMER, Say::Co(AGENT, 5_000_00, PIN)).done();
    }
    assert_eq!(world.balance(SENDER), 20_000_00);
    world.say(SENDER, Say::Rc(waiting, PIN)).done();
    world.say(SENDER, Say::Rc(credited, PIN)).done();
    world.say(CUSTOMER, Say::Ra(credited, PIN)).done();
    assert_eq!(world.balance(SENDER), 25_000_00);
}

#[test]
fn a_frozen_senders_refund_comes_back_to_the_account() {
    let mut world = World::new();
    world.send_by_password(STRANGER, 500_00);
    world.measure(Measure::Freeze { msisdn: number(SENDER) }).done();
    world.wait(7 * DAY);
    assert_eq!(world.balance(SENDER), PURSE);
}

#[test]
fn a_closed_senders_refund_goes_to_unclaimed_money_with_a_case() {
    let mut world = World::priced([terms(Priced::Transfer, Payer::Sender)]);
    let (transfer, _) = world.send_by_password(STRANGER, 1_000_00);
    let left = world.balance(SENDER);
    world.measure(Measure::Close { msisdn: number(SENDER) }).done();
    assert_eq!(world.held(SystemAccount::UnclaimedMoney), left);
    let refund = world.wait(7 * DAY).pop().unwrap().done();
    assert_eq!(refund.told(), [STRANGER], "a closed account is told nothing");
    assert_eq!(world.held(SystemAccount::UnclaimedMoney), left + 1_000_00 + 23_00);
    let case = world.books.case(CaseId(refund.row.unwrap().sequence.0)).unwrap();
    let Matter::Unclaimed { transfer: of, msisdn, amount } = case.matter;
    assert_eq!((of, msisdn, amount.minor()), (Some(transfer), number(SENDER), 1_023_00));
    // Care pays it to the owner's new account, once.
    world.register(SENDER);
    let pay = || Measure::PayUnclaimed { case: CaseId(0), msisdn: number(SENDER) };
    let cases: Vec<CaseId> = world.books.cases().map(|case| case.id).collect();
    for id in &cases {
        let Measure::PayUnclaimed { msisdn, .. } = pay() else { unreachable!() };
        world.measure(Measure::PayUnclaimed { case: *id, msisdn }).done();
        world.measure(Measure::PayUnclaimed { case: *id, msisdn }).refused(Refusal::UnknownCase);
    }
    assert_eq!(world.balance(SENDER), PURSE);
    assert_eq!(world.held(SystemAccount::UnclaimedMoney), 0);
}

#[test]
fn a_credited_transfer_comes_back_only_with_the_payees_consent_and_never_past_what_is_left() {
    let mut world = World::new();
    let credited = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
    let asked = world.say(SENDER, Say::Rc(credited, PIN)).done();
    assert_eq!((asked.told(), asked.moves().len()), (vec![SENDER, CUSTOMER], 0));
    world.say(SENDER, Say::Ra(credited, PIN)).refused(Refusal::UnknownReference);
    world.say(CUSTOMER, Say::Ra(credited, WRONG)).refused(Refusal::WrongPin);
    world.say(CUSTOMER, Say::Co(AGENT, 1_00, PIN)).done();
    world.say(CUSTOMER, Say::Ra(credited, PIN)).refused(Refusal::NotEnoughMoney);
    world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 1_00, PIN)).done();
    world.say(CUSTOMER, Say::Ra(credited, PIN)).done();
    world.say(CUSTOMER, Say::Ra(credited, PIN)).refused(Refusal::AlreadyReturned);
    assert_eq!((world.balance(SENDER), world.balance(CUSTOMER)), (PURSE, 0));
}

#[test]
fn a_credited_transfer_comes_back_by_a_decision_with_maker_and_checker() {
    let mut world = World::new();
    let transfer = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
    world.measure(Measure::Freeze { msisdn: number(CUSTOMER) }).done();
    let proposal = world.propose(Measure::Reverse { transfer });
    world.approve(world.maker(), proposal).refused(Refusal::SamePerson);
    assert_eq!(world.balance(SENDER), PURSE - 500_00);
    world.approve(world.checker(), proposal).done();
    assert_eq!((world.balance(SENDER), world.balance(CUSTOMER)), (PURSE, 0));
    world.measure(Measure::Reverse { transfer }).refused(Refusal::AlreadyReturned);
}

#[test]
fn a_transfer_credited_to_a_numbers_owner_of_before_is_not_taken_from_the_owner_of_now() {
    let mut world = World::new();
    let transfer = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
    world.say(SENDER, Say::Rc(transfer, PIN)).done();
    world.measure(Measure::RecycleNumber { msisdn: number(CUSTOMER) }).done();
    world.register(CUSTOMER);
    world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 900_00, PIN)).done();
    world.measure(Measure::Reverse { transfer }).refused(Refusal::PayeeNotRegistered);
    world.say(CUSTOMER, Say::Ra(transfer, PIN)).refused(Refusal::UnknownReference);
    assert_eq!(world.balance(CUSTOMER), 900_00);
}

#[test]
fn a_cash_in_to_a_wrong_number_is_undone_within_15_minutes_if_unspent_and_agreed() {
    let mut world = World::new();
    let float = world.balance(AGENT_PHONE);
    let wrong = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN)).id();
    world.pass(15 * MINUTE);
    world.say(OTHER_AGENT_PHONE, Say::Rc(wrong, PIN)).refused(Refusal::UnknownReference);
    let asked = world.say(AGENT_PHONE, Say::Rc(wrong, PIN)).done();
    assert_eq!(asked.told(), [AGENT_PHONE, CUSTOMER]);
    assert_eq!(world.balance(CUSTOMER), 500_00, "nothing moves without the receiver's consent");
    world.say(CUSTOMER, Say::Tm(SENDER, 1_00, PIN)).done();
    world.say(CUSTOMER, Say::Ra(wrong, PIN)).refused(Refusal::NotEnoughMoney);
    world.measure(Measure::Reverse { transfer: wrong }).refused(Refusal::NotEnoughMoney);
    world.say(SENDER, Say::Tm(CUSTOMER, 1_00, PIN)).done();
    world.say(CUSTOMER, Say::Ra(wrong, PIN)).done();
    assert_eq!((world.balance(AGENT_PHONE), world.balance(CUSTOMER)), (float, 0));

    let late = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN)).id();
    world.pass(15 * MINUTE + 1);
    world.say(AGENT_PHONE, Say::Rc(late, PIN)).refused(Refusal::NotRecallable);
}

#[test]
fn an_undone_cash_in_earns_no_commission() {
    let mut world = World::priced([terms(Priced::CashIn, Payer::Operator)]);
    let (float, funds) = (world.balance(AGENT_PHONE), world.held(SystemAccount::OperatorFunds));
    for _ in 0..3 {
        let wrong = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN)).id();
        assert!(world.balance(AGENT_PHONE) > float - 500_00, "the commission was paid");
        world.say(AGENT_PHONE, Say::Rc(wrong, PIN)).done();
        world.say(CUSTOMER, Say::Ra(wrong, PIN)).done();
    }
    assert_eq!((world.balance(AGENT_PHONE), world.held(SystemAccount::OperatorFunds)), (float, funds));
}

#[test]
fn an_undone_cash_in_costs_its_customer_nothing_more() {
    let mut world = World::priced([terms(Priced::CashIn, Payer::Payee)]);
    let wrong = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN)).id();
    world.measure(Measure::Reverse { transfer: wrong }).done();
    assert_eq!(world.balance(CUSTOMER), 0);
}

// ---- One mechanism each -----------------------------------------------------------------------------------------------

#[test]
fn gm_gw_and_dp_are_one_claim_with_three_proofs() {
    let claims: [fn(&mut World, u32) -> Answer; 3] = [
        |world, password| {
            let code = world.say(STRANGER, Say::Qt(password, AGENT)).done().code_to(STRANGER);
            world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN))
        },
        |world, password| world.say(AGENT_PHONE, Say::Gw(STRANGER, 500_00, password, PIN)),
        |world, password| world.say(STRANGER, Say::Dp(password, PIN)),
    ];
    for (at, claim) in claims.into_iter().enumerate() {
        let mut world = World::with(|policy| policy.password_at_agent = true);
        let (transfer, password) = world.send_by_password(STRANGER, 500_00);
        world.register(STRANGER);
        let answer = claim(&mut world, password).done();
        let to = if at == 2 { STRANGER } else { AGENT_PHONE };
        assert_eq!(answer.moves(), [(of(SystemAccount::TransfersInFlight), world.wallet(to), 500_00)]);
        assert_eq!(answer.id(), transfer);
        assert!(matches!(answer.text_to(SENDER), Text::Collected { .. }), "the sender is told");
    }
}

#[test]
fn every_request_that_changes_something_is_one_row_refusals_included() {
    let mut world = World::new();
    let rows = |world: &World| world.auditor.rows.len();
    let start = rows(&world);
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    assert_eq!(rows(&world), start + 1);
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, WRONG)).refused(Refusal::WrongPin);
    assert_eq!(rows(&world), start + 2);
    world.say(SENDER, Say::Tm(CUSTOMER, 1, PIN)).refused(Refusal::AmountTooSmall);
    assert_eq!(rows(&world), start + 3, "the right PIN ended the counting");
    world.say(SENDER, Say::Tm(CUSTOMER, 1, PIN)).refused(Refusal::AmountTooSmall);
    world.say(SENDER, Say::Bl(PIN)).done();
    assert_eq!(rows(&world), start + 3, "nothing changed");
}

// ---- Fees, commissions, cards -----------------------------------------------------------------------------------------

#[test]
fn splitting_never_pays() {
    let earned = |parts: &[i64]| {
        let mut world = World::priced([terms(Priced::CashIn, Payer::Operator)]);
        let before = world.held(SystemAccount::OperatorFunds);
        for part in parts {
            world.say(AGENT_PHONE, Say::Ci(CUSTOMER, *part, PIN)).done();
        }
        before - world.held(SystemAccount::OperatorFunds)
    };
    let whole = earned(&[3_000_00]);
    assert_eq!(whole, 16_00, "40 % of 10 + 1 %");
    for parts in [vec![1_500_00; 2], vec![300_00; 10], vec![1_00; 30].into_iter().chain([2_970_00]).collect()] {
        assert!(earned(&parts) <= whole);
    }
}

#[test]
fn commission_is_reckoned_anew_every_business_day_and_for_every_customer() {
    let mut world = World::priced([terms(Priced::CashIn, Payer::Operator)]);
    let mut earn = |customer, days: u32| {
        world.pass(days * DAY);
        let answer = world.say(AGENT_PHONE, Say::Ci(customer, 500_00, PIN)).done();
        told!(answer, AGENT_PHONE, Text::CashTakenIn { commission, .. } => commission.minor())
    };
    assert_eq!([earn(CUSTOMER, 0), earn(CUSTOMER, 0), earn(SENDER, 0), earn(CUSTOMER, 1)], [6_00, 2_00, 6_00, 6_00]);
}

#[test]
fn dealing_in_another_way_first_earns_no_more_than_the_share_of_the_fee() {
    // Cash-in is free and earns nothing; cash-out earns 40 % of what the customer pays.
    let mut world = World::priced([terms(Priced::CashOut, Payer::Sender)]);
    world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 5_000_00, PIN)).done();
    let answer = world.say(CUSTOMER, Say::Co(AGENT, 500_00, PIN)).done();
    let commission = told!(answer, AGENT_PHONE, Text::CashToHandOver { commission, .. } => commission.minor());
    assert_eq!(commission, 6_00, "40 % of 15");
}

#[test]
fn a_number_with_a_card_is_not_served_in_plain() {
    let mut world = World::new();
    world.bind_card(SENDER, CARD).done();
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).refused(Refusal::NotSealed);
    let answer = world.say_sealed(SENDER, 1, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    assert_eq!(answer.notice_to(SENDER).card, Iccid::new(CARD), "answers to sealed requests are sealed");
    assert_eq!(answer.notice_to(CUSTOMER).card, None);
}

#[test]
fn an_epoch_jumps_the_numbers_ahead_and_still_knows_repeats() {
    use transaction_processing::requests::epoch;
    let mut world = World::new();
    let message = world.write(SENDER, Say::Tm(CUSTOMER, 500_00, PIN));
    world.deliver(message).done();
    let before = world.books.next();
    let opened = world.platform(Action::OpenEpoch(epoch::Fields { jump: 1000 })).done();
    assert!(opened.row.unwrap().changes.iter().any(|change| matches!(change, Change::Epoch { .. })));
    assert_eq!(world.books.next().0, before.0 + 1001);
    world.deliver(message).repeated();
    world.say(SENDER, Say::Tm(STRANGER, 500_00, PIN)).done();
    world.audit();
}

#[test]
fn care_closes_an_account_once_and_its_number_may_begin_anew() {
    let mut world = World::new();
    let old = world.wallet(SENDER);
    world.measure(Measure::Close { msisdn: number(SENDER) }).done();
    assert_eq!(world.books.account(old).unwrap().status, Status::Closed);
    world.measure(Measure::Close { msisdn: number(SENDER) }).refused(Refusal::UnknownAccount);
    world.say(SENDER, Say::Bl(PIN)).refused(Refusal::NotRegistered);
    world.register(SENDER);
    assert_eq!(world.balance(SENDER), 0);
    world.audit();
}

#[test]
fn rows_that_do_not_lead_to_the_balances_they_state_are_not_replayed() {
    use transaction_processing::books::{Books, Broken};
    let mut world = World::priced([terms(Priced::Transfer, Payer::Sender)]);
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    let rows = &world.auditor.rows;
    let replay = |tamper: fn(&mut transaction_processing::Row)| {
        let mut books = Books::new(policy(), &[TZS, KES]);
        let mut rows = rows.clone();
        let last = rows.len() - 1;
        tamper(&mut rows[last]);
        rows.iter().try_for_each(|row| books.replay(row)).err()
    };
    assert_eq!(replay(|_| {}), None);
    let (sender, customer) = (world.wallet(SENDER), world.wallet(CUSTOMER));
    assert_eq!(replay(|row| row.entered[0].from_balance += 1), Some(Broken::Balance(sender)));
    assert_eq!(replay(|row| row.entered[0].to_balance += 1), Some(Broken::Balance(customer)));
    assert_eq!(replay(|row| row.entered[1].posting.amount = money(1)), Some(Broken::Balance(sender)));
    assert!(matches!(replay(|row| row.sequence = row.sequence.next()), Some(Broken::Order(_))));
}
