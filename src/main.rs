//! kuu: counts unique users per window of a Kafka stream, measures it, proves it.

use clap::Parser;
use kuu::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    match kuu::cmd::run(Cli::parse()) {
        Ok(status) => ExitCode::from(status.code()),
        Err(error) => {
            eprintln!("kuu: {error:#}");
            ExitCode::from(2)
        }
    }
}
