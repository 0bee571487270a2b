//! The processes below this one.

pub use proc::{Living, descendants, living, pss_bytes};

/// What Linux reports under /proc.
#[cfg(target_os = "linux")]
mod proc {
    use procfs::process::{Process, all_processes};
    use std::collections::BTreeMap;

    /// What a process took so far.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Living {
        /// Processor time, with that of its children that have ended, in microseconds.
        pub cpu_us: u64,
        /// Resident memory.
        pub resident_bytes: u64,
    }

    /// All descendants of a process, parents first.
    pub fn descendants(root: i32) -> Vec<i32> {
        let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for process in all_processes().into_iter().flatten().flatten() {
            if let Ok(stat) = process.stat() {
                children.entry(stat.ppid).or_default().push(stat.pid);
            }
        }
        let mut found = vec![root];
        let mut next = 0;
        while let Some(parent) = found.get(next) {
            // Processes change while they are read: none may be taken twice.
            found.extend(children.remove(parent).unwrap_or_default());
            next += 1;
        }
        found.split_off(1)
    }

    /// The figures of a process, none if it has ended.
    pub fn living(id: i32) -> Option<Living> {
        let stat = Process::new(id).ok()?.stat().ok()?;
        let ticks = stat.utime + stat.stime + (stat.cutime + stat.cstime).max(0) as u64;
        let cpu_us = ticks * 1_000_000 / procfs::ticks_per_second();
        Some(Living { cpu_us, resident_bytes: stat.rss * procfs::page_size() })
    }

    /// The memory of a process in which a page that n processes share counts for an nth, in bytes.
    pub fn pss_bytes(id: i32) -> Option<u64> {
        let rollup = Process::new(id).ok()?.smaps_rollup().ok()?;
        rollup.memory_map_rollup.0.first()?.extension.map.get("Pss").copied()
    }
}

/// Other systems report nothing.
#[cfg(not(target_os = "linux"))]
mod proc {
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Living {
        pub cpu_us: u64,
        pub resident_bytes: u64,
    }

    pub fn descendants(_root: i32) -> Vec<i32> {
        Vec::new()
    }

    pub fn living(_id: i32) -> Option<Living> {
        None
    }

    pub fn pss_bytes(_id: i32) -> Option<u64> {
        None
    }
}
