//! The options of `kuu generate`.

use super::examples;
use super::values::{bytes, described_troubles, moment, seconds};
use clap::Args;
use kuu_core::window::Unit;
use kuu_core::workload::{FRAME_BYTES, Generator, Share, Spec, Trouble};
use std::path::PathBuf;
use std::time::Duration;

/// `kuu generate`
#[derive(Debug, Args)]
#[command(after_long_help = format!("{}\n{}", described_troubles(), examples::GENERATE))]
pub struct GenerateArgs {
    /// Where the frames go: .gz is compressed; - is standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: String,
    /// Where the truth goes [default: FILE.truth.jsonl; for standard output and devices it is not written]
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    pub force: bool,
    /// Make the frames of this workload; its file has all other options
    #[arg(long, value_name = "NAME", conflicts_with_all = [
        "frames", "size", "rate", "users", "skew", "seed", "delay", "crlf", "start", "frame_bytes", "partitions", "keyed",
        "window", "lateness", "retention", "trouble",
    ])]
    pub workload: Option<String>,
    /// Where the files of workloads are
    #[arg(long, value_name = "DIR", default_value = "workloads", requires = "workload")]
    pub workloads: PathBuf,
    /// Number of lines [default: 50000]
    #[arg(long, value_name = "N", conflicts_with = "size")]
    pub frames: Option<u64>,
    /// Stop at about so many bytes, before compression: 200MB, 2GB
    #[arg(long, value_parser = bytes, value_name = "BYTES")]
    pub size: Option<u64>,
    /// Frames per second of event time
    #[arg(long, default_value_t = 100.0, value_name = "N")]
    pub rate: f64,
    /// Number of users
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    pub users: u32,
    /// Zipf exponent of the users: 0 makes all alike
    #[arg(long, default_value_t = 0.0, value_name = "S")]
    pub skew: f64,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// How far the ts of a delayed frame may lie back
    #[arg(long, value_parser = seconds, value_name = "TIME")]
    pub delay: Option<Duration>,
    /// How many frames are delayed, 0 to 1
    #[arg(long, default_value = "0.01", requires = "delay", value_name = "P")]
    pub delay_probability: Share,
    /// End lines with \r\n
    #[arg(long)]
    pub crlf: bool,
    /// The first second of event time: RFC 3339 or Unix seconds
    #[arg(long, default_value = "2016-07-11T13:39:44Z", value_parser = moment, value_name = "TIME")]
    pub start: i64,
    /// Bytes of a frame, about: 100 to 1MB
    #[arg(long, default_value_t = u64::from(FRAME_BYTES), value_parser = bytes, value_name = "BYTES")]
    pub frame_bytes: u64,
    /// Level of compression of a .gz: 0 stores, 9 is the best
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(..=9), value_name = "N")]
    pub compression_level: u32,
    /// Partitions that the frames are meant for, in turn
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub partitions: u16,
    /// Put all frames of a user into one partition
    #[arg(long)]
    pub keyed: bool,
    /// Units of the windows of the truth, separated by commas: minute, 90s, ...
    #[arg(long, value_delimiter = ',', default_value = "minute", value_name = "UNIT")]
    pub window: Vec<Unit>,
    /// From when on a frame is late, for the truth and the troubles
    #[arg(long, default_value = "5s", value_parser = seconds, value_name = "TIME")]
    pub lateness: Duration,
    /// How long after its end a window accepts frames, for the truth and the troubles
    #[arg(long, default_value = "1d", value_parser = seconds, value_name = "TIME")]
    pub retention: Duration,
    /// What is wrong with the stream; may be repeated
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub trouble: Vec<Trouble>,
}

impl GenerateArgs {
    /// The stream that the options describe.
    ///
    /// # Errors
    /// If a number is too large.
    pub fn spec(&self) -> Result<Spec, String> {
        let time = |name: &str, time: Duration| {
            u32::try_from(time.as_secs()).map_err(|_| format!("{name}: at most {}", duration_words(u32::MAX)))
        };
        let mut spec = Spec {
            frames: self.frames.unwrap_or(Spec::default().frames),
            rate: self.rate,
            users: self.users,
            skew: self.skew,
            seed: self.seed,
            start: self.start,
            delay: time("delay", self.delay.unwrap_or_default())?,
            delay_probability: if self.delay.is_some() { self.delay_probability } else { Share::NONE },
            crlf: self.crlf,
            frame_bytes: u32::try_from(self.frame_bytes).map_err(|_| "frame-bytes: from 100 to 1000000".to_owned())?,
            partitions: self.partitions,
            keyed: self.keyed,
            window: self.window.clone(),
            lateness: time("lateness", self.lateness)?,
            retention: time("retention", self.retention)?,
            troubles: self.trouble.clone(),
        };
        spec.window.sort();
        spec.window.dedup();
        if let Some(size) = self.size {
            spec.frames = Generator::frames_of(&spec, size)?;
        }
        Ok(spec)
    }
}

fn duration_words(seconds: u32) -> String {
    humantime::format_duration(Duration::from_secs(seconds.into())).to_string()
}
