//! What a run of `kuu formats` measures.

use kuu_frame::ParserOptions;

/// What is measured, and how often.
#[derive(Clone, Debug)]
pub struct FormatsPlan {
    /// How JSON is read.
    pub parser: ParserOptions,
    /// Number of rounds.
    pub rounds: usize,
    /// Partitions of the topics; none lets the input decide.
    pub partitions: Option<usize>,
    /// The prefix of the names of topics.
    pub prefix: String,
}
