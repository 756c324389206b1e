//! Every change and every notice comes back as it went, and in one form only. Values are drawn by the same lists of fields
//! and variants that write and read them, so that none can be forgotten here.

use proptest::collection::vec;
use proptest::prelude::*;
use transaction_processing::account::{Account, Proofs, Status};
use transaction_processing::decision::Change;
use transaction_processing::ids::Iccid;
use transaction_processing::money::LARGEST;
use transaction_processing::notice::{Notice, SealedCode, Text};
use transaction_processing::number::Private;
use transaction_processing::proposal::{Measure, Proposal};
use transaction_processing::request::{Action, Kind};
use transaction_processing::requests::{approve, help};
use transaction_processing::{Currency, Money, Msisdn, Refusal, Request};

use super::{Output, VERSION, put_changes, put_notices, put_request, take_changes, take_notices, take_request};

/// Values that are any at all, the same on every run (Knuth's multiplier).
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 32)
    }

    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.next() % of.len() as u64) as usize]
    }
}

/// A value that can be drawn.
pub(crate) trait Drawn {
    fn drawn(random: &mut Random) -> Self;
}

/// A choice whose variants can be drawn one by one.
pub(crate) trait Choice {
    const NUMBERS: &'static [u8];
    fn numbered(number: u8, random: &mut Random) -> Self;
}

/// Figures near the borders of their encodings as often as any others.
impl Drawn for u64 {
    fn drawn(random: &mut Random) -> u64 {
        match random.next() % 4 {
            0 => random.one_of(&[0, 1, 127, 128, 16_383, 16_384, u64::MAX - 1, u64::MAX]),
            1 => random.next() % 256,
            _ => random.next() >> (random.next() % 64),
        }
    }
}

macro_rules! cut {
    ($($small:ty),*) => { $(
        impl Drawn for $small {
            fn drawn(random: &mut Random) -> $small {
                u64::drawn(random) as $small
            }
        }
    )* };
}
cut!(u8, u16, u32, i32, i64);

impl Drawn for bool {
    fn drawn(random: &mut Random) -> bool {
        random.next().is_multiple_of(2)
    }
}

impl<const N: usize> Drawn for [u8; N] {
    fn drawn(random: &mut Random) -> [u8; N] {
        std::array::from_fn(|_| random.next() as u8)
    }
}

impl Drawn for String {
    fn drawn(random: &mut Random) -> String {
        (0..random.next() % 200).map(|_| random.one_of(&['a', 'é', '中', ' ', '\0', '"'])).collect()
    }
}

impl<T: Drawn> Drawn for Option<T> {
    fn drawn(random: &mut Random) -> Option<T> {
        bool::drawn(random).then(|| T::drawn(random))
    }
}

impl<T: Drawn> Drawn for Vec<T> {
    fn drawn(random: &mut Random) -> Vec<T> {
        (0..random.next() % 4).map(|_| T::drawn(random)).collect()
    }
}

impl<T: Drawn> Drawn for Box<T> {
    fn drawn(random: &mut Random) -> Box<T> {
        Box::new(T::drawn(random))
    }
}

/// The sealed text is what the tests' finder makes of the commitment.
impl Drawn for Private {
    fn drawn(random: &mut Random) -> Private {
        let commitment = Drawn::drawn(random);
        Private { commitment, sealed: sealed(&commitment) }
    }
}

fn sealed(commitment: &[u8; 32]) -> Vec<u8> {
    commitment[..4].to_vec()
}

impl Drawn for SealedCode {
    fn drawn(_: &mut Random) -> SealedCode {
        SealedCode(Vec::new())
    }
}

impl Drawn for Currency {
    fn drawn(random: &mut Random) -> Currency {
        Currency { numeric: Drawn::drawn(random), minor_digits: (random.next() % 5) as u8 }
    }
}

impl Drawn for Money {
    fn drawn(random: &mut Random) -> Money {
        let minor = u64::drawn(random) % (LARGEST.unsigned_abs() + 1);
        Money::new(minor.cast_signed(), Drawn::drawn(random)).expect("an amount")
    }
}

impl Drawn for Msisdn {
    fn drawn(random: &mut Random) -> Msisdn {
        Msisdn::new(1_000_000 + u64::drawn(random) % 999_999_999_000_000).expect("a number")
    }
}

impl Drawn for Iccid {
    fn drawn(random: &mut Random) -> Iccid {
        Iccid::new(10_u128.pow(17) + u128::from(u64::drawn(random)) * 5).expect("a serial")
    }
}

impl Drawn for Kind {
    fn drawn(random: &mut Random) -> Kind {
        random.one_of(Kind::ALL)
    }
}

impl Drawn for Refusal {
    fn drawn(random: &mut Random) -> Refusal {
        random.one_of(Refusal::ALL)
    }
}

impl Drawn for Account {
    fn drawn(random: &mut Random) -> Account {
        let (id, holder, msisdn) = (Drawn::drawn(random), Drawn::drawn(random), Drawn::drawn(random));
        let (currency, pin, at) = (Drawn::drawn(random), Drawn::drawn(random), Drawn::drawn(random));
        let mut account = Account::open(id, holder, msisdn, currency, pin, at);
        account.status = Status::drawn(random);
        account.usage = Drawn::drawn(random);
        account
    }
}

impl Drawn for Proofs {
    fn drawn(random: &mut Random) -> Proofs {
        let proofs = (0..=random.next() % 4).map(|_| Drawn::drawn(random)).collect();
        Proofs::new(proofs).expect("one to four")
    }
}

impl Drawn for help::Fields {
    fn drawn(_: &mut Random) -> help::Fields {
        help::Fields
    }
}

fn changes_come_back(changes: &[Change]) {
    let mut out = Output::default();
    put_changes(changes, &mut out);
    let back = take_changes(&out.bytes, &mut sealed).expect("what was written");
    assert!(back == changes, "changes differ");
    for length in 1..out.bytes.len() {
        if let Ok(part) = take_changes(&out.bytes[..length], &mut sealed) {
            assert!(part.len() < changes.len(), "a part was taken for the whole");
        }
    }
}

fn notices_come_back(notices: &[Notice]) {
    let mut out = Output::default();
    put_notices(notices, &mut out);
    let back = take_notices(&out.bytes).expect("what was written");
    assert!(back == notices, "notices differ");
}

const DRAWS: usize = 100;

#[test]
fn every_change_comes_back() {
    let random = &mut Random(1);
    for number in Change::NUMBERS.repeat(DRAWS) {
        changes_come_back(&[Change::numbered(number, random)]);
        changes_come_back(&Vec::drawn(random));
    }
}

#[test]
fn every_measure_comes_back() {
    let random = &mut Random(2);
    for number in Measure::NUMBERS.repeat(DRAWS) {
        let measure = Measure::numbered(number, random);
        changes_come_back(&[Change::Proposal(Proposal { measure, ..Drawn::drawn(random) })]);
    }
}

#[test]
fn every_text_comes_back() {
    let random = &mut Random(3);
    for number in Text::NUMBERS.repeat(DRAWS) {
        let text = Text::numbered(number, random);
        notices_come_back(&[Notice { text, ..Drawn::drawn(random) }, Drawn::drawn(random)]);
    }
}

/// Written, read and written again it is the same; no part of it is taken for the whole.
#[test]
fn every_request_comes_back_with_its_texts_and_codes() {
    let random = &mut Random(4);
    for number in Action::NUMBERS.repeat(DRAWS) {
        let request = Request { action: Action::numbered(number, random), ..Drawn::drawn(random) };
        let octets = put_request(&request);
        let back = take_request(&octets).expect("what was written");
        assert!(back.key == request.key && back.origin == request.origin && put_request(&back) == octets);
        assert!((0..octets.len()).all(|length| take_request(&octets[..length]).is_err()));
    }
    let name = Private { commitment: [3; 32], sealed: vec![1, 2, 3] };
    let fields = approve::Fields { moved_name: Some(name.clone()), ..Drawn::drawn(random) };
    let action = Action::Approve(approve::Fields { one_time_pin: Some(pin()), ..fields });
    let Ok(Request { action: Action::Approve(back), .. }) =
        take_request(&put_request(&Request { action, ..Drawn::drawn(random) }))
    else {
        panic!("an approval");
    };
    assert!(back.moved_name == Some(name) && back.one_time_pin.is_some_and(|pin| pin.sealed.0 == [9; 40]));
}

fn pin() -> approve::OneTimePin {
    approve::OneTimePin { sealed: SealedCode(vec![9; 40]), ..Drawn::drawn(&mut Random(5)) }
}

/// Numbers are for ever: these are taken.
#[test]
fn numbers_stay() {
    let all = |most: u8| (1..=most).collect::<Vec<u8>>();
    assert_eq!(Change::NUMBERS, all(22));
    assert_eq!(Measure::NUMBERS, all(22));
    assert_eq!(Text::NUMBERS, all(47));
}

/// The log of yesterday must be read tomorrow: one row of octets, written down.
#[test]
fn the_form_stays() {
    let mut out = Output::default();
    let to = Msisdn::new(255_712_000_001).expect("a number");
    let erased = Change::Erased { msisdn: to, up_to: sequence(7) };
    put_changes(&[erased, Change::Epoch { next: sequence(300) }], &mut out);
    assert_eq!(out.bytes, b"\x01\x16\x81\xf0\xfd\xcc\xb8\x07\x07\x14\xac\x02");
    let language = transaction_processing::number::Language::French;
    let notice = Notice { to, language, card: None, text: Text::Registered, code: None, void_at: None };
    let mut out = Output::default();
    put_notices(&[notice], &mut out);
    assert_eq!(out.bytes, b"\x01\x81\xf0\xfd\xcc\xb8\x07\x02\x00\x16\x00\x00");
}

fn sequence(number: u64) -> transaction_processing::ids::Sequence {
    transaction_processing::ids::Sequence(number)
}

#[test]
fn boxes_in_boxes_come_to_an_end() {
    let mut octets = vec![46; 10_000];
    octets.insert(0, VERSION);
    assert!(take_notices(&octets).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is read is written the same again: no second form of a value.
    #[test]
    fn octets_that_are_read_are_written_the_same(mut octets in vec(prop_oneof![0_u8..8, any::<u8>()], 0..200)) {
        octets.insert(0, VERSION);
        if let Ok(changes) = take_changes(&octets, &mut |_| Vec::new()) && !changes.is_empty() {
            let mut out = Output::default();
            put_changes(&changes, &mut out);
            prop_assert_eq!(out.bytes, octets.clone());
        }
        if let Ok(notices) = take_notices(&octets) && !notices.is_empty() {
            let mut out = Output::default();
            put_notices(&notices, &mut out);
            prop_assert_eq!(out.bytes, octets);
        }
    }
}
