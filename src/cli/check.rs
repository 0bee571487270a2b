//! The options of the commands that give the truth, or compare with it.

use super::frames::FrameArgs;
use super::rows::RowArgs;
use super::values::{bound, topic};
use super::windows::Windows;
use clap::Args;
use kuu_core::distinct::Distinct;
use kuu_core::window::Unit;
use std::path::PathBuf;

/// `kuu verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The frames that were counted [default: the files that `kuu produce` recorded for the topic]
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// The topic with the frames [default: the one last counted into the output, else that of the last `kuu produce`]
    #[arg(long, short, value_parser = topic)]
    pub topic: Option<String>,
    /// The topic with the results
    #[arg(long, visible_alias = "output-topic", default_value = "output", value_name = "TOPIC", value_parser = topic)]
    pub output: String,
    /// Windows to check, separated by commas; rows of others are left out [default: those last counted into the output, else minute]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "UNIT")]
    pub window: Vec<Unit>,
    /// How far from the truth the users of a window may be, as in 2%: for counts by sketches [default: they must be exact]
    #[arg(long, value_parser = bound, value_name = "PERCENT")]
    pub within: Option<f64>,
    /// Where frames have their members [default: as the count's record has it, else that of the topic's receipt]
    #[command(flatten)]
    pub frames: FrameArgs,
    /// How rows are read
    #[command(flatten)]
    pub rows: RowArgs,
}

/// `kuu batch`
#[derive(Debug, Args)]
pub struct BatchArgs {
    /// JSON lines, plain or gzipped, of files or pipes; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// How windows are made
    #[command(flatten)]
    pub windows: Windows,
    /// How users are counted: exact, or hll:P, by sketches of 2^P registers (4 to 21; hll is hll:14): see docs/sketches.md
    #[arg(long, default_value_t, value_name = "METHOD")]
    pub distinct: Distinct,
    /// Print each window's sketch, too, in the format of Apache DataSketches, as base64 (--distinct hll)
    #[arg(long)]
    pub sketches: bool,
    /// Where frames have their members
    #[command(flatten)]
    pub frames: FrameArgs,
    /// Compare with this truth file of `kuu generate`, in its units, and print what differs; exit 1 if anything does
    #[arg(long, value_name = "FILE", conflicts_with_all = ["window", "distinct"])]
    pub check: Option<PathBuf>,
}
