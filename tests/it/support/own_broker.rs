//! A Kafka that a test starts, to kill, suspend and restart it.

use crate::support::start::Start as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// A broker that runs until this value is dropped.
pub struct OwnBroker {
    dir: TempDir,
    port: u16,
}

impl OwnBroker {
    /// Starts a broker, on a free port.
    pub fn start() -> OwnBroker {
        let broker = OwnBroker { dir: tempfile::tempdir().unwrap(), port: free_port() };
        broker.run("start");
        broker
    }

    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Kills the broker, as a power cut would, and starts it again after this time, with the same data.
    pub fn crash(&self, away: Duration) {
        self.signal("KILL");
        std::thread::sleep(away);
        self.run("start");
    }

    /// Sends the broker a signal, by name.
    pub fn signal(&self, name: &str) {
        let pid = std::fs::read_to_string(self.dir.path().join("kafka.pid")).unwrap();
        assert!(Command::new("kill").args(["-s", name, pid.trim()]).ended().success());
    }

    fn run(&self, command: &str) {
        let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "scripts", "kafka.sh"].iter().collect();
        let done = Command::new(script)
            .args([command, "--port", &self.port.to_string(), "--dir"])
            .arg(self.dir.path())
            .collected();
        let text = [done.stdout, done.stderr].concat();
        assert!(done.status.success(), "kafka.sh {command}: {}", String::from_utf8_lossy(&text));
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        // A suspended broker does not react to TERM; one that never started has no process.
        if self.dir.path().join("kafka.pid").exists() {
            self.signal("CONT");
            self.run("stop");
        }
    }
}

/// A free port whose next port is free too, for the controller; no other broker of this process gets them.
fn free_port() -> u16 {
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
    let bound = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).ok();
    (20_000..32_000)
        .step_by(2)
        .skip(std::process::id() as usize % 1_000 + taken * 100)
        .find(|port| bound(*port).is_some() && bound(port + 1).is_some())
        .expect("a free port")
}
