//! Whether records can be compared: what was different besides what was measured.

use crate::record::{Broker, Record};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;

/// Something that was not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What, as in `input`.
    pub what: String,
    /// What it was before: several values, if the records of a side do not agree.
    pub before: String,
    /// What it was after.
    pub after: String,
    /// Whether figures mean nothing beside each other because of it. An option is often what is compared.
    pub forbids: bool,
}

/// What differs between the records of two sides, or within one of them.
pub fn differences(before: &[Record], after: &[Record]) -> Vec<Difference> {
    let sides = [before, after].map(|records| records.iter().map(conditions).collect::<Vec<_>>());
    let names: BTreeSet<&String> = sides.iter().flatten().flat_map(BTreeMap::keys).collect();
    let values = |side: usize, name: &String| {
        let of = |one: &BTreeMap<String, String>| one.get(name).cloned().unwrap_or_else(|| "nothing".into());
        sides[side].iter().map(of).collect::<BTreeSet<String>>()
    };
    let words = |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(" or ");
    let all = names.into_iter().filter_map(|name| {
        let (left, right) = (values(0, name), values(1, name));
        let differs = left != right || left.len() > 1;
        let forbids = !name.starts_with("option ");
        differs.then(|| Difference { what: name.clone(), before: words(&left), after: words(&right), forbids })
    });
    all.collect()
}

/// The conditions of a run, by name.
fn conditions(record: &Record) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = options(record);
    let mut add = |name: &str, value: String| drop(all.insert(name.to_owned(), value));
    add("command", record.configuration.command().into());
    let digests: Vec<String> = record.input.iter().map(|source| source.sha256.chars().take(12).collect()).collect();
    add("input", if digests.is_empty() { "nothing".into() } else { digests.join(", ") });
    add("machine", format!("{}, {} cores", record.machine.cpu, record.machine.cores));
    add("broker", record.broker.as_ref().map_or_else(|| "nothing".into(), broker));
    all
}

fn broker(broker: &Broker) -> String {
    let version = broker.version.iter().map(|version| format!(" {version}"));
    // Records of before do not have it.
    let transactions = broker.transaction_version.iter().map(|level| format!(", transaction.version {level}"));
    iter::once(broker.kind.clone()).chain(version).chain(transactions).collect()
}

/// The options of the command, `option NAME` each, `option OUTER.INNER` where one holds others, without the names of topics and
/// files.
fn options(record: &Record) -> BTreeMap<String, String> {
    let json = serde_json::to_value(&record.configuration).unwrap_or_default();
    let Some(Value::Object(members)) = json.get("config") else { return BTreeMap::new() };
    let is_name = |name: &str| ["topic", "output", "group", "engines", "workloads", "speed"].contains(&name);
    let mut all = BTreeMap::new();
    for (name, value) in members.iter().filter(|(name, _)| !is_name(name)) {
        add_option(&mut all, name, value);
    }
    all
}

fn add_option(all: &mut BTreeMap<String, String>, name: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(inner, value)| add_option(all, &format!("{name}.{inner}"), value));
        }
        other => drop(all.insert(format!("option {name}"), other.to_string())),
    }
}
