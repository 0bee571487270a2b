//! What kuu and a keeper tell each other, a JSON line each.

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The hidden subcommand of the keeper.
pub const SUBCOMMAND: &str = "keep";

/// A program to start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launch {
    /// The program and its arguments. A program with a `/` is seen from `dir`, others are looked up in `PATH`.
    pub program: Vec<String>,
    /// Its working directory.
    pub dir: PathBuf,
    /// Its environment, besides that of kuu without `KUU_...` and with `TZ=UTC`.
    pub env: BTreeMap<String, String>,
    /// The directory of its standard output and standard error, which are appended to `stdout.log` and `stderr.log`.
    pub logs: PathBuf,
    /// How long it may take to end after SIGTERM.
    pub grace: Duration,
    /// The most bytes that the two logs may have together; a program that writes more is killed, and the longer log cut.
    pub log_limit_bytes: u64,
    /// The most memory that its processes may have together, each shared page once (PSS); a program that takes more is
    /// killed, within 100 ms or so. None if nobody looks.
    pub memory_limit_bytes: Option<u64>,
}

/// What kuu wants of a keeper; each has a [`Report`] for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// How it stands.
    Look,
    /// The same, with figures of this moment.
    Measure,
    /// SIGSTOP to every process.
    Pause,
    /// SIGCONT to every process.
    Resume,
    /// SIGTERM, and SIGKILL after the grace; answered once all have ended.
    Stop,
    /// SIGKILL to every process; answered once all have ended.
    Kill,
}

/// The answer of a keeper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The id of the program's first process, and of its group.
    pub id: i32,
    /// What it took so far.
    pub usage: Usage,
    /// How it ended, once it has.
    pub ended: Option<Ended>,
    /// Why it could not be started, or what went wrong since.
    pub fault: Option<String>,
}

/// What all processes of a program took together. Memory is 0 where the system does not report it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time, user and system, in microseconds; children that have ended included.
    pub cpu_us: u64,
    /// Resident memory now. Pages that processes share count in each of them.
    pub resident_bytes: u64,
    /// The most that was seen of it, every 50 ms; not less than the largest peak of a single process.
    pub peak_resident_bytes: u64,
    /// The most that was seen of the memory in which a shared page counts once (PSS), every 100 ms or more rarely: all
    /// looks together take at most 1 % of a core, and 90 ms besides.
    pub peak_pss_bytes: u64,
}

/// The end of a program: of its first process, whereupon all others are killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Why it ended.
    pub cause: EndCause,
    /// The status of its first process.
    pub status: EndStatus,
    /// How many of its other processes were still there, and were killed.
    pub left_behind: u32,
    /// When its first process ended, in microseconds of Unix time.
    pub ended_us: i64,
}

/// Why a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndCause {
    /// By itself, or by a signal of somebody else.
    Exited,
    /// After SIGTERM, as it was asked to.
    Stopped,
    /// By SIGKILL, as it did not end within its grace after SIGTERM.
    Forced,
    /// By SIGKILL, as it was asked to be killed.
    Killed,
    /// By SIGKILL, as its logs were too long.
    LogLimit,
    /// By SIGKILL, as it took more memory than it may.
    MemoryLimit,
}

/// How the first process of a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndStatus {
    /// With this status.
    Code(i32),
    /// By the signal of this number.
    Signal(i32),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            EndCause::Exited => {}
            EndCause::Stopped => write!(f, "stopped: ")?,
            EndCause::Forced => write!(f, "did not end after SIGTERM, so killed: ")?,
            EndCause::Killed => write!(f, "killed: ")?,
            EndCause::LogLimit => write!(f, "fills its quota of log, so killed: ")?,
            EndCause::MemoryLimit => write!(f, "takes more memory than it may, so killed: ")?,
        }
        write!(f, "{}", self.status)?;
        match self.left_behind {
            0 => Ok(()),
            1 => write!(f, ", and left 1 process behind"),
            n => write!(f, ", and left {n} processes behind"),
        }
    }
}

impl fmt::Display for EndStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            EndStatus::Code(code) => write!(f, "exit status {code}"),
            EndStatus::Signal(number) => match Signal::try_from(number) {
                Ok(signal) => write!(f, "{signal}"),
                Err(_) => write!(f, "signal {number}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_described() {
        let ended = |cause, status, left_behind| Ended { cause, status, left_behind, ended_us: 0 }.to_string();
        assert_eq!(ended(EndCause::Exited, EndStatus::Code(3), 0), "exit status 3");
        assert_eq!(ended(EndCause::Exited, EndStatus::Signal(11), 1), "SIGSEGV, and left 1 process behind");
        assert_eq!(ended(EndCause::Killed, EndStatus::Signal(9), 2), "killed: SIGKILL, and left 2 processes behind");
        assert_eq!(ended(EndCause::Exited, EndStatus::Signal(40), 0), "signal 40");
    }
}
