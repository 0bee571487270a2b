//! Runs the built binary in a directory of its own, with a time limit.

use crate::support::pipe::Pipe;
use crate::support::start::Start as _;
use crate::support::wire::{Record, Row, Window};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any run takes, even on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How long kuu waits for an answer of a broker, on a machine with other load.
const TIMEOUT: [&str; 2] = ["--timeout", "60s"];

/// A directory in which kuu runs, and writes its `results/`.
pub struct Kuu {
    dir: TempDir,
    brokers: String,
    planted: String,
    variables: Vec<(String, String)>,
}

impl Kuu {
    /// A directory for runs without a broker.
    pub fn new() -> Kuu {
        // No broker answers at port 9 of this address: a run that connects by mistake fails.
        Kuu::with("127.0.0.1:9")
    }

    /// A directory for runs that may start a broker of their own.
    pub fn bare() -> Kuu {
        Kuu::with("")
    }

    /// A directory for runs with the broker at this address.
    pub fn with(brokers: &str) -> Kuu {
        Kuu {
            dir: tempfile::tempdir().unwrap(),
            brokers: brokers.to_owned(),
            planted: String::new(),
            variables: Vec::new(),
        }
    }

    /// From now on the thread with this name dies in every run (see `src/system/fault.rs`).
    pub fn plant_panic(&mut self, thread: &str) {
        self.planted = thread.to_owned();
    }

    /// Sets an environment variable of all later runs.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file into the directory; returns its name.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.dir.path().join(name), content).unwrap();
        name.to_owned()
    }

    /// Forgets the receipts of topics that other directories would find.
    pub fn forget(&self) {
        fs::remove_dir_all(self.path("state")).unwrap();
    }

    /// Path of a file in the directory.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a command, split at spaces, to its end.
    pub fn run(&self, line: &str) -> Done {
        self.spawn(line).close().wait()
    }

    /// Runs a command with these bytes on standard input.
    pub fn feed(&self, line: &str, input: &[u8]) -> Done {
        let mut running = self.spawn(line);
        let mut pipe = running.stdin.take().unwrap();
        thread::scope(|scope| {
            // If kuu stops reading early, the write fails: the assertions check that.
            scope.spawn(move || pipe.write_all(input).is_ok());
            running.wait()
        })
    }

    /// Starts a command; standard input stays open.
    pub fn spawn(&self, line: &str) -> Running {
        let mut child = self.command(line).stdin(Stdio::piped()).start();
        Running {
            line: line.to_owned(),
            started: Instant::now(),
            stdin: child.stdin.take(),
            out: Pipe::new(child.stdout.take().unwrap()),
            err: Pipe::new(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Runs a command whose reader takes this many lines and closes the pipe, as `kuu ... | head` does.
    pub fn run_into_head(&self, line: &str, lines: usize) -> Done {
        let mut child = self.command(line).stdin(Stdio::null()).start();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut head = Pipe::new(std::io::empty());
        for _ in 0..lines {
            let mut text = Vec::new();
            reader.read_until(b'\n', &mut text).unwrap();
            head.seen.extend(text);
        }
        drop(reader);
        let err = Pipe::new(child.stderr.take().unwrap());
        Running { line: line.to_owned(), started: Instant::now(), stdin: None, out: head, err, child }.wait()
    }

    /// Runs a command that cannot write any byte to a file, as on a full disk.
    pub fn run_without_space(&self, line: &str) -> Done {
        let kuu = self.command(line);
        let mut shell = Command::new("bash");
        // Without the signal, a write beyond the limit is an ordinary error.
        shell
            .arg("-c")
            .arg("trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"")
            .arg(kuu.get_program())
            .args(kuu.get_args());
        shell.current_dir(self.dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
        for (name, value) in kuu.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let mut child = shell.start();
        let (out, err) = (Pipe::new(child.stdout.take().unwrap()), Pipe::new(child.stderr.take().unwrap()));
        Running { line: line.to_owned(), started: Instant::now(), stdin: None, out, err, child }.wait()
    }

    fn command(&self, line: &str) -> Command {
        let wanted = ["produce", "count", "verify"].iter().any(|command| line.starts_with(command));
        let timeout = TIMEOUT.iter().filter(|_| wanted && !line.contains("--timeout"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_kuu"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KUU_")) {
            command.env_remove(name);
        }
        command
            .args(line.split_whitespace())
            .args(timeout)
            .current_dir(self.dir.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .envs((!self.brokers.is_empty()).then_some(("KUU_BROKERS", &self.brokers)))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .envs((!self.planted.is_empty()).then_some(("KUU_TEST_PANIC", &self.planted)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The record `results/NAME.json`.
    pub fn record(&self, name: &str) -> Record {
        let text = fs::read(self.path(&format!("results/{name}.json"))).unwrap();
        Record::parse(&text)
    }

    /// Rewrites the record `results/NAME.json`.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut serde_json::Value)) {
        let path = self.path(&format!("results/{name}.json"));
        let mut record = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut record);
        fs::write(&path, record.to_string()).unwrap();
    }

    /// Whether a record was written.
    pub fn has_record(&self, name: &str) -> bool {
        Path::exists(&self.path(&format!("results/{name}.json")))
    }
}

/// A running command; it is killed when this value is dropped.
pub struct Running {
    line: String,
    started: Instant,
    stdin: Option<ChildStdin>,
    out: Pipe,
    err: Pipe,
    child: Child,
}

impl Running {
    /// Writes to standard input.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    /// Takes standard input, so that another thread can write and close it.
    pub fn take_input(&mut self) -> ChildStdin {
        self.stdin.take().unwrap()
    }

    /// Closes standard input.
    pub fn close(mut self) -> Running {
        self.stdin = None;
        self
    }

    /// The next line of standard output.
    pub fn line(&mut self) -> String {
        match self.out.line(Instant::now() + PATIENCE) {
            Ok(Some(line)) => line,
            end => {
                let _ = self.child.kill();
                let err = self.err.rest(Instant::now() + PATIENCE);
                panic!("kuu {}: no further line ({end:?}); standard error:\n{err}", self.line)
            }
        }
    }

    /// The next line of standard error.
    pub fn complaint(&mut self) -> String {
        match self.err.line(Instant::now() + PATIENCE) {
            Ok(Some(line)) => line,
            end => panic!("kuu {}: no further line of standard error ({end:?})", self.line),
        }
    }

    /// The standard error of the command until it ends.
    pub fn remark(&mut self) -> String {
        self.err.rest(Instant::now() + PATIENCE)
    }

    /// Waits until the process handles `signal` (2 or 15) itself.
    pub fn handles(&self, signal: u32) {
        let status = format!("/proc/{}/status", self.child.id());
        eventually("a signal handler", || {
            let text = fs::read_to_string(&status).ok()?;
            let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
            (u64::from_str_radix(mask.trim(), 16).ok()? >> (signal - 1) & 1 == 1).then_some(())
        });
    }

    /// Number of bytes that the process has read so far, from any file (proc_pid_io(5)).
    pub fn bytes_read(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/io", self.child.id())).unwrap();
        text.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
    }

    /// Sends a signal, by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).ended();
        assert!(sent.success());
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process is still running.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Kills the process; returns whether it was still running.
    pub fn kill(mut self) -> bool {
        let running = self.is_running();
        let _ = self.child.kill();
        self.child.wait().unwrap();
        running
    }

    /// Waits for the end of the process.
    pub fn wait(self) -> Done {
        self.wait_for(PATIENCE)
    }

    /// Waits for the end of the process, which must come within this time.
    pub fn wait_for(mut self, time: Duration) -> Done {
        let deadline = Instant::now() + time;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if Instant::now() > deadline => break None,
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let elapsed = self.started.elapsed();
        if status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let grace = Instant::now() + Duration::from_secs(10);
        let (out, err) = (self.out.rest(grace), self.err.rest(grace));
        let Some(status) = status else {
            panic!("kuu {} did not end within {time:?}\n--- stdout\n{out}\n--- stderr\n{err}", self.line);
        };
        eprintln!("{elapsed:>9.1?}  kuu {}", self.line);
        Done { line: self.line.clone(), code: status.code(), elapsed, out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that has ended.
#[derive(Debug)]
pub struct Done {
    line: String,
    /// Exit status, none if a signal ended it.
    pub code: Option<i32>,
    pub elapsed: Duration,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Done {
    /// Asserts the exit status.
    #[track_caller]
    pub fn exits(self, code: i32) -> Done {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(!self.err.contains("panicked"), "{self}");
        self
    }

    /// Asserts that standard output contains this text.
    #[track_caller]
    pub fn says(self, words: &str) -> Done {
        assert!(self.out.contains(words), "standard output lacks `{words}`: {self}");
        self
    }

    /// Asserts that standard error contains this text.
    #[track_caller]
    pub fn complains(self, words: &str) -> Done {
        assert!(self.err.contains(words), "standard error lacks `{words}`: {self}");
        self
    }

    /// Standard output as result rows.
    #[track_caller]
    pub fn rows(&self) -> Vec<Row> {
        self.out.lines().map(|line| Row::parse(line.as_bytes())).collect()
    }

    /// Standard output as windows of `batch`.
    #[track_caller]
    pub fn windows(&self) -> Vec<Window> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    /// Standard output as one JSON document, a record.
    #[track_caller]
    pub fn document(&self) -> Record {
        Record::parse(self.out.as_bytes())
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = |text: &str| text.chars().take(4_000).collect::<String>();
        let Done { line, code, elapsed, .. } = self;
        write!(
            f,
            "kuu {line}\nexit {code:?} after {elapsed:?}\n--- stdout\n{}\n--- stderr\n{}",
            short(&self.out),
            short(&self.err)
        )
    }
}

/// Calls `ask` until it returns an answer.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs the cases of a test in parallel: most of them wait for a broker.
pub fn each<T: Sync>(cases: &[T], test: impl Fn(&T) + Sync) {
    thread::scope(|scope| cases.iter().for_each(|case| drop(scope.spawn(|| test(case)))));
}
