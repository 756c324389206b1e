//! How many messages a second the message centre exchanges with a service over loopback sockets, in memory otherwise:
//! `cargo run --release -p handset --example net_speed`.

use core::time::Duration;
use handset::Number;
use handset::centre::{Account, Settings};
use handset::net::{CentreServer, Originated, ServerOptions};
use handset::phone::Outgoing;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wire::smpp::{Address, BindKind, ClientConfig, Event, LinkConfig, Session, ShortMessage, Status};

const MESSAGES: usize = 500_000;
const SENDERS: usize = 10_000;
const BATCH: usize = 500;
const UNDERWAY: usize = 10_000;

fn link() -> LinkConfig {
    LinkConfig { window: 2_000, queue: 20_000, inbound_window: 20_000, ..LinkConfig::default() }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let account =
        Account { system_id: "wakala".try_into().expect("short"), password: "secret".into(), short_codes: vec![] };
    let settings = Settings { accounts: vec![account], link: link(), ..Settings::default() };
    let smpp = "127.0.0.1:0".parse()?;
    let centre = CentreServer::start(ServerOptions { smpp, radio: None, settings, seed: 1 }).await?;
    let mut inbox = centre.subscribe_all(4 * UNDERWAY).await?;
    let service = tokio::spawn(serve(TcpStream::connect(centre.smpp_address()).await?));

    let numbers: Vec<Number> =
        (0..SENDERS).map(|sender| format!("2557120{sender:05}").as_str().try_into().expect("digits")).collect();
    let start = Instant::now();
    let (mut originated, mut answered) = (0, 0);
    while answered < MESSAGES {
        while originated < MESSAGES && originated < answered + UNDERWAY {
            let message = |place| Originated {
                from: numbers[place % SENDERS],
                to: "15050".to_owned(),
                message: Outgoing { body: vec![0xA5; 97].into(), data_coding: 4, esm_class: 0x40, sealed: true },
            };
            centre.originate_many((originated..originated + BATCH).map(message).collect()).await?;
            originated += BATCH;
        }
        answered += usize::from(inbox.recv().await.is_some());
        while inbox.try_recv().is_ok() {
            answered += 1;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{MESSAGES} exchanges in {seconds:.2} s: {:.0}/s", MESSAGES as f64 / seconds);
    service.abort();
    Ok(())
}

/// Answers each message with another.
async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let begin = Instant::now();
    let config = ClientConfig {
        system_id: "wakala".try_into().unwrap_or_default(),
        password: "secret".into(),
        system_type: Default::default(),
        kind: BindKind::Transceiver,
        link: link(),
    };
    let mut session = Session::client(config, Duration::ZERO);
    let (mut octets, mut out) = (Vec::with_capacity(256 * 1024), Vec::new());
    let mut token = 0;
    loop {
        out.clear();
        while session.poll_transmit(&mut out) {
            stream.write_all(&out).await?;
            out.clear();
        }
        octets.clear();
        stream.read_buf(&mut octets).await?;
        let now = begin.elapsed();
        session.handle_bytes(now, &octets);
        while let Some(event) = session.poll_event() {
            let Event::Delivered { sequence, message } = event else { continue };
            session.respond(sequence, Status::OK);
            let source = Address::short_code("15050").unwrap_or_default();
            let answer = ShortMessage { source, destination: message.source, body: message.body, ..Default::default() };
            token += 1;
            if session.submit(now, answer, token).is_err() {
                return Err(std::io::Error::other("the queue is full"));
            }
        }
    }
}
