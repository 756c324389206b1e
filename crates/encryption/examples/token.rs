//! The work of one transfer through a PKCS#11 token, beside the same with keys from a file:
//! `cargo run --release -p encryption --example token`. Makes itself a token of SoftHSM (Debian's `softhsm2`).

#[path = "../tests/softhsm/mod.rs"]
mod softhsm;

use encryption::{Code, FileKeys, Keys, Pin, Purpose, TokenKeys, TokenPin};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use softhsm::{LABEL, MODULE, SoftHsm, VARIABLE};
use std::{env, error::Error, hint::black_box, path::Path, process::Command, thread, time::Instant};

const NUMBER: &str = "+255712000001";
const ICCID: &str = "8925501234567890123";

/// All that `TM` in plain asks of the keys: who repeats, the PIN, and two passwords with their proofs.
fn transfer(keys: &dyn Keys, rng: &mut ChaCha20Rng) -> usize {
    let fingerprint = keys.plain_fingerprint(NUMBER, "15050", "TM*0712000002*500*2718");
    let pin = Pin::parse("2718").map(|pin| keys.pin_proofs(NUMBER, &pin).newest());
    let codes = [(); 2].map(|()| {
        let code = Code::draw(Purpose::WithdrawalPassword, rng);
        let proof = keys.code_proofs(NUMBER, &code).newest();
        (proof, keys.seal_at_rest(rng, "code", NUMBER.as_bytes(), code.expose().as_bytes()))
    });
    black_box((fingerprint, pin, codes)).2.len()
}

/// Nanoseconds of one, on average over `times`.
fn each<T>(times: u32, mut operation: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    (0..times).for_each(|_| drop(black_box(operation())));
    start.elapsed().as_nanos() as f64 / f64::from(times)
}

fn compare<T>(what: &str, token: &dyn Keys, file: &dyn Keys, operation: impl Fn(&dyn Keys) -> T) {
    let [in_token, in_file] = [(token, 20_000), (file, 200_000)].map(|(keys, times)| each(times, || operation(keys)));
    println!("{what:<40} {in_token:>9.0} ns {:>10.0} /s {in_file:>9.0} ns {:>10.0} /s", 1e9 / in_token, 1e9 / in_file);
}

fn measure(hsm: &SoftHsm) -> Result<(), Box<dyn Error>> {
    let token = TokenKeys::create(Path::new(MODULE), LABEL, &TokenPin::read(&hsm.pin_file())?)?;
    let file = FileKeys::create(&mut ChaCha20Rng::seed_from_u64(1));
    let pin = Pin::parse("2718").ok_or("a PIN")?;
    println!("{:<40} {:>26} {:>26}", "one thread", "token", "file");
    let compare = |what, operation: &dyn Fn(&dyn Keys) -> usize| compare(what, &token, &file, operation);
    compare("fingerprint (HMAC)", &|keys| usize::from(keys.plain_fingerprint(NUMBER, "15050", "BL*2718").0[0]));
    compare("PIN proof (HMAC)", &|keys| usize::from(keys.pin_proofs(NUMBER, &pin).newest().1.0[0]));
    compare("seal a code (2 CMAC)", &|keys| {
        keys.seal_at_rest(&mut ChaCha20Rng::seed_from_u64(2), "code", NUMBER.as_bytes(), b"27182818").len()
    });
    compare("keys of a card, both ways (8 CMAC)", &|keys| keys.personalise_card(ICCID).expose().len());
    compare("keys of a card met lately, one way", &|keys| {
        drop(black_box(keys.uplink_keys(ICCID)));
        0
    });
    compare("signature (Ed25519)", &|keys| keys.sign("chain head", b"17").octets.len());
    compare("a transfer in plain (4 HMAC, 4 CMAC)", &|keys| transfer(keys, &mut ChaCha20Rng::seed_from_u64(3)));
    for threads in [2_u32, 4] {
        let times = 5_000;
        let start = Instant::now();
        thread::scope(|scope| {
            for seed in 0..threads {
                let token = &token;
                scope.spawn(move || {
                    let mut rng = ChaCha20Rng::seed_from_u64(seed.into());
                    (0..times).for_each(|_| assert_eq!(transfer(token, &mut rng), 2));
                });
            }
        });
        let rate = f64::from(threads * times) / start.elapsed().as_secs_f64();
        println!("transfers through the token, {threads} threads  {rate:>22.0} /s");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(hsm) = SoftHsm::of_environment() {
        return measure(&hsm);
    }
    let hsm = SoftHsm::create("example");
    let ran = Command::new(env::current_exe()?).env(VARIABLE, hsm.configuration()).status();
    hsm.remove();
    if ran?.success() { Ok(()) } else { Err("the measurement failed".into()) }
}
