//! What a race says of one engine on one workload.

use crate::recovery::Recovery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use strum::IntoStaticStr;

/// The verdict on one engine and one workload.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum CellVerdict {
    /// Every window is right, and was right at its first row, of an engine that emits finals.
    Exact,
    /// Every window is right in the end.
    Corrected {
        /// Windows whose first row was not the right answer; may be none if the engine emits updates.
        windows: u64,
        /// The longest time from the first row of such a window to the right one, in microseconds.
        latest_us: i64,
    },
    /// Every window lies between the two bounds of the truth: the engine may drop late frames, and says so; or it
    /// approximates, and says so.
    WithinPolicy {
        /// Windows with other users than the truth of all frames.
        windows: u64,
        /// Users more than the truth, in all windows.
        more: u64,
        /// Users fewer than the truth, in all windows.
        fewer: u64,
    },
    /// An answer that is accepted where sane engines differ, in words: `the last key wins`.
    Differs {
        /// The answer.
        answer: String,
    },
    /// The answer is wrong.
    Wrong {
        /// Why: the mistakes that give this answer, or the faults of the rows; several are alternatives.
        why: Vec<String>,
        /// Windows that are missing, extra or different.
        windows: u64,
        /// Users more than the truth, in all windows.
        more: u64,
        /// Users fewer than the truth, in all windows.
        fewer: u64,
    },
    /// The engine ended with exit status 2 and without a row: it does not count such an input.
    Refused {
        /// The last line that it printed.
        line: String,
    },
    /// The engine ended when it should not, or with an error.
    Died {
        /// Its exit status or signal, in words.
        status: String,
        /// The last line that it printed.
        line: String,
    },
    /// The engine was not done in time.
    Hung {
        /// How far it was, in words.
        state: String,
    },
    /// The engine was not started.
    NotRun {
        /// What is missing, and how it can be had.
        why: String,
    },
}

impl CellVerdict {
    /// A word or two for a matrix.
    pub fn short(&self) -> String {
        match self {
            CellVerdict::Corrected { windows: 0, .. } => "corrected".into(),
            CellVerdict::Corrected { windows, .. } => format!("corrected {windows}"),
            CellVerdict::WithinPolicy { .. } => "within policy".into(),
            CellVerdict::NotRun { .. } => "not run".into(),
            other => <&str>::from(other).into(),
        }
    }

    /// Whether the answer is one that an engine may give.
    pub fn is_right(&self) -> bool {
        use CellVerdict::{Corrected, Differs, Exact, WithinPolicy};
        matches!(self, Exact | Corrected { .. } | WithinPolicy { .. } | Differs { .. })
    }

    /// Whether the engine was started.
    pub fn is_run(&self) -> bool {
        !matches!(self, CellVerdict::NotRun { .. })
    }
}

/// As in `wrong: +312 users in 12 windows: counts aborted frames`.
impl fmt::Display for CellVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CellVerdict::Exact => f.write_str("exact"),
            CellVerdict::Corrected { windows: 0, .. } => {
                f.write_str("corrected: no window, but it emits updates: no row says that it is the last")
            }
            CellVerdict::Corrected { windows, latest_us } => {
                let time = match *latest_us {
                    us if us < 1_000_000 => format!("{} ms", us / 1_000),
                    us => format!("{:.1} s", us as f64 / 1e6),
                };
                write!(f, "corrected: {}, at most {time} after the first row", plural(*windows, "window"))
            }
            CellVerdict::WithinPolicy { windows, more, fewer } => {
                write!(f, "within policy: {}", users(*more, *fewer, *windows))
            }
            CellVerdict::Differs { answer } => write!(f, "differs: {answer}"),
            CellVerdict::Wrong { why, windows: 0, .. } => write!(f, "wrong: {}", why.join(" or ")),
            CellVerdict::Wrong { why, windows, more, fewer } => {
                write!(f, "wrong: {}: {}", users(*more, *fewer, *windows), why.join(" or "))
            }
            CellVerdict::Refused { line } => write!(f, "refused: {line}"),
            CellVerdict::Died { status, line } => write!(f, "died: {status}: {line}"),
            CellVerdict::Hung { state } => write!(f, "hung: {state}"),
            CellVerdict::NotRun { why } => write!(f, "not run: {why}"),
        }
    }
}

/// As in `+12 and -3 users in 4 windows`.
fn users(more: u64, fewer: u64, windows: u64) -> String {
    let windows = plural(windows, "window");
    match (more, fewer) {
        (0, fewer) => format!("-{} in {windows}", plural(fewer, "user")),
        (more, 0) => format!("+{} in {windows}", plural(more, "user")),
        (more, fewer) => format!("+{more} and -{} in {windows}", plural(fewer, "user")),
    }
}

fn plural(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// One engine on one workload: what it answered, how long it took, and what it used.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct CellRecord {
    /// The engine.
    pub engine: String,
    /// Its version, if it is known.
    pub version: Option<String>,
    /// How often the engine commits, in milliseconds, as it says or is told; none if it does not say it.
    #[serde(default)]
    pub checkpoint_ms: Option<u64>,
    /// The workload.
    pub workload: String,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: CellVerdict,
    /// The command line that runs this cell alone.
    pub again: String,
    /// When the engine was started, RFC 3339 in UTC; none if it was not.
    pub started: Option<String>,
    /// What was seen on `output`.
    pub rows: RowCounts,
    /// When things happened, from the start of the engine.
    pub times: CellTimes,
    /// What the engine used.
    pub used: Used,
    /// What broke meanwhile, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<String>,
    /// What that did to the results; none if nothing broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// What a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// The messages of `output`, as a read_committed reader sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCounts {
    /// Rows of windows that are judged.
    pub judged: u64,
    /// Rows of windows of the epilogue.
    pub epilogue: u64,
    /// Rows that repeat the answer of their window.
    pub repeats: u64,
    /// Messages without a value, which withdraw a row.
    pub retractions: u64,
    /// Messages that are no rows.
    pub unreadable: u64,
    /// Messages of aborted transactions, which only a read_uncommitted reader sees.
    pub aborted: u64,
}

/// Times of a cell in microseconds from the start of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellTimes {
    /// The first row that is judged.
    pub first_row_us: Option<i64>,
    /// When every window was right for good.
    pub right_us: Option<i64>,
    /// When the engine ended by itself.
    pub ended_us: Option<i64>,
}

/// What the processes of an engine used.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    /// Processor time in microseconds.
    pub cpu_us: u64,
    /// The largest resident memory of all processes together, in bytes; pages that they share count in each.
    pub peak_resident_bytes: u64,
    /// The same with each shared page once (PSS).
    pub peak_pss_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let wrong = |more, fewer, windows| CellVerdict::Wrong {
            why: vec!["counts aborted frames".into(), "approximates".into()],
            windows,
            more,
            fewer,
        };
        let said = [
            (wrong(312, 0, 12), "wrong", "wrong: +312 users in 12 windows: counts aborted frames or approximates"),
            (wrong(1, 2, 3), "wrong", "wrong: +1 and -2 users in 3 windows: counts aborted frames or approximates"),
            (wrong(0, 0, 0), "wrong", "wrong: counts aborted frames or approximates"),
            (CellVerdict::Exact, "exact", "exact"),
            (
                CellVerdict::Corrected { windows: 1, latest_us: 1_250_000 },
                "corrected 1",
                "corrected: 1 window, at most 1.2 s after the first row",
            ),
            (
                CellVerdict::Corrected { windows: 0, latest_us: 0 },
                "corrected",
                "corrected: no window, but it emits updates: no row says that it is the last",
            ),
            (
                CellVerdict::WithinPolicy { windows: 2, more: 0, fewer: 1 },
                "within policy",
                "within policy: -1 user in 2 windows",
            ),
            (CellVerdict::Differs { answer: "the last key wins".into() }, "differs", "differs: the last key wins"),
        ];
        for (verdict, short, long) in said {
            assert_eq!((verdict.short(), verdict.to_string()), (short.to_owned(), long.to_owned()));
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = CellRecord {
            engine: "kuu".into(),
            version: Some("1".into()),
            checkpoint_ms: Some(1_000),
            workload: "late".into(),
            verdict: CellVerdict::Corrected { windows: 3, latest_us: 5 },
            again: "kuu race --scorecard kuu --workload late".into(),
            started: None,
            rows: RowCounts { judged: 4, ..RowCounts::default() },
            times: CellTimes { right_us: Some(7), ..CellTimes::default() },
            used: Used { cpu_us: 1, peak_resident_bytes: 2, peak_pss_bytes: 3 },
            incidents: Vec::new(),
            recovery: Some(Recovery { seed: 1, ..Recovery::default() }),
            remarks: vec!["slow".into()],
        };
        let text = serde_json::to_string(&record).unwrap();
        assert!(text.contains(r#""verdict":"corrected","windows":3"#), "{text}");
        assert_eq!(serde_json::from_str::<CellRecord>(&text).unwrap(), record);
    }
}
