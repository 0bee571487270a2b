//! The process behind a port of this machine, such as a broker's, and what it takes.

pub use proc::ServerProcess;

/// What a process took so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerUsage {
    /// Processor time, in microseconds.
    pub cpu_us: u64,
    /// Bytes that it read, from connections and from files.
    pub read_bytes: u64,
    /// Bytes that it wrote, to connections and to files.
    pub written_bytes: u64,
}

impl ServerUsage {
    /// What it took since another time.
    pub fn since(self, before: ServerUsage) -> ServerUsage {
        ServerUsage {
            cpu_us: self.cpu_us.saturating_sub(before.cpu_us),
            read_bytes: self.read_bytes.saturating_sub(before.read_bytes),
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
        }
    }
}

/// The port of an address such as `localhost:9092`, if it is one of this machine.
fn local_port(address: &str) -> Option<u16> {
    let (host, port) = address.rsplit_once(':')?;
    ["localhost", "127.0.0.1", "[::1]"].contains(&host).then(|| port.parse().ok()).flatten()
}

/// What Linux reports under /proc.
#[cfg(target_os = "linux")]
mod proc {
    use super::{ServerUsage, local_port};
    use procfs::net::{TcpState, tcp, tcp6};
    use procfs::process::{FDTarget, Process, all_processes};

    /// The process that listens on a port of this machine.
    #[derive(Debug)]
    pub struct ServerProcess(Process);

    impl ServerProcess {
        /// The process behind the first of these addresses (`HOST:PORT`, with commas), none if it is on another machine
        /// or belongs to another user.
        pub fn behind(addresses: &str) -> Option<ServerProcess> {
            let port = local_port(addresses.split(',').next()?.trim())?;
            let entries = tcp().into_iter().chain(tcp6()).flatten();
            let mut listening = entries.filter(|entry| entry.state == TcpState::Listen);
            let inode = listening.find(|entry| entry.local_address.port() == port)?.inode;
            let holds = |process: &Process| {
                let files = process.fd().into_iter().flatten().flatten();
                files.into_iter().any(|file| matches!(file.target, FDTarget::Socket(socket) if socket == inode))
            };
            all_processes().ok()?.flatten().find(holds).map(ServerProcess)
        }

        /// What it took so far, none if it has ended.
        pub fn usage(&self) -> Option<ServerUsage> {
            let stat = self.0.stat().ok()?;
            let cpu_us = (stat.utime + stat.stime) * 1_000_000 / procfs::ticks_per_second();
            let io = self.0.io().ok();
            let (read_bytes, written_bytes) = io.map_or((0, 0), |io| (io.rchar, io.wchar));
            Some(ServerUsage { cpu_us, read_bytes, written_bytes })
        }
    }
}

/// Other systems report nothing.
#[cfg(not(target_os = "linux"))]
mod proc {
    use super::{ServerUsage, local_port};

    #[derive(Debug)]
    pub struct ServerProcess;

    impl ServerProcess {
        pub fn behind(addresses: &str) -> Option<ServerProcess> {
            local_port(addresses).and(None)
        }

        pub fn usage(&self) -> Option<ServerUsage> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn addresses() {
        let ports =
            ["localhost:9092", "127.0.0.1:1", "[::1]:2", "kafka:9092", "localhost", "localhost:x"].map(local_port);
        assert_eq!(ports, [Some(9092), Some(1), Some(2), None, None, None]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = ServerProcess::behind(&format!("{address},other:1")).unwrap();
        let before = server.usage().unwrap();
        std::fs::read("/proc/self/stat").unwrap();
        let since = server.usage().unwrap().since(before);
        assert!(since.read_bytes > 0, "{since:?}");
        // A connection is no listener. It keeps the port from other tests, too.
        let client = TcpStream::connect(&address).unwrap();
        let connection = listener.accept().unwrap();
        drop(listener);
        assert!(ServerProcess::behind(&address).is_none());
        drop((client, connection));
    }
}
