//! Metrics, in the text format of OpenMetrics. What happens with every request or message is counted by atomic counters that
//! were made beforehand; histograms take a short lock. Every series of a closed list stands there from the start with zero, so that a rate can be taken of it.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use transaction_processing::account::Account;
use transaction_processing::bank::Whose;
use transaction_processing::ids::{Sequence, SystemAccount};
use transaction_processing::request::Kind;
use transaction_processing::time::Time;
use transaction_processing::{Books, Currency, Refusal};

use super::proofs::Proofs;
use crate::config::CurrencyCode;

macro_rules! labels {
    ($($(#[doc = $doc:literal])* $name:ident { $($field:ident: $type:ty),* })*) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
        struct $name { $($field: $type),* }
    )* };
}

labels! {
    RequestLabels { kind: &'static str, outcome: &'static str }
    RefusalLabels { refusal: &'static str }
    CentreLabels { centre: String }
    SubmissionLabels { centre: String, outcome: &'static str }
    StateLabels { state: &'static str }
    WhyLabels { why: &'static str }
    QueueLabels { queue: &'static str }
    MoneyLabels { currency: &'static str, account: &'static str }
    CurrencyLabels { currency: &'static str }
}

macro_rules! closed {
    ($(#[doc = $about:literal])* $list:ident { $($(#[doc = $doc:literal])* $name:ident = $word:literal,)* }) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum $list { $($(#[doc = $doc])* $name,)* }

        impl $list {
            const NAMES: &[&str] = &[$($word),*];
        }
    };
}

closed! {
    /// What a message centre made of a message.
    Submission {
        /// Taken.
        Accepted = "accepted",
        /// ESME_RTHROTTLED.
        Throttled = "throttled",
        /// ESME_RMSGQFUL.
        QueueFull = "queue_full",
        /// Any other refusal.
        Refused = "refused",
        /// No answer came; whether it was taken is not known.
        Unanswered = "unanswered",
    }
}

closed! {
    /// Why a message that came in led to no request.
    Unread {
        /// It fits no form.
        Malformed = "malformed",
        /// It has more than one part, or more than a request may have.
        TooLong = "too_long",
        /// Its sender is no number served here.
        Source = "source",
        /// It is sealed, and its seal is broken, unknown or not of our profile.
        Seal = "seal",
    }
}

closed! {
    /// A queue whose length is shown.
    Queue {
        /// Messages that wait to be sent.
        Outbox = "outbox",
        /// Changes of messages that wait to be recorded.
        Records = "records",
    }
}

/// All metrics of the process. Cheap to share behind an `Arc`.
pub struct Metrics {
    registry: Registry,
    done: Vec<Counter>,
    refused: Vec<Counter>,
    refusals: Vec<Counter>,
    unread: Vec<Counter>,
    states: Family<StateLabels, Counter>,
    received: Family<CentreLabels, Counter>,
    submissions: Family<SubmissionLabels, Counter>,
    binds: Family<CentreLabels, Gauge>,
    window: Family<CentreLabels, Gauge>,
    queues: Vec<Gauge>,
    batch_requests: Histogram,
    commit_seconds: Histogram,
    answer_seconds: Histogram,
    head: Gauge,
    waiting: Gauge,
    accounts: Family<StateLabels, Gauge>,
    money: Family<MoneyLabels, Gauge>,
    difference: Family<CurrencyLabels, Gauge>,
    /// What is proven to others.
    pub proofs: Proofs,
    decides: Gauge,
    behind: Gauge,
    took_over: Gauge,
    resident: Gauge,
}

/// The metrics of one message centre.
#[derive(Clone)]
pub struct CentreMetrics {
    received: Counter,
    submissions: Vec<Counter>,
    binds: Gauge,
    window: Gauge,
}

impl CentreMetrics {
    /// A message came in.
    pub fn received(&self) {
        self.received.inc();
    }

    /// The centre answered a message of ours, or did not.
    pub fn submitted(&self, outcome: Submission) {
        self.submissions[outcome as usize].inc();
    }

    /// A bind stands (+1) or fell (-1).
    pub fn bound(&self, change: i64) {
        self.binds.inc_by(change);
    }

    /// So many more (or, below zero, fewer) messages are in flight.
    pub fn in_flight(&self, change: i64) {
        self.window.inc_by(change);
    }
}

impl Metrics {
    /// All metrics at zero. `version` and `revision` name the build.
    pub fn new(version: &str, revision: &str) -> Metrics {
        let mut registry = Registry::default();
        // These two are known to every dashboard by their names, without our prefix.
        let resident = Gauge::<i64>::default();
        registry.register("process_resident_memory_bytes", "Memory held", resident.clone());
        let started = Gauge::<i64>::default();
        started.set(jiff::Timestamp::now().as_second());
        registry.register("process_start_time_seconds", "When the process started", started);

        let all = registry.sub_registry_with_prefix("wakala");
        let build = Info::new([("version", version.to_owned()), ("revision", revision.to_owned())]);
        all.register("build", "The build that runs", build);
        let requests: Family<RequestLabels, Counter> = new(all, "requests", "Requests decided, by kind and outcome");
        let of_kinds = |outcome| {
            let counter = |kind: &Kind| requests.get_or_create_owned(&RequestLabels { kind: kind.name(), outcome });
            Kind::ALL.iter().map(counter).collect::<Vec<_>>()
        };
        let refusals: Family<RefusalLabels, Counter> = new(all, "refusals", "Requests refused, by reason");
        let refusal = |refusal: &Refusal| refusals.get_or_create_owned(&RefusalLabels { refusal: refusal.name() });
        let unread: Family<WhyLabels, Counter> =
            new(all, "messages_unread", "Messages that led to no request, by reason");
        let why = |why: &&'static str| unread.get_or_create_owned(&WhyLabels { why });
        let queues: Family<QueueLabels, Gauge> = new(all, "queue_length", "Entries that wait in a queue");
        let queue = |queue: &&'static str| queues.get_or_create_owned(&QueueLabels { queue });
        Metrics {
            done: of_kinds("done"),
            refused: of_kinds("refused"),
            refusals: Refusal::ALL.iter().map(refusal).collect(),
            unread: Unread::NAMES.iter().map(why).collect(),
            queues: Queue::NAMES.iter().map(queue).collect(),
            states: new(all, "messages_reached", "Messages that reached a state"),
            received: new(all, "messages_received", "Messages that came in"),
            submissions: new(all, "messages_submitted", "Messages handed to a centre, by its answer"),
            binds: new(all, "binds", "Binds that stand"),
            window: new(all, "window_in_use", "Messages in flight, sent and not answered"),
            batch_requests: histogram(all, "batch_requests", "Requests of one commit", 1.0),
            commit_seconds: histogram(all, "commit_seconds", "Time of one durable commit", 0.000_25),
            answer_seconds: histogram(all, "answer_seconds", "Time from a message to its durable answer", 0.001),
            head: new(all, "log_head", "The number of the newest row of the log"),
            waiting: new(all, "waiting_transfers", "Transfers that wait to be claimed"),
            accounts: new(all, "accounts", "Accounts, by whose they are"),
            money: new(all, "money_minor_units", "What stands on the accounts, by whose they are"),
            decides: new(all, "decides", "Whether this process decides, of those that share a database"),
            behind: new(all, "behind_milliseconds", "Since when the books of an edge may lack rows of the log"),
            took_over: new(all, "took_over_milliseconds", "From the end of the lease before to this process deciding"),
            difference: new(all, "money_difference_minor_units", "All balances together, which must be nothing"),
            proofs: Proofs::new(all),
            resident,
            registry,
        }
    }

    /// A request was decided, durably where it changed anything.
    pub fn decided(&self, kind: Kind, refusal: Option<Refusal>) {
        let Some(refusal) = refusal else { return count(&self.done, Kind::ALL, kind) };
        count(&self.refused, Kind::ALL, kind);
        count(&self.refusals, Refusal::ALL, refusal);
    }

    /// A message came in that led to no request.
    pub fn unread(&self, why: Unread) {
        self.unread[why as usize].inc();
    }

    /// A message reached a state, by the name that the data centre gives it.
    pub fn message_reached(&self, state: &'static str) {
        self.states.get_or_create(&StateLabels { state }).inc();
    }

    /// So much waits in a queue.
    pub fn queue(&self, queue: Queue, length: usize) {
        self.queues[queue as usize].set(i64::try_from(length).unwrap_or(i64::MAX));
    }

    /// A batch became durable: its requests, how long the commit took, and the newest row.
    pub fn committed(&self, requests: usize, took: Duration, head: Sequence) {
        self.batch_requests.observe(requests as f64);
        self.commit_seconds.observe(took.as_secs_f64());
        self.head.set(i64::try_from(head.0).unwrap_or(i64::MAX));
    }

    /// This process decides from now on, so long after the one before it had lost the lease.
    pub fn decides(&self, gap: Duration) {
        self.decides.set(1);
        self.took_over.set(i64::try_from(gap.as_millis()).unwrap_or(i64::MAX));
    }

    /// The books of this process may lack what was written in this time.
    pub fn behind(&self, time: Duration) {
        self.behind.set(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    }

    /// A message was answered: from its arrival to the durable decision.
    pub fn answered(&self, after: Duration) {
        self.answer_seconds.observe(after.as_secs_f64());
    }

    /// The metrics of a message centre, by its name in the configuration. To be taken once and kept.
    pub fn centre(&self, name: &str) -> CentreMetrics {
        let labels = CentreLabels { centre: name.to_owned() };
        let submission = |outcome: &&'static str| {
            self.submissions.get_or_create_owned(&SubmissionLabels { centre: name.to_owned(), outcome })
        };
        CentreMetrics {
            received: self.received.get_or_create_owned(&labels),
            submissions: Submission::NAMES.iter().map(submission).collect(),
            binds: self.binds.get_or_create_owned(&labels),
            window: self.window.get_or_create_owned(&labels),
        }
    }

    /// What the books hold.
    pub fn books(&self, sample: &BooksSample) {
        self.waiting.set(sample.waiting_transfers);
        self.head.set(sample.head);
        for (state, count) in [("customer", sample.customers), ("agent", sample.agents)] {
            self.accounts.get_or_create(&StateLabels { state }).set(count);
        }
        for (currency, money) in &sample.money {
            let currency = CurrencyCode::numbered(currency.numeric).map_or("unknown", CurrencyCode::code);
            for (account, minor) in [
                ("trust", money.trust),
                ("platform", money.platform),
                ("wallets", money.wallets),
                ("float", money.float),
            ] {
                self.money.get_or_create(&MoneyLabels { currency, account }).set(minor);
            }
            self.difference.get_or_create(&CurrencyLabels { currency }).set(money.difference());
        }
    }

    /// All of it as text, for a scrape.
    pub fn text(&self) -> String {
        self.resident.set(resident_octets());
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// What stands on the accounts of one currency, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoneySample {
    /// The trust account: below zero by what was issued.
    pub trust: i64,
    /// The platform's other accounts.
    pub platform: i64,
    /// Customers' wallets.
    pub wallets: i64,
    /// Agents' float.
    pub float: i64,
}

impl MoneySample {
    /// Everything together: nothing, or the books are broken.
    pub fn difference(&self) -> i64 {
        [self.trust, self.platform, self.wallets, self.float].into_iter().fold(0, i64::saturating_add)
    }
}

/// What the books hold at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BooksSample {
    /// The newest row of the log.
    pub head: i64,
    /// Transfers that wait to be claimed.
    pub waiting_transfers: i64,
    /// Customers' accounts.
    pub customers: i64,
    /// Agents' accounts.
    pub agents: i64,
    /// The money, by currency.
    pub money: BTreeMap<Currency, MoneySample>,
}

impl BooksSample {
    /// As the books stand.
    pub fn of(books: &Books) -> BooksSample {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mut sample = BooksSample {
            head: i64::try_from(books.next().0).unwrap_or(i64::MAX).saturating_sub(1),
            waiting_transfers: count(books.expired(Time(i64::MAX), usize::MAX).count()),
            ..BooksSample::default()
        };
        for currency in books.currencies() {
            let trust = books.system(SystemAccount::Trust, currency).map_or(0, Account::balance);
            let mut money = MoneySample { trust, ..MoneySample::default() };
            for (whose, (accounts, sum)) in Whose::ALL.into_iter().zip(books.held(currency)) {
                let accounts = i64::try_from(accounts).unwrap_or(i64::MAX);
                let place = match whose {
                    Whose::Platform(_) => &mut money.platform,
                    Whose::Customers => {
                        sample.customers += accounts;
                        &mut money.wallets
                    }
                    Whose::Agents => {
                        sample.agents += accounts;
                        &mut money.float
                    }
                };
                *place = place.saturating_add(sum);
            }
            sample.money.insert(currency, money);
        }
        sample
    }
}

/// The place of a value of a closed list is that of its counter.
fn count<T: PartialEq + Copy>(counters: &[Counter], all: &[T], value: T) {
    if let Some(place) = all.iter().position(|one| *one == value) {
        counters[place].inc();
    }
}

fn new<M>(registry: &mut Registry, name: &str, about: &str) -> M
where
    M: Default + Clone + prometheus_client::registry::Metric,
{
    let metric = M::default();
    registry.register(name, about, metric.clone());
    metric
}

/// Fourteen buckets, each twice as wide as the one before.
fn histogram(registry: &mut Registry, name: &str, about: &str, first: f64) -> Histogram {
    let histogram = Histogram::new(exponential_buckets(first, 2.0, 14));
    registry.register(name, about, histogram.clone());
    histogram
}

/// Memory held by the process, octets; nothing where the system does not tell.
fn resident_octets() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok());
    kibibytes.map_or(0, |kibibytes| kibibytes.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use transaction_processing::Request;
    use transaction_processing::request::{Action, Origin};
    use transaction_processing::time::{Day, Moment, Month};

    use super::*;
    use crate::config::Config;

    #[track_caller]
    fn has(metrics: &Metrics, line: &str) {
        let text = metrics.text();
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }

    #[test]
    fn closed_lists_stand_there_from_the_start() {
        let metrics = Metrics::new("1.2.3", "abc");
        let text = metrics.text();
        for kind in Kind::ALL {
            for outcome in ["done", "refused"] {
                let line = format!("wakala_requests_total{{kind=\"{}\",outcome=\"{outcome}\"}} 0", kind.name());
                assert!(text.contains(&line), "{line}");
            }
        }
        for refusal in Refusal::ALL {
            assert!(text.contains(&format!("wakala_refusals_total{{refusal=\"{}\"}} 0", refusal.name())));
        }
        has(&metrics, "wakala_build_info{version=\"1.2.3\",revision=\"abc\"} 1");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn what_happens_is_counted_where_it_belongs() {
        let metrics = Metrics::new("", "");
        metrics.decided(Kind::Balance, None);
        metrics.decided(Kind::Balance, None);
        metrics.decided(Kind::Transfer, Some(Refusal::NotRegistered));
        metrics.unread(Unread::Seal);
        metrics.message_reached("delivered");
        metrics.queue(Queue::Outbox, 7);
        metrics.committed(64, Duration::from_millis(3), Sequence(99));
        metrics.answered(Duration::from_millis(9));
        let centre = metrics.centre("one");
        centre.received();
        centre.submitted(Submission::Throttled);
        metrics.centre("one").bound(1);
        centre.in_flight(3);
        centre.in_flight(-1);
        for line in [
            "wakala_requests_total{kind=\"Balance\",outcome=\"done\"} 2",
            "wakala_requests_total{kind=\"Transfer\",outcome=\"refused\"} 1",
            "wakala_refusals_total{refusal=\"NotRegistered\"} 1",
            "wakala_messages_unread_total{why=\"seal\"} 1",
            "wakala_messages_reached_total{state=\"delivered\"} 1",
            "wakala_queue_length{queue=\"outbox\"} 7",
            "wakala_batch_requests_bucket{le=\"32.0\"} 0",
            "wakala_batch_requests_bucket{le=\"64.0\"} 1",
            "wakala_commit_seconds_bucket{le=\"0.004\"} 1",
            "wakala_answer_seconds_count 1",
            "wakala_log_head 99",
            "wakala_messages_received_total{centre=\"one\"} 1",
            "wakala_messages_submitted_total{centre=\"one\",outcome=\"throttled\"} 1",
            "wakala_messages_submitted_total{centre=\"one\",outcome=\"accepted\"} 0",
            "wakala_binds{centre=\"one\"} 1",
            "wakala_window_in_use{centre=\"one\"} 2",
        ] {
            has(&metrics, line);
        }
    }

    #[test]
    fn the_process_says_how_much_memory_it_holds() {
        let text = Metrics::new("", "").text();
        let line = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
        assert!(line.parse::<i64>().unwrap() > 1_000_000, "{line}");
    }

    #[test]
    fn the_books_are_sampled_and_sum_to_nothing() {
        let config = Config::default();
        let currency = config.ledger.currency.currency();
        let mut books = Books::new(config.policy(), &[currency]);
        let moment = Moment { time: Time(1_700_000_000_000), day: Day(19_675), month: Month(646) };
        let terms = config.terms().remove(0);
        let action = Action::AdoptTariff(transaction_processing::requests::tariff::Fields { terms });
        let request = Request { key: None, origin: Origin::Platform, action };
        let Ok(decision) = books.decide(moment, &request) else { panic!("nothing is missing") };
        assert!(books.enter(moment, &request, decision).is_ok());
        let sample = BooksSample::of(&books);
        assert_eq!(sample.head, i64::try_from(books.next().0).unwrap() - 1);
        assert_eq!((sample.customers, sample.agents, sample.waiting_transfers), (0, 0, 0));
        assert_eq!(sample.money[&currency].difference(), 0);
        let metrics = Metrics::new("", "");
        metrics.books(&sample);
        has(&metrics, "wakala_money_minor_units{currency=\"TZS\",account=\"trust\"} 0");
        let broken = MoneySample { trust: -500, wallets: 499, ..MoneySample::default() };
        metrics.books(&BooksSample { money: [(currency, broken)].into(), customers: 3, ..sample });
        has(&metrics, "wakala_money_difference_minor_units{currency=\"TZS\"} -1");
        has(&metrics, "wakala_accounts{state=\"customer\"} 3");
    }
}
