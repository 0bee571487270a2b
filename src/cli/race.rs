//! The options of `kuu race`.

use crate::cli::values::{CheckpointInterval, bytes, checkpoint, duration, pace, seconds};
use clap::{ArgGroup, Args};
use kuu_core::comparison::Assertion;
use kuu_core::window::Unit;
use std::path::PathBuf;
use std::time::Duration;

/// `kuu race`
#[derive(Clone, Debug, Args)]
#[command(
    override_usage = "kuu race --scorecard [ENGINE]... [OPTIONS]\n       kuu race [ENGINE]... FILE [OPTIONS]",
    group = ArgGroup::new("kind").args(["scorecard", "rate", "sustain"])
)]
pub struct RaceArgs {
    /// The engines, by name [default: all that are built]; but with --scorecard, the file with the frames comes last. An
    /// engine that is named twice is its own control: both should be even
    #[arg(value_name = "ENGINE")]
    pub names: Vec<String>,
    /// Judge every engine on every workload; without it, engines race for speed on FILE
    #[arg(long)]
    pub scorecard: bool,
    /// Send frames at this rate (frames per second), and measure how late results are
    #[arg(long, value_parser = pace, value_name = "N")]
    pub rate: Option<f64>,
    /// Find the greatest rate that each engine sustains
    #[arg(long)]
    pub sustain: bool,
    /// What a race for speed must show, as in 'cold_62500_kuu_frames_per_s > 100k': else exit 3; may be repeated
    #[arg(long = "assert", value_name = "FIGURE < LIMIT", help_heading = "Speed")]
    pub assertions: Vec<Assertion>,
    /// How long a steady run takes, or frames are sent with --rate [default: 60s; a steady run with --quick 15s]
    #[arg(long = "for", value_parser = duration, value_name = "TIME", help_heading = "Speed")]
    pub time: Option<Duration>,
    /// How often everything is measured in turn [default: 10; with --quick 3; with --rate or --sustain 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), value_name = "N", help_heading = "Speed")]
    pub rounds: Option<u32>,
    /// In how many of the first rounds engines run on the steady input, too, which takes longest; 0 leaves it out
    /// [default: all]
    #[arg(long, conflicts_with = "kind", value_name = "N", help_heading = "Speed")]
    pub steady_rounds: Option<u32>,
    /// A first look: fewer rounds, and short ones
    #[arg(long, help_heading = "Speed")]
    pub quick: bool,
    /// Partitions of the topic
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..), value_name = "N", help_heading = "Speed")]
    pub partitions: u16,
    /// How long a window waits for frames that are out of order, as engines are told
    #[arg(long, default_value = "5s", value_parser = seconds, value_name = "TIME", help_heading = "Speed")]
    pub lateness: Duration,
    /// The windows that engines count
    #[arg(long, default_value = "minute", value_name = "UNIT", help_heading = "Speed")]
    pub window: Unit,
    /// A workload, by name, or a file that ends with .toml; may be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    pub workload: Vec<String>,
    /// Where workloads are
    #[arg(long, default_value = "workloads", value_name = "DIR")]
    pub workloads: PathBuf,
    /// Where engines are
    #[arg(long = "engines", default_value = "engines", value_name = "DIR")]
    pub engines_dir: Vec<PathBuf>,
    /// The directory of this race; cells that it has already are not run again [default: a new one in --results]
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
    /// How long an engine may take for one workload, or for one run on FILE [default: 60s; on FILE 10min]
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub deadline: Option<Duration>,
    /// How often engines commit on workloads in which something breaks: `own`, as each does by itself, or a time for all;
    /// a list, as in own,1s, gives each engine a column for each
    #[arg(long, value_parser = checkpoint, value_delimiter = ',', default_value = "own", requires = "scorecard", value_name = "TIME")]
    pub checkpoint: Vec<CheckpointInterval>,
    /// The most frames per second on workloads in which something breaks [default: half of what the slowest engine of the
    /// race takes where nothing breaks, which is measured before]
    #[arg(long, value_parser = pace, requires = "scorecard", value_name = "N")]
    pub pace: Option<f64>,
    /// The memory that each engine may use, as it is told: K, M and G are powers of 1,000
    #[arg(long, default_value = "2G", value_parser = bytes, value_name = "BYTES")]
    pub memory: u64,
    /// Kill an engine whose processes take more than --memory together, each shared page once (PSS), as a container does
    #[arg(long)]
    pub enforce_memory: bool,
    /// A shell command that restarts the broker, for workloads in which that happens
    #[arg(long, value_name = "COMMAND")]
    pub restart_broker: Option<String>,
    /// What makes the moments of crashes others
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}
