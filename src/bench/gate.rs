//! The regression gate: shares of ceilings against what they were before, under the same conditions.

use kuu_core::statistics::median;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of a baseline file.
pub const FORMAT: u32 = 2;
/// Runs must come from this many different hours: within one hour they agree, and an hour later all are elsewhere. The
/// ratio of two stages on one thread was seen to move by 40 %.
pub const HOURS: usize = 6;
/// A share may always fall to this part of the lowest one.
const SLACK: f64 = 0.8;
/// A share that may fall below this part of its median says nothing.
const STEADY: f64 = 0.25;

/// What shares depend on besides kuu itself, by name: only runs that agree in all of it are compared.
pub type Conditions = BTreeMap<String, String>;
/// The share of its ceiling that each phase reached.
pub type Shares = BTreeMap<String, f64>;

/// A baseline file, as `scripts/baseline.py` writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Version of the file.
    pub format: u32,
    /// What was measured, once for each set of conditions.
    pub measured: Vec<Measured>,
}

/// Runs under the same conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Under which.
    pub conditions: Conditions,
    /// The runs, in the order of time.
    pub runs: Vec<BaselineRun>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineRun {
    /// When it ended, in RFC 3339 and UTC.
    pub at: String,
    /// The revision of kuu.
    pub kuu: String,
    /// What it reached.
    pub shares: Shares,
}

/// A share beside what it was before.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Which phase.
    pub phase: String,
    /// Its share now.
    pub share: f64,
    /// The median of the runs before.
    pub median: f64,
    /// The lowest of them.
    pub lowest: f64,
    /// Below this it fell: as far under the lowest as half the distance from there to the highest, as an hour that was not
    /// seen may be outside of those that were. None where that is so low that it says nothing.
    pub line: Option<f64>,
}

impl Compared {
    /// Whether the share fell.
    pub fn fell(&self) -> bool {
        self.line.is_some_and(|line| self.share < line)
    }
}

impl Baseline {
    /// The runs to compare with.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub fn under(&self, conditions: &Conditions) -> Result<&Measured, String> {
        let differing = |measured: &&Measured| differences(&measured.conditions, conditions).len();
        let Some(nearest) = self.measured.iter().min_by_key(differing) else {
            return Err("the baseline holds no runs".into());
        };
        let differences = differences(&nearest.conditions, conditions);
        if !differences.is_empty() {
            return Err(format!(
                "no run of the baseline had these conditions; the nearest had {}",
                differences.join(", ")
            ));
        }
        match nearest.hours() {
            hours if hours < HOURS => Err(format!(
                "the baseline's runs under these conditions are of {hours} different hours, and it takes {HOURS}, as shares \
                 move from hour to hour"
            )),
            _ => Ok(nearest),
        }
    }
}

/// What differs, as in `2 cores, not 4`.
fn differences(then: &Conditions, now: &Conditions) -> Vec<String> {
    let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let value = |all: &Conditions, name: &str| all.get(name).map_or_else(|| "none".to_owned(), Clone::clone);
    let differing = names.into_iter().filter(|name| then.get(*name) != now.get(*name));
    differing.map(|name| format!("{name} {}, not {}", value(then, name), value(now, name))).collect()
}

impl Measured {
    /// In how many different hours it was measured.
    pub fn hours(&self) -> usize {
        let hours: BTreeSet<&str> = self.runs.iter().filter_map(|run| run.at.get(..13)).collect();
        hours.len()
    }

    /// When the first and when the last run was.
    pub fn period(&self) -> Option<(&str, &str)> {
        Some((&self.runs.first()?.at, &self.runs.last()?.at))
    }

    /// Sets shares beside what they were. Phases that were not measured then are left out.
    pub fn compare(&self, shares: &Shares) -> Vec<Compared> {
        let compare = |(phase, share): (&String, &f64)| {
            let then: Vec<f64> = self.runs.iter().filter_map(|run| run.shares.get(phase).copied()).collect();
            let lowest = then.iter().copied().reduce(f64::min)?;
            let highest = then.iter().copied().reduce(f64::max)?;
            let median = median(&then);
            let line = (lowest - (highest - lowest) / 2.0).min(lowest * SLACK);
            let line = (line >= median * STEADY).then_some(line);
            Some(Compared { phase: phase.clone(), share: *share, median, lowest, line })
        };
        shares.iter().filter_map(compare).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(processor: &str) -> Conditions {
        [("processor", processor), ("cores", "2")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn shares(parse: f64) -> Shares {
        [("parse".to_owned(), parse)].into()
    }

    /// A run an hour.
    fn measured(parse: &[f64]) -> Measured {
        let run = |(hour, share): (usize, &f64)| BaselineRun {
            at: format!("2026-11-25T{hour:02}:30:00Z"),
            kuu: "deedf7d".into(),
            shares: shares(*share),
        };
        Measured { conditions: conditions("a"), runs: parse.iter().enumerate().map(run).collect() }
    }

    fn baseline(parse: &[f64]) -> Baseline {
        Baseline { format: FORMAT, measured: vec![measured(parse)] }
    }

    fn fell(measured: &Measured, share: f64) -> bool {
        measured.compare(&shares(share)).iter().any(Compared::fell)
    }

    #[test]
    fn hours_that_differ_widen_the_tolerance() {
        let steady = measured(&[1.0; 6]);
        assert!(fell(&steady, 0.79) && !fell(&steady, 0.81));
        // 1.2 in the morning, 0.8 an hour later: 0.6 may come, 0.5 is something else.
        let moving = measured(&[1.2, 1.2, 1.1, 0.8, 1.0, 1.1]);
        assert!(fell(&moving, 0.59) && !fell(&moving, 0.61));
        let found = moving.compare(&shares(0.9));
        assert_eq!((found[0].median, found[0].lowest), (1.1, 0.8));
        assert!((found[0].line.unwrap() - 0.6).abs() < 1e-9);
    }

    #[test]
    fn a_share_that_was_anywhere_says_nothing() {
        let anywhere = measured(&[1.0, 0.3, 0.6, 0.9, 0.8, 0.7]);
        assert_eq!(anywhere.compare(&shares(0.01))[0].line, None);
        assert!(!fell(&anywhere, 0.01));
        assert_eq!(anywhere.compare(&Shares::from([("count".to_owned(), 0.1)])), []);
    }

    #[test]
    fn only_the_same_conditions_are_compared() {
        let baseline = baseline(&[1.0; 6]);
        assert!(baseline.under(&conditions("a")).is_ok());
        let why = baseline.under(&conditions("b")).unwrap_err();
        assert_eq!(why, "no run of the baseline had these conditions; the nearest had processor a, not b");
        let mut more = conditions("a");
        more.insert("threads".into(), "1".into());
        assert!(baseline.under(&more).unwrap_err().ends_with("the nearest had threads none, not 1"));
        let nothing = Baseline { format: FORMAT, measured: Vec::new() };
        assert_eq!(nothing.under(&conditions("a")).unwrap_err(), "the baseline holds no runs");
    }

    #[test]
    fn runs_of_one_hour_are_no_baseline() {
        let mut baseline = baseline(&[1.0; 6]);
        for run in &mut baseline.measured[0].runs {
            run.at = "2026-11-25T13:30:00Z".into();
        }
        let why = baseline.under(&conditions("a")).unwrap_err();
        assert!(why.contains("are of 1 different hours, and it takes 6"), "{why}");
    }
}
