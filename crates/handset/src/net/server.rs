//! One task owns the centre; tasks that own sockets carry octets between it and services.

use super::radio;
use crate::centre::{
    CentreEvent, Counters, Faults, LinkId, MessageCentre, NotOriginated, Presence, Settings, TooManyPhones,
};
use crate::number::Number;
use crate::phone::Outgoing;
use core::time::Duration;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use wire::smpp::ShortMessage;

/// Messages that an [`Inbox`] holds. At the bound further ones are lost to it, and counted
/// ([`CentreHandle::unheard`]).
pub const INBOX: usize = 4096;
/// Commands that wait for the centre's task. At the bound those who give them wait.
const COMMANDS: usize = 1024;
/// Commands taken at once.
const BATCH: usize = 256;
/// Pieces of octets that wait to be written to one socket. At the bound the centre's session holds more back.
const PIECES: usize = 4;
/// Octets read from a socket at once.
const PIECE: usize = 64 * 1024;
/// A service that takes nothing off its socket for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// Phones on the radio at once. At the bound further ones wait to be accepted.
const RADIOS: usize = 1024;

/// Where a centre listens, and what it keeps to.
pub struct ServerOptions {
    /// For services. Port 0 chooses a free one.
    pub smpp: SocketAddr,
    /// For phones in other programs, see [`radio`].
    pub radio: Option<SocketAddr>,
    /// Of the centre.
    pub settings: Settings,
    /// Decides which messages meet faults.
    pub seed: u64,
}

/// A message that a phone sends.
pub struct Originated {
    /// The phone.
    pub from: Number,
    /// The short code it writes to.
    pub to: String,
    /// The message.
    pub message: Outgoing,
}

/// The centre has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message centre has stopped")]
pub struct Stopped;

/// Why there is no inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoInbox {
    /// The centre has stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// It knows too many phones.
    #[error(transparent)]
    TooManyPhones(#[from] TooManyPhones),
}

/// What a phone gets, as long as this lives: dropping it switches the phone off, unless another inbox has its number.
pub struct Inbox {
    messages: mpsc::Receiver<ShortMessage>,
}

impl Inbox {
    /// The next message, or one part of one; `None` when the centre has stopped. May be cancelled without loss.
    pub async fn next(&mut self) -> Option<ShortMessage> {
        self.messages.recv().await
    }
}

type Deed = Box<dyn FnOnce(&mut Actor, Duration) + Send>;

enum Command {
    Connected(TcpStream),
    Octets(LinkId, Vec<u8>),
    /// Octets were written: there is room for more.
    Written,
    Gone(LinkId),
    Do(Deed),
    Stop(oneshot::Sender<()>),
}

/// A message centre on sockets.
pub struct CentreServer;

impl CentreServer {
    /// Starts a centre. It runs until [`CentreHandle::stop`] or the end of the runtime, even without handles.
    ///
    /// # Errors
    /// When a port cannot be had.
    pub async fn start(options: ServerOptions) -> io::Result<CentreHandle> {
        let smpp = TcpListener::bind(options.smpp).await?;
        let radio = match options.radio {
            Some(address) => Some(TcpListener::bind(address).await?),
            None => None,
        };
        let (commands, inbound) = mpsc::channel(COMMANDS);
        let smpp_address = smpp.local_addr()?;
        let radio_address = radio.as_ref().map(TcpListener::local_addr).transpose()?;
        let handle = CentreHandle { commands: commands.clone(), smpp_address, radio_address };
        let mut listeners = JoinSet::new();
        listeners.spawn(accept_services(smpp, commands.clone()));
        if let Some(radio) = radio {
            listeners.spawn(accept_phones(radio, handle.clone()));
        }
        let actor = Actor {
            centre: MessageCentre::new(options.settings, options.seed),
            begin: Instant::now(),
            commands,
            listeners,
            sockets: JoinSet::new(),
            links: HashMap::new(),
            inboxes: HashMap::new(),
            everything: Vec::new(),
            ends: JoinSet::new(),
            unheard: 0,
            stopping: None,
        };
        tokio::spawn(actor.run(inbound));
        Ok(handle)
    }
}

/// Speaks to a running centre from the same program. Cloning is cheap.
#[derive(Clone)]
pub struct CentreHandle {
    commands: mpsc::Sender<Command>,
    smpp_address: SocketAddr,
    radio_address: Option<SocketAddr>,
}

impl CentreHandle {
    /// Where services bind.
    #[must_use]
    pub fn smpp_address(&self) -> SocketAddr {
        self.smpp_address
    }

    /// Where phones attach, if anywhere.
    #[must_use]
    pub fn radio_address(&self) -> Option<SocketAddr> {
        self.radio_address
    }

    async fn ask<T: Send + 'static>(
        &self,
        deed: impl FnOnce(&mut Actor, Duration) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        let deed: Deed = Box::new(move |actor, now| drop(reply.send(deed(actor, now))));
        self.commands.send(Command::Do(deed)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Does anything with the centre, between two of its own steps. What it has to say afterwards is carried away.
    ///
    /// # Errors
    /// When it has stopped.
    pub async fn with<T: Send + 'static>(
        &self,
        deed: impl FnOnce(&mut MessageCentre, Duration) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        self.ask(|actor, now| deed(&mut actor.centre, now)).await
    }

    /// A phone sends a message, or one part of one.
    ///
    /// # Errors
    /// When the centre has stopped; inside, when it does not take the message.
    pub async fn originate(
        &self,
        from: Number,
        to: &str,
        message: Outgoing,
    ) -> Result<Result<(), NotOriginated>, Stopped> {
        let one = Originated { from, to: to.to_owned(), message };
        self.with(move |centre, now| take(centre, now, one)).await
    }

    /// Phones send many messages at once: how many of them were taken, and the reason why no more were, if so. For
    /// load.
    ///
    /// # Errors
    /// When the centre has stopped.
    pub async fn originate_many(&self, many: Vec<Originated>) -> Result<(usize, Option<NotOriginated>), Stopped> {
        self.with(move |centre, now| {
            let mut taken = 0;
            for one in many {
                if let Err(why) = take(centre, now, one) {
                    return (taken, Some(why));
                }
                taken += 1;
            }
            (taken, None)
        })
        .await
    }

    /// Switches a phone on and hears what it gets. Several inboxes of one number get the same.
    ///
    /// # Errors
    /// See [`NoInbox`].
    pub async fn subscribe(&self, number: Number) -> Result<Inbox, NoInbox> {
        Ok(self.ask(move |actor, now| actor.subscribe(now, number)).await??)
    }

    /// Hears what all phones get, whether they have inboxes or not, and switches none. At the bound of `capacity`
    /// messages further ones are lost to it, and counted.
    ///
    /// # Errors
    /// When the centre has stopped.
    pub async fn subscribe_all(&self, capacity: usize) -> Result<mpsc::Receiver<(Number, ShortMessage)>, Stopped> {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        self.ask(move |actor, _| actor.everything.push(sender)).await?;
        Ok(receiver)
    }

    /// Messages that reached a phone that had no room for them, or that nobody listens to.
    ///
    /// # Errors
    /// When the centre has stopped.
    pub async fn unheard(&self) -> Result<u64, Stopped> {
        self.ask(|actor, _| actor.unheard).await
    }

    /// From now on these faults.
    ///
    /// # Errors
    /// When the centre has stopped.
    pub async fn set_faults(&self, faults: Faults) -> Result<(), Stopped> {
        self.with(|centre, _| centre.set_faults(faults)).await
    }

    /// Switches a phone on or off, whether it has an inbox or not.
    ///
    /// # Errors
    /// See [`NoInbox`].
    pub async fn set_presence(&self, number: Number, presence: Presence) -> Result<(), NoInbox> {
        Ok(self.with(move |centre, now| centre.set_presence(now, number, presence)).await??)
    }

    /// What happened so far.
    ///
    /// # Errors
    /// When the centre has stopped.
    pub async fn counters(&self) -> Result<Counters, Stopped> {
        self.with(|centre, _| centre.counters()).await
    }

    /// Drops all links of services, as cables would.
    ///
    /// # Errors
    /// When the centre has stopped.
    pub async fn drop_links(&self) -> Result<(), Stopped> {
        self.with(|centre, now| centre.drop_links(now)).await
    }

    /// Unbinds all services in order and stops. Returns when all is closed: services have the response timeout to answer
    /// what they were sent, and as long again to agree. At once if it has stopped already.
    pub async fn stop(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Stop(reply)).await.is_ok() {
            // An error says that it has stopped.
            let _ = answer.await;
        }
    }
}

fn take(centre: &mut MessageCentre, now: Duration, one: Originated) -> Result<(), NotOriginated> {
    let Originated { from, to, message: Outgoing { body, data_coding, esm_class, .. } } = one;
    centre.originate(now, from.as_str(), &to, body, data_coding, esm_class)
}

/// One service's socket. Dropping `writer` ends it once what it holds is written.
struct Socket {
    writer: mpsc::Sender<Vec<u8>>,
    reader: AbortHandle,
}

struct Actor {
    centre: MessageCentre,
    begin: Instant,
    /// For the tasks of new sockets.
    commands: mpsc::Sender<Command>,
    /// They end with this.
    listeners: JoinSet<()>,
    /// Readers and writers of services' sockets.
    sockets: JoinSet<()>,
    links: HashMap<LinkId, Socket>,
    inboxes: HashMap<Number, Vec<mpsc::Sender<ShortMessage>>>,
    everything: Vec<mpsc::Sender<(Number, ShortMessage)>>,
    /// Each ends when an inbox is dropped.
    ends: JoinSet<Number>,
    unheard: u64,
    stopping: Option<oneshot::Sender<()>>,
}

impl Actor {
    async fn run(mut self, mut inbound: mpsc::Receiver<Command>) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.stopping.is_none() || self.centre.links().next().is_some() {
            let deadline = self.centre.poll_timeout().map(|at| self.begin + at);
            let wake = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let mut end = None;
            tokio::select! {
                _ = inbound.recv_many(&mut batch, BATCH) => {}
                Some(ended) = self.ends.join_next() => end = ended.ok(),
                Some(_) = self.sockets.join_next() => {}
                () = wake => {}
            }
            let now = self.begin.elapsed();
            if deadline.is_some_and(|at| at <= self.begin + now) {
                self.centre.handle_timeout(now);
            }
            if let Some(number) = end {
                self.unsubscribe(now, number);
            }
            for command in batch.drain(..) {
                self.handle(now, command);
            }
            while self.take_events(now) | self.transmit() {}
        }
        self.listeners.abort_all();
        // Sockets get what is left for them: their tasks end when that is written or was not taken in time.
        inbound.close();
        while self.sockets.join_next().await.is_some() {}
        if let Some(reply) = self.stopping.take() {
            let _ = reply.send(());
        }
    }

    fn handle(&mut self, now: Duration, command: Command) {
        match command {
            Command::Connected(stream) => self.connected(now, stream),
            Command::Octets(link, octets) => self.centre.handle_bytes(now, link, &octets),
            Command::Written => {}
            Command::Gone(link) => {
                self.centre.disconnect(now, link);
                self.links.remove(&link);
            }
            Command::Do(deed) => deed(self, now),
            Command::Stop(reply) => {
                self.stopping = Some(reply);
                self.centre.close(now);
            }
        }
    }

    fn connected(&mut self, now: Duration, stream: TcpStream) {
        // A link that is refused is closed without a word.
        let refused = self.stopping.is_some() || stream.set_nodelay(true).is_err();
        let Some(link) = (!refused).then(|| self.centre.connect(now).ok()).flatten() else { return };
        let (reader, writer) = stream.into_split();
        let (pieces, waiting) = mpsc::channel(PIECES);
        let reader = self.sockets.spawn(read(link, reader, self.commands.clone()));
        self.sockets.spawn(write(writer, waiting, self.commands.clone()));
        self.links.insert(link, Socket { writer: pieces, reader });
    }

    /// Whether there were any.
    fn take_events(&mut self, now: Duration) -> bool {
        let mut any = false;
        while let Some(event) = self.centre.poll_event() {
            any = true;
            match event {
                CentreEvent::ToPhone { number, message } => self.hand_out(number, message),
                CentreEvent::Bound { .. } => {}
                CentreEvent::Closed { link, .. } => {
                    self.transmit_on(link);
                    self.centre.disconnect(now, link);
                    if let Some(socket) = self.links.remove(&link) {
                        socket.reader.abort();
                    }
                }
            }
        }
        any
    }

    fn hand_out(&mut self, number: Number, message: ShortMessage) {
        let mut heard = false;
        for sender in &self.everything {
            heard |= sender.try_send((number, message.clone())).is_ok();
        }
        for sender in self.inboxes.get(&number).into_iter().flatten() {
            heard |= sender.try_send(message.clone()).is_ok();
        }
        self.unheard += u64::from(!heard);
        self.everything.retain(|sender| !sender.is_closed());
    }

    /// Whether anything was written.
    fn transmit(&mut self) -> bool {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        links.into_iter().fold(false, |any, link| self.transmit_on(link) | any)
    }

    fn transmit_on(&mut self, link: LinkId) -> bool {
        let Some(Ok(room)) = self.links.get(&link).map(|socket| socket.writer.try_reserve()) else { return false };
        let mut octets = Vec::new();
        let any = self.centre.poll_transmit(link, &mut octets);
        if any {
            room.send(octets);
        }
        any
    }

    fn subscribe(&mut self, now: Duration, number: Number) -> Result<Inbox, TooManyPhones> {
        let (sender, messages) = mpsc::channel(INBOX);
        let watched = sender.clone();
        self.inboxes.entry(number).or_default().push(sender);
        // Heard first, switched on then: what waited comes at once.
        if let Err(error) = self.centre.set_presence(now, number, Presence::On) {
            drop(messages);
            self.forget_closed(number);
            return Err(error);
        }
        self.ends.spawn(async move {
            watched.closed().await;
            number
        });
        Ok(Inbox { messages })
    }

    fn unsubscribe(&mut self, now: Duration, number: Number) {
        if self.forget_closed(number) {
            // Its presence is known already, so there is room for it.
            let _ = self.centre.set_presence(now, number, Presence::Off);
        }
    }

    /// Whether it was the last inbox of the number.
    fn forget_closed(&mut self, number: Number) -> bool {
        let Some(senders) = self.inboxes.get_mut(&number) else { return false };
        senders.retain(|sender| !sender.is_closed());
        let last = senders.is_empty();
        if last {
            self.inboxes.remove(&number);
        }
        last
    }
}

async fn accept_services(listener: TcpListener, commands: mpsc::Sender<Command>) {
    loop {
        // An error is one connection's, or too many open files: the next may do.
        match listener.accept().await {
            Ok((stream, _)) => {
                if commands.send(Command::Connected(stream)).await.is_err() {
                    return;
                }
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn accept_phones(listener: TcpListener, centre: CentreHandle) {
    let (room, mut phones) = (Arc::new(Semaphore::new(RADIOS)), JoinSet::new());
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        while phones.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let centre = centre.clone();
                phones.spawn(async move {
                    // A phone that speaks wrongly or is lost is switched off; there is nobody to tell.
                    let _ = radio::serve(stream, centre).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn read(link: LinkId, mut socket: OwnedReadHalf, commands: mpsc::Sender<Command>) {
    loop {
        let mut octets = Vec::with_capacity(PIECE);
        let command = match socket.read_buf(&mut octets).await {
            Ok(0) | Err(_) => Command::Gone(link),
            Ok(_) => Command::Octets(link, octets),
        };
        let gone = matches!(command, Command::Gone(_));
        if commands.send(command).await.is_err() || gone {
            return;
        }
    }
}

async fn write(mut socket: OwnedWriteHalf, mut pieces: mpsc::Receiver<Vec<u8>>, commands: mpsc::Sender<Command>) {
    while let Some(octets) = pieces.recv().await {
        // The reader notices too, and says so.
        let written = tokio::time::timeout(PATIENCE, socket.write_all(&octets)).await;
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
        // When the centre has stopped, what it left is still written.
        let _ = commands.send(Command::Written).await;
    }
    let _ = socket.shutdown().await;
}
