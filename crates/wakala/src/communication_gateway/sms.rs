//! Short messages: one task for each bind to a message centre, which moves its [`Link`] and owns the socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::Shared;
use super::link::{Command, Link, Output, Settings};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the last octets of a connection may take: a centre that does not read holds up nobody.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);
/// Commands taken at once.
const AT_ONCE: usize = 512;
const READ_BUFFER: usize = 64 * 1024;

/// TLS, with the name in the centre's certificate where it is not the host's.
type TlsName = (TlsConnector, Option<String>);

/// How one centre is reached.
#[derive(Clone)]
pub struct CentreLinks {
    /// How each bind is made.
    pub link: Settings,
    /// How many binds stand.
    pub binds: u8,
    /// TLS, where it is used.
    pub tls: Option<TlsName>,
}

/// The centre of each bind.
pub fn binds(centres: &[CentreLinks]) -> Vec<u16> {
    let of = |(number, centre): (usize, &CentreLinks)| std::iter::repeat_n(number as u16, usize::from(centre.binds));
    centres.iter().enumerate().flat_map(of).collect()
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) fn start(
    shared: Arc<Shared>,
    bind: u16,
    (number, centre): (u16, &CentreLinks),
    commands: mpsc::Receiver<Command>,
) -> JoinHandle<()> {
    let link = Link::new(number, bind, centre.link.clone(), Arc::clone(&shared.metrics));
    let task = LinkTask { shared, bind, link, tls: centre.tls.clone(), commands, origin: Instant::now() };
    tokio::spawn(task.run())
}

async fn connect(tls: Option<TlsName>, host: String) -> std::io::Result<Box<dyn Stream>> {
    let timed_out = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(&host)).await.map_err(timed_out)??;
    stream.set_nodelay(true)?;
    let Some((connector, name)) = tls else { return Ok(Box::new(stream)) };
    let name = name.unwrap_or_else(|| host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).to_owned());
    let name =
        ServerName::try_from(name).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?;
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, connector.connect(name, stream)).await.map_err(timed_out)??;
    Ok(Box::new(stream))
}

struct LinkTask {
    shared: Arc<Shared>,
    bind: u16,
    link: Link,
    tls: Option<TlsName>,
    commands: mpsc::Receiver<Command>,
    origin: Instant,
}

impl LinkTask {
    async fn run(mut self) {
        while !self.link.has_ended() {
            let Some(host) = self.link.poll_connect(self.now()).map(str::to_owned) else {
                let due = self.link.poll_timeout().map_or_else(tokio::time::Instant::now, |due| self.at(due));
                self.unless_ended(tokio::time::sleep_until(due)).await;
                continue;
            };
            match self.unless_ended(connect(self.tls.clone(), host.clone())).await {
                Some(Ok(stream)) => {
                    self.link.handle_connected(self.now());
                    self.converse(stream).await;
                }
                Some(Err(error)) => {
                    tracing::warn!(centre = self.link.name(), host, %error, "message centre not reached");
                }
                None => return,
            }
            self.link.handle_disconnected(self.now(), rand::random());
            self.serve().await;
        }
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn at(&self, due: Duration) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.origin + due)
    }

    /// Works without a connection, obeying meanwhile. None where the link has ended.
    async fn unless_ended<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        while !self.link.has_ended() {
            tokio::select! {
                done = &mut work => return Some(done),
                command = self.commands.recv() => {
                    self.link.handle_command(self.now(), command.unwrap_or(Command::Close));
                    self.serve().await;
                }
            }
        }
        None
    }

    /// One connection from bind to end.
    async fn converse(&mut self, stream: Box<dyn Stream>) {
        let (mut from_centre, mut to_centre) = tokio::io::split(stream);
        let mut read = vec![0; READ_BUFFER];
        let mut out = Vec::with_capacity(READ_BUFFER);
        let mut written = 0;
        let mut commands = Vec::with_capacity(AT_ONCE);
        loop {
            if written == out.len() {
                out.clear();
                written = 0;
                self.link.poll_transmit(&mut out);
            }
            let deadline = self.link.poll_timeout().map(|due| self.at(due));
            tokio::select! {
                result = to_centre.write(&out[written..]), if written < out.len() => match result {
                    Ok(count) if count > 0 => written += count,
                    end => self.lost(end),
                },
                result = from_centre.read(&mut read) => match result {
                    Ok(count) if count > 0 => self.link.handle_bytes(self.now(), &read[..count]),
                    end => self.lost(end),
                },
                _ = self.commands.recv_many(&mut commands, AT_ONCE) => {
                    let now = self.now();
                    commands.drain(..).for_each(|command| self.link.handle_command(now, command));
                }
                () = tokio::time::sleep_until(deadline.unwrap_or_else(tokio::time::Instant::now)), if deadline.is_some() => {
                    self.link.handle_timeout(self.now());
                }
            }
            if self.serve().await {
                out.drain(..written);
                self.link.poll_transmit(&mut out);
                let farewell = async {
                    let _ = to_centre.write_all(&out).await;
                    let _ = to_centre.shutdown().await;
                };
                let _ = tokio::time::timeout(FAREWELL_TIMEOUT, farewell).await;
                return;
            }
        }
    }

    /// The connection has ended, or failed: TLS says here why a certificate was refused.
    fn lost(&mut self, end: std::io::Result<usize>) {
        if let Err(error) = end {
            tracing::warn!(centre = self.link.name(), %error, "connection failed");
        }
        self.link.handle_connection_lost(self.now());
    }

    /// Does what the link asks for; whether that was to close the connection.
    async fn serve(&mut self) -> bool {
        let mut closed = false;
        while let Some(output) = self.link.poll_output() {
            let left = self.shared.serve(&mut self.link, output, &mut rand::rng());
            match left {
                Some(Output::Report(report)) => {
                    let _ = self.shared.reports.send(report).await;
                }
                Some(_) => closed = true,
                None => {}
            }
        }
        self.shared.stands(self.bind, self.link.is_bound());
        closed
    }
}
