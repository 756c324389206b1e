//! The refusals that people can reach by message, each in the words they read. What each one counts and in which order they are
//! judged is tested in the core.
#![allow(clippy::inconsistent_digit_grouping, reason = "minor units stand apart: 500_00 is five hundred")]

mod common;

use common::sealer::Sealer;
use common::world::{money, msisdn};
use common::{AGENT, AGENT_PHONE, ALICE, BOB, Centre, OTHER_AGENT_PHONE, PIN, STRANGER, World, audit};
use transaction_processing::ids::AgentCode;
use transaction_processing::proposal::Measure;
use wakala::config::{Amount, Class, Config};

/// What happens in a scene.
enum Step {
    /// A message, and what its answer says. Placeholders stand for what was told last: {password}, {code}, {registration},
    /// {one-time}, {ref}; {pin} for everybody's PIN.
    Say(&'static str, &'static str, &'static str),
    /// Time passes, seconds.
    Pass(i64),
    /// Two of the staff do something.
    Office(fn() -> Measure),
}

use Step::{Office, Pass, Say};

const HOUR: i64 = 3600;
const FRESH: &str = "+255712000021";
const OTHER_STRANGER: &str = "+255712000022";
const POOR_AGENT_PHONE: &str = "+255712000013";
const AGENTS_OWN: &str = "+255712000014";

/// Steps whose answer begins an ordinary life of a transfer.
const SENT: &str = "Ref ";

fn freeze() -> Measure {
    Measure::Freeze { msisdn: msisdn(BOB) }
}

fn unfreeze() -> Measure {
    Measure::Unfreeze { msisdn: msisdn(BOB) }
}

fn reset() -> Measure {
    Measure::ResetPin { msisdn: msisdn(BOB) }
}

fn unlock() -> Measure {
    Measure::UnlockPin { msisdn: msisdn(BOB) }
}

/// Each scene leaves the world as it found it, but for time and money.
#[rustfmt::skip]
fn scenes() -> Vec<(&'static str, Vec<Step>)> {
    vec![
        ("who may ask", vec![
            Say(STRANGER, "TM*+255712000002*500*4821", "Not done: transfer. This number has no account. To open one, send RG*PIN*name"),
            Say(AGENT_PHONE, "TM*+255712000002*500*4821", "Not done: transfer. This is for customers only."),
            Say(ALICE, "CI*+255712000002*500*4821", "Not done: cash-in. Only agents can do this."),
            Say(ALICE, "QT*+255712000003*12345678*1001", "Not done: query. Send this from the phone whose number you write."),
        ]),
        ("PINs", vec![
            Say(BOB, "BL*9999", "Not done: balance. Wrong PIN."),
            Say(BOB, "PN*4821*1234", "Not done: new PIN. This PIN is too easy to guess."),
            Say(BOB, "PN*4821*4821", "Not done: new PIN. The new PIN is the same as the old one."),
            Say(BOB, "BL*9991", "Wrong PIN."), Say(BOB, "BL*9992", "Wrong PIN."), Say(BOB, "BL*9993", "PIN"),
            Say(BOB, "BL*4821", "Your PIN is locked after wrong tries."),
            Pass(31 * 60),
            Say(BOB, "BL*4821", "Balance"),
        ]),
        ("ten wrong PINs, unlocked by two of the staff", vec![
            Say(BOB, "BL*9901", "Wrong PIN"), Pass(1860), Say(BOB, "BL*9902", "Wrong PIN"), Pass(1860),
            Say(BOB, "BL*9903", "PIN"), Pass(1860), Say(BOB, "BL*9904", "PIN"), Pass(1860), Say(BOB, "BL*9905", "PIN"), Pass(1860),
            Say(BOB, "BL*9906", "PIN"), Pass(1860), Say(BOB, "BL*9907", "PIN"), Pass(1860), Say(BOB, "BL*9908", "PIN"), Pass(1860),
            Say(BOB, "BL*9909", "PIN"), Pass(1860), Say(BOB, "BL*9910", "PIN"), Pass(1860),
            Say(BOB, "BL*4821", "Your PIN is locked after too many wrong tries. Call"),
            Office(unlock),
            Say(BOB, "BL*4821", "Balance"),
        ]),
        ("a PIN reset", vec![
            Office(reset),
            Say(BOB, "BL*{one-time}", "First change your one-time PIN: PN*old PIN*new PIN"),
            Pass(HOUR + 1),
            Say(BOB, "PN*{one-time}*4821", "Your one-time PIN is too old. Call"),
            Office(reset),
            Say(BOB, "PN*{one-time}*4821", "Your PIN has been changed"),
        ]),
        ("the other party", vec![
            Say(ALICE, "TM*+255222110000*500*4821", "This is not a mobile number."),
            Say(ALICE, "TM*12*500*4821", "Check the phone number. Write: TM*"),
            Say(ALICE, "TM*+447700900123*500*4821", "This is not a mobile number."),
            Say(ALICE, "TM*0712000001*500*4821", "This is your own number."),
            Say(ALICE, "TM*+255712000011*500*4821", "This number belongs to an agent. To get cash from an agent, send CO*"),
            Say(AGENT_PHONE, "CI*+255712000003*500*4821", "This number has no account. Its owner can open one"),
            Say(ALICE, "CO*999999*500*4821", "There is no such agent."),
            Say(AGENTS_OWN, "CO*1003*500*4821", "You cannot do this with a number of your own."),
            Office(freeze),
            Say(ALICE, "TM*+255712000002*500*4821", "This number cannot receive money now."),
            Say(BOB, "BL*4821", "Balance"),
            Say(BOB, "TM*+255712000001*500*4821", "Your account has been stopped."),
            Office(unfreeze),
        ]),
        ("amounts", vec![
            Say(ALICE, "TM*+255712000002*500.555*4821", "amount"),
            Say(ALICE, "TM*+255712000002*0*4821", "amount"),
            Say(ALICE, "TM*+255712000002*99.99*4821", "The amount is too small."),
            Say(ALICE, "TM*+255712000002*500000.01*4821", "The amount is too large for one time."),
            Say(BOB, "TM*+255712000003*400000*4821", "You do not have enough money for the amount and the fees. See your balance: BL*PIN"),
            Say(POOR_AGENT_PHONE, "CI*+255712000002*5000*4821", "There is not enough float for this."),
        ]),
        ("claims", vec![
            Say(STRANGER, "QT*+255712000003*12345678*1001", "No money waits for this number. Ask the sender."),
            Say(BOB, "DP*12345678*4821", "No money waits for this number."),
            Say(ALICE, "TM*+255712000003*2000*4821", SENT),
            Say(STRANGER, "QT*+255712000003*{password}*999999", "There is no such agent."),
            Say(AGENT_PHONE, "GM*+255712000003*2000*123456*4821", "No such transfer waits with you. Check number and amount."),
            Say(AGENT_PHONE, "GW*+255712000003*2000*{password}*4821", "Not offered here. The payee must send QT*"),
            Say(STRANGER, "QT*+255712000003*{password}*1001", "code"),
            Say(OTHER_AGENT_PHONE, "GM*+255712000003*2000*{code}*4821", "The payee named another agent."),
            Say(AGENT_PHONE, "GM*+255712000003*2000*000000*4821", "Wrong code. Check it with the payee and send again."),
            Pass(31 * 60),
            Say(AGENT_PHONE, "GM*+255712000003*2000*{code}*4821", "The code is too old. The payee gets a new one with QT*"),
            Say(STRANGER, "QT*+255712000003*{password}*1001*2", "code"),
            Say(AGENT_PHONE, "GM*+255712000003*2000*{code}*4821", "hand over CASH"),
            Say(OTHER_AGENT_PHONE, "GM*+255712000003*2000*{code}*4821*X 12345", "This has been paid out already. Do not hand over cash."),
            Say(ALICE, "RS*{ref}*4821", "This transfer no longer waits."),
            Say(ALICE, "RC*{ref}*4821", "This transfer no longer waits."),
            Say(ALICE, "TM*+255712000002*2050*4821", SENT),
            Pass(3 * 86_400 + 1),
            Say(ALICE, "RC*{ref}*4821", "This transfer can no longer be taken back."),
        ]),
        ("wrong codes", vec![
            Say(ALICE, "TM*+255712000003*2100*4821", SENT),
            Say(STRANGER, "QT*+255712000003*{password}*1001", "code"),
            Say(AGENT_PHONE, "GM*+255712000003*2100*000001*4821", "Wrong code."),
            Say(AGENT_PHONE, "GM*+255712000003*2100*000002*4821", "Wrong code."),
            Say(AGENT_PHONE, "GM*+255712000003*2100*000003*4821", "code"),
            Say(AGENT_PHONE, "GM*+255712000003*2100*{code}*4821", "Too many wrong codes: no agent can pay this out."),
            Say(ALICE, "RC*{ref}*4821", "taken back"),
            Say(ALICE, "RC*{ref}*4821*2", "This transfer has gone back already."),
        ]),
        ("wrong passwords", vec![
            Say(ALICE, "TM*+255712000022*2200*4821", SENT),
            Say(OTHER_STRANGER, "QT*+255712000022*00000001*1001", "Wrong withdrawal password."),
            Say(OTHER_STRANGER, "QT*+255712000022*00000002*1001", "Wrong withdrawal password."),
            Say(OTHER_STRANGER, "QT*+255712000022*00000003*1001", "rong"),
            Say(OTHER_STRANGER, "QT*+255712000022*{password}*1001", "Too many wrong passwords. Please try again later."),
            Say(ALICE, "RC*{ref}*4821", "taken back"),
        ]),
        ("the identity document", vec![
            Say(ALICE, "TM*+255712000003*250000*4821", SENT),
            Say(STRANGER, "QT*+255712000003*{password}*1001", "code"),
            Say(AGENT_PHONE, "GM*+255712000003*250000*{code}*4821", "Add the number of the identity document at the end: *ID number"),
            Say(ALICE, "RC*{ref}*4821", "taken back"),
        ]),
        ("new passwords and recalls", vec![
            Say(ALICE, "RS*000000000000*4821", "No transfer found with this reference."),
            Say(ALICE, "CK*000000000000", "No transfer found with this reference."),
            Say(ALICE, "TM*+255712000003*2300*4821", SENT),
            Say(BOB, "RS*{ref}*4821", "No transfer found with this reference."),
            Say(ALICE, "RS*{ref}*4821", "a new password"), Say(ALICE, "RS*{ref}*4821*2", "a new password"),
            Say(ALICE, "RS*{ref}*4821*3", "a new password"), Say(ALICE, "RS*{ref}*4821*4", "No more new passwords for this transfer."),
            Say(ALICE, "RC*{ref}*4821", "taken back"),
            Say(ALICE, "TM*+255712000002*2400*4821", SENT),
            Say(BOB, "RA*{ref}*4821", "Nobody has asked for this transfer back."),
            Say(ALICE, "RC*{ref}*4821", "we asked"),
            Say(ALICE, "RC*{ref}*4821*2", "The payee has been asked already."),
            Say(BOB, "RA*{ref}*4821*2", "went back"),
        ]),
        ("registration", vec![
            Say(ALICE, "RG*4821*Maker", "This number has an account already."),
            Say(FRESH, "RG*123456", "No registration is under way. Begin with RG*PIN*name"),
            Say(FRESH, "RG*1234*Checker", "This PIN is too easy to guess."),
            Say(FRESH, "RG*4821*Checker", "Code "),
            Say(FRESH, "RG*000000", "Wrong code. Check it in the message you received"),
            Say(FRESH, "RG*{registration}*9173", "Wrong PIN. Send the one that you chose, or begin again with RG*PIN*name"),
            Say(FRESH, "RG*{registration}*", "Check the name. Write: RG*PIN*name, then RG*code"),
            Pass(31 * 60),
            Say(FRESH, "RG*{registration}", "The code is too old. Begin again with RG*PIN*name"),
            Say(FRESH, "RG*9173*Maker", "*your PIN within 30 min."),
            Say(FRESH, "RG*{registration}", "More than one PIN was chosen for this number. If you asked, send RG*code*PIN with your own."),
            Say(FRESH, "RG*4821*Checker*2", "*your PIN within 30 min."),
            Say(FRESH, "RG*4821*Checker*4", "Too many registrations today."),
        ]),
        ("messages that cannot be read", vec![
            Say(ALICE, "hello", "We do not know this message. Nothing was done. Send HP for help."),
            Say(ALICE, "TM*0712000002*500", "We could not read your message. Write: TM*number*amount*PIN"),
            Say(ALICE, "TM*0712000002*5oo*4821", "The amount is digits only, like 1500 or 1500.50. Write: TM*number*amount*PIN"),
            Say(BOB, "BL*48", "A PIN has 4 to 6 digits. Write: BL*PIN"),
            Say(BOB, "LG*XX", "Choose EN, FR, SW or ZH. Write: LG*EN"),
            Say(BOB, "QT*0712000002*123*1001", "A withdrawal password has 8 digits."),
            Say(AGENT_PHONE, "GM*0712000002*500*12*4821", "The code has 6 digits."),
            Say(BOB, "CK*12", "Check the reference: it has 12 digits. Write: CK*reference"),
        ]),
    ]
}

/// What was told last, by the words before it.
fn told(centre: &Centre, name: &str) -> String {
    let texts = centre.texts(None);
    let after = |mark: &'static str| {
        texts.iter().rev().find(|text| text.words.contains(mark)).map(|text| text.digits_after(mark))
    };
    match name {
        "password" => after("Password "),
        "code" => after("code "),
        "registration" => after("Code "),
        "one-time" => after("One-time PIN "),
        "ref" => texts.iter().rev().find(|text| text.words.starts_with("Ref ")).map(common::Text::reference),
        _ => None,
    }
    .unwrap_or_else(|| panic!("nobody was told a {name}"))
}

fn filled(centre: &Centre, words: &str) -> String {
    let mut words = words.to_owned();
    while let Some((before, rest)) = words.split_once('{') {
        let (name, after) = rest.split_once('}').expect("a placeholder ends");
        words = format!("{before}{}{after}", told(centre, name));
    }
    words
}

/// Plays a scene; what was answered otherwise than expected.
async fn play(world: &World, name: &str, steps: Vec<Step>) -> Vec<String> {
    let mut differences = Vec::new();
    for step in steps {
        audit::settle(world).await;
        world.centre().skip_read();
        match step {
            Pass(seconds) => world.pass(seconds).await,
            Office(measure) => drop(world.measure(measure()).await),
            Say(from, words, expected) => {
                let words = filled(world.centre(), words);
                let before = audit::conserved(world).await;
                let answer = world.ask(from, &words).await.words;
                if !answer.contains(expected) {
                    differences.push(format!("{name}: {from} > {words}\n is  {answer}\n not {expected}"));
                }
                assert_eq!(audit::conserved(world).await, before);
            }
        }
    }
    differences
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_read_when_a_request_is_refused() {
    let world = World::with(|config| config.messages.malformed_answers_per_hour = 100).await;
    let name = wakala::uplink::private(&*world.keys, "name", msisdn(POOR_AGENT_PHONE), b"agent", &mut rand::rng());
    world.customer(AGENTS_OWN, 10_000).await;
    let (code, own_numbers) = (AgentCode(1003), vec![msisdn(AGENTS_OWN)]);
    world.measure(Measure::EnrolAgent { code, msisdn: msisdn(POOR_AGENT_PHONE), name, own_numbers }).await;
    audit::settle(&world).await;
    let one_time = told(world.centre(), "one-time");
    world.centre().skip_read();
    world.ask(POOR_AGENT_PHONE, &format!("PN*{one_time}*{PIN}")).await;
    world.measure(Measure::SupplyFloat { agent: code, amount: money(1_000) }).await;
    let mut differences = Vec::new();
    for (name, steps) in scenes() {
        differences.extend(play(&world, name, steps).await);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    world.end().await;
}

fn small_ceilings(config: &mut Config) {
    let amount = |text| Amount::parse(text).expect("an amount");
    for limits in &mut config.limits {
        let (once, day, month) = match limits.class {
            Class::NonCustomer => ("3000", "4000", "6000"),
            _ => ("5000", "8000", "12000"),
        };
        (limits.per_transaction, limits.per_day, limits.per_month) = (amount(once), amount(day), amount(month));
        limits.balance = limits.balance.map(|_| amount("30000"));
    }
    config.agents.password_at_agent = true;
}

#[tokio::test(flavor = "multi_thread")]
async fn ceilings_and_passwords_at_agents() {
    let world = World::bare(&[&[]], small_ceilings).await;
    world.office().await;
    for (code, phone) in [(1000, common::TILL_PHONE), (AGENT, AGENT_PHONE)] {
        world.agent(code, phone, 1_000_000).await;
    }
    for (phone, amounts) in [(ALICE, [4990, 4991, 4992, 4993]), (BOB, [4980, 4981, 4982, 4983])] {
        let code = world.ask(phone, &format!("RG*{PIN}*Customer")).await.digits_after("Code ");
        world.ask(phone, &format!("RG*{code}")).await;
        for amount in amounts {
            let taken = world.ask(common::TILL_PHONE, &format!("CI*{phone}*{amount}*{PIN}")).await;
            assert!(taken.words.contains("taken in"), "{}", taken.words);
        }
    }
    #[rustfmt::skip]
    let steps = vec![
        Say(ALICE, "TM*+255712000003*3001*4821", "The amount is too large for one time."),
        Say(ALICE, "TM*+255712000003*3000*4821", SENT),
        Say(ALICE, "TM*+255712000003*1500*4821", "This number has received all it may without an account."),
        Say(AGENT_PHONE, "GW*+255712000003*3000*00000000*4821", "Wrong withdrawal password."),
        Say(AGENT_PHONE, "GW*+255712000003*3000*{password}*4821", "No longer possible after a wrong password. The payee must send QT*"),
        Say(ALICE, "TM*+255712000002*5001*4821", "The amount is too large for one time."),
        Say(ALICE, "TM*+255712000002*4900*4821", SENT),
        Say(ALICE, "TM*+255712000002*200*4821", "This is more than you may move in one day."),
        Pass(86_400),
        Say(ALICE, "TM*+255712000002*4200*4821", "This is more than you may move in one month."),
        Say(AGENT_PHONE, "CI*+255712000002*4984*4821", "taken in"),
        Say(AGENT_PHONE, "CI*+255712000002*4985*4821", "This number cannot receive so much."),
        Say(ALICE, "TM*+255712000003*100*4821", "The fees are more than the amount."),
    ];
    let differences = play(&world, "small ceilings", steps).await;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_with_a_card_and_a_platform_that_serves_nobody_in_plain() {
    let world = World::new().await;
    let mut sealer = Sealer::start();
    let mut card = world.card(ALICE, "8925501000000000001").await;
    let ready = world.centre().text_to(ALICE).await;
    let ready = if ready.words.is_empty() { card.open(&mut sealer, &ready.octets) } else { ready.words };
    assert!(ready.contains("Your SIM card is ready"), "{ready}");

    // In plain, not even its questions are served; the answer is sealed or says nothing of its own.
    let refused = world.ask(ALICE, "HP").await;
    let words = if refused.words.is_empty() { card.open(&mut sealer, &refused.octets) } else { refused.words };
    assert!(words.contains("Use the menu of your SIM card."), "{words}");

    let balance = world.ask_sealed(&mut sealer, &mut card, ALICE, "BL*4821").await;
    assert_eq!(balance, "Balance TZS 900,000.00.");
    let sent = world.ask_sealed(&mut sealer, &mut card, ALICE, &format!("TM*{BOB}*500*{PIN}")).await;
    assert!(sent.contains("sent to"), "{sent}");

    // The same packet again gets the same answer and has no effect.
    let packet = card.seal_with(&mut sealer, &format!("TM*{BOB}*600*{PIN}"), 50);
    for _ in 0..2 {
        world.say_packet(ALICE, &packet);
        let text = world.centre().text_to(ALICE).await;
        let words = card.open(&mut sealer, &text.octets);
        assert!(words.contains("TZS 600.00 sent to"), "{words}");
    }
    assert_eq!(world.balance(BOB).await, 101_100_00);

    // A lower counter, and an equal one with another text.
    for counter in [49, 50] {
        let packet = card.seal_with(&mut sealer, &format!("TM*{BOB}*700*{PIN}"), counter);
        world.say_packet(ALICE, &packet);
        let text = world.centre().text_to(ALICE).await;
        let words = card.open(&mut sealer, &text.octets);
        assert!(words.contains("Please write your message again and send it."), "{words}");
    }

    // What does not open is acknowledged and never answered: neither a changed packet, nor one of another card.
    let other = common::sealer::Card::new(&*world.keys, "8925501000000000002");
    let mut changed = card.seal_with(&mut sealer, &format!("TM*{BOB}*800*{PIN}"), 60);
    let last = changed.pop().expect("a digit");
    changed.push(if last == '0' { '1' } else { '0' });
    let foreign = other.seal_with(&mut sealer, &format!("TM*{BOB}*800*{PIN}"), 61);
    let before = world.centre().texts(Some("255712000001")).len();
    for packet in [changed, foreign, "02700000".to_owned(), "027000".to_owned()] {
        let id = world.say_packet(ALICE, &packet);
        assert_eq!(world.centre().acknowledged(&id).await, 0);
    }
    let balance = world.ask_sealed(&mut sealer, &mut { card }, ALICE, "HP").await;
    assert!(!balance.is_empty());
    assert_eq!(world.centre().texts(Some("255712000001")).len(), before + 1);
    assert_eq!(world.balance(BOB).await, 101_100_00);
    world.end().await;
}

/// A packet may span several messages, in whatever order they come; more than three are too long.
#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_message_may_have_several_parts() {
    let world = World::new().await;
    let mut sealer = Sealer::start();
    let mut card = world.card(ALICE, "8925501000000000001").await;
    audit::settle(&world).await;
    world.centre().skip_read();
    let padding = " ".repeat(100);
    let packet = card.seal(&mut sealer, &format!("TM*{BOB}*{padding}500*{PIN}"));
    let packet = &common::centre::octets(&packet)[3..];
    let (first, later) = packet.split_at(132);
    let parts = [([7_u8, 0, 3, 9, 2, 1, 0x70, 0].to_vec(), first), ([5, 0, 3, 9, 2, 2].to_vec(), later)];
    for (header, octets) in parts.into_iter().rev() {
        let hex = common::centre::hex(&[&header, octets].concat());
        world.centre().deliver(
            serde_json::json!({ "from": ALICE, "to": "15050", "hex": hex, "esm_class": 0x40, "data_coding": 0xF6 }),
        );
    }
    let answer = world.centre().text_to(ALICE).await;
    let words = card.open(&mut sealer, &answer.octets);
    assert!(words.contains("TZS 500.00 sent to"), "{words}");
    assert_eq!(world.balance(BOB).await, 100_500_00);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_messages_may_be_refused_altogether() {
    let mut world = World::new().await;
    world.stop().await;
    world.config.messages.plain_accepted = false;
    world.start().await;
    let refused = world.ask(BOB, &format!("BL*{PIN}")).await;
    assert!(refused.words.contains("Messages written by hand are not accepted."), "{}", refused.words);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_failures_slow_everybody_down() {
    let world = World::with(|config| (config.spraying.per_agent, config.spraying.per_message_centre) = (3, 3)).await;
    let tries = [(ALICE, "BL*9991", "Wrong PIN"), (BOB, "BL*9992", "Wrong PIN"), (AGENT_PHONE, "BL*9993", "Wrong PIN")];
    for (from, words, expected) in tries.into_iter().chain([(ALICE, "BL*4821", "Too many wrong tries.")]) {
        let words = world.ask(from, words).await.words;
        assert!(words.contains(expected), "{from}: {words}");
    }
    world.pass(HOUR + 1).await;
    assert_eq!(world.ask(ALICE, &format!("BL*{PIN}")).await.words, "Balance TZS 900,000.00.");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_several_parts_is_told_to_be_too_long() {
    let world = World::new().await;
    let words = format!("TM*{BOB}*500*{PIN}*{}", "a".repeat(200));
    let split = words.len() - 100;
    for (number, part) in [(1_u8, &words[..split]), (2, &words[split..])] {
        let header = [5, 0, 3, 77, 2, number];
        let octets = [&header[..], part.as_bytes()].concat();
        let fields = serde_json::json!({
            "from": ALICE, "to": "15050", "hex": common::centre::hex(&octets), "esm_class": 0x40, "data_coding": 0
        });
        world.centre().deliver(fields);
    }
    let answer = world.centre().text_to(ALICE).await.words;
    assert!(answer.contains("Your message is too long. Nothing was done."), "{answer}");
    assert_eq!(world.balance(BOB).await, 100_000_00);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_unreadable_messages_are_limited_by_sender_and_the_rest_is_acknowledged() {
    let world = World::with(|config| config.messages.malformed_answers_per_hour = 2).await;
    for _ in 0..2 {
        assert!(world.ask(ALICE, "what?").await.words.contains("We do not know this message."));
    }
    for _ in 0..3 {
        let id = world.centre().say(ALICE, "what?");
        assert_eq!(world.centre().acknowledged(&id).await, 0);
    }
    assert_eq!(world.ask(ALICE, &format!("BL*{PIN}")).await.words, "Balance TZS 900,000.00.");
    world.pass(HOUR).await;
    assert!(world.ask(ALICE, "what?").await.words.contains("We do not know this message."));
    // Letters, short codes and empty senders have nobody to answer.
    for from in ["BANK", "15051"] {
        let id = world.centre().say(from, "HP");
        assert_eq!(world.centre().acknowledged(&id).await, 0);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_asks_about_so_many_receipts_an_hour_over_all_binds_together() {
    let world = World::with(|config| {
        config.messages.receipts_per_hour = 3;
        config.message_centre[0].binds = 3;
    })
    .await;
    let guess = |n: u64| format!("CK*{}", world.keys.reference(1_000_000 + n).expect("in range"));
    const UNKNOWN: &str = "No transfer found with this reference.";
    const ENOUGH: &str = "Not done: receipt check. You have asked about too many receipts.";
    for (asked, expected) in [(1, UNKNOWN), (2, UNKNOWN), (3, UNKNOWN), (4, ENOUGH), (1, UNKNOWN), (5, ENOUGH)] {
        let words = world.ask(BOB, &guess(asked)).await.words;
        assert!(words.contains(expected), "{asked}: {words}");
    }

    // All at once, over whatever bind.
    let ids: Vec<String> = (0..20).map(|n| world.centre().say(STRANGER, &guess(n))).collect();
    for id in ids {
        assert_eq!(world.centre().acknowledged(&id).await, 0);
    }
    audit::settle(&world).await;
    let texts = world.centre().texts(Some(STRANGER.trim_start_matches('+')));
    let told = |what: &str| texts.iter().filter(|text| text.words.contains(what)).count();
    assert_eq!((told(UNKNOWN), told(ENOUGH)), (3, 17));

    // Nobody uses up what is left to the owner of a card.
    let (mut sealer, mut card) = (Sealer::start(), world.card(ALICE, "8925501000000000001").await);
    for n in 0..4 {
        let id = world.centre().say(ALICE, &guess(n));
        assert_eq!(world.centre().acknowledged(&id).await, 0);
    }
    audit::settle(&world).await;
    world.centre().skip_read();
    let words = world.ask_sealed(&mut sealer, &mut card, ALICE, &guess(9)).await;
    assert!(words.contains(UNKNOWN), "{words}");

    world.pass(HOUR).await;
    assert!(world.ask(BOB, &guess(4)).await.words.contains(UNKNOWN));
    world.end().await;
}
