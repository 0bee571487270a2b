//! The keeper's own process.

use super::kept::Kept;
use super::wire::{EndCause, Ended, Launch, Order, Report, Usage};
use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::io::{Read as _, Stdin, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How often logs and memory are looked at, in milliseconds.
const TICK_MS: u16 = 50;

/// Runs the program that the first line of standard input names, until standard input ends.
///
/// # Errors
/// If standard input has something else, or processes do not die. That the program cannot be started is an answer, and no
/// error.
pub fn run() -> Result<()> {
    become_keeper()?;
    let mut orders = Lines { input: std::io::stdin(), pending: Vec::new() };
    let Some(first) = orders.first()? else { return Ok(()) };
    let launch: Launch = serde_json::from_slice(&first).context("kuu keep is started by kuu only: no launch")?;
    let mut alarm = Alarm::new()?;
    match Kept::start(launch) {
        Ok(kept) => {
            let mut watch = Watch { kept, stopping: None, owes: false, ended: None, fault: None };
            watch.answer();
            watch.serve(&mut orders, &mut alarm)
        }
        Err(error) => {
            let fault = Some(format!("{error:#}"));
            say(&Report { id: 0, usage: Usage::default(), ended: None, fault });
            Ok(())
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn become_keeper() -> Result<()> {
    // `killall kuu` must not hit the keeper before it has done its work.
    nix::sys::prctl::set_name(c"keeper").context("prctl(PR_SET_NAME)")?;
    nix::sys::prctl::set_child_subreaper(true).context("prctl(PR_SET_CHILD_SUBREAPER)")
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn become_keeper() -> Result<()> {
    Ok(())
}

/// Writes a report; if nobody reads it, standard input ends, too.
fn say(report: &Report) {
    let mut line = serde_json::to_vec(report).unwrap_or_default();
    line.push(b'\n');
    let mut output = std::io::stdout().lock();
    let _ = output.write_all(&line).and_then(|()| output.flush());
}

/// Wakes the keeper when a process ends, and tells it to end.
struct Alarm {
    wakes: UnixStream,
    ends: Arc<AtomicBool>,
}

impl Alarm {
    fn new() -> Result<Alarm> {
        let (wakes, write) = UnixStream::pair()?;
        wakes.set_nonblocking(true)?;
        let ends = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            signal_hook::flag::register(signal, ends.clone())?;
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        signal_hook::low_level::pipe::register(SIGCHLD, write)?;
        Ok(Alarm { wakes, ends })
    }

    fn clear(&mut self) {
        let mut bytes = [0; 64];
        while self.wakes.read(&mut bytes).is_ok_and(|read| read == bytes.len()) {}
    }
}

/// Standard input in lines.
struct Lines {
    input: Stdin,
    pending: Vec<u8>,
}

impl Lines {
    /// The first line, none if there is not even one.
    fn first(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(line) = self.next() {
                return Ok(Some(line));
            }
            if !self.read()? {
                return Ok(None);
            }
        }
    }

    /// The next line that was read.
    fn next(&mut self) -> Option<Vec<u8>> {
        let end = self.pending.iter().position(|byte| *byte == b'\n')?;
        let line = self.pending.drain(..=end).collect();
        Some(line)
    }

    /// Reads what is there, or waits for it; false at the end.
    fn read(&mut self) -> Result<bool> {
        let mut bytes = [0; 4096];
        match nix::unistd::read(self.input.as_fd(), &mut bytes) {
            Ok(0) => Ok(false),
            Ok(read) => {
                self.pending.extend_from_slice(&bytes[..read]);
                Ok(true)
            }
            Err(Errno::EINTR) => Ok(true),
            Err(error) => Err(error).context("standard input cannot be read"),
        }
    }
}

/// A program, and what kuu wants of it.
struct Watch {
    kept: Kept,
    /// Until when it may end by itself.
    stopping: Option<Instant>,
    /// Whether kuu waits for its end.
    owes: bool,
    ended: Option<Ended>,
    fault: Option<String>,
}

impl Watch {
    /// Follows orders until there are no more; then no process is left.
    fn serve(&mut self, orders: &mut Lines, alarm: &mut Alarm) -> Result<()> {
        loop {
            let (has_order, woken) = {
                let mut sources = [
                    PollFd::new(orders.input.as_fd(), PollFlags::POLLIN),
                    PollFd::new(alarm.wakes.as_fd(), PollFlags::POLLIN),
                ];
                match poll(&mut sources, PollTimeout::from(TICK_MS)) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(error) => return self.give_up().and(Err(error).context("poll(2)")),
                }
                (sources[0].any() != Some(false), sources[1].any() != Some(false))
            };
            if woken {
                alarm.clear();
            }
            if alarm.ends.load(Ordering::Relaxed) || has_order && !matches!(orders.read(), Ok(true)) {
                return self.give_up();
            }
            self.look();
            while let Some(line) = orders.next() {
                match serde_json::from_slice(&line) {
                    Ok(order) => self.follow(order),
                    Err(error) => return self.give_up().and(Err(error).context("no order")),
                }
            }
        }
    }

    /// Kills everything.
    fn give_up(&mut self) -> Result<()> {
        match self.ended {
            Some(_) => Ok(()),
            None => self.kept.kill_all(EndCause::Killed).map(drop),
        }
    }

    /// Looks at the processes, and at the logs.
    fn look(&mut self) {
        if self.ended.is_some() {
            return;
        }
        let is_any_left = self.kept.reap();
        self.kept.meter.look();
        match self.stopping {
            _ if self.kept.is_too_loud() => self.end(EndCause::LogLimit),
            _ if self.kept.is_too_large() => self.end(EndCause::MemoryLimit),
            Some(_) if !is_any_left => self.end(EndCause::Stopped),
            Some(until) if Instant::now() >= until => {
                self.end(if self.kept.has_ended() { EndCause::Stopped } else { EndCause::Forced });
            }
            None if self.kept.has_ended() => self.end(EndCause::Exited),
            _ => {}
        }
    }

    /// Kills what is left, and answers if kuu waits for it.
    fn end(&mut self, cause: EndCause) {
        if self.ended.is_none() {
            match self.kept.kill_all(cause) {
                Ok(ended) => self.ended = Some(ended),
                Err(error) => self.fault = Some(format!("{error:#}")),
            }
        }
        if std::mem::take(&mut self.owes) {
            self.answer();
        }
    }

    fn follow(&mut self, order: Order) {
        if self.ended.is_some() {
            return self.answer();
        }
        match order {
            Order::Look => self.answer(),
            Order::Measure => {
                self.kept.meter.now();
                self.answer();
            }
            Order::Pause => {
                self.kept.pause();
                self.answer();
            }
            Order::Resume => {
                self.kept.signal_all(Signal::SIGCONT);
                self.answer();
            }
            Order::Stop => {
                self.kept.signal_all(Signal::SIGTERM);
                // One that is paused has to go on to see the signal.
                self.kept.signal_all(Signal::SIGCONT);
                self.stopping = Some(Instant::now() + self.kept.grace());
                self.owes = true;
            }
            Order::Kill => {
                self.owes = true;
                self.end(EndCause::Killed);
            }
        }
    }

    fn answer(&self) {
        say(&Report {
            id: self.kept.id.as_raw(),
            usage: self.kept.meter.usage(),
            ended: self.ended,
            fault: self.fault.clone(),
        });
    }
}
