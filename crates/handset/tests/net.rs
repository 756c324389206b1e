//! Real sockets: a service over SMPP, phones in this program and over the radio, a phone on a terminal.

mod common;

use common::{SHORT_CODE, settings, submission};
use core::time::Duration;
use encryption::secured_packet::{self, COMMAND_HEADER, Counter};
use encryption::{CardKeys, CardMaster};
use handset::Number;
use handset::centre::{Faults, NotOriginated, Presence, Settings};
use handset::net::{CentreHandle, CentreServer, Originated, RadioClient, RadioEvent, ServerOptions};
use handset::phone::{Card, MemoryCounters, Outgoing, Phone};
use handset::terminal::{TerminalOptions, Typed, run_on};
use std::time::Instant;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use wire::smpp::{
    Address, BindKind, ClientConfig, Closed, Event, LinkConfig, MessageState, Session, ShortMessage, Status,
};

const ALICE: &str = common::ALICE;
const BOB: &str = common::BOB;

fn number(text: &str) -> Number {
    text.try_into().unwrap()
}

async fn centre_with(settings: Settings) -> CentreHandle {
    let any = "127.0.0.1:0".parse().unwrap();
    CentreServer::start(ServerOptions { smpp: any, radio: Some(any), settings, seed: 1 }).await.unwrap()
}

async fn centre() -> CentreHandle {
    centre_with(settings()).await
}

fn plain(text: &str) -> Outgoing {
    Phone::new(number(ALICE), None).compose(text).unwrap()
}

/// A service on a real socket, driven as far as the test waits for events.
struct Service {
    stream: TcpStream,
    session: Session,
    begin: Instant,
}

impl Service {
    async fn connect(centre: &CentreHandle) -> Self {
        let link = LinkConfig { window: 1000, queue: 100_000, inbound_window: 100_000, ..LinkConfig::default() };
        let config = ClientConfig {
            system_id: "wakala".try_into().unwrap(),
            password: "secret".into(),
            system_type: Default::default(),
            kind: BindKind::Transceiver,
            link,
        };
        let stream = TcpStream::connect(centre.smpp_address()).await.unwrap();
        let mut service = Self { stream, session: Session::client(config, Duration::ZERO), begin: Instant::now() };
        assert!(matches!(service.event().await, Event::Bound { .. }));
        service
    }

    /// The next event. Messages and receipts are answered by the caller.
    async fn event(&mut self) -> Event {
        loop {
            self.flush().await;
            if let Some(event) = self.session.poll_event() {
                return event;
            }
            let mut octets = Vec::with_capacity(64 * 1024);
            match self.stream.read_buf(&mut octets).await {
                Ok(0) | Err(_) => self.session.connection_lost(),
                Ok(_) => self.session.handle_bytes(self.begin.elapsed(), &octets),
            }
        }
    }

    async fn flush(&mut self) {
        let mut octets = Vec::new();
        if self.session.poll_transmit(&mut octets) {
            // A lost link shows when reading.
            let _ = self.stream.write_all(&octets).await;
        }
    }

    /// The next message, answered.
    async fn message(&mut self) -> ShortMessage {
        loop {
            match self.event().await {
                Event::Delivered { sequence, message } => {
                    self.session.respond(sequence, Status::OK);
                    self.flush().await;
                    return message;
                }
                Event::Receipt { sequence, .. } => drop(self.session.respond(sequence, Status::OK)),
                Event::Closed(why) => panic!("closed: {why:?}"),
                _ => {}
            }
        }
    }

    async fn submit(&mut self, message: ShortMessage) {
        self.session.submit(self.begin.elapsed(), message, 0).ok().unwrap();
        self.flush().await;
    }

    /// The state in the next receipt, answered.
    async fn receipt(&mut self) -> MessageState {
        loop {
            if let Event::Receipt { sequence, receipt } = self.event().await {
                self.session.respond(sequence, Status::OK);
                self.flush().await;
                return receipt.state;
            }
        }
    }
}

#[tokio::test]
async fn a_phone_in_this_program_and_a_service_exchange_messages() {
    let centre = centre().await;
    let mut inbox = centre.subscribe(number(ALICE)).await.unwrap();
    let mut service = Service::connect(&centre).await;
    centre.originate(number(ALICE), SHORT_CODE, plain("BL*1234")).await.unwrap().unwrap();
    let message = service.message().await;
    assert_eq!((&message.body[..], message.source.digits.as_str()), (&b"BL*1234"[..], Some(&ALICE[1..])));
    service.submit(submission(ALICE, "500.00")).await;
    assert_eq!(inbox.next().await.unwrap().body[..], *b"500.00");
    assert_eq!(service.receipt().await, MessageState::Delivered);
    let refused = centre.originate(number(ALICE), "not a code", plain("BL*1234")).await.unwrap();
    assert!(matches!(refused, Err(NotOriginated::InvalidNumber(_))));
    let counters = centre.counters().await.unwrap();
    assert_eq!((counters.delivered, counters.to_phones, counters.binds_accepted), (1, 1, 1));
    assert_eq!(centre.unheard().await.unwrap(), 0);
}

#[tokio::test]
async fn a_phone_is_off_when_its_inbox_is_dropped() {
    let centre = centre().await;
    let mut service = Service::connect(&centre).await;
    let (first, second) =
        (centre.subscribe(number(ALICE)).await.unwrap(), centre.subscribe(number(ALICE)).await.unwrap());
    drop(first);
    service.submit(submission(ALICE, "on")).await;
    assert_eq!(service.receipt().await, MessageState::Delivered, "one inbox is left");
    drop(second);
    while centre.with(|centre, _| centre.presence(number(ALICE))).await.unwrap() == Presence::On {
        tokio::task::yield_now().await;
    }
    service.submit(submission(ALICE, "off")).await;
    assert_eq!(service.receipt().await, MessageState::Enroute);
    let mut inbox = centre.subscribe(number(ALICE)).await.unwrap();
    assert_eq!(inbox.next().await.unwrap().body[..], *b"off");
    assert_eq!(service.receipt().await, MessageState::Delivered);
}

#[tokio::test]
async fn what_a_dropped_link_left_open_comes_again() {
    let centre = centre().await;
    let mut service = Service::connect(&centre).await;
    centre.originate(number(ALICE), SHORT_CODE, plain("BL*1234")).await.unwrap().unwrap();
    assert!(matches!(service.event().await, Event::Delivered { .. }));
    centre.drop_links().await.unwrap();
    assert!(matches!(service.event().await, Event::Closed(Closed::ConnectionLost)));
    let mut service = Service::connect(&centre).await;
    assert_eq!(service.message().await.body[..], *b"BL*1234");
    centre.drop_links().await.unwrap();
    // bind, its response, deliver_sm.
    centre.set_faults(Faults { drop_link_after: Some(3), ..Default::default() }).await.unwrap();
    centre.originate(number(ALICE), SHORT_CODE, plain("ST*1234")).await.unwrap().unwrap();
    let mut service = Service::connect(&centre).await;
    assert!(matches!(service.event().await, Event::Delivered { .. }));
    assert!(matches!(service.event().await, Event::Closed(Closed::ConnectionLost)));
}

#[tokio::test]
async fn stop_unbinds_and_ends() {
    let centre = centre().await;
    let mut service = Service::connect(&centre).await;
    let mut inbox = centre.subscribe(number(ALICE)).await.unwrap();
    let stopping = tokio::spawn({
        let centre = centre.clone();
        async move { centre.stop().await }
    });
    assert!(matches!(service.event().await, Event::Closed(Closed::PeerUnbound)));
    service.flush().await;
    stopping.await.unwrap();
    assert!(inbox.next().await.is_none());
    assert!(centre.counters().await.is_err());
    centre.stop().await;
}

#[tokio::test]
async fn a_radio_phone() {
    let centre = centre().await;
    let mut service = Service::connect(&centre).await;
    let mut radio = RadioClient::attach(centre.radio_address().unwrap(), number(ALICE)).await.unwrap();
    radio.send(SHORT_CODE, &plain("BL*1234")).await.unwrap();
    assert!(matches!(radio.next().await.unwrap(), Some(RadioEvent::Sent)));
    assert_eq!(service.message().await.body[..], *b"BL*1234");
    radio.send("1", &plain("BL*1234")).await.unwrap();
    assert!(matches!(radio.next().await.unwrap(), Some(RadioEvent::Refused { .. })));
    let message = ShortMessage { data_coding: 0xF6, esm_class: 0x40, ..submission(ALICE, "\u{2}p\0") };
    service.submit(message.clone()).await;
    let Some(RadioEvent::Incoming(came)) = radio.next().await.unwrap() else { panic!() };
    assert_eq!((came.body, came.data_coding, came.esm_class), (message.body, 0xF6, 0x40));
    assert_eq!(came.source.digits.as_str(), Some(SHORT_CODE));
    drop(service);
    centre.stop().await;
    assert!(radio.next().await.ok().flatten().is_none());
}

#[tokio::test]
async fn the_radio_protocol_by_its_lines() {
    let centre = centre().await;
    let mut service = Service::connect(&centre).await;
    let stream = TcpStream::connect(centre.radio_address().unwrap()).await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"{\"attach\":{\"number\":\"+255712000001\"}}\n").await.unwrap();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), r#"{"attached":{"number":"255712000001"}}"#);
    let send = r#"{"send":{"to":"15050","body":"424c2a31323334","data_coding":0,"esm_class":0}}"#;
    writer.write_all(format!("{send}\n").as_bytes()).await.unwrap();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), r#"{"sent":{}}"#);
    assert_eq!(service.message().await.body[..], *b"BL*1234");
    service.submit(submission(ALICE, "OK")).await;
    let expected = r#"{"incoming":{"from":"15050","body":"4f4b","data_coding":0,"esm_class":0}}"#;
    assert_eq!(lines.next_line().await.unwrap().unwrap(), expected);
    writer.write_all(send.replace("42", "4").as_bytes()).await.unwrap();
    writer.write_all(b"\n").await.unwrap();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), r#"{"refused":{"why":"the body is not hexadecimal"}}"#);
}

#[tokio::test]
async fn wrong_lines_end_the_radio() {
    let centre = centre().await;
    let long = "x".repeat(5000);
    let attach = r#"{"attach":{"number":"255712000001"}}"#;
    let cases = [
        ("hello".to_owned(), 0),
        (long, 0),
        (r#"{"send":{"to":"1","body":"","data_coding":0,"esm_class":0}}"#.to_owned(), 1),
        (r#"{"attach":{"number":"me"}}"#.to_owned(), 1),
        (format!("{attach}\n{attach}"), 1),
    ];
    for (words, answers) in cases {
        let mut stream = TcpStream::connect(centre.radio_address().unwrap()).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        stream.write_all(b"\n").await.unwrap();
        // The end comes, as end or as reset.
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        let lines = all.iter().filter(|octet| **octet == b'\n').count();
        assert_eq!(lines, answers, "{words:.50}: {}", String::from_utf8_lossy(&all));
    }
    assert!(RadioClient::attach(centre.radio_address().unwrap(), number(ALICE)).await.is_ok(), "the centre lives");
}

#[tokio::test]
async fn faults_over_sockets_lose_nothing() {
    let mut settings = Settings { retry_after: Duration::from_millis(20), ..settings() };
    settings.link.window = 50;
    let centre = centre_with(settings).await;
    let disturbance = handset::centre::Disturbance { duplicate: 0.2, reorder: 0.2, delay: 0.2, lose_answer: 0.2 };
    let delay_up_to = Duration::from_millis(20);
    centre.set_faults(Faults { to_service: disturbance, delay_up_to, ..Default::default() }).await.unwrap();
    let mut service = Service::connect(&centre).await;
    let texts: Vec<String> = (0..300).map(|text| format!("{text:03}")).collect();
    let from = |place: usize| number(if place.is_multiple_of(2) { ALICE } else { BOB });
    let originated = texts.iter().enumerate();
    let many = originated.map(|(place, text)| Originated {
        from: from(place),
        to: SHORT_CODE.to_owned(),
        message: plain(text),
    });
    assert_eq!(centre.originate_many(many.collect()).await.unwrap(), (300, None));
    let mut came = std::collections::BTreeSet::new();
    while came.len() < texts.len() {
        came.insert(String::from_utf8(service.message().await.body.to_vec()).unwrap());
    }
    assert!(came.iter().eq(texts.iter()));
}

fn platform() -> CardKeys {
    CardMaster::new(&[7; 32]).diversify("8925501234567890123")
}

/// Where a terminal prints, as the test sees it.
#[derive(Clone)]
struct Printed(mpsc::UnboundedSender<u8>);

impl std::io::Write for Printed {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        octets.iter().try_for_each(|octet| self.0.send(*octet)).map_err(std::io::Error::other)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn line(printed: &mut mpsc::UnboundedReceiver<u8>) -> String {
    let mut line = Vec::new();
    while let Some(octet) = printed.recv().await {
        match octet {
            b'\n' => break,
            octet => line.push(octet),
        }
    }
    String::from_utf8(line).unwrap()
}

#[tokio::test]
async fn a_sealed_phone_on_a_terminal() {
    let centre = centre().await;
    let mut service = Service::connect(&centre).await;
    let keys = CardMaster::new(&[7; 32]).personalise("8925501234567890123");
    let phone = Phone::new(number(ALICE), Some(Card::new(&keys, Box::new(MemoryCounters::default()))));
    let radio = RadioClient::attach(centre.radio_address().unwrap(), number(ALICE)).await.unwrap();
    let options = TerminalOptions { show_wire: true, ..TerminalOptions::default() };
    let (typing, typed) = mpsc::channel(1);
    let (out, mut printed) = mpsc::unbounded_channel();
    let terminal = tokio::spawn(run_on(radio, phone, options, typed, Printed(out)));
    assert_eq!(line(&mut printed).await, "phone +255712000001 (sealed) writes to 15050");

    typing.send(Typed::new("  TM*0712000002*500*1234\n".to_owned())).await.unwrap();
    let message = service.message().await;
    let packet = message.body.strip_prefix(&COMMAND_HEADER).unwrap();
    assert_eq!(&secured_packet::open(&platform().uplink, packet).unwrap().plaintext[..], b"TM*0712000002*500*1234");
    let wire = line(&mut printed).await;
    assert!(wire.starts_with("  out 027000") && !wire.contains("31323334"), "{wire}");

    let answer = secured_packet::seal(&platform().downlink, Counter::new(1).unwrap(), b"Sent 500.00\x1b[2J").unwrap();
    let body = [&COMMAND_HEADER[..], &answer].concat();
    let answer = ShortMessage { body: body.into(), data_coding: 0xF6, esm_class: 0x40, ..submission(ALICE, "") };
    service.submit(answer.clone()).await;
    let shown = line(&mut printed).await;
    assert!(shown.ends_with(" 15050 [sealed]: Sent 500.00\u{fffd}[2J"), "{shown}");
    assert!(line(&mut printed).await.starts_with("  in  027000"));
    service.submit(answer).await;
    let shown = line(&mut printed).await;
    assert!(shown.ends_with(" [sealed]: (cannot be read: it is older than one that was read)"), "{shown}");
    assert!(line(&mut printed).await.starts_with("  in  "));
    service.submit(submission(ALICE, "in plain")).await;
    assert!(line(&mut printed).await.ends_with(" 15050: in plain"));
    line(&mut printed).await;

    typing.send(Typed::new("x".repeat(99))).await.unwrap();
    assert_eq!(line(&mut printed).await, "not sent: longer than a sealed message may be");
    drop(typing);
    terminal.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_script_stays_for_its_answer() {
    let centre = centre().await;
    let mut service = Service::connect(&centre).await;
    let radio = RadioClient::attach(centre.radio_address().unwrap(), number(BOB)).await.unwrap();
    let options = TerminalOptions { linger: Duration::from_secs(600), ..TerminalOptions::default() };
    let (typing, typed) = mpsc::channel(1);
    let (out, mut printed) = mpsc::unbounded_channel();
    let terminal = tokio::spawn(run_on(radio, Phone::new(number(BOB), None), options, typed, Printed(out)));
    typing.send(Typed::new("HP".to_owned())).await.unwrap();
    drop(typing);
    let question = service.message().await;
    service.submit(ShortMessage { source: Address::default(), ..submission(BOB, "TM BL ST") }).await;
    assert_eq!(question.body[..], *b"HP");
    line(&mut printed).await;
    assert!(line(&mut printed).await.ends_with(": TM BL ST"));
    assert!(!terminal.is_finished(), "it stays until nothing more comes");
    terminal.abort();
}

#[tokio::test]
async fn a_terminal_notices_that_the_centre_is_gone() {
    let centre = centre().await;
    let radio = RadioClient::attach(centre.radio_address().unwrap(), number(BOB)).await.unwrap();
    let (_typing, typed) = mpsc::channel(1);
    let terminal = run_on(radio, Phone::new(number(BOB), None), TerminalOptions::default(), typed, Vec::new());
    let (ended, ()) = tokio::join!(terminal, centre.stop());
    assert!(ended.is_err());
}
