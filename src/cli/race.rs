//! The options of `kuu race`.

use crate::cli::values::{bytes, duration};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// `kuu race`
#[derive(Clone, Debug, Args)]
pub struct RaceArgs {
    /// The engines, by name [default: all that are built]
    #[arg(value_name = "ENGINE")]
    pub engines: Vec<String>,
    /// Judge every engine on every workload
    #[arg(long, required = true)]
    pub scorecard: bool,
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
    /// How long an engine may take for one workload
    #[arg(long, default_value = "60s", value_parser = duration, value_name = "TIME")]
    pub deadline: Duration,
    /// The memory that each engine may use, as it is told: K, M and G are powers of 1,000
    #[arg(long, default_value = "2G", value_parser = bytes, value_name = "BYTES")]
    pub memory: u64,
    /// A shell command that restarts the broker, for workloads in which that happens
    #[arg(long, value_name = "COMMAND")]
    pub restart_broker: Option<String>,
    /// What makes the moments of crashes others
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}
