//! `kuu generate`: makes frames, and the truth about them.

use crate::cli::GenerateArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{Session, figure, workloads};
use crate::output::{FrameFile, pack};
use crate::terminal::{Screen, complain, megabytes, plural, rate, size, time};
use anyhow::{Context as _, Result, anyhow, bail};
use kuu_core::configuration::{Configuration, GenerateConfig};
use kuu_core::workload::{GeneratedBlock, Generator, Oracle, Spec, TruthFile, in_order};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// Runs the command.
///
/// # Errors
/// If the options contradict each other, or a file cannot be written.
pub fn run(arguments: &GenerateArgs, session: &Session) -> Result<ExitStatus> {
    let spec = match &arguments.workload {
        Some(name) => {
            let workload = workloads::read(&arguments.workloads, name)?;
            if let Some(file) = &workload.file {
                bail!("the frames of workload {name} are those of {file}: there is nothing to generate");
            }
            workloads::check_targets(&workload, name, &session.stop)?;
            workload.frames
        }
        None => arguments.spec().map_err(|error| anyhow!("{error}"))?,
    };
    let generator = Generator::new(&spec).map_err(|error| anyhow!("{error}"))?;
    let is_stdout = arguments.output == "-";
    if is_stdout && session.common.json {
        bail!("--json and the frames cannot both go to standard output: name a file with --output");
    }
    let truth_name = truth_name(arguments)?;
    let mut output = FrameFile::open(&arguments.output, arguments.force)?;
    let mut truth_output = truth_name.as_deref().map(|name| FrameFile::open(name, arguments.force)).transpose()?;
    let level = is_gzip(&arguments.output).then_some(arguments.compression_level);

    let started = Instant::now();
    let (made, written) = write(&generator, level, &mut output, session);
    match made {
        ControlFlow::Break(End::Interrupted) => return Ok(ExitStatus::Interrupted),
        // A reader that stops early is no error.
        ControlFlow::Break(End::Error(error)) if is_stdout && error.kind() == ErrorKind::BrokenPipe => {
            return Ok(ExitStatus::Fine);
        }
        ControlFlow::Break(End::Error(error)) => {
            return Err(error).with_context(|| format!("{} cannot be written", arguments.output));
        }
        ControlFlow::Continue(()) => {}
    }
    let Written { oracle, bytes } = written;
    let truth = oracle.finish();
    if let (Some(name), Some(file)) = (&truth_name, &mut truth_output) {
        let text = BufWriter::with_capacity(1 << 16, Writer(file));
        write_truth(&truth, text).with_context(|| format!("{name} cannot be written"))?;
    }
    output.finish()?;
    truth_output.map_or(Ok(()), FrameFile::finish)?;
    report(arguments, session, &truth, truth_name, level, bytes, started.elapsed().as_secs_f64())?;
    Ok(ExitStatus::Fine)
}

/// Why the stream ended early.
enum End {
    Interrupted,
    Error(io::Error),
}

/// What was written.
struct Written {
    oracle: Oracle,
    bytes: u64,
}

/// One block, and its gzip member.
#[derive(Default)]
struct Part {
    block: GeneratedBlock,
    packed: Vec<u8>,
}

/// Writes all blocks.
fn write(
    generator: &Generator,
    level: Option<u32>,
    output: &mut FrameFile,
    session: &Session,
) -> (ControlFlow<End>, Written) {
    let mut written = Written { oracle: Oracle::new(generator.spec()), bytes: 0 };
    let template = "{human_pos} of {human_len} lines, {eta} left {wide_bar}";
    let bar = Screen { to_stderr: true, ..session.screen }.bar(generator.spec().frames, template);
    let make = |number: u64, part: &mut Part| {
        generator.fill(number, &mut part.block);
        if let Some(level) = level {
            pack(part.block.bytes(), level, &mut part.packed);
        }
    };
    let take = |part: &mut Part| {
        if session.stop.interrupted() {
            return ControlFlow::Break(End::Interrupted);
        }
        written.oracle.take(&part.block);
        let bytes = if level.is_some() { part.packed.as_slice() } else { part.block.bytes() };
        written.bytes += bytes.len() as u64;
        bar.inc(part.block.len());
        output.write(bytes).map_or_else(|error| ControlFlow::Break(End::Error(error)), ControlFlow::Continue)
    };
    let made = in_order(generator.blocks(), make, take);
    bar.finish_and_clear();
    (made, written)
}

/// An output as a writer.
struct Writer<'a>(&'a mut FrameFile);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_truth(truth: &TruthFile, mut file: impl Write) -> io::Result<()> {
    truth.write(&mut file)?;
    file.flush()
}

/// The name of the truth file, if there is to be one.
fn truth_name(arguments: &GenerateArgs) -> Result<Option<String>> {
    let frames = arguments.output.as_str();
    let Some(truth) = &arguments.truth else {
        let is_device = Path::new(frames).metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
        return Ok((frames != "-" && !is_device).then(|| format!("{frames}.truth.jsonl")));
    };
    let truth = truth.to_str().context("--truth: the name is no text (UTF-8)")?;
    if truth == frames {
        bail!("the frames and the truth cannot go to the same file: {truth}");
    }
    Ok(Some(truth.to_owned()))
}

fn is_gzip(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

fn report(
    arguments: &GenerateArgs,
    session: &Session,
    truth: &TruthFile,
    truth_name: Option<String>,
    level: Option<u32>,
    bytes: u64,
    seconds: f64,
) -> Result<()> {
    let totals = &truth.header.totals;
    let seconds = seconds.max(1e-9);
    let spec: Spec = truth.header.spec.clone();
    let config =
        GenerateConfig { output: arguments.output.clone(), truth: truth_name.clone(), compression_level: level, spec };
    let mut record = session.record(Configuration::Generate, config);
    record.figures = [
        ("generated_frames", totals.read as f64),
        ("generated_bytes", totals.bytes as f64),
        ("written_bytes", bytes as f64),
        ("elapsed_us", seconds * 1e6),
        ("generate_frames_per_s", totals.read as f64 / seconds),
        ("generate_bytes_per_s", totals.bytes as f64 / seconds),
    ]
    .map(|(name, value)| (name.to_owned(), figure(value)))
    .into();
    session.print(&record)?;
    let screen = Screen { to_stderr: true, ..session.screen };
    screen.say(format!(
        "generated {} ({}{}) in {}: {} frames/s, {} MB/s",
        plural(totals.read, "frame"),
        size(totals.bytes),
        if level.is_some() { format!(", {} packed", size(bytes)) } else { String::new() },
        time(std::time::Duration::from_secs_f64(seconds)),
        rate(totals.read as f64 / seconds),
        megabytes(totals.bytes as f64 / seconds),
    ));
    for count in &truth.header.troubles {
        screen.say(format!("{}: {}", count.trouble, plural(count.lines, "line")));
        if count.lines == 0 {
            complain(format!("warning: {} did not happen: more frames or a larger share are needed", count.trouble));
        }
    }
    if let Some(name) = truth_name {
        screen.say(format!("truth: {name}"));
    }
    Ok(())
}
