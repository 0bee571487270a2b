//! `kuu bench --distinct`: exact sets and sketches on the same frames, without a broker.

use crate::bench::distinct;
use crate::bench::load::Load;
use crate::cli::BenchArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{self, Session};
use anyhow::Result;
use kuu_core::configuration::{BenchConfig, Configuration};

/// Measures each file by itself.
///
/// # Errors
/// If a file cannot be read, or an answer is wrong.
pub fn run(arguments: &BenchArgs, session: &Session) -> Result<ExitStatus> {
    let BenchArgs { files, windows, event_time, frames, rounds, .. } = arguments;
    let (parser, counting) = (frames.options(), session::counting(windows, event_time));
    let config = BenchConfig {
        window: counting.units.clone(),
        parser: parser.kind,
        rounds: *rounds,
        lateness_s: event_time.lateness.as_secs(),
        retention_s: event_time.retention.as_secs(),
        max_jump_s: event_time.max_jump.as_secs(),
        frames: parser.format.clone(),
        distinct: true,
        ..BenchConfig::default()
    };
    let mut record = session.record(Configuration::Bench, config);
    let bar = session.screen.progress("{spinner} {wide_msg}");
    for file in files {
        bar.set_message(format!("exact sets and sketches: {file}"));
        bar.tick();
        let load = Load::read(std::slice::from_ref(file), &parser, &session.stop)?;
        let measured = distinct::measure(&load, &counting, &parser, (*rounds).into(), &session.stop);
        // If the input changed, the change is the cause of any other error.
        let measured = load.unchanged().map_err(anyhow::Error::from).and(measured);
        match measured {
            Err(_) if session.stop.interrupted() => {
                session.screen.say("interrupted: nothing was recorded");
                return Ok(ExitStatus::Interrupted);
            }
            measured => record.distinct.push(measured?),
        }
        record.input.extend(load.sources);
    }
    bar.finish_and_clear();
    session.screen.say(distinct::text(&record.distinct));
    distinct::findings(&record.distinct).into_iter().for_each(|finding| session.screen.say(finding));
    let name = format!("bench-{}.json", session.begun.compact());
    let saved = session.print(&record).and_then(|()| session.store(&name, &record));
    let saved = saved.map(|path| session.screen.say(format!("record: {}", path.display())));
    ExitStatus::Fine.after(saved)
}
