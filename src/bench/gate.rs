//! The regression gate: compares shares of ceilings with earlier ones, under the same conditions.

use kuu_core::statistics::median;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of a baseline file.
pub const FORMAT: u32 = 2;
/// A baseline needs runs from this many different hours: runs within an hour agree, and an hour later all differ. The
/// ratio of two steps on one thread was seen to change by 40 %.
pub const HOURS: usize = 6;
/// A share is always allowed to fall to this fraction of the lowest one.
const SLACK: f64 = 0.8;
/// If a share would be allowed to fall below this fraction of its median, it is not checked.
const STEADY: f64 = 0.25;

/// Conditions besides kuu that change the shares, by name: only runs with equal conditions are compared.
pub type Conditions = BTreeMap<String, String>;
/// The share of its ceiling that each phase reached.
pub type Shares = BTreeMap<String, f64>;

/// A baseline file, as `scripts/baseline.py` writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Version of the file.
    pub format: u32,
    /// The runs, grouped by their conditions.
    pub measured: Vec<Measured>,
}

/// Runs under the same conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The conditions.
    pub conditions: Conditions,
    /// The runs, in order of time.
    pub runs: Vec<BaselineRun>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineRun {
    /// The time of its end, in RFC 3339 and UTC.
    pub at: String,
    /// The revision of kuu.
    pub kuu: String,
    /// The shares of the run.
    pub shares: Shares,
}

/// A share and its earlier values.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The name of the phase.
    pub phase: String,
    /// The current share.
    pub share: f64,
    /// The median of the earlier runs.
    pub median: f64,
    /// The lowest share of the earlier runs.
    pub lowest: f64,
    /// The limit below which the share counts as fallen: below the lowest one by half the distance from it to the
    /// highest, as an hour without a measurement may differ that much. None if the limit would be too low to mean
    /// anything.
    pub line: Option<f64>,
}

impl Compared {
    /// Whether the share is below the limit.
    pub fn fell(&self) -> bool {
        self.line.is_some_and(|line| self.share < line)
    }
}

impl Baseline {
    /// The runs with these conditions.
    ///
    /// # Errors
    /// Why there are none.
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

/// The conditions that differ, as in `2 cores, not 4`.
fn differences(then: &Conditions, now: &Conditions) -> Vec<String> {
    let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let value = |all: &Conditions, name: &str| all.get(name).map_or_else(|| "none".to_owned(), Clone::clone);
    let differing = names.into_iter().filter(|name| then.get(*name) != now.get(*name));
    differing.map(|name| format!("{name} {}, not {}", value(then, name), value(now, name))).collect()
}

impl Measured {
    /// The number of different hours of the runs.
    pub fn hours(&self) -> usize {
        let hours: BTreeSet<&str> = self.runs.iter().filter_map(|run| run.at.get(..13)).collect();
        hours.len()
    }

    /// The times of the first and the last run.
    pub fn period(&self) -> Option<(&str, &str)> {
        Some((&self.runs.first()?.at, &self.runs.last()?.at))
    }

    /// Compares shares with the earlier ones. Phases without an earlier measurement are left out.
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

    /// One run an hour.
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
        // 1.2 in the morning, 0.8 an hour later: 0.6 is possible, 0.5 is a regression.
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
