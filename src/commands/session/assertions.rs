//! What a run must reach.

use crate::terminal::complain;
use anyhow::{Result, anyhow};
use kuu_core::comparison::Assertion;
use kuu_core::record::Record;

/// Says which assertions fail; returns whether any does.
///
/// # Errors
/// If the run has no figure of a name.
pub fn any_fails(assertions: &[Assertion], record: &Record) -> Result<bool> {
    let mut any = false;
    for assertion in assertions {
        let outcome = assertion.check(record).map_err(|error| anyhow!(error))?;
        if !outcome.holds {
            complain(format!("does not hold: {assertion}: it is {}", outcome.value));
            any = true;
        }
    }
    Ok(any)
}
