//! How far a topic was written to, and what it means if it no longer reaches there.

use serde::{Deserialize, Serialize};

/// What is wrong with a topic that lost what it held.
pub const ANOTHER_TOPIC: &str = "it was deleted and made anew, and what it held is lost: `kuu count --recreate` counts \
    from the start";

/// The last offset that was written to a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}
