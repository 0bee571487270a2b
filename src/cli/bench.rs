//! The options of `kuu bench`.

use super::frames::FrameArgs;
use super::values::{described, duration, named, pace, percent};
use super::windows::{EventTime, Windows};
use clap::Args;
use kuu_core::comparison::Assertion;
use kuu_core::configuration::{Compression, Guarantee};
use std::path::PathBuf;
use std::time::Duration;

/// `kuu bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// JSON lines, plain or gzipped, of files: they are read several times
    #[arg(required_unless_present = "default_file", value_name = "FILE")]
    pub files: Vec<String>,
    /// What to measure where no FILE is named: for scripts
    #[arg(long, hide = true, value_name = "FILE")]
    pub default_file: Option<String>,
    /// Partitions of the topics [default: 4 on Kafka; on the embedded broker as many as the input needs]; of several, as in
    /// 1,4,16, each is run, and so with the next two
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub partitions: Vec<u16>,
    /// Compression of the batches
    #[arg(long, value_delimiter = ',', value_parser = named::<Compression>(), default_values_t = [Compression::default()])]
    pub compression: Vec<Compression>,
    /// Consumers, each with a thread and a share of the partitions [default: one a core, at most 4]
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub threads: Vec<u16>,
    /// What the count guarantees; exactly-once is measured beside at-least-once
    #[arg(long, value_parser = described::<Guarantee>(), default_value_t)]
    pub guarantee: Guarantee,
    /// How often each phase and its ceiling are measured, in turn; the medians count
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub rounds: u16,
    /// How long the live phase replays the input, or each of a sweep lasts
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "TIME")]
    pub live_seconds: Duration,
    /// Frames per second of the live phase, instead of --live-seconds
    #[arg(long, conflicts_with = "live_seconds", value_name = "N", value_parser = pace, allow_negative_numbers = true)]
    pub rate: Option<f64>,
    /// Latency against load: live phases at rising rates, up to the first that is not sustained
    #[arg(long, conflicts_with_all = ["rate", "against", "noise"])]
    pub sweep: bool,
    /// Exact sets and sketches side by side: time, memory and error on each FILE, without a broker, and nothing else
    #[arg(long, conflicts_with_all = [
        "partitions", "compression", "threads", "guarantee", "live_seconds", "rate", "sweep", "keep", "baseline", "against",
        "noise", "assertions",
    ])]
    pub distinct: bool,
    /// Keep the topics and the consumer groups
    #[arg(long)]
    pub keep: bool,
    /// Compare the shares of the ceilings with what scripts/baseline.py measured on this machine; exit 3 if one fell
    #[arg(long, value_name = "FILE", overrides_with = "baseline")]
    pub baseline: Option<PathBuf>,
    /// Run this other build of kuu, too, in turn, and exit 3 if this one is slower
    #[arg(long, value_name = "PROGRAM")]
    pub against: Option<PathBuf>,
    /// Run this build only, again and again, and say which change of each figure this machine can see
    #[arg(long, conflicts_with = "against")]
    pub noise: bool,
    /// By how much it must be slower (--against)
    #[arg(long, default_value = "5%", value_parser = percent, requires = "against", value_name = "PERCENT")]
    pub threshold: f64,
    /// How long runs are added while they do not say (--against)
    #[arg(long, default_value = "10min", value_parser = duration, requires = "against", value_name = "TIME")]
    pub max_time: Duration,
    /// What the run must reach, as in 'result.p99 < 25ms' or 'count.share >= 0.5': else exit 3; may be repeated
    #[arg(long = "assert", value_name = "FIGURE < LIMIT")]
    pub assertions: Vec<Assertion>,
    /// How windows are made
    #[command(flatten)]
    pub windows: Windows,
    /// Where frames have their members
    #[command(flatten)]
    pub frames: FrameArgs,
    /// Event time
    #[command(flatten)]
    pub event_time: EventTime,
}

impl BenchArgs {
    /// Whether an option has several values, and each combination is a run.
    pub fn is_of_several(&self) -> bool {
        [self.partitions.len(), self.compression.len(), self.threads.len()].iter().any(|values| *values > 1)
    }
}
