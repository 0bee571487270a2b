//! The options of the command line. Independent of the rest of the crate.

mod bench;
mod check;
mod compare;
mod engines;
mod examples;
mod formats;
mod frames;
mod generate;
mod manual;
mod operation;
mod output;
mod pacing;
mod race;
mod report;
mod results;
mod rows;
mod values;
mod windows;

pub use bench::BenchArgs;
pub use check::{BatchArgs, VerifyArgs};
use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
pub use compare::CompareArgs;
pub use engines::{EnginesAction, EnginesArgs};
pub use formats::FormatsArgs;
pub use frames::FrameArgs;
pub use generate::GenerateArgs;
use kuu_core::configuration::{Compression, Guarantee};
use kuu_core::distinct::Distinct;
pub use manual::{CompletionsArgs, ManArgs};
pub use operation::{LOG_VARIABLE, LogArgs, LogFormat, MetricsArgs, level as log_level};
pub use output::OutputArgs;
pub use pacing::PacingArgs;
pub use race::RaceArgs;
pub use report::ReportArgs;
pub use results::ResultsArgs;
pub use rows::RowArgs;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
pub use values::{CheckpointInterval, topic as topic_name};
use values::{described, duration, named, own_topic, patience, property, some_time, topic};
pub use windows::{EventTime, Windows};

/// Count unique users per window of event time in Kafka, measure it, prove it.
#[derive(Debug, Parser)]
#[command(name = "kuu", version = env!("KUU_VERSION"), max_term_width = 100, after_help = examples::WORDS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Options of `count` that do nothing where it counts files, and why.
const FOR_TOPICS: [(&str, &str); 12] = [
    ("topic", "a count of files reads no topic"),
    ("output", "the results of files go to standard output"),
    ("group", "a count of files commits no position and keeps no state"),
    ("recreate", "a count of files writes to no topic and keeps no state"),
    ("follow", "a file is read to its end, and - until standard input is closed"),
    ("close_idle", "a file is read to its end, and then every window closes"),
    ("idle", "a file has no partitions that could be silent"),
    ("dead_letter", "a count of files writes to no topic"),
    ("ordered_output", "a count of files writes to no topic"),
    ("threads", "a count of files has one reader, as their lines are in one order"),
    ("guarantee", "a count of files commits nothing"),
    ("commit_interval", "a count of files commits nothing"),
];

/// Options of every command that do nothing where no broker is used. A limit that is not reached, as --timeout, is fine.
const FOR_BROKERS: [(&str, &str); 3] = [("brokers", "--brokers"), ("config", "--config"), ("properties", "-X")];

impl Cli {
    /// The command line of this process. If it is invalid, the process prints the usage and ends with exit status 2.
    pub fn read() -> Cli {
        let words: Vec<OsString> = std::env::args_os().collect();
        if let Some(command) = Command::beside_clap(&words) {
            // The options are the usual ones, of any command.
            return Cli { command, ..Cli::parse_from(["kuu", "man"]) };
        }
        let read = Cli::command().try_get_matches().and_then(|mut matches| {
            check(&matches)?;
            let for_brokers = given_for_brokers(&matches);
            let cli = Cli::from_arg_matches_mut(&mut matches)?;
            match for_brokers {
                Some(option) if !cli.command.connects() => Err(idle_option(option, "this command uses no broker")),
                _ => Ok(cli),
            }
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
        Some((id, why)) => Err(idle_option(&format!("--{}", id.replace('_', "-")), why)),
        None => Ok(()),
    }
}

/// The first option about brokers that the command line has.
fn given_for_brokers(matches: &ArgMatches) -> Option<&'static str> {
    let (_, command) = matches.subcommand()?;
    FOR_BROKERS
        .into_iter()
        .find_map(|(id, option)| (command.value_source(id)? == ValueSource::CommandLine).then_some(option))
}

fn idle_option(option: &str, why: &str) -> clap::Error {
    Cli::command().error(ErrorKind::ArgumentConflict, format!("{option} does nothing here: {why}"))
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Replay frames into a topic
    #[command(after_help = examples::PRODUCE)]
    Produce(ProduceArgs),
    /// Count users per window, from a topic, files or standard input
    #[command(after_help = examples::COUNT)]
    Count(CountArgs),
    /// Compare the counted windows with the truth
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Print the topic of results as a table, once or as results come
    #[command(after_help = examples::OUTPUT)]
    Output(OutputArgs),
    /// Print the truth: the exact offline count of files, as JSON lines
    #[command(after_help = examples::BATCH)]
    Batch(BatchArgs),
    /// Produce, count, verify and measure, each beside its ceiling
    #[command(after_help = examples::BENCH)]
    Bench(BenchArgs),
    /// Make frames with every kind of trouble, and the truth about them
    #[command(after_help = examples::GENERATE)]
    Generate(GenerateArgs),
    /// List the engines of a race: their versions and claims, or what is missing; build them
    #[command(after_help = examples::ENGINES)]
    Engines(EnginesArgs),
    /// Run engines on the same frames, and name those that are wrong
    #[command(after_help = examples::RACE)]
    Race(RaceArgs),
    /// Write frames in other formats than JSON, and measure what each is worth
    #[command(after_help = examples::FORMATS)]
    Formats(FormatsArgs),
    /// Compare records: each figure with its interval, and whether it is better or worse
    #[command(after_help = examples::COMPARE)]
    Compare(CompareArgs),
    /// Write records as a page of HTML with plots, or in the formats of other tools
    #[command(after_help = examples::REPORT)]
    Report(ReportArgs),
    /// List the records of a directory, delete old ones, or print their schema
    #[command(after_help = examples::RESULTS)]
    Results(ResultsArgs),
    /// Print completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print a manual page
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
    /// Watch a program for another kuu, as it asks
    #[command(skip)]
    Keep,
    /// Print the properties of librdkafka: `-X list`
    #[command(skip)]
    ListProperties,
}

impl Command {
    /// What clap does not know, as no help or completion has it: `kuu keep`, and `-X list`, with or without a command.
    fn beside_clap(words: &[OsString]) -> Option<Command> {
        let word = |index: usize| words.get(index).map_or("", |word| word.to_str().unwrap_or_default());
        if word(1) == "keep" && words.len() == 2 {
            return Some(Command::Keep);
        }
        let lists = |index| match word(index) {
            "-Xlist" | "-X=list" | "--command-property=list" => true,
            "-X" | "--command-property" => word(index + 1) == "list",
            _ => false,
        };
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        (1..end).any(lists).then_some(Command::ListProperties)
    }

    /// Whether it is a client of brokers.
    pub fn connects(&self) -> bool {
        match self {
            Command::Produce(_) | Command::Verify(_) | Command::Output(_) | Command::Bench(_) | Command::Race(_) => {
                true
            }
            Command::Count(count) => count.files.is_empty(),
            Command::Formats(formats) => !formats.no_kafka,
            _ => false,
        }
    }
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
    /// librdkafka properties, a line `key=value` each, or a file of a Java client: the place for secrets; -X wins
    #[arg(long, visible_alias = "command-config", global = true, value_name = "FILE", help_heading = "Common options")]
    pub config: Option<PathBuf>,
    /// A librdkafka property, except secrets and those that kuu depends on; may be repeated. -X list prints all
    #[arg(short = 'X', long = "command-property", global = true, value_name = "KEY=VALUE", value_parser = property, help_heading = "Common options")]
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
    /// The log
    #[command(flatten)]
    pub log: LogArgs,
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
    #[arg(long, short, default_value = "messages", value_parser = own_topic)]
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
    #[arg(long, short, default_value = "messages", value_parser = topic)]
    pub topic: String,
    /// The topic for the results; created if it is missing
    #[arg(long, visible_alias = "output-topic", default_value = "output", value_name = "TOPIC", value_parser = own_topic)]
    pub output: String,
    /// Consumer group: its position, its state in the topic GROUP-state, and its transactional id
    #[arg(long, default_value = "kuu", value_parser = NonEmptyStringValueParser::new())]
    pub group: String,
    /// Delete the output topics and the group's state first, with all they hold
    #[arg(long)]
    pub recreate: bool,
    /// Go on at the topic's end, and print each result as it comes; Ctrl-C stops
    #[arg(long)]
    pub follow: bool,
    /// Close every window that is open after this time without any frame (--follow); a frame that comes later corrects it
    #[arg(long, value_parser = some_time, value_name = "TIME", requires = "follow")]
    pub close_idle: Option<Duration>,
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
    /// How users are counted: exact, or hll:P, by sketches of 2^P registers (4 to 21; hll is hll:14): see docs/sketches.md
    #[arg(long, default_value_t, value_name = "METHOD")]
    pub distinct: Distinct,
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
    /// Metrics
    #[command(flatten)]
    pub operation: MetricsArgs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
