//! Every key of the configuration: its type, default, range and explanation. The file `config/wakala.toml` is made of this.

use std::path::PathBuf;

use super::field::section;
use super::values::*;

fn path(path: &str) -> PathBuf {
    path.into()
}

fn text(text: &str) -> String {
    text.to_owned()
}

section! {
    /// Wakala's configuration. A key may also be set by an environment variable, `WAKALA_SECTION__KEY`, or on the command line,
    /// `--set section.key=value`; the command line wins over the environment, and that over this file. Keys that are not
    /// written have the values shown here. Paths that do not begin with / are below the working directory. Amounts are written
    /// in quotes, in whole currency with its decimals: "500" or "500.50". Secrets never stand here, only the names of the
    /// files that hold them.
    Config {
        /// The books.
        ledger: Ledger = Ledger::default();
        /// A PostgreSQL server that keeps the books instead of a file.
        postgres: PostgresServer = PostgresServer::default();
        /// Several processes on one PostgreSQL server: one decides, the others carry messages, hand requests to it and take over
        /// when it is gone. A process is alone where "listen" is left out. All name the same message centres, in one order.
        cluster: Cluster = Cluster::default();
        /// Which numbers are customers' addresses.
        numbers: Numbers = Numbers::default();
        /// Transfers and what becomes of them.
        transfer: Transfer = Transfer::default();
        /// PINs.
        pin: Pin = Pin::default();
        /// Withdrawal passwords and verification codes.
        codes: Codes = Codes::default();
        /// Registration from the handset.
        registration: Registration = Registration::default();
        /// The same message twice.
        repeats: Repeats = Repeats::default();
        /// Attempts on many numbers at once. Failures are wrong PINs, passwords and codes within the window.
        spraying: Spraying = Spraying::default();
        /// Agents.
        agents: Agents = Agents::default();
        /// Messages to and from people.
        messages: Messages = Messages::default();
        /// The keys that prove PINs and codes and seal what is private.
        keys: Keys = Keys::default();
        /// The administration socket and port.
        administration: Administration = Administration::default();
        /// A witness of the log: signed heads of its chain, written where another organisation keeps them. With them any
        /// later edit of the log is found, whoever made it.
        witness: Witness = Witness::default();
        /// Logs, on standard error.
        log: Log = Log::default();
        /// Ceilings, one section for each class and currency in use: "entry", "standard" and "full" are the tiers of customers,
        /// "non_customer" is a payee without an account. Days and months are the ledger's. These are an example; the law of
        /// the country sets them. A file that has any of these sections replaces all of them.
        limits: Vec<Limits> = default_limits();
        /// Prices, one section for each request, currency and date from which it holds; a later date takes over by itself. A
        /// tariff that was in force is never changed: add one with a later date. These are an example. A file that has any of
        /// these sections replaces all of them.
        tariff: Vec<Tariff> = default_tariff();
        /// Message centres, spoken to in SMPP 3.4, one section each. There is none by default; take the marks away and fill in
        /// what the operator gave you.
        message_centre: Vec<MessageCentre> = Vec::new();
    }
}

section! {
    /// The books.
    Ledger {
        /// The database file; its write-ahead log stands beside it. Not used where postgres.address is set.
        database: PathBuf = path("/var/lib/wakala/wakala.db");
        /// The currency of new wallets, ISO 4217.
        currency: CurrencyCode = TZS;
        /// Further currencies that accounts may have; each needs limits and tariffs.
        further_currencies: Vec<CurrencyCode> = Vec::new();
        /// The zone of the business day and month, by its name in the tz database.
        zone: Zone = zone("Africa/Dar_es_Salaam");
        /// The country by whose rules typed numbers are read, ISO 3166-1.
        country: String = text("TZ");
        /// The language of those who chose none: "en", "fr", "sw" or "zh".
        language: Language = Language::Swahili;
        /// Decisions made durable in one commit, at most. More means a higher rate and a longer wait.
        batch_requests: u32 = 1024, 1..=8192;
        /// Requests that wait for a decision, at most. When full, message centres are asked to send again later.
        queue_requests: u32 = 8192, 64..=1_048_576;
    }
}

section! {
    /// A PostgreSQL server that keeps the books instead of a file. Its own settings are looked at: what could lose an
    /// acknowledged commit is refused.
    PostgresServer {
        /// Where the database is, without a password. Several hosts, parted by commas, are tried at once for the one that can
        /// be written. "sslmode=require" encrypts the way and checks the server's certificate; another machine needs that, or
        /// "sslmode=disable" where the network is trusted.
        address: String, optional = text("postgres://wakala@db.example/wakala?sslmode=require");
        /// The file with the password; none where the server knows us otherwise.
        password_file: PathBuf, optional = path("/etc/wakala/postgres.password");
        /// The certificates, PEM, by one of which the server's must be signed; the system's where it is left out.
        ca_file: PathBuf, optional = path("/etc/wakala/postgres-ca.pem");
        /// What stands by when the server is lost: "synchronous" standbys, for which every commit waits, or "none".
        standbys: Standbys = Standbys::Synchronous;
        /// What to do while another process has the database: "wait" until it lets go of it, or "refuse" to start.
        in_use: InUse = InUse::Wait;
        /// How long this process has the database after it was last heard of. So long a successor waits after a crash; servers
        /// that take longer to agree who of them can be written end the process.
        lease_seconds: u32 = 15, 3..=300;
    }
}

section! {
    /// Several processes on one PostgreSQL server.
    Cluster {
        /// Where this process hears the others, "address:port". postgres.lease_seconds must be 3 or 4 then.
        listen: String, optional = text("10.0.0.1:2780");
        /// Where the others reach it, "host:port"; the host stands in its certificate. As "listen" where it is left out.
        advertise: String, optional = text("wakala1.example:2780");
        /// The certificates, PEM, by one of which that of every process must be signed; an authority of the cluster's own.
        ca_file: PathBuf, optional = path("/etc/wakala/cluster/authority.pem");
        /// The certificate of this process, PEM: `wakala cluster certificates` makes such.
        certificate_file: PathBuf, optional = path("/etc/wakala/cluster/wakala1.example.pem");
        /// Its key, PEM; readable by the service alone.
        key_file: PathBuf, optional = path("/etc/wakala/cluster/wakala1.example.key");
    }
}

section! {
    /// Which numbers are customers' addresses.
    Numbers {
        /// Whether money may be sent to mobile numbers of other countries. Messages abroad cost more, and are a way to be
        /// cheated.
        foreign: bool = false;
        /// Only numbers that begin so are served, international form without +, for example "25571"; none means every number
        /// that can be mobile.
        mobile_prefixes: Vec<String> = Vec::new();
    }
}

section! {
    /// Transfers and what becomes of them.
    Transfer {
        /// What a payee who is a customer gets: "credit" into the wallet at once, or a withdrawal "password" like anyone else.
        registered_payee: RegisteredPayee = RegisteredPayee::Credit;
        /// How long a transfer waits to be claimed; then it returns to its sender.
        withdrawal_period_days: u32 = 7, 1..=365;
        /// How long before the end the payee is reminded; 0 sends no reminder.
        reminder_before_hours: u32 = 24, 0..=8760;
        /// How long the sender of a credited transfer may ask for it back; the payee must agree.
        recall_days: u32 = 3, 0..=365;
        /// New withdrawal passwords that a sender may ask for, for one transfer.
        resends: u8 = 3, 0..=20;
    }
}

section! {
    /// PINs.
    Pin {
        /// Wrong ones in a row until the number must pause.
        tries: u8 = 3, 1..=10;
        /// That pause. Forged messages must not lock an honest person out for good.
        lock_minutes: u32 = 30, 1..=1440;
        /// Wrong ones in a row until only a reset helps.
        tries_in_all: u8 = 10, 2..=100;
        /// How long a one-time PIN lives after a reset.
        one_time_minutes: u32 = 60, 5..=1440;
    }
}

section! {
    /// Withdrawal passwords and verification codes.
    Codes {
        /// How long a verification code lives.
        verification_code_minutes: u32 = 30, 1..=1440;
        /// Wrong verification codes that a transfer stands, in all.
        verification_code_tries: u8 = 3, 1..=10;
        /// Wrong withdrawal passwords until a payee's claims pause.
        password_tries: u8 = 3, 1..=10;
        /// The first pause.
        password_first_pause_minutes: u32 = 30, 1..=1440;
        /// Every later pause.
        password_later_pause_hours: u32 = 24, 1..=720;
    }
}

section! {
    /// Registration from the handset.
    Registration {
        /// How long the code lives that completes it.
        code_minutes: u32 = 30, 1..=1440;
        /// Wrong tries, by code or PIN, until a new code must be asked for.
        code_tries: u8 = 3, 1..=10;
        /// Codes sent to one number in one business day.
        codes_per_day: u8 = 3, 1..=20;
    }
}

section! {
    /// The same message twice.
    Repeats {
        /// How long a message with an effect is known, so that the same message again has none. Message centres redeliver after
        /// hours, and people who get no answer send again.
        window_hours: u32 = 72, 1..=720;
    }
}

section! {
    /// Attempts on many numbers at once.
    Spraying {
        /// The window.
        window_minutes: u32 = 60, 1..=1440;
        /// Failures at which an agent's claims stop until the window has passed.
        per_agent: u32 = 20, 1..=1_000_000;
        /// Failures at which all attempts over one message centre stop.
        per_message_centre: u32 = 2_000, 1..=10_000_000;
        /// Failures at which all attempts stop.
        in_all: u32 = 5_000, 1..=100_000_000;
    }
}

section! {
    /// Agents.
    Agents {
        /// Whether an agent may pay out with the withdrawal password alone (GW), without the payee's own query.
        password_at_agent: bool = false;
        /// Above this the agent must give the number of the payee's identity document.
        identity_above: Amount = amount("200000.00");
        /// How long an agent may ask back a cash-in to a wrong number. Staff give back later only what was asked back in time.
        cash_in_undo_minutes: u32 = 15, 0..=1440;
    }
}

section! {
    /// Messages to and from people.
    Messages {
        /// The number that people write to, and from which the platform writes.
        short_code: String = text("15050");
        /// The number of customer care, that people are told to call: 1 to 16 digits, the first may be a plus.
        care_number: String = text("100");
        /// Whether requests in plain are served. Numbers with a card key are never served in plain.
        plain_accepted: bool = true;
        /// How long message centres keep trying to deliver a message. Messages with a code live no longer than the code.
        validity_hours: u32 = 48, 1..=168;
        /// How often a message known to be undelivered is sent again within its validity.
        resends: u8 = 3, 0..=20;
        /// The wait before the first of these; it doubles each time.
        resend_after_seconds: u32 = 60, 1..=86_400;
        /// Answers that one number gets in an hour to messages that nobody can read; the rest stay unanswered.
        malformed_answers_per_hour: u32 = 5, 1..=3600;
        /// Receipts that one number may ask about (CK) in an hour: enough for whoever doubts one, too few for whoever guesses.
        receipts_per_hour: u32 = 10, 1..=100;
        /// Numbers for which answers and receipts are counted in an hour; at the bound a further one gets none.
        counted_senders: u32 = 100_000, 1000..=10_000_000;
        /// Messages that wait to be sent, in memory, at most; the rest wait in the database.
        queue_messages: u32 = 16_384, 64..=1_048_576;
    }
}

section! {
    /// The keys that prove PINs and codes and seal what is private.
    Keys {
        /// The file that holds them, itself sealed.
        file: PathBuf = path("/var/lib/wakala/wakala.keys");
        /// The file with the passphrase that opens it; readable by the service alone.
        passphrase_file: PathBuf = path("/etc/wakala/passphrase");
        /// A PKCS#11 token (a hardware security module) that holds the keys instead; neither file is used then.
        token: Token, optional = Token::default();
    }
}

section! {
    /// A PKCS#11 token.
    Token {
        /// The module: the shared library that its maker provides.
        module: PathBuf, required = path("/usr/lib/softhsm/libsofthsm2.so");
        /// The label of the token.
        label: String, required = text("wakala");
        /// The file with the PIN of the token's user; readable by the service alone.
        pin_file: PathBuf, required = path("/etc/wakala/token-pin");
    }
}

section! {
    /// The administration socket and port.
    Administration {
        /// The local socket over which commands reach the running server; only its owner may open it.
        socket: PathBuf = path("/run/wakala/wakala.sock");
        /// Where /livez, /readyz, /metrics and /version answer, without a password: never a public address.
        listen: String = text("127.0.0.1:9464");
        /// How long the server may take to end its work when it is asked to stop.
        drain_seconds: u32 = 20, 1..=600;
    }
}

section! {
    /// A witness of the log.
    Witness {
        /// The folder in which the heads are written, one file a month; it must be there. Nothing is written without one.
        directory: PathBuf, optional = path("/var/lib/wakala/witness");
        /// How often a head is written, if the log has grown.
        every_seconds: u32 = 60, 1..=3600;
    }
}

section! {
    /// Logs, on standard error. Numbers are shortened in them, secrets never stand there.
    Log {
        /// "json", "text", or "auto": text on a terminal, JSON elsewhere.
        format: LogFormat = LogFormat::Auto;
        /// The least important events that are logged: "error", "warn", "info", "debug" or "trace".
        level: LogLevel = LogLevel::Info;
    }
}

section! {
    /// The ceilings of one class in one currency.
    Limits {
        /// For whom: "entry", "standard", "full" or "non_customer".
        class: Class, required = Class::Entry;
        /// The currency; the ledger's where it is left out.
        currency: CurrencyCode, optional = KES;
        /// The least that one request may move.
        least: Amount, required = amount("100.00");
        /// The most that one request may move.
        per_transaction: Amount, required = amount("500000.00");
        /// The most that may be sent in one day; for a non-customer, received.
        per_day: Amount, required = amount("1000000.00");
        /// The most in one month.
        per_month: Amount, required = amount("5000000.00");
        /// The highest balance; a non-customer has none.
        balance: Amount, optional = amount("1000000.00");
    }
}

fn limits(class: Class, per_transaction: &str, per_day: &str, per_month: &str, balance: Option<&str>) -> Limits {
    Limits {
        class,
        currency: None,
        least: amount("100.00"),
        per_transaction: amount(per_transaction),
        per_day: amount(per_day),
        per_month: amount(per_month),
        balance: balance.map(amount),
    }
}

fn default_limits() -> Vec<Limits> {
    vec![
        limits(Class::Entry, "500000.00", "1000000.00", "5000000.00", Some("1000000.00")),
        limits(Class::Standard, "3000000.00", "5000000.00", "50000000.00", Some("10000000.00")),
        limits(Class::Full, "5000000.00", "10000000.00", "100000000.00", Some("20000000.00")),
        limits(Class::NonCustomer, "1000000.00", "1000000.00", "3000000.00", None),
    ]
}

section! {
    /// The price of amounts up to a ceiling.
    Band {
        /// The largest amount of this band; amounts above the last band are priced by the last.
        up_to: Amount, required = amount("5000.00");
        /// Charged on every one.
        fixed: Amount = amount("0");
        /// And so many thousandths of the amount.
        per_mille: u32 = 0, 0..=1000;
        /// But at least this.
        minimum: Amount = amount("0");
        /// And at most this.
        maximum: Amount, optional = amount("100.00");
    }
}

section! {
    /// The price of one request.
    Tariff {
        /// What it prices: "transfer", "withdrawal" (of a waiting transfer, in cash), "cash_in" or "cash_out".
        request: Priced, required = Priced::Transfer;
        /// The currency; the ledger's where it is left out.
        currency: CurrencyCode, optional = KES;
        /// From when it holds: a date, from its first moment in the ledger's zone, or a moment, "2026-01-31T06:00:00+03:00".
        effective_from: EffectiveFrom, required = day(2026, 1, 1);
        /// Who bears it: "sender" on top of the amount, "payee" out of it, or "operator", where the fee is only what the agent's
        /// share is reckoned from.
        payer: Payer, required = Payer::Sender;
        /// The bands, rising; a larger amount never costs less than a smaller one.
        bands: Vec<Band>, required = vec![Band::default()];
        /// The agent's share of the fee, thousandths.
        agent_share_per_mille: u32 = 0, 0..=1000;
        /// The levy for the state, thousandths of the fee, on top of it.
        levy_per_mille_of_fee: u32 = 0, 0..=1000;
        /// The levy for the state, thousandths of the amount.
        levy_per_mille_of_amount: u32 = 0, 0..=1000;
        /// Whether a transfer that returns unclaimed or is recalled leaves its fee with the operator.
        fee_kept_on_return: bool = false;
    }
}

fn fixed(up_to: &str, fixed: &str) -> Band {
    Band { up_to: amount(up_to), fixed: amount(fixed), ..Band::default() }
}

fn share(per_mille: u32, minimum: &str, maximum: &str) -> Vec<Band> {
    let (minimum, maximum) = (amount(minimum), Some(amount(maximum)));
    vec![Band { up_to: amount("5000000.00"), fixed: amount("0"), per_mille, minimum, maximum }]
}

fn default_tariff() -> Vec<Tariff> {
    let tariff = |request, payer, bands, agent_share_per_mille, levy_per_mille_of_fee| Tariff {
        request,
        payer,
        bands,
        agent_share_per_mille,
        levy_per_mille_of_fee,
        ..Tariff::default()
    };
    let transfer = vec![
        fixed("1000.00", "20.00"),
        fixed("5000.00", "60.00"),
        fixed("20000.00", "200.00"),
        fixed("50000.00", "400.00"),
        fixed("100000.00", "700.00"),
        fixed("300000.00", "1000.00"),
        fixed("1000000.00", "2000.00"),
        fixed("5000000.00", "4000.00"),
    ];
    vec![
        tariff(Priced::Transfer, Payer::Sender, transfer, 0, 100),
        tariff(Priced::Withdrawal, Payer::Payee, share(10, "100.00", "10000.00"), 500, 100),
        tariff(Priced::CashIn, Payer::Operator, share(2, "50.00", "3000.00"), 1000, 0),
        tariff(Priced::CashOut, Payer::Sender, share(10, "100.00", "10000.00"), 500, 100),
    ]
}

section! {
    /// TLS towards a message centre.
    Tls {
        /// The certificates, PEM, by one of which the centre's must be signed; the system's where it is left out.
        ca_file: PathBuf, optional = path("/etc/wakala/operator-ca.pem");
        /// Our certificate, PEM, where the centre asks for one.
        certificate_file: PathBuf, optional = path("/etc/wakala/certificate.pem");
        /// Its key, PEM; readable by the service alone.
        key_file: PathBuf, optional = path("/etc/wakala/certificate.key");
        /// The name in the centre's certificate; the host where it is left out.
        server_name: String, optional = text("smsc.operator.example");
    }
}

section! {
    /// One message centre.
    MessageCentre {
        /// Its name here: in logs, metrics and commands.
        name: String, required = text("operator");
        /// Its addresses, "host:port", tried in turn.
        hosts: Vec<String>, required = vec![text("smsc.operator.example:2775")];
        /// The directions of its binds: "transceiver", "receiver" or "transmitter".
        bind: BindKind = BindKind::Transceiver;
        /// How many binds stand at once.
        binds: u8 = 1, 1..=64;
        /// The name the centre knows us by, at most 15 characters.
        system_id: String, required = text("wakala");
        /// The file with the password, at most 8 characters; readable by the service alone.
        password_file: PathBuf, required = path("/etc/wakala/operator.password");
        /// system_type, at most 12 characters, as the operator says.
        system_type: String = text("");
        /// TLS; plain where it is left out.
        tls: Tls, optional = Tls { ca_file: Some(path("/etc/wakala/operator-ca.pem")), ..Tls::default() };
        /// Messages in flight on one bind, sent and not answered.
        window: u32 = 10, 1..=10_000;
        /// Messages a second that one bind may send in the long run; 0 leaves it to the window.
        rate_per_second: u32 = 0, 0..=1_000_000;
        /// Messages that may go at once after a pause.
        burst: u32 = 10, 1..=100_000;
        /// A sign of life is asked for after this long without one.
        enquire_link_seconds: u32 = 30, 1..=3600;
        /// How long an answer may take.
        response_timeout_seconds: u32 = 10, 1..=600;
        /// For how long "throttled" silences a bind.
        throttled_pause_seconds: u32 = 5, 1..=3600;
        /// What data_coding 0 means here: "gsm7" (one character an octet), "gsm7_packed" or "latin1".
        default_alphabet: DefaultAlphabet = DefaultAlphabet::Gsm7;
        /// How message ids are written in answers: "verbatim", "decimal" or "hexadecimal".
        response_id_form: MessageIdForm = MessageIdForm::Verbatim;
        /// How they are written in receipts.
        receipt_id_form: MessageIdForm = MessageIdForm::Verbatim;
        /// Whether the parts of a longer message bear 16-bit references; 8-bit ones, which every phone knows, otherwise.
        wide_references: bool = false;
        /// The type of number under which the short code is sent: 0 unknown, 1 international, 3 network specific, 5 letters.
        source_ton: u8 = 3, 0..=7;
        /// Its numbering plan: 0 unknown, 1 E.164.
        source_npi: u8 = 0, 0..=18;
        /// Numbers that begin so get their messages through this centre, international form without +; none means all that no
        /// other centre names.
        prefixes: Vec<String> = Vec::new();
    }
}
