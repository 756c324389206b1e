//! How many messages a second go through the message centre, in memory, with a service that answers each at once:
//! `cargo run --release -p handset --example centre_speed`.

use core::time::Duration;
use handset::centre::{Account, CentreEvent, MessageCentre, Settings};
use std::time::Instant;
use wire::smpp::{Address, BindKind, ClientConfig, Event, LinkConfig, Session, ShortMessage, Status};

const MESSAGES: usize = 1_000_000;
const SENDERS: usize = 10_000;
const WINDOW: usize = 1_000;

fn main() {
    let link = LinkConfig { window: WINDOW, queue: 10 * WINDOW, inbound_window: 10 * WINDOW, ..LinkConfig::default() };
    let text = |text: &str| text.try_into().expect("short");
    let account = Account { system_id: text("wakala"), password: "secret".into(), short_codes: Vec::new() };
    let settings = Settings { accounts: vec![account], link: link.clone(), ..Settings::default() };
    let mut centre = MessageCentre::new(settings, 1);
    let now = Duration::ZERO;
    let id = centre.connect(now).expect("the first link");
    let config = ClientConfig {
        system_id: wire::smpp::Text::try_from("wakala").expect("short"),
        password: "secret".into(),
        system_type: Default::default(),
        kind: BindKind::Transceiver,
        link,
    };
    let mut esme = Session::client(config, now);
    let senders: Vec<String> = (0..SENDERS).map(|sender| format!("+2557120{sender:05}")).collect();
    let body = [0xA5_u8; 97];

    let (mut up, mut down) = (Vec::new(), Vec::new());
    let (mut originated, mut delivered, mut to_phones) = (0, 0, 0);
    let mut centre_time = Duration::ZERO;
    let start = Instant::now();
    while to_phones < MESSAGES {
        let begin = Instant::now();
        while originated < MESSAGES && originated < delivered + 2 * WINDOW {
            let sender = &senders[originated % SENDERS];
            centre.originate(now, sender, "15050", &body[..], 4, 0x40).expect("room");
            originated += 1;
        }
        centre.handle_bytes(now, id, &up);
        while let Some(event) = centre.poll_event() {
            to_phones += usize::from(matches!(event, CentreEvent::ToPhone { .. }));
        }
        down.clear();
        centre.poll_transmit(id, &mut down);
        centre_time += begin.elapsed();

        esme.handle_bytes(now, &down);
        while let Some(event) = esme.poll_event() {
            if let Event::Delivered { sequence, message } = event {
                esme.respond(sequence, Status::OK);
                delivered += 1;
                // The answer that the platform would give.
                let answer = ShortMessage {
                    source: Address::short_code("15050").expect("short"),
                    destination: message.source,
                    body: message.body,
                    ..ShortMessage::default()
                };
                esme.submit(now, answer, delivered as u64).expect("room");
            }
        }
        up.clear();
        esme.poll_transmit(&mut up);
    }
    let rate = |time: Duration| MESSAGES as f64 / time.as_secs_f64();
    println!("{MESSAGES} messages to the service and as many answers to phones, on one core:");
    println!("  both sides     {:>9.0} exchanges/s", rate(start.elapsed()));
    println!("  centre alone   {:>9.0} exchanges/s", rate(centre_time));
}
