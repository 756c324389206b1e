//! The link to a bank: frames, requests, answers and what both ends keep; and the bank's end among frames that were changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bank_link::{
    AccountToken, Amount, Answer, Asked, Authentication, BankEnd, Binding, Generation, Heard, Imsi, Moment, Msisdn,
    OperatorEnd, Order, Outcome, Pair, PairKeys, PartyName, Records, Reference, Request, SecretKey, Serial, StaticKey,
    Subscriber, Told, Transaction, TransactionId, reframed,
};
use rand::{SeedableRng, rngs::StdRng};

use crate::input::Input;

const NOW: Moment = Moment(1_800_000_000_000);
const LIFE: Generation = Generation([3; 16]);
const ACCOUNT: AccountToken = AccountToken([4; 16]);

fn keys(bank: bool) -> PairKeys {
    let name = |text| PartyName::parse(text).expect("a name");
    let (own, peer) = if bank { (2, 1) } else { (1, 2) };
    let key = |octet| StaticKey::from_secret(&SecretKey::new([octet; 32]));
    let pair = Pair { operator: name("operator"), bank: name("bank") };
    PairKeys::new(pair, key(own), key(peer).public(), SecretKey::new([9; 32]), 1).expect("a good public key")
}

/// Whatever is read is written as it was: frames, requests, answers, bindings and records. Lanes are read or refused.
pub(crate) fn octets(octets: &[u8]) {
    let mut input = Input(octets);
    let kind = input.octet() % 6;
    let octets = input.0;
    let again = match kind {
        0 => reframed(octets).ok(),
        1 => Request::decode(octets).ok().map(|request| request.encode().to_vec()),
        2 => Answer::decode(octets).ok().map(|answer| answer.encode().to_vec()),
        3 => Binding::load(octets).ok().map(|binding| binding.stored().to_vec()),
        4 => Transaction::load(octets).ok().map(|transaction| transaction.stored().to_vec()),
        _ => {
            let life = octets.get(1..17).and_then(|life| life.try_into().ok()).map_or(LIFE, Generation);
            let _ = OperatorEnd::new(keys(false), life).continue_lane(octets);
            let mut end = BankEnd::new(keys(true), life);
            let _ = (end.continue_end(octets), end.continue_lane(octets));
            None
        }
    };
    if let Some(again) = again {
        assert_eq!(again, octets, "kind {kind}");
    }
}

/// What an operator sent: an opening, orders, an inquiry and an echo.
struct Recorded {
    binding: Vec<u8>,
    frames: Vec<Vec<u8>>,
}

static RECORDED: LazyLock<Recorded> = LazyLock::new(|| {
    let mut rng = StdRng::seed_from_u64(7);
    let who = Subscriber {
        imsi: Imsi::parse("640040000000001").expect("an IMSI"),
        number: Msisdn::parse("255712000001").expect("a number"),
        serial: Serial::parse("8925504000000000001").expect("a serial"),
    };
    let mut bank = Bank::new();
    let (registration, binding) = Binding::register(&keys(false), &mut rng, NOW, who);
    bank.hear(&registration);
    let mut operator = OperatorEnd::new(keys(false), LIFE);
    let mut frames = Vec::new();
    // The first opening learns of which life the bank's memory is.
    for _ in 0..2 {
        let opening = operator.open(NOW, &mut rng, 0).expect("a lane");
        let answer = bank.hear(&opening).expect("an answer");
        frames = vec![opening];
        if let Ok(Told::Opened(..)) = operator.hear(NOW, &answer) {}
    }
    let now = Moment(NOW.0 + 10);
    for number in 1..5 {
        let amount = Amount::new(500, "TZS").expect("a currency");
        let (id, order) = (TransactionId([number; 16]), Order::BankToWallet { account: ACCOUNT, amount });
        let who = Authentication::make(&binding, who, id, Asked::Order(&order));
        let step = operator.order(now, 0, id, order, who).expect("a session");
        frames.extend(step.committed());
    }
    let unknown = operator.unknown(TransactionId([1; 16])).expect("it is unknown");
    frames.extend(unknown.inquire(now, 0).expect("a session").committed());
    frames.extend(operator.echo(now, 0, TransactionId([9; 16])).expect("a session").committed());
    Recorded { binding: bank.records.bindings.into_iter().next().expect("one").1, frames }
});

#[derive(Default)]
struct Kept {
    bindings: BTreeMap<Msisdn, Vec<u8>>,
    transactions: BTreeMap<TransactionId, Vec<u8>>,
}

impl Records for Kept {
    fn binding(&self, number: &Msisdn) -> Option<Binding> {
        self.bindings.get(number).map(|stored| Binding::load(stored).expect("as it was stored"))
    }

    fn transaction(&self, id: &TransactionId) -> Option<Transaction> {
        self.transactions.get(id).map(|stored| Transaction::load(stored).expect("as it was stored"))
    }
}

struct Bank {
    end: BankEnd,
    records: Kept,
    executed: BTreeSet<TransactionId>,
}

impl Bank {
    fn new() -> Self {
        Self { end: BankEnd::new(keys(true), LIFE), records: Kept::default(), executed: BTreeSet::new() }
    }

    /// Hears a frame and does what it asks; the answer.
    fn hear(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let step = match self.end.hear(NOW, frame, &self.records).ok()? {
            Heard::Answer(step) => step,
            Heard::Register(proposal) => proposal.accept(ACCOUNT),
            Heard::Balance(asked) => self.end.told_balance(NOW, &asked, Err(bank_link::Refusal::Declined)),
            Heard::Execute(execution) => {
                assert!(self.executed.insert(execution.id()), "executed twice");
                let reference = Reference::parse("FT1").expect("a reference");
                self.end.executed(NOW, execution, Outcome::Done(reference))
            }
        };
        let changes = step.changes();
        for (id, stored) in &changes.transactions {
            self.records.transactions.insert(*id, stored.as_ref().expect("the bank forgets nothing").to_vec());
        }
        if let Some(binding) = &changes.binding {
            self.records.bindings.insert(binding.subscriber().number, binding.stored().to_vec());
        }
        step.committed()
    }
}

/// A bank hears recorded frames in any order, doubled and changed: what was changed is not heard, and each order is executed
/// once at most.
pub(crate) fn ends(octets: &[u8]) {
    let recorded = &*RECORDED;
    let mut bank = Bank::new();
    let binding = Binding::load(&recorded.binding).expect("as it was stored");
    bank.records.bindings.insert(binding.subscriber().number, recorded.binding.clone());
    bank.hear(&recorded.frames[0]).expect("the session opens");
    let mut input = Input(octets);
    while !input.is_at_end() {
        let mut frame = recorded.frames[usize::from(input.octet()) % recorded.frames.len()].clone();
        let place = usize::from(input.octet()) | usize::from(input.octet()) << 8;
        let (flip, length) = (input.octet(), frame.len());
        frame[place % length] ^= flip;
        let heard = bank.hear(&frame);
        assert!(flip == 0 || heard.is_none(), "octet {} is {flip:02x} other", place % length);
    }
}
