//! The other end of the link: the door through which edges ask the one that decides. Only who has a certificate of the
//! cluster's own authority comes in; who asks a process that does not decide is told so.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::frames::{Ask, Frames, Greeting, Hello, Say, agree, put_say, take_ask};
use super::{Cluster, Linked, MOST_ASKED, Outgoing, Role, Way};
use crate::communication_gateway::{Item, Reply, Report, Shared};

/// Edges at once; one more is not heard.
const MOST_EDGES: usize = 64;
/// How long the handshake may take, and the last octets to an edge.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Answers taken at once.
const AT_ONCE: usize = 512;
const READ_BUFFER: usize = 64 * 1024;

/// The door, open and nobody heard yet.
pub struct Door {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Door {
    /// Opens it.
    ///
    /// # Errors
    /// Where the address is taken or not ours.
    pub async fn open(way: &Way) -> io::Result<Door> {
        Ok(Door { listener: TcpListener::bind(way.listen).await?, acceptor: way.acceptor.clone() })
    }

    /// Hears edges from now on, until the task is aborted.
    pub fn start(self, shared: Arc<Shared>, cluster: Arc<Cluster>) -> JoinHandle<()> {
        tokio::spawn(async move {
            let (room, connections) = (Arc::new(Semaphore::new(MOST_EDGES)), Arc::new(AtomicU64::new(0)));
            let mut tasks = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = self.listener.accept() => match accepted {
                        Ok((stream, from)) => {
                            let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
                            let guest = Guest {
                                shared: Arc::clone(&shared),
                                cluster: Arc::clone(&cluster),
                                generation: connections.fetch_add(1, Ordering::Relaxed),
                            };
                            let acceptor = self.acceptor.clone();
                            tasks.spawn(async move {
                                if let Err(error) = guest.serve(&acceptor, stream).await {
                                    tracing::warn!(%from, %error, "cluster: a connection was not taken or has failed");
                                }
                                drop(place);
                            });
                        }
                        Err(error) => {
                            tracing::warn!(%error, "cluster: a connection could not be taken");
                            sleep(Duration::from_millis(100)).await;
                        }
                    },
                    Some(_) = tasks.join_next() => {}
                }
            }
        })
    }
}

/// One connection.
struct Guest {
    shared: Arc<Shared>,
    cluster: Arc<Cluster>,
    generation: u64,
}

impl Guest {
    async fn serve(self, acceptor: &TlsAcceptor, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let mut stream = timeout(HANDSHAKE, acceptor.accept(stream)).await.map_err(late)??;
        let mut frames = Frames::default();
        let hello = timeout(HANDSHAKE, hello(&mut stream, &mut frames)).await.map_err(late)??;
        let greeting = self.greet(&hello);
        let mut out = Vec::new();
        greeting.put(&mut out);
        timeout(HANDSHAKE, stream.write_all(&out)).await.map_err(late)??;
        let version = match greeting {
            Greeting::Welcome(version) => version,
            Greeting::No(why) => {
                tracing::warn!(edge = hello.name, program = hello.program, why, "cluster: an edge was refused");
                let _ = timeout(HANDSHAKE, stream.shutdown()).await;
                return Ok(());
            }
        };
        tracing::info!(edge = hello.name, program = hello.program, version, "cluster: an edge is linked");
        let (say, says) = mpsc::channel(2 * MOST_ASKED);
        let edges = self.shared.edges();
        let Hello { name, program, .. } = hello;
        edges.all().insert(self.generation, Linked { name: name.clone(), program, version, say });
        let result = self.converse(stream, frames, says).await;
        edges.all().remove(&self.generation);
        tracing::info!(edge = name, "cluster: an edge has gone");
        result
    }

    fn greet(&self, hello: &Hello) -> Greeting {
        match (agree(hello.versions), *self.cluster.role().borrow()) {
            (Err(why), _) => Greeting::No(why),
            (Ok(version), Role::Decides(term)) if term == hello.term => Greeting::Welcome(version),
            (Ok(_), Role::Decides(term)) => Greeting::No(format!("it decides since term {term}, not {}", hello.term)),
            (Ok(_), Role::Edge | Role::Ending) => Greeting::No("it does not decide".to_owned()),
        }
    }

    async fn converse(
        &self,
        stream: TlsStream<TcpStream>,
        mut frames: Frames,
        mut says: mpsc::Receiver<(u32, Say)>,
    ) -> io::Result<()> {
        let (mut from, mut to) = tokio::io::split(stream);
        let (mut out, mut unanswered) = (Outgoing::default(), 0_usize);
        let (mut read, mut answers) = (vec![0; READ_BUFFER], Vec::with_capacity(AT_ONCE));
        let mut role = self.cluster.role();
        loop {
            tokio::select! {
                result = out.carry(&mut to), if out.is_due() => result?,
                result = from.read(&mut read) => match result? {
                    0 => return Ok(()),
                    count => {
                        frames.push(&read[..count]);
                        while let Some(frame) = frames.take_whole().map_err(io::Error::other)? {
                            unanswered += 1;
                            if unanswered > MOST_ASKED {
                                return Err(io::Error::other("it asks more at once than it may"));
                            }
                            let (number, ask) = take_ask(frame).map_err(io::Error::other)?;
                            self.ask(number, ask).await;
                        }
                    }
                },
                count = says.recv_many(&mut answers, AT_ONCE), if out.octets.len() < READ_BUFFER => {
                    if count == 0 {
                        return Ok(());
                    }
                    for (number, say) in answers.drain(..) {
                        if !matches!(say, Say::Answer { waits: true, .. }) {
                            unanswered = unanswered.saturating_sub(1);
                        }
                        put_say(out.room(), number, &say);
                    }
                }
                _ = role.changed() => {
                    // Whoever decides next is asked again.
                    return Ok(());
                }
            }
        }
    }

    async fn ask(&self, number: u32, ask: Ask) {
        let reply = Reply { bind: Reply::EDGES, generation: self.generation, sequence: number };
        match ask {
            Ask::Request(request) => self.shared.submit_for_edge(*request, reply),
            Ask::Advice(advice) => self.shared.tell_once(Item::Advice { advice: Box::new(advice), reply }),
            Ask::Receipt { centre, receipt } => {
                let report = Report::Receipt { centre, receipt, reply };
                // A full dispatch slows this edge.
                let _ = self.shared.reports().send(report).await;
            }
        }
    }
}

async fn hello(stream: &mut TlsStream<TcpStream>, frames: &mut Frames) -> io::Result<Hello> {
    let mut read = [0; 1024];
    loop {
        if let Some(frame) = frames.take_whole().map_err(io::Error::other)? {
            return Hello::take(frame).map_err(io::Error::other);
        }
        match stream.read(&mut read).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => frames.push(&read[..count]),
        }
    }
}
