//! A small world: staff, money, agents with float, and customers who registered by themselves.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use data_center::{Answer, Location};
use encryption::{Code, FileKeys, Keys, Purpose, password};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use transaction_processing::account::Proof;
use transaction_processing::ids::{AgentCode, Iccid, ProposalId, StaffId, SystemAccount};
use transaction_processing::money::{Currency, Money};
use transaction_processing::notice::SealedCode;
use transaction_processing::number::Private;
use transaction_processing::proposal::Measure;
use transaction_processing::request::{Action, Origin, Request};
use transaction_processing::requests::approve::{self, OneTimePin, Verdict};
use transaction_processing::requests::{propose, staff};
use transaction_processing::time::{Day, Moment, Month, Time};
use transaction_processing::{Books, Msisdn};
use wakala::communication_gateway::Clock;
use wakala::config::{Config, Language, MessageCentre};
use wakala::platform::Platform;
use wakala::uplink::{international, private};

use super::audit;
use super::centre::{Centre, PATIENCE, Text};
use super::sealer::{Card, Sealer};

/// The currency of the tests.
pub const TZS: Currency = Currency { numeric: 834, minor_digits: 2 };
/// A customer with 1,000,000.00 less nothing.
pub const ALICE: &str = "+255712000001";
/// Another customer.
pub const BOB: &str = "+255712000002";
/// A number without an account.
pub const STRANGER: &str = "+255712000003";
/// An agent's code and number.
pub const AGENT: u32 = 1001;
/// See [`AGENT`].
pub const AGENT_PHONE: &str = "+255712000011";
/// Another agent.
pub const OTHER_AGENT: u32 = 1002;
/// See [`OTHER_AGENT`].
pub const OTHER_AGENT_PHONE: &str = "+255712000012";
/// The agent who takes in what customers have at first.
pub const TILL: u32 = 1000;
/// See [`TILL`].
pub const TILL_PHONE: &str = "+255712000010";
/// Everybody's PIN.
pub const PIN: &str = "4821";

/// The secret of everybody on the staff.
pub const STAFF_SECRET: &str = "a secret that is long enough";
static STAFF_VERIFIER: LazyLock<String> =
    LazyLock::new(|| password::hash(STAFF_SECRET, &mut rand::rng()).expect("long enough"));

/// 2 March 2026, noon in Dar es Salaam: a Monday.
const BEGINNING: i64 = 1_772_442_000_000;

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct Hands(Arc<AtomicI64>);

impl Hands {
    fn new() -> Hands {
        Hands(Arc::new(AtomicI64::new(BEGINNING)))
    }

    /// Moves it ahead.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// The moment that it shows.
    pub fn moment(&self) -> Moment {
        let time = self.0.load(Ordering::SeqCst);
        let zone = TimeZone::get("Africa/Dar_es_Salaam").expect("the zone");
        let date = Timestamp::from_millisecond(time).expect("a time").to_zoned(zone).date();
        let day = date.since(jiff::civil::date(1970, 1, 1)).expect("days").get_days();
        let month = (i32::from(date.year()) - 1970) * 12 + i32::from(date.month()) - 1;
        Moment { time: Time(time), day: Day(day), month: Month(month) }
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || hands.moment())
    }
}

/// The world.
pub struct World {
    /// The message centres, in the order of the configuration.
    pub centres: Vec<Centre>,
    /// The clock.
    pub hands: Hands,
    /// What the platform was started with.
    pub config: Config,
    /// Its keys.
    pub keys: Arc<dyn Keys>,
    /// Where its files are.
    pub directory: TempDir,
    /// Whether messages may stand undelivered or lapsed at the end, or without receipt.
    pub tolerates: audit::Tolerance,
    platform: Option<Platform>,
    staff: Vec<StaffId>,
    references: AtomicU64,
}

/// An amount of whole shillings in minor units.
pub fn money(shillings: i64) -> Money {
    Money::new(shillings * 100, TZS).expect("an amount")
}

/// A number as people write it.
pub fn msisdn(number: &str) -> Msisdn {
    Msisdn::new(number.trim_start_matches('+').parse().expect("digits")).expect("a number")
}

/// A secret file that only its owner may read.
pub fn secret_file(directory: &TempDir, name: &str, secret: &str) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, secret).expect("a writable folder");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("own file");
    path
}

/// How a centre of the tests is reached.
pub fn reach(name: &str, port: u64, directory: &TempDir) -> MessageCentre {
    MessageCentre {
        name: name.to_owned(),
        hosts: vec![format!("127.0.0.1:{port}")],
        password_file: secret_file(directory, name, "secret"),
        throttled_pause_seconds: 1,
        window: 64,
        ..MessageCentre::default()
    }
}

/// The configuration of the tests, its files in a folder of their own.
pub fn config(directory: &TempDir, centres: Vec<MessageCentre>) -> Config {
    let mut config = Config::default();
    config.ledger.database = directory.path().join("wakala.db");
    config.ledger.language = Language::English;
    config.messages.short_code = "15050".to_owned();
    config.messages.resend_after_seconds = 60;
    config.message_centre = centres;
    config
}

impl World {
    /// One centre, one bind, everybody there.
    pub async fn new() -> World {
        World::with(|_| {}).await
    }

    /// The same with another configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> World {
        let world = World::bare(&[&[]], change).await;
        world.people().await;
        world
    }

    /// Centres with these options, and nobody there yet.
    pub async fn bare(centres: &[&[&str]], change: impl FnOnce(&mut Config)) -> World {
        // Where another subscriber listens already, that one hears it.
        let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_test_writer().try_init();
        let directory = TempDir::new().expect("a temporary folder");
        let mut started = Vec::new();
        let mut reached = Vec::new();
        for (index, options) in centres.iter().enumerate() {
            let centre = Centre::start(options).await;
            reached.push(reach(&format!("centre{index}"), centre.port, &directory));
            started.push(centre);
        }
        let mut config = config(&directory, reached);
        change(&mut config);
        let problems = config.problems();
        assert!(problems.is_empty(), "{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        let keys: Arc<dyn Keys> = Arc::new(FileKeys::create(&mut StdRng::seed_from_u64(2)));
        let mut world = World {
            centres: started,
            hands: Hands::new(),
            config,
            keys,
            directory,
            tolerates: audit::Tolerance::default(),
            platform: None,
            staff: Vec::new(),
            references: AtomicU64::new(1),
        };
        world.start().await;
        world
    }

    /// Starts the platform, again after [`World::stop`].
    pub async fn start(&mut self) {
        let started = Platform::start_with_keys(self.config.clone(), self.hands.clock(), Arc::clone(&self.keys)).await;
        self.platform = Some(started.unwrap_or_else(|error| panic!("the platform starts: {error}")));
    }

    /// Stops the platform in order.
    pub async fn stop(&mut self) {
        let platform = self.platform.take().expect("it runs");
        platform.stop(PATIENCE).await.unwrap_or_else(|error| panic!("the platform ends in order: {error}"));
    }

    /// Where its books are.
    pub fn location(&self) -> Location {
        wakala::books::location(&self.config).expect("a configuration that was checked")
    }

    /// The running platform.
    pub fn platform(&self) -> &Platform {
        self.platform.as_ref().expect("it runs")
    }

    /// The first centre.
    pub fn centre(&self) -> &Centre {
        &self.centres[0]
    }

    /// Staff, money, agents, customers.
    pub async fn people(&self) {
        self.office().await;
        for (code, phone) in [(TILL, TILL_PHONE), (AGENT, AGENT_PHONE), (OTHER_AGENT, OTHER_AGENT_PHONE)] {
            self.agent(code, phone, 50_000_000).await;
        }
        self.customer(ALICE, 900_000).await;
        self.customer(BOB, 100_000).await;
    }

    /// Two members of staff and money in the operator's funds.
    pub async fn office(&self) {
        for name in ["maker", "checker"] {
            let fields = staff::Fields { name: name.to_owned(), verifier: STAFF_VERIFIER.clone() };
            self.decide(Origin::Platform, Action::EnrolFirstStaff(fields)).await;
        }
        self.issue(1_000_000_000).await;
    }

    /// New money, in shillings.
    pub async fn issue(&self, shillings: i64) {
        let reference = self.references.fetch_add(1, Ordering::SeqCst);
        let bank_reference = format!("deposit {reference}");
        self.measure(Measure::Issue { amount: money(shillings), bank_reference }).await;
    }

    /// A new agent with float, in shillings, who has changed the one-time PIN.
    pub async fn agent(&self, code: u32, phone: &str, float: i64) {
        let name = self.private(phone, "agent");
        let own_numbers = Vec::new();
        let code = AgentCode(code);
        self.measure(Measure::EnrolAgent { code, msisdn: msisdn(phone), name, own_numbers }).await;
        let mut texts = vec![self.centre_of(phone).text_to(phone).await, self.centre_of(phone).text_to(phone).await];
        texts.retain(|text| text.words.contains("One-time PIN"));
        let one_time = texts.first().expect("a one-time PIN").digits_after("One-time PIN ");
        let answer = self.ask(phone, &format!("PN*{one_time}*{PIN}")).await;
        assert!(answer.words.contains("Your PIN has been changed"), "{}", answer.words);
        self.measure(Measure::SupplyFloat { agent: code, amount: money(float) }).await;
        self.centre_of(phone).text_to(phone).await;
    }

    /// A new customer with money, in shillings.
    pub async fn customer(&self, phone: &str, shillings: i64) {
        let code = self.ask(phone, &format!("RG*{PIN}*Customer {}", &phone[9..])).await.digits_after("Code ");
        let welcome = self.ask(phone, &format!("RG*{code}")).await;
        assert!(welcome.words.contains("Welcome"), "{}", welcome.words);
        let mut left = shillings;
        while left > 0 {
            // Repeats are known: no two amounts are the same.
            let part = left.min(499_999 - (shillings - left) / 400_000);
            let taken = self.ask(TILL_PHONE, &format!("CI*{phone}*{part}*{PIN}")).await;
            assert!(taken.words.contains("taken in"), "{}", taken.words);
            self.centre_of(phone).text_to(phone).await;
            left -= part;
        }
    }

    /// The centre through which a number gets its messages.
    pub fn centre_of(&self, phone: &str) -> &Centre {
        let digits = phone.trim_start_matches('+');
        let fitting = self
            .config
            .message_centre
            .iter()
            .position(|centre| centre.prefixes.iter().any(|prefix| digits.starts_with(prefix.as_str())));
        let general = || self.config.message_centre.iter().position(|centre| centre.prefixes.is_empty());
        &self.centres[fitting.or_else(general).unwrap_or(0).min(self.centres.len() - 1)]
    }

    /// Writes a message and waits for the next one to the same number.
    pub async fn ask(&self, from: &str, text: &str) -> Text {
        let centre = self.centre_of(from);
        centre.say(from, text);
        centre.text_to(from).await
    }

    /// Binds a card to a number, which learns of it.
    pub async fn card(&self, phone: &str, iccid: &str) -> Card {
        let number = Iccid::new(iccid.parse().expect("digits")).expect("a serial");
        self.measure(Measure::BindCard { msisdn: msisdn(phone), iccid: number }).await;
        Card::new(&*self.keys, iccid)
    }

    /// Writes a sealed message and opens the answer.
    pub async fn ask_sealed(&self, sealer: &mut Sealer, card: &mut Card, from: &str, text: &str) -> String {
        let packet = card.seal(sealer, text);
        self.say_packet(from, &packet);
        let answer = self.centre_of(from).text_to(from).await;
        card.open(sealer, &answer.octets)
    }

    /// Sends a sealed message; its name in the centre's reports.
    pub fn say_packet(&self, from: &str, packet: &str) -> String {
        self.centre_of(from).deliver(
            json!({ "from": from, "to": "15050", "hex": packet, "esm_class": 0x40, "data_coding": 0xF6, "protocol_id": 0x7F }),
        )
    }

    /// A measure, proposed and approved.
    pub async fn measure(&self, measure: Measure) -> Answer {
        let answer = self.try_measure(measure).await;
        assert!(answer.refusal.is_none(), "approved: {:?}", answer.refusal);
        answer
    }

    /// The same where the approval may be refused.
    pub async fn try_measure(&self, measure: Measure) -> Answer {
        let to = match &measure {
            Measure::EnrolAgent { msisdn, .. } | Measure::ResetPin { msisdn } => Some(*msisdn),
            _ => None,
        };
        let [maker, checker] = self.staff().await;
        let proposed = self.decide(Origin::Staff(maker), Action::Propose(propose::Fields { measure })).await;
        let proposal = ProposalId(proposed.row.expect("a proposal is a row").0);
        let one_time_pin = to.map(|to| self.one_time_pin(to));
        let fields = approve::Fields { proposal, verdict: Verdict::Approve, one_time_pin, moved_name: None };
        self.decide(Origin::Staff(checker), Action::Approve(fields)).await
    }

    async fn staff(&self) -> [StaffId; 2] {
        let ids = self.read(|books| books.all_staff().map(|staff| staff.id).collect::<Vec<_>>()).await;
        [ids[0], ids[1]]
    }

    fn one_time_pin(&self, to: Msisdn) -> OneTimePin {
        let mut rng = rand::rng();
        let code = Code::draw(Purpose::OneTimePin, &mut rng);
        let number = international(to);
        let pin = code.as_pin().expect("a one-time PIN");
        let (version, proof) = self.keys.pin_proofs(&number, &pin).newest();
        let sealed = self.keys.seal_at_rest(&mut rng, "code", number.as_bytes(), code.expose().as_bytes());
        OneTimePin { to, proof: Proof { version: version.0, tag: proof.0 }, sealed: SealedCode(sealed) }
    }

    fn private(&self, owner: &str, text: &str) -> Private {
        private(&*self.keys, "name", msisdn(owner), text.as_bytes(), &mut rand::rng())
    }

    /// Has a request decided, its notices told.
    pub async fn decide(&self, origin: Origin, action: Action) -> Answer {
        let services = Arc::clone(&self.platform().services);
        let (tell, told) = oneshot::channel();
        let shared = Arc::clone(&services.shared);
        let at = self.hands.moment().time;
        let reply = move |mut answer: Answer| {
            shared.tell_row(&mut answer, at);
            let _ = tell.send(answer);
        };
        let submit = move || services.writer.submit(Request { key: None, origin, action }, reply);
        tokio::task::spawn_blocking(submit).await.expect("no panic").expect("the writer lives");
        told.await.expect("an answer")
    }

    /// Asks the books.
    pub async fn read<R: Send + 'static>(&self, question: impl FnOnce(&Books) -> R + Send + 'static) -> R {
        let writer = self.platform().services.writer.clone();
        tokio::task::spawn_blocking(move || writer.read(question)).await.expect("no panic").expect("the writer lives")
    }

    /// The balance of a number's account, minor units; zero without one.
    pub async fn balance(&self, phone: &str) -> i64 {
        let number = msisdn(phone);
        self.read(move |books| books.account_of(number).map_or(0, |account| account.balance())).await
    }

    /// The balance of one of the platform's own accounts.
    pub async fn system(&self, role: SystemAccount) -> i64 {
        self.read(move |books| books.system(role, TZS).map_or(0, |account| account.balance())).await
    }

    /// Moves the clock once everything told has found its end, and has what is due by then decided.
    pub async fn pass(&self, seconds: i64) {
        audit::settle(self).await;
        self.jump(seconds).await;
    }

    /// Moves the clock at once, and has what is due by then decided.
    pub async fn jump(&self, seconds: i64) {
        self.hands.advance(seconds);
        while wakala::timers::look(&self.platform().services.shared).await.expect("the writer lives") > 0 {}
    }

    /// Ends the test: everything is accounted for.
    pub async fn end(mut self) {
        audit::settle(&self).await;
        let before = audit::conserved(&self).await;
        self.stop().await;
        audit::audit(&self, before);
    }

    /// Asks again and again until it is so.
    pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let asking = async {
            let mut again = tokio::time::interval(Duration::from_millis(5));
            loop {
                if is_so().await {
                    return;
                }
                again.tick().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, asking).await.is_ok(), "did not happen: {what}");
    }
}
