//! Books with a clock, a message counter and a data centre made of the rows themselves.

use transaction_processing::account::{Account, Tier};
use transaction_processing::books::Outcome;
use transaction_processing::decision::Change;
use transaction_processing::ids::{AccountId, Iccid, ProposalId, Sequence, StaffId, SystemAccount, TransferId};
use transaction_processing::notice::{SealedCode, StatementLine, Text};
use transaction_processing::policy::Policy;
use transaction_processing::proposal::{Measure, Proposal};
use transaction_processing::request::{Action, DrawnCode, DrawnCodes, Origin, RequestKey, Seal};
use transaction_processing::requests::approve::{OneTimePin, Verdict};
use transaction_processing::requests::{self, propose, staff};
use transaction_processing::tariff::Terms;
use transaction_processing::time::{Day, Moment, Month, Time};
use transaction_processing::transfer::Transfer;
use transaction_processing::{Books, Decision, Missing, Notice, Refusal, Request, Row};

use super::auditor::Auditor;
use super::say::{Link, Say};
use super::{
    AGENT, AGENT_PHONE, AGENTS_OTHER_PHONE, CUSTOMER, FLOAT, ISSUED, OTHER_AGENT, OTHER_AGENT_PHONE, PIN, PURSE,
    SENDER, Secret, TZS, agent, money, number, policy, private, proof,
};

/// One message as it reached the platform; the same again is a repeat.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    pub from: u64,
    pub say: Say,
    pub seal: Seal,
    pub key: RequestKey,
}

/// What came of a request.
pub struct Answer {
    pub message: Option<Message>,
    pub refusal: Option<Refusal>,
    pub notices: Vec<Notice>,
    pub transfer: Option<TransferId>,
    /// The row that it became; none where nothing changed.
    pub row: Option<Row>,
}

/// The text told to a number, taken apart: `told!(answer, SENDER, Text::Sent { balance, .. } => balance)`.
#[macro_export]
macro_rules! told {
    ($answer:expr, $to:expr, $text:pat => $what:expr) => {
        match $answer.text_to($to) {
            $text => $what,
            _ => panic!("another text than {} was told", stringify!($text)),
        }
    };
}

pub struct World {
    pub books: Books,
    pub moment: Moment,
    pub key_versions: Vec<u32>,
    pub link: Link,
    pub auditor: Auditor,
    /// Whether closed transfers leave the memory at once, so that they must be asked for.
    pub checkpoints: bool,
    drawn: u32,
    written: u64,
    staff: Vec<StaffId>,
}

impl World {
    /// Empty books.
    pub fn bare(policy: Policy) -> World {
        let currencies = [TZS, super::KES];
        let day = 20_463;
        World {
            books: Books::new(policy.clone(), &currencies),
            moment: moment_of(i64::from(day) * 86_400_000 + 8 * 3_600_000),
            key_versions: vec![1],
            link: Link(1),
            auditor: Auditor::new(policy, &currencies),
            checkpoints: true,
            drawn: 0,
            written: 0,
            staff: Vec::new(),
        }
    }

    /// Two members of staff, issued money, two agents with float, a sender with a purse, another customer.
    pub fn new() -> World {
        World::with(|_| {})
    }

    /// The same with another policy.
    pub fn with(change: impl FnOnce(&mut Policy)) -> World {
        let mut policy = policy();
        change(&mut policy);
        let mut world = World::bare(policy);
        world.populate();
        world
    }

    /// The same with tariffs.
    pub fn priced(tariffs: impl IntoIterator<Item = Terms>) -> World {
        let mut world = World::new();
        for terms in tariffs {
            world.adopt(terms).done();
        }
        world
    }

    fn populate(&mut self) {
        for name in ["maker", "checker"] {
            let fields = staff::Fields { name: name.into(), verifier: "verifier".into() };
            let row = self.platform(Action::EnrolFirstStaff(fields)).done().row.unwrap();
            self.staff.push(StaffId(row.sequence.0));
        }
        self.measure(Measure::Issue { amount: money(ISSUED), bank_reference: "opening".into() }).done();
        for (code, phone, own) in
            [(AGENT, AGENT_PHONE, vec![number(AGENTS_OTHER_PHONE)]), (OTHER_AGENT, OTHER_AGENT_PHONE, Vec::new())]
        {
            let name = private("agent");
            let enrol = Measure::EnrolAgent { code: agent(code), msisdn: number(phone), name, own_numbers: own };
            let one_time = self.measure(enrol).done().code_to(phone);
            self.say(phone, Say::Pn(one_time, PIN)).done();
            self.measure(Measure::SupplyFloat { agent: agent(code), amount: money(FLOAT) }).done();
        }
        self.register(SENDER);
        self.register(CUSTOMER);
        for part in [PURSE / 2, PURSE / 2] {
            self.say(AGENT_PHONE, Say::Ci(SENDER, part, PIN)).done();
        }
    }

    /// Registers a number in the entry tier, with the PIN of everybody.
    pub fn register(&mut self, from: u64) {
        let code = self.say(from, Say::Rg(PIN)).done().code_to(from);
        self.say(from, Say::RgCode(code)).done();
    }

    /// Lifts a customer to the highest tier.
    pub fn lift(&mut self, of: u64) {
        self.measure(Measure::SetTier { msisdn: number(of), tier: Tier::Full }).done();
    }

    // ---- asking ---------------------------------------------------------------------------------------------------

    /// A message in plain that was never written before.
    pub fn say(&mut self, from: u64, say: Say) -> Answer {
        let message = self.write(from, say);
        self.deliver(message)
    }

    /// Writes a message without delivering it.
    pub fn write(&mut self, from: u64, say: Say) -> Message {
        self.written += 1;
        Message { from, say, seal: Seal::Plain, key: key_of(self.written) }
    }

    /// Writes a sealed message; the same counter and the same text are the same packet.
    pub fn seal(&mut self, from: u64, counter: u64, say: Say) -> Message {
        let mut check = [0_u8; 8];
        let text = format!("{say:?}");
        text.bytes().enumerate().for_each(|(at, octet)| check[at % 8] = check[at % 8].wrapping_mul(31) ^ octet);
        let mut key = [0xcc; 16];
        key[..8].copy_from_slice(&counter.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        key[8..].copy_from_slice(&check);
        Message { from, say, seal: Seal::Sealed { counter, check }, key: RequestKey(key) }
    }

    /// Delivers a message, again or for the first time.
    pub fn deliver(&mut self, message: Message) -> Answer {
        let action = message.say.action(message.from, self);
        let origin = Origin::Handset { from: number(message.from), seal: message.seal, link: self.link };
        let answer = self.ask(Request { key: Some(message.key), origin, action });
        Answer { message: Some(message), ..answer }
    }

    pub fn say_sealed(&mut self, from: u64, counter: u64, say: Say) -> Answer {
        let message = self.seal(from, counter, say);
        self.deliver(message)
    }

    pub fn platform(&mut self, action: Action) -> Answer {
        self.ask(Request { key: None, origin: Origin::Platform, action })
    }

    pub fn by_staff(&mut self, staff: StaffId, action: Action) -> Answer {
        self.ask(Request { key: None, origin: Origin::Staff(staff), action })
    }

    pub fn maker(&self) -> StaffId {
        self.staff[0]
    }

    pub fn checker(&self) -> StaffId {
        self.staff[1]
    }

    pub fn propose(&mut self, measure: Measure) -> ProposalId {
        let answer = self.by_staff(self.maker(), Action::Propose(propose::Fields { measure }));
        ProposalId(answer.done().row.unwrap().sequence.0)
    }

    /// A member of staff says yes; a one-time PIN is drawn for the number that the measure sends one to.
    pub fn approve(&mut self, staff: StaffId, proposal: ProposalId) -> Answer {
        let to = self.books.proposal(proposal).and_then(|proposal| match &proposal.measure {
            Measure::EnrolAgent { msisdn, .. } | Measure::ResetPin { msisdn } => Some(*msisdn),
            Measure::ChangeNumber { to, .. } => Some(*to),
            _ => None,
        });
        let one_time_pin = to.map(|to| {
            let digits = self.draw_one();
            let proof = proof(self.key_versions[0], Secret::Pin, to.digits(), digits);
            OneTimePin { to, proof, sealed: sealed(digits) }
        });
        let moves = |proposal: &Proposal| matches!(proposal.measure, Measure::ChangeNumber { .. });
        let moved_name = self.books.proposal(proposal).filter(|held| moves(held)).map(|_| private("name"));
        let fields = requests::approve::Fields { proposal, verdict: Verdict::Approve, one_time_pin, moved_name };
        self.by_staff(staff, Action::Approve(fields))
    }

    /// A measure, proposed and approved.
    pub fn measure(&mut self, measure: Measure) -> Answer {
        let proposal = self.propose(measure);
        self.approve(self.checker(), proposal)
    }

    pub fn adopt(&mut self, terms: Terms) -> Answer {
        self.platform(Action::AdoptTariff(requests::tariff::Fields { terms }))
    }

    /// Asks, supplying what is missing, enters what lasts, and has the row looked at.
    pub fn ask(&mut self, request: Request) -> Answer {
        let decision = self.decide(&request);
        let (refusal, transfer) = (decision.refusal(), decision.transfer());
        let before = self.auditor.balances.clone();
        if !decision.is_durable() {
            let notices = decision.into_notices();
            self.auditor.hear(refusal, &notices);
            self.books.forget_supplied();
            return Answer { message: None, refusal, notices, transfer, row: None };
        }
        let row = self.books.enter(self.moment, &request, decision).unwrap_or_else(|broken| panic!("{broken:?}"));
        self.auditor.see(&row, &self.books);
        if let Some(why) = refusal {
            assert!(row.entered.is_empty() && self.auditor.balances == before, "{why:?} moved money");
        }
        self.books.forget_supplied();
        if self.checkpoints {
            let touched = row.changes.iter().filter_map(|change| match change {
                Change::Transfer(transfer) => Some(transfer.id),
                _ => None,
            });
            touched.for_each(|id| self.books.forget_closed(id));
        }
        Answer { message: None, refusal, notices: row.notices.clone(), transfer, row: Some(row) }
    }

    /// Decides, supplying what is missing as a data centre would.
    pub fn decide(&mut self, request: &Request) -> Decision {
        for _ in 0..20 {
            match self.books.decide(self.moment, request) {
                Ok(decision) => return decision,
                Err(missing) => self.supply(missing),
            }
        }
        panic!("what was supplied is asked for again and again");
    }

    fn supply(&mut self, missing: Missing) {
        match missing {
            Missing::Transfer(id) => self.books.supply_transfer(id, self.auditor.transfers.get(&id).cloned()),
            Missing::Outcome(row) => {
                let found = self.row(row).filter(|row| row.is_remembered());
                let outcome =
                    found.map(|row| Outcome { key: row.key, time: row.moment.time, notices: row.notices.clone() });
                self.books.supply_outcome(row, outcome);
            }
            Missing::History(account) => {
                let lines = self.auditor.rows.iter().rev().filter_map(|row| {
                    let (change, balance) = row.effect_on(account)?;
                    Some(StatementLine { at: row.moment.time, change, balance, kind: row.kind })
                });
                let lines = lines.take(5).collect();
                self.books.supply_history(account, lines);
            }
        }
    }

    fn row(&self, sequence: Sequence) -> Option<&Row> {
        let at = self.auditor.rows.binary_search_by_key(&sequence, |row| row.sequence).ok()?;
        self.auditor.rows.get(at)
    }

    /// Codes for a number: one and two spares.
    pub fn draw(&mut self, to: u64) -> DrawnCodes {
        let version = self.key_versions[0];
        let mut code = || {
            let digits = self.draw_one();
            DrawnCode { proof: proof(version, Secret::Code, to, digits), sealed: sealed(digits) }
        };
        DrawnCodes { to: number(to), codes: vec![code(), code(), code()] }
    }

    fn draw_one(&mut self) -> u32 {
        self.drawn += 1;
        70_000_000 + self.drawn
    }

    // ---- time -----------------------------------------------------------------------------------------------------

    /// Time passes; nothing wakes up.
    pub fn pass(&mut self, seconds: u32) {
        let later = moment_of(self.moment.time.0 + i64::from(seconds) * 1000);
        self.moment =
            Moment { time: later.time, day: later.day.max(self.moment.day), month: later.month.max(self.moment.month) };
    }

    /// Time passes, and the timers that are due are served.
    pub fn wait(&mut self, seconds: u32) -> Vec<Answer> {
        self.pass(seconds);
        self.run_timers()
    }

    pub fn run_timers(&mut self) -> Vec<Answer> {
        let reminders: Vec<_> = self.books.to_remind(self.moment.time, 100).collect();
        let mut answers: Vec<_> = reminders.into_iter().map(|id| self.platform(Action::Remind(id))).collect();
        let expired: Vec<_> = self.books.expired(self.moment.time, 100).collect();
        answers.extend(expired.into_iter().map(|id| self.platform(Action::Expire(id))));
        answers
    }

    // ---- reading --------------------------------------------------------------------------------------------------

    pub fn account(&self, of: u64) -> &Account {
        self.books.account_of(number(of)).expect("an account")
    }

    pub fn wallet(&self, of: u64) -> AccountId {
        self.account(of).id
    }

    /// What a number's account holds, minor units; nothing where it has none.
    pub fn balance(&self, of: u64) -> i64 {
        self.books.account_of(number(of)).map_or(0, Account::balance)
    }

    pub fn held(&self, role: SystemAccount) -> i64 {
        self.books.system(role, TZS).unwrap().balance()
    }

    /// A transfer as the rows say it stands.
    pub fn transfer(&self, id: TransferId) -> Option<&Transfer> {
        self.auditor.transfers.get(&id)
    }

    /// Everything again from the rows alone, into fresh books.
    pub fn audit(&self) {
        self.auditor.replay_all(&self.books);
    }

    pub fn bind_card(&mut self, of: u64, iccid: u128) -> Answer {
        self.measure(Measure::BindCard { msisdn: number(of), iccid: Iccid::new(iccid).unwrap() })
    }

    /// A transfer by password from the sender to a number without an account, and its password.
    pub fn send_by_password(&mut self, payee: u64, amount: i64) -> (TransferId, u32) {
        let answer = self.say(SENDER, Say::Tm(payee, amount, PIN)).done();
        (answer.transfer.unwrap(), answer.code_to(payee))
    }

    /// The same, and the payee has named the agent; with password and verification code.
    pub fn send_and_query(&mut self, payee: u64, amount: i64, at: u32) -> (TransferId, u32, u32) {
        let (transfer, password) = self.send_by_password(payee, amount);
        let code = self.say(payee, Say::Qt(password, at)).done().code_to(payee);
        (transfer, password, code)
    }
}

impl Answer {
    /// It was done.
    #[track_caller]
    pub fn done(self) -> Answer {
        assert!(self.refusal.is_none(), "refused: {:?}", self.refusal);
        self
    }

    /// It was refused for this reason.
    #[track_caller]
    pub fn refused(self, why: Refusal) -> Answer {
        assert_eq!(self.refusal, Some(why));
        self
    }

    /// It was a repeat, answered from memory, and changed nothing.
    #[track_caller]
    pub fn repeated(self) -> Answer {
        assert!(self.row.is_none(), "a repeat changed something");
        let from = self.message.unwrap().from;
        assert!(matches!(self.text_to(from), Text::Repeated { .. }), "not known as a repeat");
        self
    }

    #[track_caller]
    pub fn notice_to(&self, to: u64) -> &Notice {
        self.notices.iter().find(|notice| notice.to == number(to)).expect("a notice to this number")
    }

    #[track_caller]
    pub fn text_to(&self, to: u64) -> &Text {
        &self.notice_to(to).text
    }

    /// The code told to a number, opened.
    #[track_caller]
    pub fn code_to(&self, to: u64) -> u32 {
        let codes = self.notices.iter().filter(|notice| notice.to == number(to)).find_map(|notice| notice.code.clone());
        u32::from_be_bytes(codes.expect("a code").0.try_into().unwrap())
    }

    /// Who was told something, in order.
    pub fn told(&self) -> Vec<u64> {
        self.notices.iter().map(|notice| notice.to.digits()).collect()
    }

    /// What moved: from, to, minor units.
    pub fn moves(&self) -> Vec<(AccountId, AccountId, i64)> {
        let entered = self.row.iter().flat_map(|row| &row.entered);
        entered.map(|entered| (entered.posting.from, entered.posting.to, entered.posting.amount.minor())).collect()
    }

    pub fn id(&self) -> TransferId {
        self.transfer.expect("a transfer")
    }
}

fn sealed(digits: u32) -> SealedCode {
    SealedCode(digits.to_be_bytes().to_vec())
}

fn key_of(n: u64) -> RequestKey {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    key[8..].copy_from_slice(&n.to_be_bytes());
    RequestKey(key)
}

/// The moment of a time, in a ledger whose zone is UTC.
pub fn moment_of(millis: i64) -> Moment {
    let days = millis.div_euclid(86_400_000);
    // Civil month of a day count, years beginning in March.
    let shifted = days + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let year = year_of_era + shifted.div_euclid(146_097) * 400;
    let months = (year - 1970) * 12 + month + 2;
    Moment { time: Time(millis), day: Day(i32::try_from(days).unwrap()), month: Month(i32::try_from(months).unwrap()) }
}
