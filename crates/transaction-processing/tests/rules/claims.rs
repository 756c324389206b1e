//! Who may claim, and when.

use super::common::*;
use crate::told;
use transaction_processing::Refusal;
use transaction_processing::notice::Text;
use transaction_processing::tariff::{Payer, Priced, Terms};

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
