//! The ledger as a sentence.

use super::{count, plural};
use kuu_core::ledger::Ledger;

/// The ledger as a sentence: `50,000 read = 49,990 counted + 10 malformed (10 bad_ts) + 0 too late`.
pub fn ledger_line(ledger: &Ledger) -> String {
    let reasons: Vec<String> =
        ledger.reasons().into_iter().map(|(reason, n)| format!("{} {reason}", count(n))).collect();
    let mut line = format!(
        "ledger: {} read = {} counted + {} malformed{} + {} too late{}",
        count(ledger.read),
        count(ledger.counted),
        count(ledger.malformed_total()),
        if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) },
        count(ledger.too_late),
        if ledger.too_far > 0 { format!(" + {} too far", count(ledger.too_far)) } else { String::new() },
    );
    if ledger.late > 0 {
        line += &format!("; {} counted after the first answer of their window", plural(ledger.late, "frame"));
    }
    if ledger.out_of_order > 0 {
        line += &format!("; {} out of order", count(ledger.out_of_order));
    }
    if ledger.blank > 0 {
        line += &format!("; {} passed over", plural(ledger.blank, "blank line"));
    }
    line
}
