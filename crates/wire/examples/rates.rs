//! How fast one core reads and writes PDUs: `cargo run --release -p wire --example rates`.

use std::hint::black_box;
use std::time::{Duration, Instant};
use wire::smpp::{
    self, Address, BindKind, ClientConfig, Event, LinkConfig, MessageId, ServerConfig, Session, ShortMessage, pdu,
};
use wire::sms;

const COUNT: u32 = 2_000_000;

fn main() {
    let message = ShortMessage {
        source: Address::international("255712000001").unwrap_or_default(),
        destination: Address::short_code("15050").unwrap_or_default(),
        body: b"TM*0712000002*500*1234".as_slice().into(),
        ..Default::default()
    };
    let mut octets = Vec::new();
    pdu::encode_deliver(&message, 1, &mut octets);
    measure("decode deliver_sm", || {
        black_box(pdu::decode(black_box(&octets)).is_ok());
    });
    let mut out = Vec::with_capacity(64 * 1024);
    measure("encode submit_sm", || {
        if out.len() > 60_000 {
            out.clear();
        }
        pdu::encode_submit(black_box(&message), 1, &mut out);
    });
    measure("read and parse TM", || {
        let text = sms::read(black_box(&message), sms::DefaultAlphabet::Gsm7Unpacked);
        black_box(text.is_ok_and(|text| sms::parse(text.expose()).is_ok()));
    });
    sessions(&message);
}

fn measure(what: &str, mut once: impl FnMut()) {
    let start = Instant::now();
    for _ in 0..COUNT {
        once();
    }
    report(what, start.elapsed());
}

fn report(what: &str, took: Duration) {
    println!("{what:32} {:10.0}/s", f64::from(COUNT) / took.as_secs_f64());
}

/// submit_sm from one session to another and its response back, both ends counted.
fn sessions(message: &ShortMessage) {
    let now = Duration::ZERO;
    let link = LinkConfig { window: 512, queue: 2048, inbound_window: 2048, ..LinkConfig::default() };
    let client = ClientConfig {
        system_id: smpp::Text::EMPTY,
        password: "".into(),
        system_type: smpp::Text::EMPTY,
        kind: BindKind::Transceiver,
        link: link.clone(),
    };
    let mut esme = Session::client(client, now);
    let mut centre = Session::server(ServerConfig { system_id: smpp::Text::EMPTY, link }, now);
    let (mut sent, mut answered, mut wire) = (0u32, 0u32, Vec::new());
    let start = Instant::now();
    while answered < COUNT {
        while sent < COUNT && esme.submit(now, message.clone(), sent.into()).is_ok() {
            sent += 1;
        }
        wire.clear();
        esme.poll_transmit(&mut wire);
        centre.handle_bytes(now, &wire);
        while let Some(event) = centre.poll_event() {
            match event {
                Event::BindRequested(_) => centre.accept_bind(),
                Event::SubmitRequested { sequence, .. } => {
                    centre.accept_submit(sequence, MessageId::EMPTY);
                }
                _ => {}
            }
        }
        wire.clear();
        centre.poll_transmit(&mut wire);
        esme.handle_bytes(now, &wire);
        while let Some(event) = esme.poll_event() {
            answered += u32::from(matches!(event, Event::Submitted { result: Ok(_), .. }));
        }
    }
    report("submit and answer, two sessions", start.elapsed());
}
