//! The radio between phones and the centre, when they are different programs: JSON lines over TCP.
//!
//! ```text
//! phone  > {"attach":{"number":"+255712000001"}}
//! centre < {"attached":{"number":"255712000001"}}
//! phone  > {"send":{"to":"15050","body":"424c2a31323334","data_coding":0,"esm_class":0}}
//! centre < {"sent":{}}                      or {"refused":{"why":"no service has this short code"}}
//! centre < {"incoming":{"from":"15050","body":"4f4b","data_coding":0,"esm_class":0}}
//! ```
//! `attach` comes first and once; each `send` is answered once, in order. Bodies are hexadecimal, at most 1024 octets;
//! lines are at most 4096 octets. A line that is none of these ends the connection. The phone is on while it is
//! attached and off from then on, so what comes meanwhile waits for it. It is a line for one machine or a test bench:
//! whoever reaches it may be any phone.

use super::lines::{LINE_MAX, Lines};
use super::server::{CentreHandle, Inbox};
use crate::hex;
use crate::number::Number;
use crate::phone::Outgoing;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, ToSocketAddrs};
use wire::smpp::{Address, ShortMessage};
use zeroize::Zeroizing;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum FromPhone {
    Attach { number: String },
    Send { to: String, body: Zeroizing<String>, data_coding: u8, esm_class: u8 },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum FromCentre {
    Attached { number: String },
    Sent {},
    Refused { why: String },
    Incoming { from: String, body: Zeroizing<String>, data_coding: u8, esm_class: u8 },
}

impl FromCentre {
    fn incoming(message: &ShortMessage) -> Self {
        Self::Incoming {
            from: message.source.digits.as_bytes().escape_ascii().to_string(),
            body: hex::encode(&message.body).into(),
            data_coding: message.data_coding,
            esm_class: message.esm_class,
        }
    }
}

/// Both ends speak in lines.
struct Wire {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Wire {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { lines: Lines::new(BufReader::new(reader)), writer })
    }

    async fn write(&mut self, words: &impl Serialize) -> io::Result<()> {
        let mut line = Zeroizing::new(Vec::with_capacity(LINE_MAX + 1));
        serde_json::to_writer(&mut *line, words)?;
        line.push(b'\n');
        self.writer.write_all(&line).await
    }

    /// May be cancelled without loss.
    async fn read<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some(line) = self.lines.next().await? else { return Ok(None) };
        // serde_json's error may quote the line, and so a PIN.
        let words = serde_json::from_slice(&line);
        words.map(Some).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not a line of the radio protocol"))
    }
}

fn out_of_turn() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "out of turn")
}

/// The centre's end of one phone's connection.
pub(super) async fn serve(stream: TcpStream, centre: CentreHandle) -> io::Result<()> {
    let mut wire = Wire::new(stream)?;
    let number = match wire.read().await? {
        Some(FromPhone::Attach { number }) => Number::try_from(&*number).map_err(io::Error::other),
        Some(FromPhone::Send { .. }) => Err(out_of_turn()),
        None => return Ok(()),
    };
    let inbox = match number {
        Ok(number) => centre.subscribe(number).await.map(|inbox| (number, inbox)).map_err(io::Error::other),
        Err(error) => Err(error),
    };
    match inbox {
        Ok((number, inbox)) => {
            wire.write(&FromCentre::Attached { number: number.to_string() }).await?;
            relay(wire, number, inbox, centre).await
        }
        Err(error) => wire.write(&FromCentre::Refused { why: error.to_string() }).await,
    }
}

async fn relay(mut wire: Wire, number: Number, mut inbox: Inbox, centre: CentreHandle) -> io::Result<()> {
    loop {
        tokio::select! {
            line = wire.read() => {
                let answer = match line? {
                    Some(FromPhone::Send { to, body, data_coding, esm_class }) => {
                        send(&centre, number, to, &body, data_coding, esm_class).await
                    }
                    Some(FromPhone::Attach { .. }) => return Err(out_of_turn()),
                    None => return Ok(()),
                };
                let answer = answer.map_or_else(|why| FromCentre::Refused { why }, |()| FromCentre::Sent {});
                wire.write(&answer).await?;
            }
            message = inbox.next() => match message {
                Some(message) => wire.write(&FromCentre::incoming(&message)).await?,
                None => return Ok(()),
            },
        }
    }
}

async fn send(
    centre: &CentreHandle,
    from: Number,
    to: String,
    body: &str,
    data_coding: u8,
    esm_class: u8,
) -> Result<(), String> {
    let mut body = hex::decode(body).ok_or("the body is not hexadecimal")?;
    let outgoing = Outgoing { body: std::mem::take(&mut *body).into(), data_coding, esm_class, sealed: false };
    let result = centre.originate(from, &to, outgoing).await;
    result.map_err(|stopped| stopped.to_string())?.map_err(|why| why.to_string())
}

/// A phone's end, in another program than the centre.
pub struct RadioClient {
    wire: Wire,
}

/// What a phone hears.
#[derive(Debug)]
pub enum RadioEvent {
    /// The centre has taken the oldest unanswered message.
    Sent,
    /// The centre has refused the oldest unanswered message.
    Refused {
        /// Why, in words.
        why: String,
    },
    /// A message, or one part of one. Its source is digits or letters of no type.
    Incoming(ShortMessage),
}

impl RadioClient {
    /// Attaches a phone.
    ///
    /// # Errors
    /// When there is no centre, it speaks otherwise, or it refuses.
    pub async fn attach(centre: impl ToSocketAddrs, number: Number) -> io::Result<Self> {
        let mut wire = Wire::new(TcpStream::connect(centre).await?)?;
        wire.write(&FromPhone::Attach { number: number.to_string() }).await?;
        match wire.read().await? {
            Some(FromCentre::Attached { .. }) => Ok(Self { wire }),
            Some(FromCentre::Refused { why }) => Err(io::Error::other(why)),
            Some(_) => Err(out_of_turn()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Sends a message; [`RadioClient::next`] tells whether it was taken.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn send(&mut self, to: &str, message: &Outgoing) -> io::Result<()> {
        let Outgoing { body, data_coding, esm_class, .. } = message;
        let (to, body) = (to.to_owned(), hex::encode(body).into());
        self.wire.write(&FromPhone::Send { to, body, data_coding: *data_coding, esm_class: *esm_class }).await
    }

    /// What comes next; `None` when the centre is gone. May be cancelled without loss.
    ///
    /// # Errors
    /// When the connection is lost, or the centre speaks otherwise.
    pub async fn next(&mut self) -> io::Result<Option<RadioEvent>> {
        Ok(match self.wire.read().await? {
            None => None,
            Some(FromCentre::Sent {}) => Some(RadioEvent::Sent),
            Some(FromCentre::Refused { why }) => Some(RadioEvent::Refused { why }),
            Some(FromCentre::Attached { .. }) => return Err(out_of_turn()),
            Some(FromCentre::Incoming { from, body, data_coding, esm_class }) => {
                let source = Address::new(0, 0, &from).map_err(|_| out_of_turn())?;
                let mut body = hex::decode(&body).ok_or_else(out_of_turn)?;
                let body = std::mem::take(&mut *body).into();
                Some(RadioEvent::Incoming(ShortMessage { source, body, data_coding, esm_class, ..Default::default() }))
            }
        })
    }
}
