//! The parts that every command shares: options, output, records.

pub mod assertions;
pub mod log;
pub mod receipts;
pub mod records;
pub mod topics;
pub mod unread;
pub mod workloads;

use crate::cli::{self, Common};
use crate::engine::stop::Stop;
use crate::kafka::admin::Cluster;
use crate::kafka::client::features;
use crate::kafka::client::java::Translated;
use crate::kafka::client::properties::{self, Properties, is_secret};
use crate::kafka::client::property::Property;
use crate::kafka::client::settings::{Settings, check_known, librdkafka_version};
use crate::record::store::{self, Access};
use crate::system::clock::Time;
use crate::system::host;
use crate::terminal::Screen;
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::{Configuration, InEffect};
use kuu_core::counter::Config;
use kuu_core::latency::LegRecords;
use kuu_core::record::{Broker, FORMAT, Figure, Record};
use kuu_core::result::RowFormat;
use kuu_core::window::Unit;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

const DEFAULT_BROKERS: &str = "localhost:9092";

/// One run of a command.
pub struct Session {
    /// The options of every command.
    pub common: Common,
    /// The brokers in `KUU_BROKERS`, used if neither the command line nor the file of --config names any.
    pub environment: Option<String>,
    properties: Properties,
    /// Where the brokers were named, in a sentence, unless it was an option.
    brokers_from: String,
    /// The output for people.
    pub screen: Screen,
    /// Interrupted by signals.
    pub stop: Stop,
    /// The time at which the run began.
    pub begun: Time,
}

impl Session {
    /// A run with these options; properties are checked if it `connects` to brokers.
    ///
    /// # Errors
    /// If a property is invalid, or signal handlers cannot be installed.
    pub fn new(mut common: Common, connects: bool) -> Result<Session> {
        let screen = Screen { quiet: common.quiet, to_stderr: common.json };
        let mut all = properties(&common, screen)?;
        let named = take_brokers(&mut all);
        if connects {
            check_known(&all)?;
        }
        let environment = environment_brokers()?;
        let brokers_from = match (&common.brokers, &named, &environment) {
            (Some(_), ..) => String::new(),
            (None, Some(named), _) => format!("The address is that of {}, {}.\n", named.key, named.place()),
            (None, None, Some(_)) => "The address is that of the environment's KUU_BROKERS.\n".into(),
            (None, None, None) => {
                "It is the default: neither --brokers, --config nor the environment's KUU_BROKERS names another.\n"
                    .into()
            }
        };
        common.brokers = common.brokers.or(named.map(|named| named.value));
        let properties = all.into_iter().map(|property| (property.key, property.value)).collect();
        let (stop, begun) = (Stop::on_signals()?, Time::now());
        Ok(Session { common, environment, properties, brokers_from, screen, stop, begun })
    }

    /// The settings of clients.
    pub fn settings(&self) -> Settings {
        let brokers = self.common.brokers.as_ref().or(self.environment.as_ref());
        Settings {
            brokers: brokers.cloned().unwrap_or_else(|| DEFAULT_BROKERS.into()),
            brokers_from: self.brokers_from.clone(),
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
            turns: Vec::new(),
            latency: LegRecords::default(),
            cells: Vec::new(),
            speed: None,
            live: None,
            sweep: None,
            distinct: Vec::new(),
            formats: Vec::new(),
            windows: Vec::new(),
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

    /// The same, with these windows, which the record itself does not hold.
    ///
    /// # Errors
    /// If the record cannot be printed.
    pub fn print_with(&self, record: &Record, windows: Vec<serde_json::Value>) -> Result<()> {
        if !self.common.json {
            return Ok(());
        }
        let mut document = serde_json::to_value(record)?;
        document["windows"] = windows.into();
        print_json(&document)
    }

    /// Writes the record as `name`, and returns its path.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn store(&self, name: &str, record: &Record) -> Result<PathBuf> {
        self.store_in(&self.common.results, name, record)
    }

    /// The same in another directory.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn store_in(&self, dir: &Path, name: &str, record: &Record) -> Result<PathBuf> {
        // Only users who may read the file of properties may read its content in the record.
        let access = if self.common.config.is_some() { Access::Owner } else { Access::Umask };
        store::save(dir, name, record, access)
    }
}

/// Prints one JSON document on standard output; a reader that stops early is no error.
///
/// # Errors
/// If standard output cannot be written for another reason.
pub fn print_json(document: &impl serde::Serialize) -> Result<()> {
    let mut text = serde_json::to_vec(document)?;
    text.push(b'\n');
    print(&text)
}

/// Prints text on standard output; a reader that stops early is no error.
///
/// # Errors
/// If standard output cannot be written for another reason.
pub fn print(text: &[u8]) -> Result<()> {
    match std::io::stdout().write_all(text) {
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
    let address = cluster.settings().brokers.clone();
    if cluster.is_embedded() {
        let version = Some(format!("librdkafka {} mock", librdkafka_version()));
        return Broker { kind: "embedded".into(), version, transaction_version: None, address };
    }
    // The protocol does not report a broker's version; the environment can.
    let version = std::env::var("KUU_BROKER_VERSION").ok().filter(|version| !version.is_empty());
    let transaction_version = features::transaction_version(cluster.settings());
    Broker { kind: "kafka".into(), version, transaction_version, address }
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

/// How rows are read. Rows without a unit are of the one in `units`; of several, or none, they are minutes.
///
/// # Errors
/// If two options name the same member.
pub fn row_format(rows: &cli::RowArgs, units: &[Unit]) -> Result<RowFormat> {
    if rows.start_field == rows.users_field {
        bail!("--start-field and --users-field name the same member, `{}`: name two", rows.start_field);
    }
    let unit = if let [unit] = units { *unit } else { Unit::Minute };
    let (start, users) = (rows.start_field.clone(), rows.users_field.clone());
    Ok(RowFormat { start, users, start_format: rows.start_format, unit })
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
        ..Config::default()
    }
}

/// The properties of the file of `--config`, then those of `-X`, which override them.
fn properties(common: &Common, screen: Screen) -> Result<Vec<Property>> {
    let property = |(key, value): &(String, String)| Property {
        key: key.clone(),
        value: value.clone(),
        from: "-X".into(),
        line: None,
    };
    let named: Vec<Property> = common.properties.iter().map(property).collect();
    if let Some(Property { key, .. }) = named.iter().find(|property| is_secret(&property.key)) {
        bail!(
            "-X {key}: others on this machine can read a command line: \
             write {key}=... into a file that only you can read, and name it with --config FILE"
        );
    }
    check(&named)?;
    let Some(path) = &common.config else { return Ok(named) };
    let Translated { properties: mut all, ignored } = properties::read(path)?;
    check(&all)?;
    let warning = Screen { to_stderr: true, ..screen };
    if let Some(secret) = all.iter().find(|property| is_secret(&property.key) && properties::is_exposed(path)) {
        let key = &secret.key;
        warning.say(format!("kuu: warning: {} holds {key} and others can read it: chmod 600 {0}", path.display()));
    }
    if !ignored.is_empty() {
        let names: Vec<&str> = ignored.iter().map(|property| property.key.as_str()).collect();
        let path = path.display();
        warning.say(format!("kuu: {path}: left out, as only Java clients have it: {}", names.join(", ")));
    }
    all.extend(named);
    Ok(all)
}

/// Rejects reserved properties; the error names their origin.
fn check(all: &[Property]) -> Result<()> {
    let refused = all.iter().find_map(|it| Some((it, properties::refusal(&it.key, &it.value)?)));
    match refused {
        Some((Property { key, value, from, .. }, why)) => {
            bail!("{from} {key}={value} must not be set: {why}: leave it out")
        }
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
fn take_brokers(properties: &mut Vec<Property>) -> Option<Property> {
    let own = |key: &str| ["bootstrap.servers", "metadata.broker.list"].contains(&key);
    let named = properties.iter().rfind(|property| own(&property.key) && !property.value.is_empty()).cloned();
    properties.retain(|property| !own(&property.key));
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_no_property() {
        let property =
            |key: &&str| Property { key: (*key).into(), value: format!("of {key}"), from: "-X".into(), line: None };
        let properties = |keys: &[&str]| keys.iter().map(property).collect::<Vec<_>>();
        let mut all = properties(&["bootstrap.servers", "acks", "metadata.broker.list"]);
        assert_eq!(take_brokers(&mut all).map(|named| named.value).as_deref(), Some("of metadata.broker.list"));
        assert_eq!(all, properties(&["acks"]));
        assert_eq!(take_brokers(&mut all), None);
    }
}
