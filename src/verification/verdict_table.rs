//! The output of a comparison.

use crate::terminal::{self, Screen, colour, difference, plural, table};
use crate::verification::check::Checked;
use kuu_core::record::{Verdict, WithinRecord};
use kuu_core::verdict::{Comparison, Line, percent};

/// Number of windows in a table if there are many: first the wrong ones, then the corrected ones.
const SHOWN: usize = 50;
/// Number of faults that are named on screen; the record has all of them.
const NAMED_FAULTS: usize = 100;

/// Prints the table of windows.
pub fn show_windows(screen: Screen, checked: &Checked) {
    if !checked.comparison.is_misread() {
        screen.say(windows(screen, &checked.comparison));
    }
}

/// Prints the verdict, as the last line: what else a command says comes before.
pub fn show_verdict(screen: Screen, checked: &Checked) {
    let Checked { comparison, verdict, remarks } = checked;
    remarks.iter().for_each(|remark| screen.say(remark));
    if verdict.exact {
        screen.say(format!("{} {}", colour::right(screen, "exact:"), sentence(comparison, verdict)));
        return;
    }
    let bound = verdict.within.as_ref().map(|within| format!("within {} %", percent(within.bound)));
    if let Some((within, bound)) = verdict.within.as_ref().zip(bound.as_ref()).filter(|_| verdict.is_right()) {
        screen.say(format!(
            "{} {}",
            colour::right(screen, &format!("{bound}:")),
            nearness(comparison, verdict, within)
        ));
        return;
    }
    for fault in verdict.faults.iter().take(NAMED_FAULTS) {
        screen.say(format!("wrong: {fault}"));
    }
    if verdict.faults.len() > NAMED_FAULTS {
        let more = terminal::count((verdict.faults.len() - NAMED_FAULTS) as u64);
        screen.say(format!("wrong: ... and {more} more, see the record"));
    }
    let right = verdict.windows.saturating_sub(
        comparison.lines.iter().filter(|line| line.truth.is_some() && line.fault().is_some()).count() as u64,
    );
    let what = bound.as_deref().unwrap_or("exact");
    let mut exact = format!("{} of {} {what}", terminal::count(right), plural(verdict.windows, "window"));
    exact += &verdict.within.as_ref().map_or_else(String::new, |within| format!("; {}", errors(comparison, within)));
    let others = verdict.faults.len() as u64 - verdict.wrong.min(verdict.faults.len() as u64);
    screen.say(colour::wrong(
        screen,
        &match others {
            0 => format!("WRONG: {exact}"),
            others => format!("WRONG: {exact}, and {} besides", plural(others, "fault")),
        },
    ));
}

/// How many windows are near enough, and how far off they are.
fn nearness(comparison: &Comparison, verdict: &Verdict, within: &WithinRecord) -> String {
    let (inside, windows) = (terminal::count(within.inside), plural(verdict.windows, "window"));
    let share = 100.0 * within.inside as f64 / verdict.windows.max(1) as f64;
    format!("{inside} of {windows} ({share:.0} %); {}", errors(comparison, within))
}

/// The errors of the last answers.
fn errors(comparison: &Comparison, within: &WithinRecord) -> String {
    let window = comparison.largest_error().map_or_else(String::new, |line| format!(" ({})", line.window.label()));
    let (largest, rms) = (100.0 * within.largest_error, 100.0 * within.rms_error);
    format!("largest error {largest:.2} %{window}, root mean square {rms:.2} %")
}

/// The table of windows; if there are many, only the wrong and the corrected ones.
fn windows(screen: Screen, comparison: &Comparison) -> String {
    let mut rows = vec![["window", "users", "truth", "first answer", "error", "frames"].map(String::from).to_vec()];
    let all = &comparison.lines;
    let few = all.len() <= SHOWN;
    let rank = |line: &&Line| match (is_wrong(line), line.first_error()) {
        (true, _) => 0,
        (false, Some(error)) if error != 0 => 1,
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
        let mut row = vec![
            line.window.label(),
            number(line.answer.map(|answer| answer.users)),
            number(line.truth.map(|truth| truth.users)),
            number(line.first.map(|first| first.users)),
            line.first_error().map_or_else(|| "-".into(), difference),
            number(line.truth.and_then(|truth| truth.frames)),
        ];
        if is_wrong(line) {
            row.push("WRONG".into());
        }
        rows.push(row);
    }
    let text = table(&rows);
    // The rows of the table are the lines, after its title.
    let painted = text.lines().enumerate().map(|(row, text)| match row.checked_sub(1).map(|row| lines[row]) {
        Some(line) if is_wrong(line) => colour::wrong(screen, text),
        _ => text.to_owned(),
    });
    let text = painted.collect::<Vec<_>>().join("\n");
    if few {
        return text;
    }
    let rest = all.len() - lines.len();
    match lines.len() {
        0 if comparison.is_each_first() => format!("{}, each exact in its first answer", plural(rest as u64, "window")),
        0 => format!("{}, none wrong", plural(rest as u64, "window")),
        _ => format!("{text}\n... and {} more", plural(rest as u64, "window")),
    }
}

fn is_wrong(line: &Line) -> bool {
    line.fault().is_some() || !line.breaches.is_empty()
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
