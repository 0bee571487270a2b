//! The options of `kuu output`.

use super::rows::RowArgs;
use super::values::topic;
use clap::Args;
use kuu_core::window::Unit;

/// `kuu output`
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// The topic with the results
    #[arg(
        long,
        short = 't',
        visible_alias = "output-topic",
        default_value = "output",
        value_name = "TOPIC",
        value_parser = topic
    )]
    pub output: String,
    /// Go on at the topic's end, and print each result as it comes; wait for a topic that is not there yet; Ctrl-C stops
    #[arg(long)]
    pub follow: bool,
    /// Print windows of these units only, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "UNIT")]
    pub window: Vec<Unit>,
    /// How rows are read
    #[command(flatten)]
    pub rows: RowArgs,
}
