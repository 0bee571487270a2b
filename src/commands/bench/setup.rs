//! One run of `kuu bench`.

use crate::bench::embedded::embedded_partitions;
use crate::bench::load::Load;
use crate::cli::BenchArgs;
use crate::commands::session::Session;
use crate::kafka::admin::Cluster;
use kuu_core::configuration::Compression;
use kuu_frame::ParserOptions;

/// The size of a replayed batch relative to its frames: measured for lz4 on the fixture, with a margin. Batches of a
/// live stream are small, and compress less.
pub const CATCH_UP_RATIO: f64 = 0.35;
pub const LIVE_RATIO: f64 = 0.8;
/// The default number of partitions on Kafka.
const PARTITIONS: usize = 4;

/// One run of the command, with its input and its broker.
pub struct BenchRun<'a> {
    pub arguments: &'a BenchArgs,
    pub session: &'a Session,
    pub parser: ParserOptions,
    pub load: &'a Load,
    pub cluster: &'a Cluster,
    pub prefix: &'a str,
}

impl BenchRun<'_> {
    /// Number of partitions of a topic of frames that compress to `ratio` of their bytes.
    pub fn partitions(&self, ratio: f64) -> usize {
        match self.arguments.partitions {
            Some(partitions) => partitions.into(),
            None if self.cluster.is_embedded() => {
                let ratio = if self.arguments.compression == Compression::None { 1.0 } else { ratio };
                embedded_partitions(self.load.bytes, ratio)
            }
            None => PARTITIONS,
        }
    }
}
