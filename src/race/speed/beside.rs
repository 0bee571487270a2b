//! What the broker and the observer use while an engine runs.

use crate::system::host::cpu_seconds;
use crate::system::server_process::{ServerProcess, ServerUsage};
use kuu_core::speed::Beside;
use std::fs;
use std::path::Path;

/// The observer disturbs the engine if it takes more than this share of the machine's processor time.
const MOST_OBSERVING: f64 = 0.03;

/// The state at the start of a run.
pub struct BesideMeter<'a> {
    broker: Option<&'a ServerProcess>,
    before: Option<ServerUsage>,
    own_us: u64,
}

impl<'a> BesideMeter<'a> {
    /// Begins.
    pub fn begin(broker: Option<&'a ServerProcess>) -> BesideMeter<'a> {
        BesideMeter { broker, before: broker.and_then(ServerProcess::usage), own_us: own_us() }
    }

    /// What was used since the start; `state` is the engine's state directory.
    pub fn end(self, state: &Path) -> Beside {
        let now = self.broker.and_then(ServerProcess::usage);
        let used = self.before.and_then(|before| Some(now?.since(before)));
        Beside {
            broker_cpu_us: used.map(|used| used.cpu_us),
            broker_read_bytes: used.map(|used| used.read_bytes),
            broker_written_bytes: used.map(|used| used.written_bytes),
            observer_cpu_us: own_us().saturating_sub(self.own_us),
            state_bytes: bytes_in(state),
        }
    }
}

/// What a reader must know of an observer that took too much in a run of this length, if it did.
pub fn observer_remark(beside: &Beside, wall_us: i64, cores: usize) -> Option<String> {
    let share = beside.observer_cpu_us as f64 / (wall_us.max(1) as f64 * cores.max(1) as f64);
    (share > MOST_OBSERVING).then(|| {
        format!("the observer took {:.1} % of the processors, more than {:.0} %", share * 100.0, MOST_OBSERVING * 100.0)
    })
}

/// Processor time of this process so far, in microseconds.
fn own_us() -> u64 {
    cpu_seconds().map_or(0, |seconds| (seconds * 1e6) as u64)
}

/// Bytes of all files below a directory.
fn bytes_in(directory: &Path) -> u64 {
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes_in(&entry.path()),
        data => data.map_or(0, |data| data.len()),
    };
    fs::read_dir(directory).into_iter().flatten().flatten().map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_and_observer() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a/b"), [0; 10]).unwrap();
        std::fs::write(dir.path().join("c"), [0; 5]).unwrap();
        let beside = BesideMeter::begin(None).end(dir.path());
        assert_eq!((beside.state_bytes, beside.broker_cpu_us), (15, None));
        let beside = Beside { observer_cpu_us: 61_000, ..beside };
        let remark = observer_remark(&beside, 1_000_000, 2);
        assert_eq!(remark.as_deref(), Some("the observer took 3.0 % of the processors, more than 3 %"));
        assert_eq!(observer_remark(&beside, 1_100_000, 2), None);
    }
}
