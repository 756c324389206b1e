//! The local socket: who may open it, how many at once, how long a line may be.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::Administration;
use super::protocol::{Fault, FaultCode, LONGEST_REQUEST, Progress, Reply, Request};

/// Connections at once; one more is told so and closed.
const MOST_CONNECTIONS: usize = 16;
/// How long a connection may be silent before its next request.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the other side may leave an answer unread.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// Reports of progress on their way to the connection; beyond them reports are dropped, the answer never.
const REPORTS: usize = 4;

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Something else stands at its path.
    #[error("{}: is there and no socket; remove it or set administration.socket", .0.display())]
    NoSocket(PathBuf),
    /// Another server answers there.
    #[error("{}: another server answers there; stop it or set administration.socket", .0.display())]
    InUse(PathBuf),
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// The socket, open and listening. Its file goes when it is dropped.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Socket {
    /// Opens the socket for its owner alone. The file of a server that ended without removing it is replaced; that of one
    /// that still answers is not. Needs a runtime.
    ///
    /// # Errors
    /// [`SocketError`].
    pub fn open(path: &Path) -> Result<Socket, SocketError> {
        judge_standing(path)?;
        // Made under another name, closed to others, and only then put in its place: at no moment can anyone else open it,
        // and the stale file is replaced in one step.
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(format!(".{}", std::process::id()));
        let fresh = PathBuf::from(fresh);
        let failed = |error| SocketError::Io { path: path.to_owned(), error };
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&fresh).map_err(failed)?;
        let placed =
            fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600)).and_then(|()| fs::rename(&fresh, path));
        if let Err(error) = placed {
            let _ = fs::remove_file(&fresh);
            return Err(failed(error));
        }
        Ok(Socket { listener, path: path.to_owned() })
    }

    /// Serves until `stopping` says true or its sender is gone; then takes nothing new, and ends when what is under way is
    /// done. The caller sets the deadline.
    pub async fn serve(self, administration: Arc<Administration>, mut stopping: watch::Receiver<bool>) {
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let told = stopping.clone();
            tokio::select! {
                () = told_to_stop(&mut stopping) => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection(stream, Arc::clone(&administration), Arc::clone(&room), told));
                    }
                    // Out of descriptors, most likely: what ends frees some.
                    Err(error) => {
                        tracing::warn!(%error, "administration: a connection could not be taken");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
        while connections.join_next().await.is_some() {}
    }
}

async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    // An error says that the sender is gone, which is an end too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Whether the path is free, or only a leftover stands there.
fn judge_standing(path: &Path) -> Result<(), SocketError> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(SocketError::Io { path: path.to_owned(), error }),
        Ok(found) => found,
    };
    if !found.file_type().is_socket() {
        return Err(SocketError::NoSocket(path.to_owned()));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(SocketError::Io { path: path.to_owned(), error }),
        Ok(_) => Err(SocketError::InUse(path.to_owned())),
    }
}

/// Only the server's own user and root: what the file's mode says already, and the kernel of the very peer.
fn is_trusted(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn connection(
    stream: UnixStream,
    administration: Arc<Administration>,
    room: Arc<Semaphore>,
    mut stopping: watch::Receiver<bool>,
) {
    if !is_trusted(&stream) {
        tracing::warn!("administration: a connection of another user was refused");
        return;
    }
    let (reading, mut writing) = stream.into_split();
    let Ok(_place) = room.try_acquire() else {
        let full = format!("{MOST_CONNECTIONS} commands are under way: try again later");
        let _ = say(&mut writing, &Reply::Error(Fault::new(FaultCode::Busy, full))).await;
        return;
    };
    let mut lines = Lines::new(reading);
    loop {
        let line = tokio::select! {
            () = told_to_stop(&mut stopping) => return,
            line = tokio::time::timeout(PATIENCE, lines.next()) => line,
        };
        let parsed = match line {
            Ok(Ok(Some(line))) => Request::parse(&line),
            Ok(Ok(None)) | Err(_) => return,
            Ok(Err(error)) => Err(error.to_string()),
        };
        let carried_out = match parsed {
            Ok(request) => carry_out(&administration, request, &mut writing).await,
            Err(told) => {
                // Where the next request would begin is not known.
                let _ = say(&mut writing, &Reply::Error(Fault::new(FaultCode::BadRequest, told))).await;
                return;
            }
        };
        if carried_out.is_err() {
            return;
        }
    }
}

/// One request, from its line to its answer; an error where nobody reads any more.
async fn carry_out(
    administration: &Arc<Administration>,
    request: Request,
    writing: &mut OwnedWriteHalf,
) -> io::Result<()> {
    let (report, mut reports) = mpsc::channel::<Progress>(REPORTS);
    let administration = Arc::clone(administration);
    let mut work = tokio::task::spawn_blocking(move || {
        let mut listener = |progress| {
            let _ = report.try_send(progress);
        };
        administration.carry_out(&request, &mut listener)
    });
    let result = loop {
        tokio::select! {
            biased;
            Some(progress) = reports.recv() => {
                if let Err(error) = say(writing, &Reply::Progress(progress)).await {
                    // Nobody listens any more; the command goes on to its end, in its place among the connections.
                    let _ = work.await;
                    return Err(error);
                }
            }
            result = &mut work => break result,
        }
    };
    let reply = match result {
        Ok(Ok(value)) => Reply::Ok(value),
        Ok(Err(fault)) => Reply::Error(fault),
        Err(_) => Reply::Error(Fault::new(FaultCode::Failed, "the command failed; the server's log says more")),
    };
    say(writing, &reply).await
}

/// Lines of a connection. What was read is wiped when dropped, because secrets stand in it.
struct Lines {
    reading: OwnedReadHalf,
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
}

impl Lines {
    fn new(reading: OwnedReadHalf) -> Lines {
        Lines { reading, buffer: Zeroizing::new(vec![0; LONGEST_REQUEST + 1]), filled: 0 }
    }

    /// One line without its end; none at the end of the stream. May be cancelled.
    async fn next(&mut self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        loop {
            if let Some(end) = self.buffer[..self.filled].iter().position(|octet| *octet == b'\n') {
                let line = Zeroizing::new(self.buffer[..end].to_vec());
                self.buffer.copy_within(end + 1..self.filled, 0);
                self.filled -= end + 1;
                return Ok(Some(line));
            }
            if self.filled == self.buffer.len() {
                return Err(io::Error::other(format!("a request has at most {LONGEST_REQUEST} octets")));
            }
            match self.reading.read(&mut self.buffer[self.filled..]).await? {
                0 if self.filled == 0 => return Ok(None),
                0 => return Err(io::Error::other("a request ends with its line")),
                more => self.filled += more,
            }
        }
    }
}

async fn say(writing: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    let written = tokio::time::timeout(WRITE_PATIENCE, writing.write_all(&line));
    written.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}
