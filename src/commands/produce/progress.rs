//! How far a replay is.

use crate::cli::ProduceArgs;
use crate::input::Progress;
use crate::kafka::produce::replay::SentSoFar;
use crate::terminal::{Screen, megabytes, size};
use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// What is known of the whole, and how far it is done.
pub struct ReplayProgress {
    sent: Arc<SentSoFar>,
    started: Instant,
    /// Raw bytes of all files, as often as they are read; none if one of them is a stream.
    raw_bytes: Option<u64>,
    limit: Option<u64>,
    time: Option<Duration>,
    read: Mutex<ReadSoFar>,
}

/// Raw bytes that are read.
#[derive(Default)]
struct ReadSoFar {
    /// Those of the files before the present one.
    before: u64,
    now: Option<Progress>,
}

impl ReplayProgress {
    /// Of a replay that begins now, and counts in `sent`.
    pub fn new(arguments: &ProduceArgs, sent: Arc<SentSoFar>) -> ReplayProgress {
        let size =
            |name: &String| std::fs::metadata(name).ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
        let once = arguments.files.iter().map(size).sum::<Option<u64>>();
        let times = arguments.pacing.repeat.unwrap_or(1);
        ReplayProgress {
            sent,
            started: Instant::now(),
            raw_bytes: once.filter(|_| arguments.pacing.time.is_none()).map(|once| once.saturating_mul(times)),
            limit: arguments.limit,
            time: arguments.pacing.time,
            read: Mutex::default(),
        }
    }

    /// A bar on the terminal that shows it.
    pub fn bar(self: &Arc<Self>, screen: Screen) -> ProgressBar {
        let bar = screen.progress("{spinner} {words}");
        let shown = self.clone();
        let words = move |_: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&shown.words());
        };
        let style = ProgressStyle::with_template("{spinner} {words}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()).with_key("words", words));
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        bar
    }

    /// Notes how far a file is read.
    pub fn note(&self, progress: &Progress) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.now.as_ref().is_none_or(|now| !now.is_same(progress)) {
            read.before += read.now.replace(progress.clone()).map_or(0, |file| file.bytes());
        }
    }

    /// The share that is done, 0 to 1, if the end is known.
    fn share(&self) -> Option<f64> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let raw = read.before + read.now.as_ref().map_or(0, Progress::bytes);
        let of = |done: f64, all: f64| if all > 0.0 { done / all } else { 1.0 };
        let shares = [
            self.raw_bytes.map(|all| of(raw as f64, all as f64)),
            self.limit.map(|all| of(self.sent.frames() as f64, all as f64)),
            self.time.map(|all| of(self.started.elapsed().as_secs_f64(), all.as_secs_f64())),
        ];
        // Whichever comes first is the end.
        shares.into_iter().flatten().reduce(f64::max).map(|share| share.min(1.0))
    }

    /// `12 %, 104.0 MB sent, 57 MB/s, 3 seconds left`: the bytes are those of the summary.
    fn words(&self) -> String {
        let elapsed = self.started.elapsed();
        words(self.share(), self.sent.bytes(), elapsed)
    }
}

fn words(share: Option<f64>, bytes: u64, elapsed: Duration) -> String {
    let per_s = megabytes(bytes as f64 / elapsed.as_secs_f64().max(1e-3));
    let sent = format!("{} sent, {per_s} MB/s", size(bytes));
    match share {
        None => sent,
        Some(share) if share > 0.0 => {
            let left = Duration::from_secs_f64((elapsed.as_secs_f64() * (1.0 - share) / share).clamp(0.0, 1e9));
            format!("{:.0} %, {sent}, {} left", (share * 100.0).floor(), HumanDuration(left))
        }
        Some(_) => format!("0 %, {sent}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_shows() {
        let ten = Duration::from_secs(10);
        assert_eq!(words(Some(0.0), 0, Duration::ZERO), "0 %, 0.0 MB sent, 0 MB/s");
        assert_eq!(words(Some(0.25), 1_500_000_000, ten), "25 %, 1,500.0 MB sent, 150 MB/s, 30 seconds left");
        assert_eq!(words(Some(0.999), 104_000_000, ten), "99 %, 104.0 MB sent, 10 MB/s, 0 seconds left");
        assert_eq!(words(Some(1.0), 104_000_000, ten), "100 %, 104.0 MB sent, 10 MB/s, 0 seconds left");
        assert_eq!(words(None, 20_000_000, ten), "20.0 MB sent, 2 MB/s");
        let longest = words(Some(0.01), 999_999_900_000, Duration::from_secs(100_000));
        // Less the spinner, and two columns for the echo of Ctrl-C.
        assert!(longest.len() <= 56, "{longest} wraps at 60 columns");
    }
}
