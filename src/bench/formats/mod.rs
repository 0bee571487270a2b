//! Frames in other formats than JSON: what each costs and saves, in memory and through Kafka.

pub mod cell;
pub mod input;
pub mod plan;
pub mod rows;
pub mod table;
pub mod through_kafka;

use crate::engine::stop::Stop;
use crate::kafka::admin::Cluster;
use anyhow::{Result, anyhow, bail};
use cell::Cell;
use input::Input;
use kuu_core::statistics::order;
use kuu_formats::{Encoding, Packer, STACK_BYTES};
use plan::FormatsPlan;
use std::panic::resume_unwind;
use through_kafka::Route;

/// Writes the frames in every format and compression, and reads them back once: what comes back changed is noted.
///
/// # Errors
/// If a format cannot have a frame.
pub fn prepare<'i>(plan: &FormatsPlan, input: &'i Input, stop: &Stop) -> Result<Vec<Cell<'i>>> {
    let mut cells = Vec::new();
    for compression in Packer::KNOWN {
        for encoding in Encoding::ALL {
            if stop.interrupted() {
                bail!("interrupted");
            }
            cells.push(Cell::new(*encoding, compression, input, &plan.parser)?);
        }
    }
    Ok(cells)
}

/// Measures all rounds: in each, every format takes its turn in memory, and then, if there is a broker, through that.
/// `tell` gets the current phase.
///
/// # Errors
/// If a step fails, or the broker loses a message.
pub fn measure(
    plan: &FormatsPlan,
    cells: &mut [Cell<'_>],
    cluster: Option<&Cluster>,
    stop: &Stop,
    tell: impl Fn(&str),
) -> Result<()> {
    for round in 0..plan.rounds {
        let (number, turns) = (round + 1, order(cells.len(), round));
        let say = |what: &str, at: usize| {
            tell(&format!("round {number} of {}, {what}: {} of {}", plan.rounds, at + 1, turns.len()));
        };
        // librdkafka takes 500 ms to get a producer id: what is measured in memory gives it the time.
        let mut route = cluster.map(|cluster| Route::prepare(plan, cluster, cells, number)).transpose()?;
        for (at, cell) in turns.iter().enumerate() {
            say("in memory", at);
            cells[*cell].measure()?;
            check(stop)?;
        }
        if let Some(route) = &mut route {
            for (at, cell) in turns.iter().enumerate() {
                say("through the broker", at);
                route.measure(cells, *cell)?;
                check(stop)?;
            }
        }
    }
    Ok(())
}

fn check(stop: &Stop) -> Result<()> {
    if stop.interrupted() { bail!("interrupted") } else { Ok(()) }
}

/// Runs `work` on a thread with the stack that deeply nested frames need.
///
/// # Errors
/// If there is no such thread, or `work` fails.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("formats".into()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, work).map_err(|error| anyhow!("no thread can be started: {error}"))?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
