//! A phone and its card against the platform's side of the seal.

use core::time::Duration;
use encryption::secured_packet::{self, COMMAND_HEADER, Counter, PacketRefusal};
use encryption::{CardKeys, CardMaster};
use handset::Number;
use handset::phone::{
    CannotCompose, CannotRead, CannotSeal, Card, CounterStore, FileCounters, Incoming, MemoryCounters, Outgoing, Phone,
};
use std::io;
use std::path::PathBuf;
use wire::smpp::{Address, ShortMessage};
use wire::sms::{DefaultAlphabet, Reference, read, segment_binary, segment_text};

const ICCID: &str = "8925501234567890123";

fn number() -> Number {
    "+255712000001".try_into().unwrap()
}

fn platform() -> CardKeys {
    CardMaster::new(&[7; 32]).diversify(ICCID)
}

fn card(store: impl CounterStore + 'static) -> Card {
    Card::new(&CardMaster::new(&[7; 32]).personalise(ICCID), Box::new(store))
}

fn sealing_phone() -> Phone {
    Phone::new(number(), Some(card(MemoryCounters::default())))
}

fn on_the_wire(part: Outgoing) -> ShortMessage {
    let source = Address::short_code("15050").unwrap();
    let Outgoing { body, data_coding, esm_class, .. } = part;
    ShortMessage { source, body, data_coding, esm_class, ..Default::default() }
}

/// A sealed message as the platform sends it.
fn downlink(counter: u64, text: &str) -> ShortMessage {
    let packet = secured_packet::seal(&platform().downlink, Counter::new(counter).unwrap(), text.as_bytes()).unwrap();
    let body = [&COMMAND_HEADER[..], &packet].concat();
    let source = Address::short_code("15050").unwrap();
    ShortMessage { source, body: body.into(), data_coding: 0xF6, esm_class: 0x40, ..Default::default() }
}

fn text(incoming: &Incoming) -> Result<&str, CannotRead> {
    incoming.text.as_ref().map(|text| text.expose()).map_err(|why| *why)
}

fn receive(phone: &mut Phone, message: &ShortMessage) -> Incoming {
    phone.receive(Duration::ZERO, message).unwrap()
}

/// A place of its own, gone afterwards.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("handset-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn counters(&self) -> PathBuf {
        self.0.join("counters")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_plain_phone_writes_what_the_platform_reads() {
    let mut phone = Phone::new(number(), None);
    for (typed, data_coding) in [("TM*0712000002*500*1234", 0), ("ST*€{}", 0), ("RG*1234*张三", 8)] {
        let outgoing = phone.compose(typed).unwrap();
        assert_eq!((outgoing.data_coding, outgoing.esm_class, outgoing.sealed), (data_coding, 0, false));
        let text = read(&on_the_wire(outgoing), DefaultAlphabet::Gsm7Unpacked).unwrap();
        assert_eq!(text.expose(), typed);
    }
}

#[test]
fn long_texts_are_refused_or_split() {
    let long = "x".repeat(161);
    let mut plain = Phone::new(number(), None);
    assert!(plain.compose(&"x".repeat(160)).is_ok());
    assert!(matches!(plain.compose(&long), Err(CannotCompose::TooLong)));
    let parts = plain.compose_parts(&long, 3).unwrap();
    assert_eq!(
        parts.iter().map(|part| (part.body.len(), part.esm_class)).collect::<Vec<_>>(),
        [(159, 0x40), (14, 0x40)]
    );
    assert_ne!(plain.compose_parts(&long, 3).unwrap()[0].body[3], parts[0].body[3], "another reference");

    let mut sealing = sealing_phone();
    assert!(sealing.compose(&"x".repeat(98)).is_ok());
    assert!(matches!(sealing.compose(&"x".repeat(99)), Err(CannotCompose::Card(CannotSeal::TooLong))));
    let parts = sealing.compose_parts(&"x".repeat(242), 3).unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!(&parts[0].body[..8], [7, 0, 3, 1, 2, 1, 0x70, 0]);
    assert!(matches!(sealing.compose_parts(&"x".repeat(371), 3), Err(CannotCompose::Card(CannotSeal::TooLong))));
}

#[test]
fn what_the_card_seals_the_platform_opens() {
    let mut phone = sealing_phone();
    for counter in 1..=40 {
        let outgoing = phone.compose("TM*0712000002*500*1234").unwrap();
        assert!(outgoing.sealed);
        assert_eq!((outgoing.data_coding, outgoing.esm_class), (0x04, 0x40));
        let packet = outgoing.body.strip_prefix(&COMMAND_HEADER).unwrap();
        let opened = secured_packet::open(&platform().uplink, packet).unwrap();
        assert_eq!((opened.counter.get(), &opened.plaintext[..]), (counter, &b"TM*0712000002*500*1234"[..]));
        assert!(secured_packet::open(&platform().downlink, packet).is_err(), "a reflected packet is no answer");
    }
}

#[test]
fn the_card_opens_what_the_platform_seals() {
    let mut phone = sealing_phone();
    let incoming = receive(&mut phone, &downlink(5, "Confirmed: 500.00 é 你"));
    assert_eq!(text(&incoming), Ok("Confirmed: 500.00 é 你"));
    assert!(incoming.sealed && incoming.from == "15050" && incoming.wire_hex().starts_with("027000"));
    // A message may lack the header indicator, and come as plain 8-bit.
    let bare = ShortMessage { esm_class: 0, data_coding: 0x04, ..downlink(6, "again") };
    assert_eq!(text(&receive(&mut phone, &bare)), Ok("again"));
}

#[test]
fn a_sealed_message_in_parts() {
    let mut phone = sealing_phone();
    let long = "x".repeat(300);
    let packet = secured_packet::seal(&platform().downlink, Counter::new(1).unwrap(), long.as_bytes()).unwrap();
    let parts = segment_binary(&[0x70, 0x00], &packet, 0xF6, Reference::Narrow(9), 3).unwrap();
    let template = ShortMessage { source: Address::short_code("15050").unwrap(), ..Default::default() };
    let mut parts: Vec<_> = parts.into_iter().map(|part| part.into_message(&template)).collect();
    assert_eq!(parts.len(), 3);
    parts.swap(0, 2);
    assert!(phone.receive(Duration::ZERO, &parts[0]).is_none());
    assert!(phone.receive(Duration::ZERO, &parts[0]).is_none(), "the same part again");
    assert!(phone.receive(Duration::ZERO, &parts[1]).is_none());
    assert_eq!(text(&receive(&mut phone, &parts[2])), Ok(&long[..]));
}

#[test]
fn a_plain_message_in_parts_and_one_too_long() {
    let mut phone = sealing_phone();
    let template = ShortMessage { source: Address::short_code("15050").unwrap(), ..Default::default() };
    for (long, parts) in [("y".repeat(400), 3), ("你好".repeat(60), 2)] {
        let segments = segment_text(&long, DefaultAlphabet::Gsm7Unpacked, Reference::Wide(9), 20).unwrap();
        assert_eq!(segments.len(), parts);
        let mut came =
            segments.into_iter().filter_map(|segment| phone.receive(Duration::ZERO, &segment.into_message(&template)));
        let incoming = came.next().unwrap();
        assert_eq!((text(&incoming), incoming.sealed), (Ok(&long[..]), false));
    }
    let endless = segment_text(&"z".repeat(2000), DefaultAlphabet::Gsm7Unpacked, Reference::Wide(10), 20).unwrap();
    let incoming = receive(&mut phone, &endless.into_iter().next().unwrap().into_message(&template));
    assert_eq!(text(&incoming), Err(CannotRead::TooLong));
}

#[test]
fn counters_must_rise() {
    let mut phone = sealing_phone();
    for (counter, expected) in
        [(5, Ok("a")), (5, Err(CannotRead::Old)), (4, Err(CannotRead::Old)), (6, Ok("a")), (1 << 39, Ok("a"))]
    {
        let incoming = receive(&mut phone, &downlink(counter, "a"));
        assert_eq!(text(&incoming), expected, "{counter}");
        assert!(incoming.sealed);
    }
}

#[test]
fn what_fails_the_check_is_shown_as_unreadable_and_moves_no_counter() {
    let mut phone = sealing_phone();
    let good = downlink(5, "a");
    for place in 3..good.body.len() {
        let mut octets = good.body.to_vec();
        octets[place] ^= 1;
        let changed = ShortMessage { body: octets.into(), ..good.clone() };
        let incoming = receive(&mut phone, &changed);
        assert!(matches!(text(&incoming), Err(CannotRead::Packet(_))), "octet {place}");
    }
    let other = CardMaster::new(&[8; 32]).downlink(ICCID);
    let packet = secured_packet::seal(&other, Counter::new(9).unwrap(), b"a").unwrap();
    let foreign = ShortMessage { body: [&COMMAND_HEADER[..], &packet].concat().into(), ..good.clone() };
    assert_eq!(text(&receive(&mut phone, &foreign)), Err(CannotRead::Packet(PacketRefusal::Check)));
    assert_eq!(text(&receive(&mut phone, &good)), Ok("a"));
}

#[test]
fn other_unreadable_messages() {
    let mut plain = Phone::new(number(), None);
    assert_eq!(text(&receive(&mut plain, &downlink(1, "a"))), Err(CannotRead::NoCard));
    let binary = ShortMessage { data_coding: 4, body: b"\x02\x71\x00abc".as_slice().into(), ..Default::default() };
    assert_eq!(text(&receive(&mut plain, &binary)), Err(CannotRead::NotText));
    // Text that happens to begin like a packet is text.
    let text_body = ShortMessage { body: b"\x02\x70\x00".as_slice().into(), ..Default::default() };
    assert_eq!(text(&receive(&mut plain, &text_body)), Ok("$p@"));
    let latin = secured_packet::seal(&platform().downlink, Counter::new(1).unwrap(), b"\xE9").unwrap();
    let latin =
        ShortMessage { body: [&COMMAND_HEADER[..], &latin].concat().into(), data_coding: 4, ..Default::default() };
    assert_eq!(text(&receive(&mut sealing_phone(), &latin)), Err(CannotRead::NotText));
}

fn counter_of(outgoing: &Outgoing) -> u64 {
    secured_packet::open(&platform().uplink, &outgoing.body[3..]).unwrap().counter.get()
}

#[test]
fn counters_in_a_file_never_repeat_and_are_never_forgotten() {
    let place = Place::new("counters");
    let mut sent = Vec::new();
    for run in 0..3 {
        let mut phone = Phone::new(number(), Some(card(FileCounters::open(place.counters()).unwrap())));
        assert!(FileCounters::open(place.counters()).is_err(), "one at a time");
        sent.extend((0..20).map(|_| counter_of(&phone.compose("BL*1234").unwrap())));
        assert_eq!(text(&receive(&mut phone, &downlink(10 + run, "a"))), Ok("a"));
        assert_eq!(text(&receive(&mut phone, &downlink(10 + run, "a"))), Err(CannotRead::Old));
    }
    assert!(sent.is_sorted_by(|earlier, later| earlier < later), "{sent:?}");
    assert_eq!(FileCounters::open(place.counters()).unwrap().received(), Some(12));
    std::fs::write(place.counters(), "{}").unwrap();
    assert!(FileCounters::open(place.counters()).is_err(), "a damaged file does not begin anew");
}

/// Keeps nothing, as a full disk.
struct Broken(u64);

impl CounterStore for Broken {
    fn reserve(&mut self, _: u64) -> io::Result<u64> {
        if self.0 == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(self.0) }
    }

    fn received(&self) -> Option<u64> {
        None
    }

    fn keep_received(&mut self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn nothing_is_sealed_or_shown_when_counters_cannot_be_kept() {
    let mut phone = Phone::new(number(), Some(card(Broken(0))));
    assert!(matches!(phone.compose("BL*1234"), Err(CannotCompose::Card(CannotSeal::Store(_)))));
    assert_eq!(text(&receive(&mut phone, &downlink(1, "a"))), Err(CannotRead::CounterNotKept));
}

#[test]
fn a_used_up_counter_seals_nothing_more() {
    let last = Counter::BLOCKED.get() - 1;
    let mut phone = Phone::new(number(), Some(card(Broken(last))));
    assert_eq!(counter_of(&phone.compose("BL*1234").unwrap()), last);
    for _ in 0..3 {
        assert!(matches!(phone.compose("BL*1234"), Err(CannotCompose::Card(CannotSeal::CounterUsedUp))));
    }
}
