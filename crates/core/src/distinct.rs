//! How the distinct users of a window are counted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Exactly, or by a sketch of a fixed size. The text is `exact`, or `hll:P`; `hll` alone has the default precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Distinct {
    /// Sets of users.
    #[default]
    Exact,
    /// HyperLogLog sketches of this precision.
    Hll(Precision),
}

/// The binary logarithm of the number of registers of a sketch. A register takes a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Precision(u8);

impl Precision {
    /// The smallest, of Apache DataSketches.
    pub const LEAST: u8 = 4;
    /// The largest.
    pub const MOST: u8 = 21;

    /// The precision, if there is such a one.
    pub fn new(precision: u8) -> Option<Precision> {
        (Precision::LEAST..=Precision::MOST).contains(&precision).then_some(Precision(precision))
    }

    /// The number itself.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The relative standard error of an estimate that does not depend on the order of the users, as a share: 0.0081 of
    /// the default. It is sqrt(3 ln 2 - 1) by the root of the number of registers.
    pub fn standard_error(self) -> f64 {
        (3.0 * std::f64::consts::LN_2 - 1.0).sqrt() / f64::from(1_u32 << self.0).sqrt()
    }
}

/// 16,384 registers: a window takes 16 KiB at most.
impl Default for Precision {
    fn default() -> Precision {
        Precision(14)
    }
}

impl Distinct {
    /// The name of the way to count, without its precision, as a row has it; none if the count is exact.
    pub fn mark(self) -> Option<&'static str> {
        match self {
            Distinct::Exact => None,
            Distinct::Hll(_) => Some("hll"),
        }
    }

    /// Whether the counts are estimates.
    pub fn is_approximate(self) -> bool {
        self != Distinct::Exact
    }
}

impl fmt::Display for Distinct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distinct::Exact => f.write_str("exact"),
            Distinct::Hll(Precision(precision)) => write!(f, "hll:{precision}"),
        }
    }
}

impl FromStr for Distinct {
    type Err = String;

    fn from_str(text: &str) -> Result<Distinct, String> {
        let (method, precision) = text.split_once(':').map_or((text, None), |(method, rest)| (method, Some(rest)));
        match (method, precision) {
            ("exact", None) => Ok(Distinct::Exact),
            ("hll", None) => Ok(Distinct::Hll(Precision::default())),
            ("hll", Some(number)) => {
                let precision = number.parse().ok().and_then(Precision::new);
                precision.map(Distinct::Hll).ok_or_else(|| {
                    let (least, most, default) = (Precision::LEAST, Precision::MOST, Precision::default().get());
                    format!("`{number}` is no precision: write hll:{least} to hll:{most}; hll alone is hll:{default}")
                })
            }
            _ => Err("write exact, hll or hll:P, as in hll:12".into()),
        }
    }
}

impl TryFrom<String> for Distinct {
    type Error = String;

    fn try_from(text: String) -> Result<Distinct, String> {
        text.parse()
    }
}

impl From<Distinct> for String {
    fn from(distinct: Distinct) -> String {
        distinct.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for text in ["exact", "hll:4", "hll:14", "hll:21"] {
            assert_eq!(text.parse::<Distinct>().map(|distinct| distinct.to_string()), Ok(text.into()));
        }
        assert_eq!("hll".parse(), Ok(Distinct::Hll(Precision(14))));
        let why = |text: &str| text.parse::<Distinct>().unwrap_err();
        for (text, number) in [("hll:3", "3"), ("hll:22", "22"), ("hll:", ""), ("hll:300", "300"), ("hll:x", "x")] {
            assert_eq!(why(text), format!("`{number}` is no precision: write hll:4 to hll:21; hll alone is hll:14"));
        }
        for text in ["", "exact:1", "HLL", "theta"] {
            assert_eq!(why(text), "write exact, hll or hll:P, as in hll:12");
        }
    }

    #[test]
    fn standard_errors() {
        let percent = |precision| format!("{:.3}", 100.0 * Precision(precision).standard_error());
        assert_eq!([4, 12, 14, 21].map(percent), ["25.974", "1.623", "0.812", "0.072"]);
    }
}
