//! The program. What it does is in the library; this is its way in.

fn main() -> std::process::ExitCode {
    wakala::cli::run()
}
