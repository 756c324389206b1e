//! The same message twice.

use super::common::*;
use crate::told;
use transaction_processing::Refusal;
use transaction_processing::notice::Text;
use transaction_processing::number::Language;
use transaction_processing::proposal::Measure;

const CARD: u128 = 89_255_000_000_000_000_001;

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
        let held = world.books.number(number(STRANGER)).and_then(|number| number.card.as_deref().copied()).unwrap();
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
