//! The topics of a count, and the largest message of each.

/// Kafka's default for the largest message, in bytes; assumed if the broker does not report it.
pub const DEFAULT: usize = 1_048_588;
/// The topics of a count.
#[derive(Clone, Debug)]
pub struct CountTopics {
    /// The topic of the frames.
    pub input: String,
    /// The topic of the results.
    pub output: String,
    /// The topic of the values that no window counts.
    pub dead_letters: Option<String>,
    /// The topic of the ordered frames, all in one partition, as Kafka keeps the order only within a partition.
    pub ordered: Option<String>,
    /// The largest message of each topic.
    pub limits: Limits,
}

/// The largest message that each topic takes, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The topic of the results.
    pub output: usize,
    /// The topic of the dead letters.
    pub dead_letters: usize,
    /// The topic of the ordered frames.
    pub ordered: usize,
    /// The topic of the state.
    pub state: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { output: DEFAULT, dead_letters: DEFAULT, ordered: DEFAULT, state: DEFAULT }
    }
}

impl Limits {
    /// The largest batch that all topics of a producer accept.
    pub fn smallest(&self) -> usize {
        self.output.min(self.dead_letters).min(self.ordered).min(self.state)
    }

    /// The largest of the limits.
    pub fn largest(&self) -> usize {
        self.output.max(self.dead_letters).max(self.ordered).max(self.state)
    }
}
