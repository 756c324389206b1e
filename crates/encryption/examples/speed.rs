//! How many of each operation one core does a second: `cargo run --release -p encryption --example speed`.

use encryption::{Code, Counter, FileKeys, Keys, Pin, Purpose, secured_packet};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{hint::black_box, time::Instant};

fn measure<T>(what: &str, mut operation: impl FnMut(u64) -> T) {
    const TIMES: u64 = 300_000;
    let start = Instant::now();
    for i in 0..TIMES {
        black_box(operation(black_box(i)));
    }
    let each = start.elapsed().as_nanos() as f64 / TIMES as f64;
    println!("{what:<36} {each:>8.0} ns {:>12.0} /s", 1e9 / each);
}

fn main() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut keys = FileKeys::create(&mut rng);
    let (number, pin) = ("+255712000001", Pin::parse("2718").expect("a PIN"));
    let code = Code::draw(Purpose::WithdrawalPassword, &mut rng);
    measure("PIN proof, one version", |_| keys.pin_proofs(number, &pin).newest().1.0);
    measure("code proof, one version", |_| keys.code_proofs(number, &code).newest().1.0);
    measure("draw a code", |_| Code::draw(Purpose::WithdrawalPassword, &mut rng).expose().len());
    measure("weak PIN check", |_| pin.is_weak(number));
    measure("fingerprint of a plain message", |_| keys.plain_fingerprint(number, "15055", "TM*0712000002*500*1234"));
    measure("reference", |id| keys.reference(id));
    let reference = keys.reference(42).expect("in range");
    measure("id of a reference", |_| keys.reference_id(reference.as_str()));
    measure("seal a code at rest", |id| keys.seal_at_rest(&mut rng, "code", &id.to_be_bytes(), b"27182818"));
    let sealed = keys.seal_at_rest(&mut rng, "code", b"1", b"27182818");
    measure("open it", |_| keys.open_at_rest("code", b"1", &sealed).map(|code| code.len()));
    let iccid = "8925501234567890123";
    measure("uplink keys of a card, met lately", |_| drop(keys.uplink_keys(iccid)));
    let many: Vec<String> = (0..100_000).map(|i| format!("89255{i:014}")).collect();
    measure("uplink keys of one card of 100,000", |i| drop(keys.uplink_keys(&many[i as usize % many.len()])));
    let uplink = keys.uplink_keys(iccid);
    let counter = |value| Counter::new(value).expect("40 bits");
    measure("seal a packet, AES-256", |i| secured_packet::seal(&uplink, counter(i), b"TM*0712000002*500*1234"));
    let packet = secured_packet::seal(&uplink, counter(1), b"TM*0712000002*500*1234").expect("fits");
    measure("open a packet, AES-256", |_| secured_packet::open(&uplink, &packet).map(|opened| opened.counter));
    keys.rotate(&mut rng).expect("one lives");
    measure("PIN proofs, two versions", |_| keys.pin_proofs(number, &pin).newest().1.0);
}
