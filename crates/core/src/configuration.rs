//! The configuration in effect of each command, as stored in a record: one command writes it, another one reads it.

pub use crate::compression::Compression;
use crate::distinct::Distinct;
use crate::window::Unit;
use crate::workload::{Spec, Workload};
use kuu_frame::{FrameFormat, ParserKind, TsFormat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// What a reader of the results may rely on after a crash.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    JsonSchema,
    Serialize,
    Deserialize,
    Display,
    EnumMessage,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Guarantee {
    /// Results, state and position in one transaction; goes on where it stood
    #[default]
    ExactlyOnce,
    /// No transaction; counts the topic anew
    AtLeastOnce,
}

/// The members `command` and `config` of a record.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "command", content = "config", rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Configuration {
    /// `kuu produce`
    Produce(InEffect<ProduceConfig>),
    /// `kuu count`
    Count(InEffect<CountConfig>),
    /// `kuu verify`
    Verify(InEffect<VerifyConfig>),
    /// `kuu batch`
    Batch(InEffect<BatchConfig>),
    /// `kuu bench`
    Bench(InEffect<BenchConfig>),
    /// `kuu generate`
    Generate(InEffect<GenerateConfig>),
    /// `kuu race`
    Race(InEffect<RaceConfig>),
    /// `kuu formats`
    Formats(InEffect<FormatsConfig>),
}

impl Configuration {
    /// The name of the subcommand.
    pub fn command(&self) -> &'static str {
        self.into()
    }

    /// The options, if the command is `kuu produce`.
    pub fn produce(&self) -> Option<&ProduceConfig> {
        if let Configuration::Produce(config) = self { Some(&config.options) } else { None }
    }

    /// The options, if the command is `kuu count`.
    pub fn count(&self) -> Option<&CountConfig> {
        if let Configuration::Count(config) = self { Some(&config.options) } else { None }
    }
}

/// Options of a command, and other settings.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct InEffect<T> {
    /// The options, defaults included.
    #[serde(flatten)]
    pub options: T,
    /// Properties of librdkafka as `-X KEY`, with secrets as `***`; and settings that only another version of kuu
    /// knows.
    #[serde(flatten)]
    pub others: BTreeMap<String, serde_json::Value>,
}

/// Options of `kuu produce`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ProduceConfig {
    /// The topic that receives the frames.
    pub topic: String,
    /// Compression of the batches.
    pub compression: Compression,
    /// Largest number of frames.
    pub limit: Option<u64>,
    /// The workload whose frames these are, instead of those of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Box<Workload>>,
    /// Frames per second, if they were sent at a fixed rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Seconds of event time per second, if frames were sent at their event time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// How often the input was to be sent, if it was to be sent several times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u64>,
    /// How long the input was to be sent again and again, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_us: Option<u64>,
    /// Whether frames were added to the topic's content.
    pub append: bool,
    /// Whether the topic was deleted first.
    pub recreate: bool,
    /// Which replicas must have a frame before it counts as delivered.
    pub acks: String,
    /// Whether the broker drops duplicates.
    #[serde(rename = "enable.idempotence")]
    pub idempotence: bool,
    /// Where frames have their members.
    pub frames: FrameFormat,
    /// Whether the run was complete; unknown in records from before this member existed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// Frames that the topic holds, or held, without a receipt.
    #[serde(skip_serializing_if = "is_zero")]
    pub unlisted_frames: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Options of `kuu count`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct CountConfig {
    /// The topic whose frames are counted.
    pub topic: String,
    /// The topic of the results.
    pub output: String,
    /// The consumer group.
    pub group: String,
    /// The guarantee after a crash.
    pub guarantee: Guarantee,
    /// The units of the windows, shortest first.
    pub window: Vec<Unit>,
    /// How users are counted: `exact`, or `hll:P`.
    pub distinct: Distinct,
    /// How long a window waits for late frames, in seconds of event time.
    pub lateness_s: u64,
    /// How long a window still takes late frames, in seconds of event time.
    pub retention_s: u64,
    /// How far a clock may jump before several frames must agree, in seconds of event time.
    pub max_jump_s: u64,
    /// The largest number of open windows far from every clock.
    pub max_open_windows: u32,
    /// The largest number of users in them.
    pub max_far_users: u64,
    /// The time in microseconds after which a silent partition is left out of the watermark.
    pub idle_us: u64,
    /// Microseconds between two commits.
    pub commit_interval_us: u64,
    /// Microseconds without any frame after which every open window closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_idle_us: Option<u64>,
    /// Microseconds between two early results of a window.
    pub early_us: Option<u64>,
    /// The topic of the values that no window counts.
    pub dead_letter: Option<String>,
    /// The topic of the frames in the order of their timestamps.
    pub ordered_output: Option<String>,
    /// Number of consumers.
    pub threads: usize,
    /// Whether the run continues at the topic's end.
    pub follow: bool,
    /// Which parser reads the frames.
    pub parser: ParserKind,
    /// Where frames have their members.
    pub frames: FrameFormat,
    /// Whether the run was complete; unknown in records from before this member existed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
}

/// Options of `kuu verify`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct VerifyConfig {
    /// The topic of the frames.
    pub topic: String,
    /// The topic of the results.
    pub output: String,
    /// Where frames have their members.
    pub frames: FrameFormat,
    /// The member of a row with the start of its window.
    pub start_field: String,
    /// The member of a row with the number of users.
    pub users_field: String,
    /// How rows write starts; if none, as Unix seconds or RFC 3339.
    pub start_format: Option<TsFormat>,
    /// By which share of those in truth the users of a window may be off; if none, they must be exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
}

/// Options of `kuu batch`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchConfig {
    /// The units of the windows, shortest first.
    pub window: Vec<Unit>,
    /// How users are counted: `exact`, or `hll:P`.
    pub distinct: Distinct,
    /// Where frames have their members.
    pub frames: FrameFormat,
}

/// Options of `kuu bench`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchConfig {
    /// The units of the windows, shortest first.
    pub window: Vec<Unit>,
    /// Which parser reads the frames.
    pub parser: ParserKind,
    /// Number of consumers.
    pub threads: usize,
    /// How often each phase and its ceiling are measured.
    pub rounds: u16,
    /// Compression of the batches.
    pub compression: Compression,
    /// Partitions of the topics of the phases that run at full speed.
    pub catch_up_partitions: usize,
    /// Partitions of the topics of the live phase.
    pub live_partitions: usize,
    /// How long the live phase lasts, in seconds.
    pub live_seconds: f64,
    /// Frames per second of the live phase, if set.
    pub live_rate: Option<f64>,
    /// Whether there are live phases at rising rates, in the place of one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sweep: bool,
    /// Whether exact sets and sketches were measured, and nothing else.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub distinct: bool,
    /// How long a window waits for late frames, in seconds of event time.
    pub lateness_s: u64,
    /// How long a window still takes late frames, in seconds of event time.
    pub retention_s: u64,
    /// How far a clock may jump before several frames must agree, in seconds of event time.
    pub max_jump_s: u64,
    /// The guarantee after a crash.
    pub guarantee: Guarantee,
    /// Conditions besides kuu that change the shares of the ceilings, by name.
    pub conditions: BTreeMap<String, String>,
    /// Where frames have their members.
    pub frames: FrameFormat,
}

/// Options of `kuu generate`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct GenerateConfig {
    /// The file of the frames; `-` is standard output.
    pub output: String,
    /// The file of the truth.
    pub truth: Option<String>,
    /// Level of the gzip members, where the output is compressed.
    pub compression_level: Option<u32>,
    /// How the stream is made.
    pub spec: Spec,
}

/// Options of `kuu race`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct RaceConfig {
    /// The engines, in the order of the table.
    pub engines: Vec<String>,
    /// The workloads, in the order of the table.
    pub workloads: Vec<String>,
    /// How long an engine may take for one workload, in microseconds.
    pub deadline_us: u64,
    /// The memory that each engine may use, in bytes.
    pub memory_bytes: u64,
    /// Whether an engine that took more was killed.
    pub enforces_memory: bool,
    /// The command that restarts the broker.
    pub restart_broker: Option<String>,
    /// What makes the moments of crashes others.
    pub seed: u64,
    /// The options of a race for speed, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<SpeedConfig>,
}

/// Options of `kuu formats`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct FormatsConfig {
    /// Largest number of frames, from the beginning of the input.
    pub limit: u64,
    /// How often everything is measured in turn.
    pub rounds: u16,
    /// Whether frames went through Kafka, too.
    pub kafka: bool,
    /// Partitions of the topics.
    pub partitions: usize,
    /// The largest batch, in bytes before compression.
    pub batch_bytes: u64,
    /// The largest number of messages in a batch.
    pub batch_messages: u64,
    /// The size of the blocks of lz4.
    pub lz4_block_bytes: u64,
    /// The level of zstd.
    pub zstd_level: i32,
    /// Which parser reads what is JSON.
    pub parser: ParserKind,
    /// Where frames have their members.
    pub frames: FrameFormat,
}

/// The options of a race on a file.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedConfig {
    /// The file with the frames.
    pub file: String,
    /// Partitions of the topic.
    pub partitions: u16,
    /// The windows.
    pub window: Unit,
    /// How long a window waits for frames that are out of order, in seconds.
    pub lateness_s: u32,
    /// How often everything is measured in turn.
    pub rounds: u32,
    /// In how many of the first rounds there are steady runs, if not in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady_rounds: Option<u32>,
    /// Whether it is a first look, with short runs.
    pub quick: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_agree<T: VariantArray + Serialize + ToString>() {
        for value in T::VARIANTS {
            assert_eq!(serde_json::to_value(value).unwrap(), value.to_string());
        }
    }

    #[test]
    fn a_name_is_the_same_in_records_and_on_the_command_line() {
        names_agree::<Guarantee>();
        names_agree::<Compression>();
        for unit in Unit::NAMED.iter().copied().chain(Unit::every(300)) {
            let name = serde_json::to_value(unit).unwrap();
            assert_eq!((&name, serde_json::from_value(name.clone()).ok()), (&unit.to_string().into(), Some(unit)));
        }
        names_agree::<ParserKind>();
    }

    #[test]
    fn what_another_version_wrote_is_kept() {
        let text =
            r#"{"command":"count","config":{"topic":"a","guarantee":"at-least-once","-X linger.ms":"5","news":1}}"#;
        let Configuration::Count(count) = serde_json::from_str(text).unwrap() else { panic!("no count") };
        assert_eq!((count.options.topic.as_str(), count.options.guarantee), ("a", Guarantee::AtLeastOnce));
        assert_eq!(count.others, [("-X linger.ms".into(), "5".into()), ("news".into(), 1.into())].into());
        let again = serde_json::to_value(Configuration::Count(count)).unwrap();
        assert_eq!((&again["config"]["-X linger.ms"], &again["config"]["idle_us"]), (&"5".into(), &0.into()));
    }
}
