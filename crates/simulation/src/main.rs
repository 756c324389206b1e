fn main() {
    let seed: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(1);
    let commands: u64 = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(100);
    let started = std::time::Instant::now();
    let outcome = simulation::run(&simulation::Plan::new(seed, commands, vec![]));
    println!("{:?} hash {:016x} in {:?}", outcome.finding, outcome.hash, started.elapsed());
    println!("{}", outcome.coverage.table());
}
