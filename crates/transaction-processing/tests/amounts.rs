//! Amounts at their borders, and tariffs over all amounts: nothing is minted, lost or rounded away.

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
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use transaction_processing::ids::SystemAccount;
use transaction_processing::journal::{Journal, MOST_POSTINGS, Posting};
use transaction_processing::money::{LARGEST, TypedAmount};
use transaction_processing::proposal::Measure;
use transaction_processing::tariff::{Band, Payer, Priced, Terms, Unsound};
use transaction_processing::{Currency, Money, Refusal};

// ---- amounts ----------------------------------------------------------------------------------------------------------

#[test]
fn what_is_typed_is_whole_minor_units_of_the_currency_or_nothing() {
    let with = |minor_digits| Currency { numeric: 834, minor_digits };
    for (digits, scale, minor_digits, minor) in [
        (0, 0, 2, None),
        (0, 2, 2, None),
        (1, 2, 2, Some(1)),
        (1, 1, 2, Some(10)),
        (1, 0, 2, Some(100)),
        (1, 3, 2, None),
        (1000, 3, 2, None),
        (500_50, 2, 2, Some(500_50)),
        (500, 0, 0, Some(500)),
        (500, 1, 0, None),
        (1, 0, 4, Some(10_000)),
        (12_345, 3, 3, Some(12_345)),
        (1, 255, 2, None),
        (LARGEST as u64, 2, 2, Some(LARGEST)),
        (LARGEST as u64 + 1, 2, 2, None),
        (LARGEST as u64 / 100, 0, 2, Some(LARGEST)),
        (LARGEST as u64 / 100 + 1, 0, 2, None),
        (i64::MAX as u64, 2, 2, None),
        (i64::MAX as u64 + 1, 2, 2, None),
        (u64::MAX, 2, 2, None),
        (u64::MAX, 0, 2, None),
        (u64::MAX / 100 + 1, 0, 2, None),
    ] {
        let typed = Money::typed(TypedAmount { digits, scale }, with(minor_digits));
        assert_eq!(typed.map(Money::minor), minor, "{digits} with {scale} of {minor_digits} decimals");
    }
}

#[test]
fn money_is_never_negative_never_beyond_the_largest_and_of_one_currency() {
    for (minor, fits) in
        [(0, true), (1, true), (LARGEST, true), (LARGEST + 1, false), (-1, false), (i64::MIN, false), (i64::MAX, false)]
    {
        assert_eq!(Money::new(minor, TZS).is_some(), fits, "{minor}");
    }
    let (most, one) = (money(LARGEST), money(1));
    assert_eq!(most.plus(one), None);
    assert_eq!(most.plus(money(0)), Some(most));
    assert_eq!(money(0).less(one), None);
    assert_eq!(one.less(one), Some(money(0)));
    let other = Money::new(1, KES).unwrap();
    assert_eq!((one.plus(other), one.less(other)), (None, None));
}

#[test]
fn a_journal_has_postings_of_something_between_two_accounts_and_room_for_six() {
    let (from, to) = (of(SystemAccount::Trust), of(SystemAccount::OperatorFunds));
    let posting = |from, to, minor| Posting { from, to, amount: money(minor) };
    assert!(Journal::of([]).is_none());
    assert!(Journal::of([posting(from, to, 0)]).is_none());
    assert!(Journal::of([posting(from, from, 1)]).is_none());
    assert_eq!(Journal::of([posting(from, to, 0), posting(from, to, 1)]).unwrap().postings().len(), 1);
    assert!(Journal::of(vec![posting(from, to, 1); MOST_POSTINGS]).is_some());
    assert!(Journal::of(vec![posting(from, to, 1); MOST_POSTINGS + 1]).is_none());
}

#[test]
fn a_transfer_is_judged_at_the_borders() {
    let typed = |digits, scale| TypedAmount { digits, scale };
    for (amount, refusal) in [
        (typed(0, 0), Some(Refusal::BadAmount)),
        (typed(1, 2), Some(Refusal::AmountTooSmall)),
        (typed(99, 2), Some(Refusal::AmountTooSmall)),
        (typed(1_00, 2), None),
        (typed(1, 0), None),
        (typed(1_001, 3), Some(Refusal::BadAmount)),
        (typed(5_000_00, 2), None),
        (typed(5_000_01, 2), Some(Refusal::AmountTooLarge)),
        (typed(LARGEST as u64, 2), Some(Refusal::AmountTooLarge)),
        (typed(LARGEST as u64, 0), Some(Refusal::BadAmount)),
        (typed(u64::MAX, 0), Some(Refusal::BadAmount)),
        (typed(u64::MAX, 2), Some(Refusal::BadAmount)),
    ] {
        let mut world = World::new();
        assert_eq!(world.say(SENDER, Say::TmTyped(CUSTOMER, amount, PIN)).refusal, refusal, "{amount:?}");
    }
}

#[test]
fn the_last_minor_unit_can_be_sent_and_not_one_more() {
    let mut world = World::priced([Terms {
        bands: vec![Band { up_to: LARGEST, fixed: 1, per_mille: 0, minimum: 1, maximum: 1 }],
        levy_per_mille_of_amount: 0,
        ..terms(Priced::Transfer, Payer::Sender)
    }]);
    world.say(SENDER, Say::Tm(CUSTOMER, PURSE / 2, PIN)).done();
    world.say(SENDER, Say::Tm(CUSTOMER, PURSE / 2 - 1, PIN)).refused(Refusal::NotEnoughMoney);
    world.say(SENDER, Say::Tm(CUSTOMER, PURSE / 2 - 2, PIN)).done();
    assert_eq!(world.balance(SENDER), 0);
}

#[test]
fn all_money_of_a_currency_together_fits_one_amount() {
    let mut world = World::new();
    let issue = |minor, reference: &str| Measure::Issue { amount: money(minor), bank_reference: reference.into() };
    let room = LARGEST - ISSUED;
    world.measure(issue(LARGEST, "more than fits")).refused(Refusal::AmountTooLarge);
    world.measure(issue(room + 1, "one more than fits")).refused(Refusal::AmountTooLarge);
    world.measure(issue(room, "what fits")).done();
    world.measure(issue(1, "one more")).refused(Refusal::AmountTooLarge);
    let all = money(world.held(SystemAccount::OperatorFunds));
    world.measure(Measure::SupplyFloat { agent: agent(AGENT), amount: all }).done();
    assert_eq!(world.held(SystemAccount::Trust), -LARGEST);
    world.measure(Measure::Close { msisdn: number(AGENT_PHONE) }).done();
    assert!(world.held(SystemAccount::UnclaimedMoney) > all.minor());
}

#[test]
fn nothing_is_issued_redeemed_or_supplied_of_nothing() {
    let nothing = money(0);
    for measure in [
        Measure::Issue { amount: nothing, bank_reference: "a".into() },
        Measure::Redeem { amount: nothing, bank_reference: "b".into() },
        Measure::SupplyFloat { agent: agent(AGENT), amount: nothing },
        Measure::WithdrawFloat { agent: agent(AGENT), amount: nothing },
        Measure::CollectFees { amount: nothing },
    ] {
        World::new().measure(measure).refused(Refusal::BadAmount);
    }
}

// ---- tariffs ----------------------------------------------------------------------------------------------------------

fn band(up_to: i64, fixed: i64, per_mille: u32, minimum: i64, maximum: i64) -> Band {
    Band { up_to, fixed, per_mille, minimum, maximum }
}

fn tariff(bands: Vec<Band>, agent_share_per_mille: u32, of_fee: u32, of_amount: u32) -> Terms {
    Terms {
        bands,
        agent_share_per_mille,
        levy_per_mille_of_fee: of_fee,
        levy_per_mille_of_amount: of_amount,
        ..terms(Priced::CashOut, Payer::Sender)
    }
}

fn tariffs() -> Vec<Terms> {
    vec![
        tariff(vec![band(LARGEST, 0, 0, 0, 0)], 500, 100, 0),
        tariff(vec![band(LARGEST, 0, 10, 0, LARGEST)], 333, 180, 2),
        tariff(vec![band(1_000, 7, 0, 7, 7), band(50_000, 0, 13, 13, 650), band(LARGEST, 650, 1, 0, 1_200)], 667, 0, 0),
        tariff(vec![band(LARGEST, 50, 3, 100, 2_000)], 1000, 1000, 1000),
        tariff(vec![band(999, 0, 1, 0, 1), band(LARGEST, 0, 1000, 0, LARGEST)], 1, 1, 1),
        tariff(vec![band(LARGEST, 0, 15, 1, 900)], 0, 50, 0),
    ]
}

#[test]
fn what_is_charged_is_fee_commission_levy_and_remainder_for_every_amount() {
    for terms in tariffs() {
        assert_eq!(terms.unsound(), None);
        let (mut dearest, mut remainders) = (0, 0);
        for amount in (0..=1_000_000).map(money) {
            let fee = terms.fee(amount);
            let parts = terms.divide(fee, terms.commission(0, 0, amount));
            let sum = parts.commission.minor() + parts.operator.minor() + parts.remainder.minor();
            assert_eq!(sum, fee.minor(), "{amount:?}");
            assert!(parts.remainder.minor() <= 1 && fee.minor() >= dearest, "{amount:?}");
            assert!(parts.commission.minor() * 1000 <= fee.minor() * i64::from(terms.agent_share_per_mille));
            let levy = terms.levy(amount, fee).minor() * 1000;
            let exact = fee.minor() * i64::from(terms.levy_per_mille_of_fee)
                + amount.minor() * i64::from(terms.levy_per_mille_of_amount);
            assert!(levy <= exact && exact - levy < 2000, "{amount:?}");
            dearest = fee.minor();
            remainders += parts.remainder.minor();
        }
        let divides = !terms.agent_share_per_mille.is_multiple_of(1000) && dearest > 0;
        assert_eq!(remainders > 0, divides, "a share that does not divide leaves something over");
    }
}

#[test]
fn the_largest_amount_has_a_price() {
    for terms in tariffs() {
        let most = money(LARGEST);
        let fee = terms.fee(most);
        assert!(fee.minor() <= LARGEST);
        let parts = terms.divide(fee, terms.commission(LARGEST, 0, most));
        assert_eq!(parts.commission.minor() + parts.operator.minor() + parts.remainder.minor(), fee.minor());
        assert!(terms.levy(most, fee).minor() <= LARGEST);
    }
}

#[test]
fn what_is_priced_has_a_number_that_stays() {
    let all = [(1, Priced::Transfer), (2, Priced::Withdrawal), (3, Priced::CashIn), (4, Priced::CashOut)];
    for (number, priced) in all {
        assert_eq!((Priced::numbered(number), priced as u8), (Some(priced), number));
    }
    assert_eq!([0, 5, u8::MAX].map(Priced::numbered), [None; 3]);
}

#[test]
fn unsound_terms_are_named() {
    let sound = || tariff(vec![band(1_000, 10, 0, 10, 10), band(LARGEST, 10, 0, 10, 10)], 500, 0, 0);
    let with = |change: fn(&mut Terms)| {
        let mut terms = sound();
        change(&mut terms);
        terms.unsound()
    };
    assert_eq!(with(|_| {}), None);
    assert_eq!(with(|terms| terms.bands.clear()), Some(Unsound::NoBand));
    for spoil in [
        (|terms| terms.bands[1].up_to = 1_000) as fn(&mut Terms),
        |terms| terms.bands[0].up_to = 0,
        |terms| terms.bands[0].up_to = -1,
        |terms| terms.bands[1].up_to = LARGEST + 1,
        |terms| terms.bands[0].fixed = -1,
        |terms| terms.bands[0].minimum = -1,
        |terms| terms.bands[0].maximum = LARGEST + 1,
    ] {
        assert_eq!(with(spoil), Some(Unsound::BadBand));
    }
    assert_eq!(with(|terms| terms.bands[0].minimum = 11), Some(Unsound::MinimumAboveMaximum));
    assert_eq!(with(|terms| terms.bands[1] = band(LARGEST, 9, 0, 9, 9)), Some(Unsound::FallingFee));
    for spoil in [
        (|terms| terms.agent_share_per_mille = 1001) as fn(&mut Terms),
        |terms| terms.levy_per_mille_of_fee = 1001,
        |terms| terms.levy_per_mille_of_amount = 1001,
    ] {
        assert_eq!(with(spoil), Some(Unsound::ShareAboveWhole));
    }
}

/// Rising bands whose fees do not fall.
fn sound_terms() -> impl Strategy<Value = Terms> {
    let band = (1..100_000_i64, 0..500_i64, 0..60_u32, 0..300_i64, 0..5_000_i64);
    (prop::collection::vec(band, 1..4), 0..=1000_u32).prop_filter_map("falling fees", |(drawn, share)| {
        let mut up_to = 0;
        let bands = drawn.into_iter().map(|(wide, fixed, per_mille, minimum, above)| {
            up_to += wide;
            Band { up_to, fixed, per_mille, minimum, maximum: minimum + above }
        });
        let terms = tariff(bands.collect(), share, 50, 1);
        terms.unsound().is_none().then_some(terms)
    })
}

fn runner() -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases: 4000,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })
}

/// What an agent earns by these parts in one day, one after the other, as decisions reckon it.
fn earned(terms: &Terms, parts: &[i64]) -> i64 {
    let (_, earned) = parts.iter().fold((0, 0), |(sum, earned), part| {
        let share = terms.share(terms.fee(money(*part))).minor();
        let commission = terms.commission(sum, earned, money(*part)).minor().min(share);
        (sum + part, earned + commission)
    });
    earned
}

#[test]
fn no_split_of_a_sum_earns_more_than_the_sum() {
    let cases = (sound_terms(), prop::collection::vec(1..60_000_i64, 1..20));
    let done = runner().run(&cases, |(terms, parts)| {
        let whole = parts.iter().sum();
        prop_assert!(earned(&terms, &parts) <= earned(&terms, &[whole]));
        for part in &parts {
            let share = terms.share(terms.fee(money(*part)));
            let divided = terms.divide(terms.fee(money(*part)), share);
            let sum = divided.commission.minor() + divided.operator.minor() + divided.remainder.minor();
            prop_assert_eq!(sum, terms.fee(money(*part)).minor());
        }
        Ok(())
    });
    if let Err(failed) = done {
        panic!("{failed}");
    }
}

/// The same through the books themselves.
#[test]
fn no_split_earns_more_in_the_books() {
    let earned = |parts: &[i64]| {
        let mut world = World::priced([terms(Priced::CashOut, Payer::Sender)]);
        let before = world.balance(OTHER_AGENT_PHONE);
        for part in parts {
            world.say(SENDER, Say::Co(OTHER_AGENT, *part, PIN)).done();
        }
        world.balance(OTHER_AGENT_PHONE) - before - parts.iter().sum::<i64>()
    };
    let whole = earned(&[4_000_00]);
    assert_eq!(whole, 20_00, "40 % of 10 + 1 %");
    for many in 1..=20 {
        assert!(earned(&vec![4_000_00 / many; many as usize]) <= whole, "{many} parts");
    }
}

/// What was dealt in another way, under another tariff, neither adds to what a split earns nor takes from it.
#[test]
fn no_split_earns_more_after_dealing_in_another_way() {
    let earned = |parts: &[i64]| {
        let mut world = World::priced([terms(Priced::CashOut, Payer::Sender)]);
        world.say(OTHER_AGENT_PHONE, Say::Ci(SENDER, 80_00, PIN)).done();
        let before = world.balance(OTHER_AGENT_PHONE);
        for part in parts {
            world.say(SENDER, Say::Co(OTHER_AGENT, *part, PIN)).done();
        }
        world.balance(OTHER_AGENT_PHONE) - before - parts.iter().sum::<i64>()
    };
    assert_eq!(earned(&[4_000_00]), 20_00);
    assert!(earned(&[2_000_00, 2_000_00]) <= 20_00);
}
