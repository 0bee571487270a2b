//! The status of a count while it runs.

use crate::commands::count::summary::doubts;
use crate::count::recovery::Activity;
use crate::engine::status::Status;
use crate::terminal::{self, Screen, plural, rate, time};
use indicatif::ProgressBar;
use std::time::{Duration, Instant};

/// How often the status is printed where there is no terminal.
const SAY: Duration = Duration::from_secs(10);

/// The rate of frames at its last measurement.
struct Rate {
    since: Instant,
    /// Number of frames until then.
    frames: u64,
    per_s: f64,
}

/// When the last windows of a topic that is followed close.
pub fn closing(close_idle: Option<Duration>) -> String {
    match close_idle {
        None => "the last windows close when a later frame comes, or --close-idle TIME".into(),
        Some(idle) => format!("the last windows close when a later frame comes, or after {} without any", time(idle)),
    }
}

/// The status on a terminal, in one line; elsewhere a line every ten seconds, while the count follows.
pub struct StatusLine {
    screen: Screen,
    bar: ProgressBar,
    /// Set if the count follows: the time of --close-idle.
    follows: Option<Option<Duration>>,
    rate: Rate,
    said: Instant,
}

impl StatusLine {
    /// A status that is not shown yet; a count that follows has the time of --close-idle.
    pub fn new(screen: Screen, follows: Option<Option<Duration>>) -> StatusLine {
        let now = Instant::now();
        // A line that is longer than the terminal is cut: parts that wrap would stay.
        let bar = screen.progress("{spinner} {wide_msg}");
        StatusLine { screen, bar, follows, rate: Rate { since: now, frames: 0, per_s: 0.0 }, said: now }
    }

    /// The bar, for others that print above it.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Shows what the count does now.
    pub fn show(&mut self, now: &Activity) {
        let (status, lag, hidden) = match now {
            Activity::Restoring { read, total } => {
                let (read, total) = (terminal::count(*read), terminal::count(*total));
                return self.bar.set_message(format!("restoring the state: {read} of {total} records"));
            }
            // The log has it.
            Activity::Failed { .. } | Activity::SetBack { .. } => return,
            Activity::Counting { status, lag, hidden } => (status, lag, hidden),
        };
        let elapsed = self.rate.since.elapsed();
        if elapsed >= Duration::from_secs(1) {
            // After a setback the number of frames is lower than before.
            let frames = status.frames.saturating_sub(self.rate.frames);
            let per_s = frames as f64 / elapsed.as_secs_f64();
            self.rate = Rate { since: Instant::now(), frames: status.frames, per_s };
        }
        let mut line = self.line(status, *lag, *hidden);
        let mut short = line.clone();
        if let Some(close_idle) = self.follows
            && status.pending > 0
            && *lag == 0
        {
            let closing = closing(close_idle);
            // A terminal may cut the end, and where nothing comes, this is what people wonder about.
            if self.rate.per_s < 0.5 {
                short = format!("{closing}; {line}");
            }
            line += &format!("; {closing}");
        }
        if self.follows.is_some() && self.bar.is_hidden() && self.said.elapsed() >= SAY {
            self.said = Instant::now();
            Screen { to_stderr: true, ..self.screen }.say(&line);
        }
        self.bar.set_message(short);
    }

    /// The parts that matter most come first, as the end may be cut.
    fn line(&self, status: &Status, lag: u64, hidden: u64) -> String {
        let watermark = status.watermark.and_then(|at| jiff::Timestamp::from_second(at).ok());
        let mut line = format!(
            "{} open, {}, lag {}, {} frames/s, watermark {}",
            plural(status.pending as u64, "window"),
            plural(status.results, "result"),
            terminal::count(lag),
            rate(self.rate.per_s),
            watermark.map_or_else(|| "not yet known".into(), |at| at.to_string()),
        );
        if let Some(doubtful) = &status.doubtful {
            line += &format!("; {}", doubts(doubtful));
        }
        if hidden > 0 {
            line += &format!("; an open transaction hides {}", plural(hidden, "offset"));
        }
        line
    }

    /// Removes the line.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
