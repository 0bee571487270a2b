//! kuu: counts unique users per window of a Kafka stream, measures it, proves it.

use kuu::cli::Cli;
use std::io::Write as _;

fn main() {
    let status = match kuu::cmd::run(Cli::read()) {
        Ok(status) => status.code(),
        Err(error) => {
            eprintln!("kuu: {error:#}");
            2
        }
    };
    // As far as it can be told: standard output may be closed.
    let _ = std::io::stdout().flush();
    // Without the C library's clean-up: OpenSSL's takes from under clients that are being closed aside what they still use.
    signal_hook::low_level::exit(status.into());
}
