//! What tests of running programs share.

use crate::support::broker;
use crate::support::kuu::{PATIENCE, eventually};
use kuu::race::command_words::Variable;
use kuu::race::engines::Engines;
use kuu::race::supervisor::{EndStatus, Launch, Supervised};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// The variable that marks all processes of a test; its value is the path of the test's directory.
pub const MARK: &str = "RACE_TEST_MARK";

/// A directory in which a shell script runs as an engine does.
pub struct Case {
    pub dir: TempDir,
    pub launch: Launch,
}

impl Case {
    /// A script for `sh`.
    pub fn script(text: &str) -> Case {
        Case::program(&["sh", "-c", text])
    }

    /// Any program.
    pub fn program(words: &[&str]) -> Case {
        let dir = tempfile::tempdir().unwrap();
        let launch = Launch {
            program: words.iter().map(ToString::to_string).collect(),
            dir: dir.path().to_owned(),
            env: [(MARK.to_owned(), dir.path().to_str().unwrap().to_owned())].into(),
            logs: dir.path().join("logs"),
            grace: Duration::from_secs(60),
            log_limit_bytes: 1 << 20,
            memory_limit_bytes: None,
        };
        Case { dir, launch }
    }

    /// Starts it, under the keeper of the built kuu.
    pub fn start(&self) -> Supervised {
        Supervised::start_by(Path::new(env!("CARGO_BIN_EXE_kuu")), &self.launch).unwrap()
    }

    /// The error of a start.
    pub fn refusal(&self) -> String {
        match Supervised::start_by(Path::new(env!("CARGO_BIN_EXE_kuu")), &self.launch) {
            Ok(_) => panic!("{:?} was started", self.launch.program),
            Err(error) => format!("{error:#}"),
        }
    }

    /// Waits until the script has written this file; returns what it holds.
    pub fn file(&self, name: &str) -> String {
        eventually(name, || fs::read_to_string(self.dir.path().join(name)).ok().filter(|text| text.ends_with('\n')))
    }

    /// The processes of this test that are alive.
    pub fn alive(&self) -> Vec<i32> {
        marked(self.dir.path())
    }
}

/// The processes that have this path as their mark, zombies aside: these have no environment.
pub fn marked(path: &Path) -> Vec<i32> {
    let mark = format!("{MARK}={}", path.display());
    let is_marked = |id: &i32| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_marked).collect()
}

/// An engine, and the topics of a run.
pub struct EngineRun<'a> {
    /// The directory of engines.
    pub directory: &'a Path,
    pub name: &'a str,
    pub brokers: &'a str,
    pub input: &'a str,
    pub output: &'a str,
}

impl EngineRun<'_> {
    /// Runs it on an input that has an end, with its state in this directory, until it ends itself.
    pub fn to_its_end(&self, state: &Path) {
        let engines = Engines::read(&[self.directory.to_owned()]).unwrap();
        let engine = engines.pick(&[self.name.to_owned()]).unwrap()[0];
        let ends = broker::ends(self.brokers, self.input);
        let values = [
            (Variable::Brokers, self.brokers),
            (Variable::Input, self.input),
            (Variable::InputEnd, &serde_json::to_string(&ends).unwrap()),
            (Variable::Output, self.output),
            (Variable::Group, self.input),
            (Variable::StateDir, state.to_str().unwrap()),
            (Variable::Partitions, &ends.len().to_string()),
            (Variable::Window, "minute"),
            (Variable::WindowS, "60"),
            (Variable::LatenessS, "5"),
            (Variable::RetentionS, "86400"),
            (Variable::IdleMs, "2000"),
            (Variable::MemoryBytes, "1000000000"),
            (Variable::Cpus, "2"),
            (Variable::Program, env!("CARGO_BIN_EXE_kuu")),
        ];
        let values = values.map(|(variable, value)| (variable, value.to_owned()));
        let launch = engine.launch(&engine.descriptor.run, &values.into(), &state.join("logs"));
        let mut running = Supervised::start_by(Path::new(env!("CARGO_BIN_EXE_kuu")), &launch).unwrap();
        let ended = running.wait(PATIENCE).unwrap().expect("it ends itself");
        assert_eq!(ended.status, EndStatus::Code(0), "{}", running.last_lines(20));
    }
}
