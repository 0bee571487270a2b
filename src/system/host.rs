//! The machine, and this process.

use kuu_core::record::{Machine, Program};

pub use proc::{cpu_seconds, peak_resident_bytes, resident_bytes};

/// This build, with the version of its client library.
pub fn program(librdkafka: String) -> Program {
    Program {
        version: env!("CARGO_PKG_VERSION").into(),
        git: env!("KUU_GIT").into(),
        rustc: env!("KUU_RUSTC").into(),
        librdkafka,
    }
}

/// This machine; unknown members are empty or 0.
pub fn machine() -> Machine {
    Machine {
        cpu: proc::processor("model name").unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        memory_bytes: proc::memory_bytes().unwrap_or(0),
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().into(),
    }
}

/// Maker, family and model of the processor, as `AuthenticAMD-26-2`: speeds of two machines compare only if these are
/// equal. Empty if the system does not report them.
pub fn processor() -> String {
    let parts = ["vendor_id", "cpu family", "model"].map(proc::processor);
    parts.into_iter().flatten().collect::<Vec<_>>().join("-")
}

/// The number of threads per core, taken from the first processor; none if the system does not report it.
pub fn threads_a_core() -> Option<u32> {
    let number = |name| proc::processor(name)?.parse::<u32>().ok();
    number("siblings")?.checked_div(number("cpu cores")?)
}

/// The name of this machine, with dots in place of dashes and of characters that a topic name cannot have.
pub fn name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '.' }).take(64).collect();
    if name.is_empty() { "unknown".into() } else { name }
}

/// A unique name of this process: machine, process id, time.
pub fn instance() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "unknown host".into());
    format!("{}, process {}, since {}", host.trim(), std::process::id(), crate::system::clock::Time::now().rfc3339())
}

/// What Linux reports under /proc.
#[cfg(target_os = "linux")]
mod proc {
    use procfs::process::Process;
    use procfs::{CpuInfo, Current as _, Meminfo};

    /// A field of the first processor, as /proc/cpuinfo names it.
    pub fn processor(field: &str) -> Option<String> {
        CpuInfo::current().ok()?.get_field(0, field).map(str::to_owned)
    }

    pub fn memory_bytes() -> Option<u64> {
        Meminfo::current().ok().map(|memory| memory.mem_total)
    }

    /// The resident memory of this process at present, in bytes.
    pub fn resident_bytes() -> Option<u64> {
        Process::myself().ok()?.status().ok()?.vmrss.map(|kibibytes| kibibytes * 1024)
    }

    /// The largest resident memory of this process so far, in bytes.
    pub fn peak_resident_bytes() -> Option<u64> {
        Process::myself().ok()?.status().ok()?.vmhwm.map(|kibibytes| kibibytes * 1024)
    }

    /// Processor time of this process so far, user and system, in seconds.
    pub fn cpu_seconds() -> Option<f64> {
        let stat = Process::myself().ok()?.stat().ok()?;
        Some((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
    }
}

/// Other systems report nothing.
#[cfg(not(target_os = "linux"))]
mod proc {
    pub fn processor(_field: &str) -> Option<String> {
        None
    }

    pub fn memory_bytes() -> Option<u64> {
        None
    }

    pub fn resident_bytes() -> Option<u64> {
        None
    }

    pub fn peak_resident_bytes() -> Option<u64> {
        None
    }

    pub fn cpu_seconds() -> Option<f64> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_tells() {
        assert!(machine().cores > 0 && machine().memory_bytes > 0);
        assert!(peak_resident_bytes() > Some(1 << 20));
        assert!(cpu_seconds().is_some());
        if cfg!(target_arch = "x86_64") {
            let processor = processor();
            let parts: Vec<&str> = processor.split('-').collect();
            assert!(parts.len() == 3 && parts[1..].iter().all(|part| part.parse::<u32>().is_ok()), "{processor}");
        }
    }
}
