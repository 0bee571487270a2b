//! What a run must reach: `result.p99 < 25ms`, `count.share > 0.5`.

use super::series::{series, sound_series};
use crate::record::Record;
use crate::statistics::median;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Units that a limit may have, and what they are of the unit of figures: times are in microseconds.
const UNITS: [(&str, f64); 7] = [("us", 1.0), ("ms", 1e3), ("s", 1e6), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("%", 0.01)];

/// A figure, and a limit that it must keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// As it was written.
    text: String,
    /// The figure: `LEG.PERCENTILE` of a latency, `PHASE.UNIT` or the whole name of any other.
    name: String,
    is_less: bool,
    or_equal: bool,
    /// In the unit of the figure.
    limit: f64,
}

/// What became of an assertion.
#[derive(Clone, Debug, PartialEq)]
pub struct AssertionOutcome {
    /// Whether the figure keeps the limit.
    pub holds: bool,
    /// The figure: the median of its samples.
    pub value: f64,
}

impl Assertion {
    /// Checks a run.
    ///
    /// # Errors
    /// If it has no such figure: the error has those that it has.
    pub fn check(&self, record: &Record) -> Result<AssertionOutcome, String> {
        let all = sound_series(record);
        let plain = self.name.replacen('.', "_", 1);
        let names = [self.name.clone(), plain.clone(), format!("latency_{plain}_us")];
        let Some(found) = names.iter().find_map(|name| all.get(name)) else {
            if let Some(why) =
                record.why_no_latency().filter(|_| names.iter().any(|name| series(record).contains_key(name)))
            {
                return Err(format!("{self}: no latency: {why}"));
            }
            let known: Vec<&str> = all.keys().map(String::as_str).collect();
            return Err(format!("{self}: this run has no such figure, but {}", known.join(", ")));
        };
        let value = median(&found.samples);
        let holds = match value.partial_cmp(&self.limit) {
            Some(Ordering::Equal) => self.or_equal,
            Some(Ordering::Less) => self.is_less,
            Some(Ordering::Greater) => !self.is_less,
            None => false,
        };
        Ok(AssertionOutcome { holds, value })
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Assertion {
    type Err = String;

    fn from_str(text: &str) -> Result<Assertion, String> {
        let wrong = || format!("`{text}` asserts nothing: write as in 'result.p99 < 25ms' or 'count.share >= 0.5'");
        let at = text.find(['<', '>']).ok_or_else(wrong)?;
        let (name, rest) = (text[..at].trim(), &text[at + 1..]);
        let or_equal = rest.starts_with('=');
        let limit = rest.strip_prefix('=').unwrap_or(rest).trim();
        let digits = limit.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
        let unit = &limit[digits.len()..];
        let factor = match unit {
            "" => Some(1.0),
            unit => UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor),
        };
        let number: Option<f64> = digits.trim_end().parse().ok();
        let limit = number.zip(factor).map(|(number, factor)| number * factor).filter(|limit| limit.is_finite());
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(wrong());
        }
        Ok(Assertion {
            text: text.to_owned(),
            name: name.to_owned(),
            is_less: text[at..].starts_with('<'),
            or_equal,
            limit: limit.ok_or_else(wrong)?,
        })
    }
}
