//! Books that come from a checkpoint, and what they keep in memory.

use super::common::auditor::agree;
use super::common::*;
use transaction_processing::Refusal;
use transaction_processing::account::Account;
use transaction_processing::books::{Books, Broken, Missing};
use transaction_processing::decision::Change;
use transaction_processing::ids::Sequence;
use transaction_processing::proposal::Measure;
use transaction_processing::request::{Origin, Request};
use transaction_processing::tariff::{Payer, Priced};
use transaction_processing::time::{Moment, Time};

const CARD: u128 = 89_255_000_000_000_000_001;

/// Every record as a checkpoint has it, put into empty books.
fn loaded(world: &World) -> Books {
    let books = &world.books;
    let mut loaded = Books::new(policy(), &[TZS, KES]);
    let accounts = books.accounts_from(0).map(|account| {
        let Account { id, holder, msisdn, currency, status, pin, usage, opened_at, .. } = account.clone();
        let mut without_money = Account::open(id, holder, msisdn, currency, pin, opened_at);
        (without_money.status, without_money.usage) = (status, usage);
        Change::Opened(without_money.with_balance(account.balance(), account.latest()))
    });
    let waiting = books.expired(Time(i64::MAX), usize::MAX).map(|id| books.transfer(id).unwrap().unwrap());
    accounts
        .chain(books.numbers().cloned().map(Change::Number))
        .chain(books.agents().cloned().map(Change::Agent))
        .chain(waiting.cloned().map(Change::Transfer))
        .chain(books.all_dealings().map(Change::Dealings))
        .chain(books.all_failures().copied().map(Change::Failures))
        .chain(books.proposals().cloned().map(Change::Proposal))
        .chain(books.all_staff().cloned().map(Change::Staff))
        .chain(books.cases().cloned().map(Change::Case))
        .chain(books.tariffs().cloned().map(Change::Tariff))
        .chain(books.bank_movements().cloned().map(Change::BankMovement))
        .chain(books.bank_balances().cloned().map(Change::BankBalance))
        .for_each(|record| loaded.restore(&record));
    for row in world.auditor.rows.iter().filter(|row| row.is_remembered()) {
        loaded.restore_memory(row.key.unwrap(), row.sequence, row.moment.time);
    }
    loaded.restore_position(books.next(), books.moment());
    loaded
}

#[test]
fn books_that_come_from_a_checkpoint_are_those_that_were_left_and_go_on() {
    let mut world = World::priced([terms(Priced::CashIn, Payer::Operator)]);
    world.bind_card(CUSTOMER, CARD).done();
    world.send_by_password(STRANGER, 300_00);
    world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).done();
    world.say(AGENT_PHONE, Say::Ci(SENDER, 200_00, PIN)).done();
    world.say(SENDER, Say::Bl(WRONG)).refused(Refusal::WrongPin);
    let (balance, as_of) = (money(ISSUED), world.moment.time);
    let says = Measure::ConfirmBank { balance, as_of, statement: "june".into(), includes: vec!["opening".into()] };
    world.measure(says).done();
    world.measure(Measure::Close { msisdn: number(CUSTOMER) }).done();
    world.propose(Measure::Freeze { msisdn: number(SENDER) });
    let message = world.write(SENDER, Say::Tm(STRANGER, 100_00, PIN));
    world.deliver(message).done();
    assert!(world.books.cases().next().is_some() && world.books.all_failures().next().is_some());

    let loaded = loaded(&world);
    agree(&world.books, &loaded);
    assert!(loaded.account_count() > 10 && loaded.all_dealings().count() == 1);
    world.books = loaded;
    world.deliver(message).repeated();
    world.pass(MINUTE);
    world.say(SENDER, Say::Tm(STRANGER, 50_00, PIN)).done();
    world.say(AGENT_PHONE, Say::Ci(SENDER, 1_00, PIN)).done();
    assert_eq!(world.wait(7 * DAY).len(), 6, "of three that wait each payee is reminded, and each comes back");
    world.audit();
}

#[test]
fn a_decision_that_was_made_on_other_books_takes_no_account_below_nothing() {
    let mut world = World::new();
    let sender = world.wallet(SENDER);
    let request = |world: &mut World| {
        let message = world.write(SENDER, Say::Tm(CUSTOMER, 4_500_00, PIN));
        let action = message.say.action(SENDER, world);
        let origin = Origin::Handset { from: number(SENDER), seal: message.seal, link: world.link };
        Request { key: Some(message.key), origin, action }
    };
    let (first, second) = (request(&mut world), request(&mut world));
    let [one, other] = [&first, &second].map(|request| world.decide(request));
    assert!(world.books.enter(world.moment, &first, one).is_ok());
    assert_eq!(world.books.enter(world.moment, &second, other).err(), Some(Broken::Floor(sender)));
}

#[test]
fn what_closes_in_its_own_row_is_not_kept_and_what_closes_later_until_a_checkpoint_has_it() {
    let mut world = World::new();
    world.checkpoints = false;
    let at_once = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
    assert!(world.books.resident_transfer(at_once).is_none());
    let (later, _) = world.send_by_password(STRANGER, 500_00);
    world.books.forget_closed(later);
    assert!(world.books.resident_transfer(later).is_some(), "a waiting one stays");
    world.say(SENDER, Say::Rc(later, PIN)).done();
    assert!(world.books.resident_transfer(later).is_some());
    world.books.forget_closed(later);
    assert!(world.books.resident_transfer(later).is_none());
}

#[test]
fn what_was_supplied_is_forgotten_at_the_end_of_a_batch() {
    let mut world = World::new();
    let closed = world.say(SENDER, Say::Tm(CUSTOMER, 500_00, PIN)).id();
    let known = world.transfer(closed).cloned();
    assert!(known.is_some() && world.books.transfer(closed) == Err(Missing::Transfer(closed)));
    world.books.supply_transfer(closed, known.clone());
    assert!(world.books.transfer(closed) == Ok(known.as_ref()));
    world.books.forget_supplied();
    assert!(world.books.transfer(closed) == Err(Missing::Transfer(closed)));
}

#[test]
fn loaded_books_stand_where_they_are_said_to_stand() {
    let mut books = Books::new(policy(), &[TZS]);
    let moment = Moment { time: Time(77), ..Moment::default() };
    books.restore_position(Sequence(9), moment);
    assert_eq!((books.next(), books.moment()), (Sequence(9), moment));
}
