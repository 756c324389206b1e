//! Both ends over memories that can be killed, put back and looked at, and a network that does what networks do.
#![allow(dead_code)]

use bank_link::{
    AccountToken, Amount, Answer, Asked, Authentication, BankEnd, Binding, Changes, Generation, Heard, Ignored, Imsi,
    Judged, Moment, Msisdn, NotSent, Opened, OperatorEnd, Order, Outcome, Pair, PairKeys, PartyName, Records,
    Reference, Refusal, Registered, SecretKey, Serial, StaticKey, Step, Subscriber, Told, Transaction, TransactionId,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use std::collections::{BTreeMap, BTreeSet};

pub const LANE: u32 = 1;
pub const START: Moment = Moment(1_800_000_000_000);
pub const PRESHARED: [u8; 32] = [0x5a; 32];
pub const VERSION: u32 = 3;

pub fn pair() -> Pair {
    let name = |text| PartyName::parse(text).expect("a name");
    Pair { operator: name("operator.example"), bank: name("bank.example") }
}

pub fn operator_key() -> StaticKey {
    StaticKey::from_secret(&SecretKey::new([0x11; 32]))
}

pub fn bank_key() -> StaticKey {
    StaticKey::from_secret(&SecretKey::new([0x22; 32]))
}

pub fn operator_keys() -> PairKeys {
    keys(operator_key(), bank_key().public(), PRESHARED, VERSION)
}

pub fn bank_keys() -> PairKeys {
    keys(bank_key(), operator_key().public(), PRESHARED, VERSION)
}

pub fn keys(own: StaticKey, peer: [u8; 32], preshared: [u8; 32], version: u32) -> PairKeys {
    PairKeys::new(pair(), own, peer, SecretKey::new(preshared), version).expect("a good public key")
}

pub fn subscriber(index: u8) -> Subscriber {
    Subscriber {
        imsi: Imsi::parse(&format!("6400400000000{index:02}")).expect("an IMSI"),
        number: Msisdn::parse(&format!("2557120000{index:02}")).expect("a number"),
        serial: Serial::parse(&format!("89255040000000000{index:02}")).expect("a serial"),
    }
}

pub fn account(index: u8) -> AccountToken {
    AccountToken([0xa0 + index; 16])
}

pub fn amount(minor: u64) -> Amount {
    Amount::new(minor, "TZS").expect("a currency")
}

pub fn id(number: u64) -> TransactionId {
    let mut octets = [0; 16];
    octets[8..].copy_from_slice(&number.to_be_bytes());
    TransactionId(octets)
}

pub fn generation(number: u64) -> Generation {
    Generation(id(number).0)
}

/// What the bank has on its disk.
#[derive(Clone, Default)]
pub struct BankDisk {
    end: Option<Vec<u8>>,
    lanes: BTreeMap<u32, Vec<u8>>,
    pub transactions: BTreeMap<TransactionId, Vec<u8>>,
    bindings: BTreeMap<Msisdn, Vec<u8>>,
}

impl Records for BankDisk {
    fn binding(&self, number: &Msisdn) -> Option<Binding> {
        self.bindings.get(number).map(|stored| Binding::load(stored).expect("as it was stored"))
    }

    fn transaction(&self, id: &TransactionId) -> Option<Transaction> {
        self.transactions.get(id).map(|stored| {
            let record = Transaction::load(stored).expect("as it was stored");
            assert_eq!(*record.stored(), *stored);
            record
        })
    }
}

impl BankDisk {
    fn commit(&mut self, changes: &Changes) {
        if let Some(end) = &changes.end {
            self.end = Some(end.clone());
        }
        if let Some((lane, stored)) = &changes.lane {
            self.lanes.insert(*lane, stored.to_vec());
        }
        for (id, stored) in &changes.transactions {
            self.transactions.insert(*id, stored.as_ref().expect("the bank forgets nothing").to_vec());
        }
        if let Some(binding) = &changes.binding {
            self.bindings.insert(binding.subscriber().number, binding.stored().to_vec());
        }
    }
}

/// The bank: its end, its disk, and what really happened to money, which no restore undoes.
pub struct Bank {
    pub end: BankEnd,
    pub disk: BankDisk,
    pub generation: Generation,
    pub effects: Vec<TransactionId>,
    /// Whether it was restored from a backup.
    pub restored: bool,
    /// Whether orders stay under way.
    pub slow: bool,
}

impl Bank {
    pub fn new() -> Self {
        let (end, generation) = (BankEnd::new(bank_keys(), generation(1)), generation(1));
        Self { end, disk: BankDisk::default(), generation, effects: Vec::new(), restored: false, slow: false }
    }

    /// The process ends and begins again with what is on the disk.
    pub fn restart(&mut self) {
        self.end = BankEnd::new(bank_keys(), self.generation);
        if let Some(end) = &self.disk.end {
            let _ = self.end.continue_end(end);
        }
        for stored in self.disk.lanes.values() {
            let _ = self.end.continue_lane(stored);
        }
    }

    pub fn restore(&mut self, backup: BankDisk, generation: Generation) {
        (self.disk, self.generation, self.restored) = (backup, generation, true);
        self.restart();
    }

    /// Commits a step, with the effect of an order where there is one.
    pub fn commit(&mut self, step: Step, effect: Option<TransactionId>) -> Option<Vec<u8>> {
        self.disk.commit(step.changes());
        self.effects.extend(effect);
        step.committed()
    }

    pub fn hear(&mut self, now: Moment, frame: &[u8]) -> Result<Option<Vec<u8>>, Ignored> {
        let (step, effect) = self.work(now, frame)?;
        Ok(self.commit(step, effect))
    }

    /// All but the commit.
    pub fn work(&mut self, now: Moment, frame: &[u8]) -> Result<(Step, Option<TransactionId>), Ignored> {
        Ok(match self.end.hear(now, frame, &self.disk)? {
            Heard::Answer(step) => (step, None),
            Heard::Balance(asked) => (self.end.told_balance(now, &asked, Ok(amount(77))), None),
            Heard::Register(proposal) => {
                let digits = proposal.subscriber().number.as_str().as_bytes();
                let index = (digits[10] - b'0') * 10 + digits[11] - b'0';
                (proposal.accept(account(index)), None)
            }
            Heard::Execute(execution) => {
                let id = execution.id();
                if self.slow {
                    return Ok((self.end.executed(now, execution, Outcome::UnderWay), None));
                }
                // Large amounts are not there.
                if execution.order().amount().minor > 1_000_000 {
                    (self.end.executed(now, execution, Outcome::Refused(Refusal::NotEnough)), None)
                } else {
                    (self.end.executed(now, execution, Outcome::Done(reference())), Some(id))
                }
            }
        })
    }

    pub fn effects_of(&self, id: &TransactionId) -> usize {
        self.effects.iter().filter(|done| *done == id).count()
    }

    pub fn judged(&self, id: &TransactionId) -> Option<Judged> {
        match self.disk.transaction(id) {
            Some(Transaction::Judged(judged)) => Some(judged),
            _ => None,
        }
    }
}

pub fn reference() -> Reference {
    Reference::parse("FT-2026/0001").expect("a reference")
}

/// What the operator has on its disk.
#[derive(Clone, Default)]
pub struct OperatorDisk {
    lanes: BTreeMap<u32, Vec<u8>>,
    pub orders: BTreeMap<TransactionId, Vec<u8>>,
    pub bindings: Vec<Vec<u8>>,
    pub answers: BTreeMap<TransactionId, Answer>,
}

pub struct Operator {
    pub end: OperatorEnd,
    pub disk: OperatorDisk,
    pub generation: Generation,
    pub bindings: Vec<Binding>,
    pub rng: ChaCha20Rng,
    /// Openings that wait for their answer: the same octets are sent again.
    pub opening: BTreeMap<u32, Vec<u8>>,
    pub sessions: u32,
}

impl Operator {
    pub fn new(seed: u64) -> Self {
        Self {
            end: OperatorEnd::new(operator_keys(), generation(2)),
            disk: OperatorDisk::default(),
            generation: generation(2),
            bindings: Vec::new(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            opening: BTreeMap::new(),
            sessions: 0,
        }
    }

    pub fn restart(&mut self) {
        self.end = OperatorEnd::new(operator_keys(), self.generation);
        self.opening.clear();
        for stored in self.disk.lanes.values() {
            let _ = self.end.continue_lane(stored);
        }
        for (id, stored) in &self.disk.orders {
            self.end.continue_order(*id, stored).expect("as it was stored");
        }
    }

    pub fn restore(&mut self, backup: OperatorDisk, generation: Generation) {
        (self.disk, self.generation) = (backup, generation);
        self.restart();
    }

    fn keep(&mut self, changes: &Changes) {
        if let Some((lane, stored)) = &changes.lane {
            self.disk.lanes.insert(*lane, stored.to_vec());
        }
        for (id, stored) in &changes.transactions {
            match stored {
                Some(stored) => self.disk.orders.insert(*id, stored.to_vec()),
                None => self.disk.orders.remove(id),
            };
        }
    }

    pub fn commit(&mut self, step: Step) -> Option<Vec<u8>> {
        self.keep(step.changes());
        step.committed()
    }

    pub fn open(&mut self, now: Moment, lane: u32) -> Vec<u8> {
        let frame = self.end.open(now, &mut self.rng, lane).expect("a lane");
        self.opening.insert(lane, frame.clone());
        frame
    }

    /// Hears a frame, and keeps what is final.
    pub fn hear(&mut self, now: Moment, frame: &[u8]) -> Result<Option<(TransactionId, Answer)>, Ignored> {
        match self.end.hear(now, frame)? {
            Told::Opened(lane, step) => {
                self.opening.remove(&lane);
                self.sessions += 1;
                assert!(self.commit(step).is_none());
                Ok(None)
            }
            Told::NotOpened(lane, why) => {
                assert!(why != Opened::Yes);
                self.opening.remove(&lane);
                Ok(None)
            }
            Told::Answered(id, answer, changes) => {
                self.keep(&changes);
                if answer.is_final() {
                    self.disk.answers.insert(id, answer);
                }
                Ok(Some((id, answer)))
            }
        }
    }

    /// The order of a subscriber, authenticated.
    pub fn authenticated(&self, index: u8, id: TransactionId, order: &Order) -> Authentication {
        let binding = &self.bindings[usize::from(index)];
        Authentication::make(binding, *binding.subscriber(), id, Asked::Order(order))
    }

    pub fn order(
        &mut self,
        now: Moment,
        lane: u32,
        index: u8,
        id: TransactionId,
        order: Order,
    ) -> Result<Vec<u8>, NotSent> {
        let authentication = self.authenticated(index, id, &order);
        let step = self.end.order(now, lane, id, order, authentication)?;
        Ok(self.commit(step).expect("a session stands"))
    }
}

/// Both, and everything that ever left either, by direction.
pub struct World {
    pub now: Moment,
    pub operator: Operator,
    pub bank: Bank,
    pub to_bank: Vec<Vec<u8>>,
    pub to_operator: Vec<Vec<u8>>,
    /// Which octets left under which key: direction, session, lane, number.
    released: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    pub recorded: Vec<(u8, Vec<u8>)>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            now: START,
            operator: Operator::new(seed),
            bank: Bank::new(),
            to_bank: Vec::new(),
            to_operator: Vec::new(),
            released: BTreeMap::new(),
            recorded: Vec::new(),
        }
    }

    /// A world in which so many subscribers are registered and lane 1 stands.
    pub fn with_subscribers(seed: u64, many: u8) -> Self {
        let mut world = Self::new(seed);
        for index in 0..many {
            let rng = &mut world.operator.rng;
            let (frame, mut binding) = Binding::register(&operator_keys(), rng, world.now, subscriber(index));
            world.recorded.push((0, frame.clone()));
            let answer = world.bank.hear(world.now, &frame).expect("a registration").expect("an answer");
            world.recorded.push((1, answer.clone()));
            assert_eq!(binding.answered(&answer), Ok(Registered::Yes(account(index))));
            world.operator.disk.bindings.push(binding.stored().to_vec());
            world.operator.bindings.push(binding);
        }
        world.settle_session();
        world
    }

    /// Opens a session of lane 1 until one stands.
    pub fn settle_session(&mut self) {
        let before = self.operator.sessions;
        for _ in 0..4 {
            self.now.0 += 1;
            let frame = self.operator.open(self.now, LANE);
            self.recorded.push((0, frame.clone()));
            let answer = self.bank.hear(self.now, &frame).expect("an opening").expect("an answer");
            self.recorded.push((1, answer.clone()));
            self.operator.hear(self.now, &answer).expect("the answer");
            if self.operator.sessions > before {
                assert!(!self.operator.end.should_open(self.now, LANE));
                return;
            }
        }
        panic!("no session stands");
    }

    /// A frame leaves an end: it must not share a key with another.
    pub fn release(&mut self, direction: u8, frame: Vec<u8>) {
        if frame[1] == 5 {
            let key = (direction, frame[2..30].to_vec());
            if let Some(other) = self.released.insert(key, frame.clone()) {
                assert_eq!(other, frame, "one key for two messages");
            }
        }
        self.recorded.push((direction, frame.clone()));
        if direction == 0 { self.to_bank.push(frame) } else { self.to_operator.push(frame) }
    }

    /// Carries everything that is under way, in order, until nothing is.
    pub fn carry(&mut self) -> Vec<(TransactionId, Answer)> {
        let mut told = Vec::new();
        while !self.to_bank.is_empty() || !self.to_operator.is_empty() {
            for frame in std::mem::take(&mut self.to_bank) {
                if let Ok(Some(answer)) = self.bank.hear(self.now, &frame) {
                    self.release(1, answer);
                }
            }
            for frame in std::mem::take(&mut self.to_operator) {
                if let Ok(Some(answer)) = self.operator.hear(self.now, &frame) {
                    told.push(answer);
                }
            }
        }
        told
    }

    /// Sends an order and carries it and its answer.
    pub fn exchange(&mut self, index: u8, number: u64, order: Order) -> Option<Answer> {
        let frame = self.operator.order(self.now, LANE, index, id(number), order).expect("a session stands");
        self.release(0, frame);
        self.carry().pop().map(|(told, answer)| {
            assert_eq!(told, id(number));
            answer
        })
    }

    pub fn all_ids(&self) -> BTreeSet<TransactionId> {
        self.bank.effects.iter().copied().chain(self.operator.disk.answers.keys().copied()).collect()
    }

    /// What the operator was told is what happened, and nothing happened twice.
    pub fn audit(&self) {
        for id in self.all_ids() {
            let effects = self.bank.effects_of(&id);
            assert!(effects <= 1, "{id:?} was executed {effects} times");
            match self.operator.disk.answers.get(&id) {
                Some(Answer::Done(_)) => assert_eq!(effects, 1, "{id:?} was told done and is not"),
                Some(Answer::Refused(_) | Answer::NotKnown) => {
                    assert_eq!(effects, 0, "{id:?} was told not done and is");
                }
                _ => {}
            }
        }
    }
}

/// An order of each kind, by number.
pub fn order(kind: u8, index: u8, minor: u64) -> Order {
    let (account, amount) = (account(index), amount(minor));
    match kind % 3 {
        0 => Order::WalletToBank { account, amount },
        1 => Order::BankToWallet { account, amount },
        _ => Order::AccountTransfer { account, amount, payee: subscriber((index + 1) % 2).number },
    }
}

pub fn below(rng: &mut impl Rng, bound: usize) -> usize {
    (rng.next_u32() as usize) % bound.max(1)
}
