//! The command, where the libraries of the formats are part of the build.

use crate::bench::formats::input::Input;
use crate::bench::formats::plan::FormatsPlan;
use crate::bench::formats::through_kafka::partitions;
use crate::bench::formats::{self, rows, table};
use crate::bench::leftovers;
use crate::bench::load::Load;
use crate::bench::tables;
use crate::cli::FormatsArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::unread;
use crate::commands::session::{self, Session, figure};
use crate::kafka::admin::Cluster;
use crate::terminal::{complain, count, plural};
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::{Configuration, FormatsConfig};
use kuu_core::record::Record;
use kuu_formats::{BATCH_BYTES, BATCH_MESSAGES, LZ4_BLOCK_BYTES, Packer, ZSTD_LEVEL};
use kuu_frame::ParserOptions;

/// Runs the command.
///
/// # Errors
/// If the input or the broker fails, or no value of the input is a frame.
pub fn run(arguments: &FormatsArgs, session: &Session) -> Result<ExitStatus> {
    let parser = arguments.frames.options();
    let load = Load::read(&arguments.files, &parser, &session.stop)?;
    let measured = formats::on_deep_stack(|| {
        let input = Input::of(&load, arguments.limit, &parser.format);
        if let Some(words) = unread::words(&input.ledger, &parser) {
            bail!(words);
        }
        if input.frames.is_empty() {
            bail!("none of {} is a frame: there is nothing to write", plural(input.ledger.read, "value"));
        }
        measure(arguments, session, &parser, &load, &input)
    });
    load.unchanged()?;
    match measured {
        Err(_) if session.stop.interrupted() => {
            session.screen.say("interrupted: nothing was recorded");
            Ok(ExitStatus::Interrupted)
        }
        Err(error) => Err(error),
        Ok(record) => {
            show(&record, session);
            session.print(&record)?;
            let path = session.store(&format!("formats-{}.json", session.begun.compact()), &record)?;
            session.screen.say(format!("record: {}", path.display()));
            Ok(ExitStatus::Fine)
        }
    }
}

fn measure(
    arguments: &FormatsArgs,
    session: &Session,
    parser: &ParserOptions,
    load: &Load,
    input: &Input,
) -> Result<Record> {
    let plan = FormatsPlan {
        parser: parser.clone(),
        rounds: arguments.rounds.into(),
        partitions: arguments.partitions.map(usize::from),
        prefix: leftovers::prefix(),
    };
    // A broker that does not answer is found before the long work.
    let cluster = if arguments.no_kafka { None } else { Some(session::measured(session, "formats")?) };
    if let Some(cluster) = &cluster {
        session.screen.say(tables::header(&session::broker(cluster), load));
    }
    let bar = session.screen.progress("{spinner} {msg}");
    bar.set_message("writing all formats");
    let outcome = formats::prepare(&plan, input, &session.stop).and_then(|mut cells| {
        formats::measure(&plan, &mut cells, cluster.as_ref(), &session.stop, |phase| {
            bar.set_message(phase.to_owned());
            bar.tick();
        })?;
        let widest = cluster.as_ref().and_then(|to| cells.iter().map(|cell| partitions(&plan, to, cell)).max());
        let mut record = record(arguments, session, parser, cluster.as_ref(), widest.unwrap_or(0));
        record.input = load.sources.clone();
        describe(&mut record, input);
        rows::fill(&mut record, &cells);
        Ok(record)
    });
    bar.finish_and_clear();
    let cleaned = cluster.as_ref().map_or(Ok(()), |cluster| leftovers::delete(cluster, &plan.prefix));
    if let Err(left) = cleaned.with_context(|| format!("topics {}... are left", plan.prefix)) {
        complain(format!("{left:#}"));
    }
    outcome
}

fn record(
    arguments: &FormatsArgs,
    session: &Session,
    parser: &ParserOptions,
    cluster: Option<&Cluster>,
    partitions: usize,
) -> Record {
    let config = FormatsConfig {
        limit: arguments.limit,
        rounds: arguments.rounds,
        kafka: cluster.is_some(),
        partitions,
        batch_bytes: BATCH_BYTES as u64,
        batch_messages: BATCH_MESSAGES as u64,
        lz4_block_bytes: LZ4_BLOCK_BYTES as u64,
        zstd_level: ZSTD_LEVEL,
        parser: parser.kind,
        frames: parser.format.clone(),
    };
    let mut record = session.record(Configuration::Formats, config);
    record.broker = cluster.map(session::broker);
    record
}

/// Adds what the frames are like.
fn describe(record: &mut Record, input: &Input) {
    let repeated = input.with_repeated_names();
    for (name, value) in [
        ("formats_frames", input.ledger.counted),
        ("formats_bytes", input.bytes()),
        ("repeated_names_frames", repeated),
    ] {
        record.figures.insert(name.into(), figure(value as f64));
    }
    if repeated > 0 {
        record.remarks.push(format!(
            "{} of {} have objects with repeated names: a format that loses these is smaller for that",
            count(repeated),
            plural(input.ledger.counted, "frame")
        ));
    }
    if input.ledger.malformed_total() > 0 {
        record.remarks.push(format!("{} malformed, not written", plural(input.ledger.malformed_total(), "value")));
    }
    record.ledger = Some(input.ledger.clone());
}

fn show(record: &Record, session: &Session) {
    let say = |text: String| session.screen.say(text);
    for compression in Packer::KNOWN {
        say(format!("\n{}", table::text(&record.formats, compression)));
    }
    say(format!("\n{}\n", table::losses(&record.formats)));
    say(format!(
        "x: ratio to JSON as it came, with the same compression, in the same round; the median of these\n\
         bytes/frame: batches as kuu produce makes them, at most {} bytes before compression, keys and framing included; \
         lz4 in blocks of {} KiB, zstd at level {ZSTD_LEVEL}",
        count(BATCH_BYTES as u64),
        LZ4_BLOCK_BYTES >> 10
    ));
    record.remarks.iter().for_each(|remark| say(remark.clone()));
    let wrong: Vec<&str> =
        record.formats.iter().filter(|row| row.wrong_frames > 0).map(|row| row.format.as_str()).collect();
    match wrong.is_empty() {
        true => say(format!(
            "every format gives user id and event time of all {} back",
            plural(record.ledger.as_ref().map_or(0, |ledger| ledger.counted), "frame")
        )),
        false => say(format!("formats that change an answer, and have no times: {}", wrong.join(", "))),
    }
}
