//! kuu: counts unique users per window of a Kafka stream, measures it, proves it.

use kuu::cli::Cli;
use kuu::system::panics;
use kuu::terminal::complain;
use std::io::Write as _;
use std::panic::catch_unwind;

fn main() {
    panics::report_all();
    let status = match catch_unwind(|| kuu::commands::run(Cli::read())) {
        Ok(Ok(status)) if !panics::happened() => status.code(),
        Ok(Err(error)) => {
            complain(format!("{error:#}"));
            2
        }
        // The hook has said why.
        _ => 2,
    };
    // As far as it can be told: standard output may be closed.
    let _ = std::io::stdout().flush();
    // Without the C library's clean-up: OpenSSL's takes from under clients that are being closed aside what they still use.
    signal_hook::low_level::exit(status.into());
}
