//! One value for each figure of several records.

use super::figures::{FigureKey, figures};
use super::named::{ExportRefusal, NamedRecord};
use crate::comparison::{Better, differences};
use crate::statistics::median;
use std::collections::BTreeMap;
use std::slice::from_ref;

/// The samples of a figure in all records.
pub(super) struct Pool<'a> {
    pub better: Better,
    pub values: Vec<f64>,
    first: &'a NamedRecord,
}

/// The least and the greatest of several samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub least: f64,
    pub greatest: f64,
}

impl Pool<'_> {
    /// The median of the samples.
    pub fn value(&self) -> f64 {
        median(&self.values)
    }

    /// None of a single sample.
    pub fn spread(&self) -> Option<Spread> {
        let least = self.values.iter().copied().reduce(f64::min)?;
        let greatest = self.values.iter().copied().reduce(f64::max)?;
        (self.values.len() > 1).then_some(Spread { least, greatest })
    }
}

/// The figures that are better one way, of all records together.
///
/// # Errors
/// If a record has none, or has one that another one has under other conditions.
pub(super) fn pooled(records: &[NamedRecord]) -> Result<BTreeMap<FigureKey, Pool<'_>>, ExportRefusal> {
    let mut all: BTreeMap<FigureKey, Pool<'_>> = BTreeMap::new();
    for named in records {
        let mut found = false;
        for (key, of) in figures(&named.record) {
            let Some(better) = of.better else { continue };
            found = true;
            match all.get_mut(&key) {
                Some(pool) => {
                    check(&key, pool.first, named)?;
                    pool.values.extend(of.values());
                }
                None => drop(all.insert(key, Pool { better, values: of.values(), first: named })),
            }
        }
        if !found {
            let lacks = "no figure of which more or less is better";
            return Err(ExportRefusal::Nothing { record: named.name.clone(), lacks });
        }
    }
    Ok(all)
}

/// Checks that two records with one figure can be compared.
fn check(key: &FigureKey, first: &NamedRecord, second: &NamedRecord) -> Result<(), ExportRefusal> {
    let differences = differences(from_ref(&first.record), from_ref(&second.record));
    match differences.into_iter().find(|difference| difference.forbids) {
        Some(difference) => Err(ExportRefusal::Apart {
            figure: key.full_name(),
            first: first.name.clone(),
            second: second.name.clone(),
            difference: Box::new(difference),
        }),
        None => Ok(()),
    }
}
