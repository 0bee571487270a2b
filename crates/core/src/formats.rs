//! The same frames in several formats, in the format of a record.

use crate::compression::Compression;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Frames in one format, compressed in one way. The samples of its times are in the figures of the record, by the names
/// that [`FormatRow::figure_name`] gives. A format that changes an answer has no times.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct FormatRow {
    /// The format, by its name.
    pub format: String,
    /// The compression of batches.
    pub compression: Compression,
    /// Number of frames.
    pub frames: u64,
    /// Number of messages.
    pub messages: u64,
    /// Number of batches.
    pub batches: u64,
    /// Size of the values of messages, before compression, without keys and framing.
    pub value_bytes_per_frame: Compared,
    /// Size of the batches as they are sent and stored: keys and framing included, records compressed.
    pub stored_bytes_per_frame: Compared,
    /// Time to write frames from values in memory, to batch and to compress them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encode_ns_per_frame: Option<Compared>,
    /// Time to inflate batches and to read user id and event time, with every frame validated as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_whole_ns_per_frame: Option<Compared>,
    /// The same without validating: the other members are skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_skip_ns_per_frame: Option<Compared>,
    /// How fast messages were sent to the broker, until the last was acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka_send_frames_per_s: Option<Compared>,
    /// How fast one consumer read them, every frame validated as a whole, from the first message to the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka_read_frames_per_s: Option<Compared>,
    /// Frames whose user id or event time came back changed, or not at all.
    pub wrong_frames: u64,
    /// What a frame loses in this format.
    pub loses: String,
    /// How a frame is validated as a whole.
    pub validates: String,
    /// How user id and event time are found without validating.
    pub skips: String,
}

/// A figure beside that of JSON as it came, with the same compression, in the same run.
#[derive(Clone, Copy, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Compared {
    /// The median over the rounds.
    pub median: f64,
    /// The median of the quotients of each round: of this figure, and that of JSON.
    pub ratio_to_json: f64,
}

impl FormatRow {
    /// The name of a figure of a row in the record: `what` ends in its unit.
    pub fn figure_name(format: &str, compression: Compression, what: &str) -> String {
        format!("{}_{compression}_{what}", format.replace('-', "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_named_by_their_row() {
        let name = FormatRow::figure_name("json-minified", Compression::Lz4, "encode_ns_per_frame");
        assert_eq!(name, "json_minified_lz4_encode_ns_per_frame");
    }
}
