//! The last offsets that were written to a topic, and the error if they are missing.

use serde::{Deserialize, Serialize};

/// The error of a topic that lost its records.
pub const ANOTHER_TOPIC: &str = "it was deleted and made anew, and what it held is lost: `kuu count --recreate` counts \
    from the start";

/// The last offset that was written to a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}
