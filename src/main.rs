//! kuu: counts unique users per window of a Kafka stream, measures the count, and verifies it.

use kuu::cli::Cli;
use kuu::system::{memory, panics};
use kuu::terminal::complain;
use std::io::Write as _;
use std::panic::catch_unwind;

fn main() {
    memory::keep_large_blocks();
    panics::report_all();
    let status = match catch_unwind(|| kuu::commands::run(Cli::read())) {
        Ok(Ok(status)) if !panics::happened() => status.code(),
        Ok(Err(error)) => {
            complain(format!("{error:#}"));
            2
        }
        // The panic hook has printed the reason.
        _ => 2,
    };
    // Ignores an error: standard output may be closed.
    let _ = std::io::stdout().flush();
    // Skips the clean-up of the C library: that of OpenSSL frees data that clients still use while other threads close
    // them.
    signal_hook::low_level::exit(status.into());
}
