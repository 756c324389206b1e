//! The edge's end of the link: what it asks of the one that decides, over one connection, and again of the next one where the
//! answer did not come.
//!
//! A request with a key has one effect however often it is asked. One without a key, of staff, is not asked again where the
//! connection broke: its outcome is not known, and whoever asked is told so.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_center::postgres::{self, Holder};
use data_center::{Answer, StoreError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use transaction_processing::ids::{Sequence, TransferId};
use transaction_processing::number::Number;
use transaction_processing::{Refusal, Request};
use wire::smpp::Status;

use super::frames::{
    Frames, Greeting, Hello, Say, VERSIONS, put_advice_frame, put_receipt_frame, put_request_frame, take_say,
};
use super::{Cluster, Decider, MOST_ASKED, Outgoing, Role, Way};
use crate::cli::version;
use crate::communication_gateway::{Item, Numbers, Reply, Report, Shared};
use crate::uplink::Advice;

/// How long a question waits for an answer, whoever decides meanwhile; then the centre is asked to send again. A take-over
/// takes half of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection and the handshake may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long to wait before the next try.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked for questions that waited too long.
const LOOK: Duration = Duration::from_millis(250);
/// How long an answer waits for the books of this process to have its row, so that whoever asked sees what they did.
const LEVEL: Duration = Duration::from_secs(2);
const READ_BUFFER: usize = 64 * 1024;

/// What is asked, and where the answer goes.
enum Asked {
    Request(Box<Request>, data_center::Reply),
    Advice(Advice, Reply),
    Receipt(u16, wire::smpp::Receipt, Reply),
}

/// The road to the one that decides. Nobody who uses it waits.
#[derive(Clone)]
pub struct Road {
    asked: mpsc::Sender<Asked>,
    cluster: Arc<Cluster>,
    numbers: Arc<Numbers>,
}

/// The other end of a [`Road`].
pub struct Questions(mpsc::Receiver<Asked>);

impl Road {
    /// A road, and its end.
    pub fn new(cluster: Arc<Cluster>, numbers: Arc<Numbers>) -> (Road, Questions) {
        let (asked, questions) = mpsc::channel(MOST_ASKED);
        (Road { asked, cluster, numbers }, Questions(questions))
    }

    /// Brings what the dispatch of this process would do to the one that decides; the status with which to answer where there
    /// is no room.
    pub fn tell(&self, item: Item) -> Option<(Reply, Status)> {
        match item {
            // Read from the log by whoever decides.
            Item::Row { .. } => None,
            Item::Answer { reply, .. } => Some((reply, Status::TEMPORARY_APPLICATION_ERROR)),
            Item::Advice { advice, reply } => self.ask(Asked::Advice(*advice, reply), reply),
        }
    }

    /// The same with what a link reports.
    pub fn report(&self, report: Report) -> Option<(Reply, Status)> {
        match report {
            // An edge sends nothing.
            Report::Submitted { .. } => None,
            Report::Receipt { centre, receipt, reply } => self.ask(Asked::Receipt(centre, receipt, reply), reply),
        }
    }

    fn ask(&self, asked: Asked, reply: Reply) -> Option<(Reply, Status)> {
        let full = self.asked.try_send(asked).is_err();
        full.then_some((reply, Status::TEMPORARY_APPLICATION_ERROR))
    }
}

impl postgres::Edge for Road {
    fn hand_over(&self, request: Request, reply: data_center::Reply) {
        // Dropped where there is no room: the centre is asked to send again.
        let _ = self.asked.try_send(Asked::Request(Box::new(request), reply));
    }

    fn decides(&self, holder: &Holder) {
        self.cluster.holds(holder);
    }

    fn learn(&self, number: &Number) {
        self.numbers.learn(number);
    }

    fn is_level(&self, next: Sequence) {
        self.cluster.is_level(next);
    }

    fn is_cut(&self, error: &StoreError) {
        let was_cut = std::mem::replace(&mut self.cluster.seen().is_cut, true);
        if !was_cut {
            tracing::warn!(%error, "the database cannot be asked: the books of this edge stand still");
        }
    }
}

/// A question that waits for its answer.
struct Waiting {
    asked: Asked,
    since: Instant,
    /// Whether it went out over the connection that stands.
    is_sent: bool,
    /// What is known of the answer, where a text must be handed over first.
    known: (Option<Refusal>, Option<TransferId>),
}

/// The task at the end of the road, until this process decides or ends.
pub(super) struct Link {
    shared: Arc<Shared>,
    cluster: Arc<Cluster>,
    connector: TlsConnector,
    questions: mpsc::Receiver<Asked>,
    waiting: BTreeMap<u32, Waiting>,
    next: u32,
    wake: postgres::Stop,
    /// What was last said of a connection that did not come about, so that it is said once.
    complaint: String,
}

/// Starts it.
pub fn start(
    shared: Arc<Shared>,
    cluster: Arc<Cluster>,
    way: &Way,
    Questions(questions): Questions,
    wake: postgres::Stop,
) -> tokio::task::JoinHandle<()> {
    let (connector, waiting) = (way.connector.clone(), BTreeMap::new());
    let link = Link { shared, cluster, connector, questions, waiting, next: 0, wake, complaint: String::new() };
    tokio::spawn(link.run())
}

impl Link {
    async fn run(mut self) {
        let (mut role, mut decider) = (self.cluster.role(), self.cluster.decider.subscribe());
        while *role.borrow_and_update() == Role::Edge {
            let target = decider.borrow_and_update().clone();
            if let Some(target) = target {
                let connected = tokio::select! {
                    connected = timeout(CONNECT, connect(&self.connector, &target, &self.cluster.name)) => connected,
                    _ = role.changed() => continue,
                };
                match connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut)).flatten() {
                    Ok(stream) => self.converse(stream, &target, &mut role, &mut decider).await,
                    Err(error) => self.complain(&target, &error),
                }
            }
            let rest = async {
                tokio::select! {
                    () = sleep(PAUSE) => {}
                    _ = role.changed() => {}
                }
            };
            rest.await;
            self.gather();
            self.expire();
        }
        self.gather();
        if matches!(*role.borrow(), Role::Decides(_)) {
            self.decide_here().await;
        }
    }

    fn complain(&mut self, target: &Decider, error: &io::Error) {
        let complaint = format!("{}: {error}", target.address);
        if complaint != self.complaint {
            tracing::warn!(decides = target.address, term = target.term, %error, "no link to the one that decides");
            self.complaint = complaint;
        }
    }

    /// Takes what was asked meanwhile, as far as there is room.
    fn gather(&mut self) {
        while self.waiting.len() < MOST_ASKED
            && let Ok(asked) = self.questions.try_recv()
        {
            self.wait_for(asked);
        }
    }

    fn wait_for(&mut self, asked: Asked) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let waiting = Waiting { asked, since: Instant::now(), is_sent: false, known: (None, None) };
        self.waiting.insert(number, waiting);
        number
    }

    /// Gives up what waited too long; whether there was anything that had been sent.
    fn expire(&mut self) -> bool {
        let late: Vec<_> = self.waiting.extract_if(.., |_, waiting| waiting.since.elapsed() > PATIENCE).collect();
        let was_sent = late.iter().any(|(_, waiting)| waiting.is_sent);
        for (_, Waiting { asked, .. }) in late {
            self.give_up(asked);
        }
        was_sent
    }

    /// A request's reply is dropped, which says that there is no answer.
    fn give_up(&self, asked: Asked) {
        if let Asked::Advice(_, reply) | Asked::Receipt(_, _, reply) = asked {
            self.shared.respond(reply, Status::TEMPORARY_APPLICATION_ERROR);
        }
    }

    /// One connection, until it breaks, another one decides, or this one does.
    async fn converse(
        &mut self,
        stream: TlsStream<TcpStream>,
        target: &Decider,
        role: &mut watch::Receiver<Role>,
        decider: &mut watch::Receiver<Option<Decider>>,
    ) {
        tracing::info!(decides = target.address, term = target.term, "linked to the one that decides");
        self.complaint.clear();
        self.cluster.is_linked(true);
        let (mut from, mut to) = tokio::io::split(stream);
        let mut out = Outgoing::default();
        let numbers: Vec<u32> = self.waiting.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.send(number, out.room()));
        let (mut frames, mut read, mut look) = (Frames::default(), vec![0; READ_BUFFER], interval(LOOK));
        let ended = loop {
            tokio::select! {
                result = out.carry(&mut to), if out.is_due() => if let Err(error) = result {
                    break error.to_string();
                },
                result = from.read(&mut read) => match result {
                    Ok(count) if count > 0 => {
                        frames.push(&read[..count]);
                        if !self.hear(&mut frames) {
                            break "what it says cannot be read".to_owned();
                        }
                    }
                    Ok(_) => break "closed".to_owned(),
                    Err(error) => break error.to_string(),
                },
                Some(asked) = self.questions.recv(), if self.waiting.len() < MOST_ASKED => {
                    let number = self.wait_for(asked);
                    self.send(number, out.room());
                }
                _ = role.changed() => break "this process decides or ends".to_owned(),
                _ = decider.changed() => {
                    if decider.borrow_and_update().as_ref() != Some(target) {
                        break "another one decides".to_owned();
                    }
                }
                _ = look.tick() => {
                    if self.expire() {
                        break "it does not answer".to_owned();
                    }
                }
            }
        };
        tracing::info!(decides = target.address, why = ended, "the link has ended");
        self.cluster.is_linked(false);
        // Whether these were decided is not known, and their repeat would not be.
        let unknown = |waiting: &Waiting| {
            waiting.is_sent && matches!(&waiting.asked, Asked::Request(request, _) if request.key.is_none())
        };
        self.waiting.retain(|_, waiting| !unknown(waiting));
        self.waiting.values_mut().for_each(|waiting| waiting.is_sent = false);
    }

    fn send(&mut self, number: u32, out: &mut Vec<u8>) {
        let Some(waiting) = self.waiting.get_mut(&number) else { return };
        waiting.is_sent = true;
        match &waiting.asked {
            Asked::Request(request, _) => put_request_frame(out, number, request),
            Asked::Advice(advice, _) => put_advice_frame(out, number, advice),
            Asked::Receipt(centre, receipt, _) => put_receipt_frame(out, number, *centre, receipt),
        }
    }

    /// Takes what was answered; whether all of it could be read.
    fn hear(&mut self, frames: &mut Frames) -> bool {
        loop {
            match frames.take_whole().map(|frame| frame.map(take_say)) {
                Ok(None) => return true,
                Ok(Some(Ok((number, say)))) => self.answered(number, say),
                Ok(Some(Err(_))) | Err(_) => return false,
            }
        }
    }

    fn answered(&mut self, number: u32, say: Say) {
        let Some(waiting) = self.waiting.get_mut(&number) else { return };
        match say {
            Say::Answer { refusal, transfer, waits: true, .. } => waiting.known = (refusal, transfer),
            Say::Answer { row, refusal, transfer, waits: false } => self.finish(number, row, (refusal, transfer)),
            Say::Done(Status::OK) => {
                let known = waiting.known;
                self.finish(number, None, known);
            }
            Say::Done(_) => {
                if let Some(Waiting { asked, .. }) = self.waiting.remove(&number) {
                    self.give_up(asked);
                }
            }
        }
    }

    fn finish(&mut self, number: u32, row: Option<Sequence>, known: (Option<Refusal>, Option<TransferId>)) {
        let Some(Waiting { asked, .. }) = self.waiting.remove(&number) else { return };
        let (request, reply) = match asked {
            Asked::Request(request, reply) => (request, reply),
            Asked::Advice(_, reply) | Asked::Receipt(_, _, reply) => return self.shared.respond(reply, Status::OK),
        };
        // What it told is told by the one that decides; what it changed is in the log.
        let (refusal, transfer) = known;
        let answer = Answer { row, refusal, transfer, notices: Vec::new(), numbers: Vec::new() };
        match row.filter(|_| request.key.is_none()) {
            None => reply(answer),
            Some(row) => {
                self.wake.wake();
                let mut level = self.cluster.level.subscribe();
                tokio::spawn(async move {
                    let _ = timeout(LEVEL, level.wait_for(|next| *next > row)).await;
                    reply(answer);
                });
            }
        }
    }

    /// This process decides now: what waits is decided here.
    async fn decide_here(mut self) {
        self.questions.close();
        while let Some(asked) = self.questions.recv().await {
            self.wait_for(asked);
        }
        for (_, Waiting { asked, .. }) in std::mem::take(&mut self.waiting) {
            match asked {
                Asked::Request(request, reply) => drop(self.shared.writer.try_submit(*request, reply)),
                Asked::Advice(advice, reply) => {
                    self.shared.tell_once(Item::Advice { advice: Box::new(advice), reply });
                }
                Asked::Receipt(centre, receipt, reply) => {
                    let _ = self.shared.reports().send(Report::Receipt { centre, receipt, reply }).await;
                }
            }
        }
    }
}

/// A connection to the one that decides, which says that it does.
async fn connect(connector: &TlsConnector, to: &Decider, name: &str) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(&to.address).await?;
    stream.set_nodelay(true)?;
    let host = to.address.rsplit_once(':').map_or(to.address.as_str(), |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let host = ServerName::try_from(host).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let mut stream = connector.connect(host, stream).await?;
    let mut out = Vec::new();
    Hello { versions: VERSIONS, term: to.term, name: name.to_owned(), program: version::line() }.put(&mut out);
    stream.write_all(&out).await?;
    let (mut frames, mut octet) = (Frames::default(), [0]);
    loop {
        // One at a time: what comes behind the greeting is not to be taken with it.
        stream.read_exact(&mut octet).await?;
        frames.push(&octet);
        let Some(frame) = frames.take_whole().map_err(io::Error::other)? else { continue };
        return match Greeting::take(frame).map_err(io::Error::other)? {
            Greeting::Welcome(version) if (VERSIONS.0..=VERSIONS.1).contains(&version) => Ok(stream),
            Greeting::Welcome(version) => Err(io::Error::other(format!("it speaks version {version}, unasked"))),
            Greeting::No(why) => Err(io::Error::other(why)),
        };
    }
}
