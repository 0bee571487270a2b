//! Two sides of a comparison, as printed and written.

use kuu_core::comparison::{Difference, FigureComparison, SampleKind};
use serde::Serialize;

/// Two sides, compared: the document of --json has one of these for each side after the first.
#[derive(Serialize)]
pub struct ComparedSides {
    pub before: NamedSide,
    pub after: NamedSide,
    /// What a sample is.
    pub sample: SampleKind,
    /// The share by which a figure must change to be called better or worse.
    pub threshold: f64,
    pub differences: Vec<Difference>,
    pub figures: Vec<FigureComparison>,
    /// What records have that is not compared, in words.
    pub left_out: Vec<String>,
}

/// What a side was.
#[derive(Serialize)]
pub struct NamedSide {
    pub records: String,
    pub runs: usize,
    /// Version and revision of kuu.
    pub programs: Vec<String>,
}
