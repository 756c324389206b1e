//! The protocol against a real server: its socket, its books, its database.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;

use data_center::{Bounds, DataCenter, Location, Sqlite};
use encryption::{Code, FileKeys, Purpose};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;
use transaction_processing::account::Proof;
use transaction_processing::notice::{Notice, Text};
use transaction_processing::time::{Day, Moment, Month, Time};

use super::protocol::{Credentials, LONGEST_REQUEST, Measure, Reply, Sum, Tier};
use super::socket::{Socket, SocketError};
use super::*;
use crate::config::CurrencyCode;

const MAKER: (&str, &str) = ("maker", "the first long secret");
const CHECKER: (&str, &str) = ("checker", "another long secret");
const SHOP: &str = "0712000007";

/// A running server with a database of its own.
struct Server {
    folder: TempDir,
    socket: PathBuf,
    keys: Arc<dyn Keys>,
    writer: Writer,
    told: Arc<Mutex<Vec<Notice>>>,
    stop: watch::Sender<bool>,
    serving: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn start() -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config::default();
        config.ledger.database = folder.path().join("wakala.db");
        config.administration.socket = folder.path().join("wakala.sock");
        let socket = config.administration.socket.clone();
        let location = Location::File(config.ledger.database.clone());
        let currencies: Vec<_> = config.currencies().into_iter().map(CurrencyCode::currency).collect();
        let store = Sqlite::open(&config.ledger.database, &currencies).expect("a database");
        let center = DataCenter::open(store, config.policy(), &currencies).expect("books");
        let clock = || Moment { time: Time(1_767_225_600_000), day: Day(20_454), month: Month(672) };
        let ended = |ended: Result<(), data_center::Fatal>| assert!(ended.is_ok());
        let writer = Writer::start(center, clock, Bounds::default(), |_| {}, ended).expect("a writer");
        let keys: Arc<dyn Keys> = Arc::new(FileKeys::create(&mut system_rng()));
        let told: Arc<Mutex<Vec<Notice>>> = Arc::default();
        let telling = Arc::clone(&told);
        let tell: Told = Arc::new(move |answer| telling.lock().unwrap().append(&mut answer.notices));
        let numbering = Numbering::new("TZ", &config.numbers).expect("a country");
        let room = Administration::new(Arc::new(config), location, Arc::clone(&keys), writer.clone(), numbering, tell);
        let (stop, stopping) = watch::channel(false);
        let (opened, open) = sync_channel(1);
        let path = socket.clone();
        let serving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                let socket = Socket::open(&path).expect("a socket");
                opened.send(()).unwrap();
                socket.serve(Arc::new(room), stopping).await;
            });
        });
        open.recv().expect("an open socket");
        Server { folder, socket, keys, writer, told, stop, serving: Some(serving) }
    }

    /// With the first two members of staff.
    fn staffed() -> Server {
        let server = Server::start();
        for (name, secret) in [MAKER, CHECKER] {
            server.enrol_first(name, secret).expect("one of the first two");
        }
        server
    }

    fn ask(&self, request: &Request) -> Result<Value, Fault> {
        let mut stream = UnixStream::connect(&self.socket).expect("a connection");
        stream.write_all(request.to_line().unwrap().as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        last_reply(&mut stream)
    }

    fn plain(&self, command: Command) -> Result<Value, Fault> {
        self.ask(&Request::plain(command))
    }

    fn enrol_first(&self, name: &str, secret: &str) -> Result<Value, Fault> {
        let command = Command::EnrolFirstStaff { name: name.into() };
        self.ask(&Request { staff: None, new_secret: Some(secret.into()), command })
    }

    fn by(&self, (name, secret): (&str, &str), command: Command) -> Result<Value, Fault> {
        let staff = Some(Credentials { name: name.into(), secret: secret.into() });
        self.ask(&Request { staff, new_secret: None, command })
    }

    /// Maker proposes; the proposal's number.
    fn propose(&self, measure: Measure) -> u64 {
        let told = self.by(MAKER, Command::Propose(measure)).expect("a proposal");
        told["proposal"].as_u64().expect("a number")
    }

    /// Maker proposes, Checker approves.
    fn done(&self, measure: Measure) -> Value {
        let proposal = self.propose(measure);
        self.by(CHECKER, Command::Approve { proposal }).expect("approved")
    }

    fn funded(&self, amount: &str, bank_reference: &str) {
        self.done(Measure::Issue { amount: sum(amount), bank_reference: bank_reference.into() });
    }

    fn with_agent(&self) {
        let enrol = Measure::EnrolAgent {
            code: 1042,
            number: SHOP.into(),
            name: "Corner Shop".into(),
            own_numbers: vec!["0754000007".into()],
        };
        self.done(enrol);
    }

    fn issued(&self) -> String {
        let sheet = self.plain(Command::TrialBalance).expect("a trial balance");
        assert_eq!(sheet["balanced"], true);
        sheet["currencies"][0]["issued"]["amount"].as_str().unwrap().to_owned()
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("wakala.db")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
        self.writer.stop();
    }
}

fn last_reply(stream: &mut UnixStream) -> Result<Value, Fault> {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    match serde_json::from_str(text.lines().last().expect("an answer")).expect("a reply") {
        Reply::Ok(value) => Ok(value),
        Reply::Error(fault) => Err(fault),
        Reply::Progress(_) => panic!("progress is never last"),
    }
}

fn sum(amount: &str) -> Sum {
    Sum { amount: amount.into(), currency: None }
}

fn issue(amount: &str) -> Measure {
    Measure::Issue { amount: sum(amount), bank_reference: "deposit-1".into() }
}

fn code(result: Result<Value, Fault>) -> FaultCode {
    result.expect_err("a fault").code
}

fn refusal(result: Result<Value, Fault>) -> String {
    result.expect_err("a refusal").refusal.expect("one of the books")
}

// ---- maker and checker -------------------------------------------------------------------------------------------

#[test]
fn nobody_alone_creates_money() {
    let server = Server::staffed();
    let proposal = server.propose(issue("5000000"));
    assert_eq!(server.issued(), "0.00", "a proposal moves nothing");
    assert_eq!(refusal(server.by(MAKER, Command::Approve { proposal })), "SamePerson");
    assert_eq!(server.issued(), "0.00");
    server.by(CHECKER, Command::Approve { proposal }).expect("another may");
    assert_eq!(server.issued(), "5000000.00");
    assert_eq!(refusal(server.by(CHECKER, Command::Approve { proposal })), "ProposalClosed");
    assert_eq!(server.issued(), "5000000.00", "once");
    assert_eq!(refusal(server.by(MAKER, Command::Propose(issue("1")))), "BankReferenceUsed");
}

#[test]
fn a_rejected_proposal_is_never_carried_out_and_a_maker_may_withdraw_an_own_one() {
    let server = Server::staffed();
    for rejecting in [MAKER, CHECKER] {
        let proposal = server.propose(issue("100"));
        server.by(rejecting, Command::Reject { proposal }).expect("rejected");
        assert_eq!(refusal(server.by(CHECKER, Command::Approve { proposal })), "ProposalClosed");
    }
    assert_eq!(server.issued(), "0.00");
    assert_eq!(refusal(server.by(CHECKER, Command::Approve { proposal: 999 })), "UnknownProposal");
}

#[test]
fn the_checker_sees_what_is_proposed_and_lists_shorten_numbers() {
    let server = Server::staffed();
    let proposal = server.propose(Measure::SetTier { number: SHOP.into(), tier: Tier::Full });
    let shown = server.by(CHECKER, Command::Proposal { proposal }).unwrap();
    assert_eq!(shown["measure"], json!({ "do": "set tier", "number": "+255712000007", "tier": "full" }));
    assert_eq!((&shown["maker"], &shown["state"]), (&json!("maker"), &json!("open")));
    let listed = server.by(CHECKER, Command::Proposals { all: false, full_numbers: false }).unwrap();
    assert_eq!(listed["proposals"][0]["measure"]["number"], "255…007");
    let listed = server.by(CHECKER, Command::Proposals { all: false, full_numbers: true }).unwrap();
    assert_eq!(listed["proposals"][0]["measure"]["number"], "+255712000007");
    server.by(CHECKER, Command::Reject { proposal }).unwrap();
    let open = server.by(CHECKER, Command::Proposals { all: false, full_numbers: false }).unwrap();
    assert_eq!(open["proposals"], json!([]));
    let all = server.by(CHECKER, Command::Proposals { all: true, full_numbers: false }).unwrap();
    assert_eq!(all["proposals"][0]["checker"], "checker");
}

#[test]
fn the_first_two_are_enrolled_at_once_and_everyone_after_them_by_two() {
    let server = Server::start();
    assert_eq!(code(server.enrol_first("maker", "too short")), FaultCode::BadRequest);
    server.enrol_first(MAKER.0, MAKER.1).unwrap();
    assert_eq!(refusal(server.enrol_first(MAKER.0, MAKER.1)), "NameTaken");
    server.enrol_first(CHECKER.0, CHECKER.1).unwrap();
    assert_eq!(refusal(server.enrol_first("chausiku", "yet another secret")), "StaffEnrolled");

    let enrol = Request {
        staff: Some(Credentials { name: MAKER.0.into(), secret: MAKER.1.into() }),
        new_secret: Some("yet another secret".into()),
        command: Command::Propose(Measure::EnrolStaff { name: "chausiku".into() }),
    };
    let proposal = server.ask(&enrol).unwrap()["proposal"].as_u64().unwrap();
    let chausiku = ("chausiku", "yet another secret");
    assert_eq!(code(server.by(chausiku, Command::Agents { full_numbers: false })), FaultCode::NotProven);
    server.by(CHECKER, Command::Approve { proposal }).unwrap();
    server.by(chausiku, Command::Agents { full_numbers: false }).expect("may act now");
    server.done(Measure::DismissStaff { name: "chausiku".into() });
    assert_eq!(code(server.by(chausiku, Command::Agents { full_numbers: false })), FaultCode::NotProven);
    let staff = server.plain(Command::Staff).unwrap();
    assert_eq!(staff["staff"][2]["active"], false);
}

// ---- who asks ----------------------------------------------------------------------------------------------------

#[test]
fn a_wrong_secret_is_refused_and_five_in_a_row_pause_the_name() {
    let server = Server::staffed();
    let wrong = (MAKER.0, "not the right secret");
    for _ in 0..5 {
        assert_eq!(code(server.by(wrong, Command::Propose(issue("1")))), FaultCode::NotProven);
    }
    assert_eq!(code(server.by(MAKER, Command::Propose(issue("1")))), FaultCode::Paused);
    let listed = server.by(CHECKER, Command::Proposals { all: true, full_numbers: false }).expect("others go on");
    assert_eq!(listed["proposals"], json!([]), "nothing was proposed");
}

#[test]
fn a_member_of_staff_changes_the_own_secret_alone_and_proves_the_old_one() {
    let server = Server::staffed();
    let change = |(name, secret): (&str, &str), new: Option<&str>| {
        let staff = Some(Credentials { name: name.into(), secret: secret.into() });
        server.ask(&Request { staff, new_secret: new.map(Into::into), command: Command::ChangeSecret })
    };
    let next = (MAKER.0, "a secret of next year");
    for (new, why) in [(None, "missing"), (Some("too short"), "12"), (Some(MAKER.1), "same")] {
        let fault = change(MAKER, new).expect_err("no new secret");
        assert!(fault.code == FaultCode::BadRequest && fault.message.contains(why), "{}", fault.message);
    }
    assert_eq!(code(change((MAKER.0, CHECKER.1), Some(next.1))), FaultCode::NotProven);
    let rows = |server: &Server| server.writer.read(|books| books.next().0).unwrap();
    let before = rows(&server);
    change(MAKER, Some(next.1)).expect("changed");
    assert_eq!(rows(&server), before + 1, "one row, which says who");
    assert_eq!(code(server.by(MAKER, Command::Propose(issue("1")))), FaultCode::NotProven);
    server.by(next, Command::Propose(issue("1"))).expect("the new one proves");
    server.by(CHECKER, Command::Proposals { all: true, full_numbers: false }).expect("nobody else's changed");

    // Its tries are counted like any other.
    for _ in 0..5 {
        assert_eq!(code(change(MAKER, Some("yet another long secret"))), FaultCode::NotProven);
    }
    assert_eq!(code(change(next, Some("yet another long secret"))), FaultCode::Paused);
}

#[test]
fn whatever_changes_the_books_or_shows_somebodys_affairs_needs_proof() {
    let server = Server::staffed();
    let number = || SHOP.to_owned();
    for command in [
        Command::ChangeSecret,
        Command::Propose(issue("1")),
        Command::Approve { proposal: 1 },
        Command::Reject { proposal: 1 },
        Command::Proposals { all: true, full_numbers: true },
        Command::Proposal { proposal: 1 },
        Command::Agents { full_numbers: true },
        Command::Agent { code: 1042 },
        Command::Customer { number: number() },
        Command::Cases { all: true, full_numbers: true },
        Command::Transfer { reference: "000000000000".into() },
        Command::Undelivered { full_numbers: true },
    ] {
        assert_eq!(code(server.plain(command.clone())), FaultCode::NotProven, "{command:?}");
        let stranger = ("nobody", "a secret of nobody's");
        let told = code(server.by(stranger, command.clone()));
        assert!(matches!(told, FaultCode::NotProven | FaultCode::Paused), "{command:?}");
    }
}

// ---- agents ------------------------------------------------------------------------------------------------------

#[test]
fn a_new_agent_gets_a_one_time_pin_that_no_employee_sees() {
    let server = Server::staffed();
    let proposal = server.propose(Measure::EnrolAgent {
        code: 1042,
        number: SHOP.into(),
        name: "Corner Shop".into(),
        own_numbers: Vec::new(),
    });
    let approved = server.by(CHECKER, Command::Approve { proposal }).unwrap();
    let told = std::mem::take(&mut *server.told.lock().unwrap());
    let sent = told.iter().find(|notice| matches!(notice.text, Text::OneTimePin { .. })).expect("a one-time PIN");
    assert_eq!(sent.to.digits(), 255_712_000_007);
    let sealed = &sent.code.as_ref().expect("a code").0;
    let digits = server.keys.open_at_rest("code", b"+255712000007", sealed).expect("opens for the downlink");
    let digits = std::str::from_utf8(&digits).unwrap();
    assert_eq!(digits.len(), 6);
    assert!(!approved.to_string().contains(digits));

    let pin = Code::parse(Purpose::OneTimePin, digits).and_then(|code| code.as_pin()).expect("a PIN");
    let (version, proof) = server.keys.pin_proofs("+255712000007", &pin).newest();
    let held = server
        .writer
        .read(|books| books.agents().find_map(|agent| books.account(agent.account)).and_then(|held| held.pin.proof))
        .unwrap();
    assert!(held == Some(Proof { version: version.0, tag: proof.0 }), "it is the PIN of the account");
}

#[test]
fn a_reset_draws_another_pin_each_time_it_is_approved() {
    let server = Server::staffed();
    server.with_agent();
    let mut drawn = std::collections::BTreeSet::new();
    for _ in 0..3 {
        server.told.lock().unwrap().clear();
        server.done(Measure::ResetPin { number: SHOP.into() });
        let told = server.told.lock().unwrap();
        let sealed = &told[0].code.as_ref().expect("a code").0;
        drawn.insert(server.keys.open_at_rest("code", b"+255712000007", sealed).expect("opens").to_vec());
    }
    assert!(drawn.len() > 1, "six digits are the same three times in a row once in 10^12");
}

#[test]
fn float_comes_from_the_operators_funds_and_everything_of_it_can_be_shown() {
    let server = Server::staffed();
    server.funded("5000000", "deposit-1");
    server.with_agent();
    let too_much = server.propose(Measure::SupplyFloat { agent: 1042, amount: sum("5000000.01") });
    assert_eq!(refusal(server.by(CHECKER, Command::Approve { proposal: too_much })), "NotEnoughMoney");
    let supplied = server.done(Measure::SupplyFloat { agent: 1042, amount: sum("200000.50") });
    let reference = supplied["reference"].as_str().expect("a reference").to_owned();

    let agent = server.by(MAKER, Command::Agent { code: 1042 }).unwrap();
    assert_eq!((&agent["name"], &agent["number"]), (&json!("Corner Shop"), &json!("+255712000007")));
    assert_eq!(agent["balance"], json!({ "amount": "200000.50", "currency": "TZS" }));
    assert_eq!(agent["own_numbers"], json!(["+255754000007"]));
    assert_eq!(agent["entries"][0]["reference"], reference.as_str());
    let listed = server.by(MAKER, Command::Agents { full_numbers: false }).unwrap();
    assert_eq!(listed["agents"][0]["number"], "255…007");

    let transfer = server.by(MAKER, Command::Transfer { reference: reference.clone() }).unwrap();
    assert_eq!((&transfer["kind"], &transfer["payee"]), (&json!("float"), &json!("+255712000007")));
    assert_eq!(transfer["events"][0]["request"], "Approve");
    assert_eq!(transfer["messages"][0]["state"], "not sent yet");
    let sheet = server.plain(Command::TrialBalance).unwrap();
    assert_eq!((&sheet["balanced"], sheet["accounts"].as_array().map(Vec::len)), (&json!(true), Some(9)));

    assert_eq!(code(server.by(MAKER, Command::Transfer { reference: "123456789012".into() })), FaultCode::BadRequest);
    assert_eq!(refusal(server.by(MAKER, Command::Agent { code: 7 })), "UnknownAgent");
}

#[test]
fn care_sees_the_account_and_never_anything_of_the_pin() {
    let server = Server::staffed();
    assert_eq!(code(server.by(MAKER, Command::Customer { number: SHOP.into() })), FaultCode::NotFound);
    server.with_agent();
    server.done(Measure::Freeze { number: SHOP.into() });
    let shown = server.by(MAKER, Command::Customer { number: "+255 712 000 007".into() }).unwrap();
    assert_eq!((&shown["status"], &shown["name"]), (&json!("frozen"), &json!("Corner Shop")));
    let pin: Vec<&String> = shown["pin"].as_object().expect("what may be said").keys().collect();
    assert_eq!(pin, ["one_time_until", "wrong_in_a_row"]);
    let proposal = server.propose(Measure::Freeze { number: SHOP.into() });
    assert_eq!(refusal(server.by(CHECKER, Command::Approve { proposal })), "WrongState");
}

#[test]
fn a_moved_account_takes_its_owners_name_along_and_both_numbers_are_told() {
    let server = Server::staffed();
    server.with_agent();
    let to = || "0713000007".to_owned();
    server.told.lock().unwrap().clear();
    server.done(Measure::ChangeNumber { number: SHOP.into(), to: to() });
    let shown = server.by(MAKER, Command::Customer { number: to() }).unwrap();
    assert_eq!((&shown["holder"], &shown["name"]), (&json!("agent 1042"), &json!("Corner Shop")));
    let told = server.told.lock().unwrap();
    let told: Vec<_> = told.iter().map(|notice| (notice.to.digits(), &notice.text)).collect();
    assert!(matches!(
        told[..],
        [
            (255_713_000_007, Text::NumberChanged),
            (255_713_000_007, Text::OneTimePin { .. }),
            (255_712_000_007, Text::NumberLeft)
        ]
    ));
    assert_eq!(server.plain(Command::Verify).unwrap()["sound"], true);
}

#[test]
fn what_is_typed_wrongly_is_refused_before_anything_is_proposed() {
    let server = Server::staffed();
    let number = || SHOP.to_owned();
    for measure in [
        issue("0"),
        issue("-5"),
        issue("1.005"),
        issue("1,000"),
        issue("99999999999999999999"),
        Measure::Issue { amount: sum("1"), bank_reference: " ".into() },
        Measure::Issue { amount: Sum { amount: "1".into(), currency: Some("USD".into()) }, bank_reference: "A".into() },
        Measure::SupplyFloat { agent: 0, amount: sum("1") },
        Measure::SupplyFloat { agent: 1_000_000, amount: sum("1") },
        Measure::Freeze { number: "abc".into() },
        Measure::Freeze { number: "12".into() },
        Measure::BindCard { number: number(), iccid: "123".into() },
        Measure::EnrolAgent { code: 1, number: number(), name: "  ".into(), own_numbers: Vec::new() },
        Measure::EnrolStaff { name: "without a secret".into() },
    ] {
        let command = Command::Propose(measure);
        assert_eq!(code(server.by(MAKER, command.clone())), FaultCode::BadRequest, "{command:?}");
    }
    let listed = server.by(MAKER, Command::Proposals { all: true, full_numbers: false }).unwrap();
    assert_eq!(listed["proposals"], json!([]));
}

// ---- the database ------------------------------------------------------------------------------------------------

#[test]
fn the_running_database_verifies_answers_and_is_copied_and_the_copy_restores() {
    let server = Server::staffed();
    server.funded("5000000", "deposit-1");
    let verified = server.plain(Command::Verify).unwrap();
    assert_eq!((&verified["sound"], &verified["findings"]), (&json!(true), &json!([])));
    assert_eq!(verified["currencies"][0]["issued"]["amount"], "5000000.00");
    assert_eq!(server.plain(Command::Check).unwrap()["sound"], true);

    let answer = server.plain(Command::Sql { query: "SELECT 1 AS one, 'two' AS two, NULL, x'0aff'".into() }).unwrap();
    assert_eq!(answer["rows"], json!([[1, "two", null, "0aff"]]));
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT i FROM n";
    let cut = server.plain(Command::Sql { query: many.into() }).unwrap();
    assert_eq!(cut["cut_after_rows"], 10_000);
    for writing in
        ["DELETE FROM log", "ATTACH '/tmp/x' AS x", "PRAGMA journal_mode = DELETE", "SELECT", "VACUUM INTO 'x'"]
    {
        assert_eq!(code(server.plain(Command::Sql { query: writing.into() })), FaultCode::BadRequest, "{writing}");
    }

    let copy = server.folder.path().join("copy.db");
    let backup = Command::Backup { file: copy.clone() };
    let made = server.plain(backup.clone()).unwrap();
    assert_eq!(made["head"], verified["head"]);
    assert_eq!(code(server.plain(backup)), FaultCode::BadRequest, "a backup is never overwritten");
    let mut reports = 0;
    assert_eq!(database::verify(&Location::File(copy.clone()), &mut |_| reports += 1).unwrap()["head"], made["head"]);
    assert!(reports > 0);

    let there = database::restore(&copy, &server.database(), &mut |_| {}).expect_err("the database is there");
    assert_eq!(there.code, FaultCode::Refused);
    let elsewhere = server.folder.path().join("restored.db");
    let stale = server.folder.path().join("restored.db-wal");
    fs::write(&stale, "of another database").unwrap();
    assert!(database::restore(&copy, &elsewhere, &mut |_| {}).is_err(), "a foreign log is beside it");
    fs::remove_file(&stale).unwrap();
    assert_eq!(database::restore(&copy, &elsewhere, &mut |_| {}).unwrap()["head"], made["head"]);
}

#[test]
fn the_use_of_key_versions_is_counted() {
    let server = Server::staffed();
    assert_eq!(server.plain(Command::KeyUse).unwrap(), json!({ "versions": [{ "version": 1, "proofs": 0 }] }));
    server.with_agent();
    assert_eq!(server.plain(Command::KeyUse).unwrap()["versions"][0]["proofs"], 1);
}

// ---- the socket --------------------------------------------------------------------------------------------------

#[test]
fn the_socket_is_its_owners_alone_and_goes_with_the_server() {
    let server = Server::start();
    let mode = fs::metadata(&server.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let socket = server.socket.clone();
    let folder = fs::read_dir(server.folder.path()).unwrap();
    let sockets = folder.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".sock"));
    assert_eq!(sockets.count(), 1, "nothing else is left of making it");
    drop(server);
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_stale_socket_is_replaced_a_live_one_and_a_file_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "as a killed server leaves it");
    let open = Socket::open(&path).expect("replaced");
    assert!(matches!(Socket::open(&path), Err(SocketError::InUse(_))));
    drop(open);
    fs::write(&path, "precious").unwrap();
    assert!(matches!(Socket::open(&path), Err(SocketError::NoSocket(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn several_requests_go_over_one_connection_and_what_is_none_closes_it() {
    let server = Server::start();
    let mut stream = UnixStream::connect(&server.socket).unwrap();
    stream
        .write_all(b"{\"command\":\"staff\"}\n{\"command\":\"version\"}\nnonsense\n{\"command\":\"staff\"}\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let replies: Vec<Reply> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        matches!(&replies[..], [Reply::Ok(_), Reply::Ok(_), Reply::Error(fault)] if fault.code == FaultCode::BadRequest)
    );
}

#[test]
fn a_line_has_a_bound() {
    let server = Server::start();
    let mut stream = UnixStream::connect(&server.socket).unwrap();
    // The other side may close before all of it is written.
    let _ = stream.write_all(&vec![b' '; LONGEST_REQUEST + 1]);
    assert_eq!(code(last_reply(&mut stream)), FaultCode::BadRequest);
    server.plain(Command::Version).expect("others are served");
}

#[test]
fn connections_have_a_bound_and_the_next_one_is_told_so() {
    let server = Server::start();
    let held: Vec<UnixStream> = (0..16)
        .map(|_| {
            let mut stream = UnixStream::connect(&server.socket).unwrap();
            stream.write_all(b"{\"command\":\"version\"}\n").unwrap();
            // Answered, so it has its place.
            stream.read_exact(&mut [0; 1]).unwrap();
            stream
        })
        .collect();
    let mut stream = UnixStream::connect(&server.socket).unwrap();
    assert_eq!(code(last_reply(&mut stream)), FaultCode::Busy);
    drop(held);
}
