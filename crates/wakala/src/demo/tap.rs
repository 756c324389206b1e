//! A tap on the line between message centre and platform: octets pass unchanged, and every PDU is shown as it really was.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use wire::smpp::pdu::{self, Frame, Pdu};
use wire::smpp::{ShortMessage, receipt};
use wire::sms::{self, DefaultAlphabet};

use super::log::{Event, Log, Passed, Way};

const READ_BUFFER: usize = 16 * 1024;

/// The tap. Dropping it ends it.
pub struct Tap {
    /// Where the platform connects.
    pub address: SocketAddr,
    cut: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tap {
    /// Opens a tap on a free loopback port in front of a message centre.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn open(centre: SocketAddr, log: Arc<Log>) -> io::Result<Tap> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (cut, cuts) = watch::channel(0);
        let task = tokio::spawn(serve(listener, centre, log, cuts));
        Ok(Tap { address, cut, task })
    }

    /// Cuts every connection, as a cable would be cut. The platform connects again by itself.
    pub fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

async fn serve(listener: TcpListener, centre: SocketAddr, log: Arc<Log>, cuts: watch::Receiver<u64>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((platform, _)) = accepted else { return };
                connections.spawn(connection(platform, centre, Arc::clone(&log), cuts.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(platform: TcpStream, centre: SocketAddr, log: Arc<Log>, mut cuts: watch::Receiver<u64>) {
    cuts.mark_unchanged();
    let Ok(centre) = TcpStream::connect(centre).await else { return };
    let _ = (platform.set_nodelay(true), centre.set_nodelay(true));
    let (from_platform, to_platform) = platform.into_split();
    let (from_centre, to_centre) = centre.into_split();
    tokio::select! {
        () = carry(from_platform, to_centre, Way::ToPhone, &log) => {}
        () = carry(from_centre, to_platform, Way::ToPlatform, &log) => {}
        _ = cuts.changed() => {}
    }
    log.tell(Event::Link(false));
}

/// Carries octets one way and shows the PDUs in them.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way, log: &Log) {
    let mut octets = vec![0; READ_BUFFER];
    // At most one unfinished PDU, whose length the codec bounds, and what one read brings.
    let mut unread = Vec::new();
    loop {
        let count = match from.read(&mut octets).await {
            Ok(0) | Err(_) => return,
            Ok(count) => count,
        };
        unread.extend_from_slice(&octets[..count]);
        show(&mut unread, way, log);
        if to.write_all(&octets[..count]).await.is_err() {
            return;
        }
    }
}

fn show(unread: &mut Vec<u8>, way: Way, log: &Log) {
    let mut used = 0;
    while let Ok(Some((frame, length))) = pdu::decode(&unread[used..]) {
        used += length;
        if matches!(frame.pdu, Pdu::BindResponse(_)) && frame.status.0 == 0 {
            log.tell(Event::Link(true));
        }
        if let Some(passed) = passed(&frame, way) {
            log.tell(Event::Passed(passed));
        }
    }
    unread.drain(..used);
    if unread.len() > pdu::PDU_MAX {
        unread.clear();
    }
}

/// What a PDU looks like; none for signs of life.
fn passed(frame: &Frame, way: Way) -> Option<Passed> {
    let sequence = frame.sequence;
    let simple =
        |pdu, status, content| Some(Passed { way, pdu, sequence, status, number: None, content, sealed: false });
    let answer = Some(frame.status.0);
    match &frame.pdu {
        Pdu::EnquireLink | Pdu::EnquireLinkResponse => None,
        Pdu::Bind(bind) => simple("bind_transceiver", None, bind.system_id.as_str().unwrap_or_default().to_owned()),
        Pdu::BindResponse(_) => simple("bind_transceiver_resp", answer, String::new()),
        Pdu::Unbind => simple("unbind", None, String::new()),
        Pdu::UnbindResponse => simple("unbind_resp", answer, String::new()),
        Pdu::GenericNack => simple("generic_nack", answer, String::new()),
        Pdu::SubmitResponse(id) => {
            simple("submit_sm_resp", answer, format!("message_id {}", String::from_utf8_lossy(id.as_bytes())))
        }
        Pdu::DeliverResponse => simple("deliver_sm_resp", answer, String::new()),
        Pdu::Submit(message) => Some(carried("submit_sm", sequence, way, message)),
        Pdu::Deliver(message) => Some(carried("deliver_sm", sequence, way, message)),
    }
}

fn carried(pdu: &'static str, sequence: u32, way: Way, message: &ShortMessage) -> Passed {
    let address = if way == Way::ToPlatform { &message.source } else { &message.destination };
    let number = address.digits.as_str().map(|digits| format!("+{digits}"));
    let readable = sms::read(message, DefaultAlphabet::Gsm7Unpacked);
    let (content, sealed) = match readable {
        _ if receipt::is_receipt(message) => (format!("receipt: {}", String::from_utf8_lossy(&message.body)), false),
        Ok(text) => (text.expose().to_owned(), false),
        Err(_) => (hex(&message.body), true),
    };
    Passed { way, pdu, sequence, status: None, number, content, sealed }
}

/// Octets in hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::smpp::{Address, Status};

    fn frame(pdu: Pdu) -> Vec<u8> {
        let mut octets = Vec::new();
        pdu::encode(&Frame { status: Status::OK, sequence: 7, pdu }, &mut octets);
        octets
    }

    #[test]
    fn pdus_are_shown_however_the_octets_are_cut() {
        let message = ShortMessage {
            source: Address::international("+255712000001").unwrap(),
            destination: Address::short_code("15050").unwrap(),
            body: b"HP".as_slice().into(),
            ..ShortMessage::default()
        };
        let sealed =
            ShortMessage { data_coding: 4, esm_class: 0x40, body: vec![2, 0x70, 0, 0xab].into(), ..message.clone() };
        let mut octets = frame(Pdu::Deliver(message));
        octets.extend(frame(Pdu::EnquireLink));
        octets.extend(frame(Pdu::Deliver(sealed)));
        let (log, mut unread) = (Log::default(), Vec::new());
        for octet in octets {
            unread.push(octet);
            show(&mut unread, Way::ToPlatform, &log);
        }
        let super::super::log::Since::Events(events) = log.since(0) else { panic!("a gap") };
        let shown: Vec<_> = events
            .iter()
            .map(|(_, event)| match &**event {
                Event::Passed(passed) => {
                    (passed.pdu, passed.number.clone().unwrap_or_default(), passed.content.clone())
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let number = "+255712000001".to_owned();
        assert_eq!(
            shown,
            [("deliver_sm", number.clone(), "HP".to_owned()), ("deliver_sm", number, "027000ab".to_owned())]
        );
    }
}
