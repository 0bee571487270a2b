//! Two sides of records, compared figure by figure.

mod assertion;
mod conditions;
mod figures;
mod gate;
mod series;
#[cfg(test)]
mod tests;

pub use assertion::{Assertion, AssertionOutcome};
pub use conditions::{Difference, differences};
pub use figures::{FigureComparison, SampleKind, compare, sample_kind};
pub use gate::{BLOCK, GateFigure, GateVerdict, gate};
pub use series::{Better, Series, series, sound_series};
pub(crate) use series::{SurePercentile, direction, percentiles};
