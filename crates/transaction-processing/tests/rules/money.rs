//! Where money goes; one mechanism each.

use super::common::*;
use crate::told;
use transaction_processing::Refusal;
use transaction_processing::account::Status;
use transaction_processing::decision::Change;
use transaction_processing::ids::{CaseId, Iccid, SystemAccount, TransferId};
use transaction_processing::notice::Text;
use transaction_processing::proposal::{Matter, Measure};
use transaction_processing::request::Action;
use transaction_processing::tariff::{Payer, Priced, Terms};
use transaction_processing::transfer::{ReturnCause, State};

const CARD: u128 = 89_255_000_000_000_000_001;

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
    let cases: Vec<CaseId> = world.books.cases().map(|case| case.id).collect();
    for case in cases {
        let pay = || Measure::PayUnclaimed { case, msisdn: number(SENDER) };
        world.measure(pay()).done();
        world.measure(pay()).refused(Refusal::UnknownCase);
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
fn staff_undo_a_cash_in_within_15_minutes_or_where_the_agent_asked_in_time() {
    let mut world = World::new();
    let mut takes = |say: fn(&mut World, TransferId), late: u32| {
        let transfer = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN)).id();
        say(&mut world, transfer);
        world.pass(late);
        world.measure(Measure::Reverse { transfer })
    };
    takes(|_, _| {}, 15 * MINUTE).done();
    takes(|_, _| {}, 15 * MINUTE + 1).refused(Refusal::NotRecallable);
    let asked = takes(
        |world, transfer| {
            world.say(AGENT_PHONE, Say::Rc(transfer, PIN)).done();
        },
        3 * DAY,
    );
    asked.done();
    assert_eq!(world.balance(CUSTOMER), 500_00, "the late one stays");
}

#[test]
fn undoing_a_cash_in_of_an_earlier_day_leaves_todays_commission_alone() {
    let mut world = World::priced([terms(Priced::CashIn, Payer::Operator)]);
    let earn = |world: &mut World, amount| {
        let answer = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, amount, PIN)).done();
        (answer.id(), told!(answer, AGENT_PHONE, Text::CashTakenIn { commission, .. } => commission.minor()))
    };
    let (wrong, _) = earn(&mut world, 500_00);
    world.say(AGENT_PHONE, Say::Rc(wrong, PIN)).done();
    world.pass(DAY);
    assert_eq!(earn(&mut world, 500_00).1, 6_00, "40 % of 10 + 1 %");
    world.say(CUSTOMER, Say::Ra(wrong, PIN)).done();
    assert_eq!(earn(&mut world, 500_00).1, 2_00, "the second of today, whatever came of yesterday's");
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
fn an_agent_whose_cash_in_is_undone_is_told_what_came_back() {
    let mut world = World::priced([terms(Priced::CashIn, Payer::Operator)]);
    let wrong = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN)).id();
    let before = world.balance(AGENT_PHONE);
    world.say(AGENT_PHONE, Say::Rc(wrong, PIN)).done();
    let answer = world.say(CUSTOMER, Say::Ra(wrong, PIN)).done();
    let (returned, balance) =
        told!(answer, AGENT_PHONE, Text::GotBack { returned, balance, .. } => (returned.minor(), balance.minor()));
    assert_eq!(
        (before + returned, balance),
        (balance, world.balance(AGENT_PHONE)),
        "less the commission that went back"
    );
}

#[test]
fn an_undone_cash_in_costs_its_customer_nothing_more() {
    // Whoever brings the cash is its sender and its payee: either bears the charge out of what came.
    for payer in [Payer::Payee, Payer::Sender] {
        let mut world = World::priced([terms(Priced::CashIn, payer)]);
        let wrong = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN)).id();
        world.measure(Measure::Reverse { transfer: wrong }).done();
        assert_eq!(world.balance(CUSTOMER), 0);
    }
}

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
