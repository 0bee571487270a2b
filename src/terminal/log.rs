//! The log on standard error: lines for people, or JSON objects.

use indicatif::{ProgressBar, WeakProgressBar};
use std::fmt::{self, Debug, Write as _};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::set_global_default;
use tracing::{Event, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

/// Whether all of standard error is JSON.
static IS_JSON: AtomicBool = AtomicBool::new(false);
/// The bar that is on the screen, if there is one.
static BAR: Mutex<Option<WeakProgressBar>> = Mutex::new(None);

/// Starts the log of this process: kuu's events from the level `own` on, librdkafka's from the level `library` on. As
/// JSON it takes everything that is said on standard error.
pub fn start(json: bool, own: LevelFilter, library: LevelFilter) {
    IS_JSON.store(json, Ordering::Relaxed);
    // The error that ends a command is said at any level.
    let own = if json { own.max(LevelFilter::ERROR) } else { own };
    let levels = Targets::new().with_targets([("kuu", own), ("librdkafka", library), ("rdkafka", library)]);
    let log = Registry::default().with(levels);
    // An error means that the log of this process is started already.
    let _ = if json {
        let lines = layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
        set_global_default(log.with(lines.with_writer(|| StandardError)))
    } else {
        set_global_default(log.with(layer().event_format(Words).with_writer(|| StandardError)))
    };
}

/// Whether everything that goes to standard error is JSON.
pub(super) fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// From now on, lines of the log go above this bar.
pub(super) fn go_above(bar: &ProgressBar) {
    *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.downgrade());
}

/// The message of an event, without its other fields: it has them in words.
struct Words;

impl<S, N> FormatEvent<S, N> for Words
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut message = Message::default();
        event.record(&mut message);
        writeln!(to, "{}", message.0)
    }
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// Standard error. Each write is one event. If one fails, as on a full disk, the run goes on.
struct StandardError;

impl Write for StandardError {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let print = || drop(io::stderr().write_all(event));
        let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(WeakProgressBar::upgrade);
        match bar.filter(|bar| !bar.is_hidden() && !bar.is_finished()) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
