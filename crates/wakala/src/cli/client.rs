//! The caller's end of the administration socket.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::exit::{Exit, Failure};
use crate::administration::protocol::{Progress, Reply, Request};

/// The longest line of an answer, octets; the server's lists are bounded far below.
const LONGEST_REPLY: u64 = 64 * 1024 * 1024;

/// Whether a server answers at this socket.
pub fn answers(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// Asks the server one thing and waits for its answer; progress is shown where somebody watches.
///
/// # Errors
/// [`Failure`].
pub fn ask(socket: &Path, request: &Request) -> Result<Value, Failure> {
    let mut stream = UnixStream::connect(socket).map_err(|error| unreachable(socket, &error))?;
    let broken =
        |error: io::Error| Failure::new(Exit::Unreachable, format!("the connection to the server broke: {error}"));
    let line = request.to_line().map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    stream.write_all(line.as_bytes()).map_err(broken)?;
    let mut reading = BufReader::new(stream);
    let bar = Bar::new();
    loop {
        let mut line = Vec::new();
        (&mut reading).take(LONGEST_REPLY).read_until(b'\n', &mut line).map_err(broken)?;
        if line.is_empty() {
            return Err(broken(io::ErrorKind::UnexpectedEof.into()));
        }
        let other =
            |_| Failure::new(Exit::Unreachable, "the server's answer is of another version: use the same program");
        match serde_json::from_slice::<Reply>(&line).map_err(other)? {
            Reply::Progress(progress) => bar.show(progress),
            Reply::Ok(value) => return Ok(value),
            Reply::Error(fault) => return Err(fault.into()),
        }
    }
}

fn unreachable(socket: &Path, error: &io::Error) -> Failure {
    let socket = socket.display();
    let message = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{socket} is not yours to open: run this as the service's user, for example with sudo -u wakala")
        }
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => format!(
            "no server answers at {socket}: start it with `wakala serve`, or name its configuration with --config"
        ),
        _ => format!("{socket}: {error}"),
    };
    Failure::new(Exit::Unreachable, message)
}

/// Progress on the terminal; nothing where standard error is none.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar of unknown length.
    pub fn new() -> Bar {
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{wide_bar} {human_pos} / {human_len}  {per_sec}  {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Bar(bar)
    }

    /// Moves it.
    pub fn show(&self, progress: Progress) {
        if progress.of > 0 {
            self.0.set_length(progress.of);
        }
        self.0.set_position(progress.done);
    }
}

impl Default for Bar {
    fn default() -> Bar {
        Bar::new()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
