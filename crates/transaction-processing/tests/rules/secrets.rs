//! PINs and codes.

use super::common::*;
use crate::told;
use transaction_processing::Refusal;
use transaction_processing::account::{Proof, Proofs};
use transaction_processing::decision::Scope;
use transaction_processing::ids::{StaffId, TransferId};
use transaction_processing::notice::Text;
use transaction_processing::policy::RegisteredPayee;
use transaction_processing::proposal::Measure;
use transaction_processing::request::Action;
use transaction_processing::requests::staff_secret;

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

/// Another PIN than that of everybody.
const FORGED: u32 = 77_431;

/// `RG` with this PIN, by the stranger or somebody in their name: the code, and whether it must come back with its PIN.
fn registers(world: &mut World, pin: u32) -> (u32, bool) {
    let answer = world.say(STRANGER, Say::Rg(pin)).done();
    (answer.code_to(STRANGER), told!(answer, STRANGER, Text::RegistrationCode { contested, .. } => *contested))
}

#[test]
fn a_forged_sender_cannot_put_a_pin_on_the_number_of_somebody_who_registers() {
    // The forger first, last, before and after, or when the owner's own registration has lapsed.
    for (before, pause, after) in [
        (&[FORGED, PIN][..], 0, &[][..]),
        (&[PIN], 0, &[FORGED]),
        (&[FORGED, PIN], 0, &[FORGED]),
        (&[PIN, FORGED], 0, &[FORGED]),
        (&[PIN], 30 * MINUTE, &[FORGED]),
        (&[FORGED], DAY, &[PIN]),
    ] {
        let mut world = World::new();
        let mut codes: Vec<_> = before.iter().map(|pin| registers(&mut world, *pin)).collect();
        world.pass(pause);
        codes.extend(after.iter().map(|pin| registers(&mut world, *pin)));
        assert_eq!(
            codes.iter().map(|(_, contested)| *contested).collect::<Vec<_>>(),
            [false, true, true][..codes.len()]
        );

        let ((newest, _), pin) = (*codes.last().unwrap(), *before.iter().chain(after).last().unwrap());
        for _ in 0..4 {
            world.say(STRANGER, Say::RgCode(newest)).refused(Refusal::RegistrationContested);
        }
        world.say(STRANGER, Say::RgCode(codes[0].0)).refused(Refusal::WrongRegistrationCode);
        if pin == FORGED {
            world.say(STRANGER, Say::RgCodePin(newest, PIN)).refused(Refusal::WrongRegistrationPin);
            assert!(world.books.account_of(number(STRANGER)).is_none(), "{before:?} {after:?}");
        } else {
            world.say(STRANGER, Say::RgCodePin(newest, PIN)).done();
            world.say(STRANGER, Say::Bl(FORGED)).refused(Refusal::WrongPin);
            world.say(STRANGER, Say::Bl(PIN)).done();
        }
    }
}

#[test]
fn a_registration_is_not_contested_by_the_same_pin_nor_by_what_lapsed_a_day_ago() {
    let mut world = World::new();
    registers(&mut world, PIN);
    let (code, contested) = registers(&mut world, PIN);
    assert!(!contested, "the owner asks for another code");
    world.say(STRANGER, Say::RgCode(code)).done();

    for (pause, contests) in [(30 * MINUTE + DAY - 1, true), (30 * MINUTE + DAY, false)] {
        let mut world = World::new();
        registers(&mut world, FORGED);
        world.pass(pause);
        let (code, contested) = registers(&mut world, PIN);
        assert_eq!(contested, contests);
        world.say(STRANGER, if contested { Say::RgCodePin(code, PIN) } else { Say::RgCode(code) }).done();
        world.say(STRANGER, Say::Bl(PIN)).done();
    }
}

#[test]
fn a_pin_that_can_no_longer_be_compared_contests() {
    for (versions, contests) in [(vec![2, 1], false), (vec![2], true)] {
        let mut world = World::new();
        registers(&mut world, PIN);
        world.key_versions = versions;
        assert_eq!(registers(&mut world, PIN).1, contests);
    }
}

#[test]
fn the_pin_may_always_be_sent_with_the_code_and_then_must_be_right() {
    let mut world = World::new();
    let (code, contested) = registers(&mut world, PIN);
    assert!(!contested);
    world.say(STRANGER, Say::RgCodePin(code, FORGED)).refused(Refusal::WrongRegistrationPin);
    world.say(STRANGER, Say::RgCodePin(code, PIN)).done();
    world.say(STRANGER, Say::Bl(PIN)).done();
}

#[test]
fn wrong_pins_and_wrong_codes_of_a_registration_are_counted_together() {
    let mut world = World::new();
    let (code, _) = registers(&mut world, PIN);
    world.say(STRANGER, Say::RgCode(WRONG)).refused(Refusal::WrongRegistrationCode);
    world.say(STRANGER, Say::RgCodePin(WRONG, PIN)).refused(Refusal::WrongRegistrationCode);
    world.say(STRANGER, Say::RgCodePin(code, WRONG)).refused(Refusal::WrongRegistrationPin);
    world.say(STRANGER, Say::RgCodePin(code, PIN)).refused(Refusal::RegistrationExpired);
    world.say(STRANGER, Say::RgCode(code)).refused(Refusal::RegistrationExpired);
}

#[test]
fn a_registration_under_way_outlives_a_new_key_version() {
    let mut world = World::new();
    let code = world.say(STRANGER, Say::Rg(PIN)).done().code_to(STRANGER);
    world.key_versions.insert(0, 2);
    world.say(STRANGER, Say::RgCodePin(code, PIN)).done();
    assert_eq!(world.account(STRANGER).pin.proof.map(|proof| proof.version), Some(2), "kept under the newest key");
    world.say(STRANGER, Say::Bl(PIN)).done();
}

#[test]
fn a_registration_under_way_ends_when_an_account_moves_to_the_number() {
    let mut world = World::new();
    let code = world.say(STRANGER, Say::Rg(PIN)).done().code_to(STRANGER);
    world.measure(Measure::ChangeNumber { msisdn: number(CUSTOMER), to: number(STRANGER) }).done();
    world.measure(Measure::Close { msisdn: number(STRANGER) }).done();
    world.say(STRANGER, Say::RgCode(code)).refused(Refusal::NoRegistration);
}

#[test]
fn registration_never_touches_an_existing_account() {
    let mut world = World::new();
    let (code, _) = registers(&mut world, FORGED);
    let (own, _) = registers(&mut world, PIN);
    world.say(STRANGER, Say::RgCodePin(own, PIN)).done();
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
    let mut world = World::with(|policy| policy.registered_payee = RegisteredPayee::Password);
    world.register(STRANGER);
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

#[test]
fn a_member_of_staff_takes_another_secret_for_themselves_alone() {
    let mut world = World::new();
    let change = || Action::ChangeStaffSecret(staff_secret::Fields { verifier: "another".into() });
    let verifiers = |world: &World| world.books.all_staff().map(|staff| staff.verifier.clone()).collect::<Vec<_>>();
    let row = world.by_staff(world.maker(), change()).done().row.unwrap();
    assert_eq!((verifiers(&world), row.staff), (vec!["another".into(), "verifier".into()], Some(world.maker())));
    world.platform(change()).refused(Refusal::UnknownStaff);
    let third = world.measure(Measure::EnrolStaff { name: "third".into(), verifier: "third".into() }).done();
    let third = StaffId(third.row.unwrap().sequence.0);
    world.measure(Measure::DismissStaff { staff: third }).done();
    world.by_staff(third, change()).refused(Refusal::UnknownStaff);
    world.audit();
}

#[test]
fn a_proof_is_proved_by_the_same_octets_under_the_same_key_alone() {
    let stored = proof(1, Secret::Pin, SENDER, PIN);
    let changed = |change: fn(&mut [u8; 32])| {
        let mut tag = stored.tag;
        change(&mut tag);
        Proof { tag, ..stored }
    };
    assert!(stored == changed(|_| {}));
    assert!(stored != changed(|tag| tag[31] ^= 1));
    let alike = changed(|tag| {
        tag[0] ^= 1;
        tag[1] ^= 1;
    });
    assert!(stored != alike, "two differences do not make up for each other");
    assert!(stored != Proof { version: 2, ..stored });
    let typed = Proofs::new(vec![alike, stored, stored]).unwrap();
    assert!(typed.proves(&stored) && !typed.proves(&changed(|tag| tag[7] ^= 8)));
    assert!(typed.all() == [alike, stored, stored] && typed.newest() == alike);
}
