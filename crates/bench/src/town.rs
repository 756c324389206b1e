//! A town to measure: staff, an agent with float, and customers, made through the ledger's own requests with real keys.

use std::sync::Arc;

use data_center::{Answer, DataCenter};
use encryption::{FileKeys, Keys, Pin, Purpose};
use indicatif::{ProgressBar, ProgressStyle};
use transaction_processing::account::{Proof, Proofs};
use transaction_processing::ids::{AgentCode, Iccid, ProposalId, StaffId};
use transaction_processing::money::TypedAmount;
use transaction_processing::proposal::Measure;
use transaction_processing::request::{Action, DrawnCodes, Link, NewPin, Origin, Payee, RequestKey, Seal};
use transaction_processing::requests;
use transaction_processing::requests::approve::{OneTimePin, Verdict};
use transaction_processing::time::{Day, Moment, Month, Time};
use transaction_processing::{Money, Msisdn, Request};
use wakala::config::{Config, Sources};
use wakala::uplink::{draw, international, private};

use crate::store::Keeper;

/// The PIN of everybody in the town.
pub const PIN: &str = "48213";
const AGENT: u64 = 255_754_000_001;
/// Customers are numbered from here.
pub const FIRST: u64 = 255_712_000_000;
const BATCH: usize = 1024;
const WALLET: u64 = 100_000_000;

/// Ceilings so high that a load can go on for days.
const LIMITS: &str = r#"
[[limits]]
class = "entry"
least = "0.01"
per_transaction = "1000000000.00"
per_day = "1000000000.00"
per_month = "1000000000.00"
balance = "9000000000.00"
"#;

/// The configuration of the town, with `more` of it behind.
pub fn config(directory: &std::path::Path, more: &str) -> anyhow::Result<Config> {
    let mut file = LIMITS.to_owned();
    for class in ["standard", "full"] {
        file.push_str(&LIMITS.replace("entry", class));
    }
    file.push_str(&LIMITS.replace("entry", "non_customer").replace("balance = \"9000000000.00\"\n", ""));
    file.push_str(more);
    let path = directory.join("bench.toml");
    std::fs::write(&path, file)?;
    let flags = vec![format!("ledger.database={}", directory.join("wakala.db").display())];
    Ok(Config::load(&Sources { file: Some(path), environment: Vec::new(), flags })?)
}

/// A moment; days of the zone do not matter here.
pub fn moment_at(ms: i64) -> Moment {
    let day = ms.div_euclid(86_400_000) as i32;
    Moment { time: Time(ms), day: Day(day), month: Month(day / 30) }
}

pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as i64
}

pub struct Town<K: Keeper> {
    pub center: DataCenter<K::Books>,
    pub keys: Arc<FileKeys>,
    pub written: u64,
    staff: Vec<StaffId>,
}

impl<K: Keeper> Town<K> {
    /// Opens or founds the town's books.
    pub fn open(keeper: &K, config: &Config, keys: Arc<FileKeys>) -> anyhow::Result<Town<K>> {
        let currencies: Vec<_> = config.currencies().into_iter().map(|code| code.currency()).collect();
        let store = keeper.open(&currencies)?;
        let center = DataCenter::open(store, config.policy(), &currencies)?;
        let staff = center.books().all_staff().map(|staff| staff.id).collect();
        let written = center.position().next.0 << 8;
        Ok(Town { center, keys, written, staff })
    }

    /// Staff, tariffs, money and an agent with float.
    pub fn found(&mut self, config: &Config) -> anyhow::Result<()> {
        for name in ["maker", "checker"] {
            let fields = requests::staff::Fields { name: name.into(), verifier: "none".into() };
            let answer =
                self.one(Request { key: None, origin: Origin::Platform, action: Action::EnrolFirstStaff(fields) })?;
            self.staff.push(StaffId(answer.row.map_or(0, |row| row.0)));
        }
        for terms in config.terms() {
            let action = Action::AdoptTariff(requests::tariff::Fields { terms });
            self.one(Request { key: None, origin: Origin::Platform, action })?;
        }
        let currency = config.ledger.currency.currency();
        let most = Money::new(900_000_000_000_000, currency).ok_or(anyhow::anyhow!("an amount"))?;
        self.measure(Measure::Issue { amount: most, bank_reference: "deposit".into() }, None)?;
        let msisdn = number(AGENT);
        let name = private(&*self.keys, "name", msisdn, b"agent", &mut rand::rng());
        let enrol = Measure::EnrolAgent { code: AgentCode(1001), msisdn, name, own_numbers: Vec::new() };
        let one_time = self.pin_proofs(AGENT);
        let sealed = draw(&*self.keys, Purpose::OneTimePin, msisdn, &mut rand::rng()).sealed;
        self.measure(enrol, Some(OneTimePin { to: msisdn, proof: one_time.newest(), sealed }))?;
        let old = self.pin_proofs(AGENT);
        let new = NewPin { proofs: self.proofs_of(AGENT, "59371"), weak: false };
        let change = self.from(AGENT, Action::ChangePin(requests::pin::Fields { old, new }));
        self.one(change)?;
        let float = Money::new(800_000_000_000_000, currency).ok_or(anyhow::anyhow!("an amount"))?;
        self.measure(Measure::SupplyFloat { agent: AgentCode(1001), amount: float }, None)
    }

    /// Registers customers and fills their wallets; with cards where `cards` says so.
    pub fn settle(&mut self, customers: u64, cards: bool) -> anyhow::Result<()> {
        let bar = ProgressBar::new(customers);
        bar.set_style(ProgressStyle::with_template("customers {bar:40} {pos}/{len} {eta}")?);
        for start in (0..customers).step_by(BATCH) {
            let numbers: Vec<u64> = (start..customers.min(start + BATCH as u64)).map(|n| FIRST + n).collect();
            let registering = numbers.iter().map(|from| self.register(*from)).collect::<Vec<_>>();
            let codes: Vec<Proofs> = registering.iter().map(|(_, proofs)| proofs.clone()).collect();
            self.batch(registering.into_iter().map(|(request, _)| request).collect())?;
            let confirming = numbers.iter().zip(codes).map(|(from, code)| {
                let confirm = Action::Confirm(requests::confirm::Fields { code, pin: None });
                self.from(*from, confirm)
            });
            let confirming: Vec<Request> = confirming.collect();
            self.batch(confirming)?;
            let filling: Vec<Request> = numbers.iter().map(|to| self.cash_in(*to)).collect();
            self.batch(filling)?;
            if cards {
                for to in &numbers {
                    self.measure(Measure::BindCard { msisdn: number(*to), iccid: card(*to) }, None)?;
                }
            }
            bar.inc(numbers.len() as u64);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn register(&mut self, from: u64) -> (Request, Proofs) {
        let pin = NewPin { proofs: self.pin_proofs(from), weak: false };
        let name = private(&*self.keys, "name", number(from), b"customer", &mut rand::rng());
        let drawn = draw(&*self.keys, Purpose::RegistrationCode, number(from), &mut rand::rng());
        let proofs = Proofs::new(vec![drawn.proof]).unwrap_or_else(|| self.pin_proofs(from));
        let codes = DrawnCodes { to: number(from), codes: vec![drawn] };
        (self.from(from, Action::Register(requests::register::Fields { pin, name, codes })), proofs)
    }

    fn cash_in(&mut self, to: u64) -> Request {
        let pin = self.proofs_of(AGENT, "59371");
        let amount = TypedAmount { digits: WALLET, scale: 2 };
        self.from(AGENT, Action::CashIn(requests::cash_in::Fields { customer: Payee::Mobile(number(to)), amount, pin }))
    }

    /// A transfer from one customer to another, as the uplink would make it.
    pub fn transfer(&mut self, from: u64, to: u64) -> Request {
        transfer(&self.keys, &mut self.written, from, to)
    }

    fn from(&mut self, from: u64, action: Action) -> Request {
        message(&mut self.written, from, action)
    }

    fn pin_proofs(&self, owner: u64) -> Proofs {
        proofs_of(&self.keys, owner, PIN)
    }

    fn proofs_of(&self, owner: u64, pin: &str) -> Proofs {
        proofs_of(&self.keys, owner, pin)
    }

    fn measure(&mut self, measure: Measure, one_time_pin: Option<OneTimePin>) -> anyhow::Result<()> {
        let propose = Action::Propose(requests::propose::Fields { measure });
        let proposed = self.one(Request { key: None, origin: Origin::Staff(self.staff[0]), action: propose })?;
        let proposal = ProposalId(proposed.row.map_or(0, |row| row.0));
        let verdict = Verdict::Approve;
        let fields = requests::approve::Fields { proposal, verdict, one_time_pin, moved_name: None };
        let approve = Action::Approve(fields);
        self.one(Request { key: None, origin: Origin::Staff(self.staff[1]), action: approve })?;
        Ok(())
    }

    fn one(&mut self, request: Request) -> anyhow::Result<Answer> {
        Ok(self.batch(vec![request])?.remove(0))
    }

    fn batch(&mut self, requests: Vec<Request>) -> anyhow::Result<Vec<Answer>> {
        let answers = self.center.transact(moment_at(now_ms()), requests, Vec::new())?;
        if let Some(why) = answers.iter().find_map(|answer| answer.refusal) {
            anyhow::bail!("the town cannot be founded: {}", why.name());
        }
        Ok(answers)
    }
}

/// A transfer from one customer to another, as the uplink would make it.
pub fn transfer(keys: &FileKeys, written: &mut u64, from: u64, to: u64) -> Request {
    let passwords = DrawnCodes {
        to: number(to),
        codes: vec![draw(keys, Purpose::WithdrawalPassword, number(to), &mut rand::rng())],
    };
    let fields = requests::transfer::Fields {
        payee: Payee::Mobile(number(to)),
        amount: TypedAmount { digits: 10_000, scale: 2 },
        pin: proofs_of(keys, from, PIN),
        passwords,
    };
    message(written, from, Action::Transfer(fields))
}

fn message(written: &mut u64, from: u64, action: Action) -> Request {
    *written += 1;
    let mut key = [0; 16];
    key[..8].copy_from_slice(&written.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    key[8..].copy_from_slice(&written.to_be_bytes());
    let origin = Origin::Handset { from: number(from), seal: Seal::Plain, link: Link(0) };
    Request { key: Some(RequestKey(key)), origin, action }
}

fn proofs_of(keys: &FileKeys, owner: u64, pin: &str) -> Proofs {
    let owner = international(number(owner));
    let proofs = Pin::parse(pin).map(|pin| keys.pin_proofs(&owner, &pin));
    let proofs =
        proofs.map(|set| set.iter().map(|(version, proof)| Proof { version: version.0, tag: proof.0 }).collect());
    proofs.and_then(Proofs::new).unwrap_or_else(|| unreachable!("the PIN is one"))
}

pub fn number(digits: u64) -> Msisdn {
    Msisdn::new(digits).unwrap_or_else(|| unreachable!("a number of the town"))
}

/// The card of a customer.
pub fn card(of: u64) -> Iccid {
    Iccid::new(8_925_500_000_000_000_000_u128 + u128::from(of)).unwrap_or_else(|| unreachable!("a serial of the town"))
}
