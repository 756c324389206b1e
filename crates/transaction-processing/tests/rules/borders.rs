//! The last unit and the last second that are still allowed, and the first that are not.

use super::common::*;
use transaction_processing::Refusal;
use transaction_processing::proposal::Measure;
use transaction_processing::tariff::{Payer, Priced};

#[test]
fn no_document_is_needed_up_to_the_amount_above_which_one_is() {
    for (amount, refusal) in [(2_000_00, None), (2_000_01, Some(Refusal::IdentityNeeded))] {
        let mut world = World::new();
        let (_, _, code) = world.send_and_query(STRANGER, amount, AGENT);
        assert_eq!(world.say(AGENT_PHONE, Say::Gm(STRANGER, amount, code, PIN)).refusal, refusal);
    }
}

#[test]
fn a_verification_code_is_good_until_its_half_hour_is_over() {
    for (passes, refusal) in [(30 * MINUTE - 1, None), (30 * MINUTE, Some(Refusal::CodeExpired))] {
        let mut world = World::new();
        let (_, _, code) = world.send_and_query(STRANGER, 500_00, AGENT);
        world.pass(passes);
        assert_eq!(world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refusal, refusal);
    }
}

#[test]
fn a_credited_transfer_may_be_asked_back_for_three_days() {
    for (passes, refusal) in [(3 * DAY, None), (3 * DAY + 1, Some(Refusal::NotRecallable))] {
        let mut world = World::new();
        let credited = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
        world.pass(passes);
        assert_eq!(world.say(SENDER, Say::Rc(credited, PIN)).refusal, refusal);
    }
}

#[test]
fn something_must_be_left_for_a_payee_who_bears_the_charges() {
    // At least 11, a levy of 5 % of it and 0.2 % of the amount: 11.57.
    for (amount, refusal) in [(11_57, Some(Refusal::ChargesAboveAmount)), (11_58, None)] {
        for payee in [CUSTOMER, STRANGER] {
            let mut world = World::priced([terms(Priced::Transfer, Payer::Payee)]);
            assert_eq!(world.say(SENDER, Say::Tm(payee, amount, PIN)).refusal, refusal);
        }
    }
}

#[test]
fn the_operators_last_unit_pays_a_commission() {
    for (left, refusal) in [(6_00, None), (5_99, Some(Refusal::OperatorFundsShort))] {
        let mut world = World::priced([terms(Priced::CashIn, Payer::Operator)]);
        let rest = ISSUED - 2 * FLOAT - left;
        world.measure(Measure::Redeem { amount: money(rest), bank_reference: "out".into() }).done();
        assert_eq!(world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN)).refusal, refusal);
    }
}
