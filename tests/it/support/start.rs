//! Starts programs, but none while an embedded broker closes its port.

use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{RwLock, RwLockWriteGuard};

/// Held for reading while a program starts. Between fork and exec a child has a copy of each socket of this process:
/// a port that the broker closes then is still listened on, and librdkafka aborts as it cannot bind it again.
static STARTS: RwLock<()> = RwLock::new(());

/// No program starts while this is held.
pub fn without_starts() -> RwLockWriteGuard<'static, ()> {
    STARTS.write().unwrap()
}

/// Starts a program; tests use these functions instead of those of the standard library.
pub trait Start {
    fn start(&mut self) -> Child;

    /// Runs it to its end; its output goes where that of the test goes.
    fn ended(&mut self) -> ExitStatus {
        self.start().wait().unwrap()
    }

    /// Runs it to its end, without input, and collects its output.
    fn collected(&mut self) -> Output;
}

impl Start for Command {
    fn start(&mut self) -> Child {
        let _starting = STARTS.read().unwrap();
        self.spawn().unwrap()
    }

    fn collected(&mut self) -> Output {
        self.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).start().wait_with_output().unwrap()
    }
}
