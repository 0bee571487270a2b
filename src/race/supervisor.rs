//! A program that kuu runs and watches, with all its processes; see [`crate::system::keeper`] for how none is left.

use crate::system::deadline::Deadline;
use crate::system::keeper::{self, Order, Report, STDERR, STDOUT, last_lines};
pub use crate::system::keeper::{EndCause, EndStatus, Ended, Launch, Usage};
use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The most bytes of logs of an engine.
pub const LOG_LIMIT_BYTES: u64 = 64 << 20;

/// A running program; dropping it kills all its processes and waits for their end.
pub struct Supervised {
    keeper: Child,
    /// Closing it ends the keeper.
    orders: Option<ChildStdin>,
    reports: BufReader<ChildStdout>,
    /// Its standard output and standard error, and how long they were before.
    logs: [(PathBuf, u64); 2],
    last: Report,
}

impl Supervised {
    /// Starts a program in a process group of its own.
    ///
    /// # Errors
    /// If it cannot be started: the error has the reason.
    pub fn start(launch: &Launch) -> Result<Supervised> {
        // The path of the program may lead to another build by now.
        let own = Path::new("/proc/self/exe");
        let own = if own.exists() { own.to_owned() } else { std::env::current_exe()? };
        Supervised::start_by(&own, launch)
    }

    /// The same, with the keeper of this kuu.
    ///
    /// # Errors
    /// If it cannot be started: the error has the reason.
    pub fn start_by(kuu: &Path, launch: &Launch) -> Result<Supervised> {
        let logs = [STDOUT, STDERR].map(|name| {
            let path = launch.logs.join(name);
            let length = path.metadata().map_or(0, |data| data.len());
            (path, length)
        });
        let mut command = Command::new(kuu);
        command.arg(keeper::SUBCOMMAND).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for kuu, which stops the program in order.
        let mut keeper = command.process_group(0).spawn().context("the keeper cannot be started")?;
        let (orders, reports) = (keeper.stdin.take(), keeper.stdout.take());
        let reports = BufReader::new(reports.context("the keeper has no standard output")?);
        let last = Report { id: 0, usage: Usage::default(), ended: None, fault: None };
        let mut supervised = Supervised { keeper, orders, reports, logs, last };
        let mut line = serde_json::to_vec(launch).context("a path that is no text (UTF-8)")?;
        line.push(b'\n');
        supervised.send(&line)?;
        Ok(supervised)
    }

    /// How it ended, none while it runs. Does not wait.
    ///
    /// # Errors
    /// If its keeper died.
    pub fn ended(&mut self) -> Result<Option<Ended>> {
        if self.last.ended.is_none() {
            self.ask(Order::Look)?;
        }
        Ok(self.last.ended)
    }

    /// Waits for its end, at most for this time.
    ///
    /// # Errors
    /// If its keeper died.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<Ended>> {
        let mut deadline = Deadline::after(limit);
        loop {
            let ended = self.ended()?;
            if ended.is_some() || !deadline.wait() {
                return Ok(ended);
            }
        }
    }

    /// Sends SIGTERM to all its processes, and SIGKILL to all that is left after its grace; waits for the end.
    ///
    /// # Errors
    /// If its keeper died, or a process does not.
    pub fn stop(&mut self) -> Result<Ended> {
        self.end(Order::Stop)
    }

    /// Sends SIGKILL to all its processes, and waits for their end.
    ///
    /// # Errors
    /// If its keeper died, or a process does not.
    pub fn kill(&mut self) -> Result<Ended> {
        self.end(Order::Kill)
    }

    /// Sends SIGSTOP to all its processes.
    ///
    /// # Errors
    /// If its keeper died.
    pub fn pause(&mut self) -> Result<()> {
        self.ask(Order::Pause)
    }

    /// Sends SIGCONT to all its processes.
    ///
    /// # Errors
    /// If its keeper died.
    pub fn resume(&mut self) -> Result<()> {
        self.ask(Order::Resume)
    }

    /// What all its processes took so far, also after its end. If the keeper died, what was known last.
    pub fn usage(&mut self) -> Usage {
        if self.last.ended.is_none() {
            // The next order has the error.
            let _ = self.ask(Order::Measure);
        }
        self.last.usage
    }

    /// The last lines that it wrote to standard error, or else to standard output; empty if it wrote nothing.
    pub fn last_lines(&self, lines: usize) -> String {
        let all = self.logs.iter().rev().map(|(path, from)| last_lines(path, *from, lines));
        all.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// The id of its first process.
    pub fn id(&self) -> i32 {
        self.last.id
    }

    fn end(&mut self, order: Order) -> Result<Ended> {
        if self.last.ended.is_none() {
            self.ask(order)?;
        }
        self.last.ended.context("the keeper did not wait for the end")
    }

    fn ask(&mut self, order: Order) -> Result<()> {
        let mut line = serde_json::to_vec(&order)?;
        line.push(b'\n');
        self.send(&line)
    }

    /// Sends a line, and reads the report.
    fn send(&mut self, line: &[u8]) -> Result<()> {
        let mut answer = String::new();
        let sent = self.orders.as_mut().map(|orders| orders.write_all(line));
        if !matches!(sent, Some(Ok(()))) || !self.reports.read_line(&mut answer).is_ok_and(|read| read > 0) {
            return self.lost();
        }
        self.last = serde_json::from_str(&answer).context("a report of the keeper that is none")?;
        match &self.last.fault {
            Some(fault) => bail!("{fault}"),
            None => Ok(()),
        }
    }

    /// The keeper died, by a signal of somebody else: nobody else knows the processes that left the group.
    fn lost(&mut self) -> Result<()> {
        if self.last.id != 0 && self.last.ended.is_none() {
            let _ = killpg(Pid::from_raw(self.last.id), Signal::SIGKILL);
        }
        self.last.id = 0;
        bail!(
            "the process that watches the engine died: was it killed? The engine's group is killed, look with ps for more"
        )
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // The keeper kills everything, and ends.
        self.orders = None;
        let _ = self.keeper.wait();
    }
}
