//! What each request does, told as it happens: who is told what, what moves, what is left.

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
use transaction_processing::account::Tier;
use transaction_processing::decision::Change;
use transaction_processing::ids::{AccountId, Iccid, StaffId, SystemAccount};
use transaction_processing::notice::{Role, Standing, Text};
use transaction_processing::number::Language;
use transaction_processing::policy::RegisteredPayee;
use transaction_processing::proposal::{Matter, Measure, ProposalState};
use transaction_processing::request::{Action, Kind as Asked};
use transaction_processing::requests::approve::{Fields, Verdict};
use transaction_processing::tariff::{Band, Payer, Priced, Terms};
use transaction_processing::time::{Day, Moment, Month, Time};
use transaction_processing::transfer::Kind;

const CARD: u128 = 89_255_000_000_000_000_001;
const IN_FLIGHT: SystemAccount = SystemAccount::TransfersInFlight;

/// What moved, as (from, to, minor units), whatever the order.
fn check_moves(answer: &Answer, expected: &[(AccountId, AccountId, i64)]) {
    let (mut moves, mut expected) = (answer.moves(), expected.to_vec());
    moves.sort();
    expected.sort();
    assert_eq!(moves, expected);
}

// ---- TM ---------------------------------------------------------------------------------------------------------------

#[test]
fn tm_to_a_customer_credits_at_once_and_tells_both() {
    let mut world = World::new();
    let answer = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    check_moves(&answer, &[(world.wallet(SENDER), world.wallet(CUSTOMER), 500_00)]);
    assert_eq!(answer.told(), [SENDER, CUSTOMER]);
    let (id, left) = told!(answer, SENDER, Text::Sent { transfer, balance, .. } => (*transfer, balance.minor()));
    assert_eq!((id, left), (answer.id(), PURSE - 500_00));
    let (sender, held) = told!(answer, CUSTOMER, Text::Received { sender, balance, .. } => (*sender, balance.minor()));
    assert_eq!((sender, held), (number(SENDER), 500_00));
    assert!(answer.notices.iter().all(|notice| notice.code.is_none()));
}

#[test]
fn tm_to_a_customer_is_charged_to_whom_the_tariff_says() {
    // Of 1,000: fee 20, levy 1 + 2.
    for (payer, lost, gained, fee, levy) in [
        (Payer::Sender, 1_023_00, 1_000_00, 20_00, 3_00),
        (Payer::Payee, 1_000_00, 977_00, 20_00, 3_00),
        (Payer::Operator, 1_000_00, 1_000_00, 0, 0),
    ] {
        let mut world = World::priced([terms(Priced::Transfer, payer)]);
        let answer = world.say(SENDER, Say::Tm(CUSTOMER, 1_000_00, PIN)).done();
        assert_eq!((world.balance(SENDER), world.balance(CUSTOMER)), (PURSE - lost, gained), "{payer:?}");
        assert_eq!((world.held(SystemAccount::Fees), world.held(SystemAccount::Levies)), (fee, levy), "{payer:?}");
        let to_sender = told!(answer, SENDER, Text::Sent { charges, .. } => charges.minor());
        let to_payee = told!(answer, CUSTOMER, Text::Received { charges, .. } => charges.minor());
        assert_eq!((to_sender, to_payee), (lost - 1_000_00, 1_000_00 - gained), "{payer:?}");
    }
}

#[test]
fn tm_to_anyone_else_waits_under_a_password_that_only_the_payee_is_told() {
    let mut world = World::new();
    let answer = world.say(SENDER, Say::Tm(STRANGER, 500_00, PIN)).done();
    check_moves(&answer, &[(world.wallet(SENDER), of(IN_FLIGHT), 500_00)]);
    assert_eq!(answer.told(), [SENDER, STRANGER]);
    assert!(answer.notice_to(SENDER).code.is_none());
    let end = world.moment.time.plus_seconds(7 * DAY);
    assert_eq!(answer.notice_to(STRANGER).void_at, Some(end));
    assert_eq!(told!(answer, SENDER, Text::SentByPassword { expires_at, .. } => *expires_at), end);
    assert_eq!(told!(answer, STRANGER, Text::WithdrawalPassword { amount, .. } => amount.minor()), 500_00);
}

#[test]
fn tm_in_the_original_way_gives_customers_a_password_too() {
    let mut world = World::with(|policy| policy.registered_payee = RegisteredPayee::Password);
    let (transfer, password) = world.send_by_password(CUSTOMER, 500_00);
    assert_eq!((world.balance(CUSTOMER), world.transfer(transfer).unwrap().kind), (0, Kind::ByPassword));
    let answer = world.say(CUSTOMER, Say::Dp(password, PIN)).done();
    check_moves(&answer, &[(of(IN_FLIGHT), world.wallet(CUSTOMER), 500_00)]);
}

#[test]
fn two_transfers_to_one_payee_have_two_passwords() {
    let mut world = World::new();
    let (first, one) = world.send_by_password(STRANGER, 500_00);
    let (second, other) = world.send_by_password(STRANGER, 500_00);
    assert_ne!(one, other);
    for (transfer, password) in [(second, other), (first, one)] {
        assert_eq!(world.say(STRANGER, Say::Qt(password, AGENT)).done().id(), transfer);
    }
}

// ---- the claim --------------------------------------------------------------------------------------------------------

#[test]
fn the_founding_flow_for_every_payer_of_transfer_and_withdrawal() {
    // Of 1,000: fee 20, of it 8 the agent's; levy 3.
    for transfer in [Payer::Sender, Payer::Payee, Payer::Operator] {
        for withdrawal in [Payer::Sender, Payer::Payee, Payer::Operator] {
            let mut world = World::priced([terms(Priced::Transfer, transfer), terms(Priced::Withdrawal, withdrawal)]);
            let (float, funds) = (world.balance(AGENT_PHONE), world.held(SystemAccount::OperatorFunds));
            let (_, _, code) = world.send_and_query(STRANGER, 1_000_00, AGENT);
            let answer = world.say(AGENT_PHONE, Say::Gm(STRANGER, 1_000_00, code, PIN)).done();
            let borne_by = |payer| 23_00 * (i64::from(transfer == payer) + i64::from(withdrawal == payer));
            let cash = 1_000_00 - borne_by(Payer::Payee);
            let by_operator = if withdrawal == Payer::Operator { 8_00 } else { 0 };
            let charged = i64::from(transfer != Payer::Operator) + i64::from(withdrawal != Payer::Operator);
            assert_eq!(world.balance(SENDER), PURSE - 1_000_00 - borne_by(Payer::Sender));
            assert_eq!(world.balance(AGENT_PHONE), float + cash + 8_00);
            assert_eq!(world.held(SystemAccount::OperatorFunds), funds - by_operator);
            assert_eq!(world.held(SystemAccount::Levies), 3_00 * charged);
            assert_eq!(world.held(SystemAccount::Fees), 20_00 * charged - 8_00 + by_operator);
            assert_eq!(answer.told(), [AGENT_PHONE, STRANGER, SENDER]);
            let told = told!(answer, STRANGER, Text::PaidOutToYou { cash, .. } => cash.minor());
            assert_eq!(told, cash);
        }
    }
}

#[test]
fn what_a_division_leaves_over_goes_to_remainders() {
    // Fee 11.01, shared by thirds: 3.66 and 7.34, and 0.01 over.
    let thirds = Terms {
        agent_share_per_mille: 333,
        bands: vec![Band { up_to: 10_000_00, fixed: 11_01, per_mille: 0, minimum: 11_01, maximum: 11_01 }],
        ..terms(Priced::Withdrawal, Payer::Payee)
    };
    let mut world = World::priced([thirds]);
    let (_, _, code) = world.send_and_query(STRANGER, 1_000_00, AGENT);
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 1_000_00, code, PIN)).done();
    assert_eq!((world.held(SystemAccount::Fees), world.held(SystemAccount::Remainders)), (7_34, 1));
}

#[test]
fn dp_brings_a_waiting_transfer_into_the_payees_wallet_and_what_was_paid_ahead_back() {
    let mut world = World::priced([terms(Priced::Transfer, Payer::Payee), terms(Priced::Withdrawal, Payer::Sender)]);
    let (_, password) = world.send_by_password(STRANGER, 1_000_00);
    assert_eq!(world.balance(SENDER), PURSE - 1_023_00);
    world.register(STRANGER);
    let answer = world.say(STRANGER, Say::Dp(password, PIN)).done();
    assert_eq!((world.balance(SENDER), world.balance(STRANGER)), (PURSE - 1_000_00, 977_00));
    assert_eq!(answer.told(), [STRANGER, SENDER]);
    assert_eq!(told!(answer, STRANGER, Text::Deposited { charges, .. } => charges.minor()), 23_00);
}

#[test]
fn a_reminder_comes_once_before_the_end_and_the_refund_after_it() {
    let mut world = World::new();
    let (transfer, _) = world.send_by_password(STRANGER, 500_00);
    assert!(world.wait(6 * DAY - 1).is_empty());
    world.platform(Action::Remind(transfer)).refused(Refusal::WrongState);
    world.platform(Action::Expire(transfer)).refused(Refusal::WrongState);
    let reminded = world.wait(1);
    assert_eq!(reminded.len(), 1);
    assert_eq!(reminded[0].told(), [STRANGER]);
    assert!(matches!(reminded[0].text_to(STRANGER), Text::Reminder { .. }));
    world.platform(Action::Remind(transfer)).refused(Refusal::NotWaiting);
    assert!(world.wait(DAY - 1).is_empty());
    assert_eq!(world.books.next_due(), Some(Time(world.moment.time.0 + 1000)));
    let refund = world.wait(1).pop().unwrap().done();
    check_moves(&refund, &[(of(IN_FLIGHT), world.wallet(SENDER), 500_00)]);
    assert_eq!(refund.told(), [SENDER, STRANGER]);
    world.platform(Action::Expire(transfer)).refused(Refusal::NotWaiting);
    assert_eq!(world.books.next_due(), None);
}

#[test]
fn rc_takes_a_waiting_transfer_back_at_once_and_tells_both() {
    let mut world = World::new();
    let (transfer, _) = world.send_by_password(STRANGER, 500_00);
    let answer = world.say(SENDER, Say::Rc(transfer, PIN)).done();
    check_moves(&answer, &[(of(IN_FLIGHT), world.wallet(SENDER), 500_00)]);
    assert!(matches!(answer.text_to(SENDER), Text::Recalled { .. }));
    assert!(matches!(answer.text_to(STRANGER), Text::RecalledFromYou { .. }));
}

#[test]
fn rc_and_ra_give_a_credited_transfer_back_and_the_charges_stay() {
    let mut world = World::priced([terms(Priced::Transfer, Payer::Payee)]);
    let transfer = world.say(SENDER, Say::Tm(CUSTOMER, 1_000_00, PIN)).id();
    world.say(SENDER, Say::Rc(transfer, PIN)).done();
    let answer = world.say(CUSTOMER, Say::Ra(transfer, PIN)).done();
    check_moves(&answer, &[(world.wallet(CUSTOMER), world.wallet(SENDER), 977_00)]);
    assert!(matches!(answer.text_to(CUSTOMER), Text::GivenBack { .. }));
    assert!(matches!(answer.text_to(SENDER), Text::GotBack { .. }));
    assert_eq!(world.held(SystemAccount::Fees), 20_00);
}

// ---- CI and CO --------------------------------------------------------------------------------------------------------

#[test]
fn ci_makes_wallet_balance_of_float_for_every_payer() {
    // Of 1,000: fee 20, of it 8 the agent's; levy 3. Whoever brings the cash bears it, on top or not.
    for (payer, gained, by_operator) in
        [(Payer::Sender, 977_00, 0), (Payer::Payee, 977_00, 0), (Payer::Operator, 1_000_00, 8_00)]
    {
        let mut world = World::priced([terms(Priced::CashIn, payer)]);
        let (float, funds) = (world.balance(AGENT_PHONE), world.held(SystemAccount::OperatorFunds));
        let answer = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 1_000_00, PIN)).done();
        assert_eq!(world.balance(CUSTOMER), gained, "{payer:?}");
        assert_eq!(world.balance(AGENT_PHONE), float - 1_000_00 + 8_00, "{payer:?}");
        assert_eq!(world.held(SystemAccount::OperatorFunds), funds - by_operator, "{payer:?}");
        assert_eq!(told!(answer, CUSTOMER, Text::CashPutIn { charges, .. } => charges.minor()), 1_000_00 - gained);
        assert_eq!(told!(answer, AGENT_PHONE, Text::CashTakenIn { commission, .. } => commission.minor()), 8_00);
    }
}

#[test]
fn co_makes_float_of_wallet_balance_for_every_payer() {
    for (payer, lost, cash, by_operator) in [
        (Payer::Sender, 1_023_00, 1_000_00, 0),
        (Payer::Payee, 1_000_00, 977_00, 0),
        (Payer::Operator, 1_000_00, 1_000_00, 8_00),
    ] {
        let mut world = World::priced([terms(Priced::CashOut, payer)]);
        let (float, funds) = (world.balance(OTHER_AGENT_PHONE), world.held(SystemAccount::OperatorFunds));
        let answer = world.say(SENDER, Say::Co(OTHER_AGENT, 1_000_00, PIN)).done();
        assert_eq!(world.balance(SENDER), PURSE - lost, "{payer:?}");
        assert_eq!(world.balance(OTHER_AGENT_PHONE), float + cash + 8_00, "{payer:?}");
        assert_eq!(world.held(SystemAccount::OperatorFunds), funds - by_operator, "{payer:?}");
        assert_eq!(told!(answer, SENDER, Text::CashTakenOut { cash, .. } => cash.minor()), cash);
        assert_eq!(told!(answer, OTHER_AGENT_PHONE, Text::CashToHandOver { cash, .. } => cash.minor()), cash);
    }
}

// ---- BL, ST, PN, LG, CK, HP -------------------------------------------------------------------------------------------

#[test]
fn bl_tells_the_balance_of_wallet_and_float_and_changes_nothing() {
    let mut world = World::new();
    for (from, held) in [(SENDER, PURSE), (CUSTOMER, 0), (AGENT_PHONE, FLOAT - PURSE)] {
        let answer = world.say(from, Say::Bl(PIN)).done();
        assert!(answer.row.is_none());
        assert_eq!(told!(answer, from, Text::Balance { balance } => balance.minor()), held);
    }
}

#[test]
fn st_tells_the_last_five_entries_newest_first() {
    let mut world = World::new();
    for amount in [100_00, 200_00, 300_00, 400_00] {
        world.say(SENDER, Say::Tm(CUSTOMER, amount, PIN)).done();
    }
    world.send_by_password(STRANGER, 500_00);
    world.say(CUSTOMER, Say::Tm(SENDER, 50_00, PIN)).done();
    let answer = world.say(SENDER, Say::St(PIN)).done();
    let lines = told!(answer, SENDER, Text::Statement { lines, .. } => lines.clone());
    let changes: Vec<i64> = lines.iter().map(|line| line.change).collect();
    assert_eq!(changes, [50_00, -500_00, -400_00, -300_00, -200_00]);
    assert!(lines.windows(2).all(|pair| pair[1].balance + pair[0].change == pair[0].balance));
    assert!(lines.iter().all(|line| line.kind == Asked::Transfer));
    let none = world.say(OTHER_AGENT_PHONE, Say::St(PIN)).done();
    assert_eq!(told!(none, OTHER_AGENT_PHONE, Text::Statement { lines, .. } => lines.len()), 1, "the float supplied");
}

#[test]
fn pn_makes_another_pin() {
    let mut world = World::new();
    world.say(SENDER, Say::Pn(WRONG, 77_431)).refused(Refusal::WrongPin);
    world.say(SENDER, Say::Pn(PIN, 77_431)).done();
    world.say(SENDER, Say::Bl(PIN)).refused(Refusal::WrongPin);
    world.say(SENDER, Say::Bl(77_431)).done();
}

#[test]
fn a_pin_is_kept_under_the_newest_key_at_its_next_use() {
    let mut world = World::new();
    world.key_versions = vec![2, 1];
    world.say(SENDER, Say::Bl(PIN)).done();
    assert_eq!(world.account(SENDER).pin.proof.unwrap().version, 2);
    world.key_versions = vec![2];
    world.say(SENDER, Say::Bl(PIN)).done();
    world.say(CUSTOMER, Say::Bl(PIN)).refused(Refusal::WrongPin);
}

#[test]
fn lg_changes_the_language_of_everything_told_from_then_on() {
    let mut world = World::new();
    let answer = world.say(STRANGER, Say::Lg(Language::Swahili)).done();
    assert_eq!(answer.notice_to(STRANGER).language, Language::Swahili);
    let answer = world.say(SENDER, Say::Tm(STRANGER, 500_00, PIN)).done();
    assert_eq!(answer.notice_to(STRANGER).language, Language::Swahili);
    assert_eq!(answer.notice_to(SENDER).language, Language::English);
}

#[test]
fn ck_tells_anyone_whether_a_receipt_is_genuine_and_what_it_said() {
    let mut world = World::new();
    let (transfer, _) = world.send_by_password(STRANGER, 500_00);
    let standing = |world: &mut World| {
        let answer = world.say(OTHER_STRANGER, Say::Ck(Some(transfer))).done();
        assert!(answer.row.is_none());
        told!(answer, OTHER_STRANGER, Text::ReceiptGenuine { amount, payee, standing, .. } => (amount.minor(), *payee, *standing))
    };
    assert_eq!(standing(&mut world), (500_00, number(STRANGER), Standing::Waiting));
    world.say(SENDER, Say::Rc(transfer, PIN)).done();
    assert_eq!(standing(&mut world).2, Standing::Returned);
    let credited = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
    let answer = world.say(CUSTOMER, Say::Ck(Some(credited))).done();
    assert_eq!(told!(answer, CUSTOMER, Text::ReceiptGenuine { standing, .. } => *standing), Standing::Done);
    let to_come = transaction_processing::ids::TransferId(world.books.next().0);
    world.say(CUSTOMER, Say::Ck(Some(to_come))).refused(Refusal::UnknownReference);
}

#[test]
fn a_receipt_of_every_kind_of_movement_can_be_checked() {
    let mut world = World::new();
    let float = world.measure(Measure::SupplyFloat { agent: agent(AGENT), amount: money(1_00) }).id();
    let back = world.measure(Measure::WithdrawFloat { agent: agent(AGENT), amount: money(1_00) }).id();
    let cash_in = world.say(AGENT_PHONE, Say::Ci(CUSTOMER, 500_00, PIN)).id();
    let cash_out = world.say(CUSTOMER, Say::Co(AGENT, 100_00, PIN)).id();
    for (transfer, kind) in
        [(float, Kind::Float), (back, Kind::Float), (cash_in, Kind::CashIn), (cash_out, Kind::CashOut)]
    {
        let answer = world.say(STRANGER, Say::Ck(Some(transfer))).done();
        assert_eq!(told!(answer, STRANGER, Text::ReceiptGenuine { kind, .. } => *kind), kind);
    }
}

#[test]
fn hp_fits_the_one_who_asks() {
    let mut world = World::new();
    for (from, role) in [(STRANGER, Role::Stranger), (SENDER, Role::Customer), (AGENT_PHONE, Role::Agent)] {
        let answer = world.say(from, Say::Hp).done();
        assert_eq!(told!(answer, from, Text::Help { role } => *role), role);
    }
}

// ---- limits -----------------------------------------------------------------------------------------------------------

#[test]
fn the_days_limit_begins_anew_with_the_business_day_and_the_months_with_the_month() {
    let mut world = World::with(|policy| policy.limits[0].per_month = 12_000_00);
    world.say(AGENT_PHONE, Say::Ci(SENDER, 5_000_00, PIN)).done();
    for _ in 0..2 {
        world.say(SENDER, Say::Co(AGENT, 5_000_00, PIN)).done();
    }
    world.say(SENDER, Say::Tm(CUSTOMER, 1_00, PIN)).refused(Refusal::DayLimit);
    world.pass(16 * HOUR - 1);
    world.say(SENDER, Say::Tm(CUSTOMER, 1_00, PIN)).refused(Refusal::DayLimit);
    world.pass(1);
    world.say(SENDER, Say::Tm(CUSTOMER, 2_000_00, PIN)).done();
    world.say(SENDER, Say::Tm(CUSTOMER, 1_00, PIN)).refused(Refusal::MonthLimit);
    world.pass(31 * DAY);
    world.say(SENDER, Say::Tm(CUSTOMER, 1_00, PIN)).done();
}

#[test]
fn limits_hold_across_any_jump_of_the_wall_clock() {
    for (days, months) in [(0, 0), (-1, 0), (-40, -1), (-4000, -131), (-20_463, -672)] {
        let mut world = World::new();
        world.say(AGENT_PHONE, Say::Ci(SENDER, 5_000_00, PIN)).done();
        world.say(SENDER, Say::Co(AGENT, 5_000_00, PIN)).done();
        let now = world.moment;
        world.moment = Moment { day: Day(now.day.0 + days), month: Month(now.month.0 + months), ..now };
        world.say(SENDER, Say::Tm(CUSTOMER, 5_000_00, PIN)).done();
        world.say(SENDER, Say::Tm(CUSTOMER, 1_00, PIN)).refused(Refusal::DayLimit);
        world.moment = now;
        world.say(SENDER, Say::Tm(CUSTOMER, 1_00, PIN)).refused(Refusal::DayLimit);
        world.pass(DAY);
        world.say(SENDER, Say::Tm(CUSTOMER, 1_00, PIN)).done();
    }
}

#[test]
fn a_higher_tier_has_higher_ceilings() {
    let mut world = World::new();
    world.say(SENDER, Say::Tm(CUSTOMER, 6_000_00, PIN)).refused(Refusal::AmountTooLarge);
    let answer = world.measure(Measure::SetTier { msisdn: number(SENDER), tier: Tier::Standard }).done();
    assert_eq!(told!(answer, SENDER, Text::TierSet { tier } => *tier), Tier::Standard);
    world.say(SENDER, Say::Tm(CUSTOMER, 6_000_00, PIN)).done();
}

#[test]
fn a_payee_without_an_account_has_limits_too() {
    let mut world = World::new();
    world.say(SENDER, Say::Tm(STRANGER, 1_99, PIN)).refused(Refusal::AmountTooSmall);
    world.say(SENDER, Say::Tm(STRANGER, 3_000_01, PIN)).refused(Refusal::AmountTooLarge);
    world.say(SENDER, Say::Tm(STRANGER, 3_000_00, PIN)).done();
    world.say(SENDER, Say::Tm(STRANGER, 1_000_01, PIN)).refused(Refusal::PayeeMustRegister);
    world.say(SENDER, Say::Tm(STRANGER, 1_000_00, PIN)).done();
    world.pass(DAY);
    world.say(SENDER, Say::Tm(STRANGER, 2_000_01, PIN)).refused(Refusal::PayeeMustRegister);
    world.say(SENDER, Say::Tm(STRANGER, 2_000_00, PIN)).done();
}

// ---- tariffs ----------------------------------------------------------------------------------------------------------

#[test]
fn a_tariff_holds_from_its_date_and_a_transfer_keeps_the_one_it_was_made_under() {
    let mut world = World::priced([terms(Priced::Withdrawal, Payer::Payee)]);
    let tomorrow = world.moment.time.plus_seconds(DAY);
    let free = Terms { effective_from: tomorrow, ..terms(Priced::Withdrawal, Payer::Operator) };
    world.adopt(free).done();
    let cash = |world: &mut World, password| {
        let answer = world.say(STRANGER, Say::Qt(password, AGENT)).done();
        told!(answer, STRANGER, Text::VerificationCode { cash, .. } => cash.minor())
    };
    let (_, before) = world.send_by_password(STRANGER, 1_000_00);
    world.pass(DAY);
    let (_, after) = world.send_by_password(STRANGER, 1_000_00);
    assert_eq!((cash(&mut world, before), cash(&mut world, after)), (977_00, 1_000_00));
}

#[test]
fn fees_that_may_go_back_are_not_collected() {
    let mut world = World::priced([terms(Priced::Transfer, Payer::Sender)]);
    world.say(SENDER, Say::Tm(CUSTOMER, 1_000_00, PIN)).done();
    let (transfer, _) = world.send_by_password(STRANGER, 1_000_00);
    let collect = |minor| Measure::CollectFees { amount: money(minor) };
    world.measure(collect(20_01)).refused(Refusal::NotEnoughMoney);
    world.measure(collect(20_00)).done();
    world.say(SENDER, Say::Rc(transfer, PIN)).done();
    assert_eq!(world.held(SystemAccount::Fees), 0);
}

// ---- care -------------------------------------------------------------------------------------------------------------

#[test]
fn a_frozen_account_moves_nothing_and_receives_nothing_but_returns() {
    let mut world = World::new();
    let (waiting, _) = world.send_by_password(STRANGER, 500_00);
    assert!(matches!(world.measure(Measure::Freeze { msisdn: number(SENDER) }).done().text_to(SENDER), Text::Frozen));
    for say in [Say::Tm(CUSTOMER, 1_00, PIN), Say::Co(AGENT, 1_00, PIN), Say::Rc(waiting, PIN), Say::Rs(waiting, PIN)] {
        world.say(SENDER, say).refused(Refusal::AccountFrozen);
    }
    world.say(AGENT_PHONE, Say::Ci(SENDER, 1_00, PIN)).refused(Refusal::PayeeFrozen);
    world.say(SENDER, Say::Bl(PIN)).done();
    world.wait(7 * DAY);
    assert_eq!(world.balance(SENDER), PURSE);
    world.measure(Measure::Unfreeze { msisdn: number(SENDER) }).done();
    world.say(SENDER, Say::Tm(CUSTOMER, 1_00, PIN)).done();
}

#[test]
fn a_frozen_agent_pays_out_nothing() {
    let mut world = World::new();
    let (_, password, code) = world.send_and_query(STRANGER, 500_00, AGENT);
    world.measure(Measure::Freeze { msisdn: number(AGENT_PHONE) }).done();
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::AccountFrozen);
    world.say(STRANGER, Say::Qt(password, AGENT)).refused(Refusal::UnknownAgent);
    world.say(SENDER, Say::Co(AGENT, 500_00, PIN)).refused(Refusal::UnknownAgent);
    let code = world.say(STRANGER, Say::Qt(password, OTHER_AGENT)).done().code_to(STRANGER);
    world.say(OTHER_AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).done();
}

#[test]
fn a_changed_number_takes_the_account_along_and_leaves_the_card_behind() {
    let mut world = World::new();
    let (waiting, _) = world.send_by_password(STRANGER, 500_00);
    world.bind_card(SENDER, CARD).done();
    world.say_sealed(SENDER, 1, Say::Lg(Language::French)).done();
    let answer = world.measure(Measure::ChangeNumber { msisdn: number(SENDER), to: number(OTHER_STRANGER) }).done();
    assert_eq!(answer.told(), [OTHER_STRANGER, OTHER_STRANGER, SENDER]);
    let left = answer.notice_to(SENDER);
    assert!(matches!(left.text, Text::NumberLeft) && left.language == Language::French);
    assert_eq!(left.card, Iccid::new(CARD), "the handset of old can open it");
    let named = |change: &Change| matches!(change, Change::Named { msisdn, .. } if *msisdn == number(OTHER_STRANGER));
    assert!(answer.row.as_ref().unwrap().changes.iter().any(named), "the name moves along");
    world.say(SENDER, Say::Bl(PIN)).refused(Refusal::NotRegistered);
    // The proof of a PIN is bound to the number, so the owner gets a one-time PIN at the new one, in the language of old.
    let one_time = answer.code_to(OTHER_STRANGER);
    assert_eq!(answer.notice_to(OTHER_STRANGER).language, Language::French);
    world.say(OTHER_STRANGER, Say::Pn(one_time, PIN)).done();
    assert_eq!(world.books.number_of_card(Iccid::new(CARD).unwrap()), None);
    let answer = world.say(OTHER_STRANGER, Say::Rc(waiting, PIN)).done();
    assert_eq!(told!(answer, OTHER_STRANGER, Text::Recalled { balance, .. } => balance.minor()), PURSE);
    world.register(SENDER);
    assert_eq!((world.balance(SENDER), world.balance(OTHER_STRANGER)), (0, PURSE));
    world.measure(Measure::ChangeNumber { msisdn: number(SENDER), to: number(CUSTOMER) }).refused(Refusal::NameTaken);
}

#[test]
fn a_recycled_number_gives_its_new_owner_nothing_of_the_old_one() {
    let mut world = World::new();
    world.say(SENDER, Say::Tm(CUSTOMER, 700_00, PIN)).done();
    let (_, password) = world.send_by_password(STRANGER, 500_00);
    world.bind_card(CUSTOMER, CARD).done();
    world.measure(Measure::RecycleNumber { msisdn: number(CUSTOMER) }).done();
    let open = world.books.cases().next().map(|case| case.matter);
    let Some(Matter::Unclaimed { amount, msisdn, transfer }) = open else { panic!("a case") };
    assert_eq!((amount.minor(), msisdn, transfer), (700_00, number(CUSTOMER), None));
    world.register(CUSTOMER);
    assert_eq!(world.balance(CUSTOMER), 0);
    // A number without an account: what waits for it goes back.
    world.measure(Measure::RecycleNumber { msisdn: number(STRANGER) }).done();
    let returned = world.run_timers();
    assert_eq!(returned.len(), 1);
    assert_eq!(world.balance(SENDER), PURSE - 700_00);
    world.say(STRANGER, Say::Qt(password, AGENT)).refused(Refusal::NothingWaiting);
    world.measure(Measure::RecycleNumber { msisdn: number(OTHER_STRANGER) }).refused(Refusal::UnknownAccount);
}

#[test]
fn a_card_serves_one_number_until_it_is_forgotten() {
    let mut world = World::new();
    assert!(matches!(world.bind_card(SENDER, CARD).done().text_to(SENDER), Text::CardBound));
    world.bind_card(CUSTOMER, CARD).refused(Refusal::CardInUse);
    world.bind_card(SENDER, CARD).refused(Refusal::CardInUse);
    world.say_sealed(SENDER, 1, Say::Bl(PIN)).done();
    // A new card begins its own counting, and the old one is free.
    world.bind_card(SENDER, CARD + 1).done();
    world.say_sealed(SENDER, 1, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    world.bind_card(CUSTOMER, CARD).done();
    world.measure(Measure::ForgetCard { msisdn: number(SENDER) }).done();
    world.say(SENDER, Say::Bl(PIN)).done();
    world.measure(Measure::ForgetCard { msisdn: number(SENDER) }).refused(Refusal::WrongState);
}

#[test]
fn a_new_agent_gets_a_one_time_pin_that_no_employee_sees() {
    let mut world = World::new();
    let enrol = |code, phone| Measure::EnrolAgent {
        code: agent(code),
        msisdn: number(phone),
        name: private("agent"),
        own_numbers: Vec::new(),
    };
    let answer = world.measure(enrol(1003, STRANGER)).done();
    assert_eq!(answer.told(), [STRANGER, STRANGER]);
    world.say(STRANGER, Say::Bl(answer.code_to(STRANGER))).refused(Refusal::ChangePinFirst);
    world.measure(enrol(1003, OTHER_STRANGER)).refused(Refusal::NameTaken);
    world.measure(enrol(1004, SENDER)).refused(Refusal::NameTaken);
}

#[test]
fn money_enters_and_leaves_only_against_the_trust_account() {
    let mut world = World::new();
    assert_eq!(world.held(SystemAccount::Trust), -ISSUED);
    let (trust, funds) = (of(SystemAccount::Trust), of(SystemAccount::OperatorFunds));
    let answer = world.measure(Measure::Issue { amount: money(1_00), bank_reference: "d".into() }).done();
    check_moves(&answer, &[(trust, funds, 1_00)]);
    let answer = world.measure(Measure::Redeem { amount: money(1_00), bank_reference: "p".into() }).done();
    check_moves(&answer, &[(funds, trust, 1_00)]);
    let most = world.held(SystemAccount::OperatorFunds) + 1;
    let too_much = Measure::Redeem { amount: money(most), bank_reference: "q".into() };
    world.measure(too_much).refused(Refusal::NotEnoughMoney);
}

#[test]
fn staff_propose_approve_reject_and_leave_but_two_remain() {
    let mut world = World::new();
    let proposal = world.propose(Measure::Freeze { msisdn: number(SENDER) });
    let reject = Fields { proposal, verdict: Verdict::Reject, one_time_pin: None, moved_name: None };
    world.by_staff(world.maker(), Action::Approve(reject)).done();
    assert!(matches!(world.books.proposal(proposal).unwrap().state, ProposalState::Rejected { .. }));
    world.approve(world.checker(), proposal).refused(Refusal::ProposalClosed);
    world.measure(Measure::DismissStaff { staff: world.maker() }).refused(Refusal::WrongState);
    let enrolled = world.measure(Measure::EnrolStaff { name: "third".into(), verifier: "v".into() }).done();
    let third = StaffId(enrolled.row.unwrap().sequence.0);
    let dismiss = world.propose(Measure::DismissStaff { staff: third });
    world.approve(third, dismiss).refused(Refusal::WrongState);
    world.approve(world.checker(), dismiss).done();
    let measure = Measure::Freeze { msisdn: number(SENDER) };
    let fields = transaction_processing::requests::propose::Fields { measure };
    world.by_staff(third, Action::Propose(fields)).refused(Refusal::UnknownStaff);
}

#[test]
fn a_decision_changes_nothing_until_it_is_entered() {
    let mut world = World::new();
    let message = world.write(SENDER, Say::Tm(STRANGER, 500_00, PIN));
    let action = message.say.action(SENDER, &mut world);
    let origin =
        transaction_processing::request::Origin::Handset { from: number(SENDER), seal: message.seal, link: world.link };
    let request = transaction_processing::Request { key: Some(message.key), origin, action };
    let (one, other) = (world.decide(&request), world.decide(&request));
    assert!(one.notices() == other.notices() && one.journal() == other.journal() && one.is_durable());
    assert_eq!(world.balance(SENDER), PURSE);
    world.audit();
}

#[test]
fn recycling_a_number_voids_its_verification_codes_at_once() {
    let mut world = World::new();
    let (_, _, code) = world.send_and_query(STRANGER, 500_00, AGENT);
    world.measure(Measure::RecycleNumber { msisdn: number(STRANGER) }).done();
    world.say(AGENT_PHONE, Say::Gm(STRANGER, 500_00, code, PIN)).refused(Refusal::NothingToPayOut);
    let returned = world.run_timers();
    assert_eq!((returned.len(), world.balance(SENDER)), (1, PURSE));
}
