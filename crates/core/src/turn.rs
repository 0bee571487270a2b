//! When a sample was taken.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stage in one round of a measurement.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Turn {
    /// The stage, as the names of its figures begin. `live` is the time in which lag is sampled, every 100 ms.
    pub stage: String,
    /// When it began, in microseconds since the first one did.
    pub started_us: u64,
    /// How long it took, in microseconds, for all frames.
    pub took_us: f64,
}
