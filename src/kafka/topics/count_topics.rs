//! The topics of a count, and how large a message each takes.

/// What a topic takes by Kafka's default, in bytes; assumed where the broker does not say.
pub const DEFAULT: usize = 1_048_588;
/// The topics of a count.
#[derive(Clone, Debug)]
pub struct CountTopics {
    /// Where frames come from.
    pub input: String,
    /// Where results go.
    pub output: String,
    /// Where values go that no window counts.
    pub dead_letters: Option<String>,
    /// Where frames go in order: to one partition, as only that keeps an order.
    pub ordered: Option<String>,
    /// How large a message they take.
    pub limits: Limits,
}

/// The largest message that each topic takes, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The results.
    pub output: usize,
    /// The dead letters.
    pub dead_letters: usize,
    /// The frames in order.
    pub ordered: usize,
    /// The state.
    pub state: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { output: DEFAULT, dead_letters: DEFAULT, ordered: DEFAULT, state: DEFAULT }
    }
}

impl Limits {
    /// What one batch may come to for all the topics that a producer writes to.
    pub fn smallest(&self) -> usize {
        self.output.min(self.dead_letters).min(self.ordered).min(self.state)
    }

    /// The largest of them.
    pub fn largest(&self) -> usize {
        self.output.max(self.dead_letters).max(self.ordered).max(self.state)
    }
}
