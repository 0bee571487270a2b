//! One run of `kuu bench`.

use crate::bench::embedded::embedded_partitions;
use crate::bench::load::Load;
use crate::cli::BenchArgs;
use crate::commands::session::{self, Session};
use crate::kafka::admin::Cluster;
use kuu_core::configuration::Compression;
use kuu_frame::ParserOptions;

/// The size of a replayed batch relative to its frames: measured for lz4 on the fixture, with a margin. Batches of a
/// live stream are small, and compress less.
pub const CATCH_UP_RATIO: f64 = 0.35;
pub const LIVE_RATIO: f64 = 0.8;
/// The default number of partitions on Kafka.
const PARTITIONS: usize = 4;

/// One run of the command, with its input and its broker. The options that may have several values have one.
pub struct BenchRun<'a> {
    pub arguments: &'a BenchArgs,
    pub session: &'a Session,
    pub parser: ParserOptions,
    pub load: &'a Load,
    pub cluster: &'a Cluster,
    pub prefix: &'a str,
}

impl BenchRun<'_> {
    /// Number of partitions of a topic of all frames, which compress to `ratio` of their bytes.
    pub fn partitions(&self, ratio: f64) -> usize {
        self.partitions_for(self.load.frames, ratio)
    }

    /// The same of so many frames.
    pub fn partitions_for(&self, frames: u64, ratio: f64) -> usize {
        match self.arguments.partitions.first() {
            Some(partitions) => (*partitions).into(),
            None if self.cluster.is_embedded() => {
                let ratio = if self.compression() == Compression::None { 1.0 } else { ratio };
                embedded_partitions(frames, (frames as f64 * self.bytes_a_frame()) as u64, ratio)
            }
            None => PARTITIONS,
        }
    }

    /// Bytes of a frame, on average.
    pub fn bytes_a_frame(&self) -> f64 {
        self.load.bytes as f64 / self.load.frames as f64
    }

    /// The compression of the batches.
    pub fn compression(&self) -> Compression {
        self.arguments.compression.first().copied().unwrap_or_default()
    }

    /// The number of consumers.
    pub fn threads(&self) -> usize {
        session::threads(self.arguments.threads.first().copied())
    }
}
