//! Why samples have no figure.

/// Why samples have no figure.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// Fewer samples than the figure needs.
    #[error("{found} samples, and this figure needs {needed}: measure more rounds")]
    TooFew {
        /// Number of samples.
        found: usize,
        /// The least number of them.
        needed: usize,
    },
    /// The two sides of a pair differ in number.
    #[error("{samples} samples and {others} beside them: each round needs one of both")]
    Unpaired {
        /// Number of samples.
        samples: usize,
        /// Number of samples beside them.
        others: usize,
    },
    /// A sample that has no logarithm, or is no number.
    #[error("sample {at} is {value}, which no ratio or slope can use: leave out the round in which it failed")]
    Unusable {
        /// Its place, from 0.
        at: usize,
        /// The sample.
        value: f64,
    },
    /// All samples were taken at one moment, or out of order.
    #[error("sample {at} is not later than the one before it: a slope needs samples in the order of their times")]
    NotLater {
        /// The place of the later one, from 0.
        at: usize,
    },
}
