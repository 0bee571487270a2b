//! The options of the command line. Independent of the rest of the crate.

mod bench;
mod compare;
mod engines;
mod frames;
mod generate;
mod pacing;
mod race;
mod results;
mod values;
mod windows;

pub use bench::BenchArgs;
use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
pub use compare::CompareArgs;
pub use engines::{EnginesAction, EnginesArgs};
pub use frames::FrameArgs;
pub use generate::GenerateArgs;
use kuu_core::configuration::{Compression, Guarantee};
use kuu_core::window::Unit;
use kuu_frame::TsFormat;
pub use pacing::PacingArgs;
pub use race::RaceArgs;
pub use results::ResultsArgs;
use std::path::PathBuf;
use std::time::Duration;
pub use values::topic as topic_name;
use values::{described, duration, named, own_topic, patience, property, topic};
pub use windows::{EventTime, Windows};

/// Count unique users per window of event time in Kafka, measure it, prove it.
#[derive(Debug, Parser)]
#[command(name = "kuu", version = env!("KUU_VERSION"), max_term_width = 100, after_help = EXIT_STATUS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

const EXIT_STATUS: &str = "Exit status: 0 fine; 1 the answer is wrong; 2 usage, input or environment error; \
3 performance regression; 4 inconclusive measurement; 5 the load generator could not hold its schedule; \
130 interrupted, after an orderly stop.";

/// Options of `count` that do nothing where it counts files, and why.
const FOR_TOPICS: [(&str, &str); 11] = [
    ("topic", "a count of files reads no topic"),
    ("output", "the results of files go to standard output"),
    ("group", "a count of files commits no position and keeps no state"),
    ("recreate", "a count of files writes to no topic and keeps no state"),
    ("follow", "a file is read to its end, and - until standard input is closed"),
    ("idle", "a file has no partitions that could be silent"),
    ("dead_letter", "a count of files writes to no topic"),
    ("ordered_output", "a count of files writes to no topic"),
    ("threads", "a count of files has one reader, as their lines are in one order"),
    ("guarantee", "a count of files commits nothing"),
    ("commit_interval", "a count of files commits nothing"),
];

impl Cli {
    /// The command line of this process. If it is invalid, the process prints the usage and ends with exit status 2.
    pub fn read() -> Cli {
        let read = Cli::command().try_get_matches().and_then(|mut matches| {
            check(&matches)?;
            Cli::from_arg_matches_mut(&mut matches)
        });
        let read = read.map(|mut cli| {
            if let Command::Bench(BenchArgs { files, default_file, .. }) = &mut cli.command
                && files.is_empty()
            {
                files.extend(default_file.take());
            }
            cli
        });
        read.unwrap_or_else(|error| error.exit())
    }
}

/// Rejects options that would do nothing; clap alone could not give the reason.
fn check(matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some(("count", count)) = matches.subcommand() else { return Ok(()) };
    let given = |id: &str| count.value_source(id) == Some(ValueSource::CommandLine);
    match FOR_TOPICS.iter().find(|(id, _)| given("files") && given(id)) {
        Some((id, why)) => {
            let words = format!("--{} does nothing here: {why}", id.replace('_', "-"));
            Err(Cli::command().error(ErrorKind::ArgumentConflict, words))
        }
        None => Ok(()),
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Replay frames into a topic
    Produce(ProduceArgs),
    /// Count users per window, from a topic, files or standard input
    Count(CountArgs),
    /// Compare the counted windows with the truth
    Verify(VerifyArgs),
    /// Print the truth: the exact offline count of files, as JSON lines
    Batch(BatchArgs),
    /// Produce, count, verify and measure, each beside its ceiling
    Bench(BenchArgs),
    /// Make frames with every kind of trouble, and the truth about them
    Generate(GenerateArgs),
    /// List the engines of a race: their versions and claims, or what is missing; build them
    Engines(EnginesArgs),
    /// Run engines on the same frames, and name those that are wrong
    Race(RaceArgs),
    /// Compare records: each figure with its interval, and whether it is better or worse
    Compare(CompareArgs),
    /// List the records of a directory, delete old ones, or print their schema
    Results(ResultsArgs),
    /// Watch a program for another kuu
    #[command(hide = true)]
    Keep,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Kafka bootstrap servers [default: those of --config, else of the environment's KUU_BROKERS, else localhost:9092]
    #[arg(
        long,
        short,
        visible_alias = "bootstrap-server",
        global = true,
        value_name = "HOST:PORT",
        help_heading = "Common options"
    )]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub brokers: Option<String>,
    /// librdkafka properties, a line `key=value` each: the place for secrets; -X wins
    #[arg(long, global = true, value_name = "FILE", help_heading = "Common options")]
    pub config: Option<PathBuf>,
    /// A librdkafka property, except secrets and those that kuu depends on; may be repeated
    #[arg(short = 'X', global = true, value_name = "KEY=VALUE", value_parser = property, help_heading = "Common options")]
    pub properties: Vec<(String, String)>,
    /// How long to wait for a broker that does not answer
    #[arg(long, global = true, default_value = "10s", value_parser = patience, value_name = "TIME", help_heading = "Common options")]
    pub timeout: Duration,
    /// Where records are written
    #[arg(
        long,
        overrides_with = "results",
        global = true,
        default_value = "results",
        value_name = "DIR",
        help_heading = "Common options"
    )]
    pub results: PathBuf,
    /// One JSON document on standard output, everything else on standard error
    #[arg(long, global = true, help_heading = "Common options")]
    pub json: bool,
    /// No progress, no tables, no rows: errors and the exit status only (and the document of --json)
    #[arg(long, short, global = true, help_heading = "Common options")]
    pub quiet: bool,
}

/// `kuu produce`
#[derive(Clone, Debug, Args)]
pub struct ProduceArgs {
    /// JSON lines, plain or gzipped, of files or pipes; - is standard input
    #[arg(required_unless_present = "workload", value_name = "FILE")]
    pub files: Vec<String>,
    /// Deliver this workload instead, as its file says: its partitions, keys, compression, transactions
    #[arg(long, value_name = "NAME", conflicts_with_all = ["files", "append", "limit", "partitions", "compression", "speed", "repeat", "time", "uid", "uid_type", "ts", "ts_format"])]
    pub workload: Option<String>,
    /// Where the files of workloads are
    #[arg(long, value_name = "DIR", default_value = "workloads", requires = "workload")]
    pub workloads: PathBuf,
    /// The topic to fill
    #[arg(long, default_value = "messages", value_parser = own_topic)]
    pub topic: String,
    /// Partitions of a topic that is created
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub partitions: u16,
    /// Replicas of a topic that is created
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub replication_factor: u16,
    /// Compression of the batches
    #[arg(long, value_parser = named::<Compression>(), default_value_t)]
    pub compression: Compression,
    /// Send the first N frames only, repeats included
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Add to a topic that holds frames
    #[arg(long, conflicts_with = "recreate")]
    pub append: bool,
    /// Delete the topic first, with all it holds
    #[arg(long)]
    pub recreate: bool,
    /// When frames are sent, and how often
    #[command(flatten)]
    pub pacing: PacingArgs,
    /// Where frames have their members: the user is the key
    #[command(flatten)]
    pub frames: FrameArgs,
}

/// `kuu count`
#[derive(Debug, Args)]
pub struct CountArgs {
    /// Count these instead of a topic and print the results; - is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// The topic to count
    #[arg(long, default_value = "messages", value_parser = topic)]
    pub topic: String,
    /// The topic for the results; created if it is missing
    #[arg(long, default_value = "output", value_name = "TOPIC", value_parser = own_topic)]
    pub output: String,
    /// Consumer group: its position, its state in the topic GROUP-state, and its transactional id
    #[arg(long, default_value = "kuu", value_parser = NonEmptyStringValueParser::new())]
    pub group: String,
    /// Delete the output topics and the group's state first, with all they hold
    #[arg(long)]
    pub recreate: bool,
    /// Go on at the topic's end; Ctrl-C stops
    #[arg(long)]
    pub follow: bool,
    /// Leave a partition that is silent at its end, or whose frames do not agree on the time, out of the watermark after
    /// this time (--follow)
    #[arg(long, default_value = "2s", value_parser = duration, value_name = "TIME", requires = "follow")]
    pub idle: Duration,
    /// Give open windows that changed an early result this often
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub early: Option<Duration>,
    /// Send what no window counts to this topic, as it came, with the reason and its place in headers
    #[arg(long, value_name = "TOPIC", value_parser = own_topic)]
    pub dead_letter: Option<String>,
    /// Send every counted frame to this topic, in the order of its timestamps; one that is further ahead of its partition's
    /// clock than --max-jump waits for 32 more frames or a minute, then goes to the dead letters
    #[arg(long, value_name = "TOPIC", value_parser = own_topic)]
    pub ordered_output: Option<String>,
    /// Consumers, each with a thread and a share of the partitions [default: one a core, at most 4]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub threads: Option<u16>,
    /// What a crash may do to the results: nothing, or some of them are written again
    #[arg(long, value_parser = described::<Guarantee>(), default_value_t)]
    pub guarantee: Guarantee,
    /// How often results, state and position are committed; while following, also when a window closes
    #[arg(long, default_value = "1s", value_parser = duration, value_name = "TIME")]
    pub commit_interval: Duration,
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

/// `kuu verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The frames that were counted [default: the files that `kuu produce` recorded for the topic]
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// The topic with the frames [default: the one last counted into the output, else that of the last `kuu produce`]
    #[arg(long, value_parser = topic)]
    pub topic: Option<String>,
    /// The topic with the results
    #[arg(long, default_value = "output", value_name = "TOPIC", value_parser = topic)]
    pub output: String,
    /// Windows to check, separated by commas; rows of others are left out [default: those last counted into the output, else minute]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "UNIT")]
    pub window: Vec<Unit>,
    /// Where frames have their members [default: as the count's record has it, else that of the topic's receipt]
    #[command(flatten)]
    pub frames: FrameArgs,
    /// The member of a row that holds the start of its window
    #[arg(long, default_value = "start", value_parser = NonEmptyStringValueParser::new(), value_name = "NAME")]
    pub start_field: String,
    /// The member of a row that holds the number of users
    #[arg(long, default_value = "users", value_parser = NonEmptyStringValueParser::new(), value_name = "NAME")]
    pub users_field: String,
    /// How rows write starts [default: Unix seconds or RFC 3339]
    #[arg(long, value_parser = described::<TsFormat>(), value_name = "FORMAT")]
    pub start_format: Option<TsFormat>,
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
    /// Where frames have their members
    #[command(flatten)]
    pub frames: FrameArgs,
    /// Compare with this truth file of `kuu generate`, in its units, and print what differs; exit 1 if anything does
    #[arg(long, value_name = "FILE", conflicts_with = "window")]
    pub check: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
