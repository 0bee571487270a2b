//! The program of a keeper, with all its processes.

use super::logs::Logs;
use super::meter::Meter;
use super::tree::descendants;
use super::wire::{EndCause, EndStatus, Ended, Launch};
use crate::system::clock::now_us;
use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgid};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long SIGKILL may take. Longer than that takes only a process that waits for a device.
const DYING: Duration = Duration::from_secs(20);

/// A program, and all that it started.
pub struct Kept {
    /// Its first process, the leader of its group.
    pub id: Pid,
    /// What it takes.
    pub meter: Meter,
    logs: Logs,
    launch: Launch,
    first: Option<FirstEnded>,
}

/// The end of the first process.
#[derive(Clone, Copy)]
struct FirstEnded {
    status: EndStatus,
    at_us: i64,
}

impl Kept {
    /// Starts the program.
    pub fn start(launch: Launch) -> Result<Kept> {
        let logs = Logs::open(&launch)?;
        let Some((name, arguments)) = launch.program.split_first() else { bail!("a program is missing") };
        let dir = std::path::absolute(&launch.dir)?;
        if !dir.is_dir() {
            bail!("{}: no such directory", dir.display());
        }
        let mut command = Command::new(seen_from(&dir, name));
        command.args(arguments).current_dir(&dir).process_group(0).env("TZ", "UTC");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"KUU_")) {
            command.env_remove(name);
        }
        command.envs(&launch.env).stdin(Stdio::null());
        command.stdout(logs.stdout.try_clone()?).stderr(logs.stderr.try_clone()?);
        let meter = Meter::new();
        let child = command.spawn().with_context(|| format!("{name} cannot be started in {}", dir.display()))?;
        Ok(Kept { id: Pid::from_raw(child.id() as i32), meter, logs, launch, first: None })
    }

    /// How long it may take to end after SIGTERM.
    pub fn grace(&self) -> Duration {
        self.launch.grace
    }

    /// Whether its first process has ended.
    pub fn has_ended(&self) -> bool {
        self.first.is_some()
    }

    /// Whether it wrote too much.
    pub fn is_too_loud(&self) -> bool {
        self.logs.exceed(self.launch.log_limit_bytes)
    }

    /// Whether it took too much memory.
    pub fn is_too_large(&self) -> bool {
        self.launch.memory_limit_bytes.is_some_and(|limit| self.meter.usage().peak_pss_bytes > limit)
    }

    /// Takes the status of every process that has ended; returns whether any is left.
    pub fn reap(&mut self) -> bool {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(id, code)) => self.note(id, EndStatus::Code(code)),
                Ok(WaitStatus::Signaled(id, signal, _)) => self.note(id, EndStatus::Signal(signal as i32)),
                Err(Errno::ECHILD) => return false,
                Err(Errno::EINTR) => {}
                // Signals of real time have no name, and come as an error.
                Err(_) if !self.has_ended() && kill(self.id, None).is_err() => self.note(self.id, EndStatus::Signal(0)),
                _ => return true,
            }
        }
    }

    fn note(&mut self, id: Pid, status: EndStatus) {
        if id == self.id && self.first.is_none() {
            self.first = Some(FirstEnded { status, at_us: now_us() });
        }
    }

    /// Sends a signal to the whole group, and to descendants in others: to each once, as many a program takes a second
    /// one for impatience.
    pub fn signal_all(&self, signal: Signal) {
        self.signal_group(signal);
        let is_done = |id: &Pid| !self.has_ended() && getpgid(Some(*id)) == Ok(self.id);
        for id in descendants(std::process::id() as i32).into_iter().map(Pid::from_raw).filter(|id| !is_done(id)) {
            // One that has ended in the meantime is no error.
            let _ = kill(id, signal);
        }
    }

    /// Sends a signal to the group.
    pub fn signal_group(&self, signal: Signal) {
        // A number that is free may soon be that of another group.
        if !self.has_ended() {
            let _ = killpg(self.id, signal);
        }
    }

    /// Stops every process, also those that are started meanwhile.
    pub fn pause(&self) {
        let mut stopped = Vec::new();
        loop {
            self.signal_group(Signal::SIGSTOP);
            let found = descendants(std::process::id() as i32);
            if found.iter().all(|id| stopped.contains(id)) {
                return;
            }
            for id in &found {
                let _ = kill(Pid::from_raw(*id), Signal::SIGSTOP);
            }
            stopped = found;
        }
    }

    /// Kills all processes, and waits until they have ended.
    pub fn kill_all(&mut self, cause: EndCause) -> Result<Ended> {
        self.meter.last();
        let left_behind = if self.has_ended() { descendants(std::process::id() as i32).len() } else { 0 };
        let started = Instant::now();
        let mut wait = Duration::from_micros(200);
        loop {
            self.signal_all(Signal::SIGKILL);
            if !self.reap() {
                break;
            }
            if started.elapsed() > DYING {
                let left = descendants(std::process::id() as i32);
                bail!("processes {left:?} do not end, {DYING:?} after SIGKILL: look at them with ps");
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_millis(20));
        }
        self.meter.now();
        if cause == EndCause::LogLimit {
            self.logs.cut(self.launch.log_limit_bytes);
        }
        let first = self.first.context("the first process has no status")?;
        Ok(Ended { cause, status: first.status, left_behind: left_behind as u32, ended_us: first.at_us })
    }
}

/// The path of a program: one with a `/` is seen from the directory in which it runs.
fn seen_from(dir: &Path, name: &str) -> PathBuf {
    if name.contains('/') { dir.join(name) } else { name.into() }
}
