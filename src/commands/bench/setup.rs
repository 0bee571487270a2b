//! One run of `kuu bench`.

use crate::bench::embedded::embedded_partitions;
use crate::bench::load::Load;
use crate::cli::BenchArgs;
use crate::commands::session::Session;
use crate::kafka::admin::Cluster;
use kuu_core::configuration::Compression;

/// Bytes of a replayed batch as a part of the frames' bytes: measured for lz4 on the fixture, with some room. Batches of
/// a live stream are small, and shrink less.
pub const CATCH_UP_RATIO: f64 = 0.35;
pub const LIVE_RATIO: f64 = 0.8;
/// Partitions on Kafka, unless told otherwise.
const PARTITIONS: usize = 4;

/// What a bench is about, and what it has.
pub struct BenchRun<'a> {
    pub arguments: &'a BenchArgs,
    pub session: &'a Session,
    pub load: &'a Load,
    pub cluster: &'a Cluster,
    pub prefix: &'a str,
}

impl BenchRun<'_> {
    /// Partitions of a topic of frames that shrink to `ratio` of their bytes.
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
