//! The machine, and this process.

use kuu_core::record::{Machine, Program};

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
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        memory_bytes: kilobytes("/proc/meminfo", "MemTotal").unwrap_or(0),
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().into(),
    }
}

/// Maker, family and model of the processor, as `AuthenticAMD-26-2`: speeds of two machines compare only if these are
/// equal. Empty if the system does not report them.
pub fn processor() -> String {
    // The first line with this prefix is `model`, the second one `model name`.
    let parts = ["vendor_id", "cpu family", "model"].map(|name| field("/proc/cpuinfo", name));
    parts.into_iter().flatten().collect::<Vec<_>>().join("-")
}

/// The number of threads per core, taken from the first processor; none if the system does not report it.
pub fn threads_a_core() -> Option<u32> {
    let number = |name| field("/proc/cpuinfo", name)?.parse::<u32>().ok();
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

/// The largest resident memory of this process so far, in bytes.
pub fn peak_resident_bytes() -> Option<u64> {
    kilobytes("/proc/self/status", "VmHWM")
}

/// Processor time of this process so far, user and system, in seconds.
pub fn cpu_seconds() -> Option<f64> {
    // Linux reports ticks of 10 ms on every architecture.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field after it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

fn kilobytes(path: &str, name: &str) -> Option<u64> {
    field(path, name)?.strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
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
