//! The options of `kuu formats`.

use super::frames::FrameArgs;
use clap::Args;

/// `kuu formats`
#[derive(Debug, Args)]
pub struct FormatsArgs {
    /// JSON lines, plain or gzipped
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Take the first N frames only: they are all kept in memory, in every format
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..), value_name = "N")]
    pub limit: u64,
    /// How often everything is measured, in turn; the medians count
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub rounds: u16,
    /// Measure in memory only, and send nothing to a broker
    #[arg(long)]
    pub no_kafka: bool,
    /// Partitions of the topics [default: 4 on Kafka; on the embedded broker as many as the input needs]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub partitions: Option<u16>,
    /// Where frames have their members
    #[command(flatten)]
    pub frames: FrameArgs,
}
