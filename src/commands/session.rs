//! The parts that every command shares: options, output, records.

pub mod assertions;
pub mod receipts;
pub mod topics;
pub mod unread;
pub mod workloads;

use crate::cli::{self, Common};
use crate::engine::stop::Stop;
use crate::kafka::admin::Cluster;
use crate::kafka::client::properties::{self, Properties, is_secret};
use crate::kafka::client::settings::{Settings, librdkafka_version};
use crate::record::store::{self, Access};
use crate::system::clock::Time;
use crate::system::host;
use crate::terminal::Screen;
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::{Configuration, InEffect};
use kuu_core::counter::Config;
use kuu_core::latency::LegRecords;
use kuu_core::record::{Broker, FORMAT, Figure, Record};
use kuu_core::window::Unit;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

const DEFAULT_BROKERS: &str = "localhost:9092";

/// One run of a command.
pub struct Session {
    /// The options of every command.
    pub common: Common,
    /// The brokers in `KUU_BROKERS`, used if neither the command line nor the file of --config names any.
    pub environment: Option<String>,
    properties: Properties,
    /// The output for people.
    pub screen: Screen,
    /// Interrupted by signals.
    pub stop: Stop,
    /// The time at which the run began.
    pub begun: Time,
}

impl Session {
    /// A run with these options.
    ///
    /// # Errors
    /// If a property is invalid, or signal handlers cannot be installed.
    pub fn new(mut common: Common) -> Result<Session> {
        let screen = Screen { quiet: common.quiet, to_stderr: common.json };
        let mut properties = properties(&common, screen)?;
        let named = take_brokers(&mut properties);
        common.brokers = common.brokers.or(named);
        let environment = environment_brokers()?;
        Ok(Session { common, environment, properties, screen, stop: Stop::on_signals()?, begun: Time::now() })
    }

    /// The settings of clients.
    pub fn settings(&self) -> Settings {
        let brokers = self.common.brokers.as_ref().or(self.environment.as_ref());
        Settings {
            brokers: brokers.cloned().unwrap_or_else(|| DEFAULT_BROKERS.into()),
            properties: self.properties.clone(),
            timeout: self.common.timeout,
            stop: self.stop.clone(),
        }
    }

    /// A record of this run, without its results.
    pub fn record<T>(&self, command: fn(InEffect<T>) -> Configuration, options: T) -> Record {
        let shown = |(key, value): &(String, String)| {
            (format!("-X {key}"), if is_secret(key) { "***".into() } else { value.as_str().into() })
        };
        Record {
            format: FORMAT,
            configuration: command(InEffect { options, others: self.properties.iter().map(shown).collect() }),
            written: self.begun.rfc3339(),
            program: host::program(librdkafka_version()),
            command_line: std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect(),
            machine: host::machine(),
            broker: None,
            input: Vec::new(),
            topic: None,
            ledger: None,
            verdict: None,
            figures: BTreeMap::new(),
            latency: LegRecords::default(),
            cells: Vec::new(),
            speed: None,
            live: None,
            remarks: Vec::new(),
        }
    }

    /// Prints the record if the command line asks for it. This comes before the record is written: a full disk must not
    /// prevent it.
    ///
    /// # Errors
    /// If the record cannot be printed.
    pub fn print(&self, record: &Record) -> Result<()> {
        if self.common.json { print_json(record) } else { Ok(()) }
    }

    /// Writes the record as `name`, and returns its path.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn store(&self, name: &str, record: &Record) -> Result<PathBuf> {
        // Only users who may read the file of properties may read its content in the record.
        let access = if self.common.config.is_some() { Access::Owner } else { Access::Umask };
        store::save(&self.common.results, name, record, access)
    }
}

/// Prints one JSON document on standard output; a reader that stops early is no error.
///
/// # Errors
/// If standard output cannot be written for another reason.
pub fn print_json(document: &impl serde::Serialize) -> Result<()> {
    let mut text = serde_json::to_vec(document)?;
    text.push(b'\n');
    match std::io::stdout().write_all(&text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output cannot be written"),
    }
}

/// The broker on which a command measures: the embedded one, unless the command line names another.
///
/// # Errors
/// If the broker does not answer.
pub fn measured(session: &Session, command: &str) -> Result<Cluster> {
    let settings = session.settings();
    if session.common.brokers.is_some() {
        return Cluster::connect(&settings);
    }
    if let Some(brokers) = &session.environment {
        let screen = Screen { to_stderr: true, ..session.screen };
        screen.say(format!("kuu: {command} does not use KUU_BROKERS: --brokers {brokers} measures there"));
    }
    Cluster::embedded(&settings)
}

/// The broker, as recorded.
pub fn broker(cluster: &Cluster) -> Broker {
    let (kind, version) = if cluster.is_embedded() {
        ("embedded", Some(format!("librdkafka {} mock", librdkafka_version())))
    } else {
        // The protocol does not report a broker's version; the environment can.
        ("kafka", std::env::var("KUU_BROKER_VERSION").ok().filter(|version| !version.is_empty()))
    };
    Broker { kind: kind.into(), version, address: cluster.settings().brokers.clone() }
}

/// A figure without a ceiling.
pub fn figure(value: f64) -> Figure {
    Figure { value, ..Figure::default() }
}

/// The number of consumers: the given one, or one for each core, at most 4.
pub fn threads(asked: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(4);
    asked.map_or_else(cores, usize::from)
}

/// The given units, shortest first, without duplicates.
pub fn units(units: &[Unit]) -> Vec<Unit> {
    let mut units = units.to_vec();
    units.sort();
    units.dedup();
    units
}

/// The settings of the counter.
pub fn counting(windows: &cli::Windows, time: &cli::EventTime) -> Config {
    let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
    Config {
        units: units(&windows.window),
        lateness: seconds(time.lateness),
        retention: seconds(time.retention),
        max_jump: seconds(time.max_jump),
        max_open_windows: time.max_open_windows as usize,
        max_far_users: time.max_far_users,
    }
}

/// The properties of the file of `--config`, then those of `-X`, which override them.
fn properties(common: &Common, screen: Screen) -> Result<Properties> {
    if let Some((key, _)) = common.properties.iter().find(|(key, _)| is_secret(key)) {
        bail!(
            "-X {key}: others on this machine can read a command line: \
             write {key}=... into a file that only you can read, and name it with --config FILE"
        );
    }
    check("-X", &common.properties)?;
    let Some(path) = &common.config else { return Ok(common.properties.clone()) };
    let mut all = properties::read(path)?;
    check(&path.display().to_string(), &all)?;
    if let Some((key, _)) = all.iter().find(|(key, _)| is_secret(key) && properties::is_exposed(path)) {
        Screen { to_stderr: true, ..screen }
            .say(format!("kuu: warning: {} holds {key} and others can read it: chmod 600 {0}", path.display()));
    }
    all.extend(common.properties.iter().cloned());
    Ok(all)
}

/// Rejects reserved properties; the error names their origin.
fn check(from: &str, all: &Properties) -> Result<()> {
    match all.iter().find_map(|(key, value)| Some((key, value, properties::refusal(key, value)?))) {
        Some((key, value, why)) => bail!("{from} {key}={value} must not be set: {why}: leave it out"),
        None => Ok(()),
    }
}

/// The brokers in `KUU_BROKERS`; an empty value counts as unset.
fn environment_brokers() -> Result<Option<String>> {
    let Some(brokers) = std::env::var_os("KUU_BROKERS") else { return Ok(None) };
    match brokers.into_string() {
        Ok(brokers) => Ok(Some(brokers.trim().to_owned()).filter(|brokers| !brokers.is_empty())),
        Err(_) => bail!("KUU_BROKERS is not UTF-8 text: write HOST:PORT"),
    }
}

/// Removes librdkafka's own names of the brokers from the properties, so that only one setting names the brokers.
fn take_brokers(properties: &mut Properties) -> Option<String> {
    let own = |key: &str| ["bootstrap.servers", "metadata.broker.list"].contains(&key);
    let named = properties.iter().rfind(|(key, value)| own(key) && !value.is_empty()).map(|(_, value)| value.clone());
    properties.retain(|(key, _)| !own(key));
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_no_property() {
        let properties = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), format!("of {key}"))).collect();
        let mut all: Properties = properties(&["bootstrap.servers", "acks", "metadata.broker.list"]);
        assert_eq!(take_brokers(&mut all).as_deref(), Some("of metadata.broker.list"));
        assert_eq!(all, properties(&["acks"]));
        assert_eq!(take_brokers(&mut all), None);
    }
}
