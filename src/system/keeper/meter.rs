//! What the processes of a tree take.

use super::tree::{Living, descendants, living, pss_bytes};
use super::wire::Usage;
use nix::sys::resource::{UsageWho, getrusage};
use std::time::{Duration, Instant};

/// Looks of one kind take at most one part in so many of a core: all three together 1 %.
const SHARE: u32 = 300;

/// And so much besides, so that a short run is looked at closely.
const CREDIT: Duration = Duration::from_millis(30);

/// When something is due again: after some time, or later if it was costly so far.
struct Due {
    every: Duration,
    begun: Instant,
    next: Instant,
    /// The processor time of it so far.
    spent: Duration,
}

impl Due {
    fn every(time: Duration) -> Due {
        let now = Instant::now();
        Due { every: time, begun: now, next: now, spent: Duration::ZERO }
    }

    fn run<T>(&mut self, work: impl FnOnce() -> T) -> Option<T> {
        let now = Instant::now();
        (now >= self.next && self.spent <= (now - self.begun) / SHARE + CREDIT).then(|| {
            let before = rusage(UsageWho::RUSAGE_SELF).cpu_us;
            let done = work();
            self.spent += Duration::from_micros(rusage(UsageWho::RUSAGE_SELF).cpu_us - before);
            self.next = now + self.every;
            done
        })
    }
}

/// Adds up what the descendants of this process take.
pub struct Meter {
    known: Vec<i32>,
    usage: Usage,
    find: Due,
    resident: Due,
    pss: Due,
}

impl Meter {
    /// A meter of a tree that is about to start.
    pub fn new() -> Meter {
        let [find, resident, pss] = [100, 50, 100].map(|ms| Due::every(Duration::from_millis(ms)));
        Meter { known: Vec::new(), usage: Usage::default(), find, resident, pss }
    }

    /// Takes what is due.
    pub fn look(&mut self) {
        if let Some(found) = self.find.run(tree) {
            self.known = found;
        }
        if let Some(living) = self.resident.run(|| sum(&self.known)) {
            self.take(living);
        }
        if let Some(pss) = self.pss.run(|| self.known.iter().filter_map(|id| pss_bytes(*id)).sum()) {
            self.usage.peak_pss_bytes = self.usage.peak_pss_bytes.max(pss);
        }
    }

    /// The figures of this moment.
    pub fn now(&mut self) -> Usage {
        self.known = tree();
        self.take(sum(&self.known));
        self.usage
    }

    /// The same, before all processes are killed.
    pub fn last(&mut self) {
        self.now();
        let pss = self.known.iter().filter_map(|id| pss_bytes(*id)).sum();
        self.usage.peak_pss_bytes = self.usage.peak_pss_bytes.max(pss);
    }

    /// The figures that were taken last.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    fn take(&mut self, living: Living) {
        let reaped = rusage(UsageWho::RUSAGE_CHILDREN);
        let usage = &mut self.usage;
        // The processor time of one that ended between the two is in neither, for a moment.
        usage.cpu_us = usage.cpu_us.max(living.cpu_us + reaped.cpu_us);
        usage.resident_bytes = living.resident_bytes;
        usage.peak_resident_bytes = usage.peak_resident_bytes.max(living.resident_bytes);
        // Until it calls exec, a child has the memory of this process: what is not above that says nothing.
        if reaped.peak > rusage(UsageWho::RUSAGE_SELF).peak {
            usage.peak_resident_bytes = usage.peak_resident_bytes.max(reaped.peak);
        }
    }
}

fn tree() -> Vec<i32> {
    descendants(std::process::id() as i32)
}

fn sum(processes: &[i32]) -> Living {
    processes.iter().filter_map(|id| living(*id)).fold(Living::default(), |all, one| Living {
        cpu_us: all.cpu_us + one.cpu_us,
        resident_bytes: all.resident_bytes + one.resident_bytes,
    })
}

/// The figures of getrusage(2).
struct Rusage {
    cpu_us: u64,
    /// The largest resident memory of one process, in bytes.
    peak: u64,
}

fn rusage(who: UsageWho) -> Rusage {
    // It does not fail for these.
    let Ok(usage) = getrusage(who) else { return Rusage { cpu_us: 0, peak: 0 } };
    let us = |time: nix::sys::time::TimeVal| time.tv_sec() as u64 * 1_000_000 + time.tv_usec() as u64;
    // Linux has KiB there, macOS bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Rusage { cpu_us: us(usage.user_time()) + us(usage.system_time()), peak: usage.max_rss() as u64 * unit }
}
