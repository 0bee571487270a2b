//! Panics: each one is reported, and none ends with exit status 0.
//!
//! They unwind instead of aborting: so the joining thread notices, an open transaction is aborted, and the run still
//! reports its work.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::{PanicHookInfo, set_hook};
use std::sync::atomic::{AtomicBool, Ordering};

static HAPPENED: AtomicBool = AtomicBool::new(false);

/// From now on, reports every panic of any thread, and records that there was one.
pub fn report_all() {
    set_hook(Box::new(|info| {
        HAPPENED.store(true, Ordering::SeqCst);
        // Ignores an error: standard error may be closed or full, and a panic in the hook would abort.
        let _ = std::io::stderr().write_all(words(info).as_bytes());
    }));
}

/// Whether any thread panicked: then no result of the run is reliable.
pub fn happened() -> bool {
    HAPPENED.load(Ordering::SeqCst)
}

fn words(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or_else(|| "an unknown place".into(), ToString::to_string);
    let thread = std::thread::current();
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let what = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    // There is a trace only if RUST_BACKTRACE asks for it.
    let trace = Some(Backtrace::capture()).filter(|trace| trace.status() == BacktraceStatus::Captured);
    format!(
        "kuu: this is a fault in kuu itself: at {place}, thread {}: {what}\n\
         kuu: please report it with these lines, `kuu --version` and the command line; results that were committed before \
         it stay right\n{}",
        thread.name().unwrap_or("without a name"),
        trace.map_or_else(String::new, |trace| format!("{trace}\n")),
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// Not a test itself: the next test runs it in another process, as a panic hook belongs to the whole process.
    #[test]
    #[ignore = "run by the other one"]
    fn one_thread_panics() {
        super::report_all();
        assert!(!super::happened());
        let thread = std::thread::Builder::new().name("reader".into());
        let died = thread.spawn(|| panic!("a planted fault")).unwrap().join();
        assert!(died.is_err() && super::happened());
    }

    #[test]
    fn a_panic_of_any_thread_is_reported_and_remembered() {
        let child = |error: std::process::Stdio| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--ignored", "--exact", "--nocapture", "system::panics::tests::one_thread_panics"]);
            command.env("RUST_BACKTRACE", "0").stderr(error).output().unwrap()
        };
        let done = child(std::process::Stdio::piped());
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        assert!(said.contains("kuu: this is a fault in kuu itself: at src/system/panics.rs:"), "{said}");
        assert!(said.contains(", thread reader: a planted fault\nkuu: please report it"), "{said}");
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        assert!(child(full.into()).status.success());
    }
}
