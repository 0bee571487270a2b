//! Output on the terminal: tables, numbers, progress.

pub mod colour;
pub mod ledger_line;
pub mod log;
mod narrow;
pub mod result_line;

use indicatif::{HumanCount, HumanFloatCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Whether an error of standard output was reported.
static IS_SAID: AtomicBool = AtomicBool::new(false);

/// Where output for people goes, and whether there is any.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Print nothing but errors.
    pub quiet: bool,
    /// Print to standard error, as standard output has a JSON document or results.
    pub to_stderr: bool,
}

impl Screen {
    /// Prints a line.
    pub fn say(&self, line: impl AsRef<str>) {
        if self.quiet {
            return;
        }
        if self.to_stderr && log::is_json() {
            tracing::info!(target: "kuu", event = "output", "{}", line.as_ref());
            return;
        }
        if self.to_stderr {
            let _ = writeln!(std::io::stderr(), "{}", line.as_ref());
            return;
        }
        match writeln!(std::io::stdout(), "{}", line.as_ref()) {
            // A reader that stops early is no error. Any other error does not change the exit status: the work is done.
            Err(error) if error.kind() != ErrorKind::BrokenPipe && !IS_SAID.swap(true, Ordering::Relaxed) => {
                complain(format!("standard output cannot be written: {error}"));
            }
            _ => {}
        }
    }

    /// A bar of `len` steps with the text of the template, hidden unless on a terminal.
    pub fn bar(&self, len: u64, template: &str) -> ProgressBar {
        let bar = self.progress(template);
        bar.set_length(len);
        bar
    }

    /// A spinner with the text of the template, hidden unless on a terminal.
    pub fn progress(&self, template: &str) -> ProgressBar {
        let bar = ProgressBar::new_spinner();
        let is_hidden = self.quiet || log::is_json();
        bar.set_draw_target(if is_hidden { ProgressDrawTarget::hidden() } else { narrow::target() });
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        log::go_above(&bar);
        bar
    }
}

/// Prints an error on standard error. If that fails, as on a full disk, the process continues: the exit status still
/// tells the outcome.
pub fn complain(words: impl std::fmt::Display) {
    if log::is_json() {
        return tracing::error!(target: "kuu", event = "error", "{words}");
    }
    let _ = writeln!(std::io::stderr(), "kuu: {words}");
}

/// A count with thousands separators.
pub fn count(n: u64) -> String {
    HumanCount(n).to_string()
}

/// A signed difference with thousands separators: `0`, `-1`, `+12`.
pub fn difference(n: i64) -> String {
    match n {
        0 => "0".into(),
        n if n < 0 => format!("-{}", count(n.unsigned_abs())),
        n => format!("+{}", count(n.unsigned_abs())),
    }
}

/// A rate without decimals, with thousands separators.
pub fn rate(value: f64) -> String {
    HumanFloatCount(value.round()).to_string()
}

/// Bytes per second in MB/s (10^6 bytes).
pub fn megabytes(bytes_per_s: f64) -> String {
    rate(bytes_per_s / 1e6)
}

/// Bytes in MB (10^6 bytes), with one decimal.
pub fn size(bytes: u64) -> String {
    let tenths = (bytes as f64 / 1e5).round() as u64;
    format!("{}.{} MB", count(tenths / 10), tenths % 10)
}

/// A duration in a suitable unit.
pub fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 0.001 => format!("{:.0} us", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// `1 window`, `2 windows`.
pub fn plural(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Text in columns, two spaces apart: the first column is left-aligned, the others right-aligned.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for (i, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let _ = match column {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        if i > 0 {
            text.push('\n');
        }
        text.push_str(line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!((difference(-1234), difference(0), difference(5)), ("-1,234".into(), "0".into(), "+5".into()));
        assert_eq!((rate(712_000.4), megabytes(1_481_000_000.0)), ("712,000".into(), "1,481".into()));
        assert_eq!(
            (size(104_049_999), size(49), size(1_000_000_000)),
            ("104.0 MB".into(), "0.0 MB".into(), "1,000.0 MB".into())
        );
        assert_eq!(time(Duration::from_micros(20)), "20 us");
        assert_eq!(time(Duration::from_micros(1250)), "1.2 ms");
        assert_eq!(time(Duration::from_millis(2500)), "2.50 s");
        assert_eq!((plural(1, "window"), plural(0, "frame")), ("1 window".into(), "0 frames".into()));
    }

    #[test]
    fn columns_are_aligned() {
        let rows =
            [vec!["window".into(), "users".into()], vec!["2016".into(), "1,739".into()], vec!["x".into(), "7".into()]];
        assert_eq!(table(&rows), "window  users\n2016    1,739\nx           7");
    }
}
