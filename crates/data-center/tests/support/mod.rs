//! A town around a data centre: two members of staff, agents with float, customers with PINs, and the requests they make.
#![allow(dead_code, reason = "each program uses its own part of the town")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use data_center::{Answer, DataCenter, Fatal, MessageChange, Store};
use transaction_processing::account::{Proof, Proofs, Tier};
use transaction_processing::ids::{AgentCode, ProposalId, Sequence, StaffId, TransferId};
use transaction_processing::limits::{Class, Limits};
use transaction_processing::money::TypedAmount;
use transaction_processing::notice::SealedCode;
use transaction_processing::number::{Language, Private};
use transaction_processing::policy::{Policy, RegisteredPayee};
use transaction_processing::proposal::Measure;
use transaction_processing::request::{
    Action, DrawnCode, DrawnCodes, Link, NewPin, Origin, Payee, Request, RequestKey, Seal,
};
use transaction_processing::requests;
use transaction_processing::requests::approve::{OneTimePin, Verdict};
use transaction_processing::requests::claim::{Claimant, Told};
use transaction_processing::tariff::{Band, Payer, Priced, Terms};
use transaction_processing::time::{Day, Moment, Month, Time};
use transaction_processing::{Currency, Money, Msisdn};

pub const TZS: Currency = Currency { numeric: 834, minor_digits: 2 };
pub const HOUR: u32 = 3600;
pub const DAY: u32 = 24 * HOUR;
pub const AGENT: u32 = 1001;
pub const AGENT_PHONE: u64 = 255_754_000_001;
pub const FIRST_CUSTOMER: u64 = 255_712_000_000;
pub const STRANGER: u64 = 255_765_000_000;
const PIN: u32 = 48_213;

/// What proves what; a PIN never proves a code.
#[derive(Clone, Copy)]
enum Secret {
    Pin = 1,
    Code = 2,
}

pub fn number(digits: u64) -> Msisdn {
    Msisdn::new(digits).unwrap()
}

pub fn money(minor: i64) -> Money {
    Money::new(minor, TZS).unwrap()
}

fn proof(what: Secret, of: u64, secret: u32) -> Proof {
    let mut tag = [0; 32];
    tag[..8].copy_from_slice(&of.to_be_bytes());
    tag[8..12].copy_from_slice(&secret.to_be_bytes());
    tag[12] = what as u8;
    Proof { version: 1, tag }
}

fn proofs(what: Secret, of: u64, secret: u32) -> Proofs {
    Proofs::new(vec![proof(what, of, secret)]).unwrap()
}

/// A personal text, as if sealed.
pub fn private(text: &str) -> Private {
    let mut commitment = [0; 32];
    text.bytes().enumerate().for_each(|(at, octet)| commitment[at % 32] ^= octet.rotate_left(at as u32));
    Private { commitment, sealed: format!("sealed {text}").into_bytes() }
}

fn typed(minor: i64) -> TypedAmount {
    TypedAmount { digits: minor.unsigned_abs(), scale: 2 }
}

/// Generous ceilings, so that a load can go on.
pub fn policy() -> Policy {
    let limits = |class| Limits {
        class,
        currency: TZS,
        least: 1,
        per_transaction: 1_000_000_000,
        per_day: 1_000_000_000_000,
        per_month: 1_000_000_000_000,
        balance: 1_000_000_000_000,
    };
    Policy {
        currency: TZS,
        language: Language::English,
        registered_payee: RegisteredPayee::Credit,
        plain_accepted: true,
        password_at_agent: true,
        withdrawal_period_seconds: 7 * DAY,
        reminder_before_seconds: DAY,
        identity_above: 500_000,
        verification_code_seconds: HOUR,
        verification_code_tries: 3,
        password_tries: 3,
        password_first_pause_seconds: HOUR,
        password_later_pause_seconds: DAY,
        resends: 3,
        pin_tries: 3,
        pin_lock_seconds: HOUR,
        pin_tries_in_all: 10,
        one_time_pin_seconds: HOUR,
        registration_code_seconds: HOUR,
        registration_code_tries: 3,
        registrations_a_day: 3,
        repeat_window_seconds: 72 * HOUR,
        cash_in_undo_seconds: HOUR,
        recall_seconds: DAY,
        spraying_window_seconds: HOUR,
        spraying_per_agent: 1000,
        spraying_per_link: 1000,
        spraying_in_all: 1000,
        limits: vec![limits(Class::Customer(Tier::Entry)), limits(Class::NonCustomer)],
    }
}

/// A fee of 1 % and a levy on it.
pub fn terms(priced: Priced) -> Terms {
    Terms {
        priced,
        currency: TZS,
        effective_from: Time(0),
        payer: Payer::Sender,
        bands: vec![Band { up_to: 1_000_000_000, fixed: 5, per_mille: 10, minimum: 5, maximum: 100_000 }],
        agent_share_per_mille: 400,
        levy_per_mille_of_fee: 100,
        levy_per_mille_of_amount: 1,
        fee_kept_on_return: false,
    }
}

/// The moment so many milliseconds after the town's beginning; months of thirty days will do.
pub fn moment(millis: i64) -> Moment {
    let time = 1_768_000_000_000 + millis;
    let day = (time / 86_400_000) as i32;
    Moment { time: Time(time), day: Day(day), month: Month(day / 30) }
}

/// Makes requests, each with a key of its own.
#[derive(Default, Clone)]
pub struct Writing {
    pub written: u64,
    pub drawn: u32,
}

impl Writing {
    pub fn from(&mut self, from: u64, action: Action) -> Request {
        self.written += 1;
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.written.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        key[8..].copy_from_slice(&self.written.to_be_bytes());
        let origin = Origin::Handset { from: number(from), seal: Seal::Plain, link: Link(1) };
        Request { key: Some(RequestKey(key)), origin, action }
    }

    pub fn draw(&mut self, to: u64) -> DrawnCodes {
        let codes = (0..2)
            .map(|_| {
                self.drawn += 1;
                let sealed = SealedCode(self.drawn.to_be_bytes().repeat(6));
                DrawnCode { proof: proof(Secret::Code, to, self.drawn), sealed }
            })
            .collect();
        DrawnCodes { to: number(to), codes }
    }

    pub fn register(&mut self, from: u64) -> Request {
        let pin = NewPin { proofs: proofs(Secret::Pin, from, PIN), weak: false };
        let (name, codes) = (private(&format!("name of {from}")), self.draw(from));
        self.from(from, Action::Register(requests::register::Fields { pin, name, codes }))
    }

    pub fn confirm(&mut self, from: u64, code: u32) -> Request {
        let code = proofs(Secret::Code, from, code);
        self.from(from, Action::Confirm(requests::confirm::Fields { code, pin: None }))
    }

    pub fn cash_in(&mut self, agent: u64, customer: u64, amount: i64) -> Request {
        let (customer, pin) = (Payee::Mobile(number(customer)), proofs(Secret::Pin, agent, PIN));
        self.from(agent, Action::CashIn(requests::cash_in::Fields { customer, amount: typed(amount), pin }))
    }

    pub fn transfer(&mut self, from: u64, to: u64, amount: i64) -> Request {
        self.transfer_with(from, to, amount, PIN)
    }

    pub fn transfer_with(&mut self, from: u64, to: u64, amount: i64, pin: u32) -> Request {
        let (payee, pin, passwords) = (Payee::Mobile(number(to)), proofs(Secret::Pin, from, pin), self.draw(to));
        self.from(from, Action::Transfer(requests::transfer::Fields { payee, amount: typed(amount), pin, passwords }))
    }

    pub fn query(&mut self, payee: u64, password: u32, agent: u32) -> Request {
        let (of, password) = (Payee::Mobile(number(payee)), proofs(Secret::Code, payee, password));
        let (agent, codes) = (AgentCode(agent), self.draw(payee));
        self.from(payee, Action::Query(requests::query::Fields { payee: of, password, agent, codes }))
    }

    pub fn claim(&mut self, agent: u64, payee: u64, amount: i64, code: u32) -> Request {
        let told = Told::Code(proofs(Secret::Code, payee, code));
        let document = Some(private(&format!("document of {payee}")));
        let claimant = Claimant::Agent { payee: Payee::Mobile(number(payee)), amount: typed(amount), told, document };
        let pin = proofs(Secret::Pin, agent, PIN);
        self.from(agent, Action::Claim(requests::claim::Fields { pin, claimant }))
    }

    pub fn recall(&mut self, from: u64, transfer: TransferId) -> Request {
        let pin = proofs(Secret::Pin, from, PIN);
        self.from(from, Action::Recall(requests::recall::Fields { transfer, pin }))
    }

    pub fn agree(&mut self, from: u64, transfer: TransferId) -> Request {
        let pin = proofs(Secret::Pin, from, PIN);
        self.from(from, Action::Agree(requests::agree::Fields { transfer, pin }))
    }

    pub fn statement(&mut self, from: u64) -> Request {
        let pin = proofs(Secret::Pin, from, PIN);
        self.from(from, Action::Statement(requests::statement::Fields { pin }))
    }

    pub fn language(&mut self, from: u64, language: Language) -> Request {
        self.from(from, Action::Language(requests::language::Fields { language }))
    }

    pub fn change_pin(&mut self, from: u64, old: u32) -> Request {
        let new = NewPin { proofs: proofs(Secret::Pin, from, PIN), weak: false };
        self.from(from, Action::ChangePin(requests::pin::Fields { old: proofs(Secret::Pin, from, old), new }))
    }

    pub fn check(&mut self, from: u64, transfer: TransferId) -> Request {
        self.from(from, Action::Check(requests::check::Fields { transfer: Some(transfer), too_often: false }))
    }
}

pub fn platform(action: Action) -> Request {
    Request { key: None, origin: Origin::Platform, action }
}

fn by_staff(staff: StaffId, action: Action) -> Request {
    Request { key: None, origin: Origin::Staff(staff), action }
}

/// The code that a notice to a number tells, opened.
pub fn code_to(answer: &Answer, to: u64) -> u32 {
    let found = answer.notices.iter().filter(|notice| notice.to == number(to)).find_map(|notice| notice.code.as_ref());
    u32::from_be_bytes(found.expect("a code").0[..4].try_into().unwrap())
}

pub struct Town<S: Store> {
    pub center: DataCenter<S>,
    pub writing: Writing,
    pub millis: i64,
    staff: Vec<StaffId>,
}

impl<S: Store> Town<S> {
    /// A town in which everything has happened at least once.
    pub fn lived_in(center: DataCenter<S>) -> Town<S> {
        let mut town = Town::found(center, 10_000_000_000);
        town.settle(0..8, 50_000_000);
        for n in 0..6 {
            let (a, b, payee) = (FIRST_CUSTOMER + n, FIRST_CUSTOMER + n + 1, STRANGER + n);
            let sent = town.writing.transfer(a, b, 5_000);
            let sent = town.one(sent).transfer.unwrap();
            let recall = town.writing.recall(a, sent);
            town.one(recall);
            let waiting = town.writing.transfer(a, payee, 600_000);
            let waiting = town.one(waiting);
            let query = town.writing.query(payee, code_to(&waiting, payee), AGENT);
            let query = town.one(query);
            if n > 2 {
                let claim = town.writing.claim(AGENT_PHONE, payee, 600_000, code_to(&query, payee));
                town.one(claim);
            }
            let wrong = town.writing.transfer_with(a, b, 100, 1);
            town.any(wrong);
        }
        town.measure(Measure::Close { msisdn: number(FIRST_CUSTOMER + 7) });
        let (balance, as_of) = (money(20_000_000_000), moment(town.millis).time);
        let statement = "statement 1".into();
        town.measure(Measure::ConfirmBank { balance, as_of, statement, includes: vec!["deposit 2".into()] });
        let up_to = Sequence(town.center.books().next().0 - 1);
        town.measure(Measure::Erase { msisdn: number(FIRST_CUSTOMER + 6), up_to });
        for _ in 0..12 {
            let requests =
                (0..12).map(|n| town.writing.transfer(FIRST_CUSTOMER + n % 3, FIRST_CUSTOMER + 4, 10)).collect();
            town.batch(requests);
        }
        town
    }

    /// A town that is known already.
    pub fn returning(center: DataCenter<S>, writing: Writing) -> Town<S> {
        let millis = center.books().moment().time.0 - moment(0).time.0;
        let staff = center.books().all_staff().map(|staff| staff.id).collect();
        Town { center, writing, millis: millis.max(0), staff }
    }

    /// Staff, tariffs, issued money, and one agent with float.
    pub fn found(center: DataCenter<S>, float: i64) -> Town<S> {
        let mut town = Town { center, writing: Writing::default(), millis: 0, staff: Vec::new() };
        for name in ["maker", "checker"] {
            let fields = requests::staff::Fields { name: name.into(), verifier: "verifier".into() };
            let answer = town.one(platform(Action::EnrolFirstStaff(fields)));
            town.staff.push(StaffId(answer.row.unwrap().0));
        }
        for priced in [Priced::Transfer, Priced::Withdrawal] {
            town.one(platform(Action::AdoptTariff(requests::tariff::Fields { terms: terms(priced) })));
        }
        town.measure(Measure::Issue { amount: money(float * 2), bank_reference: "deposit 1".into() });
        let enrolled = town.measure(Measure::EnrolAgent {
            code: AgentCode(AGENT),
            msisdn: number(AGENT_PHONE),
            name: private("agent"),
            own_numbers: vec![number(AGENT_PHONE + 1)],
        });
        let one_time = code_to(&enrolled, AGENT_PHONE);
        let changed = town.writing.change_pin(AGENT_PHONE, one_time);
        town.one(changed);
        town.measure(Measure::SupplyFloat { agent: AgentCode(AGENT), amount: money(float) });
        town
    }

    pub fn try_batch(&mut self, requests: Vec<Request>, messages: Vec<MessageChange>) -> Result<Vec<Answer>, Fatal> {
        self.millis += 1;
        self.center.transact(moment(self.millis), requests, messages)
    }

    pub fn batch(&mut self, requests: Vec<Request>) -> Vec<Answer> {
        self.try_batch(requests, Vec::new()).unwrap()
    }

    /// One request in one commit, which is not to be refused.
    #[track_caller]
    pub fn one(&mut self, request: Request) -> Answer {
        let answer = self.any(request);
        assert!(answer.refusal.is_none(), "refused: {:?}", answer.refusal);
        answer
    }

    pub fn any(&mut self, request: Request) -> Answer {
        self.batch(vec![request]).remove(0)
    }

    pub fn measure(&mut self, measure: Measure) -> Answer {
        let approval = self.proposed(measure);
        self.one(approval)
    }

    /// What approves a measure that is proposed here.
    pub fn proposed(&mut self, measure: Measure) -> Request {
        let to = match &measure {
            Measure::EnrolAgent { msisdn, .. } | Measure::ResetPin { msisdn } => Some(*msisdn),
            Measure::ChangeNumber { to, .. } => Some(*to),
            _ => None,
        };
        let fields = requests::propose::Fields { measure };
        let proposed = self.one(by_staff(self.staff[0], Action::Propose(fields)));
        let one_time_pin = to.map(|to| {
            self.writing.drawn += 1;
            let sealed = SealedCode(self.writing.drawn.to_be_bytes().repeat(6));
            OneTimePin { to, proof: proof(Secret::Pin, to.digits(), self.writing.drawn), sealed }
        });
        let proposal = ProposalId(proposed.row.unwrap().0);
        let fields = requests::approve::Fields { proposal, verdict: Verdict::Approve, one_time_pin, moved_name: None };
        by_staff(self.staff[1], Action::Approve(fields))
    }

    /// Registers customers, numbered on from [`FIRST_CUSTOMER`], and takes cash in for each.
    pub fn settle(&mut self, customers: std::ops::Range<u64>, cash: i64) {
        let all: Vec<u64> = customers.map(|n| FIRST_CUSTOMER + n).collect();
        for some in all.chunks(1024) {
            let asked = some.iter().map(|from| self.writing.register(*from)).collect();
            let answers = self.batch(asked);
            let codes = some.iter().zip(&answers).map(|(from, answer)| (*from, code_to(answer, *from)));
            let confirmed = codes.map(|(from, code)| self.writing.confirm(from, code)).collect();
            self.batch(confirmed);
            let cash_in = some.iter().map(|from| self.writing.cash_in(AGENT_PHONE, *from, cash)).collect();
            let answers = self.batch(cash_in);
            assert!(answers.iter().all(|answer| answer.refusal.is_none()), "{:?}", answers[0].refusal);
        }
    }
}
