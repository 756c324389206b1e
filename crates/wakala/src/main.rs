//! The program. What it does is in the library; this is its way in.

/// What one thread makes another drops, all day long: the system's allocator is slow at that.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    wakala::cli::run()
}
