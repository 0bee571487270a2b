//! The output of a comparison.

use crate::terminal::{self, Screen, difference, plural, table};
use crate::verification::check::Checked;
use kuu_core::record::Verdict;
use kuu_core::verdict::{Comparison, Line};

/// Number of windows in a table if there are many: first the wrong ones, then the corrected ones.
const SHOWN: usize = 50;
/// Number of faults that are named on screen; the record has all of them.
const NAMED_FAULTS: usize = 100;

/// Prints the table and the verdict.
pub fn show(screen: Screen, checked: &Checked) {
    let Checked { comparison, verdict, remarks } = checked;
    if !comparison.is_misread() {
        screen.say(windows(comparison));
    }
    if verdict.exact {
        screen.say(format!("exact: {}", sentence(comparison, verdict)));
    } else {
        for fault in verdict.faults.iter().take(NAMED_FAULTS) {
            screen.say(format!("wrong: {fault}"));
        }
        if verdict.faults.len() > NAMED_FAULTS {
            screen.say(format!("wrong: ... and {} more, see the record", verdict.faults.len() - NAMED_FAULTS));
        }
        let right = verdict.windows.saturating_sub(
            comparison.lines.iter().filter(|line| line.truth.is_some() && line.fault().is_some()).count() as u64,
        );
        let exact = format!("{} of {} exact", terminal::count(right), plural(verdict.windows, "window"));
        let others = verdict.faults.len() as u64 - verdict.wrong.min(verdict.faults.len() as u64);
        screen.say(match others {
            0 => format!("WRONG: {exact}"),
            others => format!("WRONG: {exact}, and {} besides", plural(others, "fault")),
        });
    }
    remarks.iter().for_each(|remark| screen.say(remark));
}

/// The table of windows; if there are many, only the wrong and the corrected ones.
fn windows(comparison: &Comparison) -> String {
    let mut rows = vec![["window", "users", "truth", "first answer", "error", "frames"].map(String::from).to_vec()];
    let all = &comparison.lines;
    let few = all.len() <= SHOWN;
    let rank = |line: &&Line| match (line.fault(), line.first_error()) {
        (Some(_), _) => 0,
        (None, Some(error)) if error != 0 => 1,
        _ => 2,
    };
    let mut lines: Vec<&Line> = all.iter().collect();
    if !few {
        lines.sort_by_key(rank);
        lines.truncate(SHOWN);
        lines.retain(|line| rank(line) < 2);
        lines.sort_by_key(|line| line.window);
    }
    let number = |n: Option<u64>| n.map_or_else(|| "-".into(), terminal::count);
    for line in &lines {
        rows.push(vec![
            line.window.label(),
            number(line.answer.map(|answer| answer.users)),
            number(line.truth.map(|truth| truth.users)),
            number(line.first.map(|first| first.users)),
            line.first_error().map_or_else(|| "-".into(), difference),
            number(line.truth.and_then(|truth| truth.frames)),
        ]);
    }
    if few {
        return table(&rows);
    }
    let rest = all.len() - lines.len();
    match lines.len() {
        0 if comparison.is_each_first() => format!("{}, each exact in its first answer", plural(rest as u64, "window")),
        0 => format!("{}, none wrong", plural(rest as u64, "window")),
        _ => format!("{}\n... and {} more", table(&rows), plural(rest as u64, "window")),
    }
}

/// A sentence about the first answers of an exact result.
fn sentence(comparison: &Comparison, verdict: &Verdict) -> String {
    let windows = format!("{} of {}", terminal::count(verdict.windows), plural(verdict.windows, "window"));
    if comparison.is_each_first() {
        return format!("{windows}, each in its first answer");
    }
    let mut text = format!("{windows}; {} in its first answer", terminal::count(verdict.exact_at_first));
    if verdict.corrected > 0 {
        let revisions = plural(comparison.corrections(), "late revision");
        text += &format!(", {} corrected by {revisions}", terminal::count(verdict.corrected));
    }
    if verdict.first_unknown > 0 {
        text += &format!(", first answer unknown for {}", plural(verdict.first_unknown, "window"));
    }
    if let Some(line) = comparison.largest_first_error() {
        let error = verdict.largest_first_error_users;
        let users = line.truth.map_or(1, |truth| truth.users.max(1));
        text += &format!(
            "; largest first error {} ({:.2} %), {} in all",
            plural(error, "user"),
            100.0 * error as f64 / users as f64,
            plural(verdict.total_first_error_users, "user"),
        );
    }
    if comparison.off_in_frames() > 0 {
        text += &format!("; {} corrected in frames only", terminal::count(comparison.off_in_frames()));
    }
    if comparison.repeats() > 0 {
        text += &format!("; {} repeated a known answer", plural(comparison.repeats(), "row"));
    }
    text
}
